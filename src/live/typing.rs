//! 正在输入: told to who listens just now, never stored, and only where few talk to each other.
use std::time::Duration;

use serde_json::Value;

use super::{carry, connection::Connection, protocol};
use crate::{
    actor::Actor,
    error::Result,
    ids::StreamId,
    people,
    streams::{
        Access, StreamKind,
        queries::{self},
    },
};

/// Told again not earlier.
const AGAIN: Duration = Duration::from_secs(3);
/// Shown for so long.
const EXPIRES_SECS: u64 = 6;
/// Members of a conversation in which it is told.
const SMALL: usize = 20;

/// The stream in which a one-way message says that its sender writes.
pub(super) fn stream(send: &Value) -> Option<StreamId> {
    let data = send.get("data").filter(|data| data["k"] == "typing")?;
    data["s"].as_str().and_then(|id| id.strip_prefix("s:").unwrap_or(id).parse().ok())
}

/// Tells the others who listen on this server.
pub(super) async fn tell(connection: &Connection, actor: &Actor, id: StreamId) -> Result<()> {
    if !connection.is_in(id) || !connection.may_type(AGAIN) {
        return Ok(());
    }
    let db = connection.means.app.store.read();
    let (stream, access) = queries::readable(db, actor, id).await?;
    let kind = StreamKind::parse(&stream.kind);
    let is_talk = matches!(kind, Some(StreamKind::Contact | StreamKind::Thread | StreamKind::Group));
    if !is_talk || access != Access::Write || queries::belonging(db, id).await?.len() > SMALL {
        return Ok(());
    }
    let seat = actor.seats.iter().find(|seat| Some(seat.body_id) == stream.body_id);
    let name = match seat {
        Some(seat) => format!("{}·{}", seat.body_name, actor.name),
        None => people::mask_name(&actor.name),
    };
    let push = protocol::typing_push(id, (actor.person, &name), EXPIRES_SECS);
    carry::tell(&connection.means.hub, id, actor.person, &push);
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_word_about_a_stream_is_one() {
        let id = StreamId::new();
        for s in [id.to_string(), protocol::channel(id)] {
            assert_eq!(stream(&json!({ "data": { "v": 1, "k": "typing", "s": s } })), Some(id));
        }
        for rubbish in [json!({}), json!(7), json!({ "data": { "k": "typing" } }), json!({ "data": { "s": id } })] {
            assert_eq!(stream(&rubbish), None, "{rubbish}");
        }
    }
}
