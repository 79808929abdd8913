//! A server of its own for every test: fresh database, a clock moved by hand, people to speak for.
mod chaos;
mod house;
pub(crate) mod moto;
mod people;
mod postgres;
mod process;
mod redis;
mod socket;

use std::{net::SocketAddr, sync::LazyLock, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use liusheng::{
    app::App,
    broker::Bell,
    clock::Clock,
    config::{Config, SmsProvider},
    events,
    server::{self, Role, Server},
};
use serde_json::Value;

pub(crate) use self::{
    chaos::{Chaos, Harm},
    house::{House, READERS, Raw, count, is_postgres, opened},
    moto::OwnBucket,
    people::{Somebody, Village, cards_in, code_of, cookie_of, group, id, import, person_of, say, told_in},
    postgres::OwnPostgres,
    process::{Process, free_port, liusheng, run},
    redis::{OwnCluster, OwnRedis, any_redis_url, redis_url},
    socket::Socket,
};

/// Sizes of the issues instead of those for CI?
pub(crate) fn is_full_run() -> bool {
    std::env::var("LSTEST_FULL").is_ok_and(|full| full == "1")
}

/// Was the program made fast?
pub(crate) fn is_release() -> bool {
    env!("CARGO_BIN_EXE_liusheng").contains("/release/")
}

/// Is this PostgreSQL's turn in the short run, for a long part of a test that asks the database nothing of its own? Whole
/// tests of that kind are named in `tests/run.sh`.
pub(crate) fn is_done_before(skipped: &str) -> bool {
    let is_second = std::env::var_os("LSTEST_DATABASE_URL").is_some() && !is_full_run();
    if is_second {
        eprintln!("skipped, because SQLite's turn did it and this is a short run: {skipped}");
    }
    is_second
}

/// Without a browser this is skipped, and the log says so.
pub(crate) fn is_chromium(skipped: &str) -> bool {
    let is_there = std::path::Path::new("/usr/bin/chromium-headless-shell").exists();
    if !is_there {
        eprintln!("skipped, because there is no chromium: {skipped}");
    }
    is_there
}

/// Where Debian puts it.
pub(crate) const FFMPEG: &str = "/usr/bin/ffmpeg";

/// Without ffmpeg this is skipped, and the log says so.
pub(crate) fn is_ffmpeg(skipped: &str) -> bool {
    let is_there = std::path::Path::new(FFMPEG).exists();
    if !is_there {
        eprintln!("skipped, because there is no ffmpeg: {skipped}");
    }
    is_there
}

/// 2026-11-02, a Monday, 09:00 in the county.
pub(crate) fn monday() -> DateTime<Utc> {
    "2026-11-02T01:00:00Z".parse().unwrap()
}

/// A running server that tests talk to through HTTP and the socket only.
pub(crate) struct TestApp {
    server: Option<Server>,
    pub(crate) app: App,
    pub(crate) clock: Clock,
    pub(crate) address: SocketAddr,
    pub(crate) http: reqwest::Client,
    pub(crate) folder: House,
}

/// Answer of a call: status and JSON.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Answer {
    /// The body, when the call succeeded.
    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        assert!((200..300).contains(&self.status), "{} {}", self.status, self.body);
        self.body
    }

    /// The code, when the call was refused.
    #[track_caller]
    pub(crate) fn refused(self) -> String {
        assert!(self.status >= 400, "{} {}", self.status, self.body);
        self.body["code"].as_str().unwrap_or_default().to_owned()
    }
}

impl TestApp {
    /// Starts with an empty roster; the areas of the county are there.
    pub(crate) async fn start() -> Self {
        Self::start_at(monday()).await
    }

    pub(crate) async fn start_at(at: DateTime<Utc>) -> Self {
        Self::start_with(at, |_| {}).await
    }

    /// With other settings than [`config`] has.
    pub(crate) async fn start_with(at: DateTime<Utc>, change: impl FnOnce(&mut Config)) -> Self {
        Self::start_with_in(House::new(), at, change).await
    }

    /// With the data that is there.
    pub(crate) async fn start_in(folder: House, at: DateTime<Utc>) -> Self {
        Self::start_with_in(folder, at, |_| {}).await
    }

    /// Another server on the same database, with the same keys, clock and settings.
    pub(crate) async fn start_beside(&self) -> Self {
        let folder = House::at(self.folder.url());
        std::fs::copy(self.folder.path().join("keys.json"), folder.path().join("keys.json")).unwrap();
        let mut settings = Config::clone(&self.app.config);
        settings.data_dir = folder.path().to_owned();
        Self::start_by(self.clock.clone(), folder, |config| *config = settings).await
    }

