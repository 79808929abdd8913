//! Who is asked to confirm a must-read notice: frozen at publication; how many have, and who has not.
use std::collections::HashMap;

use chrono::{DateTime, Months, NaiveDate, Utc};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
    Set, sea_query::SelectStatement,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    confirmations::ConfirmVia,
    rows::{audience, confirmation, notice},
    rules,
};
use crate::{
    actor::Actor,
    bodies::{self, Right, grid},
    clock,
    error::{Code, Result},
    ids::{HouseholdId, NoticeId, PersonId},
    page::{Cursor, Page, PageQuery},
    people,
    store::Tx,
};

/// Rows written in one statement.
const CHUNK: usize = 500;
/// Doors on a sheet of paper at most.
const ON_PAPER: u64 = 5_000;

/// Somebody who is to be asked.
pub(super) struct Asked {
    person: PersonId,
    household: HouseholdId,
    household_number: String,
    group_number: i32,
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

/// Writes down who is asked to confirm the present version.
pub(super) async fn freeze(tx: &Tx, notice: &notice::Model, asked: Vec<Asked>) -> Result<()> {
    let rows = (1..).zip(asked).map(|(place, one)| audience::ActiveModel {
        notice_id: Set(notice.id),
        version: Set(notice.version),
        person_id: Set(one.person),
        place: Set(place),
        household_id: Set(one.household),
        household_number: Set(one.household_number),
        group_number: Set(one.group_number),
    });
    let rows: Vec<_> = rows.collect();
    for some in rows.chunks(CHUNK) {
        audience::Entity::insert_many(some.to_vec()).exec_without_returning(tx).await?;
    }
    Ok(())
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
pub(super) async fn scope(db: &impl ConnectionTrait, actor: &Actor, area: &str) -> Result<Scope> {
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

/// The notice, if it asks for confirmations.
pub(super) async fn asking(db: &impl ConnectionTrait, id: NoticeId) -> Result<notice::Model> {
    let row = notice::Entity::find_by_id(id).one(db).await?.ok_or(Code::NotFound)?;
    if row.must_read { Ok(row) } else { Err(Code::WrongState.into()) }
}

fn asked_of(notice: &notice::Model) -> Select<audience::Entity> {
    audience::Entity::find()
        .filter(audience::Column::NoticeId.eq(notice.id))
        .filter(audience::Column::Version.eq(notice.version))
}

fn confirmations_of(notice: &notice::Model) -> Select<confirmation::Entity> {
    confirmation::Entity::find()
        .filter(confirmation::Column::NoticeId.eq(notice.id))
        .filter(confirmation::Column::Version.eq(notice.version))
}

fn people_in(rows: Select<confirmation::Entity>) -> SelectStatement {
    rows.select_only().column(confirmation::Column::PersonId).into_query()
}

/// Who was asked and has not confirmed.
pub(super) fn unreached(notice: &notice::Model) -> Select<audience::Entity> {
    asked_of(notice).filter(audience::Column::PersonId.not_in_subquery(people_in(confirmations_of(notice))))
}

/// The doors to be visited: who has not confirmed, and who has no phone and is to be told that somebody else did.
fn doors(notice: &notice::Model) -> Select<audience::Entity> {
    let settled = Condition::any()
        .add(confirmation::Column::TellAtDoor.eq(false))
        .add(confirmation::Column::ToldAt.is_not_null());
    let settled = people_in(confirmations_of(notice).filter(settled));
    asked_of(notice).filter(audience::Column::PersonId.not_in_subquery(settled))
}

/// How far a must-read notice has come.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ConfirmedView {
    /// The notice.
    pub notice_id: NoticeId,
    /// Its present version.
    pub version: i32,
    /// Who is asked, frozen at publication.
    pub asked: u64,
    /// How many of them confirmed on their own phone.
    pub by_self: u64,
    /// For how many somebody of the household did, or somebody with a written mandate.
    pub by_proxy: u64,
    /// For how many it was written down at the door.
    pub at_door: u64,
    /// By villagers' group, as far as the asker sees them.
    pub groups: Vec<GroupReach>,
}

/// How far it has come in a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GroupReach {
    /// Number of the group; 0 where there is none.
    pub group_number: i32,
    /// Who is asked there.
    pub asked: u64,
    /// How many of them have not been reached.
    pub unreached: u64,
}

/// How far the notice has come, for the office and the grid workers.
///
/// # Errors
/// `not_found`; `wrong_state` when nobody is asked; `not_allowed`.
pub async fn reach(db: &impl ConnectionTrait, actor: &Actor, id: NoticeId) -> Result<ConfirmedView> {
    let row = notice::Entity::find_by_id(id).one(db).await?.ok_or(Code::NotFound)?;
    let scope = scope(db, actor, &row.area_code).await?;
    let row = asking(db, row.id).await?;
    let mut by_via: HashMap<String, u64> = HashMap::new();
    let counted: Vec<(String, i64)> = confirmations_of(&row)
        .select_only()
        .column(confirmation::Column::Via)
        .column_as(confirmation::Column::PersonId.count(), "confirmed")
        .filter(confirmation::Column::InAudience.eq(true))
        .group_by(confirmation::Column::Via)
        .into_tuple()
        .all(db)
        .await?;
    by_via.extend(counted.into_iter().map(|(via, count)| (via, count.unsigned_abs())));
    let by = |via: ConfirmVia| by_via.get(via.as_str()).copied().unwrap_or_default();
    let open: HashMap<i32, u64> = by_group(db, unreached(&row)).await?.into_iter().collect();
    let groups = by_group(db, asked_of(&row)).await?.into_iter().filter(|(group, _)| scope.has(*group));
    let groups = groups.map(|(group_number, asked)| GroupReach {
        group_number,
        asked,
        unreached: open.get(&group_number).copied().unwrap_or_default(),
    });
    Ok(ConfirmedView {
        notice_id: id,
        version: row.version,
        asked: u64::from(row.audience_size.unwrap_or_default().unsigned_abs()),
        by_self: by(ConfirmVia::Own),
        by_proxy: by(ConfirmVia::Household) + by(ConfirmVia::Mandate),
        at_door: by(ConfirmVia::Door),
        groups: groups.collect(),
    })
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

/// Which doors.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DoorsQuery {
    /// Only those of this villagers' group.
    pub group: Option<i32>,
    /// The `next_cursor` of the page before; absent for the first.
    pub cursor: Option<String>,
    /// Rows wanted, 1 to 100; 20 when absent.
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<u64>,
}

/// A door to be visited.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct DoorView {
    /// Who.
    pub person_id: PersonId,
    /// Full name, as on the roster.
    pub name: String,
    /// Number of the household.
    pub household_number: String,
    /// Villagers' group; 0 where there is none.
    pub group_number: i32,
    /// Is there a phone to sign in with?
    pub has_phone: bool,
    /// Who confirmed for this person, who has no phone and is to be told; absent when nobody has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmed_by_name: Option<String>,
}

