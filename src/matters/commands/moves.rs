//! Moves: the one place where a matter changes its stage. Exactly one of two moves at once wins.
use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QuerySelect, Set, sea_query::Expr};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    evidence::{Piece, attach},
    halts, invitations, merging, reserved,
};
use crate::{
    actor::{Actor, HeldSeat},
    bodies::{self, Right},
    error::{Checks, Code, Result},
    events::{self, Happening, Kind},
    ids::{BodyId, MatterId, PersonId, VoteId},
    matters::{
        queries::{self, MatterView, Standing},
        rows::{matter, stage_record},
        rules::{Landing, Move, Stage, State, gate, land},
    },
    store::Tx,
};

const DUE_AT_ONCE: u64 = 100;

/// A matter moves to its next stage, or is closed after the last one.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AdvanceMatter {
    /// The `rev` that the mover saw; refused with `changed` if somebody moved it since.
    #[serde(default)]
    pub rev: Option<i32>,
}

/// A matter goes back to an earlier stage; what that stage and the later ones ask for must be brought again.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReturnMatter {
    /// The earlier stage.
    pub to: Stage,
    /// Why; public. 2 to 200 characters.
    #[schema(min_length = 2, max_length = 200)]
    pub reason: String,
    /// The `rev` that the mover saw.
    #[serde(default)]
    pub rev: Option<i32>,
}

/// A stage is left without its evidence, by somebody's authority. Publicity, decision and evaluation never are.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SkipStage {
    /// The stage that is skipped: the present one.
    pub stage: Stage,
    /// Who allowed it, by what; public. 2 to 100 characters.
    #[schema(min_length = 2, max_length = 100)]
    pub authority: String,
    /// Why; public. 2 to 200 characters.
    #[schema(min_length = 2, max_length = 200)]
    pub reason: String,
    /// The `rev` that the mover saw.
    #[serde(default)]
    pub rev: Option<i32>,
}

/// A matter is taken back before a decision.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawMatter {
    /// Why; public. 2 to 200 characters.
    #[schema(min_length = 2, max_length = 200)]
    pub reason: String,
    /// The other matter of the village in which it goes on, with its voices and who follows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<MatterId>,
    /// The `rev` that the mover saw.
    #[serde(default)]
    pub rev: Option<i32>,
}

/// What a vote means for its matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The lawful body agreed.
    Passed,
    /// It did not.
    NotPassed,
    /// The villagers were asked; nothing is decided. `true`: a majority agreed.
    Consulted(bool),
    /// The count could not stand.
    Annulled,
}

/// Who moves a matter and with which words; nobody when the clock or a result does.
#[derive(Clone, Debug, Default)]
struct By {
    actor: Option<(PersonId, BodyId)>,
    reason: Option<String>,
    authority: Option<String>,
}

impl By {
    fn seat(actor: &Actor, seat: &HeldSeat) -> Self {
        Self { actor: Some((actor.person, seat.body_id)), ..Self::default() }
    }
}

/// Moves a matter on when its stage has its evidence. Recorded: `matter.stage_entered`, or `matter.closed` at the end.
///
/// # Errors
/// `not_found`; `not_allowed` without the stage's seat; `wrong_state`; `changed`; `halted`; `evidence_missing` with what is
/// missing.
pub async fn advance(tx: &Tx, actor: &Actor, (id, input): (MatterId, AdvanceMatter)) -> Result<MatterView> {
    let standing = queries::standing(tx, id).await?;
    let rule = standing.rule()?;
    let seat = bodies::require(actor, rule.moved_by.right(), &standing.matter.area_code)?;
    let landing = land(&standing.template, standing.position(), Move::Advance)?;
    seen(&standing, input.rev)?;
    halts::refuse(&standing)?;
    let missing = gate::missing(rule, &queries::facts(tx, None, &standing).await?);
    if !missing.is_empty() {
        return Err(Code::EvidenceMissing.with(json!({ "missing": missing })));
    }
    walk(tx, &standing, Move::Advance, landing, By::seat(actor, seat)).await?;
    queries::view(tx, id).await
}

