//! A village's evening: everybody connected, a must-read notice, messages, confirmations, ballots; then the limits.
pub(crate) mod ground;
pub(crate) mod rounds;

use std::{collections::HashSet, path::Path, time::Instant};

use serde_json::json;
use uuid::Uuid;

use self::{
    ground::Ground,
    rounds::{Asked, Heard},
};
use crate::{
    Outcome, Village,
    figures::{in_millis, row},
    limits,
    phones::Phones,
    process::{self, Server},
};

const MESSAGES: usize = 20;

/// What ours is compared with at the end.
struct Ours {
    messages: Heard,
    confirmations: Asked,
    ballots: Asked,
    is_whole: bool,
}

/// Is everything stored that was acknowledged, and heard what was stored?
pub(crate) async fn run(village: Village) -> Outcome<bool> {
    process::enough_descriptors(village.people.unwrap_or(3000))?;
    let binary = village.server.map_or_else(process::beside, Ok)?;
    let temporary = tempfile::tempdir()?;
    let data = village.data.unwrap_or_else(|| temporary.path().to_owned());
    std::fs::create_dir_all(&data)?;
    println!("load average {} before", process::load_average());
    let began = Instant::now();
    let ground = ground::prepare(&data, village.people).await?;
    println!(
        "{} people with log-ins, {} of them electors: {:.1} s",
        ground.people.len(),
        ground.electors.len(),
        began.elapsed().as_secs_f64()
    );
    let server = Server::start(&binary, &data).await?;
    server.until_quiet().await?;
    let mut ours = evening(&server, &ground, &data).await?;
    server.stop().await?;
    compare(&mut ours, ground.people.len(), &data).await?;
    println!("load average {} after", process::load_average());
    println!("{}", if ours.is_whole { "nothing lost" } else { "SOMETHING IS LOST" });
    Ok(ours.is_whole)
}

async fn evening(server: &Server, ground: &Ground, data: &Path) -> Outcome<Ours> {
    let mut phones = connect(server, ground).await?;
    let (notice, mut card) = rounds::notice(server.address, &ground.chair, &mut phones).await?;
    println!("notice: {} of {} cards came, {} lost", card.came, card.wanted, card.lost());
    println!("  POST to socket {}; 201 to socket {}", card.from_start.text(), card.from_answer.text());
    let whom = (&ground.chair, ground.channel);
    let mut messages = rounds::messages((server.address, server.pid), whom, &mut phones, MESSAGES).await?;
    println!("{MESSAGES} messages: {} of {} came, {} lost", messages.came, messages.wanted, messages.lost());
    println!("  POST to socket {}; 201 to socket {}", messages.from_start.text(), messages.from_answer.text());
    println!("  POST until all have it {}; {} bytes a frame", messages.to_all.text(), messages.bytes);
    println!("  server CPU {:.1} µs per delivered frame", messages.cpu_micros());
    println!("sockets: {} gaps, {} ended by the server", phones.gaps(), phones.gone());
    let mut is_whole = card.lost() + messages.lost() + phones.gaps() + phones.gone() == 0;

    let at = (server.address, server.pid);
    let path = format!("/v1/notices/{notice}/confirmations");
    let mut confirmations = rounds::everybody(at, &ground.people, path, |_| json!({})).await?;
    let mut ballots = rounds::everybody(
        at,
        &ground.electors,
        format!("/v1/votes/{}/ballots", ground.vote),
        |id| json!({ "cast_id": id, "choice": "for" }),
    )
    .await?;
    let mut database = ground::open(data).await?;
    let sql = "SELECT person_id FROM notice_confirmations WHERE notice_id = ?";
    let stored = ground::column(&mut database, sql, notice).await?;
    is_whole &= told("confirmations", &mut confirmations, &stored, |(person, _)| person);
    let stored =
        ground::column(&mut database, "SELECT cast_id FROM envelopes WHERE vote_id = ?", ground.vote.0).await?;
    is_whole &= told("ballots", &mut ballots, &stored, |(_, cast)| cast);
    Ok(Ours { messages, confirmations, ballots, is_whole })
}

async fn connect(server: &Server, ground: &Ground) -> Outcome<Phones> {
    let (cpu, resident) = (process::cpu(server.pid)?, process::resident(server.pid)?);
    let began = Instant::now();
    let tokens = ground.people.iter().map(|person| person.token.clone()).collect();
    let phones = Phones::connect(server.address, &format!("s:{}", ground.channel), tokens).await?;
    let (took, count) = (began.elapsed(), phones.count as f64);
    let cpu = process::cpu(server.pid)?.saturating_sub(cpu);
    println!(
        "{} sockets have their heads (channel at {}): {:.0} ms, {:.0} connects/s, server CPU {:.0} µs each",
        phones.count,
        phones.head,
        in_millis(took),
        count / took.as_secs_f64(),
        cpu.as_secs_f64() * 1e6 / count,
    );
    let more = process::resident(server.pid)? - resident;
    println!("  server memory {resident:.0} KiB before, {:.1} KiB more for each socket", more / count);
    Ok(phones)
}

/// Says how a round went; is everything stored that was acknowledged?
fn told(what: &str, asked: &mut Asked, stored: &HashSet<Uuid>, key: fn((Uuid, Uuid)) -> Uuid) -> bool {
    let missing = asked.acknowledged.iter().filter(|one| !stored.contains(&key(**one))).count();
    println!(
        "{what}: {:.0}/s, {}, server CPU {:.0} µs each; {} acknowledged, {missing} of them not stored, {} refused",
        asked.rate,
        asked.latency.text(),
        asked.cpu_micros,
        asked.acknowledged.len(),
        asked.refused.len(),
    );
    if let Some(first) = asked.refused.first() {
        println!("  the first refusal: {first}");
    }
    missing == 0 && asked.refused.is_empty()
}

async fn compare(ours: &mut Ours, sockets: usize, data: &Path) -> Outcome<()> {
    let floor = limits::sockets::measure(sockets, ours.messages.bytes, MESSAGES).await?;
    let rows = limits::writer::measure(data, if cfg!(debug_assertions) { 2_000 } else { 20_000 }).await?;
    println!("{:<46}{:>12}{:>12}{:>10}", "", "ours", "limit", "share");
    println!("{}", row("one message to all, p50 ms", (ours.messages.to_all.percentile(50), floor.to_all), false));
    println!("{}", row("server CPU per delivered frame, µs", (ours.messages.cpu_micros(), floor.cpu_micros), false));
    println!("{}", row("confirmations/s (limit: batching writer)", (ours.confirmations.rate, rows), true));
    println!("{}", row("ballots/s (limit: batching writer)", (ours.ballots.rate, rows), true));
    Ok(())
}
