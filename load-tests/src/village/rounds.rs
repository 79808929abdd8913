//! The rounds of a run: the notice and the messages that everybody hears, and the requests that everybody makes.
use std::{
    collections::HashSet,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use liusheng::{demo, ids::StreamId};
use serde_json::{Value, json};
use uuid::Uuid;

use super::ground::Person;
use crate::{
    Outcome,
    figures::{Spread, in_millis, millis},
    line::Line,
    phones::Phones,
    process,
};

/// Connections over which everybody's requests go.
const LINES: usize = 64;
/// What does not come within this time is lost.
const WITHIN: Duration = Duration::from_secs(15);
/// Longest that a round of requests may take.
const ROUND: Duration = Duration::from_secs(60);
/// A message of an ordinary length; its frame has about 512 bytes.
pub(crate) const TEXT: &str =
    "各位乡亲，村口到学校的路灯今天开始安装，晚上八点以前经过的时候请慢一点，看好老人和小孩，有问题请给村委会留言。";

/// How something that everybody should hear was heard.
#[derive(Default)]
pub(crate) struct Heard {
    pub(crate) wanted: usize,
    pub(crate) came: usize,
    pub(crate) from_start: Spread,
    pub(crate) from_answer: Spread,
    /// From the answer until the last had it.
    pub(crate) to_all: Spread,
    pub(crate) bytes: usize,
    /// The server's processor time over it.
    pub(crate) cpu: Duration,
}

impl Heard {
    pub(crate) fn lost(&self) -> usize {
        self.wanted - self.came
    }

    pub(crate) fn cpu_micros(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / (self.came.max(1)) as f64
    }

    fn take(&mut self, arrivals: &[crate::phones::Arrival], wanted: usize, (began, answered): (Instant, Instant)) {
        self.wanted += wanted;
        self.came += arrivals.len();
        for one in arrivals {
            self.from_start.add(millis(began, one.at));
            self.from_answer.add(millis(answered, one.at));
            self.bytes = one.bytes;
        }
        if let Some(last) = arrivals.iter().map(|one| one.at).max() {
            self.to_all.add(millis(began, last));
        }
    }
}

/// The chair publishes a must-read notice; its id, and how the card was heard.
pub(crate) async fn notice(address: SocketAddr, chair: &Person, phones: &mut Phones) -> Outcome<(Uuid, Heard)> {
    let mut line = Line::open(address).await?;
    let notice = json!({ "area_code": demo::VILLAGE, "title": "停水通知", "text": TEXT, "must_read": true });
    let began = Instant::now();
    let answer = line.post("/v1/notices", &chair.token, &notice).await?;
    let answered = Instant::now();
    if answer.status != 201 {
        return Err(format!("the notice was refused: {}", answer.text()).into());
    }
    let id: Uuid = answer.json()["id"].as_str().unwrap_or_default().parse()?;
    let link = format!("/notices/{id}");
    let arrivals = phones.collect(phones.count, WITHIN, |one| one.link.as_ref() == Some(&link)).await;
    let mut heard = Heard::default();
    heard.take(&arrivals, phones.count, (began, answered));
    Ok((id, heard))
}

/// The chair sends messages into the village's channel, the next when all have the last.
pub(crate) async fn messages(
    (address, pid): (SocketAddr, u32),
    (chair, channel): (&Person, StreamId),
    phones: &mut Phones,
    count: usize,
) -> Outcome<Heard> {
    let mut line = Line::open(address).await?;
    let mut heard = Heard::default();
    for _ in 0..count {
        let message = json!({ "client_id": Uuid::new_v4(), "text": TEXT });
        let cpu = process::cpu(pid)?;
        let began = Instant::now();
        let answer = line.post(&format!("/v1/streams/{channel}/messages"), &chair.token, &message).await?;
        let answered = Instant::now();
        let seq = answer.json()["seq"].as_i64().ok_or_else(|| format!("a message was refused: {}", answer.text()))?;
        let arrivals = phones.collect(phones.count, WITHIN, |one| one.offset == seq).await;
        heard.take(&arrivals, phones.count, (began, answered));
        heard.cpu += process::cpu(pid)?.saturating_sub(cpu);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(heard)
}

/// How a round of requests went.
pub(crate) struct Asked {
    pub(crate) rate: f64,
    pub(crate) latency: Spread,
    /// What the server acknowledged with 201: the person, and the id sent along.
    pub(crate) acknowledged: HashSet<(Uuid, Uuid)>,
    /// The first answer that was another.
    pub(crate) refused: Vec<String>,
    /// The server's processor time for one.
    pub(crate) cpu_micros: f64,
}

/// Everybody posts once, over 64 connections; `body` makes the request from a fresh id.
pub(crate) async fn everybody(
    (address, pid): (SocketAddr, u32),
    people: &[Person],
    path: String,
    body: fn(Uuid) -> Value,
) -> Outcome<Asked> {
    let people: Arc<[Person]> = people.into();
    let (path, next): (Arc<str>, Arc<AtomicUsize>) = (path.into(), Arc::default());
    let cpu = process::cpu(pid)?;
    let began = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..LINES.min(people.len()) {
        let (people, path, next) = (Arc::clone(&people), Arc::clone(&path), Arc::clone(&next));
        tasks.spawn(async move {
            let mut line = Line::open(address).await?;
            let mut done = Vec::new();
            while let Some(person) = people.get(next.fetch_add(1, Ordering::Relaxed)) {
                let id = Uuid::new_v4();
                let asked = Instant::now();
                let answer = line.post(&path, &person.token, &body(id)).await?;
                let refusal = (answer.status != 201).then(|| answer.text());
                done.push(((person.id, id), asked.elapsed(), refusal));
            }
            Outcome::Ok(done)
        });
    }
    let all =
        tokio::time::timeout(ROUND, tasks.join_all()).await.map_err(|_| format!("{path} took longer than a minute"))?;
    let took = began.elapsed();
    let mut asked = Asked {
        rate: people.len() as f64 / took.as_secs_f64(),
        latency: Spread::default(),
        acknowledged: HashSet::new(),
        refused: Vec::new(),
        cpu_micros: process::cpu(pid)?.saturating_sub(cpu).as_secs_f64() * 1e6 / people.len().max(1) as f64,
    };
    for done in all {
        for (who, latency, refusal) in done? {
            asked.latency.add(in_millis(latency));
            match refusal {
                Some(refusal) => asked.refused.push(refusal),
                None => _ = asked.acknowledged.insert(who),
            }
        }
    }
    Ok(asked)
}
