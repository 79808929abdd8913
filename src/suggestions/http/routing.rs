//! Routes of who answers what.
use axum::{Json, extract::State, http::StatusCode};
use utoipa_axum::router::OpenApiRouter;

use crate::{
    actor::Actor,
    app::{App, IdempotencyKey, Input, Path, routes},
    error::{Problem, Result},
    suggestions::{
        routing::{self, RouteView, SetRoute},
        rules::Category,
    },
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_suggestion_routes))
        .routes(routes!(set_suggestion_route, unset_suggestion_route))
}

/// Who answers what in an area, as far as the county has said so.
#[utoipa::path(get, path = "/v1/areas/{code}/suggestion-routes", tag = "suggestions",
    operation_id = "list_suggestion_routes", params(("code" = String, Path, description = "The area")),
    responses((status = 200, body = Vec<RouteView>, description = "By category; the nearest for each"), Problem))]
async fn list_suggestion_routes(State(app): State<App>, Path(code): Path<String>) -> Result<Json<Vec<RouteView>>> {
    routing::routes(app.store.read(), &code).await.map(Json)
}

/// Say who answers what is about something in an area and below it.
#[utoipa::path(put, path = "/v1/areas/{code}/suggestion-routes/{category}", tag = "suggestions",
    operation_id = "set_suggestion_route", request_body = SetRoute,
    params(("code" = String, Path, description = "The area"), ("category" = Category, Path)),
    responses((status = 204, description = "Said"), Problem))]
async fn set_suggestion_route(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path((code, category)): Path<(String, Category)>,
    Input(input): Input<SetRoute>,
) -> Result<StatusCode> {
    app.once(actor, key, "set_suggestion_route", (code, category, input), |tx, actor, input| {
        Box::pin(routing::set(tx, actor, input))
    })
    .await
    .map(|()| StatusCode::NO_CONTENT)
}

/// Say nothing any more about who answers it.
#[utoipa::path(delete, path = "/v1/areas/{code}/suggestion-routes/{category}", tag = "suggestions",
    operation_id = "unset_suggestion_route",
    params(("code" = String, Path, description = "The area"), ("category" = Category, Path)),
    responses((status = 204, description = "Unsaid"), Problem))]
async fn unset_suggestion_route(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path((code, category)): Path<(String, Category)>,
) -> Result<StatusCode> {
    app.once(actor, key, "unset_suggestion_route", (code, category), |tx, actor, input| {
        Box::pin(routing::unset(tx, actor, input))
    })
    .await
    .map(|()| StatusCode::NO_CONTENT)
}
