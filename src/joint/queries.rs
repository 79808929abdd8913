//! Reads of joint meetings: who leads, what is on the agenda, what became of resolutions.
use std::collections::HashMap;

use chrono::{DateTime, FixedOffset, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    agenda::{spanning, villages_of},
    rows::{item, turn},
    rules::{self, Rotation, convenes, fills},
    turns::{self, Chair},
    village_tasks::{self, VillageTaskView},
};
use crate::{
    actor::Actor,
    areas::{self, AreaName},
    bodies::{self, BodyKind, queries::Body},
    clock,
    error::{Code, Result},
    ids::{BodyId, JointItemId, MatterId, PersonId},
    matters, people,
};

/// A member of a joint meeting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JointMember {
    /// Who.
    pub person_id: PersonId,
    /// Full name: members sit in it by a seat.
    pub name: String,
}

/// From when on somebody led.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TurnView {
    /// Who.
    pub member: JointMember,
    /// Since when.
    pub began_at: DateTime<FixedOffset>,
    /// Why the one before passed it on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A matter that concerns several villages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SpanningView {
    /// The matter.
    pub matter_id: MatterId,
    /// Its title.
    pub title: String,
    /// The villages of the joint meeting that it concerns.
    pub villages: Vec<AreaName>,
}

/// A matter on the agenda.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JointItemView {
    /// Its id.
    pub id: JointItemId,
    /// The matter and its villages.
    #[serde(flatten)]
    pub matter: SpanningView,
    /// What is to be talked about.
    pub note: String,
    /// Who proposed it.
    pub proposed_by_name: String,
    /// When.
    pub proposed_at: DateTime<FixedOffset>,
    /// The asker may take it off the agenda.
    pub may_withdraw: bool,
}

/// A joint meeting, for its members and who fills its seats.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JointView {
    /// The body.
    pub body_id: BodyId,
    /// Its name.
    pub body_name: String,
    /// How often another leads.
    pub rotation: Rotation,
    /// Who leads now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chair: Option<JointMember>,
    /// Who does next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<JointMember>,
    /// In the order in which they lead.
    pub members: Vec<JointMember>,
    /// The newest first, 12 at most.
    pub turns: Vec<TurnView>,
    /// The villages that it covers.
    pub villages: Vec<AreaName>,
    /// What is on the agenda, oldest first.
    pub items: Vec<JointItemView>,
    /// What could be: matters under way that concern several of its villages, and are not on the agenda.
    pub spanning: Vec<SpanningView>,
    /// What resolutions became in each village, the newest meeting first.
    pub tasks: Vec<VillageTaskView>,
    /// The asker may pass the turn on.
    pub may_pass_on: bool,
    /// The asker may say how often another leads.
    pub may_set: bool,
}

/// The body, if it is a joint meeting.
///
/// # Errors
/// `not_found`.
pub(super) async fn joint_body(db: &impl ConnectionTrait, id: BodyId) -> Result<Body> {
    let body = bodies::get(db, id).await?;
    if body.kind == BodyKind::JointMeeting { Ok(body) } else { Err(Code::NotFound.into()) }
}

/// A joint meeting.
///
/// # Errors
/// `not_found` for what is none; `not_allowed` for others than its members and who fills its seats.
pub async fn view(db: &impl ConnectionTrait, actor: &Actor, id: BodyId, now: DateTime<Utc>) -> Result<JointView> {
    let body = joint_body(db, id).await?;
    if !actor.sits_in(id) && !fills(actor, &body) {
        return Err(Code::NotAllowed.into());
    }
    let chair = turns::chair(db, id, now).await?;
    let own = villages_of(db, &body).await?;
    let items = items(db, id).await?;
    let possible = spanning(db, (&body, &own)).await?;
    let tasks = village_tasks::of(db, id).await?;
    let places = areas::names(db, own.clone()).await?;
    let named = |code: &str| AreaName { code: code.to_owned(), name: places.get(code).cloned().unwrap_or_default() };
    let titles = matters::queries::titles(db, items.iter().map(|one| one.matter_id).collect()).await?;
    let names = names(db, (&chair, &items)).await?;
    let member =
        |person: PersonId| JointMember { person_id: person, name: names.get(&person).cloned().unwrap_or_default() };
    let named = |codes: Vec<String>| codes.iter().map(|code| named(code)).collect::<Vec<_>>();
    let is_proposed = |matter: MatterId| items.iter().any(|one| one.matter_id == matter);
    let spanning = possible.into_iter().filter(|(one, _)| !is_proposed(one.id)).map(|(one, villages)| SpanningView {
        matter_id: one.id,
        title: one.title,
        villages: named(villages),
    });
    let may_set = convenes(actor, &body);
    let may_pass_on = may_set || chair.now == Some(actor.person);
    let item_view = |one: &item::Model| JointItemView {
        may_withdraw: may_pass_on || one.proposed_by == actor.person,
        id: one.id,
        matter: SpanningView {
            matter_id: one.matter_id,
            title: titles.get(&one.matter_id).cloned().unwrap_or_default(),
            villages: named(one.villages.lines().map(str::to_owned).collect()),
        },
        note: one.note.clone(),
        proposed_by_name: member(one.proposed_by).name,
        proposed_at: clock::local(one.proposed_at),
    };
    Ok(JointView {
        rotation: chair.rotation,
        chair: chair.now.map(member),
        next: chair.now.and_then(|now| rules::next(&chair.order, now)).map(member),
        members: chair.order.iter().copied().map(member).collect(),
        turns: chair.turns.iter().map(|one| turn_view(one, member(one.person_id))).collect(),
        items: items.iter().map(item_view).collect(),
        spanning: spanning.collect(),
        villages: named(own),
        tasks,
        may_pass_on,
        may_set,
        body_id: id,
        body_name: body.name,
    })
}

fn turn_view(one: &turn::Model, member: JointMember) -> TurnView {
    TurnView { member, began_at: clock::local(one.began_at), reason: one.reason.clone() }
}

async fn names(
    db: &impl ConnectionTrait,
    (chair, items): (&Chair, &[item::Model]),
) -> Result<HashMap<PersonId, String>> {
    let turns = chair.turns.iter().map(|one| one.person_id);
    let people = chair.order.iter().copied().chain(turns).chain(items.iter().map(|one| one.proposed_by));
    people::names(db, people.collect()).await
}

/// The joint meetings that the actor leads now and that have something on the agenda, each with how much.
///
/// # Errors
/// When the database cannot be read.
pub async fn waiting(db: &impl ConnectionTrait, actor: &Actor, now: DateTime<Utc>) -> Result<Vec<(Body, usize)>> {
    let kind = BodyKind::JointMeeting.as_str();
    let own = actor.seats.iter().filter(|seat| seat.body_kind == kind).map(|seat| seat.body_id);
    let mut waiting = Vec::new();
    for body in bodies::queries::bodies(db, own.collect()).await? {
        let on_agenda = items(db, body.id).await?.len();
        if on_agenda > 0 && turns::chair(db, body.id, now).await?.now == Some(actor.person) {
            waiting.push((body, on_agenda));
        }
    }
    Ok(waiting)
}

/// What is on the agenda, oldest first.
async fn items(db: &impl ConnectionTrait, body: BodyId) -> Result<Vec<item::Model>> {
    let rows = item::Entity::find()
        .filter(item::Column::BodyId.eq(body))
        .filter(item::Column::MeetingId.is_null())
        .order_by_asc(item::Column::ProposedAt)
        .order_by_asc(item::Column::Id);
    Ok(rows.all(db).await?)
}
