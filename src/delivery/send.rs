//! One try of one delivery: claim, write the letter, call, settle.
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QuerySelect, QueryTrait, Set, sea_query::Expr,
};
use tokio::time::Instant;
use uuid::Uuid;

use super::{
    commands::{SEALED_FOR, end_waiting},
    letters, queries,
    rows::{attempt, delivery, webhook},
    rules,
};
use crate::{
    app::App,
    error::{Error, Result},
    gateways::{Address, Letter, Outcome},
    ids::{DeliveryId, WebhookId},
    store::Tx,
};

/// A try that is not settled within this time is given back.
const LEASE: TimeDelta = TimeDelta::seconds(60);

/// Whoever takes longer to answer is slow.
pub(super) const SLOW: Duration = Duration::from_secs(3);
/// An address that kept its try waiting in vain is left alone for so long.
const REST: TimeDelta = TimeDelta::seconds(30);

/// Tries one delivery, and says how long its address took to answer, or not to; `None`: it was not called. What cannot be
/// settled is given back when its lease runs out.
pub(super) async fn try_once(app: &App, id: DeliveryId) -> Option<Duration> {
    let tried = async {
        let Some(claimed) = app.store.write(move |tx| Box::pin(claim(tx, id))).await? else { return Ok(None) };
        let begun = Instant::now();
        let end = call(app, &claimed).await?;
        let took = end.as_ref().map(|_| begun.elapsed());
        count(&claimed.channel, end.as_ref());
        let is_gone = end.is_none();
        let is_quick = took.is_some_and(|took| took < SLOW);
        let hung = took.is_some_and(|took| took >= SLOW) && end.as_ref().is_some_and(is_silent);
        app.store
            .write(move |tx| {
                Box::pin(async move {
                    let target = address(&claimed)?;
                    settle(tx, claimed, end).await?;
                    if is_gone && is_removed(tx, target).await? {
                        return end_waiting(tx, target).await;
                    }
                    match (hung, is_quick) {
                        (true, _) => rest(tx, target, Some(tx.now() + REST)).await,
                        (_, true) => rest(tx, target, None).await,
                        _ => Ok(()),
                    }
                })
            })
            .await?;
        Ok::<_, Error>(took)
    };
    tried.await.unwrap_or_else(|error| {
        tracing::error!(%error, delivery = %id, "delivery");
        None
    })
}

/// Was there no answer at all?
fn is_silent(end: &Outcome) -> bool {
    matches!(end, Outcome::TryAgain { .. } | Outcome::Unknown) && end.status() == 0
}

/// Whatever else waits for this address would hang, too, and use up tries. The rest stands at the address, so that it costs the
/// same however much waits: when it is over one try decides, because an address has one under way at a time. One that answers
/// is as any other again.
async fn rest(tx: &Tx, target: WebhookId, until: Option<DateTime<Utc>>) -> Result<()> {
    let mut change = webhook::Entity::update_many()
        .col_expr(webhook::Column::RestsUntil, Expr::value(until))
        .filter(webhook::Column::Id.eq(target));
    if until.is_none() {
        change = change.filter(webhook::Column::RestsUntil.is_not_null());
    }
    change.exec(tx).await?;
    Ok(())
}

async fn is_removed(tx: &Tx, target: WebhookId) -> Result<bool> {
    let row = webhook::Entity::find_by_id(target).one(tx).await?;
    Ok(row.is_none_or(|row| row.removed_at.is_some()))
}

fn address(row: &delivery::Model) -> Result<WebhookId> {
    row.target_id.parse().map_err(Error::broken)
}

/// Takes the delivery, unless somebody else has it, or the address rests or has another try under way. A crash uses up a try,
/// so that a delivery which kills its worker comes to an end.
async fn claim(tx: &Tx, id: DeliveryId) -> Result<Option<delivery::Model>> {
    let now = tx.now();
    let Some(row) = delivery::Entity::find_by_id(id).one(tx).await? else { return Ok(None) };
    let to = webhook::Entity::find_by_id(address(&row)?).one(tx).await?;
    if to.is_some_and(|to| to.rests_until.is_some_and(|until| until > now)) {
        return Ok(None);
    }
    if row.tried() >= rules::TRIES {
        give_up(tx, id).await?;
        return Ok(None);
    }
    let under_way = delivery::Entity::find()
        .select_only()
        .column(delivery::Column::TargetId)
        .filter(delivery::Column::TargetId.eq(&row.target_id))
        .filter(delivery::Column::State.eq(queries::SENDING))
        .into_query();
    let claimed = delivery::Entity::update_many()
        .col_expr(delivery::Column::State, Expr::value(queries::SENDING))
        .col_expr(delivery::Column::Tries, Expr::col(delivery::Column::Tries).add(1))
        .col_expr(delivery::Column::DueAt, Expr::value(now + LEASE))
        .filter(delivery::Column::Id.eq(id))
        .filter(delivery::Column::State.eq(queries::QUEUED))
        .filter(delivery::Column::DueAt.lte(now))
        .filter(delivery::Column::TargetId.not_in_subquery(under_way))
        .exec_with_returning(tx)
        .await?;
    Ok(claimed.into_iter().next())
}

