//! The broker between processes: Redis Streams with a consumer group for work, pub/sub for doorbells.
use std::time::Duration;

use async_trait::async_trait;
use futures_util::{StreamExt, stream::BoxStream};
use redis::{
    AsyncCommands, Client, ErrorKind, RedisError, RedisResult,
    aio::{ConnectionManager, ConnectionManagerConfig},
    streams::{StreamAutoClaimOptions, StreamAutoClaimReply, StreamId, StreamReadOptions, StreamReadReply},
};
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::{Bell, Broker, Job};
use crate::error::{Error, Result};

const DOORBELL: &str = "ls:bells";
const GROUP: &str = "workers";
/// A job not acknowledged within this time is offered to another worker.
const OFFER_AGAIN_MS: usize = 60_000;

/// See [`Broker`]. Blocking reads have a connection of their own: on a shared one they would hold up everybody.
pub struct Redis {
    client: Client,
    shared: OnceCell<ConnectionManager>,
    blocking: OnceCell<ConnectionManager>,
    consumer: String,
}

impl Redis {
    /// Opens the address; connects at first use, so that a Redis that is away does not stop the start.
    ///
    /// # Errors
    /// When the address is not a Redis URL.
    pub fn open(url: &str) -> Result<Self> {
        let client = Client::open(url).map_err(|error| Error::broken(format!("redis_url: {error}")))?;
        Ok(Self { client, shared: OnceCell::new(), blocking: OnceCell::new(), consumer: Uuid::now_v7().to_string() })
    }

    async fn shared(&self) -> Result<ConnectionManager> {
        self.shared.get_or_try_init(|| self.connect(Duration::from_millis(500))).await.cloned()
    }

    async fn blocking(&self) -> Result<ConnectionManager> {
        self.blocking.get_or_try_init(|| self.connect(Duration::from_secs(15))).await.cloned()
    }

    async fn connect(&self, answer_within: Duration) -> Result<ConnectionManager> {
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(1)
            .set_min_delay(Duration::from_millis(50))
            .set_max_delay(Duration::from_millis(200))
            .set_connection_timeout(Some(Duration::from_millis(500)))
            .set_response_timeout(Some(answer_within));
        ConnectionManager::new_with_config(self.client.clone(), config).await.map_err(away)
    }

    async fn read(&self, key: &str, count: usize, wait_ms: u64) -> RedisResult<Vec<StreamId>> {
        let mut connection = self.blocking().await.map_err(|_| RedisError::from((ErrorKind::Io, "redis is away")))?;
        let mut options = StreamReadOptions::default().group(GROUP, &self.consumer).count(count);
        if wait_ms > 0 {
            options = options.block(usize::try_from(wait_ms).unwrap_or(5000));
        }
        let reply: Option<StreamReadReply> = connection.xread_options(&[key], &[">"], &options).await?;
        Ok(reply.into_iter().flat_map(|reply| reply.keys).flat_map(|key| key.ids).collect())
    }

    async fn overdue(&self, key: &str, count: usize) -> RedisResult<Vec<StreamId>> {
        let mut connection = self.shared().await.map_err(|_| RedisError::from((ErrorKind::Io, "redis is away")))?;
        let options = StreamAutoClaimOptions::default().count(count);
        let reply: StreamAutoClaimReply =
            connection.xautoclaim_options(key, GROUP, &self.consumer, OFFER_AGAIN_MS, "0-0", options).await?;
        Ok(reply.claimed)
    }

    async fn make_group(&self, key: &str) -> Result<()> {
        let mut connection = self.shared().await?;
        let made: RedisResult<()> = connection.xgroup_create_mkstream(key, GROUP, "0").await;
        match made {
            Err(error) if error.code() != Some("BUSYGROUP") => Err(away(error)),
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl Broker for Redis {
    fn name(&self) -> &'static str {
        "redis"
    }

    async fn ring(&self, bells: &[Bell]) -> Result<()> {
        if bells.is_empty() {
            return Ok(());
        }
        let mut pipe = redis::pipe();
        for bell in bells {
            pipe.publish(DOORBELL, serde_json::to_string(bell).map_err(Error::broken)?).ignore();
        }
        pipe.query_async(&mut self.shared().await?).await.map_err(away)
    }

    async fn bells(&self) -> Result<BoxStream<'static, Bell>> {
        let client = self.client.clone();
        let heard = futures_util::stream::unfold((client, None), |(client, mut listening)| async move {
            loop {
                let mut messages = match listening.take() {
                    Some(messages) => messages,
                    None => listen_again(&client).await,
                };
                while let Some(text) = messages.next().await {
                    if let Ok(bell) = serde_json::from_str::<Bell>(&text) {
                        return Some((bell, (client, Some(messages))));
                    }
                }
            }
        });
        Ok(heard.boxed())
    }

    async fn push(&self, queue: &str, ids: &[String]) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let mut pipe = redis::pipe();
        for id in ids {
            pipe.xadd(key(queue), "*", &[("id", id)]).ignore();
        }
        pipe.query_async(&mut self.shared().await?).await.map_err(away)
    }

    async fn take(&self, queue: &str, count: usize, wait_ms: u64) -> Result<Vec<Job>> {
        let key = key(queue);
        let taken = async {
            let overdue = self.overdue(&key, count).await?;
            if overdue.is_empty() { self.read(&key, count, wait_ms).await } else { Ok(overdue) }
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

    async fn done(&self, queue: &str, tickets: &[String]) -> Result<()> {
        if tickets.is_empty() {
            return Ok(());
        }
        let mut pipe = redis::pipe();
        pipe.xack(key(queue), GROUP, tickets).ignore().xdel(key(queue), tickets).ignore();
        pipe.query_async(&mut self.shared().await?).await.map_err(away)
    }

    async fn ready(&self) -> bool {
        let Ok(mut connection) = self.shared().await else { return false };
        redis::cmd("PING").query_async::<String>(&mut connection).await.is_ok()
    }
}

/// Tries until there is a Redis. An operator reads when it went and when it came back.
async fn listen_again(client: &Client) -> BoxStream<'static, String> {
    let mut is_away = false;
    loop {
        if let Some(messages) = listen(client).await {
            if is_away {
                tracing::warn!("redis answers again");
            }
            return messages;
        }
        if !std::mem::replace(&mut is_away, true) {
            tracing::warn!("redis cannot be reached; changes are found by asking the database");
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

async fn listen(client: &Client) -> Option<BoxStream<'static, String>> {
    let mut pubsub = client.get_async_pubsub().await.ok()?;
    pubsub.subscribe(DOORBELL).await.ok()?;
    Some(pubsub.into_on_message().filter_map(|message| async move { message.get_payload::<String>().ok() }).boxed())
}

fn key(queue: &str) -> String {
    format!("ls:queue:{queue}")
}

fn job(entry: StreamId) -> Option<Job> {
    Some(Job { id: entry.get("id")?, ticket: entry.id })
}

fn away(error: RedisError) -> Error {
    Error::broken(format!("redis: {}", error.kind_name()))
}

/// What failed, without the server's text, which could quote a value.
trait KindName {
    fn kind_name(&self) -> String;
}

impl KindName for RedisError {
    fn kind_name(&self) -> String {
        self.code().map_or_else(|| format!("{:?}", self.kind()), str::to_owned)
    }
}
