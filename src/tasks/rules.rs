//! Until when a task is to be done.
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

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
