//! `/log` and `/privacy`: what anybody may check, and what becomes of what people say.
use askama::Template;
use axum::{Router, extract::State, response::Response, routing::get};

use super::{
    layout::{Page, Viewer, render},
    words::Words,
};
use crate::{
    app::App,
    error::Result,
    events::{self, Head},
};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/log", get(log)).route("/privacy", get(privacy))
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

#[derive(Template)]
#[template(path = "privacy.html")]
struct PrivacyPage {
    page: Page,
}

async fn privacy(viewer: Viewer) -> Response {
    render(&PrivacyPage { page: viewer.page("page-privacy") })
}
