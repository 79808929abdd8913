//! 留声室: where somebody listens in person, when it is open, and who is on duty there on which day of the week.
use std::collections::HashSet;

use chrono::{DateTime, Datelike, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, Set, sea_query::OnConflict};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    queries,
    rows::{room, room_duty},
};
use crate::{
    actor::Actor,
    clock,
    error::{Checks, Code, Result},
    events::{self, Happening, Kind},
    ids::{BodyId, SeatId},
    rights::{Right, rights},
    store::Tx,
};

/// Lines of a roster at most: seven for each day.
const MAX_LINES: usize = 49;

/// That somebody is there on a day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RoomDay {
    /// 1 is Monday, 7 Sunday.
    #[schema(minimum = 1, maximum = 7)]
    pub weekday: i32,
    /// A seat in the body.
    pub seat_id: SeatId,
}

/// Where the room is, when it is open, who is there.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetRoom {
    /// 2 to 60 characters.
    #[schema(min_length = 2, max_length = 60)]
    pub place: String,
    /// In words; 2 to 100 characters.
    #[schema(min_length = 2, max_length = 100)]
    pub hours: String,
    /// The roster; 49 lines at most, none twice.
    #[serde(default)]
    pub roster: Vec<RoomDay>,
}

/// Who is in the room on a day of the week.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RoomDuty {
    /// 1 is Monday, 7 Sunday.
    pub weekday: i32,
    /// The seat.
    pub seat_id: SeatId,
    /// Who holds it.
    pub name: String,
}

/// The room of a body; without a place when it has none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RoomView {
    /// Where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// When it is open, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<String>,
    /// Who is there, from Monday on; nobody who does not sit in the body any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roster: Vec<RoomDuty>,
    /// The names of those who are there today.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub today: Vec<String>,
}

impl RoomView {
    /// Is this seat there on this day of the week?
    #[must_use]
    pub fn has(&self, weekday: i32, seat: SeatId) -> bool {
        self.roster.iter().any(|one| one.weekday == weekday && one.seat_id == seat)
    }
}

/// Does the actor sit in this body where its letters and voices are answered?
#[must_use]
pub fn answers(actor: &Actor, body: BodyId) -> bool {
    let there = |seat: &crate::actor::HeldSeat| {
        seat.body_id == body && rights(&seat.body_kind, &seat.role).contains(&Right::HandleSuggestions)
    };
    actor.seats.iter().any(there)
}

/// Says where the room of a body is, when it is open and who is there; what was said before is gone.
/// Records `room.changed` when something is other than before.
///
/// # Errors
/// `not_found`; `not_allowed` without a seat there that answers letters; `invalid_fields`.
pub async fn set(tx: &Tx, actor: &Actor, (body, input): (BodyId, SetRoom)) -> Result<RoomView> {
    let area = queries::get(tx, body).await?.areas.into_iter().next();
    if !answers(actor, body) {
        return Err(Code::NotAllowed.into());
    }
    let there: HashSet<SeatId> = queries::members_of(tx, body, tx.now()).await?.iter().map(|seat| seat.id).collect();
    let mut checks = Checks::default();
    checks.text("place", &input.place, 2..=60);
    checks.text("hours", &input.hours, 2..=100);
    checks.require(input.roster.len() <= MAX_LINES, "roster", "too_long");
    let mut known = HashSet::new();
    for (n, day) in input.roster.iter().enumerate().take(MAX_LINES) {
        checks.require((1..=7).contains(&day.weekday), &format!("roster[{n}].weekday"), "out_of_range");
        checks.require(there.contains(&day.seat_id), &format!("roster[{n}].seat_id"), "not_a_member");
        checks.require(known.insert(*day), &format!("roster[{n}]"), "duplicate");
    }
    checks.done()?;
    let changed = changed(tx, body, (&input, &known)).await?;
    let row = room::ActiveModel {
        body_id: Set(body),
        place: Set(input.place.trim().to_owned()),
        hours: Set(input.hours.trim().to_owned()),
    };
    let again =
        OnConflict::column(room::Column::BodyId).update_columns([room::Column::Place, room::Column::Hours]).to_owned();
    room::Entity::insert(row).on_conflict(again).exec_without_returning(tx).await?;
    room_duty::Entity::delete_many().filter(room_duty::Column::BodyId.eq(body)).exec(tx).await?;
    let lines: Vec<room_duty::ActiveModel> = input.roster.iter().map(|day| line(body, *day)).collect();
    if !lines.is_empty() {
        room_duty::Entity::insert_many(lines).exec_without_returning(tx).await?;
    }
    if !changed.is_empty() {
        let happening = Happening::new(Kind::RoomChanged, body).by(actor.person).with(json!({ "fields": changed }));
        events::record(tx, Happening { area, ..happening }).await?;
    }
    of(tx, body, tx.now()).await
}

/// What is other than before.
async fn changed(tx: &Tx, body: BodyId, (input, roster): (&SetRoom, &HashSet<RoomDay>)) -> Result<Vec<&'static str>> {
    let before = room::Entity::find_by_id(body).one(tx).await?;
    let (place, hours) = before.map(|row| (row.place, row.hours)).unwrap_or_default();
    let lines = room_duty::Entity::find().filter(room_duty::Column::BodyId.eq(body)).all(tx).await?;
    let was: HashSet<RoomDay> =
        lines.iter().map(|line| RoomDay { weekday: line.weekday, seat_id: line.seat_id }).collect();
    let fields =
        [("place", place != input.place.trim()), ("hours", hours != input.hours.trim()), ("roster", was != *roster)];
    Ok(fields.into_iter().filter(|(_, is_other)| *is_other).map(|(field, _)| field).collect())
}

fn line(body: BodyId, day: RoomDay) -> room_duty::ActiveModel {
    room_duty::ActiveModel { body_id: Set(body), weekday: Set(day.weekday), seat_id: Set(day.seat_id) }
}

/// The room of a body.
///
/// # Errors
/// `not_found`.
pub async fn of(db: &impl ConnectionTrait, body: BodyId, now: DateTime<Utc>) -> Result<RoomView> {
    let seats = queries::members_of(db, body, now).await?;
    let Some(kept) = room::Entity::find_by_id(body).one(db).await? else { return Ok(RoomView::default()) };
    let lines = room_duty::Entity::find()
        .filter(room_duty::Column::BodyId.eq(body))
        .order_by_asc(room_duty::Column::Weekday)
        .order_by_asc(room_duty::Column::SeatId)
        .all(db)
        .await?;
    let named = |one: room_duty::Model| {
        let name = seats.iter().find(|seat| seat.id == one.seat_id)?.name.clone();
        Some(RoomDuty { weekday: one.weekday, seat_id: one.seat_id, name })
    };
    let roster: Vec<RoomDuty> = lines.into_iter().filter_map(named).collect();
    let today = clock::local_date(now).weekday().number_from_monday();
    let is_today = |one: &&RoomDuty| u32::try_from(one.weekday) == Ok(today);
    let names = roster.iter().filter(is_today).map(|one| one.name.clone()).collect();
    Ok(RoomView { place: Some(kept.place), hours: Some(kept.hours), today: names, roster })
}

/// The room of the committee of a village, where it has one.
///
/// # Errors
/// When the database cannot be read.
pub async fn of_village(db: &impl ConnectionTrait, area: &str, now: DateTime<Utc>) -> Result<Option<RoomView>> {
    let Some(body) = queries::committee(db, area).await? else { return Ok(None) };
    Ok(Some(of(db, body, now).await?).filter(|room| room.place.is_some()))
}
