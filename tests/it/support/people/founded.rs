//! The village, founded once and copied for every test that begins with it.
use std::{
    sync::{Arc, LazyLock},
    thread,
};

use chrono::{DateTime, Utc};
use liusheng::config::Config;
use tokio::runtime;

use super::{Somebody, Village};
use crate::support::{House, Raw, TestApp, monday};

/// What every other one is a copy of, several at once; nobody is connected to it.
static FOUNDED: LazyLock<(House, Village)> = LazyLock::new(first);

impl Village {
    /// A server of its own on that Monday, with the village as [`Self::found`] leaves it.
    pub(crate) async fn start() -> (TestApp, Self) {
        Self::start_with(monday(), |_| {}).await
    }

    /// The same later, with other settings than it was founded by.
    pub(crate) async fn start_with(at: DateTime<Utc>, change: impl FnOnce(&mut Config)) -> (TestApp, Self) {
        let (house, village) = &*FOUNDED;
        let app = TestApp::start_with_in(House::copy_of(house), at, change).await;
        let village = village.clone().moved_to(&app);
        (app, village)
    }

    fn moved_to(self, app: &TestApp) -> Self {
        let moved = |who: Somebody| who.moved_to(app);
        Self {
            chair: moved(self.chair),
            clerk: moved(self.clerk),
            council_chair: moved(self.council_chair),
            secretary: moved(self.secretary),
            member: moved(self.member),
            branch_chair: moved(self.branch_chair),
            supervisor: moved(self.supervisor),
            representatives: self.representatives.into_iter().map(moved).collect(),
            town: moved(self.town),
            ..self
        }
    }
}

impl Somebody {
    /// The same log-in at a server on a copy of everything.
    fn moved_to(&self, app: &TestApp) -> Self {
        let (keys, http) = (Arc::clone(&app.app.keys), app.http.clone());
        Self { keys, http, ..self.at_app(app) }
    }
}

/// On a runtime of its own: the one of a test ends with the test.
fn first() -> (House, Village) {
    let making = || runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(founded());
    thread::spawn(making).join().unwrap()
}

async fn founded() -> (House, Village) {
    let app = TestApp::start().await;
    let village = Village::found(&app).await;
    let house = app.close().await;
    // whoever has a copy need not wait until the lease of this relay runs out
    let raw = Raw::open(house.path()).await;
    raw.execute("DELETE FROM leases").await;
    raw.close().await;
    house.at_rest().await;
    (house, village)
}
