//! What a notice is about, how long it hangs, when one may object, and when it is concluded.
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

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
/// Who wrote down a confirmation for somebody else may take it back within this time.
pub const UNDO_WITHIN: TimeDelta = TimeDelta::hours(24);
/// Objections of one person to one notice at most.
pub const MAX_OBJECTIONS: u64 = 3;

/// What a notice is about; residents choose of what they want to hear.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// 财务
    Finance,
    /// 工程
    Works,
    /// 土地
    Land,
    /// 福利
    Welfare,
    /// 活动
    Activities,
    /// 其他
    #[default]
    Other,
}

impl Category {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 6] = [Self::Finance, Self::Works, Self::Land, Self::Welfare, Self::Activities, Self::Other];

    /// The stable word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Finance => "finance",
            Self::Works => "works",
            Self::Land => "land",
            Self::Welfare => "welfare",
            Self::Activities => "activities",
            Self::Other => "other",
        }
    }

    /// The category of this word; what is not known is something else.
    #[must_use]
    pub fn parse(word: &str) -> Self {
        Self::ALL.into_iter().find(|one| one.as_str() == word).unwrap_or_default()
    }
}

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

/// Is the area a village or a part of one, and not a town or the county?
#[must_use]
pub fn is_village(area: &str) -> bool {
    area.len() >= 12
}

/// Until when residents are asked to confirm: the end of the day wished for, or of the period; `None` when that day is
/// over or out of reach.
#[must_use]
pub fn confirm_by(period: Period, now: DateTime<Utc>, wanted: Option<NaiveDate>) -> Option<DateTime<Utc>> {
    let Some(day) = wanted else { return Some(period.to) };
    let today = clock::local_date(now);
    (today..=today + TimeDelta::days(i64::from(MAX_DAYS))).contains(&day).then(|| clock::end_of_day(day))
}

/// A step of the ladder of reminders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rung {
    /// Counted from 1.
    pub step: i32,
    /// When.
    pub at: DateTime<Utc>,
}

/// Step of the last reminder, with which the doors are handed over.
pub const LAST_STEP: i32 = 2;

/// Half way, and the day before the end; of a short time only half way, as the last step.
#[must_use]
pub fn ladder(published_at: DateTime<Utc>, confirm_by: DateTime<Utc>) -> Vec<Rung> {
    let half = published_at + TimeDelta::milliseconds((confirm_by - published_at).num_milliseconds() / 2);
    let eve = confirm_by - TimeDelta::days(1);
    if eve <= half {
        return vec![Rung { step: LAST_STEP, at: half }];
    }
    vec![Rung { step: 1, at: half }, Rung { step: LAST_STEP, at: eve }]
}

/// A number as it sorts among numbers: H2 before H11.
#[must_use]
pub fn in_order(number: &str) -> String {
    let mut padded = String::new();
    let mut digits = String::new();
    for c in number.chars() {
        if c.is_ascii_digit() {
            digits.push(c);
        } else {
            padded.push_str(&even(&digits));
            digits.clear();
            padded.push(c);
        }
    }
    padded + &even(&digits)
}

/// Digits as long as any; none stay none.
fn even(digits: &str) -> String {
    if digits.is_empty() { String::new() } else { format!("{digits:0>9}") }
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
        let last = clock::last_day(to);
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
    fn every_category_is_read_as_it_is_written() {
        for one in Category::ALL {
            assert_eq!(Category::parse(one.as_str()), one);
            assert_eq!(serde_json::to_value(one).unwrap(), one.as_str());
        }
        assert_eq!(Category::parse("what"), Category::Other);
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
    fn one_confirms_until_the_end_of_a_day() {
        let now = at("2026-11-02T09:00:00+08:00");
        let period = period(&Calendar::load(None).unwrap(), now, 7);
        let by = |day: &str| confirm_by(period, now, Some(day.parse().unwrap()));
        assert_eq!(confirm_by(period, now, None), Some(period.to));
        assert_eq!(by("2026-11-02"), Some(at("2026-11-03T00:00:00+08:00")), "today is possible");
        assert_eq!(by("2026-11-06"), Some(at("2026-11-07T00:00:00+08:00")));
        assert_eq!((by("2026-11-01"), by("2027-06-01")), (None, None));
    }

    #[test]
    fn who_has_not_confirmed_is_reminded_half_way_and_the_day_before() {
        let (from, to) = (at("2026-11-02T00:00:00+08:00"), at("2026-11-10T00:00:00+08:00"));
        let rung = |step, time| Rung { step, at: at(time) };
        let both = [rung(1, "2026-11-06T00:00:00+08:00"), rung(2, "2026-11-09T00:00:00+08:00")];
        assert_eq!(ladder(from, to), both);
        let short = at("2026-11-03T12:00:00+08:00");
        assert_eq!(ladder(from, short), [rung(2, "2026-11-02T18:00:00+08:00")], "one reminder for a short time");
    }

    #[test]
    fn doors_are_in_the_order_of_their_numbers() {
        let mut doors = ["H11", "H2", "2-10", "2-9", "10-1", "乙3"];
        doors.sort_by_key(|door| in_order(door));
        assert_eq!(doors, ["2-9", "2-10", "10-1", "H2", "H11", "乙3"]);
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
