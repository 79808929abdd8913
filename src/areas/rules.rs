//! Codes of areas, and files of areas: what a line says, without looking anything up.
use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;
use csv::StringRecord;
use sea_orm::{DeriveActiveEnum, EnumIter, sea_query::StringLen};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::{Checks, Error, Result};

/// How the statistical office ends a name, how people end it, and what kind of area it is.
const NAME_ENDINGS: &str = include_str!("name_endings.csv");
const MAX_ROWS: usize = 20_000;
const MAX_ERRORS: usize = 50;

/// What kind of area.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, EnumIter, DeriveActiveEnum)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::None)", rename_all = "snake_case")]
pub enum Level {
    /// 县
    County,
    /// 乡镇、街道
    Town,
    /// 村
    Village,
    /// 社区
    Community,
    /// 村民小组
    Group,
    /// 网格
    Grid,
    /// 小区
    Estate,
}

impl Level {
    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::County => "county",
            Self::Town => "town",
            Self::Village => "village",
            Self::Community => "community",
            Self::Group => "group",
            Self::Grid => "grid",
            Self::Estate => "estate",
        }
    }

    /// Has it a roster, a committee, a channel of its own?
    #[must_use]
    pub fn is_village(self) -> bool {
        matches!(self, Self::Village | Self::Community)
    }

    fn parse(text: &str) -> Option<Self> {
        let all = [Self::County, Self::Town, Self::Village, Self::Community, Self::Group, Self::Grid, Self::Estate];
        all.into_iter().find(|level| level.as_str() == text)
    }
}

/// One area of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AreaRow {
    /// The line it stands on.
    pub line: u64,
    /// Its code.
    pub code: String,
    /// Its name as people say it.
    pub name: String,
    /// What kind of area.
    pub level: Level,
    /// First day, where the file says one.
    pub valid_from: Option<NaiveDate>,
    /// Last day, where the area was merged away.
    pub valid_to: Option<NaiveDate>,
    /// What it was merged into.
    pub successor_code: Option<String>,
}

/// Code of the area above; a county has none.
#[must_use]
pub fn parent(code: &str) -> Option<&str> {
    match code.len() {
        0..=6 => None,
        9 => code.get(..6),
        12 => code.get(..9),
        _ => code.rsplit_once('-').map(|(above, _)| above),
    }
}

/// Codes from the county down to the area itself.
#[must_use]
pub fn ancestors(code: &str) -> Vec<String> {
    let mut codes: Vec<String> = std::iter::successors(Some(code), |code| parent(code)).map(str::to_owned).collect();
    codes.reverse();
    codes
}

/// The smallest area that all of these are in or are: a village where it is one, else its town, else the county.
#[must_use]
pub fn common(codes: &[String]) -> Option<String> {
    let (first, others) = codes.split_first()?;
    ancestors(first).into_iter().rev().find(|area| {
        let below = |code: &String| code == area || ancestors(code).contains(area);
        others.iter().all(below)
    })
}

/// Digits of the code of a village or community; a town's is shorter, that of a group below is longer.
pub const VILLAGE_CODE: usize = 12;
/// Digits of a town's.
pub const TOWN_CODE: usize = 9;

/// 6, 9 or 12 digits; below a village `code-x`, where x is at most 8 letters and digits.
fn is_code(text: &str) -> bool {
    let digits = |text: &str, length: usize| text.len() == length && text.bytes().all(|b| b.is_ascii_digit());
    match text.split_once('-') {
        Some((village, part)) => {
            digits(village, 12) && (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
        }
        None => [6, 9, 12].iter().any(|length| digits(text, *length)),
    }
}

/// Reads a file of areas: columns `code` and `village` or `name` or `town`; `kind` or `level`, `valid_from`, `valid_to`,
/// `successor_code` where there are; a column `town_code` with `town` names the town above. Other columns are passed over.
///
/// # Errors
/// `invalid_fields` with at most 50 wrong places, each as `line N, column X`.
pub fn parse(bytes: &[u8]) -> Result<Vec<AreaRow>> {
    let text = std::str::from_utf8(bytes).map(|text| text.strip_prefix('\u{feff}').unwrap_or(text));
    let mut sheet = Sheet { checks: Checks::default(), seen: HashSet::new() };
    let rows = if let Ok(text) = text {
        sheet.rows(text)?
    } else {
        sheet.checks.wrong("file", "not_utf8");
        Vec::new()
    };
    sheet.checks.done()?;
    Ok(rows)
}

struct Sheet {
    checks: Checks,
    seen: HashSet<String>,
}

/// One line, read by the names of its columns.
struct Line<'a> {
    number: u64,
    columns: &'a HashMap<String, usize>,
    record: &'a StringRecord,
}

