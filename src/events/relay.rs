//! The relay: gives committed events their number and hash, and runs every reaction on each of them exactly once.
//!
//! # Why
//! Events are taken because they have no number yet, never because an id is greater than a cursor: ids can commit out of
//! order. Numbers are gap-free and given by the one holder of the lease, so a reaction's progress is one number, moved in
//! the same transaction as what the reaction writes: a crash repeats nothing and skips nothing. A reaction that fails on an
//! event three times sets it aside as a dead letter and goes on, so that one bad event holds up nobody.
use std::{collections::HashMap, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::BoxFuture;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, Set,
    sea_query::{Expr, OnConflict},
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    Event, Kind, chain,
    rows::{cursor, dead_letter, event, head, lease},
};
use crate::{
    error::{Code, Error, Result},
    keys::{Keys, sha256_hex},
    store::{Store, Tx},
};

const BATCH: u64 = 200;
const LEASE: &str = "relay";
const LEASE_SECS: i64 = 10;
const TRIES: u32 = 3;
const POLL: Duration = Duration::from_millis(500);
const SIGN_EVERY: Duration = Duration::from_secs(5);

/// What follows from events: a name that never changes, and what to do.
#[derive(Clone, Copy)]
pub struct Reaction {
    /// Stable: its progress is kept under it.
    pub name: &'static str,
    /// Called once per event, in order, in a unit of work of its own.
    pub run: for<'t> fn(&'t Tx, &'t Event) -> BoxFuture<'t, Result<()>>,
}

/// The relay of one process; idle while another holds the lease.
pub struct Relay {
    store: Store,
    keys: Arc<Keys>,
    reactions: Vec<Reaction>,
    wake: Arc<Notify>,
    holder: String,
}

impl Relay {
    /// A relay that runs these reactions; `wake` is notified when events were committed.
    #[must_use]
    pub fn new(store: Store, keys: Arc<Keys>, reactions: Vec<Reaction>, wake: Arc<Notify>) -> Self {
        Self { store, keys, reactions, wake, holder: Uuid::now_v7().to_string() }
    }

