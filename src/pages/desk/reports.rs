//! Reports on the desk: what waits for a decision in the clerk's areas.
use askama::Template;
use axum::{extract::State, response::Response};

use super::frame::{Clerk, Desk, Draft, places};
use crate::{
    app::{App, Query},
    areas::AreaName,
    bodies::Right,
    error::Result,
    ids::ReportId,
    pages::{
        fields::{Fields, WhichArea},
        layout::{Page, encode, render_as, see},
        words::Words,
    },
    reports::{self, DecideReport, ReportView},
    text,
};

#[derive(Template)]
#[template(path = "desk/reports.html")]
struct ReportsPage {
    page: Page,
    desk: Desk,
    draft: Draft,
    areas: Vec<AreaName>,
    area: String,
    waiting: Vec<ReportView>,
    /// What was taken away just now: whose it was is known from then on.
    removed: Option<ReportView>,
}

/// The page.
pub(super) async fn show(State(app): State<App>, clerk: Clerk, Query(filter): Query<WhichArea>) -> Result<Response> {
    shown(&app, &clerk, (filter, Draft::default()), None).await
}

async fn shown(
    app: &App,
    clerk: &Clerk,
    (filter, draft): (WhichArea, Draft),
    removed: Option<ReportView>,
) -> Result<Response> {
    let area = clerk.place_with(Right::Moderate, filter.area)?;
    let shown = ReportsPage {
        page: clerk.page(text::say("desk-reports")).at("/desk/reports"),
        desk: clerk.desk(),
        draft,
        areas: places(app.store.read(), clerk, &area).await?,
        waiting: reports::queries::open_in(app, &clerk.actor, &area).await?,
        removed,
        area,
    };
    Ok(render_as(shown.draft.status(), &shown))
}

/// Decides about one.
pub(super) async fn decide(State(app): State<App>, clerk: Clerk, fields: Fields) -> Result<Response> {
    let area = fields.text("area").to_owned();
    let removes = fields.has("remove", "true");
    let done = async {
        let id: ReportId = fields.required("report_id")?;
        let decision = DecideReport { remove: fields.required("remove")?, reason: fields.text("reason").to_owned() };
        app.once(clerk.actor.clone(), fields.key(), "decide_report", (id, decision), |tx, actor, input| {
            Box::pin(reports::commands::decide(tx, actor, input))
        })
        .await
    };
    match done.await {
        // the name goes into no address
        Ok(report) if removes => {
            shown(&app, &clerk, (WhichArea { area: Some(area) }, Draft::default()), Some(report)).await
        }
        Ok(_) => Ok(see(&format!("/desk/reports?area={}", encode(&area)))),
        Err(error) => {
            let form = fields.text("report_id").to_owned();
            let draft = Draft::refused(&form, fields, error)?;
            shown(&app, &clerk, (WhichArea { area: Some(area) }, draft), None).await
        }
    }
}
