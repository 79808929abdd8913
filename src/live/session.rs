//! What a connection is told and what its commands mean. No socket here.
use std::{
    fmt::Write,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{
    calls::Refused,
    connection::Connection,
    frames,
    hub::Means,
    outbox::{MOST_BYTES, Mark},
    patience::within,
    protocol::{self, Close, Command, Fault, Position, Subscribed},
    recent::Encoded,
    typing,
};
use crate::{
    actor::Actor,
    app::App,
    error::{Code, Error, Result},
    ids::{PersonId, SessionId, StreamId},
    people,
    streams::{self, Access, Stream, queries},
};

/// Entries handed back in one recovery; a client that missed more reads over REST.
const RECOVER: i64 = 300;
/// Streams of a connection at most.
const MAX_SUBS: usize = 192;
/// Whoever could not be looked up is looked up again after this time.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// By what a connection shows who it is.
pub(super) enum Credential {
    /// A log-in that a token or a ticket names: until the token ends, or for as long as the log-in lasts.
    Session(PersonId, SessionId, Option<DateTime<Utc>>),
    /// The pages' cookie.
    Cookie(String),
}

impl Credential {
    /// What a phone hands in with `connect`; a ticket is spent by this.
    pub(super) async fn of(app: &App, cookie: Option<String>, token: &str) -> Result<Self> {
        if let Some(cookie) = cookie.filter(|_| token.is_empty()) {
            return Ok(Self::Cookie(cookie));
        }
        // nearly all hand in a token; who looked for a ticket first would check each of them twice
        match people::named_by(app, token) {
            Ok((person, session, until)) => Ok(Self::Session(person, session, Some(until))),
            Err(_) => {
                people::spend_ticket(app, token).await.map(|(person, session)| Self::Session(person, session, None))
            }
        }
    }

    /// Whose it is now.
    pub(super) async fn actor(&self, app: &App) -> Result<Actor> {
        match self {
            Self::Cookie(cookie) => people::actor_of_cookie(app, cookie).await,
            Self::Session(person, session, _) => people::actor_of_session(app, *person, *session).await,
        }
    }

    /// When it stops to hold by itself.
    pub(super) fn expires_at(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Session(_, _, until) => *until,
            Self::Cookie(_) => None,
        }
    }
}

/// What one may read hangs on the seats and the home; another number, other rights.
pub(super) fn rights(actor: &Actor) -> u64 {
    let mut hasher = DefaultHasher::new();
    actor.area.hash(&mut hasher);
    let mut seats: Vec<_> = actor.seats.iter().map(|seat| (seat.seat_id.0, &seat.role, &seat.areas)).collect();
    seats.sort();
    seats.hash(&mut hasher);
    hasher.finish()
}

/// Subscribes the connection to everything on the person's home page: the answer to `connect`, and where each stream
/// stands. Entries are kept back until [`Connection::begin`].
pub(super) async fn start(
    connection: &Arc<Connection>,
    actor: &Actor,
    (id, mut connect): (u32, protocol::Connect),
) -> Result<(String, Vec<Mark>)> {
    let Means { app, hub, .. } = &*connection.means;
    let own = streams::commands::subscribed(app, actor).await?;
    let heads: Vec<_> = own.iter().map(|stream| (stream.id, stream.last_seq, stream.epoch)).collect();
    let places = hub.watch(connection, &heads);
    let (mut subs, mut marks, mut room) = (Vec::new(), Vec::new(), MOST_BYTES);
    let mut known = String::new();
    let asked = own.into_iter().zip(places).map(|(stream, head)| {
        let channel = protocol::channel(stream.id);
        let position = connect.subs.remove(&channel).unwrap_or_default();
        (stream, channel, head, position)
    });
    let mut asked: Vec<_> = asked.collect();
    // one that was much spoken in takes no room from those of a few words
    asked.sort_by_key(|(_, _, head, position)| head.saturating_sub(position.offset));
    for (stream, channel, head, position) in asked {
        let subscribed = recover(&connection.means, (stream.id, stream.epoch), head, (&position, &mut room)).await?;
        marks.push(Mark { stream: stream.id, epoch: Some(stream.epoch), seq: Some(subscribed.offset) });
        if connection.is_own {
            let (comma, epoch) = (if known.is_empty() { "" } else { "," }, &subscribed.epoch);
            _ = write!(known, "{comma}\"{channel}\":[\"{epoch}\",{},{}]", stream.last_seq, stream.last_no);
        }
        subs.push((channel, subscribed));
    }
    let heads = if connection.is_own { format!(",\"heads\":{{{known}}}") } else { known };
    let ends = connection.expires_at().map(|at| (at - app.now()).num_seconds().max(1));
    let ends = ends.map(|ttl| format!(",\"expires\":true,\"ttl\":{ttl}")).unwrap_or_default();
    // ids and numbers alone: nothing in it needs an escape
    let fields = format!(
        "\"client\":\"{}\",\"version\":\"liusheng 1\",\"ping\":{},\"pong\":true{ends},\
         \"data\":{{\"v\":1,\"now\":{},\"person\":\"{}\"{heads}}}",
        uuid::Uuid::now_v7(),
        hub.ping_secs,
        app.now().timestamp_millis(),
        actor.person,
    );
    Ok((protocol::connected(id, &fields, &subs), marks))
}

