//! A vote on the desk: how many have taken part while it is open, every number once it is closed.
use askama::Template;
use axum::{extract::State, response::Response};

use super::frame::{Clerk, Desk, Draft, live};
use crate::{
    app::{App, Path},
    error::Result,
    ids::VoteId,
    pages::{
        layout::{Page, render},
        words::Words,
    },
    votes::{ResultView, VoteView, queries},
};

#[derive(Template)]
#[template(path = "desk/vote.html")]
struct VotePage {
    page: Page,
    desk: Desk,
    vote: VoteView,
    result: Option<ResultView>,
}

/// The page.
pub(super) async fn show(State(app): State<App>, clerk: Clerk, Path(id): Path<VoteId>) -> Result<Response> {
    let vote = queries::vote(app.store.read(), id).await?;
    clerk.sits_over(&vote.area_code)?;
    let result = match vote.closed_at {
        Some(_) => Some(queries::result_of(app.store.read(), id).await?),
        None => None,
    };
    let page = live(&app, &clerk, (clerk.page(vote.question.clone()), &Draft::default())).await?;
    Ok(render(&VotePage { page, desk: clerk.desk(), vote, result }))
}
