//! 村民小组: the groups of a village as its roster numbers them, who and which households belong to one; 0 is none.
use std::collections::HashSet;

use chrono::NaiveDate;
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{
    queries::Resident,
    rows::{household, person},
    rules,
};
use crate::{
    error::Result,
    ids::{HouseholdId, PersonId},
};

/// The numbers of a village's groups, in their order.
///
/// # Errors
/// When the database cannot be read.
pub async fn numbers(db: &impl ConnectionTrait, area: &str) -> Result<Vec<i32>> {
    let found = person::Entity::find()
        .select_only()
        .column(person::Column::GroupNumber)
        .distinct()
        .filter(person::Column::AreaCode.eq(area))
        .filter(person::Column::GroupNumber.gt(0))
        .filter(person::Column::LeftOn.is_null())
        .order_by_asc(person::Column::GroupNumber);
    Ok(found.into_tuple().all(db).await?)
}

/// The households of a group.
///
/// # Errors
/// When the database cannot be read.
pub async fn households(db: &impl ConnectionTrait, (area, number): (&str, i32)) -> Result<HashSet<HouseholdId>> {
    let found = household::Entity::find()
        .select_only()
        .column(household::Column::Id)
        .filter(household::Column::AreaCode.eq(area))
        .filter(household::Column::GroupNumber.eq(number));
    Ok(found.into_tuple::<HouseholdId>().all(db).await?.into_iter().collect())
}

/// The groups to which somebody belongs: by the own line of the roster, and by the household's.
///
/// # Errors
/// When the database cannot be read.
pub async fn of(db: &impl ConnectionTrait, one: &Resident) -> Result<Vec<i32>> {
    let home = household::Entity::find_by_id(one.household).one(db).await?;
    let both = [Some(one.group_number), home.map(|home| home.group_number)];
    Ok(both.into_iter().flatten().filter(|number| *number > 0).collect())
}

/// Everybody of age on that day who belongs to a group, in the order of their ids.
///
/// # Errors
/// When the database cannot be read.
pub async fn grown_ups(
    db: &impl ConnectionTrait,
    (area, number): (&str, i32),
    day: NaiveDate,
) -> Result<Vec<PersonId>> {
    let homes = households(db, (area, number)).await?;
    let belongs =
        Condition::any().add(person::Column::GroupNumber.eq(number)).add(person::Column::HouseholdId.is_in(homes));
    let found = person::Entity::find()
        .select_only()
        .columns([person::Column::Id, person::Column::BirthDate])
        .filter(person::Column::AreaCode.eq(area))
        .filter(person::Column::LeftOn.is_null())
        .filter(belongs)
        .order_by_asc(person::Column::Id);
    let found: Vec<(PersonId, NaiveDate)> = found.into_tuple().all(db).await?;
    Ok(found.into_iter().filter(|(_, birth)| rules::is_adult(*birth, day)).map(|(id, _)| id).collect())
}
