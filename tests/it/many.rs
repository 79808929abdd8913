//! Two servers, two relays and two workers on one database: what is written on one is heard on the other, counted once,
//! and goes on when one of them dies.
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use liusheng::clock::Clock;
use serde_json::json;
use uuid::Uuid;

use crate::{
    kill::afterwards,
    support::{House, Process, Raw, Socket, Somebody, TestApp, Village, free_port, is_postgres, redis_url, run},
};

/// The load of one machine must not be held up by limits that are for people.
const SETTINGS: &[(&str, &str)] = &[
    ("LIUSHENG_WRITES_PER_SECOND", "10000"),
    ("LIUSHENG_WRITES_BURST", "10000"),
    ("LIUSHENG_REQUESTS_PER_SECOND", "100000"),
    ("LIUSHENG_REQUESTS_BURST", "100000"),
    ("LIUSHENG_LOG_LEVEL", "warn"),
];

struct Prepared {
    house: House,
    people: Vec<Somebody>,
    vote: String,
    discussion: String,
}

async fn prepare() -> Prepared {
    let app = TestApp::start_at(Clock::system().now() - TimeDelta::days(14)).await;
    let village = Village::found(&app).await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let discussion = village.discussion(&app, &matter).await.to_string();
    let missing = Clock::system().now() - app.app.now();
    app.pass(missing).await;
    let vote = village.open_vote(&app, &matter, TimeDelta::days(2)).await;
    let mut people = Vec::new();
    for number in ["00002", "00003", "00005", "00006", "00007", "00008", "00009", "00010"] {
        people.push(village.villager(&app, number).await);
    }
    app.settle().await;
    Prepared { house: app.close().await, people, vote, discussion }
}

fn part(house: &House, role: &str, log: &Path) -> Process {
    Process::start(house.path(), (role, free_port()), SETTINGS, log)
}

/// Everybody speaks once on each server, so that there are events to follow.
async fn speak(people: &[Somebody], servers: [SocketAddr; 2], word: &str) -> usize {
    let mut count = 0;
    for who in people {
        for server in servers {
            let voice = json!({ "kind": "suggestion", "visibility": "public", "text": word, "place": "桥头" });
            who.at(server).post("/v1/suggestions", voice).await.ok();
            count += 1;
        }
    }
    count
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn several_processes_on_one_database_are_one_service() {
    if !is_postgres("many: two servers, two relays, two workers") {
        return;
    }
    let Some(_) = redis_url("many: two servers, two relays, two workers") else { return };
    let Prepared { house, people, vote, discussion } = prepare().await;
    let outside = tempfile::tempdir().unwrap();
    let log = outside.path().join("all.log");
    let ports = [free_port(), free_port()];
    let servers = ports.map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    let mut apis = ports.map(|port| Process::start(house.path(), ("api", port), SETTINGS, &log));
    for api in &mut apis {
        api.until_ready().await;
    }
    let mut relays = [part(&house, "relay", &log), part(&house, "relay", &log)];
    let workers = [part(&house, "worker", &log), part(&house, "worker", &log)];

    // heard on A what was said on B, and the other way round
    let channel = format!("s:{discussion}");
    let mut sockets = Vec::new();
    for (number, server) in servers.into_iter().enumerate() {
        let mut socket = Socket::connect_to(server, &people[number].at(server).token(), json!({})).await;
        socket.subscribe(&channel, json!({})).await;
        sockets.push(socket);
    }
    for (number, server) in servers.into_iter().enumerate() {
        let text = format!("从{number}说");
        let message = json!({ "client_id": Uuid::now_v7(), "text": text });
        people[2].at(server).post(&format!("/v1/streams/{discussion}/messages"), message).await.ok();
        for socket in &mut sockets {
            socket.until("message from either server", |data| data["body"]["text"] == json!(text)).await;
        }
    }
    for socket in &sockets {
        let offsets = socket.offsets(&channel);
        assert!(offsets.windows(2).all(|pair| pair[1] == pair[0] + 1), "{offsets:?}");
    }

    // one elector, both servers, at once
    for who in &people {
        let casting = (0..10).map(|number: usize| {
            let who = who.at(servers[number % 2]);
            let choice = ["for", "against"][number % 2];
            let ballot = json!({ "cast_id": Uuid::new_v4(), "choice": choice });
            let path = format!("/v1/votes/{vote}/ballots");
            tokio::spawn(async move { who.post(&path, ballot).await })
        });
        let casting: Vec<_> = casting.collect();
        let mut taken = 0;
        for one in casting {
            let answer = one.await.unwrap();
            assert!([201, 409].contains(&answer.status), "{} {}", answer.status, answer.body);
            taken += usize::from(answer.status == 201);
        }
        assert_eq!(taken, 1, "one elector, one ballot");
    }
    let raw = Raw::open(house.path()).await;
    assert_eq!(raw.one::<i64>("SELECT count(*) FROM envelopes").await, i64::try_from(people.len()).unwrap());

    // each relay dies once; one of them had the lease
    let mut voices = speak(&people, servers, "前").await;
    for number in 0..2 {
        afterwards::followed(house.path()).await;
        let holder: String = raw.one("SELECT holder FROM leases WHERE name = 'relay'").await;
        relays[number].kill();
        relays[number].wait();
        let began = Instant::now();
        voices += speak(&people, servers, "后").await;
        afterwards::followed(house.path()).await;
        let now: String = raw.one("SELECT holder FROM leases WHERE name = 'relay'").await;
        println!("relay {number} killed, went on after {:?}, lease moved: {}", began.elapsed(), holder != now);
        relays[number] = part(&house, "relay", &log);
    }
    // the new relays are up: a process that is asked to end before it listens for that just ends
    tokio::time::sleep(Duration::from_secs(3)).await;
    let numbered = "SELECT count(*) FROM events WHERE number IS NOT NULL";
    let (events, last): (i64, i64) = (raw.one(numbered).await, raw.one("SELECT max(number) FROM events").await);
    assert_eq!(events, last, "numbers without a gap");
    let cards = "SELECT count(*) FROM entries WHERE kind = 'card' AND body LIKE '%\"card\":\"suggestion_received\"%'";
    assert_eq!(raw.one::<i64>(cards).await, i64::try_from(voices).unwrap(), "one card for each voice");
    raw.close().await;
    for one in apis.into_iter().chain(relays).chain(workers) {
        assert!(!one.said().contains("panicked"), "{}", one.said());
        let began = Instant::now();
        assert_eq!(one.terminate().code(), Some(0));
        assert!(began.elapsed() < Duration::from_secs(16));
    }
    let verified = run(house.path(), &["verify", "--log"], &[]);
    assert_eq!(verified.status.code(), Some(0), "{}", String::from_utf8_lossy(&verified.stdout));
}
