//! 已读 on the page of a message: how many for everybody, who not for who leads a village, and nobody's name above one.
use liusheng::{ids::StreamId, streams::commands};
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use crate::{
    asked_above::roster_of,
    messages::Scene,
    support::{Somebody, TestApp, Village, answer, import},
};

const TOWN: &str = "330521103";
/// Of a third village; with the other two the town has 1,212 people.
const MORE: u64 = 1_150;

async fn channel(app: &TestApp, area: &'static str) -> StreamId {
    let open = app.app.store.write(move |tx| Box::pin(async move { commands::channel(tx, area).await }));
    open.await.unwrap()
}

async fn say(who: &Somebody, stream: StreamId) -> i64 {
    let message = json!({ "client_id": Uuid::now_v7(), "text": "今晚台风，请关好门窗。" });
    who.post(&format!("/v1/streams/{stream}/messages"), message).await.ok()["seq"].as_i64().unwrap()
}

async fn read(who: &Somebody, stream: StreamId, seq: i64) {
    let moved = who.request(Method::PUT, &format!("/v1/streams/{stream}/cursor")).json(&json!({ "seq": seq }));
    answer(moved).await.ok();
}

async fn page(who: &Somebody, stream: StreamId, (seq, query): (i64, &str)) -> String {
    let (status, bytes) = who.download(&format!("/streams/{stream}/messages/{seq}{query}")).await;
    assert_eq!(status, 200);
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn the_page_says_how_many_have_read_and_names_who_has_not_to_who_leads_the_village() {
    let (app, village) = Village::start().await;
    let (ann, bob) = (village.villager(&app, "00007").await, village.villager(&app, "00011").await);
    let stream = channel(&app, "330521103202").await;
    let seq = say(&village.clerk, stream).await;
    read(&ann, stream, seq).await;
    let shown = page(&village.clerk, stream, (seq, "")).await;
    assert!(shown.contains("2 / 59 已读"), "who spoke has read it, too: {shown}");
    assert!(shown.contains("id=\"unread\"") && shown.contains("俞美娟") && !shown.contains("费海荣"), "{shown}");
    // a neighbour learns the number, and nobody's name
    let shown = page(&bob, stream, (seq, "")).await;
    assert!(shown.contains("2 / 59 已读") && !shown.contains("俞美娟") && !shown.contains("id=\"unread\""), "{shown}");
    // what was asked for by hand changes nothing of that
    let shown = page(&bob, stream, (seq, &format!("?after={}", ann.person))).await;
    assert!(!shown.contains("俞美娟"), "{shown}");
    let stranger = village.neighbour(&app).await;
    assert_eq!(stranger.download(&format!("/streams/{stream}/messages/{seq}")).await.0, 404);
    app.stop().await;
}

#[tokio::test]
async fn above_a_village_the_page_says_how_many_and_names_nobody() {
    let (app, village) = Village::start().await;
    assert_eq!(import(&app.app, roster_of("330521103204", MORE)).await as u64, MORE);
    app.settle().await;
    let ann = village.villager(&app, "00007").await;
    let stream = channel(&app, TOWN).await;
    let seq = say(&village.town, stream).await;
    read(&ann, stream, seq).await;
    for who in [&village.town, &village.clerk, &ann] {
        let shown = page(who, stream, (seq, "")).await;
        assert!(shown.contains("2 / 1,212 已读"), "{shown}");
        assert!(!shown.contains("id=\"unread\"") && !shown.contains("俞美娟") && !shown.contains("村民1"), "{shown}");
    }
    let told = village.town.get(&format!("/v1/streams/{stream}/messages/{seq}/receipts?state=unread")).await.ok();
    assert_eq!((&told["read"], &told["audience"]), (&json!(2), &json!(1212)));
    assert!(told.get("unread").is_none(), "{told}");
    app.stop().await;
}

/// Who speaks has read it: of a thing said just now the list of all others lacks its masked author alone.
#[tokio::test]
async fn who_leads_a_discussion_cannot_tell_by_who_has_not_read_who_spoke() {
    let Scene { app, village, talk, ann, .. } = Scene::set().await;
    let stream: StreamId = talk.parse().unwrap();
    let seq = say(&ann, stream).await;
    let told = village.clerk.get(&format!("/v1/streams/{stream}/messages/{seq}/receipts?state=unread")).await.ok();
    assert_eq!(told["read"], 1, "only who spoke: {told}");
    assert!(told.get("unread").is_none(), "{told}");
    let shown = page(&village.clerk, stream, (seq, "")).await;
    assert!(shown.contains("已读") && !shown.contains("id=\"unread\""), "{shown}");
    app.stop().await;
}
