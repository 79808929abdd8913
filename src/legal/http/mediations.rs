//! Routes of mediations. What was kept of an answer for who sends twice is the id alone.
use axum::{Json, extract::State, http::HeaderMap, response::Response};
use utoipa_axum::router::OpenApiRouter;

use crate::{
    actor::Actor,
    app::{App, Created, IdempotencyKey, Input, Path, Query, routes},
    error::{Problem, Result},
    ids::{MediaId, MediationId},
    legal::mediations::{self, EndMediation, FollowUp, MediationView, OpenMediation},
    media::{self, Keeping, SizeQuery},
};

/// Routes of mediations.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(open_mediation, list_mediations))
        .routes(routes!(read_mediation))
        .routes(routes!(end_mediation))
        .routes(routes!(follow_up_mediation))
        .routes(routes!(read_mediation_photo))
}

/// Open a mediation, as a legal officer. Nobody but its parties and its officer is told that there is one.
#[utoipa::path(post, path = "/v1/mediations", tag = "legal", operation_id = "open_mediation",
    request_body = OpenMediation,
    responses((status = 201, body = MediationView, description = "Opened"), Problem))]
async fn open_mediation(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Input(input): Input<OpenMediation>,
) -> Result<Created<MediationView>> {
    let open = app.once(actor.clone(), key, "open_mediation", input, |tx, actor, input| {
        Box::pin(mediations::open(tx, actor, input))
    });
    let id = open.await?;
    mediations::read(app.store.read(), &app.keys, &actor, id).await.map(Created)
}

/// The mediations that one holds as a legal officer, and those that are held for one.
#[utoipa::path(get, path = "/v1/mediations", tag = "legal", operation_id = "list_mediations",
    responses((status = 200, body = Vec<MediationView>, description = "The newest first, 100 at most"), Problem))]
async fn list_mediations(State(app): State<App>, actor: Actor) -> Result<Json<Vec<MediationView>>> {
    mediations::list(app.store.read(), &app.keys, &actor).await.map(Json)
}

/// A mediation, for its officer and its parties; to everybody else there is none.
#[utoipa::path(get, path = "/v1/mediations/{id}", tag = "legal", operation_id = "read_mediation",
    params(("id" = MediationId, Path)),
    responses((status = 200, body = MediationView, description = "All of it"), Problem))]
async fn read_mediation(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<MediationId>,
) -> Result<Json<MediationView>> {
    mediations::read(app.store.read(), &app.keys, &actor, id).await.map(Json)
}

/// End a mediation: as its officer, or withdraw as a party.
#[utoipa::path(post, path = "/v1/mediations/{id}/end", tag = "legal", operation_id = "end_mediation",
    params(("id" = MediationId, Path)), request_body = EndMediation,
    responses((status = 200, body = MediationView, description = "Ended"), Problem))]
async fn end_mediation(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<MediationId>,
    Input(input): Input<EndMediation>,
) -> Result<Json<MediationView>> {
    let end = app.once(actor.clone(), key, "end_mediation", (id, input), |tx, actor, input| {
        Box::pin(mediations::end(tx, actor, input))
    });
    end.await?;
    mediations::read(app.store.read(), &app.keys, &actor, id).await.map(Json)
}

/// Write down what was found when an agreement was looked at again.
#[utoipa::path(post, path = "/v1/mediations/{id}/follow-ups", tag = "legal", operation_id = "follow_up_mediation",
    params(("id" = MediationId, Path)), request_body = FollowUp,
    responses((status = 201, body = MediationView, description = "Written down"), Problem))]
async fn follow_up_mediation(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<MediationId>,
    Input(input): Input<FollowUp>,
) -> Result<Created<MediationView>> {
    let write = app.once(actor.clone(), key, "follow_up_mediation", (id, input), |tx, actor, input| {
        Box::pin(mediations::follow_up(tx, actor, input))
    });
    write.await?;
    mediations::read(app.store.read(), &app.keys, &actor, id).await.map(Created)
}

/// A photo of what was agreed.
#[utoipa::path(get, path = "/v1/mediations/{id}/photos/{media_id}", tag = "legal",
    operation_id = "read_mediation_photo",
    params(("id" = MediationId, Path), ("media_id" = MediaId, Path), SizeQuery),
    responses((status = 200, description = "The photo, for who reads the mediation", content_type = "image/jpeg"),
        Problem))]
async fn read_mediation_photo(
    State(app): State<App>,
    actor: Actor,
    Path(which): Path<(MediationId, MediaId)>,
    Query(query): Query<SizeQuery>,
    headers: HeaderMap,
) -> Result<Response> {
    let row = mediations::photo(app.store.read(), &actor, which).await?;
    media::serve(&app, &row, (query.size, Keeping::AskAgain), &headers).await
}
