//! 质疑: an elector says that a result is wrong; the office answers each with a reason, and the result waits for it.
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set, SqlErr, sea_query::Expr};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::settle;
use crate::{
    actor::Actor,
    app::App,
    error::{Checks, Code, Error, Result},
    events::{self, Happening, Kind},
    ids::{ChallengeId, PersonId, VoteId},
    store::Tx,
    votes::{
        office::{self, may_overturn, stands_in},
        queries::{
            self,
            challenges::{ChallengeView, LAPSED, MOOT, OPEN, REJECTED, UPHELD, concerns, row, view},
            paper::{boxes, has_counted},
        },
        rows::{challenge, vote},
        rules::roll::{answer_until, lapsed_when_due},
    },
};

const DUE_AT_ONCE: u64 = 100;

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
    /// Is it right? Then the result does not stand; only the supervision committee and the office above say so, inside a body the
    /// latter alone.
    pub upholds: bool,
    /// Why; published. 2 to 500 characters.
    #[schema(min_length = 2, max_length = 500)]
    pub answer: String,
}

/// Challenges a result in its days. Recorded: `vote.challenged`.
///
/// # Errors
/// `not_found`; `not_on_roll` for who is no elector of this vote, was none, and did not object to its roll;
/// `challenge_too_late` when its days are over, or it had none; `challenge_open` while one of the same person waits;
/// `invalid_fields`.
pub async fn raise_challenge(tx: &Tx, actor: &Actor, (id, input): (VoteId, RaiseChallenge)) -> Result<ChallengeView> {
    let vote = queries::row(tx, id).await?;
    if !concerns(tx, &vote, actor.person).await? {
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
        due_at: Set(answer_until(tx.calendar(), None, tx.now())),
        reason: Set(input.reason.trim().to_owned()),
        state: Set(OPEN.to_owned()),
        answer: Set(None),
        answered_by: Set(None),
        answered_at: Set(None),
        is_passed_on: Set(false),
    };
    let row = challenge::Entity::insert(row).exec_with_returning(tx).await.map_err(one_each)?;
    let happening = Happening::new(Kind::VoteChallenged, row.id).at(&vote.area_code).by(actor.person);
    events::record(tx, happening.with(json!({ "vote": id }))).await?;
    Ok(view(tx.calendar(), row))
}

/// The unique key is the guard: one challenge of a person waits at a time.
fn one_each(error: sea_orm::DbErr) -> Error {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => Code::ChallengeOpen.into(),
        _ => error.into(),
    }
}

/// The challenge, for who may answer it: in its days the office, after them who stands in for it, too; that it is right these alone
/// say, at any time.
async fn answerable(
    tx: &Tx,
    actor: &Actor,
    (vote, challenge, upholds): (&vote::Model, ChallengeId, bool),
) -> Result<challenge::Model> {
    let found = row(tx, (vote.id, challenge)).await;
    let is_late = found.as_ref().is_ok_and(|row| row.due_at <= tx.now());
    let is_about = office::is_voted_on(vote, actor.person);
    if upholds {
        let overturns = !is_about && may_overturn(actor, vote);
        return if overturns { found } else { Err(Code::NotAllowed.into()) };
    }
    if !(is_late && !is_about && stands_in(actor, vote)) {
        office::require(actor, vote)?;
    }
    found
}

/// Did this person count what was on paper, or sign it?
async fn had_a_hand(tx: &Tx, vote: &vote::Model, person: PersonId) -> Result<bool> {
    Ok(vote.paper_signed_by == Some(person) || has_counted(&boxes(tx, vote.id).await?, person))
}

