//! The database: many readers, and one way to write.
//!
//! Always true: [`Store::write`] answers after the commit; a unit is all or nothing; a unit runs to its end though the
//! phone that asked for it hangs up; no unit does I/O besides the database.
//! Tables owned: none (the schema is in `migrations/`). Events recorded: none.
//!
//! # Why
//! SQLite has one writer. A task owns the write connection, takes what waits (64 units at most) into one `IMMEDIATE`
//! transaction, each unit in a savepoint so that one refusal does not spoil the group, and commits once: an fsync is
//! shared by all. `synchronous=FULL`: with `NORMAL` a power cut loses acknowledged commits.
mod alone;
pub mod catalog;
mod tx;
mod writer;

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection};
use sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use tokio::sync::{mpsc, oneshot};

pub use self::{
    alone::{snapshot, write_alone},
    tx::Tx,
};
use crate::{
    broker::Bell,
    calendar::Calendar,
    clock::Clock,
    error::{Code, Error, Result},
};

/// Units that may wait; more are told to come back.
const WAITING_UNITS: usize = 4096;
const READERS: u32 = 4;

/// The handle that everything above uses. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    read: DatabaseConnection,
    units: mpsc::Sender<writer::Unit>,
    bells: Arc<mpsc::UnboundedSender<Bell>>,
}

/// What the caller of [`open`] drives: bells rung by committed units.
pub type RungBells = mpsc::UnboundedReceiver<Bell>;

/// Opens the database, applies missing migrations, starts the writer.
///
/// # Errors
/// When the database cannot be opened, is damaged, or a migration fails.
pub async fn open(url: &str, clock: Clock, calendar: Calendar) -> Result<(Store, RungBells)> {
    let write = connect(url, 1, false).await?;
    migrations::up(&write).await?;
    let check = write
        .query_one_raw(sea_orm::Statement::from_string(write.get_database_backend(), "PRAGMA quick_check(1)"))
        .await?;
    let verdict: Option<String> = check.map(|row| row.try_get_by_index(0)).transpose()?;
    if verdict.as_deref() != Some("ok") {
        return Err(Error::broken(format!("the database is damaged: {}", verdict.unwrap_or_default())));
    }
    let read = connect(url, READERS, true).await?;
    let (units, waiting) = mpsc::channel(WAITING_UNITS);
    let (bells, rung) = mpsc::unbounded_channel();
    tokio::spawn(writer::run(write, waiting, bells.clone(), clock, calendar));
    Ok((Store { read, units, bells: Arc::new(bells) }, rung))
}

impl Store {
    /// For queries. Writing through it fails.
    #[must_use]
    pub fn read(&self) -> &DatabaseConnection {
        &self.read
    }

    /// Runs a unit of work in a transaction and answers after its commit. The unit goes on when the caller goes away.
    ///
    /// # Errors
    /// What the unit refused (nothing is then written), `busy` when too much waits, or what broke.
    pub async fn write<T, F>(&self, unit: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t Tx) -> BoxFuture<'t, Result<T>> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let unit = writer::Unit::new(unit, answer);
        match self.units.send_timeout(unit, Duration::from_secs(5)).await {
            Ok(()) => {}
            Err(mpsc::error::SendTimeoutError::Timeout(_)) => return Err(Code::Busy.after_secs(2)),
            Err(mpsc::error::SendTimeoutError::Closed(_)) => return Err(Code::ShuttingDown.into()),
        }
        // the unit never ran: no transaction could be begun
        answered.await.map_err(|_| Code::Busy.after_secs(2))?
    }

    /// Rings outside a unit, e.g. after a restart, to have everything looked at.
    pub fn ring(&self, bell: Bell) {
        // nobody listens only while the process ends
        self.bells.send(bell).ok();
    }
}

/// Is there something behind this address? Only a file can be missing without anybody to ask.
#[must_use]
pub fn exists(url: &str) -> bool {
    url.strip_prefix("sqlite://").is_none_or(|path| std::path::Path::new(path).exists())
}

async fn connect(url: &str, connections: u32, read_only: bool) -> Result<DatabaseConnection> {
    let path = url.strip_prefix("sqlite://").unwrap_or(url).to_owned();
    if let Some(folder) = std::path::Path::new(&path).parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut options = ConnectOptions::new(format!("sqlite://{path}?mode=rwc"));
    options
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(Duration::from_secs(8))
        .test_before_acquire(false)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(move |sqlite| {
            sqlite
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .foreign_keys(true)
                .busy_timeout(Duration::from_secs(8))
                .pragma("query_only", if read_only { "on" } else { "off" })
                .pragma("cache_size", "-32768")
                .pragma("temp_store", "memory")
        });
    Ok(Database::connect(options).await?)
}
