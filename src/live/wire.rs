//! From a request to a socket: the handshake of RFC 6455, and the connection taken out of the HTTP server.
//!
//! # Why
//! What an HTTP library hands over after an upgrade is its own wrapping: every write of a message goes through five layers.
//! The server knows what it wrapped; it says with each request how to get the bare connection back, and hands along the
//! place that the connection takes, so that a socket counts among the connections for as long as it lives.
use std::{any::Any, sync::Arc};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use hyper::upgrade::{OnUpgrade, Upgraded};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use tokio::net::TcpStream;

/// What every key is answered with (RFC 6455, 1.3).
const MAGIC: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const VERSION: &str = "13";

/// What the server that accepted the connection says of it, in the extensions of every request.
#[derive(Clone)]
pub struct Line {
    /// The place among all connections and that among those of the network; given back when the last copy goes.
    pub place: Arc<dyn Any + Send + Sync>,
    /// Gets the bare connection back, with what was read too much.
    pub take_out: fn(Upgraded) -> Option<(TcpStream, Bytes)>,
}

/// A handshake that is in order.
pub(super) struct Handshake {
    pub(super) line: Line,
    upgrade: OnUpgrade,
    accept: HeaderValue,
}

impl Handshake {
    /// Reads it off a request; the status of the refusal otherwise.
    pub(super) fn of(request: &mut Request<Body>) -> Result<Self, StatusCode> {
        let accept = checked(request.method(), request.headers())?;
        let extensions = request.extensions_mut();
        // HTTP/2 and whatever else cannot be upgraded has none
        let upgrade = extensions.remove::<OnUpgrade>().ok_or(StatusCode::UPGRADE_REQUIRED)?;
        let line = extensions.get::<Line>().cloned().ok_or(StatusCode::UPGRADE_REQUIRED)?;
        Ok(Self { line, upgrade, accept })
    }

    /// The answer that turns the connection into a socket.
    pub(super) fn answer(&self) -> Response<Body> {
        let mut answer = Response::new(Body::empty());
        *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = answer.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, self.accept.clone());
        answer
    }

    /// The bare connection, once the answer is out, and what came behind the request.
    pub(super) async fn socket(self) -> Option<(TcpStream, Bytes, Line)> {
        let upgraded = self.upgrade.await.ok()?;
        let (stream, read) = (self.line.take_out)(upgraded)?;
        Some((stream, read, self.line))
    }
}

/// A refusal in HTTP's own words.
pub(super) fn refusal(status: StatusCode) -> Response<Body> {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = status;
    if status == StatusCode::UPGRADE_REQUIRED {
        answer.headers_mut().insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static(VERSION));
    }
    answer
}

/// What a key is answered with, if the request asks for a socket by the rules; the status of the refusal otherwise.
pub(super) fn checked(method: &Method, headers: &HeaderMap) -> Result<HeaderValue, StatusCode> {
    let says = |name: header::HeaderName, word: &str| {
        let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
        lines.flat_map(|line| line.split(',')).any(|one| one.trim().eq_ignore_ascii_case(word))
    };
    if method != Method::GET {
        return Err(StatusCode::METHOD_NOT_ALLOWED);
    }
    if !says(header::CONNECTION, "upgrade") || !says(header::UPGRADE, "websocket") {
        return Err(StatusCode::UPGRADE_REQUIRED);
    }
    if headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != VERSION) {
        return Err(StatusCode::UPGRADE_REQUIRED);
    }
    let key = headers.get(header::SEC_WEBSOCKET_KEY).and_then(|key| key.to_str().ok());
    let key = key.filter(|key| BASE64_STANDARD.decode(key).is_ok_and(|bytes| bytes.len() == 16));
    let accept = accept(key.ok_or(StatusCode::BAD_REQUEST)?);
    HeaderValue::from_str(&accept).map_err(|_| StatusCode::BAD_REQUEST)
}

/// What a client's key is answered with.
#[must_use]
pub fn accept(key: &str) -> String {
    BASE64_STANDARD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, format!("{key}{MAGIC}").as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_the_standard_is_answered_as_it_says() {
        assert_eq!(accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}
