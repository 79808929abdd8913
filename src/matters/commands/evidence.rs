//! Evidence: what was put before a stage; opinions, legality notes, answers to other ways of doing it and the final report are
//! written here, the rest is pointed at.
use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Set, sea_query::OnConflict};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    actor::{Actor, HeldSeat},
    bodies::{self, Right},
    error::{Checks, Code, Result},
    events::{self, Happening, Kind},
    ids::{BodyId, MatterId, PersonId},
    matters::{
        queries::{self, ALTERNATIVE, MatterView, Standing},
        rows::{evidence, stage_record},
        rules::{Stage, template::StageRule},
    },
    store::Tx,
};

/// A piece of evidence to be attached.
#[derive(Clone, Debug, Default)]
pub struct Piece {
    /// What it is; see `Requirement::kinds`.
    pub kind: &'static str,
    /// Id of the form, meeting, notice, vote or task, or the place of what is answered.
    pub subject: Option<String>,
    /// A code: how it came out.
    pub outcome: Option<String>,
    /// Its text, where the evidence itself is a text.
    pub note: Option<String>,
    /// Who gave it.
    pub actor: Option<PersonId>,
    /// In whose name.
    pub body: Option<BodyId>,
}

/// An opinion of the party organisation or the committee at the review.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GiveOpinion {
    /// May it be put to the vote?
    pub agree: bool,
    /// Why; public. 2 to 500 characters.
    #[schema(min_length = 2, max_length = 500)]
    pub text: String,
}

/// A legal officer's note on a matter that the law reserves to the assembly (村法律顾问).
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NoteLegality {
    /// May it go on as it is?
    pub is_lawful: bool,
    /// Why; public. 2 to 500 characters.
    #[schema(min_length = 2, max_length = 500)]
    pub text: String,
}

/// What becomes of another way of doing it that somebody put beside the plan.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerAlternative {
    /// Its `seq` in the matter's discussion.
    pub seq: i64,
    /// Is it taken into the plan? Else it is set aside.
    pub is_taken: bool,
    /// Why; public. 2 to 500 characters.
    #[schema(min_length = 2, max_length = 500)]
    pub text: String,
}

/// The final report of a matter.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WriteReport {
    /// Public. 10 to 2,000 characters.
    #[schema(min_length = 10, max_length = 2000)]
    pub text: String,
}

/// States an opinion in the name of the actor's body. Recorded: `matter.evidence_attached`.
///
/// # Errors
/// `not_found`; `not_allowed` without a seat that speaks for party organisation or committee; `invalid_fields`;
/// `wrong_state` in a stage that asks for none.
pub async fn give_opinion(tx: &Tx, actor: &Actor, (id, input): (MatterId, GiveOpinion)) -> Result<MatterView> {
    let standing = queries::standing(tx, id).await?;
    let seat = speaker(actor, &standing)?;
    let mut checks = Checks::default();
    checks.text("text", &input.text, 2..=500);
    checks.done()?;
    let outcome = if input.agree { "agree" } else { "disagree" };
    write(tx, &standing, (actor, seat), said("opinion", Some(outcome), &input.text)).await
}

/// The seat in whose name somebody speaks who may hold several: that of the body whose opinion the stage asks for.
fn speaker<'a>(actor: &'a Actor, standing: &Standing) -> Result<&'a HeldSeat> {
    let area = &standing.matter.area_code;
    let any = bodies::require(actor, Right::GiveOpinion, area)?;
    let asked = standing.rule().ok().and_then(StageRule::opinion_of);
    let is_asked = |seat: &&HeldSeat| {
        asked == Some(seat.body_kind.as_str())
            && seat.covers(area)
            && bodies::rights(&seat.body_kind, &seat.role).contains(&Right::GiveOpinion)
    };
    Ok(actor.seats.iter().find(is_asked).unwrap_or(any))
}

/// States whether a matter is lawful as it is; a later note counts instead. Recorded: `matter.evidence_attached`.
///
/// # Errors
/// `not_found`; `not_allowed` without a legal officer's seat there; `invalid_fields`; `wrong_state` in a stage that asks
/// for none.
pub async fn note_legality(tx: &Tx, actor: &Actor, (id, input): (MatterId, NoteLegality)) -> Result<MatterView> {
    let standing = queries::standing(tx, id).await?;
    let seat = bodies::require(actor, Right::NoteLegality, &standing.matter.area_code)?;
    let mut checks = Checks::default();
    checks.text("text", &input.text, 2..=500);
    checks.done()?;
    let outcome = if input.is_lawful { "lawful" } else { "unlawful" };
    write(tx, &standing, (actor, seat), said("legality", Some(outcome), &input.text)).await
}

