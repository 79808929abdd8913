//! Tokens, tickets, log-in, media, codes, menus: WeChat as far as it answers.
use axum::{
    Json, Router,
    extract::{Query, State},
    http::{StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use std::collections::HashMap;

use crate::{
    Shared,
    faults::said,
    world::{MINI, OFFICIAL, SECRET},
};

pub(crate) type Asked = Query<HashMap<String, String>>;

pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/cgi-bin/stable_token", post(stable_token))
        .route("/cgi-bin/ticket/getticket", get(ticket))
        .route("/connect/oauth2/authorize", get(authorize))
        .route("/sns/oauth2/access_token", get(oauth))
        .route("/sns/jscode2session", get(js_code))
        .route("/wxa/business/getuserphonenumber", post(phone_number))
        .route("/cgi-bin/media/get", get(media))
        .route("/cgi-bin/qrcode/create", post(qr_code))
        .route("/cgi-bin/menu/create", post(menu))
}

/// The account of a token, or WeChat's code.
pub(crate) fn whose(world: &Shared, asked: &HashMap<String, String>) -> Result<String, i64> {
    let now = world.now();
    let token = asked.get("access_token").map(String::as_str).unwrap_or_default();
    match world.lock().tokens.get(token) {
        None => Err(40001),
        Some((_, until)) if *until <= now => Err(42001),
        Some((appid, _)) => Ok(appid.clone()),
    }
}

fn account(world: &Shared, appid: &str, secret: &str) -> Result<(), i64> {
    if ![OFFICIAL, MINI].contains(&appid) {
        return Err(40013);
    }
    if secret != SECRET {
        return Err(40125);
    }
    if world.lock().allows_ip { Ok(()) } else { Err(40164) }
}

/// The same token until five minutes before its end; then both hold.
async fn stable_token(State(world): State<Shared>, Json(told): Json<Value>) -> Response {
    let text = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
    let (appid, secret) = (text("appid"), text("secret"));
    if let Err(code) = account(&world, &appid, &secret) {
        return said(code);
    }
    let now = world.now();
    let known = {
        let inner = world.lock();
        inner.newest.get(&appid).and_then(|token| Some((token.clone(), inner.tokens.get(token)?.1)))
    };
    if let Some((token, until)) = known.filter(|(_, until)| *until - now > 300) {
        return Json(json!({ "access_token": token, "expires_in": until - now })).into_response();
    }
    let token = format!("{}_{}", world.name("token"), "x".repeat(500));
    let mut inner = world.lock();
    inner.tokens.insert(token.clone(), (appid.clone(), now + 7200));
    inner.newest.insert(appid, token.clone());
    Json(json!({ "access_token": token, "expires_in": 7200 })).into_response()
}

async fn ticket(State(world): State<Shared>, Query(asked): Asked) -> Response {
    match whose(&world, &asked) {
        Ok(_) => {
            let told = json!({ "errcode": 0, "errmsg": "ok", "ticket": "fake-ticket", "expires_in": 7200 });
            Json(told).into_response()
        }
        Err(code) => said(code),
    }
}

/// Sends the browser back as `_openid`; `_deny` without a code, `_snapshot` as a snapshot.
async fn authorize(State(world): State<Shared>, Query(asked): Asked) -> Response {
    let of = |name: &str| asked.get(name).map(String::as_str).unwrap_or_default();
    let (back, state) = (of("redirect_uri"), of("state"));
    let is_plain = state.len() <= 128 && state.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if of("appid") != OFFICIAL || !back.starts_with("http") || !is_plain || of("response_type") != "code" {
        let page = "<html><body>redirect_uri域名与后台配置不一致，错误码:10003</body></html>";
        return (StatusCode::OK, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response();
    }
    let join = if back.contains('?') { '&' } else { '?' };
    if asked.contains_key("_deny") {
        return Redirect::to(&format!("{back}{join}state={state}")).into_response();
    }
    let openid = asked.get("_openid").cloned().unwrap_or_else(|| "oFake1".to_owned());
    let code = world.code(&openid, asked.contains_key("_snapshot"));
    Redirect::to(&format!("{back}{join}code={code}&state={state}")).into_response()
}

fn spent(world: &Shared, code: &str) -> Result<(String, bool), i64> {
    let now = world.now();
    let mut inner = world.lock();
    let one = inner.codes.get_mut(code).ok_or(40029)?;
    if one.is_used {
        return Err(40163);
    }
    if one.until <= now {
        return Err(42003);
    }
    one.is_used = true;
    Ok((one.openid.clone(), one.is_snapshot))
}

async fn oauth(State(world): State<Shared>, Query(asked): Asked) -> Response {
    let of = |name: &str| asked.get(name).map(String::as_str).unwrap_or_default();
    let known = account(&world, of("appid"), of("secret")).and_then(|()| spent(&world, of("code")));
    match known {
        Err(code) => said(code),
        Ok((openid, is_snapshot)) => {
            let mut told = json!({
                "access_token": "web", "expires_in": 7200, "refresh_token": "r", "openid": openid, "scope": "snsapi_base",
            });
            if is_snapshot {
                told["is_snapshotuser"] = json!(1);
            }
            Json(told).into_response()
        }
    }
}

async fn js_code(State(world): State<Shared>, Query(asked): Asked) -> Response {
    let of = |name: &str| asked.get(name).map(String::as_str).unwrap_or_default();
    let known = account(&world, of("appid"), of("secret")).and_then(|()| spent(&world, of("js_code")));
    match known {
        Err(40163) => said(40029),
        Err(code) => said(code),
        Ok((openid, _)) => Json(json!({ "openid": openid, "session_key": "tiihtNczf5v6AKRyjwEUhQ==" })).into_response(),
    }
}

async fn phone_number(State(world): State<Shared>, Query(asked): Asked, Json(told): Json<Value>) -> Response {
    let appid = match whose(&world, &asked) {
        Ok(appid) => appid,
        Err(code) => return said(code),
    };
    let phone = world.lock().phones.remove(told["code"].as_str().unwrap_or_default());
    let Some(phone) = phone else { return said(40029) };
    let info = json!({
        "phoneNumber": format!("+86{phone}"), "purePhoneNumber": phone, "countryCode": "86",
        "watermark": { "timestamp": 1, "appid": appid },
    });
    Json(json!({ "errcode": 0, "errmsg": "ok", "phone_info": info })).into_response()
}

async fn media(State(world): State<Shared>, Query(asked): Asked) -> Response {
    if let Err(code) = whose(&world, &asked) {
        return said(code);
    }
    let now = world.now();
    let known = world.lock().media.get(asked.get("media_id").map(String::as_str).unwrap_or_default()).cloned();
    match known.filter(|(_, until)| *until > now) {
        Some((bytes, _)) => {
            let named =
                [(header::CONTENT_DISPOSITION, "attachment; filename=\"x.jpg\""), (header::CONTENT_TYPE, "image/jpeg")];
            (named, bytes).into_response()
        }
        None => said(40007),
    }
}

async fn qr_code(State(world): State<Shared>, Query(asked): Asked, Json(told): Json<Value>) -> Response {
    if let Err(code) = whose(&world, &asked) {
        return said(code);
    }
    let scene = told["action_info"]["scene"]["scene_str"].as_str().unwrap_or_default();
    if scene.is_empty() || scene.len() > 64 {
        return said(40053);
    }
    let url = format!("http://weixin.qq.com/q/fake-{scene}");
    Json(json!({ "ticket": "fake", "url": url })).into_response()
}

async fn menu(State(world): State<Shared>, Query(asked): Asked, Json(told): Json<Value>) -> Response {
    if let Err(code) = whose(&world, &asked) {
        return said(code);
    }
    let buttons = told["button"].as_array().cloned().unwrap_or_default();
    let is_long = |one: &Value| one["name"].as_str().unwrap_or_default().len() > 16;
    if buttons.is_empty() || buttons.len() > 3 || buttons.iter().any(is_long) {
        return said(40018);
    }
    world.lock().menus.push(told);
    said(0)
}
