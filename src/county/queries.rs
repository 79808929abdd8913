//! Reads for whoever runs the county: areas with their counts, and bodies whose terms end.
use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use sea_orm::ConnectionTrait;

use super::rules::{self, Band};
use crate::{
    actor::Actor,
    areas::{self, Area, AreaName, VILLAGE_CODE},
    bodies::{self, BodyView, TermView},
    clock,
    error::{Code, Result},
    ids::{BodyId, TermId},
    matters, people,
    rights::{self, Right},
    suggestions::{self, Visibility},
};

/// A term that ends within this many days wants a successor.
const SOON_DAYS: i64 = 90;

/// An area, what lies directly below it, and how many.
#[derive(Clone, Debug)]
pub struct Overview {
    /// From the county down to the area.
    pub path: Vec<AreaName>,
    /// The area itself with everything below it.
    pub whole: Line,
    /// What lies directly below it, by code.
    pub parts: Vec<Line>,
}

/// One area with its counts.
#[derive(Clone, Debug)]
pub struct Line {
    /// The area.
    pub area: Area,
    /// People on the rosters.
    pub people: i64,
    /// Bodies at it and below it.
    pub bodies: i64,
    /// Matters under way.
    pub matters: i64,
    /// Of these, past the due date of their stage.
    pub late_matters: i64,
    /// Voices that wait.
    pub voices: Band,
    /// Of these, past their deadline.
    pub late_voices: Band,
}

#[derive(Clone, Copy, Default)]
struct Counts {
    people: i64,
    bodies: i64,
    matters: i64,
    late_matters: i64,
    voices: i64,
    late_voices: i64,
}

impl Counts {
    fn add(&mut self, other: Self) {
        self.people += other.people;
        self.bodies += other.bodies;
        self.matters += other.matters;
        self.late_matters += other.late_matters;
        self.voices += other.voices;
        self.late_voices += other.late_voices;
    }

    fn line(self, area: Area) -> Line {
        Line {
            area,
            people: self.people,
            bodies: self.bodies,
            matters: self.matters,
            late_matters: self.late_matters,
            voices: rules::band(self.voices),
            late_voices: rules::band(self.late_voices),
        }
    }
}

/// The area that is asked for, or the first that the actor runs.
///
/// # Errors
/// `not_found` without the right there.
pub fn place(actor: &Actor, asked: Option<&str>) -> Result<String> {
    let asked = asked.filter(|code| !code.is_empty());
    let area = match asked {
        Some(code) => Some(code.to_owned()),
        None => rights::areas_with(actor, Right::OperateCounty).into_iter().next(),
    };
    area.filter(|code| rights::may(actor, Right::OperateCounty, code)).ok_or_else(|| Code::NotFound.into())
}

/// An area and what lies below it, with counts.
///
/// # Errors
/// `not_found` for an area that is not there.
pub async fn overview(db: &impl ConnectionTrait, code: &str, now: DateTime<Utc>) -> Result<Overview> {
    let area = areas::get(db, code).await?;
    let below = areas::queries::children(db, Some(code)).await?;
    let mut parts = counts(db, code, now).await?;
    let mut whole = Counts::default();
    parts.values().for_each(|one| whole.add(*one));
    Ok(Overview {
        path: areas::path_names(db, code).await?,
        whole: whole.line(area),
        parts: below.into_iter().map(|area| parts.remove(&area.code).unwrap_or_default().line(area)).collect(),
    })
}