impl Line<'_> {
    /// The first of these columns that is there and not empty.
    fn text(&self, names: &[&str]) -> Option<&str> {
        let cell = |name: &&str| self.columns.get(*name).and_then(|at| self.record.get(*at));
        names.iter().filter_map(cell).find(|text| !text.is_empty())
    }

    fn place(&self, column: &str) -> String {
        format!("line {}, column {column}", self.number)
    }
}

impl Sheet {
    fn rows(&mut self, text: &str) -> Result<Vec<AreaRow>> {
        let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
        let header = reader.headers().map_err(Error::broken)?;
        let columns: HashMap<String, usize> =
            header.iter().enumerate().map(|(at, name)| (name.to_owned(), at)).collect();
        if !columns.contains_key("code") {
            self.checks.wrong("line 1, column code", "column_missing");
        }
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.map_err(Error::broken)?;
            if rows.len() >= MAX_ROWS || self.checks.count() >= MAX_ERRORS {
                break;
            }
            let number = record.position().map_or(0, csv::Position::line);
            let line = Line { number, columns: &columns, record: &record };
            rows.extend(self.town_above(&line));
            rows.extend(self.row(&line));
        }
        Ok(rows)
    }

    /// The town that the line names beside its village, the first time.
    fn town_above(&mut self, line: &Line<'_>) -> Option<AreaRow> {
        let (code, name) = (line.text(&["town_code"])?, line.text(&["town"])?);
        let fits = line.text(&["code"]).and_then(parent) == Some(code);
        if !fits {
            self.checks.wrong(line.place("town_code"), "not_an_area_code");
        }
        let is_new = fits && self.seen.insert(code.to_owned());
        is_new.then(|| AreaRow {
            line: line.number,
            code: code.to_owned(),
            name: name.to_owned(),
            level: Level::Town,
            valid_from: None,
            valid_to: None,
            successor_code: None,
        })
    }

    fn row(&mut self, line: &Line<'_>) -> Option<AreaRow> {
        let code = line.text(&["code"]).unwrap_or_default();
        if !is_code(code) {
            self.checks.wrong(line.place("code"), "not_an_area_code");
            return None;
        }
        if !self.seen.insert(code.to_owned()) {
            self.checks.wrong(line.place("code"), "duplicate");
        }
        let full = line.text(&["village", "name", "town"]).unwrap_or_default();
        self.checks.text(&line.place("name"), full, 1..=60);
        let (name, ending) = short_name(full);
        let level = level(code, line.text(&["level", "kind"]), ending);
        if level.is_none() {
            self.checks.wrong(line.place("level"), "unknown");
        }
        let successor_code = line.text(&["successor_code"]).map(str::to_owned);
        if successor_code.as_deref().is_some_and(|next| !is_code(next) || next == code) {
            self.checks.wrong(line.place("successor_code"), "not_an_area_code");
        }
        let (valid_from, valid_to) = (self.day(line, "valid_from"), self.day(line, "valid_to"));
        Some(AreaRow {
            line: line.number,
            code: code.to_owned(),
            name,
            level: level?,
            valid_from,
            valid_to,
            successor_code,
        })
    }

    fn day(&mut self, line: &Line<'_>, column: &str) -> Option<NaiveDate> {
        let text = line.text(&[column])?;
        let day = text.parse().ok();
        if day.is_none() {
            self.checks.wrong(line.place(column), "not_a_date");
        }
        day
    }
}

