//! The hash chain over the log and its signed checkpoints: any edit, removal, reordering or cut-off end shows.
use chrono::{DateTime, SecondsFormat, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, Select, Set,
    sea_query::Expr,
};

use super::{
    Head,
    rows::{checkpoint, event, head},
};
use crate::{
    error::{Error, Result},
    keys::{Keys, sha256_hex},
    store::{Store, Tx},
};

/// The hash before the first event.
const ORIGIN: &str = "liusheng-log-1";
/// Events read at once.
const PIECE: u64 = 1000;

/// SHA-256 over the hash before and the fields of the event, each with its length, so that no two events read alike.
pub(super) fn link(before: &str, number: i64, row: &event::Model) -> String {
    let fields = [
        before.to_owned(),
        number.to_string(),
        row.id.to_string(),
        row.kind.clone(),
        row.area_code.clone().unwrap_or_default(),
        row.actor_id.map(|id| id.to_string()).unwrap_or_default(),
        row.subject_id.clone(),
        row.data.clone(),
        row.at.to_rfc3339_opts(SecondsFormat::Millis, true),
    ];
    let mut bytes = Vec::with_capacity(512);
    for field in fields {
        bytes.extend_from_slice(&(field.len() as u64).to_be_bytes());
        bytes.extend_from_slice(field.as_bytes());
    }
    sha256_hex(&bytes)
}

/// Gives those that have no number yet their number and their hash, so many at most; says how many.
///
/// # Errors
/// When the database refuses.
pub(super) async fn number_new(tx: &Tx, most: u64) -> Result<usize> {
    let new = event::Entity::find()
        .filter(event::Column::Number.is_null())
        .order_by_asc(event::Column::At)
        .order_by_asc(event::Column::Id)
        .limit(most)
        .all(tx)
        .await?;
    if new.is_empty() {
        return Ok(0);
    }
    let head = head::Entity::find_by_id(1).one(tx).await?.ok_or_else(|| Error::broken("no chain head"))?;
    let mut number = head.number;
    let mut hash = if number == 0 { sha256_hex(ORIGIN.as_bytes()) } else { head.hash.clone() };
    let count = new.len();
    for row in new {
        number += 1;
        hash = link(&hash, number, &row);
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
    Ok(count)
}

fn statement(number: i64, hash: &str, at: DateTime<Utc>) -> Vec<u8> {
    format!("liusheng-checkpoint-1\n{number}\n{hash}\n{}", at.to_rfc3339_opts(SecondsFormat::Millis, true)).into_bytes()
}

/// Was this head signed by one of our keys?
#[must_use]
pub fn is_signed(keys: &Keys, head: &Head) -> bool {
    keys.signed(&head.key_id, &statement(head.number, &head.hash, head.at.with_timezone(&Utc)), &head.signature)
}

/// Signs the head, unless there is nothing to sign or this head is signed already.
///
/// # Errors
/// When the database or the key file fails.
pub(super) async fn sign_head(tx: &Tx) -> Result<()> {
    let Some(head) = head::Entity::find_by_id(1).one(tx).await? else { return Ok(()) };
    if head.number == 0 || checkpoint::Entity::find_by_id(head.number).one(tx).await?.is_some() {
        return Ok(());
    }
    let at = tx.now();
    let (key_id, signature) = tx.keys().sign(&statement(head.number, &head.hash, at))?;
    let row = checkpoint::ActiveModel {
        number: Set(head.number),
        hash: Set(head.hash),
        key_id: Set(key_id),
        signature: Set(signature),
        at: Set(at),
    };
    row.insert(tx).await?;
    Ok(())
}

/// What a check of the whole log found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainReport {
    /// Events that verify, from the first on.
    pub events: i64,
    /// Signed checkpoints that verify.
    pub checkpoints: i64,
    /// The first thing that is wrong, in plain words for the log.
    pub first_bad: Option<String>,
}

