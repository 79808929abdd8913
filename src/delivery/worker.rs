//! The worker of webhooks: offers what is due to the queue, takes from the queue, tries 32 at a time, of slow addresses a few.
use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use futures_util::{StreamExt, stream::BoxStream};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use tokio::{sync::mpsc, task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{broadcast, lanes::Lanes, pool, queries, rows::delivery, rules::ladder::Channel, send};
use crate::{app::App, broker::Bell, error::Result, ids::DeliveryId, store::Tx};

/// Name of the queue.
const QUEUE: &str = "deliveries";
const SWEEP: Duration = Duration::from_secs(2);
/// What was offered is not offered again within this time: by then it is under way, or lost with its broker.
const OFFER_AGAIN: Duration = Duration::from_secs(3);
const TAKE: usize = 32;
const WAIT_MS: u64 = 2000;
/// Tries under way at most.
const CONCURRENT: usize = 32;
/// Batches on the way from the queue to the lanes; a full one makes the taker wait.
const BATCHES: usize = 4;

pub(super) type Ids = Vec<DeliveryId>;

/// Works until told to stop, then waits for the tries under way: webhooks, loudspeakers and each channel to people by
/// themselves.
pub async fn run(app: App, stop: CancellationToken) {
    tokio::join!(
        webhooks(app.clone(), stop.clone()),
        broadcast::run(app.clone(), stop.clone()),
        pool::run(app.clone(), Channel::Sms, stop.clone()),
        pool::run(app, Channel::Wechat, stop),
    );
}

async fn webhooks(app: App, stop: CancellationToken) {
    let (to_lanes, taken) = mpsc::channel::<Ids>(BATCHES);
    tokio::join!(
        offer(&app, to_lanes.clone(), &stop),
        take(&app, QUEUE, to_lanes, &stop),
        send_all(&app, taken, &stop),
    );
}

/// Offers what is due: after every commit that planned something, and every two seconds in case that was not heard.
async fn offer(app: &App, to_lanes: mpsc::Sender<Ids>, stop: &CancellationToken) {
    let mut offered = HashMap::new();
    let mut bells = app.broker.bells();
    while !stop.is_cancelled() {
        let began = Instant::now();
        if let Err(error) = offer_due(app, &mut offered, &to_lanes).await {
            tracing::error!(%error, "deliveries not offered");
        }
        // where much waits, looking through it takes a quarter of the time at most, however often somebody plans
        tokio::time::sleep(Ord::min(began.elapsed() * 3, SWEEP)).await;
        tokio::select! {
            () = tokio::time::sleep(SWEEP) => {}
            () = planned(&mut bells) => {}
            () = stop.cancelled() => {}
        }
    }
}

/// Waits until somebody planned deliveries.
pub(super) async fn planned(bells: &mut BoxStream<'static, Bell>) {
    while let Some(bell) = bells.next().await {
        if matches!(bell, Bell::Deliveries | Bell::Missed) {
            return;
        }
    }
    std::future::pending().await
}

async fn offer_due(app: &App, offered: &mut HashMap<DeliveryId, Instant>, to_lanes: &mpsc::Sender<Ids>) -> Result<()> {
    let now = app.now();
    if queries::has_stuck(app.store.read(), now).await? {
        app.store.write(|tx| Box::pin(give_back(tx))).await?;
    }
    offered.retain(|_, at| at.elapsed() < OFFER_AGAIN);
    let mut due = queries::due(app.store.read(), now).await?;
    due.retain(|id| !offered.contains_key(id));
    if due.is_empty() {
        return Ok(());
    }
    let texts: Vec<String> = due.iter().map(ToString::to_string).collect();
    if let Err(error) = app.broker.push(QUEUE, &texts).await {
        tracing::warn!(%error, "no queue: this process sends by itself");
        // full: the next sweep comes soon
        if to_lanes.try_send(due).is_err() {
            return Ok(());
        }
    }
    let at = Instant::now();
    offered.extend(texts.iter().filter_map(|text| text.parse().ok()).map(|id: DeliveryId| (id, at)));
    Ok(())
}

/// A worker that claimed and died: its tries are due again.
async fn give_back(tx: &Tx) -> Result<()> {
    delivery::Entity::update_many()
        .col_expr(delivery::Column::State, Expr::value(queries::QUEUED))
        .filter(delivery::Column::Channel.eq(queries::WEBHOOK))
        .filter(delivery::Column::State.eq(queries::SENDING))
        .filter(delivery::Column::DueAt.lte(tx.now()))
        .exec(tx)
        .await?;
    Ok(())
}

/// Takes ids from the queue for as long as the lanes have room.
pub(super) async fn take(app: &App, queue: &str, to_lanes: mpsc::Sender<Ids>, stop: &CancellationToken) {
    loop {
        let taken = tokio::select! {
            taken = app.broker.take(queue, TAKE, WAIT_MS) => taken,
            () = stop.cancelled() => return,
        };
        let Ok(jobs) = taken else {
            // an unreachable broker answers at once
            tokio::time::sleep(Duration::from_millis(500)).await;
            continue;
        };
        if jobs.is_empty() {
            continue;
        }
        let ids = jobs.iter().filter_map(|job| job.id.parse().ok()).collect();
        let tickets: Vec<String> = jobs.into_iter().map(|job| job.ticket).collect();
        tokio::select! {
            _ = to_lanes.send(ids) => {}
            () = stop.cancelled() => return,
        }
        // done already: the row says what is to be done, and the sweep offers it again if this process dies
        if let Err(error) = app.broker.done(queue, &tickets).await {
            tracing::warn!(%error, "taken jobs come again");
        }
    }
}

/// The log has where, just before this; the others go on.
pub(super) fn panicked(task: &'static str) {
    tracing::error!(task, "a try panicked");
    metrics::counter!("task_panics_total", "task" => task).increment(1);
}

async fn send_all(app: &App, mut taken: mpsc::Receiver<Ids>, stop: &CancellationToken) {
    let hanging = queries::hanging(app.store.read()).await.unwrap_or_else(|error| {
        tracing::error!(%error, "who hangs is found out anew");
        HashSet::new()
    });
    let mut lanes = Lanes::knowing(hanging);
    let mut under_way = JoinSet::new();
    let mut lane_of = HashMap::new();
    loop {
        while under_way.len() < CONCURRENT {
            let Some((target, id)) = lanes.next() else { break };
            let app = app.clone();
            let handle = under_way.spawn(async move { send::try_once(&app, id).await });
            lane_of.insert(handle.id(), (target, id));
        }
        tokio::select! {
            Some(ids) = taken.recv(), if lanes.has_room() => {
                match queries::targets(app.store.read(), ids, app.now()).await {
                    Ok(found) => found.into_iter().for_each(|(target, id)| lanes.add(target, id)),
                    Err(error) => tracing::error!(%error, "deliveries not read"),
                }
            }
            Some(ended) = under_way.join_next_with_id() => {
                // a try that panicked frees its lane like any other; its lease runs out
                let (task, took) = ended.unwrap_or_else(|error| {
                    panicked(QUEUE);
                    (error.id(), None)
                });
                if let Some((target, id)) = lane_of.remove(&task) {
                    if let Some(took) = took {
                        lanes.answered(&target, took >= send::SLOW);
                    }
                    lanes.done(target, id);
                }
            }
            () = stop.cancelled() => break,
        }
    }
    while under_way.join_next().await.is_some() {}
}
