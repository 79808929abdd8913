//! Routes of what councils say of themselves: their charters, and what they did for people.
use axum::{Json, extract::State};
use utoipa_axum::router::OpenApiRouter;

use crate::{
    actor::Actor,
    app::{App, Created, IdempotencyKey, Input, Path, Query, routes},
    bodies::{
        charter::{self, BodyCharter, BodyCharterQuery, WriteBodyCharter},
        services::{self, RecordService, ServiceView, WithdrawService},
    },
    error::{Problem, Result},
    ids::{BodyId, ServiceRecordId},
};

/// The routes.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(read_body_charter, write_body_charter))
        .routes(routes!(list_services, record_service))
        .routes(routes!(withdraw_service))
}

/// The charter of a council, for everybody.
#[utoipa::path(get, path = "/v1/bodies/{id}/charter", tag = "bodies", operation_id = "read_body_charter",
    params(("id" = BodyId, Path, description = "The council"), BodyCharterQuery), responses(
    (status = 200, body = BodyCharter, description = "The version asked for, else the newest"),
    Problem,
))]
async fn read_body_charter(
    State(app): State<App>,
    Path(id): Path<BodyId>,
    Query(which): Query<BodyCharterQuery>,
) -> Result<Json<BodyCharter>> {
    charter::read(app.store.read(), (id, which.version)).await.map(Json)
}

/// Write down the next version of a council's charter.
#[utoipa::path(put, path = "/v1/bodies/{id}/charter", tag = "bodies", operation_id = "write_body_charter",
    request_body = WriteBodyCharter, params(("id" = BodyId, Path, description = "The council")), responses(
    (status = 200, body = BodyCharter, description = "The newest from now on; those before stay"),
    Problem,
))]
async fn write_body_charter(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<BodyId>,
    Input(input): Input<WriteBodyCharter>,
) -> Result<Json<BodyCharter>> {
    app.store.write(move |tx| Box::pin(async move { charter::write(tx, &actor, (id, input)).await })).await.map(Json)
}

/// What a council did for people, for everybody.
#[utoipa::path(get, path = "/v1/bodies/{id}/services", tag = "bodies", operation_id = "list_services",
    params(("id" = BodyId, Path, description = "The council")), responses(
    (status = 200, body = Vec<ServiceView>, description = "The newest first, 100 at most"),
    Problem,
))]
async fn list_services(State(app): State<App>, Path(id): Path<BodyId>) -> Result<Json<Vec<ServiceView>>> {
    services::list(app.store.read(), id).await.map(Json)
}

/// Write down what a council did for people.
#[utoipa::path(post, path = "/v1/bodies/{id}/services", tag = "bodies", operation_id = "record_service",
    request_body = RecordService, params(("id" = BodyId, Path, description = "The council")), responses(
    (status = 201, body = ServiceView, description = "Written down, and public"),
    Problem,
))]
async fn record_service(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<BodyId>,
    Input(input): Input<RecordService>,
) -> Result<Created<ServiceView>> {
    let run = app.once(actor, key, "record_service", (id, input), |tx, actor, input| {
        Box::pin(services::record(tx, actor, input))
    });
    run.await.map(Created)
}

/// Take such a record back, with a reason.
#[utoipa::path(post, path = "/v1/services/{id}/withdraw", tag = "bodies", operation_id = "withdraw_service",
    request_body = WithdrawService, params(("id" = ServiceRecordId, Path, description = "The record")), responses(
    (status = 200, body = ServiceView, description = "It stands there, and counts no more"),
    Problem,
))]
async fn withdraw_service(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<ServiceRecordId>,
    Input(input): Input<WithdrawService>,
) -> Result<Json<ServiceView>> {
    let run = app.once(actor, key, "withdraw_service", (id, input), |tx, actor, input| {
        Box::pin(services::withdraw(tx, actor, input))
    });
    run.await.map(Json)
}
