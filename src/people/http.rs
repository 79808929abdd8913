//! Rosters over HTTP: the desk brings them in, people see what stands there about them.
use axum::{
    Json,
    body::to_bytes,
    extract::{FromRequest, Request, State},
    http::header,
};
use bytes::Bytes;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;

use super::{
    commands::{self, RosterFile, RosterImported},
    queries::{self, Me, PeopleQuery, RosterPerson},
};
use crate::{
    actor::Actor,
    app::{App, Path, Query, routes},
    error::{Code, Error, Problem, Result},
    page::Page,
    rights::{Right, require},
};

/// A county's largest village has a roster of half a megabyte.
const MAX_ROSTER_BYTES: usize = 5 << 20;

/// What is read at all: a refusal sent to who is still sending is never seen.
const MAX_READ_BYTES: usize = 4 * MAX_ROSTER_BYTES;

/// A CSV file as the body.
struct CsvBody(Bytes);

impl<S: Send + Sync> FromRequest<S> for CsvBody {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if !kind.is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("text/csv")) {
            return Err(Code::UnsupportedType.into());
        }
        let bytes = to_bytes(request.into_body(), MAX_READ_BYTES).await.ok();
        bytes.filter(|bytes| bytes.len() <= MAX_ROSTER_BYTES).map(Self).ok_or_else(|| Code::TooLarge.into())
    }
}

/// How a roster is imported.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RosterOptions {
    /// The number that `roster_many_leave` named, once somebody has looked at it.
    confirm_left: Option<usize>,
}

/// Brings in a village's whole roster: all or nothing; the same file again changes nothing.
#[utoipa::path(post, path = "/v1/areas/{code}/roster", tag = "people", operation_id = "import_roster",
    params(("code" = String, Path, description = "Code of the village"), RosterOptions),
    request_body(content = String, content_type = "text/csv", description = "UTF-8, 5 MiB at most"), responses(
    (status = 200, body = RosterImported, description = "What changed"),
    Problem,
))]
async fn import_roster(
    State(app): State<App>,
    actor: Actor,
    Path(code): Path<String>,
    Query(options): Query<RosterOptions>,
    CsvBody(bytes): CsvBody,
) -> Result<Json<RosterImported>> {
    require(&actor, Right::ImportRoster, &code)?;
    let (imported_by, confirm_left) = (Some(actor.person), options.confirm_left);
    let file = RosterFile { bytes: bytes.into(), area: Some(code), imported_by, confirm_left };
    commands::import_roster(&app, file).await.map(Json)
}

/// A village's roster for its desk, names masked.
#[utoipa::path(get, path = "/v1/areas/{code}/people", tag = "people", operation_id = "list_people",
    params(("code" = String, Path, description = "Code of the village"), PeopleQuery), responses(
    (status = 200, body = Page<RosterPerson>, description = "The people"),
    Problem,
))]
async fn list_people(
    State(app): State<App>,
    actor: Actor,
    Path(code): Path<String>,
    Query(wanted): Query<PeopleQuery>,
) -> Result<Json<Page<RosterPerson>>> {
    require(&actor, Right::ImportRoster, &code)?;
    queries::roster_page(app.store.read(), &app.keys, (&code, wanted)).await.map(Json)
}

/// Who I am: what the roster says, and the seats I hold.
#[utoipa::path(get, path = "/v1/me", tag = "people", operation_id = "get_me", responses(
    (status = 200, body = Me, description = "The one who asks"),
    Problem,
))]
async fn get_me(State(app): State<App>, actor: Actor) -> Result<Json<Me>> {
    queries::me(&app, actor).await.map(Json)
}

/// Routes of rosters.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(import_roster)).routes(routes!(list_people)).routes(routes!(get_me))
}
