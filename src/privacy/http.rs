//! Privacy over HTTP: what is kept and why, and what each may do about it.
use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use super::{
    commands::{self, AskClosing, ChangeConsent},
    corrections::{self, AskCorrection, CorrectionView, DecideCorrection},
    export,
    queries::{self, ClosingView, ConsentView},
    rules::{self, ShownField},
};
use crate::{
    actor::Actor,
    app::{App, Created, IdempotencyKey, Input, Path, routes},
    error::{Error, Problem, Result},
    ids::CorrectionId,
};

/// What is kept about people.
#[derive(Debug, Serialize, ToSchema)]
struct FieldList {
    /// Which text this is.
    version: &'static str,
    /// By what is kept.
    fields: Vec<ShownField>,
}

/// How somebody stands.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
struct Standing {
    /// Consents, as they stand.
    consents: Vec<ConsentView>,
    /// A closing under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    closing: Option<ClosingView>,
    /// Own wishes to have something put right.
    corrections: Vec<CorrectionView>,
}

/// Wishes that wait at an office.
#[derive(Debug, Serialize, ToSchema)]
struct CorrectionList {
    /// The oldest first, 100 at most.
    corrections: Vec<CorrectionView>,
}

/// Routes of this subject.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_personal_fields))
        .routes(routes!(get_privacy))
        .routes(routes!(export_me))
        .routes(routes!(change_consent))
        .routes(routes!(ask_closing))
        .routes(routes!(cancel_closing))
        .routes(routes!(ask_correction))
        .routes(routes!(list_corrections))
        .routes(routes!(decide_correction))
}

/// What is kept about people, what for, by which right, how long and how.
#[utoipa::path(get, path = "/v1/privacy/fields", tag = "privacy", operation_id = "list_personal_fields",
    responses((status = 200, body = FieldList, description = "The table"), Problem))]
async fn list_personal_fields() -> Result<Json<FieldList>> {
    let fields = rules::shown_fields().map_err(Error::broken)?;
    Ok(Json(FieldList { version: rules::VERSION, fields }))
}

/// How the one who asks stands: consents, closing, corrections.
#[utoipa::path(get, path = "/v1/me/privacy", tag = "privacy", operation_id = "get_privacy",
    responses((status = 200, body = Standing, description = "The standing"), Problem))]
async fn get_privacy(State(app): State<App>, actor: Actor) -> Result<Json<Standing>> {
    let db = app.store.read();
    Ok(Json(Standing {
        consents: queries::consents(db, actor.person).await?,
        closing: queries::closing(db, actor.person).await?,
        corrections: corrections::of_person(&app, &actor).await?,
    }))
}

/// Everything that is kept about the one who asks.
#[utoipa::path(get, path = "/v1/me/export", tag = "privacy", operation_id = "export_me",
    responses((status = 200, body = serde_json::Value, description = "Everything; sealed words opened"), Problem))]
async fn export_me(State(app): State<App>, actor: Actor) -> Result<Json<serde_json::Value>> {
    export::export(&app, &actor).await.map(Json)
}

/// Give or withdraw a consent.
#[utoipa::path(post, path = "/v1/me/consents", tag = "privacy", operation_id = "change_consent",
    request_body = ChangeConsent,
    responses((status = 201, body = Vec<ConsentView>, description = "Written down; how all of them stand"), Problem))]
async fn change_consent(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Input(input): Input<ChangeConsent>,
) -> Result<Created<Vec<ConsentView>>> {
    app.once(actor, key, "change_consent", input, |tx, actor, input| {
        Box::pin(commands::change_consent(tx, actor, input))
    })
    .await
    .map(Created)
}

/// Ask for the account to be closed, in a week.
#[utoipa::path(post, path = "/v1/me/closing", tag = "privacy", operation_id = "ask_closing",
    request_body = AskClosing,
    responses((status = 201, body = ClosingView, description = "Noted; it can be cancelled until then"), Problem))]
async fn ask_closing(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Input(input): Input<AskClosing>,
) -> Result<Created<ClosingView>> {
    app.once(actor, key, "ask_closing", input, |tx, actor, input| Box::pin(commands::ask_closing(tx, actor, input)))
        .await
        .map(Created)
}

/// Keep the account after all.
#[utoipa::path(post, path = "/v1/me/closing/cancel", tag = "privacy", operation_id = "cancel_closing",
    responses((status = 204, description = "Kept"), Problem))]
async fn cancel_closing(State(app): State<App>, actor: Actor, key: IdempotencyKey) -> Result<StatusCode> {
    app.once(actor, key, "cancel_closing", (), |tx, actor, input| Box::pin(commands::cancel_closing(tx, actor, input)))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ask for something on the roster to be put right.
#[utoipa::path(post, path = "/v1/me/corrections", tag = "privacy", operation_id = "ask_correction",
    request_body = AskCorrection,
    responses((status = 201, body = CorrectionView, description = "Noted; the office decides"), Problem))]
async fn ask_correction(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Input(input): Input<AskCorrection>,
) -> Result<Created<CorrectionView>> {
    app.once(actor, key, "ask_correction", input, |tx, actor, input| Box::pin(corrections::ask(tx, actor, input)))
        .await
        .map(Created)
}

/// Wishes that wait in an area, for who keeps its roster.
#[utoipa::path(get, path = "/v1/areas/{code}/corrections", tag = "privacy", operation_id = "list_corrections",
    params(("code" = String, Path, description = "Code of the area")),
    responses((status = 200, body = CorrectionList, description = "What waits"), Problem))]
async fn list_corrections(
    State(app): State<App>,
    actor: Actor,
    Path(code): Path<String>,
) -> Result<Json<CorrectionList>> {
    Ok(Json(CorrectionList { corrections: corrections::waiting(&app, &actor, &code).await? }))
}

/// Say that it was put right, or why not.
#[utoipa::path(post, path = "/v1/corrections/{id}/decision", tag = "privacy", operation_id = "decide_correction",
    params(("id" = String, Path, description = "The wish")), request_body = DecideCorrection,
    responses((status = 204, description = "Decided"), Problem))]
async fn decide_correction(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<CorrectionId>,
    Input(input): Input<DecideCorrection>,
) -> Result<StatusCode> {
    app.once(actor, key, "decide_correction", (id, input), |tx, actor, input| {
        Box::pin(corrections::decide(tx, actor, input))
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}
