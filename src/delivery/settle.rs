//! How a try to a person ended, and what becomes of the delivery then.
use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, Set, sea_query::Expr};
use tokio::time::Instant;
use uuid::Uuid;

use super::{
    carried,
    claim::Taken,
    disturb, found, queries, receipts,
    rows::{attempt, delivery},
    rules::ladder::Channel,
    stops::{self, Road, Stop},
};
use crate::{
    error::{Code, Error, Result},
    ids::DeliveryId,
    store::Tx,
    wechat::{self, ledger::Ticket},
};

/// Seconds to wait after the first, second … failed try; then the next step of the ladder takes over.
const WAITS_SECS: [i64; 4] = [5, 60, 5 * 60, 30 * 60];
/// What nobody knows the end of is tried once more, and not again.
const UNKNOWN_TRIES: i32 = 2;
/// What a provider has stopped is tried so often and once more.
const STOPPED_TRIES: i32 = 24;
/// So often another way to the same person is looked for.
const OTHER_WAYS: i32 = 5;
/// How a try ended is kept in mind so long for a database that is away, and told it again after each of these.
const KNOWN_FOR: Duration = Duration::from_secs(10 * 60);
const WRITTEN_AGAIN: Duration = Duration::from_millis(250);
/// Nobody knows whether it was heard.
pub(super) const UNKNOWN: &str = "unknown";

/// How a try ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It is with the provider.
    Sent,
    /// It was not sent; worth another try.
    TryAgain(Option<u32>),
    /// Nobody knows.
    Unknown,
    /// Not this way to this person.
    Never(&'static str),
    /// Not now, to nobody: the template, or the whole channel.
    Stopped(Stop),
    /// Not this way, and the ledger knows it; the channel may have another to the same person.
    OtherWay(&'static str),
    /// Its words could not be written; nobody was called.
    Unwritten,
    /// The lease ran out before it was begun: whoever has it now sends it.
    NotBegun,
}

/// A try that is over.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    pub(super) id: DeliveryId,
    /// The kind of event that it told of.
    kind: String,
    /// By which account and interface.
    road: Road,
    /// The token of the claim.
    tries: i32,
    /// Which try it is since it was queued, or queued anew.
    tried: i32,
    /// Nobody knows how the try before it ended: it may have been heard already.
    is_unsure: bool,
    pub(super) end: End,
    /// The provider's number.
    status: i32,
}

impl Ended {
    pub(super) fn of(taken: &Taken, (end, status): (End, i32)) -> Self {
        let row = &taken.row;
        Self {
            id: row.id,
            kind: row.kind.clone(),
            road: taken.ticket.as_ref().map(Ticket::road),
            tries: row.tries,
            tried: row.tried(),
            is_unsure: row.reason.as_deref() == Some(UNKNOWN),
            end,
            status,
        }
    }

    /// WeChat's ledger knows that it is out. By which account says nothing of whether that one still sends.
    fn known(row: delivery::Model) -> Self {
        Self {
            id: row.id,
            road: None,
            tries: row.tries,
            tried: row.tried(),
            is_unsure: row.reason.as_deref() == Some(UNKNOWN),
            kind: row.kind,
            end: End::Sent,
            status: 0,
        }
    }

    /// Nobody was called.
    pub(super) fn is_uncalled(&self) -> bool {
        matches!(self.end, End::NotBegun | End::Unwritten)
    }

    /// It has certainly disturbed nobody.
    fn is_unheard(&self) -> bool {
        !self.is_unsure && !matches!(self.end, End::Sent | End::Unknown)
    }
}

