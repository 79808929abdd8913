//! Contracts on which nobody has said anything in time, for who runs the county.
use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::rows::contract;
use crate::error::Result;

/// Contracts of an area and below it that wait for an opinion past its day: where, and since when. The longest first, so many at most.
///
/// # Errors
/// When the database cannot be read.
pub async fn contracts(
    db: &impl ConnectionTrait,
    (area, now, limit): (&str, DateTime<Utc>, u64),
) -> Result<Vec<(String, DateTime<Utc>)>> {
    let late = contract::Entity::find()
        .select_only()
        .columns([contract::Column::AreaCode, contract::Column::DueAt])
        .filter(contract::Column::AreaCode.starts_with(area))
        .filter(contract::Column::ReviewedAt.is_null())
        .filter(contract::Column::DueAt.lte(now))
        .order_by_asc(contract::Column::DueAt)
        .limit(limit);
    Ok(late.into_tuple().all(db).await?)
}
