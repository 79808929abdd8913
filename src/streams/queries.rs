//! Reads of streams: one by one. The list on the home page is in `list`, entries are in `entries`, what a device missed in
//! `missed`, who has read it in `receipts`.
use std::collections::{HashMap, HashSet};

use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::{Expr, Query},
};
use serde_json::Value;

use super::{
    Stream,
    commands::SPOKEN,
    rows::{entry, membership, stream},
    rules::{Access, LEADER, MEMBER, SAID, StreamKind, access, moderates},
    sealing,
};
use crate::{
    actor::Actor,
    app::App,
    error::{Code, Result},
    ids::{MediaId, PersonId, StreamId},
    store::{key_column, padded},
};

mod entries;
mod list;
mod missed;
mod muted;
mod own;
mod read;
mod receipts;
mod search;
mod titles;

pub use entries::{EntryView, Quote, Sender, Span, argued, entries, pinned, said_on, spoke};
pub(super) use list::role_in;
pub use list::{StreamList, StreamView, list, page};
use list::{view, with_member};
pub use missed::{Have, Missed, MissedEntries, Position, missed};
pub use muted::who_muted;
pub use own::Followed;
pub(crate) use own::own;
pub use read::{newest_place, read_by, read_card, readers, received_by, receivers};
pub use receipts::{Page, Reader, Receipts, members, receipts};
pub use search::{Found, Search, search};
pub use titles::titles;

/// Streams shown and subscribed at most.
pub const MAX_STREAMS: u64 = 128;
/// Letters shown at most.
const LETTERS: u64 = 100;

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

/// The own streams of those of these people who have one.
pub(super) async fn mailboxes(
    db: &impl ConnectionTrait,
    people: impl Iterator<Item = PersonId>,
) -> Result<HashMap<PersonId, StreamId>> {
    let of: HashMap<String, PersonId> = people.map(|person| (person.to_string(), person)).collect();
    let rows = stream::Entity::find()
        .filter(stream::Column::Kind.eq(StreamKind::Mailbox.as_str()))
        .filter(stream::Column::SubjectId.is_in(of.keys()))
        .all(db)
        .await?;
    Ok(rows.into_iter().filter_map(|row| Some((*of.get(&row.subject_id)?, row.id))).collect())
}

/// Where somebody is: a stream that may be read, with the own row and what is allowed.
pub(super) struct Place {
    pub(super) stream: Stream,
    /// Left or not; absent where there never was a row.
    pub(super) member: Option<membership::Model>,
    pub(super) access: Access,
}

impl Place {
    /// The role of a membership that was not left.
    pub(super) fn role(&self) -> Option<&str> {
        role_in(self.member.as_ref())
    }

    /// Whatever the person does now puts the conversation on the own list, where it was not before.
    pub(super) fn is_first(&self) -> bool {
        is_first(&self.stream, self.member.as_ref())
    }
}

/// Everybody of the area may look into a discussion, and it is on the list of who did something in it.
pub(super) fn is_first(stream: &Stream, member: Option<&membership::Model>) -> bool {
    stream.kind == StreamKind::Discussion.as_str() && role_in(member).is_none()
}

