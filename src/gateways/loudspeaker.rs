//! 村广播: a script for the village's loudspeaker, handed to a vendor's gateway by a signed call.
//!
//! # Why
//! Emergency broadcasts are for the county government and its departments alone: this sends approved notices, in spoken
//! words of at most 300 characters, as a script that somebody may also read aloud. Without a gateway it is a page to print.
use chrono::{DateTime, Utc};
use reqwest::{
    Method,
    header::{HeaderMap, HeaderValue},
};
use serde_json::json;

use super::{
    Letter, NOT_SET_UP, Outcome,
    calls::{Caller, Missed, address},
    webhook,
};
use crate::{clock, config::Config, error::Result};

/// Spoken in a minute and a half.
const MAX_CHARS: usize = 300;
/// Read twice: who was in the yard hears the second.
const TIMES: u8 = 2;
const MAX_ANSWER: usize = 64 * 1024;

/// The vendor's gateway, if there is one.
pub struct Loudspeaker {
    url: String,
    secret: String,
    volume: u8,
    caller: Caller,
}

impl Loudspeaker {
    /// What the settings name.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn open(config: &Config) -> Result<Self> {
        let (url, secret) = (config.loudspeaker_url.clone(), config.loudspeaker_secret.clone());
        Ok(Self { url, secret, volume: config.loudspeaker_volume, caller: Caller::new()? })
    }

    /// Is there a gateway?
    #[must_use]
    pub fn is_set_up(&self) -> bool {
        !self.url.is_empty()
    }

    /// Hands a script over, with the address of a recording of it where there is one; it is to be played at once. The gateway
    /// is the operator's, wherever it stands.
    pub(super) async fn send(&self, area: &str, letter: &Letter, at: DateTime<Utc>) -> Outcome {
        if !self.is_set_up() {
            return NOT_SET_UP;
        }
        let mut body = json!({
            "title": letter.blank("title").unwrap_or_default(),
            "text": script(&letter.text).0,
            "village_code": area,
            "play_at": clock::local(at).to_rfc3339(),
            "times": TIMES,
            "volume": self.volume,
        });
        if !letter.link.is_empty() {
            body["audio_url"] = letter.link.clone().into();
        }
        let body = body.to_string();
        let timestamp = at.timestamp().to_string();
        let signature = webhook::sign(&self.secret, &letter.id, &timestamp, &body);
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        for (name, value) in
            [("webhook-id", &letter.id), ("webhook-timestamp", &timestamp), ("webhook-signature", &signature)]
        {
            match HeaderValue::from_str(value) {
                Ok(value) => headers.insert(name, value),
                Err(_) => return Outcome::Held { status: 0, why: "bug" },
            };
        }
        let Ok(url) = address(&self.url, "", &[]) else { return NOT_SET_UP };
        match self.caller.ask(Method::POST, url, headers, (Some(body), MAX_ANSWER)).await {
            Ok(answer) => webhook::outcome(answer.status, None),
            // the same id over all tries: a gateway that played it knows
            Err(Missed::NotReached | Missed::Lost | Missed::TooLarge) => {
                Outcome::TryAgain { status: 0, after_secs: None }
            }
        }
    }
}

/// What is read aloud: one line, without addresses, ending with a whole sentence where it must be cut; and whether it was.
#[must_use]
pub fn script(text: &str) -> (String, bool) {
    let spoken: Vec<_> = text.split_whitespace().filter(|word| !word.contains("://")).collect();
    let spoken = spoken.join(" ");
    if spoken.chars().count() <= MAX_CHARS {
        return (spoken, false);
    }
    let cut: String = spoken.chars().take(MAX_CHARS).collect();
    let whole = match cut.rfind(['。', '！', '？', '；']) {
        Some(end) => cut.chars().take(cut[..end].chars().count() + 1).collect(),
        None => cut,
    };
    (whole, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_can_be_read_aloud() {
        assert_eq!(script("各位乡亲：\n明天停水。 https://x.example/1"), ("各位乡亲： 明天停水。".to_owned(), false));
        let (long, is_cut) = script(&"村民小组明天上午开会。".repeat(60));
        assert!(is_cut && long.chars().count() <= MAX_CHARS && long.ends_with('。'), "{long}");
        assert_eq!(script(&"路".repeat(500)).0.chars().count(), MAX_CHARS);
    }
}
