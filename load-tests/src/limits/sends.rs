//! Limit of sends: the same three effects (place in the stream, entry, sender's cursor) by a program that does nothing else.
use std::time::Instant;

use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, TransactionTrait};

use crate::{Outcome, means::Ground};

/// Sends in one commit, as in the product's writer.
const GROUP: usize = 64;
/// Connections of the plain transactions.
const CONNECTIONS: usize = 16;
const BODY: &str =
    r#"{"text":"各位乡亲，村口到学校的路灯今天开始安装，晚上八点以前经过的时候请慢一点，看好老人和小孩。"}"#;

async fn open(ground: &Ground, connections: u32) -> Outcome<DatabaseConnection> {
    let url = if ground.is_postgres {
        ground.url.clone()
    } else {
        format!("sqlite://{}?mode=rwc", ground.folder().join("limit.db").display())
    };
    let mut options = ConnectOptions::new(url);
    options.max_connections(connections).min_connections(connections).sqlx_logging(false);
    let database = Database::connect(options).await?;
    if !ground.is_postgres {
        run(&database, "PRAGMA journal_mode = WAL").await?;
        run(&database, "PRAGMA synchronous = FULL").await?;
        run(&database, "PRAGMA busy_timeout = 8000").await?;
    }
    for sql in [
        "CREATE TABLE IF NOT EXISTS limit_streams (id INTEGER PRIMARY KEY, last_seq BIGINT, last_no BIGINT, last_preview TEXT)",
        "CREATE TABLE IF NOT EXISTS limit_entries (stream_id INTEGER, seq BIGINT, sender TEXT, body TEXT, at TEXT, PRIMARY KEY (stream_id, seq))",
        "CREATE TABLE IF NOT EXISTS limit_cursors (stream_id INTEGER, person INTEGER, seq BIGINT, PRIMARY KEY (stream_id, person))",
        "INSERT INTO limit_streams VALUES (1, 0, 0, '') ON CONFLICT DO NOTHING",
    ] {
        run(&database, sql).await?;
    }
    for person in 0..GROUP {
        let sql = format!("INSERT INTO limit_cursors VALUES (1, {person}, 0) ON CONFLICT DO NOTHING");
        run(&database, &sql).await?;
    }
    Ok(database)
}

async fn run(database: &impl ConnectionTrait, sql: &str) -> Outcome<()> {
    database.execute_unprepared(sql).await?;
    Ok(())
}

async fn head(database: &impl ConnectionTrait) -> Outcome<i64> {
    let moved = sea_orm::Statement::from_string(
        database.get_database_backend(),
        "SELECT last_seq FROM limit_streams WHERE id = 1",
    );
    Ok(database.query_one_raw(moved).await?.ok_or("no stream")?.try_get_by_index(0)?)
}

/// One writer that takes many sends into three statements and one commit.
pub(crate) async fn grouped(ground: &Ground, sends: usize) -> Outcome<f64> {
    let database = open(ground, 1).await?;
    let began = Instant::now();
    for _ in 0..sends / GROUP {
        let group = database.begin().await?;
        run(&group, &format!("UPDATE limit_streams SET last_seq = last_seq + {GROUP}, last_no = last_no + {GROUP}, last_preview = '各位乡亲' WHERE id = 1")).await?;
        let last = head(&group).await?;
        let rows: Vec<String> = (0..GROUP)
            .map(|place| {
                format!(
                    "(1, {}, 'somebody', '{BODY}', '2026-11-23T12:00:00.000+00:00')",
                    last - i64::try_from(place).unwrap_or(0)
                )
            })
            .collect();
        run(&group, &format!("INSERT INTO limit_entries VALUES {}", rows.join(","))).await?;
        run(&group, &format!("UPDATE limit_cursors SET seq = {last} WHERE stream_id = 1")).await?;
        group.commit().await?;
    }
    let rate = (sends / GROUP * GROUP) as f64 / began.elapsed().as_secs_f64();
    database.close().await?;
    Ok(rate)
}

/// Every send its own transaction, from many connections: all wait for the stream's row.
pub(crate) async fn plain(ground: &Ground, sends: usize) -> Outcome<f64> {
    // SQLite has one writer whatever one does
    let lines = if ground.is_postgres { CONNECTIONS } else { 1 };
    let database = open(ground, u32::try_from(lines)?).await?;
    let began = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for person in 0..lines {
        let (database, count) = (database.clone(), sends / lines);
        tasks.spawn(async move {
            for _ in 0..count {
                let alone = database.begin().await?;
                run(&alone, "UPDATE limit_streams SET last_seq = last_seq + 1, last_no = last_no + 1, last_preview = '各位乡亲' WHERE id = 1").await?;
                let last = head(&alone).await?;
                run(&alone, &format!("INSERT INTO limit_entries VALUES (1, {last}, 'somebody', '{BODY}', '2026-11-23T12:00:00.000+00:00')")).await?;
                run(&alone, &format!("UPDATE limit_cursors SET seq = {last} WHERE stream_id = 1 AND person = {person}")).await?;
                alone.commit().await?;
            }
            Outcome::Ok(())
        });
    }
    for done in tasks.join_all().await {
        done?;
    }
    let rate = (sends / lines * lines) as f64 / began.elapsed().as_secs_f64();
    database.close().await?;
    Ok(rate)
}
