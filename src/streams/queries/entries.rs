//! Entries in their present state: what a page shows, what a device missed.
use std::collections::{HashMap, HashSet};

use chrono::{DateTime, FixedOffset, Utc};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, Select,
    sea_query::Expr,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::super::{
    masks::{mask, masked},
    rows::entry,
    rules::{SAID, Side},
    sealing,
};
use crate::{
    app::App,
    bodies, clock,
    error::Result,
    ids::{BodyId, PersonId, StreamId},
    keys::Keys,
    people,
};

/// Characters of what a message answers.
const QUOTED: usize = 60;
/// Pinned messages shown.
const PINNED: u64 = 10;
/// Arguments shown.
const ARGUED: u64 = 1000;

/// An entry as everybody sees it, on the socket and over REST alike.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct EntryView {
    /// Its place: 1, 2, 3 … without a gap.
    pub seq: i64,
    /// Its number among what people count.
    pub no: i64,
    /// message, card or bump (somebody spoke in a conversation of the office); recall, pin and member change what is shown
    /// and count for nobody as unread. In a mailbox, member says that the person's place in another stream changed.
    pub kind: String,
    /// Who sent it; absent for what the system shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender: Option<Sender>,
    /// The `seq` it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<i64>,
    /// What it answers, as it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quote: Option<Quote>,
    /// The `seq` that this one changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_seq: Option<i64>,
    /// recalled (by its sender) or removed (by who leads the conversation); absent for what stands as it was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The `seq` that changed this one last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rev: Option<i64>,
    /// On top for everybody.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_pinned: bool,
    /// `{text, side?, media?, mentions?, mention_all?}` of a message; `{card, title, text, link}` of a card; `{stream_id,
    /// title, link, is_answer}` of a bump; `{state, reason?}` of what was taken back and of the recall; `{erased, text}` of
    /// what its author had erased with the account; `{change, row_no, text?, quantity?, cells?}` of a row of a list, without
    /// words once the row was changed or taken out; `{person_id, change}` of a member: joined, leads, left, removed; in a
    /// mailbox `{stream_id, change, role?}`: joined, changed, left. `mentions` are ids as `sender.id` has them: whoever reads is
    /// addressed by the `me` of the stream, or by the own id.
    pub body: serde_json::Value,
    /// When.
    pub created_at: DateTime<FixedOffset>,
}

/// What a message answers. Joined when it is read: a copy would outlive a recall.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Quote {
    /// Who said it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender: Option<Sender>,
    /// Its first words; empty when it was taken back.
    pub text: String,
}

/// Who sent a message.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Sender {
    /// The person, in a seat and in groups; beside a masked name elsewhere an id that holds for this conversation alone: of what
    /// one said oneself it is the `me` of the stream.
    pub id: PersonId,
    /// Full name in a seat, masked otherwise.
    pub name: String,
    /// The body for which the person spoke.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_name: Option<String>,
}

/// Which entries of a stream: after a place going forward, or the newest before a place.
#[derive(Clone, Copy, Debug)]
pub enum Span {
    /// The entries that follow this seq, oldest first.
    After(i64),
    /// The newest ones before this seq, oldest first.
    Before(i64),
    /// Those on both sides of what has this number, oldest first.
    Around(i64),
}

/// Entries in their present state, oldest first. The caller has checked [`readable`].
///
/// # Errors
/// When the database cannot be read.
pub async fn entries(app: &App, stream: StreamId, span: Span, limit: u64) -> Result<Vec<EntryView>> {
    let db = app.store.read();
    let mut rows = match span {
        Span::After(seq) => after(db, stream, seq, limit).await?,
        Span::Before(seq) => before(db, stream, seq, limit).await?,
        Span::Around(no) => {
            let middle = with_number(db, stream, no).await?;
            let mut rows = before(db, stream, middle, limit / 2).await?;
            let rest = limit.saturating_sub(rows.len() as u64);
            rows.extend(after(db, stream, middle - 1, rest).await?);
            rows
        }
    };
    rows.sort_by_key(|row| row.seq);
    shown(app, rows).await
}

async fn after(db: &impl ConnectionTrait, stream: StreamId, seq: i64, limit: u64) -> Result<Vec<entry::Model>> {
    let rows = entry::Entity::find().filter(entry::Column::StreamId.eq(stream)).filter(entry::Column::Seq.gt(seq));
    Ok(rows.order_by_asc(entry::Column::Seq).limit(limit).all(db).await?)
}

