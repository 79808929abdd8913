//! What a list may hold.
use chrono::{DateTime, Utc};

use super::rows::chain;
use crate::error::{Code, Result};

/// Rows where the list does not say less.
pub(super) const MAX_ROWS: i32 = 500;
pub(super) const MAX_TITLE: usize = 60;
pub(super) const MAX_TEXT: usize = 60;
/// Fields of the initiator's own, and characters of a name.
pub(super) const MAX_FIELDS: usize = 6;
pub(super) const MAX_NAME: usize = 20;
/// What one person may sign up for.
pub(super) const MAX_QUANTITY: i32 = 999;

/// Does the list take rows at this time?
///
/// # Errors
/// `period_over`.
pub(super) fn require_open(chain: &chain::Model, now: DateTime<Utc>) -> Result<()> {
    if chain.closed_at.is_some() || chain.closes_at.is_some_and(|at| at <= now) {
        return Err(Code::PeriodOver.into());
    }
    Ok(())
}
