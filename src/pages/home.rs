//! `/`: what I must do, three doors, my conversations; for who is signed out, what is public and the log-in.
use askama::Template;
use axum::{Router, extract::State, response::Response};
use chrono::{DateTime, FixedOffset, TimeDelta};

use super::{
    group,
    layout::{Live, Page, Viewer, render},
    login::with_cookies,
    meeting, speak,
    stream::office_of,
    words::{Words, day, deadline},
};
use crate::{
    actor::Actor,
    app::{App, routing::get},
    areas,
    error::Result,
    forms,
    legal::{mediations, rules::MediationState},
    matters::{self, MatterSummary, MattersQuery},
    meetings,
    notices::{self, NoticeView},
    page::PageQuery,
    people, skills,
    streams::{self, StreamKind, StreamView},
    suggestions::{
        self, SuggestionState,
        queries::{Scope, SuggestionsQuery},
    },
    tasks, text, votes,
};

/// Matters shown to who is signed out; meetings and answered voices looked through.
const SHOWN: u64 = 10;

/// Of what somebody said, as many characters as name it.
const FIRST_WORDS: usize = 16;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/", get(show))
}

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage {
    page: Page,
    has_desk: bool,
    may_open_group: bool,
    /// Whose draft the phone keeps.
    draft: String,
    todo: Vec<Todo>,
    rows: Vec<Row>,
}

#[derive(Template)]
#[template(path = "home_public.html")]
struct PublicPage {
    page: Page,
    notices: Vec<NoticeView>,
    matters: Vec<MatterSummary>,
}

/// Something that waits for the viewer.
struct Todo {
    text: String,
    link: String,
}

/// A conversation in the list.
struct Row {
    title: String,
    preview: String,
    face: String,
    unread: i64,
    /// There is something unread of which no number is shown.
    is_quiet: bool,
    is_mentioned: bool,
    is_pinned: bool,
    when: String,
    link: String,
}

async fn show(State(app): State<App>, viewer: Viewer) -> Result<Response> {
    match viewer.actor.clone() {
        Some(actor) => own(&app, &viewer, &actor).await,
        None => public(&app, &viewer).await,
    }
}

async fn public(app: &App, viewer: &Viewer) -> Result<Response> {
    let db = app.store.read();
    let query = MattersQuery { limit: Some(SHOWN), ..MattersQuery::default() };
    let page = viewer.page("page-site").back("");
    let (notices, matters) = (notices::queries::newest(db).await?, matters::queries::list(db, query).await?.items);
    with_cookies(render(&PublicPage { page, notices, matters }), &[people::no_writer(app)])
}

async fn own(app: &App, viewer: &Viewer, actor: &Actor) -> Result<Response> {
    let db = app.store.read();
    let streams = streams::queries::list(app, actor).await?;
    let is_news = |stream: &&StreamView| stream.kind == "channel" && stream.received_seq < stream.last_seq;
    let live = Live::any(streams.iter().map(|stream| (stream.id.to_string(), stream.last_seq)))
        .receiving(streams.iter().filter(is_news).map(|stream| stream.id));
    let area = areas::name(db, &actor.area).await?;
    let page = viewer.page("page-site").titled(area).back("").live(Some(live));
    let now = app.local_now();
    // what the system notes in a mailbox is nothing to be looked at
    let says_something =
        |one: &StreamView| one.last_no > 0 || (one.last_seq > 0 && one.kind != StreamKind::Mailbox.as_str());
    let rows = streams.into_iter().filter(says_something).map(|stream| row(stream, now)).collect();
    let todo = todo(app, actor).await?;
    let may_open_group = group::may_open(actor);
    let draft = speak::draft_of(app, actor);
    Ok(render(&HomePage { page, has_desk: !actor.seats.is_empty(), may_open_group, draft, todo, rows }))
}

