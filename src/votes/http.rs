//! Routes of votes, and of the whole record of a matter.
use axum::{Json, extract::State};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    commands::{self, BallotReceipt, CastBallot, OpenVote},
    queries::{self, BallotView, MyVote, PresetView, ResultView, VoteView},
    record::{self, MatterRecord},
};
use crate::{
    actor::Actor,
    app::{App, Created, IdempotencyKey, Input, Path, Query},
    error::{Problem, Result},
    ids::{MatterId, VoteId},
    page::{Page, PageQuery},
};

/// The routes of votes.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_presets))
        .routes(routes!(open_vote))
        .routes(routes!(read_vote))
        .routes(routes!(read_my_vote))
        .routes(routes!(cast_ballot, list_ballots))
        .routes(routes!(read_result))
        .routes(routes!(read_record))
}

/// The legal rules by which a vote can be decided.
#[utoipa::path(get, path = "/v1/presets", tag = "votes", operation_id = "list_presets",
    responses((status = 200, body = Vec<PresetView>, description = "Every rule with its article; for everybody"),
        (status = "default", body = Problem, description = "Refused", content_type = "application/problem+json")))]
async fn list_presets() -> Json<Vec<PresetView>> {
    Json(queries::presets())
}

/// Open a vote about a matter and freeze its roll.
#[utoipa::path(post, path = "/v1/votes", tag = "votes", operation_id = "open_vote", request_body = OpenVote,
    responses((status = 201, body = VoteView, description = "Open; without a meeting called in time it is an opinion poll"),
        (status = "default", body = Problem, description = "Refused", content_type = "application/problem+json")))]
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
    responses((status = 200, body = VoteView, description = "The vote with its turnout; for everybody"),
        (status = "default", body = Problem, description = "Refused", content_type = "application/problem+json")))]
async fn read_vote(State(app): State<App>, Path(id): Path<VoteId>) -> Result<Json<VoteView>> {
    queries::vote(app.store.read(), id).await.map(Json)
}

/// Am I on the roll, did I cast, and my receipt again.
#[utoipa::path(get, path = "/v1/votes/{id}/me", tag = "votes", operation_id = "read_my_vote", params(("id" = VoteId, Path)),
    responses((status = 200, body = MyVote, description = "How the asker stands to the vote"),
        (status = "default", body = Problem, description = "Refused", content_type = "application/problem+json")))]
async fn read_my_vote(State(app): State<App>, actor: Actor, Path(id): Path<VoteId>) -> Result<Json<MyVote>> {
    queries::my_vote(&app, &actor, id).await.map(Json)
}

/// Cast a ballot. The same `cast_id` and choice again gives the same receipt, also after closing.
#[utoipa::path(post, path = "/v1/votes/{id}/ballots", tag = "votes", operation_id = "cast_ballot",
    params(("id" = VoteId, Path)), request_body = CastBallot,
    responses((status = 201, body = BallotReceipt, description = "Taken, and counted exactly once"),
        (status = "default", body = Problem, description = "Refused", content_type = "application/problem+json")))]
async fn cast_ballot(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<VoteId>,
    Input(ballot): Input<CastBallot>,
) -> Result<Created<BallotReceipt>> {
    let person = actor.person;
    let cast = app.store.write(move |tx| Box::pin(commands::cast(tx, person, id, ballot))).await?;
    commands::sign(&app.keys, cast).map(Created)
}

/// Every elector of a closed vote with the choice, by number.
#[utoipa::path(get, path = "/v1/votes/{id}/ballots", tag = "votes", operation_id = "list_ballots",
    params(("id" = VoteId, Path), PageQuery),
    responses((status = 200, body = Page<BallotView>, description = "For those who may see what is shown to the area"),
        (status = "default", body = Problem, description = "Refused", content_type = "application/problem+json")))]
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
async fn read_result(State(app): State<App>, Path(id): Path<VoteId>) -> Result<Json<ResultView>> {
    queries::result_of(app.store.read(), id).await.map(Json)
}

/// The whole record of a matter, from the first voice to the evaluation.
#[utoipa::path(get, path = "/v1/matters/{id}/record", tag = "matters", operation_id = "read_record",
    params(("id" = MatterId, Path)),
    responses((status = 200, body = MatterRecord, description = "Everything that led to it; for everybody"),
        (status = "default", body = Problem, description = "Refused", content_type = "application/problem+json")))]
async fn read_record(State(app): State<App>, Path(id): Path<MatterId>) -> Result<Json<MatterRecord>> {
    record::matter_record(&app.store, id).await.map(Json)
}
