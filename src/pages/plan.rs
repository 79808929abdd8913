//! `/matters/{id}/plan`: what is to be done about a matter, version by version, with what changed.
use askama::Template;
use axum::{Router, extract::State, response::Response};

use super::{
    layout::{Page, Viewer, render},
    words::Words,
};
use crate::{
    app::{App, Path, Query, routing::get},
    error::Result,
    ids::MatterId,
    matters::{
        Fate, PlanView,
        queries::{PlanQuery, plan},
    },
};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/matters/{id}/plan", get(show))
}

#[derive(Template)]
#[template(path = "plan.html")]
struct PlanPage {
    page: Page,
    plan: PlanView,
}

impl PlanPage {
    fn versions(&self) -> std::ops::RangeInclusive<i32> {
        1..=self.plan.versions
    }

    fn is_added(&self, fate: &Fate) -> bool {
        *fate == Fate::Added
    }

    fn is_removed(&self, fate: &Fate) -> bool {
        *fate == Fate::Removed
    }

    fn is_shown(&self, version: &i32) -> bool {
        self.plan.version == *version
    }
}

async fn show(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<MatterId>,
    Query(which): Query<PlanQuery>,
) -> Result<Response> {
    let plan = plan(app.store.read(), (id, which.version)).await?;
    let page = viewer.page("page-plan").back(format!("/matters/{id}")).at(format!("/matters/{id}/plan"));
    Ok(render(&PlanPage { page, plan }))
}
