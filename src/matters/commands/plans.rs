//! 方案: what is to be done about a matter, in versions that all stay and whose changes everybody sees.
use sea_orm::{EntityTrait, Set};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::taken;
use crate::{
    actor::Actor,
    bodies::{self, Right},
    error::{Checks, Code, Result},
    events::{self, Happening, Kind},
    ids::MatterId,
    matters::{
        queries::{self, PlanView},
        rows::plan,
        rules::{Stage, State},
    },
    store::Tx,
};

/// Versions of one plan at most.
const MAX_VERSIONS: i32 = 50;

/// A version of a plan.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WritePlan {
    /// The version that the writer saw, 0 for none; refused with `changed` if there is a newer one.
    pub version: i32,
    /// 10 to 5,000 characters.
    #[schema(min_length = 10, max_length = 5000)]
    pub text: String,
    /// Why it changes; public, asked for from the second on. 2 to 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 2, max_length = 200)]
    pub reason: Option<String>,
}

/// Writes the next version. From the stage of publicity on the plan is what hangs out: whoever wants to change it sends the
/// matter back, and the period runs anew. Recorded: `matter.plan_written`.
///
/// # Errors
/// `not_found`; `not_allowed` without a seat that moves matters there; `invalid_fields`; `wrong_state` when the matter is past
/// deliberation or has ended, or after 50 versions; `changed`.
pub async fn write_plan(tx: &Tx, actor: &Actor, (id, input): (MatterId, WritePlan)) -> Result<PlanView> {
    let standing = queries::standing(tx, id).await?;
    let seat = bodies::require(actor, Right::MoveMatter, &standing.matter.area_code)?;
    let newest = queries::plan_row(tx, id).await?;
    let version = newest.as_ref().map_or(0, |row| row.version);
    // browsers end lines otherwise than the API
    let text = input.text.trim().replace("\r\n", "\n");
    let mut checks = Checks::default();
    checks.text("text", &text, 10..=5000);
    let reason = input.reason.as_deref().unwrap_or_default();
    checks.text("reason", reason, if version > 0 { 2..=200 } else { 0..=200 });
    let is_same = newest.as_ref().is_some_and(|row| row.text == text);
    checks.require(!is_same, "text", "duplicate");
    checks.done()?;
    let position = standing.position();
    if position.state != State::Open || position.stage > Stage::Deliberate || version >= MAX_VERSIONS {
        return Err(Code::WrongState.into());
    }
    if input.version != version {
        return Err(Code::Changed.into());
    }
    let row = plan::ActiveModel {
        matter_id: Set(id),
        version: Set(version + 1),
        text: Set(text),
        reason: Set(Some(reason.trim().to_owned()).filter(|text| !text.is_empty())),
        body_id: Set(seat.body_id),
        actor_id: Set(actor.person),
        written_at: Set(tx.now()),
    };
    plan::Entity::insert(row).exec_without_returning(tx).await.map_err(taken)?;
    let happening = Happening::new(Kind::PlanWritten, id)
        .at(&standing.matter.area_code)
        .by(actor.person)
        .with(json!({ "version": version + 1, "body": seat.body_id }));
    events::record(tx, happening).await?;
    queries::plan(tx, (id, Some(version + 1))).await
}
