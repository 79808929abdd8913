//! The work queue: a Redis stream with a consumer group for each queue.
use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use redis::{
    AsyncCommands, RedisResult,
    streams::{
        StreamAutoClaimOptions, StreamAutoClaimReply, StreamId, StreamPendingCountReply, StreamReadOptions,
        StreamReadReply,
    },
};

use super::{
    Redis, away,
    line::{ANSWER_WITHIN, Gate, Line},
};
use crate::{broker::Job, error::Result};

const GROUP: &str = "workers";
/// A job not acknowledged within this time is offered to another worker.
const OFFER_AGAIN_MS: usize = 60_000;

impl Redis {
    pub(super) async fn add_jobs(&self, queue: &str, ids: &[String]) -> Result<()> {
        let mut pipe = redis::pipe();
        for id in ids {
            pipe.xadd(key(queue), "*", &[("id", id)]).ignore();
        }
        let adding = |mut line: Line| async move { pipe.query_async(&mut line).await };
        self.shared.ask(ANSWER_WITHIN, adding).await.map_err(away)
    }

    pub(super) async fn take_jobs(&self, queue: &str, count: usize, wait_ms: u64) -> Result<Vec<Job>> {
        let key = key(queue);
        let line = self.waiting_for(&key);
        let taken = async {
            let overdue = self.overdue(&key, count).await?;
            if overdue.is_empty() { self.read(&line, &key, (count, wait_ms)).await } else { Ok(overdue) }
        };
        match taken.await {
            Ok(entries) => Ok(entries.into_iter().filter_map(job).collect()),
            // a wiped Redis has forgotten the group; the sweep offers the work again
            Err(error) if matches!(error.code(), Some("NOGROUP" | "UNBLOCKED")) => {
                self.make_group(&key).await.map(|()| Vec::new())
            }
            Err(error) => Err(away(error)),
        }
    }

    pub(super) async fn end_jobs(&self, queue: &str, tickets: &[String]) -> Result<()> {
        let mut pipe = redis::pipe();
        pipe.xack(key(queue), GROUP, tickets).ignore().xdel(key(queue), tickets).ignore();
        let ending = |mut line: Line| async move { pipe.query_async(&mut line).await };
        self.shared.ask(ANSWER_WITHIN, ending).await.map_err(away)
    }

    pub(super) async fn count_jobs(&self, queue: &str) -> Result<usize> {
        let key = key(queue);
        let counting = |mut line: Line| async move { line.xlen(key).await };
        self.shared.ask(ANSWER_WITHIN, counting).await.map_err(away)
    }

    /// Ends this process's place in the consumer groups. Where something is pending it stays: with it the jobs would go.
    pub(super) async fn leave_queues(&self) -> Result<()> {
        let queues = std::mem::take(&mut *self.queues.lock().unwrap_or_else(PoisonError::into_inner));
        for key in queues.into_keys() {
            let leaving = |mut line: Line| async move {
                let pending: StreamPendingCountReply =
                    line.xpending_consumer_count(&key, GROUP, "-", "+", 1, &self.name).await?;
                if pending.ids.is_empty() {
                    let _: usize = line.xgroup_delconsumer(&key, GROUP, &self.name).await?;
                }
                Ok(())
            };
            match self.shared.ask(ANSWER_WITHIN, leaving).await {
                // a wiped Redis has forgotten the group, and this process with it
                Err(error) if error.code() != Some("NOGROUP") => return Err(away(error)),
                _ => {}
            }
        }
        Ok(())
    }

    async fn read(&self, line: &Arc<Gate>, key: &str, (count, wait_ms): (usize, u64)) -> RedisResult<Vec<StreamId>> {
        let mut options = StreamReadOptions::default().group(GROUP, &self.name).count(count);
        if wait_ms > 0 {
            options = options.block(usize::try_from(wait_ms).unwrap_or(5000));
        }
        let reading = |mut line: Line| async move {
            let reply: Option<StreamReadReply> = line.xread_options(&[key], &[">"], &options).await?;
            Ok(reply)
        };
        let reply = line.ask(Duration::from_millis(wait_ms + 1000), reading).await?;
        Ok(reply.into_iter().flat_map(|reply| reply.keys).flat_map(|key| key.ids).collect())
    }

    async fn overdue(&self, key: &str, count: usize) -> RedisResult<Vec<StreamId>> {
        let options = StreamAutoClaimOptions::default().count(count);
        let claiming = |mut line: Line| async move {
            let reply: StreamAutoClaimReply =
                line.xautoclaim_options(key, GROUP, &self.name, OFFER_AGAIN_MS, "0-0", options).await?;
            Ok(reply.claimed)
        };
        self.shared.ask(ANSWER_WITHIN, claiming).await
    }

    async fn make_group(&self, key: &str) -> Result<()> {
        let making = |mut line: Line| async move { line.xgroup_create_mkstream(key, GROUP, "0").await };
        match self.shared.ask::<(), _>(ANSWER_WITHIN, making).await {
            Err(error) if error.code() != Some("BUSYGROUP") => Err(away(error)),
            _ => Ok(()),
        }
    }
}

fn key(queue: &str) -> String {
    format!("ls:queue:{queue}")
}

fn job(entry: StreamId) -> Option<Job> {
    Some(Job { id: entry.get("id")?, ticket: entry.id })
}
