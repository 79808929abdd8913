//! The socket as phones use it: order, recovery, phones that come in the middle of a sentence, bells that get lost.
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use liusheng::{
    broker::Bell,
    config::Config,
    ids::StreamId,
    streams::{self, StreamKind, commands::NewStream},
};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

mod away;
mod calls;
mod clients;
mod doors;
mod drain;
mod examples;
mod recovery;
mod refusals;
mod resync;
mod slow;
mod together;

use crate::support::{READERS, Socket, Somebody, TestApp, Village, answer, is_full_run};

/// What a bell that got lost may cost, and a bit.
const LOST_BELL: Duration = Duration::from_secs(4);

/// A village with its channel, a clerk who writes there and a villager who listens.
struct Scene {
    app: TestApp,
    village: Village,
    clerk: Somebody,
    villager: Somebody,
    stream: StreamId,
    channel: String,
}

impl Scene {
    async fn set() -> Self {
        Self::set_with(|_| {}).await
    }

    /// With other settings.
    async fn set_with(change: impl FnOnce(&mut Config)) -> Self {
        let (app, village) = Village::start_with(crate::support::monday(), change).await;
        let (clerk, villager) = (village.clerk.clone(), village.villager(&app, "00007").await);
        let area = village.area.clone();
        let open = app.app.store.write(move |tx| Box::pin(async move { streams::commands::channel(tx, &area).await }));
        let stream = open.await.unwrap();
        Self { app, village, clerk, villager, stream, channel: format!("s:{stream}") }
    }

    async fn say(&self, text: &str) -> i64 {
        self.say_in(self.stream, &self.clerk, text).await
    }

    async fn say_in(&self, stream: StreamId, who: &Somebody, text: &str) -> i64 {
        let message = json!({ "client_id": Uuid::now_v7(), "text": text });
        who.post(&format!("/v1/streams/{stream}/messages"), message).await.ok()["seq"].as_i64().unwrap()
    }

    async fn listen(&self, who: &Somebody) -> Socket {
        self.listen_from(who, json!({})).await
    }

    async fn listen_from(&self, who: &Somebody, subs: Value) -> Socket {
        Socket::connect(&self.app, &who.token(), subs).await
    }

    /// Epoch and offset of our channel, as the answer to `connect` says.
    fn position(&self, socket: &Socket) -> (String, i64) {
        let sub = &socket.connected["subs"][&self.channel];
        (sub["epoch"].as_str().unwrap().to_owned(), sub["offset"].as_i64().unwrap())
    }
}

