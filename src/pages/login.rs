//! `/login`: a phone number, then a code, then who of a family it is; `/logout`; the larger edition.
use askama::Template;
use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use serde::Deserialize;
use serde_json::Value;

use super::{
    fields::{Fields, Wrong},
    layout::{Page, Resident, Viewer, local, render, render_as, see, up},
    words::Words,
};
use crate::{
    app::{
        App, Query, client_address,
        routing::{get, post},
    },
    error::{Code, Error, Result},
    people::{self, AskCode, Carrier, OpenSession, SignIn, rules::mask_phone},
};

/// A year: whoever needs large letters needs them next month, too.
const ELDER_SECS: u32 = 365 * 86_400;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/login", get(phone).merge(post(enter)))
        .route("/login/code", post(code).merge(get(up)))
        .route("/logout", post(leave).merge(get(up)))
        .route("/elder", get(elder))
}

/// Where to go on afterwards.
#[derive(Deserialize)]
struct Then {
    then: Option<String>,
}

#[derive(Template)]
#[template(path = "login_phone.html")]
struct PhonePage {
    page: Page,
    then: String,
    typed: Fields,
    wrong: Wrong,
}

#[derive(Template)]
#[template(path = "login_code.html")]
struct CodePage {
    page: Page,
    then: String,
    masked: String,
    can_speak: bool,
    typed: Fields,
    wrong: Wrong,
}

#[derive(Template)]
#[template(path = "login_who.html")]
struct WhoPage {
    page: Page,
    then: String,
    typed: Fields,
    people: Vec<Choice>,
}

/// Somebody of those who share a number.
struct Choice {
    id: String,
    name: String,
}

fn page(viewer: &Viewer) -> Page {
    viewer.page("page-login").at("/login")
}

async fn phone(State(app): State<App>, viewer: Viewer, Query(then): Query<Then>) -> Result<Response> {
    let then = local(then.then.as_deref().unwrap_or("/")).to_owned();
    if viewer.actor.is_some() {
        return Ok(see(&then));
    }
    let shown = PhonePage { page: page(&viewer), then, typed: Fields::default(), wrong: Wrong::default() };
    with_cookies(render(&shown), &[people::no_writer(&app)])
}

/// The number goes from form to form, never into an address.
async fn code(State(app): State<App>, viewer: Viewer, request: Request) -> Result<Response> {
    people::require_own_page(&app, request.headers())?;
    let address = client_address(&app, request.headers(), request.extensions());
    let mut typed = Fields::read(request).await?;
    let asked = people::ask_code(
        &app,
        address,
        AskCode { phone: typed.text("phone").to_owned(), spoken: typed.has("spoken", "1") },
    )
    .await;
    let (page, then) = (page(&viewer), local(typed.text("then")).to_owned());
    match asked.map_err(Wrong::from) {
        Ok(id) => {
            typed.put("login_id", id.to_string());
            Ok(code_page(&app, page, typed, Wrong::default()))
        }
        // the code that was sent a moment ago is still good, for whoever asked for it
        Err(Ok(wrong)) if wrong.code == Some(Code::CodeTooSoon) && typed.given("login_id").is_some() => {
            Ok(code_page(&app, page, typed, wrong))
        }
        Err(Ok(wrong)) => Ok(render_as(wrong.status(), &PhonePage { page, then, typed, wrong })),
        Err(Err(error)) => Err(error),
    }
}

fn code_page(app: &App, page: Page, typed: Fields, wrong: Wrong) -> Response {
    let then = local(typed.text("then")).to_owned();
    let (masked, can_speak) = (mask_phone(typed.text("phone")), app.gateways.sms.can_speak());
    render_as(wrong.status(), &CodePage { page, then, masked, can_speak, typed, wrong })
}

async fn enter(State(app): State<App>, viewer: Viewer, headers: HeaderMap, typed: Fields) -> Result<Response> {
    people::require_own_page(&app, &headers)?;
    let told = SignIn {
        login_id: typed.optional("login_id")?.unwrap_or_default(),
        phone: typed.text("phone").to_owned(),
        code: typed.text("code").to_owned(),
        person_id: typed.optional("person_id")?,
        device: None,
    };
    let then = local(typed.text("then")).to_owned();
    match people::sign_in(&app, told, Carrier::Cookie).await {
        Ok(open) => signed_in(&app, &viewer, &open, see(&then)).await,
        Err(Error::Refused(refusal)) if refusal.code == Code::PersonChoiceNeeded => {
            let people = choices(refusal.more.unwrap_or_default());
            Ok(render(&WhoPage { page: page(&viewer), then, typed, people }))
        }
        Err(error) => Ok(code_page(&app, page(&viewer), typed, Wrong::from(error)?)),
    }
}

fn choices(more: Value) -> Vec<Choice> {
    let text = |person: &Value, name: &str| person[name].as_str().unwrap_or_default().to_owned();
    let people = more["people"].as_array().cloned().unwrap_or_default();
    people.iter().map(|person| Choice { id: text(person, "id"), name: text(person, "name") }).collect()
}

async fn leave(State(app): State<App>, who: Resident) -> Result<Response> {
    people::sign_out(&app, &who.actor).await?;
    signed_out(&app, see("/"))
}

/// Whether letters are larger, and where to go on.
#[derive(Deserialize)]
struct Elder {
    on: Option<u8>,
    then: Option<String>,
}

async fn elder(State(app): State<App>, Query(wanted): Query<Elder>) -> Result<Response> {
    let on = wanted.on == Some(1);
    let (value, secs) = if on { ("1", ELDER_SECS) } else { ("", 0) };
    // read by the page for when there is no network, which is the same for everybody
    let cookie = format!("elder={value}; SameSite=Lax; Path=/; Max-Age={secs}{}", app.secure());
    with_cookies(see(local(wanted.then.as_deref().unwrap_or("/"))), &[cookie])
}

/// The answer, handing these over or taking them away.
pub(super) fn with_cookies(mut response: Response, cookies: &[String]) -> Result<Response> {
    for cookie in cookies {
        response.headers_mut().append(header::SET_COOKIE, HeaderValue::from_str(cookie).map_err(Error::broken)?);
    }
    Ok(response)
}

/// The answer that hands over a log-in. The one before in the same browser ends: nobody could sign out of it any more.
pub(super) async fn signed_in(app: &App, viewer: &Viewer, open: &OpenSession, answer: Response) -> Result<Response> {
    if let Some(before) = &viewer.actor
        && let Err(error) = people::sign_out(app, before).await
    {
        // it ends by its date
        tracing::warn!(%error, "a log-in whose place another took");
    }
    with_cookies(answer, &people::cookies(app, &open.secret))
}

/// The answer, after which the browser has nothing of whoever was signed in.
pub(super) fn signed_out(app: &App, mut response: Response) -> Result<Response> {
    for (name, value) in people::no_log_in(app) {
        response.headers_mut().append(name, HeaderValue::from_str(&value).map_err(Error::broken)?);
    }
    Ok(response)
}
