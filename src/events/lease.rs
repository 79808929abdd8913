//! The lease of the relay: one process of all numbers events and runs reactions, and whoever had it before is fenced off.
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect, Set,
    sea_query::Expr,
};

use super::rows::lease;
use crate::{
    error::{Error, Result},
    store::Tx,
};

const LEASE: &str = "relay";
const LEASE_SECS: i64 = 10;

/// The lease: `Some(token)` while this holder has it.
///
/// # Errors
/// When the database refuses.
pub(super) async fn hold(tx: &Tx, holder: String) -> Result<Option<i64>> {
    let now = tx.now();
    let expires = now + TimeDelta::seconds(LEASE_SECS);
    let Some(row) = lease::Entity::find_by_id(LEASE).one(tx).await? else {
        let row = lease::ActiveModel {
            name: Set(LEASE.into()),
            holder: Set(holder),
            token: Set(1),
            expires_at: Set(expires),
        };
        row.insert(tx).await?;
        return Ok(Some(1));
    };
    let mine = row.holder == holder;
    let left = row.expires_at - now;
    // one that was given before the clock was put back would last until it is that late again
    let is_held = left > TimeDelta::zero() && left <= TimeDelta::seconds(2 * LEASE_SECS);
    if !mine && is_held {
        return Ok(None);
    }
    // renewing at every look would make an idle server write twice a second
    if mine && is_held && left > TimeDelta::seconds(LEASE_SECS / 2) {
        return Ok(Some(row.token));
    }
    let token = if mine { row.token } else { row.token + 1 };
    let mut row = row.into_active_model();
    row.holder = Set(holder);
    row.token = Set(token);
    row.expires_at = Set(expires);
    row.update(tx).await?;
    Ok(Some(token))
}

/// The newest token of any lease; 0 without leases.
///
/// # Errors
/// When the database cannot be read.
pub async fn newest_lease(db: &impl ConnectionTrait) -> Result<i64> {
    let newest = lease::Entity::find().select_only().column_as(lease::Column::Token.max(), "newest");
    Ok(newest.into_tuple::<Option<i64>>().one(db).await?.flatten().unwrap_or(0))
}

/// Ends every lease; whoever held one, here or in the database before, is fenced off.
///
/// # Errors
/// When the database refuses.
pub async fn end_leases(tx: &Tx, before: i64) -> Result<()> {
    let newest = newest_lease(tx).await?.max(before);
    lease::Entity::update_many()
        .col_expr(lease::Column::Token, Expr::value(newest + 1))
        .col_expr(lease::Column::Holder, Expr::value(String::new()))
        .col_expr(lease::Column::ExpiresAt, Expr::value(DateTime::<Utc>::UNIX_EPOCH))
        .exec(tx)
        .await?;
    Ok(())
}

/// Ends the lease at once for whoever else wants it, unless another has it already.
///
/// # Errors
/// When the database refuses.
pub(super) async fn let_go(tx: &Tx, token: i64) -> Result<()> {
    lease::Entity::update_many()
        .col_expr(lease::Column::ExpiresAt, Expr::value(DateTime::<Utc>::UNIX_EPOCH))
        .filter(lease::Column::Name.eq(LEASE))
        .filter(lease::Column::Token.eq(token))
        .exec(tx)
        .await?;
    Ok(())
}

/// Only while this token is the newest.
///
/// # Errors
/// When another process has the lease.
pub(super) async fn fenced(tx: &Tx, token: i64) -> Result<()> {
    let row = lease::Entity::find_by_id(LEASE).one(tx).await?;
    if row.is_some_and(|row| row.token == token) {
        return Ok(());
    }
    Err(Error::broken("the relay's lease went to another process"))
}
