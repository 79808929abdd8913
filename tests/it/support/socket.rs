//! A phone's socket: connects, answers pings, keeps what came.
use std::{collections::HashMap, net::SocketAddr, time::Duration};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, client_async, connect_async, tungstenite::Message};

use super::TestApp;

/// A connected socket.
pub(crate) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// The answer to `connect`: `connect` of it, or null.
    pub(crate) connected: Value,
    /// The error in answer to `connect`, or null.
    pub(crate) refused: Value,
    /// Entries that came, by channel.
    pub(crate) entries: HashMap<String, Vec<Value>>,
    next_id: u32,
    replies: HashMap<u64, Value>,
    pub(crate) closed: Option<u16>,
    /// Channels that the server ended.
    unsubscribed: Vec<String>,
    /// What was told once: where streams stand, who is writing.
    pub(crate) messages: Vec<Value>,
    /// What came first of all.
    pub(crate) first: Value,
    /// Answers no pings.
    pub(crate) is_dead: bool,
    pongs: Vec<Vec<u8>>,
}

impl Socket {
    /// Connects with an access token; `subs` says where the phone was.
    pub(crate) async fn connect(app: &TestApp, token: &str, subs: Value) -> Self {
        Self::connect_to(app.address, token, subs).await
    }

    /// The same with any server.
    pub(crate) async fn connect_to(address: SocketAddr, token: &str, subs: Value) -> Self {
        let mut socket = Self::open(address).await;
        let hello = json!({ "id": 1, "connect": { "token": token, "name": "test", "data": { "v": 1 }, "subs": subs } });
        socket.raw(&hello.to_string()).await;
        let reply = socket.reply(1).await;
        socket.connected = reply["connect"].clone();
        socket.refused = reply["error"].clone();
        let subs = socket.connected["subs"].as_object().cloned().unwrap_or_default();
        for (channel, sub) in subs {
            socket.keep(&channel, &sub);
        }
        socket
    }

    /// Connects, hears the answer and reads no more; takes as little as can be told to the kernel.
    pub(crate) async fn deaf(address: SocketAddr, token: &str) -> WebSocketStream<TcpStream> {
        let tcp = TcpSocket::new_v4().unwrap();
        tcp.set_recv_buffer_size(4096).unwrap();
        let tcp = tcp.connect(address).await.unwrap();
        let (mut socket, _) = client_async(format!("ws://{address}/connection/websocket"), tcp).await.unwrap();
        let hello = json!({ "id": 1, "connect": { "token": token } });
        socket.send(Message::text(hello.to_string())).await.unwrap();
        socket.next().await.unwrap().unwrap();
        socket
    }

    /// A socket that has not said who it is.
    pub(crate) async fn open(address: SocketAddr) -> Self {
        let (stream, _) = connect_async(format!("ws://{address}/connection/websocket")).await.unwrap();
        Self {
            stream,
            connected: Value::Null,
            refused: Value::Null,
            entries: HashMap::new(),
            next_id: 1,
            replies: HashMap::new(),
            closed: None,
            unsubscribed: Vec::new(),
            messages: Vec::new(),
            first: Value::Null,
            is_dead: false,
            pongs: Vec::new(),
        }
    }

    fn keep(&mut self, channel: &str, subscribed: &Value) {
        let recovered = subscribed["publications"].as_array().cloned().unwrap_or_default();
        if !recovered.is_empty() {
            self.entries.entry(channel.to_owned()).or_default().extend(recovered);
        }
    }

    /// Calls a method and waits for its answer.
    pub(crate) async fn rpc(&mut self, method: &str, data: Value) -> Value {
        self.command("rpc", json!({ "method": method, "data": data })).await
    }

    /// Asks for a channel; the whole answer, with `subscribe` or `error`.
    pub(crate) async fn subscribe(&mut self, channel: &str, position: Value) -> Value {
        let mut asked = position;
        asked["channel"] = json!(channel);
        let answer = self.command("subscribe", asked).await;
        self.keep(channel, &answer["subscribe"]);
        answer
    }

    /// Any command by its name; the whole answer.
    pub(crate) async fn command(&mut self, name: &str, content: Value) -> Value {
        self.next_id += 1;
        let id = self.next_id;
        self.raw(&json!({ "id": id, name: content }).to_string()).await;
        self.reply(u64::from(id)).await
    }

    /// Sends raw text, for rubbish.
    pub(crate) async fn raw(&mut self, text: &str) {
        self.stream.send(Message::text(text)).await.ok();
    }

    /// Sends a frame of bytes, which the protocol does not know.
    pub(crate) async fn bytes(&mut self, bytes: Vec<u8>) {
        self.stream.send(Message::binary(bytes)).await.ok();
    }

    /// Asks on the level of frames whether somebody is there, and waits for the answer.
    pub(crate) async fn until_pong(&mut self, content: &'static [u8]) {
        self.stream.send(Message::Ping(content.into())).await.unwrap();
        let waiting = async {
            while !self.pongs.iter().any(|pong| pong == content) {
                assert!(self.closed.is_none(), "closed with {:?}", self.closed);
                self.hear().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), waiting).await.expect("a pong in time");
    }

    /// Waits for something of this kind that is told once.
    pub(crate) async fn until_message(&mut self, kind: &str) -> Value {
        let waiting = async {
            loop {
                if let Some(found) = self.messages.iter().find(|data| data["k"] == kind) {
                    return found.clone();
                }
                assert!(self.closed.is_none(), "closed with {:?}", self.closed);
                self.hear().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), waiting).await.expect("a word in time")
    }

