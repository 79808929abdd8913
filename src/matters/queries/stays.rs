//! Stages as everybody may see them: entered and left when, by whom and why, with what was put before them.
use std::collections::HashMap;

use chrono::{DateTime, FixedOffset};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ALTERNATIVE, Standing, standing};
use crate::{
    bodies, clock,
    error::Result,
    ids::{BodyId, MatterId, PersonId},
    matters::{
        rows::{evidence, stage_record},
        rules::{Stage, State, gate::Missing, template::StageRule},
    },
    people, text,
};

/// Somebody who acted in a seat: a public role, hence the full name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ActorView {
    /// The name.
    pub name: String,
    /// The body.
    pub body_name: String,
}

/// Where a stage stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StageState {
    /// Left with its evidence.
    Done,
    /// Left without, by somebody's authority.
    Skipped,
    /// The present one.
    Now,
    /// Yet to come, perhaps for a second time.
    Coming,
    /// The matter ended here.
    Stopped,
}

/// One stage of a matter's path, by its newest stay.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct StageView {
    /// Which.
    pub stage: Stage,
    /// Its name in Chinese.
    pub name: String,
    /// Where it stands.
    pub state: StageState,
    /// What lets a matter in, in Chinese.
    pub entered_on: String,
    /// When it was entered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entered_at: Option<DateTime<FixedOffset>>,
    /// Until when it should be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_at: Option<DateTime<FixedOffset>>,
    /// When it was left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_at: Option<DateTime<FixedOffset>>,
    /// How it was left: completed, skipped, returned, passed, not_passed, withdrawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// The same in Chinese.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome_name: Option<String>,
    /// Who moved it on; absent when the clock or a vote did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<ActorView>,
    /// Why, for a move off the straight path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// By whose authority it was skipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authority: Option<String>,
    /// What was put before it.
    pub evidence: Vec<EvidenceView>,
    /// What is missing, for the present stage.
    pub missing: Vec<Missing>,
}

/// One piece of evidence.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct EvidenceView {
    /// survey, visit, meeting, alternative, notice, opinion, legality, reserved, particulars, vote_opened, vote_result,
    /// consultation, task, rating, report.
    pub kind: String,
    /// The same in Chinese.
    pub name: String,
    /// Id of the form, meeting, notice, vote or task; of an alternative its `seq` in the discussion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject_id: Option<String>,
    /// How it came out: agree, disagree, lawful, unlawful, taken, set_aside, passed, not_passed, annulled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// The same in Chinese.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome_name: Option<String>,
    /// Its text, for an opinion, an answer, a report or particulars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Who gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<ActorView>,
    /// When it was attached.
    pub at: DateTime<FixedOffset>,
    /// Page that shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

/// All stays of a matter, oldest first, each with what was put before it.
///
/// # Errors
/// `not_found`.
pub async fn stays(db: &impl ConnectionTrait, id: MatterId) -> Result<Vec<StageView>> {
    let standing = standing(db, id).await?;
    let stays = stays_of(db, id).await?;
    let names = Names::on(db, &standing, &stays).await?;
    let show = |stay: &stage_record::Model| {
        let rule = Stage::parse(&stay.stage).and_then(|stage| standing.template.stage(stage))?;
        let state = if stay.left_at.is_some() { left(&standing, stay) } else { StageState::Now };
        Some(filled(rule, state, stay, &standing.evidence, &names))
    };
    Ok(stays.iter().filter_map(show).collect())
}

pub(super) async fn stays_of(db: &impl ConnectionTrait, id: MatterId) -> Result<Vec<stage_record::Model>> {
    let own = stage_record::Entity::find().filter(stage_record::Column::MatterId.eq(id));
    Ok(own.order_by_asc(stage_record::Column::Ordinal).all(db).await?)
}

/// A stage by its newest stay, if the matter is not before it again.
pub(super) fn stage(
    rule: &StageRule,
    standing: &Standing,
    stays: &[stage_record::Model],
    names: &Names,
    missing: &[Missing],
) -> StageView {
    let position = standing.position();
    let stay = stays.iter().rev().find(|stay| stay.stage == rule.key.as_str());
    match stay {
        Some(stay) if rule.key <= position.stage => {
            let is_now = rule.key == position.stage && position.state == State::Open;
            let state = if is_now { StageState::Now } else { left(standing, stay) };
            let shown = filled(rule, state, stay, &standing.evidence, names);
            StageView { missing: if is_now { missing.to_vec() } else { Vec::new() }, ..shown }
        }
        _ => blank(rule, StageState::Coming),
    }
}

