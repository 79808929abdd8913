//! `/streams/{id}/chains`: a list in a conversation to which everybody adds a row of their own.
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
    words::Words,
};
use crate::{
    app::{App, Path},
    chains::{ChainView, PutRow, StartChain, commands, queries::view},
    clock,
    error::Result,
    ids::StreamId,
    streams,
};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/streams/{id}/chains", get(ask).post(start))
        .route("/streams/{id}/chains/{seq}", get(show))
        .route("/streams/{id}/chains/{seq}/row", post(put).get(up))
        .route("/streams/{id}/chains/{seq}/close", post(close).get(up))
}

#[derive(Template)]
#[template(path = "chain_new.html")]
struct NewPage {
    page: Page,
    stream: StreamId,
    typed: Fields,
    wrong: Wrong,
}

async fn ask(State(app): State<App>, who: Resident, Path(id): Path<StreamId>) -> Result<Response> {
    asked(&app, &who, id, (Fields::default(), Wrong::default())).await
}

async fn asked(app: &App, who: &Resident, id: StreamId, (typed, wrong): (Fields, Wrong)) -> Result<Response> {
    streams::queries::readable(app.store.read(), &who.actor, id).await?;
    let page = who.page("page-chain-new").back(format!("/streams/{id}"));
    Ok(render_as(wrong.status(), &NewPage { page, stream: id, typed, wrong }))
}

async fn start(State(app): State<App>, who: Resident, Path(id): Path<StreamId>, form: Fields) -> Result<Response> {
    let read = || -> Result<StartChain> {
        Ok(StartChain {
            client_id: form.required("client_id")?,
            title: form.text("title").to_owned(),
            example: form.text("example").to_owned(),
            max_rows: form.optional("max_rows")?,
            closes_at: form.optional("closes_on")?.map(|day| clock::local(clock::end_of_day(day))),
        })
    };
    let actor = who.actor.clone();
    let started = match read() {
        Ok(input) => {
            app.store.write(move |tx| Box::pin(async move { commands::start(tx, &actor, (id, input)).await })).await
        }
        Err(error) => Err(error),
    };
    match started {
        Ok(sent) => Ok(see(&format!("/streams/{id}/chains/{}", sent.seq))),
        Err(error) => asked(&app, &who, id, (form, Wrong::from(error)?)).await,
    }
}

#[derive(Template)]
#[template(path = "chain.html")]
struct ChainPage {
    page: Page,
    stream: StreamId,
    seq: i64,
    chain: ChainView,
    is_open: bool,
    /// The own row's words and quantity, if there is one.
    own: Option<(String, i32)>,
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
    (mut typed, wrong): (Fields, Wrong),
) -> Result<Response> {
    let db = app.store.read();
    let (stream, _) = streams::queries::readable(db, &who.actor, id).await?;
    let chain = view(db, &who.actor, (id, seq)).await?;
    let own = chain.rows.iter().find(|row| row.person_id == who.actor.person);
    let own = own.map(|row| (row.text.clone(), row.quantity));
    if !wrong.is_any() {
        let (text, quantity) = own.clone().unwrap_or((String::new(), 1));
        typed.put("text", text);
        typed.put("quantity", quantity.to_string());
    }
    let is_open = chain.closed_at.is_none() && chain.closes_at.is_none_or(|at| at > app.local_now());
    let page = who.page("page-chain").back(format!("/streams/{id}#e{seq}")).at(format!("/streams/{id}/chains/{seq}"));
    let page = page.live(Live::one(&stream).unless(wrong.is_any()));
    Ok(render_as(wrong.status(), &ChainPage { page, stream: id, seq, chain, is_open, own, typed, wrong }))
}

/// Adds the own row, changes it, or takes it away.
async fn put(
    State(app): State<App>,
    who: Resident,
    Path((id, seq)): Path<(StreamId, i64)>,
    form: Fields,
) -> Result<Response> {
    let (actor, is_off) = (who.actor.clone(), form.has("do", "remove"));
    let row = form.required("quantity").map(|quantity| PutRow { text: form.text("text").to_owned(), quantity });
    let done = match row {
        _ if is_off => {
            app.store.write(move |tx| Box::pin(async move { commands::remove_row(tx, &actor, (id, seq)).await })).await
        }
        Ok(row) => {
            let put =
                app.store.write(move |tx| Box::pin(async move { commands::put_row(tx, &actor, (id, seq, row)).await }));
            put.await.map(drop)
        }
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => Ok(see(&format!("/streams/{id}/chains/{seq}"))),
        Err(error) => shown(&app, &who, (id, seq), (form, Wrong::from(error)?)).await,
    }
}

async fn close(State(app): State<App>, who: Resident, Path((id, seq)): Path<(StreamId, i64)>) -> Result<Response> {
    let actor = who.actor.clone();
    app.store.write(move |tx| Box::pin(async move { commands::close(tx, &actor, (id, seq)).await })).await?;
    Ok(see(&format!("/streams/{id}/chains/{seq}")))
}
