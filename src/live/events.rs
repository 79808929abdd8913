//! `GET /v1/events`: the same frames as over the socket, as server-sent events, for clients that cannot hold one.
//! <https://html.spec.whatwg.org/multipage/server-sent-events.html>
//!
//! The first event is called `connect` and holds the answer to that command; the others hold a push each. Each event's id
//! says where the connection is in every stream, signed; handed in again as `Last-Event-ID` it is what was missed since.
use std::{collections::HashMap, convert::Infallible, str, sync::Arc, time::Duration};

use axum::{
    Extension,
    extract::State,
    http::request::Parts,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use futures_util::stream;
use uuid::Uuid;

use super::{
    connection::{Connection, Way},
    frames,
    hub::{Means, Who},
    outbox::{Mark, Piece},
    protocol::{self, Connect, Position},
    session, socket,
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
/// Bytes of a stream's place: its id, its epoch, a seq.
const PLACE: usize = 32;
/// What the key of the signature is for.
const PURPOSE: &str = "event id";
const SIGNATURE: usize = 24;

/// Events of everything on the caller's home page, until the log-in ends.
pub(super) async fn events(
    State(app): State<App>,
    Extension(means): Extension<Arc<Means>>,
    actor: Actor,
    parts: Parts,
) -> Result<Response> {
    let Some(place) = means.hub.wait(socket::network(&app, &parts)) else { return Ok(socket::later()) };
    let door = means.hub.doors.acquire().await.map_err(|_| Code::Busy)?;
    let last = parts.headers.get("last-event-id").and_then(|value| value.to_str().ok());
    // a forged or foreign id is none: then everything begins now
    let subs = last.and_then(|id| opened(&app.keys, id)).unwrap_or_default();
    let connect = Connect { subs, data: Some(serde_json::json!({ "v": 1 })), ..Connect::default() };
    let who = Who {
        person: actor.person,
        session: actor.session,
        rights: session::rights(&actor),
        is_own: socket::is_own(&connect),
        expires_at: None,
    };
    // left when it is dropped, from here on
    let listener = Listener(means.hub.enter(&who, Way::Events, Arc::clone(&means)));
    let (answer, marks) = session::start(&listener.0, &actor, (1, connect)).await?;
    listener.0.begin(&session::places(&marks), None, Vec::new());
    drop((door, place));
    let mut line = Line { app, listener, places: HashMap::new(), first: None, is_over: false };
    line.moved(&marks);
    line.first = Some(Event::default().event("connect").retry(AGAIN).id(line.id()).data(answer));
    let every = Duration::from_secs(means.hub.ping_secs);
    let frames = stream::unfold(line, |mut line| async move { Some((Ok::<_, Infallible>(line.next().await?), line)) });
    Ok(Sse::new(frames).keep_alive(KeepAlive::new().interval(every)).into_response())
}

/// A connection that is in the hub for as long as this lives.
struct Listener(Arc<Connection>);

impl Drop for Listener {
    fn drop(&mut self) {
        self.0.end(protocol::Close::Shutdown);
        self.0.means.hub.leave(&self.0);
    }
}

/// What an event stream goes through.
struct Line {
    app: App,
    listener: Listener,
    /// Epoch and seq of each stream, up to the event that was handed over last.
    places: HashMap<StreamId, (i64, i64)>,
    first: Option<Event>,
    is_over: bool,
}

impl Line {
    async fn next(&mut self) -> Option<Event> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        while !self.is_over {
            let connection = &self.listener.0;
            match connection.take() {
                (_, Some(close)) => {
                    self.is_over = true;
                    return Some(Event::default().event("disconnect").data(protocol::disconnect_push(close)));
                }
                (Some(piece), None) => return Some(self.event(&piece)),
                (None, None) if connection.is_behind() => {
                    let heads = connection.means.hub.heads(connection);
                    connection.resynced(frames::text(&protocol::heads_push("resync", &heads)), &heads);
                }
                (None, None) => {
                    connection.kick();
                    connection.wake.notified().await;
                }
            }
        }
        None
    }

    /// Its id promises everything up to it and nothing after it.
    fn event(&mut self, piece: &Piece) -> Event {
        self.moved(&piece.marks);
        let text = frames::content(&piece.bytes);
        Event::default().data(str::from_utf8(&text).unwrap_or_default()).id(self.id())
    }

    fn moved(&mut self, marks: &[Mark]) {
        for mark in marks {
            match (mark.seq, self.places.get(&mark.stream)) {
                (None, _) => _ = self.places.remove(&mark.stream),
                (Some(seq), known) => {
                    let epoch = mark.epoch.or(known.map(|(epoch, _)| *epoch)).unwrap_or_default();
                    self.places.insert(mark.stream, (epoch, seq));
                }
            }
        }
    }

    fn id(&self) -> String {
        signed(&self.app.keys, &self.places)
    }
}

/// Where a connection is in every stream, signed: 32 bytes each, so that all that one may follow fit into the header that
/// proxies let through.
fn signed(keys: &Keys, places: &HashMap<StreamId, (i64, i64)>) -> String {
    let place = |(id, (epoch, seq)): (&StreamId, &(i64, i64))| {
        [id.0.as_bytes().as_slice(), &epoch.to_be_bytes(), &seq.to_be_bytes()].concat()
    };
    let packed = BASE64_URL_SAFE_NO_PAD.encode(places.iter().flat_map(place).collect::<Vec<u8>>());
    format!("{}{packed}", signature(keys, &packed))
}

fn signature(keys: &Keys, packed: &str) -> String {
    keys.lookup(PURPOSE, packed).chars().take(SIGNATURE).collect()
}

/// The positions that an id of ours holds.
fn opened(keys: &Keys, id: &str) -> Option<HashMap<String, Position>> {
    let (signed, packed) = id.split_at_checked(SIGNATURE)?;
    if signed != signature(keys, packed) {
        return None;
    }
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(packed).ok()?;
    let place = |bytes: &[u8; PLACE]| {
        let (id, rest) = bytes.split_first_chunk::<16>()?;
        let (epoch, seq) = rest.split_first_chunk::<8>()?;
        let (epoch, offset) = (i64::from_be_bytes(*epoch).to_string(), i64::from_be_bytes(*seq.first_chunk()?));
        Some((protocol::channel(StreamId(Uuid::from_bytes(*id))), Position { recover: true, epoch, offset }))
    };
    let (places, rest) = bytes.as_chunks::<PLACE>();
    if rest.is_empty() { places.iter().map(place).collect() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::streams::queries::MAX_STREAMS;

    #[test]
    fn nobody_makes_an_id() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::load_or_make(folder.path()).unwrap();
        let stream = StreamId::new();
        let id = signed(&keys, &HashMap::from([(stream, (7, 12))]));
        let known = opened(&keys, &id).unwrap();
        let position = &known[&protocol::channel(stream)];
        assert_eq!((position.offset, position.epoch.as_str(), position.recover), (12, "7", true));
        let (own, packed) = id.split_at(SIGNATURE);
        let other = &signed(&keys, &HashMap::from([(stream, (7, 11))]))[SIGNATURE..];
        // as ids were written before
        let text = format!("{}:7:12", stream.0.simple());
        let old = BASE64_URL_SAFE_NO_PAD.encode(format!("{}{text}", signature(&keys, &text)));
        for bad in ["", "x", "!!", packed, &format!("{own}{other}"), &format!("{own}{packed}AAAA"), &old] {
            assert!(opened(&keys, bad).is_none(), "{bad}");
        }
        assert_eq!(opened(&keys, &signed(&keys, &HashMap::new())).map(|none| none.len()), Some(0));
    }

    #[test]
    fn the_id_of_who_follows_all_that_one_may_fits_into_a_header() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::load_or_make(folder.path()).unwrap();
        let places: HashMap<_, _> = (0..MAX_STREAMS).map(|_| (StreamId::new(), (i64::MAX, i64::MAX))).collect();
        let id = signed(&keys, &places);
        assert!(id.len() < 6 * 1024, "{} bytes", id.len());
        assert_eq!(opened(&keys, &id).unwrap().len(), places.len());
    }
}
