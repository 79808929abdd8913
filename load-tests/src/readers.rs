//! A notice in a village of 3,000 and in the same of 440,000: the same rows, the same bytes in the log, the same calls to Redis.
//! One that asks everybody to confirm writes a row for each adult of its village; it is measured by `village`.
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use liusheng::demo;
use sea_orm::ConnectionTrait;
use serde_json::json;

use crate::{
    Outcome,
    figures::{Spread, in_millis},
    line::Line,
    means::{Ground, Person, rows},
    process::{self, Server},
};

const TEXT: &str = "因管网检修，明天上午八点到下午五点停水，请提前储水；有困难的老人请告诉网格员。";
/// Notices of each kind, after one that warms up.
const NOTICES: usize = 10;

/// What notices cost.
struct Cost {
    /// By table.
    rows: BTreeMap<String, i64>,
    log_bytes: i64,
    /// By command; none without Redis.
    redis: BTreeMap<String, i64>,
    latency: Spread,
}

/// Does a notice cost the same?
pub(crate) async fn run(ground: &Ground, small: bool) -> Outcome<bool> {
    let readers = if small { 5_000 } else { 437_000 };
    println!("notice: {}; load average {}", ground.title(), process::load_average());
    let server = ground.serve().await?;
    let mut costs = vec![(count(ground).await?, cost(ground, &server).await?)];
    settle_in(ground, readers).await?;
    costs.push((count(ground).await?, cost(ground, &server).await?));
    server.stop().await?;
    for (readers, cost) in &mut costs {
        let rows: i64 = cost.rows.values().sum();
        println!(
            "{readers} readers: per notice {} rows, {} KiB of log, {}",
            per(rows),
            per(cost.log_bytes / 1024),
            cost.latency.text()
        );
        let tables: Vec<String> = cost.rows.iter().map(|(table, rows)| format!("{table} {}", per(*rows))).collect();
        println!("  rows: {}", tables.join(", "));
        if ground.redis.is_some() {
            let calls: Vec<String> =
                cost.redis.iter().map(|(command, calls)| format!("{command} {}", per(*calls))).collect();
            println!("  Redis: {}", calls.join(", "));
        }
    }
    let [(_, few), (_, many)] = costs.as_slice() else { return Ok(false) };
    let is_same = few.redis == many.redis && are_same(&few.rows, &many.rows);
    println!("{}", if is_same { "the same rows and calls" } else { "NOT THE SAME" });
    Ok(is_same)
}

/// Table by table; a number in the title may make a word more or less for each notice.
fn are_same(few: &BTreeMap<String, i64>, many: &BTreeMap<String, i64>) -> bool {
    let words = i64::try_from(NOTICES).unwrap_or(i64::MAX);
    let alike = |(table, rows): (&String, &i64)| {
        let apart = (many.get(table).copied().unwrap_or(0) - rows).abs();
        apart <= if table == "grams" { words } else { 0 }
    };
    few.len() == many.len() && few.iter().all(alike)
}

fn per(all: i64) -> String {
    format!("{:.1}", all as f64 / NOTICES as f64)
}

/// Copies somebody of the roster until so many more live in the village.
async fn settle_in(ground: &Ground, readers: usize) -> Outcome<()> {
    let columns = [
        "household_id",
        "name",
        "sex",
        "birth_date",
        "group_number",
        "relation",
        "is_registered",
        "lives_here",
        "joined_on",
        "created_at",
        "updated_at",
    ]
    .join(", ");
    let (id, numbers) = if ground.is_postgres {
        ("gen_random_uuid()", format!("generate_series(1, {readers}) AS n(number)"))
    } else {
        (
            "randomblob(16)",
            format!(
                "(WITH RECURSIVE n(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM n WHERE number < {readers}) SELECT number FROM n) AS n"
            ),
        )
    };
    let sql = format!(
        "INSERT INTO people (id, area_code, roster_number, {columns}) \
         SELECT {id}, '{village}', 'L' || n.number, {columns} \
         FROM (SELECT {columns} FROM people WHERE area_code = '{village}' AND left_on IS NULL ORDER BY roster_number LIMIT 1) AS one, {numbers} WHERE TRUE ON CONFLICT DO NOTHING",
        village = demo::VILLAGE,
    );
    let began = Instant::now();
    ground.database.execute_unprepared(&sql).await?;
    println!("{readers} more people in the village: {:.1} s", began.elapsed().as_secs_f64());
    Ok(())
}

async fn count(ground: &Ground) -> Outcome<i64> {
    let sql = "SELECT count(*) FROM people WHERE left_on IS NULL AND area_code = $1";
    let found = rows(&ground.database, sql, [demo::VILLAGE.into()]).await?;
    Ok(found.first().ok_or("no count")?.try_get_by_index(0)?)
}

