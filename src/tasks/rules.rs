//! Until when a task is to be done, and what may be written down as its money.
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{calendar::Calendar, clock};

/// Working days a task may take at most.
const MAX_WORKING_DAYS: u32 = 250;
/// Days ahead a date may lie at most.
const MAX_DAYS: i64 = 366;

/// The end of the n-th working day, or of the day named; `None` when neither or both are given, or out of reach.
#[must_use]
pub fn due_at(
    calendar: &Calendar,
    now: DateTime<Utc>,
    working_days: Option<u32>,
    due_on: Option<NaiveDate>,
) -> Option<DateTime<Utc>> {
    match (working_days, due_on) {
        (Some(days @ 1..=MAX_WORKING_DAYS), None) => Some(calendar.add_working_days(now, days)),
        (None, Some(day)) => {
            let today = clock::local_date(now);
            (today..=today + TimeDelta::days(MAX_DAYS)).contains(&day).then(|| clock::end_of_day(day))
        }
        _ => None,
    }
}

/// The end of the day to which a task is put off; `None` when that is not later than it was due, or out of reach.
#[must_use]
pub fn put_off(
    calendar: &Calendar,
    now: DateTime<Utc>,
    (due, to): (DateTime<Utc>, NaiveDate),
) -> Option<DateTime<Utc>> {
    due_at(calendar, now, None, Some(to)).filter(|later| *later > due && *later > now)
}

/// Fen of one line at most: a billion yuan, so that no sum of them overflows.
const MAX_FEN: i64 = 100_000_000_000;

/// What a line of money is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MoneyKind {
    /// Set aside before.
    Budget,
    /// Spent.
    Spent,
}

impl MoneyKind {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Budget, Self::Spent];

    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Budget => "budget",
            Self::Spent => "spent",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// Is this an amount of a line?
#[must_use]
pub fn is_amount(fen: i64) -> bool {
    (1..=MAX_FEN).contains(&fen)
}

/// Yuan as people write them, in fen: `1,200`, `1200.5`, `0.05`; nothing finer than a fen.
#[must_use]
pub fn fen_of(typed: &str) -> Option<i64> {
    let plain: String = typed.trim().chars().filter(|c| *c != ',' && *c != '\u{ff0c}').collect();
    let (yuan, rest) = plain.split_once('.').unwrap_or((&plain, ""));
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if yuan.is_empty() || rest.len() > 2 || !are_digits(yuan) || !are_digits(rest) {
        return None;
    }
    let whole: i64 = yuan.parse().ok()?;
    let part: i64 = if rest.is_empty() { 0 } else { format!("{rest:0<2}").parse().ok()? };
    whole.checked_mul(100)?.checked_add(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&Utc)
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn working_days_pass_over_national_day_and_a_date_is_taken_as_it_is() {
        let calendar = Calendar::load(None).unwrap();
        let now = at("2026-09-30T10:00:00+08:00");
        assert_eq!(due_at(&calendar, now, Some(2), None), Some(at("2026-10-10T00:00:00+08:00")));
        assert_eq!(due_at(&calendar, now, None, Some(day("2026-10-01"))), Some(at("2026-10-02T00:00:00+08:00")));
        assert_eq!(due_at(&calendar, now, None, Some(day("2026-09-30"))), Some(at("2026-10-01T00:00:00+08:00")));
    }

    #[test]
    fn a_task_is_put_off_to_a_later_day_alone() {
        let calendar = Calendar::load(None).unwrap();
        let due = at("2026-10-10T00:00:00+08:00");
        let to = |now: &str, day_to: &str| put_off(&calendar, at(now), (due, day(day_to)));
        assert_eq!(to("2026-09-30T10:00:00+08:00", "2026-10-10"), Some(at("2026-10-11T00:00:00+08:00")));
        assert_eq!(to("2026-09-30T10:00:00+08:00", "2026-10-09"), None, "the day on which it was due");
        assert_eq!(to("2026-11-30T10:00:00+08:00", "2026-11-29"), None, "a day that is over");
        assert_eq!(to("2026-09-30T10:00:00+08:00", "2028-01-01"), None);
    }

    #[test]
    fn yuan_are_read_to_the_fen_or_not_at_all() {
        for (typed, fen) in [("1200", 120_000), ("1,200.5", 120_050), (" 0.05 ", 5), ("3.", 300), ("007.10", 710)] {
            assert_eq!(fen_of(typed), Some(fen), "{typed}");
        }
        for typed in ["", ".", ".5", "-3", "1.234", "1e3", "三元", "1.-1", "99999999999999999999", "+1", "1 2"] {
            assert_eq!(fen_of(typed), None, "{typed}");
        }
        assert!(is_amount(1) && is_amount(MAX_FEN) && !is_amount(0) && !is_amount(-1) && !is_amount(MAX_FEN + 1));
        assert!(MoneyKind::ALL.iter().all(|kind| MoneyKind::parse(kind.as_str()) == Some(*kind)));
    }

    #[test]
    fn neither_both_or_out_of_reach_is_no_deadline() {
        let calendar = Calendar::load(None).unwrap();
        let now = at("2026-09-30T10:00:00+08:00");
        for (days, on) in [
            (None, None),
            (Some(3), Some("2026-10-09")),
            (Some(0), None),
            (Some(251), None),
            (None, Some("2026-09-29")),
            (None, Some("2028-01-01")),
        ] {
            assert_eq!(due_at(&calendar, now, days, on.map(day)), None, "{days:?} {on:?}");
        }
    }
}