/// The name as people say it, and the kind that its official ending tells.
fn short_name(full: &str) -> (String, Option<Level>) {
    for line in NAME_ENDINGS.lines() {
        let mut parts = line.split(',');
        let (Some(ending), Some(short), level) = (parts.next(), parts.next(), parts.next()) else { continue };
        if let Some(stem) = full.strip_suffix(ending).filter(|stem| !stem.is_empty()) {
            return (format!("{stem}{short}"), level.and_then(Level::parse));
        }
    }
    (full.to_owned(), None)
}

/// The level must fit the code.
fn level(code: &str, told: Option<&str>, ending: Option<Level>) -> Option<Level> {
    let told = match told {
        Some(text) => Some(Level::parse(text)?),
        None => None,
    };
    let fitting: &[Level] = match code.len() {
        6 => &[Level::County],
        9 => &[Level::Town],
        12 => &[Level::Village, Level::Community],
        _ => &[Level::Group, Level::Grid, Level::Estate],
    };
    match told.or(ending.filter(|level| fitting.contains(level))) {
        Some(level) => fitting.contains(&level).then_some(level),
        None if code.len() > 12 => None,
        None => fitting.first().copied(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_statistical_file_is_read_with_its_towns() {
        let file = "code,town_code,town,village,kind\n330521103202,330521103,洛舍镇,东衡村委会,village\n\
                    330521001001,330521001,武康街道,居仁社区居委会,community\n330521103001,330521103,洛舍镇,洛舍居委会,community\n";
        let rows = parse(file.as_bytes()).unwrap();
        let told: Vec<_> = rows.iter().map(|row| (row.code.as_str(), row.name.as_str(), row.level)).collect();
        assert_eq!(
            told,
            [
                ("330521103", "洛舍镇", Level::Town),
                ("330521103202", "东衡村", Level::Village),
                ("330521001", "武康街道", Level::Town),
                ("330521001001", "居仁社区", Level::Community),
                ("330521103001", "洛舍居委会", Level::Community),
            ]
        );
    }

    #[test]
    fn a_plain_file_tells_levels_by_code_and_ending() {
        let rows =
            parse("code,name,streetCode\n330502001005,\"浮星桥社区居委会\",330502001\n330502,吴兴区,\n".as_bytes())
                .unwrap();
        assert_eq!((rows[0].level, rows[1].level), (Level::Community, Level::County));
    }

    #[test]
    fn wrong_lines_are_named() {
        let file = "code,name,level,valid_to\n33052,x,,\n330521103202,y,county,\n330521103203,,,2026-02-30\n330521103202,z,,\n";
        let Error::Refused(refusal) = parse(file.as_bytes()).unwrap_err() else { panic!() };
        let told: Vec<_> = refusal.fields.iter().map(|field| (field.field.as_str(), field.code.as_str())).collect();
        assert_eq!(
            told,
            [
                ("line 2, column code", "not_an_area_code"),
                ("line 3, column level", "unknown"),
                ("line 4, column name", "required"),
                ("line 4, column valid_to", "not_a_date"),
                ("line 5, column code", "duplicate"),
            ]
        );
    }

    #[test]
    fn every_area_knows_the_way_up() {
        assert_eq!(ancestors("330521103202-g11"), ["330521", "330521103", "330521103202", "330521103202-g11"]);
        assert_eq!(ancestors("330521"), ["330521"]);
        let common = |codes: &[&str]| common(&codes.iter().map(|code| (*code).to_owned()).collect::<Vec<_>>());
        assert_eq!(common(&["330521103202"]).as_deref(), Some("330521103202"));
        assert_eq!(common(&["330521103202", "330521103201"]).as_deref(), Some("330521103"));
        assert_eq!(common(&["330521103202", "330521104", "330521103"]).as_deref(), Some("330521"));
        assert_eq!((common(&["330521", "330522"]), common(&[])), (None, None));
        for code in ["330521", "330521103", "330521103202", "330521103202-g11"] {
            assert!(is_code(code), "{code}");
        }
        for code in ["", "33", "3305211032021", "33052110320x", "330521103202-", "330521-g1", "330521103202-a-b"] {
            assert!(!is_code(code), "{code}");
        }
    }
}