/// State, when, and why for what ended so.
fn next(ended: &Ended, now: DateTime<Utc>) -> (&'static str, DateTime<Utc>, Option<&'static str>) {
    let again = |asked: Option<u32>| {
        let wait = usize::try_from(ended.tried - 1).ok().and_then(|place| WAITS_SECS.get(place))?;
        let asked = asked.map_or(0, i64::from);
        TimeDelta::try_seconds(Ord::max(*wait, asked)).map(|wait| now + wait)
    };
    let no_answer = if ended.is_unsure { UNKNOWN } else { "no_answer" };
    match &ended.end {
        End::Sent => (queries::SENT, now, None),
        End::Never(why) => (queries::DEAD, now, Some(*why)),
        // whatever the ledger says: one person has only so many ways
        End::OtherWay(why) if ended.tried >= OTHER_WAYS => (queries::DEAD, now, Some(*why)),
        End::OtherWay(why) => (queries::QUEUED, now, Some(*why)),
        // a template that stays stopped must not be tried for ever
        End::Stopped(_) if ended.tried > STOPPED_TRIES => (queries::DEAD, now, Some("stopped")),
        End::Stopped(stop) => (queries::QUEUED, stop.until(now), Some(stop.reason())),
        End::Unknown if ended.tried >= UNKNOWN_TRIES => (queries::DEAD, now, Some(UNKNOWN)),
        End::Unknown => (queries::QUEUED, now + TimeDelta::seconds(WAITS_SECS[1]), Some(UNKNOWN)),
        End::NotBegun => (queries::QUEUED, now, None),
        End::TryAgain(asked) => match again(*asked) {
            Some(at) => (queries::QUEUED, at, Some(no_answer)),
            None => (queries::DEAD, now, Some(no_answer)),
        },
        // what one has said about whether it was heard stands
        End::Unwritten => {
            let why = if ended.is_unsure { UNKNOWN } else { "unwritten" };
            again(None).map_or((queries::DEAD, now, Some(why)), |at| (queries::QUEUED, at, Some(why)))
        }
    }
}

/// Writes down the tries. A claim makes `tries` grow, so whoever was frozen past its lease changes nothing of what
/// another has taken since. What certainly did not go out disturbed nobody and cost no consent; what it carried is looked
/// at once more.
pub(super) async fn settle(tx: &Tx, channel: Channel, ended: Vec<Ended>) -> Result<()> {
    let now = tx.now();
    let uncalled = ended.iter().filter(|one| one.is_uncalled()).map(|one| (one.id.0, one.tries));
    wechat::ledger::not_called(tx, &uncalled.collect::<Vec<_>>()).await?;
    let sent: Vec<Uuid> = ended.iter().filter(|one| one.end == End::Sent).map(|one| one.id.0).collect();
    let mut groups: HashMap<_, Vec<DeliveryId>> = HashMap::new();
    for one in &ended {
        groups.entry((next(one, now), one.tries)).or_default().push(one.id);
    }
    let tried = ended.iter().filter(|one| one.end != End::NotBegun).map(|one| attempt::ActiveModel {
        id: Set(Uuid::now_v7()),
        delivery_id: Set(one.id),
        outcome: Set(word(&one.end).to_owned()),
        status: Set(one.status),
        at: Set(now),
    });
    let tried: Vec<_> = tried.collect();
    if !tried.is_empty() {
        attempt::Entity::insert_many(tried).exec_without_returning(tx).await?;
    }
    let mut settled: HashSet<DeliveryId> = HashSet::new();
    for (((state, due_at, reason), tries), ids) in groups {
        let sent_at = (state == queries::SENT).then_some(now);
        let ours = found::claimed(ids, tries)
            .col_expr(delivery::Column::State, Expr::value(state))
            .col_expr(delivery::Column::DueAt, Expr::value(due_at))
            .col_expr(delivery::Column::SentAt, Expr::value(sent_at))
            .col_expr(delivery::Column::Reason, Expr::value(reason))
            .exec_with_returning(tx)
            .await?;
        settled.extend(ours.into_iter().map(|row| row.id));
    }
    let ours: Vec<Ended> = ended.into_iter().filter(|one| settled.contains(&one.id)).collect();
    follow_up(tx, channel, &ours).await?;
    // a report may have been faster than we
    for (id, report) in wechat::ledger::reported(tx, &sent).await? {
        receipts::note(tx, DeliveryId(id), report).await?;
    }
    Ok(())
}

