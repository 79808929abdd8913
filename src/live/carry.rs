//! Carries committed entries to who listens, and does what other bells ask for.
//!
//! # Why
//! A bell says only "stream S has entries up to n". What is new is read once per server, encoded once, and written to each
//! socket from here. The last seq carried is compared with the database every second, so that a bell lost in the
//! broker is made good without any client noticing. While a stream is being carried, what comes is carried together
//! afterwards, in one write to each: a burst costs as few writes as a drop.
//!
//! Nobody is made to wait for a turn: the specification lets frames out in slices of 2,000 every 100 ms, so that not all
//! ask for more at once; here everybody is told at once and the entry says within which time to ask (`jitter_ms`).
use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt, future::join_all};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::{
    batch::Batch,
    connection::Connection,
    hub::Hub,
    patience::within,
    protocol::Close,
    rights::Watch,
    session::{self, Work},
    typing,
};
use crate::{
    app::App,
    broker::Bell,
    error::Result,
    ids::StreamId,
    people,
    streams::{
        EntryView,
        queries::{self, Span},
    },
};

const COMPARE_HEADS: Duration = Duration::from_secs(1);
/// Streams compared by one statement: a full one is the same each second, and stays prepared.
const COMPARED: usize = 512;
/// Entries read in one go when a server lags behind a stream.
const BATCH: u64 = 200;
/// Sockets written to before others get a turn on this processor.
const TURN: usize = 128;
/// From so many listeners on they are asked not to fetch anything all at once.
const MANY: usize = 2000;
/// Something to so many waits until nothing more was said for so long: thousands of writes are then done once.
const GATHER: Duration = Duration::from_millis(15);
/// Whoever talks without end is heard after this time.
const GATHER_MOST: Duration = Duration::from_millis(60);
/// Within which time, at most.
const JITTER_MS: usize = 3000;
/// An entry in a mailbox that says: you belong to a stream now, or no longer.
const MEMBER: &str = "member";

/// Hears bells and carries entries until told to stop. A database that answers late keeps no bell from being heard.
pub async fn listen(app: App, hub: Arc<Hub>, stop: CancellationToken) {
    tokio::select! {
        () = hear(&app, &hub) => {}
        () = compare(&app, &hub) => {}
        () = stop.cancelled() => {}
    }
}

/// Until the broker is left.
async fn hear(app: &App, hub: &Arc<Hub>) {
    let mut bells = app.broker.bells();
    while let Some(bell) = bells.next().await {
        heard(app, hub, bell);
    }
}

/// Every second, for what no bell told.
async fn compare(app: &App, hub: &Arc<Hub>) {
    let mut rights = Watch::default();
    let mut every = tokio::time::interval(COMPARE_HEADS);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        // each by itself: one that fails must not keep the other from being done
        let done = [within(rights.look(app, hub)).await, compare_heads(app, hub).await];
        for error in done.into_iter().filter_map(Result::err) {
            tracing::warn!(%error, "live");
        }
    }
}

/// Does what a bell asks for on this server; entries are carried by a task of their own.
fn heard(app: &App, hub: &Arc<Hub>, bell: Bell) {
    people::heard(app, &bell);
    match bell {
        Bell::Events | Bell::Deliveries => {}
        Bell::Stream { id, seq } => {
            if hub.state().streams.get(&id).is_some_and(|watched| watched.carried < seq) {
                carry(app, hub, id);
            }
        }
        Bell::Membership { person, stream } => {
            for connection in hub.of_person(person) {
                connection.work(Work::Joined(stream));
                // whoever was taken out hears no more, however long what was asked for before that takes
                if connection.is_in(stream) {
                    tokio::spawn(async move {
                        if let Ok(None) = within(session::heard_still(&connection, stream)).await {
                            // who was let in again since that was read is found by another look
                            connection.work(Work::Joined(stream));
                        }
                    });
                }
            }
        }
        Bell::SessionEnded { session } => {
            hub.of_session(session).iter().for_each(|connection| connection.end(Close::InvalidToken));
        }
        Bell::RightsChanged { person } => {
            hub.of_person(person).iter().for_each(|connection| connection.end(Close::ForceReconnect));
        }
        Bell::Typing { stream, person, body } => {
            let (app, hub) = (app.clone(), Arc::clone(hub));
            tokio::spawn(async move {
                if let Err(error) = within(typing::show(&app, &hub, (stream, person, body))).await {
                    tracing::debug!(%error, "who writes");
                }
            });
        }
        Bell::Missed => {
            let (app, hub) = (app.clone(), Arc::clone(hub));
            tokio::spawn(async move {
                if let Err(error) = compare_heads(&app, &hub).await {
                    tracing::warn!(%error, "live");
                }
            });
        }
    }
}

