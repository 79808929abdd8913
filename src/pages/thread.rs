//! What was said in a stream, as pages show it; sending, and having read.
use std::collections::HashMap;

use askama::Template;
use chrono::{DateTime, FixedOffset};
use serde::Deserialize;
use serde_json::Value;

use super::{fields::Fields, layout::local, words::Words};
use crate::{
    actor::Actor,
    app::App,
    chains,
    error::Result,
    ids::{MediaId, PersonId, StreamId},
    media::MediaView,
    moderation, people,
    streams::{
        self, EntryView, RECALLED, Side, Stream, StreamKind,
        commands::{self, SendMessage},
        queries::{self, Quote, Span},
    },
    text,
};

/// Entries shown on one page.
const SHOWN: u64 = 50;

/// One entry.
pub struct Said {
    pub seq: i64,
    pub is_mine: bool,
    /// It addresses whoever looks: by name, or with everybody.
    pub is_for_me: bool,
    /// Who, and for which body; empty for a card.
    pub who: String,
    /// One character that stands for whoever speaks.
    pub face: String,
    pub text: String,
    /// for, against, info, alternative.
    pub side: Option<String>,
    pub at: DateTime<FixedOffset>,
    pub card: Option<Card>,
    pub quote: Option<Quote>,
    /// The seq of what it answers.
    pub answers: Option<i64>,
    pub media: Vec<MediaView>,
    /// A line about what happened, in the place of a bubble.
    pub line: Option<String>,
    pub is_pinned: bool,
    /// A list to which people add rows.
    pub is_chain: bool,
    /// Said by a person: one may answer it, take it back, ask who has read it.
    pub is_message: bool,
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
    pub stream: StreamId,
    pub said: Vec<Said>,
    /// What is on top for everybody.
    pub pinned: Vec<Said>,
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
    let pinned = queries::pinned(app, stream.id).await?;
    let around = Around::of(app, (actor, stream.id), &entries).await?;
    let pinned = pinned.into_iter().filter_map(|entry| around.said(entry)).collect();
    let mut said: Vec<Said> = entries.into_iter().filter_map(|entry| around.said(entry)).collect();
    let chains = said.iter().filter(|one| one.is_chain);
    let rows = chains::queries::taken(app.store.read(), stream.id, chains.map(|one| one.seq).collect()).await?;
    for one in &mut said {
        if let (Some(card), Some(taken)) = (one.card.as_mut(), rows.get(&one.seq)) {
            card.link = format!("/streams/{}/chains/{}", stream.id, one.seq);
            one.text = text::say_with("page-chain-taken", &[("n", (*taken).into())]);
        }
    }
    Ok(Thread { stream: stream.id, said, pinned, older })
}

/// What people said on one side of a matter, or on any, the newest first; what was taken back or away is none.
pub async fn argued(app: &App, actor: &Actor, (stream, side): (StreamId, Option<Side>)) -> Result<Vec<Said>> {
    let entries = queries::argued(app, stream, side).await?;
    let around = Around::of(app, (actor, stream), &entries).await?;
    Ok(entries.into_iter().rev().filter_map(|entry| around.said(entry)).collect())
}

/// One entry as it is now.
pub async fn opened(app: &App, actor: &Actor, stream: StreamId, seq: i64) -> Result<Option<EntryView>> {
    queries::readable(app.store.read(), actor, stream).await?;
    let found = queries::entries(app, stream, Span::Before(seq.saturating_add(1)), 1).await?;
    Ok(found.into_iter().find(|entry| entry.seq == seq))
}

/// One entry of a stream as a bubble.
pub async fn bubble(app: &App, actor: &Actor, (stream, entry): (StreamId, EntryView)) -> Result<Option<Said>> {
    Ok(Around::of(app, (actor, stream), std::slice::from_ref(&entry)).await?.said(entry))
}

/// What a message would be quoted as.
pub fn quote(entry: EntryView) -> Quote {
    let text = entry.body["text"].as_str().unwrap_or_default().chars().take(60).collect();
    Quote { sender: entry.sender, text }
}

/// Who looks, and the names of those about whom entries tell.
struct Around {
    me: PersonId,
    /// Under which id the same person speaks where names are masked.
    mask: PersonId,
    names: HashMap<PersonId, String>,
}

impl Around {
    async fn of(app: &App, (actor, stream): (&Actor, StreamId), entries: &[EntryView]) -> Result<Self> {
        let told_of = |entry: &EntryView| entry.body["person_id"].as_str().and_then(|id| id.parse().ok());
        let people = entries.iter().filter_map(told_of).collect();
        let mask = streams::mask(&app.keys, stream, actor.person);
        Ok(Self { me: actor.person, mask, names: people::queries::names(app.store.read(), people).await? })
    }

