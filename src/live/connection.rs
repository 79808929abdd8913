//! One connection, shared by who reads from it and by who has something for it: where it is in each stream, what waits.
//!
//! # Why
//! Whoever carries an entry writes it to the socket himself as long as nothing waits there; a task woken for each frame
//! costs more than the frame. Only a socket that does not take what is written gets a queue, and its task empties it.
use std::{
    collections::VecDeque,
    io::ErrorKind,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use tokio::{net::TcpStream, sync::Notify, time::Instant};

use super::{
    batch::{Batch, New},
    hub::{Means, Who},
    outbox::{Kind, Mark, Outbox, Piece},
    protocol::Close,
    session::{self, Work},
    wire::Line,
};
use crate::ids::{PersonId, SessionId, StreamId};

/// Calls that wait or run.
const CALLS: usize = 16;
/// Batches kept back for a stream that is being subscribed.
const HELD: usize = 64;
/// Being subscribed: what comes is kept back until it is known where the connection begins.
const BEGINNING: i64 = -1;

/// How bytes go out.
pub(super) enum Way {
    /// Written at once.
    Socket {
        stream: TcpStream,
        /// The place that the connection takes, for as long as it lives.
        _line: Line,
    },
    /// Fetched by a stream of server-sent events.
    Events,
}

/// How writing went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flushed {
    All,
    /// The other side takes no more for now; did it take anything?
    Blocked(bool),
    Gone,
}

pub(super) struct Connection {
    pub(super) key: u64,
    pub(super) person: PersonId,
    pub(super) session: SessionId,
    /// One of our own clients, which fetches over REST what it is told to have missed.
    pub(super) is_own: bool,
    /// Of the seats and the home with which the connection was opened.
    pub(super) rights: u64,
    pub(super) way: Way,
    pub(super) means: Arc<Means>,
    pub(super) wake: Notify,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Last seq handed over, per stream.
    places: Vec<(StreamId, i64)>,
    held: Vec<Arc<Batch>>,
    /// `connect` was answered; nothing is said before.
    is_begun: bool,
    out: Outbox,
    /// Entries were thrown away: once there is room it is told where everything stands.
    is_behind: bool,
    /// And more since it was looked at where everything stands.
    is_further_behind: bool,
    close: Option<Close>,
    work: VecDeque<Work>,
    is_working: bool,
    /// When the credential stops to hold, if it does so by itself.
    expires_at: Option<DateTime<Utc>>,
    /// Since when a ping is unanswered.
    asked_at: Option<Instant>,
    pings: u32,
    typed_at: Option<Instant>,
}

