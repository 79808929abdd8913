//! Reads of rosters and log-ins.
use std::collections::HashMap;

use chrono::{DateTime, FixedOffset, NaiveDate, Utc};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    audience::crowded,
    numbers, roster,
    rows::{household, person, session},
    rules, sessions,
};
use crate::{
    actor::{Actor, HeldSeat},
    app::App,
    areas::{self, AreaName},
    clock,
    error::{Code, Result},
    ids::{HouseholdId, PersonId, SessionId},
    keys::Keys,
    page::{Cursor, Page, PageQuery},
};

mod named;
mod rolls;

pub use named::{name, names};
pub use rolls::{
    Household, adults, has_phone_of, household, household_numbered, ids_among, ids_below, is_below, members, on_rolls,
    own_numbers, phone_digest, was_there, with_phone,
};

/// A person as subjects above need one; full name, no number of any kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resident {
    /// The person.
    pub id: PersonId,
    /// Full name, as on the roster.
    pub name: String,
    /// Home village.
    pub area: String,
    /// Household.
    pub household: HouseholdId,
    /// Villagers' group; 0 where there is none.
    pub group_number: i32,
    /// Day of birth.
    pub birth_date: NaiveDate,
    /// Registered in the village?
    pub is_registered: bool,
    /// Living there?
    pub lives_here: bool,
    /// Off the roster since.
    pub left_on: Option<NaiveDate>,
    /// Number on the village's roster.
    pub roster_number: String,
    /// 户主: the head of the household.
    pub is_head: bool,
}

impl Resident {
    /// On no roster ever: a row that was made for a voice (see `guest`).
    #[must_use]
    pub fn is_guest(&self) -> bool {
        self.left_on.is_some() && self.roster_number.starts_with('#')
    }
}

impl From<person::Model> for Resident {
    fn from(row: person::Model) -> Self {
        Self {
            id: row.id,
            name: row.name,
            area: row.area_code,
            household: row.household_id,
            group_number: row.group_number,
            birth_date: row.birth_date,
            is_registered: row.is_registered,
            lives_here: row.lives_here,
            left_on: row.left_on,
            is_head: roster::is_head(&row.relation),
            roster_number: row.roster_number,
        }
    }
}

/// One person; those who left too.
///
/// # Errors
/// When the database cannot be read.
pub async fn person(db: &impl ConnectionTrait, id: PersonId) -> Result<Option<Resident>> {
    Ok(person::Entity::find_by_id(id).one(db).await?.map(Resident::from))
}

/// Is somebody of age now?
///
/// # Errors
/// When the database cannot be read.
pub async fn is_of_age(db: &impl ConnectionTrait, id: PersonId, now: DateTime<Utc>) -> Result<bool> {
    Ok(person(db, id).await?.is_some_and(|one| rules::is_adult(one.birth_date, clock::local_date(now))))
}

/// The one with this number on a village's roster now.
///
/// # Errors
/// When the database cannot be read.
pub async fn by_number(db: &impl ConnectionTrait, area: &str, number: &str) -> Result<Option<Resident>> {
    let here = person::Column::AreaCode.eq(area).and(person::Column::RosterNumber.eq(number));
    let row = person::Entity::find().filter(here).filter(person::Column::LeftOn.is_null()).one(db).await?;
    Ok(row.map(Resident::from))
}

/// Home villages of those of these people who are on a roster now.
///
/// # Errors
/// When the database cannot be read.
pub async fn homes(db: &impl ConnectionTrait, ids: &[PersonId]) -> Result<HashMap<PersonId, String>> {
    let rows = person::Entity::find()
        .select_only()
        .columns([person::Column::Id, person::Column::AreaCode])
        .filter(person::Column::Id.is_in(ids.iter().copied()))
        .filter(person::Column::LeftOn.is_null());
    Ok(rows.into_tuple().all(db).await?.into_iter().collect())
}

/// Whose last roster was this village's, and who is on none now.
///
/// # Errors
/// When the database cannot be read.
pub async fn left(db: &impl ConnectionTrait, area: &str) -> Result<Vec<PersonId>> {
    let rows = person::Entity::find()
        .select_only()
        .column(person::Column::Id)
        .filter(person::Column::AreaCode.eq(area))
        .filter(person::Column::LeftOn.is_not_null());
    Ok(rows.into_tuple().all(db).await?)
}

