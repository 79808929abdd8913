//! Many people at once: for rolls, and for the queries of other subjects.
use std::collections::{HashMap, HashSet};

use chrono::{Months, NaiveDate};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, Query, SelectStatement},
};

use super::{Resident, household as rows, person};
use crate::{
    error::Result,
    ids::{HouseholdId, PersonId},
    keys::Keys,
    people::{audience::crowded, numbers::doubt, rules::ADULT},
};

/// The ids of who is on the rosters of an area and below it, in a column `person_id`: for a query of somebody else's.
#[must_use]
pub fn ids_below(area: &str) -> SelectStatement {
    let mut ids = ids();
    // a village's own code is found by the index
    let here = if area.len() >= crate::areas::VILLAGE_CODE {
        person::Column::AreaCode.eq(area)
    } else {
        person::Column::AreaCode.starts_with(area)
    };
    ids.and_where(here).and_where(person::Column::LeftOn.is_null());
    ids
}

/// Is this person (a column of the query in which this stands) on a roster of an area or below it?
#[must_use]
pub fn is_below(who: Expr, area: &str) -> Expr {
    use sea_orm::ExprTrait;
    let own = Expr::col((person::Entity, person::Column::Id)).eq(who);
    Expr::exists(ids_below(area).and_where(own).to_owned())
}

/// Has this person (a column of the query in which this stands) the phone of this digest (another)? Also who had none then and
/// has none now.
#[must_use]
pub fn has_phone_of(who: Expr, digest: Expr) -> Expr {
    use sea_orm::ExprTrait;
    let column = |column: person::Column| Expr::col((person::Entity, column));
    let had_none = digest.clone().is_null().and(column(person::Column::PhoneHmac).is_null());
    let has_it = column(person::Column::PhoneHmac).eq(digest).or(had_none);
    let own = column(person::Column::Id).eq(who);
    Expr::exists(ids().and_where(own).and_where(has_it).to_owned())
}

/// Digest of the phone of one of them.
///
/// # Errors
/// When the database cannot be read.
pub async fn phone_digest(db: &impl ConnectionTrait, id: PersonId) -> Result<Option<String>> {
    let digest = person::Entity::find_by_id(id).select_only().column(person::Column::PhoneHmac);
    Ok(digest.into_tuple::<Option<String>>().one(db).await?.flatten())
}

/// The ids of these people, in the same way.
#[must_use]
pub fn ids_among(people: Vec<PersonId>) -> SelectStatement {
    let mut ids = ids();
    ids.and_where(person::Column::Id.is_in(people));
    ids
}

fn ids() -> SelectStatement {
    let mut ids = Query::select();
    ids.expr_as(Expr::col((person::Entity, person::Column::Id)), "person_id").from(person::Entity);
    ids
}

/// These people as the roster has them, whoever closed the account: for the village's own rolls, never for the public.
///
/// # Errors
/// When the database cannot be read.
pub async fn on_rolls(db: &impl ConnectionTrait, ids: &[PersonId]) -> Result<HashMap<PersonId, Resident>> {
    let mut found = HashMap::new();
    for some in ids.chunks(1000) {
        let rows = person::Entity::find().filter(person::Column::Id.is_in(some.iter().copied())).all(db).await?;
        found.extend(rows.into_iter().map(|row| (row.id, Resident::from(row))));
    }
    Ok(found)
}

/// Those of these people who have a phone to sign in with.
///
/// # Errors
/// When the database cannot be read.
pub async fn with_phone(db: &impl ConnectionTrait, ids: &[PersonId]) -> Result<HashSet<PersonId>> {
    let mut found = HashSet::new();
    for some in ids.chunks(1000) {
        let rows = person::Entity::find()
            .select_only()
            .column(person::Column::Id)
            .filter(person::Column::Id.is_in(some.iter().copied()))
            .filter(person::Column::PhoneHmac.is_not_null());
        found.extend(rows.into_tuple::<PersonId>().all(db).await?);
    }
    Ok(found)
}

/// By which numbers these people can be told what is meant for them: the digests, the same for the same number. Who has one
/// that cannot be the own has none.
///
/// # Errors
/// When the database cannot be read.
pub async fn own_numbers(
    db: &impl ConnectionTrait,
    keys: &Keys,
    ids: &[PersonId],
) -> Result<HashMap<PersonId, String>> {
    let mut found = HashMap::new();
    for some in ids.chunks(1000) {
        let rows = person::Entity::find()
            .filter(person::Column::Id.is_in(some.iter().copied()))
            .filter(person::Column::PhoneHmac.is_not_null())
            .all(db)
            .await?;
        let crowded = crowded(db, rows.iter().filter_map(|row| row.phone_hmac.clone()).collect()).await?;
        let own = |row: person::Model| {
            let (digest, sealed) = (row.phone_hmac?, row.phone_sealed?);
            let number = keys.shown("phone", &sealed)?;
            let is_own = doubt(&number, crowded.contains(&digest), row.phone_approved_at.is_some()).is_none();
            is_own.then_some((row.id, digest))
        };
        found.extend(rows.into_iter().filter_map(own));
    }
    Ok(found)
}

/// How many of a village's roster are of age on a day.
///
/// # Errors
/// When the database cannot be read.
pub async fn adults(db: &impl ConnectionTrait, area: &str, day: NaiveDate) -> Result<u64> {
    let youngest = day.checked_sub_months(Months::new(12 * ADULT.unsigned_abs())).unwrap_or(day);
    let found = person::Entity::find()
        .filter(person::Column::AreaCode.eq(area))
        .filter(person::Column::LeftOn.is_null())
        .filter(person::Column::BirthDate.lte(youngest));
    Ok(found.count(db).await?)
}

/// A household as the roster has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Household {
    /// Its id.
    pub id: HouseholdId,
    /// Its village.
    pub area: String,
    /// Its number on the village's roster.
    pub number: String,
}

/// The household of this id.
///
/// # Errors
/// When the database cannot be read.
pub async fn household(db: &impl ConnectionTrait, id: HouseholdId) -> Result<Option<Household>> {
    Ok(rows::Entity::find_by_id(id).one(db).await?.map(found))
}

/// The household with this number on a village's roster.
///
/// # Errors
/// When the database cannot be read.
pub async fn household_numbered(db: &impl ConnectionTrait, area: &str, number: &str) -> Result<Option<Household>> {
    let here = rows::Entity::find().filter(rows::Column::AreaCode.eq(area)).filter(rows::Column::Number.eq(number));
    Ok(here.one(db).await?.map(found))
}

fn found(row: rows::Model) -> Household {
    Household { id: row.id, area: row.area_code, number: row.number }
}

/// Was somebody of this household on the roster on that day?
///
/// # Errors
/// When the database cannot be read.
pub async fn was_there(db: &impl ConnectionTrait, id: HouseholdId, day: NaiveDate) -> Result<bool> {
    let there = person::Entity::find()
        .filter(person::Column::HouseholdId.eq(id))
        .filter(person::Column::JoinedOn.lte(day))
        .filter(person::Column::LeftOn.is_null());
    Ok(there.one(db).await?.is_some())
}

/// Who belongs to a household now, in the order of the roster.
///
/// # Errors
/// When the database cannot be read.
pub async fn members(db: &impl ConnectionTrait, id: HouseholdId) -> Result<Vec<Resident>> {
    let rows = person::Entity::find()
        .filter(person::Column::HouseholdId.eq(id))
        .filter(person::Column::LeftOn.is_null())
        .order_by_asc(person::Column::RosterNumber);
    Ok(rows.all(db).await?.into_iter().map(Resident::from).collect())
}
