//! Answers that many phones ask for again and again: with an ETag, and 304 for who has seen them.
use axum::{
    body::{Body, Bytes},
    extract::FromRequestParts,
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::{
    error::{Error, Result},
    keys::sha256_hex,
};

/// What the caller has seen: the `If-None-Match` header.
#[derive(Clone, Debug, Default)]
pub struct Seen(Option<String>);

impl Seen {
    /// Is it what has this tag?
    #[must_use]
    pub fn is(&self, tag: &str) -> bool {
        self.0.as_deref().is_some_and(|seen| {
            seen.split(',').map(str::trim).any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag)
        })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Seen {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let value = parts.headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
        Ok(Self(value.map(str::to_owned)))
    }
}

/// A public answer that anybody on the way may keep for a while.
pub struct Cached<T> {
    /// What the caller has seen.
    pub seen: Seen,
    /// The answer.
    pub value: T,
    /// How long it may be kept.
    pub secs: u32,
}

impl<T: Serialize> IntoResponse for Cached<T> {
    fn into_response(self) -> Response {
        match Written::of(&self.value) {
            Ok(written) => written.answer(&self.seen, self.secs),
            Err(error) => error.into_response(),
        }
    }
}

/// An answer as it is sent, with its tag; cheap to clone.
#[derive(Clone)]
pub struct Written {
    json: Bytes,
    tag: String,
}

impl Written {
    /// A value, written as JSON.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn of(value: &impl Serialize) -> Result<Self> {
        let json = serde_json::to_vec(value).map_err(Error::broken)?;
        let digest = sha256_hex(&json);
        Ok(Self { tag: format!("\"{}\"", digest.get(..32).unwrap_or_default()), json: json.into() })
    }

    /// How long it is, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.json.len()
    }

    /// For everybody, who may keep it for so long; 304 for who has seen it.
    #[must_use]
    pub fn answer(self, seen: &Seen, secs: u32) -> Response {
        let mut response = if seen.is(&self.tag) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            let json = HeaderValue::from_static("application/json");
            ([(header::CONTENT_TYPE, json)], Body::from(self.json)).into_response()
        };
        let headers = response.headers_mut();
        for (name, text) in [(header::ETAG, self.tag), (header::CACHE_CONTROL, format!("public, max-age={secs}"))] {
            if let Ok(value) = HeaderValue::from_str(&text) {
                headers.insert(name, value);
            }
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(seen: Option<&str>) -> Response {
        Cached { seen: Seen(seen.map(str::to_owned)), value: [1, 2, 3], secs: 300 }.into_response()
    }

    #[test]
    fn who_has_seen_it_gets_no_body_again() {
        let first = answer(None);
        assert_eq!(first.status(), StatusCode::OK);
        let tag = first.headers()[header::ETAG].to_str().unwrap().to_owned();
        for seen in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
            assert_eq!(answer(Some(&seen)).status(), StatusCode::NOT_MODIFIED, "{seen}");
        }
        assert_eq!(answer(Some("\"other\"")).status(), StatusCode::OK);
    }
}
