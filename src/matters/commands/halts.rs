//! 暂缓: the supervision committee holds up a step for three days at most, with a reason that everybody sees.
use chrono::TimeDelta;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set, TryInsertResult, sea_query::Expr};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::moves::advance_by_date;
use crate::{
    actor::Actor,
    bodies::{self, Right},
    error::{Checks, Code, Result},
    events::{self, Happening, Kind},
    ids::MatterId,
    matters::{
        queries::{self, MatterView, Standing},
        rows::halt,
        rules::State,
    },
    store::Tx,
};

const MOST_DAYS: u8 = 3;
const DUE_AT_ONCE: u64 = 100;

/// A step is held up.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HaltMatter {
    /// For so many days of 24 hours.
    #[schema(minimum = 1, maximum = 3)]
    pub days: u8,
    /// Why; public. 2 to 200 characters.
    #[schema(min_length = 2, max_length = 200)]
    pub reason: String,
}

/// It goes on before its time.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LiftHalt {
    /// What came of it; public. 2 to 200 characters.
    #[schema(min_length = 2, max_length = 200)]
    pub reason: String,
}

/// Holds up the present step: until then nobody moves it on or back, skips it, takes it back or opens a vote. Once a stay, so that nobody holds up a
/// matter for ever. Recorded: `matter.halted`.
///
/// # Errors
/// `not_found`; `not_allowed` without a seat that closes matters there; `invalid_fields`; `wrong_state` when it has ended, was
/// held up in this stay already, or a vote about it is open: what the villagers are deciding nobody holds up.
pub async fn halt(tx: &Tx, actor: &Actor, (id, input): (MatterId, HaltMatter)) -> Result<MatterView> {
    let standing = queries::standing(tx, id).await?;
    let seat = bodies::require(actor, Right::CloseMatter, &standing.matter.area_code)?;
    let mut checks = Checks::default();
    checks.text("reason", &input.reason, 2..=200);
    checks.require((1..=MOST_DAYS).contains(&input.days), "days", "out_of_range");
    checks.done()?;
    let position = standing.position();
    if position.state != State::Open || position.vote_running {
        return Err(Code::WrongState.into());
    }
    let until = tx.now() + TimeDelta::days(i64::from(input.days));
    let row = halt::ActiveModel {
        matter_id: Set(id),
        ordinal: Set(standing.stay.ordinal),
        body_id: Set(seat.body_id),
        actor_id: Set(actor.person),
        reason: Set(input.reason.trim().to_owned()),
        halted_at: Set(tx.now()),
        until_at: Set(until),
        over_at: Set(None),
        lifted_reason: Set(None),
    };
    let key = [halt::Column::MatterId, halt::Column::Ordinal];
    let insert = halt::Entity::insert(row).on_conflict_do_nothing_on(key).exec_without_returning(tx).await?;
    let TryInsertResult::Inserted(1) = insert else { return Err(Code::WrongState.into()) };
    let data = json!({ "stage": standing.stay.stage, "ordinal": standing.stay.ordinal, "until": until,
        "body": seat.body_id });
    let happening = Happening::new(Kind::MatterHalted, id).at(&standing.matter.area_code).by(actor.person).with(data);
    events::record(tx, happening).await?;
    queries::view(tx, id).await
}

/// Lets the step go on. Recorded: `matter.halt_ended`.
///
/// # Errors
/// `not_found`; `not_allowed`; `invalid_fields`; `wrong_state` when it is not held up.
pub async fn lift_halt(tx: &Tx, actor: &Actor, (id, input): (MatterId, LiftHalt)) -> Result<MatterView> {
    let standing = queries::standing(tx, id).await?;
    bodies::require(actor, Right::CloseMatter, &standing.matter.area_code)?;
    let mut checks = Checks::default();
    checks.text("reason", &input.reason, 2..=200);
    checks.done()?;
    if !end(tx, &standing, standing.stay.ordinal, Some((actor, input.reason.trim()))).await? {
        return Err(Code::WrongState.into());
    }
    queries::view(tx, id).await
}

/// Ends one that still holds, and lets what moves by date move; says whether there was one.
async fn end(tx: &Tx, standing: &Standing, ordinal: i32, lifted: Option<(&Actor, &str)>) -> Result<bool> {
    let ended = halt::Entity::update_many()
        .col_expr(halt::Column::OverAt, Expr::value(tx.now()))
        .col_expr(halt::Column::LiftedReason, Expr::value(lifted.map(|(_, reason)| reason.to_owned())))
        .filter(halt::Column::MatterId.eq(standing.matter.id))
        .filter(halt::Column::Ordinal.eq(ordinal))
        .filter(halt::Column::OverAt.is_null())
        .exec(tx)
        .await?;
    if ended.rows_affected == 0 {
        return Ok(false);
    }
    let data = json!({ "stage": standing.stay.stage, "ordinal": ordinal, "lifted": lifted.is_some() });
    let mut happening =
        Happening::new(Kind::MatterHaltEnded, standing.matter.id).at(&standing.matter.area_code).with(data);
    happening.actor = lifted.map(|(actor, _)| actor.person);
    events::record(tx, happening).await?;
    if standing.stay.ordinal == ordinal {
        let now = queries::standing(tx, standing.matter.id).await?;
        advance_by_date(tx, &now).await?;
    }
    Ok(true)
}

/// Ends those whose days are over.
///
/// # Errors
/// When the database fails.
pub(super) async fn due(tx: &Tx) -> Result<u64> {
    let over = halt::Entity::find()
        .filter(halt::Column::OverAt.is_null())
        .filter(halt::Column::UntilAt.lte(tx.now()))
        .order_by_asc(halt::Column::UntilAt)
        .limit(DUE_AT_ONCE)
        .all(tx)
        .await?;
    for row in &over {
        let standing = queries::standing(tx, row.matter_id).await?;
        end(tx, &standing, row.ordinal, None).await?;
    }
    Ok(over.len() as u64)
}

/// Refuses what a held up step does not let happen.
pub(super) fn refuse(standing: &Standing) -> Result<()> {
    if standing.halted { Err(Code::Halted.into()) } else { Ok(()) }
}
