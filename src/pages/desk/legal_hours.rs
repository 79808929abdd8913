//! Hours of legal officers on the desk: written down by the officer, summed up for a year.
use askama::Template;
use axum::{extract::State, response::Response};
use sea_orm::Iterable;
use serde::Deserialize;

use super::frame::{Clerk, Desk, Draft, named, places, villages};
use crate::{
    app::{App, Query},
    areas::AreaName,
    bodies::{self, Right},
    clock,
    error::Result,
    legal::{LegalYearView, NoteLegalHours, hours, rules::LegalWork},
    pages::{
        fields::Fields,
        layout::{Page, encode, render_as, see},
        words::{Words, wire},
    },
    text,
};

/// Which area and year.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Filter {
    area: Option<String>,
    year: Option<i32>,
}

#[derive(Template)]
#[template(path = "desk/legal_hours.html")]
struct HoursPage {
    page: Page,
    desk: Desk,
    draft: Draft,
    areas: Vec<AreaName>,
    area: String,
    report: LegalYearView,
    /// Where the clerk, a legal officer, may write something down; nowhere else.
    villages: Vec<AreaName>,
    /// What time goes into.
    works: Vec<String>,
    today: String,
}

impl HoursPage {
    /// As people say how long something took.
    fn time(&self, minutes: &i32) -> String {
        text::say_with("legal-time", &[("h", (minutes / 60).into()), ("m", (minutes % 60).into())])
    }

    fn late(&self, minutes: &i32) -> String {
        text::say_with("desk-legal-late", &[("time", self.time(minutes).into())])
    }

    fn before(&self) -> i32 {
        self.report.year - 1
    }

    fn after(&self) -> i32 {
        self.report.year + 1
    }
}

/// The year of an area.
pub(super) async fn show(State(app): State<App>, clerk: Clerk, Query(filter): Query<Filter>) -> Result<Response> {
    shown(&app, &clerk, (filter, Draft::default())).await
}

async fn shown(app: &App, clerk: &Clerk, (filter, draft): (Filter, Draft)) -> Result<Response> {
    let db = app.store.read();
    let area = clerk.place(filter.area.as_deref());
    let mut codes = villages(db, bodies::areas_with(&clerk.actor, Right::NoteLegality)).await?;
    codes.sort();
    let shown = HoursPage {
        page: clerk.page(text::say("desk-legal-worked")).at("/desk/legal/hours"),
        desk: clerk.desk(),
        draft,
        areas: places(db, clerk, &area).await?,
        report: hours::year(db, &clerk.actor, (&area, filter.year), app.now()).await?,
        villages: named(db, codes).await?,
        works: LegalWork::iter().map(wire).collect(),
        today: clock::local_date(app.now()).to_string(),
        area,
    };
    Ok(render_as(shown.draft.status(), &shown))
}

/// Writes down what the clerk's time went into.
pub(super) async fn note(State(app): State<App>, clerk: Clerk, fields: Fields) -> Result<Response> {
    let area = fields.text("area_code").to_owned();
    match noted(&app, &clerk, &fields).await {
        Ok(()) => Ok(see(&format!("/desk/legal/hours?area={}", encode(&area)))),
        Err(error) => {
            let filter = Filter { area: Some(area), year: None };
            shown(&app, &clerk, (filter, Draft::refused("hours", fields, error)?)).await
        }
    }
}

async fn noted(app: &App, clerk: &Clerk, fields: &Fields) -> Result<()> {
    let input = NoteLegalHours {
        area_code: fields.text("area_code").to_owned(),
        day: fields.required("day")?,
        work: fields.choice("work")?,
        minutes: fields.required("minutes")?,
        note: fields.text("note").to_owned(),
    };
    let actor = clerk.actor.clone();
    app.store.write(move |tx| Box::pin(async move { hours::note(tx, &actor, input).await })).await.map(drop)
}
