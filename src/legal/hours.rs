//! 工时: what a legal officer's time went into, day by day, and the report of a year.
use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use sea_orm::{
    ActiveEnum, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set,
    sea_query::OnConflict,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{rows::hours, rules::LegalWork};
use crate::{
    actor::Actor,
    areas,
    bodies::{self, Right},
    clock,
    error::{Checks, Code, Result},
    ids::PersonId,
    people,
    store::Tx,
    table::{Format, whole, xlsx::Cell},
    text,
};

/// Minutes of a day.
const DAY: i32 = 24 * 60;
/// Days after which nothing is written down any more.
const MAX_DAYS: i64 = 366;
/// Lines of a year that are counted.
const MAX_LINES: u64 = 50_000;
/// Lines shown beside the sums.
const SHOWN_LINES: usize = 1_000;

/// What the own time of a day went into.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NoteLegalHours {
    /// The village, town or county for which it was.
    pub area_code: String,
    /// Today, or a day of the year before.
    pub day: NaiveDate,
    /// What for.
    pub work: LegalWork,
    /// In place of what was said of this day, area and work before; 0: nothing, which is said where the month is over.
    #[schema(minimum = 0, maximum = 1440)]
    pub minutes: i32,
    /// Up to 100 characters; of mediations none.
    #[serde(default)]
    #[schema(max_length = 100)]
    pub note: String,
}

/// What somebody's time went into.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LegalHoursLine {
    /// The day; none: the whole year, where the days are for the officer alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<NaiveDate>,
    /// Who.
    pub person_id: PersonId,
    /// Full name: the officer acts in a seat.
    pub name: String,
    /// For which area.
    pub area_code: String,
    /// Its name.
    pub area_name: String,
    /// What for.
    pub work: LegalWork,
    /// How long.
    pub minutes: i32,
    /// What was written beside it.
    pub note: String,
    /// Written down, or changed, when the month of its day was over.
    pub is_late: bool,
}

/// What an officer's year went into.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LegalYearOfficer {
    /// Who.
    pub person_id: PersonId,
    /// Full name.
    pub name: String,
    /// In all.
    pub minutes: i32,
    /// What of it was written down when its month was over.
    pub late_minutes: i32,
    /// Into what.
    pub works: Vec<LegalWorkSum>,
}

/// How long one kind of work took in a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LegalWorkSum {
    /// What for.
    pub work: LegalWork,
    /// How long.
    pub minutes: i32,
}

/// The hours of legal officers in an area and below it in a year.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LegalYearView {
    /// Which year.
    pub year: i32,
    /// Who worked, by name.
    pub officers: Vec<LegalYearOfficer>,
    /// The newest first, 1,000 at most.
    pub lines: Vec<LegalHoursLine>,
}

/// Writes down what the own time of a day went into.
///
/// # Errors
/// `not_allowed` without a legal officer's seat there; `not_found` for an unknown area; `invalid_fields`.
pub async fn note(tx: &Tx, actor: &Actor, input: NoteLegalHours) -> Result<NoteLegalHours> {
    bodies::require(actor, Right::NoteLegality, &input.area_code)?;
    areas::get(tx, &input.area_code).await?;
    let today = clock::local_date(tx.now());
    let is_silent = input.work != LegalWork::Mediation || input.note.trim().is_empty();
    let mut checks = Checks::default();
    checks.require((today - TimeDelta::days(MAX_DAYS)..=today).contains(&input.day), "day", "out_of_range");
    checks.require((0..=DAY).contains(&input.minutes), "minutes", "out_of_range");
    checks.text("note", &input.note, 0..=100);
    checks.require(is_silent, "note", "not_of_mediation");
    checks.done()?;
    if input.minutes == 0 && month(today) == month(input.day) {
        let key = (actor.person, input.area_code.clone(), input.day, input.work);
        hours::Entity::delete_by_id(key).exec(tx).await?;
        return Ok(input);
    }
    let row = hours::ActiveModel {
        person_id: Set(actor.person),
        area_code: Set(input.area_code.clone()),
        day: Set(input.day),
        work: Set(input.work),
        minutes: Set(input.minutes),
        note: Set(input.note.trim().to_owned()),
        written_at: Set(tx.now()),
    };
    let key = [hours::Column::PersonId, hours::Column::AreaCode, hours::Column::Day, hours::Column::Work];
    let again = OnConflict::columns(key)
        .update_columns([hours::Column::Minutes, hours::Column::Note, hours::Column::WrittenAt])
        .to_owned();
    hours::Entity::insert(row).on_conflict(again).exec_without_returning(tx).await?;
    Ok(input)
}

/// The hours of a year in an area and below it; of this year when none is named.
///
/// # Errors
/// `not_allowed` for who sits nowhere over the area; `not_found` for an unknown area; `invalid_fields` for what is no year.
pub async fn year(
    db: &impl ConnectionTrait,
    actor: &Actor,
    (area, year): (&str, Option<i32>),
    now: DateTime<Utc>,
) -> Result<LegalYearView> {
    let (year, mut lines) = lines(db, actor, (area, year), now).await?;
    let officers = sums(&lines);
    lines.reverse();
    lines.truncate(SHOWN_LINES);
    Ok(LegalYearView { year, officers, lines })
}

