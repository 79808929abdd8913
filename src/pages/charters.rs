//! `/charters`: what a village's assembly allowed: paths by charter, and what its representatives may decide; for everybody.
use askama::Template;
use axum::{Router, extract::State, response::Response};

use super::{
    fields::WhichArea,
    layout::{Page, Viewer, render},
    words::Words,
};
use crate::{
    app::{App, Query, routing::get},
    areas,
    error::Result,
    matters::{AuthorisationView, CharterView, queries},
    text,
};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/charters", get(show))
}

#[derive(Template)]
#[template(path = "charters.html")]
struct ChartersPage {
    page: Page,
    charters: Vec<CharterView>,
    authorisations: Vec<AuthorisationView>,
}

async fn show(State(app): State<App>, viewer: Viewer, Query(which): Query<WhichArea>) -> Result<Response> {
    let db = app.store.read();
    let own = viewer.actor.as_ref().map(|actor| actor.area.clone());
    let area = which.area.or(own).unwrap_or_default();
    let name = areas::name(db, &area).await?;
    let title = text::say_with("page-charters-of", &[("area", name.into())]);
    let page = viewer.page("page-charters").titled(title).back("/matters").at("/charters");
    let charters = queries::charters(db, &area).await?;
    let authorisations = queries::authorisations(db, &area).await?;
    Ok(render(&ChartersPage { page, charters, authorisations }))
}