/// The places in marks.
pub(super) fn places(marks: &[Mark]) -> Vec<(StreamId, i64)> {
    marks.iter().filter_map(|mark| mark.seq.map(|seq| (mark.stream, seq))).collect()
}

/// Fixes the place from which live entries follow; what was missed before it is handed along, as far as there is `room` in
/// the answer: once there is none, nothing more is read for it. Called after the stream is watched, so that nothing falls
/// between.
async fn recover(
    means: &Means,
    (id, epoch): (StreamId, i64),
    head: i64,
    (position, room): (&Position, &mut usize),
) -> Result<Subscribed> {
    let mut subscribed = Subscribed {
        recoverable: true,
        positioned: true,
        epoch: epoch.to_string(),
        offset: head,
        was_recovering: position.recover,
        recovered: false,
        publications: Vec::new(),
    };
    let same_log = position.epoch == subscribed.epoch && (0..=head).contains(&position.offset);
    let count = head.saturating_sub(position.offset);
    if position.recover && same_log && count <= RECOVER && (*room > 0 || count == 0) {
        let missed = missed(means, (id, epoch), (position.offset, head)).await?;
        let size = size(&missed);
        if size <= *room {
            *room -= size;
            subscribed.offset = missed.last().map_or(position.offset, |(seq, _)| *seq);
            subscribed.recovered = true;
            subscribed.publications = missed.into_iter().map(|(_, publication)| publication).collect();
        } else {
            *room = 0;
        }
    }
    Ok(subscribed)
}

/// With room for what came since the head was read.
async fn missed(means: &Means, stream: (StreamId, i64), span: (i64, i64)) -> Result<Vec<Encoded>> {
    means.recent.after(&means.app, stream, span, RECOVER.unsigned_abs() + 100).await
}

fn size(missed: &[Encoded]) -> usize {
    missed.iter().map(|(_, publication)| publication.len()).sum()
}

/// What is to be done for a connection, one after another.
pub(super) enum Work {
    Command(Box<Command>),
    /// The person belongs to a stream since a moment ago, or no longer.
    Joined(StreamId),
    /// Look again whether the log-in holds and the seats are the same.
    Look,
}

/// Does what waits for a connection, one after another, until nothing does.
pub(super) async fn work(connection: Arc<Connection>) {
    while let Some(work) = connection.next_work() {
        match work {
            Work::Command(command) => {
                let id = command.id;
                if let Some(answer) = self::command(&connection, *command).await {
                    // an answer for which there is no room can be asked for again
                    let refused = || frames::text(&protocol::refused(id, &Code::Busy.into()));
                    let frame = connection.means.room.find(connection.person, frames::text(&answer));
                    connection.say(frame.unwrap_or_else(refused));
                }
            }
            Work::Joined(stream) => {
                if within(joined(&connection, stream)).await.is_err() {
                    connection.end(Close::InsufficientState);
                }
            }
            Work::Look => look(&connection).await,
        }
    }
}