/// Who has not been reached, by group and household: for the office, and for the grid worker of the group.
///
/// # Errors
/// `not_found`; `wrong_state` when nobody is asked; `not_allowed`; `invalid_cursor`.
pub async fn list(
    db: &impl ConnectionTrait,
    actor: &Actor,
    (id, wanted): (NoticeId, DoorsQuery),
) -> Result<Page<DoorView>> {
    let row = notice::Entity::find_by_id(id).one(db).await?.ok_or(Code::NotFound)?;
    let mut found = within(db, actor, &row, wanted.group).await?;
    let page = PageQuery { cursor: wanted.cursor, limit: wanted.limit };
    let limit = page.limit()?;
    if let Some(after) = page.after()? {
        let place = i32::try_from(after.at.timestamp_millis()).map_err(|_| Code::InvalidCursor)?;
        found = found.filter(audience::Column::Place.gt(place));
    }
    let rows = found.order_by_asc(audience::Column::Place).limit(limit + 1).all(db).await?;
    // the place in the list is not a time, and is written into a cursor where others have theirs
    let place = |row: &audience::Model| Cursor {
        at: DateTime::<Utc>::from_timestamp_millis(i64::from(row.place)).unwrap_or_default(),
        id: row.person_id.0,
    };
    let page = Page::cut(rows, limit, place, |row| row);
    Ok(Page { items: views(db, &row, page.items).await?, next_cursor: page.next_cursor })
}