/// What the office did not answer in its days is passed on to those who stand in for it, once. Recorded:
/// `vote.challenge_passed_on`.
///
/// # Errors
/// When the database fails.
pub(super) async fn pass_on(app: &App) -> Result<()> {
    let late = || {
        let open = challenge::Entity::find().filter(challenge::Column::State.eq(OPEN));
        open.filter(challenge::Column::IsPassedOn.eq(false)).filter(challenge::Column::DueAt.lte(app.now()))
    };
    if late().one(app.store.read()).await?.is_none() {
        return Ok(());
    }
    let late = late().order_by_asc(challenge::Column::DueAt).limit(DUE_AT_ONCE);
    app.store
        .write(move |tx| {
            Box::pin(async move {
                for row in late.all(tx).await? {
                    challenge::Entity::update_many()
                        .col_expr(challenge::Column::IsPassedOn, Expr::value(true))
                        .filter(challenge::Column::Id.eq(row.id))
                        .exec(tx)
                        .await?;
                    let vote = queries::row(tx, row.vote_id).await?;
                    // nothing waits for it once the result was overturned
                    if vote.settlement.as_deref() == Some(queries::PROVISIONAL) {
                        let happening = Happening::new(Kind::ChallengePassedOn, row.id).at(&vote.area_code);
                        events::record(tx, happening.with(json!({ "vote": vote.id }))).await?;
                    }
                }
                Ok(())
            })
        })
        .await
}

/// What nobody answered by the second date lapses, and is published so. Recorded: `vote.challenge_answered`.
///
/// # Errors
/// When the database refuses.
pub(super) async fn lapse(tx: &Tx, vote: &vote::Model) -> Result<()> {
    let lapsed = challenge::Entity::update_many()
        .col_expr(challenge::Column::State, Expr::value(LAPSED))
        .filter(challenge::Column::VoteId.eq(vote.id))
        .filter(challenge::Column::State.eq(OPEN))
        .filter(challenge::Column::DueAt.lte(lapsed_when_due(tx.calendar(), tx.now())))
        .exec_with_returning(tx)
        .await?;
    for row in lapsed {
        let happening = Happening::new(Kind::ChallengeAnswered, row.id).at(&vote.area_code);
        events::record(tx, happening.with(json!({ "vote": vote.id, "outcome": LAPSED }))).await?;
    }
    Ok(())
}

/// Answers a challenge; one that is right overturns the result at once. Recorded: `vote.challenge_answered`,
/// `vote.settled`.
///
/// # Errors
/// `not_found`; `not_allowed` without the right to open votes, but once its day has passed for who sits in the office above or the
/// supervision committee; to overturn for everybody but these (of a vote inside a body but the office above);
/// `second_person_needed` for its author, and for who counted or signed the paper, whose work it doubts;
/// `wrong_state` when it was answered otherwise, or the result was overturned; `invalid_fields`.
pub async fn answer_challenge(
    tx: &Tx,
    actor: &Actor,
    (id, challenge, input): (VoteId, ChallengeId, AnswerChallenge),
) -> Result<ChallengeView> {
    let vote = queries::row(tx, id).await?;
    let before = answerable(tx, actor, (&vote, challenge, input.upholds)).await?;
    let mut checks = Checks::default();
    checks.text("answer", &input.answer, 2..=500);
    checks.done()?;
    if before.raised_by == actor.person || had_a_hand(tx, &vote, actor.person).await? {
        return Err(Code::SecondPersonNeeded.into());
    }
    let state = if input.upholds { UPHELD } else { REJECTED };
    if before.answered_by == Some(actor.person) && before.state == state {
        // sent again because the answer was lost
        return Ok(view(tx.calendar(), before));
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
        end_others(tx, id).await?;
    }
    Ok(view(tx.calendar(), row))
}

/// Of a result that is overturned nothing waits for an answer any more.
async fn end_others(tx: &Tx, vote: VoteId) -> Result<()> {
    challenge::Entity::update_many()
        .col_expr(challenge::Column::State, Expr::value(MOOT))
        .filter(challenge::Column::VoteId.eq(vote))
        .filter(challenge::Column::State.eq(OPEN))
        .exec(tx)
        .await?;
    Ok(())
}
