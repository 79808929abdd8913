//! The stages in full: how many came and what they resolved, what the assembly allowed, plans, halts, samples and paper.
mod allowed;
mod alternatives;
mod asked;
mod doors;
mod held_up;
mod invited;
mod meetings;
mod merged;
mod particulars;
mod withdrawn;
mod works;

use chrono::TimeDelta;
use liusheng::{ids::BodyId, streams};
use serde_json::{Value, json};

use crate::support::{Somebody, TestApp, Village, id};

const PHOTO: &[u8] = include_bytes!("../data/media/clear.png");

async fn scene() -> (TestApp, Village) {
    let (app, village) = Village::start().await;
    (app, village)
}

async fn raise(village: &Village, more: Value) -> String {
    let mut matter = json!({ "area_code": village.area, "title": "修水池", "summary": "修水池，请大家商量。" });
    matter.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    id(&village.chair.post("/v1/matters", matter).await.ok())
}

async fn skip(village: &Village, matter: &str, stage: &str) {
    let by = json!({ "stage": stage, "authority": "镇政府同意", "reason": "测试走近路" });
    village.chair.post(&format!("/v1/matters/{matter}/skip"), by).await.ok();
}

/// What is missing before the matter may move on.
async fn missing(who: &Somebody, matter: &str) -> Vec<String> {
    let refused = who.post(&format!("/v1/matters/{matter}/advance"), json!({})).await;
    assert_eq!(refused.body["code"], "evidence_missing", "{}", refused.body);
    let missing = refused.body["more"]["missing"].as_array().unwrap();
    missing.iter().map(|one| one["code"].as_str().unwrap().to_owned()).collect()
}

/// A meeting of a body, whose doors are open; gives its path.
async fn doors_open(app: &TestApp, who: &Somebody, (body, more): (BodyId, Value)) -> String {
    let mut meeting = json!({ "area_code": "330521103202", "body_id": body, "title": "商议", "agenda": "水池",
        "place": "会议室", "starts_at": app.app.now() + TimeDelta::hours(1) });
    meeting.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let path = format!("/v1/meetings/{}", id(&who.post("/v1/meetings", meeting).await.ok()));
    app.pass(TimeDelta::hours(1)).await;
    path
}

async fn sign_in(people: &[&Somebody], meeting: &str) {
    for one in people {
        one.post(&format!("{meeting}/attendances"), json!({})).await.ok();
    }
}

/// Codes of the cards in the stream of a body's office.
async fn office_cards(app: &TestApp, who: &Somebody, body: BodyId) -> Vec<String> {
    app.settle().await;
    let open = app.app.store.write(move |tx| Box::pin(async move { streams::commands::office(tx, body).await }));
    cards(who, &open.await.unwrap().to_string()).await
}

/// Codes of the cards in the own mailbox.
async fn own_cards(app: &TestApp, who: &Somebody) -> Vec<String> {
    app.settle().await;
    let person = who.person;
    let open = app.app.store.write(move |tx| Box::pin(async move { streams::commands::mailbox(tx, person).await }));
    cards(who, &open.await.unwrap().to_string()).await
}

async fn cards(who: &Somebody, stream: &str) -> Vec<String> {
    let entries = who.get(&format!("/v1/streams/{stream}/entries?limit=100")).await.ok();
    let all = entries["entries"].as_array().unwrap();
    all.iter().filter_map(|one| Some(one["body"]["card"].as_str()?.to_owned())).collect()
}

/// What a page says, for whoever is signed in.
async fn page(who: &Somebody, path: &str) -> String {
    let (status, bytes) = who.download(path).await;
    assert_eq!(status, 200, "{path}");
    String::from_utf8(bytes).unwrap()
}
