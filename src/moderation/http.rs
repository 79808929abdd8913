//! Sending and what is held over HTTP.
use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use super::{
    commands::{self, AppealHeld, DecideHeld, Outcome, SetReview},
    queries::{self, HeldView},
};
use crate::{
    actor::Actor,
    app::{App, IdempotencyKey, Input, Path, routes},
    error::{Problem, Result},
    ids::{HeldId, StreamId},
    streams::commands::{SendMessage, Sent},
};

/// Routes of this subject.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(send_message))
        .routes(routes!(set_review))
        .routes(routes!(my_held))
        .routes(routes!(list_held))
        .routes(routes!(decide_held))
        .routes(routes!(appeal_held))
        .routes(routes!(decide_appeal))
}

impl IntoResponse for Outcome {
    fn into_response(self) -> Response {
        match self {
            Self::Sent(sent) => (StatusCode::CREATED, Json(sent)).into_response(),
            Self::Held(held) => (StatusCode::ACCEPTED, Json(held)).into_response(),
        }
    }
}

/// Send a message. Where messages are looked at first, and for some words, it waits, and its author is told so.
#[utoipa::path(post, path = "/v1/streams/{stream_id}/messages", tag = "streams", operation_id = "send_message",
    request_body = SendMessage, params(("stream_id" = String, Path, description = "The stream")),
    responses((status = 201, body = Sent, description = "Stored; `dup` when it was there already"),
        (status = 202, body = HeldView, description = "It waits until somebody has looked at it"), Problem))]
async fn send_message(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<StreamId>,
    Input(message): Input<SendMessage>,
) -> Result<Outcome> {
    commands::speak(&app, actor, (id, message)).await
}

/// Messages in a discussion or a group are looked at first, or no longer.
#[utoipa::path(put, path = "/v1/streams/{stream_id}/review", tag = "moderation", operation_id = "set_review",
    request_body = SetReview, params(("stream_id" = String, Path, description = "The stream")),
    responses((status = 200, body = SetReview, description = "As it is now"), Problem))]
async fn set_review(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<StreamId>,
    Input(input): Input<SetReview>,
) -> Result<Json<SetReview>> {
    app.store
        .write(move |tx| Box::pin(async move { commands::set_review(tx, &actor, (id, input)).await }))
        .await
        .map(Json)
}

/// Held messages.
#[derive(Serialize, ToSchema)]
struct HeldList {
    /// 100 at most.
    held: Vec<HeldView>,
}

/// The asker's own messages that were not shown.
#[utoipa::path(get, path = "/v1/me/held", tag = "moderation", operation_id = "my_held",
    responses((status = 200, body = HeldList, description = "Newest first"), Problem))]
async fn my_held(State(app): State<App>, actor: Actor) -> Result<Json<HeldList>> {
    Ok(Json(HeldList { held: queries::own(&app, &actor, None).await? }))
}

/// Messages that wait for a decision, or on appeal, in an area.
#[utoipa::path(get, path = "/v1/areas/{code}/held", tag = "moderation", operation_id = "list_held",
    params(("code" = String, Path, description = "Code of the area")),
    responses((status = 200, body = HeldList, description = "Oldest first"), Problem))]
async fn list_held(State(app): State<App>, actor: Actor, Path(code): Path<String>) -> Result<Json<HeldList>> {
    Ok(Json(HeldList { held: queries::waiting(&app, &actor, &code).await? }))
}

/// Show a held message, or refuse it with a reason.
#[utoipa::path(post, path = "/v1/held/{id}/decision", tag = "moderation", operation_id = "decide_held",
    request_body = DecideHeld, params(("id" = HeldId, Path, description = "The held message")),
    responses((status = 200, body = HeldView, description = "Decided; its author is told"), Problem))]
async fn decide_held(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<HeldId>,
    Input(input): Input<DecideHeld>,
) -> Result<Json<HeldView>> {
    app.once(actor, key, "decide_held", (id, input), |tx, actor, input| Box::pin(commands::decide(tx, actor, input)))
        .await
        .map(Json)
}

/// Object to the refusal of one's own message, once.
#[utoipa::path(post, path = "/v1/held/{id}/appeal", tag = "moderation", operation_id = "appeal_held",
    request_body = AppealHeld, params(("id" = HeldId, Path, description = "The held message")),
    responses((status = 200, body = HeldView, description = "Another person will decide"), Problem))]
async fn appeal_held(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<HeldId>,
    Input(input): Input<AppealHeld>,
) -> Result<Json<HeldView>> {
    app.once(actor, key, "appeal_held", (id, input), |tx, actor, input| Box::pin(commands::appeal(tx, actor, input)))
        .await
        .map(Json)
}

/// Decide about an appeal: another person than who refused.
#[utoipa::path(post, path = "/v1/held/{id}/appeal/decision", tag = "moderation", operation_id = "decide_held_appeal",
    request_body = DecideHeld, params(("id" = HeldId, Path, description = "The held message")),
    responses((status = 200, body = HeldView, description = "Decided for good; its author is told"), Problem))]
async fn decide_appeal(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<HeldId>,
    Input(input): Input<DecideHeld>,
) -> Result<Json<HeldView>> {
    app.once(actor, key, "decide_held_appeal", (id, input), |tx, actor, input| {
        Box::pin(commands::decide_appeal(tx, actor, input))
    })
    .await
    .map(Json)
}
