//! Routes of who is recommended for a council.
use axum::{Json, extract::State};
use utoipa_axum::router::OpenApiRouter;

use crate::{
    actor::Actor,
    app::{App, Created, IdempotencyKey, Input, Path, routes},
    bodies::recommendations::{self, DecideRecommendation, RecommendMember, RecommendationView},
    error::{Problem, Result},
    ids::{BodyId, RecommendationId},
};

/// The routes.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_recommendations, recommend_member))
        .routes(routes!(decide_recommendation))
        .routes(routes!(withdraw_recommendation))
}

/// Who is recommended for a council.
#[utoipa::path(get, path = "/v1/bodies/{id}/recommendations", tag = "bodies", operation_id = "list_recommendations",
    params(("id" = BodyId, Path, description = "The council")), responses(
    (status = 200, body = Vec<RecommendationView>,
        description = "The newest first, 100 at most; one's own and those about oneself, but for who leads the council, checks for it or fills its seats"),
    Problem,
))]
async fn list_recommendations(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<BodyId>,
) -> Result<Json<Vec<RecommendationView>>> {
    recommendations::list(app.store.read(), &actor, id).await.map(Json)
}

/// Recommend somebody, or oneself, for a council.
#[utoipa::path(post, path = "/v1/bodies/{id}/recommendations", tag = "bodies", operation_id = "recommend_member",
    request_body = RecommendMember, params(("id" = BodyId, Path, description = "The council")), responses(
    (status = 201, body = RecommendationView,
        description = "The party's organisation there is told that somebody is; so is that person, where the name is of one alone"),
    Problem,
))]
async fn recommend_member(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<BodyId>,
    Input(input): Input<RecommendMember>,
) -> Result<Created<RecommendationView>> {
    let run = app.once(actor, key, "recommend_member", (id, input), |tx, actor, input| {
        Box::pin(recommendations::recommend(tx, actor, input))
    });
    run.await.map(Created)
}

/// Say whether somebody is fit, for the party's organisation; or what came of it, for who fills the seats.
#[utoipa::path(post, path = "/v1/recommendations/{id}/decide", tag = "bodies", operation_id = "decide_recommendation",
    request_body = DecideRecommendation, params(("id" = RecommendationId, Path, description = "The recommendation")),
    responses((status = 200, body = RecommendationView, description = "Decided; who recommended is told, and whom it is about"), Problem))]
async fn decide_recommendation(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<RecommendationId>,
    Input(input): Input<DecideRecommendation>,
) -> Result<Json<RecommendationView>> {
    let run = app.once(actor, key, "decide_recommendation", (id, input), |tx, actor, input| {
        Box::pin(recommendations::decide(tx, actor, input))
    });
    run.await.map(Json)
}

/// Take back what one has recommended, or that one is recommended.
#[utoipa::path(post, path = "/v1/recommendations/{id}/withdraw", tag = "bodies",
    operation_id = "withdraw_recommendation",
    params(("id" = RecommendationId, Path, description = "The recommendation")),
    responses((status = 200, body = RecommendationView, description = "It waits for nobody any more"), Problem))]
async fn withdraw_recommendation(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<RecommendationId>,
) -> Result<Json<RecommendationView>> {
    app.store.write(move |tx| Box::pin(async move { recommendations::withdraw(tx, &actor, id).await })).await.map(Json)
}
