//! Routes of what is said aloud: letting a clip be heard, taking it away, hearing it.
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use utoipa_axum::router::OpenApiRouter;
use uuid::Uuid;

use super::{
    commands::{self, RecordClip},
    queries::{self, ClipView},
    rules::About,
};
use crate::{
    actor::Actor,
    app::{App, IdempotencyKey, Input, Path, Query, routes},
    error::{Problem, Result},
    ids::MediaId,
    media::{self, Keeping, SizeQuery},
    people::Visitor,
};

/// Routes of this subject.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(read_clip, record_clip, remove_clip)).routes(routes!(play_clip))
}

/// The clip that says a notice, a vote, a matter or a form aloud.
#[utoipa::path(get, path = "/v1/aloud/{about}/{id}", tag = "aloud", operation_id = "read_clip",
    params(("about" = About, Path, description = "What it is"), ("id" = String, Path, description = "Its id")),
    responses((status = 200, body = ClipView, description = "The clip of its present version; for whoever may read it"),
        (status = "default", body = Problem, description = "Refused; `not_found` when there is none",
            content_type = "application/problem+json")))]
async fn read_clip(
    State(app): State<App>,
    Visitor(asker): Visitor,
    Path(which): Path<(About, Uuid)>,
) -> Result<Json<ClipView>> {
    let db = app.store.read();
    queries::require_hearer(db, asker.as_ref(), which).await?;
    queries::clip(db, which).await.map(Json)
}

/// Let a clip say it aloud from now on, in place of the one before.
#[utoipa::path(put, path = "/v1/aloud/{about}/{id}", tag = "aloud", operation_id = "record_clip",
    params(("about" = About, Path, description = "What it is"), ("id" = String, Path, description = "Its id")),
    request_body = RecordClip,
    responses((status = 200, body = ClipView, description = "Whoever may read it may hear it"), Problem))]
async fn record_clip(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path((about, id)): Path<(About, Uuid)>,
    Input(input): Input<RecordClip>,
) -> Result<Json<ClipView>> {
    app.once(actor, key, "record_clip", (about, id, input), |tx, actor, input| {
        Box::pin(commands::record_clip(tx, actor, input))
    })
    .await
    .map(Json)
}

/// Take the clip away.
#[utoipa::path(delete, path = "/v1/aloud/{about}/{id}", tag = "aloud", operation_id = "remove_clip",
    params(("about" = About, Path, description = "What it is"), ("id" = String, Path, description = "Its id")),
    responses((status = 204, description = "Nobody hears it any more"), Problem))]
async fn remove_clip(State(app): State<App>, actor: Actor, Path(which): Path<(About, Uuid)>) -> Result<StatusCode> {
    app.store.write(move |tx| Box::pin(async move { commands::remove_clip(tx, &actor, which).await })).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The sound of a clip that says a notice, a vote, a matter or a form.
#[utoipa::path(get, path = "/v1/clips/{id}", tag = "aloud", operation_id = "play_clip",
    params(("id" = MediaId, Path, description = "The clip"), SizeQuery),
    responses((status = 200, description = "The sound; for whoever may read what it says", content_type = "audio/*"),
        (status = 206, description = "The range asked for", content_type = "audio/*"),
        (status = 304, description = "The client has it"), Problem))]
async fn play_clip(
    State(app): State<App>,
    Visitor(asker): Visitor,
    Path(id): Path<MediaId>,
    Query(query): Query<SizeQuery>,
    headers: HeaderMap,
) -> Result<Response> {
    let (row, about) = queries::file(app.store.read(), asker.as_ref(), id).await?;
    let keeping = if about.is_for_everybody() { Keeping::Always } else { Keeping::AskAgain };
    media::serve(&app, &row, (query.size, keeping), &headers).await
}
