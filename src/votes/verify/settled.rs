//! Whether a result stands: one that may be challenged says until when, as many days as its vote said beforehand, and a leaf
//! after it says what became of it, not before they were over; pure.
use chrono::{DateTime, Datelike, Utc};
use serde_json::Value;

use super::{Board, Checked, require, said};
use crate::{board::lsb1, votes::rules::roll::days_after};

/// More days than any vote says.
const MOST_DAYS: u64 = 1000;

/// Checks and says how it stands; nothing is said of a result that stood at once.
pub(super) fn settled(archive: &Value, board: &Board<'_>, lines: &mut Vec<String>) -> Checked<()> {
    let result = &archive["result"];
    let until = &result["challenge_until"];
    require(until.is_null() || until.is_string(), "settled")?;
    let is_told = !board.manifest["challenge_days"].is_null();
    if is_told {
        days(board, result)?;
    }
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
    if is_told {
        // a challenge that is right overturns it at once; it stands when its days are over
        let earliest = if outcome == "final" { until } else { &result["t"] };
        require(moment(&entry["t"])? >= moment(earliest)?, "settled")?;
    }
    said(lines, outcome, &[("at", at)]);
    Ok(())
}

/// The days are those that the vote said before anybody cast, from the moment of the result, the first one not counted.
fn days(board: &Board<'_>, result: &Value) -> Checked<()> {
    let days = board.manifest["challenge_days"].as_u64().filter(|days| *days <= MOST_DAYS).ok_or("settled")?;
    let made = moment(&result["t"])?;
    let wanted = match u32::try_from(days).map_err(|_| "settled")? {
        0 => Value::Null,
        days => lsb1::moment(days_after(made, days)).into(),
    };
    require(result["challenge_until"] == wanted, "settled")?;
    // after the year 9999 there are several ways to write it
    if wanted.is_null() { Ok(()) } else { moment(&wanted).map(drop) }
}

/// A moment as it is written, and no other way.
fn moment(told: &Value) -> Checked<DateTime<Utc>> {
    let text = told.as_str().ok_or("settled")?;
    let told = DateTime::parse_from_rfc3339(text).map_err(|_| "settled")?;
    // whole seconds and no 60th, which the other two do not know; no year that not everybody writes alike
    let at = DateTime::from_timestamp(told.timestamp(), 0).ok_or("settled")?;
    require(lsb1::moment(at) == text && at.year() >= 2000, "settled")?;
    Ok(at)
}
