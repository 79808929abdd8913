//! A board that came out of a backup says nothing more before somebody has compared it with what was published.
use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QuerySelect, Select, sea_query::Expr};

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

/// The board for which something waits, if it is halted.
pub(super) fn halted() -> Select<board::Entity> {
    board::Entity::find()
        .select_only()
        .column(board::Column::VoteId)
        .filter(Expr::col((board::Entity, board::Column::VoteId)).equals((pending::Entity, pending::Column::VoteId)))
        .filter(board::Column::HaltedAt.is_not_null())
}
