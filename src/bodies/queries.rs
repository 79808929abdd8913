//! Reads of bodies: who sits where today, who is responsible for an area, who may act for whom.
use std::collections::{HashMap, HashSet};

use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect,
    RelationTrait, Select,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    early::CutShort,
    nomination::Nomination,
    registration::Grant,
    rows::{body, body_area, seat, term},
    rules::{BodyForm, BodyKind, Role, SeatKind, SeatRoute, SeatState},
};
use crate::{
    areas, clock,
    error::{Code, Result},
    ids::{BodyId, PersonId, SeatId, TermId},
    people,
    rights::SPEAKERS,
    text,
};

mod held;
mod history;
mod mandates;
mod near;

use self::held::covered;
pub(super) use self::history::seated_in_terms;
pub use self::{
    held::{seats, seats_of, seats_of_all},
    history::{sat_in, terms},
    mandates::{Mandate, mandate_for, mandate_source, mandates_from},
    near::{near, over},
};

/// One body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Body {
    /// The body.
    pub id: BodyId,
    /// What kind.
    pub kind: BodyKind,
    /// The kind in Chinese.
    pub kind_name: String,
    /// Its name.
    pub name: String,
    /// Codes of the areas it covers; everything below them counts.
    pub areas: Vec<String>,
    /// Since when.
    pub founded_on: NaiveDate,
    /// The number under which it is registered or filed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration: Option<String>,
    /// What a council was given to begin with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<Grant>,
    /// For what a council stands together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<BodyForm>,
}

/// A body with who sits in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BodyView {
    /// The body.
    #[serde(flatten)]
    pub body: Body,
    /// Who sits in it today.
    pub seats: Vec<SeatView>,
}

/// One seat; who holds one is public.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SeatView {
    /// The seat.
    pub id: SeatId,
    /// Its body.
    pub body_id: BodyId,
    /// Who holds it.
    pub person_id: PersonId,
    /// Full name.
    pub name: String,
    /// As what.
    pub role: Role,
    /// The role in Chinese, as this kind of body calls it.
    pub role_name: String,
    /// Where a council's member comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<SeatKind>,
    /// How a council's member was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<SeatRoute>,
    /// In which term.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub term_id: Option<TermId>,
    /// First day.
    pub starts_on: NaiveDate,
    /// Last day, if there is one beside that of the term.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends_on: Option<NaiveDate>,
    /// Who recommended a council's member, and how it went on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nomination: Option<Nomination>,
    /// Why a council's secretary is neither the party's secretary nor the committee's chair there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// In which service group a council's member works.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_group: Option<String>,
}

/// One term.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TermView {
    /// The term.
    pub id: TermId,
    /// Its body.
    pub body_id: BodyId,
    /// Which one, from 1.
    pub number: i32,
    /// First day.
    pub starts_on: NaiveDate,
    /// Last day.
    pub ends_on: NaiveDate,
    /// Term of another body that it runs with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub follows_term_id: Option<TermId>,
    /// That it ended before its time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut_short: Option<CutShort>,
}

impl From<term::Model> for TermView {
    fn from(row: term::Model) -> Self {
        let cut_short = CutShort::of(&row);
        let term::Model { id, body_id, number, starts_on, ends_on, follows_term_id, .. } = row;
        Self { id, body_id, number, starts_on, ends_on, follows_term_id, cut_short }
    }
}

/// Seats that count on a day: active, within their own days and those of their term.
pub(super) fn standing(day: NaiveDate) -> Select<seat::Entity> {
    let unending = Condition::any().add(seat::Column::EndsOn.is_null()).add(seat::Column::EndsOn.gte(day));
    let in_term = Condition::all().add(term::Column::StartsOn.lte(day)).add(term::Column::EndsOn.gte(day));
    seat::Entity::find()
        .join(JoinType::LeftJoin, seat::Relation::Term.def())
        .filter(seat::Column::State.eq(SeatState::Active))
        .filter(seat::Column::StartsOn.lte(day))
        .filter(unending)
        .filter(Condition::any().add(seat::Column::TermId.is_null()).add(in_term))
}

