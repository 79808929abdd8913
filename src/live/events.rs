//! `GET /v1/events`: the same frames as over the socket, as server-sent events, for clients that cannot hold one.
//! <https://html.spec.whatwg.org/multipage/server-sent-events.html>
//!
//! The first event is called `connect` and holds the answer to that command; the others hold a push each. Each event's id
//! says where the connection is in every stream, signed; handed in again as `Last-Event-ID` it is what was missed since.
use std::{collections::HashMap, convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Extension,
    extract::{State, ws::Utf8Bytes},
    http::HeaderMap,
    response::sse::{Event, KeepAlive, Sse},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use futures_util::{Stream, stream};
use tokio::time::{Instant, Interval, interval_at};

use super::{
    calls::Calls,
    hub::{Hub, Item},
    protocol::{self, Close, Connect, PING_SECS, Position},
    session::{Credential, Session},
};
use crate::{
    actor::Actor,
    app::App,
    error::{Code, Result},
    ids::StreamId,
    keys::Keys,
};

/// A client that lost its connection comes back after this time.
const AGAIN: Duration = Duration::from_secs(1);
/// What the key of the signature is for.
const PURPOSE: &str = "event id";
const SIGNATURE: usize = 24;

/// Events of everything on the caller's home page, until the log-in ends.
pub(super) async fn events(
    State(app): State<App>,
    Extension(hub): Extension<Arc<Hub>>,
    Extension(calls): Extension<Arc<Calls>>,
    actor: Actor,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = std::result::Result<Event, Infallible>>>> {
    let place = hub.wait().ok_or_else(|| Code::Busy.after_secs(5))?;
    let door = hub.doors.acquire().await.map_err(|_| Code::Busy)?;
    let last = headers.get("last-event-id").and_then(|value| value.to_str().ok());
    // a forged or foreign id is none: then everything begins now
    let subs = last.and_then(|id| opened(&app.keys, id)).unwrap_or_default();
    let connect = Connect { subs, data: Some(serde_json::json!({ "v": 1 })), ..Connect::default() };
    let credential = Credential::Session(actor.person, actor.session);
    let listener = hub.enter(actor.person, actor.session);
    let started = Session::start((app.clone(), calls), (credential, actor), listener, (1, connect)).await;
    let (session, answer) = started?;
    drop((door, place));
    let every = Duration::from_secs(PING_SECS);
    let line = Line {
        waiting: vec![Event::default().event("connect").retry(AGAIN).id(id(&app.keys, &session)).data(answer)],
        app,
        session,
        look: interval_at(Instant::now() + every, every),
        is_over: false,
    };
    let frames = stream::unfold(line, |mut line| async move { Some((Ok(line.next().await?), line)) });
    Ok(Sse::new(frames).keep_alive(KeepAlive::new().interval(every)))
}

/// One connection.
struct Line {
    app: App,
    session: Session,
    /// What is still to be handed over, the next one last.
    waiting: Vec<Event>,
    look: Interval,
    is_over: bool,
}

impl Line {
    async fn next(&mut self) -> Option<Event> {
        while self.waiting.is_empty() {
            if self.is_over {
                return None;
            }
            let mut out: Vec<Utf8Bytes> = Vec::new();
            let mut items: Vec<Item> = Vec::new();
            let close = tokio::select! {
                biased;
                // one at a time: the id of an event promises everything up to it and nothing after it
                count = self.session.listener.items.recv_many(&mut items, 1) => {
                    if count == 0 { Some(Close::Shutdown) } else { self.session.take(&mut items, &mut out).await }
                }
                _ = self.look.tick() => self.session.still_good().await,
            };
            let mut events: Vec<Event> = out.into_iter().map(|frame| Event::default().data(frame.as_str())).collect();
            if let Some(last) = events.pop() {
                events.push(last.id(id(&self.app.keys, &self.session)));
            }
            if let Some(close) = close {
                self.is_over = true;
                events.push(Event::default().event("disconnect").data(protocol::disconnect_push(close)));
            }
            events.reverse();
            self.waiting = events;
        }
        self.waiting.pop()
    }
}

/// Where the connection is in every stream, signed.
fn id(keys: &Keys, session: &Session) -> String {
    let places: Vec<String> =
        session.places().map(|(id, epoch, seq)| format!("{}:{epoch}:{seq}", id.0.simple())).collect();
    let text = places.join(",");
    let signature: String = keys.lookup(PURPOSE, &text).chars().take(SIGNATURE).collect();
    BASE64_URL_SAFE_NO_PAD.encode(format!("{signature}{text}"))
}

/// The positions that an id of ours holds.
fn opened(keys: &Keys, id: &str) -> Option<HashMap<String, Position>> {
    let text = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(id).ok()?).ok()?;
    let (signature, places) = text.split_at_checked(SIGNATURE)?;
    if !keys.lookup(PURPOSE, places).starts_with(signature) {
        return None;
    }
    let place = |text: &str| {
        let mut parts = text.split(':');
        let id = StreamId(parts.next()?.parse().ok()?);
        let (epoch, offset) = (parts.next()?.to_owned(), parts.next()?.parse().ok()?);
        Some((protocol::channel(id), Position { recover: true, epoch, offset }))
    };
    places.split(',').filter(|part| !part.is_empty()).map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_makes_an_id() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::load_or_make(folder.path()).unwrap();
        let stream = StreamId::new();
        let text = format!("{}:7:12", stream.0.simple());
        let signature: String = keys.lookup(PURPOSE, &text).chars().take(SIGNATURE).collect();
        let encoded = |signature: &str, text: &str| BASE64_URL_SAFE_NO_PAD.encode(format!("{signature}{text}"));
        let known = opened(&keys, &encoded(&signature, &text)).unwrap();
        let position = &known[&protocol::channel(stream)];
        assert_eq!((position.offset, position.epoch.as_str(), position.recover), (12, "7", true));
        for bad in ["", "x", "!!", &encoded(&signature, &text.replace(":12", ":11")), &encoded("", &text)] {
            assert!(opened(&keys, bad).is_none(), "{bad}");
        }
    }
}
