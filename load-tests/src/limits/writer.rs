//! Limit of durable writes: one SQLite connection, WAL, `synchronous=FULL`, groups of 64 in one commit, no HTTP, no checks.
use std::{path::Path, time::Instant};

use sqlx::{
    ConnectOptions, Connection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

/// Rows in one commit, as in the product's writer.
const GROUP: usize = 64;

/// Ballot-like rows per second.
pub(crate) async fn measure(folder: &Path, rows: usize) -> Result<f64, sqlx::Error> {
    let options = SqliteConnectOptions::new()
        .filename(folder.join("limit.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let mut connection = options.connect().await?;
    sqlx::query("CREATE TABLE ballots (vote_id BLOB, cast_id BLOB, number INTEGER, choice TEXT, hash TEXT, at TEXT, PRIMARY KEY (vote_id, cast_id))")
        .execute(&mut connection)
        .await?;
    sqlx::query("CREATE UNIQUE INDEX one_each ON ballots (vote_id, number)").execute(&mut connection).await?;
    let began = Instant::now();
    for group in 0..rows.div_ceil(GROUP) {
        let mut group_commit = connection.begin_with("BEGIN IMMEDIATE").await?;
        for place in 0..GROUP {
            let number = i64::try_from(group * GROUP + place).unwrap_or(i64::MAX);
            sqlx::query("INSERT INTO ballots VALUES (?, ?, ?, ?, ?, ?)")
                .bind([7u8; 16].as_slice())
                .bind(number.to_be_bytes().repeat(2))
                .bind(number)
                .bind("for")
                .bind("0000000000000000000000000000000000000000000000000000000000000000")
                .bind("2026-11-23T12:00:00.000+00:00")
                .execute(&mut *group_commit)
                .await?;
        }
        group_commit.commit().await?;
    }
    let rate = rows as f64 / began.elapsed().as_secs_f64();
    connection.close().await?;
    Ok(rate)
}
