//! `/streams/{id}/messages/{seq}`: one message, and what one may do about it.
use askama::Template;
use axum::{
    Router,
    extract::State,
    response::Response,
    routing::{get, post},
};

use super::{
    fields::{Fields, Wrong},
    layout::{Page, Resident, render_as, see, up},
    thread::{self, Said, opened},
    words::Words,
};
use crate::{
    app::{App, Path},
    error::{Code, Result},
    ids::StreamId,
    reports::{self, ReportMessage},
    streams::{
        Access, RECALL_WITHIN,
        commands::{self, PinMessage, RecallMessage},
        queries::{self, Receipts},
    },
};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/streams/{id}/messages/{seq}", get(show))
        .route("/streams/{id}/messages/{seq}/recall", post(recall).get(up))
        .route("/streams/{id}/messages/{seq}/pin", post(pin).get(up))
        .route("/streams/{id}/messages/{seq}/reports", post(report).get(up))
}

#[derive(Template)]
#[template(path = "message.html")]
struct MessagePage {
    page: Page,
    stream: StreamId,
    said: Said,
    receipts: Receipts,
    may_write: bool,
    may_recall: bool,
    leads: bool,
    /// It was said by somebody else in a conversation in which one may report.
    may_report: bool,
    typed: Fields,
    wrong: Wrong,
}

async fn show(State(app): State<App>, who: Resident, Path(place): Path<(StreamId, i64)>) -> Result<Response> {
    shown(&app, &who, place, (Fields::default(), Wrong::default())).await
}

async fn shown(
    app: &App,
    who: &Resident,
    (id, seq): (StreamId, i64),
    (typed, wrong): (Fields, Wrong),
) -> Result<Response> {
    let db = app.store.read();
    let (stream, access) = queries::readable(db, &who.actor, id).await?;
    let entry = opened(app, &who.actor, id, seq).await?.filter(|entry| entry.kind == "message");
    let entry = entry.ok_or(Code::NotFound)?;
    let said = thread::bubble(app, &who.actor, entry).await?.ok_or(Code::NotFound)?;
    let page = MessagePage {
        page: who.page("page-message").back(format!("/streams/{id}")).at(format!("/streams/{id}/messages/{seq}")),
        stream: id,
        receipts: queries::receipts(app, &who.actor, (id, seq)).await?,
        may_write: access == Access::Write,
        may_recall: said.is_mine && said.at + RECALL_WITHIN > app.local_now(),
        leads: queries::leads(db, &who.actor, id).await?,
        may_report: said.is_message && !said.is_mine && reports::may_be_reported(&stream.kind),
        said,
        typed,
        wrong,
    };
    Ok(render_as(page.wrong.status(), &page))
}

async fn recall(
    State(app): State<App>,
    who: Resident,
    Path((id, seq)): Path<(StreamId, i64)>,
    form: Fields,
) -> Result<Response> {
    let (actor, input) = (who.actor.clone(), RecallMessage { reason: form.text("reason").trim().to_owned() });
    let done =
        app.store.write(move |tx| Box::pin(async move { commands::recall(tx, &actor, (id, seq, input)).await })).await;
    match done {
        Ok(_) => Ok(see(&format!("/streams/{id}#e{seq}"))),
        Err(error) => shown(&app, &who, (id, seq), (form, Wrong::from(error)?)).await,
    }
}

async fn pin(
    State(app): State<App>,
    who: Resident,
    Path((id, seq)): Path<(StreamId, i64)>,
    form: Fields,
) -> Result<Response> {
    let (actor, input) = (who.actor.clone(), PinMessage { is_pinned: form.has("on", "1") });
    let done =
        app.store.write(move |tx| Box::pin(async move { commands::pin(tx, &actor, (id, seq, input)).await })).await;
    match done {
        Ok(_) => Ok(see(&format!("/streams/{id}"))),
        Err(error) => shown(&app, &who, (id, seq), (form, Wrong::from(error)?)).await,
    }
}

async fn report(
    State(app): State<App>,
    who: Resident,
    Path((id, seq)): Path<(StreamId, i64)>,
    form: Fields,
) -> Result<Response> {
    let (actor, input) = (who.actor.clone(), ReportMessage { reason: form.text("reason").to_owned() });
    let done = app
        .store
        .write(move |tx| Box::pin(async move { reports::commands::report(tx, &actor, (id, seq, input)).await }))
        .await;
    match done {
        Ok(_) => Ok(see(&format!("/streams/{id}#e{seq}"))),
        Err(error) => shown(&app, &who, (id, seq), (form, Wrong::from(error)?)).await,
    }
}
