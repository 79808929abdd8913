//! I8: whatever changes a stream is told by entries: what was shown before and the entries since give what is shown now.
use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::BoxFuture;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::shown::Shown;
use crate::{
    simulation::device::Rules,
    support::{Answer, Socket, Somebody, TestApp, Village, answer},
};

/// How a change reaches the other devices.
#[derive(Clone, Copy, PartialEq)]
enum Told {
    /// By entries of the stream, to everybody who reads it.
    Entries,
    /// It is the person's own place or wish: a row of the own list, nothing for anybody else. Of no column: nothing shows.
    OwnRow(&'static [&'static str]),
    /// A stream begins: open sockets of who belongs to it hear it without asking.
    NewStream,
}

/// An operation that changes something.
struct Operation {
    id: &'static str,
    told: Told,
    run: for<'a> fn(&'a Stage) -> BoxFuture<'a, Answer>,
}

/// A group in which every operation has something to do.
pub(super) struct Stage {
    pub(super) village: Village,
    pub(super) stream: String,
    pub(super) ann: Somebody,
    pub(super) bob: Somebody,
    cleo: Somebody,
    /// A message of Ann's, and a list with a row of Bob's.
    said: i64,
    list: i64,
}

impl Stage {
    async fn set(app: &TestApp, village: Village) -> Self {
        let (ann, bob) = (village.villager(app, "00007").await, village.villager(app, "00011").await);
        let cleo = village.villager(app, "00012").await;
        let group = json!({ "body_id": village.committee, "title": "修桥小组", "people": [ann.person, bob.person] });
        let stream = village.chair.post("/v1/groups", group).await.ok()["stream_id"].as_str().unwrap().to_owned();
        let mut stage = Self { village, stream, ann, bob, cleo, said: 0, list: 0 };
        let list = json!({ "client_id": Uuid::now_v7(), "title": "订杨梅" });
        stage.list = place(&stage.chair().post(&stage.path("chains"), list).await);
        put_row(&stage, &stage.bob, "两斤").await.ok();
        stage.said = place(&stage.ann.post(&stage.path("messages"), message("桥墩裂了")).await);
        let mut reply = message("我也看见了");
        reply["reply_to"] = json!(stage.said);
        stage.bob.post(&stage.path("messages"), reply).await.ok();
        stage
    }

    fn chair(&self) -> &Somebody {
        &self.village.chair
    }

    fn path(&self, rest: &str) -> String {
        format!("/v1/streams/{}/{rest}", self.stream)
    }

    fn viewers(&self) -> [&Somebody; 3] {
        [self.chair(), &self.ann, &self.bob]
    }
}

fn message(text: &str) -> Value {
    json!({ "client_id": Uuid::now_v7(), "text": text })
}

fn place(sent: &Answer) -> i64 {
    sent.body["seq"].as_i64().unwrap_or_else(|| panic!("{} {}", sent.status, sent.body))
}

async fn put_row(stage: &Stage, who: &Somebody, text: &str) -> Answer {
    let row = who.request(Method::PUT, &stage.path(&format!("chains/{}/row", stage.list)));
    answer(row.json(&json!({ "text": text, "quantity": 2 }))).await
}

