//! One account's calls to WeChat: its token, its ticket, and what every call has in common.
//!
//! # Why
//! The stable token is the same for whoever asks, so several processes need no lock between them: each keeps its own copy.
//! Within a process one asks and all others wait. WeChat hands out the next token when the present one has five minutes
//! left, and both hold for these five minutes: what is dropped five minutes early fails nobody.
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::{
    Method,
    header::{HeaderMap, HeaderValue},
};
use serde_json::{Value, json};
use tokio::sync::{Mutex, MutexGuard};

use super::{
    super::calls::{Answer, Caller, Missed, address},
    WechatApp, crypto,
    decide::{Action, Failure, alarm, decide},
};
use crate::clock::Clock;

const MAX_ANSWER: usize = 256 * 1024;
/// Voice is below 1 MiB, photos are below 10.
const MAX_MEDIA: usize = 10 << 20;
const EARLY_SECS: i64 = 300;
const TRIES: u32 = 3;
const LANES: usize = 64;
/// WeChat has no such file, or not any more.
pub const GONE: i64 = 40007;

/// An account with its secrets.
pub struct Account {
    app: WechatApp,
    appid: String,
    secret: String,
    base: String,
    caller: Caller,
    clock: Clock,
    token: Mutex<Option<Kept>>,
    ticket: Mutex<Option<Kept>>,
    lanes: Vec<Mutex<()>>,
}

/// A token or ticket and when it is asked for anew.
struct Kept {
    text: String,
    until: DateTime<Utc>,
}

/// What is asked of WeChat.
pub(super) struct Call<'a> {
    method: Method,
    path: &'a str,
    query: &'a [(&'a str, &'a str)],
    body: Option<&'a Value>,
}

impl<'a> Call<'a> {
    pub(super) fn get(path: &'a str, query: &'a [(&'a str, &'a str)]) -> Self {
        Self { method: Method::GET, path, query, body: None }
    }

    pub(super) fn post(path: &'a str, body: &'a Value) -> Self {
        Self { method: Method::POST, path, query: &[], body: Some(body) }
    }
}

/// A file that somebody sent.
pub struct Fetched {
    /// Its bytes; what it is follows from them.
    pub bytes: Vec<u8>,
}

impl Account {
    pub(super) fn new(
        (app, appid, secret): (WechatApp, String, String),
        base: &str,
        caller: Caller,
        clock: Clock,
    ) -> Self {
        let lanes = std::iter::repeat_with(Mutex::default).take(LANES).collect();
        let base = base.to_owned();
        Self { app, appid, secret, base, caller, clock, token: Mutex::default(), ticket: Mutex::default(), lanes }
    }

    /// The account's public id.
    #[must_use]
    pub fn appid(&self) -> &str {
        &self.appid
    }

    pub(super) fn secret(&self) -> &str {
        &self.secret
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Sends to one openid follow one another: two at once are refused with 43108.
    pub(super) async fn lane(&self, openid: &str) -> MutexGuard<'_, ()> {
        let sum = openid.bytes().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        self.lanes[sum % LANES].lock().await
    }

    /// Does the account answer with a token? For the operator's check.
    ///
    /// # Errors
    /// What WeChat says.
    pub async fn check(&self) -> Result<(), Failure> {
        self.fresh_token().await.map(drop)
    }

    /// The token, asked for if there is none that holds.
    async fn fresh_token(&self) -> Result<String, Failure> {
        let mut kept = self.token.lock().await;
        if let Some(known) = kept.as_ref().filter(|known| known.until > self.clock.now()) {
            return Ok(known.text.clone());
        }
        let body = json!({
            "grant_type": "client_credential", "appid": self.appid, "secret": self.secret, "force_refresh": false,
        });
        let answer = self.patiently(Call::post("/cgi-bin/stable_token", &body)).await?;
        let fresh = self.keep(&answer, "access_token")?;
        metrics::counter!("wechat_token_refreshes_total", "app" => self.app.as_str()).increment(1);
        let text = fresh.text.clone();
        *kept = Some(fresh);
        Ok(text)
    }

    fn keep(&self, answer: &Value, name: &str) -> Result<Kept, Failure> {
        let text = answer[name].as_str().filter(|text| !text.is_empty()).ok_or(Failure::Lost)?.to_owned();
        let secs = answer["expires_in"].as_i64().unwrap_or(0) - EARLY_SECS;
        Ok(Kept { text, until: self.clock.now() + TimeDelta::seconds(secs.clamp(5, 7200)) })
    }

