//! `rpc`: the operations of the API over the socket, by the very routes that answer over HTTP.
//!
//! # Why
//! A second implementation of ninety operations would drift from the first. An rpc's `data` holds the parameters of the
//! path and of the query by their names, and beside them the body; its answer is the body of the HTTP answer. Who asks is
//! known to the connection and handed along inside the process, where no request from outside can put it.
use std::{any::Any, collections::HashMap};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Method, Request, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};
use tower::ServiceExt;
use tower_http::catch_panic::CatchPanicLayer;

use crate::{
    actor::Actor,
    error::{Code, Error},
};

/// What clients of the Centrifuge protocol call by shorter names.
pub(super) const SHORT: &[(&str, &str)] = &[
    ("msg.send", "send_message"),
    ("msg.recall", "recall_message"),
    ("msg.pin", "pin_message"),
    ("msg.edit", "revise_notice"),
    ("msg.confirm", "confirm_notice"),
    ("msg.report", "report_message"),
    ("read", "move_cursor"),
    ("received", "mark_received"),
    ("sync", "list_streams"),
    ("entries", "list_entries"),
    ("receipts", "read_receipts"),
    ("chain.add", "put_chain_row"),
    ("chain.edit", "put_chain_row"),
    ("chain.remove", "remove_chain_row"),
    ("stream.mute", "set_stream_options"),
    ("stream.pin", "set_stream_options"),
    ("stream.leave", "remove_member"),
];
/// For who is not signed in, by whose network tries are counted.
const NOT_HERE: &[&str] = &["login", "guests", "ask_claim", "confirm_claim", "begin_upload"];
/// Bytes of an answer.
const LONGEST: usize = 4 * 1024 * 1024;

/// Why a call was refused.
pub(super) struct Refused {
    pub(super) status: u16,
    /// The stable code.
    pub(super) code: String,
}

impl From<Code> for Refused {
    fn from(code: Code) -> Self {
        Self { status: code.status().as_u16(), code: code.as_str().to_owned() }
    }
}

/// One operation.
struct Call {
    method: Method,
    path: String,
    in_query: Vec<String>,
    has_body: bool,
}

/// The operations that can be called over a socket, by their names.
pub struct Operations(HashMap<String, Call>);

impl Operations {
    /// Those of this OpenAPI description.
    #[must_use]
    pub fn of(description: &Value) -> Self {
        let mut calls = HashMap::new();
        for (path, item) in description["paths"].as_object().into_iter().flatten() {
            for (method, operation) in item.as_object().into_iter().flatten().filter(|(_, one)| is_here(one)) {
                let (Some(name), Ok(method)) = (operation["operationId"].as_str(), method.to_uppercase().parse())
                else {
                    continue;
                };
                calls.insert(name.to_owned(), Call::new(method, path, operation));
            }
        }
        Self(calls)
    }
}

/// Everything that can be called over a socket.
pub struct Calls {
    router: Router,
    operations: &'static Operations,
}

impl Calls {
    /// These operations, answered by this router. One that panics is answered, too: whoever called it would wait for ever,
    /// and so would all that is to be done for that connection afterwards.
    #[must_use]
    pub fn new(router: Router, operations: &'static Operations) -> Self {
        Self { router: router.layer(CatchPanicLayer::custom(panicked)), operations }
    }

    /// Names of all operations that can be called.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        self.operations.0.keys().map(String::as_str).collect()
    }

    /// Calls an operation by its name or short name. `None`: there is none of that name.
    pub(super) async fn call(&self, actor: Actor, method: &str, data: Value) -> Option<Result<Value, Refused>> {
        let name = SHORT.iter().find(|(short, _)| *short == method).map_or(method, |(_, name)| *name);
        let call = self.operations.0.get(name)?;
        Some(match call.request(actor, data) {
            Some(request) => self.answer(request).await,
            None => Err(Code::InvalidRequest.into()),
        })
    }

    async fn answer(&self, request: Request<Body>) -> Result<Value, Refused> {
        let Ok(answer) = self.router.clone().oneshot(request).await;
        let status = answer.status();
        let body = to_bytes(answer.into_body(), LONGEST).await.map_err(|_| Code::Internal)?;
        let body: Value = if body.is_empty() { json!({}) } else { serde_json::from_slice(&body).unwrap_or_default() };
        if status.is_success() {
            return Ok(body);
        }
        match body["code"].as_str() {
            Some(code) => Err(Refused { status: status.as_u16(), code: code.to_owned() }),
            // a body that is no JSON of this operation is refused before our own code sees it
            None if status.is_client_error() => Err(Code::InvalidRequest.into()),
            None => Err(Refused { status: StatusCode::INTERNAL_SERVER_ERROR.as_u16(), ..Code::Internal.into() }),
        }
    }
}

