//! What is kept of a voice that is hidden: the reason that holds, what lies beneath it, and those that have ended.
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::{error::Result, ids::SuggestionId, suggestions::rows::hiding};

/// The one that has not ended.
pub(super) async fn open(db: &impl ConnectionTrait, id: SuggestionId) -> Result<Option<hiding::Model>> {
    let open = hiding::Entity::find()
        .filter(hiding::Column::SuggestionId.eq(id))
        .filter(hiding::Column::EndedAt.is_null())
        .order_by_desc(hiding::Column::HiddenAt)
        .limit(1);
    Ok(open.one(db).await?)
}

/// That its photos and its clip alone were hidden, which an office had upheld when all of it was hidden on top of that.
pub(super) async fn beneath(db: &impl ConnectionTrait, id: SuggestionId) -> Result<Option<hiding::Model>> {
    let Some(top) = open(db, id).await? else { return Ok(None) };
    // nothing else ends in the unit in which another begins, answered
    let ended = hiding::Entity::find()
        .filter(hiding::Column::SuggestionId.eq(id))
        .filter(hiding::Column::EndedAt.eq(top.hidden_at))
        .filter(hiding::Column::Answer.is_not_null())
        .order_by_desc(hiding::Column::Id);
    Ok(ended.one(db).await?)
}

/// The newest of those that have ended.
pub(super) async fn ended(db: &impl ConnectionTrait, id: SuggestionId) -> Result<Option<hiding::Model>> {
    let ended = hiding::Entity::find()
        .filter(hiding::Column::SuggestionId.eq(id))
        .filter(hiding::Column::EndedAt.is_not_null())
        .order_by_desc(hiding::Column::EndedAt)
        // of two in one instant, the later
        .order_by_desc(hiding::Column::Id)
        .limit(1);
    Ok(ended.one(db).await?)
}

/// The one that has ended and about which an office said its word; what is shown since stays so.
pub(in crate::suggestions) async fn settled(
    db: &impl ConnectionTrait,
    id: SuggestionId,
) -> Result<Option<hiding::Model>> {
    Ok(ended(db, id).await?.filter(|row| row.answer.is_some()))
}