/// These bodies, oldest first.
///
/// # Errors
/// When the database cannot be read.
pub async fn bodies(db: &impl ConnectionTrait, ids: Vec<BodyId>) -> Result<Vec<Body>> {
    let mut covered = covered(db, ids.clone()).await?;
    let rows = body::Entity::find()
        .filter(body::Column::Id.is_in(ids))
        .order_by_asc(body::Column::FoundedOn)
        .order_by_asc(body::Column::Id)
        .all(db)
        .await?;
    let view = |row: body::Model| Body {
        kind_name: text::word("body-kind", row.kind.as_str()),
        areas: covered.remove(&row.id).unwrap_or_default(),
        grant: Grant::of(&row),
        id: row.id,
        kind: row.kind,
        name: row.name,
        founded_on: row.founded_on,
        registration: row.registration,
        form: row.form,
    };
    Ok(rows.into_iter().map(view).collect())
}

/// One body.
///
/// # Errors
/// `not_found`.
pub async fn get(db: &impl ConnectionTrait, id: BodyId) -> Result<Body> {
    bodies(db, vec![id]).await?.pop().ok_or_else(|| Code::NotFound.into())
}

/// Names of these bodies.
///
/// # Errors
/// When the database cannot be read.
pub async fn names(db: &impl ConnectionTrait, ids: Vec<BodyId>) -> Result<HashMap<BodyId, String>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = body::Entity::find().filter(body::Column::Id.is_in(ids)).all(db).await?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}

/// The name of one of them; empty where there is none.
///
/// # Errors
/// When the database cannot be read.
pub async fn name(db: &impl ConnectionTrait, id: BodyId) -> Result<String> {
    Ok(names(db, vec![id]).await?.remove(&id).unwrap_or_default())
}

/// The bodies of one kind that cover an area, the nearest first, then the oldest.
async fn covering(db: &impl ConnectionTrait, kind: BodyKind, area: &str) -> Result<Vec<Body>> {
    let mut found: Vec<Body> = over(db, area).await?.into_iter().filter(|body| body.kind == kind).collect();
    let nearness = |body: &Body| {
        let covering = body.areas.iter().filter(|code| crate::actor::covers(code, area));
        covering.map(String::len).max().unwrap_or_default()
    };
    found.sort_by_key(|body| std::cmp::Reverse(nearness(body)));
    Ok(found)
}

/// The body of this kind that is responsible for an area: the nearest that covers it.
///
/// # Errors
/// When the database cannot be read.
pub async fn of_kind(db: &impl ConnectionTrait, kind: BodyKind, area: &str) -> Result<Option<BodyId>> {
    Ok(covering(db, kind, area).await?.first().map(|body| body.id))
}

/// The committee of the village in which an area lies.
///
/// # Errors
/// When the database cannot be read.
pub async fn committee(db: &impl ConnectionTrait, area: &str) -> Result<Option<BodyId>> {
    of_kind(db, BodyKind::VillageCommittee, area).await
}

/// The bodies of this kind of every village below an area, by the village's code.
///
/// # Errors
/// When the database cannot be read.
pub async fn of_kind_below(db: &impl ConnectionTrait, kind: BodyKind, area: &str) -> Result<Vec<(String, BodyId)>> {
    let below = body_area::Entity::find()
        .filter(body_area::Column::AreaCode.starts_with(area))
        .order_by_asc(body_area::Column::AreaCode)
        .all(db)
        .await?;
    let ids = below.iter().map(|row| row.body_id).collect();
    let all = bodies(db, ids).await?;
    let of_kind: HashSet<BodyId> = all.iter().filter(|body| body.kind == kind).map(|body| body.id).collect();
    let is_meant =
        |row: &body_area::Model| row.area_code.len() == areas::VILLAGE_CODE && of_kind.contains(&row.body_id);
    Ok(below.into_iter().filter(is_meant).map(|row| (row.area_code, row.body_id)).collect())
}

/// Who represents the villagers of an area on a day.
///
/// # Errors
/// When the database cannot be read.
pub async fn representatives(db: &impl ConnectionTrait, area: &str, day: NaiveDate) -> Result<HashSet<PersonId>> {
    let meetings = covering(db, BodyKind::Representatives, area).await?;
    let ids: Vec<BodyId> = meetings.into_iter().map(|body| body.id).collect();
    let rows = standing(day).filter(seat::Column::BodyId.is_in(ids)).all(db).await?;
    Ok(rows.into_iter().map(|row| row.person_id).collect())
}

/// Who sits in a body at a time, in the order in which they came.
///
/// # Errors
/// `not_found`.
pub async fn members_of(db: &impl ConnectionTrait, id: BodyId, now: DateTime<Utc>) -> Result<Vec<SeatView>> {
    let body = get(db, id).await?;
    Ok(seated(db, vec![body], now).await?.pop().map(|view| view.seats).unwrap_or_default())
}