/// Waits until everything has followed, and the words are taken in for searching.
async fn until_quiet(ground: &Ground, server: &Server) -> Outcome<()> {
    server.until_quiet().await?;
    for _ in 0..1000 {
        let due = rows(&ground.database, "SELECT count(*) FROM grams_due", []).await?;
        if due.first().ok_or("no count")?.try_get_by_index::<i64>(0)? == 0 {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Err("the words were not taken in within 20 s".into())
}

async fn publish(server: &Server, who: &Person) -> Outcome<f64> {
    let notice = json!({ "area_code": demo::VILLAGE, "title": "停水通知", "text": TEXT });
    let began = Instant::now();
    let answer = Line::open(server.address).await?.post("/v1/notices", &who.token, &notice).await?;
    if answer.status != 201 {
        return Err(format!("the notice was refused: {}", answer.text()).into());
    }
    Ok(in_millis(began.elapsed()))
}

async fn cost(ground: &Ground, server: &Server) -> Outcome<Cost> {
    // caches are warm and tables known before anything is counted
    publish(server, &ground.chair).await?;
    until_quiet(ground, server).await?;
    let (rows_before, redis_before) = (all_rows(ground).await?, calls(ground)?);
    let (mut latency, mut log_bytes) = (Spread::default(), 0);
    for _ in 0..NOTICES {
        let log_before = log_place(ground).await?;
        latency.add(publish(server, &ground.chair).await?);
        // the head of the log is signed every few seconds, which is no part of this
        until_quiet(ground, server).await?;
        log_bytes += log_bytes_since(ground, log_before).await?;
    }
    // what the broker was handed is counted when it has been worked off
    tokio::time::sleep(Duration::from_secs(1)).await;
    let less = |now: BTreeMap<String, i64>, before: &BTreeMap<String, i64>| {
        let grown = now.into_iter().map(|(name, count)| {
            let old = before.get(&name).copied().unwrap_or(0);
            (name, count - old)
        });
        grown.filter(|(_, more)| *more != 0).collect()
    };
    let rows = less(all_rows(ground).await?, &rows_before);
    Ok(Cost { rows, log_bytes, redis: less(calls(ground)?, &redis_before), latency })
}

/// Rows of every table but that of the signed heads, which grows by the clock.
async fn all_rows(ground: &Ground) -> Outcome<BTreeMap<String, i64>> {
    let names = if ground.is_postgres {
        "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
    } else {
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    };
    let mut counted = BTreeMap::new();
    for row in rows(&ground.database, names, []).await? {
        let name: String = row.try_get_by_index(0)?;
        if ["checkpoints", "people"].contains(&name.as_str()) {
            continue;
        }
        let found = rows(&ground.database, &format!("SELECT count(*) FROM {name}"), []).await?;
        counted.insert(name, found.first().ok_or("no count")?.try_get_by_index(0)?);
    }
    Ok(counted)
}

/// Where the log of the database stands. SQLite's begins anew, so that its length is what was written.
async fn log_place(ground: &Ground) -> Outcome<i64> {
    if ground.is_postgres {
        let found = rows(&ground.database, "SELECT (pg_current_wal_lsn() - '0/0')::bigint", []).await?;
        return Ok(found.first().ok_or("no place in the log")?.try_get_by_index(0)?);
    }
    for _ in 0..100 {
        rows(&ground.database, "PRAGMA wal_checkpoint(TRUNCATE)", []).await?;
        if log_length(ground)? == 0 {
            return Ok(0);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Err("the log cannot be emptied: somebody is always reading".into())
}

async fn log_bytes_since(ground: &Ground, before: i64) -> Outcome<i64> {
    let now = if ground.is_postgres { log_place(ground).await? } else { log_length(ground)? };
    Ok(now - before)
}

fn log_length(ground: &Ground) -> Outcome<i64> {
    Ok(i64::try_from(std::fs::metadata(ground.folder().join("liusheng.db-wal"))?.len())?)
}

/// Calls to Redis by command: those that carry bells and work.
fn calls(ground: &Ground) -> Outcome<BTreeMap<String, i64>> {
    let Some(url) = &ground.redis else { return Ok(BTreeMap::new()) };
    let address = url.trim_start_matches("redis://").split('/').next().unwrap_or_default();
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(b"INFO commandstats\r\n")?;
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let length: usize = first.trim().trim_start_matches('$').parse()?;
    let mut text = vec![0; length];
    std::io::Read::read_exact(&mut reader, &mut text)?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let told = ["publish", "spublish", "xadd", "xack", "xdel"];
    let counts = text.lines().filter_map(|line| {
        let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
        Some((name.to_owned(), rest.split(',').next()?.parse().ok()?))
    });
    Ok(counts.filter(|(name, _)| told.contains(&name.as_str())).collect())
}
