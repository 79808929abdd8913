//! A data directory with a database of its own: an SQLite file in it, or, with `LSTEST_DATABASE_URL`, one on that server.
use std::{
    collections::HashMap,
    future::Future,
    ops::Deref,
    path::{Path, PathBuf},
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread::JoinHandle,
};

use liusheng::{calendar::Calendar, clock::Clock, keys::Keys, store};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend, QueryResult,
    Statement, TransactionTrait, TryGetable,
};
use sqlx::{Connection, PgConnection};
use tempfile::TempDir;

/// What the real binary must be told to find the database of a data directory.
static SETTINGS: LazyLock<Mutex<HashMap<PathBuf, Vec<(&'static str, String)>>>> = LazyLock::new(Mutex::default);
/// Migrated once, copied for every test, several at once.
static TEMPLATE: LazyLock<String> = LazyLock::new(|| migrated(&server().unwrap()));
/// The same as a file; whoever closes a database last folds its log into it.
static FILE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let house = House::of_sqlite();
    migrate(house.url());
    std::fs::read(house.path().join(FILE_NAME)).unwrap()
});
const FILE_NAME: &str = "liusheng.db";
/// Connections to read by: each is a process of PostgreSQL, and many tests run at once.
pub(crate) const READERS: u32 = 3;

/// Everything that one installation owns; gone with this value.
pub(crate) struct House {
    folder: TempDir,
    database: Option<String>,
    /// A database that somebody else takes away.
    elsewhere: Option<String>,
}

impl House {
    /// A database with the newest schema and nothing in it.
    pub(crate) fn new() -> Self {
        let house = Self::with(server().map(|server| created(&server, Some(&TEMPLATE))));
        if house.is_sqlite() {
            std::fs::write(house.path().join(FILE_NAME), &*FILE).unwrap();
        }
        house
    }

    /// A database without a schema.
    pub(crate) fn empty() -> Self {
        Self::with(server().map(|server| created(&server, None)))
    }

    /// Files and database as they are, in a place of their own. Nobody may be connected.
    pub(crate) fn copy_of(other: &Self) -> Self {
        let copy = Self::with(other.database.as_ref().map(|name| created(&server().unwrap(), Some(name))));
        for file in std::fs::read_dir(other.path()).unwrap().map(Result::unwrap).filter(|file| file.path().is_file()) {
            std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
        }
        copy
    }

