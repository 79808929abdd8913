//! Who is connected to this server and who listens to what.
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};
use tokio::sync::Semaphore;

use super::{
    calls::Calls,
    connection::{Connection, Way},
    protocol::Close,
    recent::Recent,
    room::Room,
    session::{self, Work},
};
use crate::{
    app::App,
    ids::{PersonId, SessionId, StreamId},
};

/// Connections that are let in at the same time: all come back at once after a restart.
const LET_IN: usize = 200;
/// Connections that wait to be let in; more are sent away before they are opened. One network holds as many as are left free
/// at most: however many networks open sockets and say nothing, others find room.
const WAITING: usize = 4000;
/// Sockets of one log-in; the oldest goes when there are more.
const SOCKETS_PER_SESSION: usize = 256;
/// Connections ended between two short rests.
const SLICE: usize = 50;

/// What connections work with.
pub(super) struct Means {
    pub(super) app: App,
    pub(super) calls: Calls,
    pub(super) hub: Arc<Hub>,
    pub(super) recent: Recent,
    pub(super) room: Room,
}

#[derive(Default)]
pub(super) struct State {
    /// By the second in which they are asked whether they are there.
    slots: Vec<HashMap<u64, Arc<Connection>>>,
    people: HashMap<PersonId, Vec<u64>>,
    sessions: HashMap<SessionId, Vec<u64>>,
    pub(super) streams: HashMap<StreamId, Watched>,
}

/// Who is connected, and how.
pub(super) struct Who {
    pub(super) person: PersonId,
    pub(super) session: SessionId,
    pub(super) rights: u64,
    pub(super) is_own: bool,
    pub(super) expires_at: Option<DateTime<Utc>>,
}

/// A stream that somebody listens to.
pub(super) struct Watched {
    /// The last seq carried, or on its way.
    pub(super) carried: i64,
    /// Under which this server carries it; another one in the database is another log.
    pub(super) epoch: i64,
    /// In the order of their keys: thousands leave at once, and each is to be found without looking at all.
    pub(super) listeners: Vec<Arc<Connection>>,
    /// Somebody reads what is new and hands it over; one at a time, so that the order is that of `seq`.
    pub(super) is_carried: bool,
    /// Look once more when that is done.
    pub(super) again: bool,
}

impl Watched {
    /// Where the connection of this key is, or belongs.
    fn place(&self, key: u64) -> usize {
        // whoever comes is nearly always the newest: found without a look at a dozen others, each somewhere else in memory
        if self.listeners.last().is_none_or(|newest| newest.key < key) {
            return self.listeners.len();
        }
        self.listeners.partition_point(|one| one.key < key)
    }
}

/// The connections of this server.
pub struct Hub {
    state: Mutex<State>,
    keys: AtomicU64,
    count: AtomicUsize,
    /// Sockets held at most.
    most: usize,
    /// Seconds between two pings.
    pub(super) ping_secs: u64,
    /// Held while a connection is let in.
    pub(super) doors: Semaphore,
    waiting: AtomicUsize,
    waiting_from: Mutex<HashMap<IpAddr, usize>>,
    is_draining: AtomicBool,
}

/// One of those that wait to be let in, until it is dropped.
pub(super) struct Waiting(Arc<Hub>, IpAddr);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::SeqCst);
        let mut networks = self.0.waiting_from.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = networks.get_mut(&self.1) {
            *count -= 1;
            if *count == 0 {
                networks.remove(&self.1);
            }
        }
    }
}

impl Hub {
    /// An empty hub for so many sockets, each asked every so many seconds whether it is there.
    #[must_use]
    pub fn new(most: usize, ping_secs: u64) -> Arc<Self> {
        let ping_secs = ping_secs.max(1);
        let slots = (0..ping_secs).map(|_| HashMap::new()).collect();
        Arc::new(Self {
            state: Mutex::new(State { slots, ..State::default() }),
            keys: AtomicU64::default(),
            count: AtomicUsize::default(),
            most,
            ping_secs,
            doors: Semaphore::new(LET_IN),
            waiting: AtomicUsize::default(),
            waiting_from: Mutex::default(),
            is_draining: AtomicBool::default(),
        })
    }

