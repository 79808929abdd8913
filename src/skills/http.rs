//! Routes of what people can do and of needs.
use axum::{Json, extract::State};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;

use super::{
    entries::{self, SetSkills, SkillFound, SkillsView},
    needs::{self, NeedView, PostNeed, TakeNeed},
    rules::EndNeed,
};
use crate::{
    actor::Actor,
    app::{App, Created, IdempotencyKey, Input, Path, Query, routes},
    error::{Problem, Result},
    ids::NeedId,
};

/// Routes of this subject.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(my_skills, set_my_skills))
        .routes(routes!(find_skills))
        .routes(routes!(post_need))
        .routes(routes!(list_needs))
        .routes(routes!(read_need))
        .routes(routes!(take_need))
        .routes(routes!(end_need))
}

/// What is looked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SkillsQuery {
    /// Words that must all be there; everybody when absent.
    text: Option<String>,
}

/// What one has written down about what one can do.
#[utoipa::path(get, path = "/v1/me/skills", tag = "skills", operation_id = "my_skills",
    responses((status = 200, body = SkillsView, description = "Without tags when nothing is kept"), Problem))]
async fn my_skills(State(app): State<App>, actor: Actor) -> Result<Json<SkillsView>> {
    entries::of(app.store.read(), actor.person).await.map(Json)
}

/// Say what one can do, and for what one may be found; or take it back.
#[utoipa::path(put, path = "/v1/me/skills", tag = "skills", operation_id = "set_my_skills", request_body = SetSkills,
    responses((status = 200, body = SkillsView, description = "As it is now"), Problem))]
async fn set_my_skills(
    State(app): State<App>,
    actor: Actor,
    Input(input): Input<SetSkills>,
) -> Result<Json<SkillsView>> {
    app.store.write(move |tx| Box::pin(async move { entries::set(tx, &actor, input).await })).await.map(Json)
}

/// Who of a village or a town can do something, as far as they allow it to be found.
#[utoipa::path(get, path = "/v1/areas/{code}/skills", tag = "skills", operation_id = "find_skills",
    params(("code" = String, Path, description = "The area"), SkillsQuery),
    responses((status = 200, body = Vec<SkillFound>, description = "By village, 100 at most"), Problem))]
async fn find_skills(
    State(app): State<App>,
    actor: Actor,
    Path(code): Path<String>,
    Query(query): Query<SkillsQuery>,
) -> Result<Json<Vec<SkillFound>>> {
    let words = query.text.unwrap_or_default();
    entries::find(app.store.read(), &actor, (&code, &words), app.now()).await.map(Json)
}

/// Post a need in a body's name.
#[utoipa::path(post, path = "/v1/needs", tag = "skills", operation_id = "post_need", request_body = PostNeed,
    responses((status = 201, body = NeedView, description = "Posted"), Problem))]
async fn post_need(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Input(input): Input<PostNeed>,
) -> Result<Created<NeedView>> {
    app.once(actor, key, "post_need", input, |tx, actor, input| Box::pin(needs::post(tx, actor, input)))
        .await
        .map(Created)
}

/// The needs of an area that can be taken, and those of one's own bodies and hands.
#[utoipa::path(get, path = "/v1/areas/{code}/needs", tag = "skills", operation_id = "list_needs",
    params(("code" = String, Path, description = "The area")),
    responses((status = 200, body = Vec<NeedView>, description = "The newest first, 100 at most"), Problem))]
async fn list_needs(State(app): State<App>, actor: Actor, Path(code): Path<String>) -> Result<Json<Vec<NeedView>>> {
    needs::list(app.store.read(), &actor, (&code, app.now())).await.map(Json)
}

/// A need; how to reach each other is for the two sides.
#[utoipa::path(get, path = "/v1/needs/{id}", tag = "skills", operation_id = "read_need",
    params(("id" = NeedId, Path)), responses((status = 200, body = NeedView, description = "The need"), Problem))]
async fn read_need(State(app): State<App>, actor: Actor, Path(id): Path<NeedId>) -> Result<Json<NeedView>> {
    needs::read(app.store.read(), &actor, id).await.map(Json)
}

/// Take a need.
#[utoipa::path(post, path = "/v1/needs/{id}/take", tag = "skills", operation_id = "take_need",
    params(("id" = NeedId, Path)), request_body = TakeNeed,
    responses((status = 200, body = NeedView, description = "Taken"), Problem))]
async fn take_need(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<NeedId>,
    Input(input): Input<TakeNeed>,
) -> Result<Json<NeedView>> {
    app.once(actor, key, "take_need", (id, input), |tx, actor, input| Box::pin(needs::take(tx, actor, input)))
        .await
        .map(Json)
}

/// Say what came of a need, give it back, or withdraw it.
#[utoipa::path(post, path = "/v1/needs/{id}/end", tag = "skills", operation_id = "end_need",
    params(("id" = NeedId, Path)), request_body = EndNeed,
    responses((status = 200, body = NeedView, description = "As it is now"), Problem))]
async fn end_need(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<NeedId>,
    Input(input): Input<EndNeed>,
) -> Result<Json<NeedView>> {
    app.once(actor, key, "end_need", (id, input), |tx, actor, input| Box::pin(needs::end(tx, actor, input)))
        .await
        .map(Json)
}
