//! The servers as processes of their own, what they stand on, the net before them, and who talks with whom.
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, atomic::AtomicI64},
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use futures_util::future::join_all;
use liusheng::clock::Clock;
use serde_json::json;
use tempfile::TempDir;
use tokio::{
    net::TcpStream,
    sync::Mutex as Turn,
    task::{JoinHandle, block_in_place},
};
use tokio_tungstenite::WebSocketStream;

use super::{
    super::memory::{queues, resident},
    people::{Doors, Known},
};
use crate::{
    kill::SETTINGS,
    support::{
        Chaos, House, OwnPostgres, OwnRedis, Process, Socket, Somebody, TestApp, Village, free_port, is_postgres,
    },
};

/// So late at most is heard on one server what was said on the other, with and without Redis.
const LATE: Duration = Duration::from_secs(2);
const DRAINED: Duration = Duration::from_secs(16);
const MOVED: Duration = Duration::from_secs(6);
/// Phones that do not read, and how often three people say something long to fill what the kernel holds for them.
const DEAF: usize = 8;
const LONG: usize = 25;
/// Ten seconds in which nothing is taken, five for the last word, and a bit for a machine that is struck. Who answers no
/// ping is ended, too, but not all of them so soon.
const DEAF_ENDED: Duration = Duration::from_secs(22);
/// Of a server at the end. The build under test is not optimised.
const MOST_KIB: f64 = 512.0 * 1024.0;

/// A conversation.
pub(super) struct Talk {
    pub(super) number: usize,
    pub(super) stream: String,
    /// The last of them leads.
    pub(super) people: Vec<Somebody>,
    /// By the number of their owner: somebody has two.
    pub(super) devices: Vec<usize>,
    /// Where each has read at the beginning.
    pub(super) read: Vec<i64>,
}

impl Talk {
    async fn begin(number: usize, village: &Village, people: &[&Somebody], devices: &[usize]) -> Self {
        let ids: Vec<_> = people.iter().map(|who| who.person).collect();
        let group = json!({ "body_id": village.committee, "title": "修桥小组", "people": ids });
        let stream = village.chair.post("/v1/groups", group).await.ok()["stream_id"].as_str().unwrap().to_owned();
        let people: Vec<_> = people.iter().copied().chain([&village.chair]).cloned().collect();
        let mut read = Vec::new();
        for who in &people {
            let list = who.get("/v1/sync").await.ok();
            let row = list["streams"].as_array().unwrap().iter().find(|row| row["id"] == json!(stream)).unwrap();
            read.push(row["read_seq"].as_i64().unwrap());
        }
        Self { number, stream, people, devices: devices.to_vec(), read }
    }
}

struct Node {
    address: SocketAddr,
    process: Turn<Process>,
    net: Chaos,
}

/// Everything that can be struck.
pub(super) struct World {
    house: House,
    outside: TempDir,
    nodes: Vec<Node>,
    redis: Mutex<Option<OwnRedis>>,
    postgres: Mutex<Option<OwnPostgres>>,
    /// Who waits until those who do not read are ended.
    deaf: Mutex<Vec<JoinHandle<Option<String>>>>,
}

impl World {
    /// Two servers with PostgreSQL and Redis, or one without both. `None`, and a word, where a program is missing.
    pub(super) async fn open() -> Option<(Self, Vec<Talk>)> {
        let app = TestApp::start_at(Clock::system().now() - TimeDelta::minutes(1)).await;
        let village = Village::found(&app).await;
        let mut people = Vec::new();
        for number in ["00006", "00007", "00008", "00009"] {
            people.push(village.villager(&app, number).await);
        }
        let (four, clerk) = (people.iter().collect::<Vec<_>>(), &village.clerk);
        let all = [four.as_slice(), &[clerk]].concat();
        let talks = vec![
            Talk::begin(0, &village, &all, &[0, 0, 1, 2, 3, 4, 5]).await,
            Talk::begin(1, &village, &[four[0], clerk], &[0, 1, 1]).await,
            // nobody speaks here but who measures
            Talk::begin(2, &village, &[four[0], four[1]], &[]).await,
        ];
        let prepared = app.close().await;
        if !is_postgres("two nodes: one server on SQLite instead") {
            let world = Self::with(prepared, 1, None, None).await;
            return Some((world, talks));
        }
        let what = "two nodes: harms to servers, Redis and PostgreSQL";
        let (postgres, redis) = (OwnPostgres::start(what)?, OwnRedis::start()?);
        postgres.copy(&prepared.url(), "nodes");
        let house = House::at(postgres.url("nodes"));
        for file in std::fs::read_dir(prepared.path()).unwrap().map(Result::unwrap).filter(|file| file.path().is_file())
        {
            std::fs::copy(file.path(), house.path().join(file.file_name())).unwrap();
        }
        Some((Self::with(house, 2, Some(redis), Some(postgres)).await, talks))
    }