/// Reads the whole log in order, a piece at a time, and checks every link, the head and every checkpoint.
///
/// # Errors
/// When the database cannot be read.
pub async fn verify(store: &Store, keys: &Keys) -> Result<ChainReport> {
    let mut report = ChainReport { events: 0, checkpoints: 0, first_bad: None };
    // a server may go on meanwhile: what it signs and adds from here on is for the next look
    let newest = checkpoint::Entity::find().order_by_desc(checkpoint::Column::Number).one(store.read()).await?;
    let signed_to = newest.map_or(0, |point| point.number);
    let until = head_now(store).await?;
    let mut before = sha256_hex(ORIGIN.as_bytes());
    loop {
        let rows = event::Entity::find()
            .filter(event::Column::Number.gt(report.events))
            .filter(event::Column::Number.lte(until.number))
            .order_by_asc(event::Column::Number)
            .limit(PIECE)
            .all(store.read())
            .await?;
        let Some(last) = rows.last().and_then(|row| row.number) else { break };
        let signed = points(report.events, last).all(store.read()).await?;
        report.first_bad = take_in(keys, (&mut report, &mut before), (rows, signed));
        if report.first_bad.is_some() {
            return Ok(report);
        }
    }
    let left = points(report.events, signed_to).one(store.read()).await?;
    report.first_bad = ending(store, &report, (&before, &until), left.as_ref()).await?;
    Ok(report)
}

/// The checkpoints of these events. An empty log was signed once, which says nothing.
fn points(after: i64, up_to: i64) -> Select<checkpoint::Entity> {
    checkpoint::Entity::find()
        .filter(checkpoint::Column::Number.gt(after))
        .filter(checkpoint::Column::Number.lte(up_to))
        .order_by_asc(checkpoint::Column::Number)
}

/// Goes on by these events and the checkpoints among them; what is wrong, if anything is.
fn take_in(
    keys: &Keys,
    (report, before): (&mut ChainReport, &mut String),
    (rows, signed): (Vec<event::Model>, Vec<checkpoint::Model>),
) -> Option<String> {
    let mut signed = signed.into_iter().peekable();
    for row in rows {
        let number = report.events + 1;
        if row.number != Some(number) {
            return Some(format!("event {number} is missing"));
        }
        let hash = link(before, number, &row);
        if row.hash.as_deref() != Some(&hash) {
            return Some(format!("event {number} ({}) does not fit the chain", row.id));
        }
        if let Some(point) = signed.next_if(|point| point.number == number) {
            let says = statement(number, &hash, point.at);
            if point.hash != hash || !keys.signed(&point.key_id, &says, &point.signature) {
                return Some(format!("checkpoint {number} does not fit the chain or its signature is wrong"));
            }
            report.checkpoints += 1;
        }
        *before = hash;
        report.events = number;
    }
    None
}

/// A cut-off end shows as a checkpoint or a head beyond the last event.
async fn ending(
    store: &Store,
    report: &ChainReport,
    (hash, until): (&str, &head::Model),
    left: Option<&checkpoint::Model>,
) -> Result<Option<String>> {
    if let Some(point) = left {
        return Ok(Some(format!("events after {} are missing: checkpoint {} was signed", report.events, point.number)));
    }
    let unlike = |head: i64, log: i64| Some(format!("the head says {head} events, the log has {log}"));
    if until.number != report.events || (report.events > 0 && until.hash != hash) {
        return Ok(unlike(until.number, report.events));
    }
    // the head is moved together with the last event, so a later look at it covers what was there before
    let newest = event::Entity::find().order_by_desc(event::Column::Number).filter(event::Column::Number.is_not_null());
    let newest = newest.one(store.read()).await?.and_then(|row| row.number).unwrap_or(0);
    let now = head_now(store).await?.number;
    let beyond = || format!("event {newest} does not fit the chain: the head says {now} events");
    Ok((newest > now).then(beyond))
}

async fn head_now(store: &Store) -> Result<head::Model> {
    head::Entity::find_by_id(1).one(store.read()).await?.ok_or_else(|| Error::broken("no chain head"))
}
