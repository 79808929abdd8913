//! Every cell of the table of the API, done.
use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
};

use futures_util::{StreamExt, stream};
use liusheng::server;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::{
    matrix::{self, At, Out, Row},
    requests::Call,
    world::{Place, World},
};
use crate::support::{Somebody, answer, is_done_before};

/// Method and path of every operation.
pub(super) fn operations() -> BTreeMap<String, (String, String)> {
    let description: Value = serde_json::from_str(&server::openapi().unwrap()).unwrap();
    let mut found = BTreeMap::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if let Some(name) = operation["operationId"].as_str() {
                found.insert(name.to_owned(), (method.clone(), path.clone()));
            }
        }
    }
    found
}

/// What came back.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) kind: String,
    pub(super) location: String,
    pub(super) body: Vec<u8>,
}

impl Reply {
    pub(super) async fn of(world: &World, call: &Call, role: &str) -> Self {
        let mut sent = call.request(world, role).send().await;
        for _ in 0..3 {
            // whoever is refused before a long body was read is hung up on, and does not always hear why
            match &sent {
                Err(error) if error.is_request() => sent = call.request(world, role).send().await,
                _ => break,
            }
        }
        let response = sent.unwrap();
        let header = |name: &str| {
            response.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
        };
        let (kind, location) = (header("content-type"), header("location"));
        let status = response.status().as_u16();
        // events go on and on
        let body = if kind == "text/event-stream" { Vec::new() } else { response.bytes().await.unwrap().to_vec() };
        Self { status, kind, location, body }
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A refusal in the form of every refusal, with the right code.
    fn fits(&self, expected: Out) -> bool {
        let told: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        let is_problem = self.kind == "application/problem+json" && told["status"] == self.status;
        let code = told["code"].as_str().unwrap_or_default();
        match expected {
            Out::Done => (200..300).contains(&self.status),
            Out::State => is_problem && [409, 422].contains(&self.status) && !code.is_empty(),
            Out::Denied => {
                let codes = ["not_allowed", "mandate_needed", "not_on_roll", "speaking_suspended"];
                is_problem && self.status == 403 && codes.contains(&code)
            }
            Out::Hidden => is_problem && self.status == 404 && code == "not_found",
            Out::Login => is_problem && self.status == 401 && !code.is_empty(),
        }
    }
}

/// Operations whose doing changes the object for the next caller.
fn uses_up(method: &Method, row: &Row) -> bool {
    let free = [
        "move_cursor",
        "mark_received",
        "send_message",
        "confirm_notice",
        "confirm_notice_for",
        "set_duty",
        "cast_ballot",
        "give_mandate",
        "test_webhook",
    ];
    *method != Method::GET && !free.contains(&row.operation.as_str()) && row.object != "area"
}

/// What each role is answered to a row's call about something that does not exist: one answer, wherever the hidden lies.
pub(super) type Nothing = BTreeMap<&'static str, OnceCell<Reply>>;

/// Nobody of these has asked yet.
pub(super) fn not_asked(roles: impl Iterator<Item = &'static str>) -> Nothing {
    roles.map(|role| (role, OnceCell::new())).collect()
}

/// Who does what, and what is expected of it.
struct Cell {
    row: &'static Row,
    role: &'static str,
    at: At,
    expected: Out,
    object: String,
    call: Call,
}

impl Cell {
    /// Does it, and says what went otherwise.
    async fn walk(&self, world: &World, nothing: &Nothing) -> Vec<String> {
        let Self { row, object, call, .. } = self;
        let (role, at, expected) = (self.role, self.at, self.expected);
        let reply = Reply::of(world, call, role).await;
        let said = || {
            let text: String = reply.text().chars().take(300).collect();
            format!("{} {} {at:?} by {role}: {expected:?} expected, {} {text}", row.operation, row.object, reply.status)
        };
        let mut wrong = Vec::new();
        if !reply.fits(expected) {
            wrong.push(said());
        } else if expected == Out::Hidden {
            let unknown = call.about_nothing(object);
            let nothing = nothing[role].get_or_init(|| Reply::of(world, &unknown, role)).await;
            if (nothing.status, &nothing.body) != (reply.status, &reply.body) {
                wrong.push(format!("{}: told apart from nothing: {}", said(), nothing.text()));
            }
        }
        let told = told_secrets(world, role, &reply.text());
        wrong.extend(told.into_iter().map(|secret| format!("{}: told {secret}", said())));
        if row.operation == "read_media" && expected == Out::Hidden {
            wrong.extend(other_doors(world, role, object).await);
        }
        wrong
    }
}

/// Does each cell, and says how many there were and what went otherwise.
pub(super) async fn walk(world: &mut World) -> (usize, Vec<String>) {
    let operations = operations();
    let (mut count, mut wrong) = (0, Vec::new());
    // who may is decided of rows that are read from either database in the same way
    let is_second = is_done_before("everybody else who is answered in the same way about a thing of its own");
    for (number, row) in matrix::api().iter().enumerate() {
        let (method, path) = operations.get(&row.operation).expect("an operation of the API");
        let verb: Method = method.to_uppercase().parse().unwrap();
        let is_spent = row.has_object() && uses_up(&verb, row);
        let most = |out| match out {
            _ if !is_second => usize::MAX,
            _ if is_refused(out) => 1,
            _ => 3,
        };
        let mut refused = Vec::new();
        for (role, at, expected) in some_of_each(row.cells(), number, most) {
            let object = match (row.has_object(), expected == Out::Done && is_spent) {
                (false, _) => String::new(),
                (true, true) => world.fresh(&row.object, at, role).await,
                (true, false) => world.object(&row.object, at, role).await,
            };
            // what takes the phone's proof anew, and what ends the log-in
            let is_fresh = ["sign_out", "sign_out_everywhere", "set_desk_password"].contains(&row.operation.as_str());
            if is_fresh && role != "visitor" {
                renew(world, role).await;
            }
            if row.operation == "cancel_closing" && expected == Out::Done {
                // some of these had no turn at asking for it; to ask once more changes nothing
                world.who[role].post("/v1/me/closing", json!({ "understood": true })).await;
            }
            let call = world.call(row, (role, at), &object, (method, path)).await;
            count += 1;
            let cell = Cell { row, role, at, expected, object, call };
            if is_refused(expected) {
                refused.push(cell);
            } else {
                wrong.extend(cell.walk(world, &Nothing::new()).await);
            }
            // who comes next in this role finds it logged in, also where not everybody had a turn
            if row.operation.starts_with("sign_out") && role != "visitor" {
                renew(world, role).await;
            }
        }
        let (now, nothing) = (&*world, &not_asked(refused.iter().map(|cell| cell.role)));
        wrong.extend(together(refused.iter().map(|cell| cell.walk(now, nothing))).await);
    }
    (count, wrong)
}

/// Of those who are answered alike so many, in the next row the next: each of them has its turn.
pub(super) fn some_of_each(
    cells: Vec<(&'static str, At, Out)>,
    number: usize,
    most: impl Fn(Out) -> usize,
) -> Vec<(&'static str, At, Out)> {
    let alike = |at: At, out: Out| cells.iter().filter(move |cell| (cell.1, cell.2) == (at, out)).map(|cell| cell.0);
    let is_asked = |&(role, at, out): &(&'static str, At, Out)| {
        let (of, place) = (alike(at, out).count(), alike(at, out).position(|one| one == role).unwrap());
        let most = most(out).min(of);
        (place + of - most * number % of) % of < most
    };
    cells.iter().copied().filter(is_asked).collect()
}

/// What is refused because of who asks changes nothing for the next who asks.
pub(super) fn is_refused(expected: Out) -> bool {
    matches!(expected, Out::Denied | Out::Hidden | Out::Login)
}

/// Some at a time, and what went otherwise in all of them.
pub(super) async fn together(walks: impl Iterator<Item = impl Future<Output = Vec<String>>>) -> Vec<String> {
    stream::iter(walks).buffer_unordered(8).concat().await
}

/// A photo that is hidden is hidden as a thumbnail, in part, and as part of a voice of one's own, too.
async fn other_doors(world: &World, role: &'static str, photo: &str) -> Vec<String> {
    let me = &world.who[role];
    let path = format!("/v1/media/{photo}");
    let doors = [
        ("thumbnail", me.request(Method::GET, &format!("{path}?size=thumb"))),
        ("range", me.request(Method::GET, &path).header("range", "bytes=0-9")),
        ("known", me.request(Method::GET, &path).header("if-none-match", "\"x\"")),
    ];
    let mut wrong = Vec::new();
    for (door, request) in doors {
        let answer = answer(request).await;
        if (answer.status, answer.body["code"].as_str()) != (404, Some("not_found")) {
            wrong.push(format!("read_media by {role}: {door} is answered with {}", answer.status));
        }
    }
    let voice = json!({ "kind": "help", "visibility": "handlers", "text": "看看", "media": [photo] });
    let taken = me.post("/v1/suggestions", voice).await;
    if taken.body["code"] != "media_not_usable" || me.get(&path).await.status != 404 {
        wrong.push(format!("read_media by {role}: attached to the own voice, {} {}", taken.status, taken.body));
    }
    wrong
}

pub(super) async fn renew(world: &mut World, role: &'static str) {
    let person = world.who[role].person;
    let fresh = Somebody::signed_in(&world.app, person).await;
    world.who.insert(role, fresh.clone());
    for (place, of) in [(Place::A, "committee"), (Place::B, "other_com")] {
        if of == role {
            world.chairs.insert(place, fresh.clone());
        }
    }
}

/// The private things in a text that this role may not be told, by the row about reading that kind of thing.
pub(super) fn told_secrets(world: &World, role: &'static str, text: &str) -> Vec<String> {
    let rows = matrix::api();
    let mut told = Vec::new();
    let secrets = ids(text).into_iter().filter_map(|id| world.secrets.get(id));
    for secret in secrets.filter(|secret| text.contains(&secret.words)) {
        if !may_read(world, rows, role, (secret.kind, secret.place, Some(secret.owner))) {
            told.push(format!("{} of {:?}", secret.kind, secret.place));
        }
    }
    told
}

/// Everything in a text that has the form of an id: to look for each secret in every answer would take minutes.
fn ids(text: &str) -> BTreeSet<&str> {
    let id = |(dash, _): (usize, &str)| text.get(dash.checked_sub(8)?..dash + 28);
    let is_one = |id: &&str| [13, 18, 23].iter().all(|dash| id.as_bytes()[*dash] == b'-');
    text.match_indices("-").filter_map(id).filter(is_one).collect()
}

/// What the table says about reading a thing.
pub(super) fn may_read(
    world: &World,
    rows: &[Row],
    role: &'static str,
    (kind, place, owner): (&str, Place, Option<liusheng::ids::PersonId>),
) -> bool {
    let me = world.who.get(role).map(|somebody| somebody.person);
    if me.is_some() && me == owner {
        return true;
    }
    let at = match place {
        Place::A => At::Here,
        Place::C => At::Far,
        // a thing of B: what is B's own for those who live there, and as any other village's for the rest
        // who lives in B stands to it as a resident of A to A, and so do the seats over both
        Place::B => {
            let as_in_a = |role| may_read(world, rows, role, (kind, Place::A, None));
            return match role {
                "town" | "county" | "evaluator" | "joint" => as_in_a(role) || as_in_a("resident"),
                "other_com" => as_in_a("committee"),
                "neighbour" => as_in_a("resident"),
                _ => may_read(world, rows, role, (kind, Place::C, None)),
            };
        }
    };
    let (operation, object) = match kind {
        "thread" => ("read_suggestion", "voice_private"),
        "voice_private" | "voice_public" | "voice_town" => ("read_suggestion", kind),
        "suspension" => ("lift_suspension", kind),
        "report" => ("decide_report", kind),
        "contact" | "group" | "message" | "chain" => {
            ("list_entries", if ["message", "chain"].contains(&kind) { "discussion" } else { kind })
        }
        "survey" | "visit" => ("read_form", kind),
        "task" => ("read_task", kind),
        "contract" => ("read_contract_review", kind),
        "mediation" => ("read_mediation", kind),
        "photo_private" | "photo_public" | "photo_task" => ("read_media", kind),
        _ => return true,
    };
    let row = rows.iter().find(|row| row.operation == operation && row.object == object).unwrap();
    row.expected(role, at) == Some(Out::Done)
}
