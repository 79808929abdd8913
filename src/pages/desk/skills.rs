//! 人才库 and needs on the desk: who can do what, as far as it may be known, and what the clerk's bodies look for.
use askama::Template;
use axum::{extract::State, response::Response};
use serde::Deserialize;

use super::frame::{Clerk, Desk, Draft, places};
use crate::{
    actor::HeldSeat,
    app::{App, Query},
    areas::AreaName,
    bodies::Right,
    error::Result,
    pages::{
        fields::Fields,
        layout::{Page, encode, render_as, see},
        words::Words,
    },
    skills::{
        NeedView, PostNeed, SkillFound, entries, needs,
        rules::{finds, typed},
    },
    text,
};

/// Which area, and what is looked for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Filter {
    area: Option<String>,
    find: Option<String>,
}

#[derive(Template)]
#[template(path = "desk/skills.html")]
struct SkillsPage {
    page: Page,
    desk: Desk,
    draft: Draft,
    areas: Vec<AreaName>,
    area: String,
    find: String,
    found: Vec<SkillFound>,
    needs: Vec<NeedView>,
    /// The bodies in whose name the clerk may post a need here.
    seats: Vec<HeldSeat>,
}

/// The page.
pub(super) async fn show(State(app): State<App>, clerk: Clerk, Query(filter): Query<Filter>) -> Result<Response> {
    shown(&app, &clerk, (filter, Draft::default())).await
}

async fn shown(app: &App, clerk: &Clerk, (filter, draft): (Filter, Draft)) -> Result<Response> {
    let db = app.store.read();
    let area = clerk.place_with(Right::FindSkills, filter.area)?;
    let find: String = filter.find.unwrap_or_default().chars().take(60).collect();
    let seats = clerk.actor.seats.iter().filter(|seat| seat.serves(&area) && finds(seat)).cloned().collect();
    let mut areas = places(db, clerk, &area).await?;
    areas.retain(|one| clerk.may(Right::FindSkills, &one.code));
    let shown = SkillsPage {
        page: clerk.page(text::say("desk-skills")).at("/desk/skills"),
        desk: clerk.desk(),
        draft,
        areas,
        found: entries::find(db, &clerk.actor, (&area, &find), app.now()).await?,
        needs: needs::list(db, &clerk.actor, (&area, app.now())).await?,
        seats,
        find,
        area,
    };
    Ok(render_as(shown.draft.status(), &shown))
}

/// Posts a need.
pub(super) async fn post(State(app): State<App>, clerk: Clerk, fields: Fields) -> Result<Response> {
    let area = fields.text("area").to_owned();
    match posted(&app, &clerk, &fields).await {
        Ok(()) => Ok(see(&format!("/desk/skills?area={}", encode(&area)))),
        Err(error) => {
            let filter = Filter { area: Some(area), find: None };
            shown(&app, &clerk, (filter, Draft::refused("need", fields, error)?)).await
        }
    }
}

async fn posted(app: &App, clerk: &Clerk, fields: &Fields) -> Result<()> {
    let input = PostNeed {
        area_code: fields.text("area").to_owned(),
        body_id: fields.required("body_id")?,
        title: fields.text("title").to_owned(),
        text: fields.text("text").to_owned(),
        tags: typed(fields.text("tags")),
        contact: fields.text("contact").to_owned(),
        until_on: fields.required("until_on")?,
    };
    let post = app.once(clerk.actor.clone(), fields.key(), "post_need", input, |tx, actor, input| {
        Box::pin(needs::post(tx, actor, input))
    });
    post.await.map(drop)
}
