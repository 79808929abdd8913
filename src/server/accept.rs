//! Accepts connections: bounded in number, with a time limit on the head of every request, ended gracefully.
use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, extract::ConnectInfo, http::Request};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{
        conn::auto::Builder,
        graceful::{GracefulConnection, GracefulShutdown},
    },
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::config::Config;

/// # Why
/// `axum::serve` has no time limit on request heads: a connection that sends nothing would be held for ever.
pub(super) async fn serve(listener: TcpListener, router: Router, config: Arc<Config>, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(config.max_connections));
    let ending = GracefulShutdown::new();
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { break };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
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
        stream.set_nodelay(true).ok();
        let (watcher, router) = (ending.watcher(), router.clone());
        let head_within = Duration::from_secs(config.header_timeout_secs);
        tokio::spawn(async move {
            // hyper's limit on the head begins with its first byte; a connection may send none
            if tokio::time::timeout(head_within, stream.readable()).await.is_ok() {
                // an error here is the other side's
                watcher.watch(connection(stream, peer, router, head_within)).await.ok();
            }
            drop(place);
        });
    }
    drop(listener);
    let finished = tokio::time::timeout(Duration::from_secs(config.drain_timeout_secs), ending.shutdown()).await;
    if finished.is_err() {
        tracing::warn!("some requests were cut off at the end of the drain time");
    }
}

fn connection(stream: TcpStream, peer: SocketAddr, router: Router, head_within: Duration) -> impl GracefulConnection {
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request)
    });
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder.http1().timer(TokioTimer::new()).header_read_timeout(head_within).max_buf_size(64 * 1024);
    builder.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned()
}