fn texts(socket: &Socket, channel: &str) -> Vec<String> {
    let came = socket.entries.get(channel).into_iter().flatten();
    came.map(|entry| entry["data"]["body"]["text"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn two_sockets_get_every_message_in_order() {
    let scene = Scene::set().await;
    let mut one = scene.listen(&scene.villager).await;
    let mut other = scene.listen(&scene.village.chair).await;
    let mut newest = 0;
    for number in 0..30 {
        newest = scene.say(&format!("第{number}句")).await;
    }
    for socket in [&mut one, &mut other] {
        socket.until_offset(&scene.channel, newest).await;
        assert_eq!(socket.offsets(&scene.channel), (1..=newest).collect::<Vec<_>>());
        assert_eq!(texts(socket, &scene.channel)[29], "第29句");
        let entry = &socket.entries[&scene.channel][0];
        assert_eq!(entry["data"]["seq"], entry["offset"]);
        assert!(
            entry["data"]["sender"]["body_name"].is_string(),
            "who speaks in a seat is named with the body: {entry}"
        );
    }
    scene.app.stop().await;
}

#[tokio::test]
async fn who_comes_back_gets_exactly_what_was_missed() {
    let scene = Scene::set().await;
    let mut socket = scene.listen(&scene.villager).await;
    let (epoch, _) = scene.position(&socket);
    for number in 0..3 {
        scene.say(&format!("在线{number}")).await;
    }
    socket.until_offset(&scene.channel, 3).await;
    socket.vanish();
    for number in 0..5 {
        scene.say(&format!("离线{number}")).await;
    }
    let at =
        |epoch: &str, offset: i64| json!({ &scene.channel: { "recover": true, "epoch": epoch, "offset": offset } });
    let back = scene.listen_from(&scene.villager, at(&epoch, 3)).await;
    let sub = &back.connected["subs"][&scene.channel];
    assert_eq!(
        (&sub["recovered"], &sub["was_recovering"], &sub["offset"]),
        (&json!(true), &json!(true), &json!(8)),
        "{sub}"
    );
    assert_eq!(back.offsets(&scene.channel), [4, 5, 6, 7, 8]);
    back.vanish();

    // nothing missed is recovered, too
    let same = scene.listen_from(&scene.villager, at(&epoch, 8)).await;
    let sub = &same.connected["subs"][&scene.channel];
    assert_eq!((&sub["recovered"], same.offsets(&scene.channel)), (&json!(true), vec![]));

    // another epoch, a place that is not there yet, a place before the first: what the phone has is not ours
    for (epoch, offset) in [("1", 3), ("", 3), (epoch.as_str(), 9), (epoch.as_str(), -1)] {
        let foreign = scene.listen_from(&scene.villager, at(epoch, offset)).await;
        let sub = &foreign.connected["subs"][&scene.channel];
        assert_ne!(sub["recovered"], json!(true), "{epoch} {offset}: {sub}");
        assert_eq!((&sub["was_recovering"], &sub["offset"]), (&json!(true), &json!(8)), "{sub}");
        assert_eq!(foreign.offsets(&scene.channel), Vec::<i64>::new());
    }
    // from the very beginning
    let all = scene.listen_from(&scene.villager, at(&epoch, 0)).await;
    assert_eq!(all.offsets(&scene.channel), (1..=8).collect::<Vec<_>>());
    scene.app.stop().await;
}

/// Phones come while others speak: each hears everything that follows its answer to `connect`, or is sent back and gets it
/// then.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_connects_under_fire_misses_nothing() {
    let scene = Arc::new(Scene::set().await);
    let watcher = scene.listen(&scene.village.chair).await;
    let time = Duration::from_secs(if is_full_run() { 6 } else { 3 });
    let speaking = tokio::spawn({
        let scene = Arc::clone(&scene);
        async move {
            let (began, mut newest) = (Instant::now(), 0);
            while began.elapsed() < time {
                newest = scene.say("一句").await;
            }
            newest
        }
    });
    let coming = (0..4).map(|_| tokio::spawn(come_and_listen(Arc::clone(&scene), time.mul_f32(0.9))));
    let coming: Vec<_> = coming.collect();
    let mut sockets = Vec::new();
    for one in coming {
        sockets.extend(one.await.unwrap());
    }
    let newest = speaking.await.unwrap();
    assert!(sockets.len() > 20 && newest > 30, "{} sockets, {newest} messages", sockets.len());
    let (count, mut sent_back, mut wrong) = (sockets.len(), 0, Vec::new());
    for (mut socket, epoch, offset) in sockets {
        socket.hear_up_to(&scene.channel, newest, LOST_BELL).await;
        let mut offsets = socket.offsets(&scene.channel);
        if socket.closed == Some(3010) {
            sent_back += 1;
            let last = offsets.last().copied().unwrap_or(offset);
            let position = json!({ &scene.channel: { "recover": true, "epoch": epoch, "offset": last } });
            offsets.extend(scene.listen_from(&scene.villager, position).await.offsets(&scene.channel));
        }
        if offsets != (offset + 1..=newest).collect::<Vec<_>>() {
            wrong.push(format!("connected at {offset}, closed {:?}, heard {offsets:?}", socket.closed));
        }
    }
    println!("{newest} messages, {count} sockets, {sent_back} of them sent back");
    assert!(wrong.is_empty(), "{} of {count} sockets have a hole:\n{}", wrong.len(), wrong.join("\n"));
    watcher.vanish();
}

async fn come_and_listen(scene: Arc<Scene>, time: Duration) -> Vec<(Socket, String, i64)> {
    let (began, mut came) = (Instant::now(), Vec::new());
    // four of these together stay below what one log-in may hold
    while began.elapsed() < time && came.len() < 60 {
        let mut socket = scene.listen(&scene.villager).await;
        let (epoch, offset) = scene.position(&socket);
        socket.listen(Duration::from_millis(40)).await;
        came.push((socket, epoch, offset));
    }
    came
}

/// One message and then silence: no next one shows a hole. Whoever connected in that moment must have it all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_last_message_reaches_whoever_connects_in_that_moment() {
    let scene = Arc::new(Scene::set().await);
    let watcher = scene.listen(&scene.village.chair).await;
    let mut wrong = Vec::new();
    for _ in 0..if is_full_run() { 200 } else { 15 } {
        let coming = (0..40).map(|number| {
            let scene = Arc::clone(&scene);
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(number / 2)).await;
                scene.listen(&scene.villager).await
            })
        });
        let coming: Vec<_> = coming.collect();
        tokio::time::sleep(Duration::from_millis(8)).await;
        let newest = scene.say("最后一句").await;
        for one in coming {
            let mut socket = one.await.unwrap();
            let (_, offset) = scene.position(&socket);
            let heard =
                if offset < newest { socket.hear_up_to(&scene.channel, newest, LOST_BELL).await } else { Some(offset) };
            if heard != Some(newest) && socket.closed.is_none() {
                wrong.push(format!("connected at {offset}, heard {heard:?} of {newest}, and is still connected"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    watcher.vanish();
}

/// The stream that a phone belongs to since a moment ago comes by itself.
#[tokio::test]
async fn a_new_thread_reaches_the_open_socket_of_its_author() {
    let scene = Scene::set().await;
    let mut socket = scene.listen(&scene.villager).await;
    let voice = json!({ "kind": "suggestion", "visibility": "public", "text": "桥头的路灯坏了", "place": "桥头" });
    let voice = scene.villager.post("/v1/suggestions", voice).await.ok();
    let link = format!("/suggestions/{}", voice["id"].as_str().unwrap());
    let card = socket.until("card of the new thread", |data| data["body"]["link"] == json!(link)).await;
    assert_eq!(card["offset"], 1);
    let thread: StreamId = voice["stream_id"].as_str().unwrap().parse().unwrap();
    scene.say_in(thread, &scene.villager, "补充一句").await;
    socket.until("own message", |data| data["body"]["text"] == "补充一句").await;
    assert_eq!(socket.offsets(&format!("s:{thread}")), [1, 2]);
    scene.app.stop().await;
}

/// A bell that got lost in the broker costs two seconds.
#[tokio::test]
async fn a_lost_bell_is_made_good() {
    let scene = Scene::set().await;
    let mut socket = scene.listen(&scene.villager).await;
    scene.say("先").await;
    socket.until_offset(&scene.channel, 1).await;
    // an entry that nobody rang for: written past the store
    let (clock, calendar) = (scene.app.clock.clone(), scene.app.app.calendar.clone());
    let url = scene.app.folder.url();
    let opening = liusheng::store::open((&url, READERS), clock, calendar, scene.app.app.keys.clone());
    let (silent, rung) = opening.await.unwrap();
    drop(rung);
    let (person, session, _) = liusheng::people::named_by(&scene.app.app, &scene.clerk.token()).unwrap();
    let actor = liusheng::people::actor_of_session(&scene.app.app, person, session).await.unwrap();
    let (stream, client_id) = (scene.stream, Uuid::now_v7());
    let message = streams::commands::SendMessage::words(client_id, "没人敲钟".into());
    let sent = silent
        .write(move |tx| Box::pin(async move { streams::commands::send(tx, &actor.into(), (stream, message)).await }));
    sent.await.unwrap();
    let began = Instant::now();
    socket.until_offset(&scene.channel, 2).await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    // a bell for what was carried already, or for what is not there, changes nothing
    scene
        .app
        .app
        .broker
        .ring(&[Bell::Stream { id: stream, seq: 2 }, Bell::Stream { id: stream, seq: 999 }])
        .await
        .unwrap();
    scene.say("后").await;
    socket.until_offset(&scene.channel, 3).await;
    assert_eq!(socket.offsets(&scene.channel), [1, 2, 3]);
    scene.app.stop().await;
}

/// An rpc and its REST twin refuse alike.
#[tokio::test]
async fn an_rpc_answers_as_its_rest_twin_does() {
    let scene = Scene::set().await;
    let mut socket = scene.listen(&scene.villager).await;
    let message = json!({ "client_id": Uuid::now_v7(), "text": "居民不能在频道里说话" });
    let path = format!("/v1/streams/{}/messages", scene.stream);
    let refused = scene.villager.post(&path, message.clone()).await;
    assert_eq!(refused.clone().refused(), "not_allowed");
    let mut data = message;
    data["stream_id"] = json!(scene.stream);
    let answer = socket.rpc("msg.send", data).await;
    assert_eq!(answer["error"]["message"], refused.body["code"], "{answer}");
    for rubbish in
        [json!(null), json!([]), json!({ "stream_id": 7 }), json!({ "stream_id": scene.stream, "text": "x" })]
    {
        let answer = socket.rpc("msg.send", rubbish.clone()).await;
        assert!(answer["error"].is_object(), "{rubbish}: {answer}");
    }
    let seq = scene.say("读到这里").await;
    let read = socket.rpc("read", json!({ "stream_id": scene.stream, "seq": seq })).await;
    assert_eq!(read["rpc"]["data"], json!({}), "{read}");
    let list = socket.rpc("sync", json!({})).await;
    assert_eq!(list["rpc"]["data"], scene.villager.get("/v1/sync").await.ok());
    let channel =
        list["rpc"]["data"]["streams"].as_array().unwrap().iter().find(|one| one["id"] == json!(scene.stream)).unwrap();
    assert_eq!((&channel["unread"], &channel["read_seq"]), (&json!(0), &json!(seq)));
    scene.app.stop().await;
}

/// Who is in hundreds of threads keeps the place read to in the village's channel: unread is counted from it.
#[tokio::test]
async fn many_threads_do_not_push_a_read_place_out_of_the_list() {
    let scene = Scene::set().await;
    let read = scene.say("读过的").await;
    let place = scene.villager.request(Method::PUT, &format!("/v1/streams/{}/cursor", scene.stream));
    answer(place.json(&json!({ "seq": read }))).await.ok();
    scene.app.clock.advance(TimeDelta::minutes(1));
    let person = scene.villager.person;
    let join = scene.app.app.store.write(move |tx| {
        Box::pin(async move {
            for _ in 0..300 {
                let thread = NewStream {
                    kind: StreamKind::Thread,
                    subject: Uuid::now_v7().to_string(),
                    title: "留言".to_owned(),
                    area: None,
                    body: None,
                };
                let thread = streams::commands::open(tx, thread).await?;
                streams::commands::join(tx, thread, person, "author").await?;
            }
            Ok(())
        })
    });
    join.await.unwrap();
    scene.app.clock.advance(TimeDelta::minutes(1));
    scene.say("新的").await;
    let list = scene.villager.get("/v1/sync").await.ok();
    let channel = list["streams"].as_array().unwrap().iter().find(|one| one["id"] == json!(scene.stream)).unwrap();
    assert_eq!((&channel["unread"], &channel["read_seq"]), (&json!(1), &json!(read)), "{channel}");
}
