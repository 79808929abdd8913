//! 轮值: who of the members leads the joint meeting, and passing it on.
use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Set,
    sea_query::OnConflict,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    queries::{self, JointView, joint_body},
    rows::{rotation, turn},
    rules::{self, Rotation, convenes},
};
use crate::{
    actor::Actor,
    bodies::{self, queries::Body},
    clock,
    error::{Checks, Code, Result},
    events::{self, Happening, Kind},
    ids::{BodyId, PersonId},
    store::Tx,
};

/// Turns shown.
const SHOWN: u64 = 12;
/// Joint meetings in one go.
const AT_ONCE: u64 = 20;

/// How often another leads, and who does first.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetRotation {
    /// How often.
    pub rotation: Rotation,
    /// A member; whoever leads now when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<PersonId>,
}

/// The turn is passed on.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PassTurn {
    /// Why; the members read it. 2 to 200 characters.
    #[schema(min_length = 2, max_length = 200)]
    pub reason: String,
    /// To which member; the next in order when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<PersonId>,
    /// From whom, as it was read: where another leads by now that one keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<PersonId>,
}

/// Who leads, and how that goes on.
pub(super) struct Chair {
    /// How often another does.
    pub(super) rotation: Rotation,
    /// The members, in the order in which they came.
    pub(super) order: Vec<PersonId>,
    /// Who leads now; nobody in a body without members.
    pub(super) now: Option<PersonId>,
    /// The turns that were begun, the newest first, 12 at most.
    pub(super) turns: Vec<turn::Model>,
}

/// Who leads a joint meeting now.
pub(super) async fn chair(db: &impl ConnectionTrait, body: BodyId, at: DateTime<Utc>) -> Result<Chair> {
    let mut order: Vec<PersonId> = Vec::new();
    for seat in bodies::members_of(db, body, at).await? {
        if !order.contains(&seat.person_id) {
            order.push(seat.person_id);
        }
    }
    let known = rotation::Entity::find_by_id(body).one(db).await?;
    let rotation = known.map_or(Rotation::Meeting, |row| row.rotation);
    let turns = turn::Entity::find()
        .filter(turn::Column::BodyId.eq(body))
        .order_by_desc(turn::Column::Number)
        .limit(SHOWN)
        .all(db)
        .await?;
    let today = clock::local_date(at);
    let now = match turns.first() {
        Some(last) => rules::leads(&order, (last.person_id, clock::local_date(last.began_at)), (rotation, today)),
        None => order.first().copied(),
    };
    Ok(Chair { rotation, order, now, turns })
}

/// Says how often another leads, and who begins. Records `joint.chair_changed`, unless it is so already.
///
/// # Errors
/// `not_found` for what is no joint meeting; `not_allowed` for who neither convenes it nor fills its seats; `invalid_fields`.
pub async fn set_rotation(tx: &Tx, actor: &Actor, (id, input): (BodyId, SetRotation)) -> Result<JointView> {
    let body = joint_body(tx, id).await?;
    if !convenes(actor, &body) {
        return Err(Code::NotAllowed.into());
    }
    let chair = chair(tx, id, tx.now()).await?;
    let first = input.first.or(chair.now);
    let mut checks = Checks::default();
    checks.require(first.is_none_or(|first| chair.order.contains(&first)), "first", "not_a_member");
    checks.done()?;
    let row = rotation::ActiveModel {
        body_id: Set(id),
        rotation: Set(input.rotation),
        changed_by: Set(actor.person),
        changed_at: Set(tx.now()),
    };
    let again = OnConflict::column(rotation::Column::BodyId)
        .update_columns([rotation::Column::Rotation, rotation::Column::ChangedBy, rotation::Column::ChangedAt])
        .to_owned();
    rotation::Entity::insert(row).on_conflict(again).exec_without_returning(tx).await?;
    let is_as_before = chair.rotation == input.rotation && first == chair.now;
    if let Some(first) = first.filter(|_| !is_as_before) {
        begin(tx, (&body, &chair), (first, None), Some(actor.person)).await?;
    }
    queries::view(tx, actor, id, tx.now()).await
}

