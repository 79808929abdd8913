//! Epochs: what a phone has kept of a stream holds as long as the stream's epoch is the one it was kept under.
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QuerySelect, sea_query::Expr};

use super::rows::stream;
use crate::{error::Result, store::Tx};

/// The newest epoch of any stream; 0 without streams.
///
/// # Errors
/// When the database cannot be read.
pub async fn newest_epoch(db: &impl ConnectionTrait) -> Result<i64> {
    let newest = stream::Entity::find().select_only().column_as(stream::Column::Epoch.max(), "newest");
    Ok(newest.into_tuple::<Option<i64>>().one(db).await?.flatten().unwrap_or(0))
}

/// Begins an epoch that no stream of this or of the database before ever had: phones forget what they have.
///
/// # Errors
/// When the database refuses.
pub async fn begin_epoch(tx: &Tx, before: i64) -> Result<()> {
    let newest = newest_epoch(tx).await?.max(before);
    // the time, because a second restore of the same backup must not give the same epoch
    let epoch = tx.now().timestamp().max(newest + 1);
    stream::Entity::update_many().col_expr(stream::Column::Epoch, Expr::value(epoch)).exec(tx).await?;
    Ok(())
}
