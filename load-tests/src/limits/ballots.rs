//! Limit of ballots: the same three effects (envelope, mark on the roll, promise for the board) by programs that do nothing else.
use std::{process::Stdio, time::Instant};

use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, TransactionTrait};
use tokio::process::Command;

use crate::{Outcome, means::Ground};

/// Ballots in one commit, as in the product's writer.
const GROUP: usize = 64;
/// Connections of the plain transactions.
const CONNECTIONS: usize = 16;
/// Electors who cast again and again.
const ELECTORS: usize = 3000;
const HASH: &str = "8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4";

async fn open(ground: &Ground, connections: u32) -> Outcome<DatabaseConnection> {
    let url = if ground.is_postgres {
        ground.url.clone()
    } else {
        format!("sqlite://{}?mode=rwc", ground.folder().join("limit-ballots.db").display())
    };
    let mut options = ConnectOptions::new(url);
    options.max_connections(connections).min_connections(connections).sqlx_logging(false);
    let database = Database::connect(options).await?;
    if !ground.is_postgres {
        for pragma in ["journal_mode = WAL", "synchronous = FULL", "busy_timeout = 8000"] {
            run(&database, &format!("PRAGMA {pragma}")).await?;
        }
    }
    for sql in [
        "CREATE TABLE IF NOT EXISTS limit_envelopes (cast_id BIGINT PRIMARY KEY, elector INTEGER, rev BIGINT, choice TEXT, hash TEXT, UNIQUE (elector, rev))",
        "CREATE TABLE IF NOT EXISTS limit_roll (elector INTEGER PRIMARY KEY, channel TEXT)",
        "CREATE TABLE IF NOT EXISTS limit_pending (cast_id BIGINT PRIMARY KEY, hash TEXT)",
    ] {
        run(&database, sql).await?;
    }
    let electors: Vec<String> = (0..ELECTORS).map(|elector| format!("({elector}, 'none')")).collect();
    let fill = format!("INSERT INTO limit_roll VALUES {} ON CONFLICT DO NOTHING", electors.join(","));
    run(&database, &fill).await?;
    Ok(database)
}

async fn run(database: &impl ConnectionTrait, sql: &str) -> Outcome<()> {
    database.execute_unprepared(sql).await?;
    Ok(())
}

fn ballot(cast: usize) -> (String, String, usize) {
    let elector = cast % ELECTORS;
    (format!("({cast}, {elector}, {cast}, 'for', '{HASH}')"), format!("({cast}, '{HASH}')"), elector)
}

/// One writer that takes many ballots into three statements and one commit.
pub(crate) async fn grouped(ground: &Ground, ballots: usize) -> Outcome<f64> {
    let database = open(ground, 1).await?;
    let began = Instant::now();
    for group in 0..ballots / GROUP {
        let told: Vec<_> = (group * GROUP..(group + 1) * GROUP).map(ballot).collect();
        let join = |each: Vec<String>| each.join(",");
        let (envelopes, pending) = (
            join(told.iter().map(|one| one.0.clone()).collect()),
            join(told.iter().map(|one| one.1.clone()).collect()),
        );
        let electors = join(told.iter().map(|one| one.2.to_string()).collect());
        let unit = database.begin().await?;
        run(&unit, &format!("INSERT INTO limit_envelopes VALUES {envelopes}")).await?;
        run(&unit, &format!("UPDATE limit_roll SET channel = 'online' WHERE elector IN ({electors})")).await?;
        run(&unit, &format!("INSERT INTO limit_pending VALUES {pending}")).await?;
        unit.commit().await?;
    }
    let rate = (ballots / GROUP * GROUP) as f64 / began.elapsed().as_secs_f64();
    database.close().await?;
    Ok(rate)
}

/// Every ballot its own transaction: by pgbench on PostgreSQL, by one connection on SQLite, which has one writer whatever
/// one does.
pub(crate) async fn plain(ground: &Ground, ballots: usize) -> Outcome<f64> {
    if ground.is_postgres {
        return pgbench(ground, ballots).await;
    }
    let database = open(ground, 1).await?;
    let began = Instant::now();
    for cast in 0..ballots {
        let (envelope, pending, elector) = ballot(cast + 100_000_000);
        let unit = database.begin().await?;
        run(&unit, &format!("INSERT INTO limit_envelopes VALUES {envelope}")).await?;
        run(&unit, &format!("UPDATE limit_roll SET channel = 'online' WHERE elector = {elector}")).await?;
        run(&unit, &format!("INSERT INTO limit_pending VALUES {pending}")).await?;
        unit.commit().await?;
    }
    let rate = ballots as f64 / began.elapsed().as_secs_f64();
    database.close().await?;
    Ok(rate)
}

/// What pgbench makes of the same transaction, from many connections.
async fn pgbench(ground: &Ground, ballots: usize) -> Outcome<f64> {
    open(ground, 1).await?.close().await?;
    let script = ground.folder().join("ballot.sql");
    let text = format!(
        "\\set elector random(0, {last})\n\\set cast random(1000000000, 900000000000000)\nBEGIN;\n\
         INSERT INTO limit_envelopes VALUES (:cast, :elector, :cast, 'for', '{HASH}') ON CONFLICT DO NOTHING;\n\
         UPDATE limit_roll SET channel = 'online' WHERE elector = :elector;\n\
         INSERT INTO limit_pending VALUES (:cast, '{HASH}') ON CONFLICT DO NOTHING;\nCOMMIT;\n",
        last = ELECTORS - 1,
    );
    std::fs::write(&script, text)?;
    let each = (ballots / CONNECTIONS).max(1).to_string();
    let clients = CONNECTIONS.to_string();
    let told = Command::new("pgbench")
        .args(["-n", "-M", "prepared", "-c", &clients, "-j", "2", "-t", &each, "-f"])
        .arg(&script)
        .arg(&ground.url)
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(|error| format!("pgbench: {error}"))?;
    let text = String::from_utf8_lossy(&told.stdout).into_owned();
    let rate = text.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
    rate.ok_or_else(|| format!("pgbench: {text}{}", String::from_utf8_lossy(&told.stderr)).into())
}
