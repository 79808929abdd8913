//! The one place that decides when it is quiet: when something of a class may be told to somebody, when waiting is counted,
//! when the digest comes, and when a loudspeaker may speak.
use chrono::{DateTime, TimeDelta, Timelike, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clock;

/// Minutes of a day.
const DAY: i32 = 24 * 60;
/// When the digest comes.
const DIGEST_AT: i32 = 18 * 60;

/// How urgent something is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Waits for the end of the quiet hours; is not told to who muted where it stands.
    #[default]
    Normal,
    /// Waits for the end of the quiet hours.
    Important,
    /// 防汛、台风: at once, to everybody.
    Emergency,
}

impl Class {
    /// The stable word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Important => "important",
            Self::Emergency => "emergency",
        }
    }

    /// The class of this word; what is not known is not urgent.
    #[must_use]
    pub fn parse(word: &str) -> Self {
        [Self::Important, Self::Emergency].into_iter().find(|one| one.as_str() == word).unwrap_or_default()
    }
}

/// From one minute of the day to another, in the county's time; over midnight when the end is the smaller; the same twice
/// is no quiet at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    from: i32,
    to: i32,
}

impl Hours {
    /// 21:30 to 07:00, for who said nothing.
    pub const DEFAULT: Self = Self { from: 21 * 60 + 30, to: 7 * 60 };
    /// 20:00 to 7:00: a whole village hears a loudspeaker, and its children sleep.
    pub const LOUDSPEAKER: Self = Self { from: 20 * 60, to: 7 * 60 };

    /// Between two minutes of the day; `None` when there are no such minutes.
    #[must_use]
    pub fn new(from: i32, to: i32) -> Option<Self> {
        ((0..DAY).contains(&from) && (0..DAY).contains(&to)).then_some(Self { from, to })
    }

    /// Both minutes.
    #[must_use]
    pub fn minutes(self) -> (i32, i32) {
        (self.from, self.to)
    }

    /// Between two times of the day written as 21:30.
    #[must_use]
    pub fn read(from: &str, to: &str) -> Option<Self> {
        let minute = |text: &str| match text.as_bytes() {
            [a, b, b':', c, d] if [a, b, c, d].iter().all(|digit| digit.is_ascii_digit()) => {
                let two = |tens: &u8, ones: &u8| i32::from(tens - b'0') * 10 + i32::from(ones - b'0');
                let (hour, minute) = (two(a, b), two(c, d));
                (hour < 24 && minute < 60).then_some(hour * 60 + minute)
            }
            _ => None,
        };
        Self::new(minute(from)?, minute(to)?)
    }

    /// Both times as they are written.
    #[must_use]
    pub fn written(self) -> (String, String) {
        let time = |minute: i32| format!("{:02}:{:02}", minute / 60, minute % 60);
        (time(self.from), time(self.to))
    }

    /// When the quiet that holds now ends; `None` when none holds.
    #[must_use]
    pub fn end_after(self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let here = clock::local(now);
        let minute = i32::try_from(here.hour() * 60 + here.minute()).ok()?;
        let is_over_midnight = self.to < self.from;
        let is_quiet = if is_over_midnight {
            minute >= self.from || minute < self.to
        } else {
            (self.from..self.to).contains(&minute)
        };
        let ends_tomorrow = is_over_midnight && minute >= self.from;
        let day = here.date_naive() + TimeDelta::days(i64::from(ends_tomorrow));
        is_quiet.then(|| clock::start_of_day(day) + TimeDelta::minutes(i64::from(self.to)))
    }

