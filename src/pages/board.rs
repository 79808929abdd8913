//! `/board/{vote}`: the public board of a vote, one's own ballot on it, and the check by the browser itself.
use askama::Template;
use axum::{Router, extract::State, response::Response};
use chrono::DateTime;
use serde::Deserialize;

use super::{
    layout::{Page, Viewer, render},
    words::{Words, moment},
};
use crate::{
    app::{App, Path, Query, routing::get},
    board::{
        HeadView,
        queries::{self as boards, BoardEntryView, EntriesQuery, ProofView},
    },
    clock,
    error::{Code, Error, Result},
    ids::VoteId,
    votes::{VoteView, queries, verify},
};

/// Leaves on one page.
const ON_A_PAGE: u64 = 50;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/board/{id}", get(show))
}

#[derive(Template)]
#[template(path = "board.html")]
struct BoardPage {
    page: Page,
    vote: VoteView,
    head: HeadView,
    signed_at: String,
    has_result: bool,
    asked: String,
    proof: Option<ProofView>,
    entries: Vec<BoardEntryView>,
    from: u64,
    next: Option<u64>,
    words: &'static [&'static str],
}

#[derive(Default, Deserialize)]
struct Asked {
    /// Digest of a ballot.
    #[serde(default)]
    h: String,
    /// The first leaf to be shown.
    #[serde(default)]
    from: u32,
}

async fn show(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<VoteId>,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    let db = app.store.read();
    let (vote, head) = (queries::vote(db, id).await?, boards::newest(db, id).await?);
    let wanted = EntriesQuery { from: Some(asked.from), limit: Some(ON_A_PAGE) };
    let shown = boards::entries(db, id, &wanted).await?;
    let hash = asked.h.trim().to_lowercase();
    let proof = match hash.len() {
        0 => None,
        _ => match boards::proof(&app, id, &hash).await {
            Ok(proof) => Some(proof),
            Err(error) if error.code() == Code::NotFound => None,
            Err(error) => return Err(error),
        },
    };
    let from = u64::from(asked.from);
    let next = Some(from + ON_A_PAGE).filter(|next| *next < shown.n);
    let page = viewer.page("page-board").back(format!("/votes/{id}"));
    let signed_at = DateTime::parse_from_rfc3339(&head.t).map(|at| moment(&clock::local(at.to_utc())));
    let signed_at = signed_at.map_err(Error::broken)?;
    let has_result = queries::is_decided(&vote.state);
    let (entries, words) = (shown.items, verify::FAULTS);
    Ok(render(&BoardPage { page, vote, head, signed_at, has_result, asked: hash, proof, entries, from, next, words }))
}
