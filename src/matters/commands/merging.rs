//! 并入: a matter that is taken back goes on in another of its village. The voices go along, whole; what was done in it stays.
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::json;

use crate::{
    actor::Actor,
    error::{Checks, Result},
    events::{self, Happening, Kind},
    ids::MatterId,
    matters::{queries::Standing, rows::matter, rules::State},
    store::Tx,
    suggestions,
};

/// The other matter, if one is named: under way, and of the same village.
pub(super) async fn named(tx: &Tx, standing: &Standing, into: Option<MatterId>) -> Result<Option<MatterId>> {
    let Some(id) = into else { return Ok(None) };
    let own = &standing.matter;
    let other = matter::Entity::find_by_id(id).one(tx).await?;
    let is_good = other.is_some_and(|other| {
        other.id != own.id && other.area_code == own.area_code && other.state == State::Open.as_str()
    });
    let mut checks = Checks::default();
    checks.require(is_good, "merged_into", "not_under_way_here");
    checks.done()?;
    Ok(Some(id))
}

/// Lets the voices go on there.
pub(super) async fn carry(tx: &Tx, actor: &Actor, standing: &Standing, into: MatterId) -> Result<()> {
    let own = &standing.matter;
    matter::Entity::update_many()
        .col_expr(matter::Column::MergedIntoId, Expr::value(Some(into)))
        .filter(matter::Column::Id.eq(own.id))
        .exec(tx)
        .await?;
    suggestions::commands::carry_over(tx, (own.id, into)).await?;
    let happening = Happening::new(Kind::MatterMerged, own.id).at(&own.area_code).by(actor.person);
    events::record(tx, happening.with(json!({ "into": into }))).await?;
    Ok(())
}