    /// Forgets the token, if it is still the one that failed: another may have come meanwhile.
    async fn forget(&self, failed: &str) {
        let mut kept = self.token.lock().await;
        if kept.as_ref().is_some_and(|known| known.text == failed) {
            *kept = None;
        }
    }

    /// Asks with the token: once more with a new one when WeChat does not take it, three times more when it is busy. What an
    /// operator must know is counted.
    ///
    /// # Errors
    /// What WeChat says, or that it does not.
    pub(super) async fn ask(&self, call: Call<'_>) -> Result<Value, Failure> {
        self.asked(call).await.inspect_err(alarm)
    }

    async fn asked(&self, call: Call<'_>) -> Result<Value, Failure> {
        for turn in 0..=TRIES {
            match self.once(&call).await {
                Err(failure) if rests(&failure, turn).await => {}
                told => return told,
            }
        }
        Err(Failure::NotReached)
    }

    async fn once(&self, call: &Call<'_>) -> Result<Value, Failure> {
        let token = self.fresh_token().await?;
        match self.plain(call, &with(call.query, &token)).await {
            Err(failure) if decide(&failure) == Action::NewToken => self.forget(&token).await,
            told => return told,
        }
        let token = self.fresh_token().await?;
        self.plain(call, &with(call.query, &token)).await
    }

    /// Asks without a token, again after 1, 2 and 4 s as long as nothing can have been done.
    ///
    /// # Errors
    /// What WeChat says, or that it does not.
    pub(super) async fn patiently(&self, call: Call<'_>) -> Result<Value, Failure> {
        for turn in 0..=TRIES {
            match self.plain(&call, call.query).await {
                Err(failure) if rests(&failure, turn).await => {}
                told => return told,
            }
        }
        Err(Failure::NotReached)
    }

    /// Asks once, with this query.
    async fn plain(&self, call: &Call<'_>, query: &[(&str, &str)]) -> Result<Value, Failure> {
        let body = call.body.map(Value::to_string);
        let answer = self.raw(call.method.clone(), call.path, query, (body, MAX_ANSWER)).await?;
        read(&answer)
    }

    async fn raw(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        (body, longest): (Option<String>, usize),
    ) -> Result<Answer, Failure> {
        let url = address(&self.base, path, query).map_err(|_| Failure::NotReached)?;
        let mut headers = HeaderMap::new();
        if body.is_some() {
            headers.insert("content-type", HeaderValue::from_static("application/json; charset=utf-8"));
        }
        self.caller.ask(method, url, headers, (body, longest)).await.map_err(|missed| match missed {
            Missed::NotReached => Failure::NotReached,
            Missed::Lost | Missed::TooLarge => Failure::Lost,
        })
    }

    /// A photo or a recording that somebody sent to the account. Kept there for three days.
    ///
    /// # Errors
    /// What WeChat says; [`GONE`] when it is.
    pub async fn media(&self, media_id: &str) -> Result<Fetched, Failure> {
        self.fetched(media_id).await.inspect_err(|failure| {
            // that somebody was late is no mistake
            if failure.code() != GONE {
                alarm(failure);
            }
        })
    }

    async fn fetched(&self, media_id: &str) -> Result<Fetched, Failure> {
        for is_last in [false, true] {
            let token = self.fresh_token().await?;
            let query = [("access_token", token.as_str()), ("media_id", media_id)];
            let answer = self.raw(Method::GET, "/cgi-bin/media/get", &query, (None, MAX_MEDIA)).await?;
            // an error comes as JSON under status 200, whatever its type says
            let is_said =
                answer.kind.contains("json") || answer.kind.starts_with("text/") || answer.bytes.first() == Some(&b'{');
            if answer.status == 200 && !is_said && !answer.bytes.is_empty() {
                return Ok(Fetched { bytes: answer.bytes });
            }
            match read(&answer) {
                Err(failure) if decide(&failure) == Action::NewToken && !is_last => self.forget(&token).await,
                Err(failure) => return Err(failure),
                Ok(_) => return Err(Failure::Lost),
            }
        }
        Err(Failure::Lost)
    }

