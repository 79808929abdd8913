//! The households that were drawn for a sheet of visits, for those who visit; and those that were visited.
use std::collections::HashSet;

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::people_answered;
use crate::{
    error::Result,
    forms::rows::{answer, form, sample},
    ids::{FormId, HouseholdId, PersonId},
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

/// The households in which somebody was visited, by these sheets, each once. On a sheet for which households were drawn, those
/// alone: else who draws them would visit others.
///
/// # Errors
/// When the database cannot be read.
pub async fn homes_visited(db: &impl ConnectionTrait, sheets: Vec<FormId>) -> Result<HashSet<HouseholdId>> {
    let drawn: Vec<(FormId, HouseholdId)> = sample::Entity::find()
        .select_only()
        .columns([sample::Column::FormId, sample::Column::HouseholdId])
        .filter(sample::Column::FormId.is_in(sheets.iter().copied()))
        .into_tuple()
        .all(db)
        .await?;
    let visits: Vec<(FormId, PersonId)> = answer::Entity::find()
        .select_only()
        .columns([answer::Column::FormId, answer::Column::PersonId])
        .filter(answer::Column::FormId.is_in(sheets))
        .into_tuple()
        .all(db)
        .await?;
    let visited: Vec<PersonId> = visits.iter().map(|(_, person)| *person).collect();
    let visited = people::queries::on_rolls(db, &visited).await?;
    let drawn_for: HashSet<FormId> = drawn.iter().map(|(sheet, _)| *sheet).collect();
    let drawn: HashSet<(FormId, HouseholdId)> = drawn.into_iter().collect();
    let home = |(sheet, person): (FormId, PersonId)| {
        let home = visited.get(&person)?.household;
        (!drawn_for.contains(&sheet) || drawn.contains(&(sheet, home))).then_some(home)
    };
    Ok(visits.into_iter().filter_map(home).collect())
}
