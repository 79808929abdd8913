//! Working days of the county: weekends, public holidays, and the weekend days that are worked instead.
//!
//! 工作日历（节假日与调休）. Always true: a day is a day in Asia/Shanghai; a year is known whole or not at all; a row in
//! the data beats the weekday; where a year is not known, weekends alone are free and [`Calendar::covers`] says no.
//! Tables owned: none. Events recorded: none. Does not know the present, nor why a deadline exists.
//!
//! # Data
//! `2026.csv` is the State Council's arrangement. `2027.csv` is **provisional**: the statutory festival days alone,
//! without 调休 and without days in lieu, because no arrangement was known when it was written. Columns:
//! `date,kind,name`; kind is `holiday` or `workday` (a worked Saturday or Sunday); lines that begin with `#` are comments.
//!
//! # Why
//! A settings file replaces whole years and is never merged into one: a notice moves days in both directions, and half
//! of the provisional year under half of the real one would be wrong without anybody seeing it. A deadline is stored as
//! an instant together with [`Calendar::version`]; a later file does not move promises that were already made.
use std::{
    collections::{BTreeMap, btree_map::Entry},
    path::Path,
    sync::Arc,
};

use chrono::{DateTime, Datelike, NaiveDate, Utc, Weekday};
use ring::digest;

use crate::{clock, hex::hex};

const BUILT_IN: [(&str, &str); 2] =
    [("built-in 2026.csv", include_str!("2026.csv")), ("built-in 2027.csv", include_str!("2027.csv"))];
const COLUMNS: [&str; 3] = ["date", "kind", "name"];
/// The last year that RFC 3339 can write; counting stops here whatever is asked.
const LAST_YEAR: i32 = 9999;

type Years = BTreeMap<i32, BTreeMap<NaiveDate, Kind>>;

/// What a day is, when it is not what its weekday says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Holiday,
    Workday,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Holiday => "holiday",
            Self::Workday => "workday",
        }
    }
}

/// Which days are worked. Cloning shares the data.
#[derive(Clone, Debug)]
pub struct Calendar(Arc<Known>);

#[derive(Debug)]
struct Known {
    years: Years,
    version: String,
}

impl Calendar {
    /// The built-in years; each year that the file names replaces the built-in one whole.
    ///
    /// # Errors
    /// One line that says what is wrong with the file, when it cannot be read or a row means nothing.
    pub fn load(file: Option<&Path>) -> Result<Self, String> {
        let mut years = Years::new();
        for (source, text) in BUILT_IN {
            years.extend(read(source, text)?);
        }
        if let Some(path) = file {
            let source = format!("calendar file {}", path.display());
            let text = std::fs::read_to_string(path).map_err(|error| format!("{source}: {error}"))?;
            years.extend(read(&source, &text)?);
        }
        let version = version_of(&years);
        Ok(Self(Arc::new(Known { years, version })))
    }

    /// Is this day worked?
    #[must_use]
    pub fn is_working_day(&self, day: NaiveDate) -> bool {
        match self.0.years.get(&day.year()).and_then(|days| days.get(&day)) {
            Some(Kind::Workday) => true,
            Some(Kind::Holiday) => false,
            None => !is_weekend(day),
        }
    }

    /// 24:00 of the `n`-th working day after the day of `from`, which itself is not counted (civil code, articles 201
    /// and 203). With `n` = 0: of that day, or of the first working day after it where it is free.
    #[must_use]
    pub fn add_working_days(&self, from: DateTime<Utc>, n: u32) -> DateTime<Utc> {
        let mut day = clock::local_date(from);
        let mut left = n;
        while left > 0 || !self.is_working_day(day) {
            let Some(next) = day.succ_opt().filter(|next| next.year() <= LAST_YEAR) else { break };
            day = next;
            if self.is_working_day(day) {
                left = left.saturating_sub(1);
            }
        }
        clock::end_of_day(day)
    }

    /// A short digest of all dates and kinds, to be stored beside a deadline computed with them.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.0.version
    }

    /// Is the year of this day known? If not, only weekends count as free.
    #[must_use]
    pub fn covers(&self, day: NaiveDate) -> bool {
        self.0.years.contains_key(&day.year())
    }
}

