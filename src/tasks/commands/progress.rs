//! What happens between giving a task and its end: it is put off, money is set aside and spent.
use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::{
    ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, Set, TryInsertResult, sea_query::Expr,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::{
    actor::Actor,
    bodies::{self, Right},
    error::{Checks, Code, Result},
    events::{self, Happening, Kind},
    ids::{MediaId, MoneyLineId, TaskId},
    media,
    store::Tx,
    tasks::{
        queries::{self, TaskView},
        rows::{delay, money_line, task},
        rules::{self, MoneyKind},
    },
};

/// Times that one task is put off at most.
const MAX_DELAYS: u64 = 5;
/// Lines of money of one task at most, those that reverse another among them.
const MAX_LINES: u64 = 200;

/// A task is put off.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DelayTask {
    /// Until the end of this day, later than it is due now.
    pub due_on: NaiveDate,
    /// Why; public. 2 to 200 characters.
    #[schema(min_length = 2, max_length = 200)]
    pub reason: String,
}

/// Money is set aside or spent.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NoteMoney {
    /// Which of both.
    pub kind: MoneyKind,
    /// How much, in fen; 1 to 100,000,000,000.
    #[schema(minimum = 1, maximum = 100_000_000_000_i64)]
    pub fen: i64,
    /// For what; public. 1 to 60 characters.
    #[schema(min_length = 1, max_length = 60)]
    pub label: String,
    /// A photo of the receipt, one's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<MediaId>,
}

/// A line of money was wrong.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReverseMoney {
    /// Which line; once.
    pub line_id: MoneyLineId,
    /// Why; public. 2 to 60 characters.
    #[schema(min_length = 2, max_length = 60)]
    pub reason: String,
}

/// Puts a task off; the day before stays beside it, one that was overdue stays known as such, and is overdue once more when
/// the new day passes. Records `task.delayed`.
///
/// # Errors
/// `not_found` when the task is not for the actor's eyes; `not_allowed` without the right to give tasks there: nobody extends
/// the own time by being its owner; `wrong_state` when it is done or was put off five times; `invalid_fields`; `changed`.
pub async fn delay(tx: &Tx, actor: &Actor, (id, input): (TaskId, DelayTask)) -> Result<TaskView> {
    let task = visible(tx, actor, id).await?;
    let seat = bodies::require(actor, Right::GiveTask, &task.area_code)?;
    let later = rules::put_off(tx.calendar(), tx.now(), (task.due_at, input.due_on));
    let mut checks = Checks::default();
    checks.text("reason", &input.reason, 2..=200);
    checks.require(later.is_some(), "due_on", "out_of_range");
    checks.done()?;
    let so_far = delay::Entity::find().filter(delay::Column::TaskId.eq(id)).count(tx).await?;
    let (Some(later), true) = (later, task.state == queries::OPEN && so_far < MAX_DELAYS) else {
        return Err(Code::WrongState.into());
    };
    let moved = task::Entity::update_many()
        .col_expr(task::Column::DueAt, Expr::value(later))
        // the new day is watched like the first; that the first was missed is seen by when it was put off
        .col_expr(task::Column::OverdueAt, Expr::value(Option::<DateTime<Utc>>::None))
        .col_expr(task::Column::CalendarVersion, Expr::value(tx.calendar().version()))
        .filter(task::Column::Id.eq(id))
        .filter(task::Column::State.eq(queries::OPEN))
        .filter(task::Column::DueAt.eq(task.due_at))
        .exec_with_returning(tx)
        .await?;
    let row = moved.into_iter().next().ok_or(Code::Changed)?;
    let number = i32::try_from(so_far).unwrap_or(i32::MAX).saturating_add(1);
    let kept = delay::ActiveModel {
        task_id: Set(id),
        number: Set(number),
        due_before: Set(task.due_at),
        due_at: Set(later),
        reason: Set(input.reason.trim().to_owned()),
        body_id: Set(seat.body_id),
        actor_id: Set(actor.person),
        at: Set(tx.now()),
    };
    delay::Entity::insert(kept).exec_without_returning(tx).await?;
    let data = json!({ "matter": row.matter_id, "owner": row.owner_id, "number": number, "until": later });
    let happening = Happening::new(Kind::TaskDelayed, id).at(&row.area_code).by(actor.person).with(data);
    events::record(tx, happening).await?;
    queries::view(tx, row).await
}

