//! The loop that owns one socket: reads commands, writes everything that waits in one call, pings, and ends cleanly.
use std::{num::NonZeroU32, sync::Arc, time::Duration};

use axum::{
    Extension, Router,
    extract::{
        State,
        ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade},
    },
    http::HeaderMap,
    response::{IntoResponse, Response},
    routing::{any, get},
};
use futures_util::{FutureExt, SinkExt};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use super::{
    calls::Calls,
    hub::{Hub, Waiting},
    protocol::{self, Close, Command, Fault, PING_SECS},
    session::{Credential, Session},
};
use crate::{
    actor::Actor,
    app::App,
    error::{Code, Result},
    people,
};

/// A phone says who it is within this time.
const CONNECT_WITHIN: Duration = Duration::from_secs(15);
const PONG_WITHIN: Duration = Duration::from_secs(10);
/// A write that takes longer: nobody reads on the other side.
const WRITE_WITHIN: Duration = Duration::from_secs(10);
const MAX_MESSAGE: usize = 64 * 1024;
/// Kept for each socket; axum's default is 128 KiB.
const READ_BUFFER: usize = 1024;
/// Written in one call to the kernel.
const WRITE_BUFFER: usize = 8192;
/// Pings between two that say where the streams stand.
const HEADS_EVERY: u32 = 3;
/// Items written in one call at most.
const TOGETHER: usize = 64;

/// `/connection/websocket`, and the same as server-sent events.
pub fn routes(hub: Arc<Hub>, calls: Calls) -> Router<App> {
    Router::new()
        .route("/connection/websocket", any(upgrade))
        .route("/v1/events", get(super::events::events))
        .layer(Extension(hub))
        .layer(Extension(Arc::new(calls)))
}

async fn upgrade(
    State(app): State<App>,
    Extension(hub): Extension<Arc<Hub>>,
    Extension(calls): Extension<Arc<Calls>>,
    headers: HeaderMap,
    socket: WebSocketUpgrade,
) -> Response {
    let cookie = people::session_cookie(&headers);
    if cookie.is_some() {
        // a page of another site may open a socket with our cookie
        if let Err(error) = people::require_own_page(&app, &headers) {
            return error.into_response();
        }
    }
    let Some(place) = hub.wait() else {
        // thousands come back at once: each after a while of its own
        return Code::Busy.after_secs(2 + u64::from(Uuid::new_v4().as_bytes()[0] % 8)).into_response();
    };
    socket
        .max_message_size(MAX_MESSAGE)
        .max_frame_size(MAX_MESSAGE)
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(WRITE_BUFFER + 2 * MAX_MESSAGE)
        .on_upgrade(move |socket| async move {
            metrics::counter!("sockets_opened_total").increment(1);
            Loop { socket, limiter: limiter() }.run((app, calls), hub, (cookie, place)).await;
        })
}

/// Ten commands a second, twenty at once.
fn limiter() -> DefaultDirectRateLimiter {
    let rate = NonZeroU32::new(10).unwrap_or(NonZeroU32::MIN);
    RateLimiter::direct(Quota::per_second(rate).allow_burst(NonZeroU32::new(20).unwrap_or(rate)))
}

struct Loop {
    socket: WebSocket,
    limiter: DefaultDirectRateLimiter,
}

impl Loop {
    async fn run(mut self, app: (App, Arc<Calls>), hub: Arc<Hub>, (cookie, place): (Option<String>, Waiting)) {
        // what is done once is a future of its own, so that the one of every idle connection stays small
        let connected = Box::pin(self.connect(&app, &hub, cookie)).await;
        drop((place, app, hub));
        let close = match connected {
            Ok(mut session) => self.serve(&mut session).await,
            Err(close) => close,
        };
        self.end(close).await;
    }

    /// Waits for `connect` and answers it.
    async fn connect(
        &mut self,
        (app, calls): &(App, Arc<Calls>),
        hub: &Arc<Hub>,
        cookie: Option<String>,
    ) -> std::result::Result<Session, Option<Close>> {
        let first = timeout(CONNECT_WITHIN, self.receive()).await.map_err(|_| Some(Close::BadRequest))?;
        let mut commands = first?.into_iter();
        let Some(Command { id, connect: Some(connect), .. }) = commands.next() else {
            return Err(Some(Close::BadRequest));
        };
        let _door = hub.doors.acquire().await.map_err(|_| Some(Close::Shutdown))?;
        let Ok((credential, actor)) = known(app, cookie, &connect.token).await else {
            self.write(vec![protocol::fault(id, Fault::Unauthorized).into()]).await.map_err(|()| None)?;
            return Err(Some(Close::InvalidToken));
        };
        let listener = hub.enter(actor.person, actor.session);
        let started =
            Session::start((app.clone(), Arc::clone(calls)), (credential, actor), listener, (id, connect)).await;
        let (mut session, answer) = started.map_err(|_| Some(Close::ForceReconnect))?;
        let mut out: Vec<Utf8Bytes> = vec![answer.into()];
        if let Some(close) = self.answer(&mut session, commands.collect(), &mut out).await {
            return Err(Some(close));
        }
        self.write(out).await.map_err(|()| None)?;
        Ok(session)
    }

