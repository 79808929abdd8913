//! `/groups/new`: bring people together; and `/contacts`: the way to the office of the own village.
use askama::Template;
use axum::{Router, extract::State, response::Response};
use sea_orm::ConnectionTrait;

use super::{
    fields::{Fields, Wrong},
    layout::{Page, Resident, render_as, see, up},
    words::Words,
};
use crate::{
    actor::{Actor, HeldSeat},
    app::{
        App,
        routing::{get, post},
    },
    bodies::{self, Right, queries::SeatView},
    error::{Checks, Code, Result},
    groups::{self, OpenGroup},
    ids::{BodyId, PersonId},
    people::queries::{Named, named as who_is},
    streams,
};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/groups/new", get(ask).merge(post(open))).route("/contacts", post(contact).merge(get(up)))
}

#[derive(Template)]
#[template(path = "group_new.html")]
struct NewPage {
    page: Page,
    /// The bodies that may, each with those who sit in it.
    bodies: Vec<(BodyId, String, Vec<SeatView>)>,
    me: PersonId,
    typed: Fields,
    wrong: Wrong,
}

/// Seats by which the actor may bring people together.
fn seats(actor: &Actor) -> impl Iterator<Item = &HeldSeat> {
    actor.seats.iter().filter(|seat| bodies::rights(&seat.body_kind, &seat.role).contains(&Right::OpenGroup))
}

/// May the actor open a group?
pub fn may_open(actor: &Actor) -> bool {
    seats(actor).next().is_some()
}

async fn ask(State(app): State<App>, who: Resident) -> Result<Response> {
    asked(&app, &who, (Fields::default(), Wrong::default())).await
}

async fn asked(app: &App, who: &Resident, (typed, wrong): (Fields, Wrong)) -> Result<Response> {
    let mut bodies = Vec::new();
    for seat in seats(&who.actor) {
        let mut members = bodies::queries::members_of(app.store.read(), seat.body_id, app.now()).await?;
        members.dedup_by_key(|one| one.person_id);
        bodies.push((seat.body_id, seat.body_name.clone(), members));
    }
    if bodies.is_empty() {
        return Err(Code::NotAllowed.into());
    }
    let page = who.page("page-group-new");
    Ok(render_as(wrong.status(), &NewPage { page, bodies, me: who.actor.person, typed, wrong }))
}

async fn open(State(app): State<App>, who: Resident, form: Fields) -> Result<Response> {
    let read = async {
        let mut people: Vec<PersonId> = form.all("person_id").filter_map(|id| id.parse().ok()).collect();
        people.extend(named(&app, &who.actor, &form).await?);
        people.sort_unstable();
        people.dedup();
        let open = OpenGroup { body_id: form.required("body_id")?, title: form.text("title").to_owned(), people };
        app.once(who.actor.clone(), form.key(), "open_group", open, |tx, actor, open| {
            Box::pin(groups::commands::open(tx, actor, open))
        })
        .await
    };
    match read.await {
        Ok(opened) => Ok(see(&format!("/streams/{}", opened.stream_id))),
        Err(error) => asked(&app, &who, (form, Wrong::from(error)?)).await,
    }
}

/// The people whose names stand in the field `people`, one on a line, where needed with the number on the roster.
pub(super) async fn named(app: &App, actor: &Actor, form: &Fields) -> Result<Vec<PersonId>> {
    let areas: Vec<String> = seats(actor).flat_map(|seat| seat.areas.iter().cloned()).collect();
    let mut people = Vec::new();
    for line in form.text("people").lines().map(str::trim).filter(|line| !line.is_empty()).take(100) {
        people.push(one(app.store.read(), &areas, line).await?);
    }
    Ok(people)
}

async fn one(db: &impl ConnectionTrait, areas: &[String], line: &str) -> Result<PersonId> {
    let (name, number) = line.split_once(char::is_whitespace).map_or((line, None), |(a, b)| (a, Some(b.trim())));
    let mut checks = Checks::default();
    match who_is(db, areas, (name, number)).await? {
        Named::One(person) if !areas.is_empty() => return Ok(person),
        Named::Several => checks.wrong("people", "several_of_that_name"),
        _ => checks.wrong("people", "not_a_member"),
    }
    checks.done()?;
    Err(Code::InvalidRequest.into())
}

/// To the conversation with the office of the own village.
async fn contact(State(app): State<App>, who: Resident) -> Result<Response> {
    let actor = who.actor.clone();
    let opened =
        app.store.write(move |tx| Box::pin(async move { streams::commands::open_contact(tx, &actor).await })).await?;
    Ok(see(&format!("/streams/{opened}")))
}
