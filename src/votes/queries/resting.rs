//! 停着: whether a vote takes ballots now, or rests since a backup was loaded, for whoever tells people of it or lists it for them.
use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait};

use super::{super::rows::vote, OPEN, POSTED, PROVISIONAL, VoteView, row};
use crate::{board, error::Result, ids::VoteId};

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

/// Does its board wait for somebody who compares it with what was published: is it halted, and has it still something to say? A vote
/// whose time to cast went by while nobody could, also before it opened, is annulled; that a result stands may have been signed once its days are over.
///
/// # Errors
/// `not_found`.
pub async fn waits_for_comparison(db: &impl ConnectionTrait, id: VoteId, now: DateTime<Utc>) -> Result<bool> {
    let vote = row(db, id).await?;
    let is_past = [POSTED, OPEN].contains(&vote.state.as_str()) && vote.closes_at <= now;
    let in_its_days = vote.challenge_until.is_some_and(|until| now < until);
    let has_more = vote.restored_at.is_some() || (in_its_days && vote.settlement.as_deref() == Some(PROVISIONAL));
    Ok(vote.has_board && has_more && !is_past && board::halts::halted_of(db, &[id]).await?.contains_key(&id))
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
