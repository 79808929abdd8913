//! Routes of matters.
use axum::{
    Json,
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use utoipa_axum::router::OpenApiRouter;

use super::{
    commands::{
        self, AdvanceMatter, AnswerAlternative, GiveOpinion, JoinSuggestion, NoteLegality, RaiseMatter, ReturnMatter,
        SkipStage, WithdrawMatter, WriteReport,
    },
    queries::{self, MatterSummary, MatterView, MattersQuery, RegisterQuery},
};
use crate::{
    actor::Actor,
    app::{App, Created, IdempotencyKey, Input, Path, Query, routes},
    error::{Problem, Result},
    ids::MatterId,
    page::Page,
};

mod allowed;
mod invitations;
mod plans;

/// The routes of matters.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_matters, raise_matter))
        .routes(routes!(export_matters))
        .routes(routes!(read_matter))
        .routes(routes!(join_suggestion))
        .routes(routes!(advance_matter))
        .routes(routes!(return_matter))
        .routes(routes!(skip_stage))
        .routes(routes!(withdraw_matter))
        .routes(routes!(give_opinion))
        .routes(routes!(note_legality))
        .routes(routes!(answer_alternative))
        .routes(routes!(write_report))
        .merge(allowed::routes())
        .merge(invitations::routes())
        .merge(plans::routes())
}

/// Matters, the newest first.
#[utoipa::path(get, path = "/v1/matters", tag = "matters", operation_id = "list_matters", params(MattersQuery),
    responses((status = 200, body = Page<MatterSummary>, description = "Matters, the newest first; for everybody"),
        Problem))]
async fn list_matters(State(app): State<App>, Query(query): Query<MattersQuery>) -> Result<Json<Page<MatterSummary>>> {
    queries::list(app.store.read(), query).await.map(Json)
}

/// The register of matters as a table.
#[utoipa::path(get, path = "/v1/register", tag = "matters", operation_id = "export_matters", params(RegisterQuery),
    responses((status = 200, description = "A row for each matter, the newest first; for everybody",
            content((String = "text/csv"),
                (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))), Problem))]
async fn export_matters(State(app): State<App>, Query(query): Query<RegisterQuery>) -> Response {
    (query.format.headers(), Body::from_stream(queries::register(app, query))).into_response()
}

/// Raise a matter in the name of a body.
#[utoipa::path(post, path = "/v1/matters", tag = "matters", operation_id = "raise_matter", request_body = RaiseMatter,
    responses((status = 201, body = MatterView, description = "Raised, in its first stage"), Problem))]
async fn raise_matter(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Input(input): Input<RaiseMatter>,
) -> Result<Created<MatterView>> {
    let raised =
        app.once(actor, key, "raise_matter", input, |tx, actor, input| Box::pin(commands::raise(tx, actor, input)));
    raised.await.map(Created)
}

/// One matter with its stages, its evidence and what is missing.
#[utoipa::path(get, path = "/v1/matters/{id}", tag = "matters", operation_id = "read_matter",
    params(("id" = MatterId, Path)),
    responses((status = 200, body = MatterView, description = "The matter with its stages; for everybody"), Problem))]
async fn read_matter(State(app): State<App>, Path(id): Path<MatterId>) -> Result<Json<MatterView>> {
    queries::shown(&app, id).await.map(Json)
}

/// Let a voice join a matter.
#[utoipa::path(post, path = "/v1/matters/{id}/suggestions", tag = "matters", operation_id = "join_suggestion",
    params(("id" = MatterId, Path)), request_body = JoinSuggestion,
    responses((status = 200, body = MatterView, description = "The voice has joined; it stays whole"), Problem))]
async fn join_suggestion(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<MatterId>,
    Input(input): Input<JoinSuggestion>,
) -> Result<Json<MatterView>> {
    let joined = app.once(actor, key, "join_suggestion", (id, input), |tx, actor, input| {
        Box::pin(commands::join_suggestion(tx, actor, input))
    });
    joined.await.map(Json)
}

/// Move a matter to its next stage; close it after the last one.
#[utoipa::path(post, path = "/v1/matters/{id}/advance", tag = "matters", operation_id = "advance_matter",
    params(("id" = MatterId, Path)), request_body = AdvanceMatter,
    responses((status = 200, body = MatterView, description = "In its next stage, or closed after the last"),
        (status = "default", body = Problem, description = "Refused; `more.missing` names what is missing",
            content_type = "application/problem+json")))]
async fn advance_matter(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<MatterId>,
    Input(input): Input<AdvanceMatter>,
) -> Result<Json<MatterView>> {
    let moved = app.once(actor, key, "advance_matter", (id, input), |tx, actor, input| {
        Box::pin(commands::advance(tx, actor, input))
    });
    moved.await.map(Json)
}

