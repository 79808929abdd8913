//! Who reads slowly: our own client is told in one frame what it missed and goes on; another one comes back and recovers.
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt, future::join_all};
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

use super::Scene;
use crate::support::Somebody;

/// The villager, connected with the smallest of buffers; `data` is what the client says of itself.
async fn hard_of_hearing(scene: &Scene, data: Value) -> WebSocketStream<TcpStream> {
    hard_of_hearing_as(scene, &scene.villager, data).await
}

async fn hard_of_hearing_as(scene: &Scene, who: &Somebody, data: Value) -> WebSocketStream<TcpStream> {
    let tcp = TcpSocket::new_v4().unwrap();
    tcp.set_recv_buffer_size(4096).unwrap();
    connected(scene, who, (tcp, data)).await
}

async fn connected(scene: &Scene, who: &Somebody, (tcp, data): (TcpSocket, Value)) -> WebSocketStream<TcpStream> {
    let tcp = tcp.connect(scene.app.address).await.unwrap();
    let url = format!("ws://{}/connection/websocket", scene.app.address);
    let (mut socket, _) = client_async(url, tcp).await.unwrap();
    let hello = json!({ "id": 1, "connect": { "token": who.token(), "data": data } });
    socket.send(Message::text(hello.to_string())).await.unwrap();
    let answer = socket.next().await.unwrap().unwrap();
    assert!(answer.to_text().unwrap().contains(&scene.channel));
    socket
}

/// What came on the channel, the frames that say where it stands, and the code with which it was closed.
#[derive(Default)]
struct Heard {
    offsets: Vec<i64>,
    /// How many offsets had come before the first such frame.
    before: usize,
    resyncs: Vec<Value>,
    closed: Option<u16>,
}

