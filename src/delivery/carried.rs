//! One message may tell of several deliveries: the text to a number that several people have, the digest of an evening. The
//! others are carried by the one that goes out, and share its end.
//!
//! # Why
//! The row of a number and an event is unique, so two workers at once cannot both send: the later finds the row of the
//! earlier and waits behind it. Whoever is put off or ended gives the number back within the same unit of work; what
//! was carried is looked at once more as soon as the end is known.
use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, QuerySelect, Set,
    sea_query::{Expr, OnConflict},
};

use super::{
    claim::Verdict,
    found,
    queries::{DEAD, QUEUED, SENDING, SENT},
    rows::{delivery, told_number},
    rules::ladder::Channel,
    settle::UNKNOWN,
};
use crate::{
    error::Result,
    ids::{DeliveryId, PersonId},
    store::Tx,
};

/// By the text to a number that others have, too.
pub(super) const FAMILY: &str = "family";
/// By the message of the evening.
pub(super) const DIGEST: &str = "digest";
/// What would have told of it did not arrive.
const CARRIER: &str = "carrier";
/// It is asked so soon again how the carrier fares, if nobody said so before.
const ASK_AGAIN: TimeDelta = TimeDelta::seconds(5);
/// What is due within this time belongs to the digest that goes out now.
const OF_NOW: TimeDelta = TimeDelta::minutes(1);

/// Of each row that goes out, by its place: the places of those that its digest tells of, newest first.
pub(super) type Lists = HashMap<usize, Vec<usize>>;

/// What follows for a row from how its carrier fares; `None`: it is on its own.
fn behind(carrier: &delivery::Model, why: &'static str, now: DateTime<Utc>) -> Option<Verdict> {
    let soon = now + ASK_AGAIN;
    match carrier.state.as_str() {
        SENT => Some(Verdict::Like(SENT, carrier.sent_at, why, carrier.id)),
        // it may have been heard, twice already: what it told of is not told again
        DEAD if carrier.reason.as_deref() == Some(UNKNOWN) => Some(Verdict::Like(DEAD, None, UNKNOWN, carrier.id)),
        // the number is the same; of another kind of news the next may go through
        DEAD if why == FAMILY => Some(Verdict::Like(DEAD, None, CARRIER, carrier.id)),
        SENDING => Some(Verdict::Behind(carrier.id, soon, why)),
        QUEUED => Some(Verdict::Behind(carrier.id, Ord::max(soon, carrier.due_at + TimeDelta::seconds(1)), why)),
        _ => None,
    }
}

/// Those of the rows that are carried already share the end of their carrier; whose carrier of the evening came to nothing
/// is on its own again. The first `verdicts` rows were claimed.
pub(super) async fn follow(tx: &Tx, rows: &mut [delivery::Model], verdicts: &mut [(usize, Verdict)]) -> Result<()> {
    let carriers: Vec<DeliveryId> = rows.iter().filter_map(|row| row.carried_by).collect();
    if carriers.is_empty() {
        return Ok(());
    }
    let known = delivery::Entity::find().filter(delivery::Column::Id.is_in(carriers)).all(tx).await?;
    let known: HashMap<DeliveryId, delivery::Model> = known.into_iter().map(|row| (row.id, row)).collect();
    for (place, row) in rows.iter_mut().enumerate() {
        let Some(carrier) = row.carried_by.and_then(|id| known.get(&id)) else { continue };
        let why = if carrier.target_id == row.target_id { DIGEST } else { FAMILY };
        // one that was put off holds its number no more
        let is_put_off = why == FAMILY && carrier.state == QUEUED && carrier.tried() == 0;
        let fate = behind(carrier, why, tx.now()).filter(|_| !is_put_off);
        match (fate, verdicts.get_mut(place)) {
            (None, _) => row.carried_by = None,
            (Some(fate), Some((_, verdict))) if *verdict == Verdict::Send => *verdict = fate,
            _ => {}
        }
    }
    Ok(())
}

/// What else waits for the evening of these people through this channel.
pub(super) async fn beside(tx: &Tx, channel: Channel, rows: &[delivery::Model]) -> Result<Vec<delivery::Model>> {
    if !rows.iter().any(|row| row.is_digest) {
        return Ok(Vec::new());
    }
    Ok(found::of_the_evening(channel, rows).all(tx).await?)
}

