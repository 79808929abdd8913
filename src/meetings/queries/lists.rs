//! The list against which a meeting is counted: how many are on it, what changed on it, and, for who holds it, who they are.
use std::collections::{HashMap, HashSet};

use chrono::{DateTime, FixedOffset};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    clock,
    error::{Code, Result},
    ids::{MeetingId, PersonId},
    meetings::rows::{change, listed, meeting},
    people,
};

/// That somebody came on the list or left it after the meeting was called; whom is for who holds the meeting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ListChangeView {
    /// Came, or left?
    pub is_entered: bool,
    /// Why.
    pub reason: String,
    /// Who wrote it down; full name, because it was done in a seat.
    pub by_name: String,
    /// When.
    pub at: DateTime<FixedOffset>,
}

/// Somebody on the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ListedView {
    /// Who.
    pub person_id: PersonId,
    /// Full name, for who holds the meeting.
    pub name: String,
}

/// Who is on the list of a meeting, with all that changed; `None` for one that has no list.
pub(in crate::meetings) async fn entitled(
    db: &impl ConnectionTrait,
    row: &meeting::Model,
) -> Result<Option<HashSet<PersonId>>> {
    if row.listed.is_none() {
        return Ok(None);
    }
    let first = listed::Entity::find()
        .select_only()
        .column(listed::Column::PersonId)
        .filter(listed::Column::MeetingId.eq(row.id));
    let mut people: HashSet<PersonId> = first.into_tuple().all(db).await?.into_iter().collect();
    let changes = change::Entity::find()
        .filter(change::Column::MeetingId.eq(row.id))
        .order_by_asc(change::Column::Number)
        .all(db)
        .await?;
    for one in changes {
        if one.is_entered {
            people.insert(one.person_id);
        } else {
            people.remove(&one.person_id);
        }
    }
    Ok(Some(people))
}

/// Who is on the list of a meeting now, in the order of ids; of a group's meeting its grown-ups; `None` for one that has no list.
///
/// # Errors
/// `not_found`.
pub async fn invited(db: &impl ConnectionTrait, id: MeetingId) -> Result<Option<Vec<PersonId>>> {
    let row = meeting::Entity::find_by_id(id).one(db).await?.ok_or(Code::NotFound)?;
    if let Some(group) = row.group_number {
        return Ok(Some(of_group(db, &row, group).await?));
    }
    let Some(people) = entitled(db, &row).await? else { return Ok(None) };
    let mut people: Vec<PersonId> = people.into_iter().collect();
    people.sort_unstable();
    Ok(Some(people))
}

/// Who belongs to the group that a meeting calls and is of age when it begins.
pub(in crate::meetings) async fn of_group(
    db: &impl ConnectionTrait,
    row: &meeting::Model,
    group: i32,
) -> Result<Vec<PersonId>> {
    people::village_groups::grown_ups(db, (&row.area_code, group), clock::local_date(row.starts_at)).await
}

/// The same with names, in their order.
pub(super) async fn names(db: &impl ConnectionTrait, row: &meeting::Model) -> Result<Option<Vec<ListedView>>> {
    let Some(people) = entitled(db, row).await? else { return Ok(None) };
    let names = people::names(db, people.into_iter().collect()).await?;
    let mut found: Vec<ListedView> =
        names.into_iter().map(|(person_id, name)| ListedView { person_id, name }).collect();
    found.sort_by(|one, other| (&one.name, one.person_id.0).cmp(&(&other.name, other.person_id.0)));
    Ok(Some(found))
}

/// Is this person on the list?
pub(in crate::meetings) async fn holds(
    db: &impl ConnectionTrait,
    row: &meeting::Model,
    person: PersonId,
) -> Result<bool> {
    Ok(entitled(db, row).await?.is_some_and(|people| people.contains(&person)))
}

/// What changed on the lists of these meetings, oldest first.
pub(super) async fn changes(
    db: &impl ConnectionTrait,
    meetings: Vec<MeetingId>,
) -> Result<HashMap<MeetingId, Vec<ListChangeView>>> {
    let rows = change::Entity::find()
        .filter(change::Column::MeetingId.is_in(meetings))
        .order_by_asc(change::Column::MeetingId)
        .order_by_asc(change::Column::Number)
        .all(db)
        .await?;
    let names = people::names(db, rows.iter().map(|row| row.actor_id).collect()).await?;
    let mut found: HashMap<MeetingId, Vec<ListChangeView>> = HashMap::new();
    for row in rows {
        found.entry(row.meeting_id).or_default().push(ListChangeView {
            is_entered: row.is_entered,
            reason: row.reason,
            by_name: names.get(&row.actor_id).cloned().unwrap_or_default(),
            at: clock::local(row.at),
        });
    }
    Ok(found)
}
