//! `/login/desk`: password and second factor; `/desk/password`: setting them up.
use askama::Template;
use axum::{
    Router,
    extract::{Request, State},
    response::Response,
};

use super::{
    codes,
    fields::{Fields, Wrong},
    layout::{Page, Resident, Viewer, render, render_as, see, up},
    login::signed_in,
    words::Words,
};
use crate::{
    app::{
        App, client_address,
        routing::{get, post},
    },
    error::Result,
    people::{
        self, Carrier,
        desk_login::{
            ConfirmPassword, DeskSignIn, SecondFactor, SetPassword, confirm_password, set_password, sign_in_desk,
        },
    },
};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/login/desk", get(show).merge(post(enter)))
        .route("/desk/password", get(begin).merge(post(set)))
        .route("/desk/password/confirm", post(confirm).merge(get(up)))
}

#[derive(Template)]
#[template(path = "login_desk.html")]
struct LoginPage {
    page: Page,
    typed: Fields,
    wrong: Wrong,
}

#[derive(Template)]
#[template(path = "desk_password.html")]
struct PasswordPage {
    page: Page,
    wrong: Wrong,
}

#[derive(Template)]
#[template(path = "desk_password_factor.html")]
struct FactorPage {
    page: Page,
    factor: SecondFactor,
    picture: String,
}

#[derive(Template)]
#[template(path = "desk_password_done.html")]
struct DonePage {
    page: Page,
    codes: Vec<String>,
    wrong: Wrong,
}

fn login_page(viewer: &Viewer, typed: Fields, wrong: Wrong) -> Response {
    let page = viewer.page("page-login-desk").at("/login/desk").back("/login");
    render_as(wrong.status(), &LoginPage { page, typed, wrong })
}

async fn show(viewer: Viewer) -> Response {
    login_page(&viewer, Fields::default(), Wrong::default())
}

async fn enter(State(app): State<App>, viewer: Viewer, request: Request) -> Result<Response> {
    people::require_own_page(&app, request.headers())?;
    let address = client_address(&app, request.headers(), request.extensions());
    let typed = Fields::read(request).await?;
    let text = |name: &str| typed.text(name).to_owned();
    let told = DeskSignIn { phone: text("phone"), password: text("password"), code: text("code") };
    match sign_in_desk(&app, address, told, Carrier::Cookie).await {
        Ok(open) => signed_in(&app, &viewer, &open, see("/desk")).await,
        Err(error) => Ok(login_page(&viewer, typed, Wrong::from(error)?)),
    }
}

fn own(who: &Resident) -> Page {
    who.page("page-desk-password").at("/desk/password").back("/desk")
}

async fn begin(who: Resident) -> Response {
    render(&PasswordPage { page: own(&who), wrong: Wrong::default() })
}

/// The second factor is shown in the answer itself: nothing that could be read again may hold it.
async fn set(State(app): State<App>, who: Resident, typed: Fields) -> Result<Response> {
    let input = SetPassword { password: typed.text("password").to_owned() };
    match set_password(&app, &who.actor, input).await {
        Ok(factor) => {
            let picture = codes::drawn(&factor.otpauth, 220)?;
            Ok(render(&FactorPage { page: own(&who), factor, picture }))
        }
        Err(error) => {
            let wrong = Wrong::from(error)?;
            Ok(render_as(wrong.status(), &PasswordPage { page: own(&who), wrong }))
        }
    }
}

async fn confirm(State(app): State<App>, who: Resident, typed: Fields) -> Result<Response> {
    let input = ConfirmPassword { code: typed.text("code").to_owned() };
    let shown = match confirm_password(&app, &who.actor, input).await {
        Ok(codes) => DonePage { page: own(&who), codes, wrong: Wrong::default() },
        Err(error) => DonePage { page: own(&who), codes: Vec::new(), wrong: Wrong::from(error)? },
    };
    Ok(render_as(shown.wrong.status(), &shown))
}
