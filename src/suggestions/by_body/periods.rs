//! Months and years of which figures are worked out.
use chrono::{DateTime, Datelike, Months, NaiveDate, Utc};

use crate::{
    clock,
    error::{Checks, Result},
};

/// Five years: of periods before nothing is worked out.
const OLDEST: Months = Months::new(60);

/// A month (`2026-11`) or a year (`2026`): its first day and the first day after it.
///
/// # Errors
/// `invalid_fields`.
pub fn period(text: &str) -> Result<(NaiveDate, NaiveDate)> {
    let mut parts = text.split('-').map(str::parse::<u32>);
    let year = parts.next().and_then(std::result::Result::ok).and_then(|year| i32::try_from(year).ok());
    let (month, is_over) = (parts.next(), parts.next().is_none());
    let day = |year: i32, month: u32| NaiveDate::from_ymd_opt(year, month, 1);
    let year = year.filter(|year| (2000..=2200).contains(year) && is_over);
    let found = match (year, month) {
        (Some(year), None) => day(year, 1).zip(day(year + 1, 1)),
        (Some(year), Some(Ok(12))) => day(year, 12).zip(day(year + 1, 1)),
        (Some(year), Some(Ok(month))) => day(year, month).zip(month.checked_add(1).and_then(|next| day(year, next))),
        _ => None,
    };
    let mut checks = Checks::default();
    checks.require(found.is_some(), "period", "out_of_range");
    checks.done()?;
    Ok(found.unwrap_or_default())
}

/// The same of one that is over, and not for five years.
///
/// # Errors
/// `invalid_fields`.
pub fn past(text: &str, now: DateTime<Utc>) -> Result<(NaiveDate, NaiveDate)> {
    let ((from, to), today) = (period(text)?, clock::local_date(now));
    let mut checks = Checks::default();
    checks.require(to <= today, "period", "not_over");
    checks.require(today.checked_sub_months(OLDEST).is_none_or(|oldest| to > oldest), "period", "out_of_range");
    checks.done()?;
    Ok((from, to))
}

/// The month that is over.
#[must_use]
pub fn last_month(now: DateTime<Utc>) -> String {
    let day = clock::local_date(now);
    let before = day.with_day(1).and_then(|first| first.pred_opt()).unwrap_or(day);
    format!("{:04}-{:02}", before.year(), before.month())
}
