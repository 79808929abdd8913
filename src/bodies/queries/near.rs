//! The bodies that cover an area, and those beside it.
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter};

use super::{super::rows::body_area, Body, bodies};
use crate::{areas, error::Result};

/// Digits of a town's code, with which those of its villages begin.
const TOWN_CODE: usize = 9;

/// All bodies that cover an area, the oldest first.
///
/// # Errors
/// When the database cannot be read.
pub async fn over(db: &impl ConnectionTrait, area: &str) -> Result<Vec<Body>> {
    let near =
        body_area::Entity::find().filter(body_area::Column::AreaCode.is_in(areas::ancestors(area))).all(db).await?;
    bodies(db, near.into_iter().map(|row| row.body_id).collect()).await
}

/// The bodies that cover an area, and those of the other villages of its town, the oldest first.
///
/// # Errors
/// When the database cannot be read.
pub async fn near(db: &impl ConnectionTrait, area: &str) -> Result<Vec<Body>> {
    let there = Condition::any()
        .add(body_area::Column::AreaCode.is_in(areas::ancestors(area)))
        .add(body_area::Column::AreaCode.starts_with(area.get(..TOWN_CODE).unwrap_or(area)));
    let rows = body_area::Entity::find().filter(there).all(db).await?;
    bodies(db, rows.into_iter().map(|row| row.body_id).collect()).await
}
