//! A slow reader of ours, told where everything stands while more is being said and while it comes to belong to more: what
//! it knows goes on without a gap or a repeat, never back, and ends where the server stands.
use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use futures_util::{SinkExt, StreamExt, future::join_all};
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

use super::Scene;

/// Groups that the reader comes to belong to meanwhile.
const GROUPS: usize = 12;
/// Frames read at a time, with a rest in between: fewer than are said.
const SIP: usize = 10;
const REST: Duration = Duration::from_millis(100);

/// Where a reader is in each channel, by the rule of our pages: what is said of a channel that it was not subscribed to is
/// passed over, and the heartbeat is not waited for.
#[derive(Default)]
struct Reader {
    at: BTreeMap<String, i64>,
    resyncs: usize,
}

impl Reader {
    fn take(&mut self, line: &str) {
        let frame: Value = serde_json::from_str(line).unwrap();
        let (push, data) = (&frame["push"], &frame["push"]["message"]["data"]);
        let channel = push["channel"].as_str().unwrap_or_default();
        if let Some(subs) = frame["connect"]["subs"].as_object() {
            let at = |sub: &Value| sub["offset"].as_i64().unwrap_or_default();
            self.at = subs.iter().map(|(channel, sub)| (channel.clone(), at(sub))).collect();
        } else if let Some(offset) = push["pub"]["offset"].as_i64() {
            let at = self.at.get_mut(channel).unwrap_or_else(|| panic!("{channel} was never subscribed"));
            assert_eq!(offset, *at + 1, "{channel}: what comes follows on what was known");
            *at = offset;
        } else if push["subscribe"].is_object() {
            self.at.insert(channel.to_owned(), push["subscribe"]["offset"].as_i64().unwrap_or_default());
        } else if data["k"] == "resync" {
            self.resyncs += 1;
            for (channel, head) in data["heads"].as_object().unwrap() {
                let Some(at) = self.at.get_mut(channel) else { continue };
                let told = head[1].as_i64().unwrap();
                assert!(told >= *at, "{channel}: {told} is told, {at} was known");
                *at = told;
            }
        }
    }

    /// So many frames, or none within a moment.
    async fn sip(&mut self, socket: &mut WebSocketStream<TcpStream>, frames: usize) {
        for _ in 0..frames {
            let Ok(next) = tokio::time::timeout(Duration::from_millis(200), socket.next()).await else { return };
            match next {
                Some(Ok(Message::Text(text))) => {
                    for line in text.as_str().split('\n').filter(|line| !line.is_empty()) {
                        if line == "{}" {
                            socket.send(Message::text("{}")).await.unwrap();
                        }
                        self.take(line);
                    }
                }
                Some(Ok(Message::Close(frame))) => panic!("sent away: {frame:?}"),
                Some(Ok(_)) => {}
                other => panic!("gone: {other:?}"),
            }
        }
    }

    /// Channels of the person's list that stand elsewhere.
    async fn behind(&self, scene: &Scene) -> Vec<String> {
        let list = scene.villager.get("/v1/sync").await.ok();
        let rows = list["streams"].as_array().unwrap().iter();
        let stands = |row: &Value| (format!("s:{}", row["id"].as_str().unwrap()), row["last_seq"].as_i64().unwrap());
        let differs = |(channel, seq): &(String, i64)| self.at.get(channel) != Some(seq);
        let shown = |(channel, seq): (String, i64)| format!("{channel} {:?} of {seq}", self.at.get(&channel));
        rows.map(stands).filter(differs).map(shown).collect()
    }
}

/// The reader is brought into groups in which something is said at once.
async fn bring_together(scene: &Scene) {
    for number in 0..GROUPS {
        let group = json!({ "body_id": scene.village.committee, "title": format!("第{number}组"),
            "people": [scene.villager.person] });
        let opened = scene.village.chair.post("/v1/groups", group).await.ok();
        let stream = opened["stream_id"].as_str().unwrap().parse().unwrap();
        let said = (0..4).map(|_| scene.say_in(stream, &scene.village.chair, "大家好"));
        join_all(said).await;
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_said_while_a_slow_reader_is_told_where_all_stands_is_not_lost_to_it() {
    let scene = Scene::set().await;
    let tcp = TcpSocket::new_v4().unwrap();
    tcp.set_recv_buffer_size(4096).unwrap();
    let tcp = tcp.connect(scene.app.address).await.unwrap();
    let url = format!("ws://{}/connection/websocket", scene.app.address);
    let (mut socket, _) = client_async(url, tcp).await.unwrap();
    let hello = json!({ "id": 1, "connect": { "token": scene.villager.token(), "data": { "v": 1 } } });
    socket.send(Message::text(hello.to_string())).await.unwrap();
    let (mut reader, text, is_over) = (Reader::default(), "慢".repeat(2000), AtomicBool::new(false));
    reader.sip(&mut socket, 1).await;
    assert!(reader.at.contains_key(&scene.channel), "{:?}", reader.at);

    let speaking = async {
        let began = Instant::now();
        // until it was told so twice: then what was said came between
        while !is_over.load(Ordering::SeqCst) && began.elapsed() < Duration::from_secs(40) {
            join_all((0..20).map(|_| scene.say(&text))).await;
        }
    };
    let reading = async {
        let began = Instant::now();
        while reader.resyncs < 3 && began.elapsed() < Duration::from_secs(40) {
            reader.sip(&mut socket, SIP).await;
            tokio::time::sleep(REST).await;
        }
        is_over.store(true, Ordering::SeqCst);
    };
    tokio::join!(speaking, reading, bring_together(&scene));
    println!("told {} times where all stands", reader.resyncs);
    assert!(reader.resyncs > 0, "never slow enough to be told");

    let (began, mut behind) = (Instant::now(), vec![String::new()]);
    while !behind.is_empty() {
        assert!(began.elapsed() < Duration::from_secs(30), "{behind:?}");
        reader.sip(&mut socket, 200).await;
        behind = reader.behind(&scene).await;
    }
    assert!(reader.at.len() > GROUPS, "{:?}", reader.at);
    scene.app.stop().await;
}
