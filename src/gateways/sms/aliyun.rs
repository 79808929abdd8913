//! Alibaba Cloud: text messages (`dysmsapi`) and spoken codes (`dyvmsapi`), signed by ACS3-HMAC-SHA256.
use reqwest::{
    Method, Url,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    super::{
        Outcome,
        calls::{Caller, Missed},
    },
    Filled,
    answers::aliyun_outcome,
    named,
    signing::{hmac_sha256, percent, sha256},
};
use crate::{clock::Clock, config::Config, hex::hex};

const MAX_ANSWER: usize = 64 * 1024;
const VERSION: &str = "2017-05-25";

/// An account there.
pub(super) struct Aliyun {
    caller: Caller,
    clock: Clock,
    base: String,
    voice_base: String,
    key: (String, String),
    sign_name: String,
    /// Template and number shown.
    voice: (String, String),
}

impl Aliyun {
    pub(super) fn new(config: &Config, caller: Caller, clock: Clock) -> Self {
        let or = |set: &str, usual: &str| if set.is_empty() { usual.to_owned() } else { set.to_owned() };
        Self {
            caller,
            clock,
            base: or(&config.sms_api_base, "https://dysmsapi.aliyuncs.com"),
            voice_base: or(&config.sms_voice_api_base, "https://dyvmsapi.aliyuncs.com"),
            key: (config.sms_key_id.clone(), config.sms_key_secret.clone()),
            sign_name: config.sms_sign_name.clone(),
            voice: (config.sms_voice_template.clone(), config.sms_voice_number.clone()),
        }
    }

    pub(super) fn can_speak(&self) -> bool {
        !self.voice.0.is_empty()
    }

    pub(super) async fn send(&self, filled: &Filled<'_>) -> Outcome {
        let parameters = named(filled);
        let mut query = vec![
            ("PhoneNumbers", filled.phone),
            ("SignName", &self.sign_name),
            ("TemplateCode", &filled.template.id),
            ("TemplateParam", &parameters),
        ];
        if !filled.id.is_empty() {
            query.push(("OutId", filled.id));
        }
        outcome(self.call(&self.base, "SendSms", query).await, "BizId")
    }

    pub(super) async fn speak(&self, phone: &str, code: &str) -> Outcome {
        // said digit by digit
        let spoken = code.chars().map(String::from).collect::<Vec<_>>().join(",");
        let parameters = json!({ "code": spoken }).to_string();
        let mut query =
            vec![("CalledNumber", phone), ("TtsCode", &self.voice.0), ("TtsParam", &parameters), ("PlayTimes", "2")];
        if !self.voice.1.is_empty() {
            query.push(("CalledShowNumber", &self.voice.1));
        }
        outcome(self.call(&self.voice_base, "SingleCallByTts", query).await, "CallId")
    }

    /// Asks for the signature's own state: costs nothing and needs the key.
    pub(super) async fn check(&self) -> Result<(), &'static str> {
        match self.call(&self.base, "QuerySmsSign", vec![("SignName", &self.sign_name)]).await {
            Ok(told) if told["Code"] == "OK" => Ok(()),
            Ok(_) => Err("refused"),
            Err(_) => Err("unreachable"),
        }
    }

    async fn call(&self, base: &str, action: &str, mut query: Vec<(&str, &str)>) -> Result<Value, Missed> {
        query.sort_unstable();
        let query: Vec<_> = query.iter().map(|(name, value)| format!("{}={}", percent(name), percent(value))).collect();
        let query = query.join("&");
        let url = Url::parse(&format!("{}/?{query}", base.trim_end_matches('/'))).map_err(|_| Missed::NotReached)?;
        let host = host(&url);
        let date = self.clock.now().format("%Y-%m-%dT%H:%M:%SZ").to_string();
        let nonce = Uuid::new_v4().simple().to_string();
        let body_hash = sha256("");
        let signed = [
            ("host", host.as_str()),
            ("x-acs-action", action),
            ("x-acs-content-sha256", &body_hash),
            ("x-acs-date", &date),
            ("x-acs-signature-nonce", &nonce),
            ("x-acs-version", VERSION),
        ];
        let authorization = acs3((&self.key.0, &self.key.1), ("POST", "/", &query), &signed, "");
        let mut headers = HeaderMap::new();
        for (name, value) in signed
            .iter()
            .copied()
            .filter(|(name, _)| *name != "host")
            .chain([("authorization", authorization.as_str())])
        {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) {
                headers.insert(name, value);
            }
        }
        let answer = self.caller.ask(Method::POST, url, headers, (None, MAX_ANSWER)).await?;
        serde_json::from_slice(&answer.bytes).map_err(|_| Missed::Lost)
    }
}

/// What `Host` says.
fn host(url: &Url) -> String {
    let name = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"))
}

fn outcome(told: Result<Value, Missed>, id: &str) -> Outcome {
    match told {
        Ok(told) => aliyun_outcome(told["Code"].as_str().unwrap_or_default(), told[id].as_str().unwrap_or_default()),
        Err(Missed::NotReached) => Outcome::TryAgain { status: 0, after_secs: None },
        Err(Missed::Lost | Missed::TooLarge) => Outcome::Unknown,
    }
}

/// The `Authorization` of a request: key, method with path and sorted query, the headers that are signed (sorted), body.
#[must_use]
pub fn acs3(
    (id, secret): (&str, &str),
    (method, path, query): (&str, &str, &str),
    signed: &[(&str, &str)],
    body: &str,
) -> String {
    let lines: String = signed.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect();
    let names: Vec<_> = signed.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let canonical = format!("{method}\n{path}\n{query}\n{lines}\n{names}\n{}", sha256(body));
    let to_sign = format!("ACS3-HMAC-SHA256\n{}", sha256(&canonical));
    let signature = hex(&hmac_sha256(secret.as_bytes(), &to_sign));
    format!("ACS3-HMAC-SHA256 Credential={id},SignedHeaders={names},Signature={signature}")
}
