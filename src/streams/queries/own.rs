//! Everything that somebody listens to: asked by every phone that connects, so all who do so at once are answered together.
use std::{cmp::Reverse, collections::HashMap};

use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect};

use super::{
    super::{
        rows::{membership, stream},
        rules::{FORMER, StreamKind, chain_of_areas},
    },
    MAX_STREAMS,
    list::{Own, listed, on_top, with_member},
};
use crate::{
    actor::Actor,
    error::Result,
    ids::PersonId,
    store::{InTime, Store, padded},
};

/// Whoever has more than fit keeps those by which everything else is heard of, and where the own seat is at work.
const FIRST: [&str; 4] = [
    StreamKind::Mailbox.as_str(),
    StreamKind::Channel.as_str(),
    StreamKind::Office.as_str(),
    StreamKind::Forum.as_str(),
];

/// The actor's streams with their membership, 128 at most. Previews are as kept, some of them sealed.
///
/// # Errors
/// When the database cannot be read.
pub(crate) async fn own(store: &Store, actor: &Actor) -> Result<Vec<Own>> {
    // what is seen by a seat is few people's; those are read by themselves
    if !actor.seats.is_empty() {
        return alone(store.read(), actor).await;
    }
    store.read_together(actor.clone(), |db, actors| Box::pin(of_all(db, actors))).await
}

async fn alone(db: &impl ConnectionTrait, actor: &Actor) -> Result<Vec<Own>> {
    let rows = with_member(actor.person)
        .filter(listed(actor))
        .order_by_desc(stream::Column::Kind.is_in(FIRST))
        .order_by_desc(stream::Column::LastAt)
        .limit(MAX_STREAMS);
    Ok(on_top(actor, rows.all(db).await?))
}

/// Of each of these people, none of whom holds a seat: what they belong to, and the channels of where they live.
async fn of_all(db: &InTime, actors: &[Actor]) -> Result<Vec<Vec<Own>>> {
    let most = MAX_STREAMS * actors.len() as u64;
    let mine =
        membership::Entity::belongs_to(stream::Entity).from(membership::Column::StreamId).to(stream::Column::Id).into();
    let joined = membership::Entity::find()
        .join(JoinType::InnerJoin, mine)
        .select_also(stream::Entity)
        .filter(membership::Column::PersonId.is_in(padded(actors.iter().map(|actor| actor.person).collect())))
        .filter(membership::Column::LeftAt.is_null())
        .filter(membership::Column::Role.ne(FORMER))
        .limit(most)
        .all(db)
        .await?;
    if joined.len() as u64 == most {
        // somebody belongs to more than is told, and who it is only the database can sort out
        let mut all = Vec::with_capacity(actors.len());
        for actor in actors {
            all.push(alone(db, actor).await?);
        }
        return Ok(all);
    }
    let mut areas: Vec<String> = actors.iter().flat_map(|actor| chain_of_areas(&actor.area)).collect();
    areas.sort_unstable();
    areas.dedup();
    let here = Condition::all()
        .add(stream::Column::Kind.eq(StreamKind::Channel.as_str()))
        .add(stream::Column::AreaCode.is_in(padded(areas)));
    let channels = stream::Entity::find().filter(here).all(db).await?;
    let mut own: HashMap<PersonId, Vec<Own>> = HashMap::new();
    for (member, stream) in joined {
        let Some(stream) = stream else { continue };
        own.entry(member.person_id).or_default().push((stream, Some(member)));
    }
    Ok(actors.iter().map(|actor| told(actor, own.get(&actor.person).cloned(), &channels)).collect())
}

/// What of it one person is told, in the order in which the database would have told it.
fn told(actor: &Actor, joined: Option<Vec<Own>>, channels: &[stream::Model]) -> Vec<Own> {
    let mut rows = joined.unwrap_or_default();
    let areas = chain_of_areas(&actor.area);
    for channel in channels {
        let is_here = channel.area_code.as_ref().is_some_and(|area| areas.contains(area));
        if is_here && rows.iter().all(|(stream, _)| stream.id != channel.id) {
            rows.push((channel.clone(), None));
        }
    }
    rows.sort_by_key(|(stream, _)| Reverse((FIRST.contains(&stream.kind.as_str()), stream.last_at)));
    rows.truncate(usize::try_from(MAX_STREAMS).unwrap_or(usize::MAX));
    on_top(actor, rows)
}
