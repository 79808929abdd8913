//! Reads of the log: the head for everybody, the backlog for operators, the timeline of one thing.
use chrono::{DateTime, FixedOffset};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Event, Kind,
    rows::{checkpoint, cursor, dead_letter, event, head},
    unknown::open,
};
use crate::{clock, error::Result, ids::PersonId, store::Store};

/// Lines of a timeline.
const TOLD: u64 = 5000;

/// The signed head, as published.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Head {
    /// Events in the log.
    pub number: i64,
    /// Hash of the last one.
    pub hash: String,
    /// Which key signed.
    pub key_id: String,
    /// Ed25519 over `liusheng-checkpoint-1 LF number LF hash LF time`.
    pub signature: String,
    /// When it was signed.
    pub at: DateTime<FixedOffset>,
}

/// The newest signed head.
///
/// # Errors
/// When the database cannot be read.
pub async fn head(store: &Store) -> Result<Option<Head>> {
    signed(store.read()).await
}

async fn signed(db: &impl ConnectionTrait) -> Result<Option<Head>> {
    let newest = checkpoint::Entity::find().order_by_desc(checkpoint::Column::Number).one(db).await?;
    Ok(newest.map(|row| Head {
        number: row.number,
        hash: row.hash,
        key_id: row.key_id,
        signature: row.signature,
        at: clock::local(row.at),
    }))
}

/// Number of the newest event in the chain.
///
/// # Errors
/// When the database cannot be read.
pub async fn newest(store: &Store) -> Result<i64> {
    Ok(head::Entity::find().one(store.read()).await?.map_or(0, |row| row.number))
}

/// Events of these kinds after one number up to another, in their order.
///
/// # Errors
/// When the database cannot be read.
pub async fn between(store: &Store, (after, to): (i64, i64), kinds: &[Kind]) -> Result<Vec<Event>> {
    let rows = event::Entity::find()
        .filter(event::Column::Number.gt(after))
        .filter(event::Column::Number.lte(to))
        .filter(event::Column::Kind.is_in(kinds.iter().map(|kind| kind.as_str())))
        .order_by_asc(event::Column::Number)
        .all(store.read())
        .await?;
    Ok(rows.into_iter().filter_map(open).collect())
}

/// Where the log stands.
#[derive(Clone, Debug)]
pub struct Standing {
    /// Events in the chain.
    pub number: i64,
    /// Hash of the last one; empty without any.
    pub hash: String,
    /// Events without a number.
    pub waiting: u64,
    /// When the newest of all events happened.
    pub last_at: Option<DateTime<chrono::Utc>>,
    /// The newest signed head.
    pub signed: Option<Head>,
}

/// Where the log stands, in a snapshot or as it is. The newest time is found by reading them all: for a backup and the doctor,
/// who read everything; an index would cost each event that is written.
///
/// # Errors
/// When the database cannot be read.
pub async fn standing(db: &impl ConnectionTrait) -> Result<Standing> {
    let head = head::Entity::find_by_id(1).one(db).await?;
    let (number, hash) = head.map_or_else(Default::default, |head| (head.number, head.hash));
    let waiting = event::Entity::find().filter(event::Column::Number.is_null()).count(db).await?;
    let last = event::Entity::find().order_by_desc(event::Column::At).one(db).await?;
    Ok(Standing { number, hash, waiting, last_at: last.map(|row| row.at), signed: signed(db).await? })
}

/// Hash of the event with this number, and when it happened.
///
/// # Errors
/// When the database cannot be read.
pub async fn event_at(db: &impl ConnectionTrait, number: i64) -> Result<Option<(String, DateTime<chrono::Utc>)>> {
    let row = event::Entity::find().filter(event::Column::Number.eq(number)).one(db).await?;
    Ok(row.and_then(|row| Some((row.hash?, row.at))))
}

/// When the newest event of this kind happened to this subject.
///
/// # Errors
/// When the database cannot be read.
pub async fn last(db: &impl ConnectionTrait, kind: Kind, subject: &str) -> Result<Option<DateTime<chrono::Utc>>> {
    let events = event::Entity::find()
        .filter(event::Column::SubjectId.eq(subject))
        .filter(event::Column::Kind.eq(kind.as_str()))
        .order_by_desc(event::Column::At);
    Ok(events.one(db).await?.map(|row| row.at))
}

/// The area in which an event of this kind happened to this subject last.
///
/// # Errors
/// When the database cannot be read.
pub async fn last_area(db: &impl ConnectionTrait, kind: Kind, subject: &str) -> Result<Option<String>> {
    let events = event::Entity::find()
        .filter(event::Column::SubjectId.eq(subject))
        .filter(event::Column::Kind.eq(kind.as_str()))
        .order_by_desc(event::Column::At);
    Ok(events.one(db).await?.and_then(|row| row.area_code))
}

/// What waits, for `/metrics` and `/readyz`.
#[derive(Clone, Debug, Default)]
pub struct Backlog {
    /// Events without a number.
    pub unsequenced: u64,
    /// Age of the oldest of them in seconds.
    pub oldest_secs: i64,
    /// Events that the slowest reaction has not seen.
    pub behind: i64,
    /// Events that a reaction could not take.
    pub dead_letters: u64,
}

