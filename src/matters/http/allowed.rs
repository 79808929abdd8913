//! Routes of what a village's assembly allowed: paths by charter, and what its representatives may decide.
use axum::{Json, extract::State};
use utoipa_axum::router::OpenApiRouter;

use crate::{
    actor::Actor,
    app::{App, Created, IdempotencyKey, Input, Path, Query, routes},
    error::{Problem, Result},
    ids::{AuthorisationId, CharterId},
    matters::{
        commands::{self, AdoptCharter, RecordAuthorisation},
        queries::{self, AuthorisationView, CharterView, ChartersQuery},
    },
};

/// The routes.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_charters, adopt_charter))
        .routes(routes!(end_charter))
        .routes(routes!(list_authorisations, record_authorisation))
        .routes(routes!(end_authorisation))
}

/// What a village's own rules allow.
#[utoipa::path(get, path = "/v1/charters", tag = "matters", operation_id = "list_charters", params(ChartersQuery),
    responses((status = 200, body = Vec<CharterView>, description = "The newest first; for everybody"), Problem))]
async fn list_charters(State(app): State<App>, Query(query): Query<ChartersQuery>) -> Result<Json<Vec<CharterView>>> {
    queries::charters(app.store.read(), &query.area).await.map(Json)
}

/// Write down what a village's own rules allow.
#[utoipa::path(post, path = "/v1/charters", tag = "matters", operation_id = "adopt_charter", request_body = AdoptCharter,
    responses((status = 201, body = CharterView, description = "From now on matters may take that path"), Problem))]
async fn adopt_charter(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Input(input): Input<AdoptCharter>,
) -> Result<Created<CharterView>> {
    let adopted = app.once(actor, key, "adopt_charter", input, |tx, actor, input| {
        Box::pin(commands::adopt_charter(tx, actor, input))
    });
    adopted.await.map(Created)
}

/// End what a village's own rules allowed.
#[utoipa::path(post, path = "/v1/charters/{id}/end", tag = "matters", operation_id = "end_charter",
    params(("id" = CharterId, Path)),
    responses((status = 200, body = CharterView, description = "No new matter takes that path"), Problem))]
async fn end_charter(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<CharterId>,
) -> Result<Json<CharterView>> {
    let ended = app.once(actor, key, "end_charter", id, |tx, actor, id| Box::pin(commands::end_charter(tx, actor, id)));
    ended.await.map(Json)
}

/// What a village's assembly let its representatives decide.
#[utoipa::path(get, path = "/v1/authorisations", tag = "matters", operation_id = "list_authorisations",
    params(ChartersQuery),
    responses((status = 200, body = Vec<AuthorisationView>, description = "The newest first; for everybody"), Problem))]
async fn list_authorisations(
    State(app): State<App>,
    Query(query): Query<ChartersQuery>,
) -> Result<Json<Vec<AuthorisationView>>> {
    queries::authorisations(app.store.read(), &query.area).await.map(Json)
}

/// Write down that the assembly let its representatives decide one of the items reserved to it.
#[utoipa::path(post, path = "/v1/authorisations", tag = "matters", operation_id = "record_authorisation",
    request_body = RecordAuthorisation,
    responses((status = 201, body = AuthorisationView, description = "From now on they may"), Problem))]
async fn record_authorisation(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Input(input): Input<RecordAuthorisation>,
) -> Result<Created<AuthorisationView>> {
    let recorded = app.once(actor, key, "record_authorisation", input, |tx, actor, input| {
        Box::pin(commands::record_authorisation(tx, actor, input))
    });
    recorded.await.map(Created)
}

/// End it before its last day.
#[utoipa::path(post, path = "/v1/authorisations/{id}/end", tag = "matters", operation_id = "end_authorisation",
    params(("id" = AuthorisationId, Path)),
    responses((status = 200, body = AuthorisationView, description = "No new vote is opened by it"), Problem))]
async fn end_authorisation(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<AuthorisationId>,
) -> Result<Json<AuthorisationView>> {
    let ended = app.once(actor, key, "end_authorisation", id, |tx, actor, id| {
        Box::pin(commands::end_authorisation(tx, actor, id))
    });
    ended.await.map(Json)
}