/// Moves a matter on whose period is over, if its stage moves by date and nothing is missing; says whether it moved.
///
/// # Errors
/// When the database fails.
pub async fn advance_by_date(tx: &Tx, standing: &Standing) -> Result<bool> {
    let Ok(rule) = standing.rule() else { return Ok(false) };
    let Ok(landing) = land(&standing.template, standing.position(), Move::Advance) else { return Ok(false) };
    if standing.halted
        || !rule.moves_by_date
        || !gate::missing(rule, &queries::facts(tx, None, standing).await?).is_empty()
    {
        return Ok(false);
    }
    walk(tx, standing, Move::Advance, landing, By::default()).await?;
    Ok(true)
}

/// Sends a matter back. Recorded: `matter.stage_entered`.
///
/// # Errors
/// `not_found`; `not_allowed`; `invalid_fields`; `wrong_state` when it is not an earlier stage or a vote runs; `changed`;
/// `halted`: nobody gets out of a hold by going back.
pub async fn return_to(tx: &Tx, actor: &Actor, (id, input): (MatterId, ReturnMatter)) -> Result<MatterView> {
    let standing = queries::standing(tx, id).await?;
    let seat = bodies::require(actor, Right::MoveMatter, &standing.matter.area_code)?;
    let mut checks = Checks::default();
    checks.text("reason", &input.reason, 2..=200);
    checks.done()?;
    let step = Move::Return(input.to);
    let landing = land(&standing.template, standing.position(), step)?;
    seen(&standing, input.rev)?;
    halts::refuse(&standing)?;
    let by = By { reason: Some(input.reason.trim().to_owned()), ..By::seat(actor, seat) };
    walk(tx, &standing, step, landing, by).await?;
    queries::view(tx, id).await
}

/// Leaves the present stage without its evidence; who, by whose authority and why is public. Recorded:
/// `matter.stage_skipped`, `matter.stage_entered`.
///
/// # Errors
/// `not_found`; `not_allowed`; `authority_needed` without authority or reason; `wrong_state` for a stage that is not the
/// present one or is never skipped; `evidence_missing` for what the law reserves without any legal officer's note; `changed`; `halted`.
pub async fn skip(tx: &Tx, actor: &Actor, (id, input): (MatterId, SkipStage)) -> Result<MatterView> {
    let standing = queries::standing(tx, id).await?;
    let seat = bodies::require(actor, Right::BendPath, &standing.matter.area_code)?;
    let mut checks = Checks::default();
    checks.text("authority", &input.authority, 2..=100);
    checks.text("reason", &input.reason, 2..=200);
    checks.done_as(Code::AuthorityNeeded)?;
    let step = Move::Skip(input.stage);
    let landing = land(&standing.template, standing.position(), step)?;
    seen(&standing, input.rev)?;
    halts::refuse(&standing)?;
    let unnoted = gate::unnoted(standing.rule()?, &queries::facts(tx, None, &standing).await?);
    if !unnoted.is_empty() {
        return Err(Code::EvidenceMissing.with(json!({ "missing": unnoted })));
    }
    let by = By {
        reason: Some(input.reason.trim().to_owned()),
        authority: Some(input.authority.trim().to_owned()),
        ..By::seat(actor, seat)
    };
    walk(tx, &standing, step, landing, by).await?;
    queries::view(tx, id).await
}

/// Takes a matter back; it may go on in another. Recorded: `matter.ended`, `matter.merged`.
///
/// # Errors
/// `not_found`; `not_allowed`; `invalid_fields`; `wrong_state` after the decision, while a vote runs, or when it has
/// ended; `changed`; `halted`: nobody gets out of a hold by taking the matter back.
pub async fn withdraw(tx: &Tx, actor: &Actor, (id, input): (MatterId, WithdrawMatter)) -> Result<MatterView> {
    let standing = queries::standing(tx, id).await?;
    let seat = bodies::require(actor, Right::BendPath, &standing.matter.area_code)?;
    let mut checks = Checks::default();
    checks.text("reason", &input.reason, 2..=200);
    checks.done()?;
    let landing = land(&standing.template, standing.position(), Move::Withdraw)?;
    seen(&standing, input.rev)?;
    halts::refuse(&standing)?;
    let into = merging::named(tx, &standing, input.merged_into).await?;
    let by = By { reason: Some(input.reason.trim().to_owned()), ..By::seat(actor, seat) };
    walk(tx, &standing, Move::Withdraw, landing, by).await?;
    if let Some(into) = into {
        merging::carry(tx, actor, &standing, into).await?;
    }
    queries::view(tx, id).await
}

