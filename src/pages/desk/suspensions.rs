//! Suspensions on the desk: whose speaking in public rests in the clerk's areas; who may, suspends and lifts.
use askama::Template;
use axum::{extract::State, response::Response};
use serde::Deserialize;

use super::{
    frame::{Clerk, Desk, Draft, places},
    sheets::{Find, Found, search},
};
use crate::{
    app::{App, Path, Query},
    areas::AreaName,
    bodies::Right,
    error::{Code, Result},
    ids::{PersonId, SuspensionId},
    pages::{
        fields::Fields,
        layout::{Page, encode, render_as, see},
        words::Words,
    },
    suspensions::{self, LiftSuspension, SuspendSpeaking, SuspensionView},
    text,
};

/// Which area, and whom to look for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Filter {
    area: Option<String>,
    find: Option<String>,
}

#[derive(Template)]
#[template(path = "desk/suspensions.html")]
struct SuspensionsPage {
    page: Page,
    desk: Desk,
    draft: Draft,
    areas: Vec<AreaName>,
    area: String,
    running: Vec<SuspensionView>,
    find: String,
    found: Vec<Found>,
}

/// The page.
pub(super) async fn show(State(app): State<App>, clerk: Clerk, Query(filter): Query<Filter>) -> Result<Response> {
    shown(&app, &clerk, (filter, Draft::default())).await
}

async fn shown(app: &App, clerk: &Clerk, (filter, draft): (Filter, Draft)) -> Result<Response> {
    let db = app.store.read();
    let area = clerk.place_with(Right::SuspendSpeaking, filter.area)?;
    let find = Find::named(filter.find);
    let shown = SuspensionsPage {
        page: clerk.page(text::say("desk-suspensions")).at("/desk/suspensions"),
        desk: clerk.desk(),
        draft,
        areas: places(db, clerk, &area).await?,
        running: suspensions::running_in(db, &clerk.actor, (&area, app.now())).await?,
        found: search(db, &area, &find).await?,
        find: find.words(),
        area,
    };
    Ok(render_as(shown.draft.status(), &shown))
}

/// Suspends somebody, or lifts a suspension.
pub(super) async fn act(
    State(app): State<App>,
    clerk: Clerk,
    Path(form): Path<String>,
    fields: Fields,
) -> Result<Response> {
    let area = fields.text("area").to_owned();
    let done = match form.as_str() {
        "suspend" => suspend(&app, &clerk, &fields).await,
        "lift" => lift(&app, &clerk, &fields).await,
        _ => Err(Code::NotFound.into()),
    };
    match done {
        Ok(()) => Ok(see(&format!("/desk/suspensions?area={}", encode(&area)))),
        Err(error) => {
            let filter = Filter { area: Some(area), find: fields.given("find").map(str::to_owned) };
            shown(&app, &clerk, (filter, Draft::refused(&form, fields, error)?)).await
        }
    }
}

async fn suspend(app: &App, clerk: &Clerk, fields: &Fields) -> Result<()> {
    let input = SuspendSpeaking {
        person_id: fields.required::<PersonId>("person_id")?,
        reason: fields.text("reason").to_owned(),
        days: fields.required("days")?,
    };
    let input = (fields.text("area").to_owned(), input);
    let suspend = app.once(clerk.actor.clone(), fields.key(), "suspend_speaking", input, |tx, actor, input| {
        Box::pin(suspensions::suspend(tx, actor, input))
    });
    suspend.await.map(drop)
}

async fn lift(app: &App, clerk: &Clerk, fields: &Fields) -> Result<()> {
    let id: SuspensionId = fields.required("suspension_id")?;
    let input = (id, LiftSuspension { reason: fields.text("reason").to_owned() });
    let lift = app.once(clerk.actor.clone(), fields.key(), "lift_suspension", input, |tx, actor, input| {
        Box::pin(suspensions::lift(tx, actor, input))
    });
    lift.await.map(drop)
}
