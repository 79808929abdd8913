//! Voices that other bodies want to pass on to one's own: taken, or not, with the name of who should; and requests for more
//! days from below, for one's own part of what another answers, and for a word about what another has hidden.
use askama::Template;
use axum::{extract::State, response::Response};

use super::frame::{Clerk, Desk, Draft, Due};
use crate::{
    app::{App, Path},
    areas,
    bodies::queries::Body,
    error::{Code, Result},
    ids::{AssistId, ExtensionId, ReferralId, SuggestionId},
    pages::{
        fields::Fields,
        layout::{Page, render_as, see},
        words::Words,
    },
    suggestions::{
        Urgency,
        assists::{self, AssistRequest, GiveAssist},
        extensions::{self, DecideExtension, ExtensionRequest},
        hidings::{self, DecideHiding, HidingAppeal},
        referrals::{self, ReferralOffer, RefuseReferral},
    },
    text,
};

/// An offer, and who might have it instead.
struct Offer {
    view: ReferralOffer,
    place: String,
    due: Due,
    others: Vec<Body>,
}

impl Offer {
    fn is_urgent(&self) -> bool {
        self.view.urgency == Urgency::Urgent
    }
}

/// A request for more days.
struct Request {
    view: ExtensionRequest,
    place: String,
    due: Due,
}

/// A request for one's own part.
struct Part {
    view: AssistRequest,
    place: String,
    due: Due,
}

#[derive(Template)]
#[template(path = "desk/referrals.html")]
struct ReferralsPage {
    page: Page,
    desk: Desk,
    draft: Draft,
    offers: Vec<Offer>,
    requests: Vec<Request>,
    assists: Vec<Part>,
    hidings: Vec<HidingAppeal>,
}

/// The page.
pub(super) async fn list(State(app): State<App>, clerk: Clerk) -> Result<Response> {
    shown(&app, &clerk, Draft::default()).await
}

async fn shown(app: &App, clerk: &Clerk, draft: Draft) -> Result<Response> {
    let db = app.store.read();
    let open = referrals::offers(db, &app.keys, &clerk.actor).await?;
    let names = areas::names(db, open.iter().map(|one| one.area_code.clone()).collect()).await?;
    let mut others = referrals::instead(db, &clerk.actor, app.now()).await?;
    let offer = |view: ReferralOffer| Offer {
        place: names.get(&view.area_code).cloned().unwrap_or_default(),
        due: Due::seen(view.answer_due_at, app.now()),
        others: others.remove(&view.id).unwrap_or_default(),
        view,
    };
    let offers = open.into_iter().map(offer).collect();
    let asked = extensions::requests(db, &app.keys, &clerk.actor).await?;
    let names = areas::names(db, asked.iter().map(|one| one.area_code.clone()).collect()).await?;
    let request = |view: ExtensionRequest| Request {
        place: names.get(&view.area_code).cloned().unwrap_or_default(),
        due: Due::seen(view.answer_due_at, app.now()),
        view,
    };
    let requests = asked.into_iter().map(request).collect();
    let asked = assists::requests(db, &app.keys, &clerk.actor).await?;
    let names = areas::names(db, asked.iter().map(|one| one.area_code.clone()).collect()).await?;
    let part = |view: AssistRequest| Part {
        place: names.get(&view.area_code).cloned().unwrap_or_default(),
        due: Due::seen(view.answer_due_at, app.now()),
        view,
    };
    let assists = asked.into_iter().map(part).collect();
    let page = clerk.page(text::say("desk-referrals")).at("/desk/referrals");
    let hidings = hidings::appeals(db, &clerk.actor).await?;
    let shown = ReferralsPage { page, desk: clerk.desk(), draft, offers, requests, assists, hidings };
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
        "assist" => assist(&app, &clerk, &fields).await,
        "extension" => decide_extension(&app, &clerk, &fields).await,
        "hiding" => decide_hiding(&app, &clerk, &fields).await,
        _ => Err(Code::NotFound.into()),
    };
    match done {
        Ok(()) => Ok(see("/desk/referrals")),
        Err(error) => {
            // what cannot be decided any more may no longer be on the page
            let is_typed = form != "accept" && error.code() == Code::InvalidFields;
            let named = ["referral_id", "extension_id", "assist_id", "suggestion_id"]
                .iter()
                .find_map(|name| fields.given(name));
            let about = named.unwrap_or_default();
            let name = if is_typed { format!("{form}-{about}") } else { "list".to_owned() };
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

async fn decide_extension(app: &App, clerk: &Clerk, fields: &Fields) -> Result<()> {
    let id: ExtensionId = fields.required("extension_id")?;
    let input =
        (id, DecideExtension { approve: fields.required("approve")?, reason: fields.text("reason").to_owned() });
    let decide = app.once(clerk.actor.clone(), fields.key(), "decide_extension", input, |tx, actor, input| {
        Box::pin(extensions::decide(tx, actor, input))
    });
    decide.await
}

async fn decide_hiding(app: &App, clerk: &Clerk, fields: &Fields) -> Result<()> {
    let id: SuggestionId = fields.required("suggestion_id")?;
    let input = (id, DecideHiding { restore: fields.required("restore")?, reason: fields.text("reason").to_owned() });
    let decide = app.once(clerk.actor.clone(), fields.key(), "decide_hiding", input, |tx, actor, input| {
        Box::pin(hidings::decide(tx, actor, input))
    });
    decide.await
}

async fn assist(app: &App, clerk: &Clerk, fields: &Fields) -> Result<()> {
    let id: AssistId = fields.required("assist_id")?;
    let input = (id, GiveAssist { text: fields.text("text").to_owned() });
    let give = app.once(clerk.actor.clone(), fields.key(), "give_assist", input, |tx, actor, input| {
        Box::pin(assists::give(tx, actor, input))
    });
    give.await
}
