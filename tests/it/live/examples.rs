//! The published description of the socket: valid to the parser of AsyncAPI, and true. Each example is sent to a running
//! server, and everything that a connection hears is looked up in it.
mod description;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::Path,
    process::Command,
    time::Duration,
};

use futures_util::{SinkExt, StreamExt};
use liusheng::server;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest},
};

use self::description::Description;
use super::Scene;
use crate::support::{Somebody, cookie_of};

/// What the examples speak of.
const STREAM: &str = "0193a7c0-5b1e-7d0a-9c11-00000000a001";
const PERSON: &str = "0193a7c0-5b1e-7d0a-9c11-00000000b001";
const OTHER: &str = "0193a7c0-5b1e-7d0a-9c11-00000000b002";
const ENTRY: i64 = 121;
/// Every kind of entry.
const KINDS: [&str; 8] = ["message", "card", "bump", "chain", "chain_row", "recall", "pin", "member"];

#[test]
fn the_description_is_valid_asyncapi() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser");
    if !folder.join("node_modules/@asyncapi/parser").exists() {
        eprintln!("skipped: run `npm ci` in tests/browser");
        return;
    }
    let read = Command::new("node").args(["asyncapi.mjs", "../../api-spec/asyncapi.yaml"]).current_dir(folder).output();
    let read = read.unwrap();
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    let read: Value = serde_json::from_slice(&read.stdout).unwrap();
    assert_eq!(read["faults"], json!([]));
    assert!(read["messages"].as_u64() > Some(200), "{} messages", read["messages"]);
    // a YAML reader of others finds the same in the text
    assert_eq!(read["document"], server::asyncapi());
}

/// What an example shows and the answer lacks or has as another kind of thing.
fn unlike(example: &Value, answer: &Value, place: &str) -> Vec<String> {
    match (example, answer) {
        (Value::Object(shown), Value::Object(there)) => shown
            .iter()
            .flat_map(|(name, value)| match there.get(name) {
                Some(inner) => unlike(value, inner, &format!("{place}.{name}")),
                None => vec![format!("{place}.{name} is shown and does not come")],
            })
            .collect(),
        (Value::Array(shown), Value::Array(there)) => match (shown.first(), there.first()) {
            (Some(one), Some(first)) => unlike(one, first, &format!("{place}[0]")),
            (Some(_), None) => vec![format!("{place} is empty")],
            _ => Vec::new(),
        },
        (Value::String(_), Value::String(_)) | (Value::Number(_), Value::Number(_)) => Vec::new(),
        _ if example == answer => Vec::new(),
        _ => vec![format!("{place}: {example} is shown, {answer} comes")],
    }
}

/// The example's words by those that hold here.
struct Here {
    epoch: String,
    texts: HashMap<String, String>,
    numbers: BTreeMap<i64, i64>,
}

impl Here {
    fn text(&self, text: &str) -> String {
        let (prefix, id) = text.strip_prefix("s:").map_or(("", text), |id| ("s:", id));
        format!("{prefix}{}", self.texts.get(id).map_or(id, String::as_str))
    }

    fn put(&self, value: &Value) -> Value {
        match value {
            Value::Object(fields) => fields
                .iter()
                .map(|(name, value)| {
                    let is_place = ["seq", "after", "reply_to", "offset"].contains(&name.as_str());
                    let here = value.as_i64().filter(|_| is_place).and_then(|place| self.numbers.get(&place));
                    let here = here.map(|here| json!(here)).or((name == "epoch").then(|| json!(self.epoch)));
                    (self.text(name), here.unwrap_or_else(|| self.put(value)))
                })
                .collect(),
            Value::Array(items) => items.iter().map(|item| self.put(item)).collect(),
            Value::String(text) => json!(self.text(text)),
            other => other.clone(),
        }
    }
}

/// A socket that keeps every frame as it came.
struct Wire {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pushes: Vec<Value>,
}

impl Wire {
    async fn open(scene: &Scene, cookie: Option<&str>) -> Self {
        let mut request = format!("ws://{}/connection/websocket", scene.app.address).into_client_request().unwrap();
        if let Some(cookie) = cookie {
            request.headers_mut().insert("cookie", format!("ls_session={cookie}").parse().unwrap());
            request.headers_mut().insert("origin", scene.app.url("").parse().unwrap());
        }
        Self { socket: connect_async(request).await.unwrap().0, pushes: Vec::new() }
    }

    async fn ask(&mut self, frame: &Value) -> Value {
        self.socket.send(Message::text(frame.to_string())).await.unwrap();
        loop {
            let next = tokio::time::timeout(Duration::from_secs(10), self.socket.next()).await;
            let Ok(Some(Ok(Message::Text(text)))) = next else { panic!("{next:?} instead of an answer to {frame}") };
            for line in text.lines() {
                let came: Value = serde_json::from_str(line).unwrap();
                if came["id"] == frame["id"] {
                    return came;
                }
                self.pushes.push(came);
            }
        }
    }

    async fn listen(&mut self, time: Duration) {
        let hear = async {
            while let Some(Ok(message)) = self.socket.next().await {
                let Message::Text(text) = message else { continue };
                self.pushes.extend(text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()));
            }
        };
        tokio::time::timeout(time, hear).await.ok();
    }
}

