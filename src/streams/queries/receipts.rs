//! Who belongs to a conversation, who of them has read up to a place, and whom an entry has not reached.
//!
//! # Why
//! "73 / 1 204" is counted, not kept: nothing is written to when somebody reads but the own cursor. In a village and above,
//! where a thousand phones ask at once, a server counts once and says the same for two seconds, above a village for ten.
//! Where people speak under masked names nobody is named: who speaks has read it, so of what was said just now the list of all
//! others would lack whoever said it.
use std::collections::{BTreeSet, HashMap, hash_map::Entry};

use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder,
    sea_query::{Alias, Expr, Order, Query, SelectStatement},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    super::{
        Stream,
        rows::{entry, membership},
        rules::{AUTHOR, FORMER, HANDLERS, LEADER, MEMBER, StreamKind, handles, moderates},
    },
    place,
};
use crate::{
    actor::Actor,
    app::App,
    areas::VILLAGE_CODE,
    bodies,
    error::{Code, Result},
    ids::{BodyId, PersonId, StreamId},
    people,
};

/// How many have read an entry, of how many.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Receipts {
    /// Those whose cursor is there or further.
    pub read: i64,
    /// Everybody to whom it is shown; of a voice or a letter, everybody else than who spoke.
    pub audience: i64,
    /// Who has not read it, 100 on a page; only for who leads the conversation, not above a village, and not of what is said
    /// about a matter, where the list of all others would say who spoke.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread: Option<Vec<Reader>>,
    /// Hand this back for those that follow; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<PersonId>,
}

/// Which page of those who have not read.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Page {
    /// Only `unread` is listed.
    #[param(inline)]
    pub state: Option<ReceiptState>,
    /// The `next_cursor` of the page before.
    pub cursor: Option<PersonId>,
}

/// Whom a list of receipts names.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum ReceiptState {
    Unread,
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

/// Names on one page.
const SHOWN: u64 = 100;

/// How many have read up to a place, and for who leads the conversation who has not.
///
/// # Errors
/// `not_found` when the stream is not the actor's to read or has no such place.
pub async fn receipts(app: &App, actor: &Actor, (id, seq, page): (StreamId, i64, Page)) -> Result<Receipts> {
    let db = app.store.read();
    let place = place(db, actor, id).await?;
    if !(1..=place.stream.last_seq).contains(&seq) {
        return Err(Code::NotFound.into());
    }
    let leads = moderates(&place.stream, actor, place.role());
    let audience = Audience::of(app, (&place.stream, seq)).await?;
    let (read, all) = match audience.kept() {
        None => audience.count(db, seq).await?,
        Some(kept) => app.counted.get(kept, (id, seq), || audience.count(db, seq)).await?,
    };
    let mut receipts = Receipts { read, audience: all, unread: None, next_cursor: None };
    let is_masked = place.stream.kind == StreamKind::Discussion.as_str();
    if leads && !is_masked && !audience.is_above_a_village() {
        let mut unread = audience.without(db, seq, (page.cursor, SHOWN + 1)).await?;
        let more = unread.len() as u64 > SHOWN;
        unread.truncate(usize::try_from(SHOWN).unwrap_or(usize::MAX));
        receipts.next_cursor = unread.last().copied().filter(|_| more);
        receipts.unread = Some(audience.named(db, unread).await?);
    }
    Ok(receipts)
}

