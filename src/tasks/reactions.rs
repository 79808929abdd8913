//! What follows from tasks: the owner is told, and who gave it hears, too, when it is late.
use sea_orm::EntityTrait;

use super::rows::task;
use crate::{
    clock,
    error::Result,
    events::{Event, Kind, Reaction},
    ids::TaskId,
    people,
    store::Tx,
    streams::commands::{Card, mailbox, office, post_card},
};

/// Run by the relay.
pub const REACTIONS: &[Reaction] = &[
    Reaction { name: "tasks.tell_owner", run: |tx, event| Box::pin(tell_owner(tx, event)) },
    Reaction { name: "tasks.tell_office", run: |tx, event| Box::pin(tell_office(tx, event)) },
];

async fn tell_owner(tx: &Tx, event: &Event) -> Result<()> {
    let (code, key) = match event.kind {
        Kind::TaskGiven => ("task_given", "tasks-card-given"),
        Kind::TaskDelayed => ("task_delayed", "tasks-card-delayed"),
        Kind::TaskOverdue => ("task_overdue", "tasks-card-own-overdue"),
        _ => return Ok(()),
    };
    let Some(task) = task::Entity::find_by_id(event.subject_id::<TaskId>()?).one(tx).await? else { return Ok(()) };
    let own = mailbox(tx, task.owner_id).await?;
    post_card(tx, own, card(code, key, &task, "")).await?;
    Ok(())
}

async fn tell_office(tx: &Tx, event: &Event) -> Result<()> {
    let (code, key) = match event.kind {
        Kind::TaskOverdue => ("task_overdue", "tasks-card-overdue"),
        Kind::TaskDone => ("task_done", "tasks-card-done"),
        Kind::TaskDelayed => ("task_delayed", "tasks-card-delayed"),
        _ => return Ok(()),
    };
    let Some(task) = task::Entity::find_by_id(event.subject_id::<TaskId>()?).one(tx).await? else { return Ok(()) };
    let owner = people::name(tx, task.owner_id).await?;
    let body = office(tx, task.body_id).await?;
    post_card(tx, body, card(code, key, &task, &owner)).await?;
    Ok(())
}

fn card(code: &'static str, key: &str, task: &task::Model, owner: &str) -> Card {
    let last_day = clock::last_day(task.due_at).to_string();
    let blanks = [("title", task.title.as_str().into()), ("day", last_day.as_str().into()), ("owner", owner.into())];
    Card::worded((code, key), &blanks, format!("/desk/tasks/{}", task.id))
}
