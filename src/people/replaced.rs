//! Phones that a roster took away: each is told so once, then forgotten.
//!
//! # Why
//! Whoever brings rosters in gives people the phone by which they sign in. Who had another hears of it where no clerk is in between.
use chrono::TimeDelta;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set};
use uuid::Uuid;

use super::rows::replaced_phone;
use crate::{
    app::App,
    error::{Code, Result},
    gateways::sms::SmsNotice,
    store::Tx,
};

/// Rows of one statement, four columns each: SQLite takes 32,766 values.
const CHUNK: usize = 1000;
/// Told at a time.
const AT_ONCE: u64 = 100;
/// After a failure it is tried again.
const AGAIN: TimeDelta = TimeDelta::minutes(10);
/// So long, then no more.
const TOLD_WITHIN: TimeDelta = TimeDelta::days(3);

/// These, sealed, are to be told.
///
/// # Errors
/// When the database refuses.
pub(super) async fn note(tx: &Tx, phones: Vec<String>) -> Result<()> {
    let row = |phone: &String| replaced_phone::ActiveModel {
        id: Set(Uuid::new_v4()),
        phone_sealed: Set(phone.clone()),
        at: Set(tx.now()),
        tell_again_at: Set(None),
    };
    for some in phones.chunks(CHUNK) {
        replaced_phone::Entity::insert_many(some.iter().map(row)).exec_without_returning(tx).await?;
    }
    Ok(())
}

/// Tells them. One may be told twice, when the process ends in between or two workers look at the same moment; it is never
/// told less than once while there is a provider.
///
/// # Errors
/// When the database fails.
pub async fn tell_replaced(app: &App) -> Result<()> {
    let is_due = Condition::any()
        .add(replaced_phone::Column::TellAgainAt.is_null())
        .add(replaced_phone::Column::TellAgainAt.lte(app.now()));
    let untold = replaced_phone::Entity::find()
        .filter(is_due)
        .order_by_asc(replaced_phone::Column::At)
        .limit(AT_ONCE)
        .all(app.store.read())
        .await?;
    for row in untold {
        let is_over = row.at < app.now() - TOLD_WITHIN;
        let told = tell(app, &row).await;
        if let Err(error) = &told
            && error.code() != Code::SmsUnavailable
        {
            tracing::warn!(%error, "a phone was not told that a roster took it away");
        }
        let (id, is_done) = (row.id, told.is_ok() || is_over);
        app.store.write(move |tx| Box::pin(end(tx, id, is_done))).await?;
    }
    Ok(())
}

async fn tell(app: &App, row: &replaced_phone::Model) -> Result<()> {
    let phone = app.keys.unseal("phone", &row.phone_sealed)?;
    app.gateways.sms.send_notice(&phone, SmsNotice::PhoneReplaced).await
}

async fn end(tx: &Tx, id: Uuid, is_done: bool) -> Result<()> {
    if is_done {
        replaced_phone::Entity::delete_by_id(id).exec(tx).await?;
        return Ok(());
    }
    let later = replaced_phone::ActiveModel { tell_again_at: Set(Some(tx.now() + AGAIN)), ..Default::default() };
    replaced_phone::Entity::update_many().set(later).filter(replaced_phone::Column::Id.eq(id)).exec(tx).await?;
    Ok(())
}
