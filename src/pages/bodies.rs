//! `/bodies/{id}`: a body for everybody: who sits in it, who sat in its terms, the election that comes, what a council did.
//! Whoever lives there recommends members for a council there (`/recommendations/{id}/withdraw` takes that back).
//! `/bodies/{id}/charter`: its charter, version by version, with what changed.
use askama::Template;
use axum::{Router, extract::State, response::Response};

use super::{
    fields::Fields,
    layout::{Page, Resident, Viewer, render, see},
    words::Words,
};
use crate::{
    app::{
        App, Path, Query,
        routing::{get, post},
    },
    bodies::{
        self, SeatView,
        charter::{self, BodyCharter, BodyCharterQuery},
        elections::{self, ElectionView, TermHistory},
        queries::Body,
        recommendations::{self, RecommendMember, RecommendationView},
        rules::RecommendationState,
        services::{self, ServiceView},
    },
    error::Result,
    ids::{BodyId, RecommendationId},
    matters::rules::changes::{Change, Fate, between},
    text,
};

/// Things that a council did, of which the page shows so many.
const SHOWN: usize = 20;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/bodies/{id}", get(show))
        .route("/bodies/{id}/charter", get(show_charter))
        .route("/bodies/{id}/recommendations", post(recommend))
        .route("/recommendations/{id}/withdraw", post(withdraw))
}

#[derive(Template)]
#[template(path = "body.html")]
struct BodyPage {
    page: Page,
    body: Body,
    seats: Vec<SeatView>,
    election: Option<ElectionView>,
    terms: Vec<TermHistory>,
    services: Vec<ServiceView>,
    /// Versions of its charter.
    charters: i32,
    /// May the viewer recommend somebody for it?
    may_recommend: bool,
    recommended: Vec<RecommendationView>,
}

impl BodyPage {
    fn is_open(&self, one: &RecommendationView) -> bool {
        matches!(one.state, RecommendationState::Waiting | RecommendationState::Fit)
    }
}

async fn show(State(app): State<App>, viewer: Viewer, Path(id): Path<BodyId>) -> Result<Response> {
    let db = app.store.read();
    let body = bodies::get(db, id).await?;
    let terms = elections::history(db, id).await?;
    let mut services = services::list(db, id).await?;
    services.truncate(SHOWN);
    let may_recommend = viewer.actor.as_ref().is_some_and(|actor| recommendations::recommends(actor, &body));
    let mut recommended = match &viewer.actor {
        Some(actor) if may_recommend => recommendations::list(db, actor, id).await?,
        _ => Vec::new(),
    };
    recommended.retain(|one| one.is_own);
    let shown = BodyPage {
        page: viewer.page("page-body").titled(body.name.clone()).at(format!("/bodies/{id}")),
        seats: bodies::members_of(db, id, app.now()).await?,
        election: terms.iter().find_map(|term| term.election.clone()),
        charters: charter::versions(db, id).await?,
        body,
        terms,
        services,
        may_recommend,
        recommended,
    };
    Ok(render(&shown))
}

#[derive(Template)]
#[template(path = "body_charter.html")]
struct CharterPage {
    page: Page,
    charter: BodyCharter,
    changes: Vec<Change>,
}

impl CharterPage {
    fn versions(&self) -> std::ops::RangeInclusive<i32> {
        1..=self.charter.versions
    }

    fn is_added(&self, fate: &Fate) -> bool {
        *fate == Fate::Added
    }

    fn is_removed(&self, fate: &Fate) -> bool {
        *fate == Fate::Removed
    }

    fn is_shown(&self, version: &i32) -> bool {
        self.charter.version == *version
    }
}

async fn show_charter(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<BodyId>,
    Query(which): Query<BodyCharterQuery>,
) -> Result<Response> {
    let db = app.store.read();
    let charter = charter::read(db, (id, which.version)).await?;
    let changes = match charter.version {
        1 => Vec::new(),
        version => between(&charter::read(db, (id, Some(version - 1))).await?.text, &charter.text),
    };
    let name = bodies::queries::name(db, id).await?;
    let page = viewer.page("page-charter").titled(text::say_with("page-charter-of", &[("body", name.into())]));
    let page = page.back(format!("/bodies/{id}")).at(format!("/bodies/{id}/charter"));
    Ok(render(&CharterPage { page, charter, changes }))
}

async fn recommend(State(app): State<App>, who: Resident, Path(id): Path<BodyId>, fields: Fields) -> Result<Response> {
    let name = fields.given("name").map(str::to_owned);
    let input = (id, RecommendMember { name, reason: fields.text("reason").to_owned() });
    let recommended = app.once(who.actor.clone(), fields.key(), "recommend_member", input, |tx, actor, input| {
        Box::pin(recommendations::recommend(tx, actor, input))
    });
    recommended.await?;
    Ok(see(&format!("/bodies/{id}#recommend")))
}

async fn withdraw(State(app): State<App>, who: Resident, Path(id): Path<RecommendationId>) -> Result<Response> {
    let actor = who.actor.clone();
    let withdraw = app.store.write(move |tx| Box::pin(async move { recommendations::withdraw(tx, &actor, id).await }));
    let body = withdraw.await?.body_id;
    Ok(see(&format!("/bodies/{body}#recommend")))
}
