//! 网格员: which villagers' groups a grid worker looks after.
use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, Set};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    queries,
    rows::{seat, seat_group},
    rules::{Role, SeatState},
};
use crate::{
    actor::Actor,
    clock,
    error::{Checks, Code, Result},
    ids::{BodyId, PersonId, SeatId},
    rights::{Right, may},
    store::Tx,
};

/// Groups of one grid worker at most.
const MAX_GROUPS: usize = 50;
/// The highest number of a group.
const MAX_GROUP: i32 = 999;

/// The groups of a grid worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SeatGroups {
    /// Numbers of villagers' groups, fifty at most; none: the whole village.
    #[schema(max_items = 50)]
    pub groups: Vec<i32>,
}

/// A grid worker with the groups looked after; without any, the whole village.
#[derive(Clone, Debug)]
pub struct GridWorker {
    /// Who.
    pub person: PersonId,
    /// Numbers of groups.
    pub groups: Vec<i32>,
}

/// Says which groups a grid worker looks after, in place of what was said before.
///
/// # Errors
/// `not_found`; `not_allowed` for who does not keep the roster there; `wrong_state` for a seat that has ended or is no
/// grid worker's; `invalid_fields`.
pub async fn set_groups(tx: &Tx, actor: &Actor, (id, mut input): (SeatId, SeatGroups)) -> Result<SeatGroups> {
    let row = seat::Entity::find_by_id(id).one(tx).await?.ok_or(Code::NotFound)?;
    let body = queries::get(tx, row.body_id).await?;
    if !body.areas.iter().all(|area| may(actor, Right::ImportRoster, area)) {
        return Err(Code::NotAllowed.into());
    }
    input.groups.sort_unstable();
    input.groups.dedup();
    let mut checks = Checks::default();
    checks.require(input.groups.len() <= MAX_GROUPS, "groups", "out_of_range");
    checks.require(input.groups.iter().all(|group| (0..=MAX_GROUP).contains(group)), "groups", "out_of_range");
    checks.done()?;
    if row.role != Role::GridWorker || row.state != SeatState::Active {
        return Err(Code::WrongState.into());
    }
    seat_group::Entity::delete_many().filter(seat_group::Column::SeatId.eq(id)).exec(tx).await?;
    let rows = input
        .groups
        .iter()
        .map(|group| seat_group::ActiveModel { seat_id: Set(id), group_number: Set(*group) })
        .collect::<Vec<_>>();
    if !rows.is_empty() {
        seat_group::Entity::insert_many(rows).exec_without_returning(tx).await?;
    }
    Ok(input)
}

/// The groups of these seats.
///
/// # Errors
/// When the database cannot be read.
pub async fn groups_of(db: &impl ConnectionTrait, seats: Vec<SeatId>) -> Result<HashMap<SeatId, Vec<i32>>> {
    let rows = seat_group::Entity::find()
        .filter(seat_group::Column::SeatId.is_in(seats))
        .order_by_asc(seat_group::Column::GroupNumber)
        .all(db)
        .await?;
    let mut groups: HashMap<SeatId, Vec<i32>> = HashMap::new();
    for row in rows {
        groups.entry(row.seat_id).or_default().push(row.group_number);
    }
    Ok(groups)
}

/// The grid workers of a body at a time, in the order in which they came.
///
/// # Errors
/// When the database cannot be read.
pub async fn workers(db: &impl ConnectionTrait, body: BodyId, now: DateTime<Utc>) -> Result<Vec<GridWorker>> {
    let seats = queries::standing(clock::local_date(now))
        .filter(seat::Column::BodyId.eq(body))
        .filter(seat::Column::Role.eq(Role::GridWorker))
        .order_by_asc(seat::Column::Id)
        .all(db)
        .await?;
    let mut groups = groups_of(db, seats.iter().map(|row| row.id).collect()).await?;
    let worker =
        |row: seat::Model| GridWorker { person: row.person_id, groups: groups.remove(&row.id).unwrap_or_default() };
    Ok(seats.into_iter().map(worker).collect())
}