/// Send a matter back to an earlier stage.
#[utoipa::path(post, path = "/v1/matters/{id}/return", tag = "matters", operation_id = "return_matter",
    params(("id" = MatterId, Path)), request_body = ReturnMatter,
    responses((status = 200, body = MatterView, description = "Back in an earlier stage"), Problem))]
async fn return_matter(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<MatterId>,
    Input(input): Input<ReturnMatter>,
) -> Result<Json<MatterView>> {
    let moved = app.once(actor, key, "return_matter", (id, input), |tx, actor, input| {
        Box::pin(commands::return_to(tx, actor, input))
    });
    moved.await.map(Json)
}

/// Leave a stage without its evidence, by authority.
#[utoipa::path(post, path = "/v1/matters/{id}/skip", tag = "matters", operation_id = "skip_stage",
    params(("id" = MatterId, Path)), request_body = SkipStage,
    responses((status = 200, body = MatterView, description = "Past the stage; who, by what authority and why is public"),
        Problem))]
async fn skip_stage(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<MatterId>,
    Input(input): Input<SkipStage>,
) -> Result<Json<MatterView>> {
    let moved =
        app.once(actor, key, "skip_stage", (id, input), |tx, actor, input| Box::pin(commands::skip(tx, actor, input)));
    moved.await.map(Json)
}

/// Take a matter back before a decision.
#[utoipa::path(post, path = "/v1/matters/{id}/withdraw", tag = "matters", operation_id = "withdraw_matter",
    params(("id" = MatterId, Path)), request_body = WithdrawMatter,
    responses((status = 200, body = MatterView, description = "Taken back"), Problem))]
async fn withdraw_matter(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<MatterId>,
    Input(input): Input<WithdrawMatter>,
) -> Result<Json<MatterView>> {
    let moved = app.once(actor, key, "withdraw_matter", (id, input), |tx, actor, input| {
        Box::pin(commands::withdraw(tx, actor, input))
    });
    moved.await.map(Json)
}

/// State the opinion of party organisation or committee at the review.
#[utoipa::path(post, path = "/v1/matters/{id}/opinions", tag = "matters", operation_id = "give_opinion",
    params(("id" = MatterId, Path)), request_body = GiveOpinion,
    responses((status = 201, body = MatterView, description = "The opinion is evidence of the review"), Problem))]
async fn give_opinion(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<MatterId>,
    Input(input): Input<GiveOpinion>,
) -> Result<Created<MatterView>> {
    let given = app.once(actor, key, "give_opinion", (id, input), |tx, actor, input| {
        Box::pin(commands::give_opinion(tx, actor, input))
    });
    given.await.map(Created)
}

/// Note whether a matter that the law reserves to the assembly is lawful.
#[utoipa::path(post, path = "/v1/matters/{id}/legality-notes", tag = "matters", operation_id = "note_legality",
    params(("id" = MatterId, Path)), request_body = NoteLegality,
    responses((status = 201, body = MatterView, description = "The note is evidence of the stage"), Problem))]
async fn note_legality(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<MatterId>,
    Input(input): Input<NoteLegality>,
) -> Result<Created<MatterView>> {
    let noted = app.once(actor, key, "note_legality", (id, input), |tx, actor, input| {
        Box::pin(commands::note_legality(tx, actor, input))
    });
    noted.await.map(Created)
}

/// Say what becomes of another way of doing it that somebody put beside the plan, for the council.
#[utoipa::path(post, path = "/v1/matters/{id}/alternatives", tag = "matters", operation_id = "answer_alternative",
    params(("id" = MatterId, Path)), request_body = AnswerAlternative,
    responses((status = 201, body = MatterView, description = "The answer is evidence of the stage; its author is told"),
        Problem))]
async fn answer_alternative(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<MatterId>,
    Input(input): Input<AnswerAlternative>,
) -> Result<Created<MatterView>> {
    let answered = app.once(actor, key, "answer_alternative", (id, input), |tx, actor, input| {
        Box::pin(commands::answer_alternative(tx, actor, input))
    });
    answered.await.map(Created)
}

/// Write the final report.
#[utoipa::path(post, path = "/v1/matters/{id}/report", tag = "matters", operation_id = "write_report",
    params(("id" = MatterId, Path)), request_body = WriteReport,
    responses((status = 201, body = MatterView, description = "The report is evidence of the evaluation"), Problem))]
async fn write_report(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<MatterId>,
    Input(input): Input<WriteReport>,
) -> Result<Created<MatterView>> {
    let written = app.once(actor, key, "write_report", (id, input), |tx, actor, input| {
        Box::pin(commands::write_report(tx, actor, input))
    });
    written.await.map(Created)
}
