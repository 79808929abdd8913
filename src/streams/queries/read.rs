//! Who of some people has read or received up to a place.
use std::collections::HashSet;

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QuerySelect, sea_query::SimpleExpr};

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
    at(db, stream, membership::Column::ReadSeq.gte(seq), among).await
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
    let has_it = membership::Column::ReadSeq.gte(seq).or(membership::Column::RecvSeq.gte(seq));
    at(db, stream, has_it, among).await
}

async fn at(
    db: &impl ConnectionTrait,
    stream: StreamId,
    is_there: SimpleExpr,
    among: &Among,
) -> Result<HashSet<PersonId>> {
    let rows = membership::Entity::find()
        .select_only()
        .column(membership::Column::PersonId)
        .filter(membership::Column::StreamId.eq(stream))
        .filter(is_there)
        .filter(among.holds(membership::Column::PersonId));
    Ok(rows.into_tuple::<PersonId>().all(db).await?.into_iter().collect())
}

/// The newest place of a stream.
///
/// # Errors
/// When the database cannot be read.
pub async fn newest_seq(db: &impl ConnectionTrait, id: StreamId) -> Result<Option<i64>> {
    let row = stream::Entity::find_by_id(id).select_only().column(stream::Column::LastSeq);
    Ok(row.into_tuple().one(db).await?)
}
