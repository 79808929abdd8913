//! The relay: gives committed events their number and hash, and runs every reaction on each of them exactly once.
//!
//! # Why
//! Events are taken because they have no number yet, never because an id is greater than a cursor: ids can commit out of
//! order. Numbers are gap-free and given by the one holder of the lease, so a reaction's progress is one number, moved in
//! the same transaction as what the reaction writes: a crash repeats nothing and skips nothing. All reactions share one
//! unit while all goes well, since most have nothing to do with most events; when one fails, each goes on in a unit of its
//! own. A reaction that fails on an event three times sets it aside as a dead letter and goes on, so that one bad event
//! holds up nobody; so does one for which a single event takes too long, while the others show that the database is well.
//! Before an event of a kind that a newer build brought the relay of an older one stands back, see `unknown`.
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::future::BoxFuture;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set, sea_query::OnConflict,
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    Event, chain,
    lease::{fenced, hold},
    rows::{cursor, dead_letter, event},
    unknown::{self, Aside, Taken},
};
use crate::{
    error::{Code, Error, Result},
    store::{Store, Tx},
};

/// Events of one unit at most: others wait for the writer meanwhile.
const BATCH: u64 = 50;
const TRIES: u32 = 3;
const POLL: Duration = Duration::from_millis(500);
const SIGN_EVERY: Duration = Duration::from_secs(5);

/// What follows from events: a name that never changes, and what to do.
#[derive(Clone, Copy)]
pub struct Reaction {
    /// Stable: its progress is kept under it.
    pub name: &'static str,
    /// Called once per event, in order.
    pub run: for<'t> fn(&'t Tx, &'t Event) -> BoxFuture<'t, Result<()>>,
}

/// How it went of late.
struct Pace {
    /// Failures in a row of each reaction.
    failures: HashMap<&'static str, u32>,
    /// Events of the next unit of all: fewer when one took too long, until it fits.
    together: Batch,
    /// The same for each reaction that goes on alone.
    alone: HashMap<&'static str, Batch>,
    /// The lease under which all was followed: only who has it numbers what is new.
    followed: Option<i64>,
    /// Before what it does not know.
    aside: Aside,
}

/// Events of a unit.
#[derive(Clone, Copy)]
struct Batch(u64);

impl Default for Pace {
    fn default() -> Self {
        Self {
            failures: HashMap::new(),
            together: Batch(BATCH),
            alone: HashMap::new(),
            followed: None,
            aside: Aside::default(),
        }
    }
}

impl Batch {
    /// Slowly more again, when all of it was needed: one that is too long has cost its whole time.
    fn done(&mut self, taken: usize) {
        if taken as u64 >= self.0 {
            self.0 = (self.0 + self.0.div_ceil(8)).min(BATCH);
        }
    }

    fn put_off(&mut self) {
        self.0 = (self.0 / 2).max(1);
    }
}

/// The relay of one process; idle while another holds the lease.
pub struct Relay {
    store: Store,
    reactions: Vec<Reaction>,
    wake: Arc<Notify>,
    holder: String,
}

impl Relay {
    /// A relay that runs these reactions; `wake` is notified when events were committed.
    #[must_use]
    pub fn new(store: Store, reactions: Vec<Reaction>, wake: Arc<Notify>) -> Self {
        Self { store, reactions, wake, holder: Uuid::now_v7().to_string() }
    }

    /// Works until told to stop.
    pub async fn run(self, stop: CancellationToken) {
        let mut pace = Pace::default();
        // there from the start, for whoever looks at it
        metrics::gauge!("relay_outdated").set(0.0);
        let mut signed = tokio::time::Instant::now();
        while !stop.is_cancelled() {
            let worked = match self.round(&mut pace).await {
                Ok(worked) => worked,
                Err(error) => {
                    tracing::error!(%error, "relay");
                    false
                }
            };
            if signed.elapsed() > SIGN_EVERY {
                signed = tokio::time::Instant::now();
                if let Err(error) = self.store.write(|tx| Box::pin(chain::sign_head(tx))).await {
                    tracing::error!(%error, "checkpoint");
                }
            }
            if worked {
                continue;
            }
            tokio::select! {
                () = self.wake.notified() => {}
                () = tokio::time::sleep(POLL) => {}
                () = stop.cancelled() => {}
            }
        }
        // the next start signs it otherwise
        drop(self.store.write(|tx| Box::pin(chain::sign_head(tx))).await);
    }

