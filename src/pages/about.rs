//! `/log`: what anybody may check.
use askama::Template;
use axum::{Router, extract::State, response::Response};

use super::{
    layout::{Page, Viewer, render},
    words::Words,
};
use crate::{
    app::{App, routing::get},
    error::Result,
    events::{self, Head},
};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/log", get(log))
}

#[derive(Template)]
#[template(path = "log.html")]
struct LogPage {
    page: Page,
    head: Option<Head>,
}

async fn log(State(app): State<App>, viewer: Viewer) -> Result<Response> {
    Ok(render(&LogPage { page: viewer.page("page-log"), head: events::head(&app.store).await? }))
}
