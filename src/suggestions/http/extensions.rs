//! Routes of more days for what is hard.
use axum::{Json, extract::State, http::StatusCode};
use utoipa_axum::router::OpenApiRouter;

use crate::{
    actor::Actor,
    app::{App, IdempotencyKey, Input, Path, routes},
    error::{Problem, Result},
    ids::{ExtensionId, SuggestionId},
    suggestions::{
        extensions::{self, AskExtension, DecideExtension, ExtensionRequest},
        queries::SuggestionSummary,
    },
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(ask_extension))
        .routes(routes!(list_extensions))
        .routes(routes!(decide_extension))
}

/// Ask the office above for more days.
#[utoipa::path(post, path = "/v1/suggestions/{id}/extension", tag = "suggestions", operation_id = "ask_extension",
    params(("id" = String, Path, description = "The voice")), request_body = AskExtension,
    responses((status = 200, body = SuggestionSummary, description = "Asked; the deadline stands until it says yes"),
        Problem))]
async fn ask_extension(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<SuggestionId>,
    Input(input): Input<AskExtension>,
) -> Result<Json<SuggestionSummary>> {
    app.once(actor, key, "ask_extension", (id, input), |tx, actor, input| Box::pin(extensions::ask(tx, actor, input)))
        .await
        .map(Json)
}

/// Requests for more days to an office for which one speaks.
#[utoipa::path(get, path = "/v1/extensions", tag = "suggestions", operation_id = "list_extensions",
    responses((status = 200, body = Vec<ExtensionRequest>, description = "The most urgent first, 100 at most"),
        Problem))]
async fn list_extensions(State(app): State<App>, actor: Actor) -> Result<Json<Vec<ExtensionRequest>>> {
    extensions::requests(app.store.read(), &app.keys, &actor).await.map(Json)
}

/// Give the days, or do not.
#[utoipa::path(post, path = "/v1/extensions/{id}/decision", tag = "suggestions", operation_id = "decide_extension",
    params(("id" = String, Path, description = "The request")), request_body = DecideExtension,
    responses((status = 204, description = "Decided"), Problem))]
async fn decide_extension(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<ExtensionId>,
    Input(input): Input<DecideExtension>,
) -> Result<StatusCode> {
    app.once(actor, key, "decide_extension", (id, input), |tx, actor, input| {
        Box::pin(extensions::decide(tx, actor, input))
    })
    .await
    .map(|()| StatusCode::NO_CONTENT)
}
