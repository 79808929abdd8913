//! `/streams/{id}`: a conversation, newest at the end, with a box to write in where one may.
use askama::Template;
use axum::{
    Router,
    extract::{DefaultBodyLimit, State},
    response::Response,
};

use super::{
    compose::{self, Compose, Unsent},
    fields::{Fields, Form, MAX_FILES_BODY},
    layout::{Live, Page, Resident, render_as, see, up},
    thread::{self, Older, Thread},
    words::Words,
};
use crate::{
    app::{
        App, Path, Query,
        routing::{get, post},
    },
    bodies::duty::{self, DutyView},
    error::Result,
    ids::StreamId,
    moderation::{self, HeldView, SetReview},
    streams::{Access, Stream, StreamKind, queries},
};

pub(super) fn routes() -> Router<App> {
    let send = Router::new().route("/streams/{id}/messages", post(send).merge(get(up)));
    Router::new()
        .route("/streams/{id}", get(show))
        .route("/streams/{id}/review", post(set_review).merge(get(up)))
        .merge(send.layer(DefaultBodyLimit::max(MAX_FILES_BODY)))
}

#[derive(Template)]
#[template(path = "stream.html")]
struct StreamPage {
    page: Page,
    stream: Stream,
    thread: Thread,
    compose: Option<Compose>,
    may_chain: bool,
    /// Of a conversation with an office: whether somebody answers now.
    duty: Option<DutyView>,
    /// What the viewer said here and nobody else sees yet.
    held: Vec<HeldView>,
    /// Whether messages are looked at first, for who leads the conversation.
    review: Option<Review>,
}

/// How it stands with looking at messages first.
struct Review {
    is_on: bool,
    waiting: Vec<HeldView>,
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
    let duty = match stream.body_id.filter(|_| stream.kind == StreamKind::Contact.as_str()) {
        Some(body) => Some(duty::on_duty(app.store.read(), body, app.now()).await?),
        None => None,
    };
    let held = moderation::queries::own(app, &who.actor, Some(id)).await?;
    let review = review(app, who, &stream).await?;
    let page = who.page("page-stream").titled(title(&stream, who)).at(format!("/streams/{id}"));
    let page = page.live(Live::one(&stream).unless(is_refused));
    let may_chain = compose.is_some() && crate::chains::KINDS.iter().any(|kind| kind.as_str() == stream.kind);
    Ok(render_as(status, &StreamPage { page, thread, compose, may_chain, duty, held, review, stream }))
}

async fn review(app: &App, who: &Resident, stream: &Stream) -> Result<Option<Review>> {
    let db = app.store.read();
    let can_be = [StreamKind::Discussion, StreamKind::Group].iter().any(|kind| kind.as_str() == stream.kind);
    if !can_be || !queries::leads(db, &who.actor, stream.id).await? {
        return Ok(None);
    }
    let is_on = moderation::queries::is_reviewed(db, stream.id).await?;
    Ok(Some(Review { is_on, waiting: moderation::queries::waiting_in(app, &who.actor, stream.id).await? }))
}

/// Looks at messages first, or no longer.
async fn set_review(State(app): State<App>, who: Resident, Path(id): Path<StreamId>, form: Fields) -> Result<Response> {
    let (actor, input) = (who.actor.clone(), SetReview { is_on: form.has("is_on", "1") });
    app.store
        .write(move |tx| Box::pin(async move { moderation::commands::set_review(tx, &actor, (id, input)).await }))
        .await?;
    Ok(see(&format!("/streams/{id}")))
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
        None => Ok(see(&format!("/streams/{id}#newest"))),
        Some(unsent) => shown(&app, &who, id, (Older::default(), unsent)).await,
    }
}
