//! Frames of the Centrifuge JSON protocol v2, as far as we speak it.
//! <https://centrifugal.dev/docs/transports/client_protocol>
use std::{collections::HashMap, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::calls::Refused;
use crate::{
    ids::{PersonId, StreamId},
    streams::EntryView,
};

/// What a client sends. Several may come in one frame, each on its own line.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Command {
    #[serde(default)]
    pub(super) id: u32,
    pub(super) connect: Option<Connect>,
    pub(super) subscribe: Option<Subscribe>,
    pub(super) unsubscribe: Option<Unsubscribe>,
    pub(super) rpc: Option<Rpc>,
    pub(super) refresh: Option<Refresh>,
    pub(super) ping: Option<Value>,
    pub(super) send: Option<Value>,
    /// What the protocol has and we do not offer.
    #[serde(alias = "presence", alias = "presence_stats", alias = "history", alias = "sub_refresh")]
    pub(super) publish: Option<Value>,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
pub(super) struct Connect {
    /// An access token, or a ticket of `make_socket_ticket`; empty where the pages' cookie says who it is.
    #[serde(default)]
    pub(super) token: String,
    /// By channel, where the client was.
    #[serde(default)]
    pub(super) subs: HashMap<String, Position>,
    /// Ours say `{"v": 1}`.
    pub(super) data: Option<Value>,
}

/// Where a client was in a channel.
#[derive(Debug, Default, Clone, Deserialize, ToSchema)]
#[schema(as = SocketPosition)]
pub(super) struct Position {
    /// Hand over what was missed since?
    #[serde(default)]
    pub(super) recover: bool,
    /// Of which log.
    #[serde(default)]
    pub(super) epoch: String,
    /// The last one that came.
    #[serde(default)]
    pub(super) offset: i64,
}

#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct Subscribe {
    pub(super) channel: String,
    #[serde(flatten)]
    pub(super) position: Position,
}

#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct Unsubscribe {
    pub(super) channel: String,
}

#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct Rpc {
    pub(super) method: String,
    #[serde(default)]
    pub(super) data: Value,
}

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = SocketRefresh)]
pub(super) struct Refresh {
    pub(super) token: String,
}

/// How a subscription stands, in answers and pushes.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Subscribed {
    pub(super) recoverable: bool,
    pub(super) positioned: bool,
    pub(super) epoch: String,
    pub(super) offset: i64,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) was_recovering: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) recovered: bool,
    /// Encoded already.
    #[serde(skip)]
    pub(super) publications: Vec<Arc<str>>,
}

impl Subscribed {
    /// As JSON.
    pub(super) fn text(&self) -> String {
        let mut text = serde_json::to_string(self).unwrap_or_default();
        if !self.publications.is_empty() {
            // before the brace that ends it
            text.pop();
            text.push_str(",\"publications\":[");
            for (place, publication) in self.publications.iter().enumerate() {
                text.push_str(if place > 0 { "," } else { "" });
                text.push_str(publication);
            }
            text.push_str("]}");
        }
        text
    }
}

/// The answer to `connect`: its fields, and how each channel stands.
pub(super) fn connected(id: u32, fields: &str, subs: &[(String, Subscribed)]) -> String {
    let mut text = format!("{{\"id\":{id},\"connect\":{{{fields},\"subs\":{{");
    for (place, (channel, sub)) in subs.iter().enumerate() {
        text.push_str(if place > 0 { ",\"" } else { "\"" });
        text.push_str(channel);
        text.push_str("\":");
        text.push_str(&sub.text());
    }
    text.push_str("}}}");
    text
}

/// Why a connection is closed. Below 3500 the client comes back by itself, from 3500 on it does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Close {
    Shutdown,
    Expired,
    InsufficientState,
    ForceReconnect,
    NoPong,
    /// Takes nothing of what is written.
    Slow,
    InvalidToken,
    BadRequest,
    TooMany,
    /// Does not come back by itself.
    ConnectionLimit,
}

impl Close {
    pub(super) const ALL: [Self; 10] = [
        Self::Shutdown,
        Self::TooMany,
        Self::Expired,
        Self::Slow,
        Self::InsufficientState,
        Self::ForceReconnect,
        Self::NoPong,
        Self::InvalidToken,
        Self::BadRequest,
        Self::ConnectionLimit,
    ];

