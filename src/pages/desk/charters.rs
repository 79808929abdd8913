//! 章程 on the desk: what a village's own rules allow; the committee's chair writes it down and ends it.
use askama::Template;
use axum::{extract::State, response::Response};
use serde::Deserialize;

use super::frame::{Clerk, Desk, Draft, places};
use crate::{
    app::{App, Path, Query},
    areas::AreaName,
    bodies::Right,
    clock,
    error::{Code, Result},
    ids::CharterId,
    matters::{self, AdoptCharter, CharterView, TemplateKey, commands},
    pages::{
        fields::Fields,
        layout::{Page, encode, render_as, see},
        words::Words,
    },
    text,
};

/// Which area.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Filter {
    area: Option<String>,
}

#[derive(Template)]
#[template(path = "desk/charters.html")]
struct ChartersPage {
    page: Page,
    desk: Desk,
    draft: Draft,
    areas: Vec<AreaName>,
    area: String,
    charters: Vec<CharterView>,
    may_adopt: bool,
    today: String,
}

/// The page.
pub(super) async fn show(State(app): State<App>, clerk: Clerk, Query(filter): Query<Filter>) -> Result<Response> {
    shown(&app, &clerk, (filter.area.as_deref(), Draft::default())).await
}

async fn shown(app: &App, clerk: &Clerk, (area, draft): (Option<&str>, Draft)) -> Result<Response> {
    let db = app.store.read();
    let area = clerk.place(area);
    let shown = ChartersPage {
        page: clerk.page(text::say("desk-charters")).at("/desk/charters"),
        desk: clerk.desk(),
        draft,
        areas: places(db, clerk, &area).await?,
        charters: matters::queries::charters(db, &area).await?,
        may_adopt: clerk.may(Right::BendPath, &area),
        today: clock::local_date(app.now()).to_string(),
        area,
    };
    Ok(render_as(shown.draft.status(), &shown))
}

/// Writes one down, or ends it.
pub(super) async fn act(
    State(app): State<App>,
    clerk: Clerk,
    Path(form): Path<String>,
    fields: Fields,
) -> Result<Response> {
    let area = fields.text("area").to_owned();
    let done = match form.as_str() {
        "adopt" => adopt(&app, &clerk, &fields).await,
        "end" => end(&app, &clerk, &fields).await,
        _ => Err(Code::NotFound.into()),
    };
    match done {
        Ok(()) => Ok(see(&format!("/desk/charters?area={}", encode(&area)))),
        Err(error) => shown(&app, &clerk, (Some(&area), Draft::refused(&form, fields, error)?)).await,
    }
}

async fn adopt(app: &App, clerk: &Clerk, fields: &Fields) -> Result<()> {
    let input = AdoptCharter {
        area_code: fields.text("area").to_owned(),
        template: TemplateKey::Short,
        adopted_on: fields.required("adopted_on")?,
        source: fields.text("source").to_owned(),
    };
    let adopt = app.once(clerk.actor.clone(), fields.key(), "adopt_charter", input, |tx, actor, input| {
        Box::pin(commands::adopt_charter(tx, actor, input))
    });
    adopt.await.map(drop)
}

async fn end(app: &App, clerk: &Clerk, fields: &Fields) -> Result<()> {
    let id: CharterId = fields.required("charter_id")?;
    let end = app.once(clerk.actor.clone(), fields.key(), "end_charter", id, |tx, actor, id| {
        Box::pin(commands::end_charter(tx, actor, id))
    });
    end.await.map(drop)
}
