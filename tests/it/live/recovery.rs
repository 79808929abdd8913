//! What was missed, when it is much: a recovery is bounded in bytes, and the socket stays well whatever was asked for.
use std::collections::HashSet;

use liusheng::{ids::StreamId, streams::queries};
use serde_json::{Value, json};

use super::{Scene, Socket};

fn missed(scene: &Scene, epoch: &str, offset: i64) -> Value {
    json!({ &scene.channel: { "recover": true, "epoch": epoch, "offset": offset } })
}

/// 300 messages of 2,000 characters are 1.8 MB: more than is put into one frame, and no reason to be sent away for ever.
#[tokio::test]
async fn f1_a_recovery_that_is_too_large_is_fetched_over_rest() {
    let scene = Scene::set().await;
    let socket = scene.listen(&scene.villager).await;
    let (epoch, _) = scene.position(&socket);
    let text = "长".repeat(2000);
    for _ in 0..300 {
        scene.say(&text).await;
    }
    let mut back = scene.listen_from(&scene.villager, missed(&scene, &epoch, 0)).await;
    let sub = &back.connected["subs"][&scene.channel];
    assert_eq!((&sub["was_recovering"], sub["recovered"] == true, &sub["offset"]), (&json!(true), false, &json!(300)));
    assert_eq!(back.offsets(&scene.channel), Vec::<i64>::new());
    // the last 30 are 180 kB: these are handed along
    let mut near = scene.listen_from(&scene.villager, missed(&scene, &epoch, 270)).await;
    assert_eq!(near.connected["subs"][&scene.channel]["recovered"], true);
    assert_eq!(near.offsets(&scene.channel), (271..=300).collect::<Vec<_>>());
    // everything else is read over the same socket, in an answer of 600 kB, and the socket goes on
    let page = back.rpc("entries", json!({ "stream_id": scene.stream, "after": 0, "limit": 100 })).await;
    let entries = page["rpc"]["data"]["entries"].as_array().or(page["rpc"]["data"].as_array()).map_or(0, Vec::len);
    assert!(entries >= 50, "{entries}: {}", &page.to_string()[..200]);
    let next = scene.say("后").await;
    back.until_offset(&scene.channel, next).await;
    near.until_offset(&scene.channel, next).await;
    assert_eq!(back.closed, None);
    scene.app.stop().await;
}

/// Once the room of the answer is used, nothing more is read for it; a stream of a few words has its place before.
#[tokio::test]
async fn what_has_no_room_in_an_answer_is_not_read_for_it() {
    let scene = Scene::set().await;
    let chair = &scene.village.chair;
    let mut missed = serde_json::Map::new();
    for title in ["修桥小组", "修路小组", "修渠小组"] {
        let group = json!({ "body_id": scene.village.committee, "title": title, "people": [scene.villager.person, scene.clerk.person] });
        let id = chair.post("/v1/groups", group).await.ok()["stream_id"].as_str().unwrap().to_owned();
        let channel = format!("s:{id}");
        let text = "长".repeat(2000);
        for _ in 0..50 {
            scene.say_in(id.parse().unwrap(), chair, &text).await;
        }
        let socket = scene.listen(&scene.villager).await;
        let epoch = socket.connected["subs"][&channel]["epoch"].as_str().unwrap().to_owned();
        missed.insert(channel, json!({ "recover": true, "epoch": epoch, "offset": 0 }));
    }
    scene.app.settle().await;
    let newest = scene.say("只有一句").await;
    let socket = scene.listen(&scene.villager).await;
    let (epoch, _) = scene.position(&socket);
    let short = (scene.channel.clone(), json!({ "recover": true, "epoch": epoch, "offset": newest - 1 }));
    let with = |count| missed.clone().into_iter().take(count).chain([short.clone()]).collect::<serde_json::Map<_, _>>();
    let mut least = [u64::MAX; 2];
    for _ in 0..3 {
        for (least, count) in least.iter_mut().zip([1, 3]) {
            // what is asked for again within a second is kept, and counted otherwise
            tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
            let before = scene.app.app.store.statements().0;
            let back = scene.listen_from(&scene.villager, Value::Object(with(count))).await;
            *least = (*least).min(scene.app.app.store.statements().0 - before);
            for channel in missed.keys() {
                assert!(back.connected["subs"][channel]["recovered"] != true, "{channel}");
            }
            assert_eq!(back.connected["subs"][&scene.channel]["recovered"], true, "of a few words");
        }
    }
    let [one, three] = least;
    assert!(three <= one, "{three} statements for three that have no room, {one} for one");
    scene.app.stop().await;
}

