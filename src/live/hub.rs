//! Who listens to what on this server, and the task that carries committed entries to them.
//!
//! # Why
//! A bell says only "stream S has entries up to n". The hub reads what is new once per server, encodes it once and puts
//! the same frame into each listener's queue. It remembers the last seq it carried per stream and compares with the
//! database every two seconds, so that a bell lost in the broker is made good without any client noticing.
use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::extract::ws::Utf8Bytes;
use futures_util::StreamExt;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use super::{
    protocol::{self, Close},
    rights::Watch,
};
use crate::{
    app::App,
    broker::Bell,
    error::Result,
    ids::{PersonId, SessionId, StreamId},
    people,
    streams::{
        EntryView,
        queries::{self, Span},
    },
};

/// What waits for one connection at most; then it is behind, and what waits is thrown away.
const QUEUE: usize = 256;
/// Connections that are let in at the same time: all come back at once after a restart.
const LET_IN: usize = 200;
/// Connections that wait to be let in; more are sent away before they are opened.
const WAITING: usize = 4000;
/// Sockets of one log-in; the oldest goes when there are more.
const SOCKETS_PER_SESSION: usize = 256;
const COMPARE_HEADS: Duration = Duration::from_secs(2);
/// Entries read in one go when a server lags behind a stream.
const BATCH: u64 = 200;

/// What a connection's loop is handed.
#[derive(Clone, Debug)]
pub(super) enum Item {
    /// An entry, encoded once for all.
    Entry(Arc<Frame>),
    /// The person belongs to a stream from now on.
    Joined(StreamId),
    /// Look again whether the log-in holds and the seats are the same.
    Look,
    /// End the connection.
    Close(Close),
}

/// An entry's publication, with its place.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) stream: StreamId,
    pub(super) seq: i64,
    pub(super) text: Utf8Bytes,
}

/// What a full queue could not take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lost {
    /// Nothing.
    Nothing,
    /// Entries, which are in the database.
    Entries,
    /// Something that is told once.
    Word,
}

/// A connection's end of the hub; leaving the hub is dropping it.
pub(super) struct Listener {
    pub(super) items: mpsc::Receiver<Item>,
    lost: Arc<AtomicU8>,
    key: u64,
    hub: Arc<Hub>,
}

pub(super) struct Connection {
    pub(super) person: PersonId,
    pub(super) session: SessionId,
    items: mpsc::Sender<Item>,
    lost: Arc<AtomicU8>,
    streams: HashSet<StreamId>,
}

impl Connection {
    /// Into the queue; if that is full, it is noted what was lost.
    fn put(&self, item: Item) -> bool {
        let lost = if matches!(item, Item::Entry(_)) { Lost::Entries } else { Lost::Word };
        let is_taken = self.items.try_send(item).is_ok();
        if !is_taken {
            self.lost.fetch_max(lost as u8, Ordering::SeqCst);
        }
        is_taken
    }
}

#[derive(Default)]
struct State {
    connections: HashMap<u64, Connection>,
    streams: HashMap<StreamId, Watched>,
}

/// A stream that somebody listens to.
struct Watched {
    /// The last seq carried.
    carried: i64,
    /// Under which this server carries it; another one in the database is another log.
    epoch: i64,
    listeners: HashSet<u64>,
}

/// The connections of this server.
pub struct Hub {
    state: Mutex<State>,
    keys: AtomicU64,
    /// Held while a connection is let in.
    pub(super) doors: Semaphore,
    waiting: AtomicUsize,
}

