//! Routes of what bodies did.
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;

use super::{
    table,
    work::{self, BodyWork},
};
use crate::{
    app::{App, Path, Query, routes},
    error::{Problem, Result},
    suggestions::by_body,
    table::Format,
};

/// Which period.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Worked {
    /// A month (`2026-11`) or a year (`2026`) that is over; the last month when absent.
    period: Option<String>,
}

/// Which period, and as what.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Tabled {
    /// A month (`2026-11`) or a year (`2026`) that is over; the last month when absent.
    period: Option<String>,
    /// As what it is sent; `csv` when absent.
    #[serde(default)]
    #[param(inline)]
    format: Format,
}

/// Routes of this subject.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_body_work)).routes(routes!(export_body_figures))
}

/// How often each body took counsel and served, and how many people, in an area and below it.
#[utoipa::path(get, path = "/v1/areas/{code}/body-work", tag = "bodies", operation_id = "get_body_work",
    params(("code" = String, Path, description = "The area"), Worked),
    responses((status = 200, body = Vec<BodyWork>, description = "By name of the body; fewer than five are not shown"),
        Problem))]
async fn get_body_work(
    State(app): State<App>,
    Path(code): Path<String>,
    Query(asked): Query<Worked>,
) -> Result<Json<Vec<BodyWork>>> {
    let period = asked.period.unwrap_or_else(|| by_body::last_month(app.now()));
    work::work(&app, (&code, &period)).await.map(Json)
}

/// How well each body answered and what it did, as a table.
#[utoipa::path(get, path = "/v1/areas/{code}/body-table", tag = "bodies", operation_id = "export_body_figures",
    params(("code" = String, Path, description = "The area"), Tabled),
    responses((status = 200, description = "A row for each body, by their names; fewer than five are not shown",
            content((String = "text/csv"),
                (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))), Problem))]
async fn export_body_figures(
    State(app): State<App>,
    Path(code): Path<String>,
    Query(asked): Query<Tabled>,
) -> Result<Response> {
    let period = asked.period.unwrap_or_else(|| by_body::last_month(app.now()));
    let table = table::table(&app, (&code, &period), asked.format).await?;
    Ok((asked.format.headers(), table).into_response())
}
