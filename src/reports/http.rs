//! Reports over HTTP.
use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use super::{
    commands::{self, DecideReport, ReportMessage, Reported},
    queries::{self, ReportView},
};
use crate::{
    actor::Actor,
    app::{App, Created, IdempotencyKey, Input, Path, routes},
    error::{Problem, Result},
    ids::{ReportId, StreamId},
};

/// Routes of this subject.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(report_message)).routes(routes!(list_reports)).routes(routes!(decide_report))
}

/// Report a message of somebody else.
#[utoipa::path(post, path = "/v1/streams/{stream_id}/messages/{seq}/reports", tag = "reports",
    operation_id = "report_message", request_body = ReportMessage,
    params(("stream_id" = String, Path, description = "The stream"), ("seq" = i64, Path, description = "The message")),
    responses((status = 201, body = Reported, description = "The office decides; the same report each time"), Problem))]
async fn report_message(
    State(app): State<App>,
    actor: Actor,
    Path((id, seq)): Path<(StreamId, i64)>,
    Input(input): Input<ReportMessage>,
) -> Result<Created<Reported>> {
    app.store
        .write(move |tx| Box::pin(async move { commands::report(tx, &actor, (id, seq, input)).await }))
        .await
        .map(Created)
}

/// Reports that wait for a decision.
#[derive(Serialize, ToSchema)]
struct ReportList {
    /// Oldest first, 100 at most.
    reports: Vec<ReportView>,
}

/// Reports that wait for a decision in an area.
#[utoipa::path(get, path = "/v1/areas/{code}/reports", tag = "reports", operation_id = "list_reports",
    params(("code" = String, Path, description = "Code of the area")),
    responses((status = 200, body = ReportList, description = "What waits"), Problem))]
async fn list_reports(State(app): State<App>, actor: Actor, Path(code): Path<String>) -> Result<Json<ReportList>> {
    Ok(Json(ReportList { reports: queries::open_in(&app, &actor, &code).await? }))
}

/// Decide about a reported message.
#[utoipa::path(post, path = "/v1/reports/{id}/decision", tag = "reports", operation_id = "decide_report",
    request_body = DecideReport, params(("id" = ReportId, Path, description = "The report")),
    responses((status = 200, body = ReportView, description = "Decided; who reported is told"), Problem))]
async fn decide_report(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<ReportId>,
    Input(input): Input<DecideReport>,
) -> Result<Json<ReportView>> {
    app.once(actor, key, "decide_report", (id, input), |tx, actor, input| Box::pin(commands::decide(tx, actor, input)))
        .await
        .map(Json)
}
