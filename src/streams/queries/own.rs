//! Everything that somebody listens to: asked by every phone that connects, so all who do so at once are answered together,
//! and no more is read than a socket needs.
use std::{cmp::Reverse, collections::HashMap};

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, JoinType, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait,
    sea_query::{Expr, SelectStatement, UnionType},
};

use super::{
    super::{
        Stream,
        rows::{membership, stream},
        rules::{Access, FORMER, Scope, StreamKind, access_to, chain_of_areas},
    },
    MAX_STREAMS,
    list::{listed, role_in, with_member},
};
use crate::{
    actor::Actor,
    error::Result,
    ids::{BodyId, PersonId, StreamId},
    store::{InTime, Store, padded},
};

/// Whoever has more than fit keeps those by which everything else is heard of, and where the own seat is at work.
const FIRST: [&str; 4] = [
    StreamKind::Mailbox.as_str(),
    StreamKind::Channel.as_str(),
    StreamKind::Office.as_str(),
    StreamKind::Forum.as_str(),
];

/// A stream that somebody listens to, and where it stands.
#[derive(Clone, Copy, Debug)]
pub struct Followed {
    /// The stream.
    pub id: StreamId,
    /// Of its log.
    pub epoch: i64,
    /// Newest place.
    pub last_seq: i64,
    /// Newest number.
    pub last_no: i64,
}

/// What somebody listens to, and whether the mailbox and the channels of where they live are among it.
pub(crate) type Own = (Vec<Followed>, bool);

/// The actor's streams, 128 at most.
///
/// # Errors
/// When the database cannot be read.
pub(crate) async fn own(store: &Store, actor: &Actor) -> Result<Own> {
    // what is seen by a seat is few people's; those are read by themselves
    if !actor.seats.is_empty() {
        return alone(store.read(), actor).await;
    }
    store.read_together(actor.clone(), |db, actors| Box::pin(of_all(db, actors))).await
}

async fn alone(db: &impl ConnectionTrait, actor: &Actor) -> Result<Own> {
    let rows = with_member(actor.person)
        .filter(listed(actor))
        .order_by_desc(stream::Column::Kind.is_in(FIRST))
        .order_by_desc(stream::Column::LastAt)
        .limit(MAX_STREAMS)
        .all(db)
        .await?;
    Ok(told(actor, rows.iter().map(|(row, member)| Row::of(row, role_in(member.as_ref()))).collect()))
}

/// What is read of a stream.
const READ: [stream::Column; 9] = {
    use stream::Column::{AreaCode, BodyId, Epoch, Id, Kind, LastAt, LastNo, LastSeq, SubjectId};
    [Id, Kind, SubjectId, AreaCode, BodyId, Epoch, LastSeq, LastNo, LastAt]
};

/// What somebody belongs to, or, with nobody, the channel of an area.
#[derive(FromQueryResult)]
struct Found {
    person_id: Option<PersonId>,
    role: Option<String>,
    id: StreamId,
    kind: String,
    subject_id: String,
    area_code: Option<String>,
    body_id: Option<BodyId>,
    epoch: i64,
    last_seq: i64,
    last_no: i64,
    last_at: DateTime<Utc>,
}

