//! SQLite: a file of this machine, in WAL mode and synced in full.
use std::{
    fs::{File, OpenOptions},
    io::ErrorKind,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use migrations::Migrator;
use sea_orm::{
    ConnAcquireErr, ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbErr,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
};
use sea_orm_migration::MigratorTrait;
use sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};

use crate::error::{Error, Result};

/// Statements that a connection keeps prepared.
const KEPT_STATEMENTS: usize = 400;
/// Tries to empty the log; a long reader is in the way.
const CHECKPOINTS: usize = 10;
/// Beside the database; the copies are never removed by us.
const ASIDE: &str = "before-migration";

pub(super) async fn connect(path: &Path, connections: u32, read_only: bool) -> Result<DatabaseConnection> {
    let mut options = ConnectOptions::new(format!("sqlite://{}?mode=rwc", path.display()));
    options
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(Duration::from_secs(8))
        .test_before_acquire(false)
        // no round over idle connections: it runs as often as their count says, which is for a moment the largest number
        // there is while one is handed back and taken at once; a round that reads it just then never ends (sqlx 0.9)
        .idle_timeout(None)
        .max_lifetime(None)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(move |sqlite| {
            sqlite
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .foreign_keys(true)
                .busy_timeout(Duration::from_secs(8))
                // each of our statements is prepared once
                .statement_cache_capacity(KEPT_STATEMENTS)
                .pragma("query_only", if read_only { "on" } else { "off" })
                .pragma("cache_size", "-32768")
                .pragma("temp_store", "memory")
                // what is taken away (a destroyed key above all) must not stay in a free page
                .pragma("secure_delete", "on")
        });
    Ok(Database::connect(options).await?)
}

pub(super) async fn begin(writer: &DatabaseConnection) -> std::result::Result<DatabaseTransaction, DbErr> {
    let immediate =
        TransactionOptions { sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate), ..Default::default() };
    writer.begin_with_options(immediate).await
}

/// Empties the log into the file; an error that says `busy` while somebody reads what was before.
pub(super) async fn write_back(readers: &DatabaseConnection) -> std::result::Result<(), DbErr> {
    let checkpoint = Statement::from_string(readers.get_database_backend(), "PRAGMA wal_checkpoint(TRUNCATE)");
    for _ in 0..CHECKPOINTS {
        let row = readers.query_one_raw(checkpoint.clone()).await?;
        let is_busy: i32 = row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or(0);
        if is_busy == 0 {
            return Ok(());
        }
        // somebody still reads what was before
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    tracing::warn!("the log of the database was not emptied: somebody reads for long, a backup perhaps");
    // what was taken away still lies in it: whoever asked must ask again
    Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout))
}

/// Looks for damage, copies aside what would be changed, applies the missing steps.
pub(super) async fn migrate(path: &Path) -> Result<()> {
    // one folder and no more: a mistyped path is not a new county
    match path.parent().map(std::fs::create_dir) {
        Some(Err(error)) if error.kind() != ErrorKind::AlreadyExists => {
            return Err(Error::broken(format!("{}: {error}", path.display())));
        }
        _ => {}
    }
    // held until the end of this function, by the kernel's count: a process that dies gives it back. Taken before the file is
    // opened: of two that set a new one to WAL at once, SQLite refuses one without a wait.
    let _turn = turn(path).await?;
    let database = connect(path, 1, false).await?;
    if let Some(said) = damage(&database).await? {
        return Err(Error::broken(format!("the database is damaged: {said}")));
    }
    let applied = Migrator::get_applied_migrations_read_only(&database).await?;
    let pending = Migrator::get_pending_migrations_read_only(&database).await?;
    if applied.is_empty() {
        tracing::warn!(file = %path.display(), "a new, empty database");
    }
    if let (Some(last), false) = (applied.last(), pending.is_empty()) {
        let copy = copy_aside(&database, path, last.name()).await?;
        tracing::info!(copy = %copy.display(), steps = pending.len(), "the database was copied aside before migrating");
    }
    migrations::up(&database).await?;
    Ok(database.close().await?)
}

/// Reads the file from end to end.
pub(super) async fn damage(database: &DatabaseConnection) -> Result<Option<String>> {
    let check = Statement::from_string(database.get_database_backend(), "PRAGMA quick_check(1)");
    let verdict: Option<String> =
        database.query_one_raw(check).await?.map(|row| row.try_get_by_index(0)).transpose()?;
    Ok(Some(verdict.unwrap_or_default()).filter(|said| said != "ok"))
}

/// Two processes that start at once migrate one after the other.
async fn turn(path: &Path) -> Result<File> {
    let path = path.with_extension("migrating");
    let waiting = tokio::task::spawn_blocking(move || {
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
        file.lock()?;
        Ok::<_, std::io::Error>(file)
    });
    Ok(waiting.await.map_err(Error::broken)??)
}

/// A whole copy, synced, readable by its owner only, named after the last step it has.
async fn copy_aside(database: &DatabaseConnection, path: &Path, last: &str) -> Result<PathBuf> {
    let folder = path.with_file_name(ASIDE);
    std::fs::create_dir_all(&folder)?;
    let partial = folder.join("partial");
    match std::fs::remove_file(&partial) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    // SQLite takes an empty file that is there, and with it its mode
    OpenOptions::new().create_new(true).write(true).mode(0o600).open(&partial)?;
    let backend = database.get_database_backend();
    let into = [partial.display().to_string().into()];
    database.execute_raw(Statement::from_sql_and_values(backend, "VACUUM INTO ?", into)).await?;
    let copied = File::open(&partial)?;
    copied.sync_all()?;
    let copy = (0..).map(|n| folder.join(format!("{last}-{n}.db"))).find(|copy| !copy.exists()).unwrap_or_default();
    std::fs::rename(&partial, &copy)?;
    File::open(&folder)?.sync_all()?;
    Ok(copy)
}
