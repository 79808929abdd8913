//! Routes of public voices that are hidden, and of what their authors say to it.
use axum::{Json, extract::State, http::StatusCode};
use utoipa_axum::router::OpenApiRouter;

use crate::{
    actor::Actor,
    app::{App, IdempotencyKey, Input, Path, routes},
    error::{Problem, Result},
    ids::SuggestionId,
    suggestions::{
        hidings::{self, AppealHiding, DecideHiding, HideSuggestion, HidingAppeal},
        queries::SuggestionSummary,
    },
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(hide_suggestion))
        .routes(routes!(appeal_hiding))
        .routes(routes!(decide_hiding))
        .routes(routes!(list_hidings))
}

/// Hide a public voice, or show it again; its author reads why.
#[utoipa::path(put, path = "/v1/suggestions/{id}/hiding", tag = "suggestions", operation_id = "hide_suggestion",
    params(("id" = String, Path, description = "The voice")), request_body = HideSuggestion,
    responses((status = 200, body = SuggestionSummary, description = "Hidden, or shown again"), Problem))]
async fn hide_suggestion(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<SuggestionId>,
    Input(input): Input<HideSuggestion>,
) -> Result<Json<SuggestionSummary>> {
    app.once(actor, key, "hide_suggestion", (id, input), |tx, actor, input| Box::pin(hidings::hide(tx, actor, input)))
        .await
        .map(Json)
}

/// Object to one's own voice being hidden; once, and the office above decides.
#[utoipa::path(post, path = "/v1/suggestions/{id}/hiding/appeal", tag = "suggestions", operation_id = "appeal_hiding",
    params(("id" = String, Path, description = "The voice")), request_body = AppealHiding,
    responses((status = 200, body = SuggestionSummary, description = "Asked"), Problem))]
async fn appeal_hiding(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<SuggestionId>,
    Input(input): Input<AppealHiding>,
) -> Result<Json<SuggestionSummary>> {
    app.once(actor, key, "appeal_hiding", (id, input), |tx, actor, input| Box::pin(hidings::appeal(tx, actor, input)))
        .await
        .map(Json)
}

/// Let everybody see a hidden voice again, or not.
#[utoipa::path(post, path = "/v1/suggestions/{id}/hiding/decision", tag = "suggestions",
    operation_id = "decide_hiding", params(("id" = String, Path, description = "The voice")),
    request_body = DecideHiding,
    responses((status = 204, description = "Decided"), Problem))]
async fn decide_hiding(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<SuggestionId>,
    Input(input): Input<DecideHiding>,
) -> Result<StatusCode> {
    app.once(actor, key, "decide_hiding", (id, input), |tx, actor, input| Box::pin(hidings::decide(tx, actor, input)))
        .await
        .map(|()| StatusCode::NO_CONTENT)
}

/// Hidden voices whose authors object, for the office that decides.
#[utoipa::path(get, path = "/v1/hidings", tag = "suggestions", operation_id = "list_hidings",
    responses((status = 200, body = Vec<HidingAppeal>, description = "100 at most"), Problem))]
async fn list_hidings(State(app): State<App>, actor: Actor) -> Result<Json<Vec<HidingAppeal>>> {
    hidings::appeals(app.store.read(), &actor).await.map(Json)
}
