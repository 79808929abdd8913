//! What several people say at the same moment, by as many statements as one says it with.
use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter,
    sea_query::{Expr, ExprTrait, Query},
};
use uuid::Uuid;

use super::{
    super::{
        Stream, queries,
        rows::{entry, membership, stream},
        rules::{Access, StreamKind, access},
    },
    append::{NewEntry, append_all},
    belonging, cursor,
    say::{self, Place, SendMessage, Sent},
};
use crate::{
    actor::Actor,
    app::App,
    error::{Code, Error, Result},
    ids::{PersonId, StreamId},
    store::{Tx, by_key, key_column, padded},
    suspensions,
};

/// A message on its way.
pub struct Saying {
    actor: Actor,
    stream: StreamId,
    message: SendMessage,
}

/// Sends a message, together with what others say at the moment. The same `client_id` again gives the first answer, with
/// `dup`.
///
/// # Errors
/// As [`say::send`].
pub async fn speak(app: &App, actor: Actor, (stream, message): (StreamId, SendMessage)) -> Result<Sent> {
    if message.is_plain() {
        return app
            .store
            .write_together(Saying { actor, stream, message }, |tx, all| Box::pin(send_all(tx, all)))
            .await;
    }
    app.store.write(move |tx| Box::pin(async move { say::send(tx, &actor, (stream, message)).await })).await
}

/// Each as [`say::send`] would answer. Where something hangs on what is said (sealed conversations, and those of an
/// office) they are sent one after the other.
async fn send_all(tx: &Tx, all: &[Saying]) -> Result<Vec<Result<Sent>>> {
    let known = Known::of(tx, all).await?;
    let mut outcomes: Vec<Option<Result<Sent>>> = Vec::new();
    outcomes.resize_with(all.len(), || None);
    let mut accepted: HashMap<StreamId, Vec<(usize, NewEntry)>> = HashMap::new();
    for (place, (one, outcome)) in all.iter().zip(&mut outcomes).enumerate() {
        match known.look_at(one) {
            Ok(Look::Apart) => *outcome = Some(apart(tx, one).await?),
            Ok(Look::New(entry)) => accepted.entry(one.stream).or_default().push((place, entry)),
            Err(refused) => *outcome = Some(Err(refused)),
        }
    }
    let mut cursors = HashMap::new();
    for (stream, entries) in accepted {
        let (mut places, mut new, mut twice) = (Vec::new(), Vec::new(), HashMap::new());
        for (place, entry) in entries {
            let id = (entry.sender, entry.client_id);
            if let Some(first) = twice.get(&id) {
                places.push((place, *first, true));
                continue;
            }
            twice.insert(id, new.len());
            places.push((place, new.len(), false));
            new.push(entry);
        }
        let given = append_all(tx, stream, new).await?;
        for (place, nth, dup) in places {
            let (seq, no) = *given.get(nth).ok_or_else(|| Error::broken("an entry without a place"))?;
            if let (Some(outcome), Some(one)) = (outcomes.get_mut(place), all.get(place)) {
                *outcome = Some(Ok(Sent { seq, no, dup }));
                let furthest = cursors.entry((one.actor.person, stream)).or_insert((seq, no));
                *furthest = (*furthest).max((seq, no));
            }
        }
    }
    let newcomers: Vec<_> = cursors.keys().copied().filter(|whose| known.is_first(*whose)).collect();
    cursor::own_all(tx, cursors).await?;
    for (person, stream) in newcomers {
        belonging::came(tx, stream, person).await?;
    }
    outcomes.into_iter().map(|one| one.ok_or_else(|| Error::broken("a message without an outcome"))).collect()
}

/// A refusal is told, an error undoes the whole unit.
async fn apart(tx: &Tx, one: &Saying) -> Result<Result<Sent>> {
    match say::send(tx, &one.actor, (one.stream, one.message.clone())).await {
        Err(error) if error.code().status().is_server_error() => Err(error),
        outcome => Ok(outcome),
    }
}