/// Everything that changes a stream.
const OPERATIONS: &[Operation] = &[
    Operation {
        id: "send_message",
        told: Told::Entries,
        run: |stage| {
            Box::pin(async move {
                let mut said = message("您怎么看？");
                said["reply_to"] = json!(stage.said);
                said["mentions"] = json!([stage.bob.person]);
                stage.ann.post(&stage.path("messages"), said).await
            })
        },
    },
    Operation {
        id: "recall_message",
        told: Told::Entries,
        run: |stage| {
            let path = stage.path(&format!("messages/{}/recall", stage.said));
            Box::pin(async move { stage.ann.post(&path, json!({})).await })
        },
    },
    Operation {
        id: "pin_message",
        told: Told::Entries,
        run: |stage| {
            let path = stage.path(&format!("messages/{}/pin", stage.said));
            Box::pin(async move { stage.chair().post(&path, json!({ "is_pinned": true })).await })
        },
    },
    // the office hears of it; who talks here does not
    Operation {
        id: "report_message",
        told: Told::OwnRow(&[]),
        run: |stage| {
            let path = stage.path(&format!("messages/{}/reports", stage.said));
            Box::pin(async move { stage.bob.post(&path, json!({ "reason": "骂人" })).await })
        },
    },
    // what is said from now on may wait; what was said stands as it did
    Operation {
        id: "set_review",
        told: Told::OwnRow(&[]),
        run: |stage| {
            let path = stage.path("review");
            Box::pin(async move {
                let on = stage.chair().request(Method::PUT, &path).json(&json!({ "is_on": true }));
                answer(on).await.ok();
                stage.ann.post(&stage.path("messages"), message("先给您看看")).await
            })
        },
    },
    Operation {
        id: "start_chain",
        told: Told::Entries,
        run: |stage| {
            let list = json!({ "client_id": Uuid::now_v7(), "title": "出工登记", "max_rows": 3 });
            Box::pin(async move { stage.ann.post(&stage.path("chains"), list).await })
        },
    },
    Operation {
        id: "put_chain_row",
        told: Told::Entries,
        run: |stage| {
            Box::pin(async move {
                put_row(stage, &stage.ann, "三斤").await.ok();
                put_row(stage, &stage.bob, "改成一斤").await
            })
        },
    },
    Operation {
        id: "remove_chain_row",
        told: Told::Entries,
        run: |stage| {
            let path = stage.path(&format!("chains/{}/row", stage.list));
            Box::pin(async move { answer(stage.bob.request(Method::DELETE, &path)).await })
        },
    },
    Operation {
        id: "close_chain",
        told: Told::Entries,
        run: |stage| {
            let path = stage.path(&format!("chains/{}/close", stage.list));
            Box::pin(async move { stage.chair().post(&path, json!(null)).await })
        },
    },
    Operation {
        id: "add_members",
        told: Told::Entries,
        run: |stage| {
            let path = format!("/v1/groups/{}/members", stage.stream);
            Box::pin(async move {
                stage.chair().post(&path, json!({ "people": [stage.cleo.person] })).await.ok();
                stage.chair().post(&path, json!({ "people": [stage.bob.person], "lead": true })).await
            })
        },
    },
    Operation {
        id: "remove_member",
        told: Told::Entries,
        run: |stage| {
            let members = format!("/v1/groups/{}/members", stage.stream);
            Box::pin(async move {
                stage.chair().post(&members, json!({ "people": [stage.cleo.person] })).await.ok();
                let path = format!("{members}/{}", stage.cleo.person);
                answer(stage.chair().request(Method::DELETE, &path)).await
            })
        },
    },
    Operation {
        id: "move_cursor",
        told: Told::OwnRow(&["read_seq", "read_no", "unread", "is_mentioned"]),
        run: |stage| {
            let moving = stage.ann.request(Method::PUT, &stage.path("cursor")).json(&json!({ "seq": 9999 }));
            Box::pin(answer(moving))
        },
    },
    Operation {
        id: "mark_received",
        told: Told::OwnRow(&[]),
        run: |stage| {
            let receiving = stage.ann.request(Method::PUT, &stage.path("received")).json(&json!({ "seq": 9999 }));
            Box::pin(answer(receiving))
        },
    },
    Operation {
        id: "set_stream_options",
        told: Told::OwnRow(&["mute", "is_pinned"]),
        run: |stage| {
            let options = json!({ "mute": "everything", "is_pinned": true });
            Box::pin(answer(stage.ann.request(Method::PUT, &stage.path("options")).json(&options)))
        },
    },
    Operation {
        id: "open_group",
        told: Told::NewStream,
        run: |stage| {
            let group =
                json!({ "body_id": stage.village.committee, "title": "新的小组", "people": [stage.ann.person] });
            Box::pin(async move { stage.chair().post("/v1/groups", group).await })
        },
    },
    Operation {
        id: "open_contact",
        told: Told::NewStream,
        run: |stage| Box::pin(async move { stage.ann.post("/v1/contacts", json!({})).await }),
    },
];