/// The group of the examples, with one message; its id and the message's place.
async fn group(scene: &Scene, leader: &Somebody) -> (String, i64) {
    let (village, other) = (&scene.village, &scene.villager);
    let group = json!({ "body_id": village.council, "title": "溪边步道小组", "people": [other.person] });
    let stream = leader.post("/v1/groups", group).await.ok()["stream_id"].as_str().unwrap().to_owned();
    // the only leader could not leave
    leader.post(&format!("/v1/groups/{stream}/members"), json!({ "people": [other.person], "lead": true })).await.ok();
    let said = scene.say_in(stream.parse().unwrap(), other, "晚上七点开会").await;
    (stream, said)
}

#[tokio::test]
async fn every_example_is_answered_as_it_says_and_everything_heard_is_described() {
    let scene = Scene::set().await;
    let description = Description(server::asyncapi());
    let leader = scene.village.council_chair.clone();
    let (stream, said) = group(&scene, &leader).await;
    let mut clerk = Wire::open(&scene, None).await;
    clerk.ask(&json!({ "id": 1, "connect": { "token": scene.clerk.token() } })).await;

    let token = description.message("connect")["examples"][0]["payload"]["connect"]["token"].as_str().unwrap();
    let texts = [
        (STREAM, stream),
        (PERSON, leader.person.to_string()),
        (OTHER, scene.villager.person.to_string()),
        (token, leader.token()),
    ];
    let texts = texts.into_iter().map(|(shown, here)| (shown.to_owned(), here)).collect();
    let (epoch, _) = scene.position(&scene.listen(&scene.villager).await);
    let mut here = Here { epoch, texts, numbers: BTreeMap::from([(ENTRY, said), (ENTRY - 1, said - 1)]) };
    let cookie = cookie_of(&scene.app.app, leader.person).await;
    let mut wire = Wire::open(&scene, None).await;
    let mut wrong = Vec::new();
    let mut answered = 0;
    for (name, frame, answers) in description.asked() {
        if answers.is_empty() {
            // a one-way frame: what follows shows that the connection lives on
            wire.socket.send(Message::text(frame.to_string())).await.unwrap();
            continue;
        }
        let asked = here.put(&frame);
        // of a page: a connection of its own
        let mut page = if name == "by_cookie" { Some(Wire::open(&scene, Some(&cookie)).await) } else { None };
        let answer = page.as_mut().unwrap_or(&mut wire).ask(&asked).await;
        answered += 1;
        let Some((message, example)) = description.example(&answers, &name) else {
            panic!("{name} of {answers:?} has no answer");
        };
        let faults = description.wrong(&description.message(&message)["payload"], &answer, &message);
        let faults = faults.into_iter().chain(unlike(&here.put(&example), &answer, &message));
        wrong.extend(faults.map(|fault| format!("{name}, {asked}\n  {fault}\n  {answer}")));
        if let (Some(shown), Some(now)) =
            (example["rpc"]["data"]["seq"].as_i64(), answer["rpc"]["data"]["seq"].as_i64())
        {
            here.numbers.insert(shown, now);
        }
        // ten a second, twenty at once
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    assert!(answered >= 20, "only {answered} examples");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    let notice = json!({ "area_code": scene.village.area, "title": "停水", "text": "明天停水。" });
    scene.clerk.post("/v1/notices", notice).await.ok();
    let contact = scene.villager.post("/v1/contacts", json!({})).await.ok()["stream_id"].as_str().unwrap().to_owned();
    scene.say_in(contact.parse().unwrap(), &scene.villager, "路灯坏了").await;
    scene.app.settle().await;
    clerk.listen(Duration::from_secs(1)).await;
    wire.listen(Duration::from_millis(300)).await;
    let mut heard = BTreeSet::new();
    for push in wire.pushes.iter().chain(&clerk.pushes) {
        match description.push(push) {
            Ok(name) => _ = heard.insert(name),
            Err(faults) => wrong.push(format!("{push}\n  {}", faults.join("\n  "))),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let unheard: Vec<_> = KINDS.iter().filter(|kind| !heard.contains(&format!("entry_{kind}"))).collect();
    assert!(unheard.is_empty(), "never heard: {unheard:?}, only {heard:?}");
    assert!(heard.contains("subscription_ended"), "{heard:?}");
    scene.app.stop().await;
}

/// The looking up itself can say no.
#[test]
fn what_is_not_described_is_noticed() {
    let description = Description(server::asyncapi());
    let payload = &description.message("connected")["payload"];
    let example = description.message("connected")["examples"][0]["payload"].clone();
    assert_eq!(description.wrong(payload, &example, ""), Vec::<String>::new());
    for (place, value) in [
        ("/connect/extra", json!(1)),
        ("/connect/ping", json!("25")),
        ("/connect/data/now", json!(null)),
        ("/connect/data/more", json!(true)),
        ("/id", json!(0)),
    ] {
        let mut bent = example.clone();
        let (parent, name) = place.rsplit_once('/').unwrap();
        bent.pointer_mut(parent).unwrap()[name] = value;
        assert!(!description.wrong(payload, &bent, "").is_empty(), "{place}");
    }
    let entry = description.message("entry_message")["examples"][0]["payload"].clone();
    assert_eq!(description.push(&entry), Ok("entry_message".to_owned()));
    for (name, value) in [("phone", json!("13800000000")), ("seq", json!("1")), ("body", json!({ "voter": 1 }))] {
        let mut bent = entry.clone();
        bent["push"]["pub"]["data"][name] = value;
        assert!(description.push(&bent).is_err(), "{name}");
    }
    assert_eq!(unlike(&json!({ "a": [1] }), &json!({ "a": [] }), "").len(), 1);
    assert_eq!(unlike(&json!({ "a": true }), &json!({ "a": false }), "").len(), 1);
}
