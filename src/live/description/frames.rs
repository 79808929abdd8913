//! The frames of the protocol: what each may hold, and one of each as an example.
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::{
    Parts, Talk,
    examples::{BEFORE, ENTRY, PERSON, STREAM, TOKEN, entry},
};
use crate::live::protocol::{Close, Connect, Fault, Position, Refresh, Rpc, Subscribe, Subscribed, Unsubscribe};

/// What every reader should know first.
pub(super) const PROSE: &str = "\
`/connection/websocket` speaks the Centrifuge JSON protocol v2 (https://centrifugal.dev/docs/transports/client_protocol):
text frames, one JSON object a line, several lines in a frame if you like. A channel of that protocol is a stream: its name is
`s:` and the stream's id, an offset is a `seq`, an epoch the stream's epoch.

The server subscribes a connection to the streams of the person's home page, and to every stream that the person comes to
belong to later; a client may also subscribe to a stream it may read. A position handed in with `recover: true` brings what
was missed, up to 300 entries; `recovered: false` means: read over REST (`POST /v1/sync`).

A recall, an edit and a pin name in `target_seq` what they change. A recall blanks it and what quotes it; an edit brings the new
words of both.

The server pings with `{}`; `{}` is the answer, and any other frame counts as one. `rpc` calls the operations of openapi.json: its
`data` holds the parameters of path and query by their names and beside them the body, and the answer's `data` is the body of the
HTTP answer. Not over sockets: files, and what is for who is not signed in. Ten commands a second, twenty at once.

A client that says `{\"v\": 1}` in `connect.data` fetches over REST what it is told to have missed: it gets `heads` before every third
ping, and `resync` in the place of what was thrown away because it read too slowly; others are closed with 3010.

`GET /v1/events` gives the same as server-sent events: the first is called `connect` and holds the answer to that command,
`disconnect` comes before the end, all others hold a push. The id of an event says where the connection is in every stream;
handed in again as `Last-Event-ID` it brings what was missed.

A token whose time is over, or a ticket that is spent, is refused with 109 and 3005: ask for another and come back.
Below codes of 3500 a client comes back by itself, from 3500 on it does not.";

/// What a connection is told unasked, over the socket and as events.
pub(super) const TOLD: [&str; 15] = [
    "connected",
    "entry_message",
    "entry_card",
    "entry_bump",
    "entry_chain",
    "entry_chain_row",
    "entry_recall",
    "entry_pin",
    "entry_member",
    "subscription",
    "subscription_ended",
    "heads",
    "resync",
    "typing",
    "disconnect",
];

/// Kinds of entries, what each is, and what its body may hold.
fn kinds() -> [(&'static str, &'static str, Value); 8] {
    let text = || json!({ "type": "string" });
    let taken_back = json!({ "state": text(), "reason": text() });
    let mut message = json!({
        "text": text(), "side": { "$ref": "#/components/schemas/Side" }, "mention_all": { "type": "boolean" },
        "media": { "type": "array", "items": { "$ref": "#/components/schemas/MediaView" } },
        "mentions": { "type": "array", "items": { "$ref": "#/components/schemas/PersonId" } },
        "erased": { "type": "boolean", "description": "By its author, with the account." },
    });
    merge(&mut message, &taken_back);
    [
        ("message", "What a person said.", message),
        (
            "card",
            "What the system shows: a notice, a stage, a result.",
            json!({ "card": text(), "title": text(), "text": text(), "link": text() }),
        ),
        (
            "bump",
            "In an office's stream: somebody spoke to the office there.",
            json!({
                "stream_id": text(), "title": text(), "state": text(),
                "is_answer": { "type": "boolean", "description": "A colleague answered: no news." },
                "link": { "type": "string", "description": "Path of the page where it is read." },
            }),
        ),
        (
            "chain",
            "A list to which everybody may add a row (接龙).",
            json!({
                "text": text(), "example": text(), "max_rows": { "type": "integer" }, "closes_at": { "type": ["string", "null"], "format": "date-time" },
                "slot": { "enum": ["person", "household"] }, "fields": { "type": "array", "items": text() },
                "state": text(), "reason": text(),
            }),
        ),
        (
            "chain_row",
            "A row of a list was added, changed or taken out, or the list was closed. What earlier ones said of a row that was changed or taken out is nowhere any more: show `change` and `row_no` in their place.",
            json!({
                "change": { "enum": ["added", "changed", "removed", "closed"] }, "row_no": { "type": "integer" }, "text": text(), "quantity": { "type": "integer" },
                "cells": { "type": "array", "items": text() },
            }),
        ),
        (
            "recall",
            "The entry of `target_seq` was taken back: show it as it is now, without its words; of a list, its rows, too.",
            taken_back,
        ),
        (
            "pin",
            "The entry of `target_seq` goes on top for everybody, or no longer.",
            json!({ "is_pinned": { "type": "boolean" } }),
        ),
        (
            "member",
            "Somebody came, left or was named a leader; in a mailbox: the person's place in another stream changed.",
            json!({
                "person_id": text(), "change": { "enum": ["joined", "left", "removed", "leads", "changed"] }, "stream_id": text(), "role": text(),
            }),
        ),
    ]
}

