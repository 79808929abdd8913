//! People on no roster: only as much of a row as a voice needs for its author.
use chrono::NaiveDate;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Set,
    sea_query::{Expr, SelectStatement},
};

use super::{
    proof::Number,
    rows::{guest_phone, household, person},
};
use crate::{
    clock,
    error::Result,
    ids::{HouseholdId, PersonId},
    store::Tx,
};

/// The number of the household of guests, and before their own; in a roster no number begins with it.
pub(super) const MARK: &str = "#";

/// Makes a guest of this village: left before having come, so that no roll, list or log-in finds them.
///
/// # Errors
/// When the database refuses.
pub async fn make_guest(tx: &Tx, area: &str, name: &str, phone: Option<&Number>) -> Result<PersonId> {
    let (id, today) = (PersonId::new(), clock::local_date(tx.now()));
    let row = person::ActiveModel {
        id: Set(id),
        area_code: Set(area.to_owned()),
        household_id: Set(household_of_guests(tx, area).await?),
        roster_number: Set(format!("{MARK}{id}")),
        name: Set(name.to_owned()),
        sex: Set(String::new()),
        birth_date: Set(NaiveDate::default()),
        id_hmac: Set(None),
        id_last4: Set(None),
        phone_sealed: Set(phone.map(|number| tx.keys().seal("phone", &number.digits)).transpose()?),
        // by this nobody signs in
        phone_hmac: Set(None),
        group_number: Set(0),
        relation: Set(String::new()),
        is_registered: Set(false),
        lives_here: Set(false),
        joined_on: Set(today),
        left_on: Set(Some(today)),
        created_at: Set(tx.now()),
        updated_at: Set(tx.now()),
        claim_hmac: Set(None),
        phone_approved_at: Set(None),
        closed_at: Set(None),
        phone_listed_at: Set(None),
    };
    row.insert(tx).await?;
    if let Some(number) = phone {
        let row = guest_phone::ActiveModel { person_id: Set(id), phone_hmac: Set(number.proof_hmac.clone()) };
        row.insert(tx).await?;
    }
    Ok(id)
}

/// All guests who called by this phone, in whatever village and under whatever name.
///
/// # Errors
/// When the database cannot be read.
pub async fn guests_by(db: &impl ConnectionTrait, phone_hmac: &str) -> Result<Vec<PersonId>> {
    let by = guest_phone::Entity::find()
        .select_only()
        .column(guest_phone::Column::PersonId)
        .filter(guest_phone::Column::PhoneHmac.eq(phone_hmac));
    Ok(by.into_tuple().all(db).await?)
}

/// Everybody who counts as this person where somebody calls: of a guest all who called by the phone, since a name is given as one
/// likes; whoever is on a roster is one person, whoever shares the phone.
///
/// # Errors
/// When the database cannot be read.
pub async fn callers(db: &impl ConnectionTrait, person: PersonId) -> Result<Vec<PersonId>> {
    match guest_phone::Entity::find_by_id(person).one(db).await? {
        Some(phone) => guests_by(db, &phone.phone_hmac).await,
        None => Ok(vec![person]),
    }
}

/// The guest of this village under this name who called by this phone.
///
/// # Errors
/// When the database cannot be read.
pub async fn guest_of(tx: &Tx, (area, name): (&str, &str), phone: &Number) -> Result<Option<PersonId>> {
    let guests = guests_by(tx, &phone.proof_hmac).await?;
    let known = person::Entity::find()
        .filter(person::Column::Id.is_in(guests))
        .filter(person::Column::AreaCode.eq(area))
        .filter(person::Column::Name.eq(name))
        .filter(person::Column::RosterNumber.starts_with(MARK))
        .order_by_asc(person::Column::CreatedAt);
    Ok(known.one(tx).await?.map(|row| row.id))
}

/// Guests whose phone is known, as a query.
#[must_use]
pub fn with_guest_phones() -> SelectStatement {
    guest_phone::Entity::find().select_only().column(guest_phone::Column::PersonId).into_query()
}

/// Forgets the phones of these, as far as they are guests.
///
/// # Errors
/// When the database refuses.
pub async fn forget_phones_of_guests(tx: &Tx, people: Vec<PersonId>) -> Result<()> {
    let theirs = guest_phone::Column::PersonId.is_in(people.iter().copied());
    guest_phone::Entity::delete_many().filter(theirs).exec(tx).await?;
    person::Entity::update_many()
        .col_expr(person::Column::PhoneSealed, Expr::value(None::<String>))
        .filter(person::Column::Id.is_in(people))
        .filter(person::Column::RosterNumber.starts_with(MARK))
        .exec(tx)
        .await?;
    Ok(())
}

async fn household_of_guests(tx: &Tx, area: &str) -> Result<HouseholdId> {
    let known = household::Entity::find()
        .filter(household::Column::AreaCode.eq(area))
        .filter(household::Column::Number.eq(MARK))
        .one(tx)
        .await?;
    if let Some(known) = known {
        return Ok(known.id);
    }
    let row = household::ActiveModel {
        id: Set(HouseholdId::new()),
        area_code: Set(area.to_owned()),
        number: Set(MARK.to_owned()),
        group_number: Set(0),
    };
    Ok(row.insert(tx).await?.id)
}
