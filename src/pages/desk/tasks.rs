//! A task on the desk: its owner marks it done with words and photos; it is put off, and what it costs is written down.
use askama::Template;
use axum::{extract::State, response::Response};

use super::frame::{Clerk, Desk, Draft, Due};
use crate::{
    app::{App, Path},
    bodies::Right,
    error::{Checks, Code, Error, Result},
    ids::{MediaId, TaskId},
    matters,
    pages::{
        fields::{Fields, Form, Sent, with_files},
        layout::{Page, render_as, see},
        words::Words,
    },
    tasks::{self, DelayTask, FinishTask, NoteMoney, ReverseMoney, TaskView, rules::fen_of},
};

#[derive(Template)]
#[template(path = "desk/task.html")]
struct TaskPage {
    page: Page,
    desk: Desk,
    draft: Draft,
    task: TaskView,
    due: Due,
    may_finish: bool,
    may_delay: bool,
    may_note: bool,
    /// The supervision committee holds up what it is part of.
    is_halted: bool,
    /// Photos that were sent along with a form that was refused.
    kept: Vec<MediaId>,
}

/// The page.
pub(super) async fn show(State(app): State<App>, clerk: Clerk, Path(id): Path<TaskId>) -> Result<Response> {
    shown(&app, &clerk, id, (Vec::new(), Draft::default())).await
}

async fn shown(app: &App, clerk: &Clerk, id: TaskId, (kept, draft): (Vec<MediaId>, Draft)) -> Result<Response> {
    let task = tasks::queries::task(app.store.read(), &clerk.actor, id).await?;
    let is_owner = task.owner_id == clerk.actor.person;
    let may_give = clerk.may(Right::GiveTask, &task.area_code);
    let is_halted = match task.matter_id {
        Some(matter) => {
            let standing = matters::queries::standing(app.store.read(), matter).await;
            standing.is_ok_and(|standing| standing.is_halted() && standing.covers(&task.area_code))
        }
        None => false,
    };
    let shown = TaskPage {
        page: clerk.page(task.title.clone()).at(format!("/desk/tasks/{id}")),
        desk: clerk.desk(),
        kept,
        draft,
        due: Due::seen(task.due_at, app.now()),
        may_finish: task.done_at.is_none() && is_owner,
        may_delay: task.done_at.is_none() && may_give,
        may_note: is_owner || may_give,
        is_halted,
        task,
    };
    Ok(render_as(shown.draft.status(), &shown))
}

/// Done, with proof.
pub(super) async fn finish(
    State(app): State<App>,
    clerk: Clerk,
    Path(id): Path<TaskId>,
    form: Form,
) -> Result<Response> {
    let mut sent = with_files(&app, &clerk.actor, form).await?;
    match prove(&app, &clerk, id, &mut sent).await {
        Ok(()) => Ok(see(&format!("/desk/tasks/{id}"))),
        Err(error) => shown(&app, &clerk, id, Draft::refused_with("finish", sent, error)?).await,
    }
}

async fn prove(app: &App, clerk: &Clerk, id: TaskId, sent: &mut Sent) -> Result<()> {
    sent.whole()?;
    let input = (id, FinishTask { proof: sent.fields.text("proof").to_owned(), photos: sent.media() });
    let finish = app.once(clerk.actor.clone(), sent.fields.key(), "finish_task", input, |tx, actor, input| {
        Box::pin(tasks::commands::finish(tx, actor, input))
    });
    finish.await.map(drop)
}

/// Put off.
pub(super) async fn delay(
    State(app): State<App>,
    clerk: Clerk,
    Path(id): Path<TaskId>,
    fields: Fields,
) -> Result<Response> {
    let done = put_off(&app, &clerk, id, &fields).await;
    answered(&app, &clerk, (id, "delay"), (fields, Vec::new()), done).await
}

async fn put_off(app: &App, clerk: &Clerk, id: TaskId, fields: &Fields) -> Result<()> {
    let input = (id, DelayTask { due_on: fields.required("due_on")?, reason: fields.text("reason").to_owned() });
    let delay = app.once(clerk.actor.clone(), fields.key(), "delay_task", input, |tx, actor, input| {
        Box::pin(tasks::commands::delay(tx, actor, input))
    });
    delay.await.map(drop)
}

/// Money was set aside or spent.
pub(super) async fn money(
    State(app): State<App>,
    clerk: Clerk,
    Path(id): Path<TaskId>,
    form: Form,
) -> Result<Response> {
    let mut sent = with_files(&app, &clerk.actor, form).await?;
    let done = note(&app, &clerk, id, &mut sent).await;
    let kept = sent.media();
    answered(&app, &clerk, (id, "money"), (sent.fields, kept), done).await
}

async fn note(app: &App, clerk: &Clerk, id: TaskId, sent: &mut Sent) -> Result<()> {
    sent.whole()?;
    let fields = &sent.fields;
    let mut checks = Checks::default();
    let fen = fen_of(fields.text("fen"));
    checks.require(fen.is_some(), "fen", "not_money");
    checks.done()?;
    let input = NoteMoney {
        kind: fields.choice("kind")?,
        fen: fen.unwrap_or_default(),
        label: fields.text("label").to_owned(),
        receipt: sent.media().into_iter().next_back(),
    };
    let note = app.once(clerk.actor.clone(), fields.key(), "note_money", (id, input), |tx, actor, input| {
        Box::pin(tasks::commands::note_money(tx, actor, input))
    });
    note.await.map(drop)
}

/// A line of money was wrong.
pub(super) async fn reverse(
    State(app): State<App>,
    clerk: Clerk,
    Path(id): Path<TaskId>,
    fields: Fields,
) -> Result<Response> {
    let done = undo(&app, &clerk, id, &fields).await;
    answered(&app, &clerk, (id, "reverse"), (fields, Vec::new()), done).await
}

async fn undo(app: &App, clerk: &Clerk, id: TaskId, fields: &Fields) -> Result<()> {
    let input = (id, ReverseMoney { line_id: fields.required("line_id")?, reason: fields.text("reason").to_owned() });
    let reverse = app.once(clerk.actor.clone(), fields.key(), "reverse_money", input, |tx, actor, input| {
        Box::pin(tasks::commands::reverse_money(tx, actor, input))
    });
    reverse.await.map(drop)
}

/// Back to the page, or the form again.
async fn answered(
    app: &App,
    clerk: &Clerk,
    (id, form): (TaskId, &str),
    (fields, kept): (Fields, Vec<MediaId>),
    done: Result<()>,
) -> Result<Response> {
    match done {
        Ok(()) => Ok(see(&format!("/desk/tasks/{id}"))),
        Err(error) => {
            // of a task that is hidden it is not told what was wrong with a form about it
            let hidden = tasks::queries::task(app.store.read(), &clerk.actor, id).await.err();
            let error: Error = hidden.unwrap_or(error);
            if error.code() == Code::NotFound {
                return Err(error);
            }
            shown(app, clerk, id, (kept, Draft::refused(form, fields, error)?)).await
        }
    }
}