    /// Waits until nobody has its file open any more: the log goes with the last who had.
    pub(crate) async fn at_rest(&self) {
        let log = self.path().join(format!("{FILE_NAME}-wal"));
        for _ in 0..1000 {
            if !log.exists() {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("{} is open", self.path().display());
    }

    /// An SQLite file, whatever else there is.
    pub(crate) fn of_sqlite() -> Self {
        Self::with(None)
    }

    /// On a database of another server.
    pub(crate) fn at(url: String) -> Self {
        let mut house = Self::with(None);
        house.elsewhere = Some(url.clone());
        SETTINGS.lock().unwrap().insert(house.path().to_owned(), vec![("LIUSHENG_DATABASE_URL", url)]);
        house
    }

    /// Says something to the server of the database; `NAME` is the database.
    pub(crate) fn administer(&self, sql: &str) {
        let sql = sql.replace("NAME", self.database.as_deref().unwrap());
        blocking(run_sql(server().unwrap(), vec![sql])).unwrap();
    }

    fn with(database: Option<String>) -> Self {
        let house = Self { folder: tempfile::tempdir().unwrap(), database, elsewhere: None };
        let mut settings = Vec::new();
        if house.database.is_some() {
            settings.push(("LIUSHENG_DATABASE_URL", house.url()));
            settings.push(("LIUSHENG_DATABASE_READERS", READERS.to_string()));
            settings.extend(super::redis::any_redis_url().map(|url| ("LIUSHENG_REDIS_URL", url)));
        }
        SETTINGS.lock().unwrap().insert(house.path().to_owned(), settings);
        house
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        self.database.is_none() && self.elsewhere.is_none()
    }

    /// Its address.
    pub(crate) fn url(&self) -> String {
        match (&self.elsewhere, &self.database) {
            (Some(url), _) => url.clone(),
            (None, Some(name)) => address(&server().unwrap(), name),
            (None, None) => format!("sqlite://{}", self.path().join(FILE_NAME).display()),
        }
    }
}

impl Deref for House {
    type Target = TempDir;

    fn deref(&self) -> &TempDir {
        &self.folder
    }
}

impl Drop for House {
    fn drop(&mut self) {
        SETTINGS.lock().unwrap().remove(self.folder.path());
        if let Some(name) = self.database.take() {
            // it takes a checkpoint, for which no test need wait
            started(run_sql(server().unwrap(), vec![format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")]));
        }
    }
}

/// Is there a PostgreSQL? Otherwise says what is skipped.
pub(crate) fn is_postgres(skipped: &str) -> bool {
    let is_there = server().is_some();
    if !is_there {
        eprintln!("skipped, because LSTEST_DATABASE_URL is not set: {skipped}");
    }
    is_there
}

/// `LIUSHENG_*` for a process in this data directory.
pub(crate) fn settings_of(data_dir: &Path) -> Vec<(&'static str, String)> {
    SETTINGS.lock().unwrap().get(data_dir).cloned().unwrap_or_default()
}

/// Past the server, as an administrator of the machine.
pub(crate) struct Raw(DatabaseConnection);

impl Raw {
    /// The database of this data directory.
    pub(crate) async fn open(data_dir: &Path) -> Self {
        let url = settings_of(data_dir).into_iter().find(|(key, _)| *key == "LIUSHENG_DATABASE_URL");
        let file = || format!("sqlite://{}?mode=rwc", data_dir.join(FILE_NAME).display());
        let mut options = ConnectOptions::new(url.map_or_else(file, |(_, url)| url));
        options.max_connections(1).sqlx_logging(false);
        Self(Database::connect(options).await.unwrap())
    }

    /// For what runs on any connection.
    pub(crate) fn connection(&self) -> &DatabaseConnection {
        &self.0
    }

    /// One of two spellings of a statement.
    pub(crate) fn spelled<'a>(&self, sqlite: &'a str, postgres: &'a str) -> &'a str {
        if self.0.get_database_backend() == DbBackend::Postgres { postgres } else { sqlite }
    }

    /// How many rows it changed.
    pub(crate) async fn execute(&self, sql: &str) -> u64 {
        let statement = Statement::from_string(self.0.get_database_backend(), sql);
        self.0.execute_raw(statement).await.unwrap_or_else(|error| panic!("{sql}: {error}")).rows_affected()
    }

    pub(crate) async fn rows(&self, sql: &str) -> Vec<QueryResult> {
        let statement = Statement::from_string(self.0.get_database_backend(), sql);
        self.0.query_all_raw(statement).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    pub(crate) async fn one<T: TryGetable>(&self, sql: &str) -> T {
        self.rows(sql).await.first().unwrap().try_get_by_index(0).unwrap()
    }

    /// Whoever reads this table meanwhile waits, until it is given back; of a server.
    pub(crate) async fn held(&self, table: &str) -> DatabaseTransaction {
        let tx = self.0.begin().await.unwrap();
        tx.execute_unprepared(&format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")).await.unwrap();
        tx
    }

    pub(crate) async fn close(self) {
        self.0.close().await.unwrap();
    }
}

/// One number from the database of this data directory.
pub(crate) async fn count(data_dir: &Path, select: &str) -> i64 {
    let raw = Raw::open(data_dir).await;
    let count = raw.one(select).await;
    raw.close().await;
    count
}

fn server() -> Option<String> {
    std::env::var("LSTEST_DATABASE_URL").ok().filter(|url| !url.is_empty())
}

/// The server's address with another database.
fn address(server: &str, name: &str) -> String {
    let (head, query) = server.split_once('?').map_or((server, String::new()), |(head, q)| (head, format!("?{q}")));
    let (scheme, rest) = head.split_once("://").unwrap();
    let authority = rest.split('/').next().unwrap();
    format!("{scheme}://{authority}/{name}{query}")
}

fn created(server: &str, template: Option<&str>) -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let name = format!("lstest_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let from = template.unwrap_or("template0");
    // a connection that nobody uses any more may not have ended yet, and a database in use is not copied
    let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{from}'");
    let make = format!("CREATE DATABASE {name} TEMPLATE {from}");
    let mut tried = Ok(());
    for _ in 0..100 {
        tried = blocking(run_sql(server.to_owned(), vec![end.clone(), make.clone()]));
        if tried.is_ok() {
            return name;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("{tried:?}");
}

fn migrated(server: &str) -> String {
    let name = created(server, None);
    migrate(address(server, &name));
    name
}

fn migrate(url: String) {
    blocking(async move { drop(opened(&url).await.unwrap()) });
}

/// The store behind an address, with keys that nobody else has.
pub(crate) async fn opened(url: &str) -> liusheng::error::Result<store::Store> {
    let keys = Keys::load_or_make(tempfile::tempdir().unwrap().path()).unwrap();
    Ok(store::open((url, READERS), Clock::system(), Calendar::load(None).unwrap(), Arc::new(keys)).await?.0)
}

/// One statement after the other, each by itself.
async fn run_sql(server: String, statements: Vec<String>) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect(&address(&server, "postgres")).await?;
    for sql in statements {
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await?;
    }
    connection.close().await
}

/// Tests of every kind make a house, also those that run on a runtime already.
fn blocking<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    started(work).join().unwrap()
}

fn started<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    std::thread::spawn(move || runtime().block_on(work))
}
