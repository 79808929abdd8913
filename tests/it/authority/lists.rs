//! Lists, counts and what is unread: nobody is given more in a list than the table lets one read.
use std::collections::HashMap;

use serde_json::{Value, json};

use super::{
    matrix::{self, ROLES},
    walk::{may_read, told_secrets},
    world::{Place, World},
};
use crate::support::Somebody;

/// Every list of the API for every role; says how many ids were looked at and which were too much.
pub(super) async fn walk(world: &mut World) -> (usize, Vec<String>) {
    let (mut seen, mut wrong) = (0, Vec::new());
    for role in ROLES.into_iter().filter(|role| *role != "visitor") {
        for path in paths(world) {
            let answer = world.who[role].get(&path).await;
            if answer.status >= 400 {
                assert_eq!(answer.status, 403, "{path} by {role}: {}", answer.body);
                continue;
            }
            for id in ids(&answer.body) {
                seen += 1;
                // the record of a matter is public: it names its forms, which are read where they belong
                if path.ends_with("/record") {
                    continue;
                }
                wrong.extend(too_much(world, role, &id).map(|kind| format!("{path} by {role}: {kind}")));
            }
            let told = told_secrets(world, role, &answer.body.to_string());
            wrong.extend(told.into_iter().map(|secret| format!("{path} by {role}: told {secret}")));
        }
        wrong.extend(streams(world, role).await);
    }
    (seen, wrong)
}

fn paths(world: &World) -> Vec<String> {
    let mut paths: Vec<String> =
        ["mine", "village", "desk"].iter().map(|scope| format!("/v1/suggestions?scope={scope}&limit=100")).collect();
    paths.push("/v1/me/tasks".to_owned());
    paths.push("/v1/me/suspension".to_owned());
    paths.push("/v1/contract-reviews".to_owned());
    paths.push("/v1/mediations".to_owned());
    paths.push("/v1/sessions".to_owned());
    for place in [Place::A, Place::B, Place::C] {
        let code = place.code();
        paths.extend(["matters", "notices", "meetings"].map(|list| format!("/v1/{list}?area={code}&limit=100")));
        paths.extend(["people", "webhooks", "suspensions", "bodies"].map(|list| format!("/v1/areas/{code}/{list}")));
    }
    // those to which things belong; on one that a single call used up nothing hangs, and there are dozens of them
    for id in world.kept("matter") {
        paths.push(format!("/v1/forms?subject_id={id}"));
        paths.push(format!("/v1/tasks?matter_id={id}"));
        paths.push(format!("/v1/matters/{id}/record"));
    }
    paths
}

/// The id at the head of every object in an answer.
fn ids(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(ids).collect(),
        Value::Object(fields) => {
            let own = fields.get("id").and_then(Value::as_str).map(str::to_owned);
            own.into_iter().chain(fields.values().flat_map(ids)).collect()
        }
        _ => Vec::new(),
    }
}

fn too_much(world: &World, role: &'static str, id: &str) -> Option<String> {
    let (kind, place, owner) = world.known.get(id)?;
    // that a voice is there, its number and its state may stand on the desk of who handles none; its words may not
    let may = may_read(world, matrix::api(), role, (kind, *place, *owner));
    (!may).then(|| format!("{kind} of {place:?}"))
}

/// What stands on the home page, and how much of it is unread.
async fn streams(world: &World, role: &'static str) -> Vec<String> {
    let me = &world.who[role];
    let once = me.get("/v1/sync").await.ok();
    let again = me.post("/v1/sync", json!({ "have": {} })).await.ok();
    let (mut wrong, mut readable) = (Vec::new(), HashMap::new());
    for stream in [once, again].iter().flat_map(|answer| answer["streams"].as_array().cloned().unwrap_or_default()) {
        let (kind, subject) = (stream["kind"].as_str().unwrap(), stream["subject_id"].as_str().unwrap());
        let home = World::home(role).code();
        let id = stream["id"].as_str().unwrap().to_owned();
        let mine = match kind {
            "mailbox" => subject == me.person.to_string(),
            "channel" => home.starts_with(subject) || can_read(me, id, &mut readable).await,
            "office" => world.own_bodies.get(role).is_some_and(|body| body.to_string() == subject),
            // written into, or read, by this person: and still to be read
            "thread" | "discussion" | "contact" | "group" | "forum" => can_read(me, id, &mut readable).await,
            other => panic!("what is a {other}?"),
        };
        if !mine {
            wrong.push(format!("{role} has the {kind} of {subject} on the home page"));
        }
        let unread = stream["unread"].as_i64().unwrap();
        if unread < 0 || unread > stream["last_no"].as_i64().unwrap() {
            wrong.push(format!("{role}: {unread} unread in {kind} {subject}"));
        }
    }
    wrong
}

/// Asked once of each: both ways to ask for the home page name the same streams.
async fn can_read(me: &Somebody, stream: String, known: &mut HashMap<String, bool>) -> bool {
    if let Some(known) = known.get(&stream) {
        return *known;
    }
    let is_read = me.get(&format!("/v1/streams/{stream}/entries?limit=1")).await.status == 200;
    known.insert(stream, is_read);
    is_read
}
