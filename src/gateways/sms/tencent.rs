//! Tencent Cloud: text messages (`sms`) and spoken codes (`vms`), signed by TC3-HMAC-SHA256.
use chrono::{DateTime, Utc};
use reqwest::{
    Method, Url,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use serde_json::{Value, json};

use super::{
    super::{
        Outcome,
        calls::{Caller, Missed},
    },
    Filled,
    answers::tencent_outcome,
    signing::{hmac_sha256, sha256},
};
use crate::{clock::Clock, config::Config, hex::hex};

const MAX_ANSWER: usize = 64 * 1024;
/// Signed, so it must be sent byte by byte as it stands here.
const KIND: &str = "application/json; charset=utf-8";

/// An account there.
pub(super) struct Tencent {
    caller: Caller,
    clock: Clock,
    base: String,
    voice_base: String,
    key: (String, String),
    region: String,
    sign_name: String,
    /// Of the messages, and of the spoken codes.
    apps: (String, String),
}

/// Host, service, action and version of an interface.
struct Interface<'a> {
    base: &'a str,
    service: &'static str,
    action: &'static str,
    version: &'static str,
}

impl Tencent {
    pub(super) fn new(config: &Config, caller: Caller, clock: Clock) -> Self {
        let or = |set: &str, usual: &str| if set.is_empty() { usual.to_owned() } else { set.to_owned() };
        Self {
            caller,
            clock,
            base: or(&config.sms_api_base, "https://sms.tencentcloudapi.com"),
            voice_base: or(&config.sms_voice_api_base, "https://vms.tencentcloudapi.com"),
            key: (config.sms_key_id.clone(), config.sms_key_secret.clone()),
            region: config.sms_region.clone(),
            sign_name: config.sms_sign_name.clone(),
            apps: (config.sms_app_id.clone(), config.sms_voice_template.clone()),
        }
    }

    pub(super) fn can_speak(&self) -> bool {
        !self.apps.1.is_empty()
    }

    fn sms(&self, action: &'static str) -> Interface<'_> {
        Interface { base: &self.base, service: "sms", action, version: "2021-01-11" }
    }

    pub(super) async fn send(&self, filled: &Filled<'_>) -> Outcome {
        let body = json!({
            "PhoneNumberSet": [format!("+86{}", filled.phone)],
            "SmsSdkAppId": self.apps.0,
            "SignName": self.sign_name,
            "TemplateId": filled.template.id,
            "TemplateParamSet": filled.values,
            "SessionContext": filled.id,
        });
        match self.call(&self.sms("SendSms"), &body).await {
            // one number, one element; an answer without it says nothing
            Ok(told) => match &told["SendStatusSet"][0] {
                Value::Null => tencent_outcome(told["Error"]["Code"].as_str().unwrap_or_default(), ""),
                one => tencent_outcome(
                    one["Code"].as_str().unwrap_or_default(),
                    one["SerialNo"].as_str().unwrap_or_default(),
                ),
            },
            Err(missed) => lost(missed),
        }
    }

    pub(super) async fn speak(&self, phone: &str, code: &str) -> Outcome {
        let interface =
            Interface { base: &self.voice_base, service: "vms", action: "SendCodeVoice", version: "2020-09-02" };
        let body = json!({
            "CodeMessage": code, "CalledNumber": format!("+86{phone}"), "VoiceSdkAppid": self.apps.1, "PlayTimes": 2,
        });
        match self.call(&interface, &body).await {
            Ok(told) => match told["Error"]["Code"].as_str() {
                Some(code) => tencent_outcome(code, ""),
                None => tencent_outcome("Ok", told["SendStatus"]["CallId"].as_str().unwrap_or_default()),
            },
            Err(missed) => lost(missed),
        }
    }

    /// Asks how many were sent: costs nothing and needs the key.
    pub(super) async fn check(&self) -> Result<(), &'static str> {
        let day = self.clock.now().format("%Y%m%d00").to_string();
        let body = json!({ "BeginTime": day, "EndTime": day, "SmsSdkAppId": self.apps.0, "Limit": 0, "Offset": 0 });
        match self.call(&self.sms("SendStatusStatistics"), &body).await {
            Ok(told) if told["Error"].is_null() => Ok(()),
            Ok(_) => Err("refused"),
            Err(_) => Err("unreachable"),
        }
    }

    async fn call(&self, interface: &Interface<'_>, body: &Value) -> Result<Value, Missed> {
        let url = Url::parse(interface.base).map_err(|_| Missed::NotReached)?;
        let name = url.host_str().unwrap_or_default();
        let host = url.port().map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"));
        let (now, body) = (self.clock.now(), body.to_string());
        let authorization = tc3((&self.key.0, &self.key.1), (&host, interface.service), now, &body);
        let timestamp = now.timestamp().to_string();
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("content-type", KIND),
            ("authorization", &authorization),
            ("x-tc-action", interface.action),
            ("x-tc-version", interface.version),
            ("x-tc-region", &self.region),
            ("x-tc-timestamp", &timestamp),
        ] {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) {
                headers.insert(name, value);
            }
        }
        let answer = self.caller.ask(Method::POST, url, headers, (Some(body), MAX_ANSWER)).await?;
        let mut told: Value = serde_json::from_slice(&answer.bytes).map_err(|_| Missed::Lost)?;
        let told = told["Response"].take();
        if told.is_object() { Ok(told) } else { Err(Missed::Lost) }
    }
}

fn lost(missed: Missed) -> Outcome {
    match missed {
        Missed::NotReached => Outcome::TryAgain { status: 0, after_secs: None },
        Missed::Lost | Missed::TooLarge => Outcome::Unknown,
    }
}

/// The `Authorization` of a JSON request to a service at a host. The date is that of Greenwich.
#[must_use]
pub fn tc3((id, secret): (&str, &str), (host, service): (&str, &str), at: DateTime<Utc>, body: &str) -> String {
    let (date, signed) = (at.format("%Y-%m-%d").to_string(), "content-type;host");
    let canonical = format!("POST\n/\n\ncontent-type:{KIND}\nhost:{host}\n\n{signed}\n{}", sha256(body));
    let scope = format!("{date}/{service}/tc3_request");
    let to_sign = format!("TC3-HMAC-SHA256\n{}\n{scope}\n{}", at.timestamp(), sha256(&canonical));
    let key = hmac_sha256(format!("TC3{secret}").as_bytes(), &date);
    let key = hmac_sha256(&hmac_sha256(&key, service), "tc3_request");
    let signature = hex(&hmac_sha256(&key, &to_sign));
    format!("TC3-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={signed}, Signature={signature}")
}
