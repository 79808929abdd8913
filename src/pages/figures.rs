//! `/figures`: how well each body answers and what it did, for everybody, month by month.
use askama::Template;
use axum::{Router, extract::State, response::Response};
use chrono::{DateTime, Datelike, Months, Utc};
use serde::Deserialize;

use super::{
    layout::{Page, Viewer, render},
    words::Words,
};
use crate::{
    app::{App, Query, routing::get},
    areas::{self, AreaName},
    clock,
    county::work::{self, BodyWork},
    error::{Code, Result},
    suggestions::by_body::{self, BodyFigures},
    text,
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
    /// Those to choose from, as they are asked for and as they are called.
    periods: Vec<(String, String)>,
    figures: Vec<BodyFigures>,
    work: Vec<BodyWork>,
}

impl FiguresPage {
    fn is_chosen(&self, period: &str) -> bool {
        self.period == period
    }

    fn is_listed(&self) -> bool {
        self.periods.iter().any(|(period, _)| self.is_chosen(period))
    }
}

/// Periods that are over, the newest first: the months of a year, and two years.
fn periods(now: DateTime<Utc>) -> Vec<(String, String)> {
    let today = clock::local_date(now);
    let first = today.with_day(1).unwrap_or(today);
    let months = (1..=12).filter_map(|back| first.checked_sub_months(Months::new(back)));
    let months = months.map(|month| {
        let blanks = [("y", month.year().to_string().into()), ("m", month.month().into())];
        (month.format("%Y-%m").to_string(), text::say_with("page-figures-month", &blanks))
    });
    let years = (1..=2).map(|back| (today.year() - back).to_string());
    let years = years.map(|year| (year.clone(), text::say_with("page-figures-year", &[("y", year.into())])));
    months.chain(years).collect()
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
    let (page, periods) = (viewer.page("page-figures"), periods(app.now()));
    Ok(render(&FiguresPage { page, path, below, area, period, periods, figures, work }))
}
