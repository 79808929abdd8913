//! Whether a result stands: one that could be challenged says until when, and a leaf after it says what became of it; pure.
use serde_json::Value;

use super::{Board, Checked, require, said};
use crate::board::lsb1;

/// Checks and says how it stands; nothing is said of a result that stood at once.
pub(super) fn settled(archive: &Value, board: &Board<'_>, lines: &mut Vec<String>) -> Checked<()> {
    let until = &archive["result"]["challenge_until"];
    require(until.is_null() || until.is_string(), "settled")?;
    let Some(entry) = board.of("settled").next() else {
        if let Some(until) = until.as_str() {
            said(lines, "provisional", &[("at", until)]);
        }
        return Ok(());
    };
    let (outcome, at) = (entry["s"].as_str().ok_or("settled")?, entry["t"].as_str().ok_or("settled")?);
    let digest = entry["sha256"].as_str().ok_or("settled")?;
    require(until.is_string() && lsb1::unhex_hash(digest).is_some(), "settled")?;
    require(*entry == lsb1::settled_entry(&board.poll, (outcome, digest), at), "settled")?;
    require(matches!(outcome, "final" | "overturned"), "settled")?;
    said(lines, outcome, &[("at", at)]);
    Ok(())
}
