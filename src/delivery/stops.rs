//! What a provider does not send at all now: one template, or everything. Its rows wait together, and one try decides.
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, QuerySelect, Set,
    sea_query::{Expr, OnConflict},
};

use super::{
    claim::Verdict,
    queries::QUEUED,
    rows::{delivery, stopped},
    rules::ladder::Channel,
    settle::UNKNOWN,
    ways::Ways,
};
use crate::{error::Result, gateways::wechat::WechatApp, ids::DeliveryId, store::Tx, wechat::ledger::Ticket};

const STOPPED: &str = "stopped";
/// The whole channel.
const EVERYTHING: &str = "";
/// The one try is given so long.
const PROBE: TimeDelta = TimeDelta::minutes(3);

/// So many rows are moved in one unit of work; the others are held back as they are claimed, and by [`tidy`].
const PIECE: u64 = 1000;
/// It is over, and what waits for it is being let go.
const OVER: DateTime<Utc> = DateTime::UNIX_EPOCH;

/// What a provider said that it does not send.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Stop {
    /// See [`key`].
    key: String,
    after_secs: u32,
}

/// The kind whose template it is, or nothing for the whole channel; of the two accounts of WeChat each has its own.
fn key(kind: &str, account: Option<WechatApp>) -> String {
    match account {
        Some(account) => format!("{kind}@{}", account.as_str()),
        None => kind.to_owned(),
    }
}

/// The kind, and whether it is for one account alone.
fn parts(key: &str) -> (&str, bool) {
    match key.split_once('@') {
        Some((kind, _)) => (kind, true),
        None => (key, false),
    }
}

impl Stop {
    /// By the stable name of why everybody is concerned.
    pub(super) fn of(why: &str, (kind, account): (&str, Option<WechatApp>), after_secs: u32) -> Self {
        Self { key: key(if why == "template" { kind } else { EVERYTHING }, account), after_secs }
    }

    /// Is it one template alone, and the provider well?
    pub(super) fn is_template(&self) -> bool {
        parts(&self.key).0 != EVERYTHING
    }

    pub(super) fn until(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        now + TimeDelta::seconds(self.after_secs.into())
    }
}