/// The answer to `connect` says where every stream stands, with what counts as unread.
#[tokio::test]
async fn connect_says_where_every_stream_stands() {
    let scene = Scene::set().await;
    scene.say("一").await;
    scene.say("二").await;
    let own = scene.listen(&scene.villager).await;
    let list = scene.villager.get("/v1/sync").await.ok();
    let streams = list["streams"].as_array().unwrap();
    let heads = own.connected["data"]["heads"].as_object().unwrap();
    // and the channels of the town and the county, which are not listed before something is said there
    assert_eq!(heads.len(), streams.len() + 2);
    for stream in streams {
        let head = &heads[&format!("s:{}", stream["id"].as_str().unwrap())];
        assert_eq!(head, &json!([stream["epoch"], stream["last_seq"], stream["last_no"]]), "{stream}");
    }
    assert_eq!(own.connected["ping"], 25);
    // and the server asks the database each second which of them stand elsewhere, or are gone
    let (db, id) = (scene.app.app.store.read(), scene.stream);
    let (seq, epoch) = queries::heads(db, vec![id]).await.unwrap()[&id];
    let gone = StreamId::new();
    for (known, moved) in [
        ([(id, seq, epoch), (gone, 1, 1)], vec![gone]),
        ([(id, seq - 1, epoch), (gone, 1, 1)], vec![id, gone]),
        ([(gone, 1, 1), (id, seq, epoch + 1)], vec![gone, id]),
    ] {
        assert_eq!(queries::moved(db, known.to_vec()).await.unwrap(), moved.into_iter().collect::<HashSet<_>>());
    }
    assert!(queries::moved(db, vec![(id, seq, epoch)]).await.unwrap().is_empty());
    scene.app.stop().await;
}

/// What the Centrifuge protocol has and we do not offer is refused by its own number, and the socket goes on.
#[tokio::test]
async fn what_is_not_offered_is_refused_with_108() {
    let scene = Scene::set().await;
    let mut socket = scene.listen(&scene.villager).await;
    let asked = json!({ "channel": scene.channel, "data": {} });
    for name in ["publish", "presence", "presence_stats", "history", "sub_refresh"] {
        let answer = socket.command(name, asked.clone()).await;
        assert_eq!(answer["error"]["code"], 108, "{name}: {answer}");
    }
    assert_eq!(socket.command("ping", json!({})).await["error"], Value::Null);
    let newest = scene.say("照样听得到").await;
    socket.until_offset(&scene.channel, newest).await;
    scene.app.stop().await;
}

/// A call that takes long holds up neither frames nor pings of its own socket (F7), and calls are answered in order.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f7_a_slow_call_holds_up_nothing_else_on_its_socket() {
    let scene = Scene::set().await;
    let mut socket = scene.listen(&scene.clerk).await;
    let (stream, id) = (scene.stream, uuid::Uuid::now_v7());
    // somebody holds the writer for two seconds
    let store = scene.app.app.store.clone();
    let (held, is_held) = tokio::sync::oneshot::channel();
    let holding = tokio::spawn(async move {
        let unit = store.write(move |_| {
            Box::pin(async move {
                held.send(()).ok();
                tokio::time::sleep(std::time::Duration::from_secs(4)).await;
                Ok(())
            })
        });
        unit.await.unwrap();
    });
    is_held.await.unwrap();
    let began = std::time::Instant::now();
    let message = json!({ "stream_id": stream, "client_id": id, "text": "等一等" });
    socket.raw(&json!({ "id": 77, "rpc": { "method": "msg.send", "data": message } }).to_string()).await;
    socket.until_pong(b"there?").await;
    assert!(began.elapsed() < std::time::Duration::from_secs(3), "{:?}", began.elapsed());
    // twenty at once are allowed, of which sixteen wait; what is more is refused at once
    let many: Vec<String> =
        (100..118).map(|id| json!({ "id": id, "rpc": { "method": "sync", "data": {} } }).to_string()).collect();
    if std::env::var_os("LSTEST_DATABASE_URL").is_none() {
        socket.raw(&many.join("\n")).await;
        assert_eq!(socket.reply(117).await["error"]["code"], 111);
        assert!(began.elapsed() < std::time::Duration::from_secs(3), "{:?}", began.elapsed());
    }
    holding.await.unwrap();
    assert_eq!(socket.reply(77).await["rpc"]["data"]["dup"], false);
    assert_eq!(socket.closed, None);
    scene.app.stop().await;
}

