//! Route by which a voice that was called urgent is made ordinary.
use axum::{Json, extract::State};
use utoipa_axum::router::OpenApiRouter;

use crate::{
    actor::Actor,
    app::{App, IdempotencyKey, Input, Path, routes},
    error::{Problem, Result},
    ids::SuggestionId,
    suggestions::{
        downgrades::{self, MakeOrdinary},
        queries::SuggestionSummary,
    },
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(make_ordinary))
}

/// Make a voice ordinary that was called urgent; its author is told why, and its deadlines are those of an ordinary one.
#[utoipa::path(post, path = "/v1/suggestions/{id}/ordinary", tag = "suggestions", operation_id = "make_ordinary",
    params(("id" = String, Path, description = "The voice")), request_body = MakeOrdinary,
    responses((status = 200, body = SuggestionSummary, description = "Ordinary, with its new deadlines"), Problem))]
async fn make_ordinary(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<SuggestionId>,
    Input(input): Input<MakeOrdinary>,
) -> Result<Json<SuggestionSummary>> {
    app.once(actor, key, "make_ordinary", (id, input), |tx, actor, input| {
        Box::pin(downgrades::make_ordinary(tx, actor, input))
    })
    .await
    .map(Json)
}
