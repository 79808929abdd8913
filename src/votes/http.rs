//! Routes of votes, and of the whole record of a matter.
use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use utoipa_axum::router::OpenApiRouter;

use super::{
    archive,
    commands::{self, AnnulVote, BallotReceipt, CastBallot, ConfirmRestored, OpenVote},
    queries::{self, BallotView, MyVote, PresetView, ResultView, VoteView},
    record::{self, MatterRecord},
    sealed::{self, CastEnvelope, MakeKey, OpenBox, TrusteeView},
};
use crate::{
    actor::Actor,
    app::{App, Created, IdempotencyKey, Input, Path, Query, Seen, routes},
    board,
    error::{Problem, Result},
    ids::{MatterId, VoteId},
    page::{Page, PageQuery},
    people::Visitor,
};

mod after;
mod agents;
mod paper;
mod roll;

/// The routes of votes.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_presets))
        .routes(routes!(open_vote))
        .routes(routes!(read_vote))
        .routes(routes!(read_my_vote))
        .routes(routes!(cast_ballot, list_ballots))
        .routes(routes!(cast_envelope))
        .routes(routes!(list_trustees, make_trustee_key))
        .routes(routes!(open_ballot_box))
        .routes(routes!(annul_vote))
        .routes(routes!(confirm_restored))
        .routes(routes!(read_manifest))
        .routes(routes!(read_archive))
        .routes(routes!(read_result))
        .routes(routes!(read_record))
        .merge(agents::routes())
        .merge(roll::routes())
        .merge(after::routes())
        .merge(paper::routes())
}

/// The legal rules by which a vote can be decided.
#[utoipa::path(get, path = "/v1/presets", tag = "votes", operation_id = "list_presets",
    responses((status = 200, body = Vec<PresetView>, description = "Every rule with its article; for everybody"),
        Problem))]
async fn list_presets() -> Json<Vec<PresetView>> {
    Json(queries::presets())
}

/// Open a vote about a matter, or of a meeting's agenda, and freeze its roll.
#[utoipa::path(post, path = "/v1/votes", tag = "votes", operation_id = "open_vote", request_body = OpenVote,
    responses((status = 201, body = VoteView, description = "Open; without a meeting called in time it is an opinion poll"),
        Problem))]
async fn open_vote(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Input(input): Input<OpenVote>,
) -> Result<Created<VoteView>> {
    app.once(actor, key, "open_vote", input, |tx, actor, input| Box::pin(commands::open_vote(tx, actor, input)))
        .await
        .map(Created)
}

/// One vote; how it stands is not told before the end.
#[utoipa::path(get, path = "/v1/votes/{id}", tag = "votes", operation_id = "read_vote", params(("id" = VoteId, Path)),
    responses((status = 200, body = VoteView, description = "The vote with its turnout; for everybody"), Problem))]
async fn read_vote(State(app): State<App>, Path(id): Path<VoteId>) -> Result<Json<VoteView>> {
    queries::vote(app.store.read(), id).await.map(Json)
}

/// Am I on the roll, did I cast, and my receipt again.
#[utoipa::path(get, path = "/v1/votes/{id}/me", tag = "votes", operation_id = "read_my_vote", params(("id" = VoteId, Path)),
    responses((status = 200, body = MyVote, description = "How the asker stands to the vote"), Problem))]
async fn read_my_vote(State(app): State<App>, actor: Actor, Path(id): Path<VoteId>) -> Result<Json<MyVote>> {
    queries::my_vote(&app, &actor, id).await.map(Json)
}

/// Cast a ballot. The same `cast_id` and choice again gives the same receipt, in an open vote also after closing. In a
/// secret vote the server seals it (系统代封): a weaker promise than `cast_envelope`, and the receipt says so.
#[utoipa::path(post, path = "/v1/votes/{id}/ballots", tag = "votes", operation_id = "cast_ballot",
    params(("id" = VoteId, Path)), request_body = CastBallot,
    responses((status = 201, body = BallotReceipt, description = "Taken, and counted exactly once"), Problem))]
