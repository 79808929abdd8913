//! Phones that a roster took away: each is told so once, then forgotten.
//!
//! # Why
//! Whoever brings rosters in gives people the phone by which they sign in. Who had another hears of it where no clerk is in between.
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, Set, sea_query::Expr};
use tokio_util::sync::CancellationToken;
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
/// What was not told is tried again after so long.
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

/// Tells them until we end. One may be told twice when the process is killed in between; it is never told less than once
/// while there is a provider.
///
/// # Errors
/// When the database fails.
pub async fn tell_replaced(app: &App, stop: &CancellationToken) -> Result<()> {
    let untold = replaced_phone::Entity::find()
        .select_only()
        .column(replaced_phone::Column::Id)
        .filter(is_due(app.now()))
        .order_by_asc(replaced_phone::Column::At)
        .limit(AT_ONCE);
    let untold: Vec<Uuid> = untold.into_tuple().all(app.store.read()).await?;
    for id in untold.into_iter().take_while(|_| !stop.is_cancelled()) {
        let Some(row) = app.store.write(move |tx| Box::pin(take(tx, id))).await? else { continue };
        let is_over = row.at < app.now() - TOLD_WITHIN;
        let told = tell(app, &row).await;
        if let Err(error) = &told
            && error.code() != Code::SmsUnavailable
        {
            tracing::warn!(%error, "a phone was not told that a roster took it away");
        }
        if told.is_ok() || is_over {
            app.store.write(move |tx| Box::pin(forget(tx, id))).await?;
        }
    }
    Ok(())
}

async fn tell(app: &App, row: &replaced_phone::Model) -> Result<()> {
    let phone = app.keys.unseal("phone", &row.phone_sealed)?;
    app.gateways.sms.send_notice(&phone, SmsNotice::PhoneReplaced).await
}

fn is_due(now: DateTime<Utc>) -> Expr {
    let again_at = replaced_phone::Column::TellAgainAt;
    again_at.is_null().or(again_at.lte(now))
}

/// Before it is told, so that of two workers who look at the same moment one tells it.
async fn take(tx: &Tx, id: Uuid) -> Result<Option<replaced_phone::Model>> {
    let again = replaced_phone::ActiveModel { tell_again_at: Set(Some(tx.now() + AGAIN)), ..Default::default() };
    let one = replaced_phone::Entity::update_many().set(again).filter(replaced_phone::Column::Id.eq(id));
    Ok(one.filter(is_due(tx.now())).exec_with_returning(tx).await?.into_iter().next())
}

async fn forget(tx: &Tx, id: Uuid) -> Result<()> {
    replaced_phone::Entity::delete_by_id(id).exec(tx).await?;
    Ok(())
}