    async fn with(house: House, count: usize, redis: Option<OwnRedis>, postgres: Option<OwnPostgres>) -> Self {
        let outside = tempfile::tempdir().unwrap();
        let mut nodes = Vec::new();
        for _ in 0..count {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
            let process = started(house.path(), address, redis.as_ref(), outside.path()).await;
            nodes.push(Node { address, process: Turn::new(process), net: Chaos::before(address).await });
        }
        let (redis, postgres) = (Mutex::new(redis), Mutex::new(postgres));
        Self { house, outside, nodes, redis, postgres, deaf: Mutex::default() }
    }

    pub(super) fn count(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn data_dir(&self) -> &Path {
        self.house.path()
    }

    /// Where each server is found without the net between.
    pub(super) fn addresses(&self) -> Vec<SocketAddr> {
        self.nodes.iter().map(|node| node.address).collect()
    }

    pub(super) fn net(&self, node: usize) -> &Chaos {
        &self.nodes[node].net
    }

    /// The ways of somebody to the servers through the net, the own one first.
    pub(super) fn doors_of(&self, who: &Somebody, number: usize) -> Vec<Somebody> {
        let count = self.nodes.len();
        (0..count).map(|step| who.at(self.nodes[(number + step) % count].net.address)).collect()
    }

    pub(super) fn redis(&self, harm: impl FnOnce(&mut OwnRedis)) {
        let mut redis = self.redis.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(redis) = redis.as_mut() {
            block_in_place(|| harm(redis));
        }
    }

    pub(super) async fn kill_postgres(&self) {
        let kill = |revives: bool| {
            let mut postgres = self.postgres.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(postgres) = postgres.as_mut() {
                block_in_place(|| if revives { postgres.revive() } else { postgres.kill() });
            }
        };
        kill(false);
        tokio::time::sleep(Duration::from_secs(1)).await;
        kill(true);
    }

    pub(super) async fn kill(&self, node: usize) {
        let node = &self.nodes[node];
        let mut process = node.process.lock().await;
        process.kill();
        process.wait();
        *process = self.again(node.address).await;
    }

    async fn again(&self, address: SocketAddr) -> Process {
        let settings =
            self.redis.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|redis| redis.url.clone());
        let mut process = start(self.house.path(), address, settings.as_deref(), self.outside.path());
        process.until_ready().await;
        process
    }

