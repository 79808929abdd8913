//! The workers of a process and what they follow.
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::{BoxFuture, join_all};
use tokio::sync::{Mutex, Notify};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    Role, health,
    rounds::{every, lasting, until},
};
use crate::{
    aloud,
    app::{self, App},
    board, bodies,
    broker::Bell,
    claims, county, delivery,
    error::Result,
    events::{Reaction, Relay},
    forms, groups, guests, inbox, joint, legal,
    live::{self, Hub},
    matters, media, meetings, moderation, notices, people, privacy, reports, skills,
    store::{RungBells, Tx},
    streams, suggestions, tasks as tasks_subject, votes, wechat,
};

/// How often it is asked what is due.
const DUE: Duration = Duration::from_secs(2);
/// How often what was cast is put on the boards.
const BOARDS: Duration = Duration::from_secs(1);
const SWEEP: Duration = Duration::from_secs(60);
/// Pieces in a row of one kind of what is due; the rest waits for the next time.
const ROUNDS: usize = 50;

/// Everything that follows from events, in the order in which it runs.
#[must_use]
pub fn reactions() -> Vec<Reaction> {
    [
        groups::REACTIONS,
        moderation::REACTIONS,
        forms::REACTIONS,
        suggestions::REACTIONS,
        claims::REACTIONS,
        notices::REACTIONS,
        notices::REMINDERS,
        notices::TOLD,
        meetings::REACTIONS,
        tasks_subject::REACTIONS,
        matters::REACTIONS,
        votes::REACTIONS,
        legal::REACTIONS,
        skills::REACTIONS,
        joint::REACTIONS,
        aloud::REACTIONS,
        privacy::REACTIONS,
        wechat::REACTIONS,
        county::REACTIONS,
        // last: who has read the card that the others posted need not be told
        delivery::REACTIONS,
    ]
    .concat()
}

type Due = for<'t> fn(&'t Tx) -> BoxFuture<'t, Result<u64>>;

/// What the passing of time brings about. Each does a bounded piece in one unit of work and says how much it did: it is asked
/// again, in a unit of its own, until nothing is left. One that did everything at once would be undone as too long, and tried
/// again, for ever.
const DUES: &[(&str, Due)] = &[
    ("one-time codes", |tx| Box::pin(people::due(tx))),
    ("cursors", |tx| Box::pin(streams::commands::cursors_due(tx))),
    ("cards for many", |tx| Box::pin(streams::commands::cards_due(tx))),
    ("rights of a day", |tx| Box::pin(streams::commands::end_of_day(tx))),
    ("held messages", |tx| Box::pin(moderation::commands::due(tx))),
    ("reports", |tx| Box::pin(reports::commands::due(tx))),
    ("suggestions", |tx| Box::pin(suggestions::commands::due(tx))),
    ("claims", |tx| Box::pin(claims::commands::due(tx))),
    ("guests", |tx| Box::pin(guests::commands::due(tx))),
    ("forms", |tx| Box::pin(forms::commands::due(tx))),
    ("tasks", |tx| Box::pin(tasks_subject::commands::due(tx))),
    ("notices", |tx| Box::pin(notices::commands::due(tx))),
    ("matters", |tx| Box::pin(matters::commands::due(tx))),
    ("invited bodies", |tx| Box::pin(matters::commands::seats_due(tx))),
    ("elections", |tx| Box::pin(bodies::elections::due(tx))),
    ("turns", |tx| Box::pin(joint::turns::due(tx))),
    ("contracts", |tx| Box::pin(legal::contracts::due(tx))),
    ("WeChat log-ins", |tx| Box::pin(wechat::due(tx))),
    ("WeChat messages", |tx| Box::pin(inbox::due(tx))),
    ("reminders", |tx| Box::pin(delivery::announce::due(tx))),
];

