//! Suspensions over HTTP: the desks impose and lift them, the person sees the own one.
use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use super::{
    commands::{self, LiftSuspension, SuspendSpeaking},
    queries::{self, SuspensionView},
};
use crate::{
    actor::Actor,
    app::{App, Created, IdempotencyKey, Input, Path, routes},
    error::{Problem, Result},
    ids::SuspensionId,
};

/// Routes of this subject.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(suspend_speaking, list_suspensions))
        .routes(routes!(lift_suspension))
        .routes(routes!(my_suspension))
}

/// Suspend somebody's speaking in public; reading, voting and writing to the office stay.
#[utoipa::path(post, path = "/v1/areas/{code}/suspensions", tag = "suspensions", operation_id = "suspend_speaking",
    params(("code" = String, Path, description = "Code of the village")), request_body = SuspendSpeaking, responses(
    (status = 201, body = SuspensionView, description = "Suspended; the person is told"),
    Problem,
))]
async fn suspend_speaking(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(code): Path<String>,
    Input(input): Input<SuspendSpeaking>,
) -> Result<Created<SuspensionView>> {
    let run = app.once(actor, key, "suspend_speaking", (code, input), |tx, actor, input| {
        Box::pin(commands::suspend(tx, actor, input))
    });
    run.await.map(Created)
}

/// Suspensions that run in an area, for its desk.
#[utoipa::path(get, path = "/v1/areas/{code}/suspensions", tag = "suspensions", operation_id = "list_suspensions",
    params(("code" = String, Path, description = "Code of the village")), responses(
    (status = 200, body = Vec<SuspensionView>, description = "Those that run, the first to end first"),
    Problem,
))]
async fn list_suspensions(
    State(app): State<App>,
    actor: Actor,
    Path(code): Path<String>,
) -> Result<Json<Vec<SuspensionView>>> {
    queries::running_in(app.store.read(), &actor, (&code, app.now())).await.map(Json)
}

/// Lift a suspension before its time.
#[utoipa::path(post, path = "/v1/suspensions/{id}/lift", tag = "suspensions", operation_id = "lift_suspension",
    params(("id" = SuspensionId, Path, description = "The suspension")), request_body = LiftSuspension, responses(
    (status = 200, body = SuspensionView, description = "Lifted; the person is told"),
    Problem,
))]
async fn lift_suspension(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<SuspensionId>,
    Input(input): Input<LiftSuspension>,
) -> Result<Json<SuspensionView>> {
    let run = app.once(actor, key, "lift_suspension", (id, input), |tx, actor, input| {
        Box::pin(commands::lift(tx, actor, input))
    });
    run.await.map(Json)
}

/// What suspends the one who asks.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
struct MySuspension {
    /// The one that runs now; absent when speaking is free.
    #[serde(skip_serializing_if = "Option::is_none")]
    suspension: Option<SuspensionView>,
}

/// Is my speaking suspended, until when, and where do I appeal?
#[utoipa::path(get, path = "/v1/me/suspension", tag = "suspensions", operation_id = "my_suspension", responses(
    (status = 200, body = MySuspension, description = "How it stands"),
    Problem,
))]
async fn my_suspension(State(app): State<App>, actor: Actor) -> Result<Json<MySuspension>> {
    let suspension = queries::own(app.store.read(), &actor, app.now()).await?;
    Ok(Json(MySuspension { suspension }))
}
