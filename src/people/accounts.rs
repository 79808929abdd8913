//! What an account is beside the roster: a phone to sign in with, and its end.
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Set};

use super::{desk_login, rows::person, sessions};
use crate::{
    app,
    broker::Bell,
    error::{Code, Result},
    ids::{PersonId, SessionId},
    keys::Keys,
    store::Tx,
    text,
};

/// The phone by which somebody signs in.
///
/// # Errors
/// When the database cannot be read.
pub async fn phone_of(db: &impl ConnectionTrait, keys: &Keys, id: PersonId) -> Result<Option<String>> {
    let row = person::Entity::find_by_id(id).one(db).await?;
    Ok(row.and_then(|row| row.phone_sealed).and_then(|sealed| keys.shown("phone", &sealed)))
}

/// Closes an account: no phone, no log-in, no kept answers. The line on the roster stays, which is the village's and not
/// the account's; the name goes, too, for whoever is no longer on it. Says which log-ins ended.
///
/// # Errors
/// `changed` when it is closed already.
pub async fn close_account(tx: &Tx, id: PersonId) -> Result<Vec<SessionId>> {
    let closed = person::ActiveModel {
        phone_sealed: Set(None),
        phone_hmac: Set(None),
        phone_approved_at: Set(None),
        closed_at: Set(Some(tx.now())),
        updated_at: Set(tx.now()),
        ..Default::default()
    };
    let rows = person::Entity::update_many()
        .set(closed)
        .filter(person::Column::Id.eq(id))
        .filter(person::Column::ClosedAt.is_null())
        .exec_with_returning(tx)
        .await?;
    let row = rows.into_iter().next().ok_or(Code::Changed)?;
    if row.left_on.is_some() {
        let nobody = person::ActiveModel {
            name: Set(text::say("people-closed")),
            id_last4: Set(None),
            claim_hmac: Set(None),
            ..Default::default()
        };
        person::Entity::update_many().set(nobody).filter(person::Column::Id.eq(id)).exec(tx).await?;
    }
    app::forget_keys_of(tx, id).await?;
    desk_login::forget(tx, &[id]).await?;
    tx.ring(Bell::RightsChanged { person: id });
    let ended = sessions::end_all_of(tx, &[id], "account_closed").await?;
    sessions::blank_devices(tx, id).await?;
    Ok(ended)
}
