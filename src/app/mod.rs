//! The handles that every handler may use, and the shape that every request and answer has.
//!
//! Always true: a body that does not fit is refused as `problem+json`, never as plain text; a write with an
//! `Idempotency-Key` is done once, its answer kept in the same transaction; people write at a bounded rate.
//! Tables owned: `idempotency_keys`. Events recorded: none.
mod actors;
mod cached;
mod cookies;
mod counted;
mod extract;
mod once;
mod rates;
pub(crate) mod routing;

use std::{ops::Deref, sync::Arc};

use chrono::{DateTime, FixedOffset, Utc};
use futures_util::future::BoxFuture;

pub(crate) use self::routing::routes;
pub use self::{
    actors::Actors,
    cached::{Cached, Seen, Written},
    cookies::cookie,
    counted::{Counted, Leaves},
    extract::{Created, Input, Path, Query, client_address},
    once::{IdempotencyKey, forget_keys_of, forget_old_keys},
    rates::{Rates, network},
};
use crate::{
    actor::HeldSeat,
    broker::Broker,
    calendar::Calendar,
    clock::{self, Clock},
    config::Config,
    error::Result,
    gateways::Gateways,
    ids::PersonId,
    keys::Keys,
    shelf::Shelf,
    store::{InTime, Store},
    wordlist::WordList,
};

/// How the seats are found that each of these people holds at a time.
pub type SeatsOf = for<'a> fn(&'a InTime, &'a [(PersonId, DateTime<Utc>)]) -> BoxFuture<'a, Result<Vec<Vec<HeldSeat>>>>;

/// All handles as one; every request clones it a handful of times, hence one count of owners and not one for each handle.
#[derive(Clone)]
pub struct App(Arc<Handles>);

/// What an [`App`] holds; made once by `server`.
#[derive(Clone)]
pub struct Handles {
    /// Settings.
    pub config: Arc<Config>,
    /// The database.
    pub store: Store,
    /// Doorbell and queue.
    pub broker: Arc<dyn Broker>,
    /// Time.
    pub clock: Clock,
    /// Working days.
    pub calendar: Calendar,
    /// Words by which a public message is looked at first.
    pub words: Arc<WordList>,
    /// Keys.
    pub keys: Arc<Keys>,
    /// Where photos and clips lie.
    pub shelf: Shelf,
    /// WeChat, SMS, loudspeaker, calls to others.
    pub gateways: Arc<Gateways>,
    /// How fast people may ask and write.
    pub rates: Arc<Rates>,
    /// Who asked within the last seconds.
    pub actors: Arc<Actors>,
    /// How many have read what, for a moment.
    pub counted: Arc<Counted>,
    /// Named by `server`, because `people`, who load an actor, are below `bodies`, who know the seats.
    pub seats_of: SeatsOf,
}

impl From<Handles> for App {
    fn from(handles: Handles) -> Self {
        Self(Arc::new(handles))
    }
}

impl Deref for App {
    type Target = Handles;

    fn deref(&self) -> &Handles {
        &self.0
    }
}

impl App {
    /// The present, as the API sends it.
    #[must_use]
    pub fn local_now(&self) -> DateTime<FixedOffset> {
        clock::local(self.clock.now())
    }

    /// The present.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }
}
