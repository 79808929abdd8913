//! How long a roll hangs before a vote, until when it may be objected to, by when an objection is answered; pure.
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{calendar::Calendar, clock};

/// A roll hangs this many days before a vote at most.
pub const MAX_POSTED_DAYS: u32 = 30;
/// Where the law names no number, an objection is answered within so many days, as at an election.
const ANSWER_DAYS: u32 = 3;

/// What the law says of the roll.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RollRule {
    /// It hangs so many days before the first ballot at least.
    pub posted_days: u32,
    /// It may be objected to for so many days.
    pub objection_days: u32,
    /// An objection is answered within so many days.
    pub answer_days: u32,
}

/// What is wrong with a roll.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RollFault {
    /// 漏了人: somebody who has a vote is missing.
    Missing,
    /// 不该在: somebody is on it who has no vote.
    Wrong,
}

impl RollFault {
    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Wrong => "wrong",
        }
    }

    /// The fault of this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Missing, Self::Wrong].into_iter().find(|one| one.as_str() == text)
    }
}

/// So many whole days after this moment; the first day is not counted (civil code, 201).
#[must_use]
pub fn days_after(at: DateTime<Utc>, days: u32) -> DateTime<Utc> {
    clock::start_of_day(clock::local_date(at) + TimeDelta::days(i64::from(days) + 1))
}

/// The same, where an office or a villager has to do something by then: a last day that is free moves on to the next that is
/// worked (civil code, 203).
pub(super) fn working_days_after(calendar: &Calendar, at: DateTime<Utc>, days: u32) -> DateTime<Utc> {
    calendar.add_working_days(clock::start_of_day(clock::local_date(at) + TimeDelta::days(i64::from(days))), 0)
}

/// By when an objection that came at this moment is answered.
#[must_use]
pub fn answer_until(calendar: &Calendar, rule: Option<RollRule>, raised_at: DateTime<Utc>) -> DateTime<Utc> {
    working_days_after(calendar, raised_at, rule.map_or(ANSWER_DAYS, |rule| rule.answer_days))
}

/// An answer that nobody gave in its days may still come, from those who stand in for the office, until then.
#[must_use]
pub fn lapses_at(calendar: &Calendar, due_at: DateTime<Utc>) -> DateTime<Utc> {
    // it was due at 24:00 of its last day
    working_days_after(calendar, due_at - TimeDelta::milliseconds(1), ANSWER_DAYS)
}

/// Those whose answer was due by then have lapsed.
#[must_use]
pub fn lapsed_when_due(calendar: &Calendar, now: DateTime<Utc>) -> DateTime<Utc> {
    let mut due_at = clock::start_of_day(clock::local_date(now));
    while lapses_at(calendar, due_at) > now {
        due_at -= TimeDelta::days(1);
    }
    due_at
}

/// Until when residents may object: the days that the law names, or the opening; where the roll was not posted before, the end.
#[must_use]
pub fn objections_until(
    calendar: &Calendar,
    rule: Option<RollRule>,
    posted_at: Option<DateTime<Utc>>,
    (opens_at, closes_at): (DateTime<Utc>, DateTime<Utc>),
) -> DateTime<Utc> {
    match (posted_at, rule) {
        (Some(posted), Some(rule)) => working_days_after(calendar, posted, rule.objection_days).min(opens_at),
        (Some(_), None) => opens_at,
        (None, _) => closes_at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).unwrap().to_utc()
    }

    #[test]
    fn the_first_day_is_not_counted_and_the_last_ends_at_midnight() {
        let calendar = Calendar::load(None).unwrap();
        let posted = at("2026-11-02T09:00:00+08:00");
        assert_eq!(days_after(posted, 5), at("2026-11-08T00:00:00+08:00"));
        assert_eq!(answer_until(&calendar, None, posted), at("2026-11-06T00:00:00+08:00"));
        let rule = RollRule { posted_days: 20, objection_days: 5, answer_days: 1 };
        assert_eq!(answer_until(&calendar, Some(rule), posted), at("2026-11-04T00:00:00+08:00"));
        let (opens, closes) = (at("2026-11-23T00:00:00+08:00"), at("2026-11-24T00:00:00+08:00"));
        let until = |rule, posted| objections_until(&calendar, rule, posted, (opens, closes));
        // the 7th is a Saturday
        assert_eq!(until(Some(rule), Some(posted)), at("2026-11-10T00:00:00+08:00"));
        assert_eq!(until(None, Some(posted)), opens);
        assert_eq!(until(Some(rule), None), closes);
        assert_eq!(until(Some(rule), Some(at("2026-11-22T09:00:00+08:00"))), opens, "never after the opening");
    }

    #[test]
    fn nobody_has_to_answer_on_a_day_that_is_free() {
        let calendar = Calendar::load(None).unwrap();
        let day = |text: &str| at(&format!("{text}T00:00:00+08:00"));
        // raised on the last day before the spring festival: the 24th of February is the first that is worked
        let due = answer_until(&calendar, None, at("2026-02-14T15:00:00+08:00"));
        assert_eq!(due, day("2026-02-25"));
        assert_eq!(lapses_at(&calendar, due), day("2026-02-28"));
        // due on a Thursday: the third day after it is a Sunday
        assert_eq!(lapses_at(&calendar, day("2026-11-06")), day("2026-11-10"));
    }

    #[test]
    fn what_has_lapsed_is_what_was_due_so_long_ago() {
        let calendar = Calendar::load(None).unwrap();
        let mut now = at("2026-02-01T10:00:00+08:00");
        while now < at("2026-03-15T10:00:00+08:00") {
            let last = lapsed_when_due(&calendar, now);
            assert!(lapses_at(&calendar, last) <= now, "{now}");
            assert!(lapses_at(&calendar, last + TimeDelta::days(1)) > now, "{now}");
            now += TimeDelta::hours(7);
        }
    }
}
