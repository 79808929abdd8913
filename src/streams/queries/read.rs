//! Who of some people has read up to a place.
use std::collections::HashSet;

use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait, sea_query::SelectStatement,
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
    let rows = membership::Entity::find()
        .select_only()
        .column(membership::Column::PersonId)
        .filter(membership::Column::StreamId.eq(stream))
        .filter(membership::Column::ReadSeq.gte(seq))
        .filter(among.holds(membership::Column::PersonId));
    Ok(rows.into_tuple::<PersonId>().all(db).await?.into_iter().collect())
}

/// A select of the ids of those who have read so far.
#[must_use]
pub fn readers(stream: StreamId, seq: i64) -> SelectStatement {
    membership::Entity::find()
        .select_only()
        .column(membership::Column::PersonId)
        .filter(membership::Column::StreamId.eq(stream))
        .filter(membership::Column::ReadSeq.gte(seq))
        .into_query()
}

/// The newest place of a stream.
///
/// # Errors
/// When the database cannot be read.
pub async fn newest_seq(db: &impl ConnectionTrait, id: StreamId) -> Result<Option<i64>> {
    let row = stream::Entity::find_by_id(id).select_only().column(stream::Column::LastSeq);
    Ok(row.into_tuple().one(db).await?)
}
