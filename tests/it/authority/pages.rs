//! Every page and every form of a page, for everybody.
mod bodies;
mod forms;

use std::{collections::BTreeSet, fs, path::Path};

use liusheng::error::Code;
use reqwest::Method;

use self::forms::fields;
use super::{
    matrix::{self, At, Out, Row},
    objects::FIRST_MESSAGE,
    requests::{Body, Call},
    walk::{Nothing, Reply, is_refused, not_asked, renew, some_of_each, together, told_secrets},
    world::World,
};
use crate::support::is_full_run;

/// Methods and paths of everything that `src/` routes by hand, beside the operations of the API.
pub(super) fn routes() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                found.extend(routes_of(&fs::read_to_string(&path).unwrap()));
            }
        }
    }
    // answered by a router of its own
    found.insert("GET /docs".to_owned());
    found
}

fn routes_of(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, lead) in source.match_indices(".route(") {
        let rest = source[at + lead.len()..].trim_start();
        let Some(rest) = rest.strip_prefix('"') else { continue };
        let (path, rest) = rest.split_once('"').unwrap();
        let mut depth = 1;
        let end = rest.find(|c: char| {
            depth += i32::from(c == '(') - i32::from(c == ')');
            depth == 0
        });
        let handlers = &rest[..end.unwrap()];
        let has = |name: &str| [" ", ".", ",", "("].iter().any(|before| handlers.contains(&format!("{before}{name}(")));
        for (name, method) in [("get", "GET"), ("post", "POST"), ("any", "GET"), ("put", "PUT"), ("delete", "DELETE")] {
            if has(name) {
                found.push(format!("{method} {path}"));
            }
        }
    }
    found
}

/// Does a row's address lead to this route? The name of a form stands for itself.
pub(super) fn leads_to(row: &str, route: &str) -> bool {
    let (row, route): (Vec<_>, Vec<_>) = (row.split('/').collect(), route.split('/').collect());
    row.len() == route.len() && row.iter().zip(&route).all(|(own, part)| own == part || *part == "{form}")
}

