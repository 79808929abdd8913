//! Routes of what comes after the count: challenges with their answers, turnout by channel.
use axum::{Json, extract::State};
use utoipa_axum::router::OpenApiRouter;

use crate::{
    actor::Actor,
    app::{App, Created, IdempotencyKey, Input, Path, routes},
    error::{Problem, Result},
    ids::{ChallengeId, VoteId},
    votes::{
        commands::challenges::{AnswerChallenge, RaiseChallenge, answer_challenge, raise_challenge},
        queries::{
            self,
            challenges::{self, ChallengeView},
            turnout::{TurnoutView, turnout},
        },
    },
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_challenges, challenge_result))
        .routes(routes!(answer_result_challenge))
        .routes(routes!(read_turnout))
}

/// What was said against a result, and what was answered; nobody's name is told.
#[utoipa::path(get, path = "/v1/votes/{id}/challenges", tag = "votes", operation_id = "list_challenges",
    params(("id" = VoteId, Path)),
    responses((status = 200, body = Vec<ChallengeView>, description = "Oldest first; for everybody"), Problem))]
async fn list_challenges(State(app): State<App>, Path(id): Path<VoteId>) -> Result<Json<Vec<ChallengeView>>> {
    queries::vote(app.store.read(), id).await?;
    challenges::of(&app, id).await.map(Json)
}

/// Challenge a provisional result.
#[utoipa::path(post, path = "/v1/votes/{id}/challenges", tag = "votes", operation_id = "raise_challenge",
    params(("id" = VoteId, Path)), request_body = RaiseChallenge,
    responses((status = 201, body = ChallengeView, description = "Taken; the result waits for its answer"),
        (status = "default", body = Problem, description = "Refused; `not_on_roll`, `challenge_too_late`",
            content_type = "application/problem+json")))]
async fn challenge_result(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<VoteId>,
    Input(input): Input<RaiseChallenge>,
) -> Result<Created<ChallengeView>> {
    let raised = app.once(actor, key, "raise_challenge", (id, input), |tx, actor, input| {
        Box::pin(raise_challenge(tx, actor, input))
    });
    raised.await.map(Created)
}

/// Answer a challenge; one that is right overturns the result, which the office whose vote it is never says.
#[utoipa::path(post, path = "/v1/votes/{id}/challenges/{challenge_id}/answer", tag = "votes", operation_id = "answer_challenge",
    params(("id" = VoteId, Path), ("challenge_id" = ChallengeId, Path)), request_body = AnswerChallenge,
    responses((status = 200, body = ChallengeView, description = "Answered, and published"), Problem))]
async fn answer_result_challenge(
    State(app): State<App>,
    actor: Actor,
    Path((id, challenge)): Path<(VoteId, ChallengeId)>,
    Input(input): Input<AnswerChallenge>,
) -> Result<Json<ChallengeView>> {
    let about = (id, challenge, input);
    let done = app.store.write(move |tx| Box::pin(async move { answer_challenge(tx, &actor, about).await }));
    done.await.map(Json)
}

/// Who took part by which channel, after the end; of fewer than ten nothing is told.
#[utoipa::path(get, path = "/v1/votes/{id}/turnout", tag = "votes", operation_id = "read_turnout", params(("id" = VoteId, Path)),
    responses((status = 200, body = TurnoutView, description = "For everybody"),
        (status = "default", body = Problem, description = "Refused; `wrong_state` before there is a result",
            content_type = "application/problem+json")))]
async fn read_turnout(State(app): State<App>, Path(id): Path<VoteId>) -> Result<Json<TurnoutView>> {
    turnout(app.store.read(), id).await.map(Json)
}