    /// Works until told to stop.
    pub async fn run(self, stop: CancellationToken) {
        let mut failures: HashMap<&'static str, u32> = HashMap::new();
        let mut signed = tokio::time::Instant::now();
        while !stop.is_cancelled() {
            let worked = match self.round(&mut failures).await {
                Ok(worked) => worked,
                Err(error) => {
                    tracing::error!(%error, "relay");
                    false
                }
            };
            if signed.elapsed() > SIGN_EVERY {
                signed = tokio::time::Instant::now();
                let keys = Arc::clone(&self.keys);
                let done = self.store.write(move |tx| Box::pin(async move { chain::sign_head(tx, &keys).await })).await;
                if let Err(error) = done {
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
        let keys = Arc::clone(&self.keys);
        // the next start signs it otherwise
        drop(self.store.write(move |tx| Box::pin(async move { chain::sign_head(tx, &keys).await })).await);
    }

    /// One look: number what is new, then let every reaction catch up. Says whether there was work.
    async fn round(&self, failures: &mut HashMap<&'static str, u32>) -> Result<bool> {
        let holder = self.holder.clone();
        let (token, numbered) = self.store.write(move |tx| Box::pin(sequence(tx, holder))).await?;
        let Some(token) = token else { return Ok(false) };
        let mut worked = numbered > 0;
        for reaction in &self.reactions {
            let reaction = *reaction;
            match self.store.write(move |tx| Box::pin(catch_up(tx, token, reaction))).await {
                Ok(taken) => {
                    failures.remove(reaction.name);
                    worked |= taken > 0;
                }
                Err(error) => {
                    tracing::error!(%error, reaction = reaction.name, "reaction failed");
                    metrics::counter!("reaction_failures_total").increment(1);
                    let tries = failures.entry(reaction.name).or_default();
                    *tries += u32::from(!passes(&error));
                    if *tries >= TRIES {
                        failures.remove(reaction.name);
                        self.single_out(token, reaction).await?;
                    }
                    worked |= !passes(&error);
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        }
        Ok(worked)
    }

    /// The batch failed again and again: goes through it one event a time and sets the bad one aside.
    async fn single_out(&self, token: i64, reaction: Reaction) -> Result<()> {
        for _ in 0..BATCH {
            match self.store.write(move |tx| Box::pin(take(tx, token, reaction, 1))).await {
                Ok(0) => return Ok(()),
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

/// Nothing is wrong with the event: the disk is full, the database is away, or we end.
fn passes(error: &Error) -> bool {
    matches!(error.code(), Code::Busy | Code::StorageFull | Code::ShuttingDown)
}

/// Takes or keeps the lease and numbers what has no number yet.
async fn sequence(tx: &Tx, holder: String) -> Result<(Option<i64>, usize)> {
    let Some(token) = hold(tx, holder).await? else { return Ok((None, 0)) };
    let new = event::Entity::find()
        .filter(event::Column::Number.is_null())
        .order_by_asc(event::Column::At)
        .order_by_asc(event::Column::Id)
        .limit(BATCH)
        .all(tx)
        .await?;
    if new.is_empty() {
        return Ok((Some(token), 0));
    }
    let head = head::Entity::find_by_id(1).one(tx).await?.ok_or_else(|| Error::broken("no chain head"))?;
    let mut number = head.number;
    let mut hash = if number == 0 { sha256_hex(chain::ORIGIN.as_bytes()) } else { head.hash.clone() };
    let count = new.len();
    for row in new {
        number += 1;
        hash = chain::link(&hash, number, &row);
        event::Entity::update_many()
            .col_expr(event::Column::Number, Expr::value(number))
            .col_expr(event::Column::Hash, Expr::value(hash.clone()))
            .filter(event::Column::Id.eq(row.id))
            .exec(tx)
            .await?;
    }
    let mut head = head.into_active_model();
    head.number = Set(number);
    head.hash = Set(hash);
    head.update(tx).await?;
    Ok((Some(token), count))
}

/// The lease: `Some(token)` while this holder has it.
async fn hold(tx: &Tx, holder: String) -> Result<Option<i64>> {
    let now = tx.now();
    let expires = now + TimeDelta::seconds(LEASE_SECS);
    let Some(row) = lease::Entity::find_by_id(LEASE).one(tx).await? else {
        let row = lease::ActiveModel {
            name: Set(LEASE.into()),
            holder: Set(holder),
            token: Set(1),
            expires_at: Set(expires),
        };
        row.insert(tx).await?;
        return Ok(Some(1));
    };
    let mine = row.holder == holder;
    if !mine && row.expires_at > now {
        return Ok(None);
    }
    // renewing at every look would make an idle server write twice a second
    if mine && row.expires_at - now > TimeDelta::seconds(LEASE_SECS / 2) {
        return Ok(Some(row.token));
    }
    let token = if mine { row.token } else { row.token + 1 };
    let mut row = row.into_active_model();
    row.holder = Set(holder);
    row.token = Set(token);
    row.expires_at = Set(expires);
    row.update(tx).await?;
    Ok(Some(token))
}

/// The newest token of any lease; 0 without leases.
///
/// # Errors
/// When the database cannot be read.
pub async fn newest_lease(db: &impl ConnectionTrait) -> Result<i64> {
    let newest = lease::Entity::find().select_only().column_as(lease::Column::Token.max(), "newest");
    Ok(newest.into_tuple::<Option<i64>>().one(db).await?.flatten().unwrap_or(0))
}

/// Ends every lease; whoever held one, here or in the database before, is fenced off.
///
/// # Errors
/// When the database refuses.
pub async fn end_leases(tx: &Tx, before: i64) -> Result<()> {
    let newest = newest_lease(tx).await?.max(before);
    lease::Entity::update_many()
        .col_expr(lease::Column::Token, Expr::value(newest + 1))
        .col_expr(lease::Column::Holder, Expr::value(String::new()))
        .col_expr(lease::Column::ExpiresAt, Expr::value(DateTime::<Utc>::UNIX_EPOCH))
        .exec(tx)
        .await?;
    Ok(())
}

async fn fenced(tx: &Tx, token: i64) -> Result<()> {
    let row = lease::Entity::find_by_id(LEASE).one(tx).await?;
    if row.is_some_and(|row| row.token == token) {
        return Ok(());
    }
    Err(Error::broken("the relay's lease went to another process"))
}

async fn catch_up(tx: &Tx, token: i64, reaction: Reaction) -> Result<usize> {
    take(tx, token, reaction, BATCH).await
}

/// Runs a reaction on the next events and moves its cursor, all in one unit.
async fn take(tx: &Tx, token: i64, reaction: Reaction, count: u64) -> Result<usize> {
    let from = progress(tx, reaction.name).await?;
    let rows = event::Entity::find()
        .filter(event::Column::Number.gt(from))
        .order_by_asc(event::Column::Number)
        .limit(count)
        .all(tx)
        .await?;
    let Some(last) = rows.last().and_then(|row| row.number) else { return Ok(0) };
    fenced(tx, token).await?;
    let taken = rows.len();
    for row in rows {
        if let Some(event) = open(row) {
            (reaction.run)(tx, &event).await?;
        }
    }
    advance(tx, reaction.name, last).await?;
    Ok(taken)
}

async fn progress(tx: &Tx, reaction: &str) -> Result<i64> {
    Ok(cursor::Entity::find_by_id(reaction).one(tx).await?.map_or(0, |row| row.number))
}

async fn advance(tx: &Tx, reaction: &str, number: i64) -> Result<()> {
    let row = cursor::ActiveModel { reaction: Set(reaction.to_owned()), number: Set(number) };
    let moved = OnConflict::column(cursor::Column::Reaction).update_column(cursor::Column::Number).to_owned();
    cursor::Entity::insert(row).on_conflict(moved).exec_without_returning(tx).await?;
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
    advance(tx, reaction, number).await
}

/// Runs the dead letters of these reactions once more; says how many went through and how many are left.
///
/// # Errors
/// When the database fails.
pub async fn redrive(store: &Store, reactions: &[Reaction]) -> Result<(usize, u64)> {
    let letters = dead_letter::Entity::find().order_by_asc(dead_letter::Column::Number).all(store.read()).await?;
    let mut through = 0;
    for letter in letters {
        let Some(reaction) = reactions.iter().copied().find(|known| known.name == letter.reaction) else { continue };
        if store.write(move |tx| Box::pin(again(tx, reaction, letter))).await.is_ok() {
            through += 1;
        }
    }
    Ok((through, dead_letter::Entity::find().count(store.read()).await?))
}

/// Runs one dead letter once more. Nothing to do when somebody else has done it meanwhile.
///
/// # Errors
/// `not_found` for a reaction that this build does not know; what the reaction failed with.
pub async fn redrive_letter(store: &Store, reactions: &[Reaction], (name, number): (&str, i64)) -> Result<()> {
    let reaction = reactions.iter().copied().find(|known| known.name == name).ok_or(Code::NotFound)?;
    let letter = dead_letter::Entity::find_by_id((name.to_owned(), number)).one(store.read()).await?;
    let Some(letter) = letter else { return Ok(()) };
    store.write(move |tx| Box::pin(again(tx, reaction, letter))).await
}

/// Takes the letter away first: of two who run it at once, one does.
async fn again(tx: &Tx, reaction: Reaction, letter: dead_letter::Model) -> Result<()> {
    let taken = dead_letter::Entity::delete_many()
        .filter(dead_letter::Column::Reaction.eq(&letter.reaction))
        .filter(dead_letter::Column::Number.eq(letter.number))
        .exec(tx)
        .await?;
    if taken.rows_affected != 1 {
        return Ok(());
    }
    let row = event::Entity::find().filter(event::Column::Number.eq(letter.number)).one(tx).await?;
    if let Some(event) = row.and_then(open) {
        (reaction.run)(tx, &event).await?;
    }
    Ok(())
}

/// `None`: a kind that this build does not know, recorded by a newer one.
pub(super) fn open(row: event::Model) -> Option<Event> {
    Some(Event {
        id: row.id,
        number: row.number?,
        kind: Kind::parse(&row.kind)?,
        area: row.area_code,
        actor: row.actor_id,
        subject: row.subject_id,
        data: serde_json::from_str(&row.data).unwrap_or_default(),
        at: row.at,
    })
}