/// All of them, for a sheet of paper, 5,000 at most.
///
/// # Errors
/// As [`list`].
pub async fn on_paper(
    db: &impl ConnectionTrait,
    actor: &Actor,
    (id, group): (NoticeId, Option<i32>),
) -> Result<Vec<DoorView>> {
    let row = notice::Entity::find_by_id(id).one(db).await?.ok_or(Code::NotFound)?;
    let found = within(db, actor, &row, group).await?;
    let rows = found.order_by_asc(audience::Column::Place).limit(ON_PAPER).all(db).await?;
    views(db, &row, rows).await
}

async fn within(
    db: &impl ConnectionTrait,
    actor: &Actor,
    row: &notice::Model,
    group: Option<i32>,
) -> Result<Select<audience::Entity>> {
    let scope = scope(db, actor, &row.area_code).await?;
    if !row.must_read {
        return Err(Code::WrongState.into());
    }
    let mut found = doors(row);
    match (group, scope) {
        (Some(group), scope) if !scope.has(group) => return Err(Code::NotAllowed.into()),
        (Some(group), _) => found = found.filter(audience::Column::GroupNumber.eq(group)),
        (None, Scope::Groups(groups)) => found = found.filter(audience::Column::GroupNumber.is_in(groups)),
        (None, Scope::Everybody) => {}
    }
    Ok(found)
}

async fn views(db: &impl ConnectionTrait, notice: &notice::Model, rows: Vec<audience::Model>) -> Result<Vec<DoorView>> {
    let ids: Vec<PersonId> = rows.iter().map(|row| row.person_id).collect();
    let mut known = people::queries::on_rolls(db, &ids).await?;
    let phones = people::queries::with_phone(db, &ids).await?;
    let mut done: HashMap<PersonId, Option<PersonId>> = HashMap::new();
    for some in ids.chunks(1000) {
        let rows = confirmations_of(notice).filter(confirmation::Column::PersonId.is_in(some.iter().copied()));
        done.extend(rows.all(db).await?.into_iter().map(|row| (row.person_id, row.proxy_id.or(row.by_id))));
    }
    let by = people::names(db, done.values().flatten().copied().collect()).await?;
    let show = |row: audience::Model| DoorView {
        name: known.remove(&row.person_id).map(|one| one.name).unwrap_or_default(),
        confirmed_by_name: done.get(&row.person_id).copied().flatten().and_then(|by_id| by.get(&by_id).cloned()),
        has_phone: phones.contains(&row.person_id),
        person_id: row.person_id,
        household_number: row.household_number,
        group_number: row.group_number,
    };
    Ok(rows.into_iter().map(show).collect())
}

/// Somebody who is asked, as the version froze it.
pub(super) async fn asked(
    db: &impl ConnectionTrait,
    notice: &notice::Model,
    person: PersonId,
) -> Result<Option<audience::Model>> {
    Ok(audience::Entity::find_by_id((notice.id, notice.version, person)).one(db).await?)
}

/// Of the actor's own household: who was asked and has not confirmed, by full name.
///
/// # Errors
/// `not_found`.
pub async fn of_household(db: &impl ConnectionTrait, actor: &Actor, id: NoticeId) -> Result<Vec<DoorView>> {
    let row = notice::Entity::find_by_id(id).one(db).await?.ok_or(Code::NotFound)?;
    let Some(own) = people::person(db, actor.person).await? else { return Ok(Vec::new()) };
    if !row.must_read || !actor.lives_in(&row.area_code) {
        return Ok(Vec::new());
    }
    let found = unreached(&row)
        .filter(audience::Column::HouseholdId.eq(own.household))
        .filter(audience::Column::PersonId.ne(actor.person))
        .order_by_asc(audience::Column::Place);
    let rows = found.limit(20).all(db).await?;
    views(db, &row, rows).await
}

/// Today, as the county counts days.
pub(super) fn today(tx: &Tx) -> NaiveDate {
    clock::local_date(tx.now())
}