    pub(super) fn code(self) -> u16 {
        match self {
            Self::Shutdown => 3001,
            Self::Expired => 3005,
            Self::InsufficientState => 3010,
            Self::ForceReconnect => 3011,
            Self::NoPong => 3012,
            Self::Slow => 3008,
            Self::InvalidToken => 3500,
            Self::BadRequest => 3501,
            Self::TooMany => 3013,
            Self::ConnectionLimit => 3504,
        }
    }

    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Shutdown => "shutdown",
            Self::Expired => "expired",
            Self::InsufficientState => "insufficient state",
            Self::ForceReconnect => "force reconnect",
            Self::NoPong => "no pong",
            Self::Slow => "slow",
            Self::InvalidToken => "invalid token",
            Self::BadRequest => "bad request",
            Self::TooMany => "too many requests",
            Self::ConnectionLimit => "connection limit",
        }
    }
}

/// An error in answer to one command; numbers of the Centrifuge protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Internal,
    Unauthorized,
    UnknownChannel,
    PermissionDenied,
    MethodNotFound,
    AlreadySubscribed,
    BadRequest,
    NotAvailable,
    TokenExpired,
    TooMany,
}

impl Fault {
    pub(super) const ALL: [Self; 10] = [
        Self::Internal,
        Self::Unauthorized,
        Self::UnknownChannel,
        Self::PermissionDenied,
        Self::MethodNotFound,
        Self::AlreadySubscribed,
        Self::BadRequest,
        Self::NotAvailable,
        Self::TokenExpired,
        Self::TooMany,
    ];

    pub(super) fn parts(self) -> (u32, &'static str, bool) {
        match self {
            Self::Internal => (100, "internal server error", true),
            Self::Unauthorized => (101, "unauthorized", false),
            Self::UnknownChannel => (102, "unknown channel", false),
            Self::PermissionDenied => (103, "permission denied", false),
            Self::MethodNotFound => (104, "method not found", false),
            Self::AlreadySubscribed => (105, "already subscribed", false),
            Self::BadRequest => (107, "bad request", false),
            Self::NotAvailable => (108, "not available", false),
            Self::TokenExpired => (109, "token expired", false),
            Self::TooMany => (111, "too many requests", true),
        }
    }
}

/// The channel of a stream.
pub(super) fn channel(stream: StreamId) -> String {
    format!("s:{stream}")
}

/// The stream of a channel.
pub(super) fn stream(channel: &str) -> Option<StreamId> {
    channel.strip_prefix("s:")?.parse().ok()
}

/// The answer to a command, with a result that is JSON already.
pub(super) fn reply_text(id: u32, name: &str, result: &str) -> String {
    format!("{{\"id\":{id},\"{name}\":{result}}}")
}

/// The answer to a command.
pub(super) fn reply(id: u32, name: &str, result: &impl Serialize) -> String {
    json!({ "id": id, name: result }).to_string()
}

/// The refusal of a command.
pub(super) fn fault(id: u32, fault: Fault) -> String {
    let (code, message, temporary) = fault.parts();
    json!({ "id": id, "error": { "code": code, "message": message, "temporary": temporary } }).to_string()
}

/// A refusal of ours in answer to an rpc: the status as number above 1000, the stable code as message.
pub(super) fn refused(id: u32, refused: &Refused) -> String {
    let number = 1000 + u32::from(refused.status);
    let temporary = refused.status >= 500 || refused.status == 429;
    json!({ "id": id, "error": { "code": number, "message": refused.code, "temporary": temporary } }).to_string()
}

/// Why the server ends a connection, said before it does.
pub(super) fn disconnect_push(close: Close) -> String {
    json!({ "push": { "disconnect": { "code": close.code(), "reason": close.reason() } } }).to_string()
}

/// Where streams stand: id, epoch, newest seq. `kind`: `heads` with the heartbeat, `resync` in the place of what was lost.
pub(super) fn heads_push(kind: &str, heads: &[(StreamId, i64, i64)]) -> String {
    let heads: serde_json::Map<String, Value> =
        heads.iter().map(|(id, epoch, seq)| (channel(*id), json!([epoch.to_string(), seq]))).collect();
    json!({ "push": { "message": { "data": { "v": 1, "k": kind, "heads": heads } } } }).to_string()
}

/// One entry as a push.
pub(super) fn publication_push(stream: StreamId, publication: &str) -> String {
    format!("{{\"push\":{{\"channel\":\"{}\",\"pub\":{publication}}}}}", channel(stream))
}

