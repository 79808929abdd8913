//! `/guest`: for who is on no roster: a voice left with a code by SMS, then read with a claim code. Claim codes are posted.
use askama::Template;
use axum::{
    Router,
    extract::{Request, State},
    response::Response,
};

use super::{
    fields::{Fields, Wrong},
    layout::{Page, Viewer, render, render_as, up},
    suggestion::now,
    words::Words,
};
use crate::{
    app::{
        App, client_address,
        routing::{get, post},
    },
    areas::queries::{Town, towns},
    error::{Code, Result},
    guests::{
        GuestVoice, LeaveGuestVoice,
        commands::{self, AskGuestCode},
    },
    people::{self, rules::mask_phone},
    streams::EntryView,
    suggestions::{
        Category, RateSuggestion, Step, SuggestionState, SuggestionView, Urgency, withdrawals::WithdrawSuggestion,
    },
};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/guest", get(show).merge(post(send)))
        .route("/guest/code", post(leave).merge(get(up)))
        .route("/guest/read", get(ask).merge(post(read)))
        .route("/guest/read/reply", post(reply).merge(get(up)))
        .route("/guest/read/rating", post(rate).merge(get(up)))
        .route("/guest/read/withdraw", post(withdraw).merge(get(up)))
}

#[derive(Template)]
#[template(path = "guest.html")]
struct GuestPage {
    page: Page,
    towns: Vec<Town>,
    typed: Fields,
    wrong: Wrong,
}

#[derive(Template)]
#[template(path = "guest_code.html")]
struct CodePage {
    page: Page,
    masked: String,
    typed: Fields,
    wrong: Wrong,
}

#[derive(Template)]
#[template(path = "guest_done.html")]
struct DonePage {
    page: Page,
    voice: GuestVoice,
}

#[derive(Template)]
#[template(path = "guest_read.html")]
struct ReadPage {
    page: Page,
    claim_code: String,
    voice: Option<SuggestionView>,
    said: Vec<(String, String)>,
    typed: Fields,
    wrong: Wrong,
}

impl ReadPage {
    fn may_rate(&self) -> bool {
        self.voice.as_ref().is_some_and(|voice| voice.can.contains(&Step::Rate))
    }

    fn may_withdraw(&self) -> bool {
        self.voice.as_ref().is_some_and(|voice| voice.can.contains(&Step::Withdraw))
    }

    /// It was rated as solved, and its author may say that it is not.
    fn was_solved(&self) -> bool {
        self.voice.as_ref().is_some_and(|voice| voice.summary.state == SuggestionState::Rated)
    }

    fn now(&self, voice: &SuggestionView) -> String {
        now(&voice.summary)
    }

    /// Not by the code of what was taken down for somebody on a roster.
    fn may_reply(&self) -> bool {
        self.voice.as_ref().is_some_and(|voice| voice.stream_id.is_some())
    }
}

fn page(viewer: &Viewer) -> Page {
    viewer.page("page-guest").at("/guest")
}

async fn show(State(app): State<App>, viewer: Viewer) -> Result<Response> {
    form(&app, &viewer, Fields::default(), Wrong::default()).await
}

async fn form(app: &App, viewer: &Viewer, typed: Fields, wrong: Wrong) -> Result<Response> {
    let shown = GuestPage { page: page(viewer), towns: towns(app.store.read()).await?, typed, wrong };
    Ok(render_as(shown.wrong.status(), &shown))
}

async fn send(State(app): State<App>, viewer: Viewer, request: Request) -> Result<Response> {
    people::require_own_page(&app, request.headers())?;
    let address = client_address(&app, request.headers(), request.extensions());
    let typed = Fields::read(request).await?;
    let asked = AskGuestCode { area_code: typed.text("area_code").to_owned(), phone: typed.text("phone").to_owned() };
    match commands::ask_code(&app, address, asked).await.map_err(Wrong::from) {
        Ok(()) => Ok(code_page(&viewer, typed, Wrong::default())),
        // the code that was sent a moment ago is still good
        Err(Ok(wrong)) if wrong.code == Some(Code::CodeTooSoon) => Ok(code_page(&viewer, typed, wrong)),
        Err(Ok(wrong)) => form(&app, &viewer, typed, wrong).await,
        Err(Err(error)) => Err(error),
    }
}

fn code_page(viewer: &Viewer, typed: Fields, wrong: Wrong) -> Response {
    let masked = mask_phone(typed.text("phone"));
    render_as(wrong.status(), &CodePage { page: page(viewer), masked, typed, wrong })
}

/// The claim code is shown in the answer itself: nothing that could be read again may hold it.
async fn leave(State(app): State<App>, viewer: Viewer, request: Request) -> Result<Response> {
    people::require_own_page(&app, request.headers())?;
    let typed = Fields::read(request).await?;
    match said(&app, &typed).await {
        Ok(voice) => Ok(render(&DonePage { page: page(&viewer), voice })),
        Err(error) => Ok(code_page(&viewer, typed, Wrong::from(error)?)),
    }
}

