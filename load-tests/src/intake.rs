//! A village speaks: voices with text and clips at the peak of a real deliberation and at fifty times it, and the lists of
//! voices at 3,000 and at 300,000.
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::json;
use tokio::sync::Semaphore;

use crate::{
    Outcome,
    figures::{Spread, in_millis, row},
    limits,
    line::Line,
    means::{Ground, Person, rows},
    process::{self, Server},
};

/// People who speak.
pub(crate) const SPEAKERS: usize = 2_000;
/// What was said in the busiest minute of vTaiwan's deliberation on Uber (The Computational Democracy Project, CC BY 4.0),
/// by ten seconds.
const PEAK: [u32; 6] = [39, 49, 45, 42, 52, 41];
/// How many times that peak.
const TIMES: u32 = 50;
/// One in so many is spoken, too.
const SPOKEN: usize = 4;
/// Milliseconds within which a text at the real peak is accepted, 99 of 100.
const SOON: f64 = 100.0;
/// Requests under way at most; more than that wait, and their time counts.
const AT_ONCE: usize = 512;
const CLIP: &[u8] = include_bytes!("../../tests/data/media/lamp-live.webm");

/// Is everything stored that was accepted, and is the real peak's 99th of 100 in time?
pub(crate) async fn run(ground: &Ground, small: bool) -> Outcome<bool> {
    println!("intake: {}; load average {}", ground.title(), process::load_average());
    let server = ground.serve().await?;
    let before = stored(ground).await?;
    // connections and caches are warm before anything is measured
    let mut accepted = said(ground, &server, (1, Duration::from_millis(50))).await?.accepted;
    let slot = Duration::from_secs(if small { 1 } else { 10 });
    let mut peak = said(ground, &server, (1, slot)).await?;
    println!("the peak of vTaiwan: {}", peak.line());
    let (times, slot) = if small { (1, Duration::from_millis(200)) } else { (TIMES, Duration::from_secs(10)) };
    let mut crowd = said(ground, &server, (times, slot)).await?;
    println!("{times} times that: {}", crowd.line());
    accepted += peak.accepted + crowd.accepted;
    let kept = stored(ground).await? - before;
    println!("{accepted} accepted, {kept} stored");
    if !small {
        let bare = limits::writer::measure(ground.folder(), 64_000).await?;
        println!("{:<46}{:>12}{:>12}{:>10}", "a second", "ours", "limit", "share");
        println!("{}", row("voices at the crowd's rate, a bare writer's rows", (crowd.rate, bare), true));
    }
    lists(ground, &server, small).await?;
    server.stop().await?;
    let is_soon = small || peak.texts.percentile(99) <= SOON;
    Ok(kept == i64::try_from(accepted)? && peak.refused + crowd.refused == 0 && is_soon)
}

/// What came of a minute.
#[derive(Default)]
struct Minute {
    accepted: usize,
    refused: usize,
    rate: f64,
    texts: Spread,
    spoken: Spread,
}

impl Minute {
    fn line(&mut self) -> String {
        format!(
            "{} voices, {:.1}/s, {} refused; text: {}; with a clip, its upload included: {}",
            self.accepted,
            self.rate,
            self.refused,
            self.texts.text(),
            self.spoken.text()
        )
    }
}

/// A minute of the peak, so many times as full, each tenth of it in this time. Everybody speaks when it is their time,
/// whatever became of those before: who waits for a free connection waits for an answer.
async fn said(ground: &Ground, server: &Server, (times, slot): (u32, Duration)) -> Outcome<Minute> {
    let (room, mut tasks, began) = (Arc::new(Semaphore::new(AT_ONCE)), tokio::task::JoinSet::new(), Instant::now());
    let mut nth = 0;
    for (number, count) in PEAK.iter().map(|count| count * times).enumerate() {
        let (starts, gap) = (slot * u32::try_from(number)?, slot / count.max(1));
        for place in 0..count {
            let due = began + starts + gap * place;
            let who = ground.people.get(nth % ground.people.len()).ok_or("nobody speaks")?.clone();
            let (room, address) = (Arc::clone(&room), server.address);
            tasks.spawn(async move {
                tokio::time::sleep_until(due.into()).await;
                let _room = room.acquire_owned().await?;
                let is_spoken = nth % SPOKEN == 0;
                let mut line = Line::open(address).await?;
                let is_accepted = speak(&mut line, &who, (nth, is_spoken)).await?;
                Outcome::Ok((is_accepted, is_spoken, in_millis(due.elapsed())))
            });
            nth += 1;
        }
    }
    let mut minute = Minute::default();
    for done in tasks.join_all().await {
        let (is_accepted, is_spoken, took) = done?;
        if is_spoken {
            minute.spoken.add(took)
        } else {
            minute.texts.add(took)
        }
        minute.accepted += usize::from(is_accepted);
        minute.refused += usize::from(!is_accepted);
    }
    minute.rate = nth as f64 / began.elapsed().as_secs_f64();
    Ok(minute)
}

