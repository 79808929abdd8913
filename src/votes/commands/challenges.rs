//! 质疑: an elector says that a result is wrong; the office answers each with a reason, and the result waits for it.
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set, sea_query::Expr};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::settle;
use crate::{
    actor::Actor,
    bodies::{self, Right},
    error::{Checks, Code, Result},
    events::{self, Happening, Kind},
    ids::{ChallengeId, VoteId},
    store::Tx,
    votes::{
        queries::{
            self,
            challenges::{ChallengeView, OPEN, REJECTED, UPHELD, row, view},
        },
        rows::challenge,
        rules::roll::answer_until,
    },
};

/// A challenge of a result.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RaiseChallenge {
    /// What is wrong; published without its author's name. 2 to 500 characters.
    #[schema(min_length = 2, max_length = 500)]
    pub reason: String,
}

/// What the office says to it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerChallenge {
    /// Is it right? Then the result does not stand; only who may bend a path says so.
    pub upholds: bool,
    /// Why; published. 2 to 500 characters.
    #[schema(min_length = 2, max_length = 500)]
    pub answer: String,
}

/// Challenges a result in its days. Recorded: `vote.challenged`.
///
/// # Errors
/// `not_found`; `not_on_roll` for who is no elector of this vote; `challenge_too_late` when its days are over, or it had
/// none; `invalid_fields`.
pub async fn raise_challenge(tx: &Tx, actor: &Actor, (id, input): (VoteId, RaiseChallenge)) -> Result<ChallengeView> {
    let vote = queries::row(tx, id).await?;
    if queries::own_place(tx, &vote, actor.person).await?.is_none() {
        return Err(Code::NotOnRoll.into());
    }
    let mut checks = Checks::default();
    checks.text("reason", &input.reason, 2..=500);
    checks.done()?;
    let in_time = vote.challenge_until.is_some_and(|until| tx.now() < until);
    if vote.settlement.as_deref() != Some(queries::PROVISIONAL) || !in_time {
        return Err(Code::ChallengeTooLate.into());
    }
    let row = challenge::ActiveModel {
        id: Set(ChallengeId::new()),
        vote_id: Set(id),
        raised_by: Set(actor.person),
        raised_at: Set(tx.now()),
        due_at: Set(answer_until(None, tx.now())),
        reason: Set(input.reason.trim().to_owned()),
        state: Set(OPEN.to_owned()),
        answer: Set(None),
        answered_by: Set(None),
        answered_at: Set(None),
    };
    let row = challenge::Entity::insert(row).exec_with_returning(tx).await?;
    let happening = Happening::new(Kind::VoteChallenged, row.id).at(&vote.area_code).by(actor.person);
    events::record(tx, happening.with(json!({ "vote": id }))).await?;
    Ok(view(row))
}

/// Answers a challenge; one that is right overturns the result at once. Recorded: `vote.challenge_answered`,
/// `vote.settled`.
///
/// # Errors
/// `not_found`; `not_allowed` without the right to open votes, and to overturn without that to bend a path;
/// `second_person_needed` for its author; `wrong_state` when it was answered otherwise, or the result was overturned;
/// `invalid_fields`.
pub async fn answer_challenge(
    tx: &Tx,
    actor: &Actor,
    (id, challenge, input): (VoteId, ChallengeId, AnswerChallenge),
) -> Result<ChallengeView> {
    let vote = queries::row(tx, id).await?;
    let right = if input.upholds { Right::BendPath } else { Right::OpenVote };
    bodies::require(actor, right, &vote.area_code)?;
    let before = row(tx, (id, challenge)).await?;
    let mut checks = Checks::default();
    checks.text("answer", &input.answer, 2..=500);
    checks.done()?;
    if before.raised_by == actor.person {
        return Err(Code::SecondPersonNeeded.into());
    }
    let state = if input.upholds { UPHELD } else { REJECTED };
    if before.answered_by == Some(actor.person) && before.state == state {
        // sent again because the answer was lost
        return Ok(view(before));
    }
    if vote.settlement.as_deref() != Some(queries::PROVISIONAL) {
        return Err(Code::WrongState.into());
    }
    let answered = challenge::Entity::update_many()
        .col_expr(challenge::Column::State, Expr::value(state))
        .col_expr(challenge::Column::Answer, Expr::value(input.answer.trim()))
        .col_expr(challenge::Column::AnsweredBy, Expr::value(actor.person))
        .col_expr(challenge::Column::AnsweredAt, Expr::value(tx.now()))
        .filter(challenge::Column::Id.eq(challenge))
        .filter(challenge::Column::State.eq(OPEN))
        .exec_with_returning(tx)
        .await?;
    let row = answered.into_iter().next().ok_or(Code::WrongState)?;
    let happening = Happening::new(Kind::ChallengeAnswered, row.id).at(&vote.area_code).by(actor.person);
    events::record(tx, happening.with(json!({ "vote": id, "outcome": state }))).await?;
    if input.upholds {
        settle::overturn(tx, &vote, (input.answer.trim(), actor.person)).await?;
    }
    Ok(view(row))
}