fn left(standing: &Standing, stay: &stage_record::Model) -> StageState {
    let is_last = standing.stay.ordinal == stay.ordinal;
    match stay.outcome.as_deref() {
        Some("skipped") => StageState::Skipped,
        _ if is_last && standing.position().state != State::Closed => StageState::Stopped,
        _ => StageState::Done,
    }
}

fn blank(rule: &StageRule, state: StageState) -> StageView {
    StageView {
        stage: rule.key,
        name: text::say(&rule.name),
        state,
        entered_on: text::say(rule.entered_on.sentence_key()),
        entered_at: None,
        due_at: None,
        left_at: None,
        outcome: None,
        outcome_name: None,
        actor: None,
        reason: None,
        authority: None,
        evidence: Vec::new(),
        missing: Vec::new(),
    }
}

fn filled(
    rule: &StageRule,
    state: StageState,
    stay: &stage_record::Model,
    evidence: &[evidence::Model],
    names: &Names,
) -> StageView {
    let belongs = |row: &&evidence::Model| {
        row.stage == stay.stage && row.at >= stay.entered_at && stay.left_at.is_none_or(|left| row.at <= left)
    };
    StageView {
        entered_at: Some(clock::local(stay.entered_at)),
        due_at: stay.due_at.map(clock::local),
        left_at: stay.left_at.map(clock::local),
        outcome: stay.outcome.clone(),
        outcome_name: stay.outcome.as_ref().map(|code| text::word("stage-outcome", code)),
        actor: stay.actor_id.map(|person| names.actor(person, stay.body_id)),
        reason: stay.reason.clone(),
        authority: stay.authority.clone(),
        evidence: evidence.iter().filter(belongs).map(|row| piece(row, names)).collect(),
        ..blank(rule, state)
    }
}

pub(super) fn piece(row: &evidence::Model, names: &Names) -> EvidenceView {
    let link = match (row.kind.as_str(), &row.subject_id) {
        (ALTERNATIVE, Some(seq)) => Some(format!("/matters/{}/arguments#said-{seq}", row.matter_id)),
        ("notice", Some(id)) => Some(format!("/notices/{id}")),
        ("vote_opened", Some(id)) => Some(format!("/votes/{id}")),
        ("vote_result" | "consultation", Some(id)) => Some(format!("/votes/{id}/result")),
        _ => None,
    };
    EvidenceView {
        kind: row.kind.clone(),
        name: text::word("evidence", &row.kind),
        subject_id: row.subject_id.clone(),
        outcome: row.outcome.clone(),
        outcome_name: row.outcome.as_ref().map(|code| text::word("evidence-outcome", code)),
        text: row.note.clone(),
        actor: row.actor_id.map(|person| names.actor(person, row.body_id)),
        at: clock::local(row.at),
        link,
    }
}

/// Names of all who acted, looked up once.
pub(super) struct Names {
    people: HashMap<PersonId, String>,
    bodies: HashMap<BodyId, String>,
}

impl Names {
    pub(super) async fn of(db: &impl ConnectionTrait, acted: Vec<(PersonId, Option<BodyId>)>) -> Result<Self> {
        let (people, bodies): (Vec<_>, Vec<_>) = acted.into_iter().unzip();
        Ok(Self {
            people: people::queries::names(db, people).await?,
            bodies: bodies::queries::names(db, bodies.into_iter().flatten().collect()).await?,
        })
    }

    /// Those of a matter: who proposed it, who moved it on, who put something before it.
    pub(super) async fn on(
        db: &impl ConnectionTrait,
        standing: &Standing,
        stays: &[stage_record::Model],
    ) -> Result<Self> {
        let proposed = (standing.matter.proposer_id, Some(standing.matter.body_id));
        let moved = stays.iter().filter_map(|stay| Some((stay.actor_id?, stay.body_id)));
        let attached = standing.evidence.iter().filter_map(|row| Some((row.actor_id?, row.body_id)));
        Self::of(db, moved.chain(attached).chain([proposed]).collect()).await
    }

    pub(super) fn actor(&self, person: PersonId, body: Option<BodyId>) -> ActorView {
        ActorView {
            name: self.people.get(&person).cloned().unwrap_or_default(),
            body_name: body.and_then(|body| self.bodies.get(&body).cloned()).unwrap_or_default(),
        }
    }
}
