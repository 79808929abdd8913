//! Under which id people speak where others read them under a masked name: another one in each conversation.
//!
//! # Why
//! Whoever holds a seat has lists of people with their ids. Beside a masked name the id would say who it is, to who looks it up,
//! and leave no trace. So where not everybody who reads is listed for all others, there stands an id that says no more than the
//! name does: that it is the same person as further up. It is made of the conversation and the person by a key of ours, and
//! kept nowhere. Who speaks for a body is named in full, with the own id.
use std::collections::{HashMap, HashSet};

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};

use super::{
    Stream,
    rows::{entry, stream},
    rules::StreamKind,
};
use crate::{
    error::Result,
    ids::{BodyId, PersonId, StreamId},
    keys::Keys,
};

/// Conversations in which people speak under masked names to those for whom they are on no list.
const MASKED: [StreamKind; 4] = [StreamKind::Channel, StreamKind::Discussion, StreamKind::Thread, StreamKind::Contact];
/// Whoever said something among so many of the newest entries can be addressed.
const LOOKED_AT: i64 = 1000;

/// Is it such a conversation?
pub(super) fn is_masked(kind: &str) -> bool {
    MASKED.iter().any(|masked| masked.as_str() == kind)
}

/// Under which id somebody speaks in such a conversation.
#[must_use]
pub fn mask(keys: &Keys, stream: StreamId, person: PersonId) -> PersonId {
    PersonId(keys.lookup_id("sender", &format!("{stream} {person}")))
}

/// Under which id somebody speaks here, unless for a body.
#[must_use]
pub fn speaks_as(keys: &Keys, stream: &Stream, person: PersonId) -> PersonId {
    if is_masked(&stream.kind) { mask(keys, stream.id, person) } else { person }
}

/// The same of a conversation that was not read.
///
/// # Errors
/// When the database cannot be read.
pub async fn speaks_in(
    db: &impl ConnectionTrait,
    keys: &Keys,
    (stream, person): (StreamId, PersonId),
) -> Result<PersonId> {
    let is_masked = !masked(db, HashSet::from([stream])).await?.is_empty();
    Ok(if is_masked { mask(keys, stream, person) } else { person })
}

/// Which of these are such conversations.
pub(super) async fn masked(db: &impl ConnectionTrait, streams: HashSet<StreamId>) -> Result<HashSet<StreamId>> {
    if streams.is_empty() {
        return Ok(streams);
    }
    let masked = stream::Entity::find()
        .select_only()
        .column(stream::Column::Id)
        .filter(stream::Column::Id.is_in(streams))
        .filter(stream::Column::Kind.is_in(MASKED.map(StreamKind::as_str)));
    let masked: Vec<StreamId> = masked.into_tuple().all(db).await?;
    Ok(masked.into_iter().collect())
}

/// Who said something lately in such a conversation, by the id under which that stands there.
pub(super) async fn speakers(
    db: &impl ConnectionTrait,
    keys: &Keys,
    stream: &Stream,
) -> Result<HashMap<PersonId, PersonId>> {
    let said = entry::Entity::find()
        .select_only()
        .columns([entry::Column::SenderId, entry::Column::BodyId])
        .filter(entry::Column::StreamId.eq(stream.id))
        .filter(entry::Column::Seq.gt(stream.last_seq - LOOKED_AT))
        .filter(entry::Column::SenderId.is_not_null())
        .distinct();
    let said: Vec<(PersonId, Option<BodyId>)> = said.into_tuple().all(db).await?;
    let shown = |(person, body): (PersonId, Option<BodyId>)| match body {
        Some(_) => (person, person),
        None => (mask(keys, stream.id, person), person),
    };
    Ok(said.into_iter().map(shown).collect())
}

/// What a stream is about, as this person reads it: who else it is that writes to an office is not said.
pub(super) fn subject(stream: &Stream, reader: PersonId) -> String {
    match stream.subject_id.split_once('/') {
        Some((body, person)) if person != reader.to_string() => body.to_owned(),
        _ => stream.subject_id.clone(),
    }
}
