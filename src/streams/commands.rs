//! Writes to streams: the only place where a `seq` is born.
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, ExprTrait, QueryFilter, Set,
    sea_query::{Expr, OnConflict},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    queries,
    rows::{entry, membership, stream},
    rules::{Access, StreamKind, access},
    sealing,
};
use crate::{
    actor::Actor,
    broker::Bell,
    clock,
    error::{Checks, Code, Error, Result},
    ids::{BodyId, DataKeyId, PersonId, StreamId},
    store::Tx,
    text,
};

const MAX_TEXT: usize = 2000;
const PREVIEW: usize = 40;

/// A stream to be opened.
pub struct NewStream {
    /// What it is for.
    pub kind: StreamKind,
    /// Id of what it is about; one stream for each kind and subject.
    pub subject: String,
    /// Shown at its head.
    pub title: String,
    /// Whose residents see it, for channels and discussions.
    pub area: Option<String>,
    /// Whose seats see it, for offices and threads.
    pub body: Option<BodyId>,
}

/// What the system shows: a line that leads somewhere.
pub struct Card {
    /// Stable name of the kind of card.
    pub code: &'static str,
    /// Head line, in Chinese.
    pub title: String,
    /// One or two sentences, in Chinese.
    pub text: String,
    /// Path of the page it leads to.
    pub link: String,
}

/// A message from a person.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SendMessage {
    /// Made by the client once per message: sending again is the same message.
    pub client_id: Uuid,
    /// 1 to 2,000 characters.
    #[schema(min_length = 1, max_length = 2000)]
    pub text: String,
    /// In a matter's discussion: an argument for, against, or information.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub side: Option<Side>,
    /// The `seq` this answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<i64>,
}

/// The side an argument takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Side {
    For,
    Against,
    Info,
}

/// What the sender is told, after the commit.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema, PartialEq, Eq)]
pub struct Sent {
    /// Its place in the stream.
    pub seq: i64,
    /// Its number among the messages.
    pub no: i64,
    /// It was there already.
    pub dup: bool,
}

/// Opens the stream, or finds it.
///
/// # Errors
/// When the database refuses.
pub async fn open(tx: &Tx, new: NewStream) -> Result<StreamId> {
    if let Some(known) = queries::find(tx, new.kind, &new.subject).await? {
        return Ok(known);
    }
    let now = tx.now();
    let id = StreamId::new();
    let row = stream::ActiveModel {
        id: Set(id),
        kind: Set(new.kind.as_str().to_owned()),
        subject_id: Set(new.subject),
        area_code: Set(new.area),
        body_id: Set(new.body),
        title: Set(new.title),
        epoch: Set(now.timestamp()),
        last_seq: Set(0),
        last_no: Set(0),
        last_at: Set(now),
        last_preview: Set(String::new()),
        created_at: Set(now),
        key_id: Set(None),
    };
    stream::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(id)
}

/// From now on, what is said in this new stream is sealed by this key.
///
/// # Errors
/// `wrong_state` when something was said already.
pub async fn seal(tx: &Tx, stream: StreamId, key: DataKeyId) -> Result<()> {
    let sealed = stream::Entity::update_many()
        .col_expr(stream::Column::KeyId, Expr::value(key))
        .filter(stream::Column::Id.eq(stream))
        .filter(stream::Column::KeyId.is_null())
        .filter(stream::Column::LastSeq.eq(0))
        .exec(tx)
        .await?;
    if sealed.rows_affected == 1 { Ok(()) } else { Err(Code::WrongState.into()) }
}

/// The person's own stream.
///
/// # Errors
/// When the database refuses.
pub async fn mailbox(tx: &Tx, person: PersonId) -> Result<StreamId> {
    let subject = person.to_string();
    if let Some(known) = queries::find(tx, StreamKind::Mailbox, &subject).await? {
        return Ok(known);
    }
    let title = text::say("stream-mailbox");
    let id = open(tx, NewStream { kind: StreamKind::Mailbox, subject, title, area: None, body: None }).await?;
    join(tx, id, person, "owner").await?;
    Ok(id)
}

/// The channel of an area.
///
/// # Errors
/// When the database refuses.
pub async fn channel(tx: &Tx, area: &str) -> Result<StreamId> {
    if let Some(known) = queries::find(tx, StreamKind::Channel, area).await? {
        return Ok(known);
    }
    let name = crate::areas::get(tx, area).await?.name;
    let title = text::say_with("stream-channel", &[("area", name.into())]);
    open(
        tx,
        NewStream {
            kind: StreamKind::Channel,
            subject: area.to_owned(),
            title,
            area: Some(area.to_owned()),
            body: None,
        },
    )
    .await
}

