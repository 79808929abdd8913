//! Reads of challenges: what was said against a result, and what the office answered.
use chrono::{DateTime, FixedOffset};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    super::{
        rows::{challenge, roll_entry, roll_objection, vote},
        rules::roll::lapses_at,
    },
    own_place,
};
use crate::{
    app::App,
    calendar::Calendar,
    clock,
    error::{Code, Result},
    ids::{ChallengeId, PersonId, VoteId},
    text,
};

/// One that nobody has answered.
pub(in crate::votes) const OPEN: &str = "open";
/// One that was not right.
pub(in crate::votes) const REJECTED: &str = "rejected";
/// One that was, so that the result does not stand.
pub(in crate::votes) const UPHELD: &str = "upheld";
/// One that nobody answered in time, neither the office nor who stands in for it.
pub(in crate::votes) const LAPSED: &str = "lapsed";
/// One that waited when another overturned the result: there is nothing left to answer.
pub(in crate::votes) const MOOT: &str = "moot";
/// Of those that do not wait any more, on one list at most; those that wait are all on it.
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
    /// By when the office answers it; the result waits for it.
    pub due_at: DateTime<FixedOffset>,
    /// By when the office above or the supervision committee does if it did not; then it is published as not answered.
    pub lapses_at: DateTime<FixedOffset>,
    /// open, rejected, upheld, lapsed, moot.
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

/// The challenges of a result: all that wait, then the others, 500 at most; each oldest first.
///
/// # Errors
/// When the database cannot be read.
pub async fn of(app: &App, id: VoteId) -> Result<Vec<ChallengeView>> {
    let db = app.store.read();
    let of_vote = || {
        let of_vote = challenge::Entity::find().filter(challenge::Column::VoteId.eq(id));
        of_vote.order_by_asc(challenge::Column::RaisedAt)
    };
    let mut found = of_vote().filter(challenge::Column::State.eq(OPEN)).all(db).await?;
    found.extend(of_vote().filter(challenge::Column::State.ne(OPEN)).limit(MAX).all(db).await?);
    Ok(found.into_iter().map(|row| view(&app.calendar, row)).collect())
}

/// How many are not answered.
pub(in crate::votes) async fn waiting(db: &impl ConnectionTrait, id: VoteId) -> Result<u64> {
    in_state(db, id, OPEN).await
}

/// How many stand as they were left: [`OPEN`], [`REJECTED`], [`UPHELD`], [`LAPSED`].
pub(in crate::votes) async fn in_state(db: &impl ConnectionTrait, id: VoteId, state: &str) -> Result<u64> {
    let of_vote = challenge::Entity::find().filter(challenge::Column::VoteId.eq(id));
    Ok(of_vote.filter(challenge::Column::State.eq(state)).count(db).await?)
}

/// May this person challenge the result: an elector, one who was struck from the roll, one who objected to it or
/// about whom somebody did?
pub(in crate::votes) async fn concerns(
    db: &impl ConnectionTrait,
    vote: &vote::Model,
    person: PersonId,
) -> Result<bool> {
    if own_place(db, vote, person).await?.is_some() {
        return Ok(true);
    }
    let struck = roll_entry::Entity::find()
        .filter(roll_entry::Column::VoteId.eq(vote.id))
        .filter(roll_entry::Column::PersonId.eq(person));
    if struck.one(db).await?.is_some() {
        return Ok(true);
    }
    let objected = roll_objection::Entity::find().filter(roll_objection::Column::VoteId.eq(vote.id)).filter(
        Condition::any()
            .add(roll_objection::Column::RaisedBy.eq(person))
            .add(roll_objection::Column::PersonId.eq(person)),
    );
    Ok(objected.one(db).await?.is_some())
}

/// The same, of a vote by its id.
///
/// # Errors
/// `not_found`.
pub async fn may_challenge(db: &impl ConnectionTrait, id: VoteId, person: PersonId) -> Result<bool> {
    let vote = super::row(db, id).await?;
    concerns(db, &vote, person).await
}

pub(in crate::votes) async fn row(
    db: &impl ConnectionTrait,
    (vote, id): (VoteId, ChallengeId),
) -> Result<challenge::Model> {
    let found = challenge::Entity::find_by_id(id).one(db).await?;
    found.filter(|row| row.vote_id == vote).ok_or_else(|| Code::NotFound.into())
}

pub(in crate::votes) fn view(calendar: &Calendar, row: challenge::Model) -> ChallengeView {
    ChallengeView {
        id: row.id,
        vote_id: row.vote_id,
        reason: row.reason,
        raised_at: clock::local(row.raised_at),
        due_at: clock::local(row.due_at),
        lapses_at: clock::local(lapses_at(calendar, row.due_at)),
        state_name: text::word("challenge", &row.state),
        state: row.state,
        answer: row.answer,
        answered_at: row.answered_at.map(clock::local),
    }
}
