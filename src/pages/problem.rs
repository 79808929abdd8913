//! A refusal or a breakdown as a plain page: what happened, in words, and a way on.
use askama::Template;
use axum::{
    body::to_bytes,
    extract::Request,
    http::{Method, StatusCode, header},
    middleware::Next,
    response::Response,
};
use futures_util::FutureExt;
use serde_json::Value;

use super::{
    layout::{Page, encode, render_as, see},
    words::Words,
};
use crate::{error::Code, text};

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage {
    page: Page,
    sentence: String,
    details: Vec<String>,
}

/// Turns a `problem+json` answer into a page; any other answer stays what it is.
#[must_use]
pub fn problem(response: Response) -> Response {
    if !is_problem(&response) {
        return response;
    }
    let status = response.status();
    let (parts, body) = response.into_parts();
    // refusals are made in memory: their body is there at once, unless it was compressed on the way
    let bytes = to_bytes(body, 64 * 1024).now_or_never().and_then(std::result::Result::ok).unwrap_or_default();
    let told: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let sentence = told["title"].as_str().map_or_else(|| sentence_for(status), str::to_owned);
    let errors = told["errors"].as_array().cloned().unwrap_or_default();
    let details = errors.iter().filter_map(|error| error["message"].as_str().map(str::to_owned)).collect();
    let page = Page { title: text::say("page-problem"), back: "/".to_owned(), ..Page::default() };
    let mut shown = render_as(status, &ProblemPage { page, sentence, details });
    for name in [header::RETRY_AFTER, header::SET_COOKIE] {
        if let Some(value) = parts.headers.get(&name) {
            shown.headers_mut().insert(name, value.clone());
        }
    }
    shown
}

fn is_problem(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/problem+json"))
}

fn sentence_for(status: StatusCode) -> String {
    let code = Code::ALL.iter().rev().find(|code| code.status() == status);
    code.copied().unwrap_or(Code::Internal).sentence()
}

/// Around all pages: refusals become pages, and who is not signed in any more is led to the log-in.
pub(super) async fn shown(request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let is_get = request.method() == Method::GET;
    let response = next.run(request).await;
    if response.status() == StatusCode::UNAUTHORIZED && is_problem(&response) && path != "/login" {
        return see(&format!("/login?then={}", if is_get { encode(&path) } else { "/".to_owned() }));
    }
    problem(response)
}