/// Pings, the places of the streams before each third, the end of who does not answer, all on a clock of one second.
#[tokio::test]
async fn heads_come_before_each_third_ping_and_who_is_silent_is_closed() {
    let scene = Scene::set_with(|config| config.ping_secs = 1).await;
    let newest = scene.say("一句").await;
    let mut socket = scene.listen(&scene.villager).await;
    assert_eq!(socket.connected["ping"], 1);
    let began = std::time::Instant::now();
    let heads = socket.until_message("heads").await;
    assert!(began.elapsed() < std::time::Duration::from_secs(6), "{:?}", began.elapsed());
    assert_eq!(heads["heads"][&scene.channel][1], newest, "{heads}");
    let mut dead = scene.listen(&scene.villager).await;
    dead.is_dead = true;
    let began = std::time::Instant::now();
    assert_eq!(dead.until_closed().await, 3012);
    assert!(began.elapsed() < std::time::Duration::from_secs(15), "{:?}", began.elapsed());
    // an access token that ran out ends the socket for now, so that the client comes back with a fresh one
    let mut socket = scene.listen(&scene.villager).await;
    scene.app.clock.advance(chrono::TimeDelta::minutes(16));
    assert_eq!(socket.until_closed().await, 3005);
    scene.app.stop().await;
}

/// A client hands in another token before the one that it has ends. Its own: with somebody else's nothing goes on.
#[tokio::test]
async fn a_socket_lasts_as_long_as_the_newest_token_of_its_log_in() {
    let scene = Scene::set_with(|config| config.ping_secs = 1).await;
    let other = scene.village.villager(&scene.app, "00008").await;
    let mut socket = scene.listen(&scene.villager).await;
    let lasts = |answer: &Value| {
        assert_eq!(answer["expires"], true, "{answer}");
        assert!((880..=900).contains(&answer["ttl"].as_i64().unwrap()), "{answer}");
    };
    lasts(&socket.connected);
    scene.app.clock.advance(chrono::TimeDelta::minutes(10));
    for (token, code) in [(other.token(), 101), ("rubbish".to_owned(), 109)] {
        assert_eq!(socket.command("refresh", json!({ "token": token })).await["error"]["code"], code);
    }
    lasts(&socket.command("refresh", json!({ "token": scene.villager.token() })).await["refresh"]);
    // the one with which it connected is over
    scene.app.clock.advance(chrono::TimeDelta::minutes(10));
    socket.messages.clear();
    socket.until_message("heads").await;
    scene.app.clock.advance(chrono::TimeDelta::minutes(6));
    assert_eq!(socket.until_closed().await, 3005);
    scene.app.stop().await;
}

/// What was good once is told from what never was: clients of the protocol ask for another token at 109 alone, and after a
/// code from 3500 on they never come back.
#[tokio::test]
async fn who_comes_back_with_a_token_that_ran_out_is_told_to_get_another() {
    let scene = Scene::set().await;
    let old = scene.villager.token();
    let ticket =
        scene.villager.post("/v1/login/tickets", json!(null)).await.ok()["ticket"].as_str().unwrap().to_owned();
    let other = scene.village.villager(&scene.app, "00008").await;
    let ended = other.token();
    other.post("/v1/logout", json!(null)).await.ok();
    let mut gone = Socket::connect(&scene.app, &ended, json!({})).await;
    assert_eq!((gone.until_closed().await, &gone.refused["code"]), (3500, &json!(101)), "a log-in that ended");
    scene.app.clock.advance(chrono::TimeDelta::minutes(20));
    for text in [&old, &ticket] {
        let mut late = Socket::connect(&scene.app, text, json!({})).await;
        assert_eq!(
            (late.until_closed().await, &late.refused["code"]),
            (3005, &json!(109)),
            "a client that slept is lost"
        );
        // not one that only looks as old
        let mut bent = (*text).clone();
        let last = if bent.pop() == Some('A') { 'Q' } else { 'A' };
        bent.push(last);
        let mut forged = Socket::connect(&scene.app, &bent, json!({})).await;
        assert_eq!((forged.until_closed().await, &forged.refused["code"]), (3500, &json!(101)));
    }
    let fresh = scene.listen(&scene.villager).await;
    assert!(fresh.connected.is_object());
    scene.app.stop().await;
}

