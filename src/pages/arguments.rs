//! `/matters/{id}/arguments`: what was said for and against a matter, and what else is known, beside one another.
use askama::Template;
use axum::{Router, extract::State, response::Response, routing::get};

use super::{
    layout::{Page, Resident, render},
    thread::{Said, argued},
    words::Words,
};
use crate::{
    app::{App, Path},
    error::{Code, Result},
    ids::MatterId,
    streams::{StreamKind, queries},
};

/// The sides, in the order of the columns.
const SIDES: [&str; 3] = ["for", "against", "info"];

pub(super) fn routes() -> Router<App> {
    Router::new().route("/matters/{id}/arguments", get(show))
}

#[derive(Template)]
#[template(path = "arguments.html")]
struct ArgumentsPage {
    page: Page,
    columns: Vec<(&'static str, Vec<Said>)>,
}

/// For who may read the discussion.
async fn show(State(app): State<App>, who: Resident, Path(id): Path<MatterId>) -> Result<Response> {
    let db = app.store.read();
    let stream = queries::find(db, StreamKind::Discussion, &id.to_string()).await?.ok_or(Code::NotFound)?;
    let (stream, _) = queries::readable(db, &who.actor, stream).await?;
    let mut columns: Vec<(&'static str, Vec<Said>)> = SIDES.map(|side| (side, Vec::new())).into();
    for one in argued(&app, &who.actor, stream.id).await? {
        let column = columns.iter_mut().find(|(side, _)| one.side.as_deref() == Some(*side));
        if let Some((_, said)) = column {
            said.push(one);
        }
    }
    let page = who.page("page-arguments").back(format!("/matters/{id}"));
    Ok(render(&ArgumentsPage { page, columns }))
}
