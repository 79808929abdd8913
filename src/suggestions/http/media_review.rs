//! Routes of whether photos and clips of public voices are looked at first.
use axum::{Json, extract::State};
use utoipa_axum::router::OpenApiRouter;

use crate::{
    actor::Actor,
    app::{App, IdempotencyKey, Input, Path, routes},
    error::{Problem, Result},
    suggestions::media_review::{self, MediaReviewView, SetMediaReview},
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(read_media_review, set_media_review))
}

/// Whether photos and clips of public voices are looked at before everybody sees them. Public.
#[utoipa::path(get, path = "/v1/areas/{code}/media-review", tag = "suggestions", operation_id = "read_media_review",
    params(("code" = String, Path, description = "The area")),
    responses((status = 200, body = MediaReviewView, description = "What holds there"), Problem))]
async fn read_media_review(State(app): State<App>, Path(code): Path<String>) -> Result<Json<MediaReviewView>> {
    media_review::read(app.store.read(), &code).await.map(Json)
}

/// Say whether they are, in an area and below it. The photos and the clip of a public voice, and the whole of one without words,
/// are then held until somebody of the body responsible has looked.
#[utoipa::path(put, path = "/v1/areas/{code}/media-review", tag = "suggestions", operation_id = "set_media_review",
    request_body = SetMediaReview, params(("code" = String, Path, description = "The area")),
    responses((status = 200, body = MediaReviewView, description = "What holds there now"), Problem))]
async fn set_media_review(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(code): Path<String>,
    Input(input): Input<SetMediaReview>,
) -> Result<Json<MediaReviewView>> {
    app.once(actor, key, "set_media_review", (code, input), |tx, actor, input| {
        Box::pin(media_review::set(tx, actor, input))
    })
    .await
    .map(Json)
}
