//! Routes of joint meetings.
use axum::{Json, extract::State};
use utoipa_axum::router::OpenApiRouter;

use super::{
    agenda::{self, ProposeItem},
    queries::{self, JointView},
    turns::{self, PassTurn, SetRotation},
    village_tasks::{self, GiveVillageTasks},
};
use crate::{
    actor::Actor,
    app::{App, Created, IdempotencyKey, Input, Path, routes},
    error::{Problem, Result},
    ids::{BodyId, JointItemId, MeetingId},
};

/// Routes of this subject.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(read_joint_meeting))
        .routes(routes!(set_rotation))
        .routes(routes!(pass_turn))
        .routes(routes!(propose_joint_item))
        .routes(routes!(withdraw_joint_item))
        .routes(routes!(give_village_tasks))
}

/// Who leads a joint meeting, what is on its agenda, and what became of its resolutions.
#[utoipa::path(get, path = "/v1/bodies/{id}/joint-meeting", tag = "joint", operation_id = "read_joint_meeting",
    params(("id" = BodyId, Path, description = "The joint meeting")),
    responses((status = 200, body = JointView, description = "For its members and who fills its seats"), Problem))]
async fn read_joint_meeting(State(app): State<App>, actor: Actor, Path(id): Path<BodyId>) -> Result<Json<JointView>> {
    queries::view(app.store.read(), &actor, id, app.now()).await.map(Json)
}

/// Say how often another member leads, and who begins.
#[utoipa::path(put, path = "/v1/bodies/{id}/rotation", tag = "joint", operation_id = "set_rotation",
    params(("id" = BodyId, Path, description = "The joint meeting")), request_body = SetRotation,
    responses((status = 200, body = JointView, description = "As it is now"), Problem))]
async fn set_rotation(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<BodyId>,
    Input(input): Input<SetRotation>,
) -> Result<Json<JointView>> {
    app.store
        .write(move |tx| Box::pin(async move { turns::set_rotation(tx, &actor, (id, input)).await }))
        .await
        .map(Json)
}

/// Pass the turn on, with a reason that the members read.
#[utoipa::path(post, path = "/v1/bodies/{id}/turns", tag = "joint", operation_id = "pass_turn",
    params(("id" = BodyId, Path, description = "The joint meeting")), request_body = PassTurn,
    responses((status = 201, body = JointView, description = "As it is now"), Problem))]
async fn pass_turn(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<BodyId>,
    Input(input): Input<PassTurn>,
) -> Result<Created<JointView>> {
    app.once(actor, key, "pass_turn", (id, input), |tx, actor, input| Box::pin(turns::pass_on(tx, actor, input)))
        .await
        .map(Created)
}

/// Put a matter of several villages on the agenda.
#[utoipa::path(post, path = "/v1/bodies/{id}/agenda-items", tag = "joint", operation_id = "propose_joint_item",
    params(("id" = BodyId, Path, description = "The joint meeting")), request_body = ProposeItem,
    responses((status = 201, body = JointView, description = "As it is now"), Problem))]
async fn propose_joint_item(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<BodyId>,
    Input(input): Input<ProposeItem>,
) -> Result<Created<JointView>> {
    let propose = app.once(actor, key, "propose_joint_item", (id, input), |tx, actor, input| {
        Box::pin(agenda::propose(tx, actor, input))
    });
    propose.await.map(Created)
}

/// Take a matter off the agenda again: who proposed it, who leads now, or who fills the seats.
#[utoipa::path(post, path = "/v1/agenda-items/{id}/withdraw", tag = "joint", operation_id = "withdraw_joint_item",
    params(("id" = JointItemId, Path)),
    responses((status = 200, body = JointView, description = "As it is now"), Problem))]
async fn withdraw_joint_item(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<JointItemId>,
) -> Result<Json<JointView>> {
    app.once(actor, key, "withdraw_joint_item", id, |tx, actor, id| Box::pin(agenda::withdraw(tx, actor, id)))
        .await
        .map(Json)
}

/// Give what a joint meeting carried as a task to each of several villages.
#[utoipa::path(post, path = "/v1/meetings/{id}/village-tasks", tag = "joint", operation_id = "give_village_tasks",
    params(("id" = MeetingId, Path)), request_body = GiveVillageTasks,
    responses((status = 201, body = JointView, description = "The joint meeting, with its tasks"), Problem))]
async fn give_village_tasks(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<MeetingId>,
    Input(input): Input<GiveVillageTasks>,
) -> Result<Created<JointView>> {
    let give = app.once(actor, key, "give_village_tasks", (id, input), |tx, actor, input| {
        Box::pin(village_tasks::give(tx, actor, input))
    });
    give.await.map(Created)
}
