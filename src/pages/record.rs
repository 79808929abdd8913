//! `/record/{matter}`: everything that led from the first voice to the evaluation, on one page, fit to be printed.
use askama::Template;
use axum::{Router, extract::State, response::Response};

use super::{
    layout::{Page, Viewer, render},
    words::Words,
};
use crate::{
    app::{App, Path, routing::get},
    error::Result,
    ids::MatterId,
    votes::{MatterRecord, matter_record},
};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/record/{id}", get(show))
}

#[derive(Template)]
#[template(path = "record.html")]
struct RecordPage {
    page: Page,
    record: MatterRecord,
}

impl RecordPage {
    /// Voices that joined and are not among those shown.
    fn voices_left(&self) -> u64 {
        let voices = &self.record.matter.voices;
        voices.count.saturating_sub(voices.items.len() as u64)
    }
}

async fn show(State(app): State<App>, viewer: Viewer, Path(id): Path<MatterId>) -> Result<Response> {
    let record = matter_record(&app, id).await?;
    let page = viewer.page("page-record").back(format!("/matters/{id}"));
    Ok(render(&RecordPage { page, record }))
}
