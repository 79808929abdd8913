//! Who sits in a body that was asked to take part in a discussion, and has no other right to speak there.
use std::collections::BTreeSet;

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

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

/// Lets those who sit in the body today read and speak for it in the discussion of an area in which they neither live nor serve.
///
/// # Errors
/// When the database refuses.
pub async fn let_in(tx: &Tx, stream: StreamId, (body, area): (BodyId, &str)) -> Result<()> {
    let seats = bodies::queries::members_of(tx, body, tx.now()).await?;
    let people: BTreeSet<PersonId> = seats.into_iter().map(|seat| seat.person_id).collect();
    let ids: Vec<PersonId> = people.into_iter().collect();
    let homes = people::queries::homes(tx, &ids).await?;
    for person in ids {
        let held = bodies::queries::seats_of(tx, person, tx.now()).await?;
        let serves_there = held.iter().any(|seat| seat.serves(area));
        if !serves_there && homes.get(&person).is_none_or(|home| !covers(area, home)) {
            join_now(tx, stream, person, &guest_role(body)).await?;
        }
    }
    Ok(())
}

/// Nobody speaks there for this body any more, or for any.
///
/// # Errors
/// When the database refuses.
pub async fn show_out(tx: &Tx, stream: StreamId, body: Option<BodyId>) -> Result<()> {
    let own = membership::Entity::find()
        .filter(membership::Column::StreamId.eq(stream))
        .filter(membership::Column::LeftAt.is_null());
    let guests = match body {
        Some(body) => own.filter(membership::Column::Role.eq(guest_role(body))),
        None => own.filter(membership::Column::Role.starts_with(GUEST_FOR)),
    };
    for row in guests.all(tx).await? {
        join(tx, stream, row.person_id, FORMER).await?;
    }
    Ok(())
}