/// Passes the turn on to another member. Records `joint.chair_changed`.
///
/// # Errors
/// `not_found`; `not_allowed` for others than who leads now, who convenes it, and who fills its seats; `wrong_state` where there
/// is nobody else; `changed` where another leads by now; `invalid_fields`.
pub async fn pass_on(tx: &Tx, actor: &Actor, (id, input): (BodyId, PassTurn)) -> Result<JointView> {
    let body = joint_body(tx, id).await?;
    let chair = chair(tx, id, tx.now()).await?;
    if chair.now != Some(actor.person) && !convenes(actor, &body) {
        return Err(Code::NotAllowed.into());
    }
    let now = chair.now.ok_or(Code::WrongState)?;
    if input.from.is_some_and(|from| from != now) {
        return Err(Code::Changed.into());
    }
    let to = input.to.or_else(|| rules::next(&chair.order, now)).filter(|to| *to != now).ok_or(Code::WrongState)?;
    let mut checks = Checks::default();
    checks.text("reason", &input.reason, 2..=200);
    checks.require(chair.order.contains(&to), "to", "not_a_member");
    checks.done()?;
    begin(tx, (&body, &chair), (to, Some(input.reason.trim().to_owned())), Some(actor.person)).await?;
    queries::view(tx, actor, id, tx.now()).await
}

/// After a meeting the next one leads, where it goes by meetings.
pub(super) async fn after_meeting(tx: &Tx, body: &Body) -> Result<()> {
    let chair = chair(tx, body.id, tx.now()).await?;
    if chair.rotation != Rotation::Meeting {
        return Ok(());
    }
    match chair.now.and_then(|now| rules::next(&chair.order, now)) {
        Some(next) => begin(tx, (body, &chair), (next, None), None).await,
        None => Ok(()),
    }
}

/// Begins the turns that a new month or quarter brought: who comes or leaves later changes none of them. Records
/// `joint.chair_changed`. Says how many began.
///
/// # Errors
/// When the database refuses.
pub async fn due(tx: &Tx) -> Result<u64> {
    let mut begun = 0;
    for often in Rotation::ALL {
        let Some(since) = often.began(clock::local_date(tx.now())) else { continue };
        let led = turn::Entity::find()
            .select_only()
            .column(turn::Column::BodyId)
            .filter(turn::Column::BeganAt.gte(clock::start_of_day(since)))
            .into_query();
        let waiting = rotation::Entity::find()
            .filter(rotation::Column::Rotation.eq(often))
            .filter(rotation::Column::BodyId.not_in_subquery(led))
            .order_by_asc(rotation::Column::BodyId)
            .all(tx)
            .await?;
        for row in waiting {
            // one in which nobody sits waits for ever, and keeps no other from its turn
            if begun == AT_ONCE {
                break;
            }
            let chair = chair(tx, row.body_id, tx.now()).await?;
            if let Some(now) = chair.now {
                let body = joint_body(tx, row.body_id).await?;
                begin(tx, (&body, &chair), (now, None), None).await?;
                begun += 1;
            }
        }
    }
    Ok(begun)
}

async fn begin(
    tx: &Tx,
    (body, chair): (&Body, &Chair),
    (person, reason): (PersonId, Option<String>),
    by: Option<PersonId>,
) -> Result<()> {
    let row = turn::ActiveModel {
        body_id: Set(body.id),
        number: Set(chair.turns.first().map_or(1, |last| last.number + 1)),
        person_id: Set(person),
        began_at: Set(tx.now()),
        passed_by: Set(by.filter(|_| reason.is_some())),
        reason: Set(reason),
    };
    turn::Entity::insert(row).exec_without_returning(tx).await?;
    let happening =
        Happening { actor: by, area: body.areas.first().cloned(), ..Happening::new(Kind::JointChairChanged, body.id) };
    events::record(tx, happening.with(json!({ "person": person }))).await?;
    Ok(())
}
