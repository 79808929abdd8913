//! `/matters/{id}/arguments`: what was said for and against a matter, what else is known, and other ways of doing it with what
//! became of them, beside one another.
use std::collections::HashMap;

use askama::Template;
use axum::{Router, extract::State, response::Response};

use super::{
    layout::{Page, Resident, render},
    thread::{Said, argued},
    words::Words,
};
use crate::{
    app::{App, Path, routing::get},
    error::{Code, Result},
    ids::MatterId,
    matters::{
        EvidenceView,
        queries::{alternative_answers, standing},
    },
    streams::{Side, StreamKind, queries},
};

/// The sides, in the order of the columns.
const SIDES: [Side; 4] = [Side::For, Side::Against, Side::Info, Side::Alternative];

pub(super) fn routes() -> Router<App> {
    Router::new().route("/matters/{id}/arguments", get(show))
}

#[derive(Template)]
#[template(path = "arguments.html")]
struct ArgumentsPage {
    page: Page,
    columns: Vec<(&'static str, Vec<Said>)>,
    answers: HashMap<i64, EvidenceView>,
    /// The matter goes on only when every other way of doing it was answered.
    asks_answers: bool,
}

impl ArgumentsPage {
    fn answer(&self, one: &Said) -> Option<&EvidenceView> {
        self.answers.get(&one.seq)
    }
}

/// For who may read the discussion.
async fn show(State(app): State<App>, who: Resident, Path(id): Path<MatterId>) -> Result<Response> {
    let db = app.store.read();
    let stream = queries::find(db, StreamKind::Discussion, &id.to_string()).await?.ok_or(Code::NotFound)?;
    let (stream, _) = queries::readable(db, &who.actor, stream).await?;
    let mut columns: Vec<(&'static str, Vec<Said>)> = SIDES.map(|side| (side.as_str(), Vec::new())).into();
    for one in argued(&app, &who.actor, (stream.id, None)).await? {
        let column = columns.iter_mut().find(|(side, _)| one.side.as_deref() == Some(*side));
        if let Some((_, said)) = column {
            said.push(one);
        }
    }
    let standing = standing(db, id).await?;
    let answers = alternative_answers(db, &standing).await?;
    let asks_answers = standing.asks("alternative");
    let page = who.page("page-arguments").back(format!("/matters/{id}"));
    Ok(render(&ArgumentsPage { page, columns, answers, asks_answers }))
}
