//! Who somebody is in WeChat: log-in on the web, log-in of the Mini Program, the phone that WeChat vouches for.
use serde_json::{Value, json};

use super::{Account, Failure, Wechat, account::Call, crypto, decide::alarm};

/// Who came back from WeChat.
#[derive(Clone, PartialEq, Eq)]
pub struct Known {
    /// Who, for this account.
    pub openid: String,
    /// A read-only snapshot of a page: the openid is made up, and must never be bound to anybody.
    pub is_snapshot: bool,
    /// What the Mini Program's hidden data is sealed with; stays in memory.
    pub session_key: String,
}

impl Wechat {
    /// Where a browser inside WeChat is sent to tell who somebody is; it comes back to `back` with a code and this state.
    /// The order of the parts matters to WeChat, and so does the end.
    #[must_use]
    pub fn log_in_url(&self, back: &str, state: &str) -> Option<String> {
        let appid = self.official.as_ref()?.appid();
        let back: String = reqwest::Url::parse_with_params("x:", [("u", back)]).ok()?.query()?.get(2..)?.to_owned();
        let base = self.open_base.trim_end_matches('/');
        Some(format!(
            "{base}/connect/oauth2/authorize?appid={appid}&redirect_uri={back}&response_type=code&scope=snsapi_base&state={state}#wechat_redirect"
        ))
    }
}

impl Account {
    /// Who came back with this code. A code is good once, for five minutes.
    ///
    /// # Errors
    /// What WeChat says.
    pub async fn known_by_code(&self, code: &str) -> Result<Known, Failure> {
        let query =
            [("appid", self.appid()), ("secret", self.secret()), ("code", code), ("grant_type", "authorization_code")];
        let told = self.patiently(Call::get("/sns/oauth2/access_token", &query)).await.inspect_err(alarm)?;
        let openid = told["openid"].as_str().filter(|id| is_openid(id)).ok_or(Failure::Lost)?.to_owned();
        Ok(Known { openid, is_snapshot: told["is_snapshotuser"].as_i64() == Some(1), session_key: String::new() })
    }

    /// Who opened the Mini Program.
    ///
    /// # Errors
    /// What WeChat says.
    pub async fn known_by_js_code(&self, code: &str) -> Result<Known, Failure> {
        let query = [
            ("appid", self.appid()),
            ("secret", self.secret()),
            ("js_code", code),
            ("grant_type", "authorization_code"),
        ];
        let told = self.patiently(Call::get("/sns/jscode2session", &query)).await.inspect_err(alarm)?;
        let openid = told["openid"].as_str().filter(|id| is_openid(id)).ok_or(Failure::Lost)?.to_owned();
        let session_key = told["session_key"].as_str().unwrap_or_default().to_owned();
        Ok(Known { openid, is_snapshot: false, session_key })
    }

    /// The number that somebody let WeChat tell us, as it is written on the mainland.
    ///
    /// # Errors
    /// What WeChat says; `Lost` when the answer is for another account.
    pub async fn phone_by_code(&self, code: &str) -> Result<String, Failure> {
        let body = json!({ "code": code });
        let told = self.ask(Call::post("/wxa/business/getuserphonenumber", &body)).await?;
        let info = &told["phone_info"];
        if info["watermark"]["appid"].as_str() != Some(self.appid()) {
            return Err(Failure::Lost);
        }
        mainland(info).ok_or(Failure::Lost)
    }

    /// The same from hidden data, as Mini Programs before 2.21.2 hand it over. `None` when it is not for us.
    #[must_use]
    pub fn phone_in(&self, known: &Known, iv: &str, encrypted: &str) -> Option<String> {
        let told = crypto::open_mini(&known.session_key, iv, encrypted, self.appid())?;
        mainland(&told)
    }
}

/// A number abroad may look like one of ours without its country.
fn mainland(info: &Value) -> Option<String> {
    let number = info["purePhoneNumber"].as_str().filter(|_| info["countryCode"].as_str() == Some("86"))?;
    Some(number.to_owned())
}

/// Letters, digits, `-` and `_`, 28 of them as a rule.
#[must_use]
pub fn is_openid(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}
