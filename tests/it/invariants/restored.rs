//! I11: after a restore every device begins anew, whichever server it is connected to.
use std::time::Duration;

use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::{
    simulation::{
        Kept,
        device::{Device, Rules},
        fetch,
    },
    support::{Socket, Somebody, TestApp, Village, say},
};

/// The database is what it was before the last words, under servers that run: their places are given to other words.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn i11_after_a_restore_devices_at_every_server_begin_anew() {
    let (app, village) = Village::start().await;
    let beside = if app.folder.is_sqlite() { None } else { Some(app.start_beside().await) };
    let servers: Vec<&TestApp> = std::iter::once(&app).chain(beside.as_ref()).collect();
    let ann = village.villager(&app, "00007").await;
    let group = json!({ "body_id": village.committee, "title": "修桥小组", "people": [ann.person] });
    let stream = village.chair.post("/v1/groups", group).await.ok()["stream_id"].as_str().unwrap().to_owned();
    say(&village.chair, &stream, "留下的话").await;
    let kept = Kept::keep(&app, &stream).await;
    let lost = say(&village.chair, &stream, "备份以后的话").await;
    let (channel, mut devices, mut sockets) = (format!("s:{stream}"), Vec::new(), Vec::new());
    for server in &servers {
        let mut device = Device::default();
        fetch(&mut device, Rules::ALL, &ann.at_app(server), &stream).await;
        assert!(device.entries[&lost].to_string().contains("备份以后的话"));
        devices.push(device);
        sockets.push(Socket::connect(server, &ann.token(), json!({})).await);
    }
    kept.put_back(&app, true).await;
    for socket in &mut sockets {
        assert_eq!(socket.until_closed().await, 3010, "sent away");
    }
    assert_eq!(say(&village.chair, &stream, "恢复以后的话").await, lost, "the place is given anew");
    for (server, device) in servers.iter().zip(&mut devices) {
        let had = json!({ &channel: { "recover": true, "epoch": device.epoch, "offset": device.have } });
        let back = Socket::connect(server, &ann.token(), had).await;
        let sub = &back.connected["subs"][&channel];
        assert_ne!(sub["recovered"], json!(true), "what it has is of another log");
        assert_ne!(sub["epoch"], json!(device.epoch));
        assert!(fetch(device, Rules::ALL, &ann.at_app(server), &stream).await, "the epoch is another");
        let mut fresh = Device::default();
        fetch(&mut fresh, Rules::ALL, &ann, &stream).await;
        assert_eq!(device.entries, fresh.entries);
        assert!(fresh.entries[&lost].to_string().contains("恢复以后的话"));
    }
    if let Some(beside) = beside {
        beside.stop().await;
    }
    app.stop().await;
}

/// A server finds out within a second. Who connects meanwhile is told where the new log stands, not how far the old one went:
/// to come back with such a place would be to say that one has what was never handed out.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn i11_who_connects_before_a_restore_is_noticed_is_told_no_place_of_the_log_before() {
    let (app, village) = Village::start().await;
    let ann = village.villager(&app, "00007").await;
    let group = json!({ "body_id": village.committee, "title": "修桥小组", "people": [ann.person] });
    let stream = village.chair.post("/v1/groups", group).await.ok()["stream_id"].as_str().unwrap().to_owned();
    let channel = format!("s:{stream}");
    say(&village.chair, &stream, "留下的话").await;
    let kept = Kept::keep(&app, &stream).await;
    let mut listening = Socket::connect(&app, &village.chair.token(), json!({})).await;
    let lost = say(&village.chair, &stream, "备份以后的话").await;
    listening.until_offset(&channel, lost).await;
    kept.put_back(&app, true).await;
    let early = Socket::connect(&app, &ann.token(), json!({})).await;
    let list = ann.get("/v1/sync").await.ok();
    let row = list["streams"].as_array().unwrap().iter().find(|row| row["id"] == json!(stream)).unwrap();
    let sub = &early.connected["subs"][&channel];
    assert_eq!((&sub["epoch"], &sub["offset"]), (&row["epoch"], &row["last_seq"]), "{sub}");
    assert_eq!(row["last_seq"].as_i64(), Some(lost - 1));
    app.stop().await;
}

/// A stream of server-sent events.
struct Events {
    answer: Response,
    came: Vec<u8>,
}

impl Events {
    async fn of(who: &Somebody, last: &str) -> Self {
        let asked = who.request(Method::GET, "/v1/events").header("last-event-id", last);
        let answer = asked.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        Self { answer, came: Vec::new() }
    }

    /// Name, id and data of the next.
    async fn next(&mut self) -> (String, String, Value) {
        loop {
            if let Some(end) = self.came.windows(2).position(|two| two == b"\n\n") {
                let event = String::from_utf8(self.came.drain(..end + 2).collect()).unwrap();
                let field = |name: &str| {
                    let found = event.lines().find_map(|line| line.strip_prefix(name));
                    found.unwrap_or_default().trim().to_owned()
                };
                // a line that only keeps the connection open has no data
                if let Ok(data) = serde_json::from_str(&field("data:")) {
                    return (field("event:"), field("id:"), data);
                }
                continue;
            }
            let more = tokio::time::timeout(Duration::from_secs(20), self.answer.chunk()).await.expect("an event");
            self.came.extend_from_slice(&more.unwrap().expect("not the end"));
        }
    }
}

/// The same for who listens to server-sent events and says with the last one's id where they were.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn i11_an_event_stream_begins_anew_after_a_restore() {
    let (app, village) = Village::start().await;
    let ann = village.villager(&app, "00007").await;
    let group = json!({ "body_id": village.committee, "title": "修桥小组", "people": [ann.person] });
    let stream = village.chair.post("/v1/groups", group).await.ok()["stream_id"].as_str().unwrap().to_owned();
    say(&village.chair, &stream, "留下的话").await;
    let kept = Kept::keep(&app, &stream).await;
    let channel = format!("s:{stream}");
    let mut events = Events::of(&ann, "").await;
    let before = events.next().await.2["connect"]["subs"][&channel].clone();
    assert!(before["epoch"].is_string(), "{before}");
    let lost = say(&village.chair, &stream, "备份以后的话").await;
    let last = loop {
        let (_, id, data) = events.next().await;
        if (&data["push"]["channel"], &data["push"]["pub"]["offset"]) == (&json!(channel), &json!(lost)) {
            break id;
        }
    };
    kept.put_back(&app, true).await;
    let ended = loop {
        let (name, _, data) = events.next().await;
        if name == "disconnect" {
            break data["push"]["disconnect"]["code"].clone();
        }
    };
    assert_eq!(ended, 3010, "sent away");
    assert_eq!(say(&village.chair, &stream, "恢复以后的话").await, lost, "the place is given anew");
    say(&village.chair, &stream, "再一句").await;
    let mut back = Events::of(&ann, &last).await;
    let now = back.next().await.2["connect"]["subs"][&channel].clone();
    assert_eq!(now["was_recovering"], json!(true), "{now}");
    assert_ne!(now["recovered"], json!(true), "what it has is of another log: {now}");
    assert_ne!(now["epoch"], before["epoch"]);
    drop(back);
    app.stop().await;
}
