//! Routes of the roll: how it stands, who is on it, objections to it and what the office decides about them.
use axum::{Json, extract::State};
use utoipa_axum::router::OpenApiRouter;

use crate::{
    actor::Actor,
    app::{App, Created, IdempotencyKey, Input, Path, Query, routes},
    error::{Problem, Result},
    ids::{RollObjectionId, VoteId},
    page::{Page, PageQuery},
    votes::{
        commands::{
            ConfirmRollObjection, DecideRollObjection, RaiseRollObjection, confirm_roll_objection,
            decide_roll_objection, raise_roll_objection,
        },
        queries::roll_list::{RollEntryView, RollObjectionView, RollView, entries, objections, roll},
    },
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(read_roll))
        .routes(routes!(list_roll_entries))
        .routes(routes!(list_roll_objections, raise_objection_to_roll))
        .routes(routes!(decide_objection_to_roll))
        .routes(routes!(confirm_objection_to_roll))
}

/// The roll of a vote: its numbers, its root, what was changed after the freeze.
#[utoipa::path(get, path = "/v1/votes/{id}/roll", tag = "votes", operation_id = "read_roll", params(("id" = VoteId, Path)),
    responses((status = 200, body = RollView, description = "Without names; for everybody"), Problem))]
async fn read_roll(State(app): State<App>, Path(id): Path<VoteId>) -> Result<Json<RollView>> {
    roll(&app, id).await.map(Json)
}

/// Who is on the roll, by number, with masked names.
#[utoipa::path(get, path = "/v1/votes/{id}/roll/entries", tag = "votes", operation_id = "list_roll_entries",
    params(("id" = VoteId, Path), PageQuery),
    responses((status = 200, body = Page<RollEntryView>, description = "For those who may see what is shown to the area"),
        Problem))]
async fn list_roll_entries(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<VoteId>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<RollEntryView>>> {
    entries(app.store.read(), &actor, id, &page).await.map(Json)
}

/// Objections to the roll: one's own; for the office all of them.
#[utoipa::path(get, path = "/v1/votes/{id}/roll/objections", tag = "votes", operation_id = "list_roll_objections",
    params(("id" = VoteId, Path)),
    responses((status = 200, body = Vec<RollObjectionView>, description = "Oldest first"), Problem))]
async fn list_roll_objections(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<VoteId>,
) -> Result<Json<Vec<RollObjectionView>>> {
    objections(app.store.read(), &actor, id).await.map(Json)
}

/// Object to the roll: somebody is missing, or should not be on it.
#[utoipa::path(post, path = "/v1/votes/{id}/roll/objections", tag = "votes", operation_id = "raise_roll_objection",
    params(("id" = VoteId, Path)), request_body = RaiseRollObjection,
    responses((status = 201, body = RollObjectionView, description = "Taken; `due_at` says by when it is answered"),
        (status = "default", body = Problem, description = "Refused; `roll_objection_too_late`, `not_on_roll`",
            content_type = "application/problem+json")))]
async fn raise_objection_to_roll(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<VoteId>,
    Input(input): Input<RaiseRollObjection>,
) -> Result<Created<RollObjectionView>> {
    let raised = app.once(actor, key, "raise_roll_objection", (id, input), |tx, actor, input| {
        Box::pin(raise_roll_objection(tx, actor, input))
    });
    raised.await.map(Created)
}

/// Decide an objection to the roll, as the first of two people of the office.
#[utoipa::path(post, path = "/v1/votes/{id}/roll/objections/{objection_id}/decision", tag = "votes",
    operation_id = "decide_roll_objection",
    params(("id" = VoteId, Path), ("objection_id" = RollObjectionId, Path)), request_body = DecideRollObjection,
    responses((status = 200, body = RollObjectionView, description = "Decided; it holds once a second person confirms it"),
        Problem))]
async fn decide_objection_to_roll(
    State(app): State<App>,
    actor: Actor,
    Path((id, objection)): Path<(VoteId, RollObjectionId)>,
    Input(input): Input<DecideRollObjection>,
) -> Result<Json<RollObjectionView>> {
    let about = (id, objection, input);
    let done = app.store.write(move |tx| Box::pin(async move { decide_roll_objection(tx, &actor, about).await }));
    done.await.map(Json)
}

/// Confirm what another decided: the roll is amended, on the board, or stays as it is.
#[utoipa::path(post, path = "/v1/votes/{id}/roll/objections/{objection_id}/confirm", tag = "votes",
    operation_id = "confirm_roll_objection",
    params(("id" = VoteId, Path), ("objection_id" = RollObjectionId, Path)), request_body = ConfirmRollObjection,
    responses((status = 200, body = RollObjectionView, description = "It holds"),
        (status = "default", body = Problem, description = "Refused; `second_person_needed`, `changed`, `already_cast`",
            content_type = "application/problem+json")))]
async fn confirm_objection_to_roll(
    State(app): State<App>,
    actor: Actor,
    Path((id, objection)): Path<(VoteId, RollObjectionId)>,
    Input(input): Input<ConfirmRollObjection>,
) -> Result<Json<RollObjectionView>> {
    let about = (id, objection, input);
    let done = app.store.write(move |tx| Box::pin(async move { confirm_roll_objection(tx, &actor, about).await }));
    done.await.map(Json)
}
