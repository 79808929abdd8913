//! Route by which an author takes a voice back.
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;

use crate::{
    actor::Actor,
    app::{App, Created, IdempotencyKey, Input, Path, routes},
    error::{Problem, Result},
    ids::SuggestionId,
    suggestions::{
        queries::SuggestionView,
        withdrawals::{self, WithdrawSuggestion},
    },
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(withdraw_suggestion))
}

/// Take one's own voice back: nobody deals with it any more. Not once it is answered, cosigned, or in a matter.
#[utoipa::path(post, path = "/v1/suggestions/{id}/withdraw", tag = "suggestions",
    operation_id = "withdraw_suggestion",
    params(("id" = String, Path, description = "The voice")), request_body = WithdrawSuggestion,
    responses((status = 201, body = SuggestionView, description = "Taken back"), Problem))]
async fn withdraw_suggestion(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<SuggestionId>,
    Input(input): Input<WithdrawSuggestion>,
) -> Result<Created<SuggestionView>> {
    app.once(actor, key, "withdraw_suggestion", (id, input), |tx, actor, input| {
        Box::pin(withdrawals::withdraw(tx, actor, input))
    })
    .await
    .map(Created)
}
