//! Residents' requests at the desk: phones to be bound, things on the roster to be put right, a lost phone told in person.
use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};

use super::frame::{Clerk, Desk, Draft, Due};
use crate::{
    app::App,
    bodies::{self, Right},
    claims::{self, ClaimAtOffice, ClaimView, DecideClaim},
    error::{Checks, Code, Result},
    ids::{ClaimId, CorrectionId},
    pages::{
        fields::Fields,
        layout::{Page, render_as, see},
        words::Words,
    },
    people,
    privacy::{self, CorrectionView, DecideCorrection},
    text,
};

#[derive(Template)]
#[template(path = "desk/requests.html")]
struct RequestsPage {
    page: Page,
    desk: Desk,
    draft: Draft,
    areas: Vec<String>,
    claims: Vec<(ClaimView, Due)>,
    corrections: Vec<(CorrectionView, Due)>,
}

/// The page.
pub(super) async fn show(State(app): State<App>, clerk: Clerk) -> Result<Response> {
    shown(&app, &clerk, Draft::default()).await
}

async fn shown(app: &App, clerk: &Clerk, draft: Draft) -> Result<Response> {
    let areas = bodies::areas_with(&clerk.actor, Right::ImportRoster);
    if areas.is_empty() {
        return Err(Code::NotAllowed.into());
    }
    let (mut waiting, mut corrections) = (Vec::new(), Vec::new());
    for area in &areas {
        let seen = |at| Due::seen(at, app.now());
        waiting.extend(claims::queries::waiting(app, &clerk.actor, area).await?.into_iter().map(|one| {
            let due = seen(one.due_at);
            (one, due)
        }));
        corrections.extend(privacy::corrections_waiting(app, &clerk.actor, area).await?.into_iter().map(|one| {
            let due = seen(one.due_at);
            (one, due)
        }));
    }
    let page = clerk.page(text::say("desk-requests")).at("/desk/requests");
    let page = RequestsPage { page, desk: clerk.desk(), areas, claims: waiting, corrections, draft };
    Ok(render_as(page.draft.status(), &page))
}

/// A form of the page.
pub(super) async fn act(
    State(app): State<App>,
    clerk: Clerk,
    Path(form): Path<String>,
    typed: Fields,
) -> Result<Response> {
    match run(&app, &clerk, &form, &typed).await {
        Ok(()) => Ok(see("/desk/requests")),
        Err(error) => shown(&app, &clerk, Draft::refused(&form, typed, error)?).await,
    }
}

async fn run(app: &App, clerk: &Clerk, form: &str, typed: &Fields) -> Result<()> {
    let (actor, key, reason) = (clerk.actor.clone(), typed.key(), typed.text("reason").to_owned());
    let is_yes = typed.has("decision", "1");
    match form {
        "claim" => {
            let input = (ClaimId(typed.required("id")?), DecideClaim { approve: is_yes, reason });
            app.once(actor, key, "decide_claim", input, |tx, actor, input| {
                Box::pin(claims::commands::decide(tx, actor, input))
            })
            .await
        }
        "correction" => {
            let input = (CorrectionId(typed.required("id")?), DecideCorrection { done: is_yes, reason });
            app.once(actor, key, "decide_correction", input, |tx, actor, input| {
                Box::pin(privacy::decide_correction(tx, actor, input))
            })
            .await
        }
        "office" => {
            let (area, number) = (typed.text("area"), typed.text("number").trim());
            bodies::require(&clerk.actor, Right::ImportRoster, area)?;
            let found = people::queries::by_number(app.store.read(), area, number).await?;
            // the number alone would bind a phone to a neighbour by one wrong digit
            let person = found.filter(|person| person.name == typed.text("name").trim());
            let mut checks = Checks::default();
            checks.require(person.is_some(), "number", "not_on_roster");
            checks.done()?;
            let person = person.ok_or(Code::NotFound)?;
            let input = (person.id, ClaimAtOffice { phone: typed.text("phone").to_owned() });
            app.once(actor, key, "claim_at_office", input, |tx, actor, input| {
                Box::pin(claims::commands::write_down(tx, actor, input))
            })
            .await
        }
        _ => Err(Code::NotFound.into()),
    }
}
