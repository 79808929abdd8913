//! `/streams/{id}/chains`: a list in a conversation to which everybody adds a row of their own.
use askama::Template;
use axum::{Router, extract::State, response::Response};

use super::{
    fields::{Fields, Wrong},
    layout::{Live, Page, Resident, render_as, see, up},
    words::Words,
};
use crate::{
    app::{
        App, Path,
        routing::{get, post},
    },
    chains::{
        ChainView, PutRow, Slot, StartChain, commands,
        queries::{ChainRowView, view},
    },
    clock,
    error::{Code, Result},
    ids::StreamId,
    people, streams,
};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/streams/{id}/chains", get(ask).merge(post(start)))
        .route("/streams/{id}/chains/{seq}", get(show))
        .route("/streams/{id}/chains/{seq}/row", post(put).merge(get(up)))
        .route("/streams/{id}/chains/{seq}/close", post(close).merge(get(up)))
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
            slot: if form.has("slot", "household") { Slot::Household } else { Slot::Person },
            fields: form
                .text("fields")
                .lines()
                .map(str::trim)
                .filter(|name| !name.is_empty())
                .map(Into::into)
                .collect(),
        })
    };
    let (actor, words) = (who.actor.clone(), app.words.clone());
    let started = match read() {
        Ok(input) => {
            let start = app
                .store
                .write(move |tx| Box::pin(async move { commands::start(tx, &words, &actor, (id, input)).await }));
            start.await
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
    /// There is a row of the own, or of the own household.
    has_own: bool,
    is_of_households: bool,
    /// Names of the list's fields with what stands in the own row.
    cells: Vec<(String, String)>,
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
    let chain = view(app, &who.actor, (id, seq)).await?;
    // it was taken back or taken away
    let chain = Some(chain).filter(|chain| !chain.title.is_empty()).ok_or(Code::NotFound)?;
    let is_of_households = chain.slot == Slot::Household.as_str();
    let household = if is_of_households {
        people::queries::person(db, who.actor.person).await?.map(|person| person.household)
    } else {
        None
    };
    let is_own = |row: &&ChainRowView| row.is_mine || (row.household.is_some() && row.household == household);
    let own = chain.rows.iter().find(is_own).cloned();
    if !wrong.is_any() {
        let (text, quantity) = own.as_ref().map_or((String::new(), 1), |row| (row.text.clone(), row.quantity));
        typed.put("text", text);
        typed.put("quantity", quantity.to_string());
    }
    let given: Vec<String> = typed.all("cell").map(str::to_owned).collect();
    let given = if wrong.is_any() { given } else { own.as_ref().map(|row| row.cells.clone()).unwrap_or_default() };
    let cell = |(place, name): (usize, &String)| (name.clone(), given.get(place).cloned().unwrap_or_default());
    let cells = chain.fields.iter().enumerate().map(cell).collect();
    let is_open = chain.closed_at.is_none() && chain.closes_at.is_none_or(|at| at > app.local_now());
    let page = who.page("page-chain").back(format!("/streams/{id}#e{seq}")).at(format!("/streams/{id}/chains/{seq}"));
    let page = page.live(Live::one(&stream).unless(wrong.is_any()));
    let has_own = own.is_some();
    let shown = ChainPage { page, stream: id, seq, chain, is_open, has_own, is_of_households, cells, typed, wrong };
    Ok(render_as(shown.wrong.status(), &shown))
}

/// Adds the own row, changes it, or takes it away.
async fn put(
    State(app): State<App>,
    who: Resident,
    Path((id, seq)): Path<(StreamId, i64)>,
    form: Fields,
) -> Result<Response> {
    let (actor, is_off) = (who.actor.clone(), form.has("do", "remove"));
    let row = form.required("quantity").map(|quantity| PutRow {
        text: form.text("text").to_owned(),
        quantity,
        cells: form.all("cell").map(str::to_owned).collect(),
    });
    let done = match row {
        _ if is_off => {
            app.store.write(move |tx| Box::pin(async move { commands::remove_row(tx, &actor, (id, seq)).await })).await
        }
        Ok(row) => {
            let words = app.words.clone();
            let put = app
                .store
                .write(move |tx| Box::pin(async move { commands::put_row(tx, &words, &actor, (id, seq, row)).await }));
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
