//! Electors who have not cast yet, a page at a time; what telling of a vote needs to know of it.
use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{
    super::{
        commands::Secrecy,
        rows::{roll_entry, vote},
    },
    NOT_CAST, PAPER, PAPER_ISSUED, STRUCK, TOOK_PART, taking,
};
use crate::{
    error::Result,
    ids::{PersonId, VoteId},
    keys::Keys,
    people::{self, audience::Among},
};

/// A shorter vote has its opening for a reminder.
const REMINDED: TimeDelta = TimeDelta::hours(48);

/// The next people on the roll who have not cast, in the order of their ids.
///
/// # Errors
/// When the database cannot be read.
pub async fn not_cast(
    db: &impl ConnectionTrait,
    id: VoteId,
    (after, count): (Option<PersonId>, u64),
) -> Result<Vec<PersonId>> {
    let mut rows = roll_entry::Entity::find()
        .select_only()
        .column(roll_entry::Column::PersonId)
        .filter(roll_entry::Column::VoteId.eq(id))
        .filter(roll_entry::Column::Channel.eq(NOT_CAST))
        .order_by_asc(roll_entry::Column::PersonId)
        .limit(count);
    if let Some(after) = after {
        rows = rows.filter(roll_entry::Column::PersonId.gt(after));
    }
    Ok(rows.into_tuple().all(db).await?)
}

/// Whom somebody at the door may still have to tell of a vote: who is on its roll, and in one that shows who cast what, has
/// not cast. Of a secret one nobody learns here who has cast, nor when.
///
/// # Errors
/// When the database cannot be read.
pub async fn to_tell(db: &impl ConnectionTrait, id: VoteId) -> Result<Vec<PersonId>> {
    let Some(vote) = vote::Entity::find_by_id(id).one(db).await? else { return Ok(Vec::new()) };
    let mut rows = roll_entry::Entity::find()
        .select_only()
        .column(roll_entry::Column::PersonId)
        .filter(roll_entry::Column::VoteId.eq(id))
        .filter(roll_entry::Column::Channel.ne(STRUCK));
    if vote.secrecy == Secrecy::Open.as_str() {
        rows = rows.filter(roll_entry::Column::Channel.is_not_in(TOOK_PART));
    }
    Ok(rows.into_tuple().all(db).await?)
}

/// Those of these people whom nobody asks to cast any more: who have cast, hold a sheet of paper, which may lie in a box by now,
/// or were struck.
///
/// # Errors
/// When the database cannot be read.
pub async fn need_not_cast(db: &impl ConnectionTrait, id: VoteId, among: &Among) -> Result<HashSet<PersonId>> {
    let rows = roll_entry::Entity::find()
        .select_only()
        .column(roll_entry::Column::PersonId)
        .filter(roll_entry::Column::VoteId.eq(id))
        .filter(roll_entry::Column::Channel.ne(NOT_CAST))
        .filter(among.holds(roll_entry::Column::PersonId));
    Ok(rows.into_tuple::<PersonId>().all(db).await?.into_iter().collect())
}

/// Those of these people who are on the roll and have not cast.
///
/// # Errors
/// When the database cannot be read.
pub async fn not_cast_of(db: &impl ConnectionTrait, id: VoteId, among: &Among) -> Result<HashSet<PersonId>> {
    let rows = roll_entry::Entity::find()
        .select_only()
        .column(roll_entry::Column::PersonId)
        .filter(roll_entry::Column::VoteId.eq(id))
        .filter(roll_entry::Column::Channel.eq(NOT_CAST))
        .filter(among.holds(roll_entry::Column::PersonId));
    Ok(rows.into_tuple::<PersonId>().all(db).await?.into_iter().collect())
}

/// Electors who were told that somebody cast for them, or that a sheet of paper was handed out in their name, and who have no
/// phone of their own, or the caster's alone: their numbers and names, for the list of the door.
///
/// # Errors
/// When the database cannot be read.
pub async fn unreachable(db: &impl ConnectionTrait, keys: &Keys, id: VoteId) -> Result<Vec<(i32, String)>> {
    let Some(vote) = vote::Entity::find_by_id(id).one(db).await? else { return Ok(Vec::new()) };
    let mut by_other = Condition::all().add(roll_entry::Column::CastBy.is_not_null());
    if vote.secrecy == Secrecy::Secret.as_str() {
        by_other = by_other.add(roll_entry::Column::IsTold.eq(true));
    }
    // of a sheet they are told at once, however secret the vote is: it was handed out at the desk
    let on_paper = roll_entry::Column::Channel.is_in([PAPER_ISSUED, PAPER]);
    let rows = roll_entry::Entity::find()
        .filter(roll_entry::Column::VoteId.eq(id))
        .filter(Condition::any().add(by_other).add(on_paper))
        .order_by_asc(roll_entry::Column::Number)
        .all(db)
        .await?;
    let ids: Vec<PersonId> = rows.iter().map(|row| row.person_id).collect();
    let casters = rows.iter().filter_map(|row| row.cast_by);
    let all: Vec<PersonId> = ids.iter().copied().chain(casters).collect();
    let phones = people::queries::own_numbers(db, keys, &all).await?;
    let mut names = people::names(db, ids).await?;
    // what is told to the caster's own phone is told to the caster
    let has_own = |row: &roll_entry::Model| {
        let own = phones.get(&row.person_id);
        own.is_some() && row.cast_by.is_none_or(|by| phones.get(&by) != own)
    };
    let name = |row: roll_entry::Model| (row.number, names.remove(&row.person_id).unwrap_or_default());
    Ok(rows.into_iter().filter(|row| !has_own(row)).map(name).collect())
}

/// What is asked; `None` when there is no such vote.
///
/// # Errors
/// When the database cannot be read.
pub async fn asked(db: &impl ConnectionTrait, id: VoteId) -> Result<Option<String>> {
    Ok(vote::Entity::find_by_id(id).one(db).await?.map(|row| row.question))
}

/// Votes that take ballots and close until then, with their areas.
///
/// # Errors
/// When the database cannot be read.
pub async fn closing_until(db: &impl ConnectionTrait, until: DateTime<Utc>) -> Result<Vec<(VoteId, String)>> {
    let rows = vote::Entity::find()
        .select_only()
        .columns([vote::Column::Id, vote::Column::AreaCode, vote::Column::OpensAt, vote::Column::ClosesAt])
        .filter(taking())
        .filter(vote::Column::ClosesAt.lte(until))
        .order_by_asc(vote::Column::ClosesAt)
        .limit(500);
    let rows: Vec<(VoteId, String, DateTime<Utc>, DateTime<Utc>)> = rows.into_tuple().all(db).await?;
    let is_long = |opens: DateTime<Utc>, closes: DateTime<Utc>| closes - opens >= REMINDED;
    Ok(rows.into_iter().filter(|row| is_long(row.2, row.3)).map(|row| (row.0, row.1)).collect())
}
