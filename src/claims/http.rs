//! Claims over HTTP: two steps for who has no log-in, two for the office.
use axum::{
    Json,
    extract::{FromRequest, Request, State},
    http::StatusCode,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use super::{
    commands::{self, AskClaim, ClaimAtOffice, ConfirmClaim, DecideClaim},
    queries::{self, ClaimView},
    rules,
};
use crate::{
    actor::Actor,
    app::{App, IdempotencyKey, Input, Path, client_address, routes},
    error::{Problem, Result},
    ids::{ClaimId, PersonId},
};

/// Says nothing about who is meant.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
struct ClaimNoted {
    /// Working days in which the office decides, if there is somebody to decide about.
    working_days: u32,
}

/// What waits at an office.
#[derive(Debug, Serialize, ToSchema)]
struct ClaimList {
    /// The oldest first, 100 at most.
    claims: Vec<ClaimView>,
}

/// Routes of this subject.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(ask_claim))
        .routes(routes!(confirm_claim))
        .routes(routes!(list_claims))
        .routes(routes!(claim_at_office))
        .routes(routes!(decide_claim))
}

/// Ask for a phone to be bound to somebody on a roster; a code goes to the phone, whoever is meant.
#[utoipa::path(post, path = "/v1/claims", tag = "claims", operation_id = "ask_claim", request_body = AskClaim,
    responses((status = 202, body = ClaimNoted, description = "Noted; the same whoever is meant"), Problem))]
async fn ask_claim(State(app): State<App>, request: Request) -> Result<(StatusCode, Json<ClaimNoted>)> {
    let address = client_address(&app, request.headers(), request.extensions());
    let Input(told) = <Input<AskClaim> as FromRequest<App>>::from_request(request, &app).await?;
    commands::ask(&app, address, told).await?;
    Ok(noted())
}

/// Prove the phone by the code; the office decides.
#[utoipa::path(post, path = "/v1/claims/confirm", tag = "claims", operation_id = "confirm_claim",
    request_body = ConfirmClaim,
    responses((status = 202, body = ClaimNoted, description = "Noted; the same whoever is meant"), Problem))]
async fn confirm_claim(
    State(app): State<App>,
    Input(told): Input<ConfirmClaim>,
) -> Result<(StatusCode, Json<ClaimNoted>)> {
    commands::confirm(&app, told).await?;
    Ok(noted())
}

fn noted() -> (StatusCode, Json<ClaimNoted>) {
    (StatusCode::ACCEPTED, Json(ClaimNoted { working_days: rules::DECIDE_WORKING_DAYS }))
}

/// Claims that wait in an area, for who keeps its roster.
#[utoipa::path(get, path = "/v1/areas/{code}/claims", tag = "claims", operation_id = "list_claims",
    params(("code" = String, Path, description = "Code of the area")),
    responses((status = 200, body = ClaimList, description = "What waits"), Problem))]
async fn list_claims(State(app): State<App>, actor: Actor, Path(code): Path<String>) -> Result<Json<ClaimList>> {
    Ok(Json(ClaimList { claims: queries::waiting(&app, &actor, &code).await? }))
}

/// Write down at the office that somebody who is there has another phone.
#[utoipa::path(post, path = "/v1/people/{id}/claims", tag = "claims", operation_id = "claim_at_office",
    params(("id" = String, Path, description = "Who is there")), request_body = ClaimAtOffice,
    responses((status = 201, description = "Written down; another seat holder decides"), Problem))]
async fn claim_at_office(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<PersonId>,
    Input(input): Input<ClaimAtOffice>,
) -> Result<StatusCode> {
    app.once(actor, key, "claim_at_office", (id, input), |tx, actor, input| {
        Box::pin(commands::write_down(tx, actor, input))
    })
    .await?;
    Ok(StatusCode::CREATED)
}

/// Approve or refuse a claim.
#[utoipa::path(post, path = "/v1/claims/{id}/decision", tag = "claims", operation_id = "decide_claim",
    params(("id" = String, Path, description = "The claim")), request_body = DecideClaim,
    responses((status = 204, description = "Decided; the phones are told"), Problem))]
async fn decide_claim(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<ClaimId>,
    Input(input): Input<DecideClaim>,
) -> Result<StatusCode> {
    app.once(actor, key, "decide_claim", (id, input), |tx, actor, input| Box::pin(commands::decide(tx, actor, input)))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
