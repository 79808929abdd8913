//! The seats that people hold at a time, with where they count.
use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};

use super::{
    super::rows::{body, body_area, seat},
    Body, SeatView, bodies, standing, view_of,
};
use crate::{
    actor::HeldSeat,
    clock,
    error::Result,
    ids::{BodyId, PersonId, SeatId},
    people,
    store::padded,
};

/// The seats that a person holds at a time, in two queries.
///
/// # Errors
/// When the database cannot be read.
pub async fn seats_of(db: &impl ConnectionTrait, person: PersonId, now: DateTime<Utc>) -> Result<Vec<HeldSeat>> {
    let mut held = seats_on(db, vec![person], clock::local_date(now)).await?;
    Ok(held.remove(&person).unwrap_or_default())
}

/// The same for several, each at a time of its own, in as many queries.
///
/// # Errors
/// When the database cannot be read.
pub async fn seats_of_all(
    db: &impl ConnectionTrait,
    asked: &[(PersonId, DateTime<Utc>)],
) -> Result<Vec<Vec<HeldSeat>>> {
    let asked: Vec<_> = asked.iter().map(|(person, now)| (*person, clock::local_date(*now))).collect();
    // two at most, about midnight
    let mut days: Vec<NaiveDate> = asked.iter().map(|(_, day)| *day).collect();
    days.sort_unstable();
    days.dedup();
    let mut held = HashMap::new();
    for day in days {
        let people = asked.iter().filter(|(_, on)| *on == day).map(|(person, _)| *person).collect();
        let found = seats_on(db, padded(people), day).await?;
        held.extend(found.into_iter().map(|(person, seats)| ((person, day), seats)));
    }
    Ok(asked.iter().map(|who| held.get(who).cloned().unwrap_or_default()).collect())
}

/// Of these people, those who hold seats on a day.
async fn seats_on(
    db: &impl ConnectionTrait,
    people: Vec<PersonId>,
    day: NaiveDate,
) -> Result<HashMap<PersonId, Vec<HeldSeat>>> {
    let rows = standing(day)
        .filter(seat::Column::PersonId.is_in(people))
        .find_also_related(body::Entity)
        .order_by_asc(seat::Column::Id)
        .all(db)
        .await?;
    let mut held: HashMap<PersonId, Vec<HeldSeat>> = HashMap::new();
    if rows.is_empty() {
        return Ok(held);
    }
    let covered = covered(db, rows.iter().map(|(seat, _)| seat.body_id).collect()).await?;
    for (seat, body) in rows {
        let Some(body) = body else { continue };
        held.entry(seat.person_id).or_default().push(HeldSeat {
            seat_id: seat.id,
            body_id: body.id,
            areas: covered.get(&body.id).cloned().unwrap_or_default(),
            body_kind: body.kind.as_str().to_owned(),
            body_name: body.name,
            role: seat.role.as_str().to_owned(),
        });
    }
    Ok(held)
}

/// These seats, each with its body, whether or not they count any more: who answered for something is known for good.
///
/// # Errors
/// When the database cannot be read.
pub async fn seats(db: &impl ConnectionTrait, ids: Vec<SeatId>) -> Result<Vec<(Body, SeatView)>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = seat::Entity::find().filter(seat::Column::Id.is_in(ids)).all(db).await?;
    let names = people::names(db, rows.iter().map(|row| row.person_id).collect()).await?;
    let of = bodies(db, rows.iter().map(|row| row.body_id).collect()).await?;
    let view = |row: seat::Model| {
        let body = of.iter().find(|body| body.id == row.body_id)?;
        let name = names.get(&row.person_id).cloned().unwrap_or_default();
        Some((body.clone(), view_of(body, row, name)))
    };
    Ok(rows.into_iter().filter_map(view).collect())
}

/// Codes of the areas that these bodies cover.
pub(super) async fn covered(db: &impl ConnectionTrait, ids: Vec<BodyId>) -> Result<HashMap<BodyId, Vec<String>>> {
    let rows = body_area::Entity::find()
        .filter(body_area::Column::BodyId.is_in(ids))
        .order_by_asc(body_area::Column::AreaCode)
        .all(db)
        .await?;
    let mut areas: HashMap<BodyId, Vec<String>> = HashMap::new();
    for row in rows {
        areas.entry(row.body_id).or_default().push(row.area_code);
    }
    Ok(areas)
}
