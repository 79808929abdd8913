//! Who is asked to confirm a must-read notice, who of them has not, and whose names who sees.
use chrono::{Months, NaiveDate};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    Select, sea_query::Expr,
};

use super::{
    rows::{audience, confirmation, notice},
    rules,
};
use crate::{
    actor::{Actor, covers},
    areas::VILLAGE_CODE,
    bodies::{self, Right, grid},
    clock,
    error::{Code, Result},
    ids::{HouseholdId, PersonId},
    people,
    store::Tx,
};

/// Somebody who is to be asked.
pub(super) struct Asked {
    pub(super) person: PersonId,
    pub(super) household: HouseholdId,
    pub(super) household_number: String,
    pub(super) group_number: i32,
}

/// Every adult on the roster of the area today, in the order of the doors, with or without a phone.
pub(super) async fn of(tx: &Tx, area: &str, today: NaiveDate) -> Result<Vec<Asked>> {
    let born_by = today.checked_sub_months(Months::new(18 * 12)).unwrap_or(today);
    let numbers = people::household_numbers(tx, area).await?;
    let number = |one: &people::Resident| numbers.get(&one.household).cloned().unwrap_or_default();
    let mut residents = people::residents(tx, area).await?;
    residents.retain(|one| one.birth_date <= born_by);
    residents.sort_by_cached_key(|one| {
        (one.group_number, rules::in_order(&number(one)), rules::in_order(&one.roster_number))
    });
    let asked = |one: &people::Resident| Asked {
        person: one.id,
        household: one.household,
        household_number: number(one),
        group_number: one.group_number,
    };
    Ok(residents.iter().map(asked).collect())
}

/// The groups whose doors somebody sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The office, and a grid worker without groups.
    Everybody,
    /// A grid worker of these groups.
    Groups(Vec<i32>),
}

impl Scope {
    /// Are the doors of this group among them?
    #[must_use]
    pub fn has(&self, group: i32) -> bool {
        match self {
            Self::Everybody => true,
            Self::Groups(groups) => groups.contains(&group),
        }
    }
}

/// Whose names the actor sees.
///
/// # Errors
/// `not_allowed` for who neither works in the office there nor at its doors.
pub async fn scope(db: &impl ConnectionTrait, actor: &Actor, area: &str) -> Result<Scope> {
    let visits = |seat: &&crate::actor::HeldSeat| {
        seat.covers(area) && bodies::rights(&seat.body_kind, &seat.role).contains(&Right::VisitDoors)
    };
    let seats: Vec<_> = actor.seats.iter().filter(visits).collect();
    if seats.is_empty() {
        return Err(Code::NotAllowed.into());
    }
    if seats.iter().any(|seat| seat.role != bodies::Role::GridWorker.as_str()) {
        return Ok(Scope::Everybody);
    }
    let groups = grid::groups_of(db, seats.iter().map(|seat| seat.seat_id).collect()).await?;
    if groups.len() < seats.len() {
        Ok(Scope::Everybody)
    } else {
        Ok(Scope::Groups(groups.into_values().flatten().collect()))
    }
}

/// The village whose doors are meant: the notice's own; of a notice from above the wanted one, or the first at whose doors the
/// actor works.
///
/// # Errors
/// `not_found` for a village that the notice does not ask; `not_allowed` for who works at no doors there.
pub fn village_of(actor: &Actor, notice_area: &str, wanted: Option<&str>) -> Result<String> {
    let is_above = !rules::is_village(notice_area);
    let asks = |area: &str| if is_above { is_below(notice_area, area) } else { area == notice_area };
    match wanted {
        Some(wanted) if asks(wanted) => Ok(wanted.to_owned()),
        Some(_) => Err(Code::NotFound.into()),
        None if !is_above => Ok(notice_area.to_owned()),
        None => {
            let own = bodies::areas_with(actor, Right::VisitDoors).into_iter().find(|area| asks(area));
            own.ok_or_else(|| Code::NotAllowed.into())
        }
    }
}

/// Is it a village of this town or county?
fn is_below(above: &str, area: &str) -> bool {
    area.len() == VILLAGE_CODE && covers(above, area)
}

/// Does the actor knock at doors where the notice asks somebody?
#[must_use]
pub fn visits(actor: &Actor, notice_area: &str) -> bool {
    let village = village_of(actor, notice_area, None);
    village.is_ok_and(|village| bodies::may(actor, Right::VisitDoors, &village))
}

/// Everybody whom the present version asks.
pub(super) fn asked_of(notice: &notice::Model) -> Select<audience::Entity> {
    audience::Entity::find()
        .filter(audience::Column::NoticeId.eq(notice.id))
        .filter(audience::Column::Version.eq(notice.version))
}

/// Those of them who live in a village.
pub(super) fn asked_there(notice: &notice::Model, area: &str) -> Select<audience::Entity> {
    asked_of(notice).filter(audience::Column::AreaCode.eq(area))
}

/// What was confirmed of the present version.
pub(super) fn confirmations_of(notice: &notice::Model) -> Select<confirmation::Entity> {
    confirmation::Entity::find()
        .filter(confirmation::Column::NoticeId.eq(notice.id))
        .filter(confirmation::Column::Version.eq(notice.version))
}

/// One of these confirmations is that of the person of the row in which this stands.
fn has_one_of(rows: Select<confirmation::Entity>) -> Expr {
    let theirs = Expr::col((confirmation::Entity, confirmation::Column::PersonId))
        .equals((audience::Entity, audience::Column::PersonId));
    Expr::exists(rows.select_only().column(confirmation::Column::PersonId).filter(theirs).into_query())
}

/// Has not confirmed the present version.
pub(super) fn is_unreached(notice: &notice::Model) -> Expr {
    has_one_of(confirmations_of(notice)).not()
}

/// Who of a village was asked and has not confirmed.
pub(super) fn unreached(notice: &notice::Model, area: &str) -> Select<audience::Entity> {
    asked_there(notice, area).filter(is_unreached(notice))
}

/// The doors of a village to be visited: who has not confirmed, and who has no phone and is to be told that somebody else did.
pub(super) fn doors(notice: &notice::Model, area: &str) -> Select<audience::Entity> {
    let settled = Condition::any()
        .add(confirmation::Column::TellAtDoor.eq(false))
        .add(confirmation::Column::ToldAt.is_not_null());
    asked_there(notice, area).filter(has_one_of(confirmations_of(notice).filter(settled)).not())
}

/// How many there are in each group.
pub(super) async fn by_group(db: &impl ConnectionTrait, rows: Select<audience::Entity>) -> Result<Vec<(i32, u64)>> {
    let rows: Vec<(i32, i64)> = rows
        .select_only()
        .column(audience::Column::GroupNumber)
        .column_as(audience::Column::PersonId.count(), "count")
        .group_by(audience::Column::GroupNumber)
        .order_by_asc(audience::Column::GroupNumber)
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|(group, count)| (group, count.unsigned_abs())).collect())
}

/// Somebody who is asked, as the version froze it.
pub(super) async fn asked(
    db: &impl ConnectionTrait,
    notice: &notice::Model,
    person: PersonId,
) -> Result<Option<audience::Model>> {
    Ok(audience::Entity::find_by_id((notice.id, notice.version, person)).one(db).await?)
}

/// Today, as the county counts days.
pub(super) fn today(tx: &Tx) -> NaiveDate {
    clock::local_date(tx.now())
}