/// Notes that a vote about the matter is open; until its result comes the path is closed.
///
/// # Errors
/// `not_found`; `wrong_state` outside the decide stage or while another vote runs; `halted`; `evidence_missing` for what was
/// found to be reserved to the assembly only later, and has no legal officer's note on its plan yet.
pub async fn begin_vote(tx: &Tx, id: MatterId, vote: VoteId) -> Result<()> {
    let standing = queries::standing(tx, id).await?;
    let position = standing.position();
    if position.state != State::Open || position.stage != Stage::Decide || position.vote_running {
        return Err(Code::WrongState.into());
    }
    halts::refuse(&standing)?;
    let missing = reserved::unnoted(tx, &standing).await?;
    if !missing.is_empty() {
        return Err(Code::EvidenceMissing.with(json!({ "missing": missing })));
    }
    let piece = Piece { kind: "vote_opened", subject: Some(vote.to_string()), ..Piece::default() };
    attach(tx, &standing, tx.now(), piece).await
}

/// Takes in the result of a vote: passed → the next stage; not passed → the matter ends; otherwise it stays where it is.
///
/// # Errors
/// `not_found`; `changed` when somebody moved it in between.
pub async fn conclude_vote(tx: &Tx, id: MatterId, vote: VoteId, verdict: Verdict) -> Result<()> {
    let standing = queries::standing(tx, id).await?;
    let (kind, outcome, step) = match verdict {
        Verdict::Passed => ("vote_result", "passed", Some(Move::Pass)),
        Verdict::NotPassed => ("vote_result", "not_passed", Some(Move::Refuse)),
        Verdict::Consulted(true) => ("consultation", "passed", None),
        Verdict::Consulted(false) => ("consultation", "not_passed", None),
        Verdict::Annulled => ("vote_result", "annulled", None),
    };
    let piece = Piece { kind, subject: Some(vote.to_string()), outcome: Some(outcome.to_owned()), ..Piece::default() };
    attach(tx, &standing, tx.now(), piece).await?;
    let Some(step) = step else { return Ok(()) };
    let landing = land(&standing.template, standing.position(), step)?;
    walk(tx, &standing, step, landing, By::default()).await
}

/// Lets what was held up go on when its days are over, and marks the stages whose due date has passed, once each. Recorded:
/// `matter.halt_ended`, `matter.stage_overdue`.
///
/// # Errors
/// When the database fails.
pub async fn due(tx: &Tx) -> Result<u64> {
    let now = tx.now();
    let released = halts::due(tx).await?;
    let late = matter::Entity::find()
        .filter(matter::Column::State.eq(State::Open.as_str()))
        .filter(matter::Column::StageDueAt.lte(now))
        .filter(matter::Column::StageOverdueAt.is_null())
        .limit(DUE_AT_ONCE)
        .all(tx)
        .await?;
    for matter in &late {
        matter::Entity::update_many()
            .col_expr(matter::Column::StageOverdueAt, Expr::value(now))
            .filter(matter::Column::Id.eq(matter.id))
            .exec(tx)
            .await?;
        let happening = Happening::new(Kind::StageOverdue, matter.id)
            .at(&matter.area_code)
            .with(json!({ "stage": matter.stage, "body": matter.body_id }));
        events::record(tx, happening).await?;
    }
    Ok(released + late.len() as u64)
}

fn seen(standing: &Standing, rev: Option<i32>) -> Result<()> {
    if rev.is_none_or(|rev| rev == standing.matter.rev) { Ok(()) } else { Err(Code::Changed.into()) }
}

