//! A handshake that comes whole and in order: answered without the HTTP server.
//!
//! # Why
//! After a restart ten thousand phones come back at once, each with one request that can only be answered in one way. What
//! an HTTP server does for a request of any kind (its buffers and timers, the way to a handler through all layers, a task
//! that hands the connection over to another) is most of what such a phone costs. Here its head is looked at before anything
//! is taken of it: whatever is not just that, comes in pieces or would be refused is left to the HTTP server, by which the
//! same checks are done and every refusal is said.
use std::{
    future::{poll_fn, ready},
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Poll, ready as ready_or_wait},
};

use axum::{
    extract::ConnectInfo,
    http::{HeaderMap, HeaderName, HeaderValue, Request, header},
};
use bytes::Bytes;
use tokio::{
    io::{AsyncRead, ReadBuf},
    net::TcpStream,
};
use uuid::Uuid;

use super::{
    hub::{Means, Waiting},
    socket::{self, BUFFER},
    wire::{self, Line},
};
use crate::{app, people};

/// How a request for a socket begins.
const BEGINNING: &[u8] = b"GET /connection/websocket HTTP/1.1\r\n";
/// And its answer; what the key is answered with follows.
const ANSWER: &[u8] =
    b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: ";
/// Before the id by which it is found in the log, as every answer has one.
const ID: &[u8] = b"\r\nx-request-id: ";
/// Lines of a head; one that has more is for the HTTP server.
const LINES: usize = 48;

/// Where connections stand before they are known to ask for a socket.
#[derive(Clone)]
pub struct Doorstep(Arc<Means>);

/// A handshake that may be answered.
pub struct Opening {
    means: Arc<Means>,
    place: Waiting,
    cookie: Option<String>,
    accept: HeaderValue,
    /// Bytes of its head.
    length: usize,
}

impl Doorstep {
    pub(super) fn new(means: Arc<Means>) -> Self {
        Self(means)
    }

    /// Waits for the first bytes and takes none; `None`: they are for the HTTP server.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn look(&self, stream: &TcpStream, peer: SocketAddr) -> io::Result<Option<Opening>> {
        let looking = poll_fn(|context| {
            BUFFER.with_borrow_mut(|buffer| {
                let mut head = ReadBuf::new(buffer);
                ready_or_wait!(stream.poll_peek(context, &mut head))?;
                Poll::Ready(io::Result::Ok(self.opening(head.filled(), peer)))
            })
        });
        looking.await
    }

    fn opening(&self, head: &[u8], peer: SocketAddr) -> Option<Opening> {
        let (length, headers) = read(head)?;
        let mut parts = Request::new(()).into_parts().0;
        parts.headers = headers;
        parts.extensions.insert(ConnectInfo(peer));
        let Means { app, hub, .. } = &*self.0;
        let cookie = people::session_cookie(&parts.headers);
        if cookie.is_some() && people::require_own_page(app, &parts.headers).is_err() {
            return None;
        }
        let accept = wire::checked(&parts.method, &parts.headers).ok()?;
        let address = app::client_address(app, &parts.headers, &parts.extensions)?;
        let place = hub.wait(app::network(address))?;
        // the last, because who is refused is counted by the HTTP server
        app.rates.request(address).ok()?;
        Some(Opening { means: Arc::clone(&self.0), place, cookie, accept, length })
    }
}

impl Opening {
    /// Answers it, and carries the socket to its end.
    pub async fn live(self, mut stream: TcpStream, line: Line) {
        let Self { means, place, cookie, accept, length } = self;
        if let Ok(behind) = answered(&mut stream, length, &accept).await {
            metrics::counter!("http_requests_total", "method" => "GET", "route" => "/connection/websocket", "status" => "101")
                .increment(1);
            socket::live(means, ready(Some((stream, behind, line))), (cookie, place)).await;
        }
    }
}

