//! `/figures`: how well each body answers and what it did, for everybody, month by month.
use askama::Template;
use axum::{Router, extract::State, response::Response};
use serde::Deserialize;

use super::{
    layout::{Page, Viewer, render},
    words::Words,
};
use crate::{
    app::{App, Query, routing::get},
    areas::{self, AreaName},
    county::work::{self, BodyWork},
    error::{Code, Result},
    suggestions::by_body::{self, BodyFigures},
};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/figures", get(show))
}

/// Which area, and when.
#[derive(Debug, Default, Deserialize)]
struct Asked {
    area: Option<String>,
    period: Option<String>,
}

#[derive(Template)]
#[template(path = "figures.html")]
struct FiguresPage {
    page: Page,
    path: Vec<AreaName>,
    below: Vec<areas::Area>,
    area: String,
    period: String,
    figures: Vec<BodyFigures>,
    work: Vec<BodyWork>,
}

async fn show(State(app): State<App>, viewer: Viewer, Query(asked): Query<Asked>) -> Result<Response> {
    let db = app.store.read();
    let own = viewer.actor.as_ref().map(|actor| actor.area.clone());
    let area = match asked.area.filter(|area| !area.is_empty()).or(own) {
        Some(area) => area,
        None => areas::queries::children(db, None).await?.into_iter().next().ok_or(Code::NotFound)?.code,
    };
    let period = asked.period.filter(|text| !text.is_empty()).unwrap_or_else(|| by_body::last_month(app.now()));
    let figures = by_body::by_body(&app, (&area, &period)).await?;
    let work = work::work(&app, (&area, &period)).await?;
    let (path, below) = (areas::path_names(db, &area).await?, areas::queries::children(db, Some(&area)).await?);
    Ok(render(&FiguresPage { page: viewer.page("page-figures"), path, below, area, period, figures, work }))
}
