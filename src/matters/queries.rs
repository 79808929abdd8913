//! Reads of matters: where one stands, what is known about its stage, and what everybody may see of it.
use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, FromQueryResult, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, sea_query::Expr,
};

use super::{
    rows::{evidence, matter, stage_record, template},
    rules::{Position, Stage, State, Template, template::StageRule},
};
use crate::{
    actor::covers,
    error::{Code, Error, Result},
    ids::MatterId,
};

mod alternatives;
mod authorisations;
mod charters;
mod facts;
mod halts;
mod invitations;
mod opinions;
mod particulars;
mod plans;
mod reaching;
mod register;
mod stays;
mod views;

pub(super) use self::{
    alternatives::{ALTERNATIVE, alternatives},
    authorisations::authorisation_view,
    charters::charter_view,
    invitations::invited,
    particulars::{MEDIA_KIND, photos},
    plans::plan_row,
};
pub use self::{
    alternatives::{alternative_answers, answered},
    authorisations::{AuthorisationView, authorisations},
    charters::{CharterView, ChartersQuery, PathStage, charters},
    facts::facts,
    halts::{HaltView, newest_halt},
    invitations::{InvitationView, leads, waiting_for},
    opinions::opinions_by_body,
    particulars::{Budget, Responsible},
    plans::{PlanQuery, PlanView, plan},
    reaching::{Reaching, reaching},
    register::{RegisterQuery, register},
    stays::{ActorView, EvidenceView, StageState, StageView, stays},
    views::{
        MatterNews, MatterSummary, MatterView, MattersQuery, MergedInto, Reserved, Voice, Voices, head, list, news,
        shown, shown_of, view, voices,
    },
};

/// A matter, its path, its present stay and all its evidence.
pub struct Standing {
    /// The matter.
    pub(super) matter: matter::Model,
    /// The path it goes.
    pub(super) template: Template,
    /// The stay in the present stage; in the last one when it has ended.
    pub(super) stay: stage_record::Model,
    /// Everything that was attached, oldest first.
    pub(super) evidence: Vec<evidence::Model>,
    /// The supervision committee holds up this stay.
    pub(super) halted: bool,
}

impl Standing {
    /// State and stage; a name that this build does not know reads as ended.
    #[must_use]
    pub fn position(&self) -> Position {
        Position {
            state: State::parse(&self.matter.state).unwrap_or(State::Closed),
            stage: Stage::parse(&self.matter.stage).unwrap_or(Stage::Evaluate),
            vote_running: self.vote_running(),
        }
    }

    /// Is it held up by the supervision committee?
    #[must_use]
    pub fn is_halted(&self) -> bool {
        self.halted
    }

    /// Does the matter's area hold this one? What is done elsewhere is no evidence here, whatever it says it is about.
    #[must_use]
    pub fn covers(&self, area: &str) -> bool {
        covers(&self.matter.area_code, area)
    }

    /// What the present stage asks for.
    ///
    /// # Errors
    /// `wrong_state` when its path does not have that stage.
    pub fn rule(&self) -> Result<&StageRule> {
        self.template.stage(self.position().stage).ok_or_else(|| Code::WrongState.into())
    }

    /// Evidence of a kind that was attached since the present stage was entered, oldest first.
    pub(super) fn since_entered(&self, kind: &'static str) -> impl DoubleEndedIterator<Item = &evidence::Model> {
        self.evidence
            .iter()
            .filter(move |row| row.kind == kind && row.stage == self.stay.stage && row.at >= self.stay.entered_at)
    }

    /// Does the present stage ask for this kind of evidence?
    #[must_use]
    pub fn asks(&self, kind: &str) -> bool {
        self.position().state == State::Open && self.rule().is_ok_and(|rule| rule.accepts(kind))
    }

    /// Was the other way of doing it at this place of the discussion answered? An answer stands, whatever stay it was given in.
    #[must_use]
    pub fn is_answered(&self, seq: i64) -> bool {
        let seq = seq.to_string();
        self.evidence.iter().any(|row| row.kind == ALTERNATIVE && row.subject_id.as_ref() == Some(&seq))
    }

    fn vote_running(&self) -> bool {
        let has_ended = |subject: &Option<String>| {
            self.evidence
                .iter()
                .any(|row| row.subject_id == *subject && matches!(row.kind.as_str(), "vote_result" | "consultation"))
        };
        self.evidence.iter().any(|row| row.kind == "vote_opened" && !has_ended(&row.subject_id))
    }
}