async fn before(db: &impl ConnectionTrait, stream: StreamId, seq: i64, limit: u64) -> Result<Vec<entry::Model>> {
    let rows = entry::Entity::find().filter(entry::Column::StreamId.eq(stream)).filter(entry::Column::Seq.lt(seq));
    Ok(rows.order_by_desc(entry::Column::Seq).limit(limit).all(db).await?)
}

/// Where this number stands; past the end when it was not given yet. A place is never smaller than its number, so it is
/// looked for from there on.
async fn with_number(db: &impl ConnectionTrait, stream: StreamId, no: i64) -> Result<i64> {
    let found: Option<i64> = entry::Entity::find()
        .select_only()
        .column(entry::Column::Seq)
        .filter(entry::Column::StreamId.eq(stream))
        .filter(entry::Column::Seq.gte(no))
        .filter(entry::Column::No.gte(no))
        .order_by_asc(entry::Column::Seq)
        .limit(1)
        .into_tuple()
        .one(db)
        .await?;
    Ok(found.unwrap_or(i64::MAX))
}

/// What is on top for everybody, oldest first, the newest ten at most. The caller has checked [`readable`].
///
/// # Errors
/// When the database cannot be read.
pub async fn pinned(app: &App, stream: StreamId) -> Result<Vec<EntryView>> {
    let mut rows = entry::Entity::find()
        .filter(entry::Column::StreamId.eq(stream))
        // as the index says it: only so it is used
        .filter(Expr::cust("is_pinned = TRUE"))
        .order_by_desc(entry::Column::Seq)
        .limit(PINNED)
        .all(app.store.read())
        .await?;
    rows.reverse();
    shown(app, rows).await
}

/// What people said on one side of a matter, or on any, and nobody took back or away: the newest thousand at most, oldest
/// first. The caller has checked [`readable`].
///
/// # Errors
/// When the database cannot be read.
pub async fn argued(app: &App, stream: StreamId, side: Option<Side>) -> Result<Vec<EntryView>> {
    let newest = on_side(stream, side).order_by_desc(entry::Column::Seq).limit(ARGUED);
    let mut rows = newest.all(app.store.read()).await?;
    rows.reverse();
    shown(app, rows).await
}

/// Where something was said on this side that nobody took back or away, and by whom.
///
/// # Errors
/// When the database cannot be read.
pub async fn said_on(db: &impl ConnectionTrait, stream: StreamId, side: Side) -> Result<Vec<(i64, PersonId)>> {
    let said = on_side(stream, Some(side))
        .select_only()
        .columns([entry::Column::Seq, entry::Column::SenderId])
        .filter(entry::Column::SenderId.is_not_null());
    Ok(said.into_tuple().all(db).await?)
}

/// Those of these people who said something there from a moment on, and up to another, that nobody took back or away, with when
/// they did so last.
///
/// # Errors
/// When the database cannot be read.
pub async fn spoke(
    db: &impl ConnectionTrait,
    stream: StreamId,
    (people, from, to): (&[PersonId], DateTime<Utc>, DateTime<Utc>),
) -> Result<HashMap<PersonId, DateTime<Utc>>> {
    let said = entry::Entity::find()
        .select_only()
        .column(entry::Column::SenderId)
        .column_as(entry::Column::CreatedAt.max(), "last")
        .filter(entry::Column::StreamId.eq(stream))
        .filter(entry::Column::Kind.eq("message"))
        .filter(entry::Column::State.eq(SAID))
        .filter(entry::Column::SenderId.is_in(people.iter().copied()))
        .filter(entry::Column::CreatedAt.between(from, to))
        .group_by(entry::Column::SenderId);
    Ok(said.into_tuple().all(db).await?.into_iter().collect())
}

