//! The database past the one writer: a snapshot to copy from, and one long unit that replaces everything.
use sea_orm::{
    AccessMode, DatabaseTransaction, DbBackend, DbErr, IsolationLevel, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};

use super::{Tx, connect};
use crate::{calendar::Calendar, clock::Clock, error::Result};

/// A transaction that sees the database as it is at its first read, whatever others write meanwhile.
///
/// # Errors
/// When the database cannot be opened.
pub async fn snapshot(url: &str) -> Result<DatabaseTransaction> {
    let database = connect(url, 1, true).await?;
    if database.get_database_backend() == DbBackend::Sqlite {
        return Ok(database.begin().await?);
    }
    // SQLite reads are repeatable as they are, and it warns of being asked
    let frozen = database.begin_with_config(Some(IsolationLevel::RepeatableRead), Some(AccessMode::ReadOnly));
    Ok(frozen.await?)
}

/// Runs one long unit on a connection of its own, without time limit and without applying steps of the schema before.
///
/// # Errors
/// What the unit refused (nothing is then written), or what broke.
pub async fn write_alone<T, E>(
    url: &str,
    (clock, calendar): (Clock, Calendar),
    unit: impl AsyncFnOnce(&Tx) -> std::result::Result<T, E>,
) -> std::result::Result<T, E>
where
    E: From<DbErr> + From<crate::error::Error>,
{
    let database = connect(url, 1, false).await?;
    let immediate =
        TransactionOptions { sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate), ..Default::default() };
    let tx = Tx::new(database.begin_with_options(immediate).await?, clock, calendar);
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
