//! Phones: sockets that stay connected, answer pings, and report each entry of the village's channel the moment it comes.
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::{SinkExt, StreamExt, stream};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{net::TcpStream, sync::mpsc};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use crate::Outcome;

/// Handshakes at the same time.
const AT_ONCE: usize = 64;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// An entry that came to one phone.
pub(crate) struct Arrival {
    pub(crate) offset: i64,
    pub(crate) at: Instant,
    /// Length of the frame's text.
    pub(crate) bytes: usize,
    /// Where a card leads.
    pub(crate) link: Option<String>,
}

/// Everybody's sockets.
pub(crate) struct Phones {
    pub(crate) arrivals: mpsc::UnboundedReceiver<Arrival>,
    /// Entries that came out of order or after a gap.
    pub(crate) gaps: Arc<AtomicUsize>,
    /// Sockets that ended.
    pub(crate) gone: Arc<AtomicUsize>,
    /// Place of the channel when the first connected.
    pub(crate) head: i64,
    pub(crate) count: usize,
}

/// What a phone's task reports to.
#[derive(Clone)]
struct Report {
    channel: Arc<str>,
    came: mpsc::UnboundedSender<Arrival>,
    gaps: Arc<AtomicUsize>,
    gone: Arc<AtomicUsize>,
}

#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(borrow)]
    push: Option<Push<'a>>,
}

#[derive(Deserialize)]
struct Push<'a> {
    channel: &'a str,
    r#pub: Option<Publication>,
}

#[derive(Deserialize)]
struct Publication {
    offset: i64,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    body: Body,
}

#[derive(Deserialize)]
struct Body {
    link: Option<String>,
}

impl Phones {
    /// Connects everybody; each gets the heads of the own streams with the answer.
    pub(crate) async fn connect(address: SocketAddr, channel: &str, tokens: Vec<String>) -> Outcome<Self> {
        let (came, arrivals) = mpsc::unbounded_channel();
        let report = Report { channel: channel.into(), came, gaps: Arc::default(), gone: Arc::default() };
        let count = tokens.len();
        let connecting = stream::iter(tokens).map(|token| {
            let report = report.clone();
            async move {
                let (socket, offset) = hello(address, &report.channel, &token).await?;
                tokio::spawn(hold(socket, offset, report));
                Ok::<i64, Box<dyn std::error::Error + Send + Sync>>(offset)
            }
        });
        let heads: Vec<_> = connecting.buffer_unordered(AT_ONCE).collect().await;
        let mut head = i64::MAX;
        for one in heads {
            head = head.min(one?);
        }
        Ok(Self { arrivals, gaps: report.gaps, gone: report.gone, head, count })
    }

    /// Waits until so many of these arrivals came, or the time is over.
    pub(crate) async fn collect(
        &mut self,
        wanted: usize,
        within: Duration,
        fits: impl Fn(&Arrival) -> bool,
    ) -> Vec<Arrival> {
        let mut found = Vec::with_capacity(wanted);
        let until = tokio::time::Instant::now() + within;
        while found.len() < wanted {
            match tokio::time::timeout_at(until, self.arrivals.recv()).await {
                Ok(Some(arrival)) if fits(&arrival) => found.push(arrival),
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => break,
            }
        }
        found
    }

    pub(crate) fn gaps(&self) -> usize {
        self.gaps.load(Ordering::Relaxed)
    }

    pub(crate) fn gone(&self) -> usize {
        self.gone.load(Ordering::Relaxed)
    }
}

async fn hello(address: SocketAddr, channel: &str, token: &str) -> Outcome<(Socket, i64)> {
    let (mut socket, _) = connect_async(format!("ws://{address}/connection/websocket")).await?;
    let hello = json!({ "id": 1, "connect": { "token": token, "name": "load", "data": { "v": 1 } } });
    socket.send(Message::text(hello.to_string())).await?;
    let answer = tokio::time::timeout(Duration::from_secs(30), socket.next()).await?.ok_or("hung up")??;
    let answer: Value = serde_json::from_str(answer.to_text()?)?;
    let offset = answer.pointer(&format!("/connect/subs/{channel}/offset")).and_then(Value::as_i64);
    let offset = offset.ok_or_else(|| format!("no head of {channel} in {answer}"))?;
    Ok((socket, offset))
}

async fn hold(mut socket: Socket, mut last: i64, report: Report) {
    while let Some(Ok(message)) = socket.next().await {
        let at = Instant::now();
        let Message::Text(text) = message else { continue };
        if text.as_str() == "{}" {
            socket.send(Message::text("{}")).await.ok();
            continue;
        }
        for line in text.split('\n') {
            let Ok(Frame { push: Some(Push { channel, r#pub: Some(entry) }) }) = serde_json::from_str(line) else {
                continue;
            };
            if channel != &*report.channel {
                continue;
            }
            if entry.offset != last + 1 {
                report.gaps.fetch_add(1, Ordering::Relaxed);
            }
            last = entry.offset;
            let arrival = Arrival { offset: entry.offset, at, bytes: line.len(), link: entry.data.body.link };
            report.came.send(arrival).ok();
        }
    }
    report.gone.fetch_add(1, Ordering::Relaxed);
}