fn is_weekend(day: NaiveDate) -> bool {
    matches!(day.weekday(), Weekday::Sat | Weekday::Sun)
}

/// Reads one file. Complaints name a row by its date: the reader's line numbers are off in files with CRLF.
fn read(source: &str, text: &str) -> Result<Years, String> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .comment(Some(b'#'))
        .from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let headers = reader.headers().map_err(|error| format!("{source}: {error}"))?;
    if headers.iter().ne(COLUMNS) {
        return Err(format!("{source}: the first line must be `{}`", COLUMNS.join(",")));
    }
    let mut years = Years::new();
    for record in reader.records() {
        let record = record.map_err(|error| format!("{source}: {error}"))?;
        let (day, kind) = row(&record).map_err(|wrong| format!("{source}: {wrong}"))?;
        match years.entry(day.year()).or_default().entry(day) {
            Entry::Vacant(free) => free.insert(kind),
            Entry::Occupied(_) => return Err(format!("{source}: {day} occurs twice")),
        };
    }
    Ok(years)
}

fn row(record: &csv::StringRecord) -> Result<(NaiveDate, Kind), String> {
    let [date, kind, name] = [0, 1, 2].map(|at| record.get(at).unwrap_or_default());
    let day = NaiveDate::parse_from_str(date, "%Y-%m-%d").map_err(|_| format!("`{date}` is not a date"))?;
    if !(1..=LAST_YEAR).contains(&day.year()) {
        return Err(format!("`{date}` is not a date"));
    }
    let kind = [Kind::Holiday, Kind::Workday]
        .into_iter()
        .find(|known| known.as_str() == kind)
        .ok_or_else(|| format!("{day}: kind is `holiday` or `workday`, not `{kind}`"))?;
    if kind == Kind::Workday && !is_weekend(day) {
        return Err(format!("{day} is a {:?}: only a Saturday or Sunday can be a `workday`", day.weekday()));
    }
    if name.is_empty() {
        return Err(format!("{day} has no name"));
    }
    Ok((day, kind))
}

