//! The state of one connection: who it is, where it is in each stream, what each command means. No socket here.
use std::{collections::HashMap, sync::Arc};

use axum::extract::ws::Utf8Bytes;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{
    calls::{Calls, Refused},
    hub::{Frame, Item, Listener, Lost},
    protocol::{self, Close, Command, Fault, Position, Subscribed},
};
use crate::{
    actor::Actor,
    app::App,
    error::Result,
    ids::{PersonId, SessionId, StreamId},
    people,
    streams::{
        Access,
        queries::{self, Span},
    },
};

/// Entries handed back in one recovery; a client that missed more reads over REST.
const RECOVER: i64 = 300;
/// What may be waiting to be recovered over all streams of a connection.
const MAX_SUBS: usize = 192;

/// By what a connection shows who it is; looked at again while it lasts.
pub(super) enum Credential {
    /// An access token; must be refreshed before it expires.
    Token(String),
    /// The pages' cookie.
    Cookie(String),
    /// A ticket was spent for this log-in; lasts as long as the log-in does.
    Session(PersonId, SessionId),
}

impl Credential {
    /// What a phone hands in with `connect`; a ticket is spent by this.
    pub(super) async fn of(app: &App, cookie: Option<String>, token: &str) -> Result<Self> {
        match cookie {
            Some(cookie) if token.is_empty() => Ok(Self::Cookie(cookie)),
            _ if people::is_ticket(app, token) => {
                people::spend_ticket(app, token).await.map(|(person, session)| Self::Session(person, session))
            }
            _ => Ok(Self::Token(token.to_owned())),
        }
    }

    /// Whose it is now.
    pub(super) async fn actor(&self, app: &App) -> Result<Actor> {
        match self {
            Self::Token(token) => people::actor_of_token(app, token).await,
            Self::Cookie(cookie) => people::actor_of_cookie(app, cookie).await,
            Self::Session(person, session) => people::actor_of_session(app, *person, *session).await,
        }
    }

    /// Asked while it holds: of one that does not there is no end to be known.
    fn expires_at(&self, app: &App) -> Option<DateTime<Utc>> {
        match self {
            Self::Token(token) => people::token_expires_at(app, token),
            Self::Cookie(_) | Self::Session(..) => None,
        }
    }
}

/// After `connect`.
pub(super) struct Session {
    app: App,
    calls: Arc<Calls>,
    credential: Credential,
    /// When the credential stops to hold, if it does so by itself.
    expires_at: Option<DateTime<Utc>>,
    actor: Actor,
    pub(super) listener: Listener,
    /// Last offset handed over, per subscribed stream.
    positions: HashMap<StreamId, i64>,
    /// One of our own clients, which fetches over REST what it is told to have missed.
    is_own: bool,
}

impl Session {
    /// Subscribes the connection to everything on the person's home page and answers `connect`.
    pub(super) async fn start(
        (app, calls): (App, Arc<Calls>),
        (credential, actor): (Credential, Actor),
        listener: Listener,
        (id, connect): (u32, protocol::Connect),
    ) -> Result<(Self, String)> {
        let own = queries::own(app.store.read(), &actor).await?;
        let is_own = connect.data.is_some_and(|data| data["v"] == 1);
        let expires_at = credential.expires_at(&app);
        let mut session =
            Self { app, calls, credential, expires_at, actor, listener, positions: HashMap::new(), is_own };
        let places = session.listener.watch(own.iter().map(|(stream, _)| (stream.id, (stream.last_seq, stream.epoch))));
        let mut subs = serde_json::Map::new();
        for (stream, _) in own {
            let channel = protocol::channel(stream.id);
            let position = connect.subs.get(&channel).cloned().unwrap_or_default();
            let head = places.get(&stream.id).copied().unwrap_or(stream.last_seq);
            let subscribed = session.recover(stream.id, stream.epoch, head, &position).await?;
            subs.insert(channel, serde_json::to_value(subscribed).unwrap_or_default());
        }
        let mut result = json!({
            "client": uuid::Uuid::now_v7(), "version": "liusheng 1", "ping": protocol::PING_SECS, "pong": true, "subs": subs,
            "data": { "v": 1, "now": session.app.now().timestamp_millis(), "person": session.actor.person },
        });
        if let (Some(at), Some(fields)) = (session.expires_at, result.as_object_mut()) {
            fields.insert("expires".into(), json!(true));
            fields.insert("ttl".into(), json!((at - session.app.now()).num_seconds().max(1)));
        }
        Ok((session, protocol::reply(id, "connect", &result)))
    }

