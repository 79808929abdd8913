//! Rounds of one vote: whether what an earlier one left open is voted on already, or decided.
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use super::{OptionResult, is_decided, result_of};
use crate::{error::Result, ids::VoteId, votes::rows::vote};

/// Is what this vote left tied voted on already, or was it by another that chose somebody, or left a tie of its own? A tie is
/// decided once, and not by as many votes as it takes until the right one wins. One to which too few came, that chose nobody,
/// was annulled or overturned, or only asked where this one decides, is no answer.
///
/// # Errors
/// When the database cannot be read.
pub async fn is_tie_followed(db: &impl ConnectionTrait, (id, is_binding): (VoteId, bool)) -> Result<bool> {
    for row in vote::Entity::find().filter(vote::Column::ParentVoteId.eq(id)).all(db).await? {
        if !is_decided(&row.state) {
            return Ok(true);
        }
        let result = result_of(db, row.id).await?;
        let is_told = |one: &OptionResult| one.is_elected || one.is_tied;
        let is_answer = result.choice.iter().flat_map(|choice| &choice.options).any(is_told);
        if is_answer && !result.is_overturned() && (row.is_binding || !is_binding) {
            return Ok(true);
        }
    }
    Ok(false)
}