/// The work stream of a body.
///
/// # Errors
/// When the database refuses.
pub async fn office(tx: &Tx, body: BodyId) -> Result<StreamId> {
    let subject = body.to_string();
    let title = text::say("stream-office");
    open(tx, NewStream { kind: StreamKind::Office, subject, title, area: None, body: Some(body) }).await
}

/// Makes the person belong to the stream, with nothing read; once more changes only the role.
///
/// # Errors
/// When the database refuses.
pub async fn join(tx: &Tx, stream: StreamId, person: PersonId, role: &str) -> Result<()> {
    let row = membership::ActiveModel {
        person_id: Set(person),
        stream_id: Set(stream),
        role: Set(role.to_owned()),
        read_seq: Set(0),
        read_no: Set(0),
        joined_at: Set(tx.now()),
        left_at: Set(None),
    };
    let again = OnConflict::columns([membership::Column::PersonId, membership::Column::StreamId])
        .update_columns([membership::Column::Role, membership::Column::LeftAt, membership::Column::JoinedAt])
        .to_owned();
    membership::Entity::insert(row).on_conflict(again).exec_without_returning(tx).await?;
    tx.ring(Bell::Membership { person, stream });
    Ok(())
}

/// Shows a card to all who read the stream.
///
/// # Errors
/// When the database refuses.
pub async fn post_card(tx: &Tx, stream: StreamId, card: Card) -> Result<i64> {
    let body = json!({ "card": card.code, "title": card.title, "text": card.text, "link": card.link });
    let entry = NewEntry {
        kind: "card",
        preview: card.title,
        body,
        sender: None,
        body_id: None,
        client_id: Uuid::now_v7(),
        reply_to: None,
    };
    Ok(append(tx, stream, entry).await?.0)
}

/// Sends a message. The same `client_id` again gives the first answer, with `dup`.
///
/// # Errors
/// `not_found` when the stream is not the actor's to read; `not_allowed` when it is not to write; `invalid_fields`.
pub async fn send(tx: &Tx, actor: &Actor, (stream_id, message): (StreamId, SendMessage)) -> Result<Sent> {
    let stream = readable(tx, actor, stream_id).await?;
    let role = queries::role(tx, stream_id, actor.person).await?;
    if access(&stream, actor, role.as_deref()) != Access::Write {
        return Err(Code::NotAllowed.into());
    }
    check(&stream, &message)?;
    sealing::require_open(tx, &stream).await?;
    if let Some(known) = first_of(tx, actor.person, message.client_id).await? {
        return if known.stream_id == stream_id {
            Ok(Sent { seq: known.seq, no: known.no, dup: true })
        } else {
            Err(Code::IdempotencyMismatch.into())
        };
    }
    let mut body = json!({ "text": message.text.trim() });
    if let (Some(side), Some(fields)) = (message.side, body.as_object_mut()) {
        fields.insert("side".to_owned(), json!(side));
    }
    let area = stream.area_code.as_deref().unwrap_or_default();
    let seat = actor
        .seats
        .iter()
        .find(|seat| Some(seat.body_id) == stream.body_id || (stream.body_id.is_none() && seat.covers(area)));
    let entry = NewEntry {
        kind: "message",
        preview: message.text.trim().to_owned(),
        body,
        sender: Some(actor.person),
        // an author who also holds a seat speaks as the author in the own thread
        body_id: if role.as_deref() == Some("author") { None } else { seat.map(|seat| seat.body_id) },
        client_id: message.client_id,
        reply_to: message.reply_to,
    };
    let (seq, no) = append(tx, stream_id, entry).await?;
    move_cursor(tx, actor.person, stream_id, seq, no).await?;
    Ok(Sent { seq, no, dup: false })
}

/// Moves the read cursor forward; never back, never past the end.
///
/// # Errors
/// `not_found` when the stream is not the actor's to read.
pub async fn read(tx: &Tx, actor: &Actor, stream_id: StreamId, seq: i64) -> Result<()> {
    let stream = readable(tx, actor, stream_id).await?;
    let seq = seq.clamp(0, stream.last_seq);
    let no = match entry::Entity::find_by_id((stream_id, seq)).one(tx).await? {
        Some(row) => row.no,
        None => 0,
    };
    move_cursor(tx, actor.person, stream_id, seq, no).await
}

async fn readable(tx: &Tx, actor: &Actor, id: StreamId) -> Result<stream::Model> {
    let (stream, _) = queries::readable(tx, actor, id).await?;
    Ok(stream)
}

