//! Groups over HTTP.
use axum::{extract::State, http::StatusCode};
use utoipa_axum::router::OpenApiRouter;

use super::commands::{self, AddMembers, OpenGroup, Opened};
use crate::{
    actor::Actor,
    app::{App, Created, IdempotencyKey, Input, Path, routes},
    error::{Problem, Result},
    ids::{PersonId, StreamId},
};

/// Routes of this subject.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(open_group)).routes(routes!(add_members)).routes(routes!(remove_member))
}

/// Bring people together in a group.
#[utoipa::path(post, path = "/v1/groups", tag = "groups", operation_id = "open_group", request_body = OpenGroup,
    responses((status = 201, body = Opened, description = "Opened; the caller leads it"), Problem))]
async fn open_group(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Input(input): Input<OpenGroup>,
) -> Result<Created<Opened>> {
    app.once(actor, key, "open_group", input, |tx, actor, input| Box::pin(commands::open(tx, actor, input)))
        .await
        .map(Created)
}

/// Add people to a group, or make members its leaders.
#[utoipa::path(post, path = "/v1/groups/{stream_id}/members", tag = "groups", operation_id = "add_members",
    request_body = AddMembers, params(("stream_id" = String, Path, description = "The group")),
    responses((status = 204, description = "They belong to it"), Problem))]
async fn add_members(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<StreamId>,
    Input(input): Input<AddMembers>,
) -> Result<StatusCode> {
    app.store.write(move |tx| Box::pin(async move { commands::add(tx, &actor, (id, input)).await })).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take somebody out of a group; oneself: leave it.
#[utoipa::path(delete, path = "/v1/groups/{stream_id}/members/{person_id}", tag = "groups",
    operation_id = "remove_member",
    params(("stream_id" = String, Path, description = "The group"), ("person_id" = String, Path, description = "Who")),
    responses((status = 204, description = "No longer belongs to it"), Problem))]
async fn remove_member(
    State(app): State<App>,
    actor: Actor,
    Path((id, person)): Path<(StreamId, PersonId)>,
) -> Result<StatusCode> {
    app.store.write(move |tx| Box::pin(async move { commands::remove(tx, &actor, (id, person)).await })).await?;
    Ok(StatusCode::NO_CONTENT)
}