/// 正在输入: to the others in a small conversation, once in three seconds, and stored nowhere.
#[tokio::test]
async fn who_writes_in_a_small_conversation_is_seen_writing() {
    let scene = Scene::set().await;
    let mut villager = scene.listen(&scene.villager).await;
    let opened = scene.villager.post("/v1/contacts", json!({})).await.ok();
    let id = opened["stream_id"].as_str().unwrap().to_owned();
    let mut clerk = scene.listen(&scene.clerk).await;
    clerk.subscribe(&format!("s:{id}"), json!({})).await;
    villager.subscribe(&format!("s:{id}"), json!({})).await;
    let word = |stream: &str| json!({ "send": { "data": { "v": 1, "k": "typing", "s": stream } } }).to_string();
    villager.raw(&word(&id)).await;
    let typing = clerk.until_message("typing").await;
    assert_eq!((&typing["s"], &typing["expires"]), (&json!(id), &json!(6)));
    let name = typing["name"].as_str().unwrap();
    assert!(name.contains('*'), "masked: {name}");
    // beside a masked name an id of this stream alone
    let listed = scene.villager.get("/v1/sync").await.ok();
    let own = listed["streams"].as_array().unwrap().iter().find(|one| one["id"] == id.as_str()).unwrap();
    let me = own["me"].clone();
    assert_eq!(typing["by"], me);
    assert_ne!(me, json!(scene.villager.person));
    // again at once: not told again. In the village's channel: never. In a stream of others: never.
    villager.raw(&word(&id)).await;
    clerk.raw(&word(&scene.stream.to_string())).await;
    villager.raw(&word("rubbish")).await;
    clerk.listen(std::time::Duration::from_millis(700)).await;
    villager.listen(std::time::Duration::from_millis(200)).await;
    assert_eq!((clerk.messages.len(), villager.messages.len()), (1, 0), "{:?}", villager.messages);
    // an office answers by its name
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    clerk.raw(&word(&id)).await;
    let typing = villager.until_message("typing").await;
    assert!(typing["name"].as_str().unwrap().contains("委员会"), "{typing}");
    let entries = scene.villager.get(&format!("/v1/streams/{id}/entries")).await.ok();
    assert!(!entries.to_string().contains("typing"), "{entries}");
    if !scene.app.folder.is_sqlite() {
        // whoever listens at another server sees it, too
        let beside = scene.app.start_beside().await;
        let mut elsewhere = Socket::connect(&beside, &scene.villager.token(), json!({})).await;
        elsewhere.subscribe(&format!("s:{id}"), json!({})).await;
        tokio::time::sleep(std::time::Duration::from_secs(3)).await;
        clerk.raw(&word(&id)).await;
        assert_eq!(elsewhere.until_message("typing").await["name"], typing["name"]);
        // of a group one server tells its own alone
        let group = json!({ "body_id": scene.village.committee, "title": "修桥小组",
            "people": [scene.villager.person, scene.clerk.person] });
        let group = scene.village.chair.post("/v1/groups", group).await.ok()["stream_id"].as_str().unwrap().to_owned();
        let mut here = scene.listen(&scene.villager).await;
        for socket in [&mut clerk, &mut here, &mut elsewhere] {
            socket.subscribe(&format!("s:{group}"), json!({})).await;
            socket.messages.clear();
        }
        tokio::time::sleep(std::time::Duration::from_secs(3)).await;
        clerk.raw(&word(&group)).await;
        assert_eq!(here.until_message("typing").await["s"], json!(group));
        elsewhere.listen(std::time::Duration::from_millis(700)).await;
        assert!(elsewhere.messages.iter().all(|data| data["k"] != "typing"), "{:?}", elsewhere.messages);
        beside.stop().await;
    }
    scene.app.stop().await;
}
