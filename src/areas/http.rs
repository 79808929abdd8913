//! The tree for everybody: residents find their village, integrators its code.
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;

use super::queries::{self, Area, AreaView};
use crate::{
    app::{App, Cached, Path, Query, Seen, routes},
    error::{Problem, Result},
    page::Page,
};

const KEPT_SECS: u32 = 300;

/// Whose children.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Below {
    /// Code of the area above; the counties when absent.
    parent: Option<String>,
}

/// What lies directly below an area, by code. Never more than one page.
#[utoipa::path(get, path = "/v1/areas", tag = "areas", operation_id = "list_areas", params(Below), responses(
    (status = 200, body = Page<Area>, description = "The areas, with an ETag"),
    (status = 304, description = "As the caller has seen it"),
    Problem,
))]
async fn list_areas(State(app): State<App>, seen: Seen, Query(below): Query<Below>) -> Result<Cached<Page<Area>>> {
    let items = queries::children(app.store.read(), below.parent.as_deref()).await?;
    Ok(Cached { seen, value: Page { items, next_cursor: None }, secs: KEPT_SECS })
}

/// One area with the way down to it.
#[utoipa::path(get, path = "/v1/areas/{code}", tag = "areas", operation_id = "get_area",
    params(("code" = String, Path, description = "Code of the area")), responses(
    (status = 200, body = AreaView, description = "The area, with an ETag"),
    (status = 304, description = "As the caller has seen it"),
    Problem,
))]
async fn get_area(State(app): State<App>, seen: Seen, Path(code): Path<String>) -> Result<Cached<AreaView>> {
    let area = queries::get(app.store.read(), &code).await?;
    let path = queries::path_names(app.store.read(), &code).await?;
    Ok(Cached { seen, value: AreaView { area, path }, secs: KEPT_SECS })
}

/// Routes of this subject.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_areas)).routes(routes!(get_area))
}
