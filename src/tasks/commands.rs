//! Writes of tasks: give, finish, notice that one is overdue; delays and money are in `commands/progress.rs`.
use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set, sea_query::Expr};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    queries::{self, TaskView},
    rows::task,
    rules,
};
use crate::{
    actor::Actor,
    areas,
    bodies::{self, Right},
    error::{Checks, Code, Result},
    events::{self, Happening, Kind},
    ids::{BodyId, MatterId, MediaId, NoticeId, PersonId, TaskId},
    media,
    store::Tx,
};

mod progress;

pub use self::progress::{DelayTask, NoteMoney, ReverseMoney, delay, note_money, reverse_money};

/// Characters of what is to be done, at most.
pub const MAX_TITLE: usize = 100;
/// Photos of one proof at most.
const MAX_PHOTOS: usize = 9;
/// Rows that the clock looks at in one go.
const DUE_AT_ONCE: u64 = 100;

/// A task to be given.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GiveTask {
    /// Where.
    pub area_code: String,
    /// The matter it serves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matter_id: Option<MatterId>,
    /// Who is to do it: somebody with a seat in a body that covers the area.
    pub owner_id: PersonId,
    /// What is to be done, 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    pub title: String,
    /// Within so many working days; this or `due_on`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 250)]
    pub working_days: Option<u32>,
    /// Until the end of this day; this or `working_days`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_on: Option<NaiveDate>,
}

/// The proof that a task is done.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FinishTask {
    /// What was done, 1 to 1,000 characters.
    #[schema(min_length = 1, max_length = 1000)]
    pub proof: String,
    /// 1 to 9 of the owner's own photos; none are needed for doors, which have a list of their own.
    #[serde(default)]
    pub photos: Vec<MediaId>,
}

/// Gives a task. Records `task.given`.
///
/// # Errors
/// `not_allowed` without the right in the area; `not_found` when there is no such area; `invalid_fields`.
pub async fn give(tx: &Tx, actor: &Actor, input: GiveTask) -> Result<TaskView> {
    let seat = bodies::require(actor, Right::GiveTask, &input.area_code)?;
    areas::get(tx, &input.area_code).await?;
    let now = tx.now();
    let due_at = rules::due_at(tx.calendar(), now, input.working_days, input.due_on);
    let seats = bodies::seats_of(tx, input.owner_id, now).await?;
    let mut checks = Checks::default();
    checks.text("title", &input.title, 1..=MAX_TITLE);
    checks.require(due_at.is_some(), if input.due_on.is_some() { "due_on" } else { "working_days" }, "out_of_range");
    checks.require(seats.iter().any(|seat| seat.covers(&input.area_code)), "owner_id", "not_a_member");
    checks.done()?;
    let row = task::ActiveModel {
        id: Set(TaskId::new()),
        area_code: Set(input.area_code),
        matter_id: Set(input.matter_id),
        title: Set(input.title.trim().to_owned()),
        body_id: Set(seat.body_id),
        owner_id: Set(input.owner_id),
        state: Set(queries::OPEN.to_owned()),
        due_at: Set(due_at.unwrap_or(now)),
        calendar_version: Set(tx.calendar().version().to_owned()),
        proof: Set(None),
        done_at: Set(None),
        overdue_at: Set(None),
        created_by: Set(actor.person),
        created_at: Set(now),
        notice_id: Set(None),
    };
    let row = row.insert(tx).await?;
    record(tx, Kind::TaskGiven, &row, Some(actor.person)).await?;
    queries::view(tx, row).await
}

/// What a meeting resolved to have done.
pub struct ResolvedToDo {
    /// Where.
    pub area_code: String,
    /// The matter it serves.
    pub matter_id: Option<MatterId>,
    /// The body that resolved it.
    pub body_id: BodyId,
    /// Who is to do it.
    pub owner_id: PersonId,
    /// What is to be done.
    pub title: String,
    /// Until the end of this day.
    pub due_on: NaiveDate,
}

/// Gives somebody what a meeting resolved; whether the owner is bound by it, the caller has seen to. Records `task.given`.
///
/// # Errors
/// `invalid_fields` for a day out of reach.
pub async fn give_resolved(tx: &Tx, actor: &Actor, to_do: ResolvedToDo) -> Result<TaskId> {
    let due_at = rules::due_at(tx.calendar(), tx.now(), None, Some(to_do.due_on));
    let mut checks = Checks::default();
    checks.require(due_at.is_some(), "due_on", "out_of_range");
    checks.done()?;
    let row = task::ActiveModel {
        id: Set(TaskId::new()),
        area_code: Set(to_do.area_code),
        matter_id: Set(to_do.matter_id),
        title: Set(to_do.title),
        body_id: Set(to_do.body_id),
        owner_id: Set(to_do.owner_id),
        state: Set(queries::OPEN.to_owned()),
        due_at: Set(due_at.unwrap_or(tx.now())),
        calendar_version: Set(tx.calendar().version().to_owned()),
        proof: Set(None),
        done_at: Set(None),
        overdue_at: Set(None),
        created_by: Set(actor.person),
        created_at: Set(tx.now()),
        notice_id: Set(None),
    };
    let row = row.insert(tx).await?;
    record(tx, Kind::TaskGiven, &row, Some(actor.person)).await?;
    Ok(row.id)
}

