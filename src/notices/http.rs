//! Routes of notices and objections.
use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;

use super::{
    commands::{self, AnswerObjection, PublishNotice, RaiseObjection, ReviseNotice, WithdrawNotice, WithdrawObjection},
    confirmations::{ConfirmFor, OfPerson},
    queries::{self, ConfirmationView, NoticeDetail, NoticeView, ObjectionView},
    reach::{ConfirmedView, VillageQuery},
};
use crate::{
    actor::Actor,
    app::{App, Cached, Created, IdempotencyKey, Input, Path, Query, Seen, routes},
    error::{Problem, Result},
    ids::{NoticeId, ObjectionId},
    page::{Page, PageQuery},
};

/// Routes of this subject.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(publish_notice, list_notices))
        .routes(routes!(read_notice))
        .routes(routes!(revise_notice))
        .routes(routes!(withdraw_notice))
        .routes(routes!(confirm_notice))
        .routes(routes!(confirm_notice_for))
        .routes(routes!(undo_confirmation))
        .routes(routes!(tell_confirmation))
        .routes(routes!(read_confirmations))
        .routes(routes!(object_to_notice, list_objections))
        .routes(routes!(answer_objection))
        .routes(routes!(withdraw_objection))
}

/// Whose notices.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct NoticesQuery {
    /// Code of the area.
    area: String,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
    /// Rows wanted, 1 to 100.
    limit: Option<u64>,
}

/// Publish a notice in the village committee's name.
#[utoipa::path(post, path = "/v1/notices", tag = "notices", operation_id = "publish_notice",
    request_body = PublishNotice,
    responses((status = 201, body = NoticeDetail, description = "The notice that hangs now"), Problem))]
async fn publish_notice(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Input(input): Input<PublishNotice>,
) -> Result<Created<NoticeDetail>> {
    app.once(actor, key, "publish_notice", input, |tx, actor, input| Box::pin(commands::publish(tx, actor, input)))
        .await
        .map(Created)
}

/// Notices of an area, of its town and of its county, newest first. Public.
#[utoipa::path(get, path = "/v1/notices", tag = "notices", operation_id = "list_notices", params(NoticesQuery),
    responses((status = 200, body = Page<NoticeView>, description = "One page; with an ETag"), Problem))]
async fn list_notices(
    State(app): State<App>,
    seen: Seen,
    Query(which): Query<NoticesQuery>,
) -> Result<Cached<Page<NoticeView>>> {
    let page = PageQuery { cursor: which.cursor, limit: which.limit };
    let value = queries::list(app.store.read(), &which.area, &page).await?;
    Ok(Cached { seen, value, secs: 0 })
}

/// One notice with its versions and objections. Public; names are masked.
#[utoipa::path(get, path = "/v1/notices/{id}", tag = "notices", operation_id = "read_notice",
    params(("id" = NoticeId, Path)),
    responses((status = 200, body = NoticeDetail, description = "The notice; with an ETag"), Problem))]
async fn read_notice(State(app): State<App>, seen: Seen, Path(id): Path<NoticeId>) -> Result<Cached<NoticeDetail>> {
    let value = queries::detail(app.store.read(), id).await?;
    Ok(Cached { seen, value, secs: 0 })
}

/// Publish a new version; the period starts again.
#[utoipa::path(post, path = "/v1/notices/{id}/revise", tag = "notices", operation_id = "revise_notice",
    params(("id" = NoticeId, Path)), request_body = ReviseNotice,
    responses((status = 200, body = NoticeDetail, description = "The notice that hangs now"), Problem))]
async fn revise_notice(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<NoticeId>,
    Input(input): Input<ReviseNotice>,
) -> Result<Json<NoticeDetail>> {
    app.once(actor, key, "revise_notice", (id, input), |tx, actor, input| Box::pin(commands::revise(tx, actor, input)))
        .await
        .map(Json)
}

/// Take a notice down, with a reason.
#[utoipa::path(post, path = "/v1/notices/{id}/withdraw", tag = "notices", operation_id = "withdraw_notice",
    params(("id" = NoticeId, Path)), request_body = WithdrawNotice,
    responses((status = 200, body = NoticeDetail, description = "The withdrawn notice"), Problem))]
async fn withdraw_notice(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<NoticeId>,
    Input(input): Input<WithdrawNotice>,
) -> Result<Json<NoticeDetail>> {
    app.once(actor, key, "withdraw_notice", (id, input), |tx, actor, input| {
        Box::pin(commands::withdraw(tx, actor, input))
    })
    .await
    .map(Json)
}

/// Confirm that one has read a must-read notice, once per version; again gives the same answer.
#[utoipa::path(post, path = "/v1/notices/{id}/confirmations", tag = "notices", operation_id = "confirm_notice",
    params(("id" = NoticeId, Path)),
    responses((status = 201, body = ConfirmationView, description = "Confirmed"), Problem))]
async fn confirm_notice(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<NoticeId>,
) -> Result<Created<ConfirmationView>> {
    app.store.write(move |tx| Box::pin(async move { commands::confirm(tx, &actor, id).await })).await.map(Created)
}

