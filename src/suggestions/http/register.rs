//! The route of the table of the voices that one handles.
use axum::{
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use utoipa_axum::router::OpenApiRouter;

use crate::{
    actor::Actor,
    app::{App, Query, routes},
    error::{Problem, Result},
    suggestions::queries::{self, VoicesQuery},
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(export_suggestions))
}

/// The voices that one handles as a table; of those that are not public no words.
#[utoipa::path(get, path = "/v1/suggestion-register", tag = "suggestions", operation_id = "export_suggestions",
    params(VoicesQuery),
    responses((status = 200, description = "A row for each voice, the newest first",
            content((String = "text/csv"),
                (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))), Problem))]
async fn export_suggestions(
    State(app): State<App>,
    actor: Actor,
    Query(query): Query<VoicesQuery>,
) -> Result<Response> {
    queries::require_desk(&actor)?;
    Ok((query.format.headers(), Body::from_stream(queries::register(app, actor, query))).into_response())
}