/// Makes the move, provided nobody moved the matter since it was read.
async fn walk(tx: &Tx, standing: &Standing, step: Move, landing: Landing, by: By) -> Result<()> {
    let now = tx.now();
    let old = &standing.matter;
    let mut update = matter::Entity::update_many()
        .col_expr(matter::Column::Rev, Expr::col(matter::Column::Rev).add(1))
        .col_expr(matter::Column::UpdatedAt, Expr::value(now));
    let mut entered = None;
    match landing {
        Landing::Enter(stage) => {
            let days = standing.template.stage(stage).map_or(0, |rule| rule.due_working_days);
            let due = tx.calendar().add_working_days(now, days);
            update = update
                .col_expr(matter::Column::Stage, Expr::value(stage.as_str()))
                .col_expr(matter::Column::StageDueAt, Expr::value(due))
                .col_expr(matter::Column::StageOverdueAt, Expr::value(Option::<DateTime<Utc>>::None));
            entered = Some((stage, due));
        }
        Landing::End(state) => {
            update = update
                .col_expr(matter::Column::State, Expr::value(state.as_str()))
                .col_expr(matter::Column::EndedAt, Expr::value(now));
        }
    }
    let moved = update
        .filter(matter::Column::Id.eq(old.id))
        .filter(matter::Column::Rev.eq(old.rev))
        .filter(matter::Column::State.eq(State::Open.as_str()))
        .exec(tx)
        .await?;
    if moved.rows_affected != 1 {
        return Err(Code::Changed.into());
    }
    leave(tx, standing, step, &by).await?;
    invitations::over(tx, standing).await?;
    if let Some((stage, due)) = entered {
        enter(tx, (old.id, standing.stay.ordinal + 1), stage, (tx.now(), Some(due))).await?;
    }
    tell(tx, standing, step, landing, by.actor.map(|(person, _)| person)).await
}

async fn leave(tx: &Tx, standing: &Standing, step: Move, by: &By) -> Result<()> {
    stage_record::Entity::update_many()
        .col_expr(stage_record::Column::LeftAt, Expr::value(tx.now()))
        .col_expr(stage_record::Column::Outcome, Expr::value(step.outcome()))
        .col_expr(stage_record::Column::ActorId, Expr::value(by.actor.map(|(person, _)| person)))
        .col_expr(stage_record::Column::BodyId, Expr::value(by.actor.map(|(_, body)| body)))
        .col_expr(stage_record::Column::Reason, Expr::value(by.reason.clone()))
        .col_expr(stage_record::Column::Authority, Expr::value(by.authority.clone()))
        .filter(stage_record::Column::MatterId.eq(standing.matter.id))
        .filter(stage_record::Column::Ordinal.eq(standing.stay.ordinal))
        .exec(tx)
        .await?;
    Ok(())
}

/// The next stay begins, or the first.
pub(super) async fn enter(
    tx: &Tx,
    (matter, ordinal): (MatterId, i32),
    stage: Stage,
    (since, due): (DateTime<Utc>, Option<DateTime<Utc>>),
) -> Result<()> {
    let record = stage_record::ActiveModel {
        matter_id: Set(matter),
        ordinal: Set(ordinal),
        stage: Set(stage.as_str().to_owned()),
        entered_at: Set(since),
        due_at: Set(due),
        calendar_version: Set(tx.calendar().version().to_owned()),
        left_at: Set(None),
        outcome: Set(None),
        actor_id: Set(None),
        body_id: Set(None),
        reason: Set(None),
        authority: Set(None),
    };
    stage_record::Entity::insert(record).exec_without_returning(tx).await?;
    Ok(())
}

async fn tell(tx: &Tx, standing: &Standing, step: Move, landing: Landing, actor: Option<PersonId>) -> Result<()> {
    let matter = &standing.matter;
    let about = |kind: Kind, data: serde_json::Value| {
        let happening = Happening::new(kind, matter.id).at(&matter.area_code).with(data);
        match actor {
            Some(person) => happening.by(person),
            None => happening,
        }
    };
    let ordinal = standing.stay.ordinal;
    if let Move::Skip(stage) = step {
        events::record(tx, about(Kind::StageSkipped, json!({ "stage": stage, "ordinal": ordinal }))).await?;
    }
    let last = match landing {
        Landing::Enter(stage) => {
            let why = if actor.is_none() && step == Move::Advance { "by_date" } else { step.outcome() };
            about(
                Kind::StageEntered,
                json!({ "stage": stage, "from": matter.stage, "why": why, "ordinal": ordinal + 1 }),
            )
        }
        Landing::End(State::Closed) => about(Kind::MatterClosed, json!({ "stage": matter.stage })),
        Landing::End(state) => about(Kind::MatterEnded, json!({ "stage": matter.stage, "state": state })),
    };
    events::record(tx, last).await?;
    Ok(())
}
