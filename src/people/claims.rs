//! How somebody on a roster is found by what only they know, and gets a phone to sign in with.
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QuerySelect, Set};

use super::{desk_login, rows::person, sessions};
use crate::{
    broker::Bell,
    error::{Code, Result},
    ids::PersonId,
    keys::Keys,
    store::Tx,
};

/// Namesakes with the same six characters in one village: more than this is no roster.
const MANY: u64 = 2;

/// Keyed digest of village, name and the last six characters of an identity number.
#[must_use]
pub fn digest(keys: &Keys, area: &str, name: &str, last_six: &str) -> String {
    let name: String = name.chars().filter(|c| !c.is_whitespace()).collect();
    keys.lookup("claim", &format!("{area}\n{name}\n{last_six}"))
}

/// The one person on the roster whom this digest means, unless `phone_hmac` is their phone already, and not only by a roster that
/// put it in the place of another.
///
/// # Errors
/// When the database cannot be read.
pub async fn meant(db: &impl ConnectionTrait, digest: &str, phone_hmac: &str) -> Result<Option<PersonId>> {
    let found = person::Entity::find()
        .filter(person::Column::ClaimHmac.eq(digest))
        .filter(person::Column::LeftOn.is_null())
        .limit(MANY)
        .all(db)
        .await?;
    let [one] = found.as_slice() else { return Ok(None) };
    let is_own = one.phone_hmac.as_deref() == Some(phone_hmac) && one.phone_listed_at.is_none();
    Ok((!is_own).then_some(one.id))
}

/// Is this the person's phone already, and not only by a roster that put it in the place of another?
///
/// # Errors
/// When the database cannot be read.
pub async fn has_phone(db: &impl ConnectionTrait, id: PersonId, phone_hmac: &str) -> Result<bool> {
    let row = person::Entity::find_by_id(id)
        .filter(person::Column::PhoneHmac.eq(phone_hmac))
        .filter(person::Column::PhoneListedAt.is_null());
    Ok(row.one(db).await?.is_some())
}

/// Binds an approved phone: it is the person's until another is approved, whatever a roster says. Log-ins by the old one
/// end, and what was set up by it for the desk. Gives the old phone as it was kept, if it was another. An account that was
/// closed is open again.
///
/// # Errors
/// `not_found` for who is on no roster.
pub async fn bind_phone(tx: &Tx, id: PersonId, (sealed, hmac): (String, String)) -> Result<Option<String>> {
    let on_roster = person::Column::Id.eq(id).and(person::Column::LeftOn.is_null());
    let old = person::Entity::find().filter(on_roster.clone()).one(tx).await?.ok_or(Code::NotFound)?;
    let is_another = old.phone_hmac.as_ref() != Some(&hmac);
    let bound = person::ActiveModel {
        phone_sealed: Set(Some(sealed)),
        phone_hmac: Set(Some(hmac)),
        phone_approved_at: Set(Some(tx.now())),
        closed_at: Set(None),
        phone_listed_at: Set(None),
        updated_at: Set(tx.now()),
        ..Default::default()
    };
    let done = person::Entity::update_many().set(bound).filter(on_roster).exec(tx).await?;
    if done.rows_affected != 1 {
        return Err(Code::NotFound.into());
    }
    tx.ring(Bell::RightsChanged { person: id });
    desk_login::forget(tx, &[id]).await?;
    sessions::end_all_of(tx, &[id], "phone_changed").await?;
    Ok(old.phone_sealed.filter(|_| is_another))
}