/// Writes down what is known, again and again while the database is away: forgotten, it would be sent once more when the
/// lease has run out.
///
/// # Errors
/// What is no use to try again, and what lasts too long.
pub(super) async fn until_written<F, Fut>(write: F) -> Result<()>
where
    F: Fn() -> Fut,
    Fut: Future<Output = Result<()>>,
{
    let began = Instant::now();
    loop {
        match write().await {
            Err(error) if is_away(&error) && began.elapsed() < KNOWN_FOR => tokio::time::sleep(WRITTEN_AGAIN).await,
            ended => return ended,
        }
    }
}

fn is_away(error: &Error) -> bool {
    matches!(error.code(), Code::Busy | Code::StorageFull)
}

async fn follow_up(tx: &Tx, channel: Channel, ended: &[Ended]) -> Result<()> {
    let unheard = ended.iter().filter(|one| one.is_unheard()).map(|one| one.id).collect();
    disturb::give_back(tx, unheard).await?;
    let tried = ended.iter().filter(|one| one.end != End::NotBegun).map(|one| one.id).collect();
    carried::wake(tx, tried).await?;
    let mut stopped: Vec<Stop> = Vec::new();
    for one in ended {
        match &one.end {
            End::Stopped(stop) if !stopped.contains(stop) => stopped.push(stop.clone()),
            _ => {}
        }
    }
    let taken = ended.iter().filter(|one| one.end == End::Sent).map(|one| (one.kind.as_str(), one.road)).collect();
    stops::go_on(tx, channel.as_str(), taken).await?;
    stops::stop(tx, channel.as_str(), stopped).await
}

fn word(end: &End) -> &'static str {
    match end {
        End::Sent => "sent",
        End::TryAgain(_) => "try_again",
        End::Unknown => "unknown",
        End::Never(_) => "never",
        End::Stopped(_) => "stopped",
        End::OtherWay(_) => "other_way",
        End::Unwritten => "unwritten",
        End::NotBegun => "not_begun",
    }
}

/// Leases that ran out: nobody knows whether the worker that died had sent, unless WeChat said that it took the message. Once
/// more, and then no more.
pub(super) async fn give_back(tx: &Tx, channel: Channel) -> Result<u64> {
    let out = settle_known(tx, channel).await?;
    let stuck = || {
        delivery::Entity::update_many()
            .col_expr(delivery::Column::Reason, Expr::value(UNKNOWN))
            .filter(is_stuck(channel, tx.now()))
    };
    let dead = stuck()
        .col_expr(delivery::Column::State, Expr::value(queries::DEAD))
        .filter(Expr::col(delivery::Column::Tries).sub(Expr::col(delivery::Column::TriesBefore)).gte(UNKNOWN_TRIES))
        .exec(tx)
        .await?;
    let again = stuck().col_expr(delivery::Column::State, Expr::value(queries::QUEUED)).exec(tx).await?;
    Ok(out + dead.rows_affected + again.rows_affected)
}

/// Is there a try whose lease ran out?
pub(super) async fn has_stuck(db: &impl ConnectionTrait, channel: Channel, now: DateTime<Utc>) -> Result<bool> {
    Ok(delivery::Entity::find().filter(is_stuck(channel, now)).one(db).await?.is_some())
}

fn is_stuck(channel: Channel, now: DateTime<Utc>) -> Condition {
    Condition::all()
        .add(delivery::Column::Channel.eq(channel.as_str()))
        .add(delivery::Column::State.eq(queries::SENDING))
        .add(delivery::Column::DueAt.lte(now))
}