/// One of those that wait to be let in, until it is dropped.
pub(super) struct Waiting(Arc<Hub>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Hub {
    /// An empty hub.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::default(),
            keys: AtomicU64::default(),
            doors: Semaphore::new(LET_IN),
            waiting: AtomicUsize::default(),
        })
    }

    /// A place among those that wait to be let in, if there is one.
    pub(super) fn wait(self: &Arc<Self>) -> Option<Waiting> {
        let place = Waiting(Arc::clone(self));
        // dropped again, the place is free again
        (self.waiting.fetch_add(1, Ordering::SeqCst) < WAITING).then_some(place)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many are connected.
    #[must_use]
    pub fn connected(&self) -> usize {
        self.state().connections.len()
    }

    pub(super) fn enter(self: &Arc<Self>, person: PersonId, session: SessionId) -> Listener {
        let (sender, items) = mpsc::channel(QUEUE);
        let lost = Arc::new(AtomicU8::new(Lost::Nothing as u8));
        let key = self.keys.fetch_add(1, Ordering::Relaxed);
        let connection =
            Connection { person, session, items: sender, lost: Arc::clone(&lost), streams: HashSet::new() };
        let mut state = self.state();
        let own = || state.connections.iter().filter(|(_, known)| known.session == session);
        if own().count() >= SOCKETS_PER_SESSION
            && let Some((_, oldest)) = own().min_by_key(|(key, _)| **key)
        {
            oldest.put(Item::Close(Close::ConnectionLimit));
        }
        state.connections.insert(key, connection);
        drop(state);
        Listener { items, lost, key, hub: Arc::clone(self) }
    }

    /// Reads and carries what is new in a stream.
    async fn carry(&self, app: &App, stream: StreamId) -> Result<()> {
        loop {
            let Some(from) = self.state().streams.get(&stream).map(|watched| watched.carried) else { return Ok(()) };
            let entries = queries::entries(app, stream, Span::After(from), BATCH).await?;
            let Some(last) = entries.last().map(|entry| entry.seq) else { return Ok(()) };
            let frame = |entry: &EntryView| {
                Arc::new(Frame { stream, seq: entry.seq, text: protocol::publication_push(stream, entry).into() })
            };
            let frames: Vec<_> = entries.iter().map(frame).collect();
            let mut state = self.state();
            let State { connections, streams } = &mut *state;
            let Some(watched) = streams.get_mut(&stream) else { return Ok(()) };
            for key in &watched.listeners {
                let Some(connection) = connections.get(key) else { continue };
                for frame in &frames {
                    if !connection.put(Item::Entry(Arc::clone(frame))) {
                        break;
                    }
                }
            }
            watched.carried = watched.carried.max(last);
        }
    }

    pub(super) fn hand(&self, to: impl Fn(&Connection) -> bool, item: &Item) {
        for connection in self.state().connections.values().filter(|connection| to(connection)) {
            connection.put(item.clone());
        }
    }

    /// The stream is not what it was: who listens comes back and is told its new epoch.
    fn lose(&self, stream: StreamId) {
        let mut state = self.state();
        let Some(lost) = state.streams.remove(&stream) else { return };
        for connection in lost.listeners.iter().filter_map(|key| state.connections.get(key)) {
            connection.put(Item::Close(Close::InsufficientState));
        }
    }

    /// Ends every connection, a slice at a time so that not all come back at once.
    pub async fn drain(&self, within: Duration) {
        let all: Vec<_> = self.state().connections.values().map(|connection| connection.items.clone()).collect();
        let slices = all.chunks(all.len().div_ceil(20).max(1));
        for slice in slices {
            for items in slice {
                // a full queue ends by the process's end
                items.try_send(Item::Close(Close::Shutdown)).ok();
            }
            tokio::time::sleep(within / 20).await;
        }
    }
}

impl Listener {
    /// From now on gets the entries of these streams; says from which place each follows. Newest seq and epoch were read
    /// from the database before: what was committed and carried to others since then comes no second time, so the place
    /// is the hub's where that is further.
    pub(super) fn watch(&self, heads: impl IntoIterator<Item = (StreamId, (i64, i64))>) -> HashMap<StreamId, i64> {
        let mut state = self.hub.state();
        let mut places = HashMap::new();
        for (stream, (head, epoch)) in heads {
            let new = || Watched { carried: head, epoch, listeners: HashSet::new() };
            let watched = state.streams.entry(stream).or_insert_with(new);
            watched.listeners.insert(self.key);
            places.insert(stream, head.max(watched.carried));
            if let Some(connection) = state.connections.get_mut(&self.key) {
                connection.streams.insert(stream);
            }
        }
        places
    }

