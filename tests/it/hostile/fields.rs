//! Mass assignment: no write takes a field that it does not name, whatever answers show and whatever attackers try.
use std::collections::BTreeSet;

use futures_util::{StreamExt, stream};
use liusheng::server;
use reqwest::Method;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{
    simulation::seeds::{Seeded, any_seed, given_seed},
    support::{Somebody, TestApp, Village, answer, is_full_run, monday},
};

/// What attackers try first.
const TRIED: &[&str] = &[
    "role",
    "roles",
    "is_admin",
    "admin",
    "village_id",
    "tenant_id",
    "household_id",
    "verified",
    "points",
    "balance",
    "stage",
    "status",
    "state",
    "created_at",
    "updated_at",
    "author_id",
    "owner_id",
    "sender_id",
    "person",
    "weight",
    "close_at",
    "closed_at",
    "result",
    "id",
    "seats",
    "rights",
    "no",
    "seq",
    "epoch",
    "version_no",
    "body_hash",
    "rule",
    "on_roll",
    "secrecy",
    "is_binding",
    "phone",
    "phone_hmac",
    "id_no",
    "session_id",
    "handler_id",
    "due_at",
    "__proto__",
    "constructor",
    "$where",
];

/// Of the names that only other answers show, in CI one of so many is tried in each place, others in each run.
const ONE_OF: usize = 20;

struct Operation {
    method: Method,
    path: String,
    body: Value,
    /// Names that its own answer shows.
    shown: BTreeSet<String>,
}

fn description() -> Value {
    serde_json::from_str(&server::openapi().unwrap()).unwrap()
}

/// The schema itself, past names and past "or null".
fn resolved<'a>(all: &'a Value, schema: &'a Value) -> &'a Value {
    if let Some(name) = schema["$ref"].as_str() {
        return resolved(all, &all["components"]["schemas"][name.rsplit('/').next().unwrap()]);
    }
    let either = schema["oneOf"].as_array().into_iter().flatten().find(|one| one["type"] != "null");
    either.map_or(schema, |one| resolved(all, one))
}

fn writes(all: &Value) -> Vec<Operation> {
    let mut found = Vec::new();
    for (path, item) in all["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let body = &operation["requestBody"]["content"]["application/json"]["schema"];
            if !body.is_null() {
                let method = method.to_uppercase().parse().unwrap();
                let (body, shown) = (resolved(all, body).clone(), shown_by(all, operation));
                found.push(Operation { method, path: path.clone(), body, shown });
            }
        }
    }
    found
}

/// Every name that an operation's answers show.
fn shown_by(all: &Value, operation: &Value) -> BTreeSet<String> {
    fn look(all: &Value, schema: &Value, depth: usize, names: &mut BTreeSet<String>) {
        let schema = resolved(all, schema);
        if depth > 6 {
            return;
        }
        for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
            names.insert(name.clone());
            look(all, inner, depth + 1, names);
        }
        look_items(all, schema, depth, names);
    }
    fn look_items(all: &Value, schema: &Value, depth: usize, names: &mut BTreeSet<String>) {
        if !schema["items"].is_null() {
            look(all, &schema["items"], depth + 1, names);
        }
        for one in schema["allOf"].as_array().into_iter().flatten() {
            look(all, one, depth + 1, names);
        }
    }
    let mut names = BTreeSet::new();
    for (status, response) in operation["responses"].as_object().into_iter().flatten() {
        if status.starts_with('2') {
            look(all, &response["content"]["application/json"]["schema"], 0, &mut names);
        }
    }
    names
}

/// Every name that any answer shows.
fn shown(all: &Value) -> BTreeSet<String> {
    let operations = all["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values());
    operations.flat_map(|operation| shown_by(all, operation)).collect()
}

/// Places where a field can be put: the body itself, and each object in a list or a field of it.
fn places(all: &Value, schema: &Value) -> Vec<(Vec<String>, BTreeSet<String>)> {
    let own =
        |schema: &Value| schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
    let mut found = vec![(Vec::new(), own(schema))];
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        let inner = resolved(all, inner);
        let item = resolved(all, &inner["items"]);
        for (object, step) in [(inner, name.clone()), (item, format!("{name}[]"))] {
            if object["properties"].is_object() {
                found.push((vec![step], own(object)));
            }
        }
    }
    found
}

fn body_with(place: &[String], field: &str, value: &Value) -> Value {
    let object = Value::Object(Map::from_iter([(field.to_owned(), value.clone())]));
    match place.first() {
        None => object,
        Some(step) => match step.strip_suffix("[]") {
            Some(name) => json!({ name: [object] }),
            None => json!({ step: object }),
        },
    }
}

