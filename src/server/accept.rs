//! Accepts connections: bounded in number, over all and per network, with a time limit on the head of every request and on
//! every answer that is not taken, ended gracefully.
use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{Router, extract::ConnectInfo, http::Request};
use bytes::Bytes;
use hyper::{body::Incoming, service::service_fn, upgrade::Upgraded};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{
        conn::auto::{Builder, upgrade::downcast},
        graceful::{GracefulConnection, GracefulShutdown},
    },
};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::stall::Taking;
use crate::{
    app,
    config::Config,
    live::{Doorstep, Line, Opening},
};

/// What the system holds for a connection whose other end does not read; twice that with its own book-keeping.
const SEND_BUFFER_BYTES: u32 = 128 * 1024;
/// Connections that wait to be accepted: a village that comes back at once.
const WAITING: u32 = 4096;
/// After the end was asked for, what was sent before it may still be on its way.
const LATE: Duration = Duration::from_millis(200);

/// Listens. What is accepted gets a fixed buffer: left alone it grows to megabytes for each deaf phone, and nothing tells
/// that it is deaf until they are full. It sends at once, too; on Linux a connection has both from the socket that listens.
///
/// # Errors
/// When the address cannot be bound.
pub(super) fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
    socket.set_nodelay(true)?;
    socket.bind(address)?;
    socket.listen(WAITING)
}

/// # Why
/// `axum::serve` has no time limit on request heads: a connection that sends nothing would be held for ever. And one
/// network that takes every place would shut out all others: it gets a share.
pub(super) async fn serve(
    listener: TcpListener,
    (router, doorstep): (Router, Option<Doorstep>),
    config: Arc<Config>,
    stop: CancellationToken,
) {
    let places = Arc::new(Semaphore::new(config.max_connections));
    let networks = Networks::new(config.connections_per_address);
    let ending = GracefulShutdown::new();
    loop {
        // an end comes also while every place is taken
        let (place, accepted) = tokio::select! {
            come = next(&listener, &places) => come,
            () = stop.cancelled() => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // out of file descriptors, most likely: wait for some to be given back
                tracing::warn!(%error, "accept");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let share = if config.trusted_proxies.contains(&peer.ip()) { None } else { Some(networks.enter(peer.ip())) };
        if matches!(share, Some(None)) {
            metrics::counter!("connections_refused_total").increment(1);
            continue;
        }
        let (watcher, router, doorstep, stop) = (ending.watcher(), router.clone(), doorstep.clone(), stop.clone());
        let head_within = Duration::from_secs(config.header_timeout_secs);
        let taken_within = Duration::from_secs(config.answer_timeout_secs);
        // a socket takes its places along when the request that opened it is long answered
        let line = Line { place: Arc::new((place, share)), take_out };
        tokio::spawn(async move {
            // hyper's limit on the head begins with its first byte; a connection may send none. A look, not readiness,
            // which may be told without a byte being there
            match in_time(look(&stream, peer, doorstep), head_within, &stop).await {
                Some(Some(opening)) => {
                    // sockets end by themselves: nobody waits for them as for a request
                    drop((watcher, router, stop));
                    opening.live(stream, line).await;
                }
                Some(None) => {
                    let stream = Taking::new(stream, taken_within);
                    // elsewhere in memory, or every socket would hold its room; an error here is the other side's
                    Box::pin(watcher.watch(connection(stream, (peer, line), router, head_within))).await.ok();
                }
                None => {}
            }
        });
    }
    drop(listener);
    let finished = tokio::time::timeout(Duration::from_secs(config.drain_timeout_secs), ending.shutdown()).await;
    if finished.is_err() {
        tracing::warn!("some requests were cut off at the end of the drain time");
    }
}

/// The next connection, once there is a place for it.
async fn next(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (Option<OwnedSemaphorePermit>, std::io::Result<(TcpStream, SocketAddr)>) {
    // never closed
    let place = Arc::clone(places).acquire_owned().await.ok();
    (place, listener.accept().await)
}

/// What was seen of a connection, if its first bytes come in time and before the end: a browser opens connections for later,
/// and as long as nothing is asked on one, nobody is to wait for it.
async fn in_time<T>(looking: impl Future<Output = T>, within: Duration, stop: &CancellationToken) -> Option<T> {
    let ended = async {
        stop.cancelled().await;
        tokio::time::sleep(LATE).await;
    };
    tokio::select! {
        biased;
        seen = tokio::time::timeout(within, looking) => seen.ok(),
        () = ended => None,
    }
}

/// Waits for the first bytes, and says whether they ask for a socket and nothing else.
async fn look(stream: &TcpStream, peer: SocketAddr, doorstep: Option<Doorstep>) -> Option<Opening> {
    match doorstep {
        // whoever is gone is found gone by the HTTP server, too
        Some(doorstep) => doorstep.look(stream, peer).await.ok().flatten(),
        None => {
            stream.peek(&mut [0]).await.ok();
            None
        }
    }
}

fn connection(
    stream: Taking<TcpStream>,
    (peer, line): (SocketAddr, Line),
    router: Router,
    head_within: Duration,
) -> impl GracefulConnection {
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        request.extensions_mut().insert(line.clone());
        router.clone().oneshot(request)
    });
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder.http1().timer(TokioTimer::new()).header_read_timeout(head_within).max_buf_size(64 * 1024);
    builder.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned()
}

/// The bare connection out of what `connection` wrapped it in, and what was read of it too much.
fn take_out(upgraded: Upgraded) -> Option<(TcpStream, Bytes)> {
    let parts = downcast::<TokioIo<Taking<TcpStream>>>(upgraded).ok()?;
    Some((parts.io.into_inner().into_inner(), parts.read_buf))
}

/// How many connections each network holds.
struct Networks {
    held: Mutex<HashMap<IpAddr, usize>>,
    each: usize,
}

/// The place of one connection among those of its network.
struct Share(Arc<Networks>, IpAddr);

impl Networks {
    fn new(each: usize) -> Arc<Self> {
        Arc::new(Self { held: Mutex::default(), each })
    }

    fn held(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Share> {
        let network = app::network(address);
        let mut held = self.held();
        let count = held.entry(network).or_default();
        if *count >= self.each {
            return None;
        }
        *count += 1;
        drop(held);
        Some(Share(Arc::clone(self), network))
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut held = self.0.held();
        if let Some(count) = held.get_mut(&self.1) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_gets_its_share_and_gives_it_back() {
        let networks = Networks::new(2);
        let at = |text: &str| networks.enter(text.parse().unwrap());
        let (one, _two) = (at("10.0.0.1").unwrap(), at("10.0.0.1").unwrap());
        assert!(at("10.0.0.1").is_none());
        assert!(at("10.0.0.2").is_some(), "others come in, and going leaves nothing behind");
        drop(one);
        assert!(at("10.0.0.1").is_some());
        assert_eq!(networks.held().len(), 1);
    }

    #[tokio::test]
    async fn an_end_comes_also_while_every_place_is_taken_by_who_says_nothing() {
        let mut config = Config::defaults().unwrap();
        (config.max_connections, config.drain_timeout_secs) = (1, 60);
        let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let serving = tokio::spawn(serve(listener, (Router::new(), None), Arc::new(config), stop.clone()));
        let silent = TcpStream::connect(address).await.unwrap();
        // it has the place by now
        tokio::time::sleep(Duration::from_millis(100)).await;
        stop.cancel();
        tokio::time::timeout(Duration::from_secs(5), serving).await.unwrap().unwrap();
        drop(silent);
    }
}