fn panicked(_: Box<dyn Any + Send>) -> Response {
    Error::broken("a call panicked").into_response()
}

impl Call {
    fn new(method: Method, path: &str, operation: &Value) -> Self {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let in_query = parameters.filter(|one| one["in"] == "query").filter_map(|one| one["name"].as_str());
        Self {
            method,
            path: path.to_owned(),
            in_query: in_query.map(str::to_owned).collect(),
            has_body: operation["requestBody"].is_object(),
        }
    }

    /// `None` when a parameter of the path is missing or `data` is no object.
    fn request(&self, actor: Actor, data: Value) -> Option<Request<Body>> {
        let mut data = match data {
            Value::Object(fields) => fields,
            Value::Null => Map::new(),
            _ => return None,
        };
        let mut path = String::new();
        for part in self.path.split('/').skip(1) {
            path.push('/');
            match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
                Some(name) => path.push_str(&plain(&data.remove(name)?)?),
                None => path.push_str(part),
            }
        }
        let mut query = Vec::new();
        for name in &self.in_query {
            if let Some(value) = data.remove(name) {
                query.push(format!("{name}={}", plain(&value)?));
            }
        }
        if !query.is_empty() {
            path = format!("{path}?{}", query.join("&"));
        }
        let body = if self.has_body { Body::from(Value::Object(data).to_string()) } else { Body::empty() };
        let request = Request::builder().method(self.method.clone()).uri(path);
        request.header(header::CONTENT_TYPE, "application/json").extension(actor).body(body).ok()
    }
}

/// What needs no escape in an address: ids, codes, numbers, cursors.
fn plain(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        _ => return None,
    };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.~".contains(c);
    (!text.is_empty() && text.chars().all(is_plain)).then_some(text)
}

/// Files go over HTTP, and so does whatever is for who is not signed in.
pub(super) fn is_here(operation: &Value) -> bool {
    let tags = operation["tags"].as_array().into_iter().flatten();
    let mut names = tags.chain([&operation["operationId"]]).filter_map(Value::as_str);
    let answers = operation["responses"].as_object().into_iter().flatten();
    let done = answers.filter(|(status, _)| status.starts_with('2')).map(|(_, answer)| answer);
    let mut kinds = done.chain([&operation["requestBody"]]).filter_map(|one| one["content"].as_object());
    kinds.all(|kinds| kinds.keys().all(|kind| kind == "application/json"))
        && !names.any(|name| NOT_HERE.contains(&name))
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use axum::routing::get;

    use super::*;
    use crate::ids::{PersonId, SessionId};

    // by name, because whoever looks for the pages of the product reads this file, too
    const PATH: &str = "/v1/broken";

    static OPERATIONS: LazyLock<Operations> = LazyLock::new(|| {
        let broken = json!({ "get": { "operationId": "break", "responses": {} } });
        Operations::of(&json!({ "paths": { PATH: broken } }))
    });

    async fn broken() -> &'static str {
        panic!("on purpose")
    }

    #[tokio::test]
    async fn a_call_that_panics_is_answered() {
        let calls = Calls::new(Router::new().route(PATH, get(broken)), &OPERATIONS);
        let actor = Actor {
            person: PersonId::new(),
            session: SessionId::new(),
            name: String::new(),
            area: String::new(),
            seats: Vec::new(),
            phone_listed_at: None,
        };
        let refused = calls.call(actor, "break", json!({})).await.unwrap().unwrap_err();
        assert_eq!((refused.status, refused.code.as_str()), (500, Code::Internal.as_str()));
    }
}