/// Of what waits for the evening the newest goes out and tells of all before it. The first `taken` rows were claimed.
pub(super) fn gather(
    (rows, taken): (&[delivery::Model], usize),
    verdicts: &mut [(usize, Verdict)],
    now: DateTime<Utc>,
) -> Lists {
    let mut lists = Lists::new();
    for place in 0..taken {
        let own = &rows[place];
        if !own.is_digest || verdicts[place].1 != Verdict::Send {
            continue;
        }
        let same = |other: &usize| rows[*other].is_digest && rows[*other].target_id == own.target_id;
        let newer = (0..rows.len()).filter(same).filter(|other| rows[*other].event_number > own.event_number);
        let waits_for = newer.filter_map(|other| {
            let row = &rows[other];
            match row.state.as_str() {
                SENDING if other >= taken => Some(now + ASK_AGAIN),
                QUEUED if row.tried() > 0 && row.due_at > now => Some(row.due_at + TimeDelta::seconds(1)),
                QUEUED if row.due_at > now => None,
                _ => (verdicts[other].1 == Verdict::Send).then_some(now + ASK_AGAIN),
            }
        });
        if let Some(until) = waits_for.max() {
            verdicts[place].1 = Verdict::Later(until, DIGEST);
            continue;
        }
        let is_of_now = |row: &delivery::Model| match row.carried_by {
            Some(carrier) => carrier == own.id,
            None => row.due_at <= now + OF_NOW,
        };
        let mut older: Vec<usize> = (taken..rows.len())
            .filter(same)
            .filter(|other| rows[*other].event_number < own.event_number && rows[*other].state == QUEUED)
            .filter(|other| verdicts[*other].1 == Verdict::Send && is_of_now(&rows[*other]))
            .collect();
        older.sort_by_key(|other| std::cmp::Reverse(rows[*other].event_number));
        lists.insert(place, older);
    }
    lists
}

/// One text to a number tells all who have it of an event: the first goes out, the others wait behind it.
pub(super) async fn one_text(
    tx: &Tx,
    (rows, numbers): (&[delivery::Model], &HashMap<PersonId, String>),
    verdicts: &mut [(usize, Verdict)],
    lists: &mut Lists,
) -> Result<()> {
    let now = tx.now();
    let number = |place: usize| rows[place].target_id.parse().ok().and_then(|person| numbers.get(&person));
    // a second time where what held a number is gone
    for _ in 0..2 {
        let sending: Vec<usize> = sending(verdicts).filter(|place| number(*place).is_some()).collect();
        let mut keys: Vec<(i64, &String, DeliveryId)> = Vec::new();
        for place in &sending {
            let carried = lists.get(place).into_iter().flatten();
            let Some(number) = number(*place) else { continue };
            keys.extend(carried.chain([place]).map(|one| (rows[*one].event_number, number, rows[*place].id)));
        }
        let holders = hold(tx, keys).await?;
        let (mut gone, mut failed) = (Vec::new(), Condition::any());
        for place in sending {
            let Some(number) = number(place) else { continue };
            let own = rows[place].id;
            let holder = |one: usize| holders.get(&(rows[one].event_number, number.clone()));
            if let Some(list) = lists.get_mut(&place) {
                // somebody else at this number was told of it
                list.retain(|one| holder(*one).is_some_and(|holder| holder.id == own));
            }
            match holder(place) {
                Some(holder) if holder.id == own => {}
                // the message of an evening did not go out; this was news beside it, and goes on its own
                Some(holder) if is_failed(holder) && holder.event_number != rows[place].event_number => {
                    let of_it = told_number::Column::DeliveryId.eq(holder.id);
                    failed = failed.add(of_it.and(told_number::Column::EventNumber.eq(rows[place].event_number)));
                }
                Some(holder) => match behind(holder, FAMILY, now) {
                    Some(fate) => verdicts[place].1 = fate,
                    None => gone.push(holder.id),
                },
                None => verdicts[place].1 = Verdict::Later(now + ASK_AGAIN, FAMILY),
            }
        }
        if gone.is_empty() && failed.is_empty() {
            break;
        }
        let left = failed.add(told_number::Column::DeliveryId.is_in(gone));
        told_number::Entity::delete_many().filter(left).exec(tx).await?;
    }
    Ok(())
}

