//! What every request passes through: its id, its limits, the security headers, its line in the log.
use std::time::{Duration, Instant};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tracing::Instrument;
use uuid::Uuid;

use crate::{
    app::{App, client_address},
    error::{Code, Error},
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Scripts and styles come from us alone; photos may be shown before they are sent, recordings played from memory.
const CSP: &str = "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self'; \
    style-src 'self' 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

/// Outermost: counts, times, logs (path pattern, never the path or a name) and answers in time.
pub(super) async fn observe(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let id = Uuid::now_v7().to_string();
    let method = known(request.method());
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "unmatched".to_owned(), |path| path.as_str().to_owned());
    let id_value = HeaderValue::from_str(&id).unwrap_or(HeaderValue::from_static("-"));
    request.headers_mut().insert(REQUEST_ID, id_value.clone());
    let is_html = wants_page(&request);
    // what goes wrong on the way is found by the id, too
    let span = tracing::error_span!("request", id = id.as_str());
    let mut response = answer(&app, request, next).instrument(span).await;
    if is_html && (response.status().is_client_error() || response.status().is_server_error()) {
        response = crate::pages::problem(response);
    }
    let status = response.status();
    let millis = began.elapsed().as_millis();
    metrics::counter!("http_requests_total", "method" => method, "route" => route.clone(), "status" => status.as_str().to_owned())
        .increment(1);
    metrics::histogram!("http_request_seconds", "route" => route.clone()).record(began.elapsed().as_secs_f64());
    if status.is_server_error() {
        tracing::error!(request = id, %method, route, status = status.as_u16(), millis, "answered");
    } else {
        tracing::debug!(request = id, %method, route, status = status.as_u16(), millis, "answered");
    }
    secure(&mut response, id_value);
    response
}

/// A label with as many values as there are methods, not as there are callers' inventions.
fn known(method: &Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    KNOWN.into_iter().find(|name| *name == method.as_str()).unwrap_or("other")
}

async fn answer(app: &App, request: Request, next: Next) -> Response {
    let address = client_address(app, request.headers(), request.extensions());
    if let Some(Err(error)) = address.map(|address| app.rates.request(address)) {
        return error.into_response();
    }
    if let Some(code) = holds_nul(&request) {
        return Error::from(code).into_response();
    }
    let within = if is_upload(&request) { app.config.body_timeout_secs } else { app.config.answer_timeout_secs };
    match tokio::time::timeout(Duration::from_secs(within), next.run(request)).await {
        Ok(response) => response,
        Err(_) => Error::from(Code::TimedOut).into_response(),
    }
}

/// Nothing has the character 0 in its name, and no database need be asked for it.
fn holds_nul(request: &Request) -> Option<Code> {
    let (path, query) = (request.uri().path(), request.uri().query().unwrap_or_default());
    if path.contains("%00") { Some(Code::NotFound) } else { query.contains("%00").then_some(Code::InvalidRequest) }
}

/// Photos and recordings come slowly from a village: whatever may have files with it.
fn is_upload(request: &Request) -> bool {
    let path = request.uri().path();
    let is_within = |folders: &[&str]| folders.iter().any(|folder| path.starts_with(folder));
    let ends = |endings: &[&str]| endings.iter().any(|ending| path.ends_with(ending));
    matches!(path, "/v1/media" | "/speak" | "/desk/roster" | "/desk/legal/contracts")
        || is_within(&["/v1/uploads/", "/desk/tasks/", "/desk/aloud/"])
        || (is_within(&["/streams/", "/suggestions/", "/matters/"]) && ends(&["/messages"]))
        || (is_within(&["/desk/matters/"]) && ends(&["/particulars"]))
        || (is_within(&["/desk/votes/"]) && ends(&["/proxies", "/paper/count"]))
        || (is_within(&["/desk/suggestions/"]) && ends(&["/answer", "-clip", "/cosigns"]))
        || (is_within(&["/desk/legal/mediations/"]) && ends(&["/end"]))
}

fn wants_page(request: &Request) -> bool {
    let path = request.uri().path();
    let accepts = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    !path.starts_with("/v1/") && accepts.contains("text/html")
}

fn secure(response: &mut Response, id: HeaderValue) {
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, id);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(CSP));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

/// A panic in a handler is a 500 like any other.
pub(super) fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    Error::broken("a handler panicked").into_response()
}

/// No such page.
pub(super) async fn not_found(request: Request) -> Response {
    let response = Error::from(Code::NotFound).into_response();
    if wants_page(&request) { crate::pages::problem(response) } else { response }
}

/// The path is there, the method is not.
pub(super) async fn method_not_allowed() -> Response {
    Error::from(Code::MethodNotAllowed).into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[test]
    fn whatever_may_have_files_with_it_may_come_slowly() {
        let asked = |path: &str| is_upload(&axum::http::Request::builder().uri(path).body(Body::empty()).unwrap());
        for slow in [
            "/v1/media",
            "/v1/uploads/1",
            "/speak",
            "/streams/1/messages",
            "/suggestions/1/messages",
            "/matters/1/messages",
            "/desk/roster",
            "/desk/tasks/1/finish",
            "/desk/tasks/1/money",
            "/desk/aloud/vote/1",
            "/desk/matters/1/particulars",
            "/desk/votes/1/proxies",
            "/desk/votes/1/paper/count",
            "/desk/suggestions/1/answer",
            "/desk/suggestions/1/answer-clip",
            "/desk/suggestions/1/cosigns",
            "/desk/legal/contracts",
            "/desk/legal/mediations/1/end",
        ] {
            assert!(asked(slow), "{slow}");
        }
        for quick in ["/", "/v1/suggestions", "/suggestions/1", "/votes/1/ballots", "/v1/streams/1/messages"] {
            assert!(!asked(quick), "{quick}");
        }
    }
}
