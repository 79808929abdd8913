//! Routes of paper: sheets handed out at the desk, what is in the boxes, the signature.
use axum::{Json, extract::State, http::HeaderMap, response::Response};
use utoipa_axum::router::OpenApiRouter;

use crate::{
    actor::Actor,
    app::{App, Created, IdempotencyKey, Input, Path, routes},
    error::{Problem, Result},
    ids::VoteId,
    media::{self, Keeping, Size},
    votes::{
        commands::{
            boxes::{CountBox, SignPaper, count_box, sign_paper},
            paper::{EndSheet, IssueSheet, end_sheet, issue_sheet},
            replace::{self, ReplaceCounter},
        },
        queries::paper::{PaperView, SheetView, paper, photo},
    },
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(read_paper))
        .routes(routes!(issue_paper_sheet))
        .routes(routes!(end_paper_sheet))
        .routes(routes!(count_paper_box))
        .routes(routes!(propose_paper_replacement))
        .routes(routes!(confirm_paper_replacement))
        .routes(routes!(sign_paper_of_vote))
        .routes(routes!(read_tally_sheet))
}

/// The paper of a vote: the log of sheets, the boxes, whether it all adds up. Another's figures are not shown before two agree.
#[utoipa::path(get, path = "/v1/votes/{id}/paper", tag = "votes", operation_id = "read_paper", params(("id" = VoteId, Path)),
    responses((status = 200, body = PaperView, description = "For who counts: who opens votes, the supervision committee; and who stands in for the office"),
        Problem))]
async fn read_paper(State(app): State<App>, actor: Actor, Path(id): Path<VoteId>) -> Result<Json<PaperView>> {
    paper(app.store.read(), &actor, id).await.map(Json)
}

/// Hand out a sheet to an elector; from now on nobody casts for this elector by phone.
#[utoipa::path(post, path = "/v1/votes/{id}/paper/sheets", tag = "votes", operation_id = "issue_sheet",
    params(("id" = VoteId, Path)), request_body = IssueSheet,
    responses((status = 201, body = SheetView, description = "Handed out; the elector is told"),
        (status = "default", body = Problem, description = "Refused; `paper_issued`, `already_cast`, `not_on_roll`",
            content_type = "application/problem+json")))]
async fn issue_paper_sheet(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<VoteId>,
    Input(input): Input<IssueSheet>,
) -> Result<Created<SheetView>> {
    let issued =
        app.once(actor, key, "issue_sheet", (id, input), |tx, actor, input| Box::pin(issue_sheet(tx, actor, input)));
    issued.await.map(Created)
}

/// Write down that a sheet is in no box: given back, spoilt, lost.
#[utoipa::path(post, path = "/v1/votes/{id}/paper/sheets/{number}/end", tag = "votes", operation_id = "end_sheet",
    params(("id" = VoteId, Path), ("number" = i32, Path, description = "The number on its stub")), request_body = EndSheet,
    responses((status = 200, body = SheetView, description = "The elector stands as before"), Problem))]
async fn end_paper_sheet(
    State(app): State<App>,
    actor: Actor,
    Path((id, serial)): Path<(VoteId, i32)>,
    Input(input): Input<EndSheet>,
) -> Result<Json<SheetView>> {
    let about = (id, serial, input);
    let done = app.store.write(move |tx| Box::pin(async move { end_sheet(tx, &actor, about).await }));
    done.await.map(Json)
}

/// Write down what is in a box; two people do, each without seeing the other's figures.
#[utoipa::path(post, path = "/v1/votes/{id}/paper/counts", tag = "votes", operation_id = "count_box",
    params(("id" = VoteId, Path)), request_body = CountBox,
    responses((status = 200, body = PaperView, description = "Written down, in place of what the same person wrote before"),
        Problem))]
async fn count_paper_box(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<VoteId>,
    Input(input): Input<CountBox>,
) -> Result<Json<PaperView>> {
    app.once(actor, key, "count_box", (id, input), |tx, actor, input| Box::pin(count_box(tx, actor, input)))
        .await
        .map(Json)
}

/// Set aside the count of somebody who does not come back; it holds once a second person has confirmed it.
#[utoipa::path(post, path = "/v1/votes/{id}/paper/replacements", tag = "votes", operation_id = "propose_replacement",
    params(("id" = VoteId, Path)), request_body = ReplaceCounter,
    responses((status = 200, body = PaperView, description = "Proposed"),
        (status = "default", body = Problem, description = "Refused; `second_person_needed` for who counted that box",
            content_type = "application/problem+json")))]
async fn propose_paper_replacement(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<VoteId>,
    Input(input): Input<ReplaceCounter>,
) -> Result<Json<PaperView>> {
    let done = app.store.write(move |tx| Box::pin(async move { replace::propose(tx, &actor, (id, input)).await }));
    done.await.map(Json)
}

/// Confirm it, as the second of two: one of them sits in the supervision committee or the office above.
#[utoipa::path(post, path = "/v1/votes/{id}/paper/replacements/confirm", tag = "votes", operation_id = "confirm_replacement",
    params(("id" = VoteId, Path)), request_body = ReplaceCounter,
    responses((status = 200, body = PaperView, description = "That count is set aside; somebody else counts"),
        (status = "default", body = Problem, description = "Refused; `second_person_needed`, `changed`",
            content_type = "application/problem+json")))]
async fn confirm_paper_replacement(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<VoteId>,
    Input(input): Input<ReplaceCounter>,
) -> Result<Json<PaperView>> {
    let done = app.store.write(move |tx| Box::pin(async move { replace::confirm(tx, &actor, (id, input)).await }));
    done.await.map(Json)
}

/// Sign the paper: each box was counted alike by two, one of them not of the office, and every sheet is accounted for.
#[utoipa::path(post, path = "/v1/votes/{id}/paper/signature", tag = "votes", operation_id = "sign_paper",
    params(("id" = VoteId, Path)), request_body = SignPaper,
    responses((status = 200, body = PaperView, description = "Signed, and on the board"),
        (status = "default", body = Problem, description = "Refused; `paper_not_counted`, `paper_not_reconciled`",
            content_type = "application/problem+json")))]
async fn sign_paper_of_vote(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<VoteId>,
    Input(input): Input<SignPaper>,
) -> Result<Json<PaperView>> {
    let by = actor.clone();
    app.store.write(move |tx| Box::pin(async move { sign_paper(tx, &by, (id, input)).await })).await?;
    paper(app.store.read(), &actor, id).await.map(Json)
}

/// The photo of a box's tally sheet, whose SHA-256 is on the board.
#[utoipa::path(get, path = "/v1/votes/{id}/paper/boxes/{number}/photo", tag = "votes", operation_id = "read_tally_sheet",
    params(("id" = VoteId, Path), ("number" = i32, Path, description = "The box")),
    responses((status = 200, description = "For who counts; of an open vote with a result for its area", content_type = "image/jpeg"),
        Problem))]
async fn read_tally_sheet(
    State(app): State<App>,
    actor: Actor,
    Path(which): Path<(VoteId, i32)>,
    headers: HeaderMap,
) -> Result<Response> {
    let row = photo(app.store.read(), &actor, which).await?;
    media::serve(&app, &row, (Size::Full, Keeping::AskAgain), &headers).await
}
