//! Who belongs to a conversation, and who of them has read up to a place.
use std::collections::{HashMap, HashSet};

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::{
    Stream,
    rows::membership,
    rules::{LEADER, MEMBER, StreamKind, moderates},
};
use crate::{
    actor::Actor,
    app::App,
    areas::VILLAGE_CODE,
    bodies,
    error::{Code, Result},
    ids::{PersonId, StreamId},
    people,
};

/// How many have read an entry, of how many.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Receipts {
    /// Those whose cursor is there or further.
    pub read: i64,
    /// Everybody to whom it is shown.
    pub audience: i64,
    /// Who has not read it, 300 at most; only for who leads the conversation, and not above a village.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread: Option<Vec<Reader>>,
}

/// Somebody who belongs to a conversation.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Reader {
    /// The person.
    pub id: PersonId,
    /// Full name for who leads the conversation and in a seat, masked otherwise.
    pub name: String,
    /// leader or member of a group; the role of the seat in a body's own stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
}

/// Names shown at once.
const SHOWN: usize = 300;

/// How many have read up to a place, and for who leads the conversation who has not.
///
/// # Errors
/// `not_found` when the stream is not the actor's to read or has no such place.
pub async fn receipts(app: &App, actor: &Actor, (id, seq): (StreamId, i64)) -> Result<Receipts> {
    let db = app.store.read();
    let (stream, _) = super::readable(db, actor, id).await?;
    if !(1..=stream.last_seq).contains(&seq) {
        return Err(Code::NotFound.into());
    }
    let role = super::role(db, id, actor.person).await?;
    let leads = moderates(&stream, actor, role.as_deref());
    let Some(audience) = audience(app, &stream).await? else {
        // above a village it is counted only
        let (read, audience) = (read_count(db, id, seq).await?, counted(db, &stream).await?);
        return Ok(Receipts { read: read.min(audience), audience, unread: None });
    };
    let readers = readers(db, id, seq).await?;
    let (read, unread): (Vec<_>, Vec<_>) = audience.into_iter().partition(|one| readers.contains(&one.id));
    let (read, all) = (len(&read), len(&read) + len(&unread));
    Ok(Receipts { read, audience: all, unread: leads.then(|| unread.into_iter().take(SHOWN).collect()) })
}

/// Who belongs to a group or a body's own stream.
///
/// # Errors
/// `not_found` when the stream is not the actor's to read, or has no list of members.
pub async fn members(app: &App, actor: &Actor, id: StreamId) -> Result<Vec<Reader>> {
    let db = app.store.read();
    let (stream, _) = super::readable(db, actor, id).await?;
    let is_group = stream.kind == StreamKind::Group.as_str();
    if !is_group && ![StreamKind::Forum, StreamKind::Office].iter().any(|kind| kind.as_str() == stream.kind) {
        return Err(Code::NotFound.into());
    }
    let mut members = audience(app, &stream).await?.unwrap_or_default();
    let role = super::role(db, id, actor.person).await?;
    if is_group && !moderates(&stream, actor, role.as_deref()) {
        members.iter_mut().for_each(|one| one.name = people::mask_name(&one.name));
    }
    Ok(members)
}

fn len<T>(list: &[T]) -> i64 {
    i64::try_from(list.len()).unwrap_or(i64::MAX)
}

/// Everybody to whom the stream is shown; `None` above a village.
async fn audience(app: &App, stream: &Stream) -> Result<Option<Vec<Reader>>> {
    let db = app.store.read();
    let area = stream.area_code.as_deref().unwrap_or_default();
    let of_seats = |seats: Vec<bodies::queries::SeatView>| {
        let mut people: HashMap<PersonId, Reader> = HashMap::new();
        for seat in seats {
            let role = Some(seat.role_name);
            people.entry(seat.person_id).or_insert(Reader { id: seat.person_id, name: seat.name, role });
        }
        people.into_values().collect()
    };
    match (StreamKind::parse(&stream.kind), stream.body_id) {
        (Some(StreamKind::Forum | StreamKind::Office), Some(body)) => {
            Ok(Some(of_seats(bodies::queries::members_of(db, body, app.now()).await?)))
        }
        (Some(StreamKind::Channel | StreamKind::Discussion), _) if area.len() < VILLAGE_CODE => Ok(None),
        (Some(StreamKind::Channel | StreamKind::Discussion), _) => {
            let people = people::queries::residents(db, area).await?;
            Ok(Some(people.into_iter().map(|one| Reader { id: one.id, name: one.name, role: None }).collect()))
        }
        _ => {
            let rows = membership::Entity::find()
                .filter(membership::Column::StreamId.eq(stream.id))
                .filter(membership::Column::LeftAt.is_null())
                .order_by_asc(membership::Column::JoinedAt);
            let rows = rows.all(db).await?;
            let names = people::queries::names(db, rows.iter().map(|row| row.person_id).collect()).await?;
            let shown = |row: membership::Model| Reader {
                id: row.person_id,
                name: names.get(&row.person_id).cloned().unwrap_or_default(),
                role: [LEADER, MEMBER].contains(&row.role.as_str()).then_some(row.role),
            };
            Ok(Some(rows.into_iter().map(shown).collect()))
        }
    }
}

/// Residents of an area above a village.
async fn counted(db: &impl ConnectionTrait, stream: &Stream) -> Result<i64> {
    let area = stream.area_code.as_deref().unwrap_or_default();
    Ok(people::queries::count_by_area(db, area).await?.into_iter().map(|(_, count)| count).sum())
}

async fn read_count(db: &impl ConnectionTrait, id: StreamId, seq: i64) -> Result<i64> {
    let read = membership::Entity::find()
        .filter(membership::Column::StreamId.eq(id))
        .filter(membership::Column::ReadSeq.gte(seq));
    Ok(i64::try_from(read.count(db).await?).unwrap_or(i64::MAX))
}

async fn readers(db: &impl ConnectionTrait, id: StreamId, seq: i64) -> Result<HashSet<PersonId>> {
    let read = membership::Entity::find()
        .select_only()
        .column(membership::Column::PersonId)
        .filter(membership::Column::StreamId.eq(id))
        .filter(membership::Column::ReadSeq.gte(seq));
    Ok(read.into_tuple::<PersonId>().all(db).await?.into_iter().collect())
}