    /// One look: number what is new, then let every reaction catch up. Says whether there was work.
    async fn round(&self, pace: &mut Pace) -> Result<bool> {
        if pace.aside.rests() {
            return Ok(false);
        }
        let (holder, numbers) = (self.holder.clone(), !pace.aside.is_outdated());
        // where no answer comes, something may have been numbered all the same
        let followed = pace.followed.take();
        let (token, numbered) = self.store.write(move |tx| Box::pin(sequence(tx, (holder, numbers)))).await?;
        let Some(token) = token else { return Ok(false) };
        if numbered == 0 && followed == Some(token) {
            pace.followed = followed;
            return Ok(false);
        }
        if pace.failures.is_empty() {
            let (reactions, batch) = (self.reactions.clone(), pace.together.0);
            match self.store.write(move |tx| Box::pin(take_together(tx, token, (reactions, batch)))).await {
                Ok(Some(taken)) => {
                    pace.together.done(taken.count);
                    if pace.aside.stands_back(&self.store, token, &taken).await? {
                        return Ok(false);
                    }
                    pace.followed = (taken.count == 0).then_some(token);
                    return Ok(numbered + taken.count > 0);
                }
                // one that is far behind holds up nobody
                Ok(None) => {}
                Err(error) if passes(&error) && pace.together.0 > 1 => {
                    pace.together.put_off();
                    return Err(error);
                }
                // which of them it was shows when each is alone: also of one event that takes all of them too long
                Err(error) => tracing::warn!(%error, "reactions"),
            }
        }
        Ok(self.each_alone(token, pace).await? || numbered > 0)
    }

