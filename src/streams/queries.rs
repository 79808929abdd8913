//! Reads of streams: the list on the home page; entries are in `entries`, who has read them in `receipts`.
use std::collections::HashMap;

use chrono::{DateTime, FixedOffset};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Query,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    commands::Mute,
    rows::{entry, membership, stream},
    rules::{Access, SAID, StreamKind, access, chain_of_areas, moderates},
    sealing,
};
use crate::{
    actor::Actor,
    app::App,
    clock,
    error::{Code, Result},
    ids::{PersonId, StreamId},
};

mod entries;
mod receipts;
mod search;

pub use entries::{EntryView, Quote, Sender, Span, entries, pinned};
pub use receipts::{Reader, Receipts, members, receipts};
pub use search::{Found, Search, search};

/// Streams shown and subscribed at most.
pub const MAX_STREAMS: u64 = 128;
/// Letters shown at most.
const LETTERS: u64 = 100;

/// A stream in somebody's list.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct StreamView {
    /// Its id; the channel on the socket is `s:` and this.
    pub id: StreamId,
    /// mailbox, channel, thread, discussion, office, contact, forum, group.
    pub kind: String,
    /// Id of what it is about.
    pub subject_id: String,
    /// Shown at its head.
    pub title: String,
    /// Changes when the server was restored from a backup: forget what you have.
    pub epoch: String,
    /// Newest place.
    pub last_seq: i64,
    /// Newest number.
    pub last_no: i64,
    /// Read up to this place.
    pub read_seq: i64,
    /// Read up to this number.
    pub read_no: i64,
    /// `last_no − read_no`.
    pub unread: i64,
    /// Somebody addressed the person, or everybody, after what was read: [有人@我].
    pub is_mentioned: bool,
    /// What the person does not want to be told of: nothing, messages, everything. What is muted shows a dot, no number.
    pub mute: String,
    /// The person keeps it on top.
    pub is_pinned: bool,
    /// First words of the newest entry.
    pub preview: String,
    /// When that was.
    pub last_at: DateTime<FixedOffset>,
}

/// The stream of this kind about this subject.
///
/// # Errors
/// When the database cannot be read.
pub async fn find(db: &impl ConnectionTrait, kind: StreamKind, subject: &str) -> Result<Option<StreamId>> {
    let row = stream::Entity::find()
        .filter(stream::Column::Kind.eq(kind.as_str()))
        .filter(stream::Column::SubjectId.eq(subject))
        .one(db)
        .await?;
    Ok(row.map(|row| row.id))
}

/// The role of a membership that was not left.
pub(super) async fn role(db: &impl ConnectionTrait, stream: StreamId, person: PersonId) -> Result<Option<String>> {
    let row = membership::Entity::find_by_id((person, stream)).one(db).await?;
    Ok(row.filter(|row| row.left_at.is_none()).map(|row| row.role))
}

/// Who belongs to a group, and as what.
///
/// # Errors
/// When the database cannot be read.
pub async fn belonging(db: &impl ConnectionTrait, stream: StreamId) -> Result<HashMap<PersonId, String>> {
    let rows = membership::Entity::find()
        .filter(membership::Column::StreamId.eq(stream))
        .filter(membership::Column::LeftAt.is_null());
    Ok(rows.all(db).await?.into_iter().map(|row| (row.person_id, row.role)).collect())
}

/// Does the actor lead this conversation: take away, pin, address everybody?
///
/// # Errors
/// `not_found` when the stream is not the actor's to read.
pub async fn leads(db: &impl ConnectionTrait, actor: &Actor, id: StreamId) -> Result<bool> {
    let (stream, _) = readable(db, actor, id).await?;
    Ok(moderates(&stream, actor, role(db, id, actor.person).await?.as_deref()))
}

/// The stream, if the actor may read it, and what more is allowed.
///
/// # Errors
/// `not_found` otherwise.
pub async fn readable(db: &impl ConnectionTrait, actor: &Actor, id: StreamId) -> Result<(stream::Model, Access)> {
    let stream = stream::Entity::find_by_id(id).one(db).await?.ok_or(Code::NotFound)?;
    let role = role(db, id, actor.person).await?;
    match access(&stream, actor, role.as_deref()) {
        Access::None => Err(Code::NotFound.into()),
        allowed => Ok((stream, allowed)),
    }
}

