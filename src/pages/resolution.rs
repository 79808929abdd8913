//! `/votes/{id}/resolution`: what was decided, on a page for the village's board; `/votes/{id}/challenges`: a challenge.
use askama::Template;
use axum::{Router, extract::State, response::Response};

use super::{
    fields::{Fields, Wrong},
    layout::{Page, Resident, Viewer, render, see, up},
    vote::shown_result,
    words::Words,
};
use crate::{
    app::{
        App, Path,
        routing::{get, post},
    },
    board::{self, HeadView},
    error::Result,
    ids::VoteId,
    page::PageQuery,
    votes::{
        ResultView, VoteView,
        commands::challenges::{RaiseChallenge, raise_challenge},
        queries::{
            self,
            challenges::{self, ChallengeView},
            turnout::{TurnoutView, turnout},
        },
    },
};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/votes/{id}/resolution", get(show))
        .route("/votes/{id}/challenges", post(challenge).merge(get(up)))
}

#[derive(Template)]
#[template(path = "resolution.html")]
struct ResolutionPage {
    page: Page,
    vote: VoteView,
    result: ResultView,
    turnout: TurnoutView,
    challenges: Vec<ChallengeView>,
    head: Option<HeadView>,
}

async fn show(State(app): State<App>, viewer: Viewer, Path(id): Path<VoteId>) -> Result<Response> {
    let db = app.store.read();
    let vote = queries::vote(db, id).await?;
    if !queries::is_decided(&vote.state) {
        return Ok(see(&format!("/votes/{id}")));
    }
    let head = if vote.has_board { Some(board::queries::newest(db, id).await?) } else { None };
    let page = viewer.page("page-resolution").back(format!("/votes/{id}/result")).at(format!("/votes/{id}/resolution"));
    let (result, turnout) = (queries::result_of(db, id).await?, turnout(db, id).await?);
    let challenges = challenges::of(&app, id).await?;
    Ok(render(&ResolutionPage { page, vote, result, turnout, challenges, head }))
}

async fn challenge(State(app): State<App>, who: Resident, Path(id): Path<VoteId>, form: Fields) -> Result<Response> {
    let input = RaiseChallenge { reason: form.text("reason").to_owned() };
    let raised = app.once(who.actor.clone(), form.key(), "raise_challenge", (id, input), |tx, actor, input| {
        Box::pin(raise_challenge(tx, actor, input))
    });
    match raised.await {
        Ok(_) => Ok(see(&format!("/votes/{id}/result"))),
        Err(error) => shown_result(&app, &who.viewer, (id, PageQuery::default()), (form, Wrong::from(error)?)).await,
    }
}