/// Everything that waits for this person, the most urgent first.
async fn todo(app: &App, actor: &Actor) -> Result<Vec<Todo>> {
    let db = app.store.read();
    let mut todo = Vec::new();
    for vote in votes::open_votes_for(db, actor.person).await?.into_iter().filter(votes::OpenVoteView::waits) {
        todo.push(Todo::new("page-todo-vote", (&vote.question, Some(&vote.closes_at)), format!("/votes/{}", vote.id)));
    }
    let page = PageQuery { cursor: None, limit: Some(SHOWN) };
    let newest = meetings::queries::list(db, &actor.area, &page).await?.items;
    let own = meeting::belongs_to(app, actor, &newest).await?;
    let there = meetings::queries::signed_in_to(db, actor.person, &newest).await?;
    for one in newest.into_iter().filter(|one| !there.contains(&one.id)) {
        let is_now = one.starts_at + TimeDelta::days(1) > app.local_now();
        if is_now && meeting::waits_for((app, actor, &own), &one) {
            todo.push(Todo::new(
                "page-todo-meeting",
                (&one.title, Some(&one.starts_at)),
                format!("/meetings/{}", one.id),
            ));
        }
    }
    let asked = notices::queries::must_read(db, &actor.area, SHOWN).await?;
    let confirmed = notices::queries::confirmed_by(db, actor.person, &asked).await?;
    for one in asked.iter().filter(|one| !confirmed.contains(&(one.id, one.version))) {
        todo.push(Todo::new("page-todo-notice", (&one.title, None), format!("/notices/{}", one.id)));
    }
    for form in forms::queries::waiting_for(db, actor).await? {
        let key = if form.closes_at.is_some() { "page-todo-form-until" } else { "page-todo-form" };
        todo.push(Todo::new(key, (&form.title, form.closes_at.as_ref()), format!("/forms/{}", form.id)));
    }
    let answered = SuggestionsQuery {
        scope: Scope::Mine,
        state: Some(SuggestionState::Answered),
        cursor: None,
        limit: Some(SHOWN),
    };
    for voice in suggestions::queries::list(db, &app.keys, actor, answered).await?.items {
        let words = remembered(voice.text.as_deref());
        todo.push(Todo::new("page-todo-rate", (&words, None), format!("/suggestions/{}", voice.id)));
    }
    for one in mediations::of_party(db, &app.keys, actor).await? {
        if one.state == MediationState::Opened {
            todo.push(Todo::new("page-todo-mediation", ("", None), format!("/legal/mediations/{}", one.id)));
        }
    }
    todo.extend(taken_on(app, actor).await?);
    Ok(todo)
}

/// Needs that this person has taken, and tasks.
async fn taken_on(app: &App, actor: &Actor) -> Result<Vec<Todo>> {
    let db = app.store.read();
    let mut todo = Vec::new();
    for need in skills::needs::taken(db, actor).await? {
        todo.push(Todo::new("page-todo-need", (&need.title, None), format!("/needs/{}", need.id)));
    }
    for task in tasks::queries::my_open(db, actor.person).await? {
        todo.push(Todo::new("page-todo-task", (&task.title, Some(&task.due_at)), "/desk".to_owned()));
    }
    Ok(todo)
}

/// How its author knows a voice again, to whom a number says nothing: its first words, or that it was spoken.
fn remembered(said: Option<&str>) -> String {
    let words = said.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
    match words.chars().count() {
        0 => text::say("suggestion-spoken"),
        1..=FIRST_WORDS => words,
        _ => words.chars().take(FIRST_WORDS).chain(['…']).collect(),
    }
}

impl Todo {
    fn new(key: &str, (title, at): (&str, Option<&DateTime<FixedOffset>>), link: String) -> Self {
        let at = at.map(deadline).unwrap_or_default();
        Self { text: text::say_with(key, &[("title", title.into()), ("at", at.into())]), link }
    }
}

fn row(stream: StreamView, now: DateTime<FixedOffset>) -> Row {
    // a conversation opens where it was left off: at what was said last
    let talk = format!("/streams/{}#newest", stream.id);
    let (face, link) = match StreamKind::parse(&stream.kind) {
        Some(StreamKind::Thread) => ("page-face-thread", format!("/suggestions/{}", stream.subject_id)),
        Some(StreamKind::Discussion) => ("page-face-discussion", format!("/matters/{}#newest", stream.subject_id)),
        Some(StreamKind::Channel) => ("page-face-channel", talk),
        Some(StreamKind::Forum) => ("page-face-forum", talk),
        Some(StreamKind::Group) => ("page-face-group", talk),
        Some(StreamKind::Contact) => ("page-face-office", talk),
        Some(StreamKind::Office) => ("page-face-office", talk),
        _ => ("page-face-mailbox", talk),
    };
    Row {
        face: text::say(face),
        link,
        // the list of who serves in an office has no contacts: this one is the viewer's own
        title: if stream.kind == StreamKind::Contact.as_str() { office_of(&stream.title) } else { stream.title },
        preview: stream.preview,
        unread: if stream.mute == "nothing" { stream.unread.min(99) } else { 0 },
        is_quiet: stream.mute != "nothing" && stream.unread > 0,
        is_mentioned: stream.is_mentioned && stream.mute != "everything",
        is_pinned: stream.is_pinned,
        when: when(&stream.last_at, now),
    }
}

/// The hour for today, a word for yesterday, the day before that.
fn when(at: &DateTime<FixedOffset>, now: DateTime<FixedOffset>) -> String {
    let (then, today) = (at.date_naive(), now.date_naive());
    if then == today {
        at.format("%H:%M").to_string()
    } else if then + TimeDelta::days(1) == today {
        text::say("page-yesterday")
    } else {
        day(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shorter_the_nearer_they_are() {
        let at = |text: &str| DateTime::parse_from_rfc3339(text).unwrap();
        let now = at("2026-11-23T08:00:00+08:00");
        assert_eq!(when(&at("2026-11-23T00:05:00+08:00"), now), "00:05");
        assert_eq!(when(&at("2026-11-22T23:59:00+08:00"), now), "昨天");
        assert_eq!(when(&at("2026-11-21T10:00:00+08:00"), now), "11月21日");
    }
}
