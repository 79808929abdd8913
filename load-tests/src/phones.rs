//! Phones: sockets that stay connected, answer pings, and report each entry of the village's channel the moment it comes.
use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{sync::mpsc, task::AbortHandle};

use crate::{Outcome, wire::Wire};

/// Handshakes at the same time.
const AT_ONCE: usize = 64;

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
    held: Vec<AbortHandle>,
    report: Report,
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
    #[serde(default)]
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
    fn of(channel: &str) -> Self {
        let (came, arrivals) = mpsc::unbounded_channel();
        let report = Report { channel: channel.into(), came, gaps: Arc::default(), gone: Arc::default() };
        let (gaps, gone) = (Arc::clone(&report.gaps), Arc::clone(&report.gone));
        Self { arrivals, gaps, gone, head: i64::MAX, count: 0, held: Vec::new(), report }
    }

    /// Connects everybody; each gets the heads of the own streams with the answer.
    pub(crate) async fn connect(address: SocketAddr, channel: &str, tokens: Vec<String>) -> Outcome<Self> {
        let mut phones = Self::of(channel);
        phones.more(address, tokens).await?;
        Ok(phones)
    }

    /// So many that only listen, to a server that asks nobody who he is and begins with the first entry.
    pub(crate) async fn listen(address: SocketAddr, channel: &str, count: usize) -> Outcome<Self> {
        let mut phones = Self::of(channel);
        let opening: Vec<_> =
            stream::iter(0..count).map(|_| Wire::open(address)).buffer_unordered(AT_ONCE).collect().await;
        for wire in opening {
            tokio::spawn(hold(wire?, (0, Vec::new()), phones.report.clone()));
            phones.count += 1;
        }
        Ok(phones)
    }

    /// Connects more of them.
    pub(crate) async fn more(&mut self, address: SocketAddr, tokens: Vec<String>) -> Outcome<()> {
        let report = &self.report;
        self.count += tokens.len();
        let connecting = stream::iter(tokens).map(|token| {
            let report = report.clone();
            async move {
                let (socket, offset, behind) = hello(address, &report.channel, &token).await?;
                let held = tokio::spawn(hold(socket, (offset, behind), report)).abort_handle();
                Outcome::Ok((offset, held))
            }
        });
        let heads: Vec<_> = connecting.buffer_unordered(AT_ONCE).collect().await;
        for one in heads {
            let (offset, held) = one?;
            self.head = self.head.min(offset);
            self.held.push(held);
        }
        Ok(())
    }

    /// The last ones hang up.
    pub(crate) fn hang_up(&mut self, count: usize) {
        for held in self.held.drain(self.held.len().saturating_sub(count)..) {
            held.abort();
            self.count -= 1;
        }
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

/// The socket, the place of the channel, and what came right behind the answer: a ping that is not heard ends the socket.
async fn hello(address: SocketAddr, channel: &str, token: &str) -> Outcome<(Wire, i64, Vec<String>)> {
    let mut wire = Wire::open(address).await?;
    let hello = json!({ "id": 1, "connect": { "token": token, "name": "load", "data": { "v": 1 } } });
    wire.say(&hello.to_string()).await?;
    let mut said = VecDeque::new();
    while said.is_empty() {
        let hearing = wire.hear(|text| said.push_back(text.to_owned()));
        if !tokio::time::timeout(Duration::from_secs(30), hearing).await? {
            return Err("hung up".into());
        }
    }
    let answer: Value = serde_json::from_str(&said.pop_front().unwrap_or_default())?;
    let offset = answer.pointer(&format!("/connect/subs/{channel}/offset")).and_then(Value::as_i64);
    let offset = offset.ok_or_else(|| format!("no head of {channel} in {answer}"))?;
    Ok((wire, offset, said.into()))
}

async fn hold(mut wire: Wire, (mut last, behind): (i64, Vec<String>), report: Report) {
    let mut pings: usize = behind.iter().map(|text| heard(text, &mut last, &report)).sum();
    loop {
        for _ in 0..std::mem::take(&mut pings) {
            wire.say("{}").await.ok();
        }
        if !wire.hear(|text| pings += heard(text, &mut last, &report)).await {
            break;
        }
    }
    report.gone.fetch_add(1, Ordering::Relaxed);
}

/// Reports the entries in what came, and says how many pings there are.
fn heard(text: &str, last: &mut i64, report: &Report) -> usize {
    let (at, mut pings) = (Instant::now(), 0);
    for line in text.split('\n') {
        pings += usize::from(line == "{}");
        let Ok(Frame { push: Some(Push { channel, r#pub: Some(entry) }) }) = serde_json::from_str(line) else {
            continue;
        };
        if channel != &*report.channel {
            continue;
        }
        if entry.offset != *last + 1 {
            report.gaps.fetch_add(1, Ordering::Relaxed);
        }
        *last = entry.offset;
        let arrival = Arrival { offset: entry.offset, at, bytes: line.len(), link: entry.data.body.link };
        report.came.send(arrival).ok();
    }
    pings
}
