//! Reads of tasks: of a matter, of their owner.
use std::collections::HashMap;

use chrono::{DateTime, FixedOffset, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::rows::task;
use crate::{
    actor::Actor,
    bodies, clock,
    error::{Code, Error, Result},
    ids::{BodyId, MatterId, NoticeId, PersonId, TaskId},
    media::{self, MediaView},
    people,
};

mod progress;

pub use self::progress::{DelayView, MoneyLineView, MoneyView, Sum, sums};

/// A task that is to be done.
pub const OPEN: &str = "open";
/// A task that is done.
pub const DONE: &str = "done";
/// What photos of a proof are attached to, and of a line of money its receipt.
pub(super) const MEDIA_KIND: &str = "task";
/// Tasks on one list at most.
const MAX_TASKS: u64 = 200;

/// A task.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct TaskView {
    /// Its id.
    pub id: TaskId,
    /// Where.
    pub area_code: String,
    /// The matter it serves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matter_id: Option<MatterId>,
    /// The notice whose doors are to be visited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notice_id: Option<NoticeId>,
    /// What is to be done.
    pub title: String,
    /// The body that gave it.
    pub body_id: BodyId,
    /// Its name.
    pub body_name: String,
    /// Who is to do it.
    pub owner_id: PersonId,
    /// Full name: the owner acts in a seat.
    pub owner_name: String,
    /// open or done.
    pub state: String,
    /// Until when.
    pub due_at: DateTime<FixedOffset>,
    /// When it was to be done first, if it was put off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_due_at: Option<DateTime<FixedOffset>>,
    /// Every time that it was put off, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub delays: Vec<DelayView>,
    /// What was set aside and spent, if anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub money: Option<MoneyView>,
    /// Was the time over before it was done?
    pub is_overdue: bool,
    /// What was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<String>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub done_at: Option<DateTime<FixedOffset>>,
    /// Photos of the proof.
    pub photos: Vec<MediaView>,
    /// When it was given.
    pub created_at: DateTime<FixedOffset>,
}

/// One task.
///
/// # Errors
/// `not_found` when there is none that the actor may see.
pub async fn task(db: &impl ConnectionTrait, actor: &Actor, id: TaskId) -> Result<TaskView> {
    let row = task::Entity::find_by_id(id).one(db).await?;
    view(db, row.filter(|row| may_see(actor, row)).ok_or(Code::NotFound)?).await
}

/// The tasks of a matter in an area and below (everywhere for an empty code), oldest first, 200 at most. The caller knows who may see them.
///
/// # Errors
/// When the database cannot be read.
pub async fn tasks_of(db: &impl ConnectionTrait, (matter, area): (MatterId, &str)) -> Result<Vec<TaskView>> {
    let rows = task::Entity::find()
        .filter(task::Column::MatterId.eq(matter))
        .filter(task::Column::AreaCode.starts_with(area))
        .order_by_asc(task::Column::CreatedAt)
        .order_by_asc(task::Column::Id)
        .limit(MAX_TASKS)
        .all(db)
        .await?;
    views(db, rows).await
}

/// What this person has to do, the most urgent first, 200 at most.
///
/// # Errors
/// When the database cannot be read.
pub async fn my_open(db: &impl ConnectionTrait, person: PersonId) -> Result<Vec<TaskView>> {
    let rows = task::Entity::find()
        .filter(task::Column::OwnerId.eq(person))
        .filter(task::Column::State.eq(OPEN))
        .order_by_asc(task::Column::DueAt)
        .limit(MAX_TASKS)
        .all(db)
        .await?;
    views(db, rows).await
}

/// How many open tasks are late in an area and below it, and those that are the longest, 200 at most.
///
/// # Errors
/// When the database cannot be read.
pub async fn late(db: &impl ConnectionTrait, (area, now): (&str, DateTime<Utc>)) -> Result<(u64, Vec<TaskView>)> {
    let late = task::Entity::find()
        .filter(task::Column::AreaCode.starts_with(area))
        .filter(task::Column::State.eq(OPEN))
        .filter(task::Column::DueAt.lte(now));
    let count = late.clone().count(db).await?;
    let rows = late.order_by_asc(task::Column::DueAt).limit(MAX_TASKS).all(db).await?;
    Ok((count, views(db, rows).await?))
}

