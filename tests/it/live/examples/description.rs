//! The description, and values looked up in it: what a message may hold, and which answer belongs to which example.
use std::collections::BTreeSet;

use serde_json::Value;

/// The description, and values looked up in it.
pub(super) struct Description(pub(super) Value);

impl Description {
    pub(super) fn message(&self, name: &str) -> &Value {
        &self.0["components"]["messages"][name]
    }

    fn at<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(path) => self.0.pointer(&path[1..]).unwrap_or_else(|| panic!("{path} is not there")),
            None => schema,
        }
    }

    /// Names that an object may hold; `None`: any.
    fn fields(&self, schema: &Value) -> Option<BTreeSet<String>> {
        let schema = self.at(schema);
        let parts = ["allOf", "oneOf"].iter().filter_map(|name| schema[name].as_array()).flatten();
        let mut found = None;
        for more in parts
            .map(|part| self.fields(part))
            .chain([schema["properties"].as_object().map(|own| own.keys().cloned().collect())])
        {
            if let Some(more) = more {
                found.get_or_insert_with(BTreeSet::new).extend(more);
            }
        }
        found.or_else(|| (schema["additionalProperties"] == false).then(BTreeSet::new))
    }

    /// What is wrong with a value, nothing being allowed that is not described.
    pub(super) fn wrong(&self, schema: &Value, value: &Value, place: &str) -> Vec<String> {
        let mut wrong = self.broken(schema, value, place);
        if let (Some(fields), Some(known)) = (value.as_object(), self.fields(schema)) {
            wrong.extend(
                fields
                    .keys()
                    .filter(|name| !known.contains(*name))
                    .map(|name| format!("{place}.{name} is not described")),
            );
        }
        wrong
    }

    fn broken(&self, schema: &Value, value: &Value, place: &str) -> Vec<String> {
        let schema = self.at(schema);
        let mut wrong = Vec::new();
        let types = match &schema["type"] {
            Value::String(one) => vec![one.as_str()],
            many => many.as_array().into_iter().flatten().filter_map(Value::as_str).collect(),
        };
        if !types.is_empty() && !types.iter().any(|one| is_a(one, value)) {
            wrong.push(format!("{place}: {value} is no {types:?}"));
        }
        if !schema["const"].is_null() && schema["const"] != *value {
            wrong.push(format!("{place}: {value} is not {}", schema["const"]));
        }
        if schema["enum"].as_array().is_some_and(|all| !all.contains(value)) {
            wrong.push(format!("{place}: {value} is none of {}", schema["enum"]));
        }
        let range = (schema["minimum"].as_i64(), schema["maximum"].as_i64(), value.as_i64());
        if let (least, most, Some(number)) = range
            && (least.is_some_and(|least| number < least) || most.is_some_and(|most| number > most))
        {
            wrong.push(format!("{place}: {number} is out of range"));
        }
        for part in schema["allOf"].as_array().into_iter().flatten() {
            wrong.extend(self.broken(part, value, place));
        }
        if let Some(ways) = schema["oneOf"].as_array() {
            let tried: Vec<_> = ways.iter().map(|way| self.wrong(way, value, place)).collect();
            if tried.iter().all(|faults| !faults.is_empty()) {
                wrong.extend(tried.into_iter().flatten());
            }
        }
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if value.get(name).is_none() {
                wrong.push(format!("{place}.{name} is missing in {value}"));
            }
        }
        for (name, inner) in value.as_object().into_iter().flatten() {
            let described = schema["properties"]
                .get(name)
                .or_else(|| schema.get("additionalProperties").filter(|more| more.is_object()));
            wrong.extend(
                described.into_iter().flat_map(|described| self.wrong(described, inner, &format!("{place}.{name}"))),
            );
        }
        for inner in value.as_array().into_iter().flatten().filter(|_| schema["items"].is_object()) {
            wrong.extend(self.wrong(&schema["items"], inner, &format!("{place}[]")));
        }
        wrong
    }

    /// The message that a push is, or what is wrong with it as the one it looks like.
    pub(super) fn push(&self, push: &Value) -> Result<String, Vec<String>> {
        let kind = &push["push"]["pub"]["data"]["kind"];
        let name = match kind.as_str() {
            Some(kind) => format!("entry_{kind}"),
            None if push["push"]["subscribe"].is_object() => "subscription".to_owned(),
            None if push["push"]["unsubscribe"].is_object() => "subscription_ended".to_owned(),
            None if push["push"]["disconnect"].is_object() => "disconnect".to_owned(),
            None => push["push"]["message"]["data"]["k"].as_str().unwrap_or("ping").to_owned(),
        };
        let wrong = self.wrong(&self.message(&name)["payload"], push, &name);
        if wrong.is_empty() { Ok(name) } else { Err(wrong) }
    }

    /// Every frame that a client may send as an example: its name, itself, the messages that may answer, in order of ids.
    pub(super) fn asked(&self) -> Vec<(String, Value, Vec<String>)> {
        let mut all = Vec::new();
        for operation in self.0["operations"].as_object().unwrap().values().filter(|one| one["action"] == "receive") {
            let name = |one: &Value| one["$ref"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
            let asked = name(&operation["messages"][0]);
            let answers: Vec<String> =
                operation["reply"]["messages"].as_array().into_iter().flatten().map(name).collect();
            for example in self.message(&asked)["examples"].as_array().into_iter().flatten() {
                all.push((example["name"].as_str().unwrap().to_owned(), example["payload"].clone(), answers.clone()));
            }
        }
        // one-way frames have none: among the others, after `connect`
        all.sort_by_key(|(_, frame, _)| frame["id"].as_u64().unwrap_or(8));
        all
    }

    pub(super) fn example(&self, messages: &[String], name: &str) -> Option<(String, Value)> {
        messages.iter().find_map(|message| {
            let examples = self.message(message)["examples"].as_array()?;
            Some((message.clone(), examples.iter().find(|one| one["name"] == name)?["payload"].clone()))
        })
    }
}

fn is_a(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "integer" => value.is_i64() || value.is_u64(),
        _ => value.is_number(),
    }
}
