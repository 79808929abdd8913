//! Who wants to be told nothing of a stream.
use std::collections::HashSet;

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QuerySelect};

use super::super::{commands::Mute, rows::membership};
use crate::{
    error::Result,
    ids::{PersonId, StreamId},
    people::audience::Among,
};

/// Those of these people who muted everything in this stream, and whose mute has not ended by then.
///
/// # Errors
/// When the database cannot be read.
pub async fn who_muted(
    db: &impl ConnectionTrait,
    (stream, now): (StreamId, DateTime<Utc>),
    among: &Among,
) -> Result<HashSet<PersonId>> {
    let until = membership::Column::MuteUntil;
    let rows = membership::Entity::find()
        .select_only()
        .column(membership::Column::PersonId)
        .filter(membership::Column::StreamId.eq(stream))
        .filter(among.holds(membership::Column::PersonId))
        .filter(membership::Column::Mute.eq(Mute::Everything.as_str()))
        .filter(until.is_null().or(until.gt(now)));
    Ok(rows.into_tuple::<PersonId>().all(db).await?.into_iter().collect())
}
