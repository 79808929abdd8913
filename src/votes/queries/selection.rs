//! 推选村民代表: which households choose together, and whom a name on the ballot means.
use std::{collections::HashSet, fmt::Display};

use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter};

use super::{ANNULLED, CLOSED, PROVISIONAL};
use crate::{
    error::{Error, Result},
    ids::{HouseholdId, PersonId},
    people::{self, queries::Named},
    votes::rows::vote,
};

/// The households that choose together; nobody's where a group does, or where it is another vote.
///
/// # Errors
/// Never, as long as the row is ours.
pub(in crate::votes) fn homes_of(row: &vote::Model) -> Result<Vec<HouseholdId>> {
    let ids = row.household_ids.iter().flat_map(|ids| ids.split(','));
    ids.map(|id| id.parse().map_err(Error::broken)).collect()
}

/// The candidates who are known as persons: those of a choice of representatives. Elsewhere they are texts.
pub(in crate::votes) fn candidates_of(row: &vote::Model) -> Vec<PersonId> {
    let ids = row.candidate_ids.iter().flat_map(|ids| ids.split(','));
    ids.filter_map(|id| id.parse().ok()).collect()
}

/// The form in which households and candidates are kept.
#[must_use]
pub(in crate::votes) fn kept_ids(ids: &[impl Display]) -> Option<String> {
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    (!ids.is_empty()).then(|| ids.join(","))
}

/// The households of a village that choose in a vote which is not over: it waits to be counted, or its result may be challenged.
///
/// # Errors
/// When the database cannot be read.
pub(in crate::votes) async fn choosing(db: &impl ConnectionTrait, area: &str) -> Result<HashSet<HouseholdId>> {
    let is_running = Condition::any()
        .add(vote::Column::State.is_not_in([CLOSED, ANNULLED]))
        .add(vote::Column::Settlement.eq(PROVISIONAL));
    let running = vote::Entity::find()
        .filter(vote::Column::AreaCode.eq(area))
        .filter(is_running)
        .filter(vote::Column::HouseholdIds.is_not_null());
    let mut homes = HashSet::new();
    for row in running.all(db).await? {
        homes.extend(homes_of(&row)?);
    }
    Ok(homes)
}

/// The villager whom a candidate's name means; of several the one with the number on the roster that stands behind it.
///
/// # Errors
/// When the database cannot be read.
pub(in crate::votes) async fn candidate(db: &impl ConnectionTrait, area: &str, text: &str) -> Result<Named> {
    let (name, number) = match text.trim().split_once(' ') {
        Some((name, number)) => (name, Some(number.trim())),
        None => (text.trim(), None),
    };
    people::queries::named(db, &[area.to_owned()], (name, number)).await
}
