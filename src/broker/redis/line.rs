//! Lines to a Redis, a single one or a cluster, and when none is tried: who does not answer at once is left alone for a while.
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionInfo, ErrorKind, IntoConnectionInfo, Pipeline, ProtocolVersion,
    RedisError, RedisFuture, RedisResult, Value,
    aio::{AsyncPushSender, ConnectionLike, MultiplexedConnection},
    cluster::ClusterClientBuilder,
    cluster_async::ClusterConnection,
};
use tokio::{
    sync::Mutex as Turn,
    time::{Instant, timeout},
};

/// A Redis that has not answered by then is away: whoever commits must not wait for a doorbell.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_millis(250);
/// So long it is not tried again.
const LEFT_ALONE: Duration = Duration::from_secs(1);
const CONNECT_WITHIN: Duration = Duration::from_secs(2);
const CLUSTER: &str = "redis+cluster://";

/// Where Redis is. `redis+cluster://user:password@host:port,host:port` names some of a cluster's nodes.
#[derive(Clone)]
pub(super) enum Address {
    One(Client),
    Cluster(Vec<ConnectionInfo>),
}

impl Address {
    pub(super) fn open(url: &str) -> RedisResult<Self> {
        let nodes: Vec<_> =
            nodes(url).into_iter().map(IntoConnectionInfo::into_connection_info).collect::<RedisResult<_>>()?;
        match nodes.as_slice() {
            [one] if !url.starts_with(CLUSTER) => Ok(Self::One(Client::open(one.clone())?)),
            _ => Ok(Self::Cluster(nodes)),
        }
    }

    async fn connect(&self) -> RedisResult<Line> {
        match self {
            Self::One(client) => Ok(Line::One(client.get_multiplexed_async_connection_with_config(&patient()).await?)),
            Self::Cluster(nodes) => Ok(Line::Cluster(of_cluster(nodes).build()?.get_async_connection().await?)),
        }
    }

    /// A line over which Redis speaks of itself, too.
    pub(super) async fn connect_to_hear(&self, pushes: impl AsyncPushSender) -> RedisResult<Line> {
        match self {
            Self::One(client) => {
                let known = client.get_connection_info();
                let settings = known.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
                let client = Client::open(known.clone().set_redis_settings(settings))?;
                let config = patient().set_push_sender(pushes);
                Ok(Line::One(client.get_multiplexed_async_connection_with_config(&config).await?))
            }
            Self::Cluster(nodes) => {
                let cluster = of_cluster(nodes).use_protocol(ProtocolVersion::RESP3).push_sender(pushes).build()?;
                Ok(Line::Cluster(cluster.get_async_connection().await?))
            }
        }
    }
}

/// Addresses of the nodes that the setting names.
pub(crate) fn nodes(url: &str) -> Vec<String> {
    let Some(list) = url.strip_prefix(CLUSTER) else { return vec![url.to_owned()] };
    let (who, hosts) = list.rsplit_once('@').map_or(("", list), |(who, hosts)| (who, hosts));
    let at = if who.is_empty() { "" } else { "@" };
    hosts.split(',').map(|host| format!("redis://{who}{at}{host}")).collect()
}

/// How long is too long is said where something is asked.
fn patient() -> AsyncConnectionConfig {
    AsyncConnectionConfig::new().set_connection_timeout(Some(CONNECT_WITHIN)).set_response_timeout(None)
}

fn of_cluster(nodes: &[ConnectionInfo]) -> ClusterClientBuilder {
    // a blocking read takes five seconds
    let builder = ClusterClientBuilder::new(nodes.iter().cloned()).retries(1);
    builder.connection_timeout(CONNECT_WITHIN).response_timeout(Duration::from_secs(15))
}

