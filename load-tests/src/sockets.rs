//! Ten thousand sockets on one server: what each costs while it is idle, what a message to all costs, and the limits of this
//! machine for both, in one run.
use std::time::{Duration, Instant};

use serde_json::json;
use uuid::Uuid;

use crate::{
    Outcome, Sockets,
    figures::{in_millis, row},
    limits,
    line::Line,
    phones::Phones,
    process::{self, Server},
    village::{
        ground::{self, Ground},
        rounds::{self, Heard},
    },
};

/// Messages sent one at a time.
const PACED: usize = 20;
/// What does not come within this time is lost.
const WITHIN: Duration = Duration::from_secs(30);
/// After this time whoever connected is idle.
const SETTLED: Duration = Duration::from_secs(12);

/// What ours is compared with at the end.
struct Ours {
    all: Heard,
    burst: f64,
    lost: usize,
}

/// Did everything come?
pub(crate) async fn run(args: Sockets) -> Outcome<bool> {
    let count = args.sockets;
    process::enough_descriptors(count)?;
    let binary = args.server.map_or_else(process::beside, Ok)?;
    let temporary = tempfile::tempdir()?;
    println!("load average {} before", process::load_average());
    let began = Instant::now();
    let ground = ground::prepare_sessions(temporary.path(), count).await?;
    println!("{} log-ins: {:.1} s", ground.people.len(), began.elapsed().as_secs_f64());
    let server = Server::start(&binary, temporary.path()).await?;
    server.until_quiet().await?;
    let mut ours = measure(&server, &ground, count).await?;
    server.stop().await?;
    let floor = limits::sockets::measure(count, ours.all.bytes, PACED).await?;
    println!("{:<46}{:>12}{:>12}{:>10}", "", "ours", "limit", "share");
    println!("{}", row("server CPU per delivered frame, µs (floor)", (ours.all.cpu_micros(), floor.cpu_micros), false));
    println!("{:<46}{:>12.2}", "  × the floor", ours.all.cpu_micros() / floor.cpu_micros);
    println!("{}", row("one message to all, p50 ms", (ours.all.to_all.percentile(50), floor.to_all), false));
    println!("{}", row("burst, deliveries/s (merging limit)", (ours.burst, floor.merged), true));
    println!("load average {} after", process::load_average());
    println!("{} lost", ours.lost);
    Ok(ours.lost == 0)
}

async fn measure(server: &Server, ground: &Ground, count: usize) -> Outcome<Ours> {
    let tokens: Vec<String> = ground.people.iter().map(|person| person.token.clone()).collect();
    let mut rest = tokens.iter().cloned();
    let mut next = |more: usize| rest.by_ref().take(more).collect::<Vec<_>>();
    let (at, channel) = ((server.address, server.pid), format!("s:{}", ground.channel));
    let whom = (&ground.chair, ground.channel);
    let few = count * 3 / 10;
    let mut phones = Phones::connect(server.address, &channel, next(few)).await?;
    // the first rounds also fill what is made once: caches, pools, arenas
    let mut heard_by_few = rounds::messages(at, whom, &mut phones, PACED).await?;
    println!("{few} sockets: commit to socket {}", heard_by_few.from_answer.text());
    phones.more(server.address, next(count / 2 - few)).await?;
    tokio::time::sleep(SETTLED).await;
    let half = process::resident(server.pid)?;
    let first = connecting(server, &mut phones, next(count - count / 2)).await?;
    tokio::time::sleep(SETTLED).await;
    let (whole, more) = (process::resident(server.pid)?, count - count / 2);
    println!(
        "{} sockets: {:.1} KiB each ({half:.0} KiB at half, {whole:.0} KiB now)",
        phones.count,
        (whole - half) / more as f64,
    );
    // whoever connects for the first time in life is given a mailbox; all others come back
    phones.hang_up(more);
    tokio::time::sleep(SETTLED).await;
    let again = connecting(server, &mut phones, tokens.iter().skip(count / 2).take(more).cloned().collect()).await?;
    println!("connect, authenticate, subscribe: {again} CPU each; for the first time in life {first}");
    tokio::time::sleep(SETTLED).await;
    let mut all = rounds::messages(at, whom, &mut phones, PACED).await?;
    println!("one message: POST to socket {}", all.from_start.text());
    println!("  commit to socket {}", all.from_answer.text());
    println!("  POST until all have it {}; {} bytes a frame", all.to_all.text(), all.bytes);
    let (burst, burst_lost) = bursts(server, ground, &mut phones).await?;
    let after = process::resident(server.pid)?;
    println!(
        "after the bursts {:.1} KiB each more; {} gaps, {} ended",
        (after - whole) / count as f64,
        phones.gaps(),
        phones.gone()
    );
    let lost = heard_by_few.lost() + all.lost() + burst_lost + phones.gaps() + phones.gone();
    Ok(Ours { all, burst, lost })
}

/// What the server's processor spends on one who connects, in words.
async fn connecting(server: &Server, phones: &mut Phones, tokens: Vec<String>) -> Outcome<String> {
    let (more, began, cpu) = (tokens.len() as f64, Instant::now(), process::cpu(server.pid)?);
    phones.more(server.address, tokens).await?;
    let cpu = process::cpu(server.pid)?.saturating_sub(cpu);
    Ok(format!("{:.0} µs ({:.0} ms for {more})", cpu.as_secs_f64() * 1e6 / more, in_millis(began.elapsed())))
}

/// Many messages at once: deliveries in a second, from the first asked for until the last has come.
async fn bursts(server: &Server, ground: &Ground, phones: &mut Phones) -> Outcome<(f64, usize)> {
    let (mut rates, mut lost) = (crate::figures::Spread::default(), 0);
    for _ in 0..limits::sockets::BURSTS {
        let mut tasks = tokio::task::JoinSet::new();
        let began = Instant::now();
        for _ in 0..limits::sockets::BURST {
            let (address, token) = (server.address, ground.chair.token.clone());
            let path = format!("/v1/streams/{}/messages", ground.channel);
            tasks.spawn(async move {
                let message = json!({ "client_id": Uuid::new_v4(), "text": rounds::TEXT });
                let answer = Line::open(address).await?.post(&path, &token, &message).await?;
                answer.json()["seq"].as_i64().ok_or_else(|| format!("refused: {}", answer.text()).into())
            });
        }
        let seqs = tasks.join_all().await.into_iter().collect::<Outcome<Vec<i64>>>()?;
        let wanted = phones.count * seqs.len();
        let came = phones.collect(wanted, WITHIN, |one| seqs.contains(&one.offset)).await;
        lost += wanted - came.len();
        if let Some(last) = came.iter().map(|one| one.at).max() {
            rates.add(came.len() as f64 / last.duration_since(began).as_secs_f64());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Ok((rates.percentile(50), lost))
}
