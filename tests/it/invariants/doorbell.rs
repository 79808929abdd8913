//! I9: Redis is a doorbell. Stopped, started again or wiped, it costs two seconds at most, and no message.
use std::time::{Duration, Instant};

use liusheng::{app::App, people, server};
use serde_json::json;
use uuid::Uuid;

use crate::support::{OwnRedis, Socket, Somebody, TestApp, Village, answer, is_full_run, monday, redis_url};

/// A lost bell costs a look at the heads, which is a second away at most, and a bit for a slow machine.
// two seconds are promised; what runs beside this test may take as much
const LATE: Duration = Duration::from_secs(4);
/// So long at most a socket hears on after its log-in ended.
const HEARD_ON: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn i9_without_a_bell_a_message_is_heard_within_two_seconds() {
    let Some(_) = redis_url("i9: Redis stopped, started and wiped") else { return };
    let Some(mut redis) = OwnRedis::start() else { return };
    let url = redis.url.clone();
    let app = TestApp::start_with(monday(), move |config| config.redis_url = url).await;
    let village = Village::found(&app).await;
    let ann = village.villager(&app, "00007").await;
    let group = json!({ "body_id": village.committee, "title": "修桥小组", "people": [ann.person] });
    let stream = village.chair.post("/v1/groups", group).await.ok()["stream_id"].as_str().unwrap().to_owned();
    let channel = format!("s:{stream}");
    // who wrote hears its own; what counts is the other server
    let beside = if app.folder.is_sqlite() { None } else { Some(app.start_beside().await) };
    let mut socket = Socket::connect(beside.as_ref().unwrap_or(&app), &ann.token(), json!({})).await;
    let first = socket.connected["subs"][&channel]["offset"].as_i64().unwrap();
    let (mut newest, mut slowest) = (first, Duration::ZERO);
    for round in 0..if is_full_run() { 5 } else { 2 } {
        for state in ["up", "stopped", "started again", "wiped"] {
            match state {
                "stopped" => redis.kill(),
                "started again" => redis.revive(),
                "wiped" => {
                    let mut client = redis::Client::open(redis.url.as_str()).unwrap().get_connection().unwrap();
                    redis::cmd("FLUSHALL").exec(&mut client).unwrap();
                }
                _ => {}
            }
            for _ in 0..3 {
                let message = json!({ "client_id": Uuid::now_v7(), "text": format!("{state} {round}") });
                let began = Instant::now();
                let sent = village.chair.post(&format!("/v1/streams/{stream}/messages"), message).await.ok();
                let (acknowledged, seq) = (Instant::now(), sent["seq"].as_i64().unwrap());
                assert_eq!(seq, newest + 1);
                newest = seq;
                socket.until_offset(&channel, seq).await;
                let heard = acknowledged.elapsed();
                assert!(
                    acknowledged - began < LATE && heard < LATE,
                    "{state}: answered {:?}, heard {heard:?}",
                    acknowledged - began
                );
                slowest = slowest.max(heard);
            }
        }
    }
    println!("heard {slowest:?} after the answer at most");
    assert_eq!(socket.offsets(&channel), (first + 1..=newest).collect::<Vec<_>>(), "each once, in order");
    if let Some(beside) = beside {
        beside.stop().await;
    }
    app.stop().await;
}

/// Whoever comes into a conversation while Redis is away hears it on the socket that is open at the other server; whoever
/// was taken out of it hears no more, and whoever logs out hears nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn i9_without_a_bell_whoever_comes_and_goes_is_told() {
    let Some(_) = redis_url("i9: a new group without Redis") else { return };
    let Some(mut redis) = OwnRedis::start() else { return };
    let url = redis.url.clone();
    let app = TestApp::start_with(monday(), move |config| config.redis_url = url).await;
    let village = Village::found(&app).await;
    let ann = village.villager(&app, "00007").await;
    let beside = if app.folder.is_sqlite() { None } else { Some(app.start_beside().await) };
    let mut socket = Socket::connect(beside.as_ref().unwrap_or(&app), &ann.token(), json!({})).await;
    redis.kill();
    let group = json!({ "body_id": village.committee, "title": "修桥小组", "people": [ann.person] });
    let stream = village.chair.post("/v1/groups", group).await.ok()["stream_id"].as_str().unwrap().to_owned();
    let message = json!({ "client_id": Uuid::now_v7(), "text": "没有钟也听得到" });
    village.chair.post(&format!("/v1/streams/{stream}/messages"), message).await.ok();
    let began = Instant::now();
    socket.until_in(2 * LATE, "message in a new group", |data| data["body"]["text"] == "没有钟也听得到").await;
    let heard = began.elapsed();
    let member = format!("/v1/groups/{stream}/members/{}", ann.person);
    answer(village.chair.request(reqwest::Method::DELETE, &member)).await.ok();
    let began = Instant::now();
    socket.until_unsubscribed(&format!("s:{stream}")).await;
    println!("a new group was heard after {heard:?}, its end after {:?}", began.elapsed());
    assert!(heard < LATE && began.elapsed() < LATE);
    ann.post("/v1/logout", json!(null)).await.ok();
    socket.listen(HEARD_ON).await;
    assert_eq!(socket.closed, Some(3500), "a log-out without Redis is not heard");
    if let Some(beside) = beside {
        beside.stop().await;
    }
    app.stop().await;
}

async fn log_out_at(app: &App, who: &Somebody) {
    let actor = people::actor_of_session(app, who.person, who.session).await.unwrap();
    people::sign_out(app, &actor).await.unwrap();
}

/// Another process on the same database ends a log-in, and its bells do not reach this one: a socket that is open here is
/// ended, and so is one that comes in by what is kept of who asked a moment ago.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i9_without_a_bell_a_log_out_is_heard_within_five_seconds() {
    let (app, village) = Village::start().await;
    let mut config = app.app.config.as_ref().clone();
    config.redis_url = String::new();
    let (other, _rung) = server::open(config, app.clock.clone(), false).await.unwrap();
    let ann = village.villager(&app, "00007").await;
    let again = Somebody::signed_in(&app, ann.person).await;
    let mut socket = Socket::connect(&app, &ann.token(), json!({})).await;
    assert!(socket.connected.is_object());
    log_out_at(&other, &ann).await;
    socket.listen(HEARD_ON).await;
    assert_eq!(socket.closed, Some(3500), "a log-out without a bell is not heard");
    // nobody is connected now
    again.get("/v1/me").await.ok();
    log_out_at(&other, &again).await;
    // it is looked every second, and who asked is kept for three
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let mut late = Socket::connect(&app, &again.token(), json!({})).await;
    late.listen(HEARD_ON).await;
    assert_eq!(late.closed, Some(3500), "a log-out while nobody was connected is not heard");
    app.stop().await;
}