/// Reads and hands over what is new in a stream, unless that is being done: then once more afterwards.
fn carry(app: &App, hub: &Arc<Hub>, stream: StreamId) {
    let mut state = hub.state();
    let Some(watched) = state.streams.get_mut(&stream) else { return };
    if watched.is_carried {
        watched.again = true;
        return;
    }
    watched.is_carried = true;
    let is_to_many = watched.listeners.len() >= MANY;
    drop(state);
    let (app, hub) = (app.clone(), Arc::clone(hub));
    tokio::spawn(async move {
        if is_to_many {
            gather(&hub, stream).await;
        }
        let mut is_more = true;
        while is_more {
            if let Err(error) = carry_new(&app, &hub, stream).await {
                // compared with the database in a second
                tracing::warn!(%error, "carrying");
            }
            let mut state = hub.state();
            let Some(watched) = state.streams.get_mut(&stream) else { return };
            is_more = std::mem::take(&mut watched.again);
            watched.is_carried = is_more;
        }
    });
}

/// Waits for what is said at the same moment. It takes more than one commit, and whoever went at once would go twice.
async fn gather(hub: &Hub, stream: StreamId) {
    let until = Instant::now() + GATHER_MOST;
    let mut is_more = true;
    while is_more && Instant::now() < until {
        tokio::time::sleep(GATHER).await;
        // whatever bells have told so far is read in a moment
        is_more = hub.state().streams.get_mut(&stream).is_some_and(|watched| std::mem::take(&mut watched.again));
    }
}

async fn carry_new(app: &App, hub: &Hub, stream: StreamId) -> Result<()> {
    loop {
        let Some(from) = hub.state().streams.get(&stream).map(|watched| watched.carried) else { return Ok(()) };
        let entries = within(queries::entries(app, stream, Span::After(from), BATCH)).await?;
        let Some(last) = entries.last().map(|entry| entry.seq) else { return Ok(()) };
        // who listens from here on is told to be at `last` already
        let listeners = {
            let mut state = hub.state();
            let Some(watched) = state.streams.get_mut(&stream) else { return Ok(()) };
            watched.carried = watched.carried.max(last);
            watched.listeners.clone()
        };
        let listeners: Arc<[Arc<Connection>]> = listeners.into();
        hand_over(&listeners, Batch::of(stream, &entries, jitter_ms(listeners.len()))).await;
        for other in entries.iter().filter_map(belongs) {
            for connection in listeners.iter() {
                connection.work(Work::Joined(other));
            }
        }
        if entries.len() < usize::try_from(BATCH).unwrap_or(usize::MAX) {
            return Ok(());
        }
    }
}

/// Within which time so many who hear something should ask for more, if they do; 0: it does not matter.
fn jitter_ms(listeners: usize) -> usize {
    if listeners < MANY { 0 } else { (listeners * 3 / 10).min(JITTER_MS) }
}

/// The stream that a mailbox says its person belongs to, or no longer.
fn belongs(entry: &EntryView) -> Option<StreamId> {
    let id = entry.body.get("stream_id").filter(|_| entry.kind == MEMBER)?;
    id.as_str().and_then(|id| id.parse().ok())
}

/// On as many processors as there are, when it is worth it.
async fn hand_over(listeners: &Arc<[Arc<Connection>]>, batches: Vec<Arc<Batch>>) {
    if listeners.len() <= TURN {
        return listeners.iter().for_each(|connection| batches.iter().for_each(|batch| connection.deliver(batch)));
    }
    let share = listeners.len().div_ceil(std::thread::available_parallelism().map_or(1, usize::from)).max(TURN);
    let parts = (0..listeners.len().div_ceil(share)).map(|part| (part, Arc::clone(listeners), batches.clone()));
    let tasks = parts.map(|(part, listeners, batches)| {
        tokio::spawn(async move {
            for turn in listeners.chunks(share).nth(part).unwrap_or_default().chunks(TURN) {
                for connection in turn {
                    batches.iter().for_each(|batch| connection.deliver(batch));
                }
                tokio::task::yield_now().await;
            }
        })
    });
    join_all(tasks).await;
}