impl Connection {
    pub(super) fn new(key: u64, who: &Who, way: Way, means: Arc<Means>) -> Arc<Self> {
        Arc::new(Self {
            key,
            person: who.person,
            session: who.session,
            is_own: who.is_own,
            rights: who.rights,
            way,
            means,
            wake: Notify::new(),
            state: Mutex::new(State { expires_at: who.expires_at, ..State::default() }),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on entries of these streams are kept back, until [`Self::begin`].
    pub(super) fn watch(&self, streams: impl Iterator<Item = StreamId>) {
        self.state().places.extend(streams.map(|id| (id, BEGINNING)));
    }

    /// Has everything in these streams up to these places; says so, and hands over what was kept back since.
    pub(super) fn begin(&self, places: &[(StreamId, i64)], said: Option<Bytes>, marks: Vec<Mark>) {
        let mut state = self.state();
        for (stream, seq) in places {
            if let Some(place) = state.places.iter_mut().find(|(id, _)| id == stream) {
                place.1 = *seq;
            }
        }
        state.places.shrink_to_fit();
        state.is_begun = true;
        if let Some(said) = said {
            self.put(&mut state, said, Kind::Word, marks);
        }
        let (ready, held): (Vec<_>, Vec<_>) = std::mem::take(&mut state.held)
            .into_iter()
            .partition(|batch| places.iter().any(|(id, _)| *id == batch.stream));
        state.held = held;
        for batch in ready {
            self.deliver_to(&mut state, &batch);
        }
    }

    pub(super) fn leave(&self, stream: StreamId) -> bool {
        let mut state = self.state();
        let before = state.places.len();
        state.places.retain(|(id, _)| *id != stream);
        state.places.len() < before
    }

    pub(super) fn is_in(&self, stream: StreamId) -> bool {
        self.state().places.iter().any(|(id, _)| *id == stream)
    }

    pub(super) fn streams(&self) -> Vec<StreamId> {
        self.state().places.iter().map(|(id, _)| *id).collect()
    }

    pub(super) fn stream_count(&self) -> usize {
        self.state().places.len()
    }

    /// Hands over what is new in a batch: at once if nothing waits.
    pub(super) fn deliver(&self, batch: &Arc<Batch>) {
        self.deliver_to(&mut self.state(), batch);
    }

    fn deliver_to(&self, state: &mut State, batch: &Arc<Batch>) {
        let Some(place) = state.places.iter_mut().find(|(id, _)| *id == batch.stream) else { return };
        // also of who is behind: what is told then of where it stands comes before the subscription
        if place.1 == BEGINNING && state.close.is_none() {
            match state.held.len() {
                0..HELD => state.held.push(Arc::clone(batch)),
                _ => self.end_in(state, Close::InsufficientState),
            }
            return;
        }
        if state.close.is_some() || state.is_behind {
            state.is_further_behind = true;
            return;
        }
        let seq = place.1;
        match batch.after(seq) {
            New::Nothing => {}
            New::Gap => self.end_in(state, Close::InsufficientState),
            New::Frames(bytes, count, last) if !state.out.is_full((count, bytes.len())) => {
                place.1 = last;
                self.put_entries(state, batch, seq, (bytes, count));
            }
            New::Frames(..) if self.is_own => {
                metrics::counter!("sockets_resynced_total").increment(1);
                state.is_behind = true;
                state.out.keep_words();
                self.wake.notify_one();
            }
            New::Frames(..) => self.end_in(state, Close::InsufficientState),
        }
    }

    fn put_entries(&self, state: &mut State, batch: &Batch, seq: i64, (bytes, count): (Bytes, usize)) {
        if let Way::Socket { .. } = self.way {
            return self.put(state, bytes, Kind::Entries(count), Vec::new());
        }
        for (at, frame) in batch.each_after(seq) {
            let mark = Mark { stream: batch.stream, epoch: None, seq: Some(at) };
            self.put(state, frame, Kind::Entries(1), vec![mark]);
        }
    }

    /// What was thrown away is made good in one word once there is room: where the streams stand now.
    pub(super) fn is_behind(&self) -> bool {
        let mut state = self.state();
        state.is_further_behind = false;
        state.is_behind && state.out.is_empty()
    }

    /// Knows by this word where these streams stand; unless more came since that was looked up, then it is looked up again.
    pub(super) fn resynced(&self, said: Bytes, heads: &[(StreamId, i64, i64)]) {
        let mut state = self.state();
        if state.is_further_behind {
            return;
        }
        state.is_behind = false;
        for (stream, _, seq) in heads {
            if let Some(place) = state.places.iter_mut().find(|(id, at)| id == stream && *at != BEGINNING) {
                place.1 = place.1.max(*seq);
            }
        }
        let mark = |(stream, epoch, seq): &(StreamId, i64, i64)| Mark {
            stream: *stream,
            epoch: Some(*epoch),
            seq: Some(*seq),
        };
        let marks = if matches!(self.way, Way::Events) { heads.iter().map(mark).collect() } else { Vec::new() };
        self.put(&mut state, said, Kind::Word, marks);
    }

    /// Something that is told once.
    pub(super) fn say(&self, frame: Bytes) {
        self.say_marked(frame, Vec::new());
    }

    pub(super) fn say_marked(&self, frame: Bytes, marks: Vec<Mark>) {
        let mut state = self.state();
        if state.is_begun && state.close.is_none() {
            self.put(&mut state, frame, Kind::Word, marks);
        }
    }

    fn put(&self, state: &mut State, bytes: Bytes, kind: Kind, marks: Vec<Mark>) {
        let Way::Socket { stream, .. } = &self.way else {
            state.out.push(bytes, kind, marks);
            self.wake.notify_one();
            return;
        };
        if !state.out.is_empty() {
            state.out.push(bytes, kind, marks);
            return;
        }
        let written = match stream.try_write(&bytes) {
            Ok(written) if written == bytes.len() => return,
            Ok(written) => written,
            // one that is gone is noticed by who reads
            Err(_) => 0,
        };
        state.out.push_rest(bytes, written, kind);
        self.wake.notify_one();
    }

    /// Writes what waits.
    pub(super) fn flush(&self) -> Flushed {
        let Way::Socket { stream, .. } = &self.way else { return Flushed::All };
        let mut state = self.state();
        let mut has_moved = false;
        while !state.out.is_empty() {
            let (slices, count) = state.out.slices();
            let written = stream.try_write_vectored(slices.get(..count).unwrap_or_default());
            match written {
                Ok(0) => return Flushed::Gone,
                Ok(written) => {
                    state.out.written(written);
                    has_moved = true;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Flushed::Blocked(has_moved),
                Err(_) => return Flushed::Gone,
            }
        }
        Flushed::All
    }

    /// The next piece, and why the connection ends, if it does.
    pub(super) fn take(&self) -> (Option<Piece>, Option<Close>) {
        let mut state = self.state();
        (state.out.take(), state.close)
    }

    /// Ends the connection; what is half out is ended first, entries that wait are not.
    pub(super) fn end(&self, close: Close) {
        self.end_in(&mut self.state(), close);
    }

    fn end_in(&self, state: &mut State, close: Close) {
        if state.close.is_none() {
            state.close = Some(close);
            state.out.keep_words();
            state.work.clear();
            self.wake.notify_one();
        }
    }

    pub(super) fn closing(&self) -> Option<Close> {
        self.state().close
    }

    /// The last frame; nothing is said after it.
    pub(super) fn say_last(&self, frame: Bytes, close: Close) {
        let mut state = self.state();
        self.end_in(&mut state, close);
        state.out.push(frame, Kind::Word, Vec::new());
    }

    /// To be done after what was asked for before. `false`: too much waits already.
    pub(super) fn work(self: &Arc<Self>, work: Work) -> bool {
        let mut state = self.state();
        if state.close.is_some() {
            return true;
        }
        if matches!(work, Work::Command(_)) && state.work.len() >= CALLS {
            return false;
        }
        state.work.push_back(work);
        drop(state);
        self.kick();
        true
    }

    /// More waits than a reader would leave.
    pub(super) fn is_long(&self) -> bool {
        self.state().out.is_long()
    }

    /// Goes on with what is to be done, unless somebody does or the answers before are not taken.
    pub(super) fn kick(self: &Arc<Self>) {
        let mut state = self.state();
        if !state.is_begun || state.is_working || state.work.is_empty() || state.out.is_long() {
            return;
        }
        state.is_working = true;
        drop(state);
        tokio::spawn(session::work(Arc::clone(self)));
    }

    pub(super) fn next_work(&self) -> Option<Work> {
        let mut state = self.state();
        let next = if state.out.is_long() { None } else { state.work.pop_front() };
        state.is_working = next.is_some();
        if state.work.is_empty() {
            state.work = VecDeque::new();
        }
        next
    }

    /// Any traffic shows that the other side lives.
    pub(super) fn heard(&self) {
        self.state().asked_at = None;
    }

    /// Has a ping been unanswered for so long?
    pub(super) fn is_silent(&self, within: Duration) -> bool {
        self.state().asked_at.is_some_and(|at| at.elapsed() >= within)
    }

    /// Is asked whether it is there; the number of the question, or `None` while it takes nothing.
    pub(super) fn ask(&self) -> Option<u32> {
        let mut state = self.state();
        let is_socket = matches!(self.way, Way::Socket { .. });
        if !state.is_begun || state.close.is_some() || (is_socket && !state.out.is_empty()) {
            return None;
        }
        if is_socket {
            state.asked_at.get_or_insert_with(Instant::now);
        }
        state.pings += 1;
        Some(state.pings)
    }

    pub(super) fn is_expired(&self, now: DateTime<Utc>) -> bool {
        self.state().expires_at.is_some_and(|at| at <= now)
    }

    pub(super) fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.state().expires_at
    }

    pub(super) fn refreshed(&self, until: DateTime<Utc>) {
        self.state().expires_at = Some(until);
    }

    /// Not more often than once within this time.
    pub(super) fn may_type(&self, again: Duration) -> bool {
        let mut state = self.state();
        let (before, now) = (state.typed_at, Instant::now());
        state.typed_at = before.filter(|at| now - *at < again).or(Some(now));
        state.typed_at != before
    }
}
