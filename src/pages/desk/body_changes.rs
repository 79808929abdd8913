//! What was changed of a body, when and by whom: its registration, its grant, its room; and its terms that ended early.
use std::collections::HashMap;

use serde_json::Value;

use crate::{
    app::App,
    bodies::{self, BodyView, TermView},
    error::Result,
    events::{self, Kind, TimelineItem},
    pages::words::calendar_day,
    people, text,
};

/// A sentence each, by the body, the newest first.
pub(super) async fn of(app: &App, bodies: &[BodyView]) -> Result<HashMap<String, Vec<String>>> {
    let db = app.store.read();
    let ids = bodies.iter().map(|view| view.body.id.to_string()).collect();
    let done = events::latest(db, &[Kind::BodyRegistered, Kind::RoomChanged], ids).await?;
    let names = people::names(db, done.iter().filter_map(|one| one.actor).collect()).await?;
    let mut lines: HashMap<String, Vec<String>> = HashMap::new();
    for one in done {
        let who = one.actor.and_then(|id| names.get(&id)).cloned().unwrap_or_default();
        let line = sentence(&one, who);
        lines.entry(one.subject).or_default().push(line);
    }
    let ids = bodies.iter().map(|view| view.body.id).collect();
    for term in bodies::queries::terms(db, Some(ids)).await? {
        if let Some(line) = cut(&term) {
            lines.entry(term.body_id.to_string()).or_default().push(line);
        }
    }
    Ok(lines)
}

/// That a term ended before its time, and why.
fn cut(term: &TermView) -> Option<String> {
    let short = term.cut_short.as_ref()?;
    let blanks = [
        ("n", term.number.to_string().into()),
        ("from", calendar_day(term.starts_on).into()),
        ("to", calendar_day(term.ends_on).into()),
        ("until", calendar_day(short.was_until).into()),
        ("reason", short.reason.as_str().into()),
    ];
    Some(text::say_with("desk-term-cut", &blanks))
}

fn sentence(one: &TimelineItem, who: String) -> String {
    let fields = one.data["fields"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let what: Vec<String> = fields.map(|field| text::word("desk-body-field", field)).collect();
    let at = one.at.format("%Y-%m-%d %H:%M").to_string();
    text::say_with("desk-body-changed", &[("at", at.into()), ("who", who.into()), ("what", what.join("、").into())])
}