async fn cast_ballot(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<VoteId>,
    Input(ballot): Input<CastBallot>,
) -> Result<Created<BallotReceipt>> {
    sealed::cast_in_clear(&app, &actor, id, ballot).await.map(Created)
}

/// Cast a sealed ballot in a secret vote. The same envelope again gives the same receipt, also after closing, until the ballots
/// are opened: then everybody has the envelopes.
#[utoipa::path(post, path = "/v1/votes/{id}/envelopes", tag = "votes", operation_id = "cast_envelope",
    params(("id" = VoteId, Path)), request_body = CastEnvelope,
    responses((status = 201, body = BallotReceipt, description = "Taken; nobody can look into it before two of three keys meet"),
        Problem))]
async fn cast_envelope(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<VoteId>,
    Input(ballot): Input<CastEnvelope>,
) -> Result<Created<BallotReceipt>> {
    sealed::cast_envelope(&app, &actor, id, ballot).await.map(Created)
}

/// The three who open the sealed ballots together, with their public keys.
#[utoipa::path(get, path = "/v1/votes/{id}/keys", tag = "votes", operation_id = "list_trustees", params(("id" = VoteId, Path)),
    responses((status = 200, body = Vec<TrusteeView>, description = "Committee, supervision committee, town; for everybody"),
        Problem))]
async fn list_trustees(State(app): State<App>, Path(id): Path<VoteId>) -> Result<Json<Vec<TrusteeView>>> {
    sealed::trustees(app.store.read(), id).await.map(Json)
}

/// Publish a trustee's key for this vote; with the third the vote opens.
#[utoipa::path(post, path = "/v1/votes/{id}/keys", tag = "votes", operation_id = "make_trustee_key",
    params(("id" = VoteId, Path)), request_body = MakeKey,
    responses((status = 200, body = Vec<TrusteeView>, description = "The three as they stand now"), Problem))]
async fn make_trustee_key(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<VoteId>,
    Input(input): Input<MakeKey>,
) -> Result<Json<Vec<TrusteeView>>> {
    let made = app.store.write(move |tx| Box::pin(async move { sealed::make_key(tx, &actor, (id, input)).await }));
    made.await.map(Json)
}

/// Open the sealed ballots of a vote that is over with two of its three private keys. They are kept nowhere.
#[utoipa::path(post, path = "/v1/votes/{id}/opening", tag = "votes", operation_id = "open_ballot_box",
    params(("id" = VoteId, Path)), request_body = OpenBox,
    responses((status = 200, body = ResultView, description = "Counted and published"), Problem))]
async fn open_ballot_box(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<VoteId>,
    Input(input): Input<OpenBox>,
) -> Result<Json<ResultView>> {
    sealed::open_box(&app, &actor, (id, input)).await?;
    queries::result_of(app.store.read(), id).await.map(Json)
}

/// Annul a vote that has no result yet: its reason is published, and nothing of its ballots. Once a box is counted the town's office
/// alone may.
#[utoipa::path(post, path = "/v1/votes/{id}/annul", tag = "votes", operation_id = "annul_vote", params(("id" = VoteId, Path)),
    request_body = AnnulVote,
    responses((status = 200, body = VoteView, description = "Annulled; its matter is free for another vote"),
        (status = "default", body = Problem, description = "Refused; `wrong_state` when it has a result",
            content_type = "application/problem+json")))]
async fn annul_vote(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<VoteId>,
    Input(input): Input<AnnulVote>,
) -> Result<Json<VoteView>> {
    app.once(actor, key, "annul_vote", (id, input), |tx, actor, input| Box::pin(commands::annul(tx, actor, input)))
        .await
        .map(Json)
}

