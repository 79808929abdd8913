//! `/streams/{id}/options`: how one wants to be told of a conversation, who belongs to it, and leaving it.
use askama::Template;
use axum::{Router, extract::State, response::Response};

use chrono::TimeDelta;

use super::{
    fields::{Fields, Wrong},
    group,
    layout::{Page, Resident, render_as, see, up},
    words::Words,
};
use crate::{
    app::{
        App, Path,
        routing::{get, post},
    },
    error::{Code, Result},
    groups::{self, AddMembers},
    ids::{PersonId, StreamId},
    streams::{
        StreamKind, StreamView,
        commands::{self, Mute, SetOptions},
        queries::{self, Reader},
    },
};

/// For how long one may be left in peace.
const HOURS: [i64; 3] = [8, 24, 168];

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/streams/{id}/options", get(show).merge(post(set)))
        .route("/streams/{id}/members", post(add).merge(get(up)))
        .route("/streams/{id}/members/remove", post(remove).merge(get(up)))
}

#[derive(Template)]
#[template(path = "options.html")]
struct OptionsPage {
    page: Page,
    stream: StreamView,
    members: Vec<Reader>,
    me: PersonId,
    is_group: bool,
    leads: bool,
    typed: Fields,
    wrong: Wrong,
}

async fn show(State(app): State<App>, who: Resident, Path(id): Path<StreamId>) -> Result<Response> {
    shown(&app, &who, id, (Fields::default(), Wrong::default())).await
}

async fn shown(app: &App, who: &Resident, id: StreamId, (typed, wrong): (Fields, Wrong)) -> Result<Response> {
    let db = app.store.read();
    let stream = queries::one(app, &who.actor, id).await?;
    let members = match queries::members(app, &who.actor, id).await {
        Err(error) if error.code() == Code::NotFound => Vec::new(),
        members => members?,
    };
    let shown = OptionsPage {
        page: who.page("page-options").back(format!("/streams/{id}")).at(format!("/streams/{id}/options")),
        is_group: stream.kind == StreamKind::Group.as_str(),
        leads: queries::leads(db, &who.actor, id).await?,
        me: who.actor.person,
        stream,
        members,
        typed,
        wrong,
    };
    Ok(render_as(shown.wrong.status(), &shown))
}

async fn set(State(app): State<App>, who: Resident, Path(id): Path<StreamId>, form: Fields) -> Result<Response> {
    match keep(&app, &who, id, &form).await {
        Ok(()) => Ok(see(&format!("/streams/{id}"))),
        Err(error) => shown(&app, &who, id, (form, Wrong::from(error)?)).await,
    }
}

async fn keep(app: &App, who: &Resident, id: StreamId, form: &Fields) -> Result<()> {
    let mute: Mute = form.choice("mute")?;
    let hours = form.optional::<i64>("mute_for")?.filter(|hours| HOURS.contains(hours) && mute != Mute::Nothing);
    let mute_until = hours.map(|hours| app.local_now() + TimeDelta::hours(hours));
    let options = SetOptions { mute: Some(mute), mute_until, is_pinned: Some(form.has("is_pinned", "1")) };
    let actor = who.actor.clone();
    app.store.write(move |tx| Box::pin(async move { commands::set_options(tx, &actor, id, options).await })).await
}

/// Adds those whose names were written down, or makes a member a leader.
async fn add(State(app): State<App>, who: Resident, Path(id): Path<StreamId>, form: Fields) -> Result<Response> {
    match bring_in(&app, &who, id, &form).await {
        Ok(()) => Ok(see(&format!("/streams/{id}/options"))),
        Err(error) => shown(&app, &who, id, (form, Wrong::from(error)?)).await,
    }
}

async fn bring_in(app: &App, who: &Resident, id: StreamId, form: &Fields) -> Result<()> {
    let leader = form.optional::<PersonId>("lead")?;
    let people = match leader {
        Some(person) => vec![person],
        None => group::named(app, &who.actor, form).await?,
    };
    let (actor, input) = (who.actor.clone(), AddMembers { people, lead: leader.is_some() });
    app.store.write(move |tx| Box::pin(async move { groups::commands::add(tx, &actor, (id, input)).await })).await
}

async fn remove(State(app): State<App>, who: Resident, Path(id): Path<StreamId>, form: Fields) -> Result<Response> {
    match take_out(&app, &who, id, &form).await {
        Ok(person) if person == who.actor.person => Ok(see("/")),
        Ok(_) => Ok(see(&format!("/streams/{id}/options"))),
        Err(error) => shown(&app, &who, id, (form, Wrong::from(error)?)).await,
    }
}

async fn take_out(app: &App, who: &Resident, id: StreamId, form: &Fields) -> Result<PersonId> {
    let (actor, person) = (who.actor.clone(), form.required("person_id")?);
    let left =
        app.store.write(move |tx| Box::pin(async move { groups::commands::remove(tx, &actor, (id, person)).await }));
    left.await.map(|()| person)
}
