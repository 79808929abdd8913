//! Members of a collective who are on no roster of its village: by name and identity number, and the household they belong to.
use std::{collections::HashSet, fmt};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::queries::Body;
use crate::{
    clock,
    error::{Checks, Result},
    ids::{HouseholdId, PersonId},
    people::{self, rules::IdNumber},
    store::Tx,
};

/// People of one change at most.
const MAX_AT_ONCE: usize = 50;

/// Somebody who is on no roster of the village; does not show itself in logs.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OffRosterMember {
    /// Full name, as on the identity card. 1 to 30 characters.
    #[schema(min_length = 1, max_length = 30)]
    pub name: String,
    /// The identity number, 18 characters; a keyed digest of it is kept and the last four characters sealed, as of a roster's.
    /// Whoever has it on another village's roster is meant, and votes with the log-in they have there; where nobody has it, whoever
    /// the village's roster has under this name and day of birth without a number.
    pub id_number: String,
    /// To which household of the collective they belong, by its number on the village's roster: its members may cast for one
    /// another. Absent: to the one in which the roster has or had them, else to one of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 20)]
    pub household_number: Option<String>,
}

impl fmt::Debug for OffRosterMember {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OffRosterMember").finish_non_exhaustive()
    }
}

/// Somebody meant, and where the register has them.
pub(super) struct Meant {
    pub(super) person: PersonId,
    /// On no roster now.
    pub(super) is_off_roster: bool,
    pub(super) household: Option<HouseholdId>,
    /// On the register already, without a vote since they left the roster.
    pub(super) is_listed: bool,
}

/// Whom they mean; who is known by no number is made. `standing` are those on the register who have a vote there already.
///
/// # Errors
/// `invalid_fields`; then nobody may be kept.
pub(super) async fn meant(
    tx: &Tx,
    (body, told): (&Body, &[OffRosterMember]),
    (listed, standing): (&HashSet<PersonId>, &HashSet<PersonId>),
) -> Result<Vec<Meant>> {
    let (mut checks, mut found) = (Checks::default(), Vec::<Meant>::new());
    checks.require(told.len() <= MAX_AT_ONCE, "off_roster", "out_of_range");
    for (at, one) in told.iter().enumerate().take(MAX_AT_ONCE) {
        let field = |name: &str| format!("off_roster[{at}].{name}");
        checks.text(&field("name"), &one.name, 1..=30);
        let id = match IdNumber::parse(&one.id_number, clock::local_date(tx.now())) {
            Ok(id) => id,
            Err(fault) => {
                checks.wrong(field("id_number"), fault.code());
                continue;
            }
        };
        let number = one.household_number.as_deref().map(str::trim).filter(|number| !number.is_empty());
        let household = household(tx, body, number).await?;
        if number.is_some() && household.is_none() {
            checks.wrong(field("household_number"), "unknown");
        }
        let mut known = people::by_id_number(tx, &body.areas, (one.name.trim(), &id)).await?;
        if known.len() > 1 {
            checks.wrong(field("name"), "several_of_that_name");
        }
        let known = known.pop();
        // the same person cannot be called otherwise
        if known.as_ref().is_some_and(|known| known.name != one.name.trim()) {
            checks.wrong(field("name"), "differs_from_id");
        }
        let is_there = |person: PersonId| standing.contains(&person) || found.iter().any(|one| one.person == person);
        if known.as_ref().is_some_and(|known| is_there(known.id)) {
            checks.wrong(field("id_number"), "duplicate");
        }
        if checks.count() > 0 {
            continue;
        }
        let area = body.areas.first().map(String::as_str).unwrap_or_default();
        let person = match known {
            Some(known) => known,
            None => people::make_off_roster(tx, (area, household), (one.name.trim(), &id)).await?,
        };
        found.push(Meant {
            is_off_roster: person.left_on.is_some(),
            household,
            is_listed: listed.contains(&person.id),
            person: person.id,
        });
    }
    checks.done()?;
    Ok(found)
}

/// The one household of this number in the collective's villages.
async fn household(tx: &Tx, body: &Body, number: Option<&str>) -> Result<Option<HouseholdId>> {
    let Some(number) = number else { return Ok(None) };
    let mut found = Vec::new();
    for area in &body.areas {
        found.extend(people::queries::household_numbered(tx, area, number).await?);
    }
    let [one] = found.as_slice() else { return Ok(None) };
    Ok(Some(one.id))
}
