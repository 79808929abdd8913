//! 村法律顾问: where and when a legal officer is there for residents, and for which villages.
use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, Set, sea_query::OnConflict};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::rows::{desk, village};
use crate::{
    actor::{Actor, HeldSeat, covers},
    areas::{self, AreaName, VILLAGE_CODE},
    bodies::{
        self, Right, Role, SeatView,
        queries::{Body, in_role},
        room,
    },
    error::{Checks, Code, Error, Result},
    ids::{BodyId, PersonId, SeatId},
    store::Tx,
};

/// Villages of one legal officer at most.
const MAX_VILLAGES: usize = 50;

/// Where and when a legal officer is there, and for whom.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetLegalDesk {
    /// 2 to 60 characters.
    #[schema(min_length = 2, max_length = 60)]
    pub place: String,
    /// In words; 2 to 100 characters.
    #[schema(min_length = 2, max_length = 100)]
    pub hours: String,
    /// Codes of villages that the body covers, fifty at most, none twice; none: all that it covers.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub villages: Vec<String>,
}

/// A legal officer, as everybody sees one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LegalOfficerView {
    /// The seat.
    pub seat_id: SeatId,
    /// Who holds it.
    pub person_id: PersonId,
    /// Full name.
    pub name: String,
    /// The body in which the officer sits.
    pub body_id: BodyId,
    /// Its name.
    pub body_name: String,
    /// Where the officer is there in person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// When, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<String>,
    /// The villages served; none named: all that the body covers.
    pub villages: Vec<AreaName>,
}

/// Says where and when a legal officer is there and for which villages; what was said before is gone.
///
/// # Errors
/// `not_found`; `not_allowed` for others than the officer, who answers letters in the same body, and who fills its seats;
/// `wrong_state` for a seat that has ended or is no legal officer's; `invalid_fields`.
pub async fn set(tx: &Tx, actor: &Actor, (id, input): (SeatId, SetLegalDesk)) -> Result<LegalOfficerView> {
    let (body, seat) = bodies::queries::seats(tx, vec![id]).await?.pop().ok_or(Code::NotFound)?;
    if !may_set(actor, &body, &seat) {
        return Err(Code::NotAllowed.into());
    }
    check(tx, &body, &input).await?;
    let stands = bodies::members_of(tx, body.id, tx.now()).await?.iter().any(|one| one.id == id);
    if !stands || seat.role != Role::LegalOfficer {
        return Err(Code::WrongState.into());
    }
    let row = desk::ActiveModel {
        seat_id: Set(id),
        place: Set(input.place.trim().to_owned()),
        hours: Set(input.hours.trim().to_owned()),
    };
    let again =
        OnConflict::column(desk::Column::SeatId).update_columns([desk::Column::Place, desk::Column::Hours]).to_owned();
    desk::Entity::insert(row).on_conflict(again).exec_without_returning(tx).await?;
    village::Entity::delete_many().filter(village::Column::SeatId.eq(id)).exec(tx).await?;
    let rows: Vec<village::ActiveModel> = input
        .villages
        .into_iter()
        .map(|code| village::ActiveModel { seat_id: Set(id), area_code: Set(code) })
        .collect();
    if !rows.is_empty() {
        village::Entity::insert_many(rows).exec_without_returning(tx).await?;
    }
    views(tx, vec![(body, seat)]).await?.pop().ok_or_else(|| Error::broken("a seat without a view"))
}

async fn check(tx: &Tx, body: &Body, input: &SetLegalDesk) -> Result<()> {
    let known = areas::names(tx, input.villages.clone()).await?;
    let mut checks = Checks::default();
    checks.text("place", &input.place, 2..=60);
    checks.text("hours", &input.hours, 2..=100);
    checks.require(input.villages.len() <= MAX_VILLAGES, "villages", "too_long");
    let mut seen = HashSet::new();
    for (n, code) in input.villages.iter().enumerate().take(MAX_VILLAGES) {
        let is_village = code.len() == VILLAGE_CODE && known.contains_key(code);
        let is_covered = body.areas.iter().any(|own| covers(own, code));
        checks.require(is_village && is_covered, &format!("villages[{n}]"), "unknown");
        checks.require(seen.insert(code), &format!("villages[{n}]"), "duplicate");
    }
    checks.done()
}

