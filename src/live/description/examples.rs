//! Calls as they are asked and answered. A test sends each of them, in this order of operations, to a running server that holds
//! what they speak of, and compares the answers.
use serde_json::{Value, json};

/// The stream of the examples: a group with one message in it.
pub(super) const STREAM: &str = "0193a7c0-5b1e-7d0a-9c11-00000000a001";
/// Who asks; leads the group.
pub(super) const PERSON: &str = "0193a7c0-5b1e-7d0a-9c11-00000000b001";
/// The other member, who said what stands there.
const OTHER: &str = "0193a7c0-5b1e-7d0a-9c11-00000000b002";
/// Where that message stands.
pub(super) const ENTRY: i64 = 121;
pub(super) const BEFORE: i64 = 120;
/// Where an own message and an own list stand.
const OWN: i64 = 122;
const LIST: i64 = 123;
/// An access token.
pub(super) const TOKEN: &str = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIuLi4ifQ.c2lnbmF0dXJl";

/// One call.
pub(super) struct Call {
    pub(super) name: &'static str,
    pub(super) asked: Value,
    /// `None`: it is refused, as the example of that name of `refused` says.
    pub(super) answered: Option<Value>,
}

/// What stands in the group.
pub(super) fn entry() -> Value {
    json!({
        "v": 1, "seq": ENTRY, "no": 1, "kind": "message", "sender": { "id": OTHER, "name": "*小明" },
        "body": { "text": "晚上七点开会" }, "created_at": "2026-11-02T09:00:00+08:00",
    })
}

fn call(name: &'static str, (id, method): (u32, &str), data: &Value, answer: &Value) -> Call {
    Call {
        name,
        asked: json!({ "id": id, "rpc": { "method": method, "data": data } }),
        answered: Some(json!({ "id": id, "rpc": { "data": answer } })),
    }
}

fn sent(seq: i64) -> Value {
    json!({ "seq": seq, "no": seq, "dup": false })
}

/// Those of an operation.
pub(super) fn calls(operation: &str) -> Vec<Call> {
    let (done, place) = (json!({}), json!({ "stream_id": STREAM, "seq": ENTRY }));
    let own = |more: Value| with(json!({ "stream_id": STREAM, "seq": OWN }), more);
    let list = |more: Value| with(json!({ "stream_id": STREAM, "seq": LIST }), more);
    let stream = |more: Value| with(json!({ "stream_id": STREAM }), more);
    match operation {
        "list_streams" => {
            let streams =
                json!([{ "id": STREAM, "kind": "group", "epoch": "1", "last_seq": ENTRY, "last_no": 1, "unread": 1 }]);
            vec![call("list", (10, "sync"), &done, &json!({ "streams": streams }))]
        }
        "sync_streams" => {
            let missed =
                json!({ "epoch": "1", "last_seq": ENTRY, "reset": false, "limited": false, "entries": [said()] });
            let have = json!({ "have": { STREAM: { "epoch": "1", "seq": BEFORE } } });
            vec![call("missed", (11, "sync_streams"), &have, &json!({ "streams": { STREAM: missed } }))]
        }
        "list_entries" => {
            let asked = stream(json!({ "after": BEFORE, "limit": 50 }));
            vec![call("first", (12, "entries"), &asked, &json!({ "entries": [said()] }))]
        }
        "move_cursor" => vec![call("read", (13, "read"), &place, &done)],
        "send_message" => {
            let words = json!({ "client_id": "0193a7c0-5b1e-7d0a-9c11-00000000c001", "text": "收到", "reply_to": ENTRY, "mentions": [OTHER] });
            let empty = json!({ "client_id": "0193a7c0-5b1e-7d0a-9c11-00000000c002", "text": "" });
            let asked = json!({ "id": 9, "rpc": { "method": "msg.send", "data": stream(empty) } });
            vec![
                call("answer", (14, "msg.send"), &stream(words), &sent(OWN)),
                Call { name: "empty", asked, answered: None },
            ]
        }
        "read_receipts" => {
            let who = json!({ "audience": 1, "read": 0, "unread": [{ "id": OTHER, "name": "小明" }] });
            vec![call("receipts", (15, "receipts"), &own(json!({})), &who)]
        }
        "pin_message" => vec![call("pin", (16, "msg.pin"), &own(json!({ "is_pinned": true })), &sent(124))],
        "recall_message" => vec![call("recall", (17, "msg.recall"), &own(json!({})), &sent(125))],
        "report_message" => {
            let asked = with(place, json!({ "reason": "广告" }));
            let report = json!({ "id": "0193a7c0-5b1e-7d0a-9c11-00000000d001" });
            vec![call("report", (18, "msg.report"), &asked, &report)]
        }
        "start_chain" => {
            let asked =
                json!({ "client_id": "0193a7c0-5b1e-7d0a-9c11-00000000c003", "title": "订杨梅", "example": "两斤" });
            vec![call("list", (19, "start_chain"), &stream(asked), &sent(LIST))]
        }
        "put_chain_row" => vec![
            call("add", (20, "chain.add"), &list(json!({ "text": "两斤", "quantity": 1 })), &sent(126)),
            call("edit", (21, "chain.edit"), &list(json!({ "text": "三斤", "quantity": 2 })), &sent(127)),
        ],
        "remove_chain_row" => vec![call("remove", (22, "chain.remove"), &list(json!({})), &done)],
        "set_stream_options" => vec![
            call("mute", (23, "stream.mute"), &stream(json!({ "mute": "messages" })), &done),
            call("pin", (24, "stream.pin"), &stream(json!({ "is_pinned": true })), &done),
        ],
        "remove_member" => {
            vec![call("leave", (25, "stream.leave"), &stream(json!({ "person_id": PERSON })), &done)]
        }
        _ => Vec::new(),
    }
}

/// What stands in the group, as REST gives it.
fn said() -> Value {
    let mut said = entry();
    if let Some(fields) = said.as_object_mut() {
        fields.remove("v");
    }
    said
}

fn with(mut data: Value, more: Value) -> Value {
    if let (Some(fields), Value::Object(more)) = (data.as_object_mut(), more) {
        fields.extend(more);
    }
    data
}