/// Everybody on a village's roster now, by household and number.
///
/// # Errors
/// When the database cannot be read.
pub async fn residents(db: &impl ConnectionTrait, area: &str) -> Result<Vec<Resident>> {
    let rows = person::Entity::find()
        .filter(person::Column::AreaCode.eq(area))
        .filter(person::Column::LeftOn.is_null())
        .order_by_asc(person::Column::RosterNumber)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(Resident::from).collect())
}

/// The one of this name on the rosters of these areas and below; of several, the one with this number on the roster.
///
/// # Errors
/// When the database cannot be read.
pub async fn named(db: &impl ConnectionTrait, areas: &[String], (name, number): (&str, Option<&str>)) -> Result<Named> {
    let below = areas.iter().fold(Condition::any(), |any, area| any.add(person::Column::AreaCode.starts_with(area)));
    let mut found = person::Entity::find()
        .filter(below)
        .filter(person::Column::Name.eq(name))
        .filter(person::Column::LeftOn.is_null())
        .limit(2);
    if let Some(number) = number {
        found = found.filter(person::Column::RosterNumber.eq(number));
    }
    let found = found.all(db).await?;
    Ok(match found.as_slice() {
        [] => Named::Nobody,
        [one] => Named::One(one.id),
        _ => Named::Several,
    })
}

/// Who has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// Not on these rosters.
    Nobody,
    /// This one alone.
    One(PersonId),
    /// More than one: the number on the roster tells them apart.
    Several,
}

/// How many people are on the rosters below an area, by code of the village.
///
/// # Errors
/// When the database cannot be read.
pub async fn count_by_area(db: &impl ConnectionTrait, above: &str) -> Result<Vec<(String, i64)>> {
    Ok(person::Entity::find()
        .select_only()
        .column(person::Column::AreaCode)
        .column_as(person::Column::Id.count(), "count")
        .filter(person::Column::AreaCode.starts_with(above))
        .filter(person::Column::LeftOn.is_null())
        .group_by(person::Column::AreaCode)
        .into_tuple()
        .all(db)
        .await?)
}

/// The numbers of the households that these are.
///
/// # Errors
/// When the database cannot be read.
pub async fn household_numbers(db: &impl ConnectionTrait, area: &str) -> Result<HashMap<HouseholdId, String>> {
    let rows = household::Entity::find().filter(household::Column::AreaCode.eq(area)).all(db).await?;
    Ok(rows.into_iter().map(|row| (row.id, row.number)).collect())
}

/// What the roster says of the one who asks.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Me {
    /// The person.
    pub id: PersonId,
    /// Full name.
    pub name: String,
    /// From the county down to the home village.
    pub area: Vec<AreaName>,
    /// Villagers' group; 0 where there is none.
    pub group_number: i32,
    /// The household's number on the roster.
    pub household_number: String,
    /// Phone on the roster, with its middle hidden.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Last four characters of the identity number on the roster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_last_four: Option<String>,
    /// Registered in the village?
    pub is_registered: bool,
    /// Living there?
    pub lives_here: bool,
    /// Seats held today.
    pub seats: Vec<HeldSeat>,
}

/// Reads what the roster says of the actor.
///
/// # Errors
/// `not_found` when the person has gone meanwhile.
pub async fn me(app: &App, actor: Actor) -> Result<Me> {
    let db = app.store.read();
    let row = person::Entity::find_by_id(actor.person).one(db).await?.ok_or(Code::NotFound)?;
    let household = household::Entity::find_by_id(row.household_id).one(db).await?;
    let phone = row.phone_sealed.as_deref().and_then(|sealed| app.keys.shown("phone", sealed));
    let last4 = match row.id_last4.as_deref() {
        Some(sealed) if sealed.contains('.') => app.keys.shown("id-last4", sealed),
        before => before.map(str::to_owned),
    };
    Ok(Me {
        id: row.id,
        name: row.name,
        area: areas::path_names(db, &row.area_code).await?,
        group_number: row.group_number,
        household_number: household.map_or_else(String::new, |household| household.number),
        phone: phone.as_deref().map(rules::mask_phone),
        id_last_four: last4,
        is_registered: row.is_registered,
        lives_here: row.lives_here,
        seats: actor.seats,
    })
}