    /// Ends a server as a service manager does. While it is away, every device of the talk is with the other one.
    pub(super) async fn drain(&self, node: usize, known: &Known) -> Vec<String> {
        let mut wrong = Vec::new();
        let elsewhere = (node + 1) % self.nodes.len();
        let node = &self.nodes[node];
        let mut process = node.process.lock().await;
        let mut last = Socket::connect_to(node.address, &known.somebody(1).at(node.address).token(), json!({})).await;
        let began = Instant::now();
        let status = block_in_place(|| process.end());
        last.listen(Duration::from_secs(1)).await;
        if last.closed != Some(3001) {
            wrong.push(format!("drain: a phone was sent away with {:?}", last.closed));
        }
        if status.code() != Some(0) || began.elapsed() > DRAINED {
            wrong.push(format!("drain: ended with {status} after {:?}", began.elapsed()));
        }
        if self.nodes.len() > 1 {
            let mut doors = Doors::new(vec![known.somebody(0).at(self.nodes[elsewhere].address)]);
            let (seq, _) = known.say(0, &mut doors, format!("一台停了{}", known.count()), None).await;
            let said = Instant::now();
            while known.furthest_behind() < seq && said.elapsed() < MOVED {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            println!("drained in {:?}, all devices heard the other server after {:?}", began.elapsed(), said.elapsed());
            if known.furthest_behind() < seq {
                wrong.push(format!("drain: after {MOVED:?} not every device is with the other server"));
            }
        }
        *process = self.again(node.address).await;
        wrong
    }

    /// What is said on the first server is heard on the second one in time.
    pub(super) async fn heard_elsewhere(&self, what: &str, known: &Known) -> Vec<String> {
        let [one, other] = [0, self.nodes.len() - 1].map(|node| self.nodes[node].address);
        let channel = format!("s:{}", known.stream);
        let listener = known.somebody(1).at(other);
        let mut socket = Socket::connect_to(other, &listener.token(), json!({})).await;
        let mut doors = Doors::new(vec![known.somebody(0).at(one)]);
        let mut longest = Duration::ZERO;
        for number in 0..3 {
            let text = format!("{what}听得到吗{number}{}", known.count());
            let (seq, _) = known.say(0, &mut doors, text, None).await;
            let said = Instant::now();
            socket.hear_up_to(&channel, seq, 2 * LATE).await;
            if socket.closed.is_some() {
                return Vec::new();
            }
            longest = longest.max(said.elapsed());
        }
        println!("{what}: heard on the other server after {longest:?} at most");
        if longest < LATE { Vec::new() } else { vec![format!("I9: {what}: heard after {longest:?}")] }
    }

    /// Phones that connect to the first server, are told much and never read. They stay: it is said at the end whether the
    /// server ended them.
    pub(super) async fn deaf(&self, known: &Known) -> Vec<String> {
        let server = self.nodes[0].address;
        let mut phones = Vec::new();
        for _ in 0..DEAF {
            phones.push(Socket::deaf(server, &known.somebody(2).at(server).token()).await);
        }
        let held = held(server, &phones);
        for round in 0..LONG {
            let saying = (0..3).map(|number| {
                let doors: Vec<Somebody> =
                    self.addresses().into_iter().map(|at| known.somebody(number).at(at)).collect();
                let text = format!("{number}号长话{round}·{}{}", known.count(), "慢".repeat(1900));
                async move { known.say(number, &mut Doors::new(doors), text, None).await }
            });
            join_all(saying).await;
        }
        let watching = tokio::spawn(until_ended(server, phones));
        self.deaf.lock().unwrap_or_else(PoisonError::into_inner).push(watching);
        if held == DEAF { Vec::new() } else { vec![format!("I10: {held} of {DEAF} phones are seen to be connected")] }
    }

    /// Ends the servers: what they said, and what was not as it should be.
    pub(super) async fn end(&self) -> (String, Vec<String>) {
        let mut wrong = Vec::new();
        let deaf = std::mem::take(&mut *self.deaf.lock().unwrap_or_else(PoisonError::into_inner));
        for watching in deaf {
            wrong.extend(watching.await.unwrap());
        }
        for node in &self.nodes {
            let mut process = node.process.lock().await;
            let kib = resident(&process);
            println!("a server has {kib} KiB in the end");
            if kib > MOST_KIB {
                wrong.push(format!("I10: a server has {kib} KiB in the end"));
            }
            let status = block_in_place(|| process.end());
            if status.code() != Some(0) {
                wrong.push(format!("end: {status}"));
            }
        }
        let said = std::fs::read_to_string(log_of(self.outside.path())).unwrap();
        if said.contains("panicked") {
            wrong.push(format!("end: {said}"));
        }
        (said, wrong)
    }
}

/// How many of these phones the server's side of the kernel holds open.
fn held(server: SocketAddr, phones: &[WebSocketStream<TcpStream>]) -> usize {
    let open = queues(server);
    let ports = phones.iter().map(|phone| format!(":{:04X}", phone.get_ref().local_addr().unwrap().port()));
    ports.filter(|port| open.keys().any(|phone| phone.ends_with(port))).count()
}

/// Until the server has ended all of these, or what is wrong with it.
async fn until_ended(server: SocketAddr, phones: Vec<WebSocketStream<TcpStream>>) -> Option<String> {
    let full = Instant::now();
    loop {
        let open = held(server, &phones);
        if open == 0 {
            println!("phones that do not read were ended after {:?}", full.elapsed());
            return None;
        }
        if full.elapsed() > DEAF_ENDED {
            return Some(format!("I10: {open} phones that never read are connected after {:?}", full.elapsed()));
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// How far a device is, told while it lives.
pub(super) type Place = Arc<AtomicI64>;

fn log_of(outside: &Path) -> PathBuf {
    outside.join("servers.log")
}

fn start(data_dir: &Path, address: SocketAddr, redis: Option<&str>, outside: &Path) -> Process {
    let mut settings = SETTINGS.to_vec();
    settings.extend(redis.map(|url| ("LIUSHENG_REDIS_URL", url)));
    Process::start(data_dir, ("all", address.port()), &settings, &log_of(outside))
}

async fn started(data_dir: &Path, address: SocketAddr, redis: Option<&OwnRedis>, outside: &Path) -> Process {
    let mut process = start(data_dir, address, redis.map(|redis| redis.url.as_str()), outside);
    process.until_ready().await;
    process
}