/// The officer, who answers letters in the same body, and who fills its seats.
#[must_use]
pub fn may_set(actor: &Actor, body: &Body, seat: &SeatView) -> bool {
    let fills = || body.areas.iter().all(|area| bodies::may(actor, Right::ManageBodies, area));
    seat.person_id == actor.person || room::answers(actor, body.id) || fills()
}

/// The legal officers who serve an area, with their bodies, in the order in which they came.
///
/// # Errors
/// `not_found` for an unknown area.
pub async fn of_area(
    db: &impl ConnectionTrait,
    area: &str,
    now: DateTime<Utc>,
) -> Result<Vec<(Body, SeatView, LegalOfficerView)>> {
    areas::get(db, area).await?;
    let seats = in_role(db, area, (Role::LegalOfficer, now)).await?;
    let shown = views(db, seats.clone()).await?;
    let serves = |view: &LegalOfficerView| {
        let is_near = |one: &AreaName| covers(&one.code, area) || covers(area, &one.code);
        view.villages.is_empty() || view.villages.iter().any(is_near)
    };
    let all = seats.into_iter().zip(shown).filter(|(_, view)| serves(view));
    Ok(all.map(|((body, seat), view)| (body, seat, view)).collect())
}

/// The areas that the actor serves as a legal officer: the villages that were named for the seat, or all that its body covers.
///
/// # Errors
/// When the database cannot be read.
pub(super) async fn places(db: &impl ConnectionTrait, actor: &Actor) -> Result<Vec<String>> {
    let is_officer = |seat: &&HeldSeat| seat.role == Role::LegalOfficer.as_str();
    let seats: Vec<&HeldSeat> = actor.seats.iter().filter(is_officer).collect();
    if seats.is_empty() {
        return Ok(Vec::new());
    }
    let mut named = villages(db, seats.iter().map(|seat| seat.seat_id).collect()).await?;
    let of = |seat: &HeldSeat| named.remove(&seat.seat_id).unwrap_or_else(|| seat.areas.clone());
    Ok(seats.into_iter().flat_map(of).collect())
}

async fn views(db: &impl ConnectionTrait, seats: Vec<(Body, SeatView)>) -> Result<Vec<LegalOfficerView>> {
    let ids: Vec<SeatId> = seats.iter().map(|(_, seat)| seat.id).collect();
    let desks = desk::Entity::find().filter(desk::Column::SeatId.is_in(ids.clone())).all(db).await?;
    let mut villages = villages(db, ids).await?;
    let names = areas::names(db, villages.values().flatten().cloned().collect()).await?;
    let named = |code: String| AreaName { name: names.get(&code).cloned().unwrap_or_default(), code };
    let view = |(body, seat): (Body, SeatView)| {
        let desk = desks.iter().find(|desk| desk.seat_id == seat.id);
        LegalOfficerView {
            seat_id: seat.id,
            person_id: seat.person_id,
            name: seat.name,
            body_id: body.id,
            body_name: body.name,
            place: desk.map(|desk| desk.place.clone()),
            hours: desk.map(|desk| desk.hours.clone()),
            villages: villages.remove(&seat.id).unwrap_or_default().into_iter().map(named).collect(),
        }
    };
    Ok(seats.into_iter().map(view).collect())
}

/// Codes of the villages that were named for these seats.
async fn villages(db: &impl ConnectionTrait, seats: Vec<SeatId>) -> Result<HashMap<SeatId, Vec<String>>> {
    let rows = village::Entity::find()
        .filter(village::Column::SeatId.is_in(seats))
        .order_by_asc(village::Column::AreaCode)
        .all(db)
        .await?;
    let mut found: HashMap<SeatId, Vec<String>> = HashMap::new();
    for row in rows {
        found.entry(row.seat_id).or_default().push(row.area_code);
    }
    Ok(found)
}
