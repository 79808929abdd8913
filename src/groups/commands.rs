//! Opening groups, and who belongs to them.
use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::rules;
use crate::{
    actor::{Actor, HeldSeat},
    areas,
    bodies::{self, Right},
    error::{Checks, Code, Result},
    ids::{BodyId, PersonId, StreamId},
    people,
    store::Tx,
    streams::{self, LEADER, MEMBER, Stream, StreamKind, commands::NewStream, queries::belonging},
};

const MAX_TITLE: usize = 30;

/// A group to open.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenGroup {
    /// The body that brings the people together; the caller holds a seat in it.
    pub body_id: BodyId,
    /// 2 to 30 characters.
    #[schema(min_length = 2, max_length = 30)]
    pub title: String,
    /// Up to 100 people who live where the body works or sit in it; whoever opens it leads it.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub people: Vec<PersonId>,
}

/// People to add to a group.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddMembers {
    /// Up to 100; who belongs to it already stays.
    #[schema(min_items = 1, max_items = 100)]
    pub people: Vec<PersonId>,
    /// As leaders?
    #[serde(default)]
    pub lead: bool,
}

/// Where to talk.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Opened {
    /// The stream.
    pub stream_id: StreamId,
}

/// Opens a group.
///
/// # Errors
/// `not_allowed` without a seat of that body that may; `invalid_fields`.
pub async fn open(tx: &Tx, actor: &Actor, input: OpenGroup) -> Result<Opened> {
    let seat = seat(actor, input.body_id)?;
    let mut checks = Checks::default();
    checks.text("title", &input.title, 2..=MAX_TITLE);
    checks.require(input.people.len() <= rules::AT_ONCE, "people", "out_of_range");
    checks.done()?;
    require_known(tx, seat, &input.people).await?;
    let new = NewStream {
        kind: StreamKind::Group,
        subject: Uuid::now_v7().to_string(),
        title: input.title.trim().to_owned(),
        area: areas::common(&seat.areas),
        body: Some(input.body_id),
    };
    let stream = streams::commands::open(tx, new).await?;
    streams::commands::join(tx, stream, actor.person, LEADER).await?;
    let people: HashSet<_> = input.people.into_iter().filter(|person| *person != actor.person).collect();
    for person in people {
        enter(tx, stream, actor, (person, MEMBER)).await?;
    }
    Ok(Opened { stream_id: stream })
}

/// Adds people, or makes members leaders.
///
/// # Errors
/// `not_found`; `not_allowed` for who does not lead it with a seat of its body; `invalid_fields`; `group_full`.
pub async fn add(tx: &Tx, actor: &Actor, (id, input): (StreamId, AddMembers)) -> Result<()> {
    let group = led(tx, actor, id).await?;
    let seat = seat(actor, group.body_id.ok_or(Code::NotFound)?)?;
    let mut checks = Checks::default();
    checks.require((1..=rules::AT_ONCE).contains(&input.people.len()), "people", "out_of_range");
    checks.done()?;
    require_known(tx, seat, &input.people).await?;
    let members = belonging(tx, id).await?;
    let wanted = if input.lead { LEADER } else { MEMBER };
    let as_wanted = |person: &PersonId| members.get(person).is_some_and(|role| role == wanted || role == LEADER);
    let people: HashSet<_> = input.people.into_iter().filter(|person| !as_wanted(person)).collect();
    let newcomers = people.iter().filter(|person| !members.contains_key(person)).count();
    if members.len() + newcomers > rules::MAX_MEMBERS {
        return Err(Code::GroupFull.into());
    }
    for person in people {
        enter(tx, id, actor, (person, wanted)).await?;
    }
    Ok(())
}

/// Takes somebody out of the group, or leaves it.
///
/// # Errors
/// `not_found`; `not_allowed` for who does not lead it and takes out another; `wrong_state` for its last leader.
pub async fn remove(tx: &Tx, actor: &Actor, (id, person): (StreamId, PersonId)) -> Result<()> {
    let group = if person == actor.person { group(tx, actor, id).await? } else { led(tx, actor, id).await? };
    let members = belonging(tx, group.id).await?;
    let role = members.get(&person).ok_or(Code::NotFound)?;
    let leaders = members.values().filter(|role| *role == LEADER).count();
    if role == LEADER && leaders == 1 && members.len() > 1 {
        return Err(Code::WrongState.into());
    }
    let change = if person == actor.person { "left" } else { "removed" };
    streams::commands::post_member(tx, id, actor.person, (person, change)).await?;
    streams::commands::part(tx, id, person).await
}

async fn enter(tx: &Tx, stream: StreamId, by: &Actor, (person, role): (PersonId, &'static str)) -> Result<()> {
    let change = if role == LEADER { "leads" } else { "joined" };
    streams::commands::post_member(tx, stream, by.person, (person, change)).await?;
    streams::commands::join_now(tx, stream, person, role).await
}

/// The group, if the actor belongs to it.
async fn group(tx: &Tx, actor: &Actor, id: StreamId) -> Result<Stream> {
    let (stream, _) = streams::queries::readable(tx, actor, id).await?;
    if stream.kind == StreamKind::Group.as_str() { Ok(stream) } else { Err(Code::NotFound.into()) }
}

/// The group, if the actor leads it.
async fn led(tx: &Tx, actor: &Actor, id: StreamId) -> Result<Stream> {
    let group = group(tx, actor, id).await?;
    match belonging(tx, id).await?.get(&actor.person).map(String::as_str) {
        Some(LEADER) => Ok(group),
        _ => Err(Code::NotAllowed.into()),
    }
}

/// The actor's seat in the body, with the right to bring people together.
fn seat(actor: &Actor, body: BodyId) -> Result<&HeldSeat> {
    let seat = actor.seats.iter().find(|seat| seat.body_id == body).ok_or(Code::NotAllowed)?;
    let area = seat.areas.first().ok_or(Code::NotAllowed)?;
    bodies::require(actor, Right::OpenGroup, area)?;
    Ok(seat)
}

/// Everybody lives where the body works, or sits in it.
async fn require_known(tx: &Tx, seat: &HeldSeat, people: &[PersonId]) -> Result<()> {
    let homes = people::queries::homes(tx, people).await?;
    let sitting = bodies::queries::members_of(tx, seat.body_id, tx.now()).await?;
    let is_known = |person: &PersonId| {
        homes.get(person).is_some_and(|home| seat.serves(home)) || sitting.iter().any(|seat| seat.person_id == *person)
    };
    let mut checks = Checks::default();
    checks.require(people.iter().all(is_known), "people", "unknown");
    checks.done()
}
