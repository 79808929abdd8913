//! What a device is told so that it holds what the server holds: its person's places, cursors, lists, what it missed.
use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

mod behind;
mod cursors;
mod places;
mod shown_anew;
mod together;

use crate::support::{Socket, Somebody, TestApp, Village, answer, group, say};

/// The own stream of somebody of whom there is one: the mailbox, the village's channel.
async fn own(kind: &str, who: &Somebody) -> Value {
    let list = who.get("/v1/sync").await.ok();
    let mut found = list["streams"].as_array().unwrap().iter().filter(|one| one["kind"] == kind).cloned();
    found.next().unwrap_or_else(|| panic!("no {kind} in {list}"))
}

fn id(stream: &Value) -> String {
    stream["id"].as_str().unwrap().to_owned()
}

fn message(text: &str) -> Value {
    json!({ "client_id": Uuid::now_v7(), "text": text })
}

async fn read(who: &Somebody, stream: &str, seq: i64) {
    let moving = who.request(Method::PUT, &format!("/v1/streams/{stream}/cursor")).json(&json!({ "seq": seq }));
    assert_eq!(answer(moving).await.status, 204);
}

/// A stream in somebody's list.
async fn row(who: &Somebody, stream: &str) -> Value {
    let list = who.get("/v1/sync").await.ok();
    let mut found = list["streams"].as_array().unwrap().iter().filter(|one| one["id"] == stream).cloned();
    found.next().unwrap_or_else(|| panic!("no {stream} in {list}"))
}

/// Statements that reading took, the least of several tries: other tasks of the server read now and then.
async fn reads(app: &TestApp, mut ask: impl AsyncFnMut()) -> u64 {
    let mut least = u64::MAX;
    for _ in 0..6 {
        let before = app.app.store.statements().0;
        ask().await;
        least = least.min(app.app.store.statements().0 - before);
    }
    least
}

/// Bodies of the entries of this kind that came over the socket for this stream.
fn came(socket: &Socket, stream: &str, kind: &str) -> Vec<Value> {
    let entries = socket.entries.get(&format!("s:{stream}")).into_iter().flatten();
    entries.filter(|entry| entry["data"]["kind"] == kind).map(|entry| entry["data"]["body"].clone()).collect()
}

#[tokio::test]
async fn a_place_in_a_stream_is_told_by_an_entry_of_the_own_mailbox() {
    let (app, village) = Village::start().await;
    let ann = village.villager(&app, "00007").await;
    let mut socket = Socket::connect(&app, &ann.token(), json!({})).await;
    let mailbox = id(&own("mailbox", &ann).await);
    let channel = format!("s:{mailbox}");
    assert_eq!(socket.connected["subs"][&channel]["offset"], json!(0), "a socket follows a mailbox from the first on");
    let group = group(&village, &[&ann]).await;
    let members = format!("/v1/groups/{group}/members");
    let lead = json!({ "people": [ann.person], "lead": true });
    village.chair.post(&members, lead.clone()).await.ok();
    village.chair.post(&members, lead).await.ok();
    answer(village.chair.request(Method::DELETE, &format!("{members}/{}", ann.person))).await.ok();
    socket.until_offset(&channel, 3).await;
    let told = |change: &str, role: Option<&str>| match role {
        Some(role) => json!({ "stream_id": group, "change": change, "role": role }),
        None => json!({ "stream_id": group, "change": change }),
    };
    assert_eq!(
        came(&socket, &mailbox, "member"),
        [told("joined", Some("member")), told("changed", Some("leader")), told("left", None)],
        "what changes nothing is not told again"
    );
    let row = own("mailbox", &ann).await;
    assert_eq!((&row["last_no"], &row["unread"]), (&json!(0), &json!(0)), "it is for the phone, not for the eye");

    // a handler's day in a thread ends for every phone
    let voice = json!({ "kind": "suggestion", "visibility": "handlers", "text": "桥头的路灯坏了", "place": "" });
    let voice = ann.post("/v1/suggestions", voice).await.ok()["id"].as_str().unwrap().to_owned();
    let clerk = Socket::connect(&app, &village.clerk.token(), json!({})).await;
    let mailbox = id(&own("mailbox", &village.clerk).await);
    let since = clerk.connected["subs"][format!("s:{mailbox}")]["offset"].as_i64().unwrap();
    for _ in 0..2 {
        village.clerk.get(&format!("/v1/suggestions/{voice}")).await.ok();
    }
    app.pass(TimeDelta::days(1)).await;
    let path = format!("/v1/streams/{mailbox}/entries?after={since}");
    let entries = village.clerk.get(&path).await.ok()["entries"].as_array().unwrap().clone();
    // the office's own stream, opened with the first voice, is told by the seat
    let of_the_day = |one: &&Value| one["kind"] == "member" && one["body"]["role"] != "seat";
    let changes: Vec<_> = entries.iter().filter(of_the_day).map(|one| &one["body"]["change"]).collect();
    assert_eq!(changes, ["joined", "left"], "{entries:?}");
    drop(clerk);
    app.stop().await;
}