fn merge(fields: &mut Value, more: &Value) {
    if let (Some(fields), Some(more)) = (fields.as_object_mut(), more.as_object()) {
        fields.extend(more.clone());
    }
}

/// Adds every frame but those of the calls.
pub(super) fn describe(parts: &mut Parts) {
    own::<Connect>(parts);
    own::<Position>(parts);
    own::<Subscribe>(parts);
    own::<Unsubscribe>(parts);
    own::<Refresh>(parts);
    own::<Rpc>(parts);
    own::<Subscribed>(parts);
    let publication = all(json!({ "offset": { "type": "integer" }, "data": {} }));
    parts.schemas.insert("Publication".into(), publication);
    // they are put in as the text that they are encoded to
    parts.schemas["Subscribed"]["properties"]["publications"] =
        json!({ "type": "array", "items": named("Publication"), "description": "What was missed." });
    codes(parts);
    commands(parts);
    answers(parts);
    entries(parts);
    standing(parts);
    parts.told(("publish", "Entries, each stream's in order of `seq` without a gap"), "socket", &TOLD[1..9]);
    parts.told(("subscribed_to", "The person came to belong to a stream, or no longer"), "socket", &TOLD[9..11]);
    parts.told(
        ("beat", "Is anybody there, and where the streams stand"),
        "socket",
        &["ping", "heads", "resync", "typing"],
    );
    parts.told(("events", "The same as server-sent events"), "events", &TOLD);
}

/// The schema of a type of the protocol.
fn own<T: ToSchema>(parts: &mut Parts) {
    parts.schemas.insert(T::name().into_owned(), json!(T::schema()));
}

/// The number of a command, which its answer repeats.
pub(super) fn id() -> Value {
    json!({ "type": "integer", "minimum": 1, "maximum": u32::MAX })
}

/// An object that holds nothing.
pub(super) fn nothing() -> Value {
    json!({ "type": "object", "additionalProperties": false })
}

/// An object that needs all of these.
fn all(fields: Value) -> Value {
    let required: Vec<&String> = fields.as_object().into_iter().flat_map(Map::keys).collect();
    json!({ "type": "object", "required": required, "properties": fields })
}

fn named(schema: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}

/// Numbers for faults of a command and for ends of a connection.
fn codes(parts: &mut Parts) {
    let mut faults: Vec<Value> = Fault::ALL
        .iter()
        .map(|fault| fault.parts())
        .map(|(code, message, _)| json!({ "const": code, "description": message }))
        .collect();
    faults.push(json!({
        "type": "integer", "minimum": 1400, "maximum": 1599,
        "description": "Of an rpc: 1000 and the HTTP status; the message is the stable code of errors.md.",
    }));
    parts.schemas.insert("FaultCode".into(), json!({ "oneOf": faults }));
    let closes = Close::ALL.iter().map(|close| json!({ "const": close.code(), "description": close.reason() }));
    parts.schemas.insert(
        "CloseCode".into(),
        json!({ "description": "Also the code of the close frame.", "oneOf": closes.collect::<Vec<_>>() }),
    );
}

