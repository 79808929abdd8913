//! A socket from its handshake to its end: the task that reads it, and empties what it could not take at once.
use std::{
    cell::RefCell,
    io::{self, ErrorKind},
    net::IpAddr,
    sync::Arc,
    time::Duration,
};

use axum::{
    Extension, Router,
    body::Body,
    extract::{Request, State},
    http::Response,
    response::IntoResponse,
    routing::{any, get},
};
use bytes::Bytes;
use tokio::{
    io::Interest,
    net::TcpStream,
    time::{Instant, timeout},
};
use uuid::Uuid;

use super::{
    calls::Calls,
    connection::{Connection, Flushed, Way},
    doorstep::Doorstep,
    ending::{self, End},
    frames::{Event, Reader},
    hub::{Hub, Means, Waiting, Who},
    pace::Pace,
    patience::within,
    protocol::{self, Close, Command, Fault},
    recent::Recent,
    room::Room,
    session::{self, Credential, Work},
    wire::{self, Handshake, Line},
};
use crate::{
    actor::Actor,
    app::{self, App},
    error::{Code, Error, Result},
    people,
};

/// A phone says who it is within this time.
const CONNECT_WITHIN: Duration = Duration::from_secs(15);
/// A write of which nothing is taken for this time: nobody reads on the other side.
pub(super) const WRITE_WITHIN: Duration = Duration::from_secs(10);
const MAX_MESSAGE: usize = 64 * 1024;
/// Read in one go; one for each thread, not for each socket.
const READ_BUFFER: usize = 16 * 1024;
/// Reads in a row before others get a turn.
const READS: usize = 4;

thread_local! {
    pub(super) static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_BUFFER]);
}

/// `/connection/websocket`, and the same as server-sent events; and where those wait who ask for nothing but a socket.
pub fn routes(app: App, hub: Arc<Hub>, calls: Calls) -> (Router<App>, Doorstep) {
    let means = Arc::new(Means { app, calls, hub, recent: Recent::default(), room: Room::default() });
    let router = Router::new()
        .route("/connection/websocket", any(upgrade))
        .route("/v1/events", get(super::events::events))
        .layer(Extension(Arc::clone(&means)));
    (router, Doorstep::new(means))
}

/// Thousands come back at once: each after a while of its own.
pub(super) fn later() -> Response<Body> {
    Code::Busy.after_secs(2 + u64::from(Uuid::new_v4().as_bytes()[0] % 8)).into_response()
}

/// The network of who asks.
pub(super) fn network(app: &App, request: &axum::http::request::Parts) -> IpAddr {
    let address = app::client_address(app, &request.headers, &request.extensions);
    app::network(address.unwrap_or(IpAddr::from([0, 0, 0, 0])))
}

async fn upgrade(State(app): State<App>, Extension(means): Extension<Arc<Means>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let cookie = people::session_cookie(&parts.headers);
    if cookie.is_some() {
        // a page of another site may open a socket with our cookie
        if let Err(error) = people::require_own_page(&app, &parts.headers) {
            return error.into_response();
        }
    }
    let network = network(&app, &parts);
    let handshake = match Handshake::of(&mut Request::from_parts(parts, body)) {
        Ok(handshake) => handshake,
        Err(status) => return wire::refusal(status),
    };
    let Some(place) = means.hub.wait(network) else { return later() };
    let answer = handshake.answer();
    tokio::spawn(live(means, handshake.socket(), (cookie, place)));
    answer
}

/// A socket, once it is there, from its first word to its end.
pub(super) async fn live<S>(means: Arc<Means>, socket: S, (cookie, place): (Option<String>, Waiting))
where
    S: Future<Output = Option<(TcpStream, Bytes, Line)>>,
{
    // what is done once is a future of its own, so that the one of every idle connection stays small
    let begun = Box::pin(async move {
        let socket = socket.await?;
        metrics::counter!("sockets_opened_total").increment(1);
        connect(means, socket, (cookie, place)).await
    });
    if let Some((connection, mut reader)) = begun.await {
        let end = run(&connection, &mut reader).await;
        connection.means.hub.leave(&connection);
        Box::pin(ending::end(&connection, end)).await;
    }
}