/// Doors to be visited, as the clock hands them over.
pub struct HandOver {
    /// Where.
    pub area_code: String,
    /// The body that wants to know.
    pub body_id: BodyId,
    /// In whose name: who published the notice.
    pub given_by: PersonId,
    /// Who is to knock.
    pub owner_id: PersonId,
    /// What is to be done.
    pub title: String,
    /// Until when.
    pub due_at: DateTime<Utc>,
    /// Whose doors.
    pub notice_id: NoticeId,
}

/// Hands doors over to somebody. Records `task.given`.
///
/// # Errors
/// When the database refuses.
pub async fn hand_over(tx: &Tx, doors: HandOver) -> Result<TaskId> {
    let row = task::ActiveModel {
        id: Set(TaskId::new()),
        area_code: Set(doors.area_code),
        matter_id: Set(None),
        title: Set(doors.title),
        body_id: Set(doors.body_id),
        owner_id: Set(doors.owner_id),
        state: Set(queries::OPEN.to_owned()),
        due_at: Set(doors.due_at),
        calendar_version: Set(tx.calendar().version().to_owned()),
        proof: Set(None),
        done_at: Set(None),
        overdue_at: Set(None),
        created_by: Set(doors.given_by),
        created_at: Set(tx.now()),
        notice_id: Set(Some(doors.notice_id)),
    };
    let row = row.insert(tx).await?;
    record(tx, Kind::TaskGiven, &row, None).await?;
    Ok(row.id)
}

/// The owner calls the task done, with proof. Records `task.done`.
///
/// # Errors
/// `not_found` when the task is not for the actor's eyes; `not_allowed` for anybody but the owner; `wrong_state` when
/// it is done; `media_not_usable`; `invalid_fields`.
pub async fn finish(tx: &Tx, actor: &Actor, (id, input): (TaskId, FinishTask)) -> Result<TaskView> {
    let task = task::Entity::find_by_id(id).one(tx).await?;
    let task = task.filter(|task| queries::may_see(actor, task)).ok_or(Code::NotFound)?;
    if task.owner_id != actor.person {
        return Err(Code::NotAllowed.into());
    }
    let mut checks = Checks::default();
    checks.text("proof", &input.proof, 1..=1000);
    checks.require(!input.photos.is_empty() || task.notice_id.is_some(), "photos", "no_photo");
    checks.require(input.photos.len() <= MAX_PHOTOS, "photos", "out_of_range");
    checks.done()?;
    let done = task::Entity::update_many()
        .col_expr(task::Column::State, Expr::value(queries::DONE))
        .col_expr(task::Column::Proof, Expr::value(input.proof.trim()))
        .col_expr(task::Column::DoneAt, Expr::value(tx.now()))
        .filter(task::Column::Id.eq(id))
        .filter(task::Column::State.eq(queries::OPEN))
        .exec_with_returning(tx)
        .await?;
    let row = done.into_iter().next().ok_or(Code::WrongState)?;
    let subject = media::Subject { kind: queries::MEDIA_KIND, id: &id.to_string(), area: &row.area_code };
    media::attach_photos(tx, actor.person, ("photos", &input.photos), subject).await?;
    record(tx, Kind::TaskDone, &row, Some(actor.person)).await?;
    queries::view(tx, row).await
}

/// Notices open tasks whose time is over, each once. Records `task.overdue`.
///
/// # Errors
/// When the database refuses.
pub async fn due(tx: &Tx) -> Result<u64> {
    let over = task::Entity::find()
        .filter(task::Column::State.eq(queries::OPEN))
        .filter(task::Column::DueAt.lte(tx.now()))
        .filter(task::Column::OverdueAt.is_null())
        .order_by_asc(task::Column::DueAt)
        .limit(DUE_AT_ONCE)
        .all(tx)
        .await?;
    let mut count = 0;
    for task in over {
        let marked = task::Entity::update_many()
            .col_expr(task::Column::OverdueAt, Expr::value(tx.now()))
            .filter(task::Column::Id.eq(task.id))
            .filter(task::Column::State.eq(queries::OPEN))
            .filter(task::Column::OverdueAt.is_null())
            .exec(tx)
            .await?;
        if marked.rows_affected == 1 {
            record(tx, Kind::TaskOverdue, &task, None).await?;
            count += 1;
        }
    }
    Ok(count)
}

async fn record(tx: &Tx, kind: Kind, task: &task::Model, by: Option<PersonId>) -> Result<()> {
    let data = json!({ "matter": task.matter_id, "owner": task.owner_id });
    let mut happening = Happening::new(kind, task.id).at(&task.area_code).with(data);
    happening.actor = by;
    events::record(tx, happening).await?;
    Ok(())
}
