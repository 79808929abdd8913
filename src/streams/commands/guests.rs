//! Who sits in a body that was asked to take part in a discussion, and has no other right to speak there.
use std::collections::{BTreeSet, HashMap};

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Select};

use super::{
    super::{
        rows::membership,
        rules::{FORMER, GUEST_FOR, guest_role},
    },
    belonging::{join, join_now},
};
use crate::{
    actor::covers,
    bodies,
    error::Result,
    ids::{BodyId, PersonId, StreamId},
    people,
    store::Tx,
};

/// Lets those who sit in one of these bodies today read and speak for it in the discussion of an area in which they neither live
/// nor serve. Who is there for one of them already stays so.
///
/// # Errors
/// When the database refuses.
pub async fn let_in(tx: &Tx, stream: StreamId, (invited, area): (&[BodyId], &str)) -> Result<()> {
    let now = tx.now();
    let sitting = bodies::queries::sat_in(tx, invited, (now, now)).await?;
    let people: BTreeSet<PersonId> = sitting.into_iter().map(|(_, person)| person).collect();
    let ids: Vec<PersonId> = people.into_iter().collect();
    let homes = people::queries::homes(tx, &ids).await?;
    let there: HashMap<PersonId, String> =
        guests_of(stream).all(tx).await?.into_iter().map(|row| (row.person_id, row.role)).collect();
    let asked: Vec<_> = ids.iter().map(|person| (*person, now)).collect();
    for (person, held) in ids.into_iter().zip(bodies::queries::seats_of_all(tx, &asked).await?) {
        let lives_there = homes.get(&person).is_some_and(|home| covers(area, home));
        if lives_there || held.iter().any(|seat| seat.serves(area)) {
            continue;
        }
        let roles = held.iter().filter(|seat| invited.contains(&seat.body_id)).map(|seat| guest_role(seat.body_id));
        let roles: Vec<String> = roles.collect();
        let is_there = there.get(&person).is_some_and(|role| roles.contains(role));
        if let Some(role) = roles.first().filter(|_| !is_there) {
            join_now(tx, stream, person, role).await?;
        }
    }
    Ok(())
}

/// Nobody speaks there for this body any more, or for any.
///
/// # Errors
/// When the database refuses.
pub async fn show_out(tx: &Tx, stream: StreamId, body: Option<BodyId>) -> Result<()> {
    let gone = |row: &membership::Model| body.is_none_or(|body| row.role == guest_role(body));
    for row in guests_of(stream).all(tx).await?.into_iter().filter(gone) {
        join(tx, stream, row.person_id, FORMER).await?;
    }
    Ok(())
}

fn guests_of(stream: StreamId) -> Select<membership::Entity> {
    membership::Entity::find()
        .filter(membership::Column::StreamId.eq(stream))
        .filter(membership::Column::LeftAt.is_null())
        .filter(membership::Column::Role.starts_with(GUEST_FOR))
}
