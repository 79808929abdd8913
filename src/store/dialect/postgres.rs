//! PostgreSQL: a server, its sessions with limits on every wait, its settings checked.
//!
//! # Why
//! One advisory lock, held by a transaction, makes one writer of all processes. READ COMMITTED is then enough: the lock is
//! given after the commit before it can be seen, and each statement that follows looks anew. A higher level would look
//! before it waits and decide on what is no longer so.
use std::{
    io::ErrorKind,
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use sea_orm::{
    ConnAcquireErr, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, FromQueryResult,
    RuntimeErr, SqlxPostgresConnector, Statement, TransactionTrait,
};
use sqlx::{
    Connection,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use super::super::InTime;
use crate::{
    clock::Clock,
    error::{Error, Result},
};

/// Tenths of a second that transactions which are older than a destroyed key are waited for.
const OLDER_TRIES: usize = 30;
/// Tries to have a table to ourselves, beside the first.
const ANEW_TRIES: usize = 3;
/// A little longer than the server lets it take.
const ANEW_WITHIN: Duration = Duration::from_secs(330);
/// "liusheng" in ASCII. Advisory locks are counted by database, so two of ours on one server do not meet.
const THE_WRITER: i64 = 0x6c69_7573_6865_6e67;
/// The first that has everything used here and is still cared for.
const OLDEST: i32 = 14;
const CONNECT_WITHIN: Duration = Duration::from_secs(3);
/// Longer than a group of units may take elsewhere, so that only a frozen process is not waited for.
const BEGIN_WITHIN: Duration = Duration::from_secs(17);
/// A reader's connection that rested this long is asked whether it still lives: the server may have been restarted.
const RESTED: Duration = Duration::from_secs(1);
/// Longer than a reader's statement may take: an answer that has not come by then was swallowed by the network.
const ANSWERED_WITHIN: Duration = Duration::from_secs(12);
const CLOCKS_MAY_DIFFER: Duration = Duration::from_secs(1);

/// What a session is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Session {
    Write,
    Read,
    Long,
}

/// The settings of a session; they win over those of the server, the database and the role.
fn session(options: &PgConnectOptions, session: Session) -> PgConnectOptions {
    let (name, statement, lock) = match session {
        // a statement ends before the unit that waits for it is given up
        Session::Write => ("liusheng writer", "8s", "16s"),
        Session::Read => ("liusheng reader", "10s", "2s"),
        // a large table takes its time; but whoever waits for it to be free holds up all readers that come after
        Session::Long => ("liusheng migration or copy", "0", "20s"),
    };
    // a process that froze in the middle of its turn loses it; a copy may have to wait for its own disk
    let idle = if session == Session::Long { "10min" } else { "12s" };
    let read_only = if session == Session::Read { "on" } else { "off" };
    // a step of the schema and a copy may say the same with numbers of another length, which a kept statement would not take
    let kept_statements = match session {
        Session::Long => 0,
        Session::Read => 100,
        // what many do at the same moment is done by a statement for each number of them
        Session::Write => 400,
    };
    // a plan that is kept from when a table was small goes through all of it when a village votes
    let plans = if session == Session::Write { "force_custom_plan" } else { "auto" };
    let options = sqlx::ConnectOptions::disable_statement_logging(options.clone());
    options.application_name(name).statement_cache_capacity(kept_statements).options([
        ("default_transaction_isolation", "read committed"),
        ("default_transaction_read_only", read_only),
        ("default_transaction_deferrable", "off"),
        ("statement_timeout", statement),
        ("lock_timeout", lock),
        ("idle_in_transaction_session_timeout", idle),
        ("idle_session_timeout", "0"),
        ("plan_cache_mode", plans),
        // a machine that vanished loses it too
        ("tcp_keepalives_idle", "5"),
        ("tcp_keepalives_interval", "2"),
        ("tcp_keepalives_count", "3"),
        ("timezone", "UTC"),
        ("client_min_messages", "warning"),
    ])
}

/// One connection, made anew when it failed.
pub(super) fn writer(options: &PgConnectOptions) -> DatabaseConnection {
    single(session(options, Session::Write))
}

/// One connection for work of hours.
pub(super) fn long(options: &PgConnectOptions) -> DatabaseConnection {
    single(session(options, Session::Long))
}

fn single(options: PgConnectOptions) -> DatabaseConnection {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(CONNECT_WITHIN)
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_lazy_with(options);
    SqlxPostgresConnector::from_sqlx_postgres_pool(pool)
}

pub(super) fn readers(options: &PgConnectOptions, connections: u32) -> DatabaseConnection {
    let pool = PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(CONNECT_WITHIN)
        .test_before_acquire(false)
        // as for SQLite: no round over idle connections, which might not end
        .idle_timeout(None)
        .max_lifetime(None)
        .before_acquire(|connection, about| {
            Box::pin(async move {
                if about.idle_for >= RESTED {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        // whoever gave up waiting leaves an answer behind, for which the pool would wait without end; where there is none,
        // this asks for nothing
        .after_release(|connection, _| {
            Box::pin(async move {
                let answered = tokio::time::timeout(ANSWERED_WITHIN, connection.flush()).await;
                answered.unwrap_or_else(|_| Err(sqlx::Error::Io(ErrorKind::TimedOut.into()))).map(|()| true)
            })
        })
        .connect_lazy_with(session(options, Session::Read));
    SqlxPostgresConnector::from_sqlx_postgres_pool(pool)
}

/// Takes what was taken away out of these tables' files: a row that was changed lies there until its table is written anew.
pub(super) async fn write_back(options: &PgConnectOptions, tables: &[&str]) -> std::result::Result<(), DbErr> {
    let database = InTime::new(writer(options), ANEW_WITHIN);
    // a backup holds it for long, and whoever reads would wait behind us
    database.execute_unprepared("SET lock_timeout = '1s'; SET statement_timeout = '5min'").await?;
    // what a transaction that is open now could still see would be kept; one that writes in another database counts, too,
    // because our own view of ours begins with the oldest of all
    let mark = one(&database, "SELECT CAST(CAST(pg_current_xact_id() AS xid) AS text)").await?;
    let older = format!(
        "SELECT CAST(count(*) AS text) FROM pg_stat_activity WHERE pid <> pg_backend_pid() \
         AND (age(backend_xid) >= age('{mark}'::xid) \
              OR datname = current_database() AND age(backend_xmin) >= age('{mark}'::xid))"
    );
    let mut tries = 0;
    while one(&database, &older).await? != "0" {
        tries += 1;
        if tries == OLDER_TRIES {
            // whoever asked must ask again
            return Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    for table in tables {
        let anew = format!("VACUUM (FULL) {table}");
        let mut done = database.execute_unprepared(&anew).await;
        for _ in 0..ANEW_TRIES {
            if done.is_ok() {
                break;
            }
            // somebody reads it for long
            tokio::time::sleep(Duration::from_millis(300)).await;
            done = database.execute_unprepared(&anew).await;
        }
        done?;
    }
    database.database().close().await
}

async fn one(database: &impl ConnectionTrait, sql: &str) -> std::result::Result<String, DbErr> {
    let row = database.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
    row.map_or_else(|| Ok(String::new()), |row| row.try_get_by_index(0))
}

/// A transaction whose first statement waits for the turn to write.
pub(super) async fn begin(writer: &DatabaseConnection) -> std::result::Result<DatabaseTransaction, DbErr> {
    let begun = async {
        let group = writer.begin().await?;
        // waiting for a turn is one statement, and may take longer than those that do something, which have the session's time
        let turn = format!(
            "SET LOCAL statement_timeout = '16s'; SELECT pg_advisory_xact_lock({THE_WRITER}); SET LOCAL statement_timeout TO DEFAULT"
        );
        group.execute_unprepared(&turn).await?;
        Ok(group)
    };
    let begun = tokio::time::timeout(BEGIN_WITHIN, begun).await;
    begun.unwrap_or_else(|_| Err(DbErr::Conn(RuntimeErr::Internal("the database does not answer".to_owned()))))
}

/// Checks the server, waits for the turn to write and keeps it while the missing steps are applied.
pub(super) async fn migrate(options: &PgConnectOptions) -> Result<()> {
    let options = session(options, Session::Long);
    let first = sqlx::PgConnection::connect_with(&options);
    let first = tokio::time::timeout(CONNECT_WITHIN, first).await;
    let first = first.map_err(|_| unreachable(&options, "no answer"))?.map_err(|error| unreachable(&options, error))?;
    first.close().await.map_err(|error| unreachable(&options, error))?;
    // one connection and no more: the turn belongs to its session
    let database = single(options);
    let doubts = doubts(&database, &Clock::system()).await?;
    if !doubts.is_empty() {
        return Err(Error::broken(format!("PostgreSQL: {}", doubts.join("; "))));
    }
    database.execute_unprepared(&format!("SELECT pg_advisory_lock({THE_WRITER})")).await?;
    migrations::up(&database).await?;
    if compare_by_bytes(&database).await? {
        end_others(&database).await?;
    }
    // ends the session, and with it the turn
    Ok(database.close().await?)
}

/// Where it was looked for, without who asked.
fn unreachable(options: &PgConnectOptions, error: impl std::fmt::Display) -> Error {
    let database = options.get_database().unwrap_or_default();
    Error::broken(format!(
        "PostgreSQL at {}:{}, database {database:?}: {error}",
        options.get_host(),
        options.get_port()
    ))
}

/// Text is ordered by its bytes on both databases, whatever language the server was set up for: ranges over numbers and
/// area codes depend on it. Says whether anything had to be changed. The catalog is asked, and not its standard views, which
/// look through all columns of everybody at each start. The parts of a table follow it.
async fn compare_by_bytes(database: &DatabaseConnection) -> Result<bool> {
    let select = "SELECT format('ALTER TABLE %I ', c.relname) || string_agg(format('ALTER COLUMN %I TYPE %s \
        COLLATE \"C\"', a.attname, format_type(a.atttypid, NULL)), ', ') FROM pg_class c \
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
        JOIN pg_collation l ON l.oid = a.attcollation WHERE c.relnamespace = current_schema()::regnamespace \
        AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND pg_has_role(c.relowner, 'USAGE') \
        AND a.atttypid IN ('varchar'::regtype, 'text'::regtype) AND l.collname <> 'C' GROUP BY c.relname";
    let all = database.begin().await?;
    let rows = all.query_all_raw(Statement::from_string(all.get_database_backend(), select)).await?;
    for row in &rows {
        let alter: String = row.try_get_by_index(0)?;
        all.execute_unprepared(&alter).await?;
    }
    all.commit().await?;
    Ok(!rows.is_empty())
}

/// Sessions of servers that still run keep statements for the columns as they were, which no longer go through. They come
/// back by themselves.
async fn end_others(database: &DatabaseConnection) -> Result<()> {
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() \
        AND usename = current_user AND pid <> pg_backend_pid() AND application_name IN ('liusheng writer', 'liusheng reader')";
    database.query_all_raw(Statement::from_string(database.get_database_backend(), end)).await?;
    Ok(())
}

/// What the server says of itself.
#[derive(FromQueryResult)]
struct Server {
    version: i32,
    fsync: String,
    full_page_writes: String,
    synchronous_commit: String,
    encoding: String,
    is_standby: bool,
    at: DateTime<Utc>,
}

/// What is wrong with the server. Everything but the clocks is decided by its settings.
pub(super) async fn doubts(database: &impl ConnectionTrait, clock: &Clock) -> std::result::Result<Vec<String>, DbErr> {
    let select = "SELECT current_setting('server_version_num')::int / 10000 AS version, \
        current_setting('fsync') AS fsync, current_setting('full_page_writes') AS full_page_writes, \
        current_setting('synchronous_commit') AS synchronous_commit, current_setting('server_encoding') AS encoding, \
        pg_is_in_recovery() AS is_standby, clock_timestamp() AS at";
    // the first answer may have waited for a connection, which says nothing about clocks
    let statement = Statement::from_string(database.get_database_backend(), select);
    database.query_one_raw(statement.clone()).await?;
    let (began, asked) = (Instant::now(), clock.now());
    let row = database.query_one_raw(statement).await?;
    let took = began.elapsed();
    let server = row.map(|row| Server::from_query_result(&row, "")).transpose()?;
    let server = server.ok_or_else(|| DbErr::RecordNotFound("settings".to_owned()))?;
    let mut doubts = Vec::new();
    if server.version < OLDEST {
        doubts.push(format!("version {} is too old, {OLDEST} is needed", server.version));
    }
    for (name, value) in [
        ("fsync", server.fsync),
        ("full_page_writes", server.full_page_writes),
        ("synchronous_commit", server.synchronous_commit),
    ] {
        if value == "off" {
            doubts.push(format!("{name} is off: what was acknowledged could be lost"));
        }
    }
    if server.encoding != "UTF8" {
        doubts.push(format!("the database is encoded in {}, UTF8 is needed", server.encoding));
    }
    if server.is_standby {
        doubts.push("this is a standby that cannot be written".to_owned());
    }
    let apart = (server.at - asked).abs().to_std().unwrap_or_default();
    if apart > CLOCKS_MAY_DIFFER + took {
        doubts.push(format!("its clock and ours are {:.1} s apart, 1 s is allowed", apart.as_secs_f64()));
    }
    Ok(doubts)
}
