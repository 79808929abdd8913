//! What a provider does not send at all now: one template, or everything. Its rows wait together, and one try decides.
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, Set,
    sea_query::{Expr, OnConflict},
};

use super::{
    claim::Verdict,
    queries::QUEUED,
    rows::{delivery, stopped},
    rules::ladder::Channel,
};
use crate::{error::Result, store::Tx};

const STOPPED: &str = "stopped";
/// The whole channel.
const EVERYTHING: &str = "";
/// The one try is given so long.
const PROBE: TimeDelta = TimeDelta::minutes(3);

/// What a provider said that it does not send.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Stop {
    /// The kind whose template it is; nothing: the whole channel.
    kind: String,
    after_secs: u32,
}

impl Stop {
    /// By the stable name of why everybody is concerned.
    pub(super) fn of(why: &str, kind: &str, after_secs: u32) -> Self {
        let kind = if why == "template" { kind } else { EVERYTHING };
        Self { kind: kind.to_owned(), after_secs }
    }

    /// Is it one template alone, and the provider well?
    pub(super) fn is_template(&self) -> bool {
        self.kind != EVERYTHING
    }

    pub(super) fn until(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        now + TimeDelta::seconds(self.after_secs.into())
    }
}

/// What is stopped waits; when its time has come, one row of it goes out.
pub(super) async fn hold_back(
    tx: &Tx,
    (channel, rows): (Channel, &[delivery::Model]),
    verdicts: &mut [(usize, Verdict)],
) -> Result<()> {
    let of_channel = stopped::Column::Channel.eq(channel.as_str());
    let now = tx.now();
    for stop in stopped::Entity::find().filter(of_channel).all(tx).await? {
        let is_held = |row: &delivery::Model| stop.kind == EVERYTHING || row.kind == stop.kind;
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

/// Nothing of this is sent until then; what waits, waits together.
pub(super) async fn stop(tx: &Tx, channel: &str, stops: Vec<Stop>) -> Result<()> {
    for stop in stops {
        let until = stop.until(tx.now());
        let row =
            stopped::ActiveModel { channel: Set(channel.to_owned()), kind: Set(stop.kind.clone()), until: Set(until) };
        let again = OnConflict::columns([stopped::Column::Channel, stopped::Column::Kind])
            .update_column(stopped::Column::Until)
            .to_owned();
        stopped::Entity::insert(row).on_conflict(again).exec_without_returning(tx).await?;
        delivery::Entity::update_many()
            .col_expr(delivery::Column::DueAt, Expr::value(until))
            .col_expr(delivery::Column::Reason, Expr::value(STOPPED))
            .filter(of_kind(channel, &stop.kind))
            .filter(delivery::Column::DueAt.lt(until))
            .exec(tx)
            .await?;
    }
    Ok(())
}

/// The provider took one of these kinds: what waited for that is due.
pub(super) async fn go_on(tx: &Tx, channel: &str, kinds: Vec<String>) -> Result<()> {
    if kinds.is_empty() {
        return Ok(());
    }
    let known = stopped::Entity::find().filter(stopped::Column::Channel.eq(channel)).all(tx).await?;
    let is_over = |kind: &String| kind == EVERYTHING || kinds.contains(kind);
    let over: Vec<String> = known.into_iter().map(|row| row.kind).filter(is_over).collect();
    for kind in over {
        stopped::Entity::delete_by_id((channel.to_owned(), kind.clone())).exec(tx).await?;
        delivery::Entity::update_many()
            .col_expr(delivery::Column::DueAt, Expr::value(tx.now()))
            .filter(of_kind(channel, &kind))
            .filter(delivery::Column::Reason.eq(STOPPED))
            .exec(tx)
            .await?;
    }
    Ok(())
}

/// What waits of a kind.
fn of_kind(channel: &str, kind: &str) -> Condition {
    let of_kind = (kind != EVERYTHING).then(|| delivery::Column::Kind.eq(kind));
    Condition::all()
        .add(delivery::Column::Channel.eq(channel))
        .add(delivery::Column::State.eq(QUEUED))
        .add_option(of_kind)
}
