//! Routes of legal officers' hours.
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;

use crate::{
    actor::Actor,
    app::{App, Input, Path, Query, routes},
    error::{Problem, Result},
    legal::hours::{self, LegalYearView, NoteLegalHours},
    table::Format,
};

/// Which year.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OfYear {
    /// This year when absent.
    year: Option<i32>,
}

/// Which year, and as what.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct TableOfYear {
    /// This year when absent.
    year: Option<i32>,
    /// As what it is sent; `csv` when absent.
    #[serde(default)]
    #[param(inline)]
    format: Format,
}

/// Routes of hours.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(note_legal_hours))
        .routes(routes!(read_legal_hours))
        .routes(routes!(export_legal_hours))
}

/// Write down what the own time of a day went into, as a legal officer.
#[utoipa::path(put, path = "/v1/me/legal-hours", tag = "legal", operation_id = "note_legal_hours",
    request_body = NoteLegalHours,
    responses((status = 200, body = NoteLegalHours, description = "As it is now"), Problem))]
async fn note_legal_hours(
    State(app): State<App>,
    actor: Actor,
    Input(input): Input<NoteLegalHours>,
) -> Result<Json<NoteLegalHours>> {
    app.store.write(move |tx| Box::pin(async move { hours::note(tx, &actor, input).await })).await.map(Json)
}

/// The hours of legal officers in an area and below it in a year, for who sits over it.
#[utoipa::path(get, path = "/v1/areas/{code}/legal-hours", tag = "legal", operation_id = "read_legal_hours",
    params(("code" = String, Path, description = "The area"), OfYear),
    responses((status = 200, body = LegalYearView, description = "Sums, and lines; of others' mediations no days"),
        Problem))]
async fn read_legal_hours(
    State(app): State<App>,
    actor: Actor,
    Path(code): Path<String>,
    Query(asked): Query<OfYear>,
) -> Result<Json<LegalYearView>> {
    hours::year(app.store.read(), &actor, (&code, asked.year), app.now()).await.map(Json)
}

/// The same as a table.
#[utoipa::path(get, path = "/v1/areas/{code}/legal-hours/table", tag = "legal", operation_id = "export_legal_hours",
    params(("code" = String, Path, description = "The area"), TableOfYear),
    responses((status = 200, description = "A row for each line, by day",
            content((String = "text/csv"),
                (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))), Problem))]
async fn export_legal_hours(
    State(app): State<App>,
    actor: Actor,
    Path(code): Path<String>,
    Query(asked): Query<TableOfYear>,
) -> Result<Response> {
    let of = (code.as_str(), asked.year);
    let table = hours::table(app.store.read(), &actor, of, (asked.format, app.now())).await?;
    Ok((asked.format.headers(), table).into_response())
}