    /// The first moment from then on that is not quiet.
    #[must_use]
    pub fn end(self, at: DateTime<Utc>) -> DateTime<Utc> {
        self.end_after(at).unwrap_or(at)
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

/// The next time that it is this minute of the day; a whole day later when it is now.
fn next(at: DateTime<Utc>, minute: i32) -> DateTime<Utc> {
    let today = clock::start_of_day(clock::local_date(at)) + TimeDelta::minutes(i64::from(minute));
    if today > at { today } else { today + TimeDelta::minutes(i64::from(DAY)) }
}

/// What somebody wishes about being told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wishes {
    /// When to be left alone.
    pub hours: Hours,
    /// Wants to hear nothing of the place where it stands.
    pub is_muted: bool,
}

/// From when something of this class may be told to who wishes this; `None`: not at all.
#[must_use]
pub fn may_tell(class: Class, wishes: Wishes, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let after_quiet = || wishes.hours.end(now);
    match class {
        Class::Emergency => Some(now),
        Class::Important => Some(after_quiet()),
        Class::Normal if wishes.is_muted => None,
        Class::Normal => Some(after_quiet()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(&format!("{text}:00+08:00")).unwrap().to_utc()
    }

    fn told(class: Class, hours: Hours, is_muted: bool, now: &str) -> Option<DateTime<Utc>> {
        may_tell(class, Wishes { hours, is_muted }, at(now))
    }

    #[test]
    fn quiet_over_midnight_ends_the_next_morning_and_after_midnight_the_same() {
        let normal = |now| told(Class::Normal, Hours::DEFAULT, false, now);
        assert_eq!(normal("2026-11-02T21:29"), Some(at("2026-11-02T21:29")));
        assert_eq!(normal("2026-11-02T21:30"), Some(at("2026-11-03T07:00")));
        assert_eq!(normal("2026-11-02T23:59"), Some(at("2026-11-03T07:00")));
        assert_eq!(normal("2026-11-03T00:00"), Some(at("2026-11-03T07:00")));
        assert_eq!(normal("2026-11-03T06:59"), Some(at("2026-11-03T07:00")));
        assert_eq!(normal("2026-11-03T07:00"), Some(at("2026-11-03T07:00")));
        assert_eq!(normal("2026-12-31T22:00"), Some(at("2027-01-01T07:00")), "over the year");
        // 23:30 in Greenwich is 07:30 here
        let greenwich = DateTime::parse_from_rfc3339("2026-11-02T23:30:00Z").unwrap().to_utc();
        assert_eq!(Hours::DEFAULT.end_after(greenwich), None, "the day is the day in Shanghai");
    }

    #[test]
    fn quiet_at_noon_ends_the_same_day_and_none_is_none() {
        let noon = Hours::read("12:00", "14:00").unwrap();
        let normal = |hours, now| told(Class::Normal, hours, false, now);
        assert_eq!(normal(noon, "2026-11-02T11:59"), Some(at("2026-11-02T11:59")));
        assert_eq!(normal(noon, "2026-11-02T12:00"), Some(at("2026-11-02T14:00")));
        assert_eq!(normal(noon, "2026-11-02T14:00"), Some(at("2026-11-02T14:00")));
        let none = Hours::read("00:00", "00:00").unwrap();
        for now in ["2026-11-02T00:00", "2026-11-02T12:00", "2026-11-02T23:59"] {
            assert_eq!(normal(none, now), Some(at(now)));
        }
        let all_but_one = Hours::read("00:01", "00:00").unwrap();
        assert_eq!(normal(all_but_one, "2026-11-02T00:01"), Some(at("2026-11-03T00:00")));
        assert_eq!(normal(all_but_one, "2026-11-02T00:00"), Some(at("2026-11-02T00:00")));
    }

    #[test]
    fn important_ignores_mute_and_an_emergency_ignores_both() {
        let night = "2026-11-02T23:00";
        assert_eq!(told(Class::Normal, Hours::DEFAULT, true, "2026-11-02T10:00"), None);
        assert_eq!(told(Class::Normal, Hours::DEFAULT, true, night), None);
        assert_eq!(told(Class::Important, Hours::DEFAULT, true, night), Some(at("2026-11-03T07:00")));
        assert_eq!(told(Class::Important, Hours::DEFAULT, true, "2026-11-02T10:00"), Some(at("2026-11-02T10:00")));
        assert_eq!(told(Class::Emergency, Hours::DEFAULT, true, night), Some(at(night)));
        assert_eq!(told(Class::Emergency, Hours::DEFAULT, false, night), Some(at(night)));
    }

    #[test]
    fn waiting_counts_waking_hours_only() {
        let waits = |from, hours| Hours::DEFAULT.after_awake(at(from), TimeDelta::hours(hours));
        assert_eq!(waits("2026-11-02T19:30", 2), at("2026-11-02T21:30"));
        assert_eq!(waits("2026-11-02T19:30", 3), at("2026-11-03T08:00"));
        assert_eq!(waits("2026-11-02T23:00", 0), at("2026-11-03T07:00"));
        assert_eq!(waits("2026-11-02T07:00", 29), at("2026-11-03T21:30"));
        let never = Hours::read("00:00", "00:00").unwrap();
        let from = at("2026-11-02T23:00");
        assert_eq!(never.end_after(from), None);
        assert_eq!(never.after_awake(from, TimeDelta::hours(30)), from + TimeDelta::hours(30));
    }

    #[test]
    fn the_digest_comes_in_the_evening_and_a_loudspeaker_is_silent_by_then() {
        assert_eq!(next_digest(at("2026-11-02T09:00")), at("2026-11-02T18:00"));
        assert_eq!(next_digest(at("2026-11-02T18:00")), at("2026-11-03T18:00"));
        assert_eq!(Hours::LOUDSPEAKER.end(at("2026-11-02T19:59")), at("2026-11-02T19:59"));
        assert_eq!(Hours::LOUDSPEAKER.end(at("2026-11-02T20:00")), at("2026-11-03T07:00"));
    }

    #[test]
    fn a_time_is_read_as_it_is_written_or_refused() {
        assert_eq!(Hours::read("21:30", "07:00"), Some(Hours::DEFAULT));
        assert_eq!(Hours::DEFAULT.written(), ("21:30".to_owned(), "07:00".to_owned()));
        for bad in ["", "7:00", "24:00", "12:60", "12:00:00", "-1:00", "１２:００", " 12:0", "12.00"] {
            assert_eq!(Hours::read(bad, "07:00"), None, "{bad}");
            assert_eq!(Hours::read("07:00", bad), None, "{bad}");
        }
        assert!(Hours::new(-1, 0).is_none() && Hours::new(0, DAY).is_none());
        assert_eq!(Class::parse("important"), Class::Important);
        assert_eq!(Class::parse("what"), Class::Normal);
    }
}