/// Makes good for lost bells, and notices that the database was restored under a running server.
async fn compare_heads(app: &App, hub: &Arc<Hub>) -> Result<()> {
    let watched: Vec<(StreamId, i64, i64)> =
        hub.state().streams.iter().map(|(id, watched)| (*id, watched.carried, watched.epoch)).collect();
    // the time is that of a piece: all streams of a full server may take longer, and one that began anew would never end
    for some in watched.chunks(COMPARED) {
        // nearly all of them stand where they stood: only the others are told
        let moved = within(queries::moved(app.store.read(), some.to_vec())).await?;
        if moved.is_empty() {
            continue;
        }
        let heads = within(queries::heads(app.store.read(), moved.iter().copied().collect())).await?;
        for (id, carried, epoch) in some.iter().filter(|(id, ..)| moved.contains(id)) {
            match heads.get(id) {
                Some((head, now)) if now == epoch && head > carried => carry(app, hub, *id),
                Some((_, now)) if now == epoch => {}
                _ => hub.lose(*id),
            }
        }
    }
    Ok(())
}

/// For what is not an entry: told to who listens now, but for one person, and for those who take so little that it would
/// only pile up.
pub(super) fn tell(hub: &Hub, stream: StreamId, but: crate::ids::PersonId, text: &str) {
    let frame = super::frames::text(text);
    for connection in hub.listeners(stream).iter().filter(|one| one.person != but && !one.is_long()) {
        connection.say(frame.clone());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::live::hub::Watched;

    #[tokio::test]
    async fn what_is_said_at_the_same_moment_is_waited_for_but_not_without_end() {
        let (hub, stream) = (Hub::new(1, 25), StreamId::new());
        let watched = Watched { carried: 0, epoch: 0, listeners: Vec::new(), is_carried: true, again: true };
        hub.state().streams.insert(stream, watched);
        let began = Instant::now();
        gather(&hub, stream).await;
        assert!(began.elapsed() >= 2 * GATHER, "more was said: {:?}", began.elapsed());
        assert!(!hub.state().streams[&stream].again, "what was waited for is not read twice");
        let talking = Arc::clone(&hub);
        let talker = tokio::spawn(async move {
            for _ in 0..10_000 {
                talking.state().streams.get_mut(&stream).unwrap().again = true;
                tokio::time::sleep(GATHER / 5).await;
            }
        });
        let waiting = tokio::time::timeout(Duration::from_secs(10), gather(&hub, stream));
        assert!(waiting.await.is_ok(), "whoever talks without end is never heard");
        talker.abort();
    }

    fn entry(kind: &str, body: Value) -> EntryView {
        EntryView {
            seq: 1,
            no: 0,
            kind: kind.into(),
            sender: None,
            reply_to: None,
            quote: None,
            target_seq: None,
            state: None,
            rev: None,
            is_pinned: false,
            body,
            created_at: crate::clock::local(chrono::DateTime::default()),
        }
    }

    #[test]
    fn only_a_member_entry_that_names_a_stream_moves_somebody() {
        let id = StreamId::new();
        let body = json!({ "stream_id": id, "change": "left" });
        assert_eq!(belongs(&entry(MEMBER, body.clone())), Some(id));
        assert_eq!(belongs(&entry("message", body)), None);
        assert_eq!(belongs(&entry(MEMBER, json!({ "person_id": id }))), None);
    }

    #[test]
    fn thousands_are_told_not_to_ask_for_more_all_at_once() {
        assert_eq!([0, 1_999, 2_000, 5_000, 440_000].map(jitter_ms), [0, 0, 600, 1_500, 3_000]);
        let told = |jitter| -> Value {
            let text = crate::live::protocol::publication(&entry("message", json!({ "text": "停水" })), jitter);
            serde_json::from_str(&text).unwrap()
        };
        let few = told(0);
        assert_eq!((&few["offset"], &few["data"]["v"], &few["data"]["seq"]), (&json!(1), &json!(1), &json!(1)));
        assert_eq!((&few["data"]["body"]["text"], few["data"].get("jitter_ms")), (&json!("停水"), None));
        assert_eq!(told(600)["data"]["jitter_ms"], 600);
    }
}