/// Let a vote that rests since a backup was loaded go on, or the board of a result that may still be challenged, because the board is the
/// one whose fingerprint was published last. What was cast and handed out after the backup is missing in it all the same: where there
/// was any of that, it is annulled.
#[utoipa::path(post, path = "/v1/votes/{id}/restored/confirm", tag = "votes", operation_id = "confirm_restored",
    params(("id" = VoteId, Path)), request_body = ConfirmRestored,
    responses((status = 200, body = VoteView, description = "It goes on"),
        (status = "default", body = Problem, description = "Refused; `invalid_fields` for another fingerprint",
            content_type = "application/problem+json")))]
async fn confirm_restored(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<VoteId>,
    Input(input): Input<ConfirmRestored>,
) -> Result<Json<VoteView>> {
    app.once(actor, key, "confirm_restored", (id, input), |tx, actor, input| {
        Box::pin(commands::confirm_restored(tx, actor, input))
    })
    .await
    .map(Json)
}

/// The archive of a vote: everything that anybody needs to check it without us.
#[utoipa::path(get, path = "/v1/votes/{id}/archive", tag = "votes", operation_id = "read_archive", params(("id" = VoteId, Path)),
    responses((status = 200, body = serde_json::Value, description = "One JSON; for everybody. `liusheng verify FILE` checks it"),
        (status = 304, description = "As the caller has seen it"),
        (status = "default", body = Problem, description = "Refused; `wrong_state` while there is no result",
            content_type = "application/problem+json")))]
async fn read_archive(State(app): State<App>, Path(id): Path<VoteId>, seen: Seen) -> Result<Response> {
    // asked for again each time: a result that is settled is in it at once
    Ok(archive::archive(&app, id).await?.answer(&seen, 0))
}

/// What a vote says of itself, exactly as its digest on the board was made.
#[utoipa::path(get, path = "/v1/votes/{id}/manifest", tag = "votes", operation_id = "read_manifest", params(("id" = VoteId, Path)),
    responses((status = 200, body = serde_json::Value, description = "Canonical JSON; for everybody"), Problem))]
async fn read_manifest(State(app): State<App>, Path(id): Path<VoteId>) -> Result<Response> {
    let manifest = board::queries::manifest(app.store.read(), id).await?;
    Ok(([(header::CONTENT_TYPE, "application/json")], manifest.text).into_response())
}

/// Every elector of a closed vote with the choice, by number.
#[utoipa::path(get, path = "/v1/votes/{id}/ballots", tag = "votes", operation_id = "list_ballots",
    params(("id" = VoteId, Path), PageQuery),
    responses((status = 200, body = Page<BallotView>, description = "For those who may see what is shown to the area"),
        Problem))]
async fn list_ballots(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<VoteId>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<BallotView>>> {
    queries::ballots(app.store.read(), &actor, id, &page).await.map(Json)
}

/// The result of a closed vote, with every number and the article.
#[utoipa::path(get, path = "/v1/votes/{id}/result", tag = "votes", operation_id = "read_result", params(("id" = VoteId, Path)),
    responses((status = 200, body = ResultView, description = "The result; for everybody"),
        (status = "default", body = Problem, description = "Refused; `wrong_state` while it is open",
            content_type = "application/problem+json")))]
async fn read_result(
    State(app): State<App>,
    Visitor(asker): Visitor,
    Path(id): Path<VoteId>,
) -> Result<Json<ResultView>> {
    queries::result_for(app.store.read(), asker.as_ref(), id).await.map(Json)
}

/// The whole record of a matter, from the first voice to the evaluation.
#[utoipa::path(get, path = "/v1/matters/{id}/record", tag = "matters", operation_id = "read_record",
    params(("id" = MatterId, Path)),
    responses((status = 200, body = MatterRecord, description = "Everything that led to it; for everybody"), Problem))]
async fn read_record(State(app): State<App>, Path(id): Path<MatterId>) -> Result<Json<MatterRecord>> {
    record::matter_record(&app, id).await.map(Json)
}
