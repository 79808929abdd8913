//! Quiet hours over HTTP.
use axum::{Json, extract::State};
use utoipa_axum::router::OpenApiRouter;

use super::{
    commands::{self, SetQuietHours},
    queries::{self, QuietHours},
};
use crate::{
    actor::Actor,
    app::{App, Input, routes},
    error::{Problem, Result},
};

/// Routes of this subject.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(my_quiet_hours, set_quiet_hours))
}

/// When the asker is left alone; 21:30 to 07:00 for who never said.
#[utoipa::path(get, path = "/v1/me/quiet-hours", tag = "quiet", operation_id = "my_quiet_hours",
    responses((status = 200, body = QuietHours, description = "The hours"), Problem))]
async fn my_quiet_hours(State(app): State<App>, actor: Actor) -> Result<Json<QuietHours>> {
    queries::own(app.store.read(), actor.person).await.map(Json)
}

/// Say when to be left alone; emergencies come nevertheless.
#[utoipa::path(put, path = "/v1/me/quiet-hours", tag = "quiet", operation_id = "set_quiet_hours",
    request_body = SetQuietHours,
    responses((status = 200, body = QuietHours, description = "As they are now"), Problem))]
async fn set_quiet_hours(
    State(app): State<App>,
    actor: Actor,
    Input(input): Input<SetQuietHours>,
) -> Result<Json<QuietHours>> {
    app.store.write(move |tx| Box::pin(async move { commands::set(tx, &actor, input).await })).await.map(Json)
}
