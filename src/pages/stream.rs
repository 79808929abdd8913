//! `/streams/{id}`: a conversation, newest at the end, with a box to write in where one may.
use askama::Template;
use axum::{
    Router,
    extract::State,
    response::Response,
    routing::{get, post},
};

use super::{
    fields::{Fields, Wrong},
    layout::{Live, Page, Resident, render_as, see, up},
    thread::{self, Older, Thread},
    words::Words,
};
use crate::{
    app::{App, Path, Query},
    error::Result,
    ids::StreamId,
    streams::{Access, Stream, queries},
};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/streams/{id}", get(show)).route("/streams/{id}/messages", post(send).get(up))
}

#[derive(Template)]
#[template(path = "stream.html")]
struct StreamPage {
    page: Page,
    stream: Stream,
    thread: Thread,
    may_write: bool,
    typed: Fields,
    wrong: Wrong,
}

async fn show(
    State(app): State<App>,
    who: Resident,
    Path(id): Path<StreamId>,
    Query(older): Query<Older>,
) -> Result<Response> {
    shown(&app, &who, id, (older.before, Fields::default(), Wrong::default())).await
}

async fn shown(
    app: &App,
    who: &Resident,
    id: StreamId,
    (before, typed, wrong): (Option<i64>, Fields, Wrong),
) -> Result<Response> {
    let (stream, access) = queries::readable(app.store.read(), &who.actor, id).await?;
    let thread = thread::thread(app, &who.actor, &stream, before).await?;
    if before.is_none() {
        thread::seen(app, &who.actor, &stream);
    }
    let page = who.page("page-stream").titled(stream.title.clone()).at(format!("/streams/{id}"));
    let page = page.live(Live::one(&stream).unless(wrong.is_any()));
    Ok(render_as(
        wrong.status(),
        &StreamPage { page, thread, may_write: access == Access::Write, stream, typed, wrong },
    ))
}

async fn send(State(app): State<App>, who: Resident, Path(id): Path<StreamId>, form: Fields) -> Result<Response> {
    match thread::send(&app, who.actor.clone(), id, &form).await {
        Ok(()) => Ok(see(&format!("/streams/{id}#say"))),
        Err(error) => shown(&app, &who, id, (None, form, Wrong::from(error)?)).await,
    }
}
