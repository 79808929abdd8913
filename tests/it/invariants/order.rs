//! I2 and I3: places have no gap and appear in their order; whoever was answered before another spoke stands before.
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::support::{Raw, Somebody, TestApp, Village, is_full_run};

/// One send, with the moments at which it was begun and acknowledged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    pub(super) sender: usize,
    pub(super) begun: u64,
    pub(super) acknowledged: u64,
    pub(super) seq: i64,
}

/// Two sends of a history that stand the wrong way round: the first was acknowledged before the second was begun.
pub(super) fn out_of_order(history: &[Sent]) -> Option<(Sent, Sent)> {
    let mut by_begin = history.to_vec();
    by_begin.sort_by_key(|sent| sent.begun);
    let mut by_end = history.to_vec();
    by_end.sort_by_key(|sent| sent.acknowledged);
    let mut ended = by_end.into_iter().peekable();
    let mut furthest: Option<Sent> = None;
    for sent in by_begin {
        while let Some(before) = ended.next_if(|before| before.acknowledged < sent.begun) {
            if furthest.is_none_or(|one| one.seq < before.seq) {
                furthest = Some(before);
            }
        }
        if let Some(before) = furthest.filter(|before| before.seq >= sent.seq) {
            return Some((before, sent));
        }
    }
    None
}

#[test]
fn i3_a_history_out_of_order_is_noticed() {
    let sent = |sender, begun, acknowledged, seq| Sent { sender, begun, acknowledged, seq };
    // at the same time they may stand either way
    let good = [sent(0, 1, 4, 2), sent(1, 2, 3, 1), sent(0, 5, 8, 3), sent(1, 6, 7, 4)];
    assert!(out_of_order(&good).is_none());
    for (one, other) in [(0, 2), (1, 3), (1, 2)] {
        let mut bad = good;
        (bad[one].seq, bad[other].seq) = (bad[other].seq, bad[one].seq);
        assert!(out_of_order(&bad).is_some(), "{one} and {other} swapped");
    }
    let same = [sent(0, 1, 2, 1), sent(0, 3, 4, 1)];
    assert!(out_of_order(&same).is_some(), "no place is given twice");
}

/// People who speak in two conversations at once, on one server or two.
struct Crowd {
    app: TestApp,
    beside: Option<TestApp>,
    people: Vec<Somebody>,
    streams: [String; 2],
}

const SPEAKERS: usize = 8;

impl Crowd {
    async fn gather() -> Self {
        let (app, village) = Village::start().await;
        let beside = if app.folder.is_sqlite() { None } else { Some(app.start_beside().await) };
        let mut people = Vec::new();
        for number in 0..SPEAKERS {
            let who = village.villager(&app, &format!("{:05}", number + 5)).await;
            let elsewhere = beside.as_ref().filter(|_| number % 2 == 1);
            people.push(elsewhere.map_or_else(|| who.clone(), |other| who.at_app(other)));
        }
        let ids: Vec<_> = people.iter().map(|who| who.person).collect();
        let mut streams = [String::new(), String::new()];
        for stream in &mut streams {
            let group = json!({ "body_id": village.committee, "title": "修桥小组", "people": ids });
            *stream = village.chair.post("/v1/groups", group).await.ok()["stream_id"].as_str().unwrap().to_owned();
        }
        Self { app, beside, people, streams }
    }

    /// No stream of the whole database has a hole, or says another end than it has.
    async fn part(self) {
        let raw = Raw::open(self.app.folder.path()).await;
        let wrong = "SELECT count(*) FROM streams s WHERE s.last_seq <> (SELECT count(*) FROM entries e WHERE e.stream_id = s.id) \
            OR s.last_seq <> (SELECT coalesce(max(e.seq), 0) FROM entries e WHERE e.stream_id = s.id) \
            OR s.last_no <> (SELECT coalesce(max(e.no), 0) FROM entries e WHERE e.stream_id = s.id)";
        assert_eq!(raw.one::<i64>(wrong).await, 0, "streams with a hole");
        raw.close().await;
        if let Some(beside) = self.beside {
            beside.stop().await;
        }
        self.app.stop().await;
    }
}

fn time() -> Duration {
    Duration::from_secs(if is_full_run() { 20 } else { 3 })
}

fn message(text: &str) -> Value {
    json!({ "client_id": Uuid::now_v7(), "text": text })
}

