//! A task on the desk: its owner marks it done with words and photos.
use askama::Template;
use axum::{
    extract::{Multipart, State, multipart::MultipartRejection},
    response::Response,
};

use super::frame::{Clerk, Desk, Draft, Due};
use crate::{
    app::{App, Path},
    error::Result,
    ids::{MediaId, TaskId},
    pages::{
        fields::{Sent, with_files},
        layout::{Page, render_as, see},
        words::Words,
    },
    tasks::{self, FinishTask, TaskView},
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
    /// Photos that were sent along with a form that was refused.
    kept: Vec<MediaId>,
}

/// The page.
pub(super) async fn show(State(app): State<App>, clerk: Clerk, Path(id): Path<TaskId>) -> Result<Response> {
    shown(&app, &clerk, id, (Vec::new(), Draft::default())).await
}

async fn shown(app: &App, clerk: &Clerk, id: TaskId, (kept, draft): (Vec<MediaId>, Draft)) -> Result<Response> {
    let task = tasks::queries::task(app.store.read(), &clerk.actor, id).await?;
    let shown = TaskPage {
        page: clerk.page(task.title.clone()).at(format!("/desk/tasks/{id}")),
        desk: clerk.desk(),
        kept,
        draft,
        due: Due::seen(task.due_at, app.now()),
        may_finish: task.done_at.is_none() && task.owner_id == clerk.actor.person,
        task,
    };
    Ok(render_as(shown.draft.status(), &shown))
}

/// Done, with proof.
pub(super) async fn finish(
    State(app): State<App>,
    clerk: Clerk,
    Path(id): Path<TaskId>,
    form: std::result::Result<Multipart, MultipartRejection>,
) -> Result<Response> {
    let mut sent = with_files(&app, &clerk.actor, form).await?;
    let done = match sent.refused.take() {
        Some(error) => Err(error),
        None => prove(&app, &clerk, id, &sent).await,
    };
    match done {
        Ok(()) => Ok(see(&format!("/desk/tasks/{id}"))),
        Err(error) => shown(&app, &clerk, id, (sent.media(), Draft::refused("finish", sent.fields, error)?)).await,
    }
}

async fn prove(app: &App, clerk: &Clerk, id: TaskId, sent: &Sent) -> Result<()> {
    let input = (id, FinishTask { proof: sent.fields.text("proof").to_owned(), photos: sent.media() });
    let finish = app.once(clerk.actor.clone(), sent.fields.key(), "finish_task", input, |tx, actor, input| {
        Box::pin(tasks::commands::finish(tx, actor, input))
    });
    finish.await.map(drop)
}
