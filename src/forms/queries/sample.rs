//! The households that were drawn for a sheet of visits; for those who visit.
use std::collections::HashSet;

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::people_answered;
use crate::{
    error::Result,
    forms::rows::{form, sample},
    ids::{FormId, HouseholdId},
    people,
};

/// A household that was drawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SampleView {
    /// Its place, from 1.
    pub number: i32,
    /// Which.
    pub household_id: HouseholdId,
    /// Its number on the roster.
    pub household_number: String,
    /// Somebody of it objected to a notice of the matter.
    pub is_objector: bool,
    /// Somebody of it is on the sheet.
    pub is_visited: bool,
}

/// Those of a sheet, in the order in which they were drawn.
///
/// # Errors
/// When the database cannot be read.
pub async fn sample(db: &impl ConnectionTrait, id: FormId) -> Result<Vec<SampleView>> {
    let rows = sample::Entity::find()
        .filter(sample::Column::FormId.eq(id))
        .order_by_asc(sample::Column::Number)
        .all(db)
        .await?;
    let Some(form) = form::Entity::find_by_id(id).one(db).await?.filter(|_| !rows.is_empty()) else {
        return Ok(Vec::new());
    };
    let numbers = people::household_numbers(db, &form.area_code).await?;
    let visited = people_answered(db, vec![id]).await?;
    let visited = people::queries::on_rolls(db, &visited).await?;
    let homes: HashSet<HouseholdId> = visited.values().map(|one| one.household).collect();
    let view = |row: sample::Model| SampleView {
        number: row.number,
        household_number: numbers.get(&row.household_id).cloned().unwrap_or_default(),
        is_visited: homes.contains(&row.household_id),
        household_id: row.household_id,
        is_objector: row.is_objector,
    };
    Ok(rows.into_iter().map(view).collect())
}