    /// A place among those that wait to be let in, if there is one and the server goes on.
    pub(super) fn wait(self: &Arc<Self>, network: IpAddr) -> Option<Waiting> {
        let mut networks = self.waiting_from.lock().unwrap_or_else(PoisonError::into_inner);
        let from_there = networks.entry(network).or_default();
        let waiting = self.waiting.fetch_add(1, Ordering::SeqCst);
        *from_there += 1;
        let is_room = *from_there <= WAITING.saturating_sub(waiting) && self.connected() + waiting < self.most;
        drop(networks);
        // dropped again, the place is free again
        let place = Waiting(Arc::clone(self), network);
        (is_room && !self.is_draining()).then_some(place)
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many are connected.
    #[must_use]
    pub fn connected(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }

    /// Is the server on its way out?
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.is_draining.load(Ordering::SeqCst)
    }

    pub(super) fn enter(&self, who: &Who, way: Way, means: Arc<Means>) -> Arc<Connection> {
        let key = self.keys.fetch_add(1, Ordering::Relaxed);
        let connection = Connection::new(key, who, way, means);
        let mut state = self.state();
        let own = state.sessions.entry(who.session).or_insert_with(|| Vec::with_capacity(1));
        let oldest = (own.len() >= SOCKETS_PER_SESSION).then(|| own.iter().min().copied()).flatten();
        own.push(key);
        state.people.entry(who.person).or_insert_with(|| Vec::with_capacity(1)).push(key);
        let oldest = oldest.and_then(|key| state.connection(key).cloned());
        let slot = state.slot(key);
        if let Some(slot) = state.slots.get_mut(slot) {
            slot.insert(key, Arc::clone(&connection));
        }
        drop(state);
        self.count.fetch_add(1, Ordering::SeqCst);
        if let Some(oldest) = oldest {
            oldest.end(Close::ConnectionLimit);
        }
        if self.is_draining() {
            connection.end(Close::Shutdown);
        }
        // whose it is was read before, at a busy door long before: what ended since found nobody here, but what is kept
        // of them is gone by it; gone for its age alone it costs a look
        let kept = connection.means.app.actors.get(who.session);
        if kept.is_none_or(|actor| session::rights(&actor) != who.rights) {
            connection.work(Work::Look);
        }
        connection
    }

    /// From now on the connection gets the entries of these streams; says in their order from which place each follows.
    /// Newest seq and epoch were read from the database before: what was carried to others since then comes no second time,
    /// so the place is the hub's where that is further.
    pub(super) fn watch(&self, connection: &Arc<Connection>, heads: &[(StreamId, i64, i64)]) -> Vec<i64> {
        let mut state = self.state();
        // whoever has left meanwhile is taken out of no list any more, and would hold a place for good
        if state.connection(connection.key).is_none() {
            return heads.iter().map(|(_, head, _)| *head).collect();
        }
        connection.watch(heads.iter().map(|(id, ..)| *id));
        let place = |(stream, head, epoch): &(StreamId, i64, i64)| {
            let new =
                || Watched { carried: *head, epoch: *epoch, listeners: Vec::new(), is_carried: false, again: false };
            let watched = state.streams.entry(*stream).or_insert_with(new);
            let at = watched.place(connection.key);
            watched.listeners.insert(at, Arc::clone(connection));
            if watched.epoch != *epoch {
                // restored, and nobody has noticed: what was carried is of another log
                connection.end(Close::InsufficientState);
                return *head;
            }
            watched.carried.max(*head)
        };
        heads.iter().map(place).collect()
    }

    pub(super) fn unwatch(&self, connection: &Connection, stream: StreamId) -> bool {
        let mut state = self.state();
        let was_in = connection.leave(stream);
        if was_in {
            state.forget(stream, connection.key);
        }
        was_in
    }

    pub(super) fn leave(&self, connection: &Connection) {
        let mut state = self.state();
        let key = connection.key;
        let slot = state.slot(key);
        if state.slots.get_mut(slot).and_then(|slot| slot.remove(&key)).is_none() {
            return;
        }
        self.count.fetch_sub(1, Ordering::SeqCst);
        for stream in connection.streams() {
            connection.leave(stream);
            state.forget(stream, key);
        }
        if let Some(own) = state.people.get_mut(&connection.person) {
            own.retain(|known| *known != key);
            if own.is_empty() {
                state.people.remove(&connection.person);
            }
        }
        if let Some(own) = state.sessions.get_mut(&connection.session) {
            own.retain(|known| *known != key);
            if own.is_empty() {
                state.sessions.remove(&connection.session);
            }
        }
    }