async fn said(app: &App, typed: &Fields) -> Result<GuestVoice> {
    let text = |name: &str| typed.text(name).to_owned();
    let told = LeaveGuestVoice {
        area_code: text("area_code"),
        phone: text("phone"),
        code: text("code"),
        name: text("name"),
        kind: typed.choice("kind")?,
        category: typed.given("category").map_or(Ok(Category::Other), |_| typed.choice("category"))?,
        urgency: if typed.has("is_urgent", "1") { Urgency::Urgent } else { Urgency::Ordinary },
        text: text("text"),
        place: text("place"),
    };
    commands::leave(app, told).await
}

fn reading(viewer: &Viewer) -> Page {
    viewer.page("page-guest-read").at("/guest/read").back("/guest")
}

async fn ask(viewer: Viewer) -> Response {
    render(&ReadPage {
        page: reading(&viewer),
        claim_code: String::new(),
        voice: None,
        said: Vec::new(),
        typed: Fields::default(),
        wrong: Wrong::default(),
    })
}

async fn read(State(app): State<App>, viewer: Viewer, request: Request) -> Result<Response> {
    people::require_own_page(&app, request.headers())?;
    let address = client_address(&app, request.headers(), request.extensions());
    let typed = Fields::read(request).await?;
    opened(&app, &viewer, address, (typed, Wrong::default())).await
}

type Address = Option<std::net::IpAddr>;

async fn opened(app: &App, viewer: &Viewer, address: Address, (typed, wrong): (Fields, Wrong)) -> Result<Response> {
    let claim_code = typed.text("claim_code").to_owned();
    let (voice, said, wrong) = match commands::read(app, address, &claim_code).await {
        Ok((voice, entries)) => (Some(voice), entries.iter().map(line).collect(), wrong),
        Err(error) => (None, Vec::new(), Wrong::from(error)?),
    };
    let shown = ReadPage { page: reading(viewer), claim_code, voice, said, typed, wrong };
    Ok(render_as(shown.wrong.status(), &shown))
}

/// Who, and what.
fn line(entry: &EntryView) -> (String, String) {
    let word = |name: &str| entry.body[name].as_str().unwrap_or_default().to_owned();
    let who = entry.sender.as_ref().map_or_else(
        || word("title"),
        |sender| sender.body_name.clone().unwrap_or_else(|| crate::text::say("page-me")),
    );
    (who, word("text"))
}

async fn reply(State(app): State<App>, viewer: Viewer, request: Request) -> Result<Response> {
    people::require_own_page(&app, request.headers())?;
    let address = client_address(&app, request.headers(), request.extensions());
    let mut typed = Fields::read(request).await?;
    let message = (typed.required("client_id")?, typed.text("text").replace("\r\n", "\n"));
    let done = commands::reply(&app, address, typed.text("claim_code"), message).await;
    let wrong = match done {
        Ok(()) => {
            typed = only_code(&typed);
            Wrong::default()
        }
        Err(error) => Wrong::from(error)?,
    };
    opened(&app, &viewer, address, (typed, wrong)).await
}

async fn rate(State(app): State<App>, viewer: Viewer, request: Request) -> Result<Response> {
    people::require_own_page(&app, request.headers())?;
    let address = client_address(&app, request.headers(), request.extensions());
    let typed = Fields::read(request).await?;
    let rating = RateSuggestion {
        rating: typed.required("rating")?,
        text: typed.text("rating_text").to_owned(),
        answer_id: typed.optional("answer_id")?,
    };
    let wrong = match commands::rate(&app, address, typed.text("claim_code"), rating).await {
        Ok(()) => Wrong::default(),
        Err(error) => Wrong::from(error)?,
    };
    opened(&app, &viewer, address, (only_code(&typed), wrong)).await
}

async fn withdraw(State(app): State<App>, viewer: Viewer, request: Request) -> Result<Response> {
    people::require_own_page(&app, request.headers())?;
    let address = client_address(&app, request.headers(), request.extensions());
    let typed = Fields::read(request).await?;
    let why = WithdrawSuggestion { reason: typed.text("reason").replace("\r\n", "\n") };
    let wrong = match commands::withdraw(&app, address, typed.text("claim_code"), why).await {
        Ok(()) => Wrong::default(),
        Err(error) => Wrong::from(error)?,
    };
    opened(&app, &viewer, address, (only_code(&typed), wrong)).await
}

fn only_code(typed: &Fields) -> Fields {
    let mut fields = Fields::default();
    fields.preset("claim_code", typed.text("claim_code"));
    fields
}
