//! Reads of streams: the list on the home page, entries, what a device missed.
use std::collections::HashMap;

use chrono::{DateTime, FixedOffset};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Query,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    rows::{entry, membership, stream},
    rules::{Access, StreamKind, access, chain_of_areas},
    sealing,
};
use crate::{
    actor::Actor,
    app::App,
    bodies, clock,
    error::{Code, Result},
    ids::{PersonId, StreamId},
    people,
};

/// Streams shown and subscribed at most.
pub const MAX_STREAMS: u64 = 128;

/// A stream in somebody's list.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct StreamView {
    /// Its id; the channel on the socket is `s:` and this.
    pub id: StreamId,
    /// mailbox, channel, thread, discussion, office.
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
    /// First words of the newest entry.
    pub preview: String,
    /// When that was.
    pub last_at: DateTime<FixedOffset>,
}

/// An entry as everybody sees it, on the socket and over REST alike.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct EntryView {
    /// Its place: 1, 2, 3 … without a gap.
    pub seq: i64,
    /// Its number among what people count.
    pub no: i64,
    /// message or card.
    pub kind: String,
    /// Who sent it; absent for cards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender: Option<Sender>,
    /// The `seq` it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<i64>,
    /// `{text, side?}` of a message; `{card, title, text, link}` of a card; `{erased, text}` of what its author had
    /// erased with the account.
    pub body: serde_json::Value,
    /// When.
    pub created_at: DateTime<FixedOffset>,
}

/// Who sent a message.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Sender {
    /// The person.
    pub id: PersonId,
    /// Full name in a seat, masked otherwise.
    pub name: String,
    /// The body for which the person spoke.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_name: Option<String>,
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
        .add(stream::Column::Kind.eq(StreamKind::Office.as_str()))
        .add(stream::Column::BodyId.is_in(bodies));
    let rows = stream::Entity::find()
        .filter(Condition::any().add(stream::Column::Id.in_subquery(joined)).add(by_area).add(by_seat))
        .order_by_desc(stream::Column::LastAt)
        .limit(MAX_STREAMS)
        .all(db)
        .await?;
    let members = membership::Entity::find()
        .filter(membership::Column::PersonId.eq(actor.person))
        .filter(membership::Column::LeftAt.is_null())
        .filter(membership::Column::StreamId.is_in(rows.iter().map(|row| row.id)))
        .all(db)
        .await?;
    let mut members: HashMap<StreamId, membership::Model> =
        members.into_iter().map(|row| (row.stream_id, row)).collect();
    let pairs = rows.into_iter().map(|row| {
        let member = members.remove(&row.id);
        (row, member)
    });
    Ok(pairs
        .filter(|(row, member)| access(row, actor, member.as_ref().map(|m| m.role.as_str())) != Access::None)
        .collect())
}

fn view(row: stream::Model, member: Option<&membership::Model>) -> StreamView {
    let (read_seq, read_no) = member.map_or((0, 0), |member| (member.read_seq, member.read_no));
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
        preview: row.last_preview,
        last_at: clock::local(row.last_at),
    }
}

/// Which entries of a stream: after a place going forward, or the newest before a place.
#[derive(Clone, Copy, Debug)]
pub enum Span {
    /// The entries that follow this seq, oldest first.
    After(i64),
    /// The newest ones before this seq, oldest first.
    Before(i64),
}

/// Entries in their present state, oldest first. The caller has checked [`readable`].
///
/// # Errors
/// When the database cannot be read.
pub async fn entries(app: &App, stream: StreamId, span: Span, limit: u64) -> Result<Vec<EntryView>> {
    let db = app.store.read();
    let found = entry::Entity::find().filter(entry::Column::StreamId.eq(stream)).limit(limit);
    let mut rows = match span {
        Span::After(seq) => found.filter(entry::Column::Seq.gt(seq)).order_by_asc(entry::Column::Seq).all(db).await?,
        Span::Before(seq) => found.filter(entry::Column::Seq.lt(seq)).order_by_desc(entry::Column::Seq).all(db).await?,
    };
    rows.sort_by_key(|row| row.seq);
    let mut bodies_of = sealing::open_bodies(app, stream, &rows).await?.into_iter();
    let senders = rows.iter().filter_map(|row| row.sender_id).collect();
    let names = people::queries::names(db, senders).await?;
    let body_names = bodies::queries::names(db, rows.iter().filter_map(|row| row.body_id).collect()).await?;
    let mut show = |row: entry::Model| EntryView {
        seq: row.seq,
        no: row.no,
        kind: row.kind,
        sender: row.sender_id.map(|id| {
            let body_name = row.body_id.and_then(|body| body_names.get(&body).cloned());
            let full = names.get(&id).cloned().unwrap_or_default();
            let name = if body_name.is_some() { full } else { people::mask_name(&full) };
            Sender { id, name, body_name }
        }),
        reply_to: row.reply_to,
        body: bodies_of.next().unwrap_or_default(),
        created_at: clock::local(row.created_at),
    };
    Ok(rows.into_iter().map(&mut show).collect())
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
