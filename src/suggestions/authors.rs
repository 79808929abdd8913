//! Whose a voice is, whether it is hidden, and whose voices joined a matter: for who tells them of it.
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};

use super::rows::suggestion;
use crate::{
    error::Result,
    ids::{MatterId, PersonId, StreamId, SuggestionId},
};

/// The author of a voice, with the thread about it.
///
/// # Errors
/// When the database cannot be read.
pub async fn author_of(db: &impl ConnectionTrait, id: SuggestionId) -> Result<Option<(PersonId, StreamId)>> {
    let row = suggestion::Entity::find_by_id(id)
        .select_only()
        .columns([suggestion::Column::AuthorId, suggestion::Column::StreamId]);
    Ok(row.into_tuple().one(db).await?)
}

/// Is a voice hidden now, or are its photos and its clip?
///
/// # Errors
/// When the database cannot be read.
pub async fn is_hidden(db: &impl ConnectionTrait, id: SuggestionId) -> Result<bool> {
    let hidden = suggestion::Entity::find_by_id(id).filter(suggestion::Column::Hiding.is_not_null());
    Ok(hidden.count(db).await? > 0)
}

/// The next authors of the voices that joined a matter, each once, in the order of their ids.
///
/// # Errors
/// When the database cannot be read.
pub async fn authors_in(
    db: &impl ConnectionTrait,
    matter: MatterId,
    (after, count): (Option<PersonId>, u64),
) -> Result<Vec<PersonId>> {
    let mut rows = suggestion::Entity::find()
        .select_only()
        .column(suggestion::Column::AuthorId)
        .distinct()
        .filter(suggestion::Column::MatterId.eq(matter))
        .order_by_asc(suggestion::Column::AuthorId)
        .limit(count);
    if let Some(after) = after {
        rows = rows.filter(suggestion::Column::AuthorId.gt(after));
    }
    Ok(rows.into_tuple().all(db).await?)
}
