//! Who of some people has read or received up to a place.
use std::collections::HashSet;

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QuerySelect, QueryTrait, Select,
    sea_query::{SelectStatement, SimpleExpr},
};
use uuid::Uuid;

use super::super::rows::{entry, membership, stream};
use crate::{
    error::Result,
    ids::{PersonId, StreamId},
    people::audience::Among,
};

/// Those of these people whose cursor is there or further.
///
/// # Errors
/// When the database cannot be read.
pub async fn read_by(
    db: &impl ConnectionTrait,
    (stream, seq): (StreamId, i64),
    among: &Among,
) -> Result<HashSet<PersonId>> {
    those(db, members(stream, has_read(seq)), among).await
}

/// Those of these people of whom some device has it, read or not.
///
/// # Errors
/// When the database cannot be read.
pub async fn received_by(
    db: &impl ConnectionTrait,
    (stream, seq): (StreamId, i64),
    among: &Among,
) -> Result<HashSet<PersonId>> {
    those(db, members(stream, has_received(seq)), among).await
}

/// Those of these people who have read, each in the own stream, the card about this that was shown there since then.
///
/// # Errors
/// When the database cannot be read.
pub async fn read_card(
    db: &impl ConnectionTrait,
    (subject, since): (Uuid, DateTime<Utc>),
    among: &Among,
) -> Result<HashSet<PersonId>> {
    let cards: Vec<(StreamId, i64)> = entry::Entity::find()
        .select_only()
        .columns([entry::Column::StreamId, entry::Column::Seq])
        .filter(entry::Column::SenderId.is_null())
        .filter(entry::Column::ClientId.eq(subject))
        .filter(entry::Column::Kind.eq("card"))
        .filter(entry::Column::CreatedAt.gte(since))
        .into_tuple()
        .all(db)
        .await?;
    let mut found = HashSet::new();
    for some in cards.chunks(500) {
        let cursors: Vec<(PersonId, StreamId, i64)> = membership::Entity::find()
            .select_only()
            .columns([membership::Column::PersonId, membership::Column::StreamId, membership::Column::ReadSeq])
            .filter(membership::Column::StreamId.is_in(some.iter().map(|(stream, _)| *stream)))
            .filter(among.holds(membership::Column::PersonId))
            .into_tuple()
            .all(db)
            .await?;
        let has_read = |stream: StreamId, read: i64| some.iter().any(|(own, seq)| *own == stream && *seq <= read);
        found.extend(
            cursors.into_iter().filter(|(_, stream, read)| has_read(*stream, *read)).map(|(person, ..)| person),
        );
    }
    Ok(found)
}

/// A select of the ids of those whose cursor is there or further.
#[must_use]
pub fn readers(stream: StreamId, seq: i64) -> SelectStatement {
    members(stream, has_read(seq)).into_query()
}

/// A select of the ids of those of whom some device has it, read or not.
#[must_use]
pub fn receivers(stream: StreamId, seq: i64) -> SelectStatement {
    members(stream, has_received(seq)).into_query()
}

fn has_read(seq: i64) -> SimpleExpr {
    membership::Column::ReadSeq.gte(seq)
}

fn has_received(seq: i64) -> SimpleExpr {
    has_read(seq).or(membership::Column::RecvSeq.gte(seq))
}

fn members(stream: StreamId, are_there: SimpleExpr) -> Select<membership::Entity> {
    membership::Entity::find()
        .select_only()
        .column(membership::Column::PersonId)
        .filter(membership::Column::StreamId.eq(stream))
        .filter(are_there)
}

async fn those(
    db: &impl ConnectionTrait,
    rows: Select<membership::Entity>,
    among: &Among,
) -> Result<HashSet<PersonId>> {
    let rows = rows.filter(among.holds(membership::Column::PersonId));
    Ok(rows.into_tuple::<PersonId>().all(db).await?.into_iter().collect())
}

/// The newest place of a stream, and when something was last shown in it.
///
/// # Errors
/// When the database cannot be read.
pub async fn newest_place(db: &impl ConnectionTrait, id: StreamId) -> Result<Option<(i64, DateTime<Utc>)>> {
    let row = stream::Entity::find_by_id(id).select_only().columns([stream::Column::LastSeq, stream::Column::LastAt]);
    Ok(row.into_tuple().one(db).await?)
}
