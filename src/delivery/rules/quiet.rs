//! Quiet hours: when nobody is disturbed, and how waiting is counted around them. Pure.
use chrono::{DateTime, TimeDelta, Timelike, Utc};

use crate::clock;

/// Hours of the day in the county, by minutes after midnight; over midnight when `from` is the later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quiet {
    from: i64,
    to: i64,
}

/// The hour of the digest.
const DIGEST_AT: i64 = 18 * 60;
const DAY: i64 = 24 * 60;

impl Quiet {
    /// 21:30 to 7:00, when nobody chose otherwise.
    pub const NIGHT: Self = Self { from: 21 * 60 + 30, to: 7 * 60 };

    fn holds(self, minute: i64) -> bool {
        if self.from <= self.to {
            (self.from..self.to).contains(&minute)
        } else {
            minute >= self.from || minute < self.to
        }
    }

    /// Is it quiet then?
    #[must_use]
    pub fn is_quiet(self, at: DateTime<Utc>) -> bool {
        self.holds(minute_of(at))
    }

    /// The first moment from then on that is not quiet.
    #[must_use]
    pub fn end(self, at: DateTime<Utc>) -> DateTime<Utc> {
        if self.is_quiet(at) { next(at, self.to) } else { at }
    }

    /// When so much time has passed in which people are awake.
    #[must_use]
    pub fn after_awake(self, from: DateTime<Utc>, time: TimeDelta) -> DateTime<Utc> {
        let (mut at, mut left) = (self.end(from), time);
        // each turn ends a waking day
        for _ in 0..64 {
            if self.from == self.to {
                break;
            }
            let night = next(at, self.from);
            if at + left <= night {
                break;
            }
            left -= night - at;
            at = self.end(night);
        }
        at + left
    }
}

/// The next digest from then on.
#[must_use]
pub fn next_digest(at: DateTime<Utc>) -> DateTime<Utc> {
    next(at, DIGEST_AT)
}

fn minute_of(at: DateTime<Utc>) -> i64 {
    i64::from(clock::local(at).num_seconds_from_midnight()) / 60
}

/// The next time that it is this minute of the day; a whole day later when it is now.
fn next(at: DateTime<Utc>, minute: i64) -> DateTime<Utc> {
    let today = clock::start_of_day(clock::local_date(at)) + TimeDelta::minutes(minute.rem_euclid(DAY));
    if today > at { today } else { today + TimeDelta::minutes(DAY) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&Utc)
    }

    #[test]
    fn the_night_runs_over_midnight_and_ends_to_the_minute() {
        for (time, quiet) in [("21:29:59", false), ("21:30:00", true), ("03:00:00", true), ("06:59:59", true)] {
            assert_eq!(Quiet::NIGHT.is_quiet(at(&format!("2026-11-02T{time}+08:00"))), quiet, "{time}");
        }
        assert!(!Quiet::NIGHT.is_quiet(at("2026-11-02T07:00:00+08:00")));
        assert_eq!(Quiet::NIGHT.end(at("2026-11-02T23:10:00+08:00")), at("2026-11-03T07:00:00+08:00"));
        assert_eq!(Quiet::NIGHT.end(at("2026-11-03T01:10:00+08:00")), at("2026-11-03T07:00:00+08:00"));
        let noon = at("2026-11-03T12:00:00+08:00");
        assert_eq!(Quiet::NIGHT.end(noon), noon);
    }

    #[test]
    fn waiting_counts_waking_hours_only() {
        let waits = |from, hours| Quiet::NIGHT.after_awake(at(from), TimeDelta::hours(hours));
        assert_eq!(waits("2026-11-02T19:30:00+08:00", 2), at("2026-11-02T21:30:00+08:00"));
        assert_eq!(waits("2026-11-02T19:30:00+08:00", 3), at("2026-11-03T08:00:00+08:00"));
        assert_eq!(waits("2026-11-02T23:00:00+08:00", 0), at("2026-11-03T07:00:00+08:00"));
        assert_eq!(waits("2026-11-02T07:00:00+08:00", 29), at("2026-11-03T21:30:00+08:00"));
    }

    #[test]
    fn who_is_never_quiet_waits_by_the_clock() {
        let never = Quiet { from: 0, to: 0 };
        let from = at("2026-11-02T23:00:00+08:00");
        assert!(!never.is_quiet(from));
        assert_eq!(never.after_awake(from, TimeDelta::hours(30)), from + TimeDelta::hours(30));
    }

    #[test]
    fn the_digest_comes_in_the_evening() {
        assert_eq!(next_digest(at("2026-11-02T09:00:00+08:00")), at("2026-11-02T18:00:00+08:00"));
        assert_eq!(next_digest(at("2026-11-02T18:00:00+08:00")), at("2026-11-03T18:00:00+08:00"));
    }
}
