//! Routes of legal officers' work.
use axum::{Json, extract::State};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::officers::{self, LegalOfficerView, SetLegalDesk};
use crate::{
    actor::Actor,
    app::{App, Input, Path},
    error::{Problem, Result},
    ids::SeatId,
};

/// Routes of this subject.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_legal_officers)).routes(routes!(set_legal_desk))
}

/// The legal officers who serve an area, and where and when they are there.
#[utoipa::path(get, path = "/v1/areas/{code}/legal-officers", tag = "legal", operation_id = "list_legal_officers",
    params(("code" = String, Path, description = "The area")),
    responses((status = 200, body = Vec<LegalOfficerView>, description = "In the order in which they came; for everybody"),
        (status = "default", body = Problem, description = "Refused", content_type = "application/problem+json")))]
async fn list_legal_officers(State(app): State<App>, Path(code): Path<String>) -> Result<Json<Vec<LegalOfficerView>>> {
    let found = officers::of_area(app.store.read(), &code, app.now()).await?;
    Ok(Json(found.into_iter().map(|(_, _, view)| view).collect()))
}

/// Say where and when a legal officer is there, and for which villages.
#[utoipa::path(put, path = "/v1/seats/{id}/legal-desk", tag = "legal", operation_id = "set_legal_desk",
    params(("id" = SeatId, Path, description = "The seat")), request_body = SetLegalDesk,
    responses((status = 200, body = LegalOfficerView, description = "As it is now"),
        (status = "default", body = Problem, description = "Refused", content_type = "application/problem+json")))]
async fn set_legal_desk(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<SeatId>,
    Input(input): Input<SetLegalDesk>,
) -> Result<Json<LegalOfficerView>> {
    app.store.write(move |tx| Box::pin(async move { officers::set(tx, &actor, (id, input)).await })).await.map(Json)
}
