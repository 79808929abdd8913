//! The three ways of telling somebody something, with what WeChat checks.
use std::time::Duration;

use axum::{
    Router,
    body::Bytes,
    extract::{OriginalUri, Query, State},
    http::header,
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::{Value, json};

use crate::{
    Shared,
    faults::said,
    wechat::{Asked, whose},
    world::{Sent, User},
};

/// How long a send is under way: another to the same openid within it is refused.
const UNDER_WAY: Duration = Duration::from_millis(30);
/// A word in an open conversation.
const SAY: &str = "/cgi-bin/message/custom/send";
/// Words that WeChat would not let through.
const FORBIDDEN: &str = "敏感词";

pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route(SAY, post(take))
        .route("/cgi-bin/message/subscribe/bizsend", post(take))
        .route("/cgi-bin/message/subscribe/send", post(take))
        .route("/cgi-bin/message/template/send", post(take))
}

async fn take(
    State(world): State<Shared>,
    OriginalUri(uri): OriginalUri,
    Query(asked): Asked,
    body: Bytes,
) -> Response {
    let path = uri.path();
    let answer = match whose(&world, &asked) {
        Ok(_) => judged(&world, path, &body).await,
        Err(code) => Err(refused(code)),
    };
    match answer {
        Ok(id) => {
            let mut told = json!({ "errcode": 0, "errmsg": "ok" });
            // what is said in a conversation has no name
            if path != SAY {
                told["msgid"] = json!(id);
            }
            ([(header::CONTENT_TYPE, "text/plain")], told.to_string()).into_response()
        }
        Err(response) => *response,
    }
}

fn refused(code: i64) -> Box<Response> {
    Box::new(said(code))
}

async fn judged(world: &Shared, path: &str, body: &Bytes) -> Result<u64, Box<Response>> {
    // WeChat refuses escapes that JSON allows
    let text = std::str::from_utf8(body).map_err(|_| refused(40033))?;
    if text.contains("\\u") {
        return Err(refused(40033));
    }
    let told: Value = serde_json::from_str(text).map_err(|_| refused(47001))?;
    let to = told["touser"].as_str().unwrap_or_default().to_owned();
    {
        let mut inner = world.lock();
        if let Some(left) = inner.quota.get_mut(path) {
            if *left <= 0 {
                return Err(refused(45009));
            }
            *left -= 1;
        }
        if !inner.users.contains_key(&to) {
            return Err(refused(40003));
        }
        if !inner.busy.insert(to.clone()) {
            return Err(refused(43108));
        }
    }
    tokio::time::sleep(UNDER_WAY).await;
    let judged = if path.ends_with("custom/send") {
        conversation(world, &to, &told)
    } else {
        template(world, path, (&to, &told))
    };
    world.lock().busy.remove(&to);
    judged?;
    let id = match told["client_msg_id"].as_str() {
        // the same name within ten minutes is the same message
        Some(name) => {
            let fresh = world.number();
            let mut inner = world.lock();
            if let Some(known) = inner.named.get(name) {
                return Ok(*known);
            }
            inner.named.insert(name.to_owned(), fresh);
            fresh
        }
        None => world.number(),
    };
    world.lock().sent.push(Sent { path: path.to_owned(), to, body: told, id });
    Ok(id)
}

fn conversation(world: &Shared, to: &str, told: &Value) -> Result<(), Box<Response>> {
    let text = told["text"]["content"].as_str().unwrap_or_default();
    if text.is_empty() || text.len() > 2048 {
        return Err(refused(45002));
    }
    world.take_window(to).map_err(refused)
}

fn template(world: &Shared, path: &str, (to, told): (&str, &Value)) -> Result<(), Box<Response>> {
    let id = told["template_id"].as_str().unwrap_or_default();
    let mut inner = world.lock();
    let fields = inner.templates.get(id).cloned().ok_or_else(|| refused(40037))?;
    for field in &fields {
        let value = told["data"][field]["value"].as_str().unwrap_or_default();
        if value.contains(FORBIDDEN) {
            return Err(refused(45168));
        }
        if !fits(field, value) {
            let said = format!("argument invalid! data.{field}.value invalid rid: 6512591d-47003");
            return Err(Box::new(axum::Json(json!({ "errcode": 47003, "errmsg": said })).into_response()));
        }
    }
    let user: &mut User = inner.users.entry(to.to_owned()).or_default();
    if path.ends_with("template/send") {
        return if user.follows { Ok(()) } else { Err(refused(43004)) };
    }
    if user.long.contains(id) {
        return Ok(());
    }
    match user.credits.get_mut(id) {
        Some(left) if *left > 0 => {
            *left -= 1;
            Ok(())
        }
        _ => Err(refused(43101)),
    }
}

/// The table of fields, written down once more.
fn fits(field: &str, value: &str) -> bool {
    let kind = field.trim_end_matches(|c: char| c.is_ascii_digit());
    let length = value.chars().count();
    let han = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c) || c == '…';
    if length == 0 || value.chars().any(char::is_control) {
        return false;
    }
    match kind {
        "thing" => length <= 20,
        "number" => length <= 32 && value.chars().all(|c| c.is_ascii_digit() || c == '.' || c == '-'),
        "phrase" => length <= 5 && (value == "-" || value.chars().all(han)),
        "name" => length <= 20,
        "character_string" => length <= 32 && value.is_ascii(),
        "time" | "date" => value == "-" || value.chars().any(|c| c.is_ascii_digit()),
        _ => true,
    }
}