/// Is the session still good, and this who the connection was opened for?
async fn look(connection: &Arc<Connection>) {
    match actor(connection).await {
        // come back and be subscribed anew
        Ok(actor) if rights(&actor) != connection.rights => connection.end(Close::ForceReconnect),
        Ok(_) => {}
        // what changed is told once, and who is well is asked only every few minutes
        Err(error) if error.code().status().is_server_error() => {
            let connection = Arc::clone(connection);
            tokio::spawn(async move {
                tokio::time::sleep(LOOK_AGAIN).await;
                connection.work(Work::Look);
            });
        }
        Err(_) => connection.end(Close::InvalidToken),
    }
}

async fn actor(connection: &Connection) -> Result<Actor> {
    within(people::actor_of_session(&connection.means.app, connection.person, connection.session)).await
}

/// The stream, if it is to be read; if not, it is heard no more from here on.
pub(super) async fn heard_still(connection: &Connection, id: StreamId) -> Result<Option<Stream>> {
    let db = connection.means.app.store.read();
    match queries::readable(db, &actor(connection).await?, id).await {
        Ok((stream, _)) => Ok(Some(stream)),
        // not to be read is not the same as not known
        Err(error) if error.code().status().is_server_error() => Err(error),
        Err(_) => {
            if connection.means.hub.unwatch(connection, id) {
                let left = Mark { stream: id, epoch: None, seq: None };
                connection.say_marked(frames::text(&protocol::unsubscribe_push(id)), vec![left]);
            }
            Ok(None)
        }
    }
}

/// A stream that the person belongs to since a moment ago is subscribed from where the person has read; one that is no
/// longer to be read ends.
async fn joined(connection: &Arc<Connection>, id: StreamId) -> Result<()> {
    let Some(stream) = heard_still(connection, id).await? else { return Ok(()) };
    let Means { app, hub, .. } = &*connection.means;
    if connection.is_in(id) || connection.stream_count() >= MAX_SUBS {
        return Ok(());
    }
    let from = queries::read_seq(app.store.read(), id, connection.person).await?.max(stream.last_seq - RECOVER).max(0);
    let head = hub.watch(connection, &[(id, stream.last_seq, stream.epoch)]).pop().unwrap_or(stream.last_seq);
    let missed = missed(&connection.means, (id, stream.epoch), (from, head)).await?;
    // what is too much to be told is fetched over REST
    let is_told = size(&missed) <= MOST_BYTES;
    let (offset, missed) = if is_told { (from, missed) } else { (head, Vec::new()) };
    let subscribed = Subscribed {
        recoverable: true,
        positioned: true,
        epoch: stream.epoch.to_string(),
        offset,
        was_recovering: false,
        recovered: false,
        publications: Vec::new(),
    };
    let mark = |seq| vec![Mark { stream: id, epoch: Some(stream.epoch), seq: Some(seq) }];
    connection.say_marked(frames::text(&protocol::subscribe_push(id, &subscribed)), mark(offset));
    for (seq, publication) in &missed {
        connection.say_marked(frames::text(&protocol::publication_push(id, publication)), mark(*seq));
    }
    connection.begin(&[(id, missed.last().map_or(offset, |(seq, _)| *seq))], None, Vec::new());
    Ok(())
}

