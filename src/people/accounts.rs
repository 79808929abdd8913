//! What an account is beside the roster: a phone to sign in with, and its end; what becomes of who leaves the roster.
use std::collections::HashMap;

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, Set, sea_query::Expr};

use super::{desk_login, rows::person, sessions};
use crate::{
    app,
    broker::Bell,
    clock,
    error::{Code, Result},
    ids::{PersonId, SessionId},
    keys::Keys,
    store::Tx,
    text,
};

/// People of one statement: SQLite takes 32,766 values.
const CHUNK: usize = 500;

/// The phone by which somebody signs in.
///
/// # Errors
/// When the database cannot be read.
pub async fn phone_of(db: &impl ConnectionTrait, keys: &Keys, id: PersonId) -> Result<Option<String>> {
    Ok(phones_of(db, keys, vec![id]).await?.remove(&id))
}

/// The same of many: of those who have one.
///
/// # Errors
/// When the database cannot be read.
pub async fn phones_of(
    db: &impl ConnectionTrait,
    keys: &Keys,
    ids: Vec<PersonId>,
) -> Result<HashMap<PersonId, String>> {
    let rows = person::Entity::find()
        .select_only()
        .columns([person::Column::Id, person::Column::PhoneSealed])
        .filter(person::Column::Id.is_in(ids));
    let rows: Vec<(PersonId, Option<String>)> = rows.into_tuple().all(db).await?;
    Ok(rows.into_iter().filter_map(|(id, sealed)| Some((id, keys.shown("phone", &sealed?)?))).collect())
}

/// Who is no longer on the roster leaves: off later rolls, signed out everywhere, never deleted.
///
/// # Errors
/// When the database refuses.
pub(super) async fn leave(tx: &Tx, gone: &[PersonId]) -> Result<()> {
    for some in gone.chunks(CHUNK) {
        person::Entity::update_many()
            .col_expr(person::Column::LeftOn, Expr::value(clock::local_date(tx.now())))
            .col_expr(person::Column::UpdatedAt, Expr::value(tx.now()))
            .filter(person::Column::Id.is_in(some.iter().copied()))
            .exec(tx)
            .await?;
        sessions::end_all_of(tx, some, "left_roster").await?;
    }
    Ok(())
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