/// One stream as it stands in the actor's list; its preview is left out.
///
/// # Errors
/// `not_found` when the stream is not the actor's to read.
pub async fn one(db: &impl ConnectionTrait, actor: &Actor, id: StreamId) -> Result<StreamView> {
    let (stream, _) = readable(db, actor, id).await?;
    let member = membership::Entity::find_by_id((actor.person, id)).one(db).await?;
    Ok(StreamView { preview: String::new(), ..view(stream, member.as_ref()) })
}

/// The letters (residents' conversations with an office) that the actor may answer, newest first, 100 at most.
///
/// # Errors
/// When the database cannot be read.
pub async fn letters(app: &App, actor: &Actor) -> Result<Vec<StreamView>> {
    let db = app.store.read();
    let bodies = actor.seats.iter().map(|seat| seat.body_id);
    let mut rows = stream::Entity::find()
        .filter(stream::Column::Kind.eq(StreamKind::Contact.as_str()))
        .filter(stream::Column::BodyId.is_in(bodies))
        .filter(stream::Column::LastNo.gt(0))
        .order_by_desc(stream::Column::LastAt)
        .limit(LETTERS)
        .all(db)
        .await?;
    rows.retain(|row| access(row, actor, None) != Access::None);
    let members = memberships(db, actor, &rows).await?;
    sealing::open_previews(app, rows.iter_mut().collect()).await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let member = members.get(&row.id);
            view(row, member)
        })
        .collect())
}

async fn memberships(
    db: &impl ConnectionTrait,
    actor: &Actor,
    rows: &[stream::Model],
) -> Result<HashMap<StreamId, membership::Model>> {
    let members = membership::Entity::find()
        .filter(membership::Column::PersonId.eq(actor.person))
        .filter(membership::Column::LeftAt.is_null())
        .filter(membership::Column::StreamId.is_in(rows.iter().map(|row| row.id)))
        .all(db)
        .await?;
    Ok(members.into_iter().map(|row| (row.stream_id, row)).collect())
}

/// Everything on the actor's home page, newest first.
///
/// # Errors
/// When the database cannot be read.
pub async fn list(app: &App, actor: &Actor) -> Result<Vec<StreamView>> {
    let mut rows = own(app.store.read(), actor).await?;
    sealing::open_previews(app, rows.iter_mut().map(|(stream, _)| stream).collect()).await?;
    Ok(rows.into_iter().map(|(stream, member)| view(stream, member.as_ref())).collect())
}

/// The actor's streams with their membership: by rows, by area, by seat. Previews are as kept, some of them sealed.
///
/// # Errors
/// When the database cannot be read.
pub(crate) async fn own(
    db: &impl ConnectionTrait,
    actor: &Actor,
) -> Result<Vec<(stream::Model, Option<membership::Model>)>> {
    let joined = Query::select()
        .column(membership::Column::StreamId)
        .from(membership::Entity)
        .and_where(membership::Column::PersonId.eq(actor.person))
        .and_where(membership::Column::LeftAt.is_null())
        .to_owned();
    let bodies: Vec<_> = actor.seats.iter().map(|seat| seat.body_id).collect();
    let by_area = Condition::all()
        .add(stream::Column::Kind.eq(StreamKind::Channel.as_str()))
        .add(stream::Column::AreaCode.is_in(chain_of_areas(&actor.area)));
    let by_seat = Condition::all()
        .add(stream::Column::Kind.is_in([StreamKind::Office.as_str(), StreamKind::Forum.as_str()]))
        .add(stream::Column::BodyId.is_in(bodies));
    let rows = stream::Entity::find()
        .filter(Condition::any().add(stream::Column::Id.in_subquery(joined)).add(by_area).add(by_seat))
        .order_by_desc(stream::Column::LastAt)
        .limit(MAX_STREAMS)
        .all(db)
        .await?;
    let mut members = memberships(db, actor, &rows).await?;
    let pairs = rows.into_iter().map(|row| {
        let member = members.remove(&row.id);
        (row, member)
    });
    let mut own: Vec<_> = pairs
        .filter(|(row, member)| access(row, actor, member.as_ref().map(|m| m.role.as_str())) != Access::None)
        .collect();
    let pinned = |member: &Option<membership::Model>| member.as_ref().and_then(|row| row.pinned_at);
    own.sort_by_key(|(_, member)| std::cmp::Reverse(pinned(member)));
    Ok(own)
}

