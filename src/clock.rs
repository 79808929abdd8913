//! Where time comes from: the system, or a hand-moved clock in tests; and the county's one time zone.
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use chrono::{DateTime, Duration, FixedOffset, NaiveDate, NaiveTime, TimeZone, Utc};

/// Every deadline is computed in Asia/Shanghai, which has had no daylight saving since 1991.
pub const SHANGHAI_SECONDS: i32 = 8 * 3600;

/// The only source of the present. Cloning shares the hand of a moved clock.
#[derive(Clone, Debug, Default)]
pub struct Clock(Option<Arc<AtomicI64>>);

impl Clock {
    /// The machine's own time.
    #[must_use]
    pub fn system() -> Self {
        Self(None)
    }

    /// A clock that stands still until [`Clock::advance`] moves it.
    #[must_use]
    pub fn standing_at(at: DateTime<Utc>) -> Self {
        Self(Some(Arc::new(AtomicI64::new(at.timestamp_millis()))))
    }

    /// The present, cut to whole milliseconds so that both databases give back what was stored.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        let millis = match &self.0 {
            Some(hand) => hand.load(Ordering::SeqCst),
            #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine")]
            None => Utc::now().timestamp_millis(),
        };
        DateTime::from_timestamp_millis(millis).unwrap_or_default()
    }

    /// Moves a standing clock, back when the time is negative; the system's clock is left alone.
    pub fn advance(&self, by: Duration) {
        if let Some(hand) = &self.0 {
            hand.fetch_add(by.num_milliseconds(), Ordering::SeqCst);
        }
    }
}

/// Asia/Shanghai.
#[must_use]
pub fn shanghai() -> FixedOffset {
    #[expect(clippy::expect_used, reason = "eight hours are within a day")]
    FixedOffset::east_opt(SHANGHAI_SECONDS).expect("eight hours")
}

/// The instant as people in the county read it; also what the API sends.
#[must_use]
pub fn local(at: DateTime<Utc>) -> DateTime<FixedOffset> {
    at.with_timezone(&shanghai())
}

/// The calendar day in the county. Within eight hours of the end of time, which a request may name, that of Greenwich.
#[must_use]
pub fn local_date(at: DateTime<Utc>) -> NaiveDate {
    let greenwich = at.naive_utc();
    greenwich.checked_add_offset(shanghai()).unwrap_or(greenwich).date()
}

/// The day that ends at this moment: 24:00 of the last day is 00:00 of the next, which nobody reads as "until".
#[must_use]
pub fn last_day(end: DateTime<Utc>) -> NaiveDate {
    local_date(end.checked_sub_signed(Duration::milliseconds(1)).unwrap_or(end))
}

/// 24:00 of that day in the county: the end of every "until day X" (civil code, article 203).
#[must_use]
pub fn end_of_day(day: NaiveDate) -> DateTime<Utc> {
    start_of_day(day.succ_opt().unwrap_or(day))
}

/// 00:00 of that day in the county.
#[must_use]
pub fn start_of_day(day: NaiveDate) -> DateTime<Utc> {
    let naive = day.and_time(NaiveTime::MIN);
    shanghai().from_local_datetime(&naive).single().map_or_else(|| naive.and_utc(), |at| at.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_at_midnight_in_shanghai_not_in_greenwich() {
        let day = NaiveDate::from_ymd_opt(2026, 12, 31).unwrap();
        assert_eq!(end_of_day(day).to_rfc3339(), "2026-12-31T16:00:00+00:00");
        assert_eq!(last_day(end_of_day(day)), day, "people are told the last day on which there is time");
    }

    #[test]
    fn the_end_of_time_is_a_day_like_any_other() {
        assert_eq!(local_date(DateTime::<Utc>::MAX_UTC), NaiveDate::MAX);
        assert_eq!(local_date(DateTime::<Utc>::MIN_UTC), NaiveDate::MIN);
        assert_eq!(last_day(DateTime::<Utc>::MIN_UTC), NaiveDate::MIN);
        assert_eq!(end_of_day(NaiveDate::MAX), start_of_day(NaiveDate::MAX));
    }

    #[test]
    fn a_standing_clock_moves_only_by_hand() {
        let clock = Clock::standing_at(DateTime::UNIX_EPOCH);
        clock.advance(Duration::days(1));
        assert_eq!(clock.now(), DateTime::UNIX_EPOCH + Duration::days(1));
    }
}