    /// Fixes the place from which live entries follow; what was missed before it is handed along.
    /// Called after the stream is watched, so that nothing falls between.
    async fn recover(&mut self, id: StreamId, epoch: i64, head: i64, position: &Position) -> Result<Subscribed> {
        let mut subscribed = Subscribed {
            recoverable: true,
            positioned: true,
            epoch: epoch.to_string(),
            offset: head,
            was_recovering: position.recover,
            recovered: false,
            publications: Vec::new(),
        };
        let same_log = position.epoch == epoch.to_string() && (0..=head).contains(&position.offset);
        if position.recover && same_log && head - position.offset <= RECOVER {
            let limit = RECOVER.unsigned_abs() + 100;
            let missed = queries::entries(&self.app, id, Span::After(position.offset), limit).await?;
            subscribed.offset = missed.last().map_or(position.offset, |entry| entry.seq);
            subscribed.recovered = true;
            subscribed.publications = missed.iter().map(protocol::publication).collect();
        }
        self.positions.insert(id, subscribed.offset);
        Ok(subscribed)
    }

    /// What goes to the socket for these items from the hub. What our own client missed because it was slow it is told in
    /// one frame, and fetches at its pace; another one comes back and recovers.
    pub(super) async fn take(&mut self, items: &mut Vec<Item>, out: &mut Vec<Utf8Bytes>) -> Option<Close> {
        match self.listener.lost() {
            Lost::Nothing => {}
            Lost::Entries if self.is_own => self.collapse(items, out),
            Lost::Entries => return Some(Close::InsufficientState),
            Lost::Word => return Some(Close::ForceReconnect),
        }
        for item in items.drain(..) {
            let close = match item {
                Item::Entry(frame) => self.entry(&frame, out),
                // seldom: a future of its own keeps the one of every idle connection small
                word => Box::pin(self.word(word, out)).await.unwrap_or(Some(Close::InsufficientState)),
            };
            if close.is_some() {
                return close;
            }
        }
        None
    }

    /// Everything that waits is thrown away but words; in its place goes where the streams stand now.
    fn collapse(&mut self, items: &mut Vec<Item>, out: &mut Vec<Utf8Bytes>) {
        while let Ok(item) = self.listener.items.try_recv() {
            items.push(item);
        }
        items.retain(|item| !matches!(item, Item::Entry(_)));
        let heads = self.listener.heads();
        for (stream, _, head) in &heads {
            if let Some(position) = self.positions.get_mut(stream) {
                *position = (*position).max(*head);
            }
        }
        metrics::counter!("sockets_resynced_total").increment(1);
        out.push(protocol::heads_push("resync", &heads).into());
    }

    /// Where the streams stand, for our own clients: the newest frame could have been lost without being missed.
    pub(super) fn heads(&self) -> Option<String> {
        self.is_own.then(|| protocol::heads_push("heads", &self.listener.heads()))
    }

    /// Where the connection is in each stream: id, epoch, seq.
    pub(super) fn places(&self) -> impl Iterator<Item = (StreamId, i64, i64)> {
        let heads = self.listener.heads().into_iter();
        heads.filter_map(|(id, epoch, _)| self.positions.get(&id).map(|seq| (id, epoch, *seq)))
    }

    fn entry(&mut self, frame: &Frame, out: &mut Vec<Utf8Bytes>) -> Option<Close> {
        let position = self.positions.get_mut(&frame.stream)?;
        if frame.seq <= *position {
            return None;
        }
        if frame.seq > *position + 1 {
            return Some(Close::InsufficientState);
        }
        *position = frame.seq;
        out.push(frame.text.clone());
        None
    }

    async fn word(&mut self, item: Item, out: &mut Vec<Utf8Bytes>) -> Result<Option<Close>> {
        match item {
            Item::Entry(frame) => Ok(self.entry(&frame, out)),
            Item::Joined(stream) => self.joined(stream, out).await.map(|()| None),
            Item::Look => {
                Ok(self.same_rights(people::actor_of_session(&self.app, self.actor.person, self.actor.session).await))
            }
            Item::Close(close) => Ok(Some(close)),
        }
    }

    /// A stream that the person belongs to since a moment ago is subscribed from where the person has read; one that is
    /// no longer to be read ends.
    async fn joined(&mut self, id: StreamId, out: &mut Vec<Utf8Bytes>) -> Result<()> {
        let db = self.app.store.read();
        let Ok((stream, _)) = queries::readable(db, &self.actor, id).await else {
            if self.positions.remove(&id).is_some() {
                self.listener.unwatch(id);
                out.push(protocol::unsubscribe_push(id).into());
            }
            return Ok(());
        };
        if self.positions.contains_key(&id) || self.positions.len() >= MAX_SUBS {
            return Ok(());
        }
        let from = queries::read_seq(db, id, self.actor.person).await?.max(stream.last_seq - RECOVER).max(0);
        self.listener.watch([(id, (stream.last_seq, stream.epoch))]);
        // read after the stream is watched, with room for what came since its head was read
        let limit = RECOVER.unsigned_abs() + 100;
        let missed = queries::entries(&self.app, id, Span::After(from), limit).await?;
        let subscribed = Subscribed {
            recoverable: true,
            positioned: true,
            epoch: stream.epoch.to_string(),
            offset: from,
            was_recovering: false,
            recovered: false,
            publications: Vec::new(),
        };
        out.push(protocol::subscribe_push(id, &subscribed).into());
        out.extend(missed.iter().map(|entry| protocol::publication_push(id, entry).into()));
        self.positions.insert(id, missed.last().map_or(from, |entry| entry.seq));
        Ok(())
    }