/// Tasks of an area and below it that were done in this time, by the body that gave them.
///
/// # Errors
/// When the database cannot be read.
pub async fn done_by_body(
    db: &impl ConnectionTrait,
    (area, from, to): (&str, DateTime<Utc>, DateTime<Utc>),
) -> Result<Vec<(BodyId, i64)>> {
    let done = task::Entity::find()
        .select_only()
        .column(task::Column::BodyId)
        .column_as(task::Column::Id.count(), "done")
        .filter(task::Column::AreaCode.starts_with(area))
        .filter(task::Column::State.eq(DONE))
        .filter(task::Column::DoneAt.gte(from))
        .filter(task::Column::DoneAt.lt(to))
        .group_by(task::Column::BodyId);
    Ok(done.into_tuple().all(db).await?)
}

/// What these tasks are, and how they stand: title and state.
///
/// # Errors
/// When the database cannot be read.
pub async fn states(db: &impl ConnectionTrait, ids: Vec<TaskId>) -> Result<HashMap<TaskId, (String, String)>> {
    let rows = task::Entity::find().filter(task::Column::Id.is_in(ids)).all(db).await?;
    Ok(rows.into_iter().map(|row| (row.id, (row.title, row.state))).collect())
}

/// The owner, everybody of the area, and who evaluates it.
pub(super) fn may_see(actor: &Actor, row: &task::Model) -> bool {
    row.owner_id == actor.person || actor.reads_records(&row.area_code)
}

pub(super) async fn view(db: &impl ConnectionTrait, row: task::Model) -> Result<TaskView> {
    views(db, vec![row]).await?.pop().ok_or_else(|| Error::broken("a task without a view"))
}

async fn views(db: &impl ConnectionTrait, rows: Vec<task::Model>) -> Result<Vec<TaskView>> {
    let names = people::names(db, rows.iter().map(|row| row.owner_id).collect()).await?;
    let bodies = bodies::queries::names(db, rows.iter().map(|row| row.body_id).collect()).await?;
    let mut photos =
        media::queries::attached(db, MEDIA_KIND, rows.iter().map(|row| row.id.to_string()).collect()).await?;
    let ids: Vec<TaskId> = rows.iter().map(|row| row.id).collect();
    let mut delays = progress::delays(db, ids.clone()).await?;
    let mut money = progress::money(db, ids).await?;
    let show = |row: task::Model| TaskView {
        is_overdue: was_late(&row, delays.get(&row.id).map(Vec::as_slice).unwrap_or_default()),
        owner_name: names.get(&row.owner_id).cloned().unwrap_or_default(),
        body_name: bodies.get(&row.body_id).cloned().unwrap_or_default(),
        photos: photos.remove(&row.id.to_string()).unwrap_or_default(),
        first_due_at: delays.get(&row.id).and_then(|all| all.first()).map(|first| first.due_before),
        delays: delays.remove(&row.id).unwrap_or_default(),
        money: money.remove(&row.id),
        id: row.id,
        area_code: row.area_code,
        matter_id: row.matter_id,
        notice_id: row.notice_id,
        title: row.title,
        body_id: row.body_id,
        owner_id: row.owner_id,
        state: row.state,
        due_at: clock::local(row.due_at),
        proof: row.proof,
        done_at: row.done_at.map(clock::local),
        created_at: clock::local(row.created_at),
    };
    Ok(rows.into_iter().map(show).collect())
}

/// Late now, or once before: then it was put off on a day after the one on which it was due.
fn was_late(row: &task::Model, delays: &[DelayView]) -> bool {
    row.overdue_at.is_some()
        || row.done_at.is_some_and(|done: DateTime<Utc>| done > row.due_at)
        || delays.iter().any(|delay| delay.at >= delay.due_before)
}
