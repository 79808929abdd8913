//! Everybody votes at once: durable casts a second over HTTP on one vote, and how long one waits when they come at the rate that
//! is asked for, beside programs that write the same rows and do nothing else; then the end of the vote, until anybody can
//! check it.
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use sea_orm::{ConnectionTrait, Statement, Value};
use serde_json::json;
use uuid::Uuid;

use crate::{
    Outcome,
    figures::{Spread, in_millis, row},
    limits,
    line::Line,
    means::{Ground, Person, rows},
    process,
};

/// Phones that cast at the same time.
pub(crate) const PHONES: usize = 1000;
/// Casts a second that are asked for, and the slowest of a hundred in milliseconds.
const WANTED: (f64, f64) = (5_000.0, 100.0);
/// In so many seconds a vote of 3,000 is closed, published and verified. The demo's has fewer electors and many more ballots,
/// since they cast again and again.
const ENDS: f64 = 10.0;

/// What everybody did.
struct Cast {
    rate: f64,
    latency: Spread,
    taken: usize,
    refused: usize,
}

/// Is every ballot there that was acknowledged, and on the board, and counted?
pub(crate) async fn run(ground: &Ground, small: bool) -> Outcome<bool> {
    let (again, phones) = if small { (200, 50) } else { (50_000, PHONES) };
    process::enough_descriptors(phones)?;
    println!("ballots: {}; load average {}", ground.title(), process::load_average());
    let server = ground.serve().await?;
    let vote = anew(ground, &server).await?;
    let electors = electors(ground, vote).await?;
    let known = of_vote(ground, "SELECT count(*) FROM envelopes WHERE vote_id = $1", vote).await?;
    // each elector's only ballot, all at once
    let once = everybody((&server, vote), &electors, (electors.len(), phones.min(electors.len()), None)).await?;
    told("one ballot each", &once, phones);
    // and again and again, as long as it takes to see what is sustained
    let cpu = process::cpu(server.pid)?;
    let more = everybody((&server, vote), &electors, (again, phones, None)).await?;
    let cpu = process::cpu(server.pid)?.saturating_sub(cpu).as_secs_f64() * 1e6 / again.max(1) as f64;
    told("cast again", &more, phones);
    println!("  server CPU {cpu:.0} µs each");
    // each when it is due, whatever became of those before
    let paced = everybody((&server, vote), &electors, (again / 2, phones, Some(WANTED.0))).await?;
    told("cast again at the rate asked for", &paced, phones);
    let acknowledged = i64::try_from(once.taken + more.taken + paced.taken)? + known;
    let stored = of_vote(ground, "SELECT count(*) FROM envelopes WHERE vote_id = $1", vote).await?;
    println!("{acknowledged} acknowledged, {stored} stored");
    let (is_counted, ended) = close(ground, &server, vote).await?;
    server.stop().await?;

    let limit = if small { 640 } else { 64_000 };
    println!("{:<46}{:>12}{:>12}{:>10}", "durable casts/s on one vote", "ours", "limit", "share");
    let bare = limits::ballots::grouped(ground, limit).await?;
    println!("{}", row("a bare writer, 64 ballots in one commit", (more.rate, bare), true));
    let alone = limits::ballots::plain(ground, limit / 20).await?;
    let what = if ground.is_postgres { "pgbench, a plain transaction each" } else { "a plain transaction each" };
    println!("{}", row(what, (more.rate, alone), true));
    println!("load average {} after", process::load_average());
    let (rate, slowest) = WANTED;
    asked("casts a second", (more.rate, rate), more.rate >= rate);
    asked("p99 in ms at that rate", (paced.latency.at(99), slowest), paced.latency.at(99) <= slowest);
    asked("of the bare grouping writer", (more.rate / bare, 0.5), more.rate / bare >= 0.5);
    asked("seconds until it is verified", (ended, ENDS), ended < ENDS);
    Ok(once.refused + more.refused + paced.refused == 0 && stored == acknowledged && is_counted)
}

/// Beside what was asked for; a debug build or a loaded machine fails nothing by it.
fn asked(what: &str, (found, wanted): (f64, f64), holds: bool) {
    println!("{what}: {found:.2}, asked for {wanted}: {}", if holds { "reached" } else { "NOT REACHED" });
}

fn told(what: &str, cast: &Cast, phones: usize) {
    println!(
        "{what}: {} ballots from {phones} phones: {:.0}/s, p50 {:.1} ms, p99 {:.1} ms, {} refused",
        cast.taken,
        cast.rate,
        cast.latency.at(50),
        cast.latency.at(99),
        cast.refused
    );
}

