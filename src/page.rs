//! Lists are paged by an opaque cursor: the place after the last row shown.
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::error::{Code, Result};

/// The end of the year 9999.
const LAST_MILLIS: i64 = 253_402_300_799_999;

/// What a list call takes: where to go on, and how many rows.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// The `next_cursor` of the page before; absent for the first.
    pub cursor: Option<String>,
    /// Rows wanted, 1 to 100; 20 when absent.
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<u64>,
}

/// A place in a list that is ordered by time, then id, newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Time of the last row shown.
    pub at: DateTime<Utc>,
    /// Its id, which decides among equal times.
    pub id: Uuid,
}

/// One page of a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Hand this back to go on; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

impl PageQuery {
    /// Rows wanted; out of range is refused rather than bent.
    ///
    /// # Errors
    /// `invalid_cursor` when the limit is not 1 to 100.
    pub fn limit(&self) -> Result<u64> {
        match self.limit {
            None => Ok(20),
            Some(n @ 1..=100) => Ok(n),
            Some(_) => Err(Code::InvalidCursor.into()),
        }
    }

    /// The place to go on from, `None` for the first page.
    ///
    /// # Errors
    /// `invalid_cursor` when it is not one we gave out.
    pub fn after(&self) -> Result<Option<Cursor>> {
        self.cursor.as_deref().map(Cursor::parse).transpose()
    }
}

impl Cursor {
    fn parse(text: &str) -> Result<Self> {
        let bytes: [u8; 24] =
            URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| bytes.try_into().ok()).ok_or(Code::InvalidCursor)?;
        let (at, id) = bytes.split_at(8);
        let millis = i64::from_be_bytes(at.try_into().map_err(|_| Code::InvalidCursor)?);
        // a place no list has; beyond it databases differ in what they can compare at all
        if !(0..=LAST_MILLIS).contains(&millis) {
            return Err(Code::InvalidCursor.into());
        }
        Ok(Self {
            at: DateTime::from_timestamp_millis(millis).ok_or(Code::InvalidCursor)?,
            id: Uuid::from_slice(id).map_err(|_| Code::InvalidCursor)?,
        })
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bytes = [self.at.timestamp_millis().to_be_bytes().as_slice(), self.id.as_bytes()].concat();
        f.write_str(&URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl<T> Page<T> {
    /// Cuts `limit + 1` fetched rows to a page; `place` names a row's place in the list.
    pub fn cut<R>(mut rows: Vec<R>, limit: u64, place: impl Fn(&R) -> Cursor, view: impl Fn(R) -> T) -> Self {
        let more = rows.len() as u64 > limit;
        rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let next_cursor = more.then(|| rows.last().map(|row| place(row).to_string())).flatten();
        Self { items: rows.into_iter().map(view).collect(), next_cursor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::{Food, feed};

    #[test]
    fn bent_cursors_are_refused_or_are_places() {
        let good = Cursor { at: DateTime::from_timestamp_millis(1_764_000_000_123).unwrap(), id: Uuid::now_v7() };
        let first = Cursor { at: DateTime::from_timestamp_millis(0).unwrap(), id: Uuid::nil() };
        let seeds = [good.to_string(), first.to_string(), String::new(), "A".repeat(32), "_".repeat(32)]
            .map(String::into_bytes);
        let food = Food { name: "cursor", seeds: seeds.to_vec(), words: &["-", "_", "=", "AAAA"], longest: 200 };
        feed(&food, |bytes| {
            let text = String::from_utf8_lossy(bytes);
            if let Ok(cursor) = Cursor::parse(&text) {
                assert_eq!(cursor.to_string(), text, "one place is written in one way");
            }
        });
    }

    #[test]
    fn a_cursor_survives_the_trip_and_rubbish_is_refused() {
        let cursor = Cursor { at: DateTime::from_timestamp_millis(1_764_000_000_123).unwrap(), id: Uuid::now_v7() };
        assert_eq!(Cursor::parse(&cursor.to_string()).unwrap(), cursor);
        for bad in ["", "a", "!!!!", "AAAAAAAAAAAAAAAA", &"A".repeat(4000)] {
            assert!(Cursor::parse(bad).is_err(), "{bad}");
        }
    }
}
