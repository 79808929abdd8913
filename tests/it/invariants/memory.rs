//! I10: what an idle socket and one whose phone never reads cost the real program.
//!
//! # Why
//! Caches and pools cost the same for one socket and for thousands, so an idle one is measured by the slope between two
//! crowds. The build under test is not optimised: its futures are larger than those of the program that is shipped.
use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use futures_util::{StreamExt, future::join_all, stream};
use liusheng::clock::Clock;
use serde_json::json;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use uuid::Uuid;

use crate::{
    kill::SETTINGS,
    support::{Process, Socket, Somebody, TestApp, Village, free_port},
};

/// Between the crowds, in KiB for each socket.
const IDLE_KIB: f64 = 10.0;
/// At the worst moment, for each phone that never reads.
const STALLED_KIB: f64 = 256.0;
/// After the last byte that the kernel took for it.
const CLOSED_WITHIN: Duration = Duration::from_secs(15);
/// So much waits only for who does not read.
const FULL: u64 = 16 * 1024;
/// The kernel's number for an established connection.
const OPEN: &str = "01";
const CROWDS: [usize; 2] = [500, 1500];
const DEAF: usize = 60;

/// What the process has in memory, in KiB.
pub(super) fn resident(server: &Process) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// What the kernel holds for the other side of each open connection of a server, by its address there.
pub(super) fn queues(server: SocketAddr) -> BTreeMap<String, u64> {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let port = format!(":{:04X}", server.port());
    let rows = table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    let own = rows.filter(|row| row[1].ends_with(&port) && row[3] == OPEN);
    own.map(|row| (row[2].to_owned(), u64::from_str_radix(row[4].split(':').next().unwrap(), 16).unwrap())).collect()
}

struct Scene {
    server: Process,
    address: SocketAddr,
    _outside: tempfile::TempDir,
    _house: crate::support::House,
    people: Vec<Somebody>,
    chair: Somebody,
    stream: String,
}

impl Scene {
    async fn set() -> Self {
        let app = TestApp::start_at(Clock::system().now() - TimeDelta::minutes(1)).await;
        let village = Village::found(&app).await;
        let mut people = Vec::new();
        for number in ["00006", "00007", "00008", "00009", "00010", "00011", "00012", "00014"] {
            people.push(village.villager(&app, number).await);
        }
        let ids: Vec<_> = people.iter().map(|who| who.person).collect();
        let group = json!({ "body_id": village.committee, "title": "修桥小组", "people": ids });
        let stream = village.chair.post("/v1/groups", group).await.ok()["stream_id"].as_str().unwrap().to_owned();
        let house = app.close().await;
        let outside = tempfile::tempdir().unwrap();
        let port = free_port();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let server = Process::serve(house.path(), port, SETTINGS, &outside.path().join("server.log")).await;
        let people = people.iter().map(|who| who.at(address)).collect();
        let chair = village.chair.at(address);
        Self { server, address, _outside: outside, _house: house, people, chair, stream }
    }

    /// So many phones, twenty at a time.
    async fn connect(&self, count: usize) -> Vec<WebSocketStream<TcpStream>> {
        let connecting = (0..count).map(|number| {
            let who = &self.people[number % self.people.len()];
            async move { Socket::deaf(self.address, &who.token()).await }
        });
        stream::iter(connecting).buffer_unordered(20).collect().await
    }

    /// How many the server says are open.
    async fn sockets(&self) -> usize {
        let (_, metrics) = self.chair.download("/metrics").await;
        let metrics = String::from_utf8(metrics).unwrap();
        metrics.lines().find_map(|line| line.strip_prefix("sockets ")).unwrap().parse().unwrap()
    }

    /// Twenty long messages at once.
    async fn burst(&self) {
        let path = format!("/v1/streams/{}/messages", self.stream);
        let saying = (0..20).map(|_| {
            let message = json!({ "client_id": Uuid::now_v7(), "text": "慢".repeat(2000) });
            self.chair.post(&path, message)
        });
        for said in join_all(saying).await {
            said.ok();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn i10_an_idle_socket_costs_ten_kibibytes() {
    let scene = Scene::set().await;
    let mut phones = Vec::new();
    let mut measured = Vec::new();
    for crowd in CROWDS {
        phones.extend(scene.connect(crowd - phones.len()).await);
        tokio::time::sleep(Duration::from_millis(500)).await;
        measured.push(resident(&scene.server));
    }
    let each = (measured[1] - measured[0]) / f64::from(u32::try_from(CROWDS[1] - CROWDS[0]).unwrap());
    println!("{CROWDS:?} idle sockets: {measured:?} KiB, {each:.1} KiB each");
    assert!(each <= IDLE_KIB, "{each:.1} KiB for an idle socket");
    drop(phones);
    assert_eq!(scene.server.terminate().code(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn i10_who_never_reads_costs_a_bounded_queue_and_is_closed() {
    let scene = Scene::set().await;
    // what is needed once is there before it is measured: for as many phones that read
    let hearing =
        scene.connect(DEAF).await.into_iter().map(|mut phone| {
            tokio::spawn(async move { while phone.next().await.is_some_and(|heard| heard.is_ok()) {} })
        });
    let hearing: Vec<_> = hearing.collect();
    for _ in 0..20 {
        scene.burst().await;
    }
    hearing.iter().for_each(tokio::task::JoinHandle::abort);
    while scene.sockets().await > 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let before = resident(&scene.server);
    let deaf = scene.connect(DEAF).await;
    let (began, mut most) = (Instant::now(), 0.0_f64);
    let (mut taken, mut moved) = (queues(scene.address), Instant::now());
    // the kernel takes the first of it, on both sides; who is full is closed after a while
    let ended = loop {
        scene.burst().await;
        most = most.max(resident(&scene.server) - before);
        let now = queues(scene.address);
        if now.iter().any(|(phone, bytes)| taken.get(phone).is_some_and(|before| before != bytes && *bytes > FULL)) {
            moved = Instant::now();
        }
        taken = now;
        let open = scene.sockets().await;
        if open == 0 {
            break moved.elapsed();
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{open} are still connected");
    };
    let each = most / f64::from(u32::try_from(DEAF).unwrap());
    println!("{DEAF} phones that never read: {each:.0} KiB each at most, closed {ended:?} after the last byte");
    assert!(each <= STALLED_KIB, "{each:.0} KiB for a phone that never reads");
    assert!(ended <= CLOSED_WITHIN, "closed after {ended:?}");
    drop(deaf);
    assert_eq!(scene.server.terminate().code(), Some(0));
}