    /// The answer to a command; `None` for those that have none.
    pub(super) async fn command(&mut self, command: Command) -> Option<String> {
        let id = command.id;
        if let Some(subscribe) = command.subscribe {
            return Some(self.subscribe(id, subscribe).await.unwrap_or_else(|fault| protocol::fault(id, fault)));
        }
        if let Some(unsubscribe) = command.unsubscribe {
            if let Some(stream) = protocol::stream(&unsubscribe.channel) {
                self.positions.remove(&stream);
                self.listener.unwatch(stream);
            }
            return Some(protocol::reply(id, "unsubscribe", &json!({})));
        }
        if let Some(rpc) = command.rpc {
            let answer = self.rpc(&rpc.method, rpc.data).await;
            return Some(match answer {
                Some(Ok(data)) => protocol::reply(id, "rpc", &json!({ "data": data })),
                Some(Err(refused)) => protocol::refused(id, &refused),
                None => protocol::fault(id, Fault::MethodNotFound),
            });
        }
        if let Some(refresh) = command.refresh {
            return Some(self.refresh(id, &refresh.token).await);
        }
        if command.ping.is_some() {
            return Some(protocol::reply(id, "ping", &json!({})));
        }
        // a one-way message has no answer, an empty command is a pong
        (command.send.is_none() && id != 0).then(|| protocol::fault(id, Fault::BadRequest))
    }

    async fn subscribe(&mut self, id: u32, subscribe: protocol::Subscribe) -> std::result::Result<String, Fault> {
        let stream = protocol::stream(&subscribe.channel).ok_or(Fault::UnknownChannel)?;
        if self.positions.contains_key(&stream) {
            return Err(Fault::AlreadySubscribed);
        }
        if self.positions.len() >= MAX_SUBS {
            return Err(Fault::TooMany);
        }
        let found = queries::readable(self.app.store.read(), &self.actor, stream).await;
        let (row, access) = found.map_err(|_| Fault::PermissionDenied)?;
        if access == Access::None {
            return Err(Fault::PermissionDenied);
        }
        let head = self.listener.watch([(stream, (row.last_seq, row.epoch))]).remove(&stream).unwrap_or(row.last_seq);
        let done = self.recover(stream, row.epoch, head, &subscribe.position).await;
        done.map(|subscribed| protocol::reply(id, "subscribe", &subscribed)).map_err(|_| Fault::Internal)
    }

    async fn refresh(&mut self, id: u32, token: &str) -> String {
        let fresh = Credential::Token(token.to_owned());
        match (fresh.actor(&self.app).await, fresh.expires_at(&self.app)) {
            (Ok(actor), Some(at)) if actor.session == self.actor.session => {
                self.actor = actor;
                self.credential = fresh;
                self.expires_at = Some(at);
                let ttl = (at - self.app.now()).num_seconds().max(1);
                protocol::reply(id, "refresh", &json!({ "expires": true, "ttl": ttl, "version": "liusheng 1" }))
            }
            (Ok(_), _) => protocol::fault(id, Fault::Unauthorized),
            (Err(_), _) => protocol::fault(id, Fault::TokenExpired),
        }
    }

    /// The socket's twin of a REST call: the same data, the same answer. `None`: no such method.
    async fn rpc(&self, method: &str, data: Value) -> Option<std::result::Result<Value, Refused>> {
        // whoever lost a seat or the log-in since the connection began calls without it
        match people::actor_of_session(&self.app, self.actor.person, self.actor.session).await {
            Ok(actor) => self.calls.call(actor, method, data).await,
            Err(error) => Some(Err(error.code().into())),
        }
    }

    /// Is the session still good? Rights are read again, at most seconds old.
    pub(super) async fn still_good(&mut self) -> Option<Close> {
        if self.expires_at.is_some_and(|at| at <= self.app.now()) {
            return Some(Close::Expired);
        }
        let found = self.credential.actor(&self.app).await;
        self.same_rights(found)
    }

    /// Is this still who the connection was opened for?
    fn same_rights(&mut self, found: Result<Actor>) -> Option<Close> {
        match found {
            // what one may read hangs on the seats: come back and be subscribed anew
            Ok(actor) if actor.seats != self.actor.seats || actor.area != self.actor.area => {
                Some(Close::ForceReconnect)
            }
            Ok(actor) => {
                self.actor = actor;
                None
            }
            Err(error) if error.code().status().is_server_error() => None,
            Err(_) => Some(Close::InvalidToken),
        }
    }
}
