//! 推选村民代表: by a villagers' group, or by five to fifteen households together, among villagers whom the roster knows.
//!
//! # Why
//! Article 29 of the organic law (25 until 2025) leaves it to the village whether five to fifteen households choose one, or each
//! group several; Zhejiang's rules (article 20) ask that most come and that no household has two. A candidate is named as the roster
//! has them, because whoever is chosen takes a seat by it, and a household agrees beforehand on whom it puts up.
use std::ops::RangeInclusive;

use chrono::NaiveDate;

use super::OpenVote;
use crate::{
    error::{Checks, Error, Result},
    ids::{HouseholdId, PersonId},
    people::{self, queries::Named, village_groups},
    store::Tx,
    text,
    votes::{
        queries::{self, candidate, is_selection},
        roll,
        rules::Preset,
    },
};

/// So many households choose one together (组织法, article 29).
const TOGETHER: RangeInclusive<usize> = 5..=15;

/// Such a vote names its group or its households, and candidates; nothing else names households. After a tie those of before.
pub(super) fn check(checks: &mut Checks, input: &OpenVote) {
    let households = input.households.len();
    if !is_selection(&input.preset) || input.parent_vote_id.is_some() {
        checks.require(households == 0, "households", "not_of_households");
        return;
    }
    checks.require(input.group_number.is_some() != (households > 0), "group_number", "group_or_households");
    checks.require(households == 0 || TOGETHER.contains(&households), "households", "out_of_range");
    checks.require(households == 0 || input.seats.unwrap_or(1) == 1, "seats", "out_of_range");
    checks.require(!input.options.is_empty(), "options", "required");
}

/// The households that choose together, if they do.
///
/// # Errors
/// `invalid_fields` for a number that no household of the village has, for one that is named twice or chooses in another vote now,
/// and for a group that does, or one of whose households does; `not_found` for a vote before that is not there.
pub(super) async fn homes(tx: &Tx, input: &OpenVote, area: &str) -> Result<Vec<HouseholdId>> {
    let (mut checks, mut homes) = (Checks::default(), Vec::new());
    let choosing = queries::choosing(tx, area).await?;
    if let Some(group) = input.group_number.filter(|_| is_selection(&input.preset)) {
        let own = village_groups::households(tx, (area, group)).await?;
        let is_free = !choosing.groups.contains(&group) && own.is_disjoint(&choosing.together);
        checks.require(is_free, "group_number", "group_chooses_already");
    }
    let chooses = |home: &HouseholdId| choosing.together.contains(home) || choosing.of_groups.contains(home);
    if let Some(before) = input.parent_vote_id {
        homes = queries::homes_of(&queries::row(tx, before).await?)?;
        let is_free = !homes.iter().any(chooses);
        checks.require(is_free, "parent_vote_id", "chooses_already");
    }
    for (at, number) in input.households.iter().enumerate() {
        let field = format!("households[{at}]");
        match people::queries::household_numbered(tx, area, number.trim()).await? {
            Some(home) if homes.contains(&home.id) => checks.wrong(field, "duplicate"),
            Some(home) if chooses(&home.id) => checks.wrong(field, "chooses_already"),
            Some(home) => homes.push(home.id),
            None => checks.wrong(field, "unknown"),
        }
    }
    checks.done()?;
    Ok(homes)
}

/// Whoever may be chosen has a vote in the village and is known by the name on the ballot, of each household one.
///
/// # Errors
/// `invalid_fields`, naming the option.
pub(super) async fn require_candidates(tx: &Tx, input: &OpenVote, (area, day): (&str, NaiveDate)) -> Result<()> {
    if !is_selection(&input.preset) {
        return Ok(());
    }
    let (mut checks, mut homes) = (Checks::default(), Vec::new());
    for (at, text) in input.options.iter().enumerate() {
        let field = format!("options[{at}]");
        match candidate(tx, area, text).await? {
            Named::Nobody => checks.wrong(field, "not_on_roster"),
            Named::Several => checks.wrong(field, "several_of_that_name"),
            Named::One(id) => {
                let one = people::person(tx, id).await?;
                let home = one.as_ref().map(|one| one.household);
                checks.require(one.is_some_and(|one| roll::is_elector(&one, day)), &field, "not_an_elector");
                checks.require(!homes.contains(&home), &field, "same_household");
                homes.push(home);
            }
        }
    }
    checks.done()
}

/// Who stands, as persons: nobody in a vote whose candidates are texts.
///
/// # Errors
/// `invalid_fields` for who would open a vote on the own name.
pub(super) async fn standing(
    tx: &Tx,
    by: PersonId,
    (preset, area, options): (&str, &str, Option<&str>),
) -> Result<Vec<PersonId>> {
    let mut ids = Vec::new();
    if !is_selection(preset) {
        return Ok(ids);
    }
    for option in queries::options_of(options)? {
        // who is on the roster no more since the round before stands all the same, and takes no seat
        if let Named::One(id) = candidate(tx, area, &option.text).await? {
            ids.push(id);
        }
    }
    if ids.contains(&by) { Err(Error::field("options", "not_yourself")) } else { Ok(ids) }
}

/// The rule says how many households choose together, wherever it is read.
pub(super) fn named(preset: Preset, households: usize) -> Preset {
    if households == 0 {
        return preset;
    }
    let blanks = [("n", households.to_string().into()), ("preset", preset.zh.as_str().into())];
    Preset { zh: text::say_with("vote-of-households", &blanks), ..preset }
}