/// Which people of a roster.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PeopleQuery {
    /// Only people of exactly this name.
    pub name: Option<String>,
    /// The `next_cursor` of the page before; absent for the first.
    pub cursor: Option<String>,
    /// Rows wanted, 1 to 100; 20 when absent.
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<u64>,
}

/// A person on the desk's list.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RosterPerson {
    /// The person.
    pub id: PersonId,
    /// The village's own number.
    pub roster_number: String,
    /// Surname and stars.
    pub name: String,
    /// Villagers' group; 0 where there is none.
    pub group_number: i32,
    /// Registered in the village?
    pub is_registered: bool,
    /// Living there?
    pub lives_here: bool,
    /// Is there a phone to sign in with?
    pub has_phone: bool,
    /// Why the number cannot be the person's own, so that no message goes there: crowded_number, made_up_number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_doubt: Option<String>,
}

/// A village's roster in the order in which people came onto it, names masked; for who may import it.
///
/// # Errors
/// `invalid_cursor`.
pub async fn roster_page(
    db: &impl ConnectionTrait,
    keys: &Keys,
    (area, wanted): (&str, PeopleQuery),
) -> Result<Page<RosterPerson>> {
    let page = PageQuery { cursor: wanted.cursor, limit: wanted.limit };
    let limit = page.limit()?;
    let mut people =
        person::Entity::find().filter(person::Column::AreaCode.eq(area)).filter(person::Column::LeftOn.is_null());
    if let Some(name) = wanted.name {
        people = people.filter(person::Column::Name.eq(name.trim()));
    }
    if let Some(after) = page.after()? {
        let same_time = person::Column::CreatedAt.eq(after.at).and(person::Column::Id.gt(after.id));
        people = people.filter(Condition::any().add(person::Column::CreatedAt.gt(after.at)).add(same_time));
    }
    let rows = people
        .order_by_asc(person::Column::CreatedAt)
        .order_by_asc(person::Column::Id)
        .limit(limit + 1)
        .all(db)
        .await?;
    let crowded = crowded(db, rows.iter().filter_map(|row| row.phone_hmac.clone()).collect()).await?;
    let doubted = |row: &person::Model| {
        let is_crowded = row.phone_hmac.as_ref().is_some_and(|hmac| crowded.contains(hmac));
        numbers::doubt(&keys.shown("phone", row.phone_sealed.as_deref()?)?, is_crowded, row.phone_approved_at.is_some())
    };
    let view = |row: person::Model| RosterPerson {
        id: row.id,
        phone_doubt: doubted(&row).map(str::to_owned),
        roster_number: row.roster_number,
        name: rules::mask_name(&row.name),
        group_number: row.group_number,
        is_registered: row.is_registered,
        lives_here: row.lives_here,
        has_phone: row.phone_hmac.is_some(),
    };
    Ok(Page::cut(rows, limit, |row| Cursor { at: row.created_at, id: row.id.0 }, view))
}

/// One log-in of one's own.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SessionView {
    /// The session.
    pub id: SessionId,
    /// What the device called itself.
    pub device: String,
    /// Since when.
    pub created_at: DateTime<FixedOffset>,
    /// Last noted use; noted once an hour.
    pub seen_at: DateTime<FixedOffset>,
    /// Is it the one that asks?
    pub is_this: bool,
}

/// The actor's log-ins that last, newest first.
///
/// # Errors
/// `invalid_cursor`.
pub async fn sessions_of(app: &App, actor: &Actor, page: &PageQuery) -> Result<Page<SessionView>> {
    let limit = page.limit()?;
    let mut rows =
        session::Entity::find().filter(session::Column::PersonId.eq(actor.person)).filter(sessions::lasting(app.now()));
    if let Some(after) = page.after()? {
        let same_time = session::Column::CreatedAt.eq(after.at).and(session::Column::Id.lt(after.id));
        rows = rows.filter(Condition::any().add(session::Column::CreatedAt.lt(after.at)).add(same_time));
    }
    let rows = rows
        .order_by_desc(session::Column::CreatedAt)
        .order_by_desc(session::Column::Id)
        .limit(limit + 1)
        .all(app.store.read())
        .await?;
    let view = |row: session::Model| SessionView {
        is_this: row.id == actor.session,
        id: row.id,
        device: row.device,
        created_at: clock::local(row.created_at),
        seen_at: clock::local(row.seen_at),
    };
    Ok(Page::cut(rows, limit, |row| Cursor { at: row.created_at, id: row.id.0 }, view))
}
