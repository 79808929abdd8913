//! A board that came out of a backup says nothing more before somebody has compared it with what was published.
use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QuerySelect, Select, sea_query::Expr,
};

use super::rows::{board, pending};
use crate::{error::Result, ids::VoteId, store::Tx};

/// Boards in one statement.
const CHUNK: usize = 1000;

/// Nothing more is signed on these boards: of what was signed after the backup they know nothing, and other heads over the same
/// sizes would be another board.
///
/// # Errors
/// When the database refuses.
pub async fn halt(tx: &Tx, votes: &[VoteId]) -> Result<()> {
    for some in votes.chunks(CHUNK) {
        board::Entity::update_many()
            .col_expr(board::Column::HaltedAt, Expr::value(tx.now()))
            .filter(board::Column::VoteId.is_in(some.iter().copied()))
            .exec(tx)
            .await?;
    }
    Ok(())
}

/// A board that was halted goes on.
///
/// # Errors
/// When the database refuses.
pub async fn go_on(tx: &Tx, vote: VoteId) -> Result<()> {
    board::Entity::update_many()
        .col_expr(board::Column::HaltedAt, Expr::value(None::<DateTime<Utc>>))
        .filter(board::Column::VoteId.eq(vote))
        .exec(tx)
        .await?;
    Ok(())
}

/// Those of these boards that are halted, and since when.
///
/// # Errors
/// When the database cannot be read.
pub async fn halted_of(db: &impl ConnectionTrait, votes: &[VoteId]) -> Result<HashMap<VoteId, DateTime<Utc>>> {
    let mut halted = HashMap::new();
    for some in votes.chunks(CHUNK) {
        let rows = board::Entity::find()
            .select_only()
            .columns([board::Column::VoteId, board::Column::HaltedAt])
            .filter(board::Column::VoteId.is_in(some.iter().copied()))
            .filter(board::Column::HaltedAt.is_not_null());
        halted.extend(rows.into_tuple::<(VoteId, DateTime<Utc>)>().all(db).await?);
    }
    Ok(halted)
}

/// The board for which something waits, if it is halted.
pub(super) fn halted() -> Select<board::Entity> {
    board::Entity::find()
        .select_only()
        .column(board::Column::VoteId)
        .filter(Expr::col((board::Entity, board::Column::VoteId)).equals((pending::Entity, pending::Column::VoteId)))
        .filter(board::Column::HaltedAt.is_not_null())
}