/// Those of these bodies in which somebody sits at a time who speaks for them.
///
/// # Errors
/// When the database cannot be read.
pub async fn spoken_for(db: &impl ConnectionTrait, ids: &[BodyId], now: DateTime<Utc>) -> Result<HashSet<BodyId>> {
    let rows = standing(clock::local_date(now))
        .filter(seat::Column::BodyId.is_in(ids.iter().copied()))
        .filter(seat::Column::Role.is_in(SPEAKERS))
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|row| row.body_id).collect())
}

/// The bodies of exactly this area, with who sits in them at a time.
///
/// # Errors
/// `not_found` for an unknown area.
pub async fn bodies_in(db: &impl ConnectionTrait, area: &str, now: DateTime<Utc>) -> Result<Vec<BodyView>> {
    areas::get(db, area).await?;
    let here = body_area::Entity::find().filter(body_area::Column::AreaCode.eq(area)).all(db).await?;
    let found = bodies(db, here.into_iter().map(|row| row.body_id).collect()).await?;
    seated(db, found, now).await
}

/// Who sits at a time in this role in the bodies that cover an area, each with the body.
///
/// # Errors
/// When the database cannot be read.
pub async fn in_role(
    db: &impl ConnectionTrait,
    area: &str,
    (role, now): (Role, DateTime<Utc>),
) -> Result<Vec<(Body, SeatView)>> {
    let over = over(db, area).await?;
    let of_role = |view: BodyView| {
        let BodyView { body, seats } = view;
        seats.into_iter().filter(move |seat| seat.role == role).map(move |seat| (body.clone(), seat))
    };
    Ok(seated(db, over, now).await?.into_iter().flat_map(of_role).collect())
}

/// How many bodies cover each area at or below this one.
///
/// # Errors
/// When the database cannot be read.
pub async fn count_by_area(db: &impl ConnectionTrait, above: &str) -> Result<Vec<(String, i64)>> {
    Ok(body_area::Entity::find()
        .select_only()
        .column(body_area::Column::AreaCode)
        .column_as(body_area::Column::BodyId.count(), "count")
        .filter(body_area::Column::AreaCode.starts_with(above))
        .group_by(body_area::Column::AreaCode)
        .into_tuple()
        .all(db)
        .await?)
}

async fn seated(db: &impl ConnectionTrait, bodies: Vec<Body>, now: DateTime<Utc>) -> Result<Vec<BodyView>> {
    let rows = standing(clock::local_date(now))
        .filter(seat::Column::BodyId.is_in(bodies.iter().map(|body| body.id)))
        .order_by_asc(seat::Column::StartsOn)
        .order_by_asc(seat::Column::Id)
        .all(db)
        .await?;
    let names = people::names(db, rows.iter().map(|row| row.person_id).collect()).await?;
    let mut views: Vec<BodyView> = bodies.into_iter().map(|body| BodyView { body, seats: Vec::new() }).collect();
    for row in rows {
        let name = names.get(&row.person_id).cloned().unwrap_or_default();
        if let Some(view) = views.iter_mut().find(|view| view.body.id == row.body_id) {
            let seat = view_of(&view.body, row, name);
            view.seats.push(seat);
        }
    }
    Ok(views)
}

pub(super) async fn seat_view(db: &impl ConnectionTrait, body: &Body, row: seat::Model) -> Result<SeatView> {
    let name = people::name(db, row.person_id).await?;
    Ok(view_of(body, row, name))
}

fn view_of(body: &Body, row: seat::Model, name: String) -> SeatView {
    SeatView {
        nomination: Nomination::of(&row),
        id: row.id,
        body_id: row.body_id,
        person_id: row.person_id,
        name,
        role: row.role,
        role_name: role_name(body.kind, row.role),
        kind: row.kind,
        route: row.route,
        term_id: row.term_id,
        starts_on: row.starts_on,
        ends_on: row.ends_on,
        reason: row.reason,
        service_group: row.service_group,
    }
}

/// A role as this kind of body calls it.
fn role_name(kind: BodyKind, role: Role) -> String {
    let own = format!("body-role-{}-{}", kind.as_str(), role.as_str()).replace('_', "-");
    if text::knows(&own) { text::say(&own) } else { text::word("body-role", role.as_str()) }
}
