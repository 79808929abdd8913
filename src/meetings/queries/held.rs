//! How many meetings bodies held.
use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};

use super::{super::rows::meeting, HELD};
use crate::{error::Result, ids::BodyId};

/// Meetings with minutes of an area and below it that were held in this time, by body.
///
/// # Errors
/// When the database cannot be read.
pub async fn held_by_body(
    db: &impl ConnectionTrait,
    (area, from, to): (&str, DateTime<Utc>, DateTime<Utc>),
) -> Result<Vec<(BodyId, i64)>> {
    let held = meeting::Entity::find()
        .select_only()
        .column(meeting::Column::BodyId)
        .column_as(meeting::Column::Id.count(), "held")
        .filter(meeting::Column::AreaCode.starts_with(area))
        .filter(meeting::Column::State.eq(HELD))
        .filter(meeting::Column::HeldAt.gte(from))
        .filter(meeting::Column::HeldAt.lt(to))
        .group_by(meeting::Column::BodyId);
    Ok(held.into_tuple().all(db).await?)
}
