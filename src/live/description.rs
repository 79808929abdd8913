//! The description of the socket and of the events (AsyncAPI 3): made of the types of the protocol, of the API's own
//! description, and of examples that a test sends to a running server.
//! <https://www.asyncapi.com/docs/reference/specification/v3.0.0>
mod examples;
mod frames;
mod yaml;

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::calls;

/// Of an operation: the ids of its messages.
struct Talk {
    name: String,
    summary: String,
    asked: String,
    answered: Vec<String>,
}

/// What is collected on the way.
#[derive(Default)]
struct Parts {
    messages: Map<String, Value>,
    schemas: Map<String, Value>,
    operations: Map<String, Value>,
}

/// The description, from that of the API.
#[must_use]
pub fn describe(openapi: &Value) -> Value {
    let mut parts = Parts::default();
    frames::describe(&mut parts);
    for (path, item) in openapi["paths"].as_object().into_iter().flatten() {
        for (_, operation) in item.as_object().into_iter().flatten().filter(|(_, one)| calls::is_here(one)) {
            parts.call(path, operation, openapi);
        }
    }
    parts.take_in(&openapi["components"]["schemas"]);
    let messages: Map<String, Value> = parts.messages.keys().map(|name| (name.clone(), in_components(name))).collect();
    let told: Map<String, Value> = frames::TOLD.iter().map(|name| ((*name).to_owned(), in_components(name))).collect();
    json!({
        "asyncapi": "3.0.0",
        "info": { "title": "Liusheng socket", "version": env!("CARGO_PKG_VERSION"), "description": frames::PROSE },
        "defaultContentType": "application/json",
        "servers": {
            "socket": { "host": "127.0.0.1:8080", "protocol": "ws", "description": "Over TLS: wss.",
                "security": [{ "$ref": "#/components/securitySchemes/token" }, { "$ref": "#/components/securitySchemes/cookie" }] },
            "events": { "host": "127.0.0.1:8080", "protocol": "sse", "description": "Server-sent events, over HTTP.",
                "security": [{ "$ref": "#/components/securitySchemes/bearer" }, { "$ref": "#/components/securitySchemes/cookie" }] },
        },
        "channels": {
            "socket": { "address": "/connection/websocket", "servers": [{ "$ref": "#/servers/socket" }], "messages": messages },
            "events": { "address": "/v1/events", "servers": [{ "$ref": "#/servers/events" }], "messages": told },
        },
        "operations": parts.operations,
        "components": {
            "securitySchemes": {
                "token": { "type": "userPassword", "description": "In `connect.token`: an access token, or a ticket of `POST /v1/login/tickets`." },
                "bearer": { "type": "http", "scheme": "bearer", "description": "An access token." },
                "cookie": { "type": "httpApiKey", "in": "cookie", "name": "ls_session", "description": "The pages' cookie; the Origin must be ours." },
            },
            "messages": parts.messages,
            "schemas": parts.schemas,
        },
    })
}

/// The same as text.
#[must_use]
pub fn as_yaml(description: &Value) -> String {
    yaml::text(description)
}

impl Parts {
    /// A kind of frame; `examples` are frames by their names.
    fn message(&mut self, (name, summary): (&str, &str), payload: Value, examples: Vec<(&str, Value)>) {
        let examples: Vec<Value> =
            examples.into_iter().map(|(name, payload)| json!({ "name": name, "payload": payload })).collect();
        let mut message = json!({ "name": name, "summary": summary, "payload": payload });
        if !examples.is_empty() {
            message["examples"] = json!(examples);
        }
        self.messages.insert(name.to_owned(), message);
    }

    /// What a client may ask and is answered.
    fn asked(&mut self, talk: Talk) {
        let answered: Vec<Value> = talk.answered.iter().map(|name| in_socket(name)).collect();
        let mut operation = json!({
            "action": "receive", "summary": talk.summary,
            "channel": { "$ref": "#/channels/socket" }, "messages": [in_socket(&talk.asked)],
        });
        if !answered.is_empty() {
            operation["reply"] = json!({ "channel": { "$ref": "#/channels/socket" }, "messages": answered });
        }
        self.operations.insert(talk.name, operation);
    }

    /// What the server says of itself.
    fn told(&mut self, (name, summary): (&str, &str), channel: &str, messages: &[&str]) {
        let said: Vec<Value> =
            messages.iter().map(|one| json!({ "$ref": format!("#/channels/{channel}/messages/{one}") })).collect();
        let operation = json!({
            "action": "send", "summary": summary, "channel": { "$ref": format!("#/channels/{channel}") }, "messages": said,
        });
        self.operations.insert(name.to_owned(), operation);
    }