/// Operations of the published description that change something about streams.
fn described() -> BTreeSet<String> {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/api-spec/openapi.json")).unwrap();
    let description: Value = serde_json::from_str(&text).unwrap();
    let ours = ["/v1/streams", "/v1/groups", "/v1/contacts"];
    let paths = description["paths"].as_object().unwrap().iter();
    let ours = paths.filter(|(path, _)| ours.iter().any(|begin| path.starts_with(begin)));
    let changing = ours.flat_map(|(_, methods)| methods.as_object().unwrap()).filter(|(method, _)| *method != "get");
    changing.map(|(_, operation)| operation["operationId"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn i8_every_operation_on_a_stream_is_in_the_table() {
    let table: BTreeSet<String> = OPERATIONS.iter().map(|operation| operation.id.to_owned()).collect();
    assert_eq!(table, described());
}

/// What is done at one server is looked at through the other, where there are two.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn i8_what_was_shown_and_the_entries_since_give_what_is_shown() {
    let app = TestApp::start().await;
    let beside = if app.folder.is_sqlite() { None } else { Some(app.start_beside().await) };
    let mut village = Village::found(&app).await;
    for operation in OPERATIONS {
        let stage = Stage::set(&app, village).await;
        let seen_at = beside.as_ref().unwrap_or(&app);
        if operation.told == Told::NewStream {
            begins(seen_at, &stage, operation).await;
        } else {
            changes(seen_at, &stage, operation).await;
        }
        village = stage.village;
    }
    if let Some(beside) = beside {
        beside.stop().await;
    }
    app.stop().await;
}

async fn changes(seen_at: &TestApp, stage: &Stage, operation: &Operation) {
    let mut before = Vec::new();
    for who in stage.viewers() {
        before.push(Shown::to(&who.at_app(seen_at), &stage.stream).await);
    }
    let done = (operation.run)(stage).await;
    assert!(done.status < 300, "{}: {} {}", operation.id, done.status, done.body);
    for (number, who) in stage.viewers().into_iter().enumerate() {
        let who = &who.at_app(seen_at);
        let now = Shown::to(who, &stage.stream).await;
        match operation.told {
            Told::OwnRow(columns) => {
                assert_eq!(now.entries(), before[number].entries(), "{}", operation.id);
                let changed = now.columns_unlike(&before[number]);
                let allowed: BTreeSet<_> = columns.iter().map(|column| (*column).to_owned()).collect();
                let is_own = who.person == stage.ann.person && !columns.is_empty();
                assert!(
                    if is_own { !changed.is_empty() && changed.is_subset(&allowed) } else { changed.is_empty() },
                    "{}: {changed:?}",
                    operation.id
                );
            }
            Told::Entries | Told::NewStream => {
                let mut then = before[number].clone();
                let seen = then.device.have;
                crate::simulation::fetch(&mut then.device, Rules::ALL, who, &stage.stream).await;
                assert!(then.device.have > seen, "{}: nothing was told", operation.id);
                then.follow(seen, who.person);
                now.require_same(&then, operation.id);
            }
        }
    }
}

/// Who belongs to a new stream hears in it on a socket that was open before.
async fn begins(seen_at: &TestApp, stage: &Stage, operation: &Operation) {
    let mut socket = Socket::connect(seen_at, &stage.ann.token(), json!({})).await;
    let opened = (operation.run)(stage).await.ok();
    let stream = opened["stream_id"].as_str().unwrap();
    let speaker = if operation.id == "open_contact" { &stage.village.clerk } else { stage.chair() };
    speaker.post(&format!("/v1/streams/{stream}/messages"), message("听得到吗")).await.ok();
    socket.until(operation.id, |data| data["body"]["text"] == "听得到吗").await;
    let mut shown = Shown::to(&stage.ann.at_app(seen_at), stream).await;
    let heard: BTreeMap<i64, Value> = socket.entries[&format!("s:{stream}")]
        .iter()
        .map(|publication| (publication["offset"].as_i64().unwrap(), publication["data"].clone()))
        .collect();
    // a newcomer is told what follows the own coming
    shown.device.entries.retain(|seq, _| heard.contains_key(seq));
    let without_version = |(seq, mut entry): (i64, Value)| {
        entry.as_object_mut().unwrap().remove("v");
        (seq, entry)
    };
    assert_eq!(shown.device.entries, heard.into_iter().map(without_version).collect());
}
