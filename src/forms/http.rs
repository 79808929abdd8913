//! Routes of forms.
use axum::{Json, extract::State};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use uuid::Uuid;

use super::{
    commands::{self, GiveAnswer, OpenForm},
    queries::{self, FormDetail, FormView, MyAnswer},
};
use crate::{
    actor::Actor,
    app::{App, Created, IdempotencyKey, Input, Path, Query, routes},
    error::{Problem, Result},
    ids::FormId,
};

/// Routes of this subject.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(open_form, list_forms))
        .routes(routes!(read_form))
        .routes(routes!(answer_form))
        .routes(routes!(close_form))
}

/// Which forms.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct FormsQuery {
    /// Id of what they are about.
    subject_id: Uuid,
}

/// Open a survey, a visit sheet or a rating.
#[utoipa::path(post, path = "/v1/forms", tag = "forms", operation_id = "open_form", request_body = OpenForm,
    responses((status = 201, body = FormView, description = "The open form"), Problem))]
async fn open_form(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Input(input): Input<OpenForm>,
) -> Result<Created<FormView>> {
    app.once(actor, key, "open_form", input, |tx, actor, input| Box::pin(commands::open_form(tx, actor, input)))
        .await
        .map(Created)
}

/// The forms about one thing, oldest first.
#[utoipa::path(get, path = "/v1/forms", tag = "forms", operation_id = "list_forms", params(FormsQuery),
    responses((status = 200, body = Vec<FormView>, description = "The forms that the asker may see"), Problem))]
async fn list_forms(
    State(app): State<App>,
    actor: Actor,
    Query(which): Query<FormsQuery>,
) -> Result<Json<Vec<FormView>>> {
    let mut forms = queries::forms_of(app.store.read(), (&which.subject_id.to_string(), "")).await?;
    forms.retain(|form| queries::may_read(&actor, form.purpose.as_str(), &form.area_code));
    Ok(Json(forms))
}

/// One form with its results and the own answer.
#[utoipa::path(get, path = "/v1/forms/{id}", tag = "forms", operation_id = "read_form", params(("id" = FormId, Path)),
    responses((status = 200, body = FormDetail, description = "The form"), Problem))]
async fn read_form(State(app): State<App>, actor: Actor, Path(id): Path<FormId>) -> Result<Json<FormDetail>> {
    queries::detail(&app, &actor, id).await.map(Json)
}

/// Answer a form, once a person.
#[utoipa::path(post, path = "/v1/forms/{id}/answers", tag = "forms", operation_id = "answer_form",
    params(("id" = FormId, Path)), request_body = GiveAnswer,
    responses((status = 201, body = MyAnswer, description = "What was written down"), Problem))]
async fn answer_form(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<FormId>,
    Input(input): Input<GiveAnswer>,
) -> Result<Created<MyAnswer>> {
    app.once(actor, key, "answer_form", (id, input), |tx, actor, input| Box::pin(commands::answer(tx, actor, input)))
        .await
        .map(Created)
}

/// Close a form before its time.
#[utoipa::path(post, path = "/v1/forms/{id}/close", tag = "forms", operation_id = "close_form",
    params(("id" = FormId, Path)),
    responses((status = 200, body = FormView, description = "The closed form"), Problem))]
async fn close_form(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<FormId>,
) -> Result<Json<FormView>> {
    app.once(actor, key, "close_form", id, |tx, actor, id| Box::pin(commands::close_form(tx, actor, id)))
        .await
        .map(Json)
}
