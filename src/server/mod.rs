//! Wiring: opens the means, merges the routes, lists the reactions, starts and stops the workers in order.
//!
//! Always true: sees everything and is seen by nobody but `main`, the tests and the load generator.
//! Tables owned: none. Events recorded: none.
mod accept;
mod health;
mod layers;
mod rounds;
mod routes;
mod stall;
mod tasks;

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use self::{
    routes::{asyncapi, asyncapi_text, openapi},
    tasks::{do_what_is_due, reactions},
};
use crate::{
    app::{App, Handles, Rates},
    areas, bodies, broker,
    calendar::Calendar,
    clock::Clock,
    config::Config,
    error::{Error, Result},
    gateways::Gateways,
    keys::{KEY_FILE, Keys, install_tls},
    live::Hub,
    matters, seals,
    shelf::Shelf,
    store::{self, RungBells},
    text,
    wordlist::WordList,
};

/// Which parts of the work this process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Role {
    /// Everything.
    All,
    /// Answers requests and holds sockets.
    Api,
    /// Numbers events and runs what follows from them.
    Relay,
    /// Sends to the outside and does what is due.
    Worker,
}

impl Role {
    #[must_use]
    pub fn does(self, part: Self) -> bool {
        self == Self::All || self == part
    }
}

/// A running server.
pub struct Server {
    /// The handles, for tests and for the demo's seed.
    pub app: App,
    /// Where it listens.
    pub address: SocketAddr,
    hub: Arc<Hub>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// Opens database, keys and broker as the settings say.
///
/// # Errors
/// One line that says what could not be opened.
pub async fn open(config: Config, clock: Clock, echo_codes: bool) -> Result<(App, RungBells)> {
    install_tls();
    std::fs::create_dir_all(&config.data_dir)?;
    std::fs::create_dir_all(config.media_dir())?;
    let file = (!config.calendar_file.is_empty()).then(|| std::path::PathBuf::from(&config.calendar_file));
    let calendar = Calendar::load(file.as_deref()).map_err(Error::broken)?;
    let had_keys = config.data_dir.join(KEY_FILE).exists();
    let keys = Arc::new(Keys::load_or_make(&config.data_dir)?);
    let (store, rung) =
        store::open((&config.database(), config.database_readers), clock.clone(), calendar.clone(), Arc::clone(&keys))
            .await?;
    let app = App::from(Handles {
        store,
        broker: broker::open(&config)?,
        shelf: Shelf::open(&config)?,
        gateways: Arc::new(Gateways::open(&config, &clock, echo_codes)?),
        clock,
        calendar,
        words: Arc::new(WordList::load(&config.held_words)?),
        keys,
        rates: Rates::new(&config),
        actors: Arc::default(),
        counted: Arc::default(),
        seats_of: |db, asked| Box::pin(bodies::queries::seats_of_all(db, asked)),
        config: Arc::new(config),
    });
    if let Err(refused) = belong_together(&app).await {
        if !had_keys {
            // the file that was made a moment ago must not stand where the right one belongs
            std::fs::remove_file(app.config.data_dir.join(KEY_FILE))?;
        }
        return Err(refused);
    }
    areas::commands::import_embedded(&app.store).await?;
    matters::commands::seed_templates(&app.store).await?;
    Ok((app, rung))
}

/// Another key file than the one that the rows were made with would open nothing, and seal what that one cannot open.
async fn belong_together(app: &App) -> Result<()> {
    let missing = seals::prints::missing(app.store.read(), &app.keys).await?;
    if !missing.is_empty() {
        let ids = missing.join(", ");
        return Err(Error::broken(text::say_with("operator-other-keys", &[("ids", ids.as_str().into())])));
    }
    app.store.write(|tx| Box::pin(seals::prints::remember(tx))).await
}

/// From now on the key file in the data directory belongs to the database: for who has lost the one before.
///
/// # Errors
/// When the database or the key file cannot be opened.
pub async fn take_new_keys(config: &Config, clock: Clock) -> Result<()> {
    let keys = Arc::new(Keys::load_or_make(&config.data_dir)?);
    let calendar = Calendar::load(None).map_err(Error::broken)?;
    let (store, _rung) = store::open((&config.database(), config.database_readers), clock, calendar, keys).await?;
    store.write(|tx| Box::pin(seals::prints::replace(tx))).await
}

/// Starts the parts of a role.
///
/// # Errors
/// When the address cannot be bound.
pub async fn start(app: App, rung: RungBells, role: Role) -> Result<Server> {
    let stop = CancellationToken::new();
    let tasks = TaskTracker::new();
    // requests find room beside the sockets
    let hub = Hub::new(app.config.max_connections * 9 / 10, app.config.ping_secs);
    let mut address = app.config.listen;
    if role.does(Role::Api) {
        let listener = accept::listen(address)?;
        address = listener.local_addr()?;
        let (router, doorstep) = routes::router(&app, &hub);
        let service = (router, Some(doorstep));
        tasks.spawn(accept::serve(listener, service, app.config.clone(), stop.clone()));
    }
    if let Ok(address) = app.config.health_listen.parse::<SocketAddr>() {
        let listener = accept::listen(address)?;
        let service = (routes::operators(&app, &hub), None);
        tasks.spawn(accept::serve(listener, service, app.config.clone(), stop.clone()));
    }
    tasks::spawn(&tasks, &app, &hub, rung, role, &stop);
    tasks.close();
    Ok(Server { app, address, hub, stop, tasks })
}

impl Server {
    /// Says that it is not ready and lets no socket in, ends the sockets in slices, then stops taking requests and finishes
    /// what runs; all within the drain time.
    pub async fn stop(self) {
        let within = Duration::from_secs(self.app.config.drain_timeout_secs);
        let began = Instant::now();
        self.hub.drain(drain_time(self.hub.connected(), within)).await;
        self.stop.cancel();
        if tokio::time::timeout(within.saturating_sub(began.elapsed()), self.tasks.wait()).await.is_err() {
            tracing::warn!("some work was still running at the end of the drain time");
        } else if let Err(error) = self.app.broker.leave().await {
            tracing::debug!(%error, "the broker still knows this process");
        }
    }

    /// How many sockets are open.
    #[must_use]
    pub fn connected(&self) -> usize {
        self.hub.connected()
    }
}

/// How long the sockets take to leave: five seconds, or one for every 2,000 if that is longer, so that not all come back
/// elsewhere at once; a hundred and fewer are no crowd. Two thirds of the drain time at most: the rest is for what runs.
fn drain_time(sockets: usize, within: Duration) -> Duration {
    let count = u32::try_from(sockets).unwrap_or(u32::MAX);
    let few = Duration::from_millis(50) * count;
    few.min(Duration::from_secs(5)).max(Duration::from_secs(1) * count / 2000).min(within * 2 / 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_leave_in_slices_within_the_drain_time() {
        let secs = |sockets, within| drain_time(sockets, Duration::from_secs(within)).as_secs_f32();
        assert_eq!((secs(0, 15), secs(1, 15), secs(100, 15), secs(10_000, 15)), (0.0, 0.05, 5.0, 5.0));
        assert_eq!((secs(16_000, 15), secs(40_000, 15), secs(40_000, 37)), (8.0, 10.0, 20.0));
    }
}
