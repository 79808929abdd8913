//! Routes of tasks.
use axum::{Json, extract::State};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;

use super::{
    commands::{self, DelayTask, FinishTask, GiveTask, NoteMoney, ReverseMoney},
    queries::{self, TaskView},
};
use crate::{
    actor::Actor,
    app::{App, Created, IdempotencyKey, Input, Path, Query, routes},
    error::{Problem, Result},
    ids::{MatterId, TaskId},
};

/// Routes of this subject.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(give_task, list_tasks))
        .routes(routes!(my_tasks))
        .routes(routes!(read_task))
        .routes(routes!(finish_task))
        .routes(routes!(delay_task))
        .routes(routes!(note_money))
        .routes(routes!(reverse_money))
}

/// Which tasks.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct TasksQuery {
    /// The matter they serve.
    matter_id: MatterId,
}

/// Give a task.
#[utoipa::path(post, path = "/v1/tasks", tag = "tasks", operation_id = "give_task", request_body = GiveTask,
    responses((status = 201, body = TaskView, description = "The task"), Problem))]
async fn give_task(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Input(input): Input<GiveTask>,
) -> Result<Created<TaskView>> {
    app.once(actor, key, "give_task", input, |tx, actor, input| Box::pin(commands::give(tx, actor, input)))
        .await
        .map(Created)
}

/// The tasks of a matter, oldest first.
#[utoipa::path(get, path = "/v1/tasks", tag = "tasks", operation_id = "list_tasks", params(TasksQuery),
    responses((status = 200, body = Vec<TaskView>, description = "The tasks that the asker may see"), Problem))]
async fn list_tasks(
    State(app): State<App>,
    actor: Actor,
    Query(which): Query<TasksQuery>,
) -> Result<Json<Vec<TaskView>>> {
    let mut tasks = queries::tasks_of(app.store.read(), (which.matter_id, "")).await?;
    tasks.retain(|task| task.owner_id == actor.person || actor.reads_records(&task.area_code));
    Ok(Json(tasks))
}

/// What the asker has to do, the most urgent first.
#[utoipa::path(get, path = "/v1/me/tasks", tag = "tasks", operation_id = "my_tasks",
    responses((status = 200, body = Vec<TaskView>, description = "Open tasks"), Problem))]
async fn my_tasks(State(app): State<App>, actor: Actor) -> Result<Json<Vec<TaskView>>> {
    queries::my_open(app.store.read(), actor.person).await.map(Json)
}

/// One task.
#[utoipa::path(get, path = "/v1/tasks/{id}", tag = "tasks", operation_id = "read_task", params(("id" = TaskId, Path)),
    responses((status = 200, body = TaskView, description = "The task"), Problem))]
async fn read_task(State(app): State<App>, actor: Actor, Path(id): Path<TaskId>) -> Result<Json<TaskView>> {
    queries::task(app.store.read(), &actor, id).await.map(Json)
}

/// Call a task done, with proof.
#[utoipa::path(post, path = "/v1/tasks/{id}/done", tag = "tasks", operation_id = "finish_task",
    params(("id" = TaskId, Path)), request_body = FinishTask,
    responses((status = 200, body = TaskView, description = "The task"), Problem))]
async fn finish_task(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<TaskId>,
    Input(input): Input<FinishTask>,
) -> Result<Json<TaskView>> {
    app.once(actor, key, "finish_task", (id, input), |tx, actor, input| Box::pin(commands::finish(tx, actor, input)))
        .await
        .map(Json)
}

/// Put a task off, with a reason that everybody sees.
#[utoipa::path(post, path = "/v1/tasks/{id}/delays", tag = "tasks", operation_id = "delay_task",
    params(("id" = TaskId, Path)), request_body = DelayTask,
    responses((status = 201, body = TaskView, description = "The task"), Problem))]
async fn delay_task(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<TaskId>,
    Input(input): Input<DelayTask>,
) -> Result<Created<TaskView>> {
    app.once(actor, key, "delay_task", (id, input), |tx, actor, input| Box::pin(commands::delay(tx, actor, input)))
        .await
        .map(Created)
}

/// Write down what was set aside or spent for a task.
#[utoipa::path(post, path = "/v1/tasks/{id}/money", tag = "tasks", operation_id = "note_money",
    params(("id" = TaskId, Path)), request_body = NoteMoney,
    responses((status = 201, body = TaskView, description = "The task"), Problem))]
async fn note_money(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<TaskId>,
    Input(input): Input<NoteMoney>,
) -> Result<Created<TaskView>> {
    app.once(actor, key, "note_money", (id, input), |tx, actor, input| Box::pin(commands::note_money(tx, actor, input)))
        .await
        .map(Created)
}

/// Reverse a line of money that was wrong; both stay.
#[utoipa::path(post, path = "/v1/tasks/{id}/money/reversals", tag = "tasks", operation_id = "reverse_money",
    params(("id" = TaskId, Path)), request_body = ReverseMoney,
    responses((status = 201, body = TaskView, description = "The task"), Problem))]
async fn reverse_money(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<TaskId>,
    Input(input): Input<ReverseMoney>,
) -> Result<Created<TaskView>> {
    let reverse = app.once(actor, key, "reverse_money", (id, input), |tx, actor, input| {
        Box::pin(commands::reverse_money(tx, actor, input))
    });
    reverse.await.map(Created)
}