    /// Until the connection ends; the reason, if we end it.
    async fn serve(&mut self, session: &mut Session) -> Option<Close> {
        let mut ping =
            tokio::time::interval_at(Instant::now() + Duration::from_secs(PING_SECS), Duration::from_secs(PING_SECS));
        let mut pong_due: Option<Instant> = None;
        let mut pings = 0;
        let mut items = Vec::new();
        loop {
            let mut out = Vec::new();
            let pong_timeout = async { tokio::time::sleep_until(pong_due.unwrap_or_else(Instant::now)).await };
            let close = tokio::select! {
                biased;
                count = session.listener.items.recv_many(&mut items, TOGETHER) => {
                    if count == 0 { Some(Close::Shutdown) } else { session.take(&mut items, &mut out).await }
                }
                received = self.receive() => {
                    // any traffic shows that the other side lives
                    pong_due = None;
                    match received {
                        Ok(commands) => self.answer(session, commands, &mut out).await,
                        Err(close) => return close,
                    }
                }
                _ = ping.tick() => {
                    pong_due = Some(Instant::now() + PONG_WITHIN);
                    pings += 1;
                    out.extend(session.heads().filter(|_| pings % HEADS_EVERY == 0).map(Utf8Bytes::from));
                    out.push("{}".into());
                    Box::pin(session.still_good()).await
                }
                () = pong_timeout, if pong_due.is_some() => Some(Close::NoPong),
            };
            if self.write(out).await.is_err() {
                return None;
            }
            if close.is_some() {
                return close;
            }
        }
    }

    async fn answer(
        &mut self,
        session: &mut Session,
        commands: Vec<Command>,
        out: &mut Vec<Utf8Bytes>,
    ) -> Option<Close> {
        for command in commands {
            let is_pong = command.id == 0 && command.send.is_none();
            if !is_pong && self.limiter.check().is_err() {
                return Some(Close::TooMany);
            }
            out.extend(Box::pin(session.command(command)).await.map(Into::into));
        }
        None
    }

    /// The commands of the next text frame. `Err(None)`: the other side is gone.
    async fn receive(&mut self) -> std::result::Result<Vec<Command>, Option<Close>> {
        loop {
            match self.socket.recv().await {
                Some(Ok(Message::Text(text))) => return protocol::commands(&text).map_err(|_| Some(Close::BadRequest)),
                // each is answered: a flood of them is a flood of commands
                Some(Ok(Message::Ping(_) | Message::Pong(_))) if self.limiter.check().is_ok() => {}
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => return Err(Some(Close::TooMany)),
                Some(Ok(Message::Binary(_))) => return Err(Some(Close::BadRequest)),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(None),
            }
        }
    }

    /// Everything that waits, in one call to the kernel.
    async fn write(&mut self, out: Vec<Utf8Bytes>) -> std::result::Result<(), ()> {
        if out.is_empty() {
            return Ok(());
        }
        let writing = async {
            for frame in out {
                self.socket.feed(Message::Text(frame)).await?;
            }
            self.socket.flush().await
        };
        match timeout(WRITE_WITHIN, writing).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(()),
        }
    }

    /// Says why, then reads on until the other side has closed too, so that the close is clean.
    async fn end(mut self, close: Option<Close>) {
        if let Some(close) = close {
            metrics::counter!("sockets_closed_total", "reason" => close.reason()).increment(1);
            let frame = CloseFrame { code: close.code(), reason: close.reason().into() };
            let said = timeout(WRITE_WITHIN, self.socket.send(Message::Close(Some(frame)))).await;
            if !matches!(said, Ok(Ok(()))) {
                return;
            }
        }
        let gone = async { while let Some(Ok(_)) = self.socket.recv().await {} };
        // a peer that never closes is left after this time
        drop(timeout(Duration::from_secs(3), gone.fuse()).await);
    }
}

async fn known(app: &App, cookie: Option<String>, token: &str) -> Result<(Credential, Actor)> {
    let credential = Credential::of(app, cookie, token).await?;
    let actor = credential.actor(app).await?;
    Ok((credential, actor))
}
