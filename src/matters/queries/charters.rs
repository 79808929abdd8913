//! What villages' own rules allow, as everybody may see it.
use chrono::{DateTime, FixedOffset, NaiveDate};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::stays::{ActorView, Names};
use crate::{
    clock,
    error::{Error, Result},
    ids::CharterId,
    matters::{
        rows::{charter, template},
        rules::{
            Stage, Template, TemplateKey,
            template::{Requirement, StageRule},
        },
    },
    text,
};

/// More were never adopted by one village.
const SHOWN: u64 = 100;

/// Of which village.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ChartersQuery {
    /// Code of the village.
    pub area: String,
}

/// What a village's own rules allow.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CharterView {
    /// Its id.
    pub id: CharterId,
    /// Code of the village.
    pub area_code: String,
    /// The path that it allows.
    pub template: TemplateKey,
    /// The same in Chinese.
    pub template_name: String,
    /// What each stage of it asks for.
    pub path: Vec<PathStage>,
    /// When it was adopted.
    pub adopted_on: NaiveDate,
    /// Which rules, adopted by whom.
    pub source: String,
    /// Who wrote it down here.
    pub recorded_by: ActorView,
    /// When.
    pub recorded_at: DateTime<FixedOffset>,
    /// Since when it allows nothing new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<DateTime<FixedOffset>>,
}

/// A stage of a path, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PathStage {
    /// Which.
    pub stage: Stage,
    /// The same in Chinese.
    pub name: String,
    /// Working days that it may take.
    pub due_working_days: u32,
    /// What must be there before it is left, in Chinese.
    pub asks: Vec<String>,
}

/// What a village's own rules allow and allowed, the newest first; 100 at most.
///
/// # Errors
/// When the database cannot be read.
pub async fn charters(db: &impl ConnectionTrait, area: &str) -> Result<Vec<CharterView>> {
    let rows = charter::Entity::find()
        .filter(charter::Column::AreaCode.eq(area))
        .order_by_desc(charter::Column::RecordedAt)
        .order_by_desc(charter::Column::Id)
        .limit(SHOWN)
        .all(db)
        .await?;
    views(db, rows).await
}

/// The one by which a matter goes its path.
pub(super) async fn charter(db: &impl ConnectionTrait, id: Option<CharterId>) -> Result<Option<CharterView>> {
    let Some(id) = id else { return Ok(None) };
    let rows = charter::Entity::find_by_id(id).all(db).await?;
    Ok(views(db, rows).await?.pop())
}

/// One of them.
pub(in crate::matters) async fn charter_view(db: &impl ConnectionTrait, row: charter::Model) -> Result<CharterView> {
    views(db, vec![row]).await?.pop().ok_or_else(|| Error::broken("a charter without a view"))
}

async fn views(db: &impl ConnectionTrait, rows: Vec<charter::Model>) -> Result<Vec<CharterView>> {
    let names = Names::of(db, rows.iter().map(|row| (row.recorded_by, Some(row.body_id))).collect()).await?;
    let paths = template::Entity::find()
        .filter(template::Column::Key.is_in(rows.iter().map(|row| row.template_key.clone())))
        .all(db)
        .await?;
    let view = |row: charter::Model| {
        let template = TemplateKey::of(&row.template_key).ok_or_else(|| Error::broken("a charter's template"))?;
        let path = paths.iter().find(|one| one.key == row.template_key && one.version == template.version());
        let path = path.ok_or_else(|| Error::broken("a charter without its path"))?;
        let path = Template::parse(&path.definition).map_err(Error::broken)?;
        Ok(CharterView {
            id: row.id,
            area_code: row.area_code,
            template,
            template_name: path.name(),
            path: path.stages.iter().map(path_stage).collect(),
            adopted_on: row.adopted_on,
            source: row.source,
            recorded_by: names.actor(row.recorded_by, Some(row.body_id)),
            recorded_at: clock::local(row.recorded_at),
            ended_at: row.ended_at.map(clock::local),
        })
    };
    rows.into_iter().map(view).collect()
}

fn path_stage(rule: &StageRule) -> PathStage {
    PathStage {
        stage: rule.key,
        name: text::say(&rule.name),
        due_working_days: rule.due_working_days,
        asks: rule.evidence.iter().map(asks).collect(),
    }
}

/// What is asked for, in words.
fn asks(requirement: &Requirement) -> String {
    let counted = |key: &str, n: u64| text::say_with(key, &[("n", n.to_string().into())]);
    match requirement {
        Requirement::Origin { min_voices } => counted("asks-origin", *min_voices),
        Requirement::Need { min_answers, .. } => counted("asks-survey", *min_answers),
        Requirement::Meeting { min, .. } => counted("asks-meeting", *min),
        Requirement::Alternatives => text::say("asks-alternatives"),
        Requirement::Notice { min } => counted("asks-notice", *min),
        Requirement::Visits { min, .. } => counted("asks-visits", *min),
        Requirement::Opinion { .. } => text::say("asks-opinion"),
        Requirement::Legality => text::say("asks-legality"),
        Requirement::Vote => text::say("asks-vote"),
        Requirement::Tasks { min } => counted("asks-tasks", *min),
        Requirement::Rating { min_answers, .. } => counted("asks-rating", *min_answers),
        Requirement::Report => text::say("asks-report"),
    }
}
