//! People whom a body counts among its members although no roster here does: found by their identity number, or made.
use std::collections::HashSet;

use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, QuerySelect, Set};

use super::{
    claims,
    queries::Resident,
    rows::{household, person},
    rules::{IdNumber, Sex},
};
use crate::{
    clock,
    error::Result,
    ids::{HouseholdId, PersonId},
    keys::Keys,
    store::Tx,
};

/// Before the number of somebody who never stood on a roster, and of a household of theirs alone; in a roster before none.
pub(super) const MARK: &str = "@";

/// Whom a name and an identity number mean.
pub enum ByNumber {
    /// Nobody who is known.
    Nobody,
    /// This one.
    One(Resident),
    /// Several, whom rosters of these villages know by that name and day of birth, without a number.
    Several,
    /// Nobody: the number is this person's, whose name is another. Whoever asks is not told, or numbers could be tried.
    Others(PersonId),
}

/// The digest by which an identity number is known.
#[must_use]
pub fn id_digest(keys: &Keys, id: &IdNumber) -> String {
    keys.lookup("id", id.as_str())
}

/// Who has this name and this identity number, on whatever roster of the county, or on none any more; where nobody has, whoever
/// a roster of these villages knows without a number, by that name and day of birth, as when a roster is read: or they would be
/// there twice.
///
/// # Errors
/// When the database cannot be read.
pub async fn by_id_number(tx: &Tx, areas: &[String], (name, id): (&str, &IdNumber)) -> Result<ByNumber> {
    let digest = id_digest(tx.keys(), id);
    let holder = match person::Entity::find().filter(person::Column::IdHmac.eq(digest)).one(tx).await? {
        Some(row) if row.name == name => return Ok(ByNumber::One(Resident::from(row))),
        other => other.map(|row| row.id),
    };
    let alike = person::Entity::find()
        .filter(person::Column::AreaCode.is_in(areas.iter().map(String::as_str)))
        .filter(person::Column::Name.eq(name))
        .filter(person::Column::BirthDate.eq(id.birth()))
        .filter(person::Column::IdHmac.is_null());
    let mut alike = alike.all(tx).await?.into_iter().map(Resident::from).filter(|one| !one.is_guest());
    Ok(match (alike.next(), alike.next()) {
        (Some(one), None) => ByNumber::One(one),
        (Some(_), Some(_)) => ByNumber::Several,
        (None, _) => holder.map_or(ByNumber::Nobody, ByNumber::Others),
    })
}

/// Makes somebody whom nobody here knows: left before having come, so that no roll, list or log-in of the village finds them. A
/// roster that names the number later makes them a resident, the same person. A number that is not `free` stays whose it is.
///
/// # Errors
/// When the database refuses.
pub async fn make_off_roster(
    tx: &Tx,
    (area, household): (&str, Option<HouseholdId>),
    (name, id, is_free): (&str, &IdNumber, bool),
) -> Result<Resident> {
    let (person, today, number) = (PersonId::new(), clock::local_date(tx.now()), free_number(tx, area).await?);
    let household = match household {
        Some(known) => known,
        None => household_alone(tx, area, &number).await?,
    };
    let row = person::ActiveModel {
        id: Set(person),
        area_code: Set(area.to_owned()),
        household_id: Set(household),
        roster_number: Set(number),
        name: Set(name.to_owned()),
        sex: Set(match id.sex() {
            Sex::Female => "female".to_owned(),
            Sex::Male => "male".to_owned(),
        }),
        birth_date: Set(id.birth()),
        id_hmac: Set(is_free.then(|| id_digest(tx.keys(), id))),
        id_last4: Set(Some(tx.keys().seal("id-last4", id.last_four())?)),
        phone_sealed: Set(None),
        phone_hmac: Set(None),
        group_number: Set(0),
        relation: Set(String::new()),
        is_registered: Set(false),
        lives_here: Set(false),
        joined_on: Set(today),
        left_on: Set(Some(today)),
        created_at: Set(tx.now()),
        updated_at: Set(tx.now()),
        claim_hmac: Set(Some(claims::digest(tx.keys(), area, name, id.last_six()))),
        phone_approved_at: Set(None),
        closed_at: Set(None),
        phone_listed_at: Set(None),
    };
    Ok(Resident::from(row.insert(tx).await?))
}

/// The first number that nobody there has; short, because it is typed in again.
async fn free_number(tx: &Tx, area: &str) -> Result<String> {
    let taken = person::Entity::find()
        .select_only()
        .column(person::Column::RosterNumber)
        .filter(person::Column::AreaCode.eq(area))
        .filter(person::Column::RosterNumber.starts_with(MARK));
    let mut taken: HashSet<String> = taken.into_tuple::<String>().all(tx).await?.into_iter().collect();
    let homes = household::Entity::find()
        .select_only()
        .column(household::Column::Number)
        .filter(household::Column::AreaCode.eq(area))
        .filter(household::Column::Number.starts_with(MARK));
    taken.extend(homes.into_tuple::<String>().all(tx).await?);
    Ok((1_u32..).map(|n| format!("{MARK}{n}")).find(|number| !taken.contains(number)).unwrap_or_default())
}

async fn household_alone(tx: &Tx, area: &str, number: &str) -> Result<HouseholdId> {
    let row = household::ActiveModel {
        id: Set(HouseholdId::new()),
        area_code: Set(area.to_owned()),
        number: Set(number.to_owned()),
        group_number: Set(0),
    };
    Ok(row.insert(tx).await?.id)
}
