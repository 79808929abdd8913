//! Bodies on the desk: who sits where in the clerk's areas; who manages bodies fills and ends seats.
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
    bodies::{self, BodyView, By, Right, commands::TakeSeat},
    error::{Code, Result},
    ids::{BodyId, PersonId, SeatId},
    pages::{
        fields::Fields,
        layout::{Page, encode, render_as, see},
        words::Words,
    },
    text,
};

/// Roles that the form offers; which of them a body has, the command says.
const ROLES: [&str; 8] =
    ["chair", "vice_chair", "secretary", "clerk", "member", "grid_worker", "legal_officer", "social_worker"];

/// Which area, and whom to look for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Filter {
    area: Option<String>,
    find: Option<String>,
}

#[derive(Template)]
#[template(path = "desk/bodies.html")]
struct BodiesPage {
    page: Page,
    desk: Desk,
    draft: Draft,
    areas: Vec<AreaName>,
    area: String,
    bodies: Vec<BodyView>,
    may_manage: bool,
    roles: Vec<(&'static str, String)>,
    find: String,
    found: Vec<Found>,
}

/// The page.
pub(super) async fn show(State(app): State<App>, clerk: Clerk, Query(filter): Query<Filter>) -> Result<Response> {
    shown(&app, &clerk, (filter, Draft::default())).await
}

async fn shown(app: &App, clerk: &Clerk, (filter, draft): (Filter, Draft)) -> Result<Response> {
    let db = app.store.read();
    let area = clerk.place(filter.area.as_deref());
    let may_manage = clerk.may(Right::ManageBodies, &area);
    let find = Find::named(filter.find);
    let shown = BodiesPage {
        page: clerk.page(text::say("desk-bodies")).at("/desk/bodies"),
        desk: clerk.desk(),
        draft,
        areas: places(db, clerk, &area).await?,
        bodies: bodies::bodies_in(db, &area, app.now()).await?,
        found: if may_manage { search(db, &area, &find).await? } else { Vec::new() },
        find: find.words(),
        may_manage,
        roles: ROLES.iter().map(|role| (*role, text::say(&format!("body-role-{role}")))).collect(),
        area,
    };
    Ok(render_as(shown.draft.status(), &shown))
}

/// Fills a seat, or ends one.
pub(super) async fn act(
    State(app): State<App>,
    clerk: Clerk,
    Path(form): Path<String>,
    fields: Fields,
) -> Result<Response> {
    let area = fields.text("area").to_owned();
    let done = match form.as_str() {
        "seat" => take(&app, &clerk, &fields).await,
        "end" => end(&app, &clerk, &fields).await,
        _ => Err(Code::NotFound.into()),
    };
    match done {
        Ok(()) => Ok(see(&format!("/desk/bodies?area={}", encode(&area)))),
        Err(error) => {
            let filter = Filter { area: Some(area), find: fields.given("find").map(str::to_owned) };
            shown(&app, &clerk, (filter, Draft::refused(&form, fields, error)?)).await
        }
    }
}

async fn take(app: &App, clerk: &Clerk, fields: &Fields) -> Result<()> {
    let body: BodyId = fields.required("body_id")?;
    let input = TakeSeat {
        person_id: fields.required::<PersonId>("person_id")?,
        role: fields.choice("role")?,
        kind: None,
        route: None,
        term_id: None,
        starts_on: None,
        ends_on: fields.optional("ends_on")?,
    };
    let take = app.once(clerk.actor.clone(), fields.key(), "take_seat", (body, input), |tx, actor, input| {
        Box::pin(bodies::take_seat(tx, By::Actor(actor), input))
    });
    take.await.map(drop)
}

async fn end(app: &App, clerk: &Clerk, fields: &Fields) -> Result<()> {
    let seat: SeatId = fields.required("seat_id")?;
    let end = app.once(clerk.actor.clone(), fields.key(), "end_seat", seat, |tx, actor, seat| {
        Box::pin(bodies::end_seat(tx, By::Actor(actor), seat))
    });
    end.await.map(drop)
}
