//! The workers of one channel to people: a queue, lanes, a breaker and a pace of its own, so that no channel waits for
//! another; the pace is that of the provider, whichever process calls it.
//!
//! # Why
//! What waits may be a county's people, so it is offered in the order of its dates from a place onwards, and only while
//! the queue is short: the database holds the rest, and the queue is never cut. When the queue has run empty, the offering
//! begins from the front again; that finds what a wiped or restarted Redis has lost. Sends to one person take turns in a
//! lane. A try whose lease has nearly run out before it was begun is not begun: a worker that was frozen wakes up late.
use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, Utc};
use tokio::{
    sync::mpsc,
    task::{self, JoinError, JoinSet},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use super::{
    claim::{self, Taken},
    dial,
    lanes::Lanes,
    letters, queries,
    rules::{breaker::Breaker, ladder::Channel},
    settle::{self, End, Ended},
    stops,
    worker::{self, Ids, planned},
};
use crate::{
    app::App,
    error::Result,
    gateways::Letter,
    ids::{AnnouncementId, DeliveryId},
};

const SWEEP: Duration = Duration::from_secs(2);
/// Offered while fewer than this wait in the queue.
const ADMITTED: usize = 2048;
/// Offered at once.
const OFFERED: usize = 512;
/// Tries under way in one channel.
const AT_ONCE: usize = 64;
/// Moved at one sweep.
const PIECES: usize = 20;
/// Looked at so often, when nothing happens.
const IDLE: Duration = Duration::from_millis(100);
/// Of the lease; a try is not begun after it.
const BEGIN_WITHIN: Duration = Duration::from_secs(4);

/// Works until told to stop, then settles the tries under way.
pub(super) async fn run(app: App, channel: Channel, stop: CancellationToken) {
    let (to_lanes, taken) = mpsc::channel::<Ids>(4);
    let queue = queue(channel);
    tokio::join!(
        offer((&app, channel), to_lanes.clone(), &stop),
        worker::take(&app, &queue, to_lanes, &stop),
        send_all((&app, channel), taken, &stop),
    );
}

fn queue(channel: Channel) -> String {
    format!("to-people:{}", channel.as_str())
}

type Place = Option<(DateTime<Utc>, DeliveryId)>;

async fn offer((app, channel): (&App, Channel), to_lanes: mpsc::Sender<Ids>, stop: &CancellationToken) {
    let (mut place, mut bells) = (None, app.broker.bells());
    let mut swept = Instant::now();
    while !stop.is_cancelled() {
        if swept.elapsed() >= SWEEP {
            swept = Instant::now();
            if let Err(error) = give_back((app, channel)).await {
                tracing::error!(%error, "leases not looked at");
            }
            if let Err(error) = tidy((app, channel)).await {
                tracing::error!(%error, channel = channel.as_str(), "what waits for a provider was not moved");
            }
        }
        let offered = offer_some((app, channel), &mut place, &to_lanes);
        let pause = match offered.await {
            Ok(true) => Duration::from_millis(50),
            Ok(false) => SWEEP,
            Err(error) => {
                tracing::error!(%error, channel = channel.as_str(), "deliveries not offered");
                SWEEP
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            // a flood of them is looked at once in a while
            () = planned(&mut bells), if pause == SWEEP => tokio::time::sleep(Duration::from_millis(50)).await,
            () = stop.cancelled() => {}
        }
    }
}

/// Mostly no lease has run out, for which the writer's turn is not taken.
async fn give_back((app, channel): (&App, Channel)) -> Result<()> {
    if settle::has_stuck(app.store.read(), channel, app.now()).await? {
        app.store.write(move |tx| Box::pin(settle::give_back(tx, channel))).await?;
    }
    Ok(())
}

/// What waits for a stop or its end is moved in pieces, each a unit of its own.
async fn tidy((app, channel): (&App, Channel)) -> Result<()> {
    if !stops::is_any(app.store.read(), channel).await? {
        return Ok(());
    }
    for _ in 0..PIECES {
        if !app.store.write(move |tx| Box::pin(stops::tidy(tx, channel))).await? {
            break;
        }
    }
    Ok(())
}

/// Offers the next that are due. Says whether there may be more.
async fn offer_some((app, channel): (&App, Channel), place: &mut Place, to_lanes: &mpsc::Sender<Ids>) -> Result<bool> {
    let queue = queue(channel);
    let waiting = app.broker.depth(&queue).await;
    let room = match waiting {
        Ok(waiting) if waiting >= ADMITTED => return Ok(true),
        Ok(waiting) => (ADMITTED - waiting).min(OFFERED),
        Err(_) => OFFERED,
    };
    let due = queries::due_after(app.store.read(), channel, (app.now(), *place), room as u64).await?;
    let is_end = due.len() < room;
    *place = if is_end { None } else { due.last().copied() };
    let ids: Ids = due.into_iter().map(|(_, id)| id).collect();
    if ids.is_empty() {
        return Ok(false);
    }
    let texts: Vec<String> = ids.iter().map(ToString::to_string).collect();
    if waiting.is_err() || app.broker.push(&queue, &texts).await.is_err() {
        // no queue: this process sends by itself, and waits until there is room
        to_lanes.send(ids).await.ok();
    }
    Ok(!is_end)
}

async fn send_all((app, channel): (&App, Channel), mut taken: mpsc::Receiver<Ids>, stop: &CancellationToken) {
    let mut hands = Hands::new(channel);
    while !stop.is_cancelled() {
        let is_more = match hands.begin(app).await {
            Ok(is_more) => is_more,
            Err(error) => {
                tracing::error!(%error, channel = channel.as_str(), "deliveries not claimed");
                tokio::time::sleep(Duration::from_millis(200)).await;
                false
            }
        };
        let idle = if is_more { Duration::ZERO } else { IDLE };
        tokio::select! {
            Some(ids) = taken.recv(), if hands.lanes.has_room() => hands.sort(app, ids).await,
            Some(ended) = hands.under_way.join_next_with_id() => hands.settle(app, ended).await,
            () = tokio::time::sleep(idle) => {}
            () = stop.cancelled() => break,
        }
    }
    while let Some(ended) = hands.under_way.join_next_with_id().await {
        hands.settle(app, ended).await;
    }
}

/// Written once for all who are told the same. What cannot be written is left out, and holds up nothing else.
async fn written(app: &App, claimed: &[Taken]) -> HashMap<AnnouncementId, Arc<Letter>> {
    let mut letters: HashMap<AnnouncementId, Option<Arc<Letter>>> = HashMap::new();
    let mut all: Vec<_> = claimed.iter().map(|one| &one.told).collect();
    all.extend(claimed.iter().flat_map(|one| &one.carried));
    for told in all {
        if let Entry::Vacant(place) = letters.entry(told.id) {
            let letter = letters::to_people(app, told).await;
            place.insert(match letter {
                Ok(letter) => Some(Arc::new(letter)),
                Err(error) => {
                    tracing::error!(%error, announcement = %told.id, "a letter was not written");
                    None
                }
            });
        }
    }
    letters.into_iter().filter_map(|(id, letter)| Some((id, letter?))).collect()
}

/// How the task of a try ended.
type Over = std::result::Result<(task::Id, Ended), JoinError>;

/// What this process is sending through one channel.
struct Hands {
    channel: Channel,
    lanes: Lanes,
    under_way: JoinSet<Ended>,
    /// Of each try that is under way.
    lane_of: HashMap<task::Id, (String, DeliveryId)>,
    breaker: Breaker,
    since: Instant,
}

impl Hands {
    fn new(channel: Channel) -> Self {
        Self {
            channel,
            lanes: Lanes::default(),
            under_way: JoinSet::new(),
            lane_of: HashMap::new(),
            breaker: Breaker::default(),
            since: Instant::now(),
        }
    }

    async fn sort(&mut self, app: &App, ids: Ids) {
        match queries::targets(app.store.read(), ids, app.now()).await {
            Ok(found) => found.into_iter().for_each(|(target, id)| self.lanes.add(target, id)),
            Err(error) => tracing::error!(%error, "deliveries not read"),
        }
    }

    /// Begins as many as the provider may be asked for now. What the claim ended or put off has cost it nothing: says whether
    /// the next may be claimed at once, because of that.
    async fn begin(&mut self, app: &App) -> Result<bool> {
        let free = AT_ONCE - self.under_way.len();
        // a few free hands are not worth a unit of work of their own
        if free < AT_ONCE / 4 {
            return Ok(false);
        }
        let wanted = self.breaker.allow(self.since.elapsed(), free.min(self.lanes.ready()));
        let (pace, a_second) = (queue(self.channel), app.config.sends_per_second);
        let allowed = app.broker.allow(&pace, wanted, a_second).await;
        if wanted > 0 && allowed == 0 {
            self.breaker.untried();
        }
        let begun = self.begin_some(app, allowed).await;
        let spared = allowed - begun.as_ref().map_or(0, |(count, _)| *count);
        if spared > 0 {
            app.broker.spare(&pace, spared, a_second).await;
        }
        begun.map(|(_, is_more)| is_more)
    }

    /// Claims so many at most, in one unit of work, and begins them. Says how many were begun, and whether the next may be
    /// claimed at once.
    async fn begin_some(&mut self, app: &App, wanted: usize) -> Result<(usize, bool)> {
        let mut chosen = Vec::with_capacity(wanted);
        while chosen.len() < wanted {
            let Some(next) = self.lanes.next() else { break };
            chosen.push(next);
        }
        if chosen.is_empty() {
            return Ok((0, false));
        }
        let (channel, ids) = (self.channel, chosen.iter().map(|(_, id)| *id).collect());
        let claimed_at = Instant::now();
        let gateways = app.gateways.clone();
        let claimed =
            app.store.write(move |tx| Box::pin(async move { claim::claim(tx, &gateways, (channel, ids)).await })).await;
        let mut claimed: Vec<Taken> = match claimed {
            Ok(claimed) => claimed,
            Err(error) => {
                self.leave(chosen);
                return Err(error);
            }
        };
        if claimed.is_empty() {
            self.breaker.untried();
        }
        let (begun, is_idle) = (claimed.len(), claimed.len() < chosen.len());
        let letters = written(app, &claimed).await;
        for (target, id) in chosen {
            let Some(at) = claimed.iter().position(|one| one.row.id == id) else {
                self.lanes.done(target, id);
                continue;
            };
            let (one, app) = (claimed.swap_remove(at), app.clone());
            let letter = letters::composed(&letters, &one);
            let handle = self.under_way.spawn(async move {
                let end = match letter {
                    None => (End::Unwritten, 0),
                    Some(_) if claimed_at.elapsed() >= BEGIN_WITHIN => (End::NotBegun, 0),
                    Some(letter) => dial::call(&app, channel, (&one, &letter)).await,
                };
                Ended::of(&one, end)
            });
            self.lane_of.insert(handle.id(), (target, id));
        }
        Ok((begun, is_idle && self.lanes.ready() > 0))
    }

    /// These are not begun.
    fn leave(&mut self, chosen: Vec<(String, DeliveryId)>) {
        chosen.into_iter().for_each(|(target, id)| self.lanes.done(target, id));
        self.breaker.untried();
    }

    /// Frees the lane of a try that is over, also of one that panicked: nobody knows its end, and its lease runs out.
    fn over(&mut self, ended: Over) -> Option<Ended> {
        let (task, ended) = ended.map_or_else(|error| (error.id(), None), |(task, ended)| (task, Some(ended)));
        if let Some((target, id)) = self.lane_of.remove(&task) {
            self.lanes.done(target, id);
        }
        if ended.is_none() {
            worker::panicked(self.channel.as_str());
            self.breaker.untried();
        }
        ended
    }

    /// Settles what has ended, all in one unit of work, before anything new is begun. What cannot be settled is given back when
    /// its lease runs out.
    async fn settle(&mut self, app: &App, first: Over) {
        let mut all: Vec<Ended> = self.over(first).into_iter().collect();
        while let Some(next) = self.under_way.try_join_next_with_id() {
            all.extend(self.over(next));
        }
        for one in &all {
            if one.is_uncalled() {
                self.breaker.untried();
                continue;
            }
            let is_well = match &one.end {
                End::TryAgain(_) | End::Unknown => false,
                End::Stopped(stop) => stop.is_partial(),
                _ => true,
            };
            self.breaker.ended(self.since.elapsed(), is_well);
            let counter = if one.end == End::Sent { "sends_ok_total" } else { "sends_failed_total" };
            metrics::counter!(counter, "channel" => self.channel.as_str()).increment(1);
        }
        if all.is_empty() {
            return;
        }
        let channel = self.channel;
        let store = &app.store;
        let written = settle::until_written(move || {
            let known = all.clone();
            store.write(move |tx| Box::pin(settle::settle(tx, channel, known)))
        });
        if let Err(error) = written.await {
            tracing::error!(%error, channel = self.channel.as_str(), "tries not settled");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn broken() -> Ended {
        panic!("on purpose")
    }

    #[tokio::test]
    async fn a_try_that_panics_frees_its_lane() {
        let mut hands = Hands::new(Channel::Sms);
        let [first, second] = [DeliveryId::new(), DeliveryId::new()];
        for id in [first, second] {
            hands.lanes.add("somebody".to_owned(), id);
        }
        let begun = hands.lanes.next().unwrap();
        assert_eq!(hands.lanes.next(), None, "one at a time");
        let handle = hands.under_way.spawn(broken());
        hands.lane_of.insert(handle.id(), begun);
        let over = hands.under_way.join_next_with_id().await.unwrap();
        assert!(hands.over(over).is_none() && hands.lane_of.is_empty());
        assert_eq!(hands.lanes.next(), Some(("somebody".to_owned(), second)));
    }
}