/// What becomes of a message.
enum Look {
    /// It is sent by itself; one that was sent before is answered so.
    Apart,
    New(NewEntry),
}

/// Everything that must be known about several messages, read at once.
struct Known {
    streams: HashMap<StreamId, Stream>,
    members: HashMap<(PersonId, StreamId), membership::Model>,
    silenced: HashMap<PersonId, DateTime<Utc>>,
    sent: HashSet<(PersonId, Uuid)>,
}

impl Known {
    async fn of(tx: &Tx, all: &[Saying]) -> Result<Self> {
        let streams: HashSet<StreamId> = all.iter().map(|one| one.stream).collect();
        let people: HashSet<PersonId> = all.iter().map(|one| one.actor.person).collect();
        let people = padded(people.into_iter().collect());
        let rows = stream::Entity::find().filter(stream::Column::Id.is_in(streams.iter().copied())).all(tx).await?;
        let members = membership::Entity::find()
            .filter(membership::Column::PersonId.is_in(people.iter().copied()))
            .filter(membership::Column::StreamId.is_in(streams))
            .all(tx)
            .await?;
        Ok(Self {
            streams: rows.into_iter().map(|row| (row.id, row)).collect(),
            members: members.into_iter().map(|row| ((row.person_id, row.stream_id), row)).collect(),
            silenced: suspensions::silenced(tx, people).await?,
            sent: sent_before(tx, all).await?,
        })
    }

    fn is_first(&self, whose: (PersonId, StreamId)) -> bool {
        self.streams.get(&whose.1).is_some_and(|stream| queries::is_first(stream, self.members.get(&whose)))
    }

    fn look_at(&self, one: &Saying) -> Result<Look> {
        let stream = self.streams.get(&one.stream).ok_or(Code::NotFound)?;
        let is_together = [StreamKind::Group, StreamKind::Forum, StreamKind::Discussion, StreamKind::Channel]
            .iter()
            .any(|kind| kind.as_str() == stream.kind);
        if !is_together || stream.key_id.is_some() {
            return Ok(Look::Apart);
        }
        let member = self.members.get(&(one.actor.person, one.stream));
        let role = queries::role_in(member).map(str::to_owned);
        match access(stream, &one.actor, role.as_deref()) {
            Access::None => return Err(Code::NotFound.into()),
            Access::Read => return Err(Code::NotAllowed.into()),
            Access::Write => {}
        }
        if let Some(until) = self.silenced.get(&one.actor.person).filter(|_| say::needs_speech(stream)) {
            return Err(suspensions::silent(*until));
        }
        say::check(stream, &one.message)?;
        if self.sent.contains(&(one.actor.person, one.message.client_id)) {
            return Ok(Look::Apart);
        }
        let is_first = queries::is_first(stream, member);
        let place = Place { stream: stream.clone(), actor: &one.actor, role, is_first };
        Ok(Look::New(say::entry_of(&place, &one.message, &[])))
    }
}

/// Which of these messages are there.
async fn sent_before(tx: &Tx, all: &[Saying]) -> Result<HashSet<(PersonId, Uuid)>> {
    let ids = all.iter().map(|one| (one.actor.person, one.message.client_id)).collect();
    let same = Query::select()
        .column((entry::Entity, entry::Column::Seq))
        .from(entry::Entity)
        .and_where(Expr::col((entry::Entity, entry::Column::SenderId)).eq(key_column(1)))
        .and_where(Expr::col((entry::Entity, entry::Column::ClientId)).eq(key_column(2)))
        .to_owned();
    let mut sent = HashSet::new();
    for row in tx.query_all(&by_key(padded(ids), 2, same)).await? {
        if row.try_get::<Option<i64>>("", "found")?.is_some() {
            sent.insert((row.try_get("", "column1")?, row.try_get("", "column2")?));
        }
    }
    Ok(sent)
}
