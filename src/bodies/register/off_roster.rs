//! Members of a collective who are on no roster of its village: by name and identity number, and the household they belong to.
//!
//! # Why
//! Whoever keeps a register could find out by trying whose identity number is known in the county. So a number means somebody
//! only together with the name, the register shows a number of its own for whoever is on no roster of its villages, and what is
//! entered is answered alike. A number that is known under another name is the county's to look at, which hears of it.
use std::{
    collections::{HashMap, HashSet},
    fmt,
};

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::{queries::Body, rows::body_member};
use crate::{
    clock,
    error::{Checks, Result},
    ids::{BodyId, HouseholdId, PersonId},
    people::{self, ByNumber, Resident, rules::IdNumber},
    store::Tx,
};

/// People of one change at most.
const MAX_AT_ONCE: usize = 50;
/// Before a number of the register's own.
const MARK: &str = "@";

/// Somebody who is on no roster of the village; does not show itself in logs.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OffRosterMember {
    /// Full name, as on the identity card. 1 to 30 characters.
    #[schema(min_length = 1, max_length = 30)]
    pub name: String,
    /// The identity number, 18 characters; a keyed digest of it is kept and the last four characters sealed, as of a roster's.
    /// Whoever has it under this name on another village's roster is meant, and votes with the log-in they have there, which the
    /// register does not tell; where nobody has it, whoever the village's roster has under this name and day of birth without a
    /// number.
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
    /// On no roster of the collective's villages now, wherever else.
    pub(super) is_off_roster: bool,
    pub(super) household: Option<HouseholdId>,
    /// On the register already, without a vote since they left the roster.
    pub(super) is_listed: bool,
    /// Digest of the identity number by which they were named.
    pub(super) number_hmac: String,
    /// Whose the number is, under another name.
    pub(super) others: Option<PersonId>,
}

/// Whom they mean; who is known by no number, or whose number is known as another's, is made: whoever names them is not told which.
/// `standing` are those on the register who have a vote there already.
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
    let entered = entered(tx, body.id).await?;
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
        let name = one.name.trim();
        let (known, others) = match people::by_id_number(tx, &body.areas, (name, &id)).await? {
            ByNumber::One(known) => (Some(known), None),
            ByNumber::Nobody => (None, None),
            ByNumber::Others(person) => (None, Some(person)),
            ByNumber::Several => {
                checks.wrong(field("name"), "several_of_that_name");
                continue;
            }
        };
        let number_hmac = people::id_digest(tx.keys(), &id);
        // a number that was given here means the one of then, whatever the name: nobody is there twice
        let was_given = entered.contains(&number_hmac) || found.iter().any(|one| one.number_hmac == number_hmac);
        let is_there = |person: PersonId| standing.contains(&person) || found.iter().any(|one| one.person == person);
        if was_given || known.as_ref().is_some_and(|known| is_there(known.id)) {
            checks.wrong(field("id_number"), "duplicate");
        }
        if checks.count() > 0 {
            continue;
        }
        let area = body.areas.first().map(String::as_str).unwrap_or_default();
        let person = match known {
            Some(known) => known,
            None => people::make_off_roster(tx, (area, household), (name, &id, others.is_none())).await?,
        };
        let is_listed = listed.contains(&person.id);
        let (person, is_off_roster) = (person.id, !is_here(body, &person));
        found.push(Meant { person, is_off_roster, household, is_listed, number_hmac, others });
    }
    checks.done()?;
    Ok(found)
}

/// Is this somebody of a roster of the collective's villages?
pub(super) fn is_here(body: &Body, one: &Resident) -> bool {
    one.left_on.is_none() && body.areas.contains(&one.area)
}

/// Digests of the identity numbers by which somebody was entered on the register.
async fn entered(tx: &Tx, body: BodyId) -> Result<HashSet<String>> {
    let rows = body_member::Entity::find()
        .select_only()
        .column(body_member::Column::NumberHmac)
        .filter(body_member::Column::BodyId.eq(body))
        .filter(body_member::Column::NumberHmac.is_not_null());
    Ok(rows.into_tuple().all(tx).await?.into_iter().collect())
}

/// The numbers of the register's own, by whom they mean: of who is on no roster of its villages.
///
/// # Errors
/// When the database cannot be read.
pub(in crate::bodies) async fn numbers(db: &impl ConnectionTrait, body: BodyId) -> Result<HashMap<PersonId, String>> {
    let rows = body_member::Entity::find()
        .select_only()
        .column(body_member::Column::PersonId)
        .column(body_member::Column::RegisterNumber)
        .filter(body_member::Column::BodyId.eq(body))
        .filter(body_member::Column::RegisterNumber.is_not_null());
    Ok(rows.into_tuple().all(db).await?.into_iter().collect())
}

/// Numbers that nobody on the register has, from the least on that all above are free of; short, because they are typed in again.
pub(super) fn free_numbers(taken: &HashMap<PersonId, String>) -> impl Iterator<Item = String> {
    let given = taken.values().filter_map(|number| number.strip_prefix(MARK)?.parse::<u32>().ok());
    let first = given.max().unwrap_or_default().saturating_add(1);
    (first..).map(|number| format!("{MARK}{number}"))
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
