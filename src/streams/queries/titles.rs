//! What stands at the heads of streams.
use std::collections::HashMap;

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};

use super::super::rows::stream;
use crate::{error::Result, ids::StreamId};

/// The titles of these streams.
///
/// # Errors
/// When the database cannot be read.
pub async fn titles(db: &impl ConnectionTrait, ids: Vec<StreamId>) -> Result<HashMap<StreamId, String>> {
    let rows = stream::Entity::find()
        .select_only()
        .columns([stream::Column::Id, stream::Column::Title])
        .filter(stream::Column::Id.is_in(ids));
    Ok(rows.into_tuple::<(StreamId, String)>().all(db).await?.into_iter().collect())
}
