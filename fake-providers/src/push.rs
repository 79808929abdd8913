//! Calls from WeChat to us: signed, sealed, forged, repeated, as they come and as they might.
use std::time::{Duration, Instant};

use aes::Aes256;
use axum::{Json, extract::State};
use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};
use cbc::cipher::{BlockModeEncrypt, KeyIvInit, block_padding::NoPadding};
use ring::digest;
use serde_json::{Value, json};

use crate::Shared;

/// How the account is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// In the open.
    Plain,
    /// Both.
    Compatible,
    /// Sealed.
    Safe,
}

/// A call to be made.
#[derive(Clone, Debug)]
pub struct Call {
    /// Where.
    pub url: String,
    /// How.
    pub mode: Mode,
    /// The account's token.
    pub token: String,
    /// Its EncodingAESKey.
    pub key: String,
    /// Its id.
    pub appid: String,
    /// When: seconds.
    pub at: i64,
    /// Other at each try.
    pub nonce: String,
    /// The message.
    pub body: String,
    /// With a signature that is none.
    pub is_forged: bool,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answered {
    /// Status.
    pub status: u16,
    /// Body.
    pub body: String,
    /// How long it took.
    pub took: Duration,
}

fn sha1(parts: &[&str]) -> String {
    let mut sorted = parts.to_vec();
    sorted.sort_unstable();
    let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, sorted.concat().as_bytes());
    hash.as_ref().iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// Seals a message as WeChat does.
#[must_use]
pub fn seal(key: &str, appid: &str, message: &str, random: [u8; 16]) -> String {
    let lenient = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let engine = GeneralPurpose::new(&alphabet::STANDARD, lenient);
    let bytes: [u8; 32] = engine.decode(key).ok().and_then(|bytes| bytes.try_into().ok()).unwrap_or_default();
    let mut iv = [0; 16];
    iv.copy_from_slice(&bytes[..16]);
    let length = u32::try_from(message.len()).unwrap_or_default().to_be_bytes();
    let mut plain: Vec<u8> = [&random[..], &length, message.as_bytes(), appid.as_bytes()].concat();
    let pad = 32 - plain.len() % 32;
    plain.resize(plain.len() + pad, u8::try_from(pad).unwrap_or_default());
    let sealed = cbc::Encryptor::<Aes256>::new(&bytes.into(), &iv.into()).encrypt_padded_vec::<NoPadding>(&plain);
    STANDARD.encode(sealed)
}

impl Call {
    /// Makes the call.
    ///
    /// # Errors
    /// When nobody is there.
    pub async fn make(&self, http: &reqwest::Client) -> Result<Answered, reqwest::Error> {
        let timestamp = self.at.to_string();
        let mut signature = sha1(&[&self.token, &timestamp, &self.nonce]);
        let (mut query, mut body) = (String::new(), self.body.clone());
        if self.mode != Mode::Plain {
            let sealed = seal(&self.key, &self.appid, &self.body, *b"0123456789abcdef");
            let mut sealed_by = sha1(&[&self.token, &timestamp, &self.nonce, &sealed]);
            if self.is_forged {
                sealed_by = sealed_by.chars().rev().collect();
            }
            query = format!("&encrypt_type=aes&msg_signature={sealed_by}");
            let part = format!("<Encrypt><![CDATA[{sealed}]]></Encrypt>");
            body = match (self.mode, self.body.starts_with('{')) {
                (_, true) => json!({ "ToUserName": "gh_fake", "Encrypt": sealed }).to_string(),
                (Mode::Compatible, false) => self.body.replacen("</xml>", &format!("{part}</xml>"), 1),
                (_, false) => format!("<xml><ToUserName><![CDATA[gh_fake]]></ToUserName>{part}</xml>"),
            };
        }
        if self.is_forged {
            signature = signature.chars().rev().collect();
        }
        let url = format!("{}?signature={signature}&timestamp={timestamp}&nonce={}{query}", self.url, self.nonce);
        let began = Instant::now();
        let answer = http.post(url).header("content-type", "text/xml").body(body).send().await?;
        let status = answer.status().as_u16();
        Ok(Answered { status, body: answer.text().await?, took: began.elapsed() })
    }

    /// Asks whether somebody is there, as WeChat does when the address is set up.
    ///
    /// # Errors
    /// When nobody is.
    pub async fn verify(&self, http: &reqwest::Client, echo: &str) -> Result<Answered, reqwest::Error> {
        let timestamp = self.at.to_string();
        let mut signature = sha1(&[&self.token, &timestamp, &self.nonce]);
        if self.is_forged {
            signature = signature.chars().rev().collect();
        }
        let query = format!("signature={signature}&timestamp={timestamp}&nonce={}&echostr={echo}", self.nonce);
        let began = Instant::now();
        let answer = http.get(format!("{}?{query}", self.url)).send().await?;
        let status = answer.status().as_u16();
        Ok(Answered { status, body: answer.text().await?, took: began.elapsed() })
    }
}

#[expect(clippy::disallowed_methods, reason = "by hand, the time is the machine's")]
fn now() -> i64 {
    chrono::Utc::now().timestamp()
}

/// `{"url","body","token","mode","key","forged"}` by hand. What was said opens the window.
pub(crate) async fn deliver(State(world): State<Shared>, Json(told): Json<Value>) -> Json<Value> {
    let text = |name: &str, usual: &str| told[name].as_str().unwrap_or(usual).to_owned();
    let mode = match told["mode"].as_str() {
        Some("safe") => Mode::Safe,
        Some("compatible") => Mode::Compatible,
        _ => Mode::Plain,
    };
    let call = Call {
        url: text("url", "http://127.0.0.1:8080/wechat/callback"),
        mode,
        token: text("token", "fake-token"),
        key: text("key", ""),
        appid: text("appid", crate::world::OFFICIAL),
        at: now(),
        nonce: world.name("n"),
        body: text("body", ""),
        is_forged: told["forged"] == true,
    };
    if let Some(openid) = call.body.split("<FromUserName><![CDATA[").nth(1).and_then(|rest| rest.split(']').next()) {
        world.said(openid);
    }
    let client = reqwest::Client::builder().timeout(Duration::from_secs(5)).build();
    let answered = match client {
        Ok(client) => call.make(&client).await,
        Err(error) => Err(error),
    };
    Json(match answered {
        Ok(answered) => {
            json!({ "status": answered.status, "body": answered.body, "millis": answered.took.as_millis() })
        }
        Err(error) => json!({ "error": error.without_url().to_string() }),
    })
}