/// The ledger of WeChat is settled before the delivery: whoever died in between had sent.
async fn settle_known(tx: &Tx, channel: Channel) -> Result<u64> {
    if channel != Channel::Wechat {
        return Ok(0);
    }
    let rows = delivery::Entity::find().filter(is_stuck(channel, tx.now())).all(tx).await?;
    let tries: Vec<(Uuid, i32)> = rows.iter().map(|row| (row.id.0, row.tries)).collect();
    let out = wechat::reports::taken_by_wechat(tx, &tries).await?;
    let ended: Vec<Ended> = rows.into_iter().filter(|row| out.contains(&row.id.0)).map(Ended::known).collect();
    if ended.is_empty() {
        return Ok(0);
    }
    let count = ended.len() as u64;
    settle(tx, channel, ended).await?;
    Ok(count)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    async fn refused_twice(tries: &Cell<u32>, refusal: Code) -> Result<()> {
        tries.set(tries.get() + 1);
        if tries.get() < 3 { Err(refusal.into()) } else { Ok(()) }
    }

    #[tokio::test]
    async fn how_a_try_ended_is_written_when_the_database_is_back() {
        let tries = Cell::new(0);
        until_written(|| refused_twice(&tries, Code::Busy)).await.unwrap();
        assert_eq!(tries.get(), 3);
        tries.set(0);
        until_written(|| refused_twice(&tries, Code::Internal)).await.unwrap_err();
        assert_eq!(tries.get(), 1, "it would be refused again");
    }

    #[test]
    fn what_fails_is_tried_five_times_and_what_is_unknown_twice() {
        let now = DateTime::UNIX_EPOCH;
        let (kind, road, is_unsure) = (String::new(), None, false);
        let ended = |tried, end| {
            let (id, kind) = (DeliveryId::new(), kind.clone());
            Ended { id, kind, road, tries: tried, tried, is_unsure, end, status: 0 }
        };
        let state = |tries, end| next(&ended(tries, end), now).0;
        let states: Vec<_> = (1..=5).map(|tries| state(tries, End::TryAgain(None))).collect();
        assert_eq!(states, [queries::QUEUED, queries::QUEUED, queries::QUEUED, queries::QUEUED, queries::DEAD]);
        assert_eq!((state(1, End::Unknown), state(2, End::Unknown)), (queries::QUEUED, queries::DEAD));
        assert_eq!(next(&ended(1, End::TryAgain(Some(600))), now).1, now + TimeDelta::seconds(600));
        assert_eq!(next(&ended(1, End::Sent), now), (queries::SENT, now, None));
        assert_eq!(next(&ended(2, End::Unwritten), now).0, queries::QUEUED);
        assert_eq!(next(&ended(5, End::Unwritten), now), (queries::DEAD, now, Some("unwritten")));
        assert_eq!(next(&ended(4, End::OtherWay("no_consent")), now), (queries::QUEUED, now, Some("no_consent")));
        assert_eq!(next(&ended(5, End::OtherWay("no_consent")), now), (queries::DEAD, now, Some("no_consent")));
        let stopped = |tries| ended(tries, End::Stopped(Stop::of("template", ("notice.published", None), 600)));
        assert_eq!(next(&stopped(9), now), (queries::QUEUED, now + TimeDelta::seconds(600), Some("stopped")));
        assert_eq!(next(&stopped(25), now).0, queries::DEAD);
        let sure = ended(2, End::TryAgain(None));
        let unsure = Ended { is_unsure: true, ..sure.clone() };
        assert_eq!((sure.is_unheard(), unsure.is_unheard()), (true, false), "the first try may have been heard");
        assert_eq!(next(&unsure, now).2, Some(UNKNOWN), "and the third will know");
        let anew = Ended { tries: 30, ..ended(1, End::TryAgain(None)) };
        assert_eq!(next(&anew, now).0, queries::QUEUED, "what was queued anew has all its tries");
    }
}
