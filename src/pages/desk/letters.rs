//! Letters on the desk: residents' conversations with the office, answered by whoever serves there.
use askama::Template;
use axum::{extract::State, response::Response};

use super::frame::{Clerk, Desk};
use crate::{
    app::App,
    error::Result,
    pages::{
        layout::{Live, Page, render},
        words::Words,
    },
    streams::{self, StreamView},
    text,
};

#[derive(Template)]
#[template(path = "desk/letters.html")]
struct LettersPage {
    page: Page,
    desk: Desk,
    letters: Vec<StreamView>,
}

/// All of them, newest first.
pub(super) async fn list(State(app): State<App>, clerk: Clerk) -> Result<Response> {
    let letters = streams::queries::letters(&app, &clerk.actor).await?;
    let page = clerk.page(text::say("desk-letters")).live(Live::always());
    Ok(render(&LettersPage { page, desk: clerk.desk(), letters }))
}
