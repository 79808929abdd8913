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
    let han = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
    let of = |most: usize, good: fn(char) -> bool| length <= most && value.chars().all(good);
    if length == 0 || value.chars().any(char::is_control) {
        return false;
    }
    match kind {
        "thing" => length <= 20,
        "number" => of(32, |c| c.is_ascii_digit() || c == '.' || c == '-'),
        "letter" => of(32, |c| c.is_ascii_alphabetic()),
        "symbol" => of(5, |c| !c.is_alphanumeric()),
        "character_string" => of(32, |c| c.is_ascii_graphic()),
        "phone_number" => of(17, |c| c.is_ascii() && !c.is_ascii_alphabetic()),
        "car_number" => length <= 8,
        "name" => length <= if value.chars().any(han) { 10 } else { 20 },
        "phrase" => length <= 5 && value.chars().all(han),
        "time" => value.split('~').all(|one| is_moment(one.trim(), true)),
        "date" => value.split('~').all(|one| is_moment(one.trim(), false)),
        _ => true,
    }
}

/// `15:01`, `2019年10月1日 15:01`; of a date also `2019-10-01`, `2019/10/01`, and without a time of the day.
fn is_moment(text: &str, is_time: bool) -> bool {
    let number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_clock = |text: &str| (2..=3).contains(&text.split(':').count()) && text.split(':').all(number);
    let is_day = |text: &str| {
        let plain = text.strip_suffix('日').unwrap_or(text);
        let is_written = text.ends_with('日') && text.contains('年') && text.contains('月');
        plain.split(['年', '月', '-', '/']).count() == 3
            && plain.split(['年', '月', '-', '/']).all(number)
            && (is_written || !is_time)
    };
    match text.split_once(' ') {
        Some((day, clock)) => is_day(day) && is_clock(clock),
        None => {
            if is_time {
                is_clock(text)
            } else {
                is_day(text)
            }
        }
    }
}
