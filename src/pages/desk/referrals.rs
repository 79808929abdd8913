//! Voices that other bodies want to pass on to one's own: taken, or not, with the name of who should.
use askama::Template;
use axum::{extract::State, response::Response};

use super::frame::{Clerk, Desk, Draft, Due};
use crate::{
    app::{App, Path},
    areas,
    bodies::queries::{Body, over},
    error::{Code, Result},
    ids::ReferralId,
    pages::{
        fields::Fields,
        layout::{Page, render_as, see},
        words::Words,
    },
    suggestions::referrals::{self, ReferralOffer, RefuseReferral},
    text,
};

/// An offer, and who might have it instead.
struct Offer {
    view: ReferralOffer,
    place: String,
    due: Due,
    others: Vec<Body>,
}

#[derive(Template)]
#[template(path = "desk/referrals.html")]
struct ReferralsPage {
    page: Page,
    desk: Desk,
    draft: Draft,
    offers: Vec<Offer>,
}

/// The page.
pub(super) async fn list(State(app): State<App>, clerk: Clerk) -> Result<Response> {
    shown(&app, &clerk, Draft::default()).await
}

async fn shown(app: &App, clerk: &Clerk, draft: Draft) -> Result<Response> {
    let db = app.store.read();
    let open = referrals::offers(db, &app.keys, &clerk.actor).await?;
    let names = areas::names(db, open.iter().map(|one| one.area_code.clone()).collect()).await?;
    let mut offers = Vec::with_capacity(open.len());
    for view in open {
        let mut others = over(db, &view.area_code).await?;
        others.retain(|body| body.name != view.to_body_name && referrals::answers(body));
        offers.push(Offer {
            place: names.get(&view.area_code).cloned().unwrap_or_default(),
            due: Due::seen(view.answer_due_at, app.now()),
            others,
            view,
        });
    }
    let page = clerk.page(text::say("desk-referrals")).at("/desk/referrals");
    let shown = ReferralsPage { page, desk: clerk.desk(), draft, offers };
    Ok(render_as(shown.draft.status(), &shown))
}

/// Takes one, or does not. Each has its forms; what is refused shows its own again.
pub(super) async fn decide(
    State(app): State<App>,
    clerk: Clerk,
    Path(form): Path<String>,
    fields: Fields,
) -> Result<Response> {
    let done = match form.as_str() {
        "accept" => accept(&app, &clerk, &fields).await,
        "refuse" => refuse(&app, &clerk, &fields).await,
        _ => Err(Code::NotFound.into()),
    };
    match done {
        Ok(()) => Ok(see("/desk/referrals")),
        Err(error) => {
            // what cannot be decided any more may no longer be on the page
            let is_typed = form == "refuse" && error.code() == Code::InvalidFields;
            let name = if is_typed { format!("refuse-{}", fields.text("referral_id")) } else { "list".to_owned() };
            let draft = Draft::refused(&name, fields, error)?;
            shown(&app, &clerk, draft).await
        }
    }
}

async fn accept(app: &App, clerk: &Clerk, fields: &Fields) -> Result<()> {
    let id: ReferralId = fields.required("referral_id")?;
    let accept = app.once(clerk.actor.clone(), fields.key(), "accept_referral", id, |tx, actor, id| {
        Box::pin(referrals::accept(tx, actor, id))
    });
    accept.await.map(drop)
}

async fn refuse(app: &App, clerk: &Clerk, fields: &Fields) -> Result<()> {
    let id: ReferralId = fields.required("referral_id")?;
    let next_body_id = fields.required("next_body_id")?;
    let input = (id, RefuseReferral { reason: fields.text("reason").to_owned(), next_body_id });
    let refuse = app.once(clerk.actor.clone(), fields.key(), "refuse_referral", input, |tx, actor, input| {
        Box::pin(referrals::refuse(tx, actor, input))
    });
    refuse.await
}
