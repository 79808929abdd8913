//! 会员推荐 on the desk: who is recommended for a council, for whoever leads it, checks for the party, or fills its seats.
use askama::Template;
use axum::{extract::State, response::Response};
use serde::Deserialize;

use super::frame::{Clerk, Desk, Draft};
use crate::{
    app::{App, Query},
    bodies::{
        self, Body,
        recommendations::{self, DecideRecommendation, RecommendationView},
        rules::RecommendationState,
    },
    error::Result,
    ids::{BodyId, RecommendationId},
    pages::{
        fields::Fields,
        layout::{Page, encode, render_as, see},
        words::Words,
    },
    text,
};

/// Of which council.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Filter {
    body: Option<BodyId>,
}

#[derive(Template)]
#[template(path = "desk/recommendations.html")]
struct RecommendationsPage {
    page: Page,
    desk: Desk,
    draft: Draft,
    /// Those of which the clerk sees everybody.
    councils: Vec<Body>,
    body: Option<BodyId>,
    list: Vec<RecommendationView>,
    may_check: bool,
    may_settle: bool,
}

impl RecommendationsPage {
    fn is_here(&self, council: &Body) -> bool {
        self.body == Some(council.id)
    }

    /// What the clerk may decide about it now; nothing: it waits for somebody else.
    fn outcomes(&self, one: &RecommendationView) -> &'static [&'static str] {
        match one.state {
            _ if one.is_own || one.is_about_me => &[],
            RecommendationState::Waiting if self.may_check => &["fit", "unfit"],
            RecommendationState::Fit if self.may_settle => &["seated", "not_elected"],
            _ => &[],
        }
    }

    /// What was typed about it when that was refused.
    fn note(&self, one: &RecommendationView) -> &str {
        let is_it = self.draft.text("decide", "recommendation_id", "") == one.id.to_string();
        if is_it { self.draft.text("decide", "note", "") } else { "" }
    }
}

/// The page.
pub(super) async fn show(State(app): State<App>, clerk: Clerk, Query(filter): Query<Filter>) -> Result<Response> {
    shown(&app, &clerk, (filter.body, Draft::default())).await
}

async fn shown(app: &App, clerk: &Clerk, (asked, draft): (Option<BodyId>, Draft)) -> Result<Response> {
    let db = app.store.read();
    let mut councils = Vec::new();
    for area in clerk.areas() {
        councils.extend(bodies::queries::over(db, &area).await?);
    }
    // who fills the seats of a town's councils names one
    if let Some(id) = asked {
        councils.extend(bodies::queries::bodies(db, vec![id]).await?);
    }
    councils.retain(|one| recommendations::sees_all(&clerk.actor, one));
    councils.sort_by(|one, other| one.name.cmp(&other.name).then(one.id.cmp(&other.id)));
    councils.dedup_by_key(|one| one.id);
    let here = councils.iter().find(|one| Some(one.id) == asked).or(councils.first());
    let list = match here {
        Some(body) => recommendations::list(db, &clerk.actor, body.id).await?,
        None => Vec::new(),
    };
    let shown = RecommendationsPage {
        page: clerk.page(text::say("desk-recommendations")).at("/desk/recommendations"),
        desk: clerk.desk(),
        draft,
        body: here.map(|one| one.id),
        list,
        may_check: here.is_some_and(|one| recommendations::checks_for(&clerk.actor, one)),
        may_settle: here.is_some_and(|one| recommendations::settles(&clerk.actor, one)),
        councils,
    };
    Ok(render_as(shown.draft.status(), &shown))
}

/// Decides about one.
pub(super) async fn decide(State(app): State<App>, clerk: Clerk, fields: Fields) -> Result<Response> {
    let body: BodyId = fields.required("body_id")?;
    match decided(&app, &clerk, &fields).await {
        Ok(()) => Ok(see(&format!("/desk/recommendations?body={}", encode(&body.to_string())))),
        Err(error) => shown(&app, &clerk, (Some(body), Draft::refused("decide", fields, error)?)).await,
    }
}

async fn decided(app: &App, clerk: &Clerk, fields: &Fields) -> Result<()> {
    let id: RecommendationId = fields.required("recommendation_id")?;
    let note = fields.text("note").to_owned();
    let input = (id, DecideRecommendation { outcome: fields.choice("outcome")?, note });
    let decide = app.once(clerk.actor.clone(), fields.key(), "decide_recommendation", input, |tx, actor, input| {
        Box::pin(recommendations::decide(tx, actor, input))
    });
    decide.await.map(drop)
}
