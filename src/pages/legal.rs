//! `/legal`: who the legal officers of a village are, when they are there, and what they answered to the questions of others.
use askama::Template;
use axum::{Router, extract::State, response::Response};

use super::{
    fields::WhichArea,
    layout::{Page, Viewer, render},
    words::Words,
};
use crate::{
    app::{App, Query, routing::get},
    areas,
    error::{Code, Result},
    legal::{LegalOfficerView, MediationView, mediations, officers},
    suggestions::queries::{Consultation, consulted},
    text,
};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/legal", get(show))
}

#[derive(Template)]
#[template(path = "legal.html")]
struct LegalPage {
    page: Page,
    officers: Vec<LegalOfficerView>,
    /// For who sees what is public there.
    consultations: Vec<Consultation>,
    /// Those that are held for the viewer.
    mediations: Vec<MediationView>,
}

async fn show(State(app): State<App>, viewer: Viewer, Query(which): Query<WhichArea>) -> Result<Response> {
    let db = app.store.read();
    let own = viewer.actor.as_ref().map(|actor| actor.area.clone());
    let area = match which.area.filter(|area| !area.is_empty()).or(own) {
        Some(area) => area,
        None => areas::queries::children(db, None).await?.into_iter().next().ok_or(Code::NotFound)?.code,
    };
    let found = officers::of_area(db, &area, app.now()).await?;
    let people = found.iter().map(|(_, seat, _)| seat.person_id).collect();
    let sees = viewer.actor.as_ref().is_some_and(|actor| actor.sees(&area));
    let consultations = if sees { consulted(db, &app.keys, (&area, people)).await? } else { Vec::new() };
    let name = areas::name(db, &area).await?;
    let title = text::say_with("page-legal-of", &[("area", name.into())]);
    let page = viewer.page("page-legal").titled(title).at("/legal");
    let officers = found.into_iter().map(|(_, _, view)| view).collect();
    let mediations = match viewer.actor.as_ref() {
        Some(actor) => mediations::of_party(db, &app.keys, actor).await?,
        None => Vec::new(),
    };
    Ok(render(&LegalPage { page, officers, consultations, mediations }))
}
