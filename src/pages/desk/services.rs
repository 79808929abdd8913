//! 服务记录和章程 on the desk: what a council did for people, and its charter, written down by who leads it.
use askama::Template;
use axum::{extract::State, response::Response};
use serde::Deserialize;

use super::frame::{Clerk, Desk, Draft};
use crate::{
    app::{App, Path, Query},
    bodies::{
        self, Body,
        charter::{self, BodyCharter, WriteBodyCharter},
        rules::CouncilFunction,
        services::{self, RecordService, ServiceView, WithdrawService},
    },
    clock,
    error::{Code, Result},
    ids::{BodyId, ServiceRecordId},
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
#[template(path = "desk/services.html")]
struct ServicesPage {
    page: Page,
    desk: Desk,
    draft: Draft,
    /// Those that the clerk leads.
    councils: Vec<Body>,
    body: BodyId,
    groups: Vec<String>,
    records: Vec<ServiceView>,
    functions: [CouncilFunction; 6],
    charter: Option<BodyCharter>,
    /// Version and text of the charter, with which the form begins.
    version: i32,
    written: String,
    today: String,
}

impl ServicesPage {
    fn is_here(&self, council: &Body) -> bool {
        self.body == council.id
    }
}

/// The page.
pub(super) async fn show(State(app): State<App>, clerk: Clerk, Query(filter): Query<Filter>) -> Result<Response> {
    shown(&app, &clerk, (filter.body, Draft::default())).await
}

async fn shown(app: &App, clerk: &Clerk, (asked, draft): (Option<BodyId>, Draft)) -> Result<Response> {
    let db = app.store.read();
    let mut led: Vec<BodyId> = clerk.actor.seats.iter().map(|seat| seat.body_id).collect();
    led.retain(|body| services::keeps(&clerk.actor, *body));
    let councils = bodies::queries::bodies(db, led).await?;
    let here = councils.iter().find(|one| Some(one.id) == asked).or(councils.first());
    let body = here.map(|one| one.id).ok_or(Code::NotAllowed)?;
    let seats = bodies::members_of(db, body, app.now()).await?;
    let mut groups: Vec<String> = seats.into_iter().filter_map(|seat| seat.service_group).collect();
    groups.sort();
    groups.dedup();
    let charter = match charter::versions(db, body).await? {
        0 => None,
        _ => Some(charter::read(db, (body, None)).await?),
    };
    let shown = ServicesPage {
        page: clerk.page(text::say("desk-services")).at("/desk/services"),
        desk: clerk.desk(),
        draft,
        records: services::list(db, body).await?,
        functions: CouncilFunction::ALL,
        today: clock::local_date(app.now()).to_string(),
        councils,
        body,
        groups,
        version: charter.as_ref().map_or(0, |one| one.version),
        written: charter.as_ref().map(|one| one.text.clone()).unwrap_or_default(),
        charter,
    };
    Ok(render_as(shown.draft.status(), &shown))
}

/// Writes something down, or takes it back; or writes the charter.
pub(super) async fn act(
    State(app): State<App>,
    clerk: Clerk,
    Path(form): Path<String>,
    fields: Fields,
) -> Result<Response> {
    let body: BodyId = fields.required("body_id")?;
    let done = match form.as_str() {
        "record" => record(&app, &clerk, body, &fields).await,
        "withdraw" => withdraw(&app, &clerk, &fields).await,
        "charter" => adopt(&app, &clerk, body, &fields).await,
        _ => Err(Code::NotFound.into()),
    };
    match done {
        Ok(()) => Ok(see(&format!("/desk/services?body={}", encode(&body.to_string())))),
        Err(error) => shown(&app, &clerk, (Some(body), Draft::refused(&form, fields, error)?)).await,
    }
}

async fn record(app: &App, clerk: &Clerk, body: BodyId, fields: &Fields) -> Result<()> {
    let input = RecordService {
        done_on: fields.required("done_on")?,
        function: fields.choice("function")?,
        text: fields.text("text").to_owned(),
        service_group: fields.given("service_group").map(str::to_owned),
        people: fields.optional("people")?.unwrap_or_default(),
    };
    let record = app.once(clerk.actor.clone(), fields.key(), "record_service", (body, input), |tx, actor, input| {
        Box::pin(services::record(tx, actor, input))
    });
    record.await.map(drop)
}

async fn withdraw(app: &App, clerk: &Clerk, fields: &Fields) -> Result<()> {
    let record: ServiceRecordId = fields.required("record_id")?;
    let input = (record, WithdrawService { reason: fields.text("reason").to_owned() });
    let withdraw = app.once(clerk.actor.clone(), fields.key(), "withdraw_service", input, |tx, actor, input| {
        Box::pin(services::withdraw(tx, actor, input))
    });
    withdraw.await.map(drop)
}

async fn adopt(app: &App, clerk: &Clerk, body: BodyId, fields: &Fields) -> Result<()> {
    let input = WriteBodyCharter {
        version: fields.optional("version")?.unwrap_or_default(),
        text: fields.text("text").to_owned(),
        adopted_on: fields.required("adopted_on")?,
        source: fields.text("source").to_owned(),
    };
    let actor = clerk.actor.clone();
    app.store.write(move |tx| Box::pin(async move { charter::write(tx, &actor, (body, input)).await })).await.map(drop)
}