    /// `None` for what changes another entry and is shown there.
    fn said(&self, entry: EntryView) -> Option<Said> {
        let word = |name: &str| entry.body[name].as_str().map(str::to_owned);
        let who = self.who(&entry);
        let line = match (entry.kind.as_str(), entry.state.as_deref()) {
            ("recall" | "pin" | "chain_row" | "cursor" | "erased", _) => return None,
            // in the own mailbox it is for the phone, not for the eye
            ("member", _) if entry.body["person_id"].is_null() => return None,
            ("member", _) => Some(self.change(&entry, &who)),
            // the card itself stands further up, as it is now
            ("edit", _) => Some(entry.body["body"]["title"].as_str().unwrap_or_default().to_owned()),
            (_, Some(RECALLED)) => Some(text::say_with("page-recalled", &[("who", who.clone().into())])),
            (_, Some(_)) => {
                let reason = word("reason").unwrap_or_default();
                Some(text::say_with("page-removed", &[("reason", reason.into())]))
            }
            _ => None,
        };
        let link_of = |name: &str| word(name).map(|link| local(&link).to_owned()).unwrap_or_default();
        let title = word("title").unwrap_or_default();
        let card = match entry.kind.as_str() {
            "card" => Some(Card { title, link: link_of("link") }),
            "bump" => Some(Card { title, link: bump_link(&entry.body) }),
            // where the list is, is known when its rows are counted
            "chain" => Some(Card { title: word("text").unwrap_or_default(), link: String::new() }),
            _ => None,
        };
        let is_chain = entry.kind == "chain";
        let is_shown_by_system = card.is_some() && !is_chain;
        let face =
            if is_shown_by_system { text::say("page-face-card") } else { who.chars().take(1).collect::<String>() };
        Some(Said {
            seq: entry.seq,
            is_mine: self.is_mine(&entry),
            is_for_me: self.is_for_me(&entry),
            who,
            face,
            text: match entry.body["edits"].as_i64() {
                _ if is_chain => String::new(),
                None => word("text").unwrap_or_default(),
                Some(n) => {
                    let text = word("text").unwrap_or_default();
                    text::say_with("page-card-edited", &[("text", text.into()), ("n", n.into())])
                }
            },
            side: word("side"),
            at: entry.created_at,
            card,
            is_chain,
            is_message: entry.kind == "message" && line.is_none(),
            line,
            quote: entry.quote,
            answers: entry.reply_to,
            media: media(&entry.body),
            is_pinned: entry.is_pinned,
        })
    }

    fn is_mine(&self, entry: &EntryView) -> bool {
        entry.sender.as_ref().is_some_and(|sender| [self.me, self.mask].contains(&sender.id))
    }

    fn is_for_me(&self, entry: &EntryView) -> bool {
        let is_me = |id: &Value| {
            let id = id.as_str().and_then(|id| id.parse::<PersonId>().ok());
            id.is_some_and(|id| [self.me, self.mask].contains(&id))
        };
        let is_for_all = entry.body["mention_all"] == true && !self.is_mine(entry);
        is_for_all || entry.body["mentions"].as_array().is_some_and(|ids| ids.iter().any(is_me))
    }

    fn who(&self, entry: &EntryView) -> String {
        match &entry.sender {
            Some(_) if self.is_mine(entry) => text::say("page-me"),
            Some(sender) => sender.body_name.iter().chain([&sender.name]).cloned().collect::<Vec<_>>().join(" "),
            None => String::new(),
        }
    }

    /// Who came, left, leads.
    fn change(&self, entry: &EntryView, by: &str) -> String {
        let id = entry.body["person_id"].as_str().and_then(|id| id.parse::<PersonId>().ok());
        let full = id.and_then(|id| self.names.get(&id)).map(String::as_str).unwrap_or_default();
        let person = if id == Some(self.me) { text::say("page-me") } else { people::mask_name(full) };
        let change = entry.body["change"].as_str().unwrap_or_default();
        text::say_with(&format!("page-member-{change}"), &[("person", person.into()), ("by", by.to_owned().into())])
    }
}

/// Where somebody spoke to the office; those of earlier versions named the conversation alone.
fn bump_link(body: &Value) -> String {
    let word = |name: &str| body[name].as_str().unwrap_or_default();
    let link =
        if word("link").is_empty() { format!("/streams/{}", word("stream_id")) } else { word("link").to_owned() };
    local(&link).to_owned()
}

/// Photos and clips of a message.
fn media(body: &Value) -> Vec<MediaView> {
    body.get("media").and_then(|media| Vec::deserialize(media).ok()).unwrap_or_default()
}

/// Sends what was typed into the form of a stream, with files taken before.
pub async fn send(app: &App, actor: Actor, stream: StreamId, (form, media): (&Fields, Vec<MediaId>)) -> Result<()> {
    let text = form.text("text").replace("\r\n", "\n");
    let message = SendMessage {
        side: form.given("side").map(|_| form.choice("side")).transpose()?,
        reply_to: form.optional("reply_to")?,
        mentions: form.optional("mention")?.into_iter().collect(),
        mention_all: form.has("mention_all", "1"),
        media,
        ..SendMessage::words(form.required("client_id")?, text)
    };
    moderation::commands::speak(app, actor, (stream, message)).await.map(drop)
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

/// A query that asks for older entries, or to answer one.
#[derive(Default, Deserialize)]
pub struct Older {
    /// What came before this seq.
    pub before: Option<i64>,
    /// The seq to be answered.
    pub reply: Option<i64>,
}
