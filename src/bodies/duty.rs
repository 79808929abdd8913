//! 值班: somebody of an office answers letters now, until a time.
use chrono::{DateTime, FixedOffset, TimeDelta, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait, Set, sea_query::OnConflict,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    queries,
    rows::{duty, seat},
};
use crate::{
    actor::Actor,
    clock,
    error::{Checks, Code, Result},
    ids::BodyId,
    rights::{Right, rights},
    store::Tx,
};

/// Nobody is on duty longer than this without saying so again.
const LONGEST: TimeDelta = TimeDelta::hours(16);

/// Going on duty, or off.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetDuty {
    /// Until when, sixteen hours ahead at most; absent: off duty now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<FixedOffset>>,
}

/// Whether an office is on duty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DutyView {
    /// Does somebody answer now?
    pub is_on: bool,
    /// Until when the last of them does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<FixedOffset>>,
}

/// The actor's seat in this body goes on duty until a time, or off.
///
/// # Errors
/// `not_found`; `not_allowed` without a seat there that answers letters; `invalid_fields` for a time out of reach.
pub async fn set(tx: &Tx, actor: &Actor, (body, input): (BodyId, SetDuty)) -> Result<DutyView> {
    queries::get(tx, body).await?;
    let answers = |seat: &&crate::actor::HeldSeat| {
        seat.body_id == body && rights(&seat.body_kind, &seat.role).contains(&Right::HandleSuggestions)
    };
    let seat = actor.seats.iter().find(answers).ok_or(Code::NotAllowed)?;
    let now = tx.now();
    let Some(until) = input.until.map(|at| at.with_timezone(&Utc)) else {
        duty::Entity::delete_by_id(seat.seat_id).exec(tx).await?;
        return on_duty(tx, body, now).await;
    };
    let mut checks = Checks::default();
    checks.require(until > now && until <= now + LONGEST, "until", "out_of_range");
    checks.done()?;
    let row = duty::ActiveModel { seat_id: Set(seat.seat_id), since: Set(now), until: Set(until) };
    let again =
        OnConflict::column(duty::Column::SeatId).update_columns([duty::Column::Since, duty::Column::Until]).to_owned();
    duty::Entity::insert(row).on_conflict(again).exec_without_returning(tx).await?;
    on_duty(tx, body, now).await
}

/// Whether the body is on duty: by seats that still stand.
///
/// # Errors
/// When the database cannot be read.
pub async fn on_duty(db: &impl ConnectionTrait, body: BodyId, now: DateTime<Utc>) -> Result<DutyView> {
    let seats = queries::standing(clock::local_date(now))
        .select_only()
        .column(seat::Column::Id)
        .filter(seat::Column::BodyId.eq(body));
    let until: Option<Option<DateTime<Utc>>> = duty::Entity::find()
        .select_only()
        .column_as(duty::Column::Until.max(), "until")
        .filter(duty::Column::SeatId.in_subquery(seats.into_query()))
        .filter(duty::Column::Until.gt(now))
        .into_tuple()
        .one(db)
        .await?;
    let until = until.flatten().map(clock::local);
    Ok(DutyView { is_on: until.is_some(), until })
}
