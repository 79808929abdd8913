//! Who answers what: by what it is about and where it is, as the county says; the village's committee, or the town's office,
//! where it says nothing.
use chrono::{DateTime, FixedOffset};
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, Iterable, QueryFilter, Set};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    referrals,
    rows::route,
    rules::{self, Category, Visibility},
};
use crate::{
    actor::Actor,
    areas,
    bodies::{self, queries::Body},
    clock,
    error::{Checks, Code, Result},
    events::{self, Happening, Kind},
    ids::BodyId,
    rights::{self, Right},
    store::Tx,
};

/// Who is to answer what is about this.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetRoute {
    /// A body that covers the area and answers residents.
    pub body_id: BodyId,
}

/// Who answers what is about something.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RouteView {
    /// What it is about.
    pub category: Category,
    /// Code of the area for which it was said: this one or one above it.
    pub area_code: String,
    /// Who answers.
    pub body_id: BodyId,
    /// Its name.
    pub body_name: String,
    /// Since when.
    pub set_at: DateTime<FixedOffset>,
}

/// The body responsible, and whether the county named it.
pub(super) async fn responsible(
    db: &impl ConnectionTrait,
    area: &str,
    (category, visibility): (Category, Visibility),
) -> Result<(BodyId, bool)> {
    if let Some(row) = nearest(db, area, Some(category)).await?.pop()
        && let Some(body) = bodies::queries::bodies(db, vec![row.body_id]).await?.pop()
        && can_take(&body, area, visibility)
    {
        return Ok((body.id, true));
    }
    let usual = bodies::queries::of_kind(db, rules::responsible_kind(visibility), area).await?;
    usual.map(|body| (body, false)).ok_or_else(|| Code::NoBodyResponsible.into())
}

/// The same, past the bodies that it is about: the nearest office above them.
pub(super) async fn past(
    db: &impl ConnectionTrait,
    area: &str,
    (usual, accused): (BodyId, &[BodyId]),
) -> Result<BodyId> {
    if !accused.contains(&usual) {
        return Ok(usual);
    }
    let own = bodies::queries::get(db, usual).await?.kind;
    // whatever answered for the village, the town is above it
    let mut kind = Some(rules::above(own.as_str()).unwrap_or(rules::responsible_kind(Visibility::Town)));
    while let Some(above) = kind {
        if let Some(body) = bodies::queries::of_kind(db, above, area).await?.filter(|body| !accused.contains(body)) {
            return Ok(body);
        }
        kind = rules::above(above);
    }
    Err(Code::NoBodyResponsible.into())
}

/// What is for the town alone goes past the village, whoever was named for it.
fn can_take(body: &Body, area: &str, visibility: Visibility) -> bool {
    let covers = body.areas.iter().any(|code| crate::actor::covers(code, area));
    let is_above = body.areas.iter().all(|code| code.len() < area.len());
    covers && referrals::answers(body) && (visibility != Visibility::Town || is_above)
}

/// What is said for an area or above it, the nearest for each category.
async fn nearest(db: &impl ConnectionTrait, area: &str, only: Option<Category>) -> Result<Vec<route::Model>> {
    let mut rows = route::Entity::find().filter(route::Column::AreaCode.is_in(areas::ancestors(area)));
    if let Some(category) = only {
        rows = rows.filter(route::Column::Category.eq(category));
    }
    let mut rows = rows.all(db).await?;
    rows.sort_by_key(|row| std::cmp::Reverse(row.area_code.len()));
    let first = |category: Category| rows.iter().find(|row| row.category == category).cloned();
    Ok(Category::iter().filter_map(first).collect())
}

/// Who answers what in an area, as far as the county has said so; by category.
///
/// # Errors
/// `not_found` for an unknown area.
pub async fn routes(db: &impl ConnectionTrait, area: &str) -> Result<Vec<RouteView>> {
    areas::get(db, area).await?;
    let rows = nearest(db, area, None).await?;
    let names = bodies::queries::names(db, rows.iter().map(|row| row.body_id).collect()).await?;
    let show = |row: route::Model| RouteView {
        body_name: names.get(&row.body_id).cloned().unwrap_or_default(),
        category: row.category,
        area_code: row.area_code,
        body_id: row.body_id,
        set_at: clock::local(row.set_at),
    };
    Ok(rows.into_iter().map(show).collect())
}

/// Bodies that can be named for an area.
///
/// # Errors
/// When the database cannot be read.
pub async fn choices(db: &impl ConnectionTrait, area: &str) -> Result<Vec<Body>> {
    let mut found = bodies::queries::over(db, area).await?;
    found.retain(|body| can_take(body, area, Visibility::Public));
    Ok(found)
}

/// Says who answers what is about something in an area and below it, where nothing nearer is said; what was left before
/// stays where it is. Records `suggestion.route_changed`.
///
/// # Errors
/// `not_allowed` for others than who runs the county; `not_found`; `invalid_fields` for a body that cannot take it.
pub async fn set(tx: &Tx, actor: &Actor, (area, category, input): (String, Category, SetRoute)) -> Result<()> {
    rights::require(actor, Right::OperateCounty, &area)?;
    areas::get(tx, &area).await?;
    let body = bodies::queries::bodies(tx, vec![input.body_id]).await?.pop();
    let mut checks = Checks::default();
    let can = body.is_some_and(|body| can_take(&body, &area, Visibility::Public));
    checks.require(can, "body_id", "cannot_take_it");
    checks.done()?;
    route::Entity::delete_by_id((area.clone(), category)).exec(tx).await?;
    let row = route::ActiveModel {
        area_code: Set(area.clone()),
        category: Set(category),
        body_id: Set(input.body_id),
        set_by: Set(actor.person),
        set_at: Set(tx.now()),
    };
    row.insert(tx).await?;
    record(tx, actor, (area, category), Some(input.body_id)).await
}

/// Says nothing any more: what is above it, or the usual, holds. Records `suggestion.route_changed`.
///
/// # Errors
/// `not_allowed`; `not_found` where nothing was said.
pub async fn unset(tx: &Tx, actor: &Actor, (area, category): (String, Category)) -> Result<()> {
    rights::require(actor, Right::OperateCounty, &area)?;
    let gone = route::Entity::delete_by_id((area.clone(), category)).exec(tx).await?;
    if gone.rows_affected != 1 {
        return Err(Code::NotFound.into());
    }
    record(tx, actor, (area, category), None).await
}

async fn record(tx: &Tx, actor: &Actor, (area, category): (String, Category), body: Option<BodyId>) -> Result<()> {
    let data = json!({ "category": category, "body": body });
    let happening = Happening::new(Kind::SuggestionRouteChanged, &area).at(&area).by(actor.person).with(data);
    events::record(tx, happening).await?;
    Ok(())
}