/// What is stopped waits; when its time has come, one row of it goes out.
pub(super) async fn hold_back(
    tx: &Tx,
    (channel, rows, ways): (Channel, &[delivery::Model], &Ways<'_>),
    verdicts: &mut [(usize, Verdict)],
) -> Result<()> {
    let now = tx.now();
    for stop in of_channel(tx, channel.as_str()).await?.into_iter().filter(|stop| stop.until > OVER) {
        let is_held = |row: &delivery::Model| {
            let way = ways.found(row.id);
            let account = way.map(Ticket::app);
            // what is said in the conversation needs no template
            let is_templated = way.is_none_or(Ticket::is_templated);
            stop.kind == key(EVERYTHING, account) || (is_templated && stop.kind == key(&row.kind, account))
        };
        let held: Vec<usize> = (0..verdicts.len())
            .filter(|at| verdicts[*at].1 == Verdict::Send && is_held(&rows[verdicts[*at].0]))
            .collect();
        if held.is_empty() {
            continue;
        }
        let (mut until, mut tries) = (stop.until, 0);
        if until <= now {
            until = now + PROBE;
            let probe = stopped::Entity::update_many()
                .col_expr(stopped::Column::Until, Expr::value(until))
                .filter(stopped::Column::Channel.eq(&stop.channel))
                .filter(stopped::Column::Kind.eq(&stop.kind))
                .filter(stopped::Column::Until.lte(now));
            tries = usize::from(probe.exec(tx).await?.rows_affected == 1);
        }
        for at in held.into_iter().skip(tries) {
            verdicts[at].1 = Verdict::Later(until, STOPPED);
        }
    }
    Ok(())
}

async fn of_channel(tx: &Tx, channel: &str) -> Result<Vec<stopped::Model>> {
    Ok(stopped::Entity::find().filter(stopped::Column::Channel.eq(channel)).all(tx).await?)
}

/// Nothing of this is sent until then; what waits, waits together.
pub(super) async fn stop(tx: &Tx, channel: &str, stops: Vec<Stop>) -> Result<()> {
    for stop in stops {
        let until = stop.until(tx.now());
        let row =
            stopped::ActiveModel { channel: Set(channel.to_owned()), kind: Set(stop.key.clone()), until: Set(until) };
        let again = OnConflict::columns([stopped::Column::Channel, stopped::Column::Kind])
            .update_column(stopped::Column::Until)
            .to_owned();
        stopped::Entity::insert(row).on_conflict(again).exec_without_returning(tx).await?;
        hold(tx, (channel, &stop.key), until).await?;
    }
    Ok(())
}

/// The provider took one of these kinds: what waited for that is due.
pub(super) async fn go_on(tx: &Tx, channel: &str, kinds: Vec<(&str, Option<WechatApp>)>) -> Result<()> {
    let mut keys: Vec<String> =
        kinds.into_iter().flat_map(|(kind, account)| [key(EVERYTHING, account), key(kind, account)]).collect();
    keys.sort();
    keys.dedup();
    if keys.is_empty() {
        return Ok(());
    }
    let over = stopped::Entity::update_many()
        .col_expr(stopped::Column::Until, Expr::value(OVER))
        .filter(stopped::Column::Channel.eq(channel))
        .filter(stopped::Column::Kind.is_in(keys))
        .exec_with_returning(tx)
        .await?;
    if over.is_empty() || is_shut(&of_channel(tx, channel).await?, tx.now()) {
        return Ok(());
    }
    for stop in over {
        let_go(tx, &stop).await?;
    }
    Ok(())
}

/// Is everything of a channel, or of one of its accounts, stopped now? What is let go then would be held back again at
/// once, and let go once more, for as long as it lasts.
fn is_shut(stops: &[stopped::Model], now: DateTime<Utc>) -> bool {
    stops.iter().any(|stop| parts(&stop.kind).0 == EVERYTHING && stop.until > now)
}

/// Moves the next of what waits for a stop, or for its end. Says whether there may be more.
pub(super) async fn tidy(tx: &Tx, channel: Channel) -> Result<bool> {
    let mut is_more = false;
    let stops = of_channel(tx, channel.as_str()).await?;
    let holds_all = is_shut(&stops, tx.now());
    for stop in stops {
        is_more |= if stop.until == OVER {
            !holds_all && let_go(tx, &stop).await?
        } else {
            stop.until > tx.now() && hold(tx, (&stop.channel, &stop.kind), stop.until).await?
        };
    }
    Ok(is_more)
}

/// Which of the two accounts a row will go by is known when it is claimed: there it is held back.
async fn hold(tx: &Tx, (channel, key): (&str, &str), until: DateTime<Utc>) -> Result<bool> {
    let (kind, is_of_account) = parts(key);
    if is_of_account {
        return Ok(false);
    }
    let early = delivery::Column::DueAt.lt(until);
    move_piece(tx, (of_kind(channel, kind).add(early), until)).await
}

/// The stop is gone when nothing waits for it.
async fn let_go(tx: &Tx, stop: &stopped::Model) -> Result<bool> {
    let later = delivery::Column::DueAt.gt(tx.now());
    let waits = of_kind(&stop.channel, parts(&stop.kind).0).add(delivery::Column::Reason.eq(STOPPED)).add(later);
    let is_more = move_piece(tx, (waits, tx.now())).await?;
    if !is_more {
        stopped::Entity::delete_by_id((stop.channel.clone(), stop.kind.clone()))
            .filter(stopped::Column::Until.eq(OVER))
            .exec(tx)
            .await?;
    }
    Ok(is_more)
}

/// Moves as many rows as one unit of work may, to another time; says whether there may be more.
async fn move_piece(tx: &Tx, (waits, at): (Condition, DateTime<Utc>)) -> Result<bool> {
    let piece = delivery::Entity::find()
        .select_only()
        .column(delivery::Column::Id)
        .filter(waits)
        .limit(PIECE)
        .into_tuple::<DeliveryId>()
        .all(tx)
        .await?;
    let is_more = piece.len() as u64 == PIECE;
    if !piece.is_empty() {
        delivery::Entity::update_many()
            .col_expr(delivery::Column::DueAt, Expr::value(at))
            .col_expr(delivery::Column::Reason, Expr::value(STOPPED))
            .filter(delivery::Column::Id.is_in(piece))
            .filter(delivery::Column::State.eq(QUEUED))
            .exec(tx)
            .await?;
    }
    Ok(is_more)
}

/// What waits of a kind on its own; of what may have been heard that is not forgotten.
fn of_kind(channel: &str, kind: &str) -> Condition {
    let of_kind = (kind != EVERYTHING).then(|| delivery::Column::Kind.eq(kind));
    let is_known = delivery::Column::Reason.is_null().or(delivery::Column::Reason.ne(UNKNOWN));
    Condition::all()
        .add(delivery::Column::Channel.eq(channel))
        .add(delivery::Column::State.eq(QUEUED))
        .add(delivery::Column::CarriedBy.is_null())
        .add(is_known)
        .add_option(of_kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_is_for_a_kind_and_an_account() {
        let of = |why, account| Stop::of(why, ("notice.published", account), 60);
        let (sms, wechat) = (of("template", None), of("template", Some(WechatApp::Mini)));
        assert_eq!((sms.key.as_str(), wechat.key.as_str()), ("notice.published", "notice.published@mini"));
        assert_eq!((of("quota", None).key.as_str(), of("quota", Some(WechatApp::Mini)).key.as_str()), ("", "@mini"));
        assert!(sms.is_template() && wechat.is_template());
        assert!(!of("quota", None).is_template() && !of("account", Some(WechatApp::Official)).is_template());
    }
}