    /// Every reaction in a unit of its own. Says whether there was work.
    async fn each_alone(&self, token: i64, pace: &mut Pace) -> Result<bool> {
        let (mut worked, mut is_well, mut too_long) = (false, false, Vec::new());
        let mut stopped = None;
        for reaction in &self.reactions {
            let (reaction, batch) = (*reaction, pace.alone.entry(reaction.name).or_insert(Batch(BATCH)));
            let (count, begun) = (batch.0, Arc::new(AtomicBool::new(false)));
            let begins = Arc::clone(&begun);
            let unit = self.store.write(move |tx| {
                begins.store(true, Ordering::Relaxed);
                Box::pin(take(tx, token, reaction, count))
            });
            match unit.await {
                Ok(taken) => {
                    is_well = true;
                    batch.done(taken.count);
                    pace.failures.remove(reaction.name);
                    worked |= taken.count > 0;
                    stopped = stopped.or(Some(taken).filter(|taken| taken.stopped_at.is_some()));
                }
                Err(error) => {
                    tracing::error!(%error, reaction = reaction.name, "reaction failed");
                    metrics::counter!("reaction_failures_total").increment(1);
                    if count == 1 && begun.load(Ordering::Relaxed) && error.code() == Code::Busy {
                        too_long.push((reaction.name, error.to_string()));
                    } else if passes(&error) {
                        batch.put_off();
                    } else {
                        worked = true;
                        let tries = pace.failures.entry(reaction.name).or_default();
                        *tries += 1;
                        if *tries >= TRIES {
                            pace.failures.remove(reaction.name);
                            self.single_out(token, reaction).await?;
                        }
                    }
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        }
        if is_well {
            self.give_up(token, pace, too_long).await?;
        }
        // those that are behind come up to it first
        if let Some(taken) = stopped.filter(|_| !worked) {
            pace.aside.stands_back(&self.store, token, &taken).await?;
        }
        Ok(worked)
    }

    /// A single event took these too long while others got on: after some tries it always will, and is set aside.
    async fn give_up(&self, token: i64, pace: &mut Pace, too_long: Vec<(&'static str, String)>) -> Result<()> {
        for (name, error) in too_long {
            let tries = pace.failures.entry(name).or_default();
            *tries += 1;
            if *tries >= TRIES {
                pace.failures.remove(name);
                let reason = format!("took too long by itself, {TRIES} times: {error}");
                self.store.write(move |tx| Box::pin(set_aside(tx, token, name, reason))).await?;
            }
        }
        Ok(())
    }

    /// The batch failed again and again: goes through it one event a time and sets the bad one aside.
    async fn single_out(&self, token: i64, reaction: Reaction) -> Result<()> {
        for _ in 0..BATCH {
            match self.store.write(move |tx| Box::pin(take(tx, token, reaction, 1))).await {
                Ok(taken) if taken.count == 0 => return Ok(()),
                Ok(_) => {}
                Err(error) if passes(&error) => return Err(error),
                Err(error) => {
                    let reason = error.to_string();
                    return self.store.write(move |tx| Box::pin(set_aside(tx, token, reaction.name, reason))).await;
                }
            }
        }
        Ok(())
    }
}

/// Nothing seems wrong with the event: the disk is full, the database is away, too much was taken at once, or we end.
fn passes(error: &Error) -> bool {
    matches!(error.code(), Code::Busy | Code::StorageFull | Code::ShuttingDown)
}

/// Takes or keeps the lease, and numbers what has no number yet.
async fn sequence(tx: &Tx, (holder, numbers): (String, bool)) -> Result<(Option<i64>, usize)> {
    let Some(token) = hold(tx, holder).await? else { return Ok((None, 0)) };
    let numbered = if numbers { chain::number_new(tx, BATCH).await? } else { 0 };
    Ok((Some(token), numbered))
}

/// Runs a reaction on the next events and moves its cursor, all in one unit.
async fn take(tx: &Tx, token: i64, reaction: Reaction, count: u64) -> Result<Taken> {
    let from = progress(tx, reaction.name).await?;
    let rows = event::Entity::find()
        .filter(event::Column::Number.gt(from))
        .order_by_asc(event::Column::Number)
        .limit(count)
        .all(tx)
        .await?;
    let (events, stopped_at) = unknown::known(rows);
    let Some(last) = events.last().map(|event| event.number) else { return Ok(Taken { count: 0, stopped_at }) };
    fenced(tx, token).await?;
    for event in &events {
        (reaction.run)(tx, event).await?;
    }
    advance(tx, &[reaction.name], last).await?;
    Ok(Taken { count: events.len(), stopped_at })
}

/// Runs every reaction on the next events that it has not seen and moves all cursors, in one unit. `None`: one of them is
/// too far behind the others.
async fn take_together(tx: &Tx, token: i64, (reactions, batch): (Vec<Reaction>, u64)) -> Result<Option<Taken>> {
    let known = cursor::Entity::find().all(tx).await?;
    let known: HashMap<String, i64> = known.into_iter().map(|row| (row.reaction, row.number)).collect();
    let seen = |reaction: &Reaction| known.get(reaction.name).copied().unwrap_or(0);
    let (least, most) = reactions.iter().map(seen).fold((i64::MAX, 0), |(a, b), at| (a.min(at), b.max(at)));
    if most.saturating_sub(least) > BATCH.cast_signed() {
        return Ok(None);
    }
    let rows = event::Entity::find()
        .filter(event::Column::Number.gt(least))
        .order_by_asc(event::Column::Number)
        .limit(batch)
        .all(tx)
        .await?;
    let (events, stopped_at) = unknown::known(rows);
    let Some(last) = events.last().map(|event| event.number) else { return Ok(Some(Taken { count: 0, stopped_at })) };
    fenced(tx, token).await?;
    let mut moved = Vec::new();
    for reaction in reactions.iter().filter(|reaction| seen(reaction) < last) {
        for event in events.iter().filter(|event| event.number > seen(reaction)) {
            (reaction.run)(tx, event).await?;
        }
        moved.push(reaction.name);
    }
    advance(tx, &moved, last).await?;
    Ok(Some(Taken { count: events.len(), stopped_at }))
}

async fn progress(tx: &Tx, reaction: &str) -> Result<i64> {
    Ok(cursor::Entity::find_by_id(reaction).one(tx).await?.map_or(0, |row| row.number))
}

async fn advance(tx: &Tx, reactions: &[&str], number: i64) -> Result<()> {
    let row = |name: &&str| cursor::ActiveModel { reaction: Set((*name).to_owned()), number: Set(number) };
    let moved = OnConflict::column(cursor::Column::Reaction).update_column(cursor::Column::Number).to_owned();
    cursor::Entity::insert_many(reactions.iter().map(row)).on_conflict(moved).exec_without_returning(tx).await?;
    Ok(())
}

async fn set_aside(tx: &Tx, token: i64, reaction: &'static str, reason: String) -> Result<()> {
    fenced(tx, token).await?;
    let number = progress(tx, reaction).await? + 1;
    let row = dead_letter::ActiveModel {
        reaction: Set(reaction.to_owned()),
        number: Set(number),
        error: Set(reason.chars().take(500).collect()),
        at: Set(tx.now()),
    };
    row.insert(tx).await?;
    advance(tx, &[reaction], number).await
}

#[cfg(test)]
mod tests {
    use sea_orm::ConnectionTrait;

    use super::*;
    use crate::{calendar::Calendar, clock::Clock, keys::Keys};

    #[tokio::test]
    async fn a_look_that_finds_nothing_takes_one_turn_at_the_writer() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Arc::new(Keys::load_or_make(folder.path()).unwrap());
        let url = format!("sqlite://{}", folder.path().join("relay.db").display());
        let calendar = Calendar::load(None).unwrap();
        let (store, _rung) = crate::store::open((&url, 1), Clock::system(), calendar, keys).await.unwrap();
        let nothing = Reaction { name: "nothing", run: |_, _| Box::pin(async { Ok(()) }) };
        let relay = Relay::new(store.clone(), vec![nothing], Arc::default());
        let mut pace = Pace::default();
        assert!(!relay.round(&mut pace).await.unwrap());
        let before = store.statements().1;
        assert!(!relay.round(&mut pace).await.unwrap());
        assert_eq!(store.statements().1 - before, 2, "the lease, and what has no number");
        let broken = store.write(|tx| {
            Box::pin(async move { Ok(tx.execute_unprepared("ALTER TABLE leases RENAME TO away").await.map(drop)?) })
        });
        broken.await.unwrap();
        assert!(relay.round(&mut pace).await.is_err());
        assert_eq!(pace.followed, None, "what was numbered before an answer was lost is followed the next time");
    }
}