/// The stream with the actor's own row, by one query.
///
/// # Errors
/// `not_found` when it is not the actor's to read.
pub(super) async fn place(db: &impl ConnectionTrait, actor: &Actor, id: StreamId) -> Result<Place> {
    let found = with_member(actor.person).filter(stream::Column::Id.eq(id)).one(db).await?;
    let (stream, member) = found.ok_or(Code::NotFound)?;
    match access(&stream, actor, role_in(member.as_ref())) {
        Access::None => Err(Code::NotFound.into()),
        access => Ok(Place { stream, member, access }),
    }
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

/// The groups that these people belong to.
///
/// # Errors
/// When the database cannot be read.
pub async fn groups_of(db: &impl ConnectionTrait, people: &[PersonId]) -> Result<Vec<(StreamId, PersonId)>> {
    let mut found = Vec::new();
    for some in people.chunks(1000) {
        let rows = membership::Entity::find()
            .filter(membership::Column::PersonId.is_in(some.iter().copied()))
            .filter(membership::Column::Role.is_in([LEADER, MEMBER]))
            .filter(membership::Column::LeftAt.is_null());
        found.extend(rows.all(db).await?.into_iter().map(|row| (row.stream_id, row.person_id)));
    }
    Ok(found)
}

/// Does the actor lead this conversation: take away, pin, address everybody?
///
/// # Errors
/// `not_found` when the stream is not the actor's to read.
pub async fn leads(db: &impl ConnectionTrait, actor: &Actor, id: StreamId) -> Result<bool> {
    let place = place(db, actor, id).await?;
    Ok(moderates(&place.stream, actor, place.role()))
}

/// The stream, if the actor may read it, and what more is allowed.
///
/// # Errors
/// `not_found` otherwise.
pub async fn readable(db: &impl ConnectionTrait, actor: &Actor, id: StreamId) -> Result<(Stream, Access)> {
    place(db, actor, id).await.map(|place| (place.stream, place.access))
}

/// One stream as it stands in the actor's list; its preview is left out.
///
/// # Errors
/// `not_found` when the stream is not the actor's to read.
pub async fn one(app: &App, actor: &Actor, id: StreamId) -> Result<StreamView> {
    let place = place(app.store.read(), actor, id).await?;
    let member = place.member.filter(|row| row.left_at.is_none());
    Ok(StreamView { preview: String::new(), ..view((app, actor), place.stream, member.as_ref()) })
}

/// The letters (residents' conversations with an office) that the actor may answer, newest first, 100 at most.
///
/// # Errors
/// When the database cannot be read.
pub async fn letters(app: &App, actor: &Actor) -> Result<Vec<StreamView>> {
    let db = app.store.read();
    let bodies = actor.seats.iter().map(|seat| seat.body_id);
    let mut rows = with_member(actor.person)
        .filter(stream::Column::Kind.eq(StreamKind::Contact.as_str()))
        .filter(stream::Column::BodyId.is_in(bodies))
        .filter(stream::Column::LastNo.gt(0))
        .order_by_desc(stream::Column::LastAt)
        .limit(LETTERS)
        .all(db)
        .await?;
    rows.retain(|(row, _)| access(row, actor, None) != Access::None);
    sealing::open_previews(app, rows.iter_mut().map(|(row, _)| row).collect()).await?;
    let shown = |(row, member): (Stream, Option<membership::Model>)| {
        view((app, actor), row, member.filter(|member| member.left_at.is_none()).as_ref())
    };
    Ok(rows.into_iter().map(shown).collect())
}

/// A message or a list, for who reports it.
pub struct Message {
    /// Stable name of the kind of conversation.
    pub kind: String,
    /// Whose area it is in.
    pub area: Option<String>,
    /// Title of the conversation.
    pub title: String,
    /// Who said it.
    pub sender: Option<PersonId>,
    /// Its words; of a list its title, its example and the names of its fields.
    pub text: String,
    /// Photos and clips.
    pub media: Vec<MediaId>,
    /// It was taken back or taken away.
    pub is_gone: bool,
}

/// A message or a list in a conversation that the actor may read and that is not sealed.
///
/// # Errors
/// `not_found` otherwise.
pub async fn message(db: &impl ConnectionTrait, actor: &Actor, (id, seq): (StreamId, i64)) -> Result<Message> {
    let (stream, _) = readable(db, actor, id).await?;
    let said = entry::Entity::find_by_id((id, seq)).one(db).await?;
    let said = said.filter(|row| SPOKEN.contains(&row.kind.as_str()) && stream.key_id.is_none());
    let said = said.ok_or(Code::NotFound)?;
    let body: Value = serde_json::from_str(&said.body).unwrap_or_default();
    Ok(Message {
        kind: stream.kind,
        area: stream.area_code,
        title: stream.title,
        sender: said.sender_id,
        text: words_of(&body),
        media: media_of(&body),
        is_gone: said.state != SAID,
    })
}

fn words_of(body: &Value) -> String {
    let fields = body["fields"].as_array().into_iter().flatten();
    let words = [&body["text"], &body["example"]].into_iter().chain(fields).filter_map(Value::as_str);
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join("\n")
}

/// Files of a message.
pub(super) fn media_of(body: &Value) -> Vec<MediaId> {
    let files = body.get("media").and_then(Value::as_array).into_iter().flatten();
    files.filter_map(|one| one["id"].as_str().and_then(|id| id.parse().ok())).collect()
}

/// Does this entry stand as it was said?
///
/// # Errors
/// When the database cannot be read.
pub async fn stands(db: &impl ConnectionTrait, place: (StreamId, i64)) -> Result<bool> {
    Ok(entry::Entity::find_by_id(place).one(db).await?.is_some_and(|row| row.state == SAID))
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

/// Whose residents see a stream.
///
/// # Errors
/// When the database cannot be read.
pub async fn area(db: &impl ConnectionTrait, id: StreamId) -> Result<Option<String>> {
    Ok(stream::Entity::find_by_id(id).one(db).await?.and_then(|row| row.area_code))
}

/// Those of these streams that do not stand at this seq under this epoch, or are not there. There must be one.
///
/// # Errors
/// When the database cannot be read.
pub async fn moved(db: &impl ConnectionTrait, known: Vec<(StreamId, i64, i64)>) -> Result<HashSet<StreamId>> {
    let stands = stream::Entity::find()
        .select_only()
        .column(stream::Column::Id)
        .filter(Expr::col((stream::Entity, stream::Column::Id)).eq(key_column(1)))
        .filter(Expr::col((stream::Entity, stream::Column::LastSeq)).eq(key_column(2)))
        .filter(Expr::col((stream::Entity, stream::Column::Epoch)).eq(key_column(3)))
        .into_query();
    let mut moved = Query::select();
    moved.expr_as(key_column(1), "id").from_values(padded(known), "asked").and_where(Expr::exists(stands).not());
    let rows = db.query_all(&moved).await?;
    Ok(rows.iter().map(|row| row.try_get("", "id")).collect::<std::result::Result<_, DbErr>>()?)
}

/// Newest seq and epoch of these streams.
///
/// # Errors
/// When the database cannot be read.
pub async fn heads(db: &impl ConnectionTrait, ids: Vec<StreamId>) -> Result<HashMap<StreamId, (i64, i64)>> {
    let rows: Vec<(StreamId, i64, i64)> = stream::Entity::find()
        .select_only()
        .columns([stream::Column::Id, stream::Column::LastSeq, stream::Column::Epoch])
        .filter(stream::Column::Id.is_in(padded(ids)))
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|(id, seq, epoch)| (id, (seq, epoch))).collect())
}

/// The membership's read place; 0 without one.
///
/// # Errors
/// When the database cannot be read.
pub async fn read_seq(db: &impl ConnectionTrait, stream: StreamId, person: PersonId) -> Result<i64> {
    Ok(membership::Entity::find_by_id((person, stream)).one(db).await?.map_or(0, |row| row.read_seq))
}