/// The same as a table: a row for each line, by day.
///
/// # Errors
/// As [`year`].
pub async fn table(
    db: &impl ConnectionTrait,
    actor: &Actor,
    (area, year): (&str, Option<i32>),
    (format, now): (Format, DateTime<Utc>),
) -> Result<Vec<u8>> {
    let (year, lines) = lines(db, actor, (area, year), now).await?;
    let heads = ["day", "name", "area", "work", "minutes", "note", "late"];
    let heads = heads.map(|key| Cell::from(text::word("legal-table", key))).to_vec();
    let row = |one: LegalHoursLine| -> Vec<Cell> {
        let day = one.day.map_or_else(|| year.to_string(), |day| day.to_string());
        let words = [day, one.name, one.area_name, word(one.work)].map(Cell::from);
        let late = if one.is_late { text::word("legal-table", "late") } else { String::new() };
        words.into_iter().chain([Cell::Number(one.minutes.into()), Cell::from(one.note), Cell::from(late)]).collect()
    };
    whole(format, heads, lines.into_iter().map(row))
}

fn word(work: LegalWork) -> String {
    text::word("legal-work", &work.to_value())
}

/// The lines of a year, oldest first. On which days others mediated is theirs: of these the year is told alone, as far as its
/// months are over, or whoever looked every day would see on which of them it grew.
async fn lines(
    db: &impl ConnectionTrait,
    actor: &Actor,
    (area, year): (&str, Option<i32>),
    now: DateTime<Utc>,
) -> Result<(i32, Vec<LegalHoursLine>)> {
    if !actor.seats.iter().any(|seat| seat.covers(area)) {
        return Err(Code::NotAllowed.into());
    }
    areas::get(db, area).await?;
    let year = year.unwrap_or_else(|| clock::local_date(now).year());
    let mut checks = Checks::default();
    checks.require((2000..=2200).contains(&year), "year", "out_of_range");
    checks.done()?;
    let first = |year: i32| NaiveDate::from_ymd_opt(year, 1, 1).unwrap_or_default();
    let rows = hours::Entity::find()
        .filter(hours::Column::AreaCode.starts_with(area))
        .filter(hours::Column::Day.gte(first(year)))
        .filter(hours::Column::Day.lt(first(year + 1)))
        .order_by_asc(hours::Column::Day)
        .order_by_asc(hours::Column::PersonId)
        .limit(MAX_LINES)
        .all(db)
        .await?;
    let this_month = clock::local_date(now).with_day(1).unwrap_or_default();
    let is_told =
        |row: &hours::Model| row.work != LegalWork::Mediation || row.person_id == actor.person || row.day < this_month;
    Ok((year, shown(db, (actor, area), rows.into_iter().filter(is_told).collect()).await?))
}

async fn shown(
    db: &impl ConnectionTrait,
    (actor, area): (&Actor, &str),
    rows: Vec<hours::Model>,
) -> Result<Vec<LegalHoursLine>> {
    let people: BTreeSet<PersonId> = rows.iter().map(|row| row.person_id).collect();
    let codes: BTreeSet<&str> = rows.iter().map(|row| row.area_code.as_str()).chain([area]).collect();
    let areas = areas::names(db, codes.into_iter().map(str::to_owned).collect()).await?;
    let names = people::names(db, people.into_iter().collect()).await?;
    let mut lines: Vec<LegalHoursLine> = Vec::new();
    let mut hidden: BTreeMap<(PersonId, bool), i32> = BTreeMap::new();
    let line = |(person, code, work): (PersonId, String, LegalWork), minutes: i32| LegalHoursLine {
        day: None,
        person_id: person,
        name: names.get(&person).cloned().unwrap_or_default(),
        area_name: areas.get(&code).cloned().unwrap_or_default(),
        area_code: code,
        work,
        minutes,
        note: String::new(),
        is_late: false,
    };
    for row in rows {
        let is_late = is_late(&row);
        if row.work == LegalWork::Mediation && row.person_id != actor.person {
            *hidden.entry((row.person_id, is_late)).or_default() += row.minutes;
            continue;
        }
        let whose = (row.person_id, row.area_code, row.work);
        lines.push(LegalHoursLine { day: Some(row.day), note: row.note, is_late, ..line(whose, row.minutes) });
    }
    for ((person, is_late), minutes) in hidden {
        lines.push(LegalHoursLine { is_late, ..line((person, area.to_owned(), LegalWork::Mediation), minutes) });
    }
    Ok(lines)
}

/// Was it written down when the month of its day was over?
fn is_late(row: &hours::Model) -> bool {
    month(clock::local_date(row.written_at)) > month(row.day)
}

fn month(day: NaiveDate) -> (i32, u32) {
    (day.year(), day.month())
}

/// By officer, and by what for.
fn sums(lines: &[LegalHoursLine]) -> Vec<LegalYearOfficer> {
    type Sums = (i32, BTreeMap<LegalWork, i32>);
    let mut known: BTreeMap<(String, PersonId), Sums> = BTreeMap::new();
    for one in lines {
        let (late, works) = known.entry((one.name.clone(), one.person_id)).or_default();
        if one.minutes > 0 {
            *works.entry(one.work).or_default() += one.minutes;
        }
        *late += if one.is_late { one.minutes } else { 0 };
    }
    let sum = |((name, person_id), (late_minutes, works)): ((String, PersonId), Sums)| LegalYearOfficer {
        person_id,
        name,
        minutes: works.values().sum(),
        late_minutes,
        works: works.into_iter().map(|(work, minutes)| LegalWorkSum { work, minutes }).collect(),
    };
    known.into_iter().map(sum).collect()
}
