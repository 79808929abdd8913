//! Reads of challenges: what was said against a result, and what the office answered.
use chrono::{DateTime, FixedOffset};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::rows::challenge;
use crate::{
    clock,
    error::{Code, Result},
    ids::{ChallengeId, VoteId},
    text,
};

/// One that nobody has answered.
pub(in crate::votes) const OPEN: &str = "open";
/// One that was not right.
pub(in crate::votes) const REJECTED: &str = "rejected";
/// One that was, so that the result does not stand.
pub(in crate::votes) const UPHELD: &str = "upheld";
/// On one list at most.
const MAX: u64 = 500;

/// A challenge of a result, for everybody; its author is not told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChallengeView {
    /// Its id.
    pub id: ChallengeId,
    /// The vote.
    pub vote_id: VoteId,
    /// What is said to be wrong.
    pub reason: String,
    /// When.
    pub raised_at: DateTime<FixedOffset>,
    /// By when it is answered; the result waits for it.
    pub due_at: DateTime<FixedOffset>,
    /// open, rejected, upheld.
    pub state: String,
    /// The same in Chinese.
    pub state_name: String,
    /// What the office says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<DateTime<FixedOffset>>,
}

impl ChallengeView {
    /// Does it wait for its answer?
    #[must_use]
    pub fn waits(&self) -> bool {
        self.state == OPEN
    }
}

/// The challenges of a result, oldest first, 500 at most.
///
/// # Errors
/// When the database cannot be read.
pub async fn of(db: &impl ConnectionTrait, id: VoteId) -> Result<Vec<ChallengeView>> {
    let found = challenge::Entity::find().filter(challenge::Column::VoteId.eq(id));
    let found = found.order_by_asc(challenge::Column::RaisedAt).limit(MAX);
    Ok(found.all(db).await?.into_iter().map(view).collect())
}

/// How many are not answered.
pub(in crate::votes) async fn waiting(db: &impl ConnectionTrait, id: VoteId) -> Result<u64> {
    let open = challenge::Entity::find().filter(challenge::Column::VoteId.eq(id));
    Ok(open.filter(challenge::Column::State.eq(OPEN)).count(db).await?)
}

pub(in crate::votes) async fn row(
    db: &impl ConnectionTrait,
    (vote, id): (VoteId, ChallengeId),
) -> Result<challenge::Model> {
    let found = challenge::Entity::find_by_id(id).one(db).await?;
    found.filter(|row| row.vote_id == vote).ok_or_else(|| Code::NotFound.into())
}

pub(in crate::votes) fn view(row: challenge::Model) -> ChallengeView {
    ChallengeView {
        id: row.id,
        vote_id: row.vote_id,
        reason: row.reason,
        raised_at: clock::local(row.raised_at),
        due_at: clock::local(row.due_at),
        state_name: text::say(&format!("challenge-{}", row.state)),
        state: row.state,
        answer: row.answer,
        answered_at: row.answered_at.map(clock::local),
    }
}