    /// An operation of the API as an rpc.
    fn call(&mut self, path: &str, operation: &Value, openapi: &Value) {
        let Some(name) = operation["operationId"].as_str() else { return };
        let short = calls::SHORT.iter().filter(|(_, long)| *long == name).map(|(short, _)| *short);
        let methods: Vec<&str> = std::iter::once(name).chain(short).collect();
        let done = operation["responses"].as_object().into_iter().flatten().find(|(status, _)| status.starts_with('2'));
        let summary = done.and_then(|(_, answer)| answer["description"].as_str()).unwrap_or_default();
        let asked = json!({
            "type": "object", "required": ["id", "rpc"], "properties": {
                "id": frames::id(),
                "rpc": { "type": "object", "required": ["method"], "properties": {
                    "method": { "enum": methods }, "data": data(operation, openapi),
                } },
            },
        });
        let (call, answer) = (format!("call_{name}"), format!("answer_{name}"));
        let twin = format!("As {path} of openapi.json");
        let examples = examples::calls(name);
        let frames = examples.iter().map(|one| (one.name, one.asked.clone())).collect();
        self.message((&call, &twin), asked, frames);
        let body = done.map(|(_, answer)| answer["content"]["application/json"]["schema"].clone()).unwrap_or_default();
        let body = if body.is_null() { frames::nothing() } else { body };
        let answered = json!({
            "type": "object", "required": ["id", "rpc"], "properties": {
                "id": frames::id(),
                "rpc": { "type": "object", "required": ["data"], "properties": { "data": body } },
            },
        });
        let frames = examples.into_iter().filter_map(|one| Some((one.name, one.answered?))).collect();
        self.message((&answer, summary), answered, frames);
        self.asked(Talk {
            name: call.clone(),
            summary: summary.to_owned(),
            asked: call,
            answered: vec![answer, "refused".to_owned()],
        });
    }

    /// Every schema of the API that is named by what is there.
    fn take_in(&mut self, all: &Value) {
        let mut named = BTreeSet::new();
        self.messages.values().chain(self.schemas.values()).for_each(|one| names(one, &mut named));
        while let Some(name) = named.pop_first() {
            if self.schemas.contains_key(&name) {
                continue;
            }
            names(&all[&name], &mut named);
            self.schemas.insert(name.clone(), all[&name].clone());
        }
    }
}

fn in_components(message: &str) -> Value {
    json!({ "$ref": format!("#/components/messages/{message}") })
}

fn in_socket(message: &str) -> Value {
    json!({ "$ref": format!("#/channels/socket/messages/{message}") })
}

fn names(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(name) = value["$ref"].as_str().and_then(|path| path.strip_prefix("#/components/schemas/")) {
                found.insert(name.to_owned());
            }
            fields.values().for_each(|inner| names(inner, found));
        }
        Value::Array(items) => items.iter().for_each(|inner| names(inner, found)),
        _ => {}
    }
}

/// The parameters of path and query, and beside them the body.
fn data(operation: &Value, openapi: &Value) -> Value {
    let (mut fields, mut required) = (Map::new(), Vec::new());
    for one in operation["parameters"].as_array().into_iter().flatten() {
        let Some(name) = one["name"].as_str() else { continue };
        fields.insert(name.to_owned(), one["schema"].clone());
        if one["required"] == true {
            required.push(json!(name));
        }
    }
    let body = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].as_str();
    let body = body.and_then(|path| openapi.pointer(path.trim_start_matches('#'))).unwrap_or(&Value::Null);
    fields.extend(body["properties"].as_object().cloned().unwrap_or_default());
    required.extend(body["required"].as_array().cloned().unwrap_or_default());
    json!({ "type": "object", "properties": fields, "required": required, "additionalProperties": false })
}

#[cfg(test)]
mod tests {
    /// A code that is new in the protocol belongs into the lists that are described.
    #[test]
    fn every_code_of_the_protocol_is_described() {
        let description = super::describe(&serde_json::Value::Null);
        let described = description["components"]["schemas"].to_string();
        let mut codes = 0;
        for line in include_str!("protocol.rs").lines().filter(|line| line.trim_start().starts_with("Self::")) {
            let Some((_, number)) = line.split_once("=> ") else { continue };
            let number: String = number.trim_start_matches('(').chars().take_while(char::is_ascii_digit).collect();
            if !number.is_empty() {
                codes += 1;
                assert!(described.contains(&format!("\"const\":{number}")), "{line} is in no list");
            }
        }
        assert!(codes >= 18, "only {codes} codes found");
    }
}