/// Of each of these people, none of whom holds a seat: what they belong to, and the channels of where they live.
async fn of_all(db: &InTime, actors: &[Actor]) -> Result<Vec<Own>> {
    let mut areas: Vec<String> = actors.iter().flat_map(|actor| chain_of_areas(&actor.area)).collect();
    areas.sort_unstable();
    areas.dedup();
    let most = MAX_STREAMS * actors.len() as u64;
    let mut asked = joined(actors);
    // an area has one channel
    asked.limit(most + areas.len() as u64).union(UnionType::All, channels(areas));
    let rows = db.query_all(&asked).await?;
    let found =
        rows.iter().map(|row| Found::from_query_result(row, "")).collect::<std::result::Result<Vec<_>, DbErr>>()?;
    let (joined, channels): (Vec<Found>, Vec<Found>) = found.into_iter().partition(|row| row.person_id.is_some());
    if joined.len() as u64 >= most {
        // somebody belongs to more than is told, and who it is only the database can sort out
        let mut all = Vec::with_capacity(actors.len());
        for actor in actors {
            all.push(alone(db, actor).await?);
        }
        return Ok(all);
    }
    let mut of: HashMap<Option<PersonId>, Vec<&Found>> = HashMap::new();
    for row in &joined {
        of.entry(row.person_id).or_default().push(row);
    }
    let rows = |actor: &Actor| {
        let mut rows: Vec<Row<'_>> =
            of.get(&Some(actor.person)).into_iter().flatten().map(|row| row.as_row()).collect();
        let areas = chain_of_areas(&actor.area);
        for channel in &channels {
            let is_here = channel.area_code.as_ref().is_some_and(|area| areas.contains(area));
            if is_here && rows.iter().all(|row| row.stream.id != channel.id) {
                rows.push(channel.as_row());
            }
        }
        rows
    };
    Ok(actors.iter().map(|actor| told(actor, rows(actor))).collect())
}

/// What these people belong to, as [`Found`].
fn joined(actors: &[Actor]) -> SelectStatement {
    let mine = membership::Entity::belongs_to(stream::Entity).from(membership::Column::StreamId).to(stream::Column::Id);
    membership::Entity::find()
        .join(JoinType::InnerJoin, mine.into())
        .select_only()
        .columns([membership::Column::PersonId, membership::Column::Role])
        .columns(READ)
        .filter(membership::Column::PersonId.is_in(padded(actors.iter().map(|actor| actor.person).collect())))
        .filter(membership::Column::LeftAt.is_null())
        .filter(membership::Column::Role.ne(FORMER))
        .into_query()
}

/// The channels of these areas, as [`Found`]: in the same statement, because to hand one to the database costs more than to
/// run it.
fn channels(areas: Vec<String>) -> SelectStatement {
    stream::Entity::find()
        .select_only()
        .column_as(Expr::cust("NULL"), "person_id")
        .column_as(Expr::cust("NULL"), "role")
        .columns(READ)
        .filter(stream::Column::Kind.eq(StreamKind::Channel.as_str()))
        .filter(stream::Column::AreaCode.is_in(padded(areas)))
        .into_query()
}

/// What one person may be told of.
struct Row<'a> {
    stream: Followed,
    scope: Scope<'a>,
    role: Option<&'a str>,
    last_at: DateTime<Utc>,
}

impl<'a> Row<'a> {
    fn of(row: &'a Stream, role: Option<&'a str>) -> Self {
        let stream = Followed { id: row.id, epoch: row.epoch, last_seq: row.last_seq, last_no: row.last_no };
        Self { stream, scope: Scope::of(row), role, last_at: row.last_at }
    }
}

impl Found {
    fn as_row(&self) -> Row<'_> {
        let stream = Followed { id: self.id, epoch: self.epoch, last_seq: self.last_seq, last_no: self.last_no };
        let scope = Scope {
            kind: &self.kind,
            subject_id: &self.subject_id,
            area_code: self.area_code.as_deref(),
            body_id: self.body_id,
        };
        Row { stream, scope, role: self.role.as_deref(), last_at: self.last_at }
    }
}

/// What of it may be read, in the order in which the database would have told it.
fn told(actor: &Actor, mut rows: Vec<Row<'_>>) -> Own {
    rows.retain(|row| access_to(row.scope, actor, row.role) != Access::None);
    rows.sort_by_key(|row| Reverse((FIRST.contains(&row.scope.kind), row.last_at)));
    rows.truncate(usize::try_from(MAX_STREAMS).unwrap_or(usize::MAX));
    let has = |kind: StreamKind, subject: &str| {
        rows.iter().any(|row| row.scope.kind == kind.as_str() && row.scope.subject_id == subject)
    };
    let is_whole = has(StreamKind::Mailbox, &actor.person.to_string())
        && chain_of_areas(&actor.area).iter().all(|area| has(StreamKind::Channel, area));
    (rows.iter().map(|row| row.stream).collect(), is_whole)
}
