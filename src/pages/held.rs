//! `/held`: one's own messages that were not shown, with why, and objecting; deciding, for who leads a conversation.
use askama::Template;
use axum::{Router, extract::State, response::Response};

use super::{
    fields::{Fields, Wrong},
    layout::{Page, Resident, render_as, see, up},
    words::Words,
};
use crate::{
    app::{
        App, Path,
        routing::{get, post},
    },
    error::Result,
    ids::HeldId,
    moderation::{self, AppealHeld, DecideHeld, HeldView},
};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/held", get(show))
        .route("/held/{id}/appeal", post(appeal).merge(get(up)))
        .route("/held/{id}/decision", post(decide).merge(get(up)))
        .route("/held/{id}", get(up))
}

#[derive(Template)]
#[template(path = "held.html")]
struct HeldPage {
    page: Page,
    held: Vec<HeldView>,
    /// The one whose appeal was refused as it was typed.
    refused: Option<HeldId>,
    typed: Fields,
    wrong: Wrong,
}

impl HeldPage {
    fn is_refused(&self, id: &HeldId) -> bool {
        self.refused == Some(*id)
    }
}

async fn show(State(app): State<App>, who: Resident) -> Result<Response> {
    shown(&app, &who, None, (Fields::default(), Wrong::default())).await
}

async fn shown(
    app: &App,
    who: &Resident,
    refused: Option<HeldId>,
    (typed, wrong): (Fields, Wrong),
) -> Result<Response> {
    let held = moderation::queries::own(app, &who.actor, None).await?;
    let shown = HeldPage { page: who.page("page-held").at("/held"), held, refused, typed, wrong };
    Ok(render_as(shown.wrong.status(), &shown))
}

async fn appeal(State(app): State<App>, who: Resident, Path(id): Path<HeldId>, form: Fields) -> Result<Response> {
    let input = (id, AppealHeld { text: form.text("text").replace("\r\n", "\n") });
    let done = app.once(who.actor.clone(), form.key(), "appeal_held", input, |tx, actor, input| {
        Box::pin(moderation::commands::appeal(tx, actor, input))
    });
    match done.await {
        Ok(_) => Ok(see("/held")),
        Err(error) => {
            let wrong = Wrong::from(error)?;
            shown(&app, &who, Some(id), (form, wrong)).await
        }
    }
}

/// Decides in the conversation, and leads back to it.
async fn decide(State(app): State<App>, who: Resident, Path(id): Path<HeldId>, form: Fields) -> Result<Response> {
    let input = (id, DecideHeld { approve: form.required("approve")?, reason: form.text("reason").to_owned() });
    let done = app.once(who.actor.clone(), form.key(), "decide_held", input, |tx, actor, input| {
        Box::pin(moderation::commands::decide(tx, actor, input))
    });
    let held = done.await?;
    Ok(see(&format!("/streams/{}", held.stream_id)))
}
