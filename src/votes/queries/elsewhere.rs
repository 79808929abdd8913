//! Who stands on the roll of another village's vote, too, because they moved while it runs: registered there, one does not vote
//! here as well. The same of two groups of a village.
use std::collections::HashSet;

use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait};

use super::{
    super::rows::{roll_entry, vote},
    OPEN, POSTED, STRUCK, WAITING_KEYS, row,
};
use crate::{
    error::Result,
    ids::{PersonId, VoteId},
};

/// Those of these people who stand on a roll of another village whose vote is not over; of a villagers' group, or of another
/// group.
///
/// # Errors
/// `not_found`.
pub async fn elsewhere(db: &impl ConnectionTrait, id: VoteId, people: &[PersonId]) -> Result<HashSet<PersonId>> {
    let own = row(db, id).await?;
    let mut is_other = Condition::any().add(vote::Column::AreaCode.ne(own.area_code));
    if let Some(group) = own.group_number {
        is_other = is_other.add(vote::Column::GroupNumber.ne(group));
    }
    let others = vote::Entity::find()
        .select_only()
        .column(vote::Column::Id)
        .filter(vote::Column::State.is_in([WAITING_KEYS, POSTED, OPEN]))
        .filter(is_other);
    let mut found = HashSet::new();
    for some in people.chunks(500) {
        let there = roll_entry::Entity::find()
            .select_only()
            .column(roll_entry::Column::PersonId)
            .filter(roll_entry::Column::PersonId.is_in(some.iter().copied()))
            .filter(roll_entry::Column::Channel.ne(STRUCK))
            .filter(roll_entry::Column::VoteId.in_subquery(others.clone().into_query()));
        found.extend(there.into_tuple::<PersonId>().all(db).await?);
    }
    Ok(found)
}
