//! 妇女: how many of some people are women, where the law wants a share of them.
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter};

use super::rows::person;
use crate::{error::Result, ids::PersonId};

/// As a roster's import writes it.
const FEMALE: &str = "female";

/// How many of these people are women; a body is never so large that it had to be asked in pieces.
///
/// # Errors
/// When the database cannot be read.
pub async fn women_among(db: &impl ConnectionTrait, ids: &[PersonId]) -> Result<u64> {
    let women = person::Entity::find()
        .filter(person::Column::Id.is_in(ids.iter().copied()))
        .filter(person::Column::Sex.eq(FEMALE));
    Ok(women.count(db).await?)
}
