//! 名册: who is on the roll of a vote, by the unit that its preset names; frozen once, in the unit of work that opens it.
use chrono::NaiveDate;
use sea_orm::{EntityTrait, Set};

use super::{
    queries,
    rows::roll_entry,
    rules::{Preset, Unit},
};
use crate::{
    areas,
    bodies::{self, Role},
    error::{Code, Result},
    ids::{HouseholdId, PersonId, VoteId},
    meetings::Audience,
    people::{self, Resident},
    store::Tx,
};

/// Rows in one insert: five columns each, well under SQLite's 32,766 variables.
const CHUNK: usize = 1000;

/// One elector, before the number is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Elector {
    person: PersonId,
    household: HouseholdId,
}

/// Whom a preset puts on the roll of a village.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// Every registered adult.
    Adults,
    /// The villagers' representatives and the village committee.
    Representatives,
}

/// May this preset be voted on here: an open yes-or-no question whose roll we can draw up?
#[must_use]
pub(super) fn is_votable(id: &str, preset: &Preset) -> bool {
    let is_question = preset.passing.is_some() && preset.second_measure.is_none();
    is_question && !preset.secret && !preset.paper_required && reach(id, preset.unit).is_some()
}

/// Who must have been called to the meeting that such a vote belongs to.
#[must_use]
pub(super) fn audience(id: &str, unit: Unit) -> Option<Audience> {
    match reach(id, unit)? {
        Reach::Adults => Some(Audience::Villagers),
        Reach::Representatives => Some(Audience::Representatives),
    }
}

fn reach(id: &str, unit: Unit) -> Option<Reach> {
    // a villagers' group decides for itself, and has no roll of its own yet
    if id.starts_with("group_") {
        return None;
    }
    match unit {
        Unit::Person | Unit::Elector | Unit::Member => Some(Reach::Adults),
        Unit::Representative => Some(Reach::Representatives),
        Unit::Household | Unit::MemberRep | Unit::Director | Unit::Owner | Unit::PersonOrHouseholdOrRep => None,
    }
}

/// Everybody who has a vote in the village on that day, in the order of the roster.
///
/// # Errors
/// `rule_not_votable` for a unit without a roll, for an area that has no roster, and when nobody is on the roll.
pub(super) async fn draw_up(tx: &Tx, id: &str, preset: &Preset, area: &str, day: NaiveDate) -> Result<Vec<Elector>> {
    let reach = reach(id, preset.unit).ok_or(Code::RuleNotVotable)?;
    if !areas::get(tx, area).await?.level.is_village() {
        return Err(Code::RuleNotVotable.into());
    }
    let residents = people::residents(tx, area).await?;
    let electors: Vec<Elector> = match reach {
        Reach::Adults => residents.iter().filter(|resident| is_elector(resident, day)).map(elector).collect(),
        Reach::Representatives => {
            let mut seated = bodies::holders(tx, "representatives", area, day).await?;
            seated.extend(committee(tx, area).await?);
            residents.iter().filter(|resident| seated.contains(&resident.id)).map(elector).collect()
        }
    };
    if electors.is_empty() { Err(Code::RuleNotVotable.into()) } else { Ok(electors) }
}

/// The members of the village committee; its clerks and grid workers work for it without sitting in it.
async fn committee(tx: &Tx, area: &str) -> Result<Vec<PersonId>> {
    let Some(id) = bodies::of_kind(tx, "village_committee", area).await? else { return Ok(Vec::new()) };
    let seats = bodies::members_of(tx, id, tx.now()).await?;
    let is_member = |role: Role| matches!(role, Role::Chair | Role::ViceChair | Role::Member);
    Ok(seats.into_iter().filter(|seat| is_member(seat.role)).map(|seat| seat.person_id).collect())
}

/// Eighteen on the day of the opening, registered, not left.
fn is_elector(resident: &Resident, day: NaiveDate) -> bool {
    resident.is_registered
        && people::rules::is_adult(resident.birth_date, day)
        && resident.left_on.is_none_or(|left| left > day)
}

fn elector(resident: &Resident) -> Elector {
    Elector { person: resident.id, household: resident.household }
}

/// Writes the roll, numbered from 1.
///
/// # Errors
/// When the database refuses.
pub(super) async fn freeze(tx: &Tx, vote: VoteId, electors: Vec<Elector>) -> Result<()> {
    let mut number = 0;
    for some in electors.chunks(CHUNK) {
        let rows: Vec<roll_entry::ActiveModel> = some
            .iter()
            .map(|elector| {
                number += 1;
                roll_entry::ActiveModel {
                    vote_id: Set(vote),
                    number: Set(number),
                    person_id: Set(elector.person),
                    household_id: Set(elector.household),
                    channel: Set(queries::NOT_CAST.to_owned()),
                }
            })
            .collect();
        roll_entry::Entity::insert_many(rows).exec_without_returning(tx).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::votes::rules::presets;

    #[test]
    fn what_must_be_secret_on_paper_ranked_or_weighed_is_not_votable() {
        let votable: Vec<&str> =
            presets().iter().filter(|(id, preset)| is_votable(id, preset)).map(|(id, _)| id.as_str()).collect();
        assert_eq!(
            votable,
            [
                "collective_members",
                "land_contract_plan",
                "village_assembly_person",
                "village_representatives",
                "zj_collective_assets",
            ]
        );
    }
}