    /// Waits for the answer to a command.
    pub(crate) async fn reply(&mut self, id: u64) -> Value {
        let waiting = async {
            while !self.replies.contains_key(&id) && self.closed.is_none() {
                self.hear().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), waiting).await.expect("an answer in time");
        self.replies.remove(&id).unwrap_or(Value::Null)
    }

    /// Waits until an entry that fits has come on any channel, and gives it.
    pub(crate) async fn until(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        self.until_in(Duration::from_secs(20), what, fits).await
    }

    /// The same with another patience.
    pub(crate) async fn until_in(&mut self, time: Duration, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let waiting = async {
            loop {
                if let Some(found) = self.entries.values().flatten().find(|entry| fits(&entry["data"])) {
                    return found.clone();
                }
                assert!(self.closed.is_none(), "closed with {:?} while waiting for {what}", self.closed);
                self.hear().await;
            }
        };
        tokio::time::timeout(time, waiting).await.unwrap_or_else(|_| panic!("no {what} came"))
    }

    /// Waits until the entry of this offset has come on the channel.
    pub(crate) async fn until_offset(&mut self, channel: &str, offset: i64) {
        let waiting = async {
            while self.offsets(channel).last().is_none_or(|last| *last < offset) {
                assert!(self.closed.is_none(), "closed with {:?} before {offset} came", self.closed);
                self.hear().await;
            }
        };
        let came = tokio::time::timeout(Duration::from_secs(30), waiting).await;
        assert!(came.is_ok(), "{offset} did not come, the last was {:?}", self.offsets(channel).last());
    }

    /// The same for whom it may be closed before: says how far it came within the time, `None` if nothing came at all.
    pub(crate) async fn hear_up_to(&mut self, channel: &str, offset: i64, time: Duration) -> Option<i64> {
        let hearing = async {
            while self.closed.is_none() && self.offsets(channel).last().is_none_or(|last| *last < offset) {
                self.hear().await;
            }
        };
        tokio::time::timeout(time, hearing).await.ok();
        self.offsets(channel).last().copied()
    }

    /// Offsets that came on a channel, in the order in which they came.
    pub(crate) fn offsets(&self, channel: &str) -> Vec<i64> {
        let came = self.entries.get(channel).into_iter().flatten();
        came.map(|entry| entry["offset"].as_i64().unwrap()).collect()
    }

    /// Waits until the server has ended a channel.
    pub(crate) async fn until_unsubscribed(&mut self, channel: &str) {
        let waiting = async {
            while !self.unsubscribed.iter().any(|own| own == channel) {
                assert!(self.closed.is_none(), "closed with {:?}", self.closed);
                self.hear().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(5), waiting).await.expect("the end of the channel in time");
    }

    /// Listens for a while.
    pub(crate) async fn listen(&mut self, time: Duration) {
        let listening = async {
            while self.closed.is_none() {
                self.hear().await;
            }
        };
        tokio::time::timeout(time, listening).await.ok();
    }

    /// Waits until a channel has more than `known` entries.
    pub(crate) async fn until_more(&mut self, channel: &str, known: usize, what: &str) {
        let waiting = async {
            while self.entries.get(channel).map_or(0, Vec::len) <= known {
                assert!(self.closed.is_none(), "closed with {:?} while waiting for {what}", self.closed);
                self.hear().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), waiting).await.unwrap_or_else(|_| panic!("no {what} came"));
    }

    /// Waits until the server closes; the code.
    pub(crate) async fn until_closed(&mut self) -> u16 {
        let waiting = async {
            while self.closed.is_none() {
                self.hear().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), waiting).await.expect("a close in time");
        self.closed.unwrap_or_default()
    }

    /// Ends without a word, as a phone in a tunnel does.
    pub(crate) fn vanish(self) {
        drop(self.stream);
    }

    async fn hear(&mut self) {
        match self.stream.next().await {
            Some(Ok(Message::Text(text))) => {
                for line in text.as_str().split('\n') {
                    self.take(line).await;
                }
            }
            Some(Ok(Message::Close(frame))) => self.closed = Some(frame.map_or(1005, |frame| frame.code.into())),
            Some(Ok(Message::Pong(content))) => self.pongs.push(content.to_vec()),
            Some(Ok(_)) => {}
            Some(Err(_)) | None => self.closed = Some(self.closed.unwrap_or(1006)),
        }
    }

    async fn take(&mut self, line: &str) {
        let message: Value = serde_json::from_str(line).unwrap();
        if self.first.is_null() {
            self.first = message.clone();
        }
        if message == json!({}) {
            if !self.is_dead {
                self.raw("{}").await;
            }
        } else if let Some(id) = message["id"].as_u64() {
            self.replies.insert(id, message);
        } else if message["push"]["unsubscribe"].is_object() {
            self.unsubscribed.push(message["push"]["channel"].as_str().unwrap_or_default().to_owned());
        } else if message["push"]["message"].is_object() {
            self.messages.push(message["push"]["message"]["data"].clone());
        } else if message["push"]["pub"].is_object() {
            let channel = message["push"]["channel"].as_str().unwrap_or_default().to_owned();
            self.entries.entry(channel).or_default().push(message["push"]["pub"].clone());
        }
    }
}