    /// How far this server has carried the streams of a connection, and their epochs: id, epoch, seq.
    pub(super) fn heads(&self, connection: &Connection) -> Vec<(StreamId, i64, i64)> {
        let state = self.state();
        let head = |id: StreamId| state.streams.get(&id).map(|watched| (id, watched.epoch, watched.carried));
        connection.streams().into_iter().filter_map(head).collect()
    }

    pub(super) fn listeners(&self, stream: StreamId) -> Vec<Arc<Connection>> {
        self.state().streams.get(&stream).map(|watched| watched.listeners.clone()).unwrap_or_default()
    }

    pub(super) fn of_person(&self, person: PersonId) -> Vec<Arc<Connection>> {
        let state = self.state();
        state.all(state.people.get(&person))
    }

    pub(super) fn of_session(&self, session: SessionId) -> Vec<Arc<Connection>> {
        let state = self.state();
        state.all(state.sessions.get(&session))
    }

    pub(super) fn in_slot(&self, slot: usize) -> Vec<Arc<Connection>> {
        self.state().slots.get(slot).map(|slot| slot.values().cloned().collect()).unwrap_or_default()
    }

    pub(super) fn everybody(&self) -> Vec<Arc<Connection>> {
        self.state().slots.iter().flat_map(HashMap::values).cloned().collect()
    }

    /// The stream is not what it was: who listens comes back and is told its new epoch.
    pub(super) fn lose(&self, stream: StreamId) {
        let lost = self.state().streams.remove(&stream);
        for connection in lost.into_iter().flat_map(|watched| watched.listeners) {
            connection.end(Close::InsufficientState);
        }
    }

    /// From now on nobody new is let in; those who are there are asked to come back elsewhere, a slice at a time.
    pub async fn drain(&self, within: Duration) {
        self.is_draining.store(true, Ordering::SeqCst);
        let all = self.everybody();
        let rest = within / u32::try_from(all.len().div_ceil(SLICE).max(1)).unwrap_or(u32::MAX);
        for slice in all.chunks(SLICE) {
            slice.iter().for_each(|connection| connection.end(Close::Shutdown));
            tokio::time::sleep(rest).await;
        }
        // whoever was let in a moment before, and a moment for them
        let late = self.everybody();
        late.iter().for_each(|connection| connection.end(Close::Shutdown));
        if !late.is_empty() {
            tokio::time::sleep(rest.min(Duration::from_millis(50))).await;
        }
    }
}

impl State {
    fn slot(&self, key: u64) -> usize {
        usize::try_from(key % self.slots.len().max(1) as u64).unwrap_or_default()
    }

    fn connection(&self, key: u64) -> Option<&Arc<Connection>> {
        self.slots.get(self.slot(key))?.get(&key)
    }

    fn all(&self, keys: Option<&Vec<u64>>) -> Vec<Arc<Connection>> {
        keys.into_iter().flatten().filter_map(|key| self.connection(*key)).cloned().collect()
    }

    fn forget(&mut self, stream: StreamId, key: u64) {
        let Some(watched) = self.streams.get_mut(&stream) else { return };
        let place = watched.place(key);
        if watched.listeners.get(place).is_some_and(|one| one.key == key) {
            watched.listeners.remove(place);
        }
        if watched.listeners.is_empty() {
            self.streams.remove(&stream);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_that_say_nothing_leave_room_for_others() {
        let (hub, from) = (Hub::new(100_000, 25), |last: u8| IpAddr::from([10, 0, 0, last]));
        let mut held: Vec<Waiting> = Vec::new();
        let mut take_all = |network: u8| {
            let before = held.len();
            while let Some(place) = hub.wait(from(network)) {
                held.push(place);
            }
            held.len() - before
        };
        assert_eq!([take_all(1), take_all(2), take_all(3)], [2000, 1000, 500]);
        assert_eq!(take_all(4), 250, "a phone of a fourth network is let in");
        assert_eq!(take_all(1), 0, "who holds most gets no more");
        held.clear();
        assert_eq!((hub.waiting.load(Ordering::SeqCst), hub.waiting_from.lock().unwrap().len()), (0, 0));
        assert!(hub.wait(from(1)).is_some());
    }
}