/// Write down that somebody else has read it: somebody of the household, with a written mandate, or at the door. Of a notice
/// that nobody is asked to confirm: that it was told at the door. The person is told.
#[utoipa::path(post, path = "/v1/notices/{id}/confirmations/for", tag = "notices", operation_id = "confirm_notice_for",
    params(("id" = NoticeId, Path)), request_body = ConfirmFor,
    responses((status = 201, body = ConfirmationView, description = "Written down; once more is the first answer"),
        Problem))]
async fn confirm_notice_for(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<NoticeId>,
    Input(input): Input<ConfirmFor>,
) -> Result<Created<ConfirmationView>> {
    app.store
        .write(move |tx| Box::pin(async move { commands::confirm_for(tx, &actor, (id, input)).await }))
        .await
        .map(Created)
}

/// Take back a confirmation that was made for somebody: who made it, within a day; the person, at any time.
#[utoipa::path(post, path = "/v1/notices/{id}/confirmations/undo", tag = "notices", operation_id = "undo_confirmation",
    params(("id" = NoticeId, Path)), request_body = OfPerson,
    responses((status = 204, description = "Taken back"), Problem))]
async fn undo_confirmation(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<NoticeId>,
    Input(input): Input<OfPerson>,
) -> Result<StatusCode> {
    app.store.write(move |tx| Box::pin(async move { commands::undo(tx, &actor, (id, input)).await })).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Somebody without a phone was told at the door who confirmed in their stead.
#[utoipa::path(post, path = "/v1/notices/{id}/confirmations/told", tag = "notices", operation_id = "tell_confirmation",
    params(("id" = NoticeId, Path)), request_body = OfPerson,
    responses((status = 204, description = "Written down"), Problem))]
async fn tell_confirmation(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<NoticeId>,
    Input(input): Input<OfPerson>,
) -> Result<StatusCode> {
    app.store.write(move |tx| Box::pin(async move { commands::told(tx, &actor, (id, input)).await })).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// How far a must-read notice has come in a village, by way and by group. For its office and its grid workers.
#[utoipa::path(get, path = "/v1/notices/{id}/confirmations", tag = "notices", operation_id = "read_confirmations",
    params(("id" = NoticeId, Path), VillageQuery),
    responses((status = 200, body = ConfirmedView, description = "Figures"), Problem))]
async fn read_confirmations(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<NoticeId>,
    Query(which): Query<VillageQuery>,
) -> Result<Json<ConfirmedView>> {
    queries::reach(app.store.read(), &actor, (id, which.area.as_deref())).await.map(Json)
}

/// Object to a notice while it hangs, three times at most.
#[utoipa::path(post, path = "/v1/notices/{id}/objections", tag = "notices", operation_id = "object_to_notice",
    params(("id" = NoticeId, Path)), request_body = RaiseObjection,
    responses((status = 201, body = ObjectionView, description = "The objection"), Problem))]
async fn object_to_notice(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<NoticeId>,
    Input(input): Input<RaiseObjection>,
) -> Result<Created<ObjectionView>> {
    app.once(actor, key, "object_to_notice", (id, input), |tx, actor, input| {
        Box::pin(commands::object(tx, actor, input))
    })
    .await
    .map(Created)
}

/// Objections to a notice: with names for those who answer them.
#[utoipa::path(get, path = "/v1/notices/{id}/objections", tag = "notices", operation_id = "list_objections",
    params(("id" = NoticeId, Path)),
    responses((status = 200, body = Vec<ObjectionView>, description = "Oldest first, 500 at most"), Problem))]
async fn list_objections(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<NoticeId>,
) -> Result<Json<Vec<ObjectionView>>> {
    queries::objections(app.store.read(), &actor, id).await.map(Json)
}

/// Answer an objection, once, for everybody to read.
#[utoipa::path(post, path = "/v1/objections/{id}/answer", tag = "notices", operation_id = "answer_objection",
    params(("id" = ObjectionId, Path)), request_body = AnswerObjection,
    responses((status = 200, body = ObjectionView, description = "The objection with its answer"), Problem))]
async fn answer_objection(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<ObjectionId>,
    Input(input): Input<AnswerObjection>,
) -> Result<Json<ObjectionView>> {
    app.once(actor, key, "answer_objection", (id, input), |tx, actor, input| {
        Box::pin(commands::answer_objection(tx, actor, input))
    })
    .await
    .map(Json)
}

/// Withdraw an objection that somebody else wrote down: the person in whose name it is, or for them, with a reason, who
/// answers objections. It stays where it is, marked; the person is told. Once more is the first answer.
#[utoipa::path(post, path = "/v1/objections/{id}/withdraw", tag = "notices", operation_id = "withdraw_objection",
    params(("id" = ObjectionId, Path)), request_body = WithdrawObjection,
    responses((status = 200, body = ObjectionView, description = "The objection that was withdrawn"), Problem))]
async fn withdraw_objection(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<ObjectionId>,
    Input(input): Input<WithdrawObjection>,
) -> Result<Json<ObjectionView>> {
    app.once(actor, key, "withdraw_objection", (id, input), |tx, actor, input| {
        Box::pin(commands::withdraw_objection(tx, actor, input))
    })
    .await
    .map(Json)
}