    /// A part of the work on the same database, over a net of its own, by a process that hears no bell.
    pub(crate) async fn behind_a_net(&self, role: Role) -> (Chaos, Server) {
        let mut config = Config::clone(&self.app.config);
        let mut database: reqwest::Url = config.database_url.parse().unwrap();
        let there = (database.host_str().unwrap().to_owned(), database.port().unwrap_or(5432));
        let net = Chaos::before(tokio::net::lookup_host(there).await.unwrap().next().unwrap()).await;
        database.set_host(Some("127.0.0.1")).unwrap();
        database.set_port(Some(net.address.port())).unwrap();
        (config.database_url, config.redis_url) = (database.to_string(), String::new());
        let (other, rung) = server::open(config, self.clock.clone(), false).await.unwrap();
        (net, server::start(other, rung, role).await.unwrap())
    }

    /// The same with other settings.
    pub(crate) async fn start_with_in(folder: House, at: DateTime<Utc>, change: impl FnOnce(&mut Config)) -> Self {
        Self::start_by(Clock::standing_at(at), folder, change).await
    }

    async fn start_by(clock: Clock, folder: House, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = config(&folder);
        change(&mut config);
        let (app, rung) = server::open(config, clock.clone(), false).await.unwrap();
        let server = server::start(app.clone(), rung, Role::All).await.unwrap();
        let http =
            reqwest::Client::builder().timeout(Duration::from_secs(30)).redirect(reqwest::redirect::Policy::none());
        // the server closes a connection on which nothing is asked for a while: one is not used up to that moment
        let http = http.pool_idle_timeout(Duration::from_secs(4));
        let address = server.address;
        Self { server: Some(server), app, clock, address, http: http.build().unwrap(), folder }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A call without a log-in.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        answer(self.http.get(self.url(path))).await
    }

    /// Moves the clock and waits until what is due was done and told.
    pub(crate) async fn pass(&self, time: TimeDelta) {
        self.clock.advance(time);
        self.settle().await;
    }

    /// Waits until nothing is due and every event has been followed.
    pub(crate) async fn settle(&self) {
        server::do_what_is_due(self.app.clone()).await;
        self.followed().await;
    }

    /// For who looks again and again whether everything was sent: what is due by the clock alone is offered every two seconds,
    /// and as soon as a bell rings. At each tenth look.
    pub(crate) async fn ring_for_deliveries(&self, look: usize) {
        if look % 10 == 0 {
            self.app.broker.ring(&[Bell::Deliveries]).await.ok();
        }
    }

    /// Waits until every event has been followed, where nothing can be due.
    pub(crate) async fn followed(&self) {
        for _ in 0..600 {
            let backlog = events::backlog(&self.app.store, self.app.now()).await.unwrap();
            if backlog.unsequenced == 0 && backlog.behind == 0 {
                assert_eq!(backlog.dead_letters, 0, "a reaction failed");
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("events were not followed within 12 seconds");
    }

    /// How many sockets are open.
    pub(crate) fn connected(&self) -> usize {
        self.server.as_ref().map_or(0, Server::connected)
    }

    /// Stops the server and checks the log.
    pub(crate) async fn stop(self) {
        self.close().await;
    }

    /// The same, and hands over the data directory.
    pub(crate) async fn close(mut self) -> House {
        self.settle().await;
        let report = events::verify(&self.app.store, &self.app.keys).await.unwrap();
        assert_eq!(report.first_bad, None);
        if let Some(server) = self.server.take() {
            server.stop().await;
        }
        self.folder
    }
}

/// What a page's form carries along under this name.
#[track_caller]
pub(crate) fn hidden(page: &str, name: &str) -> String {
    let value = page.split(&format!("name=\"{name}\" value=\"")).nth(1).and_then(|rest| rest.split('"').next());
    value.unwrap_or_else(|| panic!("no {name} in {page}")).to_owned()
}

/// Settings of a test server: any free port, the broker of `LSTEST_REDIS_URL` or in-process.
pub(crate) fn config(folder: &House) -> Config {
    // read once: a hundred settings
    static DEFAULTS: LazyLock<Config> = LazyLock::new(|| Config::defaults().unwrap());
    let mut config = DEFAULTS.clone();
    config.listen = "127.0.0.1:0".parse().unwrap();
    config.data_dir = folder.path().to_owned();
    config.database_url = folder.url();
    config.database_readers = READERS;
    config.sms_provider = SmsProvider::File;
    config.redis_url = redis::any_redis_url().unwrap_or_default();
    config.writes_per_second = 1000;
    config.writes_burst = 10_000;
    config.writes_per_day = 1_000_000;
    config.requests_per_second = 10_000;
    config.requests_burst = 100_000;
    config.webhook_allow_private = true;
    config.drain_timeout_secs = 3;
    config
}

pub(crate) async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let bytes = response.bytes().await.unwrap();
    Answer { status, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) }
}
