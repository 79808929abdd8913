//! Whom a message addresses.
use std::collections::HashSet;

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};

use super::{
    super::{
        masks,
        rows::{entry, membership, stream},
        rules::{ALL_AGAIN_AFTER, StreamKind, moderates},
    },
    cursor,
    say::{Place, SendMessage},
};
use crate::{
    bodies,
    error::{Checks, Code, Result},
    ids::{PersonId, StreamId},
    store::Tx,
};

/// Who is addressed. Only who belongs here can be, in a group nobody by a seat; everybody only by who leads it, not all the time.
pub(super) async fn people(tx: &Tx, place: &Place<'_>, message: &SendMessage) -> Result<Vec<PersonId>> {
    let stream = &place.stream;
    if message.mention_all {
        if !moderates(stream, place.actor, place.role.as_deref()) {
            return Err(Code::NotAllowed.into());
        }
        let last = entry::Entity::find_by_id((stream.id, stream.last_all_seq)).one(tx).await?;
        if last.is_some_and(|last| last.created_at + ALL_AGAIN_AFTER > tx.now()) {
            return Err(Code::TooManyRequests.into());
        }
    }
    if message.mentions.is_empty() {
        return Ok(Vec::new());
    }
    let mut known = HashSet::new();
    if let Some(body) = stream.body_id.filter(|_| stream.kind != StreamKind::Group.as_str()) {
        known.extend(bodies::queries::members_of(tx, body, tx.now()).await?.into_iter().map(|seat| seat.person_id));
    }
    let meant = meant(tx, (stream, &known), &message.mentions).await?;
    let belonging = membership::Entity::find()
        .filter(membership::Column::StreamId.eq(stream.id))
        .filter(membership::Column::PersonId.is_in(meant.iter().copied()))
        .filter(membership::Column::LeftAt.is_null());
    known.extend(belonging.all(tx).await?.into_iter().map(|row| row.person_id));
    let mut checks = Checks::default();
    let are_known = meant.len() == message.mentions.len() && meant.iter().all(|person| known.contains(person));
    checks.require(are_known, "mentions", "unknown");
    checks.done()?;
    Ok(meant)
}

/// Whose these ids are here, as far as they are anybody's: who is seated is named.
async fn meant(
    tx: &Tx,
    (stream, seated): (&stream::Model, &HashSet<PersonId>),
    ids: &[PersonId],
) -> Result<Vec<PersonId>> {
    if !masks::is_masked(&stream.kind) {
        return Ok(ids.to_vec());
    }
    let speakers = masks::speakers(tx, tx.keys(), stream).await?;
    let whose = |id: &PersonId| if seated.contains(id) { Some(*id) } else { speakers.get(id).copied() };
    Ok(ids.iter().filter_map(whose).collect())
}

/// Notes who is addressed at this place: these people, or everybody.
pub(super) async fn note(tx: &Tx, (stream, seq): (StreamId, i64), (people, all): (&[PersonId], bool)) -> Result<()> {
    if !people.is_empty() {
        cursor::mention(tx, stream, people, seq).await?;
    }
    if all {
        stream::Entity::update_many()
            .col_expr(stream::Column::LastAllSeq, Expr::value(seq))
            .filter(stream::Column::Id.eq(stream))
            .exec(tx)
            .await?;
    }
    Ok(())
}
