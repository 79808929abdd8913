//! A refusal as it goes over the wire, and as it is described.
use std::collections::BTreeMap;

use axum::{
    Json,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::{
    IntoResponses, ToSchema,
    openapi::{Content, Ref, RefOr, ResponseBuilder},
};

use super::{Error, FieldError, Refusal};

const MIME: &str = "application/problem+json";

/// The body of a refusal.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// Always `about:blank`; the code says more.
    pub r#type: &'static str,
    /// The sentence, in Chinese.
    pub title: String,
    /// The HTTP status again.
    pub status: u16,
    /// The stable code, see `api-spec/errors.md`.
    pub code: &'static str,
    /// Wrong fields, if fields are wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// What a client needs to go on, if anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub more: Option<serde_json::Value>,
}

/// What every operation says of its refusals, unless it has more to say.
impl IntoResponses for Problem {
    fn responses() -> BTreeMap<String, RefOr<utoipa::openapi::Response>> {
        let content = Content::new(Some(Ref::from_schema_name("Problem")));
        let refused = ResponseBuilder::new().description("Refused").content(MIME, content);
        BTreeMap::from([("default".to_owned(), refused.into())])
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let code = self.code();
        if code.status().is_server_error() {
            tracing::error!(code = code.as_str(), error = %self, "request failed");
        }
        let refusal = match self {
            Self::Refused(refusal) => *refusal,
            _ => Refusal { code, fields: Vec::new(), retry_after_secs: None, more: None },
        };
        problem(refusal)
    }
}

fn problem(refusal: Refusal) -> Response {
    let Refusal { code, fields, retry_after_secs, more } = refusal;
    let status = code.status();
    let body = Problem {
        r#type: "about:blank",
        title: code.sentence(),
        status: status.as_u16(),
        code: code.as_str(),
        errors: fields,
        more,
    };
    let mut response = (status, Json(body)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MIME));
    let wait = retry_after_secs.or_else(|| matches!(status.as_u16(), 503 | 507).then_some(5));
    if let Some(secs) = wait {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(secs));
    }
    response
}