/// Who belongs to a group or a body's own stream.
///
/// # Errors
/// `not_found` when the stream is not the actor's to read, or has no list of members.
pub async fn members(app: &App, actor: &Actor, id: StreamId) -> Result<Vec<Reader>> {
    let db = app.store.read();
    let place = place(db, actor, id).await?;
    let is_group = place.stream.kind == StreamKind::Group.as_str();
    if !is_group {
        let is_of_seats = [StreamKind::Forum, StreamKind::Office].iter().any(|kind| kind.as_str() == place.stream.kind);
        let body = place.stream.body_id.filter(|_| is_of_seats).ok_or(Code::NotFound)?;
        let (people, mut names) = seated(app, body).await?;
        return Ok(people.into_iter().filter_map(|id| names.remove(&id)).collect());
    }
    let rows = membership::Entity::find()
        .filter(membership::Column::StreamId.eq(id))
        .filter(membership::Column::LeftAt.is_null())
        .order_by_asc(membership::Column::JoinedAt)
        .all(db)
        .await?;
    let names = people::queries::names(db, rows.iter().map(|row| row.person_id).collect()).await?;
    let leads = moderates(&place.stream, actor, place.role());
    let shown = |row: membership::Model| {
        let full = names.get(&row.person_id).cloned().unwrap_or_default();
        let name = if leads { full } else { people::mask_name(&full) };
        Reader { id: row.person_id, name, role: [LEADER, MEMBER].contains(&row.role.as_str()).then_some(row.role) }
    };
    Ok(rows.into_iter().map(shown).collect())
}

/// Everybody to whom a stream is shown.
enum Audience {
    /// Who holds a seat, with the names.
    Seats(StreamId, HashMap<PersonId, Reader>),
    /// Who lives there.
    Area(StreamId, String),
    /// These: of a voice or a letter its author and those of the office who may read it, but not who spoke.
    Few(StreamId, Vec<PersonId>),
    /// Who has a row.
    Rows(StreamId),
}

/// Whom an entry of a voice or of a letter is for.
async fn few(app: &App, stream: &Stream, seq: i64) -> Result<Vec<PersonId>> {
    let db = app.store.read();
    let body = stream.body_id.ok_or(Code::NotFound)?;
    let kind = bodies::queries::get(db, body).await?.kind;
    let seats = bodies::queries::members_of(db, body, app.now()).await?;
    let is_letter = stream.kind == StreamKind::Contact.as_str();
    let seated = |person: PersonId| seats.iter().any(|seat| seat.person_id == person);
    let rows = membership::Entity::find()
        .filter(membership::Column::StreamId.eq(stream.id))
        .filter(membership::Column::LeftAt.is_null())
        .filter(membership::Column::Role.ne(FORMER));
    let rows = rows.all(db).await?.into_iter().filter(|row| {
        row.role == AUTHOR || (!is_letter && HANDLERS.contains(&row.role.as_str()) && seated(row.person_id))
    });
    let mut people: BTreeSet<PersonId> = rows.map(|row| row.person_id).collect();
    if is_letter {
        let answering = seats.iter().filter(|seat| handles(kind.as_str(), seat.role.as_str()));
        people.extend(answering.map(|seat| seat.person_id));
    }
    let spoke = entry::Entity::find_by_id((stream.id, seq)).one(db).await?.and_then(|row| row.sender_id);
    people.retain(|person| Some(*person) != spoke);
    Ok(people.into_iter().collect())
}

async fn seated(app: &App, body: BodyId) -> Result<(Vec<PersonId>, HashMap<PersonId, Reader>)> {
    let (mut order, mut people) = (Vec::new(), HashMap::new());
    for seat in bodies::queries::members_of(app.store.read(), body, app.now()).await? {
        if let Entry::Vacant(place) = people.entry(seat.person_id) {
            order.push(seat.person_id);
            place.insert(Reader { id: seat.person_id, name: seat.name, role: Some(seat.role_name) });
        }
    }
    Ok((order, people))
}

impl Audience {
    async fn of(app: &App, (stream, seq): (&Stream, i64)) -> Result<Self> {
        let area = stream.area_code.clone().unwrap_or_default();
        Ok(match (StreamKind::parse(&stream.kind), stream.body_id) {
            (Some(StreamKind::Forum | StreamKind::Office), Some(body)) => {
                Self::Seats(stream.id, seated(app, body).await?.1)
            }
            (Some(StreamKind::Channel | StreamKind::Discussion), _) => Self::Area(stream.id, area),
            (Some(StreamKind::Contact | StreamKind::Thread), _) => Self::Few(stream.id, few(app, stream, seq).await?),
            _ => Self::Rows(stream.id),
        })
    }