/// Waits for `connect` and answers it.
async fn connect(
    means: Arc<Means>,
    (stream, read, line): (TcpStream, Bytes, Line),
    (cookie, place): (Option<String>, Waiting),
) -> Option<(Arc<Connection>, Incoming)> {
    let mut incoming = Incoming { reader: Reader::new(MAX_MESSAGE), pace: Pace::default() };
    let first = match timeout(CONNECT_WITHIN, first(&stream, &mut incoming, read.to_vec())).await {
        Ok(Ok(first)) => first,
        Ok(Err(end)) => return ending::refuse(&stream, &[], end).await,
        Err(_) => return ending::refuse(&stream, &[], End::Ours(Close::BadRequest)).await,
    };
    let (id, connect, more, rest) = first;
    let Ok(_door) = means.hub.doors.acquire().await else { return None };
    let (credential, actor) = match within(known(&means.app, cookie, &connect.token)).await {
        Ok(known) => known,
        Err(error) => {
            let (fault, close) = refusal(&means.app, &connect.token, &error);
            return ending::refuse(&stream, &[protocol::fault(id, fault)], End::Ours(close)).await;
        }
    };
    let who = Who {
        person: actor.person,
        session: actor.session,
        rights: session::rights(&actor),
        is_own: is_own(&connect),
        expires_at: credential.expires_at(),
    };
    let connection = means.hub.enter(&who, Way::Socket { stream, _line: line }, Arc::clone(&means));
    match within(session::start(&connection, &actor, (id, connect))).await {
        Ok((answer, marks)) => {
            connection.begin(&session::places(&marks), Some(super::frames::text(&answer)), Vec::new());
            connection.kick();
        }
        Err(_) => connection.end(Close::ForceReconnect),
    }
    drop(place);
    let taken = incoming.commands(&connection, more).and_then(|()| incoming.take(&connection, &rest));
    if let Err(end) = taken {
        connection.means.hub.leave(&connection);
        ending::end(&connection, end).await;
        return None;
    }
    Some((connection, incoming))
}

/// Whom we do not know does not come again. Whom we could not look up, because the database is away, does, and so does who
/// has only to ask for another token: clients of the protocol know that by its number.
fn refusal(app: &App, token: &str, error: &Error) -> (Fault, Close) {
    match error.code() {
        code if code.status().is_server_error() => (Fault::Internal, Close::ForceReconnect),
        Code::NotSignedIn if people::is_used_up(app, token) => (Fault::TokenExpired, Close::Expired),
        _ => (Fault::Unauthorized, Close::InvalidToken),
    }
}

/// One of our own clients says `{"v": 1}`.
pub(super) fn is_own(connect: &protocol::Connect) -> bool {
    connect.data.as_ref().is_some_and(|data| data["v"] == 1)
}

async fn known(app: &App, cookie: Option<String>, token: &str) -> Result<(Credential, Actor)> {
    let credential = Credential::of(app, cookie, token).await?;
    let actor = credential.actor(app).await?;
    Ok((credential, actor))
}

type First = (u32, protocol::Connect, Vec<Command>, Vec<u8>);

/// The first command, what came with it in one frame, and what came behind that.
async fn first(stream: &TcpStream, incoming: &mut Incoming, mut read: Vec<u8>) -> std::result::Result<First, End> {
    loop {
        let mut input = read.as_slice();
        while let Some(event) = incoming.reader.next(&mut input)? {
            let Event::Text(text) = event else {
                incoming.other(&event, |pong| _ = stream.try_write(&pong))?;
                continue;
            };
            let mut commands = protocol::commands(&text).map_err(|_| Close::BadRequest)?.into_iter();
            let Some(Command { id, connect: Some(connect), .. }) = commands.next() else {
                return Err(Close::BadRequest.into());
            };
            return Ok((id, connect, commands.collect(), input.to_vec()));
        }
        read.clear();
        stream.readable().await.map_err(|_| End::Gone)?;
        match BUFFER.with_borrow_mut(|buffer| come(stream, buffer).map(|count| read.extend(buffer.iter().take(count))))
        {
            Ok(()) if read.is_empty() => return Err(End::Gone),
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => return Err(End::Gone),
        }
    }
}

/// What has come, as far as there is room. Less than that is all: what comes after it is told anew, as tokio relies upon where
/// it reads itself, and nobody asks once more only to hear that there is nothing.
fn come(stream: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    let mut all = None;
    let read = stream.try_io(Interest::READABLE, || {
        let count = rustix::io::read(stream, &mut *buffer)?;
        if count == 0 || count == buffer.len() {
            return Ok(count);
        }
        all = Some(count);
        // readable no more, until it is told
        Err(ErrorKind::WouldBlock.into())
    });
    all.map_or(read, Ok)
}