/// Writes down what was set aside or spent for a task, also after it was done: bills come late. Records `task.money_noted`.
///
/// # Errors
/// `not_found` when the task is not for the actor's eyes; `not_allowed` for anybody but its owner and who gives tasks there;
/// `invalid_fields`; `wrong_state` after 200 lines; `media_not_usable`.
pub async fn note_money(tx: &Tx, actor: &Actor, (id, input): (TaskId, NoteMoney)) -> Result<TaskView> {
    let task = keeper(tx, actor, id).await?;
    let mut checks = Checks::default();
    checks.text("label", &input.label, 1..=60);
    checks.require(rules::is_amount(input.fen), "fen", "out_of_range");
    checks.done()?;
    let line = money_line::Model {
        id: MoneyLineId::new(),
        task_id: id,
        kind: input.kind.as_str().to_owned(),
        fen: input.fen,
        label: input.label.trim().to_owned(),
        reverses: None,
        actor_id: actor.person,
        at: tx.now(),
    };
    let line_id = line.id.to_string();
    add(tx, actor, &task, line).await?;
    let subject = media::Subject { kind: queries::MEDIA_KIND, id: &line_id, area: &task.area_code };
    media::attach_photos(tx, actor.person, ("receipt", input.receipt.as_slice()), subject).await?;
    queries::view(tx, task).await
}

/// Reverses a line that was wrong by another; both stay. Records `task.money_noted`.
///
/// # Errors
/// As [`note_money`]; `invalid_fields` for a line of another task, or one that reverses a line itself; `wrong_state` for one
/// that was reversed already.
pub async fn reverse_money(tx: &Tx, actor: &Actor, (id, input): (TaskId, ReverseMoney)) -> Result<TaskView> {
    let task = keeper(tx, actor, id).await?;
    let wrong = money_line::Entity::find_by_id(input.line_id).one(tx).await?;
    let wrong = wrong.filter(|line| line.task_id == id && line.reverses.is_none());
    let mut checks = Checks::default();
    checks.text("reason", &input.reason, 2..=60);
    checks.require(wrong.is_some(), "line_id", "unknown");
    checks.done()?;
    let wrong = wrong.ok_or(Code::InvalidFields)?;
    let line = money_line::Model {
        id: MoneyLineId::new(),
        task_id: id,
        kind: wrong.kind,
        fen: -wrong.fen,
        label: input.reason.trim().to_owned(),
        reverses: Some(wrong.id),
        actor_id: actor.person,
        at: tx.now(),
    };
    add(tx, actor, &task, line).await?;
    queries::view(tx, task).await
}

/// The unique key, not a look before, lets one of two reversals of a line through.
async fn add(tx: &Tx, actor: &Actor, task: &task::Model, line: money_line::Model) -> Result<()> {
    let so_far = money_line::Entity::find().filter(money_line::Column::TaskId.eq(task.id)).count(tx).await?;
    if so_far >= MAX_LINES {
        return Err(Code::WrongState.into());
    }
    let data = json!({ "matter": task.matter_id, "owner": task.owner_id, "kind": line.kind, "line": line.id });
    let insert = money_line::Entity::insert(line.into_active_model());
    let insert = insert.on_conflict_do_nothing_on([money_line::Column::Reverses]);
    let TryInsertResult::Inserted(1) = insert.exec_without_returning(tx).await? else {
        return Err(Code::WrongState.into());
    };
    let happening = Happening::new(Kind::TaskMoneyNoted, task.id).at(&task.area_code).by(actor.person).with(data);
    events::record(tx, happening).await?;
    Ok(())
}

/// The task, for who keeps its money: its owner, and who gives tasks there.
async fn keeper(tx: &Tx, actor: &Actor, id: TaskId) -> Result<task::Model> {
    let task = visible(tx, actor, id).await?;
    let is_keeper = task.owner_id == actor.person || bodies::may(actor, Right::GiveTask, &task.area_code);
    if is_keeper { Ok(task) } else { Err(Code::NotAllowed.into()) }
}

async fn visible(tx: &Tx, actor: &Actor, id: TaskId) -> Result<task::Model> {
    let task = task::Entity::find_by_id(id).one(tx).await?;
    task.filter(|task| queries::may_see(actor, task)).ok_or_else(|| Code::NotFound.into())
}