/// As a message keeps its side: whoever types the same into its words has the quotation marks escaped.
fn on_side(stream: StreamId, side: Option<Side>) -> Select<entry::Entity> {
    let kept = match side {
        Some(side) => format!(r#""side":"{}""#, side.as_str()),
        None => r#""side":"#.to_owned(),
    };
    entry::Entity::find()
        .filter(entry::Column::StreamId.eq(stream))
        .filter(entry::Column::Kind.eq("message"))
        .filter(entry::Column::State.eq(SAID))
        .filter(entry::Column::Body.contains(kept))
}

/// These entries, of however many streams, with the names, the words and the quotes that belong to them.
pub(super) async fn shown(app: &App, rows: Vec<entry::Model>) -> Result<Vec<EntryView>> {
    let db = app.store.read();
    let quoted = quoted(db, &rows).await?;
    let every: Vec<entry::Model> = rows.iter().chain(&quoted).cloned().collect();
    let mut words = sealing::open_bodies(app, &every).await?;
    let quoted_words = words.split_off(rows.len());
    let names = Names::of(app, &every).await?;
    let mut quotes = HashMap::new();
    for (row, body) in quoted.iter().zip(quoted_words).chain(rows.iter().zip(words.iter().cloned())) {
        let text = body["text"].as_str().unwrap_or_default().chars().take(QUOTED).collect();
        quotes.insert((row.stream_id, row.seq), Quote { sender: names.sender(row), text });
    }
    let show = |(row, body): (entry::Model, Value)| EntryView {
        seq: row.seq,
        no: row.no,
        sender: names.sender(&row),
        quote: row.reply_to.and_then(|seq| quotes.get(&(row.stream_id, seq)).cloned()),
        kind: row.kind,
        reply_to: row.reply_to,
        target_seq: row.target_seq,
        state: (row.state != SAID).then_some(row.state),
        rev: (row.rev > 0).then_some(row.rev),
        is_pinned: row.is_pinned,
        body,
        created_at: clock::local(row.created_at),
    };
    Ok(rows.into_iter().zip(words).map(show).collect())
}

/// What these answer and are not among these.
async fn quoted(db: &impl ConnectionTrait, rows: &[entry::Model]) -> Result<Vec<entry::Model>> {
    let known: HashSet<(StreamId, i64)> = rows.iter().map(|row| (row.stream_id, row.seq)).collect();
    let mut wanted: HashMap<StreamId, HashSet<i64>> = HashMap::new();
    for (stream, seq) in rows.iter().filter_map(|row| Some((row.stream_id, row.reply_to?))) {
        if !known.contains(&(stream, seq)) {
            wanted.entry(stream).or_default().insert(seq);
        }
    }
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let any = wanted.into_iter().fold(Condition::any(), |any, (stream, seqs)| {
        any.add(entry::Column::StreamId.eq(stream).and(entry::Column::Seq.is_in(seqs)))
    });
    Ok(entry::Entity::find().filter(any).all(db).await?)
}

/// Of those who spoke, and of the bodies for which they did.
struct Names<'a> {
    keys: &'a Keys,
    /// Where an id of the conversation stands beside a masked name.
    masked: HashSet<StreamId>,
    people: HashMap<PersonId, String>,
    bodies: HashMap<BodyId, String>,
}

impl<'a> Names<'a> {
    async fn of(app: &'a App, rows: &[entry::Model]) -> Result<Self> {
        let db = app.store.read();
        let senders: HashSet<_> = rows.iter().filter_map(|row| row.sender_id).collect();
        let spoken_for: HashSet<_> = rows.iter().filter_map(|row| row.body_id).collect();
        let themselves = rows.iter().filter(|row| row.sender_id.is_some() && row.body_id.is_none());
        Ok(Self {
            keys: &app.keys,
            masked: masked(db, themselves.map(|row| row.stream_id).collect()).await?,
            people: people::queries::names(db, senders.into_iter().collect()).await?,
            bodies: bodies::queries::names(db, spoken_for.into_iter().collect()).await?,
        })
    }

    /// Full name in a seat, masked otherwise.
    fn sender(&self, row: &entry::Model) -> Option<Sender> {
        let id = row.sender_id?;
        let body_name = row.body_id.and_then(|body| self.bodies.get(&body).cloned());
        let full = self.people.get(&id).cloned().unwrap_or_default();
        if body_name.is_some() {
            return Some(Sender { id, name: full, body_name });
        }
        let is_masked = row.body_id.is_none() && self.masked.contains(&row.stream_id);
        let id = if is_masked { mask(self.keys, row.stream_id, id) } else { id };
        Some(Sender { id, name: people::mask_name(&full), body_name })
    }
}
