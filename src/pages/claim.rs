//! `/claim`: for who is on the roster without this phone: name and last digits, then a code, then the office decides.
use askama::Template;
use axum::{
    Router,
    extract::{Request, State},
    http::HeaderMap,
    response::Response,
};

use super::{
    fields::{Fields, Wrong},
    layout::{Page, Viewer, render, render_as, up},
    words::Words,
};
use crate::{
    app::{
        App, client_address,
        routing::{get, post},
    },
    areas::queries::{Town, towns},
    claims::{
        AskClaim, ConfirmClaim,
        commands::{ask, confirm},
    },
    error::{Code, Result},
    people::{self, rules::mask_phone},
};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/claim", get(show).merge(post(send)))
        .route("/claim/code", post(prove).merge(get(up)))
        .route("/claim/done", get(done))
}

#[derive(Template)]
#[template(path = "claim.html")]
struct ClaimPage {
    page: Page,
    towns: Vec<Town>,
    typed: Fields,
    wrong: Wrong,
}

#[derive(Template)]
#[template(path = "claim_code.html")]
struct CodePage {
    page: Page,
    masked: String,
    typed: Fields,
    wrong: Wrong,
}

#[derive(Template)]
#[template(path = "claim_done.html")]
struct DonePage {
    page: Page,
}

fn page(viewer: &Viewer) -> Page {
    viewer.page("page-claim").at("/claim").back("/login")
}

async fn show(State(app): State<App>, viewer: Viewer) -> Result<Response> {
    form(&app, &viewer, Fields::default(), Wrong::default()).await
}

async fn form(app: &App, viewer: &Viewer, typed: Fields, wrong: Wrong) -> Result<Response> {
    let shown = ClaimPage { page: page(viewer), towns: towns(app.store.read()).await?, typed, wrong };
    Ok(render_as(shown.wrong.status(), &shown))
}

fn asked(typed: &Fields) -> AskClaim {
    let text = |name: &str| typed.text(name).to_owned();
    AskClaim {
        area_code: text("area_code"),
        name: text("name"),
        id_last_six: text("id_last_six"),
        phone: text("phone"),
    }
}

/// What was typed goes from form to form, never into an address.
async fn send(State(app): State<App>, viewer: Viewer, request: Request) -> Result<Response> {
    people::require_own_page(&app, request.headers())?;
    let address = client_address(&app, request.headers(), request.extensions());
    let typed = Fields::read(request).await?;
    match ask(&app, address, asked(&typed)).await.map_err(Wrong::from) {
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

async fn prove(State(app): State<App>, viewer: Viewer, headers: HeaderMap, typed: Fields) -> Result<Response> {
    people::require_own_page(&app, &headers)?;
    let AskClaim { area_code, name, id_last_six, phone } = asked(&typed);
    let told = ConfirmClaim { area_code, name, id_last_six, phone, code: typed.text("code").to_owned() };
    match confirm(&app, told).await {
        Ok(()) => Ok(super::layout::see("/claim/done")),
        Err(error) => Ok(code_page(&viewer, typed, Wrong::from(error)?)),
    }
}

async fn done(viewer: Viewer) -> Response {
    render(&DonePage { page: page(&viewer) })
}
