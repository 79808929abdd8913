//! Held messages on the desk: what waits for a decision, and appeals, in the clerk's areas; and whether photos and clips of public
//! voices wait there, too.
use askama::Template;
use axum::{extract::State, response::Response};

use super::frame::{Clerk, Desk, Draft, places};
use crate::{
    app::{App, Query},
    areas::AreaName,
    bodies::Right,
    error::Result,
    ids::HeldId,
    moderation::{self, DecideHeld, HeldView},
    pages::{
        fields::{Fields, WhichArea},
        layout::{Page, encode, render_as, see},
        words::Words,
    },
    suggestions::media_review::{self, MediaReviewView, SetMediaReview},
    text,
};

#[derive(Template)]
#[template(path = "desk/held.html")]
struct HeldPage {
    page: Page,
    desk: Desk,
    draft: Draft,
    areas: Vec<AreaName>,
    area: String,
    waiting: Vec<HeldView>,
    media_review: MediaReviewView,
}

impl HeldPage {
    /// Does an office above say so?
    fn is_from_above(&self) -> bool {
        self.media_review.area_code.as_ref().is_some_and(|area| *area != self.area)
    }
}

/// The page.
pub(super) async fn show(State(app): State<App>, clerk: Clerk, Query(filter): Query<WhichArea>) -> Result<Response> {
    shown(&app, &clerk, (filter, Draft::default())).await
}

async fn shown(app: &App, clerk: &Clerk, (filter, draft): (WhichArea, Draft)) -> Result<Response> {
    let area = clerk.place_with(Right::Moderate, filter.area)?;
    let shown = HeldPage {
        page: clerk.page(text::say("desk-held")).at("/desk/held"),
        desk: clerk.desk(),
        draft,
        areas: places(app.store.read(), clerk, &area).await?,
        waiting: moderation::queries::waiting(app, &clerk.actor, &area).await?,
        media_review: media_review::read(app.store.read(), &area).await?,
        area,
    };
    Ok(render_as(shown.draft.status(), &shown))
}

/// Decides about one, or about its appeal.
pub(super) async fn decide(State(app): State<App>, clerk: Clerk, fields: Fields) -> Result<Response> {
    let area = fields.text("area").to_owned();
    let done = async {
        let id: HeldId = fields.required("held_id")?;
        let decision = DecideHeld { approve: fields.required("approve")?, reason: fields.text("reason").to_owned() };
        if fields.has("appeal", "1") {
            app.once(clerk.actor.clone(), fields.key(), "decide_held_appeal", (id, decision), |tx, actor, input| {
                Box::pin(moderation::commands::decide_appeal(tx, actor, input))
            })
            .await
        } else {
            app.once(clerk.actor.clone(), fields.key(), "decide_held", (id, decision), |tx, actor, input| {
                Box::pin(moderation::commands::decide(tx, actor, input))
            })
            .await
        }
    };
    match done.await {
        Ok(_) => Ok(see(&format!("/desk/held?area={}", encode(&area)))),
        Err(error) => {
            let form = fields.text("held_id").to_owned();
            let draft = Draft::refused(&form, fields, error)?;
            shown(&app, &clerk, (WhichArea { area: Some(area) }, draft)).await
        }
    }
}

/// Whether photos and clips of public voices are looked at first.
pub(super) async fn set_media_review(State(app): State<App>, clerk: Clerk, fields: Fields) -> Result<Response> {
    let area = fields.text("area").to_owned();
    let input = (area.clone(), SetMediaReview { is_on: fields.has("is_on", "1") });
    let set = app.once(clerk.actor.clone(), fields.key(), "set_media_review", input, |tx, actor, input| {
        Box::pin(media_review::set(tx, actor, input))
    });
    set.await?;
    Ok(see(&format!("/desk/held?area={}", encode(&area))))
}
