//! How long a guest's phone is kept: a year after the last voice that was left by it.
use chrono::TimeDelta;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait};

use super::rows::guest_voice;
use crate::{
    error::Result,
    ids::PersonId,
    people,
    store::{Store, Tx},
};

const KEPT_DAYS: i64 = 365;
/// Guests of one unit.
const AT_ONCE: u64 = 1000;

/// Forgets the phones of guests who left their last voice a year ago, some at a time; each claim code opens its own voice still.
///
/// # Errors
/// When the database fails.
pub async fn forget_old(store: &Store) -> Result<()> {
    store.write(|tx| Box::pin(forget_phones(tx))).await
}

async fn forget_phones(tx: &Tx) -> Result<()> {
    let whose = || {
        let voices = guest_voice::Entity::find().select_only().column(guest_voice::Column::PersonId);
        voices.filter(guest_voice::Column::PersonId.in_subquery(people::with_guest_phones()))
    };
    let year_ago = tx.now() - TimeDelta::days(KEPT_DAYS);
    let lately = whose().filter(guest_voice::Column::LeftAt.gt(year_ago)).into_query();
    let gone = whose()
        .distinct()
        .filter(guest_voice::Column::LeftAt.lte(year_ago))
        .filter(guest_voice::Column::PersonId.not_in_subquery(lately))
        .limit(AT_ONCE);
    let gone: Vec<PersonId> = gone.into_tuple().all(tx).await?;
    if gone.is_empty() {
        return Ok(());
    }
    people::forget_phones_of_guests(tx, gone).await
}
