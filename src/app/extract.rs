//! Bodies, paths and queries from requests; what does not fit is refused as `problem+json`.
use std::net::{IpAddr, SocketAddr};

use axum::{
    Json,
    extract::{ConnectInfo, FromRequest, FromRequestParts, Request, rejection::JsonRejection},
    http::{Extensions, HeaderMap, StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use serde::{Serialize, de::DeserializeOwned};

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
        match Json::<T>::from_request(request, state).await {
            Ok(Json(value)) => Ok(Self(value)),
            Err(JsonRejection::MissingJsonContentType(_)) => Err(Code::UnsupportedType.into()),
            Err(JsonRejection::BytesRejection(rejection)) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                Err(Code::TooLarge.into())
            }
            Err(JsonRejection::JsonDataError(rejection)) => Err(wrong_field(&rejection.body_text())),
            Err(_) => Err(Code::InvalidRequest.into()),
        }
    }
}

/// Names the field that serde stumbled over, without repeating its value.
fn wrong_field(text: &str) -> Error {
    let quoted = text.split('`').nth(1).filter(|word| text.contains("field") && word.len() < 60);
    let mut checks = crate::error::Checks::default();
    checks.wrong(quoted.unwrap_or("body"), if text.contains("missing field") { "required" } else { "unknown" });
    checks.done().err().unwrap_or_else(|| Code::InvalidRequest.into())
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
    let trusted =
        |address: &IpAddr| app.config.trusted_proxies.split(',').any(|own| own.trim().parse() == Ok(*address));
    if !trusted(&peer.ip()) {
        return Some(peer.ip());
    }
    let chain = headers.get("x-forwarded-for").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let first_untrusted =
        chain.rsplit(',').filter_map(|part| part.trim().parse::<IpAddr>().ok()).find(|address| !trusted(address));
    Some(first_untrusted.unwrap_or(peer.ip()))
}
