//! Doorbell, work queue and pace between processes: ids and counts only, nothing durable behind it.
//!
//! Always true: whatever is lost here is found again by a sweep over the database; a wiped or dead broker costs
//! seconds, never a message. Two implementations, one contract test (`tests/it/broker.rs`).
//! Tables owned: none. Events recorded: none.
mod memory;
mod pace;
mod redis;

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use serde::{Deserialize, Serialize};

use crate::{
    config::Config,
    error::Result,
    ids::{BodyId, PersonId, SessionId, StreamId},
};

pub(crate) use self::redis::nodes;
pub use self::{memory::Memory, redis::Redis};

/// "Something changed, look in the database."
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bell {
    /// There are events that are not relayed.
    Events,
    /// There are deliveries to be sent.
    Deliveries,
    /// A stream has entries up to this seq.
    Stream {
        /// The stream.
        id: StreamId,
        /// Its newest seq.
        seq: i64,
    },
    /// A person now belongs to a stream, or no longer.
    Membership {
        /// The person.
        person: PersonId,
        /// The stream.
        stream: StreamId,
    },
    /// A session ended: its sockets close, its cached rights go.
    SessionEnded {
        /// The session.
        session: SessionId,
    },
    /// A person's rights changed.
    RightsChanged {
        /// The person.
        person: PersonId,
    },
    /// A person writes in a stream just now, for the body if one is named.
    Typing {
        /// The stream.
        stream: StreamId,
        /// The person.
        person: PersonId,
        /// The body.
        body: Option<BodyId>,
    },
    /// Bells may have been missed: look everywhere. Never rung, only heard.
    #[serde(skip)]
    Missed,
}

/// One piece of work taken from a queue; handed back with [`Broker::done`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The id of the row that says what to do.
    pub id: String,
    /// The broker's own ticket for it.
    pub ticket: String,
}

/// The seam between one process and many.
#[async_trait]
pub trait Broker: Send + Sync {
    /// Name for logs and `/readyz`.
    fn name(&self) -> &'static str;

    /// Rings for every process; at most once each, order not promised. This one hears it even when this fails.
    async fn ring(&self, bells: &[Bell]) -> Result<()>;

    /// Bells from now on. May miss some, e.g. while the broker is away; it comes back by itself, and then there is
    /// [`Bell::Missed`].
    fn bells(&self) -> BoxStream<'static, Bell>;

    /// Offers work; the same id may be offered twice and may then be worked on twice.
    async fn push(&self, queue: &str, ids: &[String]) -> Result<()>;

    /// Takes up to `count` jobs, waiting up to `wait_ms` for the first. A job not `done` within a minute is offered again.
    async fn take(&self, queue: &str, count: usize, wait_ms: u64) -> Result<Vec<Job>>;

    /// The jobs are finished and need not come again.
    async fn done(&self, queue: &str, tickets: &[String]) -> Result<()>;

    /// How many jobs wait in a queue or are worked on: for who offers more only while there are few.
    async fn depth(&self, queue: &str) -> Result<usize>;

    /// How many of these may be begun now, of what all processes together may begin so often in a second, and a second's worth
    /// at once. While the others cannot be asked each process keeps that limit by itself.
    async fn allow(&self, what: &str, wanted: usize, a_second: u32) -> usize;

    /// So many of what was allowed were not begun after all.
    async fn spare(&self, what: &str, count: usize, a_second: u32);

    /// Does it answer? For `/readyz`.
    async fn ready(&self) -> bool;

    /// This process takes no more work: it is forgotten, unless jobs that it took are still to be offered again.
    async fn leave(&self) -> Result<()>;
}

/// The broker that the settings name.
///
/// # Errors
/// When the address is not one. A Redis that is away is not an error: it may come back.
pub fn open(config: &Config) -> Result<std::sync::Arc<dyn Broker>> {
    if config.redis_url.is_empty() {
        return Ok(std::sync::Arc::new(Memory::new()));
    }
    Ok(std::sync::Arc::new(Redis::open(&config.redis_url)?))
}