    fn is_above_a_village(&self) -> bool {
        matches!(self, Self::Area(_, area) if area.len() < VILLAGE_CODE)
    }

    /// Is what was counted kept a while, and for long?
    fn kept(&self) -> Option<bool> {
        matches!(self, Self::Area(..)).then(|| self.is_above_a_village())
    }

    fn stream(&self) -> StreamId {
        match self {
            Self::Seats(id, _) | Self::Area(id, _) | Self::Few(id, _) | Self::Rows(id) => *id,
        }
    }

    /// Their ids, in a column `person_id`.
    fn ids(&self) -> SelectStatement {
        match self {
            Self::Seats(_, people) => people::queries::ids_among(people.keys().copied().collect()),
            Self::Few(_, people) => people::queries::ids_among(people.clone()),
            Self::Area(_, area) => people::queries::ids_below(area),
            Self::Rows(id) => Query::select()
                .column(membership::Column::PersonId)
                .from(membership::Entity)
                .and_where(membership::Column::StreamId.eq(*id))
                .and_where(membership::Column::LeftAt.is_null())
                .and_where(membership::Column::Role.ne(FORMER))
                .to_owned(),
        }
    }

    /// Who has read it at least up to there.
    fn at(&self, seq: i64) -> SelectStatement {
        Query::select()
            .column(membership::Column::PersonId)
            .from(membership::Entity)
            .and_where(membership::Column::StreamId.eq(self.stream()))
            .and_where(membership::Column::ReadSeq.gte(seq))
            .to_owned()
    }

    /// Those who have read, and all.
    async fn count(&self, db: &impl ConnectionTrait, seq: i64) -> Result<(i64, i64)> {
        Ok((self.count_of(db, Some(seq)).await?, self.count_of(db, None).await?))
    }

    async fn count_of(&self, db: &impl ConnectionTrait, read: Option<i64>) -> Result<i64> {
        let (all, id) = (Alias::new("everybody"), Alias::new("person_id"));
        let column = || Expr::col((all.clone(), id.clone()));
        let mut count = Query::select();
        count.expr_as(column().count(), Alias::new("n")).from_subquery(self.ids(), all.clone());
        if let Some(seq) = read {
            count.and_where(column().in_subquery(self.at(seq)));
        }
        let row = db.query_one(&count).await?;
        Ok(row.map(|row| row.try_get("", "n")).transpose()?.unwrap_or(0))
    }

    /// Those who have not read, by id.
    async fn without(
        &self,
        db: &impl ConnectionTrait,
        seq: i64,
        (after, limit): (Option<PersonId>, u64),
    ) -> Result<Vec<PersonId>> {
        let all = Alias::new("everybody");
        let id = || Expr::col((all.clone(), Alias::new("person_id")));
        let mut select = Query::select();
        select
            .expr_as(id(), Alias::new("person_id"))
            .from_subquery(self.ids(), all.clone())
            .and_where(id().not_in_subquery(self.at(seq)))
            .order_by((all.clone(), Alias::new("person_id")), Order::Asc)
            .limit(limit);
        if let Some(after) = after {
            select.and_where(id().gt(after));
        }
        let rows = db.query_all(&select).await?;
        Ok(rows.iter().map(|row| row.try_get("", "person_id")).collect::<std::result::Result<_, _>>()?)
    }

    async fn named(&self, db: &impl ConnectionTrait, ids: Vec<PersonId>) -> Result<Vec<Reader>> {
        if let Self::Seats(_, people) = self {
            return Ok(ids.iter().filter_map(|id| people.get(id).cloned()).collect());
        }
        let names = people::queries::names(db, ids.clone()).await?;
        let shown = |id: PersonId| Reader { id, name: names.get(&id).cloned().unwrap_or_default(), role: None };
        Ok(ids.into_iter().map(shown).collect())
    }
}