/// It will not go out, and was not heard either.
fn is_failed(holder: &delivery::Model) -> bool {
    holder.state == DEAD && holder.reason.as_deref() != Some(UNKNOWN)
}

fn sending(verdicts: &[(usize, Verdict)]) -> impl Iterator<Item = usize> {
    verdicts.iter().filter(|(_, verdict)| *verdict == Verdict::Send).map(|(place, _)| *place)
}

/// Writes down who tells which number of which event, unless somebody does; says who does.
async fn hold(tx: &Tx, mut keys: Vec<(i64, &String, DeliveryId)>) -> Result<HashMap<(i64, String), delivery::Model>> {
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    // in one order, so that two workers do not wait for each other in turn
    keys.sort();
    let rows = keys.iter().map(|(event, number, id)| told_number::ActiveModel {
        event_number: Set(*event),
        number: Set((*number).clone()),
        delivery_id: Set(*id),
        at: Set(tx.now()),
    });
    let key = [told_number::Column::EventNumber, told_number::Column::Number];
    let once = OnConflict::columns(key).do_nothing().to_owned();
    told_number::Entity::insert_many(rows).on_conflict(once).exec_without_returning(tx).await?;
    let events: BTreeSet<i64> = keys.iter().map(|(event, ..)| *event).collect();
    let numbers: BTreeSet<&String> = keys.iter().map(|(_, number, _)| *number).collect();
    let held = told_number::Entity::find()
        .filter(told_number::Column::EventNumber.is_in(events))
        .filter(told_number::Column::Number.is_in(numbers))
        .all(tx)
        .await?;
    let ids = held.iter().map(|row| row.delivery_id);
    // whoever settles one of them waits until it is known who stands behind it, or has settled it
    let holders = delivery::Entity::find().filter(delivery::Column::Id.is_in(ids)).lock_shared().all(tx).await?;
    let holders: HashMap<DeliveryId, delivery::Model> = holders.into_iter().map(|row| (row.id, row)).collect();
    let of = |row: told_number::Model| Some(((row.event_number, row.number), holders.get(&row.delivery_id)?.clone()));
    Ok(held.into_iter().filter_map(of).collect())
}

/// Who is not sent now holds no number.
pub(super) async fn let_go(tx: &Tx, rows: &[delivery::Model], verdicts: &[(usize, Verdict)]) -> Result<()> {
    let not_sent = verdicts.iter().filter(|(_, verdict)| *verdict != Verdict::Send).map(|(place, _)| rows[*place].id);
    let not_sent: Vec<DeliveryId> = not_sent.collect();
    if !not_sent.is_empty() {
        told_number::Entity::delete_many().filter(told_number::Column::DeliveryId.is_in(not_sent)).exec(tx).await?;
    }
    Ok(())
}

/// What a digest tells of waits behind it.
pub(super) async fn bind(tx: &Tx, rows: &[delivery::Model], lists: &Lists) -> Result<()> {
    for (place, list) in lists {
        if list.is_empty() {
            continue;
        }
        found::queued(list.iter().map(|one| rows[*one].id))
            .col_expr(delivery::Column::CarriedBy, Expr::value(rows[*place].id))
            .col_expr(delivery::Column::Reason, Expr::value(DIGEST))
            .col_expr(delivery::Column::DueAt, Expr::value(rows[*place].due_at + TimeDelta::seconds(1)))
            .exec(tx)
            .await?;
    }
    Ok(())
}

/// The end of these is known: what they carry is looked at once more.
pub(super) async fn wake(tx: &Tx, ended: Vec<DeliveryId>) -> Result<()> {
    if ended.is_empty() {
        return Ok(());
    }
    found::behind(ended).col_expr(delivery::Column::DueAt, Expr::value(tx.now())).exec(tx).await?;
    Ok(())
}

/// This delivery and whatever it told of.
pub(super) fn with_carried(id: DeliveryId) -> Condition {
    let told_with_it = delivery::Column::CarriedBy.eq(id).and(delivery::Column::Reason.is_in([FAMILY, DIGEST]));
    Condition::any().add(delivery::Column::Id.eq(id)).add(told_with_it)
}
