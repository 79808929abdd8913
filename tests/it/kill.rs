//! `kill -9` in the middle of work, again and again: what was acknowledged is there afterwards, and there once.
//!
//! # Why
//! Every acknowledgement is written, with fsync, into a ledger outside the server's data directory before its sender goes
//! on. A request whose fate the kill left open is sent again after the restart with the same key until it is answered. At
//! the end everything that was ever asked for is acknowledged, so the database must hold exactly what the ledger names:
//! fewer rows are losses, more are doubles. Every second kill strikes just when an acknowledgement arrives, because that
//! is when a server that acknowledges before its commit is caught.
use std::{
    fs::File,
    io::Write,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use liusheng::ids::StreamId;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) mod afterwards;
mod prepared;

pub(crate) use self::prepared::{Prepared, prepare};
use crate::support::{Process, Somebody, free_port, is_full_run, run};

const SENDERS: usize = 32;
/// Of one person in a whole run: a hundred files a day are the most that one may send.
const CLIPS: u32 = 90;
const CLIP: &[u8] = include_bytes!("../data/media/lamp.amr");
/// The load of one machine must not be held up by limits that are for people.
pub(crate) const SETTINGS: &[(&str, &str)] = &[
    ("LIUSHENG_WRITES_PER_SECOND", "10000"),
    ("LIUSHENG_WRITES_BURST", "10000"),
    ("LIUSHENG_WRITES_PER_DAY", "1000000"),
    ("LIUSHENG_REQUESTS_PER_SECOND", "100000"),
    ("LIUSHENG_REQUESTS_BURST", "100000"),
    ("LIUSHENG_LOG_LEVEL", "warn"),
];

fn rounds() -> usize {
    if is_full_run() { 200 } else { 10 }
}

/// One thing that somebody wants done once. It holds every key, so that it can be sent again as it was.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Wish {
    /// A clip; its bytes follow from the number.
    Clip { key: Uuid, number: u32 },
    /// A voice, with the clip acknowledged before.
    Voice { key: Uuid, text: String, media: Option<String> },
    /// A message.
    Message { stream: StreamId, client_id: Uuid, text: String },
    /// A ballot.
    Ballot { elector: usize, cast_id: Uuid, choice: String },
}

/// What the server promised; one line of the ledger.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Promise {
    sender: usize,
    wish: Wish,
    answer: Value,
}

/// The promises, on a disk that the server knows nothing of: one file a sender, so that none waits for another's disk.
pub(crate) struct Ledger(pub(crate) PathBuf);

impl Ledger {
    /// Returns when the line is on the disk.
    async fn note(&self, promise: Promise) {
        let file = self.0.join(promise.sender.to_string());
        let writing = tokio::task::spawn_blocking(move || {
            let mut line = serde_json::to_vec(&promise).unwrap();
            line.push(b'\n');
            let mut file = File::options().create(true).append(true).open(file).unwrap();
            file.write_all(&line).unwrap();
            file.sync_data().unwrap();
        });
        writing.await.unwrap();
    }