fn version_of(years: &Years) -> String {
    let mut hash = digest::Context::new(&digest::SHA256);
    for (day, kind) in years.values().flatten() {
        hash.update(format!("{day} {}\n", kind.as_str()).as_bytes());
    }
    hex(&hash.finish().as_ref()[..6])
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn built_in() -> Calendar {
        Calendar::load(None).unwrap()
    }

    fn with_file(text: &str) -> Result<Calendar, String> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        Calendar::load(Some(file.path()))
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn at(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&Utc)
    }

    /// The day with whose end the deadline ends.
    fn due(calendar: &Calendar, from: &str, n: u32) -> String {
        let end = calendar.add_working_days(at(from), n);
        let last = clock::last_day(end);
        assert_eq!(clock::end_of_day(last), end, "a deadline ends at 24:00 in Shanghai");
        last.to_string()
    }

    #[test]
    fn the_year_2026_has_as_many_working_days_as_the_notice_leaves() {
        let calendar = built_in();
        let days = day("2026-01-01").iter_days().take_while(|day| day.year() == 2026);
        // 261 weekdays, 19 of them free by the notice, 6 weekend days worked.
        assert_eq!(days.filter(|day| calendar.is_working_day(*day)).count(), 248);
    }

    #[test]
    fn national_day_is_skipped_and_the_saturday_after_it_is_worked() {
        let calendar = built_in();
        for (n, expected) in [(1, "2026-10-08"), (2, "2026-10-09"), (3, "2026-10-10"), (4, "2026-10-12")] {
            assert_eq!(due(&calendar, "2026-09-30T10:00:00+08:00", n), expected);
        }
        assert_eq!(due(&calendar, "2026-10-03T10:00:00+08:00", 1), "2026-10-08");
        // The worked Sunday before the Mid-Autumn Festival.
        assert_eq!(due(&calendar, "2026-09-18T10:00:00+08:00", 1), "2026-09-20");
    }

    #[test]
    fn spring_festival_is_skipped_and_both_its_worked_saturdays_count() {
        let calendar = built_in();
        for (n, expected) in [(1, "2026-02-14"), (2, "2026-02-24"), (6, "2026-02-28"), (7, "2026-03-02")] {
            assert_eq!(due(&calendar, "2026-02-13T17:00:00+08:00", n), expected);
        }
    }

    #[test]
    fn the_day_of_the_beginning_is_the_day_in_shanghai() {
        let calendar = built_in();
        assert_eq!(due(&calendar, "2026-11-23T15:59:59Z", 1), "2026-11-24", "23:59:59 on Monday");
        assert_eq!(due(&calendar, "2026-11-23T16:00:00Z", 1), "2026-11-25", "00:00 on Tuesday");
        assert_eq!(calendar.add_working_days(at("2026-11-23T16:00:00Z"), 1), at("2026-11-25T16:00:00Z"));
    }

    #[test]
    fn a_deadline_runs_over_the_end_of_the_year() {
        let calendar = built_in();
        assert_eq!(due(&calendar, "2026-12-31T09:00:00+08:00", 1), "2027-01-04");
        assert_eq!(due(&calendar, "2026-12-31T16:00:00Z", 1), "2027-01-04", "already New Year in Shanghai");
        assert_eq!(due(&calendar, "2025-12-31T09:00:00+08:00", 1), "2026-01-04", "a worked Sunday");
    }

    #[test]
    fn zero_days_end_today_or_on_the_first_working_day() {
        let calendar = built_in();
        assert_eq!(due(&calendar, "2026-11-23T09:00:00+08:00", 0), "2026-11-23");
        assert_eq!(due(&calendar, "2026-10-01T09:00:00+08:00", 0), "2026-10-08");
    }

    #[test]
    fn unknown_years_have_weekends_only() {
        let calendar = built_in();
        assert!(!calendar.covers(day("2028-10-02")) && calendar.is_working_day(day("2028-10-02")));
        assert!(!calendar.is_working_day(day("2028-10-01")));
        assert!(calendar.covers(day("2026-12-31")) && calendar.covers(day("2027-01-01")));
    }

    #[test]
    fn counting_stops_where_dates_end() {
        assert_eq!(due(&built_in(), "2026-11-23T09:00:00+08:00", u32::MAX), "9999-12-31");
    }

    #[test]
    fn a_file_replaces_a_year_whole_and_changes_the_version() {
        let calendar =
            with_file("\u{feff}date,kind,name\r\n2027-02-10,holiday,春节\r\n2027-02-20,workday,春节\r\n").unwrap();
        assert!(!calendar.is_working_day(day("2027-02-10")) && calendar.is_working_day(day("2027-02-20")));
        assert!(calendar.is_working_day(day("2027-10-01")), "nothing of the built-in 2027 is left");
        assert!(!calendar.is_working_day(day("2026-10-01")), "2026 is untouched");
        assert_ne!(calendar.version(), built_in().version());
        assert_eq!(built_in().version().len(), 12);
    }

    #[test]
    fn names_and_comments_do_not_change_the_version() {
        let renamed = include_str!("2026.csv").replace("国庆节", "国庆").replace("# State", "# The State");
        assert_eq!(with_file(&renamed).unwrap().version(), built_in().version());
    }

    #[test]
    fn a_file_that_means_nothing_is_refused() {
        for (text, word) in [
            ("2027-02-10,holiday,x\n", "first line"),
            ("date,kind,name\n2027-02-30,holiday,x\n", "not a date"),
            ("date,kind,name\n2027-02-10,free,x\n", "kind is"),
            ("date,kind,name\n2027-02-10,workday,x\n", "is a Wed"),
            ("date,kind,name\n2027-02-10,holiday,\n", "no name"),
            ("date,kind,name\n2027-02-10,holiday,x\n2027-02-10,holiday,x\n", "twice"),
            ("date,kind,name\n2027-02-10,holiday\n", "2 fields"),
        ] {
            let refused = with_file(text).unwrap_err();
            assert!(refused.contains(word), "{refused}");
        }
        assert!(
            Calendar::load(Some(Path::new("/nowhere/calendar.csv"))).unwrap_err().contains("/nowhere/calendar.csv")
        );
    }
}