/// A connection, shared by cloning.
#[derive(Clone)]
pub(super) enum Line {
    One(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Line {
    /// Each channel by itself: in a cluster they lie in different slots.
    pub(super) async fn subscribe(&mut self, channel: &str) -> RedisResult<()> {
        match self {
            Self::One(line) => redis::cmd("SSUBSCRIBE").arg(channel).exec_async(line).await,
            Self::Cluster(line) => line.ssubscribe(channel).await,
        }
    }
}

impl ConnectionLike for Line {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::One(line) => line.req_packed_command(cmd),
            Self::Cluster(line) => line.req_packed_command(cmd),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::One(line) => line.req_packed_commands(pipeline, offset, count),
            Self::Cluster(line) => line.req_packed_commands(pipeline, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::One(line) => line.get_db(),
            Self::Cluster(line) => line.get_db(),
        }
    }
}

/// A line that is made when it is needed, thrown away when it does not answer, and not tried again for a second.
pub(super) struct Gate {
    address: Address,
    line: Turn<Option<Line>>,
    not_before: Mutex<Option<Instant>>,
}

impl Gate {
    pub(super) fn new(address: Address) -> Arc<Self> {
        Arc::new(Self { address, line: Turn::default(), not_before: Mutex::default() })
    }

    /// Asks, unless Redis did not answer a moment ago.
    pub(super) async fn ask<T, F>(self: &Arc<Self>, within: Duration, work: impl FnOnce(Line) -> F) -> RedisResult<T>
    where
        F: Future<Output = RedisResult<T>>,
    {
        if !self.may_try() {
            return Err(no_answer());
        }
        self.try_now(within, work).await
    }

    /// Asks, whatever happened before.
    pub(super) async fn try_now<T, F>(
        self: &Arc<Self>,
        within: Duration,
        work: impl FnOnce(Line) -> F,
    ) -> RedisResult<T>
    where
        F: Future<Output = RedisResult<T>>,
    {
        let asking = async { work(self.line().await?).await };
        let answer = timeout(within, asking).await.unwrap_or_else(|_| Err(no_answer()));
        // a refusal is an answer, too
        if answer.as_ref().is_err_and(|error| error.code().is_none()) {
            // while one is being made there is none to be thrown away, and nobody waits for it
            if let Ok(mut line) = self.line.try_lock() {
                *line = None;
            }
            self.set_not_before(Some(Instant::now() + LEFT_ALONE));
        } else {
            self.set_not_before(None);
        }
        answer
    }

    /// One tries again after a while, and the others only once it got through.
    fn may_try(&self) -> bool {
        let mut not_before = self.not_before.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        match *not_before {
            Some(at) if now < at => false,
            Some(_) => {
                *not_before = Some(now + LEFT_ALONE);
                true
            }
            None => true,
        }
    }

    fn set_not_before(&self, at: Option<Instant>) {
        *self.not_before.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }

    async fn line(self: &Arc<Self>) -> RedisResult<Line> {
        let known = self.line.try_lock().ok().and_then(|line| line.clone());
        if let Some(line) = known {
            return Ok(line);
        }
        // goes on when who asked has lost patience, so that the next one finds it done
        let gate = Arc::clone(self);
        let connecting = tokio::spawn(async move {
            let mut line = gate.line.lock().await;
            if line.is_none() {
                let made =
                    timeout(CONNECT_WITHIN, gate.address.connect()).await.unwrap_or_else(|_| Err(no_answer()))?;
                *line = Some(made);
            }
            line.clone().ok_or_else(no_answer)
        });
        connecting.await.unwrap_or_else(|_| Err(no_answer()))
    }
}

pub(super) fn no_answer() -> RedisError {
    RedisError::from((ErrorKind::Io, "redis is away"))
}

#[cfg(test)]
mod tests {
    use super::nodes;

    #[test]
    fn every_node_of_a_cluster_is_named_with_its_key() {
        assert_eq!(nodes("redis://:secret@one:6379/3"), ["redis://:secret@one:6379/3"]);
        assert_eq!(nodes("redis+cluster://one:1,two:2"), ["redis://one:1", "redis://two:2"]);
        assert_eq!(nodes("redis+cluster://u:p@one:1,two:2"), ["redis://u:p@one:1", "redis://u:p@two:2"]);
    }
}
