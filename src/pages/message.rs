//! `/streams/{id}/messages/{seq}`: one message, and what one may do about it.
use askama::Template;
use axum::{Router, extract::State, response::Response};
use serde::Deserialize;

use super::{
    fields::{Fields, Wrong},
    layout::{Page, Resident, render_as, see, up},
    thread::{self, Said, opened},
    words::Words,
};
use crate::{
    app::{
        App, Path, Query,
        routing::{get, post},
    },
    chains,
    error::{Code, Result},
    ids::{PersonId, StreamId},
    reports::{self, ReportMessage},
    streams::{
        Access, RECALL_WITHIN,
        commands::{self, PinMessage, RecallMessage},
        queries::{self, Page as ReceiptsPage, Receipts},
    },
};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/streams/{id}/messages/{seq}", get(show))
        .route("/streams/{id}/messages/{seq}/recall", post(recall).merge(get(up)))
        .route("/streams/{id}/messages/{seq}/pin", post(pin).merge(get(up)))
        .route("/streams/{id}/messages/{seq}/reports", post(report).merge(get(up)))
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
    /// It stands as it was said.
    is_spoken: bool,
    /// It was said by somebody else in a conversation in which one may report.
    may_report: bool,
    typed: Fields,
    wrong: Wrong,
}

/// Which of those who have not read are named.
#[derive(Default, Deserialize)]
struct Names {
    after: Option<PersonId>,
}

async fn show(
    State(app): State<App>,
    who: Resident,
    Path(place): Path<(StreamId, i64)>,
    Query(names): Query<Names>,
) -> Result<Response> {
    shown(&app, &who, (place, names), (Fields::default(), Wrong::default())).await
}

async fn shown(
    app: &App,
    who: &Resident,
    ((id, seq), names): ((StreamId, i64), Names),
    (typed, wrong): (Fields, Wrong),
) -> Result<Response> {
    let db = app.store.read();
    let (stream, access) = queries::readable(db, &who.actor, id).await?;
    let entry =
        opened(app, &who.actor, id, seq).await?.filter(|entry| ["message", "chain"].contains(&entry.kind.as_str()));
    let entry = entry.ok_or(Code::NotFound)?;
    let receipts = ReceiptsPage { cursor: names.after, ..ReceiptsPage::default() };
    let said = thread::bubble(app, &who.actor, (id, entry)).await?.ok_or(Code::NotFound)?;
    let is_spoken = said.line.is_none();
    let page = MessagePage {
        page: who.page("page-message").back(format!("/streams/{id}")).at(format!("/streams/{id}/messages/{seq}")),
        stream: id,
        receipts: queries::receipts(app, &who.actor, (id, seq, receipts)).await?,
        may_write: access == Access::Write,
        may_recall: said.is_mine && said.at + RECALL_WITHIN > app.local_now(),
        leads: queries::leads(db, &who.actor, id).await?,
        is_spoken,
        may_report: is_spoken && !said.is_mine && reports::may_be_reported(&stream.kind),
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
    let done = app
        .store
        .write(move |tx| Box::pin(async move { chains::commands::take_back(tx, &actor, (id, seq, input)).await }))
        .await;
    match done {
        Ok(_) => Ok(see(&format!("/streams/{id}#e{seq}"))),
        Err(error) => shown(&app, &who, ((id, seq), Names::default()), (form, Wrong::from(error)?)).await,
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
        Err(error) => shown(&app, &who, ((id, seq), Names::default()), (form, Wrong::from(error)?)).await,
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
        Err(error) => shown(&app, &who, ((id, seq), Names::default()), (form, Wrong::from(error)?)).await,
    }
}
