//! Cookies: one found among those that a request brings, and how the line ends that sets one.
use axum::http::{HeaderMap, header};

use super::App;

/// The value of this cookie; an empty one is none.
#[must_use]
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(known, value)| *known == name && !value.is_empty()).map(|(_, value)| value)
}

impl App {
    /// The end of a `Set-Cookie` line: over TLS alone, where the service is.
    #[must_use]
    pub fn secure(&self) -> &'static str {
        if self.config.public_url.starts_with("https:") { "; Secure" } else { "" }
    }
}
