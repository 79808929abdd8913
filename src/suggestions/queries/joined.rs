//! The voices that have joined a matter, and where their authors are told of it.
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};

use super::{super::rows::suggestion, Shown, SuggestionSummary, summaries};
use crate::{
    error::Result,
    ids::{MatterId, PersonId, StreamId},
};

/// Voices shown with a matter; their number is exact beyond it.
const SHOWN_VOICES: u64 = 500;

/// How many voices have joined a matter, and the first of them, oldest first, as everybody may see them: words and
/// masked names of the public ones, number and state of the rest.
///
/// # Errors
/// When the database cannot be read.
pub async fn joined_to(db: &impl ConnectionTrait, matter: MatterId) -> Result<(u64, Vec<SuggestionSummary>)> {
    let count = count_joined(db, matter).await?;
    let rows = of_matter(matter).limit(SHOWN_VOICES).all(db).await?;
    Ok((count, summaries(db, rows, Shown::PublicOnly).await?))
}

/// How many voices have joined a matter.
///
/// # Errors
/// When the database cannot be read.
pub async fn count_joined(db: &impl ConnectionTrait, matter: MatterId) -> Result<u64> {
    Ok(suggestion::Entity::find().filter(suggestion::Column::MatterId.eq(matter)).count(db).await?)
}

/// Authors of the voices that have joined a matter, with the threads in which they are told.
///
/// # Errors
/// When the database cannot be read.
pub async fn author_threads(db: &impl ConnectionTrait, matter: MatterId) -> Result<Vec<(PersonId, StreamId)>> {
    let threads = of_matter(matter).select_only().columns([suggestion::Column::AuthorId, suggestion::Column::StreamId]);
    Ok(threads.into_tuple().all(db).await?)
}

fn of_matter(matter: MatterId) -> Select<suggestion::Entity> {
    let joined = suggestion::Entity::find().filter(suggestion::Column::MatterId.eq(matter));
    joined.order_by_asc(suggestion::Column::CreatedAt).order_by_asc(suggestion::Column::Id)
}
