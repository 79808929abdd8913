//! Who answers what: by what it is about and where it is, as the county says; the village's committee, or the town's office,
//! where it says nothing.
use chrono::{DateTime, FixedOffset, Utc};
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, Iterable, QueryFilter, Set};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
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
    /// A body that covers the area, answers residents and has somebody who speaks for it.
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

/// The body responsible for what is left now, and the one that is where the county says nothing.
///
/// # Errors
/// `no_body_responsible`.
pub(super) async fn responsible(
    tx: &Tx,
    area: &str,
    (category, visibility): (Category, Visibility),
) -> Result<(BodyId, Option<BodyId>)> {
    let usual = bodies::queries::of_kind(tx, rules::responsible_kind(visibility), area).await?;
    let named = match nearest(tx, area, Some(category)).await?.pop() {
        Some(row) => targets(tx, area, (visibility, tx.now())).await?.into_iter().find(|body| body.id == row.body_id),
        None => None,
    };
    let body = named.map(|body| body.id).or(usual).ok_or(Code::NoBodyResponsible)?;
    Ok((body, usual))
}

/// The bodies that can be given what is left in an area: those that cover it, answer residents and have somebody who speaks
/// for them; what is for the town alone goes to offices of the town and the county.
pub(super) async fn targets(
    db: &impl ConnectionTrait,
    area: &str,
    (visibility, now): (Visibility, DateTime<Utc>),
) -> Result<Vec<Body>> {
    let mut found = bodies::queries::over(db, area).await?;
    found
        .retain(|body| rules::takes_voices(body.kind.as_str()) && rules::takes_private(visibility, body.kind.as_str()));
    let ids: Vec<BodyId> = found.iter().map(|body| body.id).collect();
    let spoken_for = bodies::queries::spoken_for(db, &ids, now).await?;
    found.retain(|body| spoken_for.contains(&body.id));
    Ok(found)
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
pub async fn choices(db: &impl ConnectionTrait, area: &str, now: DateTime<Utc>) -> Result<Vec<Body>> {
    targets(db, area, (Visibility::Public, now)).await
}

/// Says who answers what is about something in an area and below it, where nothing nearer is said; what was left before
/// stays where it is. Records `suggestion.route_changed`.
///
/// # Errors
/// `not_allowed` for others than who runs the county; `not_found`; `invalid_fields` for a body that cannot take it or for which
/// nobody speaks.
pub async fn set(tx: &Tx, actor: &Actor, (area, category, input): (String, Category, SetRoute)) -> Result<()> {
    rights::require(actor, Right::OperateCounty, &area)?;
    areas::get(tx, &area).await?;
    let can = choices(tx, &area, tx.now()).await?.iter().any(|body| body.id == input.body_id);
    let mut checks = Checks::default();
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