/// What is under way in one area.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct UnderWay {
    /// Code of the area.
    pub area_code: String,
    /// Matters under way.
    pub open: i64,
    /// Of these, in a stage whose due date has passed.
    pub overdue: Option<i64>,
}

/// What is under way at and below an area, by area.
///
/// # Errors
/// When the database cannot be read.
pub async fn under_way_by_area(db: &impl ConnectionTrait, above: &str, now: DateTime<Utc>) -> Result<Vec<UnderWay>> {
    let late: Expr = Expr::case(matter::Column::StageDueAt.lte(now), 1).finally(0).into();
    Ok(matter::Entity::find()
        .select_only()
        .column(matter::Column::AreaCode)
        .column_as(matter::Column::Id.count(), "open")
        .column_as(late.sum(), "overdue")
        .filter(matter::Column::AreaCode.starts_with(above))
        .filter(matter::Column::State.eq(State::Open.as_str()))
        .group_by(matter::Column::AreaCode)
        .into_model()
        .all(db)
        .await?)
}

/// A matter in a stage whose due date has passed.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Late {
    /// Its id.
    pub id: MatterId,
    /// Its number.
    pub number: String,
    /// Its title.
    pub title: String,
    /// Where.
    pub area_code: String,
    /// The stage in which it is.
    pub stage: String,
    /// Until when that was to be over.
    pub stage_due_at: Option<DateTime<Utc>>,
}

/// How many matters are late in their stage in an area and below it, and those that are the longest, 200 at most.
///
/// # Errors
/// When the database cannot be read.
pub async fn late(db: &impl ConnectionTrait, (area, now): (&str, DateTime<Utc>)) -> Result<(u64, Vec<Late>)> {
    use matter::Column as C;
    let late = matter::Entity::find()
        .filter(C::AreaCode.starts_with(area))
        .filter(C::State.eq(State::Open.as_str()))
        .filter(C::StageDueAt.lte(now));
    let count = late.clone().count(db).await?;
    let first = late
        .select_only()
        .columns([C::Id, C::Number, C::Title, C::AreaCode, C::Stage, C::StageDueAt])
        .order_by_asc(C::StageDueAt)
        .limit(200)
        .into_model()
        .all(db)
        .await?;
    Ok((count, first))
}

pub(super) async fn row(db: &impl ConnectionTrait, id: MatterId) -> Result<matter::Model> {
    matter::Entity::find_by_id(id).one(db).await?.ok_or_else(|| Code::NotFound.into())
}

/// Where a matter is.
///
/// # Errors
/// `not_found`.
pub async fn area_of(db: &impl ConnectionTrait, id: MatterId) -> Result<String> {
    Ok(row(db, id).await?.area_code)
}

/// Titles of these matters.
///
/// # Errors
/// When the database cannot be read.
pub async fn titles(db: &impl ConnectionTrait, ids: Vec<MatterId>) -> Result<HashMap<MatterId, String>> {
    let rows = matter::Entity::find()
        .select_only()
        .columns([matter::Column::Id, matter::Column::Title])
        .filter(matter::Column::Id.is_in(ids));
    Ok(rows.into_tuple().all(db).await?.into_iter().collect())
}

pub(super) async fn template(db: &impl ConnectionTrait, key: &str, version: i32) -> Result<Template> {
    let row = template::Entity::find_by_id((key.to_owned(), version)).one(db).await?;
    let row = row.ok_or_else(|| Error::broken(format!("template {key} {version} is not there")))?;
    Template::parse(&row.definition).map_err(Error::broken)
}

/// The stay in the present stage; in the last one when it has ended.
async fn last_stay(db: &impl ConnectionTrait, id: MatterId) -> Result<stage_record::Model> {
    let stays = stage_record::Entity::find().filter(stage_record::Column::MatterId.eq(id));
    let last = stays.order_by_desc(stage_record::Column::Ordinal).one(db).await?;
    last.ok_or_else(|| Error::broken("a matter that never entered a stage"))
}

/// Where a matter stands.
///
/// # Errors
/// `not_found`.
pub async fn standing(db: &impl ConnectionTrait, id: MatterId) -> Result<Standing> {
    let matter = row(db, id).await?;
    let template = template(db, &matter.template_key, matter.template_version).await?;
    let stay = last_stay(db, id).await?;
    let evidence = evidence::Entity::find()
        .filter(evidence::Column::MatterId.eq(id))
        .order_by_asc(evidence::Column::At)
        .order_by_asc(evidence::Column::Id)
        .all(db)
        .await?;
    let halted = halts::is_halted(db, &stay).await?;
    Ok(Standing { matter, template, stay, evidence, halted })
}
