//! How long the database is waited for.
//!
//! # Why
//! A network that swallows packets tells nobody. One read is given up by the store; several in a row would still be waited
//! for too long, and with them everything that is done after them, while heads are not compared and rights not looked at.
use std::time::Duration;

use crate::error::{Code, Result};

const READ_WITHIN: Duration = Duration::from_secs(10);

/// What is read by then, and `busy` otherwise. Only for what may be begun anew.
pub(super) async fn within<T>(read: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(READ_WITHIN, read).await.unwrap_or_else(|_| Err(Code::Busy.after_secs(1)))
}
