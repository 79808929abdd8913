//! The database past the one writer: a snapshot to copy from, and one long unit that replaces everything.
use std::sync::Arc;

use sea_orm::{DatabaseTransaction, DbErr};

use super::{Tx, dialect::Dialect};
use crate::{
    calendar::Calendar,
    clock::Clock,
    error::{Error, Result},
    keys::Keys,
};

/// Is there something behind this address? Only a file can be missing without anybody to ask.
#[must_use]
pub fn exists(url: &str) -> bool {
    Dialect::of(url).ok().is_none_or(|dialect| dialect.exists())
}

/// What makes the database behind this address unfit to be relied on, in words for an operator; empty when all is well.
///
/// # Errors
/// When it does not answer.
pub async fn doubts(url: &str) -> Result<Vec<String>> {
    let dialect = Dialect::of(url)?;
    Ok(dialect.doubts(&dialect.readers(1).await?).await?)
}

/// What was lost already, as the database says when it is read from end to end; PostgreSQL says so only where it is read.
///
/// # Errors
/// When it does not answer.
pub async fn damage(url: &str) -> Result<Option<String>> {
    Dialect::of(url)?.damage().await
}

/// A transaction that sees the database as it is at its first read, whatever others write meanwhile.
///
/// # Errors
/// When the database cannot be opened.
pub async fn snapshot(url: &str) -> Result<DatabaseTransaction> {
    Dialect::of(url)?.snapshot().await
}

/// Runs one long unit on a connection of its own, without time limit and without applying steps of the schema before.
/// Nobody else writes meanwhile.
///
/// # Errors
/// What the unit refused (nothing is then written), or what broke.
pub async fn write_alone<T, E>(
    url: &str,
    (clock, calendar, keys): (Clock, Calendar, Arc<Keys>),
    unit: impl AsyncFnOnce(&Tx) -> std::result::Result<T, E>,
) -> std::result::Result<T, E>
where
    E: From<DbErr> + From<Error>,
{
    let dialect = Dialect::of(url)?;
    let database = dialect.long_writer().await?;
    let tx = Tx::new(dialect.begin(&database).await?, clock, calendar, keys);
    let outcome = unit(&tx).await;
    let (transaction, _bells) = tx.finish();
    match outcome {
        Ok(done) => transaction.commit().await.map(|()| done).map_err(E::from),
        Err(refused) => {
            transaction.rollback().await?;
            Err(refused)
        }
    }
}