fn commands(parts: &mut Parts) {
    let ask = |name: &str, what: Value| all(json!({ "id": id(), name: what }));
    let hello = json!({ "id": 1, "connect": {
        "token": TOKEN, "name": "my-app", "version": "1.0", "data": { "v": 1 },
        "subs": { format!("s:{STREAM}"): { "recover": true, "epoch": "1", "offset": BEFORE } },
    } });
    let examples = vec![("by_token", hello), ("by_cookie", json!({ "id": 1, "connect": { "data": { "v": 1 } } }))];
    let said = "Who I am and where I was; the first command";
    parts.message(("connect", said), ask("connect", named("Connect")), examples);
    let again = json!({ "id": 2, "refresh": { "token": TOKEN } });
    let said = "A new token for the same log-in, before the old one ends";
    parts.message(("refresh", said), ask("refresh", named("SocketRefresh")), vec![("refresh", again)]);
    let leave = json!({ "id": 3, "unsubscribe": { "channel": format!("s:{STREAM}") } });
    parts.message(
        ("unsubscribe", "No longer the entries of this channel"),
        ask("unsubscribe", named("Unsubscribe")),
        vec![("unsubscribe", leave)],
    );
    let channel = format!("s:{STREAM}");
    let join = json!({ "id": 4, "subscribe": { "channel": channel, "recover": true, "epoch": "1", "offset": BEFORE } });
    let none = json!({ "id": 5, "subscribe": { "channel": "s:no-such-stream" } });
    parts.message(
        ("subscribe", "The entries of a channel that the person may read"),
        ask("subscribe", named("Subscribe")),
        vec![("subscribe", join), ("unknown", none)],
    );
    let ping = json!({ "id": 6, "ping": {} });
    parts.message(
        ("ask_ping", "Is the server there?"),
        ask("ping", json!({ "type": "object" })),
        vec![("ask_ping", ping)],
    );
    let typing = json!({ "send": { "data": { "v": 1, "k": "typing", "s": STREAM } } });
    let data = all(
        json!({ "v": { "const": 1 }, "k": { "const": "typing" }, "s": { "type": "string", "description": "The stream." } }),
    );
    parts.message(
        ("say_typing", "I am writing in this conversation of a few; told to the others who listen, stored nowhere"),
        all(json!({ "send": all(json!({ "data": data })) })),
        vec![("typing", typing)],
    );
    parts.message(("pong", "The answer to a ping of the server"), nothing(), vec![("pong", json!({}))]);
    for (name, summary, asked, answered) in [
        ("connect", "Opens the connection", "connect", vec!["connected", "refused"]),
        ("refresh", "Keeps it open", "refresh", vec!["refreshed", "refused"]),
        ("subscribe", "Hears a channel", "subscribe", vec!["subscribed", "refused"]),
        ("unsubscribe", "Hears it no longer", "unsubscribe", vec!["unsubscribed", "refused"]),
        ("ask_ping", "Asks whether the server is there", "ask_ping", vec!["answer_ping"]),
        ("pong", "Answers a ping", "pong", vec![]),
        ("typing", "Says that somebody is writing", "say_typing", vec![]),
    ] {
        let answered = answered.into_iter().map(str::to_owned).collect();
        parts.asked(Talk { name: name.to_owned(), summary: summary.to_owned(), asked: asked.to_owned(), answered });
    }
}

fn answers(parts: &mut Parts) {
    let reply = |name: &str, what: Value| all(json!({ "id": id(), name: what }));
    let missed = json!({ "recoverable": true, "positioned": true, "epoch": "1", "offset": ENTRY, "was_recovering": true, "recovered": true,
        "publications": [{ "offset": ENTRY, "data": entry() }] });
    let mut connected = all(json!({
        "client": { "type": "string", "format": "uuid" }, "version": { "type": "string" },
        "ping": { "type": "integer", "description": "Seconds between the server's pings." },
        "pong": { "type": "boolean", "const": true }, "subs": { "type": "object", "additionalProperties": named("Subscribed") },
        "data": all(json!({
            "v": { "const": 1 }, "now": { "type": "integer", "description": "The server's clock, milliseconds since 1970." },
            "person": named("PersonId"),
        })),
    }));
    let place =
        json!({ "type": "array", "minItems": 3, "maxItems": 3, "description": "Epoch, newest seq, newest no." });
    connected["properties"]["data"]["properties"]["heads"] = json!({
        "type": "object", "additionalProperties": place,
        "description": "For clients that said `v` 1: where the streams stand, by channel.",
    });
    connected["properties"]["expires"] = json!({ "type": "boolean" });
    connected["properties"]["ttl"] = json!({ "type": "integer", "description": "Seconds; refresh before." });
    let example = |more: Value| {
        let mut example = json!({ "id": 1, "connect": {
            "client": "0193a7c0-5b1e-7d0a-9c11-6a1f0e2d3c4b", "version": "liusheng 1", "ping": 25, "pong": true,
            "data": { "v": 1, "now": 1_764_550_800_000_u64, "person": PERSON }, "subs": { format!("s:{STREAM}"): missed.clone() },
        } });
        merge(&mut example["connect"], &more);
        example
    };
    let examples = vec![
        ("by_token", example(json!({ "expires": true, "ttl": 900 }))),
        ("by_cookie", example(json!({ "subs": {} }))),
    ];
    parts.message(("connected", "Where every stream stands"), reply("connect", connected), examples);
    let refreshed =
        all(json!({ "expires": { "const": true }, "ttl": { "type": "integer" }, "version": { "type": "string" } }));
    let example = json!({ "id": 2, "refresh": { "expires": true, "ttl": 900, "version": "liusheng 1" } });
    parts.message(("refreshed", "It holds so long"), reply("refresh", refreshed), vec![("refresh", example)]);
    let example = json!({ "id": 3, "unsubscribe": {} });
    let done = reply("unsubscribe", nothing());
    parts.message(("unsubscribed", "No more of that channel"), done, vec![("unsubscribe", example)]);
    let example = json!({ "id": 4, "subscribe": missed });
    let schema = reply("subscribe", named("Subscribed"));
    parts.message(("subscribed", "Where the channel stands"), schema, vec![("subscribe", example)]);
    let example = json!({ "id": 6, "ping": {} });
    parts.message(("answer_ping", "It is there"), reply("ping", nothing()), vec![("ask_ping", example)]);
    let error =
        all(json!({ "code": named("FaultCode"), "message": { "type": "string" }, "temporary": { "type": "boolean" } }));
    let example = json!({ "id": 5, "error": { "code": 102, "message": "unknown channel", "temporary": false } });
    let refused = json!({ "id": 9, "error": { "code": 1422, "message": "invalid_fields", "temporary": false } });
    let examples = vec![("unknown", example), ("empty", refused)];
    parts.message(("refused", "Why a command was refused"), reply("error", error), examples);
}