/// Answers another way of doing it in the name of the council, once and for good. Recorded: `matter.evidence_attached`.
///
/// # Errors
/// `not_found`; `not_allowed` without a seat that leads the council there; `invalid_fields`, also when nothing of the kind stands
/// at that place; `already_answered`; `wrong_state` in a stage that asks for none.
pub async fn answer_alternative(
    tx: &Tx,
    actor: &Actor,
    (id, input): (MatterId, AnswerAlternative),
) -> Result<MatterView> {
    let standing = queries::standing(tx, id).await?;
    let seat = bodies::require(actor, Right::AnswerAlternative, &standing.matter.area_code)?;
    let stand = queries::alternatives(tx, id).await?;
    let mut checks = Checks::default();
    checks.text("text", &input.text, 2..=500);
    checks.require(stand.iter().any(|(seq, _)| *seq == input.seq), "seq", "unknown");
    checks.done()?;
    if standing.is_answered(input.seq) {
        return Err(Code::AlreadyAnswered.into());
    }
    let outcome = if input.is_taken { "taken" } else { "set_aside" };
    let answer = said(ALTERNATIVE, Some(outcome), &input.text);
    let piece = Piece { subject: Some(input.seq.to_string()), ..answer };
    write(tx, &standing, (actor, seat), piece).await
}

/// Writes the final report. A later one stands beside it. Recorded: `matter.evidence_attached`.
///
/// # Errors
/// `not_found`; `not_allowed` without a seat that moves or closes matters; `invalid_fields`; `wrong_state` outside the
/// evaluation.
pub async fn write_report(tx: &Tx, actor: &Actor, (id, input): (MatterId, WriteReport)) -> Result<MatterView> {
    let standing = queries::standing(tx, id).await?;
    let area = &standing.matter.area_code;
    let seat = bodies::require(actor, Right::MoveMatter, area)
        .or_else(|_| bodies::require(actor, Right::CloseMatter, area))?;
    let mut checks = Checks::default();
    checks.text("text", &input.text, 10..=2000);
    checks.done()?;
    write(tx, &standing, (actor, seat), said("report", None, &input.text)).await
}

fn said(kind: &'static str, outcome: Option<&str>, text: &str) -> Piece {
    Piece { kind, outcome: outcome.map(str::to_owned), note: Some(text.trim().to_owned()), ..Piece::default() }
}

async fn write(tx: &Tx, standing: &Standing, (actor, seat): (&Actor, &HeldSeat), piece: Piece) -> Result<MatterView> {
    if !standing.asks(piece.kind) {
        return Err(Code::WrongState.into());
    }
    let piece = Piece { actor: Some(actor.person), body: Some(seat.body_id), ..piece };
    insert(tx, standing, standing.position().stage, tx.now(), piece).await?;
    queries::view(tx, standing.matter.id).await
}

/// Attaches a piece to the stage that the matter was in at that moment, if that stage asks for its kind; else, and for a
/// piece that is there already, does nothing. Recorded: `matter.evidence_attached`.
///
/// # Errors
/// When the database fails.
pub async fn attach(tx: &Tx, standing: &Standing, at: DateTime<Utc>, piece: Piece) -> Result<()> {
    let stays = stage_record::Entity::find()
        .filter(stage_record::Column::MatterId.eq(standing.matter.id))
        .order_by_desc(stage_record::Column::Ordinal)
        .all(tx)
        .await?;
    let was_there = |stay: &&stage_record::Model| stay.entered_at <= at && stay.left_at.is_none_or(|left| left >= at);
    let asked = stays
        .iter()
        .filter(was_there)
        .filter_map(|stay| Stage::parse(&stay.stage))
        .find(|stage| standing.template.stage(*stage).is_some_and(|rule| rule.accepts(piece.kind)));
    match asked {
        Some(stage) => insert(tx, standing, stage, at, piece).await,
        None => Ok(()),
    }
}

pub(super) async fn insert(tx: &Tx, standing: &Standing, stage: Stage, at: DateTime<Utc>, piece: Piece) -> Result<()> {
    let happening = Happening::new(Kind::EvidenceAttached, standing.matter.id)
        .at(&standing.matter.area_code)
        .with(json!({ "stage": stage, "kind": piece.kind, "evidence": piece.subject, "outcome": piece.outcome }));
    let row = evidence::ActiveModel {
        id: Set(Uuid::now_v7()),
        matter_id: Set(standing.matter.id),
        stage: Set(stage.as_str().to_owned()),
        kind: Set(piece.kind.to_owned()),
        subject_id: Set(piece.subject),
        outcome: Set(piece.outcome),
        note: Set(piece.note),
        actor_id: Set(piece.actor),
        body_id: Set(piece.body),
        at: Set(at),
    };
    let columns =
        [evidence::Column::MatterId, evidence::Column::Stage, evidence::Column::Kind, evidence::Column::SubjectId];
    let known = OnConflict::columns(columns).do_nothing().to_owned();
    let new = evidence::Entity::insert(row).on_conflict(known).exec_without_returning(tx).await?;
    if new > 0 {
        events::record(
            tx,
            match piece.actor {
                Some(person) => happening.by(person),
                None => happening,
            },
        )
        .await?;
    }
    Ok(())
}
