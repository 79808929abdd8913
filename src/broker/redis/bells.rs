//! The doorbell: 64 sharded channels, so that a cluster's nodes share the ringing; each process hears them all.
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::{
    StreamExt,
    future::try_join_all,
    stream::{self, BoxStream},
};
use redis::{
    FromRedisValue, PushInfo, PushKind, RedisResult,
    aio::{ConnectionLike, SendError},
};
use tokio::{sync::mpsc, time::timeout};

use super::line::{Address, Line};
use crate::broker::Bell;

const PARTITIONS: u128 = 64;
/// Messages of Redis that wait to be heard; more are lost, which is noticed.
const WAITING: usize = 4096;
const TRY_AGAIN: Duration = Duration::from_millis(500);
const LISTEN_WITHIN: Duration = Duration::from_secs(5);
/// When it is quiet for so long, Redis is asked whether it is still there.
const QUIET: Duration = Duration::from_secs(5);

/// Where a bell is rung: those of one stream always at the same place, so that they come in their order. Channels know no
/// databases: another installation on the same Redis would hear it, too.
pub(super) fn channel(bell: &Bell, database: i64) -> String {
    let partition = match bell {
        Bell::Stream { id, .. } => id.0.as_u128() % PARTITIONS,
        _ => 0,
    };
    channel_of(partition, database)
}

fn channel_of(partition: u128, database: i64) -> String {
    match database {
        0 => format!("ls:{{p{partition}}}:live"),
        _ => format!("ls:{{p{partition}}}:live:{database}"),
    }
}

/// The bells of other processes, and [`Bell::Missed`] whenever some may not have been heard.
pub(super) fn of_others(address: Address, own: String) -> BoxStream<'static, Bell> {
    let ear = Ear { address, own, open: None, is_away: false };
    stream::unfold(ear, |mut ear| async move { Some((ear.next().await, ear)) }).boxed()
}

struct Ear {
    address: Address,
    own: String,
    open: Option<Open>,
    is_away: bool,
}

/// A line that hears.
struct Open {
    line: Line,
    pushes: mpsc::Receiver<PushInfo>,
    is_full: Arc<AtomicBool>,
}

impl Ear {
    async fn next(&mut self) -> Bell {
        loop {
            let Some(open) = &mut self.open else {
                self.open = Some(self.listen_again().await);
                return Bell::Missed;
            };
            if open.is_full.swap(false, Ordering::SeqCst) {
                return Bell::Missed;
            }
            let push = tokio::select! {
                push = open.pushes.recv() => push,
                () = tokio::time::sleep(QUIET) => {
                    if !open.is_there().await {
                        self.open = None;
                    }
                    continue;
                }
            };
            match push {
                Some(PushInfo { kind: PushKind::SMessage, data }) => {
                    if let Some(bell) = self.told(&data) {
                        return bell;
                    }
                }
                // the line ended, or the cluster moved a partition to another of its nodes
                None | Some(PushInfo { kind: PushKind::Disconnection | PushKind::SUnsubscribe, .. }) => {
                    self.open = None
                }
                Some(_) => {}
            }
        }
    }

    /// A bell that another process rang: the own ones were heard before they were sent.
    fn told(&self, data: &[redis::Value]) -> Option<Bell> {
        let text = String::from_redis_value_ref(data.get(1)?).ok()?;
        let (from, bell) = serde_json::from_str::<(String, Bell)>(&text).ok()?;
        (from != self.own).then_some(bell)
    }

    /// Tries until there is a Redis. An operator reads when it went and when it came back.
    async fn listen_again(&mut self) -> Open {
        loop {
            if let Ok(Ok(open)) = timeout(LISTEN_WITHIN, Open::new(&self.address)).await {
                if std::mem::take(&mut self.is_away) {
                    tracing::warn!("redis answers again");
                }
                return open;
            }
            if !std::mem::replace(&mut self.is_away, true) {
                tracing::warn!("redis cannot be reached; changes are found by asking the database");
            }
            tokio::time::sleep(TRY_AGAIN).await;
        }
    }
}

impl Open {
    async fn new(address: &Address) -> RedisResult<Self> {
        let (sender, pushes) = mpsc::channel(WAITING);
        let is_full = Arc::new(AtomicBool::new(false));
        let lost = Arc::clone(&is_full);
        let sender = move |push: PushInfo| {
            // an end that finds no room is noticed by the end of the channel
            if sender.try_send(push).is_err() {
                lost.store(true, Ordering::SeqCst);
            }
            Ok::<(), SendError>(())
        };
        let line = address.connect_to_hear(sender).await?;
        let asking = (0..PARTITIONS).map(|partition| {
            let mut line = line.clone();
            async move { line.subscribe(&channel_of(partition, line.get_db())).await }
        });
        try_join_all(asking).await?;
        Ok(Self { line, pushes, is_full })
    }

    async fn is_there(&mut self) -> bool {
        let ping = redis::cmd("PING");
        let asking = ping.query_async::<redis::Value>(&mut self.line);
        timeout(Duration::from_secs(2), asking).await.is_ok_and(|answer| answer.is_ok())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use uuid::Uuid;

    use super::*;
    use crate::ids::StreamId;

    #[test]
    fn streams_spread_over_all_partitions_and_keep_theirs() {
        let bell = |id, seq| channel(&Bell::Stream { id, seq }, 0);
        let ids: Vec<StreamId> = (0..1000).map(|_| StreamId(Uuid::now_v7())).collect();
        assert_eq!(ids.iter().map(|id| bell(*id, 1)).collect::<BTreeSet<_>>().len(), 64);
        assert!(ids.iter().all(|id| bell(*id, 1) == bell(*id, 2)));
        assert_eq!(channel(&Bell::Deliveries, 0), "ls:{p0}:live");
    }
}
