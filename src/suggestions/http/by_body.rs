//! Routes of how well each body answers, and of what is late.
use axum::{Json, extract::State};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;

use crate::{
    actor::Actor,
    app::{App, Path, Query, routes},
    error::{Problem, Result},
    rights::{self, Right},
    suggestions::by_body::{self, BodyFigures, LateVoices},
};

/// Which period.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Period {
    /// A month (`2026-11`) or a year (`2026`) that is over; the last month when absent.
    period: Option<String>,
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_body_figures)).routes(routes!(list_late_suggestions))
}

/// How well each body answers what is left in an area and below it.
#[utoipa::path(get, path = "/v1/areas/{code}/body-figures", tag = "suggestions", operation_id = "get_body_figures",
    params(("code" = String, Path, description = "The area"), Period),
    responses((status = 200, body = Vec<BodyFigures>, description = "By name of the body; none with fewer than five"),
        Problem))]
async fn get_body_figures(
    State(app): State<App>,
    Path(code): Path<String>,
    Query(asked): Query<Period>,
) -> Result<Json<Vec<BodyFigures>>> {
    let period = asked.period.unwrap_or_else(|| by_body::last_month(app.now()));
    by_body::by_body(&app, (&code, &period)).await.map(Json)
}

/// Voices that are late in an area and below it, for who runs the county.
#[utoipa::path(get, path = "/v1/areas/{code}/late-suggestions", tag = "suggestions",
    operation_id = "list_late_suggestions", params(("code" = String, Path, description = "The area")),
    responses((status = 200, body = LateVoices, description = "The longest late first, and how many more"), Problem))]
async fn list_late_suggestions(
    State(app): State<App>,
    actor: Actor,
    Path(code): Path<String>,
) -> Result<Json<LateVoices>> {
    rights::require(&actor, Right::OperateCounty, &code)?;
    by_body::late(app.store.read(), &actor, (&code, app.now())).await.map(Json)
}
