//! `/bodies/{id}`: a body for everybody: who sits in it, who sat in its terms, the election that comes, what a council did.
//! Whoever lives there recommends members for a council there (`/recommendations/{id}/withdraw` takes that back, or oneself out).
//! `/bodies/{id}/charter`: its charter, version by version, with what changed.
use askama::Template;
use axum::{Router, extract::State, response::Response};

use super::{
    fields::{Fields, Wrong},
    layout::{Page, Resident, Viewer, render, render_as, see, up},
    words::Words,
};
use crate::{
    app::{
        App, Path, Query,
        routing::{get, post},
    },
    bodies::{
        self, BodyKind, SeatView,
        charter::{self, BodyCharter, BodyCharterQuery},
        elections::{self, ElectionView, TermHistory},
        queries::Body,
        recommendations::{self, RecommendMember, RecommendationView},
        rules::RecommendationState,
        services::{self, ServiceView},
    },
    error::{Code, Result},
    ids::{BodyId, RecommendationId},
    matters::rules::changes::{Change, Fate, between},
    people, text,
};

/// Things that a council did, of which the page shows so many.
const SHOWN: usize = 20;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/bodies/{id}", get(show))
        .route("/bodies/{id}/charter", get(show_charter))
        .route("/bodies/{id}/recommendations", post(recommend).merge(get(up)))
        .route("/recommendations/{id}/withdraw", post(withdraw).merge(get(lead)))
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
    /// Whom the viewer recommended, and that the viewer was.
    recommended: Vec<RecommendationView>,
    typed: Fields,
    wrong: Wrong,
}

impl BodyPage {
    fn is_open(&self, one: &RecommendationView) -> bool {
        matches!(one.state, RecommendationState::Waiting | RecommendationState::Fit)
    }
}

async fn show(State(app): State<App>, viewer: Viewer, Path(id): Path<BodyId>) -> Result<Response> {
    shown(&app, &viewer, (id, Fields::default(), Wrong::default())).await
}

async fn shown(app: &App, viewer: &Viewer, (id, typed, wrong): (BodyId, Fields, Wrong)) -> Result<Response> {
    let db = app.store.read();
    let body = bodies::get(db, id).await?;
    let terms = elections::history(db, id).await?;
    let mut services = services::list(db, id).await?;
    services.truncate(SHOWN);
    let (mut may_recommend, mut recommended) = (false, Vec::new());
    if let Some(actor) = viewer.actor.as_ref().filter(|_| body.kind == BodyKind::Council) {
        may_recommend = recommendations::recommends(actor, &body)
            && people::queries::is_of_age(db, actor.person, app.now()).await?;
        recommended = recommendations::list(db, actor, id).await?;
        recommended.retain(|one| one.is_own || one.is_about_me);
    }
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
        typed,
        wrong,
    };
    Ok(render_as(shown.wrong.status(), &shown))
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
    match recommended.await {
        Ok(_) => Ok(see(&format!("/bodies/{id}#recommend"))),
        Err(error) => shown(&app, &who.viewer, (id, fields, Wrong::from(error)?)).await,
    }
}

/// Where nothing can be read: to the council's page.
async fn lead(State(app): State<App>, Path(id): Path<RecommendationId>) -> Result<Response> {
    let told = recommendations::told(app.store.read(), id).await?.ok_or(Code::NotFound)?;
    Ok(see(&format!("/bodies/{}#recommend", told.body)))
}

async fn withdraw(State(app): State<App>, who: Resident, Path(id): Path<RecommendationId>) -> Result<Response> {
    let actor = who.actor.clone();
    let withdraw = app.store.write(move |tx| Box::pin(async move { recommendations::withdraw(tx, &actor, id).await }));
    let body = withdraw.await?.body_id;
    Ok(see(&format!("/bodies/{body}#recommend")))
}