/// Reads until an offset has come, by an entry or by a frame that says where the channel stands, or the server closes.
async fn hear(socket: &mut WebSocketStream<TcpStream>, channel: &str, until: i64, heard: &mut Heard) {
    let hearing = async {
        while let Some(Ok(message)) = socket.next().await {
            match message {
                Message::Text(text) => {
                    for line in text.as_str().split('\n').filter(|line| *line != "{}") {
                        let frame: Value = serde_json::from_str(line).unwrap();
                        if let Some(offset) = frame["push"]["pub"]["offset"].as_i64() {
                            heard.offsets.push(offset);
                        } else if frame["push"]["message"]["data"]["k"] == "resync" {
                            if heard.resyncs.is_empty() {
                                heard.before = heard.offsets.len();
                            }
                            heard.resyncs.push(frame["push"]["message"]["data"]["heads"].clone());
                        }
                    }
                }
                Message::Close(frame) => {
                    heard.closed = frame.map(|frame| frame.code.into());
                    return;
                }
                _ => {}
            }
            let told = heard.resyncs.last().and_then(|heads| heads[channel][1].as_i64()).unwrap_or_default();
            if heard.offsets.last().copied().unwrap_or_default().max(told) >= until {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), hearing).await.expect("what was said, or a close");
}

/// Says more than buffers and a queue hold, within the time that a stuck write is given.
async fn flood(scene: &Scene) -> i64 {
    let (text, began) = ("慢".repeat(2000), Instant::now());
    let mut newest = 0;
    while newest < 600 && began.elapsed() < Duration::from_secs(8) {
        let said = join_all((0..50).map(|_| scene.say(&text))).await;
        newest = said.into_iter().fold(newest, i64::max);
    }
    newest
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn our_own_client_that_was_slow_is_told_where_everything_stands_and_stays() {
    let scene = Scene::set().await;
    let mut slow = hard_of_hearing(&scene, json!({ "v": 1 })).await;
    let newest = flood(&scene).await;
    let mut heard = Heard::default();
    hear(&mut slow, &scene.channel, newest, &mut heard).await;
    assert_eq!(heard.closed, None, "after {newest} messages");
    assert_eq!(heard.resyncs.len(), 1, "one frame in the place of all that was lost: {:?}", heard.offsets.len());
    let (told, epoch) = (&heard.resyncs[0][&scene.channel][1], &heard.resyncs[0][&scene.channel][0]);
    let stands = told.as_i64().unwrap();
    let (before, after) = heard.offsets.split_at(heard.before);
    assert!(before.iter().zip(1..).all(|(offset, n)| *offset == n), "in order, without a gap, up to what was lost");
    assert!(before.len() as i64 + 1 < stands, "{} came, {stands} is told", before.len());
    // it read while the last ones were still being told: they follow on what the frame said
    assert!(after.iter().zip(stands + 1..).all(|(offset, n)| *offset == n), "{after:?} after {stands}");

    // it fetches what it missed at its own pace, and what follows comes by itself
    let stream = scene.stream.to_string();
    let have = json!({ "have": { &stream: { "epoch": epoch, "seq": heard.before } } });
    let missed = scene.villager.post("/v1/sync", have).await.ok();
    let missed = &missed["streams"][&stream];
    let begins = missed["entries"][0]["seq"].as_i64().unwrap();
    // more than one answer takes: the newest come, and it says so
    assert!(begins == heard.before as i64 + 1 || missed["limited"] == json!(true), "{begins}");
    assert_eq!(missed["entries"].as_array().unwrap().last().unwrap()["seq"], missed["last_seq"]);
    let next = scene.say("现在听得到").await;
    let mut after = Heard::default();
    hear(&mut slow, &scene.channel, next, &mut after).await;
    assert_eq!((after.offsets.last(), after.closed), (Some(&next), None), "told {told}");
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn another_client_that_was_slow_is_sent_away_to_recover() {
    let scene = Scene::set().await;
    let mut slow = hard_of_hearing(&scene, Value::Null).await;
    let newest = flood(&scene).await;
    let mut heard = Heard::default();
    hear(&mut slow, &scene.channel, newest, &mut heard).await;
    assert_eq!((heard.closed, heard.resyncs.len()), (Some(3010), 0), "{} of {newest} came", heard.offsets.len());
    assert!(heard.offsets.iter().zip(1..).all(|(offset, n)| *offset == n));
    scene.app.stop().await;
}

/// Nothing taken for ten seconds: the connection ends, and who begins to read again is told why.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_takes_nothing_for_ten_seconds_is_closed_as_slow() {
    let scene = Scene::set().await;
    let mut stuck = hard_of_hearing(&scene, json!({ "v": 1 })).await;
    assert_eq!(scene.app.connected(), 1);
    let (newest, began) = (flood(&scene).await, Instant::now());
    while scene.app.connected() > 0 {
        assert!(began.elapsed() < Duration::from_secs(15), "after {newest} messages");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut heard = Heard::default();
    hear(&mut stuck, &scene.channel, i64::MAX, &mut heard).await;
    assert_eq!(heard.closed, Some(3008), "{} of {newest} came", heard.offsets.len());
    assert!(heard.offsets.iter().zip(1..).all(|(offset, n)| *offset == n));
    scene.app.stop().await;
}

/// What has come of the answer to a call, when its beginning has; nothing is taken.
async fn beginning(socket: &WebSocketStream<TcpStream>) -> String {
    let came = async {
        loop {
            let mut bytes = [0; 512];
            let count = socket.get_ref().peek(&mut bytes).await.unwrap();
            let text = String::from_utf8_lossy(&bytes[..count]).into_owned();
            if ["\"rpc\"", "\"error\""].iter().any(|word| text.contains(word)) {
                return text;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), came).await.expect("an answer")
}

/// What a call for it answers is of 800 kilobytes: the room has a place for forty.
async fn much(scene: &Scene) -> Value {
    let text = "𠮷".repeat(2000);
    join_all((0..100).map(|_| scene.say(&text))).await;
    json!({ "stream_id": scene.stream, "after": 0, "limit": 100 })
}

/// Asks on each of these and takes nothing: how many answers are kept for them, and what the others were told.
async fn asked_of_all(slow: &mut [WebSocketStream<TcpStream>], all: &Value) -> (usize, Vec<String>) {
    let asked = json!({ "id": 2, "rpc": { "method": "entries", "data": all } }).to_string();
    for socket in slow.iter_mut() {
        socket.send(Message::text(asked.clone())).await.unwrap();
    }
    let answers = join_all(slow.iter().map(beginning)).await;
    let (kept, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|text| text.contains("\"rpc\""));
    (kept.len(), refused)
}

/// Whoever asks on many sockets for much, and takes nothing of it: all of them together are kept so much and no more.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn long_answers_that_nobody_takes_have_one_room_together() {
    let scene = Scene::set().await;
    let all = much(&scene).await;
    let mut slow = Vec::new();
    for who in [&scene.villager, &scene.clerk, &scene.village.chair] {
        for _ in 0..20 {
            slow.push(hard_of_hearing_as(&scene, who, Value::Null).await);
        }
    }
    let (kept, refused) = asked_of_all(&mut slow, &all).await;
    assert!(!refused.is_empty(), "all of {kept} are kept");
    assert!((20..=40).contains(&kept), "{kept} of 60");
    assert!(refused.iter().all(|text| text.contains("\"busy\"") && text.contains("1503")), "{refused:?}");
    // who has gone leaves the room to others
    drop(slow);
    let (mut good, began) = (scene.listen(&scene.villager).await, Instant::now());
    loop {
        let answer = good.rpc("entries", all.clone()).await;
        if answer["rpc"]["data"]["entries"].as_array().is_some_and(|entries| entries.len() == 100) {
            break;
        }
        assert_eq!(answer["error"]["message"], "busy", "{answer}");
        assert!(began.elapsed() < Duration::from_secs(15), "the room is not given back");
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    scene.app.stop().await;
}

/// One person on many sockets has as much of the room as is left, and no more: others are answered.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_person_who_takes_nothing_leaves_room_for_others() {
    let scene = Scene::set().await;
    let all = much(&scene).await;
    let mut slow = Vec::new();
    for _ in 0..45 {
        slow.push(hard_of_hearing(&scene, Value::Null).await);
    }
    let (kept, refused) = asked_of_all(&mut slow, &all).await;
    assert!(kept >= 10, "{kept} of 45, {refused:?}");
    let answer = scene.listen(&scene.village.chair).await.rpc("entries", all).await;
    let entries = answer["rpc"]["data"]["entries"].as_array().map(Vec::len);
    assert_eq!(entries, Some(100), "one person left no room for others: {}", answer["error"]);
    scene.app.stop().await;
}

/// The next that is no ping.
async fn next(socket: &mut WebSocketStream<TcpStream>) -> String {
    loop {
        let frame = socket.next().await.unwrap().unwrap();
        if frame.to_text().unwrap() != "{}" {
            return frame.to_text().unwrap().to_owned();
        }
    }
}

/// Who writes just now is not told to somebody for whom much waits: it would pile up for as long as they take little.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_takes_little_is_not_told_who_writes() {
    let scene = Scene::set().await;
    let all = much(&scene).await;
    let opened = scene.villager.post("/v1/contacts", json!({})).await.ok();
    let channel = format!("s:{}", opened["stream_id"].as_str().unwrap());
    let word = json!({ "send": { "data": { "v": 1, "k": "typing", "s": channel } } }).to_string();
    let (mut clerk, mut quick) = (scene.listen(&scene.clerk).await, scene.listen(&scene.villager).await);
    clerk.subscribe(&channel, json!({})).await;
    quick.subscribe(&channel, json!({})).await;
    let mut slow = connected(&scene, &scene.villager, (TcpSocket::new_v4().unwrap(), Value::Null)).await;
    slow.send(Message::text(json!({ "id": 2, "subscribe": { "channel": channel } }).to_string())).await.unwrap();
    next(&mut slow).await;
    let asked = json!({ "id": 3, "rpc": { "method": "entries", "data": all } });
    slow.send(Message::text(asked.to_string())).await.unwrap();
    assert!(beginning(&slow).await.contains("\"rpc\""));
    clerk.raw(&word).await;
    quick.until_message("typing").await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let answer = tokio::time::timeout(Duration::from_secs(8), next(&mut slow)).await.expect("the answer");
    assert!(answer.len() > 500_000, "all of it waited");
    let more = tokio::time::timeout(Duration::from_secs(1), next(&mut slow)).await;
    assert!(more.is_err(), "told who writes while much waited: {more:?}");
    // and again when nothing waits
    tokio::time::sleep(Duration::from_secs(3)).await;
    clerk.raw(&word).await;
    let told = tokio::time::timeout(Duration::from_secs(8), next(&mut slow)).await.expect("who writes");
    assert!(told.contains("typing"), "{told}");
    scene.app.stop().await;
}
