//! Who of some people has read or received up to a place.
use std::collections::HashSet;

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QuerySelect, QueryTrait, Select,
    sea_query::{SelectStatement, SimpleExpr},
};

use super::super::rows::{membership, stream};
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
