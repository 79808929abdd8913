//! A phone with a real socket: comes back, recovers, asks when it is quiet, and holds one stream as [`Device`] does.
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use futures_util::{SinkExt, StreamExt};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};
use tokio_util::sync::CancellationToken;

use crate::{
    simulation::device::{Device, Rules},
    support::Somebody,
};

/// So long nothing was heard: are we still connected, and at the newest place?
const QUIET: Duration = Duration::from_millis(600);
const PATIENCE: Duration = Duration::from_secs(2);

type Line = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The person speaks through the net to the one server or another: the next one when one does not answer.
pub(super) struct Phone {
    doors: Vec<Somebody>,
    stream: String,
    place: Arc<AtomicI64>,
    pub(super) device: Device,
    pub(super) connected: usize,
    /// Connections given up because nobody answered.
    pub(super) silences: usize,
    pub(super) fetched: usize,
}

impl Phone {
    pub(super) fn new(doors: Vec<Somebody>, stream: &str) -> Self {
        let (stream, device) = (stream.to_owned(), Device::default());
        Self { doors, stream, place: Arc::default(), device, connected: 0, silences: 0, fetched: 0 }
    }

    /// How far it is, also while it lives.
    pub(super) fn place(&self) -> Arc<AtomicI64> {
        Arc::clone(&self.place)
    }

    /// Is connected, or comes back, until the end; then speaks with the server once more.
    pub(super) async fn live(mut self, over: CancellationToken) -> Self {
        while !over.is_cancelled() {
            if let Some((line, epoch)) = self.connect().await {
                self.connected += 1;
                over.run_until_cancelled(self.listen(line, epoch)).await;
            }
            self.doors.rotate_left(1);
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
        while !self.fetch().await {
            self.doors.rotate_left(1);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self
    }

    fn channel(&self) -> String {
        format!("s:{}", self.stream)
    }

    /// Goes on where it was, as the answer to `connect` allows; the epoch of the subscription.
    async fn connect(&mut self) -> Option<(Line, String)> {
        let url = format!("ws://{}/connection/websocket", self.doors[0].address());
        let (mut line, _) = timeout(PATIENCE, connect_async(url)).await.ok()?.ok()?;
        let position = json!({ "recover": true, "epoch": self.device.epoch, "offset": self.device.have });
        let hello = json!({ "token": self.doors[0].token(), "subs": { self.channel(): position } });
        line.send(Message::text(json!({ "id": 1, "connect": hello }).to_string())).await.ok()?;
        let answer = timeout(PATIENCE, line.next()).await.ok()??.ok()?;
        let answer: Value = serde_json::from_str(answer.to_text().ok()?.lines().next()?).ok()?;
        let sub = answer["connect"]["subs"].get(self.channel())?.clone();
        let epoch = sub["epoch"].as_str()?.to_owned();
        if sub["recovered"] == json!(true) {
            for publication in sub["publications"].as_array().into_iter().flatten() {
                self.device.hear(Rules::ALL, &epoch, publication["data"].clone());
            }
            self.tell();
        } else {
            self.fetch().await;
        }
        Some((line, epoch))
    }

    /// Until the connection ends, or nobody answers.
    async fn listen(&mut self, mut line: Line, epoch: String) {
        let mut has_asked = false;
        loop {
            match timeout(QUIET, line.next()).await {
                Ok(Some(Ok(Message::Text(text)))) => {
                    has_asked = false;
                    for message in text.as_str().lines().filter_map(|one| serde_json::from_str(one).ok()) {
                        if message == json!({}) && line.send(Message::text("{}")).await.is_err() {
                            return;
                        }
                        self.take(&epoch, &message).await;
                    }
                }
                Ok(Some(Ok(Message::Ping(_) | Message::Pong(_)))) => {}
                Ok(_) => return,
                Err(_) if has_asked => {
                    self.silences += 1;
                    return;
                }
                Err(_) => {
                    let asking = json!({ "id": 2, "rpc": { "method": "sync", "data": {} } }).to_string();
                    if !matches!(timeout(QUIET, line.send(Message::text(asking))).await, Ok(Ok(()))) {
                        return;
                    }
                    has_asked = true;
                }
            }
        }
    }

    async fn take(&mut self, epoch: &str, message: &Value) {
        let push = &message["push"];
        if push["channel"] == json!(self.channel()) && push["pub"].is_object() {
            self.device.hear(Rules::ALL, epoch, push["pub"]["data"].clone());
            self.tell();
        }
        let heads = message["rpc"]["data"]["streams"].as_array();
        let head = heads.and_then(|heads| heads.iter().find(|head| head["id"] == json!(self.stream)));
        if self.device.is_behind() || head.is_some_and(|head| !self.device.is_at(head)) {
            self.fetch().await;
        }
    }

    /// Everything that is missing; `false`: the net was in the way.
    async fn fetch(&mut self) -> bool {
        self.fetched += 1;
        let have = json!({ "have": { self.stream.as_str(): self.device.position() } });
        let Some(missed) = asked(self.doors[0].request(Method::POST, "/v1/sync").json(&have)).await else {
            return false;
        };
        let mut is_short = self.device.fetched(Rules::ALL, missed["streams"].get(&self.stream));
        while let Some(first) = self.device.begins_at().filter(|_| is_short) {
            let path = format!("/v1/streams/{}/entries?before={first}&limit=100", self.stream);
            let Some(older) = asked(self.doors[0].request(Method::GET, &path)).await else { return false };
            is_short = self.device.scrolled(&older);
        }
        self.tell();
        true
    }

    fn tell(&self) {
        self.place.store(self.device.have, Ordering::SeqCst);
    }
}

/// The answer, if one came in time and it was one of ours.
pub(super) async fn asked(request: reqwest::RequestBuilder) -> Option<Value> {
    let answer = request.timeout(PATIENCE).send().await.ok()?;
    let status = answer.status();
    if status == reqwest::StatusCode::NO_CONTENT {
        return Some(Value::Null);
    }
    let body = answer.json().await.ok()?;
    assert!(status.is_success() || status.is_server_error(), "{status} {body}");
    status.is_success().then_some(body)
}