fn entries(parts: &mut Parts) {
    for (kind, summary, body) in kinds() {
        let data = json!({ "allOf": [named("EntryView"), {
            "type": "object", "required": ["v"], "properties": {
                "v": { "const": 1 }, "kind": { "const": kind },
                "jitter_ms": { "type": "integer", "description": "Whoever asks for more because of this one should wait a part of it, by chance." },
                "body": { "type": "object", "properties": body, "additionalProperties": false },
            },
        }] });
        let payload = push(json!({
            "channel": { "type": "string", "description": "`s:` and the stream's id." },
            "pub": { "allOf": [named("Publication"), { "type": "object", "properties": { "data": data } }] },
        }));
        let example =
            json!({ "push": { "channel": format!("s:{STREAM}"), "pub": { "offset": ENTRY, "data": entry() } } });
        let examples = if kind == "message" { vec![("entry", example)] } else { Vec::new() };
        parts.message((&format!("entry_{kind}"), summary), payload, examples);
    }
}

fn push(what: Value) -> Value {
    all(json!({ "push": all(what) }))
}

fn standing(parts: &mut Parts) {
    let channel = || json!({ "type": "string" });
    parts.message(
        ("subscription", "From now on entries of this channel come, those after `offset` first"),
        push(json!({ "channel": channel(), "subscribe": named("Subscribed") })),
        Vec::new(),
    );
    let ended = all(json!({ "code": { "const": 2500 }, "reason": { "type": "string" } }));
    parts.message(
        ("subscription_ended", "The person may no longer read this channel"),
        push(json!({ "channel": channel(), "unsubscribe": ended })),
        Vec::new(),
    );
    for (kind, summary) in [
        ("heads", "Where the streams stand, for clients that said `v` 1: before every third ping"),
        ("resync", "What waited was thrown away, because it was read too slowly; the streams stand here"),
    ] {
        let place = json!({ "type": "array", "minItems": 2, "maxItems": 2, "description": "Epoch and newest seq." });
        let heads = json!({ "type": "object", "additionalProperties": place });
        let data = all(json!({ "v": { "const": 1 }, "k": { "const": kind }, "heads": heads }));
        let payload = push(json!({ "message": all(json!({ "data": data })) }));
        let heads = json!({ format!("s:{STREAM}"): ["1", ENTRY] });
        let example = json!({ "push": { "message": { "data": { "v": 1, "k": kind, "heads": heads } } } });
        parts.message((kind, summary), payload, vec![(kind, example)]);
    }
    let data = json!({
        "v": { "const": 1 }, "k": { "const": "typing" }, "s": { "type": "string" }, "by": named("PersonId"),
        "name": { "type": "string" }, "expires": { "type": "integer", "description": "Seconds for which to show it." },
    });
    let example = json!({ "push": { "message": { "data": { "v": 1, "k": "typing", "s": STREAM, "by": PERSON, "name": "*小明", "expires": 6 } } } });
    parts.message(
        ("typing", "Somebody is writing in this conversation"),
        push(json!({ "message": all(json!({ "data": all(data) })) })),
        vec![("typing", example)],
    );
    parts.message(("ping", "Is anybody there?"), nothing(), vec![("ping", json!({}))]);
    let end = all(json!({ "code": named("CloseCode"), "reason": { "type": "string" } }));
    let example = json!({ "push": { "disconnect": { "code": 3001, "reason": "shutdown" } } });
    parts.message(
        ("disconnect", "As event only: why the connection ends; a socket's close frame says the same"),
        push(json!({ "disconnect": end })),
        vec![("disconnect", example)],
    );
}
