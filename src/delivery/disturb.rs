//! Whom a message disturbs, and whether they were disturbed enough: counted when it goes out, for who hears it.
//!
//! # Why
//! A text rings for everybody who has the number, so it counts for each of them, and does not go out while one of them had
//! three within seven days. Only where a single person has proven the number as the own is a message to that person
//! that person's alone; a message to anybody else at that number rings for its owner, too. In WeChat it is the person.
//! Each of the three has a place of its own in the database, taken by one conditional write: two workers at once cannot
//! both take it. What certainly did not go out gives its place back.
use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, QueryFilter, Set,
    sea_query::{Expr, OnConflict},
};

use super::{
    claim::{Sight, Verdict},
    rows::{delivery, disturbance},
    rules::{
        budget::{Places, WEEK, heard_by, is_counted},
        ladder::Channel,
    },
};
use crate::{
    error::{Error, Result},
    ids::{DeliveryId, PersonId},
    people::audience::Sharer,
    quiet::rules::next_digest,
    store::Tx,
};

const ENOUGH: &str = "enough";

/// Who has which number.
pub(super) type Sharing = HashMap<String, Vec<Sharer>>;

/// Takes a place of everybody who hears of what goes out; whoever has none free is left alone until there is one.
pub(super) async fn count(
    tx: &Tx,
    (rows, sight, sharing): (&[delivery::Model], &Sight, &Sharing),
    verdicts: &mut [(usize, Verdict)],
) -> Result<()> {
    let mut hearing: BTreeMap<usize, Vec<PersonId>> = BTreeMap::new();
    for (place, verdict) in verdicts.iter() {
        let (_, level, urgency) = sight.near(&rows[*place])?;
        if *verdict == Verdict::Send && is_counted(level, urgency) {
            let person: PersonId = rows[*place].target_id.parse().map_err(Error::broken)?;
            let number = sight.numbers.get(&person).filter(|_| sight.channel == Channel::Sms);
            let sharers = number.and_then(|number| sharing.get(number)).map_or(&[][..], Vec::as_slice);
            hearing.insert(*place, heard_by(person, sharers));
        }
    }
    if hearing.is_empty() {
        return Ok(());
    }
    let mut known = known(tx, hearing.values().flatten().copied().collect()).await?;
    let (now, mut wanted) = (tx.now(), BTreeMap::new());
    for (place, people) in &hearing {
        let id = rows[*place].id;
        match take(&mut known, (people.as_slice(), id), now) {
            Ok(places) => wanted.extend(places.into_iter().map(|key| (key, id))),
            Err(free) => {
                let free = if rows[*place].is_digest {
                    Ord::max(next_digest(free - TimeDelta::minutes(1)), free)
                } else {
                    free
                };
                verdicts[*place].1 = Verdict::Later(free, ENOUGH);
            }
        }
    }
    let lost = write(tx, wanted).await?;
    for place in hearing.into_keys().filter(|place| lost.contains(&rows[*place].id)) {
        verdicts[place].1 = Verdict::Later(now + TimeDelta::seconds(5), ENOUGH);
    }
    give_back(tx, lost.into_iter().collect()).await
}

/// A person's places, and what holds them.
type Known = HashMap<PersonId, [Option<(DateTime<Utc>, Option<DeliveryId>)>; 3]>;

async fn known(tx: &Tx, people: HashSet<PersonId>) -> Result<Known> {
    let mut known = Known::new();
    let rows = disturbance::Entity::find().filter(disturbance::Column::PersonId.is_in(people)).all(tx).await?;
    for row in rows {
        let places = known.entry(row.person_id).or_default();
        if let Some(place) = usize::try_from(row.place - 1).ok().and_then(|place| places.get_mut(place)) {
            *place = Some((row.at, row.delivery_id));
        }
    }
    Ok(known)
}

/// A place of each of these; none at all, and when there will be, unless everybody has one.
fn take(
    known: &mut Known,
    (people, id): (&[PersonId], DeliveryId),
    now: DateTime<Utc>,
) -> std::result::Result<Vec<(PersonId, i32)>, DateTime<Utc>> {
    let (mut taken, mut free_at) = (Vec::new(), None);
    for person in people {
        let places = known.entry(*person).or_default();
        // a second try of the same disturbs once
        if places.iter().flatten().any(|(_, by)| *by == Some(id)) {
            continue;
        }
        match Places(places.map(|place| place.map(|(at, _)| at))).free(now) {
            Ok(place) => taken.push((*person, place)),
            Err(at) => free_at = Ord::max(free_at, Some(at)),
        }
    }
    if let Some(at) = free_at {
        return Err(at);
    }
    let keys = taken.into_iter().map(|(person, place)| {
        known.entry(person).or_default()[place] = Some((now, Some(id)));
        (person, i32::try_from(place + 1).unwrap_or(1))
    });
    Ok(keys.collect())
}

/// Writes the places, each on the condition that it is still free; says which deliveries did not get theirs.
async fn write(tx: &Tx, wanted: BTreeMap<(PersonId, i32), DeliveryId>) -> Result<HashSet<DeliveryId>> {
    if wanted.is_empty() {
        return Ok(HashSet::new());
    }
    use disturbance::Column as C;
    let rows = wanted.iter().map(|((person, place), id)| disturbance::ActiveModel {
        person_id: Set(*person),
        place: Set(*place),
        at: Set(tx.now()),
        delivery_id: Set(Some(*id)),
    });
    let is_free = Expr::col((disturbance::Entity, C::At)).lte(tx.now() - WEEK);
    let free = OnConflict::columns([C::PersonId, C::Place])
        .update_columns([C::At, C::DeliveryId])
        .action_and_where(is_free)
        .to_owned();
    disturbance::Entity::insert_many(rows).on_conflict(free).exec_without_returning(tx).await?;
    let held = disturbance::Entity::find().filter(C::DeliveryId.is_in(wanted.values().copied())).all(tx).await?;
    let held: HashSet<(PersonId, i32)> = held
        .into_iter()
        .filter(|row| wanted.get(&(row.person_id, row.place)).copied() == row.delivery_id)
        .map(|row| (row.person_id, row.place))
        .collect();
    Ok(wanted.into_iter().filter(|(key, _)| !held.contains(key)).map(|(_, id)| id).collect())
}

/// These did not go out, and disturbed nobody.
pub(super) async fn give_back(tx: &Tx, not_sent: Vec<DeliveryId>) -> Result<()> {
    if not_sent.is_empty() {
        return Ok(());
    }
    let theirs = disturbance::Column::DeliveryId.is_in(not_sent);
    disturbance::Entity::delete_many().filter(theirs).exec(tx).await?;
    Ok(())
}
