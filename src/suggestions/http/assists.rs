//! Routes of what other bodies do about a voice.
use axum::{Json, extract::State, http::StatusCode};
use utoipa_axum::router::OpenApiRouter;

use crate::{
    actor::Actor,
    app::{App, IdempotencyKey, Input, Path, routes},
    error::{Problem, Result},
    ids::{AssistId, SuggestionId},
    suggestions::{
        assists::{self, AskAssist, AssistRequest, GiveAssist},
        queries::SuggestionSummary,
    },
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(ask_assist)).routes(routes!(list_assists)).routes(routes!(give_assist))
}

/// Ask another body for its part; the own stays responsible and answers the author.
#[utoipa::path(post, path = "/v1/suggestions/{id}/assists", tag = "suggestions", operation_id = "ask_assist",
    params(("id" = String, Path, description = "The voice")), request_body = AskAssist,
    responses((status = 200, body = SuggestionSummary, description = "Asked"), Problem))]
async fn ask_assist(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<SuggestionId>,
    Input(input): Input<AskAssist>,
) -> Result<Json<SuggestionSummary>> {
    app.once(actor, key, "ask_assist", (id, input), |tx, actor, input| Box::pin(assists::ask(tx, actor, input)))
        .await
        .map(Json)
}

/// What is asked of bodies for which one speaks: without the voices' words.
#[utoipa::path(get, path = "/v1/assists", tag = "suggestions", operation_id = "list_assists",
    responses((status = 200, body = Vec<AssistRequest>, description = "The oldest first, 100 at most"), Problem))]
async fn list_assists(State(app): State<App>, actor: Actor) -> Result<Json<Vec<AssistRequest>>> {
    assists::requests(app.store.read(), &app.keys, &actor).await.map(Json)
}

/// Say what the own body did about it.
#[utoipa::path(post, path = "/v1/assists/{id}/answer", tag = "suggestions", operation_id = "give_assist",
    params(("id" = String, Path, description = "The request")), request_body = GiveAssist,
    responses((status = 204, description = "Said"), Problem))]
async fn give_assist(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<AssistId>,
    Input(input): Input<GiveAssist>,
) -> Result<StatusCode> {
    app.once(actor, key, "give_assist", (id, input), |tx, actor, input| Box::pin(assists::give(tx, actor, input)))
        .await
        .map(|()| StatusCode::NO_CONTENT)
}