    /// What was lost since the last time this was asked; everything else that was queued is still to be received.
    pub(super) fn lost(&self) -> Lost {
        match self.lost.swap(Lost::Nothing as u8, Ordering::SeqCst) {
            0 => Lost::Nothing,
            1 => Lost::Entries,
            _ => Lost::Word,
        }
    }

    /// How far this server has carried the streams that are listened to, and their epochs.
    pub(super) fn heads(&self) -> Vec<(StreamId, i64, i64)> {
        let state = self.hub.state();
        let Some(connection) = state.connections.get(&self.key) else { return Vec::new() };
        let head = |id: &StreamId| state.streams.get(id).map(|watched| (*id, watched.epoch, watched.carried));
        connection.streams.iter().filter_map(head).collect()
    }

    /// No longer gets the entries of this stream.
    pub(super) fn unwatch(&self, stream: StreamId) {
        let mut state = self.hub.state();
        if let Some(connection) = state.connections.get_mut(&self.key) {
            connection.streams.remove(&stream);
        }
        forget(&mut state, stream, self.key);
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut state = self.hub.state();
        let Some(connection) = state.connections.remove(&self.key) else { return };
        for stream in connection.streams {
            forget(&mut state, stream, self.key);
        }
    }
}

fn forget(state: &mut State, stream: StreamId, key: u64) {
    if let Some(watched) = state.streams.get_mut(&stream) {
        watched.listeners.remove(&key);
        if watched.listeners.is_empty() {
            state.streams.remove(&stream);
        }
    }
}

/// Hears bells and carries entries until told to stop.
pub async fn listen(app: App, hub: Arc<Hub>, stop: CancellationToken) {
    let mut compare = tokio::time::interval(COMPARE_HEADS);
    let mut rights = Watch::default();
    let mut bells = loop {
        match app.broker.bells().await {
            Ok(bells) => break bells,
            Err(error) => tracing::warn!(%error, "no bells yet"),
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
            () = stop.cancelled() => return,
        }
    };
    loop {
        let done = tokio::select! {
            bell = bells.next() => match bell {
                Some(bell) => heard(&app, &hub, bell).await,
                None => return,
            },
            _ = compare.tick() => match rights.look(&app, &hub).await {
                Ok(()) => compare_heads(&app, &hub).await,
                failed => failed,
            },
            () = stop.cancelled() => return,
        };
        if let Err(error) = done {
            tracing::warn!(%error, "live");
        }
    }
}

/// Does what a bell asks for on this server.
///
/// # Errors
/// When the database cannot be read.
pub async fn heard(app: &App, hub: &Hub, bell: Bell) -> Result<()> {
    people::heard(app, &bell);
    match bell {
        Bell::Events | Bell::Deliveries => Ok(()),
        Bell::Stream { id, seq } => {
            let behind = hub.state().streams.get(&id).is_some_and(|watched| watched.carried < seq);
            if behind { hub.carry(app, id).await } else { Ok(()) }
        }
        Bell::Membership { person, stream } => {
            hub.hand(|connection| connection.person == person, &Item::Joined(stream));
            Ok(())
        }
        Bell::SessionEnded { session } => {
            hub.hand(|connection| connection.session == session, &Item::Close(Close::InvalidToken));
            Ok(())
        }
        Bell::RightsChanged { person } => {
            hub.hand(|connection| connection.person == person, &Item::Close(Close::ForceReconnect));
            Ok(())
        }
    }
}

/// Makes good for lost bells, and notices that the database was restored under a running server.
async fn compare_heads(app: &App, hub: &Hub) -> Result<()> {
    let watched: HashMap<StreamId, (i64, i64)> =
        hub.state().streams.iter().map(|(id, watched)| (*id, (watched.carried, watched.epoch))).collect();
    if watched.is_empty() {
        return Ok(());
    }
    let heads = queries::heads(app.store.read(), watched.keys().copied().collect()).await?;
    for (id, (carried, epoch)) in watched {
        match heads.get(&id) {
            Some((head, now)) if *now == epoch && *head > carried => hub.carry(app, id).await?,
            Some((_, now)) if *now == epoch => {}
            _ => hub.lose(id),
        }
    }
    Ok(())
}