/// Takes the head and says the answer; what came behind the head.
async fn answered(stream: &mut TcpStream, length: usize, accept: &HeaderValue) -> io::Result<Bytes> {
    let taking = poll_fn(|context| {
        BUFFER.with_borrow_mut(|buffer| {
            let mut taken = ReadBuf::new(buffer);
            ready_or_wait!(Pin::new(&mut *stream).poll_read(context, &mut taken))?;
            Poll::Ready(io::Result::Ok(taken.filled().get(length..).map(Bytes::copy_from_slice)))
        })
    });
    // it was all there a moment ago
    let behind = taking.await?.ok_or(io::ErrorKind::UnexpectedEof)?;
    stream.writable().await?;
    let (id, mut text) = (Uuid::now_v7(), Uuid::encode_buffer());
    let text = id.as_hyphenated().encode_lower(&mut text).as_bytes();
    let answer = [ANSWER, accept.as_bytes(), ID, text, b"\r\n\r\n"].concat();
    // the first that is written, and short
    if stream.try_write(&answer)? != answer.len() {
        return Err(io::ErrorKind::WriteZero.into());
    }
    tracing::debug!(request = %id, method = "GET", route = "/connection/websocket", status = 101, "answered");
    Ok(behind)
}

/// The length of a head and its lines, if it is whole and asks for a socket, with nothing to follow it.
fn read(bytes: &[u8]) -> Option<(usize, HeaderMap)> {
    if !bytes.starts_with(BEGINNING) {
        return None;
    }
    let mut lines = [httparse::EMPTY_HEADER; LINES];
    let mut request = httparse::Request::new(&mut lines);
    let Ok(httparse::Status::Complete(length)) = request.parse(bytes) else { return None };
    let mut headers = HeaderMap::with_capacity(request.headers.len());
    for line in request.headers.iter() {
        let name = HeaderName::from_bytes(line.name.as_bytes()).ok()?;
        headers.append(name, HeaderValue::from_bytes(line.value).ok()?);
    }
    let follows = [header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::EXPECT];
    (!follows.iter().any(|name| headers.contains_key(name))).then_some((length, headers))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::{Food, feed};

    const HELLO: &str = "GET /connection/websocket HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\n\
        Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

    #[test]
    fn what_is_whole_and_asks_for_a_socket_is_read_and_all_else_is_left() {
        let behind = format!("{HELLO}more");
        for whole in [HELLO, &behind] {
            let (length, headers) = read(whole.as_bytes()).unwrap();
            assert_eq!((length, headers.len()), (HELLO.len(), 5));
            assert!(wire::checked(&axum::http::Method::GET, &headers).is_ok());
        }
        let line = |line: &str| HELLO.replace("Host: x\r\n", &format!("Host: x\r\n{line}\r\n"));
        for other in [
            String::new(),
            HELLO[..HELLO.len() - 1].to_owned(),
            HELLO.replace("GET", "POST"),
            HELLO.replace("websocket HTTP/1.1", "websocket?x=1 HTTP/1.1"),
            HELLO.replace("HTTP/1.1", "HTTP/1.0"),
            HELLO.replace("Host: x", "Host : x"),
            line("Content-Length: 3"),
            line("Transfer-Encoding: chunked"),
            line("Expect: 100-continue"),
            line(&"X: y\r\n".repeat(LINES)),
        ] {
            assert!(read(other.as_bytes()).is_none(), "{other}");
        }
    }

    #[test]
    fn bent_heads_are_read_or_left() {
        let words = ["\r\n", ": ", "Upgrade", "Content-Length: 1\r\n", "\u{0}", "HTTP/1.1", "\r\n\r\n"];
        let food = Food { name: "handshake", seeds: vec![HELLO.as_bytes().to_vec()], words: &words, longest: 2000 };
        feed(&food, |bytes| {
            let Some((length, _)) = read(bytes) else { return };
            assert!(length <= bytes.len() && bytes[..length].ends_with(b"\n"));
        });
    }
}
