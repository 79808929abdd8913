//! Routes of boards; for everybody.
use axum::{Json, extract::State};
use utoipa_axum::router::OpenApiRouter;

use super::queries::{
    self, ConsistencyQuery, ConsistencyView, EntriesQuery, EntriesView, HeadView, ProofQuery, ProofView,
};
use crate::{
    app::{App, Path, Query, routes},
    error::{Problem, Result},
    ids::VoteId,
};

/// The routes of boards.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(read_board_head))
        .routes(routes!(read_board_entries))
        .routes(routes!(read_board_proof))
        .routes(routes!(read_board_consistency))
}

/// The newest signed head of a vote's board.
#[utoipa::path(get, path = "/v1/votes/{id}/board/head", tag = "board", operation_id = "read_board_head",
    params(("id" = VoteId, Path)),
    responses((status = 200, body = HeadView, description = "Leaves, root and signature; for everybody"), Problem))]
async fn read_board_head(State(app): State<App>, Path(id): Path<VoteId>) -> Result<Json<HeadView>> {
    queries::newest(app.store.read(), id).await.map(Json)
}

/// Leaves of a vote's board, exactly as hashed.
#[utoipa::path(get, path = "/v1/votes/{id}/board/entries", tag = "board", operation_id = "read_board_entries",
    params(("id" = VoteId, Path), EntriesQuery),
    responses((status = 200, body = EntriesView, description = "Leaves in order; for everybody"), Problem))]
async fn read_board_entries(
    State(app): State<App>,
    Path(id): Path<VoteId>,
    Query(query): Query<EntriesQuery>,
) -> Result<Json<EntriesView>> {
    queries::entries(app.store.read(), id, &query).await.map(Json)
}

/// The proof that a ballot is on the board.
#[utoipa::path(get, path = "/v1/votes/{id}/board/proof", tag = "board", operation_id = "read_board_proof",
    params(("id" = VoteId, Path), ProofQuery),
    responses((status = 200, body = ProofView, description = "The way to the newest root; for everybody"),
        (status = "default", body = Problem, description = "Refused; `not_found` while it is not on the board",
            content_type = "application/problem+json")))]
async fn read_board_proof(
    State(app): State<App>,
    Path(id): Path<VoteId>,
    Query(query): Query<ProofQuery>,
) -> Result<Json<ProofView>> {
    queries::proof(&app, id, &query.h).await.map(Json)
}

/// The proof that nothing on the board was changed between two of its sizes.
#[utoipa::path(get, path = "/v1/votes/{id}/board/consistency", tag = "board", operation_id = "read_board_consistency",
    params(("id" = VoteId, Path), ConsistencyQuery),
    responses((status = 200, body = ConsistencyView, description = "Hashes of RFC 6962; for everybody"), Problem))]
async fn read_board_consistency(
    State(app): State<App>,
    Path(id): Path<VoteId>,
    Query(query): Query<ConsistencyQuery>,
) -> Result<Json<ConsistencyView>> {
    queries::consistency(&app, id, &query).await.map(Json)
}