async fn is_refused(who: &Somebody, operation: &Operation, (place, field): (&[String], &str)) -> Result<(), String> {
    let about = if operation.path.starts_with("/v1/doors") { "meeting" } else { "notice" };
    let known = [("{code}", "330521103202"), ("{about}", about), ("{category}", "road")];
    let mut path = known.iter().fold(operation.path.clone(), |path, (name, value)| path.replace(name, value));
    // ids of what is not there, and numbers
    while let Some((before, rest)) = path.split_once('{') {
        let (name, after) = rest.split_once('}').unwrap();
        let value = if name.ends_with("id") { Uuid::now_v7().to_string() } else { "1".to_owned() };
        path = format!("{before}{value}{after}");
    }
    let body = body_with(place, field, &json!("1"));
    let answer = answer(who.request(operation.method.clone(), &path).json(&body)).await;
    let named = answer.body["errors"][0]["field"] == field && answer.body["errors"][0]["code"] == "unknown";
    if answer.status == 422 && named {
        return Ok(());
    }
    Err(format!("{} {} {place:?} {field}: {} {}", operation.method, operation.path, answer.status, answer.body))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_write_takes_a_field_that_it_does_not_name() {
    // more tries than a person is allowed
    let app = TestApp::start_with(monday(), |config| config.writes_burst = 1_000_000).await;
    let village = Village::found(&app).await;
    let (all, who) = (description(), village.villager(&app, "00007").await);
    let mut names = shown(&all);
    names.extend(TRIED.iter().map(|&name| name.to_owned()));
    let operations = writes(&all);
    let seed = given_seed().unwrap_or_else(any_seed);
    let (mut chance, one_of) = (Seeded(seed), if is_full_run() { 1 } else { ONE_OF });
    let mut tries = Vec::new();
    for operation in &operations {
        for (place, own) in places(&all, &operation.body) {
            let tried = names.difference(&own).filter(|name| {
                let by_chance = chance.below(one_of) == 0;
                by_chance || operation.shown.contains(*name) || TRIED.contains(&name.as_str())
            });
            tries.extend(tried.map(|name| (operation, place.clone(), name.clone())));
        }
    }
    let who = &who;
    let outcomes =
        stream::iter(&tries)
            .map(|(operation, place, name)| async move {
                is_refused(who, operation, (place.as_slice(), name.as_str())).await
            })
            .buffer_unordered(16);
    let wrong: Vec<String> = outcomes.filter_map(|outcome| async move { outcome.err() }).collect().await;
    assert!(operations.len() > 30 && names.len() > 150, "{} writes, {} names", operations.len(), names.len());
    let count = tries.len();
    println!("LSTEST_SEED={seed}: {} writes x {} names: {count} tries", operations.len(), names.len());
    assert!(count > 10 * names.len(), "{count} tries");
    let some: Vec<_> = wrong.iter().take(60).cloned().collect();
    assert!(wrong.is_empty(), "{} of {} tries:\n{}", wrong.len(), tries.len(), some.join("\n"));
    app.stop().await;
}

/// Forms of pages carry what they carry; more of it is not looked at.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_s_form_applies_nothing_else() {
    let (app, village) = Village::start().await;
    let (who, own) = (village.villager(&app, "00007").await, format!("http://{}", app.address));
    let voice = json!({ "kind": "help", "visibility": "public", "text": "路灯坏了", "place": "桥头" });
    for (field, value) in [("author_id", json!(village.chair.person)), ("state", json!("closed")), ("rating", json!(5))]
    {
        let mut more = voice.clone();
        more[field] = value;
        assert_eq!(who.post("/v1/suggestions", more).await.refused(), "invalid_fields", "{field}");
    }
    let typed = [
        ("kind", "help"),
        ("visibility", "public"),
        ("text", "井盖坏了"),
        ("place", "桥头"),
        ("author_id", "x"),
        ("state", "closed"),
        ("rating", "5"),
        ("no", "1"),
        ("created_at", "2020-01-01T00:00:00Z"),
        ("handler_id", "x"),
    ];
    let form = typed.into_iter().fold(reqwest::multipart::Form::new(), |form, (name, value)| form.text(name, value));
    let sent = who.request(Method::POST, "/speak").header("origin", own).header("accept", "text/html");
    let sent = sent.multipart(form).send().await.unwrap();
    assert_eq!(sent.status().as_u16(), 303, "the voice itself is taken");
    let list = who.get("/v1/suggestions?scope=mine").await.ok();
    let voices = list["items"].as_array().unwrap();
    assert_eq!(voices.len(), 1);
    for voice in voices {
        assert_ne!(voice["state"], "closed", "{voice}");
        assert_eq!(voice["rating"], Value::Null, "{voice}");
        assert!(!voice["created_at"].as_str().unwrap().starts_with("2020"), "{voice}");
    }
    app.stop().await;
}

/// Each field of a form costs, however little is in it: or one body would be a million of them, each looked up among all.
#[tokio::test(flavor = "multi_thread")]
async fn a_form_of_empty_fields_without_end_is_refused() {
    let (app, village) = Village::start().await;
    let (who, own) = (village.villager(&app, "00007").await, format!("http://{}", app.address));
    for (count, taken) in [(1_000, 303), (3_000, 413)] {
        let voice = [("kind", "help"), ("visibility", "public"), ("text", "路灯坏了"), ("place", "桥头")];
        let form = voice.into_iter().chain(std::iter::repeat_n(("x", ""), count));
        let form = form.fold(reqwest::multipart::Form::new(), |form, (name, value)| form.text(name, value));
        let sent = who.request(Method::POST, "/speak").header("origin", &own).header("accept", "text/html");
        assert_eq!(sent.multipart(form).send().await.unwrap().status().as_u16(), taken, "{count} fields");
    }
    app.stop().await;
}
