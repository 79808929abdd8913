//! How long a roll hangs before a vote, until when it may be objected to, by when an objection is answered; pure.
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clock;

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

/// By when an objection that came at this moment is answered.
#[must_use]
pub fn answer_until(rule: Option<RollRule>, raised_at: DateTime<Utc>) -> DateTime<Utc> {
    days_after(raised_at, rule.map_or(ANSWER_DAYS, |rule| rule.answer_days))
}

/// An answer that nobody gave in its days may still come, from those who stand in for the office, until then.
#[must_use]
pub fn lapses_at(due_at: DateTime<Utc>) -> DateTime<Utc> {
    due_at + TimeDelta::days(i64::from(ANSWER_DAYS))
}

/// Those whose answer was due by then have lapsed.
#[must_use]
pub fn lapsed_when_due(now: DateTime<Utc>) -> DateTime<Utc> {
    now - TimeDelta::days(i64::from(ANSWER_DAYS))
}

/// Until when residents may object: the days that the law names, or the opening; where the roll was not posted before, the end.
#[must_use]
pub fn objections_until(
    rule: Option<RollRule>,
    posted_at: Option<DateTime<Utc>>,
    (opens_at, closes_at): (DateTime<Utc>, DateTime<Utc>),
) -> DateTime<Utc> {
    match (posted_at, rule) {
        (Some(posted), Some(rule)) => days_after(posted, rule.objection_days).min(opens_at),
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
        let posted = at("2026-11-02T09:00:00+08:00");
        assert_eq!(days_after(posted, 5), at("2026-11-08T00:00:00+08:00"));
        assert_eq!(answer_until(None, posted), at("2026-11-06T00:00:00+08:00"));
        let due = at("2026-11-06T00:00:00+08:00");
        assert_eq!(lapses_at(due), at("2026-11-09T00:00:00+08:00"));
        assert_eq!(lapsed_when_due(lapses_at(due)), due);
        let rule = RollRule { posted_days: 20, objection_days: 5, answer_days: 1 };
        assert_eq!(answer_until(Some(rule), posted), at("2026-11-04T00:00:00+08:00"));
        let (opens, closes) = (at("2026-11-23T00:00:00+08:00"), at("2026-11-24T00:00:00+08:00"));
        let until = |rule, posted| objections_until(rule, posted, (opens, closes));
        assert_eq!(until(Some(rule), Some(posted)), at("2026-11-08T00:00:00+08:00"));
        assert_eq!(until(None, Some(posted)), opens);
        assert_eq!(until(Some(rule), None), closes);
        assert_eq!(until(Some(rule), Some(at("2026-11-22T09:00:00+08:00"))), opens, "never after the opening");
    }
}
