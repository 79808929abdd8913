//! Suspending somebody's speaking in public, and lifting it.
use chrono::TimeDelta;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set, sea_query::Expr};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    queries::{self, SuspensionView},
    rows::suspension,
    rules,
};
use crate::{
    actor::{Actor, covers},
    bodies::{self, Right},
    error::{Checks, Code, Result},
    events::{self, Happening, Kind},
    ids::{PersonId, SuspensionId},
    people,
    store::Tx,
};

/// Whose speaking is suspended, and why.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SuspendSpeaking {
    /// Somebody who lives in the area.
    pub person_id: PersonId,
    /// Told to the person; 2 to 200 characters.
    #[schema(min_length = 2, max_length = 200)]
    pub reason: String,
    /// 1 to 90.
    #[schema(minimum = 1, maximum = 90)]
    pub days: u32,
}

/// Why it is lifted.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LiftSuspension {
    /// Told to the person; 2 to 200 characters.
    #[schema(min_length = 2, max_length = 200)]
    pub reason: String,
}

/// Suspends somebody's speaking in public. Records `speaking.suspended`.
///
/// # Errors
/// `not_allowed` without the right in the area, for oneself, and for a village towards who holds a seat over it;
/// `invalid_fields`; `wrong_state` when the person is suspended already.
pub async fn suspend(tx: &Tx, actor: &Actor, (area, input): (String, SuspendSpeaking)) -> Result<SuspensionView> {
    let seat = bodies::require(actor, Right::SuspendSpeaking, &area)?;
    let now = tx.now();
    let person = people::person(tx, input.person_id).await?;
    let mut checks = Checks::default();
    let lives_there = person.is_some_and(|one| one.left_on.is_none() && covers(&area, &one.area));
    checks.require(lives_there, "person_id", "not_a_member");
    checks.require(input.person_id != actor.person, "person_id", "not_yourself");
    checks.text("reason", &input.reason, 2..=200);
    checks.require(rules::DAYS.contains(&input.days), "days", "out_of_range");
    checks.done()?;
    let seats = bodies::seats_of(tx, input.person_id, now).await?;
    if !rules::may_silence(seat, &area, &seats) {
        return Err(Code::NotAllowed.into());
    }
    if queries::running_of(tx, input.person_id, now).await?.is_some() {
        return Err(Code::WrongState.into());
    }
    let row = suspension::ActiveModel {
        id: Set(SuspensionId::new()),
        person_id: Set(input.person_id),
        area_code: Set(area),
        body_id: Set(seat.body_id),
        reason: Set(input.reason.trim().to_owned()),
        imposed_by: Set(actor.person),
        starts_at: Set(now),
        ends_at: Set(now + TimeDelta::days(i64::from(input.days))),
        lifted_at: Set(None),
        lifted_by: Set(None),
        lift_reason: Set(None),
    };
    let row = row.insert(tx).await?;
    record(tx, actor, Kind::SpeakingSuspended, &row).await?;
    queries::view(tx, row).await
}

/// Lifts a suspension, and whatever else suspends the person. Records `speaking.restored`.
///
/// # Errors
/// `not_found` for who has not the right where it was imposed; `wrong_state` when it is over; `invalid_fields`.
pub async fn lift(tx: &Tx, actor: &Actor, (id, input): (SuspensionId, LiftSuspension)) -> Result<SuspensionView> {
    let row = suspension::Entity::find_by_id(id).one(tx).await?;
    let row = row.filter(|row| bodies::may(actor, Right::SuspendSpeaking, &row.area_code)).ok_or(Code::NotFound)?;
    let mut checks = Checks::default();
    checks.text("reason", &input.reason, 2..=200);
    checks.done()?;
    if row.person_id == actor.person {
        return Err(Code::NotAllowed.into());
    }
    let lifted = suspension::Entity::update_many()
        .col_expr(suspension::Column::LiftedAt, Expr::value(tx.now()))
        .col_expr(suspension::Column::LiftedBy, Expr::value(actor.person))
        .col_expr(suspension::Column::LiftReason, Expr::value(input.reason.trim()))
        .filter(suspension::Column::PersonId.eq(row.person_id))
        .filter(suspension::Column::AreaCode.eq(&row.area_code))
        .filter(queries::running(tx.now()))
        .exec_with_returning(tx)
        .await?;
    let row = lifted.into_iter().find(|one| one.id == id).ok_or(Code::WrongState)?;
    record(tx, actor, Kind::SpeakingRestored, &row).await?;
    queries::view(tx, row).await
}

async fn record(tx: &Tx, actor: &Actor, kind: Kind, row: &suspension::Model) -> Result<()> {
    let data = json!({ "body": row.body_id, "person": row.person_id, "until": row.ends_at });
    events::record(tx, Happening::new(kind, row.id).at(&row.area_code).by(actor.person).with(data)).await?;
    Ok(())
}
