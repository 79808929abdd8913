//! The broker between processes: sharded pub/sub for doorbells, Redis Streams with a consumer group for work, a bucket for
//! each pace.
//!
//! Always true: what this process rings it hears by itself, whatever becomes of Redis; whoever rings waits a quarter of a
//! second at most, and not at all while Redis is known to be away; after every interruption the listener is told so.
//! Tables owned: none. Events recorded: none.
mod bells;
mod line;
mod pace;
mod work;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use async_trait::async_trait;
use futures_util::{StreamExt, future::try_join_all, stream::BoxStream};
use redis::{RedisError, aio::ConnectionLike};
use tokio::sync::broadcast;
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

pub(crate) use self::line::nodes;
use self::line::{ANSWER_WITHIN, Address, Gate, Line};
use super::{Bell, Broker, Job, memory, pace::Paces};
use crate::error::{Error, Result};

/// Bells that wait for who listens slowly in this process; more are lost, and it is told so.
const WAITING: usize = 4096;

/// See [`Broker`]. Whoever waits for the work of a queue has a line of its own: on a shared one it would hold up everybody,
/// and who waits for another queue, too.
pub struct Redis {
    address: Address,
    shared: Arc<Gate>,
    /// Of this process, as its peers and the consumer group know it.
    name: String,
    /// What this process and the others ring, for all who listen here.
    rung: broadcast::Sender<Bell>,
    /// Hears the others, from the first who listens on: by one line, however many do.
    ear: OnceLock<AbortOnDropHandle<()>>,
    /// Queues from which it took work, each with its line: there the consumer group knows it.
    queues: Mutex<BTreeMap<String, Arc<Gate>>>,
    /// What this process keeps by itself, whether Redis answers or not.
    paces: Paces,
}

impl Redis {
    /// Opens the address; connects at first use, so that a Redis that is away does not stop the start.
    ///
    /// # Errors
    /// When the address is not that of a Redis.
    pub fn open(url: &str) -> Result<Self> {
        let address = Address::open(url).map_err(|error| Error::broken(format!("redis_url: {error}")))?;
        let shared = Gate::new(address.clone());
        Ok(Self {
            address,
            shared,
            name: Uuid::now_v7().to_string(),
            rung: broadcast::channel(WAITING).0,
            ear: OnceLock::new(),
            queues: Mutex::default(),
            paces: Paces::default(),
        })
    }

    /// The line over which this process waits for the work of a queue.
    fn waiting_for(&self, key: &str) -> Arc<Gate> {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(queues.entry(key.to_owned()).or_insert_with(|| Gate::new(self.address.clone())))
    }
}

#[async_trait]
impl Broker for Redis {
    fn name(&self) -> &'static str {
        "redis"
    }

    async fn ring(&self, bells: &[Bell]) -> Result<()> {
        let mut rung = Vec::new();
        for bell in bells {
            // an error means that nobody listens here, which is fine
            drop(self.rung.send(*bell));
            rung.push((*bell, serde_json::to_string(&(&self.name, bell)).map_err(Error::broken)?));
        }
        if rung.is_empty() {
            return Ok(());
        }
        let ringing = |line: Line| async move {
            // each by itself: in a cluster they go to different nodes; on one line they are written together
            let each = rung.into_iter().map(|(bell, text)| {
                let (channel, mut line) = (bells::channel(&bell, line.get_db()), line.clone());
                async move { redis::cmd("SPUBLISH").arg(channel).arg(text).exec_async(&mut line).await }
            });
            try_join_all(each).await.map(drop)
        };
        self.shared.ask(ANSWER_WITHIN, ringing).await.map_err(away)
    }

    fn bells(&self) -> BoxStream<'static, Bell> {
        let heard = memory::hear(self.rung.subscribe());
        self.ear.get_or_init(|| {
            let mut others = bells::of_others(self.address.clone(), self.name.clone());
            let rung = self.rung.clone();
            AbortOnDropHandle::new(tokio::spawn(async move {
                while let Some(bell) = others.next().await {
                    // as above
                    drop(rung.send(bell));
                }
            }))
        });
        heard
    }

    async fn push(&self, queue: &str, ids: &[String]) -> Result<()> {
        if ids.is_empty() { Ok(()) } else { self.add_jobs(queue, ids).await }
    }

    async fn take(&self, queue: &str, count: usize, wait_ms: u64) -> Result<Vec<Job>> {
        self.take_jobs(queue, count, wait_ms).await
    }

    async fn done(&self, queue: &str, tickets: &[String]) -> Result<()> {
        if tickets.is_empty() { Ok(()) } else { self.end_jobs(queue, tickets).await }
    }

    async fn depth(&self, queue: &str) -> Result<usize> {
        self.count_jobs(queue).await
    }

    async fn allow(&self, what: &str, wanted: usize, a_second: u32) -> usize {
        let own = self.paces.take(what, wanted, a_second);
        if own == 0 {
            return 0;
        }
        let of_all = self.take_of_all(what, i64::try_from(own).unwrap_or(i64::MAX), a_second).await;
        let allowed = of_all.map_or(own, |taken| usize::try_from(taken).unwrap_or(0).min(own));
        self.paces.give_back(what, own - allowed);
        allowed
    }

    async fn spare(&self, what: &str, count: usize, a_second: u32) {
        self.paces.give_back(what, count);
        // what cannot be put back for the others comes again with time
        drop(self.take_of_all(what, -i64::try_from(count).unwrap_or(0), a_second).await);
    }

    async fn ready(&self) -> bool {
        let asking = |mut line: Line| async move { redis::cmd("PING").exec_async(&mut line).await };
        self.shared.try_now(2 * ANSWER_WITHIN, asking).await.is_ok()
    }

    async fn leave(&self) -> Result<()> {
        self.leave_queues().await
    }
}

/// What failed, without the server's text, which could quote a value.
fn away(error: RedisError) -> Error {
    let kind = error.code().map_or_else(|| format!("{:?}", error.kind()), str::to_owned);
    Error::broken(format!("redis: {kind}"))
}
