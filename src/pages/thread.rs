//! What was said in a stream, as pages show it; sending, and having read.
use askama::Template;
use chrono::{DateTime, FixedOffset};

use super::{fields::Fields, layout::local, words::Words};
use crate::{
    actor::Actor,
    app::App,
    error::Result,
    ids::{PersonId, StreamId},
    streams::{
        EntryView, Stream, StreamKind,
        commands::{self, SendMessage},
        queries::{self, Span},
    },
    text,
};

/// Entries shown on one page.
const SHOWN: u64 = 50;

/// One entry.
pub struct Said {
    pub seq: i64,
    pub is_mine: bool,
    /// Who, and for which body; empty for a card.
    pub who: String,
    /// One character that stands for whoever speaks.
    pub face: String,
    pub text: String,
    /// for, against, info.
    pub side: Option<String>,
    pub at: DateTime<FixedOffset>,
    pub card: Option<Card>,
}

/// Head line and target of a card.
pub struct Card {
    pub title: String,
    pub link: String,
}

/// The entries of a stream as a list.
#[derive(Template)]
#[template(path = "thread.html")]
pub struct Thread {
    pub said: Vec<Said>,
    /// The seq before which there is more, if there is.
    pub older: Option<i64>,
}

impl Thread {
    /// Cards that lead to the page on which they stand lead nowhere.
    #[must_use]
    pub fn without_links_to(mut self, here: &str) -> Self {
        for card in self.said.iter_mut().filter_map(|one| one.card.as_mut()).filter(|card| card.link == here) {
            card.link.clear();
        }
        self
    }
}

/// The newest entries before a place, oldest first. The caller has checked that the actor may read.
pub async fn thread(app: &App, actor: &Actor, stream: &Stream, before: Option<i64>) -> Result<Thread> {
    let span = Span::Before(before.unwrap_or(i64::MAX));
    let entries = queries::entries(app, stream.id, span, SHOWN).await?;
    let older = entries.first().map(|entry| entry.seq).filter(|seq| *seq > 1);
    Ok(Thread { said: entries.into_iter().map(|entry| said(entry, actor.person)).collect(), older })
}

fn said(entry: EntryView, me: PersonId) -> Said {
    let word = |name: &str| entry.body[name].as_str().map(str::to_owned);
    let is_mine = entry.sender.as_ref().is_some_and(|sender| sender.id == me);
    let card = word("card").map(|_| Card {
        title: word("title").unwrap_or_default(),
        link: word("link").map_or_else(String::new, |link| local(&link).to_owned()),
    });
    let who = match &entry.sender {
        Some(_) if is_mine => text::say("page-me"),
        Some(sender) => sender.body_name.iter().chain([&sender.name]).cloned().collect::<Vec<_>>().join(" "),
        None => String::new(),
    };
    let face = if card.is_some() { text::say("page-face-card") } else { who.chars().take(1).collect() };
    Said {
        seq: entry.seq,
        is_mine,
        who,
        face,
        text: word("text").unwrap_or_default(),
        side: word("side"),
        at: entry.created_at,
        card,
    }
}

/// Sends what was typed into the form of a stream.
pub async fn send(app: &App, actor: Actor, stream: StreamId, form: &Fields) -> Result<()> {
    let text = form.text("text").replace("\r\n", "\n");
    let message = SendMessage {
        side: form.given("side").map(|_| form.choice("side")).transpose()?,
        ..SendMessage::words(form.required("client_id")?, text)
    };
    app.store.write(move |tx| Box::pin(async move { commands::send(tx, &actor, (stream, message)).await })).await?;
    Ok(())
}

/// Notes that the person has seen the stream up to its end. The page does not wait for it.
pub fn seen(app: &App, actor: &Actor, stream: &Stream) {
    let (app, actor, place) = (app.clone(), actor.clone(), (stream.id, stream.last_seq));
    let is_open_to_all = stream.kind == StreamKind::Discussion.as_str();
    tokio::spawn(async move {
        if let Err(error) = note(&app, actor, place, is_open_to_all).await {
            tracing::warn!(%error, "a read cursor was not moved");
        }
    });
}

async fn note(app: &App, actor: Actor, (stream, seq): (StreamId, i64), is_open_to_all: bool) -> Result<()> {
    let read = queries::read_seq(app.store.read(), stream, actor.person).await?;
    // a cursor makes a discussion one's own: who only looks in shall not find it on the home page
    if read >= seq || (read == 0 && is_open_to_all) {
        return Ok(());
    }
    app.store.write(move |tx| Box::pin(async move { commands::read(tx, &actor, stream, seq).await })).await
}

/// A query that asks for older entries.
#[derive(serde::Deserialize)]
pub struct Older {
    pub before: Option<i64>,
}