    /// Ticket and address of a code that leads to the account; who scans it brings the scene along.
    ///
    /// # Errors
    /// What WeChat says.
    pub async fn qr_code(&self, scene: &str) -> Result<String, Failure> {
        let body = json!({
            "action_name": "QR_LIMIT_STR_SCENE", "action_info": { "scene": { "scene_str": scene } },
        });
        let told = self.ask(Call::post("/cgi-bin/qrcode/create", &body)).await?;
        // the address that is in the picture: we draw it ourselves, sharp and without asking anybody again
        told["url"].as_str().map(str::to_owned).ok_or(Failure::Lost)
    }

    /// Puts up the menu below the account's conversation.
    ///
    /// # Errors
    /// What WeChat says.
    pub async fn put_up_menu(&self, menu: &Value) -> Result<(), Failure> {
        self.ask(Call::post("/cgi-bin/menu/create", menu)).await.map(drop)
    }

    /// What a page needs to use WeChat's own functions: `wx.config`. The page is the whole address without its `#…`.
    ///
    /// # Errors
    /// What WeChat says.
    pub async fn js_config(&self, nonce: &str, page: &str) -> Result<Value, Failure> {
        let ticket = {
            let mut kept = self.ticket.lock().await;
            match kept.as_ref().filter(|known| known.until > self.clock.now()) {
                Some(known) => known.text.clone(),
                None => {
                    let told = self.ask(Call::get("/cgi-bin/ticket/getticket", &[("type", "jsapi")])).await?;
                    let fresh = self.keep(&told, "ticket")?;
                    let text = fresh.text.clone();
                    *kept = Some(fresh);
                    text
                }
            }
        };
        let timestamp = self.clock.now().timestamp();
        let signature = crypto::js_signature(&ticket, nonce, timestamp, page);
        Ok(json!({ "appId": self.appid, "timestamp": timestamp, "nonceStr": nonce, "signature": signature }))
    }
}

/// Waits before the next turn, if another makes sense.
async fn rests(failure: &Failure, turn: u32) -> bool {
    let again = decide(failure) == Action::Retry && turn < TRIES;
    if again {
        tokio::time::sleep(Duration::from_secs(1 << turn)).await;
    }
    again
}

fn with<'a>(query: &[(&'a str, &'a str)], token: &'a str) -> Vec<(&'a str, &'a str)> {
    std::iter::once(("access_token", token)).chain(query.iter().copied()).collect()
}

/// Reads an answer by its content, not by its type. What is no JSON, or came with a 5xx, is no answer.
fn read(answer: &Answer) -> Result<Value, Failure> {
    if answer.status >= 500 {
        return Err(Failure::Lost);
    }
    let told: Value = serde_json::from_slice(&answer.bytes).map_err(|_| Failure::Lost)?;
    let code = told["errcode"].as_i64().unwrap_or(0);
    if code == 0 && told.is_object() {
        return Ok(told);
    }
    let said = told["errmsg"].as_str().unwrap_or_default();
    let word = |text: &str| {
        let ends = |c: char| !(c.is_ascii_alphanumeric() || "-_".contains(c));
        text.split(ends).next().unwrap_or_default().chars().take(40).collect::<String>()
    };
    let rid = said.split("rid: ").nth(1).map(word).unwrap_or_default();
    let field = said.split("data.").nth(1).map(word).unwrap_or_default();
    if told.is_object() { Err(Failure::Said { code, rid, field }) } else { Err(Failure::Lost) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(status: u16, bytes: &[u8]) -> Result<Value, Failure> {
        read(&Answer { status, kind: String::new(), bytes: bytes.to_vec() })
    }

    #[test]
    fn only_what_is_an_answer_is_one() {
        assert!(told(200, br#"{"errcode":0,"errmsg":"ok"}"#).is_ok());
        assert!(told(200, br#"{"access_token":"x","expires_in":7200}"#).is_ok());
        let bad: [(u16, &[u8]); 6] = [
            (200, b""),
            (502, b"<html>"),
            (200, b"<html>"),
            (200, b"{\"errcode\":"),
            (500, b"{}"),
            (200, b"\xd6\xd0\xb9\xfa"),
        ];
        for (status, bytes) in bad {
            assert_eq!(told(status, bytes), Err(Failure::Lost), "{bytes:?}");
        }
        let said = told(
            200,
            br#"{"errcode":47003,"errmsg":"argument invalid! data.date2.value invalid rid: 6512591d-04ed81b7"}"#,
        );
        let wanted = Failure::Said { code: 47003, rid: "6512591d-04ed81b7".to_owned(), field: "date2".to_owned() };
        assert_eq!(said, Err(wanted));
    }
}
