//! `/wechat/callback`, `/wechat/mini/callback`: WeChat asks whether we are there, and hands over what people send.
//!
//! # Why
//! Everything that is wrong gets the same answer (403, nothing said) and one counter, so that nobody finds out how far a
//! forgery came. An error page would show people "该公众号暂时无法提供服务": what cannot be read but was signed is `success`.
use axum::{
    Router,
    body::to_bytes,
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use super::commands;
use crate::{
    app::{
        App, Query,
        routing::{get, post},
    },
    config::WechatCallbackMode,
    gateways::wechat::{
        Callback, WechatApp,
        crypto::is_signed,
        inbound::{Envelope, Inbound},
    },
};

const MAX_BODY: usize = 64 * 1024;
/// How far a signature's time may be from ours: WeChat's tries come within a minute.
const FRESH_SECS: u64 = 600;

pub fn routes() -> Router<App> {
    Router::new()
        .route("/wechat/callback", get(verify_official).merge(post(take_official)))
        .route("/wechat/mini/callback", get(verify_mini).merge(post(take_mini)))
}

async fn verify_official(State(app): State<App>, Query(told): Query<Signed>) -> Response {
    verify(&app, &told, WechatApp::Official)
}

async fn take_official(State(app): State<App>, Query(told): Query<Signed>, call: Request) -> Response {
    take(&app, (told, call), WechatApp::Official).await
}

async fn verify_mini(State(app): State<App>, Query(told): Query<Signed>) -> Response {
    verify(&app, &told, WechatApp::Mini)
}

async fn take_mini(State(app): State<App>, Query(told): Query<Signed>, call: Request) -> Response {
    take(&app, (told, call), WechatApp::Mini).await
}

/// What stands in the address of every call.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Signed {
    signature: String,
    timestamp: String,
    nonce: String,
    echostr: String,
    msg_signature: String,
}

fn refused() -> Response {
    metrics::counter!("wechat_calls_refused_total").increment(1);
    StatusCode::FORBIDDEN.into_response()
}

fn said(text: String) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}

fn verify(app: &App, told: &Signed, of: WechatApp) -> Response {
    let Some(callback) = app.gateways.wechat.callback(of) else { return refused() };
    let is_good = is_signed(&[&callback.token, &told.timestamp, &told.nonce], &told.signature);
    if is_good && !told.echostr.is_empty() { said(told.echostr.clone()) } else { refused() }
}

async fn take(app: &App, (told, request): (Signed, Request), of: WechatApp) -> Response {
    let Some(callback) = app.gateways.wechat.callback(of) else { return refused() };
    let Ok(body) = to_bytes(request.into_body(), MAX_BODY).await else { return refused() };
    let is_fresh = told.timestamp.parse::<i64>().is_ok_and(|at| app.now().timestamp().abs_diff(at) <= FRESH_SECS);
    let Ok(body) = std::str::from_utf8(&body) else { return refused() };
    let Some(message) = opened(callback, &told, body).filter(|_| is_fresh) else { return refused() };
    let Some(message) = message else { return said("success".to_owned()) };
    match commands::store(app, of, message).await {
        Ok(id) => {
            if let Some(id) = id {
                // not waited for; the sweep looks after it, too
                let app = app.clone();
                tokio::spawn(async move { super::work::try_once(&app, id).await });
            }
            said("success".to_owned())
        }
        // not stored: WeChat tries twice more
        Err(error) => {
            tracing::error!(%error, "a message from WeChat was not stored");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

/// The message in a body, by the mode that is set up; the outer `None` for what is not WeChat's, the inner for what was
/// signed and cannot be read.
fn opened(callback: &Callback, told: &Signed, body: &str) -> Option<Option<Inbound>> {
    match callback.mode {
        WechatCallbackMode::Plain => {
            if !is_signed(&[&callback.token, &told.timestamp, &told.nonce], &told.signature) {
                return None;
            }
            let envelope = Envelope::read(body)?;
            Some(envelope.message())
        }
        // in compatible mode the open fields are not signed: they are passed over
        WechatCallbackMode::Compatible | WechatCallbackMode::Safe => {
            let envelope = Envelope::read(body)?;
            let sealed = envelope.encrypted.as_deref()?;
            if !is_signed(&[&callback.token, &told.timestamp, &told.nonce, sealed], &told.msg_signature) {
                return None;
            }
            let inner = callback.key.as_ref()?.open(sealed)?;
            Some(Envelope::read(&inner)?.message())
        }
    }
}
