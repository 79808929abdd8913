//! 村民会议决定的事项: that a matter is one of the ten items which the law reserves to the assembly, where who raised it did
//! not say so.
use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, QueryFilter, sea_query::Expr};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::evidence::{Piece, insert};
use crate::{
    actor::Actor,
    bodies::{self, Right},
    error::{Checks, Code, Result},
    ids::MatterId,
    matters::{
        queries::{self, MatterView, Standing},
        rows::matter,
        rules::{
            ReservedItem, Stage, State,
            gate::{self, Facts, Missing},
            own,
        },
    },
    store::Tx,
};

/// A matter is one of the ten items that the law reserves to the villagers' assembly.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MarkReserved {
    /// Which.
    pub item: ReservedItem,
    /// Why; public. 2 to 200 characters.
    #[schema(min_length = 2, max_length = 200)]
    pub reason: String,
}

/// Says that a matter is one of the ten items, or another one of them than was said before. From then on a legal officer's note
/// is asked for, before the council is left and before anybody votes, and the representatives need the assembly's word. Nobody
/// takes it back. Recorded: `matter.evidence_attached`.
///
/// # Errors
/// `not_found`; `not_allowed` without the seat of a legal officer or a supervisor there; `invalid_fields`; `wrong_state` after
/// the decision or while a vote runs; `template_not_allowed` on a path without a vote and a legal officer's note; `changed`.
pub async fn mark_reserved(tx: &Tx, actor: &Actor, (id, input): (MatterId, MarkReserved)) -> Result<MatterView> {
    let standing = queries::standing(tx, id).await?;
    let area = &standing.matter.area_code;
    let seat = bodies::require(actor, Right::NoteLegality, area)
        .or_else(|_| bodies::require(actor, Right::CloseMatter, area))?;
    let mut checks = Checks::default();
    checks.text("reason", &input.reason, 2..=200);
    let is_same = standing.matter.reserved_item.as_deref() == Some(input.item.as_str());
    checks.require(!is_same, "item", "duplicate");
    checks.done()?;
    let position = standing.position();
    if position.state != State::Open || position.stage > Stage::Decide || position.vote_running {
        return Err(Code::WrongState.into());
    }
    if !own::is_for_reserved(&standing.template) {
        return Err(Code::TemplateNotAllowed.into());
    }
    let marked = matter::Entity::update_many()
        .col_expr(matter::Column::ReservedItem, Expr::value(input.item.as_str()))
        .col_expr(matter::Column::Rev, Expr::col(matter::Column::Rev).add(1))
        .col_expr(matter::Column::UpdatedAt, Expr::value(tx.now()))
        .filter(matter::Column::Id.eq(id))
        .filter(matter::Column::Rev.eq(standing.matter.rev))
        .exec(tx)
        .await?;
    if marked.rows_affected != 1 {
        return Err(Code::Changed.into());
    }
    let piece = Piece {
        kind: "reserved",
        note: Some(input.reason.trim().to_owned()),
        actor: Some(actor.person),
        body: Some(seat.body_id),
        ..Piece::default()
    };
    insert(tx, &standing, position.stage, tx.now(), piece).await?;
    queries::view(tx, id).await
}

/// The legal officer's note, where the law asks for one, the path has a place for it, and nobody has written any on the plan that
/// is to be voted on.
pub(super) async fn unnoted(tx: &Tx, standing: &Standing) -> Result<Vec<Missing>> {
    if standing.matter.reserved_item.is_none() {
        return Ok(Vec::new());
    }
    let planned_at = queries::plan_row(tx, standing.matter.id).await?.map(|plan| plan.written_at);
    let mut notes = standing.evidence.iter().filter(|row| row.kind == "legality");
    if notes.any(|row| planned_at.is_none_or(|at| row.at >= at)) {
        return Ok(Vec::new());
    }
    let facts = Facts { is_reserved: true, ..Facts::default() };
    Ok(standing.template.stages.iter().flat_map(|rule| gate::unnoted(rule, &facts)).collect())
}
