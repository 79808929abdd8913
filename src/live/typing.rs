//! 正在输入: told to who listens just now, never stored, and only where few talk to each other.
use std::time::Duration;

use serde_json::Value;

use super::{
    carry,
    connection::Connection,
    hub::{Hub, Means},
    protocol,
};
use crate::{
    actor::Actor,
    app::App,
    bodies,
    broker::Bell,
    error::Result,
    ids::{BodyId, PersonId, StreamId},
    people,
    streams::{self, Access, StreamKind, queries},
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

/// Has every server tell the others who listen there. Of a group, in which many write, only this one does: the doorbell is not
/// for what nobody would miss.
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
    let (person, body) = (actor.person, seat.map(|seat| seat.body_id));
    if kind == Some(StreamKind::Group) {
        let Means { app, hub, .. } = &*connection.means;
        return show(app, hub, (id, person, body)).await;
    }
    connection.means.app.broker.ring(&[Bell::Typing { stream: id, person, body }]).await
}

/// Tells who listens on this server that somebody writes, for a body if one is named.
pub(super) async fn show(app: &App, hub: &Hub, (id, person, body): (StreamId, PersonId, Option<BodyId>)) -> Result<()> {
    if hub.listeners(id).iter().all(|one| one.person == person) {
        return Ok(());
    }
    let db = app.store.read();
    let Some(writer) = people::person(db, person).await? else { return Ok(()) };
    let (by, name) = match body {
        Some(body) => (person, format!("{}·{}", bodies::queries::get(db, body).await?.name, writer.name)),
        None => (streams::speaks_in(db, &app.keys, (id, person)).await?, people::mask_name(&writer.name)),
    };
    carry::tell(hub, id, person, &protocol::typing_push(id, (by, &name), EXPIRES_SECS));
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
