//! `/wechat`: one's accounts of WeChat, bound and unbound; the way to WeChat and back; files that prove whose the domain is.
use askama::Template;
use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use super::{
    fields::{Fields, Wrong},
    layout::{Page, Resident, Viewer, encode, is_inside, local, render, render_as, see, up},
    login::{signed_in, with_cookies},
    words::Words,
};
use crate::{
    app::{
        App, Query, cookie,
        routing::{get, post},
    },
    error::{Code, Result},
    people,
    wechat::{self, AccountView, Back},
};

/// Ties a log-in to the browser that began it.
const COOKIE: &str = "ls_wechat";
const COOKIE_SECS: u32 = 1800;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/wechat", get(mine))
        .route("/wechat/log-in", get(log_in))
        .route("/wechat/back", get(back))
        .route("/wechat/bind", post(bind).merge(get(up)))
        .route("/wechat/unbind", post(unbind).merge(get(up)))
}

/// `/MP_verify_….txt` and its like, as the settings name them: `name=content`, separated by commas.
pub fn verification_files(setting: &str) -> Router<App> {
    let files = setting.split(',').filter_map(|entry| entry.trim().split_once('='));
    let is_plain = |name: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        name.ends_with(".txt") && name.bytes().all(plain)
    };
    let files = files.filter(|(name, _)| is_plain(name));
    files.fold(Router::new(), |router, (name, content)| {
        let content = content.trim().to_owned();
        let served = move || async move { ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], content) };
        router.route(&format!("/{name}"), get(served))
    })
}

#[derive(Template)]
#[template(path = "wechat.html")]
struct MinePage {
    page: Page,
    accounts: Vec<AccountView>,
    /// An account came back from WeChat and waits for somebody to say that it is theirs.
    waits: bool,
    /// There is an account to follow at all.
    is_set_up: bool,
    is_inside: bool,
    name: String,
    wrong: Wrong,
}

#[derive(Template)]
#[template(path = "wechat_snapshot.html")]
struct SnapshotPage {
    page: Page,
}

fn browser(headers: &HeaderMap) -> Option<&str> {
    cookie(headers, COOKIE).filter(|value| value.len() <= 64)
}

async fn mine(State(app): State<App>, who: Resident, headers: HeaderMap) -> Result<Response> {
    shown(&app, who, &headers, Wrong::default()).await
}

async fn shown(app: &App, who: Resident, headers: &HeaderMap, wrong: Wrong) -> Result<Response> {
    let accounts = wechat::of_person(app.store.read(), who.actor.person).await?;
    let waiting = match browser(headers) {
        Some(browser) => wechat::waiting(app, browser, who.actor.person).await?,
        None => None,
    };
    let shown = MinePage {
        page: who.page("page-wechat").at("/wechat").back("/privacy/mine"),
        waits: waiting.is_some_and(|(id, _)| accounts.iter().all(|one| one.id != id)),
        accounts,
        is_set_up: app.gateways.wechat.official.is_some(),
        is_inside: is_inside(headers),
        name: who.actor.name,
        wrong,
    };
    Ok(render_as(shown.wrong.status(), &shown))
}

/// Where to go on afterwards.
#[derive(Deserialize)]
struct Then {
    then: Option<String>,
}

/// To WeChat.
async fn log_in(State(app): State<App>, headers: HeaderMap, Query(then): Query<Then>) -> Result<Response> {
    let then = local(then.then.as_deref().unwrap_or("/")).to_owned();
    off(&app, browser(&headers), &then).await
}

async fn off(app: &App, browser: Option<&str>, then: &str) -> Result<Response> {
    let browser = match browser {
        Some(known) => known.to_owned(),
        None => app.keys.fresh_letters(32)?,
    };
    let url = wechat::begin(app, &browser, then).await?;
    let there = (StatusCode::FOUND, [(header::LOCATION, url)]).into_response();
    let tied =
        format!("{COOKIE}={browser}; HttpOnly; SameSite=Lax; Path=/wechat; Max-Age={COOKIE_SECS}{}", app.secure());
    with_cookies(there, &[tied])
}

/// What WeChat adds to the address; the code is in it, so nothing is shown here.
#[derive(Deserialize)]
struct Returned {
    code: Option<String>,
    #[serde(default)]
    state: String,
}

/// Back from WeChat: always on to a clean address.
async fn back(
    State(app): State<App>,
    viewer: Viewer,
    headers: HeaderMap,
    Query(told): Query<Returned>,
) -> Result<Response> {
    let browser = browser(&headers).ok_or(Code::InvalidRequest)?;
    match wechat::come_back(&app, browser, &told.state, told.code.as_deref()).await? {
        Back::In(open, then) => signed_in(&app, &viewer, &open, found(&then)).await,
        Back::Unbound if viewer.actor.is_some() => Ok(found("/wechat")),
        Back::Unbound => Ok(found(&format!("/login?then={}", encode("/wechat")))),
        Back::Guest(then) => Ok(found(&then)),
        Back::Again(then) => off(&app, Some(browser), &then).await,
        Back::Snapshot => Ok(render(&SnapshotPage { page: viewer.page("page-wechat").at("/") })),
    }
}

fn found(path: &str) -> Response {
    (StatusCode::FOUND, [(header::LOCATION, path.to_owned())]).into_response()
}

/// "That is my account", by who has just proved the phone.
async fn bind(State(app): State<App>, who: Resident, headers: HeaderMap) -> Result<Response> {
    match bound(&app, &who, &headers).await {
        Ok(then) => Ok(see(&then)),
        Err(error) => {
            let wrong = Wrong::from(error)?;
            shown(&app, who, &headers, wrong).await
        }
    }
}

async fn bound(app: &App, who: &Resident, headers: &HeaderMap) -> Result<String> {
    people::require_fresh_code(app, &who.actor).await?;
    let (browser, person) = (browser(headers).ok_or(Code::WrongState)?, who.actor.person);
    let (account, then) = wechat::waiting(app, browser, person).await?.ok_or(Code::WrongState)?;
    app.store.write(move |tx| Box::pin(wechat::bind(tx, account, person))).await?;
    Ok(if then == "/" { "/wechat".to_owned() } else { then })
}

async fn unbind(State(app): State<App>, who: Resident, headers: HeaderMap, typed: Fields) -> Result<Response> {
    match part(&app, &who, &typed).await {
        Ok(()) => Ok(see("/wechat")),
        Err(error) => {
            let wrong = Wrong::from(error)?;
            shown(&app, who, &headers, wrong).await
        }
    }
}

async fn part(app: &App, who: &Resident, typed: &Fields) -> Result<()> {
    let id = typed.required("id")?;
    let unbind = app.once(who.actor.clone(), typed.key(), "unbind_wechat_account", id, |tx, actor, id| {
        Box::pin(wechat::unbind(tx, actor, id))
    });
    unbind.await
}
