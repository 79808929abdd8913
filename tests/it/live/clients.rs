//! Unmodified clients of others against our server, which must not notice that we are another: npm `centrifuge` and
//! `eventsource`, PyPI `centrifuge-python`.
use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Scene;

/// How often each client's connection is cut, with things said in that moment and while it is away.
const CUTS: usize = 6;

/// A client in a process of its own, which says what it hears line by line.
pub(super) struct Client {
    process: Child,
    input: ChildStdin,
    said: mpsc::Receiver<Value>,
    pub(super) heard: Vec<Value>,
}

impl Client {
    /// Under node, from `tests/browser`. `None`, and a word on the terminal, where its modules are missing.
    pub(super) fn of_npm((script, module): (&str, &str), url: &str, token: &str) -> Option<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser");
        if !folder.join("node_modules").join(module).exists() {
            eprintln!("skipped: run `npm ci` in tests/browser");
            return None;
        }
        let mut command = Command::new("node");
        command.arg(script).arg(url).arg(token).current_dir(folder);
        Some(Self::run(command))
    }

    /// Under Python, from `tests/clients`. `None`, and a word on the terminal, where its environment is missing.
    fn of_pypi(script: &str, url: &str, token: &str) -> Option<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
        let python = folder.join(".venv/bin/python");
        if !python.exists() {
            eprintln!("skipped: tests/run.sh makes tests/clients/.venv");
            return None;
        }
        let mut command = Command::new(python);
        command.arg(script).arg(url).arg(token).current_dir(folder);
        Some(Self::run(command))
    }

    fn run(mut command: Command) -> Self {
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a client");
        let (input, output) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        let (tell, said) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let Ok(event) = serde_json::from_str(&line) else { continue };
                if tell.send(event).is_err() {
                    return;
                }
            }
        });
        Self { process, input, said, heard: Vec::new() }
    }

    pub(super) fn tell(&mut self, line: &str) {
        writeln!(self.input, "{line}").unwrap();
    }

    /// Waits until it says something that fits.
    pub(super) async fn until(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            while let Ok(event) = self.said.try_recv() {
                self.heard.push(event);
            }
            if let Some(event) = self.heard.iter().find(|event| fits(event)) {
                return event.clone();
            }
            assert!(began.elapsed() < Duration::from_secs(40), "no {what}: {:?}", self.heard);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Offsets that it handed to its application for a channel.
    fn offsets(&self, channel: &str) -> Vec<i64> {
        let publications =
            self.heard.iter().filter(|event| event["event"] == "publication" && event["channel"] == json!(channel));
        publications.map(|event| event["offset"].as_i64().unwrap()).collect()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

#[tokio::test]
async fn the_unmodified_npm_client_recovers_without_gap_or_repeat() {
    let scene = Scene::set().await;
    let url = format!("ws://{}/connection/websocket", scene.app.address);
    let client = Client::of_npm(("centrifuge.mjs", "centrifuge"), &url, &scene.clerk.token());
    centrifuge_client_recovers(scene, client).await;
}

#[tokio::test]
async fn the_unmodified_pypi_client_recovers_without_gap_or_repeat() {
    let scene = Scene::set().await;
    let url = format!("ws://{}/connection/websocket", scene.app.address);
    let client = Client::of_pypi("centrifuge_client.py", &url, &scene.clerk.token());
    centrifuge_client_recovers(scene, client).await;
}

async fn centrifuge_client_recovers(scene: Scene, client: Option<Client>) {
    let Some(mut client) = client else { return };
    let channel = scene.channel.clone();
    client.until("subscription", |event| event["event"] == "subscribed" && event["channel"] == json!(channel)).await;
    for number in 0..4 {
        scene.say(&format!("在线{number}")).await;
    }
    client.until("live publication", |event| event["offset"] == 4).await;

    for round in 0..CUTS {
        // cut in the middle of what is said
        scene.say(&format!("第{round}次断线之前")).await;
        client.tell("drop");
        client.until("cut", |event| event["event"] == "dropped").await;
        let mut newest = 0;
        for number in 0..6 {
            newest = scene.say(&format!("第{round}次离线{number}")).await;
        }
        client.heard.retain(|event| event["event"] == "publication");
        client.tell("restore");
        let again = client
            .until("recovery", |event| event["event"] == "subscribed" && event["channel"] == json!(channel))
            .await;
        assert_eq!((&again["wasRecovering"], &again["recovered"]), (&json!(true), &json!(true)), "{again}");
        client.until("what was missed", |event| event["offset"] == newest).await;
        let live = scene.say("又在线").await;
        client.until("live again", |event| event["offset"] == live).await;
        assert_eq!(client.offsets(&channel), (1..=live).collect::<Vec<_>>(), "in order, each once");
    }

    let message = json!({ "stream_id": scene.stream, "client_id": Uuid::now_v7(), "text": "从手机发的" });
    client.tell(&format!("rpc {}", json!({ "method": "msg.send", "data": message })));
    let sent = client.until("answer to the rpc", |event| event["event"] == "rpc").await;
    let seq = sent["data"]["seq"].as_i64().unwrap();
    assert_eq!(sent["data"]["dup"], false);
    let own = client.until("own message", |event| event["offset"] == seq).await;
    assert_eq!(own["data"]["body"]["text"], "从手机发的");
    // again with the same client_id: the same message
    client.heard.retain(|event| event["event"] == "publication");
    client.tell(&format!("rpc {}", json!({ "method": "msg.send", "data": message })));
    let again = client.until("answer to the rpc", |event| event["event"] == "rpc").await;
    assert_eq!((&again["data"]["seq"], &again["data"]["dup"]), (&json!(seq), &json!(true)));
    client.heard.retain(|event| event["event"] == "publication");
    client.tell(&format!("rpc {}", json!({ "method": "no.such", "data": {} })));
    let unknown = client.until("refusal of the rpc", |event| event["event"] == "rpc").await;
    assert_eq!(unknown["error"]["code"], 104);
    client.heard.retain(|event| event["event"] == "publication");
    let wrong = json!({ "stream_id": scene.stream, "client_id": Uuid::now_v7(), "text": "" });
    client.tell(&format!("rpc {}", json!({ "method": "msg.send", "data": wrong })));
    let refused = client.until("refusal of the rpc", |event| event["event"] == "rpc").await;
    assert!(refused["error"]["code"].as_u64().is_some_and(|code| code >= 100), "{refused}");
    client.tell("end");
    scene.app.stop().await;
}

/// A phone that slept longer than its token lasts: the client asks for another by itself and goes on.
#[tokio::test]
async fn the_unmodified_npm_client_whose_token_ran_out_asks_for_another() {
    let (scene, url, tokens) = with_an_old_token().await;
    let client = Client::of_npm(("centrifuge.mjs", "centrifuge"), &url, &tokens);
    asks_for_another(scene, client).await;
}

#[tokio::test]
async fn the_unmodified_pypi_client_whose_token_ran_out_asks_for_another() {
    let (scene, url, tokens) = with_an_old_token().await;
    let client = Client::of_pypi("centrifuge_client.py", &url, &tokens);
    asks_for_another(scene, client).await;
}

async fn with_an_old_token() -> (Scene, String, String) {
    let scene = Scene::set().await;
    let url = format!("ws://{}/connection/websocket", scene.app.address);
    let old = scene.clerk.token();
    scene.app.clock.advance(TimeDelta::minutes(20));
    let tokens = format!("{old} {}", scene.clerk.token());
    (scene, url, tokens)
}

async fn asks_for_another(scene: Scene, client: Option<Client>) {
    let Some(mut client) = client else { return };
    client.until("connection", |event| event["event"] == "connected").await;
    let asked = client.heard.iter().filter(|event| event["event"] == "asked for a token").count();
    assert_eq!(asked, 1, "{:?}", client.heard);
    let channel = json!(scene.channel);
    client.until("subscription", |event| event["event"] == "subscribed" && event["channel"] == channel).await;
    let newest = scene.say("醒来以后").await;
    client.until("what is said", |event| event["offset"] == newest).await;
    assert!(client.heard.iter().all(|event| event["event"] != "disconnected"), "{:?}", client.heard);
    client.tell("end");
    scene.app.stop().await;
}

/// Server-sent events: the same entries, through cuts, in order and each once.
#[tokio::test]
async fn the_unmodified_npm_event_source_recovers_without_gap_or_repeat() {
    let scene = Scene::set().await;
    let url = scene.app.url("/v1/events");
    let who = ("events.mjs", "eventsource");
    let Some(mut client) = Client::of_npm(who, &url, &scene.villager.token()) else { return };
    client.until("connection", |event| event["event"] == "connected").await;
    for number in 0..4 {
        scene.say(&format!("在线{number}")).await;
    }
    client.until("live publication", |event| event["offset"] == 4).await;
    for round in 0..CUTS {
        client.heard.retain(|event| event["event"] == "publication");
        scene.say(&format!("第{round}次断线之前")).await;
        client.tell("drop");
        client.until("cut", |event| event["event"] == "dropped").await;
        let mut newest = 0;
        for number in 0..6 {
            newest = scene.say(&format!("第{round}次离线{number}")).await;
        }
        let channel = json!(scene.channel);
        let again =
            client.until("recovery", |event| event["event"] == "recovered" && event["channel"] == channel).await;
        assert_eq!(again["recovered"], true);
        client.until("what was missed", |event| event["offset"] == newest).await;
        let live = scene.say("又在线").await;
        client.until("live again", |event| event["offset"] == live).await;
        assert_eq!(client.offsets(&scene.channel), (1..=live).collect::<Vec<_>>(), "in order, each once");
    }
    // a log-out ends it, and says so
    client.heard.retain(|event| event["event"] == "publication");
    scene.villager.post("/v1/logout", json!(null)).await.ok();
    let ended = client.until("the end", |event| event["event"] == "disconnected").await;
    assert_eq!(ended["code"], 3500);
    client.tell("end");
    scene.app.stop().await;
}