pub(super) fn spawn(
    tasks: &TaskTracker,
    app: &App,
    hub: &Arc<Hub>,
    rung: RungBells,
    role: Role,
    stop: &CancellationToken,
) {
    let start = Start { tasks, app, stop };
    let (wake, rung) = (Arc::new(Notify::new()), Arc::new(Mutex::new(rung)));
    let woken = Arc::clone(&wake);
    start.lasting("bells", move |app, stop| pump(app, Arc::clone(&rung), Arc::clone(&woken), stop));
    start.every("memory", SWEEP, |app, _| sweep_memory(app));
    if role.does(Role::Api) {
        let (heard, turned) = (Arc::clone(hub), Arc::clone(hub));
        start.lasting("listen", move |app, stop| live::listen(app, Arc::clone(&heard), stop));
        start.lasting("pings", move |app, stop| live::turn(app, Arc::clone(&turned), stop));
        // whoever receives files has what is left of them on a disk of its own
        start.every("arrivals", SWEEP, |app, _| sweep_arrivals(app));
    }
    if role.does(Role::Relay) {
        start
            .lasting("relay", move |app, stop| Relay::new(app.store.clone(), reactions(), Arc::clone(&wake)).run(stop));
    }
    if role.does(Role::Worker) {
        start.lasting("deliveries", delivery::worker::run);
        start.lasting("plans", delivery::plan::run);
        start.every("due", DUE, |app, _| do_in_time(app));
        // apart: there are many times more of them than of what they stand in
        start.every("words", DUE, |app, stop| until(stop, take_in_words(app)));
        // apart: a provider of SMS may take ten seconds for each of two hundred
        start.every("phones", DUE, tell_phones);
        // apart: a bucket that does not take files away must not hold up what is due
        start.every("accounts", DUE, |app, _| close_accounts(app));
        start.every("boards", BOARDS, |app, _| sequence(app));
        // apart: a file that does not come must not hold up what is due
        start.every("inbox", DUE, |app, _| read_inbox(app));
        // apart: a program of somebody else's may hang
        start.every("aloud", DUE, read_aloud);
        start.every("clips", DUE, work_on_clips);
        start.every("sweep", SWEEP, |app, _| sweep(app));
    }
}

/// What a process does is started by its name, with the handles and what ends it.
struct Start<'s> {
    tasks: &'s TaskTracker,
    app: &'s App,
    stop: &'s CancellationToken,
}

impl Start<'_> {
    fn every<F, Fut>(&self, task: &'static str, period: Duration, work: F)
    where
        F: Fn(App, CancellationToken) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let (app, stop) = (self.app.clone(), self.stop.clone());
        self.tasks.spawn(every((task, period), self.stop.clone(), move || work(app.clone(), stop.clone())));
    }

    fn lasting<F, Fut>(&self, task: &'static str, work: F)
    where
        F: Fn(App, CancellationToken) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let (app, stop) = (self.app.clone(), self.stop.clone());
        self.tasks.spawn(lasting(task, self.stop.clone(), move || work(app.clone(), stop.clone())));
    }
}

/// Hands the bells of committed units to the broker, many at a time.
async fn pump(app: App, rung: Arc<Mutex<RungBells>>, wake: Arc<Notify>, stop: CancellationToken) {
    let (mut rung, mut bells) = (rung.lock().await, Vec::new());
    loop {
        tokio::select! {
            count = rung.recv_many(&mut bells, 256) => if count == 0 { return },
            () = stop.cancelled() => return,
        }
        if bells.contains(&Bell::Events) {
            wake.notify_one();
            bells.retain(|bell| *bell != Bell::Events);
        }
        if let Err(error) = app.broker.ring(&bells).await {
            // other servers compare heads every second; the broker has told that it is away
            tracing::debug!(%error, "bells not rung");
        }
        bells.clear();
    }
}

/// One round of what is due; tests call it after they moved the clock.
pub async fn do_what_is_due(app: App) {
    do_in_time(app.clone()).await;
    tell_phones(app.clone(), CancellationToken::new()).await;
    take_in_words(app.clone()).await;
    close_accounts(app).await;
}

async fn do_in_time(app: App) {
    // one that failed took down the look: by itself it is known which
    if app.store.write(|tx| Box::pin(begin_what_is_due(tx))).await.unwrap_or(true) {
        do_all_due(&app).await;
    }
    sequence(app.clone()).await;
    if let Err(error) = votes::commands::due(&app).await {
        tracing::error!(%error, "votes to close");
    }
}

/// What was begun is ended, so that none is told once more at the next start.
async fn tell_phones(app: App, stop: CancellationToken) {
    if let Err(error) = claims::commands::tell(&app, &stop).await {
        tracing::error!(%error, "phones to be told");
    }
    if let Err(error) = people::tell_replaced(&app, &stop).await {
        tracing::error!(%error, "phones that a roster took away");
    }
}

