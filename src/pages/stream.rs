//! `/streams/{id}`: a conversation, newest at the end, with a box to write in where one may.
use askama::Template;
use axum::{
    Router,
    extract::{DefaultBodyLimit, State},
    response::Response,
    routing::{get, post},
};

use super::{
    compose::{self, Compose, Form, Unsent},
    fields::MAX_FILES_BODY,
    layout::{Live, Page, Resident, render_as, see, up},
    thread::{self, Older, Thread},
    words::Words,
};
use crate::{
    app::{App, Path, Query},
    error::Result,
    ids::StreamId,
    streams::{Access, Stream, StreamKind, queries},
};

pub(super) fn routes() -> Router<App> {
    let send = Router::new().route("/streams/{id}/messages", post(send).get(up));
    Router::new().route("/streams/{id}", get(show)).merge(send.layer(DefaultBodyLimit::max(MAX_FILES_BODY)))
}

#[derive(Template)]
#[template(path = "stream.html")]
struct StreamPage {
    page: Page,
    stream: Stream,
    thread: Thread,
    compose: Option<Compose>,
    may_chain: bool,
}

async fn show(
    State(app): State<App>,
    who: Resident,
    Path(id): Path<StreamId>,
    Query(older): Query<Older>,
) -> Result<Response> {
    shown(&app, &who, id, (older, Unsent::default())).await
}

async fn shown(app: &App, who: &Resident, id: StreamId, (older, unsent): (Older, Unsent)) -> Result<Response> {
    let (stream, access) = queries::readable(app.store.read(), &who.actor, id).await?;
    let thread = thread::thread(app, &who.actor, &stream, older.before).await?;
    if older.before.is_none() {
        thread::seen(app, &who.actor, &stream);
    }
    let (is_refused, status) = (unsent.wrong.is_any(), unsent.wrong.status());
    let compose = match access {
        Access::Write => {
            let to = (&stream, format!("/streams/{id}/messages"));
            Some(Compose::new(app, &who.actor, to, (older.reply, unsent)).await?)
        }
        _ => None,
    };
    let page = who.page("page-stream").titled(title(&stream, who)).at(format!("/streams/{id}"));
    let page = page.live(Live::one(&stream).unless(is_refused));
    let may_chain = compose.is_some() && crate::chains::KINDS.iter().any(|kind| kind.as_str() == stream.kind);
    Ok(render_as(status, &StreamPage { page, thread, compose, may_chain, stream }))
}

/// The conversation with an office is headed by the office for the resident, by both for the office.
fn title(stream: &Stream, who: &Resident) -> String {
    let is_own = stream.subject_id.ends_with(&who.actor.person.to_string());
    if is_own && stream.kind == StreamKind::Contact.as_str() { office_of(&stream.title) } else { stream.title.clone() }
}

/// The office in the title of a conversation with it.
pub(super) fn office_of(title: &str) -> String {
    title.split('·').next().unwrap_or_default().to_owned()
}

async fn send(State(app): State<App>, who: Resident, Path(id): Path<StreamId>, form: Form) -> Result<Response> {
    match compose::send(&app, who.actor.clone(), id, form).await? {
        None => Ok(see(&format!("/streams/{id}#say"))),
        Some(unsent) => shown(&app, &who, id, (Older::default(), unsent)).await,
    }
}
