//! A voice taken down at the desk, of a guest or of somebody on the roster; the claim code is for who told it.
use askama::Template;
use axum::{extract::State, http::HeaderMap, response::Response};

use super::frame::{Clerk, Desk, Draft, named};
use crate::{
    app::App,
    areas::AreaName,
    bodies::{self, Right},
    error::{Checks, Code, Result},
    guests::{GuestVoice, RecordGuestVoice, TakeDownVoice, commands},
    pages::{
        codes,
        fields::Fields,
        layout::{Page, render, render_as},
        words::Words,
    },
    people,
    suggestions::{Category, ReplyWish, Urgency},
    text,
};

#[derive(Template)]
#[template(path = "desk/guest.html")]
struct GuestPage {
    page: Page,
    desk: Desk,
    draft: Draft,
    areas: Vec<AreaName>,
    done: Option<Slip>,
}

/// What is printed and given to who spoke: the claim code, and where it is typed in.
struct Slip {
    voice: GuestVoice,
    address: String,
    picture: String,
}

impl Slip {
    fn of(app: &App, headers: &HeaderMap, voice: GuestVoice) -> Result<Self> {
        let address = codes::whole(app, headers, "/guest/read");
        let picture = codes::drawn(&address, 200)?;
        Ok(Self { voice, address, picture })
    }
}

/// The page.
pub(super) async fn show(State(app): State<App>, clerk: Clerk) -> Result<Response> {
    Ok(render(&page(&app, &clerk, Draft::default(), None).await?))
}

async fn page(app: &App, clerk: &Clerk, draft: Draft, done: Option<Slip>) -> Result<GuestPage> {
    let areas = bodies::areas_with(&clerk.actor, Right::HandleSuggestions);
    if areas.is_empty() {
        return Err(Code::NotAllowed.into());
    }
    let areas = named(app.store.read(), areas).await?;
    let page = clerk.page(text::say("desk-guest")).at("/desk/guest");
    Ok(GuestPage { page, desk: clerk.desk(), draft, areas, done })
}

/// The claim code is shown in the answer itself: nothing that could be read again may hold it.
pub(super) async fn record(
    State(app): State<App>,
    clerk: Clerk,
    headers: HeaderMap,
    typed: Fields,
) -> Result<Response> {
    match write(&app, &clerk, &typed).await {
        Ok(voice) => {
            let slip = Slip::of(&app, &headers, voice)?;
            Ok(render(&page(&app, &clerk, Draft::default(), Some(slip)).await?))
        }
        Err(error) => {
            let page = page(&app, &clerk, Draft::refused("guest", typed, error)?, None).await?;
            Ok(render_as(page.draft.status(), &page))
        }
    }
}

async fn write(app: &App, clerk: &Clerk, typed: &Fields) -> Result<GuestVoice> {
    let text = |name: &str| typed.text(name).to_owned();
    if !typed.text("number").trim().is_empty() {
        return take_down(app, clerk, typed).await;
    }
    let said = RecordGuestVoice {
        area_code: text("area_code"),
        name: text("name"),
        kind: typed.choice("kind")?,
        category: typed.given("category").map_or(Ok(Category::Other), |_| typed.choice("category"))?,
        urgency: urgency(typed),
        text: text("text"),
        place: text("place"),
    };
    app.once(clerk.actor.clone(), typed.key(), "record_guest_voice", said, |tx, actor, said| {
        Box::pin(commands::record(tx, actor, said))
    })
    .await
}

fn urgency(typed: &Fields) -> Urgency {
    if typed.has("is_urgent", "1") { Urgency::Urgent } else { Urgency::Ordinary }
}

/// Of somebody on the roster, by number and name: a number alone would give it to a neighbour by one wrong digit.
async fn take_down(app: &App, clerk: &Clerk, typed: &Fields) -> Result<GuestVoice> {
    let (area, number) = (typed.text("area_code"), typed.text("number").trim());
    bodies::require(&clerk.actor, Right::HandleSuggestions, area)?;
    let found = people::queries::by_number(app.store.read(), area, number).await?;
    let person = found.filter(|person| person.name == typed.text("name").trim());
    let mut checks = Checks::default();
    checks.require(person.is_some(), "number", "not_on_roster");
    checks.done()?;
    let person = person.ok_or(Code::NotFound)?.id;
    let said = TakeDownVoice {
        kind: typed.choice("kind")?,
        category: typed.choice("category")?,
        urgency: urgency(typed),
        reply_wish: typed.given("reply_wish").map_or(Ok(ReplyWish::Here), |_| typed.choice("reply_wish"))?,
        text: typed.text("text").to_owned(),
        place: typed.text("place").to_owned(),
    };
    app.once(clerk.actor.clone(), typed.key(), "take_down_voice", (person, said), |tx, actor, input| {
        Box::pin(commands::take_down(tx, actor, input))
    })
    .await
}
