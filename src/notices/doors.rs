//! The doors of those who were not reached, for who knocks there: by name and household, on the phone and on paper.
use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    audience::{Scope, asked_of, confirmations_of, doors, is_unreached, scope, village_of},
    rows::{audience, confirmation, notice},
};
use crate::{
    actor::Actor,
    error::{Code, Result},
    ids::{NoticeId, PersonId},
    page::{Cursor, Page, PageQuery},
    people,
};

/// Doors on a sheet of paper at most.
const ON_PAPER: u64 = 5_000;

/// Which doors.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DoorsQuery {
    /// Code of the village, of a notice of its town or county; the one at whose doors the asker works when absent.
    pub area: Option<String>,
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
/// `not_found`, also of a village that it does not ask; `wrong_state` when nobody is asked; `not_allowed`; `invalid_cursor`.
pub async fn list(
    db: &impl ConnectionTrait,
    actor: &Actor,
    (id, wanted): (NoticeId, DoorsQuery),
) -> Result<Page<DoorView>> {
    let row = notice::Entity::find_by_id(id).one(db).await?.ok_or(Code::NotFound)?;
    let mut found = within(db, actor, &row, (wanted.area.as_deref(), wanted.group)).await?;
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
    (id, area, group): (NoticeId, Option<&str>, Option<i32>),
) -> Result<Vec<DoorView>> {
    let row = notice::Entity::find_by_id(id).one(db).await?.ok_or(Code::NotFound)?;
    let found = within(db, actor, &row, (area, group)).await?;
    let rows = found.order_by_asc(audience::Column::Place).limit(ON_PAPER).all(db).await?;
    views(db, &row, rows).await
}

async fn within(
    db: &impl ConnectionTrait,
    actor: &Actor,
    row: &notice::Model,
    (area, group): (Option<&str>, Option<i32>),
) -> Result<Select<audience::Entity>> {
    let area = village_of(actor, &row.area_code, area)?;
    let scope = scope(db, actor, &area).await?;
    if !row.must_read {
        return Err(Code::WrongState.into());
    }
    let mut found = doors(row, &area);
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
    let found = asked_of(&row)
        .filter(is_unreached(&row))
        .filter(audience::Column::HouseholdId.eq(own.household))
        .filter(audience::Column::PersonId.ne(actor.person))
        .order_by_asc(audience::Column::Place);
    let rows = found.limit(20).all(db).await?;
    views(db, &row, rows).await
}