/// Sends, sends twice at once, is refused, takes back: what is rolled back leaves no place behind.
async fn bustle(who: Somebody, stream: String, over: CancellationToken) -> usize {
    let path = format!("/v1/streams/{stream}/messages");
    let mut count = 0;
    while !over.is_cancelled() {
        let said = message("一句");
        let (one, other) = tokio::join!(who.post(&path, said.clone()), who.post(&path, said));
        let (one, other) = (one.ok(), other.ok());
        assert_eq!(one["seq"], other["seq"]);
        assert_ne!(one["dup"], other["dup"]);
        let mut refused = message("答一句还没有的话");
        refused["reply_to"] = json!(1_000_000);
        assert_eq!(who.post(&path, refused).await.refused(), "invalid_fields");
        if count % 3 == 0 {
            who.post(&format!("{path}/{}/recall", one["seq"]), json!({})).await.ok();
        }
        count += 1;
    }
    count
}

/// Whoever reads on from where it was never sees a place before the one that comes before it.
async fn follow(who: Somebody, stream: String, over: CancellationToken) -> i64 {
    let (mut epoch, mut have) = (String::new(), 0);
    while !over.is_cancelled() {
        let position = json!({ "have": { stream.as_str(): { "epoch": epoch, "seq": have } } });
        let missed = who.post("/v1/sync", position).await.ok()["streams"][&stream].clone();
        missed["epoch"].as_str().unwrap().clone_into(&mut epoch);
        if missed["limited"] == json!(true) {
            have = missed["entries"][0]["seq"].as_i64().unwrap() - 1;
        }
        for entry in missed["entries"].as_array().unwrap() {
            assert_eq!(entry["seq"].as_i64(), Some(have + 1), "after {have}");
            have += 1;
        }
    }
    have
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn i2_places_have_no_gap_and_appear_in_their_order() {
    let crowd = Crowd::gather().await;
    let (silent, over) = (CancellationToken::new(), CancellationToken::new());
    let speaking = crowd
        .people
        .iter()
        .enumerate()
        .map(|(number, who)| tokio::spawn(bustle(who.clone(), crowd.streams[number % 2].clone(), silent.clone())));
    let speaking: Vec<_> = speaking.collect();
    let reading = crowd
        .people
        .iter()
        .take(4)
        .enumerate()
        .map(|(number, who)| tokio::spawn(follow(who.clone(), crowd.streams[number % 2].clone(), over.clone())));
    let reading: Vec<_> = reading.collect();
    tokio::time::sleep(time()).await;
    silent.cancel();
    let said: usize = join_all(speaking).await.into_iter().map(Result::unwrap).sum();
    over.cancel();
    let read: i64 = join_all(reading).await.into_iter().map(Result::unwrap).sum();
    println!("{said} messages sent twice each, {read} entries read in order");
    assert!(said > 5 && read > 20);
    crowd.part().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn i3_whoever_was_answered_before_another_spoke_stands_before() {
    let crowd = Crowd::gather().await;
    let (moment, began) = (Arc::new(AtomicU64::new(0)), Instant::now());
    let speaking = crowd.people.iter().cloned().enumerate().map(|(sender, who)| {
        let (moment, path) = (Arc::clone(&moment), format!("/v1/streams/{}/messages", crowd.streams[0]));
        tokio::spawn(async move {
            let mut history = Vec::new();
            while began.elapsed() < time() {
                let begun = moment.fetch_add(1, Ordering::SeqCst);
                let seq = who.post(&path, message("一句")).await.ok()["seq"].as_i64().unwrap();
                history.push(Sent { sender, begun, acknowledged: moment.fetch_add(1, Ordering::SeqCst), seq });
            }
            history
        })
    });
    let speaking: Vec<_> = speaking.collect();
    let history: Vec<Sent> = join_all(speaking).await.into_iter().flat_map(Result::unwrap).collect();
    println!("{} sends of {SPEAKERS} people", history.len());
    assert!(history.len() > 30);
    assert!(out_of_order(&history).is_none(), "{:?}", out_of_order(&history));
    for sender in 0..SPEAKERS {
        let own: Vec<i64> = history.iter().filter(|sent| sent.sender == sender).map(|sent| sent.seq).collect();
        assert!(own.is_sorted(), "{own:?}");
    }
    crowd.part().await;
}
