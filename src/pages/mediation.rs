//! `/legal/mediations/{id}`: a mediation, for those between whom it is held; to everybody else there is none.
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
    ids::MediationId,
    legal::{
        mediations::{self, EndMediation, MediationView},
        rules::MediationState,
    },
};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/legal/mediations/{id}", get(show))
        .route("/legal/mediations/{id}/withdraw", post(withdraw).merge(get(up)))
}

#[derive(Template)]
#[template(path = "mediation.html")]
struct MediationPage {
    page: Page,
    one: MediationView,
    wrong: Wrong,
    typed: Fields,
}

impl MediationPage {
    /// Whoever holds it ends it on the desk.
    fn may_withdraw(&self) -> bool {
        self.one.state == MediationState::Opened && !self.one.is_officer
    }
}

async fn show(State(app): State<App>, who: Resident, Path(id): Path<MediationId>) -> Result<Response> {
    shown(&app, &who, (id, Wrong::default(), Fields::default())).await
}

async fn shown(app: &App, who: &Resident, (id, wrong, typed): (MediationId, Wrong, Fields)) -> Result<Response> {
    let one = mediations::read(app.store.read(), &app.keys, &who.actor, id).await?;
    let page = who.page("page-mediation").back("/legal").at(format!("/legal/mediations/{id}"));
    let status = wrong.status();
    Ok(render_as(status, &MediationPage { page, one, wrong, typed }))
}

async fn withdraw(
    State(app): State<App>,
    who: Resident,
    Path(id): Path<MediationId>,
    fields: Fields,
) -> Result<Response> {
    let input = EndMediation {
        state: MediationState::Withdrawn,
        outcome: fields.text("reason").to_owned(),
        agreement: String::new(),
        photos: Vec::new(),
        follow_up_on: None,
    };
    let end = app.once(who.actor.clone(), fields.key(), "end_mediation", (id, input), |tx, actor, input| {
        Box::pin(mediations::end(tx, actor, input))
    });
    match end.await {
        Ok(()) => Ok(see(&format!("/legal/mediations/{id}"))),
        Err(error) => shown(&app, &who, (id, Wrong::from(error)?, fields)).await,
    }
}
