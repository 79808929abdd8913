//! The box in which something is said: words, photos or a clip; what it answers, whom it addresses.
use askama::Template;

use super::{
    fields::{Fields, Form, Wrong, with_files},
    thread::{self, opened},
    words::Words,
};
use crate::{
    actor::Actor,
    app::App,
    error::Result,
    ids::{MediaId, StreamId},
    streams::{
        Stream, StreamKind,
        queries::{self, Quote, Reader},
    },
};

/// A message that was refused, for showing it again.
#[derive(Clone, Debug, Default)]
pub struct Unsent {
    typed: Fields,
    /// Files that were taken along with it.
    kept: Vec<MediaId>,
    /// What was wrong.
    pub wrong: Wrong,
}

/// The box.
#[derive(Template)]
#[template(path = "compose.html")]
pub struct Compose {
    stream: StreamId,
    action: String,
    label: &'static str,
    has_sides: bool,
    quote: Option<(i64, Quote)>,
    /// Who can be addressed by name.
    people: Vec<Reader>,
    may_address_all: bool,
    unsent: Unsent,
}

impl Compose {
    /// For a conversation in which the actor may write; `action` is where it is sent to.
    pub async fn new(
        app: &App,
        actor: &Actor,
        (stream, action): (&Stream, String),
        (reply, unsent): (Option<i64>, Unsent),
    ) -> Result<Self> {
        let db = app.store.read();
        let reply = unsent.typed.optional("reply_to").ok().flatten().or(reply);
        let quote = match reply {
            Some(seq) => opened(app, actor, stream.id, seq).await?.map(|entry| (seq, thread::quote(entry))),
            None => None,
        };
        let kind = StreamKind::parse(&stream.kind);
        let people = match kind {
            Some(StreamKind::Group | StreamKind::Forum) => queries::members(app, actor, stream.id).await?,
            _ => Vec::new(),
        };
        Ok(Self {
            stream: stream.id,
            action,
            label: if kind == Some(StreamKind::Thread) { "page-suggestion-more" } else { "page-say" },
            has_sides: kind == Some(StreamKind::Discussion),
            quote,
            people: people.into_iter().filter(|one| one.id != actor.person).collect(),
            may_address_all: queries::leads(db, actor, stream.id).await?,
            unsent,
        })
    }
}

/// Sends what the box holds; gives it back when it was refused.
pub async fn send(app: &App, actor: Actor, stream: StreamId, form: Form) -> Result<Option<Unsent>> {
    let mut sent = with_files(app, &actor, form).await?;
    let done = match sent.whole() {
        Ok(()) => thread::send(app, actor, stream, (&sent.fields, sent.media())).await,
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => Ok(None),
        Err(error) => {
            let wrong = Wrong::from(error)?;
            Ok(Some(Unsent { kept: sent.kept(&wrong), wrong, typed: sent.fields }))
        }
    }
}
