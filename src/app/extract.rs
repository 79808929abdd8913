//! Bodies, paths and queries from requests; what does not fit is refused as `problem+json`.
use std::net::{IpAddr, SocketAddr};

use axum::{
    Json,
    body::Bytes,
    extract::{ConnectInfo, FromRequest, FromRequestParts, Request, rejection::JsonRejection},
    http::{Extensions, HeaderMap, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::App;
use crate::error::{Code, Error};

/// A JSON body. Unknown fields are refused by the inputs themselves (`deny_unknown_fields`).
pub struct Input<T>(pub T);

impl<S, T> FromRequest<S> for Input<T>
where
    S: Send + Sync,
    T: DeserializeOwned,
{
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        let is_json = says_json(request.headers());
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Error::from(Code::TooLarge),
            _ => Code::InvalidRequest.into(),
        })?;
        if holds_nul(&bytes) {
            return Err(Code::InvalidRequest.into());
        }
        if !is_json {
            return Err(Code::UnsupportedType.into());
        }
        match Json::<T>::from_bytes(&bytes) {
            Ok(Json(value)) => Ok(Self(value)),
            Err(JsonRejection::JsonDataError(rejection)) => Err(wrong_field(&rejection.body_text())),
            Err(_) => Err(Code::InvalidRequest.into()),
        }
    }
}

/// A form of another site cannot say so.
fn says_json(headers: &HeaderMap) -> bool {
    let said = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = said.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind.strip_prefix("application/").is_some_and(|kind| kind == "json" || kind.ends_with("+json"))
}

/// No text of people holds the character 0, and databases differ in whether they can keep or even compare it.
fn holds_nul(json: &[u8]) -> bool {
    fn within(value: &Value) -> bool {
        match value {
            Value::String(text) => text.contains('\0'),
            Value::Array(items) => items.iter().any(within),
            Value::Object(fields) => fields.iter().any(|(name, inner)| name.contains('\0') || within(inner)),
            _ => false,
        }
    }
    // two backslashes before it are no escape, hence the second look
    json.windows(6).any(|six| six == b"\\u0000") && serde_json::from_slice(json).is_ok_and(|value| within(&value))
}

/// Names the field that serde stumbled over, without repeating its value.
fn wrong_field(text: &str) -> Error {
    let quoted = text.split('`').nth(1).filter(|word| text.contains("field") && word.len() < 60);
    Error::field(quoted.unwrap_or("body"), if text.contains("missing field") { "required" } else { "unknown" })
}

/// Parts of the path; one that is not an id names nothing.
pub struct Path<T>(pub T);

impl<S, T> FromRequestParts<S> for Path<T>
where
    S: Send + Sync,
    T: DeserializeOwned + Send,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let path = axum::extract::Path::<T>::from_request_parts(parts, state).await;
        path.map(|axum::extract::Path(value)| Self(value)).map_err(|_| Code::NotFound.into())
    }
}

/// The query string.
pub struct Query<T>(pub T);

impl<S, T> FromRequestParts<S> for Query<T>
where
    S: Send + Sync,
    T: DeserializeOwned,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let query = axum::extract::Query::<T>::from_request_parts(parts, state).await;
        query.map(|axum::extract::Query(value)| Self(value)).map_err(|_| Code::InvalidRequest.into())
    }
}

/// 201 with the thing made.
pub struct Created<T>(pub T);

impl<T: Serialize> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        (StatusCode::CREATED, Json(self.0)).into_response()
    }
}

/// The address a request came from: the connection's, or the last one a trusted proxy added.
#[must_use]
pub fn client_address(app: &App, headers: &HeaderMap, extensions: &Extensions) -> Option<IpAddr> {
    let ConnectInfo(peer) = extensions.get::<ConnectInfo<SocketAddr>>()?;
    let trusted = |address: &IpAddr| app.config.trusted_proxies.contains(address);
    if !trusted(&peer.ip()) {
        return Some(peer.ip());
    }
    // some proxies add a line instead of a word: the last word of the last line is the nearest proxy's
    let lines: Vec<&str> =
        headers.get_all("x-forwarded-for").iter().map(|value| value.to_str().unwrap_or_default()).collect();
    let words = lines.iter().rev().flat_map(|line| line.rsplit(','));
    // what stands before a word that is no address was not written by a proxy of ours
    let known = words.map_while(|word| forwarded(word.trim()));
    Some(known.into_iter().find(|address| !trusted(address)).unwrap_or(peer.ip()))
}

/// An address as proxies write it, with or without a port.
fn forwarded(word: &str) -> Option<IpAddr> {
    let address = word.parse().ok().or_else(|| word.parse::<SocketAddr>().ok().map(|socket| socket.ip()));
    address
        .or_else(|| word.strip_prefix('[')?.strip_suffix(']')?.parse().ok())
        .map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_body_is_json_when_it_says_so() {
        let says = |kind: &'static str| {
            says_json(&HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(kind))]))
        };
        for json in ["application/json", "Application/JSON; charset=utf-8", "application/merge-patch+json"] {
            assert!(says(json), "{json}");
        }
        for other in [
            "",
            "json",
            "text/json",
            "text/plain",
            "text/plain; application/json",
            "application/jsonp",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=application/json",
        ] {
            assert!(!says(other), "{other}");
        }
        assert!(!says_json(&HeaderMap::new()));
    }
}
