//! How a try to a person ended, and what becomes of the delivery then.
use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set, sea_query::Expr};
use uuid::Uuid;

use super::{
    queries, receipts,
    rows::{attempt, delivery},
    rules::ladder::Channel,
};
use crate::{error::Result, gateways::Gateways, ids::DeliveryId, store::Tx, wechat};

/// Seconds to wait after the first, second … failed try; then the next step of the ladder takes over.
const WAITS_SECS: [i64; 4] = [5, 60, 5 * 60, 30 * 60];
/// What nobody knows the end of is tried once more, and not again.
const UNKNOWN_TRIES: i32 = 2;

/// How a try ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It is with the provider.
    Sent,
    /// It was not sent; worth another try.
    TryAgain(Option<u32>),
    /// Nobody knows.
    Unknown,
    /// Not this way to this person.
    Never(&'static str),
    /// Not this way; the channel may have another to the same person.
    OtherWay(&'static str),
    /// The lease ran out before it was begun: whoever has it now sends it.
    NotBegun,
}

/// A try that is over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended {
    pub(super) id: DeliveryId,
    /// The token of the claim.
    pub(super) tries: i32,
    pub(super) end: End,
    /// The provider's number.
    pub(super) status: i32,
}

/// State, when, and why for what ended so.
fn next(ended: &Ended, now: DateTime<Utc>) -> (&'static str, DateTime<Utc>, Option<&'static str>) {
    let again = |asked: Option<u32>| {
        let wait = usize::try_from(ended.tries - 1).ok().and_then(|place| WAITS_SECS.get(place))?;
        let asked = asked.map_or(0, i64::from);
        TimeDelta::try_seconds((*wait).max(asked)).map(|wait| now + wait)
    };
    match ended.end {
        End::Sent => (queries::SENT, now, None),
        End::Never(why) => (queries::DEAD, now, Some(why)),
        End::OtherWay(why) => (queries::QUEUED, now, Some(why)),
        End::Unknown if ended.tries >= UNKNOWN_TRIES => (queries::DEAD, now, Some("unknown")),
        End::Unknown => (queries::QUEUED, now + TimeDelta::seconds(WAITS_SECS[1]), Some("unknown")),
        End::NotBegun => (queries::QUEUED, now, None),
        End::TryAgain(asked) => match again(asked) {
            Some(at) => (queries::QUEUED, at, Some("no_answer")),
            None => (queries::DEAD, now, Some("no_answer")),
        },
    }
}

/// Writes down the tries. A claim makes `tries` grow, so whoever was frozen past its lease changes nothing of what
/// another has taken since.
pub(super) async fn settle(tx: &Tx, gateways: &Gateways, ended: Vec<Ended>) -> Result<()> {
    let now = tx.now();
    let not_begun = ended.iter().filter(|one| one.end == End::NotBegun).map(|one| (one.id.0, one.tries));
    wechat::ledger::not_begun(tx, &gateways.wechat, &not_begun.collect::<Vec<_>>()).await?;
    let sent: Vec<Uuid> = ended.iter().filter(|one| one.end == End::Sent).map(|one| one.id.0).collect();
    let mut groups: HashMap<_, Vec<DeliveryId>> = HashMap::new();
    for one in &ended {
        groups.entry((next(one, now), one.tries)).or_default().push(one.id);
    }
    let tried = ended.iter().filter(|one| one.end != End::NotBegun).map(|one| attempt::ActiveModel {
        id: Set(Uuid::now_v7()),
        delivery_id: Set(one.id),
        outcome: Set(word(one.end).to_owned()),
        status: Set(one.status),
        at: Set(now),
    });
    let tried: Vec<_> = tried.collect();
    if !tried.is_empty() {
        attempt::Entity::insert_many(tried).exec_without_returning(tx).await?;
    }
    for (((state, due_at, reason), tries), ids) in groups {
        let sent_at = (state == queries::SENT).then_some(now);
        delivery::Entity::update_many()
            .col_expr(delivery::Column::State, Expr::value(state))
            .col_expr(delivery::Column::DueAt, Expr::value(due_at))
            .col_expr(delivery::Column::SentAt, Expr::value(sent_at))
            .col_expr(delivery::Column::Reason, Expr::value(reason))
            .filter(delivery::Column::Id.is_in(ids))
            .filter(delivery::Column::State.is_in([queries::SENDING, queries::QUEUED]))
            .filter(delivery::Column::Tries.eq(tries))
            .exec(tx)
            .await?;
    }
    // a report may have been faster than we
    for (id, report) in wechat::ledger::reported(tx, &sent).await? {
        receipts::note(tx, DeliveryId(id), report).await?;
    }
    Ok(())
}

fn word(end: End) -> &'static str {
    match end {
        End::Sent => "sent",
        End::TryAgain(_) => "try_again",
        End::Unknown => "unknown",
        End::Never(_) => "never",
        End::OtherWay(_) => "other_way",
        End::NotBegun => "not_begun",
    }
}

/// Leases that ran out: nobody knows whether the worker that died had sent. Once more, and then no more.
pub(super) async fn give_back(tx: &Tx, channel: Channel) -> Result<u64> {
    let stuck = || {
        delivery::Entity::update_many()
            .col_expr(delivery::Column::Reason, Expr::value("unknown"))
            .filter(delivery::Column::Channel.eq(channel.as_str()))
            .filter(delivery::Column::State.eq(queries::SENDING))
            .filter(delivery::Column::DueAt.lte(tx.now()))
    };
    let dead = stuck()
        .col_expr(delivery::Column::State, Expr::value(queries::DEAD))
        .filter(delivery::Column::Tries.gte(UNKNOWN_TRIES))
        .exec(tx)
        .await?;
    let again = stuck().col_expr(delivery::Column::State, Expr::value(queries::QUEUED)).exec(tx).await?;
    Ok(dead.rows_affected + again.rows_affected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_is_tried_five_times_and_what_is_unknown_twice() {
        let now = DateTime::UNIX_EPOCH;
        let ended = |tries, end| Ended { id: DeliveryId::new(), tries, end, status: 0 };
        let state = |tries, end| next(&ended(tries, end), now).0;
        let states: Vec<_> = (1..=5).map(|tries| state(tries, End::TryAgain(None))).collect();
        assert_eq!(states, [queries::QUEUED, queries::QUEUED, queries::QUEUED, queries::QUEUED, queries::DEAD]);
        assert_eq!((state(1, End::Unknown), state(2, End::Unknown)), (queries::QUEUED, queries::DEAD));
        assert_eq!(next(&ended(1, End::TryAgain(Some(600))), now).1, now + TimeDelta::seconds(600));
        assert_eq!(next(&ended(1, End::Sent), now), (queries::SENT, now, None));
        assert_eq!(next(&ended(5, End::OtherWay("no_consent")), now), (queries::QUEUED, now, Some("no_consent")));
    }
}
