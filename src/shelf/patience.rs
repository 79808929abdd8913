//! How long a bucket is waited for, and what is tried again: what passes by itself, within the time that somebody waits.
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::ailing::Call;
use crate::error::Error;

/// Between the tries.
const PAUSES: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(1)];

/// Why a request to a bucket came to nothing. What it says goes to the log: it names no key, no signature and no file.
#[derive(Debug)]
pub(super) enum Trouble {
    /// A network, or a store that is busy: it may pass.
    Passing(String),
    /// It will be the same again: a wrong key, no such bucket.
    Lasting(String),
    /// The trouble is on this side.
    Ours(Error),
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Self {
        Self::Ours(error.into())
    }
}

impl From<reqwest::Error> for Trouble {
    fn from(error: reqwest::Error) -> Self {
        // the address holds the signature
        let error = error.without_url();
        let mut said = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(below) = cause {
            said = format!("{said}: {below}");
            cause = below.source();
        }
        Self::Passing(said)
    }
}

pub(super) type Tried<T> = std::result::Result<T, Trouble>;
/// One try; boxed, because of an async closure the compiler cannot say whether it may change threads.
pub(super) type Trying<'a, T> = BoxFuture<'a, Tried<T>>;

/// Does what may be done again until it is done, or has lasted too long.
///
/// # Errors
/// What came of the last try.
pub(super) async fn patiently<'a, T>(call: Call, work: impl Fn() -> Trying<'a, T>) -> Tried<T> {
    let within = call.within();
    let outcome = tokio::time::timeout(within, tried(call.as_str(), work)).await;
    outcome.unwrap_or_else(|_| Err(Trouble::Passing(format!("no answer within {} s", within.as_secs()))))
}

async fn tried<'a, T>(what: &'static str, work: impl Fn() -> Trying<'a, T>) -> Tried<T> {
    for pause in PAUSES {
        match work().await {
            Err(Trouble::Passing(said)) => tracing::warn!(what, said, "the bucket of photos and clips is tried again"),
            done => return done,
        }
        tokio::time::sleep(pause).await;
    }
    work().await
}