/// Measures the backlog.
///
/// # Errors
/// When the database cannot be read.
pub async fn backlog(store: &Store, now: DateTime<chrono::Utc>) -> Result<Backlog> {
    let read = store.read();
    let oldest =
        event::Entity::find().filter(event::Column::Number.is_null()).order_by_asc(event::Column::At).one(read).await?;
    let unsequenced = event::Entity::find().filter(event::Column::Number.is_null()).count(read).await?;
    let slowest = cursor::Entity::find().order_by_asc(cursor::Column::Number).one(read).await?;
    let number = head::Entity::find_by_id(1).one(read).await?.map_or(0, |head| head.number);
    Ok(Backlog {
        unsequenced,
        oldest_secs: oldest.map_or(0, |row| (now - row.at).num_seconds()),
        behind: slowest.map_or(0, |row| number - row.number),
        dead_letters: dead_letter::Entity::find().count(read).await?,
    })
}

/// Reactions that have not seen every event, the slowest first, and how many each has still to see.
///
/// # Errors
/// When the database cannot be read.
pub async fn behind(db: &impl ConnectionTrait) -> Result<Vec<(String, i64)>> {
    let number = head::Entity::find_by_id(1).one(db).await?.map_or(0, |head| head.number);
    let slow = cursor::Entity::find()
        .filter(cursor::Column::Number.lt(number))
        .order_by_asc(cursor::Column::Number)
        .order_by_asc(cursor::Column::Reaction)
        .all(db)
        .await?;
    Ok(slow.into_iter().map(|row| (row.reaction, number - row.number)).collect())
}

/// An event that a reaction could not take.
#[derive(Clone, Debug)]
pub struct DeadLetter {
    /// The reaction.
    pub reaction: String,
    /// Number of the event.
    pub number: i64,
    /// What happened; absent for a kind that this build does not know.
    pub kind: Option<Kind>,
    /// Where.
    pub area: Option<String>,
    /// Why it could not.
    pub error: String,
    /// When it was set aside.
    pub at: DateTime<FixedOffset>,
}

/// The dead letters, oldest event first, 100 at most.
///
/// # Errors
/// When the database cannot be read.
pub async fn dead_letters(db: &impl ConnectionTrait) -> Result<Vec<DeadLetter>> {
    let rows = dead_letter::Entity::find().order_by_asc(dead_letter::Column::Number).limit(100).all(db).await?;
    let of = event::Column::Number.is_in(rows.iter().map(|row| row.number));
    let events = event::Entity::find().filter(of).all(db).await?;
    let show = |row: dead_letter::Model| {
        let event = events.iter().find(|event| event.number == Some(row.number));
        DeadLetter {
            kind: event.and_then(|event| Kind::parse(&event.kind)),
            area: event.and_then(|event| event.area_code.clone()),
            reaction: row.reaction,
            number: row.number,
            error: row.error,
            at: clock::local(row.at),
        }
    };
    Ok(rows.into_iter().map(show).collect())
}

/// One line of a timeline.
#[derive(Clone, Debug)]
pub struct TimelineItem {
    /// Place in the chain, once the relay has given it.
    pub number: Option<i64>,
    /// What happened.
    pub kind: Kind,
    /// Who did it.
    pub actor: Option<PersonId>,
    /// The thing it happened to.
    pub subject: String,
    /// Further ids and codes.
    pub data: serde_json::Value,
    /// When.
    pub at: DateTime<FixedOffset>,
}

/// Has somebody done this to a thing?
///
/// # Errors
/// When the database cannot be read.
pub async fn has_done(db: &impl ConnectionTrait, person: PersonId, (kind, subject): (Kind, &str)) -> Result<bool> {
    let done = event::Entity::find()
        .filter(event::Column::SubjectId.eq(subject))
        .filter(event::Column::Kind.eq(kind.as_str()))
        .filter(event::Column::ActorId.eq(person));
    Ok(done.count(db).await? > 0)
}

/// What of these kinds happened to these things, oldest first, 5,000 at most.
///
/// # Errors
/// When the database cannot be read.
pub async fn timeline(store: &Store, kinds: &[Kind], subjects: Vec<String>) -> Result<Vec<TimelineItem>> {
    let rows = event::Entity::find()
        .filter(event::Column::SubjectId.is_in(subjects))
        .filter(event::Column::Kind.is_in(kinds.iter().map(|kind| kind.as_str())))
        .order_by_asc(event::Column::At)
        .order_by_asc(event::Column::Id)
        .limit(TOLD)
        .all(store.read())
        .await?;
    Ok(rows.into_iter().filter_map(item).collect())
}

/// What of these kinds happened to these things, the newest first, 100 at most.
///
/// # Errors
/// When the database cannot be read.
pub async fn latest(db: &impl ConnectionTrait, kinds: &[Kind], subjects: Vec<String>) -> Result<Vec<TimelineItem>> {
    let rows = event::Entity::find()
        .filter(event::Column::SubjectId.is_in(subjects))
        .filter(event::Column::Kind.is_in(kinds.iter().map(|kind| kind.as_str())))
        .order_by_desc(event::Column::At)
        .order_by_desc(event::Column::Id)
        .limit(100)
        .all(db)
        .await?;
    Ok(rows.into_iter().filter_map(item).collect())
}

fn item(row: event::Model) -> Option<TimelineItem> {
    Some(TimelineItem {
        number: row.number,
        kind: Kind::parse(&row.kind)?,
        actor: row.actor_id,
        subject: row.subject_id,
        data: serde_json::from_str(&row.data).unwrap_or_default(),
        at: clock::local(row.at),
    })
}