fn view(row: stream::Model, member: Option<&membership::Model>) -> StreamView {
    let (read_seq, read_no) = member.map_or((0, 0), |member| (member.read_seq, member.read_no));
    let addressed = member.map_or(0, |member| member.last_mention_seq).max(row.last_all_seq);
    StreamView {
        id: row.id,
        kind: row.kind,
        subject_id: row.subject_id,
        title: row.title,
        epoch: row.epoch.to_string(),
        last_seq: row.last_seq,
        last_no: row.last_no,
        read_seq,
        read_no,
        unread: row.last_no - read_no,
        is_mentioned: addressed > read_seq,
        mute: member.map_or_else(|| Mute::Nothing.as_str().to_owned(), |member| member.mute.clone()),
        is_pinned: member.is_some_and(|member| member.pinned_at.is_some()),
        preview: row.last_preview,
        last_at: clock::local(row.last_at),
    }
}

/// A message, for who reports it.
pub struct Message {
    /// Stable name of the kind of conversation.
    pub kind: String,
    /// Whose area it is in.
    pub area: Option<String>,
    /// Title of the conversation.
    pub title: String,
    /// Who said it.
    pub sender: Option<PersonId>,
    /// Its words.
    pub text: String,
    /// It was taken back or taken away.
    pub is_gone: bool,
}

/// A message in a conversation that the actor may read and that is not sealed.
///
/// # Errors
/// `not_found` otherwise.
pub async fn message(db: &impl ConnectionTrait, actor: &Actor, (id, seq): (StreamId, i64)) -> Result<Message> {
    let (stream, _) = readable(db, actor, id).await?;
    let said = entry::Entity::find_by_id((id, seq)).one(db).await?.filter(|row| row.kind == "message");
    let said = said.filter(|_| stream.key_id.is_none()).ok_or(Code::NotFound)?;
    let body: serde_json::Value = serde_json::from_str(&said.body).unwrap_or_default();
    Ok(Message {
        kind: stream.kind,
        area: stream.area_code,
        title: stream.title,
        sender: said.sender_id,
        text: body["text"].as_str().unwrap_or_default().to_owned(),
        is_gone: said.state != SAID,
    })
}

/// Who sent an entry.
///
/// # Errors
/// When the database cannot be read.
pub async fn sender(db: &impl ConnectionTrait, place: (StreamId, i64)) -> Result<Option<PersonId>> {
    Ok(entry::Entity::find_by_id(place).one(db).await?.and_then(|row| row.sender_id))
}

/// What stands at the head of a stream.
///
/// # Errors
/// When the database cannot be read.
pub async fn title(db: &impl ConnectionTrait, id: StreamId) -> Result<String> {
    Ok(stream::Entity::find_by_id(id).one(db).await?.map(|row| row.title).unwrap_or_default())
}

/// Newest seq and epoch of these streams.
///
/// # Errors
/// When the database cannot be read.
pub async fn heads(db: &impl ConnectionTrait, ids: Vec<StreamId>) -> Result<HashMap<StreamId, (i64, i64)>> {
    let mut heads = HashMap::new();
    for some in ids.chunks(500) {
        let rows = stream::Entity::find().filter(stream::Column::Id.is_in(some.iter().copied())).all(db).await?;
        heads.extend(rows.into_iter().map(|row| (row.id, (row.last_seq, row.epoch))));
    }
    Ok(heads)
}

/// The membership's read place; 0 without one.
///
/// # Errors
/// When the database cannot be read.
pub async fn read_seq(db: &impl ConnectionTrait, stream: StreamId, person: PersonId) -> Result<i64> {
    Ok(membership::Entity::find_by_id((person, stream)).one(db).await?.map_or(0, |row| row.read_seq))
}