/// The last of its tries did not come back to say how it went, as those before it.
async fn give_up(tx: &Tx, id: DeliveryId) -> Result<()> {
    delivery::Entity::update_many()
        .col_expr(delivery::Column::State, Expr::value(queries::DEAD))
        .filter(delivery::Column::Id.eq(id))
        .filter(delivery::Column::State.eq(queries::QUEUED))
        .filter(delivery::Column::DueAt.lte(tx.now()))
        .exec(tx)
        .await?;
    Ok(())
}

/// How a try ended; `None`: there is nothing to be sent any more.
async fn call(app: &App, claimed: &delivery::Model) -> Result<Option<Outcome>> {
    let standing = webhook::Entity::find_by_id(address(claimed)?).filter(webhook::Column::RemovedAt.is_null());
    let Some(webhook) = standing.one(app.store.read()).await? else { return Ok(None) };
    let Some(body) = letters::to_webhook(app, &claimed.kind, &claimed.subject_id).await? else { return Ok(None) };
    let secret = app.keys.unseal(SEALED_FOR, &webhook.secret_sealed)?;
    let to = Address::Hook { url: webhook.url, secret };
    let letter = Letter { id: claimed.id.to_string(), body, ..Letter::default() };
    Ok(Some(app.gateways.send(&to, &letter, app.now()).await))
}

fn count(channel: &str, end: Option<&Outcome>) {
    match end {
        Some(Outcome::Sent { .. }) => metrics::counter!("sends_ok_total", "channel" => channel.to_owned()).increment(1),
        Some(_) => metrics::counter!("sends_failed_total", "channel" => channel.to_owned()).increment(1),
        None => {}
    }
}

/// Writes down the try and what becomes of the delivery; counts even when the lease ran out, unless another try took
/// it meanwhile (a claim makes `tries` grow).
async fn settle(tx: &Tx, claimed: delivery::Model, end: Option<Outcome>) -> Result<()> {
    let now = tx.now();
    if let Some(outcome) = &end {
        let row = attempt::ActiveModel {
            id: Set(Uuid::now_v7()),
            delivery_id: Set(claimed.id),
            outcome: Set(outcome.word().to_owned()),
            status: Set(i32::try_from(outcome.status()).unwrap_or_default()),
            at: Set(now),
        };
        row.insert(tx).await?;
    }
    let (state, due_at) = next(&claimed, end.as_ref(), now);
    let mut change = delivery::Entity::update_many()
        .col_expr(delivery::Column::State, Expr::value(state))
        .col_expr(delivery::Column::DueAt, Expr::value(due_at));
    if state == queries::SENT {
        change = change.col_expr(delivery::Column::SentAt, Expr::value(now));
    }
    change
        .filter(delivery::Column::Id.eq(claimed.id))
        .filter(delivery::Column::State.is_in([queries::SENDING, queries::QUEUED]))
        .filter(delivery::Column::Tries.eq(claimed.tries))
        .exec(tx)
        .await?;
    Ok(())
}

fn next(claimed: &delivery::Model, end: Option<&Outcome>, now: DateTime<Utc>) -> (&'static str, DateTime<Utc>) {
    match end {
        None => (queries::CANCELLED, now),
        Some(Outcome::Sent { .. }) => (queries::SENT, now),
        Some(Outcome::Never { .. } | Outcome::AddressOff { .. } | Outcome::Held { .. }) => (queries::DEAD, now),
        Some(Outcome::TryAgain { after_secs, .. }) => again(claimed, *after_secs, now),
        // the receiver drops repeats by the id
        Some(Outcome::Unknown) => again(claimed, None, now),
        Some(Outcome::Broken { after_secs, .. }) => again(claimed, Some(*after_secs), now),
    }
}

fn again(claimed: &delivery::Model, after_secs: Option<u32>, now: DateTime<Utc>) -> (&'static str, DateTime<Utc>) {
    // the random half of the id, so that the wait is drawn and yet the same when computed again
    let (_, seed) = claimed.id.0.as_u64_pair();
    rules::wait_after(claimed.tried(), seed, after_secs)
        .map_or((queries::DEAD, now), |wait| (queries::QUEUED, now + wait))
}