/// The answer to a command; `None` for those that have none.
async fn command(connection: &Arc<Connection>, command: Command) -> Option<String> {
    let id = command.id;
    if let Some(asked) = command.subscribe {
        return subscribe(connection, id, asked).await.unwrap_or_else(|fault| Some(protocol::fault(id, fault)));
    }
    if let Some(unsubscribe) = command.unsubscribe {
        if let Some(stream) = protocol::stream(&unsubscribe.channel) {
            connection.means.hub.unwatch(connection, stream);
        }
        return Some(protocol::reply(id, "unsubscribe", &json!({})));
    }
    if let Some(rpc) = command.rpc {
        let answer = call(connection, &rpc.method, rpc.data).await;
        return Some(match answer {
            Some(Ok(data)) => protocol::reply(id, "rpc", &json!({ "data": data })),
            Some(Err(refused)) => protocol::refused(id, &refused),
            None => protocol::fault(id, Fault::MethodNotFound),
        });
    }
    if let Some(asked) = command.refresh {
        return Some(refresh(connection, id, &asked.token).await);
    }
    if command.ping.is_some() {
        return Some(protocol::reply(id, "ping", &json!({})));
    }
    if command.publish.is_some() {
        return Some(protocol::fault(id, Fault::NotAvailable));
    }
    if let Some(stream) = command.send.as_ref().and_then(typing::stream) {
        // one-way: whoever may not is not told so
        if let Ok(actor) = actor(connection).await {
            within(typing::tell(connection, &actor, stream)).await.ok();
        }
        return None;
    }
    // a one-way message has no answer, an empty command is a pong
    (command.send.is_none() && id != 0).then(|| protocol::fault(id, Fault::BadRequest))
}

/// Says the answer itself, so that nothing comes between it and what follows.
async fn subscribe(
    connection: &Arc<Connection>,
    id: u32,
    asked: protocol::Subscribe,
) -> std::result::Result<Option<String>, Fault> {
    let Means { app, hub, .. } = &*connection.means;
    let stream = protocol::stream(&asked.channel).ok_or(Fault::UnknownChannel)?;
    if connection.is_in(stream) {
        return Err(Fault::AlreadySubscribed);
    }
    if connection.stream_count() >= MAX_SUBS {
        return Err(Fault::TooMany);
    }
    let refused =
        |error: Error| if error.code().status().is_server_error() { Fault::Internal } else { Fault::PermissionDenied };
    let actor = actor(connection).await.map_err(refused)?;
    let (row, access) = within(queries::readable(app.store.read(), &actor, stream)).await.map_err(refused)?;
    if access == Access::None {
        return Err(Fault::PermissionDenied);
    }
    let head = hub.watch(connection, &[(stream, row.last_seq, row.epoch)]).pop().unwrap_or(row.last_seq);
    let mut room = MOST_BYTES;
    let done = within(recover(&connection.means, (stream, row.epoch), head, (&asked.position, &mut room))).await;
    let Ok(done) = done else {
        hub.unwatch(connection, stream);
        return Err(Fault::Internal);
    };
    let answer = frames::text(&protocol::reply_text(id, "subscribe", &done.text()));
    connection.begin(&[(stream, done.offset)], Some(answer), Vec::new());
    Ok(None)
}

async fn refresh(connection: &Connection, id: u32, token: &str) -> String {
    let app = &connection.means.app;
    match within(refreshed(app, token)).await {
        Ok((actor, at)) if actor.session == connection.session => {
            connection.refreshed(at);
            let ttl = (at - app.now()).num_seconds().max(1);
            protocol::reply(id, "refresh", &json!({ "expires": true, "ttl": ttl, "version": "liusheng 1" }))
        }
        Ok(_) => protocol::fault(id, Fault::Unauthorized),
        Err(error) if error.code().status().is_server_error() => protocol::fault(id, Fault::Internal),
        Err(_) => protocol::fault(id, Fault::TokenExpired),
    }
}

/// Whose the new token is, and until when.
async fn refreshed(app: &App, token: &str) -> Result<(Actor, DateTime<Utc>)> {
    let (person, session, until) = people::named_by(app, token)?;
    Ok((people::actor_of_session(app, person, session).await?, until))
}

/// The socket's twin of a REST call: the same data, the same answer, within the same time. `None`: no such method.
async fn call(connection: &Connection, method: &str, data: Value) -> Option<std::result::Result<Value, Refused>> {
    // whoever lost a seat or the log-in since the connection began calls without it
    match actor(connection).await {
        Ok(actor) => {
            let Means { app, calls, .. } = &*connection.means;
            let longest = Duration::from_secs(app.config.answer_timeout_secs);
            let answer = tokio::time::timeout(longest, calls.call(actor, method, data)).await;
            answer.unwrap_or_else(|_| Some(Err(Code::TimedOut.into())))
        }
        Err(error) => Some(Err(error.code().into())),
    }
}
