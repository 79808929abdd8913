//! Steps that were held up, as everybody may see them.
use chrono::{DateTime, FixedOffset};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::stays::{ActorView, Names, stays_of};
use crate::{
    clock,
    error::Result,
    ids::MatterId,
    matters::rows::{halt, stage_record},
    text,
};

/// That a step was held up.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct HaltView {
    /// Name of the stage, in Chinese.
    pub stage_name: String,
    /// Who holds it up, for the supervision committee.
    pub by: ActorView,
    /// Why.
    pub reason: String,
    /// Since when.
    pub halted_at: DateTime<FixedOffset>,
    /// Until when at most.
    pub until_at: DateTime<FixedOffset>,
    /// When it went on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub over_at: Option<DateTime<FixedOffset>>,
    /// What came of it, where it was let go on before its time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifted_reason: Option<String>,
}

/// Those of a matter, oldest first.
pub(super) async fn halts(
    db: &impl ConnectionTrait,
    id: MatterId,
    stays: &[stage_record::Model],
) -> Result<Vec<HaltView>> {
    let own = halt::Entity::find().filter(halt::Column::MatterId.eq(id)).order_by_asc(halt::Column::Ordinal);
    let rows = own.all(db).await?;
    let names = Names::of(db, rows.iter().map(|row| (row.actor_id, Some(row.body_id))).collect()).await?;
    let stage = |ordinal: i32| stays.iter().find(|stay| stay.ordinal == ordinal).map(|stay| stay.stage.clone());
    let view = |row: halt::Model| HaltView {
        stage_name: stage(row.ordinal).map(|stage| text::word("stage", &stage)).unwrap_or_default(),
        by: names.actor(row.actor_id, Some(row.body_id)),
        reason: row.reason,
        halted_at: clock::local(row.halted_at),
        until_at: clock::local(row.until_at),
        over_at: row.over_at.map(clock::local),
        lifted_reason: row.lifted_reason,
    };
    Ok(rows.into_iter().map(view).collect())
}

/// The newest of them.
///
/// # Errors
/// When the database cannot be read.
pub async fn newest_halt(db: &impl ConnectionTrait, id: MatterId) -> Result<Option<HaltView>> {
    Ok(halts(db, id, &stays_of(db, id).await?).await?.pop())
}

/// Is the present stay held up?
pub(super) async fn is_halted(db: &impl ConnectionTrait, stay: &stage_record::Model) -> Result<bool> {
    let held = halt::Entity::find_by_id((stay.matter_id, stay.ordinal)).one(db).await?;
    Ok(held.is_some_and(|row| row.over_at.is_none()))
}