/// Leaves a voice, with a clip that is uploaded before.
async fn speak(line: &mut Line, who: &Person, (nth, is_spoken): (usize, bool)) -> Outcome<bool> {
    let mut media = Vec::new();
    if is_spoken {
        let answer = line.upload("/v1/media", &who.token, ("clip.webm", CLIP)).await?;
        if answer.status != 201 {
            eprintln!("a clip was refused: {}", answer.text());
            return Ok(false);
        }
        media.push(answer.json()["id"].clone());
    }
    let voice = json!({ "kind": "suggestion", "visibility": "public", "media": media, "place": "晒谷场",
        "text": format!("第{nth}个意见：村口到学校的路灯坏了，晚上看不见路。") });
    let answer = line.post("/v1/suggestions", &who.token, &voice).await?;
    if answer.status != 201 {
        eprintln!("a voice was refused: {}", answer.text());
    }
    Ok(answer.status == 201)
}

async fn stored(ground: &Ground) -> Outcome<i64> {
    let found = rows(&ground.database, "SELECT count(*) FROM suggestions", []).await?;
    Ok(found.first().ok_or("no count")?.try_get_by_index(0)?)
}

/// The lists of voices among few and among many: what they cost must not grow with the table.
async fn lists(ground: &Ground, server: &Server, small: bool) -> Outcome<()> {
    let sizes: [i64; 2] = if small { [500, 1_000] } else { [3_000, 300_000] };
    let speaker = ground.people.first().ok_or("nobody speaks")?;
    let asked: [(&str, &Person, String); 3] = [
        ("the office's list", &ground.chair, "/v1/suggestions?scope=desk&limit=20".to_owned()),
        ("the village's list", speaker, "/v1/suggestions?scope=village&limit=20".to_owned()),
        ("one's own list", speaker, "/v1/suggestions?scope=mine&limit=20".to_owned()),
    ];
    for size in sizes {
        grow(ground, size).await?;
        server.until_quiet().await?;
        let mut line = Line::open(server.address).await?;
        for (name, who, path) in &asked {
            let mut took = Spread::default();
            for nth in 0..60 {
                let began = Instant::now();
                let answer = line.get_as(path, &who.token).await?;
                if answer.status != 200 {
                    return Err(format!("{path}: {}", answer.text()).into());
                }
                // the first warm up
                if nth >= 10 {
                    took.add(in_millis(began.elapsed()));
                }
            }
            println!("{name} among {}: {}", stored(ground).await?, took.text());
        }
    }
    Ok(())
}

/// Invented voices like those that were left, until there are so many, by days into the past.
async fn grow(ground: &Ground, size: i64) -> Outcome<()> {
    let some = rows(&ground.database, "SELECT * FROM suggestions LIMIT 1", []).await?;
    let columns = some.first().ok_or("no voice")?.column_names();
    let missing = size - stored(ground).await?;
    if missing <= 0 {
        return Ok(());
    }
    let values: Vec<String> = columns
        .iter()
        .map(|name| match (name.as_str(), ground.is_postgres) {
            ("id", true) => "gen_random_uuid()".to_owned(),
            ("id", false) => "randomblob(16)".to_owned(),
            ("number", _) => "s.number || '-' || n".to_owned(),
            (other, _) => format!("s.{other}"),
        })
        .collect();
    let numbers = if ground.is_postgres {
        format!("SELECT generate_series(1, {missing}) AS n")
    } else {
        format!(
            "WITH RECURSIVE up(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up WHERE n < {missing}) SELECT n FROM up"
        )
    };
    let like = "SELECT * FROM suggestions WHERE visibility = 'public' AND key_id IS NULL ORDER BY created_at LIMIT 1";
    let sql = format!(
        "INSERT INTO suggestions ({}) SELECT {} FROM ({like}) s CROSS JOIN ({numbers}) numbers",
        columns.join(", "),
        values.join(", ")
    );
    rows::<0>(&ground.database, &sql, []).await?;
    Ok(())
}
