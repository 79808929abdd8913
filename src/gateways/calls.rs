//! Calls to providers that the settings name: bounded in time and size, without a trace of what was asked.
use std::time::Duration;

use reqwest::{Method, Url, header::HeaderMap};

use crate::error::{Error, Result};

const CONNECT_WITHIN: Duration = Duration::from_secs(5);
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// How a call failed. Says nothing of the address: tokens are in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missed {
    /// Nobody was reached: nothing can have been done.
    NotReached,
    /// It was sent, and no whole answer came: it may have been done.
    Lost,
    /// The answer is larger than is taken.
    TooLarge,
}

/// What came back.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) kind: String,
    pub(super) bytes: Vec<u8>,
}

/// The client of the providers.
#[derive(Clone)]
pub(super) struct Caller(reqwest::Client);

impl Caller {
    /// # Errors
    /// When TLS cannot be set up.
    pub(super) fn new() -> Result<Self> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_WITHIN)
            .timeout(ANSWER_WITHIN)
            .user_agent("liusheng/1")
            .build()
            .map_err(|error| Error::broken(error.without_url()))?;
        Ok(Self(client))
    }

    /// Asks; `longest` bytes of an answer are taken.
    pub(super) async fn ask(
        &self,
        method: Method,
        url: Url,
        headers: HeaderMap,
        (body, longest): (Option<String>, usize),
    ) -> std::result::Result<Answer, Missed> {
        let request = self.0.request(method, url).headers(headers);
        let request = match body {
            Some(body) => request.body(body),
            None => request,
        };
        let mut answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) if error.is_connect() || error.is_builder() => return Err(Missed::NotReached),
            Err(_) => return Err(Missed::Lost),
        };
        let kind = answer.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let (status, kind, mut bytes) = (answer.status().as_u16(), kind.to_owned(), Vec::new());
        loop {
            match answer.chunk().await {
                Ok(Some(chunk)) if bytes.len() + chunk.len() > longest => return Err(Missed::TooLarge),
                Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
                Ok(None) => return Ok(Answer { status, kind, bytes }),
                Err(_) => return Err(Missed::Lost),
            }
        }
    }
}

/// An address below a base, with a query.
pub(super) fn address(base: &str, path: &str, query: &[(&str, &str)]) -> std::result::Result<Url, Missed> {
    let mut url = Url::parse(&format!("{}{path}", base.trim_end_matches('/'))).map_err(|_| Missed::NotReached)?;
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    Ok(url)
}
