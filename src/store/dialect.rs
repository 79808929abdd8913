//! Which database it is: this file and the list of tables ask. All others see one writer and many readers.
mod postgres;
mod sqlite;

use std::{path::PathBuf, time::Duration};

use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, IsolationLevel, Statement,
    TransactionTrait,
};
use sqlx::postgres::PgConnectOptions;

use crate::{
    clock::Clock,
    error::{Error, Result},
};

/// How many may read a file at once, whatever the settings say: its readers share one machine with the writer.
const SQLITE_READERS: u32 = 4;
/// A statement that hangs keeps its connection; who waits for it would hang, too.
const CLOSE_WITHIN: Duration = Duration::from_secs(5);

/// The database that the settings name.
pub(super) enum Dialect {
    /// A file.
    Sqlite(PathBuf),
    /// A server.
    Postgres(Box<PgConnectOptions>),
}

impl Dialect {
    /// The database behind an address.
    ///
    /// # Errors
    /// When it is not an address; it is not repeated, because it may hold a password.
    pub(super) fn of(url: &str) -> Result<Self> {
        match url.split_once("://") {
            Some(("postgres" | "postgresql", _)) => {
                let options = url.parse().map_err(|error| Error::broken(format!("database_url: {error}")))?;
                Ok(Self::Postgres(Box::new(options)))
            }
            Some(("sqlite", path)) => Ok(Self::Sqlite(PathBuf::from(path))),
            _ => Err(Error::broken("database_url: must start with sqlite:// or postgres://")),
        }
    }

    /// Is there something to open? Of a server that is asked later.
    pub(super) fn exists(&self) -> bool {
        match self {
            Self::Sqlite(path) => path.exists(),
            Self::Postgres(_) => true,
        }
    }

    /// Refuses a database that could lose what was acknowledged, then brings it to the newest schema; one process at a
    /// time. An SQLite file with data is copied aside first.
    pub(super) async fn prepare(&self) -> Result<()> {
        match self {
            Self::Sqlite(path) => sqlite::migrate(path).await,
            Self::Postgres(options) => postgres::migrate(options).await,
        }
    }

    /// The connection of the writer; opened at its first use.
    pub(super) async fn writer(&self) -> Result<DatabaseConnection> {
        match self {
            Self::Sqlite(path) => sqlite::connect(path, 1, false).await,
            Self::Postgres(options) => Ok(postgres::writer(options)),
        }
    }

    /// The same for work of hours; opened at its first use.
    pub(super) async fn long_writer(&self) -> Result<DatabaseConnection> {
        match self {
            Self::Sqlite(path) => sqlite::connect(path, 1, false).await,
            Self::Postgres(options) => Ok(postgres::long(options)),
        }
    }

    /// A transaction that sees everything as it is at its first read, for as long as it takes.
    pub(super) async fn snapshot(&self) -> Result<DatabaseTransaction> {
        match self {
            // reads are repeatable as they are, and it warns of being asked
            Self::Sqlite(path) => Ok(sqlite::connect(path, 1, true).await?.begin().await?),
            Self::Postgres(options) => {
                let (frozen, reads) = (IsolationLevel::RepeatableRead, AccessMode::ReadOnly);
                Ok(postgres::long(options).begin_with_config(Some(frozen), Some(reads)).await?)
            }
        }
    }

    /// Connections that cannot write, of a server so many at most.
    pub(super) async fn readers(&self, most: u32) -> Result<DatabaseConnection> {
        match self {
            Self::Sqlite(path) => sqlite::connect(path, SQLITE_READERS, true).await,
            Self::Postgres(options) => Ok(postgres::readers(options, most)),
        }
    }

    /// Others in the place of those that are lost: a network loses connections, a file none.
    pub(super) fn readers_again(&self, most: u32) -> Option<DatabaseConnection> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(options) => Some(postgres::readers(options, most)),
        }
    }

    /// Begins a transaction beside which nobody else writes, in this process or another, until it ends.
    pub(super) async fn begin(&self, writer: &DatabaseConnection) -> std::result::Result<DatabaseTransaction, DbErr> {
        match self {
            Self::Sqlite(_) => sqlite::begin(writer).await,
            Self::Postgres(_) => postgres::begin(writer).await,
        }
    }

    /// A connection in the place of one that failed, which is never used again.
    pub(super) async fn writer_again(&self, failed: &DatabaseConnection) -> Result<DatabaseConnection> {
        match self {
            Self::Sqlite(path) => {
                let closed = tokio::time::timeout(CLOSE_WITHIN, failed.close_by_ref()).await;
                if !matches!(closed, Ok(Ok(()))) {
                    tracing::warn!("the connection of the writer was not closed cleanly");
                }
                sqlite::connect(path, 1, false).await
            }
            Self::Postgres(options) => Ok(postgres::writer(options)),
        }
    }

    /// What was lost already.
    pub(super) async fn damage(&self) -> Result<Option<String>> {
        match self {
            Self::Sqlite(path) => sqlite::damage(&sqlite::connect(path, 1, true).await?).await,
            Self::Postgres(_) => Ok(None),
        }
    }

    /// Bytes of the database, without the log that is not folded into it yet.
    pub(super) async fn bytes(&self, readers: &impl ConnectionTrait) -> std::result::Result<u64, DbErr> {
        let select = match self {
            Self::Sqlite(_) => "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
            Self::Postgres(_) => "SELECT pg_database_size(current_database())",
        };
        let row = readers.query_one_raw(Statement::from_string(readers.get_database_backend(), select)).await?;
        let bytes: Option<i64> = row.map(|row| row.try_get_by_index(0)).transpose()?;
        Ok(bytes.unwrap_or(0).unsigned_abs())
    }

    /// Has what was taken away from these tables leave the files, where that is for us to ask.
    pub(super) async fn write_back(
        &self,
        readers: &DatabaseConnection,
        tables: &[&str],
    ) -> std::result::Result<(), DbErr> {
        match self {
            Self::Sqlite(_) => sqlite::write_back(readers).await,
            Self::Postgres(options) => postgres::write_back(options, tables).await,
        }
    }

    /// A server of its own recycles its log by itself.
    pub(super) async fn empty_log(&self, readers: &DatabaseConnection) -> std::result::Result<(), DbErr> {
        match self {
            Self::Sqlite(_) => sqlite::write_back(readers).await,
            Self::Postgres(_) => Ok(()),
        }
    }

    /// What makes the database unfit to be relied on, in words for an operator; empty when all is well.
    ///
    /// # Errors
    /// When it does not answer.
    pub(super) async fn doubts(&self, readers: &impl ConnectionTrait) -> std::result::Result<Vec<String>, DbErr> {
        match self {
            Self::Sqlite(_) => Ok(Vec::new()),
            Self::Postgres(_) => postgres::doubts(readers, &Clock::system()).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_never_repeated() {
        for url in ["postgres://me:secret@[:1/x", "postgres://me:secret@host:99999999/x", "mysql://me:secret@host/x"] {
            let refused = Dialect::of(url).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(refused.contains("database_url") && !refused.contains("secret"), "{refused}");
        }
        assert!(matches!(Dialect::of("postgres://me@host/x"), Ok(Dialect::Postgres(_))));
        assert!(matches!(Dialect::of("sqlite:///x/y.db"), Ok(Dialect::Sqlite(_))));
    }
}
