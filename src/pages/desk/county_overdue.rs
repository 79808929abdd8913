//! Everything that is late, on one screen of the county's desk: voices without a word of them, matters, tasks, and what else
//! somebody was promised until a day: answers to objections and challenges, contracts looked at, phones bound, rosters put right.
use std::collections::HashMap;

use askama::Template;
use axum::{extract::State, response::Response};
use chrono::{DateTime, FixedOffset, Utc};

use super::{
    county::{Operator, TABS},
    frame::{Desk, Due},
};
use crate::{
    app::{App, Query},
    areas::{self, AreaName},
    claims, clock,
    county::queries,
    error::Result,
    legal, matters, notices,
    pages::{
        fields::WhichArea,
        layout::{Page, render},
        words::Words,
    },
    privacy,
    suggestions::by_body::{self, BodyFigures, LateVoices},
    tasks::{self, TaskView},
    text,
    votes::queries::at_office::{self, Said},
};

/// Of each of the other things so many are listed.
const MOST: u64 = 200;

#[derive(Template)]
#[template(path = "desk/county_overdue.html")]
struct OverduePage {
    page: Page,
    desk: Desk,
    tabs: [(&'static str, &'static str); 7],
    here: &'static str,
    path: Vec<AreaName>,
    below: Vec<areas::Area>,
    voices: LateVoices,
    /// How many there are, and the first of them.
    matters: (u64, Vec<matters::queries::Late>),
    tasks: (u64, Vec<TaskView>),
    others: Vec<Other>,
    figures: Vec<BodyFigures>,
    names: HashMap<String, String>,
    now: DateTime<FixedOffset>,
}

/// Something else that somebody waits for; not whose it is.
struct Other {
    /// What, as a word.
    what: String,
    area: String,
    due_at: DateTime<FixedOffset>,
}

impl OverduePage {
    fn place(&self, code: &str) -> String {
        self.names.get(code).map_or(code, String::as_str).to_owned()
    }

    /// Days since, counted as on the desk of whoever is late.
    fn late(&self, due: &DateTime<FixedOffset>) -> i64 {
        Due::seen(*due, self.now.to_utc()).days_late
    }

    fn late_voices(&self) -> u64 {
        self.voices.items.len() as u64 + self.voices.more
    }

    /// How many there are beside those that are shown.
    fn more_matters(&self) -> u64 {
        self.matters.0.saturating_sub(self.matters.1.len() as u64)
    }

    fn more_tasks(&self) -> u64 {
        self.tasks.0.saturating_sub(self.tasks.1.len() as u64)
    }

    fn when(&self, late: &matters::queries::Late) -> DateTime<FixedOffset> {
        late.stage_due_at.map_or(self.now, clock::local)
    }
}

/// The page.
pub(super) async fn show(
    State(app): State<App>,
    Operator(clerk): Operator,
    Query(place): Query<WhichArea>,
) -> Result<Response> {
    let area = queries::place(&clerk.actor, place.area.as_deref())?;
    let (db, now) = (app.store.read(), app.now());
    let voices = by_body::late(db, &clerk.actor, (&area, now)).await?;
    let late = matters::queries::late(db, (&area, now)).await?;
    let tasks = tasks::queries::late(db, (&area, now)).await?;
    let others = others(&app, &area).await?;
    let codes = voices.items.iter().map(|one| one.area_code.clone());
    let codes = codes.chain(late.1.iter().map(|one| one.area_code.clone()));
    let codes = codes.chain(tasks.1.iter().map(|one| one.area_code.clone()));
    let codes = codes.chain(others.iter().map(|one| one.area.clone())).collect();
    Ok(render(&OverduePage {
        page: clerk.page(text::say("county-overdue")),
        desk: clerk.desk(),
        tabs: TABS,
        here: "county-overdue",
        path: areas::path_names(db, &area).await?,
        below: areas::queries::children(db, Some(&area)).await?,
        names: areas::names(db, codes).await?,
        figures: by_body::by_body(&app, (&area, &by_body::last_month(now))).await?,
        now: app.local_now(),
        voices,
        matters: late,
        tasks,
        others,
    }))
}

/// What else is late in an area and below it, the longest first.
async fn others(app: &App, area: &str) -> Result<Vec<Other>> {
    let (db, of) = (app.store.read(), (area, app.now(), MOST));
    let other = |key: &str, area: String, due_at: DateTime<Utc>| Other {
        what: text::say(key),
        area,
        due_at: clock::local(due_at),
    };
    let plain = [
        ("county-overdue-objections", notices::queries::unanswered(db, of).await?),
        ("desk-contracts", legal::late::contracts(db, of).await?),
        ("desk-claims", claims::queries::late(db, of).await?),
        ("desk-corrections", privacy::corrections_late(db, of).await?),
    ];
    let mut others: Vec<Other> = Vec::new();
    for (key, found) in plain {
        others.extend(found.into_iter().map(|(area, due_at)| other(key, area, due_at)));
    }
    for (said, area, due_at) in at_office::late(db, &app.calendar, of).await? {
        let key = match said {
            Said::Objection | Said::Strike => "county-overdue-rolls",
            Said::Challenge => "county-overdue-challenges",
            Said::Count => "county-overdue-paper",
            Said::Restored => "county-overdue-restored",
            Said::Halted => "county-overdue-halted",
        };
        others.push(other(key, area, due_at));
    }
    others.sort_by_key(|one| one.due_at);
    Ok(others)
}
