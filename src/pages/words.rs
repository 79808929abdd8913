//! What templates call: `{{ t("key") }}`, dates and numbers as people in the county write them, addresses of assets.
use std::fmt::Display;

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, NaiveTime, TimeDelta, Timelike};
use serde::Serialize;
use uuid::Uuid;

use super::assets;
use crate::{text, votes::rules::Share};

/// Every template has these. Askama turns `t("key")` into a call on the template itself.
pub trait Words {
    /// The sentence with this key.
    fn t(&self, key: &str) -> String {
        text::say(key)
    }

    /// The sentence with one blank filled in.
    fn t1(&self, key: &str, name: &str, value: impl Display) -> String {
        text::say_with(key, &[(name, value.to_string().into())])
    }

    /// The sentence with two blanks filled in.
    fn t2(&self, key: &str, (name, value): &(&str, impl Display), (other, second): &(&str, impl Display)) -> String {
        text::say_with(key, &[(name, value.to_string().into()), (other, second.to_string().into())])
    }

    /// The word for a code of a kind: `word("matter-state", "in_review")` is the sentence `matter-state-in-review`.
    fn word(&self, kind: &str, code: impl Display) -> String {
        text::word(kind, &code.to_string())
    }

    /// The word for a value that goes over the wire as a code.
    fn code(&self, kind: &str, value: impl Serialize) -> String {
        text::word(kind, &wire(value))
    }

    /// A value as it goes over the wire.
    fn wire(&self, value: impl Serialize) -> String {
        wire(value)
    }

    /// Where the browser finds an asset.
    fn asset(&self, name: &str) -> String {
        assets::url(name)
    }

    /// Month, day, hour and minute.
    fn moment(&self, at: &DateTime<FixedOffset>) -> String {
        moment(at)
    }

    /// The last moment of a promise; the end of a day is named by that day.
    fn deadline(&self, at: &DateTime<FixedOffset>) -> String {
        deadline(at)
    }

    /// Month and day.
    fn day(&self, at: &DateTime<FixedOffset>) -> String {
        day(at)
    }

    /// Year, month and day.
    fn date(&self, at: &DateTime<FixedOffset>) -> String {
        date("page-date", at.date_naive())
    }

    /// Year, month and day of a calendar day.
    fn calendar_day(&self, day: &NaiveDate) -> String {
        calendar_day(*day)
    }

    /// With separators: 1,204.
    fn number(&self, number: impl Display) -> String {
        grouped(&number.to_string())
    }

    /// Fen as yuan: 1,204.50 元.
    fn yuan(&self, fen: &i64) -> String {
        let (sign, whole, part) = (if *fen < 0 { "-" } else { "" }, fen.unsigned_abs() / 100, fen.unsigned_abs() % 100);
        text::say_with("page-yuan", &[("n", format!("{sign}{}.{part:02}", grouped(&whole.to_string())).into())])
    }

    /// Minutes and seconds of a clip, from milliseconds.
    fn length(&self, millis: &i32) -> String {
        let seconds = millis / 1000;
        let blanks = [("m", (seconds / 60).into()), ("s", (seconds % 60).into())];
        text::say_with(if seconds < 60 { "page-seconds" } else { "page-minutes" }, &blanks)
    }

    /// How loud a clip is, as lines from left to right: what a path of SVG is made of, 3 units a line and 32 high.
    fn waves(&self, levels: &[u8]) -> String {
        use std::fmt::Write;
        let mut path = String::new();
        for (n, level) in levels.iter().enumerate() {
            let height = (*level).clamp(2, 30);
            // writing into a string does not fail
            write!(path, "M{} {}v{height}", 3 * n + 1, (32 - height) / 2).ok();
        }
        path
    }

    /// A share the law asks for: more than a half, at least two thirds.
    fn share_in_words(&self, share: &Share) -> String {
        if (share.strict, share.num, share.den) == (true, 1, 2) {
            return text::say("vote-share-half");
        }
        let key = if share.strict { "vote-share-strict" } else { "vote-share-reached" };
        text::say_with(key, &[("num", share.num.to_string().into()), ("den", share.den.to_string().into())])
    }

    /// A key by which a form that is sent twice is known again.
    fn once_key(&self) -> Uuid {
        Uuid::now_v7()
    }
}

impl<T: askama::Template> Words for T {}

/// A value as it goes over the wire, outside templates.
#[must_use]
pub fn wire(value: impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// Month, day, hour and minute, outside templates.
#[must_use]
pub fn moment(at: &DateTime<FixedOffset>) -> String {
    let time = format!("{:02}:{:02}", at.hour(), at.minute());
    let blanks = [("m", at.month().into()), ("d", at.day().into()), ("t", time.into())];
    text::say_with("page-moment", &blanks)
}

/// The last moment of a promise, outside templates: 24:00 is said as the day alone.
#[must_use]
pub fn deadline(at: &DateTime<FixedOffset>) -> String {
    if at.time() == NaiveTime::MIN { day(&(*at - TimeDelta::days(1))) } else { moment(at) }
}

/// Month and day, outside templates.
#[must_use]
pub fn day(at: &DateTime<FixedOffset>) -> String {
    date("page-day", at.date_naive())
}

/// Year, month and day of a calendar day.
pub fn calendar_day(day: NaiveDate) -> String {
    date("page-date", day)
}

fn date(key: &str, day: NaiveDate) -> String {
    let blanks = [("y", day.year().to_string().into()), ("m", day.month().into()), ("d", day.day().into())];
    text::say_with(key, &blanks)
}

fn grouped(digits: &str) -> String {
    let length = digits.trim_start_matches('-').len();
    let skipped = digits.len() - length;
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        let left = digits.len() - index;
        if index > skipped && left.is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_three() {
        for (plain, shown) in
            [("0", "0"), ("999", "999"), ("1204", "1,204"), ("-1234567", "-1,234,567"), ("100000", "100,000")]
        {
            assert_eq!(grouped(plain), shown);
        }
    }

    #[test]
    fn every_word_of_the_templates_is_known() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/web/templates");
        for file in
            [folder.to_owned(), format!("{folder}/desk")].iter().flat_map(|folder| std::fs::read_dir(folder).unwrap())
        {
            let path = file.unwrap().path();
            let Ok(template) = std::fs::read_to_string(&path) else { continue };
            for call in ["t(\"", "t1(\"", "t2(\""] {
                let keys = template.split(call).skip(1).filter_map(|rest| rest.split('"').next());
                for key in keys.filter(|key| key.contains('-') && key.bytes().all(|byte| byte.is_ascii_graphic())) {
                    assert!(text::knows(key), "{}: {key}", path.display());
                }
            }
        }
    }

    #[test]
    fn times_read_as_in_the_county() {
        let at = DateTime::parse_from_rfc3339("2026-11-28T20:00:00+08:00").unwrap();
        assert_eq!(moment(&at), "11月28日 20:00");
        assert_eq!(date("page-date", at.date_naive()), "2026年11月28日");
        assert_eq!(deadline(&at), "11月28日 20:00");
        let midnight = DateTime::parse_from_rfc3339("2026-12-01T00:00:00+08:00").unwrap();
        assert_eq!(deadline(&midnight), "11月30日", "nobody reads 0:00 of the first as the end of the thirtieth");
    }
}
