//! `/bodies/{id}`: a body for everybody: who sits in it, who sat in its terms, the election that comes, what a council did.
use askama::Template;
use axum::{Router, extract::State, response::Response};

use super::{
    layout::{Page, Viewer, render},
    words::Words,
};
use crate::{
    app::{App, Path, routing::get},
    bodies::{
        self, SeatView,
        elections::{self, ElectionView, TermHistory},
        queries::Body,
        services::{self, ServiceView},
    },
    error::Result,
    ids::BodyId,
};

/// Things that a council did, of which the page shows so many.
const SHOWN: usize = 20;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/bodies/{id}", get(show))
}

#[derive(Template)]
#[template(path = "body.html")]
struct BodyPage {
    page: Page,
    body: Body,
    seats: Vec<SeatView>,
    election: Option<ElectionView>,
    terms: Vec<TermHistory>,
    services: Vec<ServiceView>,
}

async fn show(State(app): State<App>, viewer: Viewer, Path(id): Path<BodyId>) -> Result<Response> {
    let db = app.store.read();
    let body = bodies::get(db, id).await?;
    let terms = elections::history(db, id).await?;
    let mut services = services::list(db, id).await?;
    services.truncate(SHOWN);
    let shown = BodyPage {
        page: viewer.page("page-body").titled(body.name.clone()).at(format!("/bodies/{id}")),
        seats: bodies::members_of(db, id, app.now()).await?,
        election: terms.iter().find_map(|term| term.election.clone()),
        body,
        terms,
        services,
    };
    Ok(render(&shown))
}
