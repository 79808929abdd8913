//! `/meetings`: meetings of the village, each with its agenda, signing in, also by the code at its door, and the minutes.
use std::{collections::HashSet, slice};

use askama::Template;
use axum::{Router, extract::State, response::Response};
use chrono::{DateTime, FixedOffset};

use super::{
    fields::{Fields, Wrong},
    layout::{Page, Resident, Viewer, render, render_as, see, up},
    untold::AtDoors,
    words::Words,
};
use crate::{
    actor::Actor,
    app::{
        App, Path, Query,
        routing::{get, post},
    },
    bodies,
    delivery::doors::Called,
    error::{Code, Result},
    forms::{
        FormView, Purpose,
        queries::{OPEN, forms_of},
    },
    ids::{BodyId, MeetingId},
    meetings::{Attend, MeetingDetail, MeetingView, commands, door, queries, rules},
    page::PageQuery,
    people,
    votes::{VoteView, queries::votes_at},
};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/meetings", get(list))
        .route("/meetings/{id}", get(show))
        .route("/meetings/{id}/attendance", post(sign_in).merge(get(up)))
        .route("/meetings/{id}/door/{code}", get(at_door))
}

#[derive(Template)]
#[template(path = "meetings.html")]
struct MeetingsPage {
    page: Page,
    items: Vec<MeetingView>,
    next: Option<String>,
    now: DateTime<FixedOffset>,
}

impl MeetingsPage {
    /// What has begun is not to come any more, though its minutes are.
    fn standing<'a>(&self, meeting: &'a MeetingView) -> &'a str {
        if meeting.state == queries::CALLED && meeting.starts_at <= self.now { "begun" } else { &meeting.state }
    }
}

#[derive(Template)]
#[template(path = "meeting.html")]
struct MeetingPage {
    page: Page,
    meeting: MeetingDetail,
    votes: Vec<VoteView>,
    /// What those who came are asked.
    surveys: Vec<FormView>,
    may_sign_in: bool,
    /// Who goes round because of it, and who was told so.
    doors: AtDoors,
    /// The code at the door was scanned in time.
    ticket: Option<String>,
    wrong: Wrong,
}

async fn list(State(app): State<App>, who: Resident, Query(page): Query<PageQuery>) -> Result<Response> {
    let found = queries::list(app.store.read(), &who.actor.area, &page).await?;
    let (page, now) = (who.page("page-meetings"), app.local_now());
    Ok(render(&MeetingsPage { page, items: found.items, next: found.next_cursor, now }))
}

async fn show(State(app): State<App>, viewer: Viewer, Path(id): Path<MeetingId>) -> Result<Response> {
    shown(&app, &viewer, id, (None, Wrong::default())).await
}

/// Where the code on the screen at the door leads. Looking changes nothing: there is a button, and ten minutes to press it.
async fn at_door(
    State(app): State<App>,
    who: Resident,
    Path((id, code)): Path<(MeetingId, String)>,
) -> Result<Response> {
    let now = app.now();
    if !door::is_shown(&app.keys, id, &code, now) {
        return shown(&app, &who.viewer, id, (None, Wrong::from(Code::DoorCodeExpired.into())?)).await;
    }
    let ticket = door::ticket(&app.keys, (id, who.actor.person), now);
    shown(&app, &who.viewer, id, (Some(ticket), Wrong::default())).await
}

async fn shown(
    app: &App,
    viewer: &Viewer,
    id: MeetingId,
    (ticket, wrong): (Option<String>, Wrong),
) -> Result<Response> {
    let meeting = queries::detail(app.store.read(), viewer.actor.as_ref(), id).await?;
    let is_awaited = match &viewer.actor {
        Some(actor) => {
            let own = belongs_to(app, actor, slice::from_ref(&meeting.meeting)).await?;
            let belongs = waits_for((app, actor, &own), &meeting.meeting);
            // who left the body since is counted until that is written down
            belongs
                || (is_open(app, &meeting.meeting) && queries::is_listed(app.store.read(), id, actor.person).await?)
        }
        None => false,
    };
    let votes = votes_at(app.store.read(), id).await?;
    let mut surveys = forms_of(app.store.read(), (&id.to_string(), &meeting.meeting.area_code)).await?;
    surveys.retain(|form| form.state == OPEN && form.purpose != Purpose::Visit);
    let called = Called::Meeting(Box::new(meeting.meeting.clone()));
    let doors = AtDoors::of(app.store.read(), viewer.actor.as_ref(), &called).await?;
    let may_sign_in = is_awaited && meeting.my_attendance.is_none();
    let back = meeting.meeting.matter_id.map_or_else(|| "/meetings".to_owned(), |matter| format!("/matters/{matter}"));
    let page =
        viewer.page("page-meeting").titled(meeting.meeting.title.clone()).back(back).at(format!("/meetings/{id}"));
    Ok(render_as(wrong.status(), &MeetingPage { page, meeting, votes, surveys, may_sign_in, doors, ticket, wrong }))
}

/// To what somebody belongs without a seat.
pub struct Own {
    bodies: HashSet<BodyId>,
    groups: Vec<i32>,
}

/// The bodies to which somebody belongs without a seat, and the villagers' groups where one of these meetings is of a group.
pub async fn belongs_to(app: &App, actor: &Actor, meetings: &[MeetingView]) -> Result<Own> {
    let db = app.store.read();
    let bodies = bodies::members::bodies_of(db, actor.person).await?;
    let mut groups = Vec::new();
    if meetings.iter().any(|one| one.group_number.is_some())
        && let Some(person) = people::person(db, actor.person).await?
    {
        groups = people::village_groups::of(db, &person).await?;
    }
    Ok(Own { bodies, groups })
}

/// Are the doors open for this person, who belongs to these bodies and groups without a seat?
pub fn waits_for((app, actor, own): (&App, &Actor, &Own), meeting: &MeetingView) -> bool {
    let is_of_group = meeting.group_number.is_none_or(|group| own.groups.contains(&group));
    let lives_there = actor.lives_in(&meeting.area_code) && is_of_group;
    let who = rules::Who { seats: &actor.seats, is_member: own.bodies.contains(&meeting.body_id), lives_there };
    is_open(app, meeting) && rules::belongs(meeting.audience, meeting.body_id, &meeting.area_code, who)
}

/// Are the doors open?
fn is_open(app: &App, meeting: &MeetingView) -> bool {
    meeting.state == queries::CALLED && rules::may_sign_in(meeting.starts_at.to_utc(), app.now())
}

async fn sign_in(State(app): State<App>, who: Resident, Path(id): Path<MeetingId>, form: Fields) -> Result<Response> {
    let input = (id, Attend { person_id: None, via: None, code: form.given("code").map(str::to_owned) });
    let signed = app.once(who.actor.clone(), form.key(), "sign_in_to_meeting", input, |tx, actor, input| {
        Box::pin(commands::sign_in(tx, actor, input))
    });
    match signed.await {
        Ok(_) => Ok(see(&format!("/meetings/{id}"))),
        Err(error) => shown(&app, &who.viewer, id, (None, Wrong::from(error)?)).await,
    }
}
