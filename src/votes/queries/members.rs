//! Who belonged to which household on the day of a roll: what the roster says today does not change it.
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::super::rows::roll_member;
use crate::{
    error::Result,
    ids::{PersonId, VoteId},
};

/// The number of the household to which somebody belonged.
pub(in crate::votes) async fn household_of(
    db: &impl ConnectionTrait,
    vote: VoteId,
    person: PersonId,
) -> Result<Option<i32>> {
    let row = roll_member::Entity::find_by_id((vote, person)).one(db).await?;
    Ok(row.map(|row| row.number))
}

/// The grown-ups who belonged to the household with this number.
pub(in crate::votes) async fn grown_ups(
    db: &impl ConnectionTrait,
    (vote, number): (VoteId, i32),
) -> Result<Vec<PersonId>> {
    let people = roll_member::Entity::find()
        .select_only()
        .column(roll_member::Column::PersonId)
        .filter(roll_member::Column::VoteId.eq(vote))
        .filter(roll_member::Column::Number.eq(number))
        .order_by_asc(roll_member::Column::PersonId);
    Ok(people.into_tuple().all(db).await?)
}

/// The grown-ups who belonged to any of its households.
pub(in crate::votes) async fn of_all(db: &impl ConnectionTrait, vote: VoteId) -> Result<Vec<PersonId>> {
    let people = roll_member::Entity::find().select_only().column(roll_member::Column::PersonId);
    let people = people.filter(roll_member::Column::VoteId.eq(vote)).order_by_asc(roll_member::Column::PersonId);
    Ok(people.into_tuple().all(db).await?)
}
