//! How long a notice hangs, when one may object, and when it is concluded.
use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    calendar::Calendar,
    clock,
    error::{Code, Result},
};

/// Days of a notice when nothing else is said.
pub const DEFAULT_DAYS: u32 = 7;
/// Days of a notice about a matter at least.
pub const MATTER_DAYS: u32 = 5;
/// Days of any notice at most.
pub const MAX_DAYS: u32 = 90;
/// Objections of one person to one notice at most.
pub const MAX_OBJECTIONS: u64 = 3;

/// How long a notice hangs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// 00:00 of the first day counted.
    pub from: DateTime<Utc>,
    /// 24:00 of the last day.
    pub to: DateTime<Utc>,
}

/// Calendar days: the day of publication is not counted (civil code, article 201); the last day ends at 24:00, and one
/// that is a holiday gives way to the next working day (article 203).
#[must_use]
pub fn period(calendar: &Calendar, published_at: DateTime<Utc>, days: u32) -> Period {
    let published_on = clock::local_date(published_at);
    let last = clock::start_of_day(published_on + TimeDelta::days(i64::from(days)));
    Period { from: clock::end_of_day(published_on), to: calendar.add_working_days(last, 0) }
}

/// Is this length allowed?
#[must_use]
pub fn is_long_enough(days: u32, is_about_matter: bool) -> bool {
    let least = if is_about_matter { MATTER_DAYS } else { 1 };
    (least..=MAX_DAYS).contains(&days)
}

/// May one object now, having objected so many times?
///
/// # Errors
/// `period_over`; `too_many_objections`.
pub fn may_object(period_to: DateTime<Utc>, now: DateTime<Utc>, own_so_far: u64) -> Result<()> {
    if now >= period_to {
        return Err(Code::PeriodOver.into());
    }
    if own_so_far >= MAX_OBJECTIONS {
        return Err(Code::TooManyObjections.into());
    }
    Ok(())
}

/// Name of an area without the ending that official numbers leave out, e.g. 东衡 for 东衡村.
#[must_use]
pub fn short_name<'a>(name: &'a str, endings: &str) -> &'a str {
    let short = endings.split_whitespace().find_map(|ending| name.strip_suffix(ending));
    short.filter(|short| short.chars().count() >= 2).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&Utc)
    }

    /// First and last day of a notice published then.
    fn days(published: &str, days: u32) -> (String, String) {
        let Period { from, to } = period(&Calendar::load(None).unwrap(), at(published), days);
        let last = clock::local_date(to - TimeDelta::milliseconds(1));
        assert_eq!(clock::end_of_day(last), to, "a period ends at 24:00 in Shanghai");
        assert_eq!(clock::start_of_day(clock::local_date(from)), from, "and begins at 00:00");
        (clock::local_date(from).to_string(), last.to_string())
    }

    #[test]
    fn the_day_of_publication_is_not_counted() {
        let expected = ("2026-11-24".to_owned(), "2026-11-30".to_owned());
        assert_eq!(days("2026-11-23T00:00:00+08:00", 7), expected);
        assert_eq!(days("2026-11-23T23:59:59+08:00", 7), expected);
        assert_eq!(days("2026-11-23T15:59:59Z", 7), expected, "the day is the day in Shanghai");
        assert_eq!(days("2026-11-23T16:00:00Z", 7).0, "2026-11-25");
    }

    #[test]
    fn holidays_within_the_period_count_but_do_not_end_it() {
        // from 30 September the 7th day is the last of National Day; 8 October is worked
        assert_eq!(days("2026-09-30T10:00:00+08:00", 7).1, "2026-10-08");
        assert_eq!(days("2026-09-28T10:00:00+08:00", 5).1, "2026-10-08", "3 October is within the holiday");
        assert_eq!(days("2026-09-30T10:00:00+08:00", 8).1, "2026-10-08");
        assert_eq!(days("2026-09-28T10:00:00+08:00", 12).1, "2026-10-10", "a worked Saturday is a working day");
        assert_eq!(days("2026-09-28T10:00:00+08:00", 13).1, "2026-10-12", "Sunday 11 October gives way to Monday");
        assert_eq!(days("2026-09-13T10:00:00+08:00", 7).1, "2026-09-20", "the worked Sunday before Mid-Autumn");
    }

    #[test]
    fn a_period_runs_over_spring_festival_and_over_the_year() {
        assert_eq!(days("2026-02-10T10:00:00+08:00", 5).1, "2026-02-24", "15 to 23 February are free");
        assert_eq!(days("2026-12-27T10:00:00+08:00", 5).1, "2027-01-04", "New Year, then a weekend");
    }

    #[test]
    fn a_matter_hangs_five_days_at_least() {
        assert!(!is_long_enough(4, true) && is_long_enough(5, true) && is_long_enough(DEFAULT_DAYS, true));
        assert!(is_long_enough(1, false) && !is_long_enough(0, false));
        assert!(!is_long_enough(MAX_DAYS + 1, false));
    }

    #[test]
    fn objections_are_taken_to_the_last_millisecond_and_three_times() {
        let to = at("2026-12-01T00:00:00+08:00");
        let code = |now, own| may_object(to, now, own).map_err(|error| error.code());
        assert_eq!(code(to - TimeDelta::milliseconds(1), 0), Ok(()));
        assert_eq!(code(to, 0), Err(Code::PeriodOver));
        assert_eq!(code(to - TimeDelta::days(1), 2), Ok(()));
        assert_eq!(code(to - TimeDelta::days(1), 3), Err(Code::TooManyObjections));
    }

    #[test]
    fn numbers_leave_out_the_ending_of_a_name() {
        let endings = "社区 村";
        assert_eq!(short_name("东衡村", endings), "东衡");
        assert_eq!(short_name("居仁社区", endings), "居仁");
        assert_eq!(short_name("洛舍镇", endings), "洛舍镇");
        assert_eq!(short_name("新村", endings), "新村", "one character alone is no name");
    }
}