    pub(crate) fn read(&self) -> Vec<Promise> {
        let files =
            (0..SENDERS).map(|sender| std::fs::read_to_string(self.0.join(sender.to_string())).unwrap_or_default());
        let files: Vec<String> = files.collect();
        files.iter().flat_map(|file| file.lines()).map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// How a request ended for its sender.
enum Fate {
    Promised(Value),
    /// No answer, or "come again": nobody knows whether it was done.
    Open,
    /// Nothing that was asked here may be refused; told at the end, after what is lost, which may be why.
    Refused,
}

/// What all senders share during a round.
pub(crate) struct Round {
    ledger: Arc<Ledger>,
    pub(crate) server: Mutex<Process>,
    /// The next acknowledgement is the moment to strike.
    is_armed: AtomicBool,
    pub(crate) is_over: AtomicBool,
    killed_at: Mutex<Option<Instant>>,
    /// Refusals that said when to come again.
    pub(crate) put_off: AtomicUsize,
    /// Requests that were under way when the server was killed.
    hit: AtomicUsize,
    /// Answers that no request should have got.
    pub(crate) wrong: Mutex<Vec<String>>,
}

impl Round {
    fn strike(&self) {
        let mut server = self.server.lock().unwrap();
        *self.killed_at.lock().unwrap() = Some(Instant::now());
        server.kill();
        self.is_over.store(true, Ordering::SeqCst);
    }

    async fn promised(&self, promise: Promise) {
        if self.is_armed.swap(false, Ordering::SeqCst) {
            self.strike();
        }
        self.ledger.note(promise).await;
    }
}

/// One phone that does one thing after the other.
pub(crate) struct Sender {
    number: usize,
    pub(crate) who: Somebody,
    /// For whom this phone casts, one after the other, and how many have cast.
    electors: Vec<Somebody>,
    cast: usize,
    vote: String,
    pub(crate) discussion: StreamId,
    thread: Option<StreamId>,
    count: u32,
    /// The wish that was sent and not answered.
    open: Option<Wish>,
    clip: Option<String>,
}

impl Sender {
    fn next(&mut self) -> Wish {
        if let Some(wish) = self.open.take() {
            return wish;
        }
        self.count += 1;
        let (key, name) = (Uuid::now_v7(), format!("{}-{}", self.number, self.count));
        if let Some(media) = self.clip.take() {
            return Wish::Voice { key, text: format!("听一听 {name}"), media: Some(media) };
        }
        let message = |stream| Wish::Message { stream, client_id: Uuid::now_v7(), text: format!("说一句 {name}") };
        match self.count % 8 {
            1 | 5 => Wish::Voice { key, text: format!("留一句 {name}"), media: None },
            2 if self.count / 8 < CLIPS => {
                Wish::Clip { key, number: u32::try_from(self.number).unwrap() * 100_000 + self.count }
            }
            4 if self.cast < self.electors.len() => self.ballot(),
            3 => message(self.thread.unwrap_or(self.discussion)),
            _ => message(self.discussion),
        }
    }

    fn ballot(&self) -> Wish {
        let choice = ["for", "against", "abstain"][(self.number + self.cast) % 3];
        Wish::Ballot { elector: self.cast, cast_id: Uuid::new_v4(), choice: choice.to_owned() }
    }

    /// Works until the server is killed.
    pub(crate) async fn work(mut self, round: Arc<Round>) -> Self {
        let started = Instant::now();
        while !round.is_over.load(Ordering::SeqCst) {
            let wish = self.next();
            let began = Instant::now();
            assert!(started.elapsed() < Duration::from_secs(120), "nothing was acknowledged, {wish:?} at last");
            match self.send(&wish, &round).await {
                Fate::Promised(answer) => {
                    self.learn(&wish, &answer);
                    round.promised(Promise { sender: self.number, wish, answer }).await;
                }
                Fate::Refused => {}
                Fate::Open => {
                    self.open = Some(wish);
                    let killed_at = *round.killed_at.lock().unwrap();
                    if killed_at.is_some_and(|at| began < at) {
                        round.hit.fetch_add(1, Ordering::SeqCst);
                    }
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        }
        self
    }

    /// Sends what is still open, until it is answered.
    pub(crate) async fn finish(mut self, round: Arc<Round>) -> Self {
        let began = Instant::now();
        while let Some(wish) = self.open.take() {
            assert!(began.elapsed() < Duration::from_secs(20), "no answer to {wish:?}");
            match self.send(&wish, &round).await {
                Fate::Promised(answer) => {
                    self.learn(&wish, &answer);
                    round.promised(Promise { sender: self.number, wish, answer }).await;
                }
                Fate::Refused => {}
                Fate::Open => self.open = Some(wish),
            }
        }
        self
    }

    fn learn(&mut self, wish: &Wish, answer: &Value) {
        match wish {
            Wish::Clip { .. } => self.clip = answer["id"].as_str().map(str::to_owned),
            Wish::Voice { .. } => self.thread = answer["stream_id"].as_str().and_then(|id| id.parse().ok()),
            Wish::Ballot { .. } => self.cast += 1,
            Wish::Message { .. } => {}
        }
    }

    async fn send(&self, wish: &Wish, round: &Round) -> Fate {
        let request = self.request(wish);
        let Ok(response) = request.timeout(Duration::from_secs(10)).send().await else { return Fate::Open };
        let status = response.status();
        let says_when = response.headers().contains_key("retry-after");
        let is_problem = response.headers().get("content-type").is_some_and(|kind| kind == "application/problem+json");
        let Ok(body) = response.bytes().await else { return Fate::Open };
        if status.is_success() {
            return Fate::Promised(serde_json::from_slice(&body).unwrap());
        }
        // busy, full, or going down: come again
        if [429, 503, 507].contains(&status.as_u16()) && says_when && is_problem {
            round.put_off.fetch_add(1, Ordering::SeqCst);
            return Fate::Open;
        }
        let said = String::from_utf8_lossy(&body).into_owned();
        round.wrong.lock().unwrap().push(format!("{status} {said} for {wish:?}"));
        Fate::Refused
    }

    fn request(&self, wish: &Wish) -> reqwest::RequestBuilder {
        let post = |who: &Somebody, path: &str, body: Value| who.request(reqwest::Method::POST, path).json(&body);
        match wish {
            Wish::Clip { key, number } => self.who.uploading(Some(&key.to_string()), clip(*number)),
            Wish::Voice { key, text, media } => {
                let media: Vec<&String> = media.iter().collect();
                let body = json!({ "kind": "suggestion", "visibility": "public", "text": text, "place": "桥头", "media": media });
                post(&self.who, "/v1/suggestions", body).header("idempotency-key", key.to_string())
            }
            Wish::Message { stream, client_id, text } => post(
                &self.who,
                &format!("/v1/streams/{stream}/messages"),
                json!({ "client_id": client_id, "text": text }),
            ),
            Wish::Ballot { elector, cast_id, choice } => post(
                &self.electors[*elector],
                &format!("/v1/votes/{}/ballots", self.vote),
                json!({ "cast_id": cast_id, "choice": choice }),
            ),
        }
    }
}

/// A clip like no other: one more frame of sound with the number in it.
fn clip(number: u32) -> Vec<u8> {
    let mut frame = vec![0x3c; 32];
    frame[4..8].copy_from_slice(&number.to_be_bytes());
    [CLIP, &frame].concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn i1_what_was_acknowledged_survives_kill_9() {
    let port = free_port();
    let Prepared { data_dir, mut senders, vote } = prepare(port).await;
    let outside = tempfile::tempdir().unwrap();
    let ledger = Arc::new(Ledger(outside.path().join("ledger")));
    std::fs::create_dir(&ledger.0).unwrap();
    let log = outside.path().join("server.log");
    let serve = || Process::serve(data_dir.path(), port, SETTINGS, &log);

    let began = Instant::now();
    let (mut struck, mut wrong) = (0, Vec::new());
    for number in 0..rounds() {
        let round = Arc::new(Round::with(serve().await, &ledger));
        let working: Vec<_> = senders.drain(..).map(|sender| tokio::spawn(sender.work(Arc::clone(&round)))).collect();
        tokio::time::sleep(Duration::from_millis(150 + u64::from(random()) % 750)).await;
        if number % 2 == 0 {
            round.strike();
        } else {
            round.is_armed.store(true, Ordering::SeqCst);
        }
        for sender in working {
            senders.push(sender.await.unwrap());
        }
        round.server.lock().unwrap().wait();
        wrong.append(&mut round.wrong.lock().unwrap());
        struck += usize::from(round.hit.load(Ordering::SeqCst) > 0);
    }
    let took = began.elapsed();
    let round = Arc::new(Round::with(serve().await, &ledger));
    let finishing: Vec<_> = senders.drain(..).map(|sender| tokio::spawn(sender.finish(Arc::clone(&round)))).collect();
    for sender in finishing {
        senders.push(sender.await.unwrap());
    }
    let promises = ledger.read();
    println!(
        "{} acknowledged writes, {} kills, {struck} of them hit requests under way, {took:?}",
        promises.len(),
        rounds()
    );
    assert!(struck * 5 >= rounds() * 4, "only {struck} of {} kills hit a request under way", rounds());

    afterwards::followed(data_dir.path()).await;
    let mut lost = afterwards::in_the_database(&promises, &senders, data_dir.path()).await;
    lost.extend(afterwards::over_the_api(&promises, &senders, &vote).await);
    assert!(
        lost.is_empty(),
        "{} of {} acknowledged writes are lost or doubled:\n{}",
        lost.len(),
        promises.len(),
        lost.join("\n")
    );
    wrong.append(&mut round.wrong.lock().unwrap());
    assert!(wrong.is_empty(), "wrong answers: {wrong:#?}");

    let server = Arc::into_inner(round).unwrap().server.into_inner().unwrap();
    assert!(!server.said().contains("panicked"), "{}", server.said());
    assert_eq!(server.terminate().code(), Some(0), "asked to end, it ends in order");
    let verified = run(data_dir.path(), &["verify", "--log"], &[]);
    assert_eq!(verified.status.code(), Some(0), "{}", String::from_utf8_lossy(&verified.stdout));
}

impl Round {
    pub(crate) fn with(server: Process, ledger: &Arc<Ledger>) -> Self {
        Self {
            ledger: Arc::clone(ledger),
            server: Mutex::new(server),
            is_armed: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
            killed_at: Mutex::new(None),
            put_off: AtomicUsize::new(0),
            hit: AtomicUsize::new(0),
            wrong: Mutex::new(Vec::new()),
        }
    }
}

fn random() -> u16 {
    let [high, low, ..] = *Uuid::new_v4().as_bytes();
    u16::from_be_bytes([high, low])
}