/// Mostly nothing is due, which is seen in one unit. It ends with the first piece that is, and says whether there was one.
async fn begin_what_is_due(tx: &Tx) -> Result<bool> {
    for (_, due) in DUES {
        if due(tx).await? > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn do_all_due(app: &App) {
    let mut left: Vec<(&str, Due)> = DUES.to_vec();
    for _ in 0..ROUNDS {
        // together they take one turn at the writer: most of them find nothing
        let pieces: Vec<_> = left.iter().map(|(_, due)| piece(app, *due)).collect();
        let (mut again, mut is_more) = (Vec::new(), false);
        for ((name, due), done) in left.into_iter().zip(join_all(pieces).await) {
            // one whose statement broke took down all who had that turn: once more, by itself
            let done = if done.is_err() { piece(app, due).await } else { done };
            match done {
                Ok(count) => {
                    is_more |= count > 0;
                    // what was done may have made something due of what comes after it
                    if is_more {
                        again.push((name, due));
                    }
                }
                Err(error) => tracing::error!(%error, name, "what is due"),
            }
        }
        if !is_more {
            break;
        }
        left = again;
    }
}

async fn piece(app: &App, due: Due) -> Result<u64> {
    app.store.write(move |tx| due(tx)).await
}

/// Words that were said, so that they are found; a quarter of the writer's time at most, and less of one that is asked for
/// much, so that who speaks does not wait for them.
async fn take_in_words(app: App) {
    match streams::commands::is_word_waiting(app.store.read()).await {
        Ok(true) => {}
        Ok(false) => return,
        Err(error) => return tracing::error!(%error, "words to be found"),
    }
    loop {
        let began = Instant::now();
        match app.store.write(|tx| Box::pin(streams::commands::words_due(tx))).await {
            Ok(0) => return,
            Ok(_) => tokio::time::sleep(began.elapsed() * 3).await,
            Err(error) => return tracing::error!(%error, "words to be found"),
        }
    }
}

async fn close_accounts(app: App) {
    if let Err(error) = privacy::commands::due(&app).await {
        tracing::error!(%error, "accounts to close");
    }
}

async fn read_inbox(app: App) {
    if let Err(error) = inbox::run_due(&app).await {
        tracing::error!(%error, "messages from WeChat");
    }
}

/// A program that runs when we are to end is ended, too.
async fn read_aloud(app: App, stop: CancellationToken) {
    tokio::select! {
        done = aloud::run_due(&app) => if let Err(error) = done {
            tracing::error!(%error, "what is to be said aloud");
        },
        () = stop.cancelled() => {}
    }
}

/// The same of ffmpeg.
async fn work_on_clips(app: App, stop: CancellationToken) {
    tokio::select! {
        done = media::conversion::run_due(&app) => if let Err(error) = done {
            tracing::error!(%error, "clips that want ffmpeg");
        },
        () = stop.cancelled() => {}
    }
}

async fn sequence(app: App) {
    if let Err(error) = board::tick(&app).await {
        tracing::error!(%error, "ballots to put on boards");
    }
}

async fn sweep_arrivals(app: App) {
    if let Err(error) = media::files::sweep_arrivals(&app).await {
        tracing::error!(%error, "files that did not come");
    }
}

/// What each process keeps of who asked lately, whatever else it does: nobody else can forget it.
async fn sweep_memory(app: App) {
    health::upkeep();
    app.rates.sweep();
    app.actors.sweep();
}

async fn sweep(app: App) {
    // what was recalled must not be found beside the database for long
    if let Err(error) = app.store.empty_log().await {
        tracing::debug!(%error, "the log of the database");
    }
    if let Err(error) = app::forget_old_keys(&app.store).await {
        tracing::error!(%error, "old keys");
    }
    if let Err(error) = delivery::commands::forget_old(&app.store).await {
        tracing::error!(%error, "disturbances of long ago");
    }
    if let Err(error) = guests::forget_old(&app.store).await {
        tracing::error!(%error, "phones of guests of long ago");
    }
    if let Err(error) = media::files::sweep(&app).await {
        tracing::error!(%error, "media that belongs to nothing");
    }
    if let Err(error) = media::strays::sweep(&app).await {
        tracing::error!(%error, "files that no row names");
    }
}
