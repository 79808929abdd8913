//! `/search`: find words in one's own conversations. What is looked for is no part of an address.
use askama::Template;
use axum::{Router, extract::State, response::Response};

use super::{
    fields::{Fields, Wrong},
    layout::{Page, Resident, render_as},
    thread::{self, Said},
    words::Words,
};
use crate::{
    app::{
        App,
        routing::{get, post},
    },
    error::Result,
    ids::StreamId,
    streams::queries::{self, Search},
};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/search", get(show).merge(post(find)))
}

#[derive(Template)]
#[template(path = "search.html")]
struct SearchPage {
    page: Page,
    /// `None` before anything was looked for.
    found: Option<Vec<Hit>>,
    typed: Fields,
    wrong: Wrong,
}

/// One entry that was found, and where.
struct Hit {
    stream: StreamId,
    title: String,
    said: Said,
}

fn page(who: &Resident, found: Option<Vec<Hit>>, (typed, wrong): (Fields, Wrong)) -> Response {
    render_as(wrong.status(), &SearchPage { page: who.page("page-search"), found, typed, wrong })
}

async fn show(who: Resident) -> Response {
    page(&who, None, (Fields::default(), Wrong::default()))
}

async fn find(State(app): State<App>, who: Resident, form: Fields) -> Result<Response> {
    let search = Search { text: form.text("text").to_owned() };
    let found = match queries::search(&app, &who.actor, &search).await {
        Ok(found) => found,
        Err(error) => return Ok(page(&who, None, (form, Wrong::from(error)?))),
    };
    let mut hits: Vec<Hit> = Vec::new();
    for one in found {
        let Some(said) = thread::bubble(&app, &who.actor, (one.stream_id, one.entry)).await? else { continue };
        if !hits.iter().any(|hit| is_same_card(&hit.said, &said)) {
            hits.push(Hit { stream: one.stream_id, title: one.stream_title, said });
        }
    }
    Ok(page(&who, Some(hits), (form, Wrong::default())))
}

/// What happens to a matter is told in its village's channel, its discussion and each voice's thread: found once.
fn is_same_card(one: &Said, other: &Said) -> bool {
    let (Some(card), Some(copy)) = (&one.card, &other.card) else { return false };
    card.title == copy.title && one.text == other.text && (one.at - other.at).num_seconds().abs() < 60
}
