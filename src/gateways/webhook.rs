//! Signed outgoing calls: an HMAC over id, time and body, in the manner of the Standard Webhooks specification.
use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use ring::hmac;

use crate::error::{Error, Result};

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// 2xx.
    Sent,
    /// Worth another try: no answer, 5xx, 408, 429.
    TryAgain(u16),
    /// Pointless: any other answer. A redirect counts, because it could lead anywhere.
    Never(u16),
}

/// The one HTTP client for calls to others.
pub struct Webhooks(reqwest::Client);

impl Webhooks {
    /// A client that follows no redirect and waits 15 s at most.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new() -> Result<Self> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(5))
            .timeout(Duration::from_secs(15))
            .user_agent("liusheng-webhook/1")
            .build()
            .map_err(|error| Error::broken(error.without_url()))?;
        Ok(Self(client))
    }

    /// Posts a JSON body; `id` stays the same over all tries, so that the receiver can drop repeats.
    pub async fn post(&self, url: &str, secret: &str, id: &str, at: DateTime<Utc>, body: String) -> Outcome {
        let timestamp = at.timestamp().to_string();
        let request = self
            .0
            .post(url)
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", &timestamp)
            .header("webhook-signature", sign(secret, id, &timestamp, &body))
            .body(body);
        match request.send().await {
            Ok(answer) if answer.status().is_success() => Outcome::Sent,
            Ok(answer) if answer.status().is_server_error() || matches!(answer.status().as_u16(), 408 | 429) => {
                Outcome::TryAgain(answer.status().as_u16())
            }
            Ok(answer) => Outcome::Never(answer.status().as_u16()),
            Err(_) => Outcome::TryAgain(0),
        }
    }
}

/// `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`.
#[must_use]
pub fn sign(secret: &str, id: &str, timestamp: &str, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, format!("{id}.{timestamp}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(tag))
}
