//! The route of who signed on paper that a public voice is theirs, too.
use axum::{Json, extract::State};
use utoipa_axum::router::OpenApiRouter;

use crate::{
    actor::Actor,
    app::{App, IdempotencyKey, Input, Path, routes},
    error::{Problem, Result},
    ids::SuggestionId,
    suggestions::{
        cosign_sheets::{self, WriteDownCosigns},
        queries::SuggestionSummary,
    },
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(write_down_cosigns))
}

/// Write down who signed on paper that a public voice is theirs, too; each of them is told.
#[utoipa::path(post, path = "/v1/suggestions/{id}/cosign-sheets", tag = "suggestions", operation_id = "write_down_cosigns",
    params(("id" = String, Path, description = "The voice")), request_body = WriteDownCosigns,
    responses((status = 200, body = SuggestionSummary, description = "Each counted once"), Problem))]
async fn write_down_cosigns(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<SuggestionId>,
    Input(input): Input<WriteDownCosigns>,
) -> Result<Json<SuggestionSummary>> {
    app.once(actor, key, "write_down_cosigns", (id, input), |tx, actor, input| {
        Box::pin(cosign_sheets::write_down(tx, actor, input))
    })
    .await
    .map(Json)
}
