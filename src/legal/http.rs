//! Routes of legal officers' work.
use axum::{Json, extract::State, http::HeaderMap, response::Response};
use utoipa_axum::router::OpenApiRouter;

use super::{
    contracts::{self, AskContractReview, ContractReviewView, ContractsQuery, GiveContractOpinion},
    officers::{self, LegalOfficerView, SetLegalDesk},
};
use crate::{
    actor::Actor,
    app::{App, Created, IdempotencyKey, Input, Path, Query, routes},
    error::{Problem, Result},
    ids::{ContractReviewId, MediaId, SeatId},
    media::{self, Keeping, SizeQuery},
};

mod hours;
mod mediations;

/// Routes of this subject.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_legal_officers))
        .routes(routes!(set_legal_desk))
        .routes(routes!(ask_contract_review, list_contract_reviews))
        .routes(routes!(read_contract_review))
        .routes(routes!(give_contract_opinion))
        .routes(routes!(read_contract_photo))
        .merge(mediations::routes())
        .merge(hours::routes())
}

/// The legal officers who serve an area, and where and when they are there.
#[utoipa::path(get, path = "/v1/areas/{code}/legal-officers", tag = "legal", operation_id = "list_legal_officers",
    params(("code" = String, Path, description = "The area")),
    responses((status = 200, body = Vec<LegalOfficerView>, description = "In the order in which they came; for everybody"),
        Problem))]
async fn list_legal_officers(State(app): State<App>, Path(code): Path<String>) -> Result<Json<Vec<LegalOfficerView>>> {
    let found = officers::of_area(app.store.read(), &code, app.now()).await?;
    Ok(Json(found.into_iter().map(|(_, _, view)| view).collect()))
}

/// Say where and when a legal officer is there, and for which villages.
#[utoipa::path(put, path = "/v1/seats/{id}/legal-desk", tag = "legal", operation_id = "set_legal_desk",
    params(("id" = SeatId, Path, description = "The seat")), request_body = SetLegalDesk,
    responses((status = 200, body = LegalOfficerView, description = "As it is now"), Problem))]
async fn set_legal_desk(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<SeatId>,
    Input(input): Input<SetLegalDesk>,
) -> Result<Json<LegalOfficerView>> {
    app.store.write(move |tx| Box::pin(async move { officers::set(tx, &actor, (id, input)).await })).await.map(Json)
}

/// Send a contract to the legal officers of an area.
#[utoipa::path(post, path = "/v1/contract-reviews", tag = "legal", operation_id = "ask_contract_review",
    request_body = AskContractReview,
    responses((status = 201, body = ContractReviewView, description = "Sent, with the day until which it is answered"),
        Problem))]
async fn ask_contract_review(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Input(input): Input<AskContractReview>,
) -> Result<Created<ContractReviewView>> {
    app.once(actor, key, "ask_contract_review", input, |tx, actor, input| Box::pin(contracts::ask(tx, actor, input)))
        .await
        .map(Created)
}

/// The contracts that one's own bodies sent, and those for which one is a legal officer.
#[utoipa::path(get, path = "/v1/contract-reviews", tag = "legal", operation_id = "list_contract_reviews",
    params(ContractsQuery),
    responses((status = 200, body = Vec<ContractReviewView>,
        description = "Those that wait first, the newest of each first, 100 at most, without their words"), Problem))]
async fn list_contract_reviews(
    State(app): State<App>,
    actor: Actor,
    Query(query): Query<ContractsQuery>,
) -> Result<Json<Vec<ContractReviewView>>> {
    contracts::list(app.store.read(), &actor, &query).await.map(Json)
}

/// A contract, for the body that sent it and the legal officers of its area.
#[utoipa::path(get, path = "/v1/contract-reviews/{id}", tag = "legal", operation_id = "read_contract_review",
    params(("id" = ContractReviewId, Path)),
    responses((status = 200, body = ContractReviewView, description = "The contract, and what was said of it"),
        Problem))]
async fn read_contract_review(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ContractReviewId>,
) -> Result<Json<ContractReviewView>> {
    contracts::read(app.store.read(), &actor, id).await.map(Json)
}

/// Say what is to be said of a contract, once.
#[utoipa::path(post, path = "/v1/contract-reviews/{id}/opinion", tag = "legal", operation_id = "give_contract_opinion",
    params(("id" = ContractReviewId, Path)), request_body = GiveContractOpinion,
    responses((status = 201, body = ContractReviewView, description = "Said"), Problem))]
async fn give_contract_opinion(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<ContractReviewId>,
    Input(input): Input<GiveContractOpinion>,
) -> Result<Created<ContractReviewView>> {
    let give = app.once(actor, key, "give_contract_opinion", (id, input), |tx, actor, input| {
        Box::pin(contracts::give_opinion(tx, actor, input))
    });
    give.await.map(Created)
}

/// A photo of a contract.
#[utoipa::path(get, path = "/v1/contract-reviews/{id}/photos/{media_id}", tag = "legal",
    operation_id = "read_contract_photo",
    params(("id" = ContractReviewId, Path), ("media_id" = MediaId, Path), SizeQuery),
    responses((status = 200, description = "The photo, for who reads the contract", content_type = "image/jpeg"),
        Problem))]
async fn read_contract_photo(
    State(app): State<App>,
    actor: Actor,
    Path(which): Path<(ContractReviewId, MediaId)>,
    Query(query): Query<SizeQuery>,
    headers: HeaderMap,
) -> Result<Response> {
    let row = contracts::photo(app.store.read(), &actor, which).await?;
    media::serve(&app, &row, (query.size, Keeping::AskAgain), &headers).await
}
