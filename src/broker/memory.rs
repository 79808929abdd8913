//! The broker of a single process: channels in memory.
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use futures_util::{StreamExt, stream::BoxStream};
use tokio::{
    sync::{Notify, broadcast},
    time::Instant,
};

use super::{Bell, Broker, Job, pace::Paces};
use crate::error::Result;

/// A job not `done` within this time is offered again, as the trait promises.
const OFFER_AGAIN: Duration = Duration::from_secs(60);

#[derive(Default)]
struct Queue {
    waiting: VecDeque<String>,
    taken: HashMap<String, (String, Instant)>,
    next_ticket: u64,
}

/// See [`Broker`]. Slow listeners lose bells (the channel holds 1,024), and are told so.
pub struct Memory {
    bells: broadcast::Sender<Bell>,
    queues: Arc<Mutex<HashMap<String, Queue>>>,
    pushed: Arc<Notify>,
    paces: Paces,
}

impl Memory {
    /// An empty broker.
    #[must_use]
    pub fn new() -> Self {
        Self {
            bells: broadcast::channel(1024).0,
            queues: Arc::default(),
            pushed: Arc::default(),
            paces: Paces::default(),
        }
    }

    fn queues(&self) -> MutexGuard<'_, HashMap<String, Queue>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_now(&self, queue: &str, count: usize) -> Vec<Job> {
        let mut queues = self.queues();
        let queue = queues.entry(queue.to_owned()).or_default();
        let overdue: Vec<String> = queue
            .taken
            .iter()
            .filter(|(_, (_, at))| at.elapsed() > OFFER_AGAIN)
            .map(|(ticket, _)| ticket.clone())
            .collect();
        for ticket in overdue {
            if let Some((id, _)) = queue.taken.remove(&ticket) {
                queue.waiting.push_back(id);
            }
        }
        let mut jobs = Vec::new();
        while jobs.len() < count {
            let Some(id) = queue.waiting.pop_front() else { break };
            queue.next_ticket += 1;
            let ticket = queue.next_ticket.to_string();
            queue.taken.insert(ticket.clone(), (id.clone(), Instant::now()));
            jobs.push(Job { id, ticket });
        }
        jobs
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Broker for Memory {
    fn name(&self) -> &'static str {
        "in-process"
    }

    async fn ring(&self, bells: &[Bell]) -> Result<()> {
        for bell in bells {
            // an error means that nobody listens, which is fine
            drop(self.bells.send(*bell));
        }
        Ok(())
    }

    fn bells(&self) -> BoxStream<'static, Bell> {
        hear(self.bells.subscribe())
    }

    async fn push(&self, queue: &str, ids: &[String]) -> Result<()> {
        self.queues().entry(queue.to_owned()).or_default().waiting.extend(ids.iter().cloned());
        self.pushed.notify_waiters();
        Ok(())
    }

    async fn take(&self, queue: &str, count: usize, wait_ms: u64) -> Result<Vec<Job>> {
        let pushed = self.pushed.notified();
        let jobs = self.take_now(queue, count);
        if !jobs.is_empty() || wait_ms == 0 {
            return Ok(jobs);
        }
        // a push between the look and the wait wakes `pushed`, which was made before the look
        let woken = tokio::time::timeout(Duration::from_millis(wait_ms), pushed).await;
        Ok(if woken.is_ok() { self.take_now(queue, count) } else { Vec::new() })
    }

    async fn done(&self, queue: &str, tickets: &[String]) -> Result<()> {
        let mut queues = self.queues();
        let queue = queues.entry(queue.to_owned()).or_default();
        for ticket in tickets {
            queue.taken.remove(ticket);
        }
        Ok(())
    }

    async fn depth(&self, queue: &str) -> Result<usize> {
        Ok(self.queues().get(queue).map_or(0, |queue| queue.waiting.len() + queue.taken.len()))
    }

    async fn allow(&self, what: &str, wanted: usize, a_second: u32) -> usize {
        self.paces.take(what, wanted, a_second)
    }

    async fn spare(&self, what: &str, count: usize, _: u32) {
        self.paces.give_back(what, count);
    }

    async fn ready(&self) -> bool {
        true
    }

    async fn leave(&self) -> Result<()> {
        Ok(())
    }
}

/// The bells of this process. Who listens too slowly hears that it missed some.
pub(super) fn hear(listener: broadcast::Receiver<Bell>) -> BoxStream<'static, Bell> {
    let heard = futures_util::stream::unfold(listener, |mut listener| async move {
        match listener.recv().await {
            Ok(bell) => Some((bell, listener)),
            Err(broadcast::error::RecvError::Lagged(_)) => Some((Bell::Missed, listener)),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    });
    heard.fuse().boxed()
}