/// An entry as a publication. `jitter_ms`: within which time to ask for more, if at all; 0 when it does not matter.
pub(super) fn publication(entry: &EntryView, jitter_ms: usize) -> String {
    #[derive(Serialize)]
    struct Publication<'a> {
        offset: i64,
        data: Data<'a>,
    }
    #[derive(Serialize)]
    struct Data<'a> {
        #[serde(flatten)]
        entry: &'a EntryView,
        v: u8,
        #[serde(skip_serializing_if = "Option::is_none")]
        jitter_ms: Option<usize>,
    }
    let data = Data { entry, v: 1, jitter_ms: (jitter_ms > 0).then_some(jitter_ms) };
    serde_json::to_string(&Publication { offset: entry.seq, data }).unwrap_or_default()
}

/// Somebody writes in a stream just now.
pub(super) fn typing_push(stream: StreamId, (by, name): (PersonId, &str), expires_secs: u64) -> String {
    let data = json!({ "v": 1, "k": "typing", "s": stream, "by": by, "name": name, "expires": expires_secs });
    json!({ "push": { "message": { "data": data } } }).to_string()
}

/// The server subscribed this connection to a stream.
pub(super) fn subscribe_push(stream: StreamId, subscribed: &Subscribed) -> String {
    format!("{{\"push\":{{\"channel\":\"{}\",\"subscribe\":{}}}}}", channel(stream), subscribed.text())
}

/// The server ended this connection's subscription to a stream.
pub(super) fn unsubscribe_push(stream: StreamId) -> String {
    json!({ "push": { "channel": channel(stream), "unsubscribe": { "code": 2500, "reason": "no longer a member" } } })
        .to_string()
}

/// Reads the commands of one frame.
pub(super) fn commands(text: &str) -> Result<Vec<Command>, serde_json::Error> {
    text.split('\n').filter(|line| !line.trim().is_empty()).map(serde_json::from_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::{Food, feed};

    #[test]
    fn a_frame_may_hold_several_commands_and_a_pong_is_an_empty_one() {
        let frame = "{\"id\":1,\"connect\":{\"token\":\"t\",\"subs\":{\"s:x\":{\"recover\":true,\"epoch\":\"7\",\"offset\":3}}}}\n{}";
        let both = commands(frame).unwrap();
        assert_eq!(both.len(), 2);
        let connect = both[0].connect.as_ref().unwrap();
        assert_eq!((connect.token.as_str(), connect.subs["s:x"].offset), ("t", 3));
        assert!(both[1].connect.is_none() && both[1].id == 0);
        assert!(commands("{\"id\":\"one\"}").is_err());
        assert!(commands("[]").is_err());
    }

    #[test]
    fn bent_frames_are_commands_or_refused() {
        let id = StreamId::new();
        let seeds = [
            "{\"id\":1,\"connect\":{\"token\":\"t\",\"name\":\"x\",\"subs\":{\"s:x\":{\"recover\":true,\"epoch\":\"7\",\"offset\":3}}}}\n{}",
            "{\"id\":2,\"subscribe\":{\"channel\":\"s:x\",\"recover\":true,\"offset\":1}}",
            "{\"id\":3,\"rpc\":{\"method\":\"msg.send\",\"data\":{\"stream_id\":\"x\",\"text\":\"好\"}}}",
            "{\"id\":4,\"refresh\":{\"token\":\"t\"}}\n{\"id\":5,\"unsubscribe\":{\"channel\":\"s:x\"}}\n{\"send\":{}}",
        ]
        .map(|seed| seed.replace("s:x", &channel(id)).into_bytes());
        let words =
            ["connect", "subs", "rpc", "{\"id\":", "}\n{", "[[[[", "null", "-1", "1e999", "\\ud800", "\\u0000", "s:"];
        let food = Food { name: "socket frame", seeds: seeds.to_vec(), words: &words, longest: 4000 };
        feed(&food, |bytes| {
            let Ok(text) = std::str::from_utf8(bytes) else { return };
            let Ok(commands) = commands(text) else { return };
            assert!(commands.len() <= text.lines().count());
            for command in commands {
                let channels = command.connect.into_iter().flat_map(|connect| connect.subs.into_keys());
                for channel_name in channels.chain(command.subscribe.map(|subscribe| subscribe.channel)) {
                    assert!(stream(&channel_name).is_none_or(|id| stream(&channel(id)) == Some(id)));
                }
            }
        });
    }

    #[test]
    fn only_our_channels_name_streams() {
        let id = StreamId::new();
        assert_eq!(stream(&channel(id)), Some(id));
        for bad in ["", "s:", "s:1", "$s:x", &id.to_string()] {
            assert_eq!(stream(bad), None, "{bad}");
        }
    }
}