fn check(stream: &stream::Model, message: &SendMessage) -> Result<()> {
    let mut checks = Checks::default();
    checks.text("text", &message.text, 1..=MAX_TEXT);
    let may_argue = stream.kind == StreamKind::Discussion.as_str();
    checks.require(message.side.is_none() || may_argue, "side", "unknown");
    checks.require(message.reply_to.is_none_or(|seq| (1..=stream.last_seq).contains(&seq)), "reply_to", "out_of_range");
    checks.done()
}

async fn first_of(tx: &Tx, sender: PersonId, client_id: Uuid) -> Result<Option<entry::Model>> {
    let same =
        entry::Entity::find().filter(entry::Column::SenderId.eq(sender)).filter(entry::Column::ClientId.eq(client_id));
    Ok(same.one(tx).await?)
}

struct NewEntry {
    kind: &'static str,
    preview: String,
    body: Value,
    sender: Option<PersonId>,
    body_id: Option<BodyId>,
    client_id: Uuid,
    reply_to: Option<i64>,
}

/// Gives the next `seq` and `no` and inserts. The row lock of the stream makes commit order the order of `seq`.
async fn append(tx: &Tx, stream_id: StreamId, new: NewEntry) -> Result<(i64, i64)> {
    let now = tx.now();
    let preview: String = new.preview.chars().filter(|c| !c.is_control()).take(PREVIEW).collect();
    // what will be sealed is not written in clear even for a moment
    let in_clear = Expr::case(stream::Column::KeyId.is_null(), Expr::value(preview.clone())).finally(Expr::value(""));
    let moved = stream::Entity::update_many()
        .col_expr(stream::Column::LastSeq, Expr::col(stream::Column::LastSeq).add(1))
        .col_expr(stream::Column::LastNo, Expr::col(stream::Column::LastNo).add(1))
        .col_expr(stream::Column::LastAt, Expr::value(now))
        .col_expr(stream::Column::LastPreview, in_clear.into())
        .filter(stream::Column::Id.eq(stream_id))
        .exec_with_returning(tx)
        .await?;
    let stream = moved.into_iter().next().ok_or_else(|| Error::broken("append to a stream that is not there"))?;
    let body = match stream.key_id {
        None => new.body.to_string(),
        Some(key) => sealing::seal(tx, &stream, key, (&new.body, &preview)).await?,
    };
    let row = entry::ActiveModel {
        stream_id: Set(stream_id),
        seq: Set(stream.last_seq),
        no: Set(stream.last_no),
        kind: Set(new.kind.to_owned()),
        sender_id: Set(new.sender),
        body_id: Set(new.body_id),
        client_id: Set(new.client_id),
        reply_to: Set(new.reply_to),
        body: Set(body),
        created_at: Set(now),
    };
    entry::Entity::insert(row).exec_without_returning(tx).await?;
    tx.ring(Bell::Stream { id: stream_id, seq: stream.last_seq });
    Ok((stream.last_seq, stream.last_no))
}

async fn move_cursor(tx: &Tx, person: PersonId, stream: StreamId, seq: i64, no: i64) -> Result<()> {
    let moved = membership::Entity::update_many()
        .col_expr(membership::Column::ReadSeq, Expr::value(seq))
        .col_expr(membership::Column::ReadNo, Expr::value(no))
        .filter(membership::Column::PersonId.eq(person))
        .filter(membership::Column::StreamId.eq(stream))
        .filter(membership::Column::ReadSeq.lt(seq))
        .exec(tx)
        .await?;
    if moved.rows_affected > 0 || membership::Entity::find_by_id((person, stream)).one(tx).await?.is_some() {
        return Ok(());
    }
    let row = membership::ActiveModel {
        person_id: Set(person),
        stream_id: Set(stream),
        role: Set("reader".to_owned()),
        read_seq: Set(seq),
        read_no: Set(no),
        joined_at: Set(tx.now()),
        left_at: Set(None),
    };
    row.insert(tx).await?;
    Ok(())
}

/// Whoever opened a private thread belongs to it for that day only: the next reading is an opening again, and recorded.
///
/// # Errors
/// When the database refuses.
pub async fn due(tx: &Tx) -> Result<u64> {
    let today = clock::start_of_day(clock::local_date(tx.now()));
    let ended = membership::Entity::update_many()
        .col_expr(membership::Column::Role, Expr::value("former"))
        .filter(membership::Column::Role.eq("handler_today"))
        .filter(membership::Column::JoinedAt.lt(today))
        .exec_with_returning(tx)
        .await?;
    for row in &ended {
        tx.ring(Bell::Membership { person: row.person_id, stream: row.stream_id });
    }
    Ok(ended.len() as u64)
}
