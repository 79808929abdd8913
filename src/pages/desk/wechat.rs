//! WeChat on the desk: the village's code to print and hang up; the menu, for who runs the county.
use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};
use serde_json::json;

use super::frame::{Clerk, Desk, places};
use crate::{
    app::{App, Query},
    areas::{self, AreaName, VILLAGE_CODE},
    bodies::Right,
    error::{Code, Result},
    pages::{
        codes,
        fields::{Fields, WhichArea},
        layout::{Page, render_as, see},
        words::Words,
    },
    text,
    wechat::rules::scene,
};

#[derive(Template)]
#[template(path = "desk/wechat.html")]
struct WechatPage {
    page: Page,
    desk: Desk,
    /// What WeChat did not take.
    refused: Option<String>,
    areas: Vec<AreaName>,
    area: String,
    village: String,
    is_set_up: bool,
    /// Drawn here, when WeChat gave what is in it.
    picture: Option<String>,
    may_put_up_menu: bool,
}

/// The page.
pub(super) async fn show(State(app): State<App>, clerk: Clerk, Query(filter): Query<WhichArea>) -> Result<Response> {
    shown(&app, &clerk, (filter, None)).await
}

async fn shown(app: &App, clerk: &Clerk, (filter, refused): (WhichArea, Option<String>)) -> Result<Response> {
    let db = app.store.read();
    let area = clerk.place(filter.area.as_deref());
    let picture = match &app.gateways.wechat.official {
        Some(official) if area.len() == VILLAGE_CODE => match official.qr_code(&scene(&area)).await {
            Ok(url) => Some(codes::drawn(&url, 320)?),
            Err(failure) => {
                tracing::error!(%failure, "a village's code");
                None
            }
        },
        _ => None,
    };
    let names = areas::queries::names(db, vec![area.clone()]).await?;
    let shown = WechatPage {
        page: clerk.page(text::say("desk-wechat")).at("/desk/wechat"),
        desk: clerk.desk(),
        refused,
        areas: places(db, clerk, &area).await?,
        village: names.get(&area).cloned().unwrap_or_default(),
        is_set_up: app.gateways.wechat.official.is_some(),
        picture,
        may_put_up_menu: may_put_up_menu(clerk),
        area,
    };
    let status = if shown.refused.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok(render_as(status, &shown))
}

fn may_put_up_menu(clerk: &Clerk) -> bool {
    clerk.areas().iter().any(|area| clerk.may(Right::OperateCounty, area))
}

/// Puts up the menu: speak, look, mine.
pub(super) async fn put_up_menu(State(app): State<App>, clerk: Clerk, _: Fields) -> Result<Response> {
    if !may_put_up_menu(&clerk) {
        return Err(Code::NotAllowed.into());
    }
    let base = app.config.public_url.trim_end_matches('/');
    let view = |key: &str, path: &str| {
        let url = format!("{base}/wechat/log-in?then={path}");
        json!({ "type": "view", "name": text::say(key), "url": url })
    };
    let menu = json!({ "button": [
        { "type": "click", "name": text::say("wechat-menu-speak"), "key": "speak" },
        view("wechat-menu-look", "/"),
        view("wechat-menu-mine", "/privacy/mine"),
    ] });
    let official = app.gateways.wechat.official.as_ref().ok_or(Code::WechatNotSetUp)?;
    match official.put_up_menu(&menu).await {
        Ok(()) => Ok(see("/desk/wechat")),
        Err(failure) => {
            tracing::error!(%failure, "the menu");
            let sentence = match failure.code() {
                0 => text::say("desk-wechat-menu-lost"),
                code => text::say_with("desk-wechat-menu-refused", &[("code", code.to_string().into())]),
            };
            shown(&app, &clerk, (WhichArea::default(), Some(sentence))).await
        }
    }
}