/// A vote of the same matter in the place of the one that is open in the demo, and in which one may cast again and again.
async fn anew(ground: &Ground, server: &process::Server) -> Outcome<Uuid> {
    let mut line = Line::open(server.address).await?;
    let open: Uuid = first(ground, "SELECT id FROM votes WHERE state = $1", "open".into()).await?;
    let before = line.get(&format!("/v1/votes/{open}")).await?.json();
    let why = json!({ "reason": "另开一次可以改票的表决", "authority": "压力测试" });
    let annulled = line.post(&format!("/v1/votes/{open}/annul"), &ground.chair.token, &why).await?;
    let vote = json!({
        "matter_id": before["matter_id"], "meeting_id": before["meeting_id"], "question": before["question"],
        "preset": before["preset"], "closes_at": before["closes_at"], "allows_revote": true,
    });
    let began = Instant::now();
    loop {
        let opened = line.post("/v1/votes", &ground.chair.token, &vote).await?;
        if let Some(id) = opened.json()["id"].as_str() {
            return Ok(id.parse()?);
        }
        // the matter is free a moment after its vote was annulled
        if began.elapsed() > Duration::from_secs(10) {
            return Err(format!("no vote: {}; {}", annulled.text(), opened.text()).into());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Those with a log-in who are on the roll and have not cast.
async fn electors(ground: &Ground, vote: Uuid) -> Outcome<Vec<Person>> {
    let waiting = "SELECT person_id FROM roll_entries WHERE channel = 'none' AND vote_id = $1";
    let mut ids = std::collections::HashSet::new();
    for row in rows(&ground.database, waiting, [vote.into()]).await? {
        ids.insert(row.try_get_by_index::<Uuid>(0)?);
    }
    let electors: Vec<Person> = ground.people.iter().filter(|one| ids.contains(&one.id)).cloned().collect();
    if electors.is_empty() { Err("nobody is left to vote".into()) } else { Ok(electors) }
}

/// So many ballots from so many phones: each as soon as a phone is free, or so many a second.
async fn everybody(
    (server, vote): (&process::Server, Uuid),
    electors: &[Person],
    (ballots, phones, rate): (usize, usize, Option<f64>),
) -> Outcome<Cast> {
    let path: Arc<str> = format!("/v1/votes/{vote}/ballots").into();
    let (next, mut tasks) = (Arc::new(AtomicUsize::default()), tokio::task::JoinSet::new());
    let tokens: Arc<[String]> = electors.iter().map(|one| one.token.clone()).collect();
    let mut lines = Vec::with_capacity(phones);
    for _ in 0..phones {
        lines.push(Line::open(server.address).await?);
    }
    let began = Instant::now();
    for mut line in lines {
        let (path, next, tokens) = (Arc::clone(&path), Arc::clone(&next), Arc::clone(&tokens));
        tasks.spawn(async move {
            let (mut took, mut refused) = (Vec::new(), 0);
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(token) = tokens.get(number % tokens.len()).filter(|_| number < ballots) else { break };
                let due = rate.map(|rate| began + Duration::from_secs_f64(number as f64 / rate));
                if let Some(due) = due {
                    tokio::time::sleep_until(due.into()).await;
                }
                let asked = due.unwrap_or_else(Instant::now);
                let ballot = json!({ "cast_id": Uuid::new_v4(), "choice": "for" });
                let answer = line.post(&path, token, &ballot).await?;
                took.push(in_millis(asked.elapsed()));
                if answer.status != 201 {
                    refused += 1;
                    eprintln!("refused: {}", answer.text());
                }
            }
            Outcome::Ok((took, refused))
        });
    }
    let (mut latency, mut refused) = (Spread::default(), 0);
    for done in tasks.join_all().await {
        let (took, not) = done?;
        took.into_iter().for_each(|one| latency.add(one));
        refused += not;
    }
    latency.sort();
    Ok(Cast { rate: ballots as f64 / began.elapsed().as_secs_f64(), latency, taken: ballots - refused, refused })
}

/// Its time is over: how long until it is counted, published and found good by the verifier of the same binary?
async fn close(ground: &Ground, server: &process::Server, vote: Uuid) -> Outcome<(bool, f64)> {
    let on_roll = of_vote(ground, "SELECT count(*) FROM roll_entries WHERE vote_id = $1", vote).await?;
    let began = Instant::now();
    let now: Value = liusheng::clock::Clock::system().now().into();
    change(ground, "UPDATE votes SET closes_at = $1 WHERE id = $2", [now, vote.into()]).await?;
    let mut line = Line::open(server.address).await?;
    let path = format!("/v1/votes/{vote}/archive");
    let archive = loop {
        let answer = line.get(&path).await?;
        if answer.status == 200 {
            break answer;
        }
        if began.elapsed() > Duration::from_secs(60) {
            return Err(format!("not closed within a minute: {}", answer.text()).into());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let closed = began.elapsed();
    let report = liusheng::votes::verify::verify(&archive.json(), None);
    let verified = began.elapsed().as_secs_f64();
    let leaves = archive.json()["entries"].as_array().map_or(0, Vec::len);
    println!(
        "closed: {on_roll} electors, {leaves} entries on the board, published after {:.1} s (the clock is looked at every second), \
         verified after {:.1} s; {}",
        closed.as_secs_f64(),
        verified,
        report.fault.unwrap_or("sound")
    );
    Ok((report.fault.is_none(), verified))
}

async fn first(ground: &Ground, sql: &str, value: Value) -> Outcome<Uuid> {
    Ok(rows(&ground.database, sql, [value]).await?.first().ok_or("the demo has no open vote")?.try_get_by_index(0)?)
}

async fn of_vote(ground: &Ground, sql: &str, vote: Uuid) -> Outcome<i64> {
    Ok(rows(&ground.database, sql, [vote.into()]).await?.first().ok_or("no count")?.try_get_by_index(0)?)
}

async fn change<const N: usize>(ground: &Ground, sql: &str, values: [Value; N]) -> Outcome<()> {
    let statement = Statement::from_sql_and_values(ground.database.get_database_backend(), sql, values);
    ground.database.execute_raw(statement).await?;
    Ok(())
}
