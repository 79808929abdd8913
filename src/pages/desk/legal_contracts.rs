//! Contracts on the desk: a body sends one to the legal officers, who say what is to be said of it.
use askama::Template;
use axum::{extract::State, response::Response};
use chrono::{DateTime, Utc};
use sea_orm::Iterable;

use super::{
    frame::{Clerk, Desk, Draft, Due, places},
    matters::under_way,
};
use crate::{
    actor::HeldSeat,
    app::{App, Path, Query},
    areas::AreaName,
    bodies::Right,
    error::Result,
    ids::{ContractReviewId, MediaId},
    legal::{
        AskContractReview, ContractOutcome, ContractReviewView, GiveContractOpinion,
        contracts::{self, ContractsQuery},
        rules::asking,
    },
    matters::MatterSummary,
    pages::{
        fields::{Fields, Form, Sent, WhichArea, with_files},
        layout::{Page, render_as, see},
        words::{Words, wire},
    },
    text,
};

#[derive(Template)]
#[template(path = "desk/legal_contracts.html")]
struct ContractsPage {
    page: Page,
    desk: Desk,
    draft: Draft,
    areas: Vec<AreaName>,
    area: String,
    rows: Vec<ContractReviewView>,
    /// The bodies in whose name the clerk may send one.
    seats: Vec<HeldSeat>,
    /// The matters that it may serve.
    matters: Vec<MatterSummary>,
    /// Photos that were sent along with a form that was refused.
    kept: Vec<MediaId>,
    now: DateTime<Utc>,
}

impl ContractsPage {
    fn due(&self, one: &ContractReviewView) -> Due {
        Due::seen(one.due_at, self.now)
    }
}

/// The contracts of the clerk's bodies in an area, and the form for another.
pub(super) async fn list(State(app): State<App>, clerk: Clerk, Query(filter): Query<WhichArea>) -> Result<Response> {
    listed(&app, &clerk, filter.area.as_deref(), (Vec::new(), Draft::default())).await
}

async fn listed(
    app: &App,
    clerk: &Clerk,
    area: Option<&str>,
    (kept, draft): (Vec<MediaId>, Draft),
) -> Result<Response> {
    let db = app.store.read();
    let area = clerk.place(area);
    let seats: Vec<HeldSeat> = asking(&clerk.actor, &area).cloned().collect();
    let matters = if seats.is_empty() { Vec::new() } else { under_way(app, &area).await? };
    let shown = ContractsPage {
        page: clerk.page(text::say("desk-contracts")).at("/desk/legal/contracts"),
        desk: clerk.desk(),
        draft,
        areas: places(db, clerk, &area).await?,
        rows: contracts::list(db, &clerk.actor, &ContractsQuery { area: Some(area.clone()) }).await?,
        seats,
        matters,
        kept,
        now: app.now(),
        area,
    };
    Ok(render_as(shown.draft.status(), &shown))
}

/// Sends one.
pub(super) async fn ask(State(app): State<App>, clerk: Clerk, form: Form) -> Result<Response> {
    let mut sent = with_files(&app, &clerk.actor, form).await?;
    match send(&app, &clerk, &mut sent).await {
        Ok(review) => Ok(see(&format!("/desk/legal/contracts/{}", review.id))),
        Err(error) => {
            let area = sent.fields.text("area").to_owned();
            listed(&app, &clerk, Some(&area), Draft::refused_with("ask", sent, error)?).await
        }
    }
}

async fn send(app: &App, clerk: &Clerk, sent: &mut Sent) -> Result<ContractReviewView> {
    sent.whole()?;
    let fields = &sent.fields;
    let input = AskContractReview {
        area_code: fields.text("area").to_owned(),
        body_id: fields.required("body_id")?,
        matter_id: fields.optional("matter_id")?,
        title: fields.text("title").to_owned(),
        text: fields.text("text").to_owned(),
        photos: sent.media(),
    };
    let ask = app.once(clerk.actor.clone(), fields.key(), "ask_contract_review", input, |tx, actor, input| {
        Box::pin(contracts::ask(tx, actor, input))
    });
    ask.await
}

#[derive(Template)]
#[template(path = "desk/legal_contract.html")]
struct ContractPage {
    page: Page,
    desk: Desk,
    draft: Draft,
    review: ContractReviewView,
    due: Due,
    may_answer: bool,
    outcomes: Vec<String>,
}

/// One of them.
pub(super) async fn show(State(app): State<App>, clerk: Clerk, Path(id): Path<ContractReviewId>) -> Result<Response> {
    shown(&app, &clerk, (id, Draft::default())).await
}

async fn shown(app: &App, clerk: &Clerk, (id, draft): (ContractReviewId, Draft)) -> Result<Response> {
    let review = contracts::read(app.store.read(), &clerk.actor, id).await?;
    let shown = ContractPage {
        page: clerk.page(review.title.clone()).at(format!("/desk/legal/contracts/{id}")),
        desk: clerk.desk(),
        draft,
        due: Due::seen(review.due_at, app.now()),
        may_answer: review.opinion.is_none()
            && review.asked_by_id != clerk.actor.person
            && clerk.may(Right::NoteLegality, &review.area_code),
        outcomes: ContractOutcome::iter().map(wire).collect(),
        review,
    };
    Ok(render_as(shown.draft.status(), &shown))
}

/// Says what is to be said of it.
pub(super) async fn answer(
    State(app): State<App>,
    clerk: Clerk,
    Path(id): Path<ContractReviewId>,
    fields: Fields,
) -> Result<Response> {
    // of one that is hidden it is not told what was wrong with a form about it
    contracts::read(app.store.read(), &clerk.actor, id).await?;
    match give(&app, &clerk, (id, &fields)).await {
        Ok(()) => Ok(see(&format!("/desk/legal/contracts/{id}"))),
        Err(error) => shown(&app, &clerk, (id, Draft::refused("opinion", fields, error)?)).await,
    }
}

async fn give(app: &App, clerk: &Clerk, (id, fields): (ContractReviewId, &Fields)) -> Result<()> {
    let input = (id, GiveContractOpinion { outcome: fields.choice("outcome")?, text: fields.text("text").to_owned() });
    let give = app.once(clerk.actor.clone(), fields.key(), "give_contract_opinion", input, |tx, actor, input| {
        Box::pin(contracts::give_opinion(tx, actor, input))
    });
    give.await.map(drop)
}
