//! 推选村民代表: which households choose together, and whom a name on the ballot means.
use std::{collections::HashSet, fmt::Display};

use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};

use super::{ANNULLED, CLOSED, PROVISIONAL, kinds::SELECTIONS};
use crate::{
    error::{Error, Result},
    ids::{HouseholdId, PersonId},
    people::{self, queries::Named},
    votes::rows::{roll_entry, vote},
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

/// Who chooses representatives of a village in a vote which is not over: it waits to be counted, or its result may be challenged.
#[derive(Debug, Default)]
pub(in crate::votes) struct Choosing {
    /// Groups, by their number.
    pub(in crate::votes) groups: HashSet<i32>,
    /// Households some of whose people choose with their group.
    pub(in crate::votes) of_groups: HashSet<HouseholdId>,
    /// Households that choose together.
    pub(in crate::votes) together: HashSet<HouseholdId>,
}

/// Who chooses there now.
///
/// # Errors
/// When the database cannot be read.
pub(in crate::votes) async fn choosing(db: &impl ConnectionTrait, area: &str) -> Result<Choosing> {
    let is_running = Condition::any()
        .add(vote::Column::State.is_not_in([CLOSED, ANNULLED]))
        .add(vote::Column::Settlement.eq(PROVISIONAL));
    let running = vote::Entity::find()
        .filter(vote::Column::AreaCode.eq(area))
        .filter(is_running)
        .filter(vote::Column::Preset.starts_with(SELECTIONS));
    let (mut choosing, mut of_groups) = (Choosing::default(), Vec::new());
    for row in running.all(db).await? {
        choosing.together.extend(homes_of(&row)?);
        if let Some(group) = row.group_number {
            choosing.groups.insert(group);
            of_groups.push(row.id);
        }
    }
    let homes = roll_entry::Entity::find()
        .select_only()
        .column(roll_entry::Column::HouseholdId)
        .distinct()
        .filter(roll_entry::Column::VoteId.is_in(of_groups));
    choosing.of_groups.extend(homes.into_tuple::<HouseholdId>().all(db).await?);
    Ok(choosing)
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
