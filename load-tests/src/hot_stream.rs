//! Everybody writes into one conversation at once: durable sends per second, beside programs that write the same rows and
//! do nothing else.
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use serde_json::json;
use uuid::Uuid;

use crate::{
    Outcome,
    figures::{Spread, in_millis, row},
    limits,
    line::Line,
    means::{Ground, rows},
    process,
};

/// Members of the group who write.
pub(crate) const WRITERS: usize = 100;
const TEXT: &str = "各位乡亲，村口到学校的路灯今天开始安装，晚上八点以前经过的时候请慢一点，看好老人和小孩。";

/// Is everything stored that was acknowledged?
pub(crate) async fn run(ground: &Ground, small: bool) -> Outcome<bool> {
    let (sends, lines) = if small { (100, 16) } else { (30_000, 256) };
    println!("hot stream: {}; load average {}", ground.title(), process::load_average());
    let server = ground.serve().await?;
    let group = open_group(ground, &server).await?;
    // connections, caches and pools are warm before anything is measured
    drop(everybody(ground, &server, (group, sends / 10), lines).await?);
    let cpu = process::cpu(server.pid)?;
    let (rate, mut latency, refused) = everybody(ground, &server, (group, sends), lines).await?;
    let cpu = process::cpu(server.pid)?.saturating_sub(cpu).as_secs_f64() * 1e6 / sends as f64;
    println!(
        "{sends} sends over {lines} connections: {rate:.0}/s, {}, server CPU {cpu:.0} µs each, {refused} refused",
        latency.text()
    );
    let stored = stored(ground, group).await?;
    let wanted = i64::try_from(sends + sends / 10)?;
    println!("{wanted} acknowledged, {stored} stored");
    server.stop().await?;

    let limit_rows = if small { 640 } else { 64_000 };
    println!("{:<46}{:>12}{:>12}{:>10}", "durable sends/s, one hot stream", "ours", "limit", "share");
    let bare = limits::sends::grouped(ground, limit_rows).await?;
    println!("{}", row("a bare writer, 64 sends in one commit", (rate, bare), true));
    let alone = limits::sends::plain(ground, limit_rows / 20).await?;
    println!("{}", row("a plain transaction each", (rate, alone), true));
    println!("load average {} after", process::load_average());
    Ok(refused == 0 && stored == wanted)
}

/// The chair brings the writers together.
async fn open_group(ground: &Ground, server: &process::Server) -> Outcome<Uuid> {
    let people: Vec<_> = ground.people.iter().take(WRITERS).map(|one| one.id).collect();
    let group = json!({ "body_id": ground.committee, "title": "抗旱小组", "people": people });
    let answer = Line::open(server.address).await?.post("/v1/groups", &ground.chair.token, &group).await?;
    let id = answer.json()["stream_id"].as_str().and_then(|id| id.parse().ok());
    id.ok_or_else(|| format!("no group: {}", answer.text()).into())
}

async fn stored(ground: &Ground, group: Uuid) -> Outcome<i64> {
    let sql = "SELECT count(*) FROM entries WHERE stream_id = $1 AND kind = 'message'";
    Ok(rows(&ground.database, sql, [group.into()]).await?.first().ok_or("no count")?.try_get_by_index(0)?)
}

async fn everybody(
    ground: &Ground,
    server: &process::Server,
    (group, sends): (Uuid, usize),
    lines: usize,
) -> Outcome<(f64, Spread, usize)> {
    let path: Arc<str> = format!("/v1/streams/{group}/messages").into();
    let (next, mut tasks) = (Arc::new(AtomicUsize::default()), tokio::task::JoinSet::new());
    let began = Instant::now();
    for number in 0..lines {
        let (path, next, address) = (Arc::clone(&path), Arc::clone(&next), server.address);
        let who =
            ground.people.get(number % ground.people.len().clamp(1, WRITERS)).ok_or("nobody to write")?.token.clone();
        tasks.spawn(async move {
            let mut line = Line::open(address).await?;
            let (mut took, mut refused) = (Vec::new(), 0);
            while next.fetch_add(1, Ordering::Relaxed) < sends {
                let asked = Instant::now();
                let message = json!({ "client_id": Uuid::new_v4(), "text": TEXT });
                let answer = line.post(&path, &who, &message).await?;
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
    Ok((sends as f64 / began.elapsed().as_secs_f64(), latency, refused))
}
