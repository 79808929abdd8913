//! Which meetings bodies held, and how many.
use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{super::rows::meeting, HELD, MeetingView, views};
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

/// The meetings of a body that were held, the newest first.
///
/// # Errors
/// When the database cannot be read.
pub async fn newest_of_body(db: &impl ConnectionTrait, body: BodyId, limit: u64) -> Result<Vec<MeetingView>> {
    let rows = meeting::Entity::find()
        .filter(meeting::Column::BodyId.eq(body))
        .filter(meeting::Column::State.eq(HELD))
        .order_by_desc(meeting::Column::HeldAt)
        .order_by_desc(meeting::Column::Id)
        .limit(limit);
    views(db, rows.all(db).await?).await
}