/// Counts by area of the next level; a village must not see in its own line that somebody spoke to the town alone.
async fn counts(db: &impl ConnectionTrait, above: &str, now: DateTime<Utc>) -> Result<HashMap<String, Counts>> {
    let mut parts: HashMap<String, Counts> = HashMap::new();
    let mut add = |code: &str, counts: Counts| {
        parts.entry(rules::child_of(above, code).to_owned()).or_default().add(counts);
    };
    for (code, people) in people::queries::count_by_area(db, above).await? {
        add(&code, Counts { people, ..Counts::default() });
    }
    for (code, bodies) in bodies::queries::count_by_area(db, above).await? {
        add(&code, Counts { bodies, ..Counts::default() });
    }
    for row in matters::queries::under_way_by_area(db, above, now).await? {
        let late_matters = row.overdue.unwrap_or(0);
        add(&row.area_code, Counts { matters: row.open, late_matters, ..Counts::default() });
    }
    let is_village = above.len() >= VILLAGE_CODE;
    for row in suggestions::waiting_by_area(db, above, now).await? {
        if is_village && row.visibility == Visibility::Town {
            continue;
        }
        let code = match row.visibility {
            Visibility::Town => row.area_code.get(..9).unwrap_or(&row.area_code).to_owned(),
            Visibility::Public | Visibility::Handlers => row.area_code,
        };
        let (voices, late_voices) = (row.waiting.unwrap_or(0), row.overdue.unwrap_or(0));
        add(&code, Counts { voices, late_voices, ..Counts::default() });
    }
    Ok(parts)
}

/// A body with its newest term, and who sits in it until when.
#[derive(Clone, Debug)]
pub struct Seated {
    /// The body and its seats.
    pub view: BodyView,
    /// Its newest term.
    pub term: Option<TermView>,
    ends: HashMap<TermId, NaiveDate>,
}

impl Seated {
    /// Last day of a seat: its own, or that of its term.
    #[must_use]
    pub fn until(&self, seat: &bodies::SeatView) -> Option<NaiveDate> {
        let of_term = seat.term_id.and_then(|id| self.ends.get(&id).copied());
        seat.ends_on.into_iter().chain(of_term).min()
    }
}

/// The bodies of exactly this area.
///
/// # Errors
/// `not_found` for an unknown area.
pub async fn bodies_of(db: &impl ConnectionTrait, area: &str, now: DateTime<Utc>) -> Result<Vec<Seated>> {
    let views = bodies::bodies_in(db, area, now).await?;
    let terms = bodies::queries::terms(db, Some(views.iter().map(|view| view.body.id).collect())).await?;
    let seated = |view: BodyView| {
        let own = || terms.iter().filter(|term| term.body_id == view.body.id);
        Seated { term: own().next().cloned(), ends: own().map(|term| (term.id, term.ends_on)).collect(), view }
    };
    Ok(views.into_iter().map(seated).collect())
}

/// A body whose newest term has ended or ends soon.
#[derive(Clone, Debug)]
pub struct Ending {
    /// Its name.
    pub name: String,
    /// Code of the first area that it covers.
    pub area: String,
    /// Last day.
    pub ends_on: NaiveDate,
    /// Is that day over? Then nobody sits in it any more.
    pub is_over: bool,
}

/// Bodies in an area and below it whose newest term has ended or ends within ninety days, the first to end first.
///
/// # Errors
/// When the database cannot be read.
pub async fn ending(db: &impl ConnectionTrait, above: &str, now: DateTime<Utc>) -> Result<Vec<Ending>> {
    let today = clock::local_date(now);
    let mut newest: HashMap<BodyId, NaiveDate> = HashMap::new();
    for term in bodies::queries::terms(db, None).await? {
        newest.entry(term.body_id).or_insert(term.ends_on);
    }
    newest.retain(|_, ends_on| *ends_on <= today + TimeDelta::days(SOON_DAYS));
    let found = bodies::queries::bodies(db, newest.keys().copied().collect()).await?;
    let mut ending: Vec<Ending> = found
        .into_iter()
        .filter_map(|body| {
            let ends_on = newest.get(&body.id).copied()?;
            let area = body.areas.into_iter().find(|code| crate::actor::covers(above, code))?;
            Some(Ending { name: body.name, area, ends_on, is_over: ends_on < today })
        })
        .collect();
    ending.sort_by(|one, other| (one.ends_on, &one.area).cmp(&(other.ends_on, &other.area)));
    Ok(ending)
}
