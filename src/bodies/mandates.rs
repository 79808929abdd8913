//! 授权: what one body lets another do in its name is recorded, and ended before its time with a reason.
use chrono::{DateTime, FixedOffset, Utc};
use sea_orm::{ActiveModelTrait, ColumnTrait, Condition, EntityTrait, QueryFilter, sea_query::Expr};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    commands::By,
    queries::{self, Body, Mandate},
    rows::mandate,
    rules::{self, BodyKind, MANDATE_SCOPES, Role},
};
use crate::{
    actor::{Actor, covers},
    error::{Checks, Code, Result},
    events::{self, Kind},
    ids::{BodyId, MandateId, MatterId},
    store::Tx,
};

/// A mandate to record.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GiveMandate {
    /// In whose name is acted.
    pub from_body_id: BodyId,
    /// Who acts.
    pub to_body_id: BodyId,
    /// What for: `publish_notice`.
    pub scope: String,
    /// The one matter that it is for, raised where the body is that gives it; any when absent.
    #[serde(default)]
    #[schema(max_length = 40)]
    pub subject_id: Option<String>,
    /// The decision behind it: which meeting, which day.
    #[schema(min_length = 1, max_length = 200)]
    pub source: String,
    /// From when; now when absent.
    #[serde(default)]
    pub starts_at: Option<DateTime<FixedOffset>>,
    /// Until when; until it is replaced when absent.
    #[serde(default)]
    pub ends_at: Option<DateTime<FixedOffset>>,
}

/// Records a mandate. The chair of the body that gives it may, and who manages bodies there.
///
/// # Errors
/// `not_found`, `not_allowed`, `invalid_fields`.
pub async fn give_mandate(tx: &Tx, actor: &Actor, input: GiveMandate) -> Result<Mandate> {
    let from = queries::get(tx, input.from_body_id).await?;
    let to = queries::get(tx, input.to_body_id).await?;
    require_giver(actor, &from)?;
    let starts_at = input.starts_at.map_or_else(|| tx.now(), |at| at.with_timezone(&Utc));
    let ends_at = input.ends_at.map(|at| at.with_timezone(&Utc));
    let matter = match input.subject_id.as_deref() {
        Some(told) => own_matter(tx, &from, told).await?,
        None => None,
    };
    let mut checks = Checks::default();
    checks.day("starts_at", starts_at.date_naive());
    if let Some(at) = ends_at {
        checks.day("ends_at", at.date_naive());
    }
    checks.require(from.id != to.id, "to_body_id", "not_yourself");
    checks.require(rules::meet(&from.areas, &to.areas), "to_body_id", "out_of_range");
    checks.require(MANDATE_SCOPES.contains(&input.scope.as_str()), "scope", "unknown");
    // nobody gives away what it may not do itself
    checks.require(from.kind == BodyKind::VillageCommittee, "from_body_id", "out_of_range");
    checks.text("source", &input.source, 1..=200);
    checks.require(matter.is_some() || input.subject_id.is_none(), "subject_id", "unknown");
    checks.require(ends_at.is_none_or(|end| end > starts_at), "ends_at", "ends_before_start");
    checks.done()?;
    let row = mandate::Model {
        id: MandateId::new(),
        from_body_id: from.id,
        to_body_id: to.id,
        scope: input.scope,
        subject_id: matter.map(|matter| matter.to_string()),
        source: input.source.trim().to_owned(),
        starts_at,
        ends_at,
        recorded_by: actor.person,
        ended_at: None,
        ended_by: None,
        end_reason: None,
    };
    mandate::ActiveModel::from(row.clone()).reset_all().insert(tx).await?;
    let data = json!({ "from": from.id, "to": to.id, "scope": row.scope, "subject": row.subject_id });
    events::record(tx, By::Actor(actor).happening(Kind::MandateGiven, row.id, &from.areas).with(data)).await?;
    Ok(Mandate::from(row))
}

/// The matter with this id, if it was raised where the body is; matters stand above, so the log says it.
async fn own_matter(tx: &Tx, from: &Body, told: &str) -> Result<Option<MatterId>> {
    let Ok(matter) = told.parse::<MatterId>() else { return Ok(None) };
    let area = events::last_area(tx, Kind::MatterRaised, &matter.to_string()).await?;
    let is_own = area.is_some_and(|area| from.areas.iter().any(|own| covers(own, &area)));
    Ok(is_own.then_some(matter))
}

/// The chair of the body in whose name is acted may, and who manages bodies there.
fn require_giver(actor: &Actor, from: &Body) -> Result<()> {
    let leads = actor.seats.iter().any(|seat| seat.body_id == from.id && seat.role == Role::Chair.as_str());
    if leads { Ok(()) } else { By::Actor(actor).manages(&from.areas) }
}

/// Why a mandate ends before its time.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndMandate {
    /// The reason, for everybody.
    #[schema(min_length = 1, max_length = 200)]
    pub reason: String,
}

/// Ends a mandate at once, for who may give it. What was done by it stays.
///
/// # Errors
/// `not_found`, `not_allowed`, `invalid_fields`; `wrong_state` when it has ended already.
pub async fn end_mandate(tx: &Tx, actor: &Actor, (id, input): (MandateId, EndMandate)) -> Result<Mandate> {
    let row = mandate::Entity::find_by_id(id).one(tx).await?.ok_or(Code::NotFound)?;
    let from = queries::get(tx, row.from_body_id).await?;
    require_giver(actor, &from)?;
    let mut checks = Checks::default();
    checks.text("reason", &input.reason, 1..=200);
    checks.done()?;
    let (now, reason) = (tx.now(), input.reason.trim().to_owned());
    let lasting = Condition::any().add(mandate::Column::EndsAt.is_null()).add(mandate::Column::EndsAt.gt(now));
    let ended = mandate::Entity::update_many()
        .col_expr(mandate::Column::EndedAt, Expr::value(now))
        .col_expr(mandate::Column::EndedBy, Expr::value(actor.person))
        .col_expr(mandate::Column::EndReason, Expr::value(reason.clone()))
        .filter(mandate::Column::Id.eq(id))
        .filter(mandate::Column::EndedAt.is_null())
        .filter(lasting)
        .exec(tx)
        .await?;
    if ended.rows_affected != 1 {
        return Err(Code::WrongState.into());
    }
    let data = json!({ "from": row.from_body_id, "to": row.to_body_id, "scope": row.scope, "subject": row.subject_id });
    events::record(tx, By::Actor(actor).happening(Kind::MandateEnded, id, &from.areas).with(data)).await?;
    Ok(Mandate::from(mandate::Model {
        ended_at: Some(now),
        ended_by: Some(actor.person),
        end_reason: Some(reason),
        ..row
    }))
}
