//! Whom the socket turns away, and when: rubbish, ended log-ins, strangers, lost seats, phones that never read.
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpSocket;
use tokio_tungstenite::{client_async, tungstenite::Message};
use uuid::Uuid;

use super::{Scene, Socket, Somebody, answer};
use crate::support::{Raw, is_postgres, redis_url};

#[tokio::test]
async fn rubbish_closes_its_own_socket_and_nothing_else() {
    let scene = Scene::set().await;
    let mut good = scene.listen(&scene.villager).await;
    let long = format!("{{\"id\":2,\"rpc\":{{\"method\":\"{}\"}}}}", "长".repeat(30_000));
    let deep = format!("{{\"id\":2,\"send\":{}1{}}}", "[".repeat(5000), "]".repeat(5000));
    let rubbish = [
        "",
        "x",
        "[]",
        "null",
        "7",
        "\"id\"",
        "{",
        "{\"id\":-1}",
        "{\"id\":\"1\"}",
        "{\"id\":2,\"rpc\":7}",
        "{\"id\":2,\"rpc\":{}}",
        "{\"id\":2,\"subscribe\":{\"channel\":7}}",
        "{\"id\":99999999999}",
        "{}\n{]",
        "\u{0}\u{ffff}",
        deep.as_str(),
    ];
    for text in rubbish.iter().filter(|text| !text.is_empty()) {
        // after a proper connect
        let mut socket = scene.listen(&scene.villager).await;
        socket.raw(text).await;
        assert_eq!(socket.until_closed().await, 3501, "{}", &text[..text.len().min(60)]);
        // and instead of it
        let mut socket = Socket::open(scene.app.address).await;
        socket.raw(text).await;
        assert_eq!(socket.until_closed().await, 3501, "{}", &text[..text.len().min(60)]);
    }
    // commands that mean nothing are refused and the socket goes on; what is too long ends it
    let mut socket = scene.listen(&scene.villager).await;
    assert_eq!(socket.rpc("no.such", json!({})).await["error"]["code"], 104);
    assert_eq!(socket.rpc("", json!({})).await["error"]["code"], 104);
    for channel in ["", "s:", "s:x", "$s:1", "s:00000000-0000-0000-0000-000000000000"] {
        let code = socket.subscribe(channel, json!({})).await["error"]["code"].as_u64().unwrap();
        assert!([102, 103].contains(&code), "{channel}: {code}");
    }
    assert_eq!(socket.subscribe(&scene.channel, json!({})).await["error"]["code"], 105);
    socket.raw(&long).await;
    let code = socket.until_closed().await;
    assert!([1006, 1009, 3501].contains(&code), "{code}");
    // bytes instead of text, a word before `connect`, `connect` with rubbish inside
    let mut socket = scene.listen(&scene.villager).await;
    socket.bytes(vec![0xff; 100]).await;
    assert_eq!(socket.until_closed().await, 3501);
    for first in [
        "{\"id\":1,\"rpc\":{\"method\":\"sync\"}}",
        "{}",
        "{\"id\":1,\"connect\":{\"token\":7}}",
        "{\"id\":1,\"connect\":{\"subs\":{\"s:x\":{\"offset\":\"far\"}}}}",
    ] {
        let mut socket = Socket::open(scene.app.address).await;
        socket.raw(first).await;
        assert_eq!(socket.until_closed().await, 3501, "{first}");
    }
    for token in ["", "x", "a.b.c", &"x".repeat(5000)] {
        let mut socket = Socket::connect(&scene.app, token, json!({})).await;
        assert_eq!(socket.refused["code"], 101, "{token}");
        assert_eq!(socket.until_closed().await, 3500);
    }
    // who says at once how far fifty conversations were read is answered fifty times, and may ask again
    let mut eager = scene.listen(&scene.villager).await;
    let many: Vec<String> =
        (100..150).map(|id| json!({ "id": id, "rpc": { "method": "sync", "data": {} } }).to_string()).collect();
    eager.raw(&many.join("\n")).await;
    let mut refused = 0;
    for id in 100..150 {
        let answer = eager.reply(id).await;
        if let Some(error) = answer.get("error") {
            assert_eq!((&error["code"], &error["temporary"]), (&json!(111), &json!(true)), "{answer}");
            refused += 1;
        }
    }
    assert!((20..50).contains(&refused), "{refused}");
    assert_eq!(eager.closed, None);
    // whoever asks a hundred times at once is asked to come back
    let mut greedy = scene.listen(&scene.villager).await;
    let many: Vec<String> =
        (2..200).map(|id| json!({ "id": id, "rpc": { "method": "sync", "data": {} } }).to_string()).collect();
    greedy.raw(&many.join("\n")).await;
    assert_eq!(greedy.until_closed().await, 3013);

    // what needs no answer costs something, too: pongs, one-way words and empty lines by the hundred
    for flood in ["{}\n".repeat(400), "{\"id\":0,\"ping\":{}}\n".repeat(400)] {
        let mut idle = scene.listen(&scene.villager).await;
        idle.raw(&flood).await;
        assert_eq!(idle.until_closed().await, 3013, "{}", &flood[..20]);
    }
    let mut empty = scene.listen(&scene.villager).await;
    for _ in 0..10 {
        empty.raw("\n").await;
    }
    empty.until_pong(b"still here").await;
    assert_eq!(empty.closed, None, "a few do no harm");

    let newest = scene.say("别人不受影响").await;
    good.until_offset(&scene.channel, newest).await;
    assert_eq!(good.closed, None);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_out_closes_the_socket_and_its_token_is_dead() {
    let scene = Scene::set().await;
    let again = Somebody::signed_in(&scene.app, scene.villager.person).await;
    let mut socket = scene.listen(&scene.villager).await;
    let mut other = scene.listen(&again).await;
    // a socket of the same log-in at another server, where there is one
    let what = "a log-out at another server";
    let is_one = !is_postgres(what) || redis_url(what).is_none();
    let beside = if is_one { None } else { Some(scene.app.start_beside().await) };
    let mut elsewhere = match &beside {
        Some(beside) => Some(Socket::connect(beside, &scene.villager.token(), json!({})).await),
        None => None,
    };
    scene.villager.post("/v1/logout", json!(null)).await.ok();
    let asked = Instant::now();
    assert_eq!(socket.until_closed().await, 3500);
    if let Some(elsewhere) = &mut elsewhere {
        assert_eq!(elsewhere.until_closed().await, 3500);
    }
    assert!(asked.elapsed() < Duration::from_secs(5), "closed after {:?}", asked.elapsed());
    let mut dead = scene.listen(&scene.villager).await;
    assert!(dead.connected.is_null(), "{}", dead.connected);
    assert_eq!(dead.until_closed().await, 3500);
    assert_eq!(scene.villager.get("/v1/sync").await.refused(), "session_ended");
    // the other phone of the same person is another log-in
    let newest = scene.say("还在").await;
    other.until_offset(&scene.channel, newest).await;
    again.post("/v1/logout/everywhere", json!(null)).await.ok();
    let asked = Instant::now();
    assert_eq!(other.until_closed().await, 3500);
    assert!(asked.elapsed() < Duration::from_secs(5), "closed after {:?}", asked.elapsed());
    if let Some(beside) = beside {
        beside.stop().await;
    }
    scene.app.stop().await;
}

#[tokio::test]
async fn strangers_of_another_village_hear_nothing_of_ours() {
    let scene = Scene::set().await;
    let stranger = scene.village.neighbour(&scene.app).await;
    let mut socket = scene.listen(&stranger).await;
    let mut neighbour = scene.listen(&scene.villager).await;
    let voice = json!({ "kind": "complaint", "visibility": "handlers", "text": "只给村委会看的话", "place": "" });
    let voice = scene.villager.post("/v1/suggestions", voice).await.ok();
    let matter = json!({ "area_code": scene.village.area, "title": "修桥", "summary": "村口的桥要修一修。" });
    let matter = scene.village.chair.post("/v1/matters", matter).await.ok();
    scene.app.settle().await;
    let own = scene.villager.get("/v1/sync").await.ok();
    let mut ours: Vec<String> =
        own["streams"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect();
    ours.push(voice["stream_id"].as_str().unwrap().to_owned());
    let discussion = scene.village.discussion(&scene.app, matter["id"].as_str().unwrap()).await;
    ours.push(discussion.to_string());
    let office = scene.clerk.get("/v1/sync").await.ok();
    ours.extend(office["streams"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()));
    // what the whole town or county hears is theirs, too
    let shared = stranger.get("/v1/sync").await.ok();
    let shared: Vec<&str> =
        shared["streams"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
    ours.retain(|id| !shared.contains(&id.as_str()));
    ours.sort();
    ours.dedup();
    assert!(ours.len() >= 4, "{ours:?}");
    let position = json!({ "recover": true, "epoch": "0", "offset": 0 });
    for (number, id) in ours.iter().enumerate() {
        if number % 8 == 7 {
            // ten commands a second are allowed
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        let answer = socket.subscribe(&format!("s:{id}"), position.clone()).await;
        assert_eq!(answer["error"]["code"], 103, "{id}: {answer}");
        assert_eq!(stranger.get(&format!("/v1/streams/{id}/entries")).await.status, 404, "{id}");
        let message = json!({ "client_id": Uuid::now_v7(), "text": "我也说一句" });
        assert_eq!(stranger.post(&format!("/v1/streams/{id}/messages"), message).await.status, 404, "{id}");
    }
    // asking for them in `connect` does not help either
    let subs: serde_json::Map<String, Value> = ours.iter().map(|id| (format!("s:{id}"), position.clone())).collect();
    let sly = scene.listen_from(&stranger, Value::Object(subs)).await;
    for id in &ours {
        assert!(sly.connected["subs"][format!("s:{id}")].is_null(), "{id}");
    }
    // the neighbour across the yard does not hear what is for the committee only
    let thread = format!("s:{}", voice["stream_id"].as_str().unwrap());
    let mut curious = scene.listen(&scene.village.villager(&scene.app, "00010").await).await;
    assert_eq!(curious.subscribe(&thread, json!({})).await["error"]["code"], 103);
    let newest = scene.say("村里人听得到").await;
    neighbour.until_offset(&scene.channel, newest).await;
    socket.listen(Duration::from_millis(500)).await;
    let heard: Vec<&String> =
        socket.entries.keys().filter(|channel| ours.iter().any(|id| channel.ends_with(id.as_str()))).collect();
    assert!(heard.is_empty(), "{heard:?}");
    scene.app.stop().await;
}

/// A seat that ends takes its rights along, also those of an open socket.
#[tokio::test]
async fn whose_seat_ends_loses_the_office_at_once() {
    let scene = Scene::set().await;
    let mut socket = scene.listen(&scene.clerk).await;
    scene.village.end_seat_of(&scene.app, scene.clerk.person).await;
    // told to come back at once, and then without the office
    assert_eq!(socket.until_closed().await, 3011);
    let again = scene.listen(&scene.clerk).await;
    let list = scene.clerk.get("/v1/sync").await.ok();
    assert!(list["streams"].as_array().unwrap().iter().all(|one| one["kind"] != "office"), "{list}");
    // what is listed, and the silent channels of the town and the county
    assert_eq!(again.connected["subs"].as_object().unwrap().len(), list["streams"].as_array().unwrap().len() + 2);
    let message = json!({ "client_id": Uuid::now_v7(), "text": "已经卸任" });
    let refused = scene.clerk.post(&format!("/v1/streams/{}/messages", scene.stream), message).await;
    assert_eq!(refused.refused(), "not_allowed");
    scene.app.stop().await;
}

/// Connects, reads the answer, and never reads again.
async fn deaf(scene: &Scene) -> tokio_tungstenite::WebSocketStream<tokio::net::TcpStream> {
    let tcp = TcpSocket::new_v4().unwrap();
    tcp.set_recv_buffer_size(4096).unwrap();
    let tcp = tcp.connect(scene.app.address).await.unwrap();
    let url = format!("ws://{}/connection/websocket", scene.app.address);
    let (mut socket, _) = client_async(url, tcp).await.unwrap();
    let hello = json!({ "id": 1, "connect": { "token": scene.villager.token() } });
    socket.send(Message::text(hello.to_string())).await.unwrap();
    let answer = socket.next().await.unwrap().unwrap();
    assert!(answer.to_text().unwrap().contains(&scene.channel));
    socket
}

/// Phones that never read cost a bounded queue and then their connection; all others hear everything.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn i10_who_never_reads_is_closed_and_others_hear_everything() {
    let scene = Scene::set().await;
    let mut good = scene.listen(&scene.village.chair).await;
    let before = scene.app.connected();
    let mut deaf_ones = Vec::new();
    for _ in 0..5 {
        deaf_ones.push(deaf(&scene).await);
    }
    assert_eq!(scene.app.connected(), before + 5);
    // kernel buffers of both sides, then a queue of 256: a message has six kilobytes
    let text = "慢".repeat(2000);
    let began = Instant::now();
    let mut newest = 0;
    while scene.app.connected() > before && began.elapsed() < Duration::from_secs(45) {
        for _ in 0..50 {
            newest = scene.say(&text).await;
        }
        good.until_offset(&scene.channel, newest).await;
    }
    assert_eq!(scene.app.connected(), before, "after {newest} messages the deaf ones are still connected");
    assert_eq!(good.offsets(&scene.channel), (1..=newest).collect::<Vec<_>>());
    assert_eq!(good.closed, None);
    // what the kernel holds is all they ever get: far less than what was said
    let mut got = 0;
    let mut deaf = deaf_ones.remove(0);
    while let Ok(Some(Ok(Message::Text(text)))) = tokio::time::timeout(Duration::from_secs(2), deaf.next()).await {
        got += text.as_str().matches("\"offset\"").count();
    }
    assert!((got as i64) < newest, "{got} of {newest}");
    scene.app.stop().await;
}

/// Who is taken out of a group hears no more of it, though a call of theirs is not answered yet, and others wait behind it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_taken_out_hears_no_more_while_a_call_of_theirs_takes_long() {
    if !is_postgres("live: a call that waits for a table") {
        return;
    }
    // whatever else looks at that table waits, too
    let scene = Scene::set_with(|config| config.database_readers = 8).await;
    let (chair, out) = (&scene.village.chair, &scene.villager);
    let group = json!({ "body_id": scene.village.committee, "title": "修桥小组", "people": [out.person] });
    let stream = chair.post("/v1/groups", group).await.ok()["stream_id"].as_str().unwrap().to_owned();
    let mut socket = scene.listen(out).await;
    let raw = Raw::open(scene.app.folder.path()).await;
    let held = raw.held("quiet_hours").await;
    socket.raw(&json!({ "id": 77, "rpc": { "method": "my_quiet_hours" } }).to_string()).await;
    socket.until_pong(b"there?").await;
    let member = format!("/v1/groups/{stream}/members/{}", out.person);
    let began = Instant::now();
    answer(chair.request(Method::DELETE, &member)).await.ok();
    socket.until_unsubscribed(&format!("s:{stream}")).await;
    // readers wait two seconds for a table
    assert!(began.elapsed() < Duration::from_millis(1500), "{:?}", began.elapsed());
    held.rollback().await.unwrap();
    assert!(!socket.reply(77).await.is_null(), "the call is answered all the same");
    raw.close().await;
    scene.app.stop().await;
}
