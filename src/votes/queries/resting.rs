//! 停着: whether a vote takes ballots now, or rests since a backup was loaded. Whoever tells people of a vote that is open, or lists it
//! for them, asks here.
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait};

use super::{super::rows::vote, OPEN, VoteView};
use crate::{error::Result, ids::VoteId};

/// Votes that are open and do not rest. Whether the time to cast is over is another question.
pub(in crate::votes) fn taking() -> Condition {
    Condition::all().add(vote::Column::State.eq(OPEN)).add(vote::Column::RestoredAt.is_null())
}

impl vote::Model {
    /// The same of one.
    pub(in crate::votes) fn takes_ballots(&self) -> bool {
        self.state == OPEN && self.restored_at.is_none()
    }
}

impl VoteView {
    /// The same as everybody sees it.
    #[must_use]
    pub fn takes_ballots(&self) -> bool {
        self.state == OPEN && self.restored_at.is_none()
    }
}

/// Are people asked to cast in it? `None`: not now, because it rests, but perhaps later.
///
/// # Errors
/// When the database cannot be read.
pub async fn is_asked(db: &impl ConnectionTrait, id: VoteId) -> Result<Option<bool>> {
    Ok(match vote::Entity::find_by_id(id).one(db).await? {
        Some(vote) if vote.takes_ballots() => Some(true),
        Some(vote) if vote.state == OPEN => None,
        _ => Some(false),
    })
}
