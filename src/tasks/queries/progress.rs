//! What happened to tasks on the way: that they were put off, what was set aside and spent for them.
use std::collections::HashMap;

use chrono::{DateTime, FixedOffset};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::MEDIA_KIND;
use crate::{
    bodies, clock,
    error::{Error, Result},
    ids::{MatterId, MoneyLineId, TaskId},
    media::{self, MediaView},
    people,
    tasks::{
        rows::{delay, money_line, task},
        rules::MoneyKind,
    },
};

/// That a task was put off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DelayView {
    /// When it was due before.
    pub due_before: DateTime<FixedOffset>,
    /// Until when it was put off.
    pub due_at: DateTime<FixedOffset>,
    /// Why.
    pub reason: String,
    /// Who did it; full name, because it was done in a seat.
    pub by_name: String,
    /// For which body.
    pub by_body: String,
    /// When.
    pub at: DateTime<FixedOffset>,
}

/// What was set aside and spent for a task.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MoneyView {
    /// Set aside, in fen.
    pub budget_fen: i64,
    /// Spent, in fen.
    pub spent_fen: i64,
    /// Line by line, oldest first, those that were reversed among them.
    pub lines: Vec<MoneyLineView>,
}

/// A line of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MoneyLineView {
    /// Its id.
    pub id: MoneyLineId,
    /// Set aside or spent.
    pub kind: MoneyKind,
    /// How much, in fen; below zero where it reverses another.
    pub fen: i64,
    /// For what, or why the other was wrong.
    pub label: String,
    /// The line that it reverses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reverses: Option<MoneyLineId>,
    /// Was it reversed?
    pub is_reversed: bool,
    /// Who wrote it down.
    pub by_name: String,
    /// When.
    pub at: DateTime<FixedOffset>,
    /// A photo of the receipt; for the people of the area.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipt: Option<MediaView>,
}

/// Of these tasks, oldest first.
pub(super) async fn delays(db: &impl ConnectionTrait, tasks: Vec<TaskId>) -> Result<HashMap<TaskId, Vec<DelayView>>> {
    let rows = delay::Entity::find()
        .filter(delay::Column::TaskId.is_in(tasks))
        .order_by_asc(delay::Column::TaskId)
        .order_by_asc(delay::Column::Number)
        .all(db)
        .await?;
    let names = people::names(db, rows.iter().map(|row| row.actor_id).collect()).await?;
    let bodies = bodies::queries::names(db, rows.iter().map(|row| row.body_id).collect()).await?;
    let mut found: HashMap<TaskId, Vec<DelayView>> = HashMap::new();
    for row in rows {
        found.entry(row.task_id).or_default().push(DelayView {
            due_before: clock::local(row.due_before),
            due_at: clock::local(row.due_at),
            reason: row.reason,
            by_name: names.get(&row.actor_id).cloned().unwrap_or_default(),
            by_body: bodies.get(&row.body_id).cloned().unwrap_or_default(),
            at: clock::local(row.at),
        });
    }
    Ok(found)
}

/// Of these tasks.
pub(super) async fn money(db: &impl ConnectionTrait, tasks: Vec<TaskId>) -> Result<HashMap<TaskId, MoneyView>> {
    let rows = money_line::Entity::find()
        .filter(money_line::Column::TaskId.is_in(tasks))
        .order_by_asc(money_line::Column::At)
        .order_by_asc(money_line::Column::Id)
        .all(db)
        .await?;
    let names = people::names(db, rows.iter().map(|row| row.actor_id).collect()).await?;
    let ids = rows.iter().map(|row| row.id.to_string()).collect();
    let mut receipts = media::queries::attached(db, MEDIA_KIND, ids).await?;
    let reversed: Vec<MoneyLineId> = rows.iter().filter_map(|row| row.reverses).collect();
    let mut found: HashMap<TaskId, MoneyView> = HashMap::new();
    for row in rows {
        let kind = MoneyKind::parse(&row.kind).ok_or_else(|| Error::broken("a line of money"))?;
        let money = found.entry(row.task_id).or_default();
        match kind {
            MoneyKind::Budget => money.budget_fen += row.fen,
            MoneyKind::Spent => money.spent_fen += row.fen,
        }
        money.lines.push(MoneyLineView {
            kind,
            receipt: receipts.remove(&row.id.to_string()).and_then(|some| some.into_iter().next()),
            is_reversed: reversed.contains(&row.id),
            by_name: names.get(&row.actor_id).cloned().unwrap_or_default(),
            id: row.id,
            fen: row.fen,
            label: row.label,
            reverses: row.reverses,
            at: clock::local(row.at),
        });
    }
    Ok(found)
}

/// Fen set aside and spent for a matter, by where the task is: what was done elsewhere in its name the caller leaves out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sum {
    /// The matter.
    pub matter: MatterId,
    /// Where the task is.
    pub area: String,
    /// Set aside.
    pub budget_fen: i64,
    /// Spent.
    pub spent_fen: i64,
}

/// The sums of these matters, a line each task. The caller asks for few matters at a time.
///
/// # Errors
/// When the database cannot be read.
pub async fn sums(db: &impl ConnectionTrait, matters: Vec<MatterId>) -> Result<Vec<Sum>> {
    let tasks: Vec<(TaskId, MatterId, String)> = task::Entity::find()
        .select_only()
        .columns([task::Column::Id, task::Column::MatterId, task::Column::AreaCode])
        .filter(task::Column::MatterId.is_in(matters))
        .into_tuple()
        .all(db)
        .await?;
    let mut lines: HashMap<TaskId, (i64, i64)> = HashMap::new();
    for some in tasks.chunks(500) {
        let rows: Vec<(TaskId, String, i64)> = money_line::Entity::find()
            .select_only()
            .columns([money_line::Column::TaskId, money_line::Column::Kind, money_line::Column::Fen])
            .filter(money_line::Column::TaskId.is_in(some.iter().map(|(id, ..)| *id)))
            .into_tuple()
            .all(db)
            .await?;
        for (task, kind, fen) in rows {
            let (budget, spent) = lines.entry(task).or_default();
            *(if kind == MoneyKind::Budget.as_str() { budget } else { spent }) += fen;
        }
    }
    let sum = |(id, matter, area): (TaskId, MatterId, String)| {
        let (budget_fen, spent_fen) = lines.get(&id).copied()?;
        Some(Sum { matter, area, budget_fen, spent_fen })
    };
    Ok(tasks.into_iter().filter_map(sum).collect())
}