/// Until the connection ends, and why it does.
async fn run(connection: &Arc<Connection>, incoming: &mut Incoming) -> End {
    let Way::Socket { stream, .. } = &connection.way else { return End::Gone };
    let mut stuck_since = None;
    loop {
        match connection.flush() {
            Flushed::Gone => return End::Gone,
            Flushed::All if connection.is_behind() => {
                let heads = connection.means.hub.heads(connection);
                let said = super::frames::text(&protocol::heads_push("resync", &heads));
                connection.resynced(said, &heads);
                continue;
            }
            Flushed::All => {
                stuck_since = None;
                connection.kick();
                tokio::select! {
                    ready = stream.readable() => if ready.is_err() { return End::Gone },
                    () = connection.wake.notified() => {}
                }
            }
            Flushed::Blocked(has_moved) => {
                let since = if has_moved { None } else { stuck_since };
                let since = *stuck_since.insert(since.unwrap_or_else(Instant::now));
                if !Box::pin(unblocked(connection, stream, since + WRITE_WITHIN)).await {
                    return End::Ours(Close::Slow);
                }
            }
        }
        if let Some(close) = connection.closing() {
            return End::Ours(close);
        }
        if let Err(end) = incoming.read(connection, stream) {
            return end;
        }
    }
}

/// `false`: not until then.
async fn unblocked(connection: &Connection, stream: &TcpStream, until: Instant) -> bool {
    tokio::select! {
        ready = stream.ready(Interest::READABLE | Interest::WRITABLE) => ready.is_ok(),
        () = connection.wake.notified() => true,
        () = tokio::time::sleep_until(until) => false,
    }
}

/// What comes in, and how fast it may.
struct Incoming {
    reader: Reader,
    pace: Pace,
}

impl Incoming {
    /// What is there, and a turn for others.
    fn read(&mut self, connection: &Arc<Connection>, stream: &TcpStream) -> std::result::Result<(), End> {
        for _ in 0..READS {
            let is_more = BUFFER.with_borrow_mut(|buffer| match come(stream, buffer) {
                Ok(0) => Err(End::Gone),
                Ok(count) => self.take(connection, buffer.get(..count).unwrap_or_default()).map(|()| true),
                Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
                Err(_) => Err(End::Gone),
            })?;
            if !is_more {
                break;
            }
        }
        Ok(())
    }

    fn take(&mut self, connection: &Arc<Connection>, mut input: &[u8]) -> std::result::Result<(), End> {
        if !input.is_empty() {
            connection.heard();
        }
        while let Some(event) = self.reader.next(&mut input)? {
            match event {
                Event::Text(text) => {
                    let mut commands = protocol::commands(&text).map_err(|_| Close::BadRequest)?;
                    // a frame without any is a frame
                    if commands.is_empty() {
                        commands.push(Command::default());
                    }
                    self.commands(connection, commands)?;
                }
                other => self.other(&other, |pong| {
                    if !connection.is_long() {
                        connection.say(pong);
                    }
                })?,
            }
        }
        Ok(())
    }

    fn commands(&mut self, connection: &Arc<Connection>, commands: Vec<Command>) -> std::result::Result<(), End> {
        for command in commands {
            let (id, is_allowed) = (command.id, self.pace.allows());
            // what needs no answer is read nevertheless
            if self.pace.is_flood() {
                return Err(Close::TooMany.into());
            }
            let is_pong = id == 0 && command.send.is_none();
            if is_pong {
                continue;
            }
            if !(is_allowed && connection.work(Work::Command(Box::new(command)))) && id != 0 {
                // who asks and asks and reads no answer
                if connection.is_long() {
                    return Err(Close::Slow.into());
                }
                connection.say(super::frames::text(&protocol::fault(id, Fault::TooMany)));
            }
        }
        Ok(())
    }

    /// What is no text.
    fn other(&mut self, event: &Event, say: impl FnOnce(Bytes)) -> std::result::Result<(), End> {
        match event {
            // each is answered: a flood of them is a flood of commands
            Event::Ping(_) | Event::Pong if !self.pace.allows() => Err(Close::TooMany.into()),
            Event::Ping(content) => {
                say(super::frames::pong(content));
                Ok(())
            }
            Event::Pong => Ok(()),
            Event::Close(code) => Err(End::Theirs(*code)),
            Event::Binary(_) | Event::Text(_) => Err(Close::BadRequest.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size<F: Future>(_: impl FnOnce(&'static Arc<Connection>, &'static mut Incoming) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn an_idle_socket_is_a_small_future() {
        assert!(size(run) + size_of::<Incoming>() <= 768, "{} and {}", size(run), size_of::<Incoming>());
        assert!(size_of::<Connection>() <= 512, "{}", size_of::<Connection>());
    }
}
