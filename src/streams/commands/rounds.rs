//! Cards for many: a few are posted at once, more in pieces.
//!
//! # Why
//! A card is several statements in a stream of its own, and everybody waits for the unit that posts it. So of many it is
//! written down who is still to be shown it, five hundred rows a statement, and each piece is posted in a unit that takes its
//! rows away: a killed worker leaves whole pieces, and the next one goes on where the rows begin. Who is told is who was found
//! when it happened, whoever comes or leaves meanwhile.
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set};
use serde_json::Value;
use uuid::Uuid;

use super::{
    super::rows::{reader, round},
    append::{NewEntry, append},
    cards::{Card, post_card_of},
    mailbox,
};
use crate::{
    error::{Error, Result},
    ids::{PersonId, StreamId},
    store::Tx,
};

/// Cards posted in one unit.
const AT_ONCE: u64 = 100;
/// Rows written in one statement.
const CHUNK: usize = 500;

/// Who is shown a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reader {
    /// Somebody, in the own mailbox.
    Person(PersonId),
    /// All who read a stream.
    Stream(StreamId),
}

/// Shows a card to each of them, once, by the id of what it is about; of more than a piece in the order of their ids, within
/// seconds.
///
/// # Errors
/// When the database refuses.
pub async fn post_to_each(tx: &Tx, mut readers: Vec<Reader>, (about, card): (Uuid, Card)) -> Result<()> {
    // always the same way, whichever process does it
    readers.sort_unstable();
    readers.dedup();
    // nobody is shown the later of two first
    let is_free = reader::Entity::find().one(tx).await?.is_none();
    if is_free && readers.len() as u64 <= AT_ONCE {
        for one in readers {
            let stream = stream_of(tx, one).await?;
            post_card_of(tx, stream, (about, card.clone())).await?;
        }
        return Ok(());
    }
    let id = Uuid::now_v7();
    let row = round::ActiveModel {
        id: Set(id),
        about: Set(about),
        body: Set(card.body().to_string()),
        title: Set(card.title),
        created_at: Set(tx.now()),
    };
    round::Entity::insert(row).exec_without_returning(tx).await?;
    let rows = (1..).zip(readers).map(|(place, one)| reader::ActiveModel {
        round_id: Set(id),
        place: Set(place),
        person_id: Set(if let Reader::Person(person) = one { Some(person) } else { None }),
        stream_id: Set(if let Reader::Stream(stream) = one { Some(stream) } else { None }),
    });
    let rows: Vec<_> = rows.collect();
    for some in rows.chunks(CHUNK) {
        reader::Entity::insert_many(some.to_vec()).exec_without_returning(tx).await?;
    }
    Ok(())
}

/// Posts the next piece of the oldest card that waits. Says how many were shown it.
///
/// # Errors
/// When the database refuses.
pub async fn due(tx: &Tx) -> Result<u64> {
    let Some(round) = round::Entity::find().order_by_asc(round::Column::Id).one(tx).await? else { return Ok(0) };
    let of_it = reader::Entity::find().filter(reader::Column::RoundId.eq(round.id));
    let next = of_it.order_by_asc(reader::Column::Place).limit(AT_ONCE).all(tx).await?;
    let Some(last) = next.last().map(|one| one.place) else {
        round::Entity::delete_by_id(round.id).exec(tx).await?;
        return Ok(1);
    };
    let body: Value = serde_json::from_str(&round.body).map_err(Error::broken)?;
    for one in &next {
        let to = one.person_id.map(Reader::Person).or(one.stream_id.map(Reader::Stream));
        let stream = stream_of(tx, to.ok_or_else(|| Error::broken("a card for nobody"))?).await?;
        let card = NewEntry::shown("card", round.title.clone(), body.clone());
        append(tx, stream, NewEntry { client_id: round.about, ..card }).await?;
    }
    reader::Entity::delete_many()
        .filter(reader::Column::RoundId.eq(round.id))
        .filter(reader::Column::Place.lte(last))
        .exec(tx)
        .await?;
    Ok(next.len() as u64)
}

async fn stream_of(tx: &Tx, reader: Reader) -> Result<StreamId> {
    match reader {
        Reader::Person(person) => mailbox(tx, person).await,
        Reader::Stream(stream) => Ok(stream),
    }
}