/// Opens a page or sends a form, and says what went otherwise.
async fn look(
    world: &World,
    row: &Row,
    (role, at, expected): (&'static str, At, Out),
    call: (&Call, &str),
    nothing: &Nothing,
) -> Vec<String> {
    let (call, object) = call;
    let reply = Reply::of(world, call, role).await;
    let said = || {
        let text: String = words(&reply.text()).chars().take(240).collect();
        format!(
            "{} {} {at:?} by {role}: {expected:?} expected, {} {} {text}",
            row.operation, row.object, reply.status, reply.location
        )
    };
    let mut wrong = Vec::new();
    if !fits(&reply, expected) {
        wrong.push(said());
    } else if expected == Out::Hidden && !object.is_empty() {
        let unknown = call.about_nothing(object);
        let nothing = nothing[role].get_or_init(|| Reply::of(world, &unknown, role)).await;
        if (nothing.status, words(&nothing.text())) != (reply.status, words(&reply.text())) {
            wrong.push(format!("{}: told apart from nothing: {}", said(), words(&nothing.text())));
        }
    }
    let told = told_secrets(world, role, &reply.text());
    wrong.extend(told.into_iter().map(|secret| format!("{}: told {secret}", said())));
    wrong
}

/// Does each cell, and says how many there were and what went otherwise.
pub(super) async fn walk(world: &mut World) -> (usize, Vec<String>) {
    let (mut count, mut wrong) = (0, Vec::new());
    // the pages refuse by what the API refuses, of which everybody is asked there
    let most = |out| if is_full_run() || !is_refused(out) { usize::MAX } else { 2 };
    for (number, row) in matrix::pages().into_iter().enumerate() {
        // those that end something come back with the next log-in
        if row.operation == "POST /logout" {
            continue;
        }
        let mut refused = Vec::new();
        for (role, at, expected) in some_of_each(row.cells(), number, most) {
            let ends = [
                "/withdraw",
                "/cancel",
                "/skip",
                "/advance",
                "/recall",
                "/desk/reports",
                "/desk/held",
                "/decision",
                "{id}/remove",
                "/desk/webhooks/remove",
                "/chains/{seq}/close",
            ];
            let ends = row.operation.starts_with("POST") && ends.iter().any(|end| row.operation.ends_with(end));
            let object = match (row.has_object(), ends && expected == Out::Done) {
                (true, true) => world.fresh(&row.object, at, role).await,
                (true, false) => world.object(&row.object, at, role).await,
                (false, _) => String::new(),
            };
            // it takes the phone's proof anew
            if row.operation == "POST /desk/password" && role != "visitor" {
                renew(world, role).await;
            }
            let call = page_call(world, &row, (role, at), &object).await;
            count += 1;
            if is_refused(expected) {
                refused.push(((role, at, expected), call, object));
            } else {
                let about = (&call, object.as_str());
                wrong.extend(look(world, &row, (role, at, expected), about, &Nothing::new()).await);
            }
        }
        let (now, nothing) = (&*world, &not_asked(refused.iter().map(|((role, ..), ..)| *role)));
        let looks = refused.iter().map(|(cell, call, object)| look(now, &row, *cell, (call, object.as_str()), nothing));
        wrong.extend(together(looks).await);
    }
    (count, wrong)
}

/// What a page says, without its tags.
fn words(page: &str) -> String {
    let body = page.split_once("<main").map_or(page, |(_, body)| body);
    let (mut inside, mut text) = (false, String::new());
    for c in body.chars() {
        match c {
            '<' => inside = true,
            '>' if inside => {
                inside = false;
                text.push(' ');
            }
            _ if !inside => text.push(c),
            _ => {}
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn fits(reply: &Reply, expected: Out) -> bool {
    let text = reply.text();
    let codes = [Code::NotAllowed, Code::MandateNeeded, Code::NotOnRoll, Code::SpeakingSuspended];
    let is_told_so = || codes.iter().any(|code| text.contains(&code.sentence()));
    let to_login = reply.status == 303 && reply.location.starts_with("/login?");
    match expected {
        Out::Done => {
            let other = [409, 415, 422].contains(&reply.status) && !is_told_so();
            (200..400).contains(&reply.status) && !to_login || other
        }
        Out::State => (400..500).contains(&reply.status) && ![403, 404].contains(&reply.status),
        Out::Denied => reply.status == 403 || (reply.status == 422 && is_told_so()),
        Out::Hidden => reply.status == 404,
        Out::Login => to_login,
    }
}

async fn page_call(world: &mut World, row: &Row, (role, at): (&'static str, At), object: &str) -> Call {
    let (method, path) = row.operation.split_once(' ').unwrap();
    let method: Method = method.parse().unwrap();
    let path = path.replace("{about}", row.object.trim_start_matches("spoken_"));
    let mut path = path.replace("{id}", object).replace("{seq}", &FIRST_MESSAGE.to_string());
    if path.contains("{digest}") {
        path = path.replace("{digest}/{*name}", &asset(world).await);
    }
    if method == Method::GET {
        return Call { method, path, body: Body::Nothing };
    }
    let fields = fields(world, row, (role, at), object).await;
    let in_parts = ["/speak", "/desk/roster", "/desk/legal/contracts"].contains(&path.as_str())
        || ["/finish", "/messages", "/money", "/particulars"].iter().any(|end| path.ends_with(end))
        || (path.starts_with("/desk") && ["/proxies", "/paper/count"].iter().any(|end| path.ends_with(end)))
        || (path.starts_with("/desk/suggestions/")
            && ["/answer", "/answer-clip", "/cosigns"].iter().any(|end| path.ends_with(end)))
        || (path.starts_with("/desk/legal/mediations/") && path.ends_with("/end"))
        || (path.starts_with("/desk/aloud/") && !path.ends_with("/remove"));
    Call { method, path, body: if in_parts { Body::Parts(fields) } else { Body::Form(fields) } }
}

/// A file that the pages use.
async fn asset(world: &World) -> String {
    let page = world.app.http.get(world.app.url("/")).send().await.unwrap().text().await.unwrap();
    let (_, rest) = page.split_once("/assets/").unwrap();
    rest.split(['"', ' ', '>']).next().unwrap().to_owned()
}
