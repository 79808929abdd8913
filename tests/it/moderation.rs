//! Messages that are looked at before they are shown: who sees them, approving, refusing, objecting, words that hold.
use chrono::TimeDelta;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    messages::Scene,
    support::{Answer, Raw, Socket, Somebody, TestApp, Village, answer, count, monday},
};

const PNG: &[u8] = include_bytes!("../data/media/clear.png");

impl Scene {
    async fn reviewed() -> Self {
        let scene = Self::set().await;
        scene.review(&scene.village.clerk, true).await.ok();
        scene
    }

    async fn review(&self, who: &Somebody, is_on: bool) -> Answer {
        let path = format!("/v1/streams/{}/review", self.talk);
        answer(who.request(Method::PUT, &path).json(&json!({ "is_on": is_on }))).await
    }

    async fn send(&self, who: &Somebody, message: &Value) -> Answer {
        who.post(&format!("/v1/streams/{}/messages", self.talk), message.clone()).await
    }

    async fn held(&self, who: &Somebody, text: &str) -> Value {
        let answer = self.send(who, &message(text)).await;
        assert_eq!(answer.status, 202, "{}", answer.body);
        answer.body
    }

    async fn entries(&self, who: &Somebody) -> Vec<Value> {
        let entries = who.get(&format!("/v1/streams/{}/entries", self.talk)).await.ok();
        entries["entries"].as_array().unwrap().clone()
    }

    async fn waiting(&self, who: &Somebody) -> Vec<Value> {
        let list = who.get(&format!("/v1/areas/{}/held", self.village.area)).await.ok();
        list["held"].as_array().unwrap().clone()
    }
}

fn message(text: &str) -> Value {
    json!({ "client_id": Uuid::now_v7(), "text": text })
}

async fn decide(who: &Somebody, held: &Value, approve: bool, reason: &str) -> Answer {
    let path = format!("/v1/held/{}/decision", held["id"].as_str().unwrap());
    who.post(&path, json!({ "approve": approve, "reason": reason })).await
}

async fn appeal(who: &Somebody, held: &Value, text: &str) -> Answer {
    who.post(&format!("/v1/held/{}/appeal", held["id"].as_str().unwrap()), json!({ "text": text })).await
}

async fn decide_appeal(who: &Somebody, held: &Value, approve: bool) -> Answer {
    let path = format!("/v1/held/{}/appeal/decision", held["id"].as_str().unwrap());
    who.post(&path, json!({ "approve": approve, "reason": "镇里看过了" })).await
}

async fn mine(who: &Somebody) -> Vec<Value> {
    who.get("/v1/me/held").await.ok()["held"].as_array().unwrap().clone()
}

/// Cards of a kind in somebody's mailbox.
async fn cards(who: &Somebody, code: &str) -> Vec<Value> {
    let list = who.get("/v1/sync").await.ok();
    let Some(mailbox) = list["streams"].as_array().unwrap().iter().find(|one| one["kind"] == "mailbox").cloned() else {
        return Vec::new();
    };
    let entries = who.get(&format!("/v1/streams/{}/entries", mailbox["id"].as_str().unwrap())).await.ok();
    let entries = entries["entries"].as_array().unwrap().iter().map(|entry| entry["body"].clone());
    entries.filter(|body| body["card"] == code).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_held_message_is_its_authors_alone_until_it_is_approved_once() {
    let scene = Scene::reviewed().await;
    let Scene { app, village, talk, ann, bob } = &scene;
    let before = scene.entries(bob).await;
    let mut phone = Socket::connect(app, &bob.token(), json!({})).await;
    phone.subscribe(&format!("s:{talk}"), json!({})).await;
    let said = message("悄悄话暗号七七");
    let first = scene.send(ann, &said).await;
    assert_eq!((first.status, &first.body["state"], &first.body["reason"]), (202, &json!("waiting"), &json!("review")));
    let again = scene.send(ann, &said).await;
    assert_eq!((again.status, &again.body["id"]), (202, &first.body["id"]), "the same message is held once");
    app.settle().await;
    assert_eq!(scene.entries(bob).await, before, "no place is taken");
    assert_eq!(scene.entries(ann).await, before);
    assert_eq!((mine(ann).await.len(), mine(bob).await.len()), (1, 0));
    let asked = scene.waiting(&village.clerk).await;
    assert_eq!(asked[0]["author_name"], "费**", "decided by what is said, not by who says it");
    let page = format!("/streams/{talk}");
    let text = |page: (u16, Vec<u8>)| String::from_utf8(page.1).unwrap();
    let own = text(ann.download(&page).await);
    assert!(own.contains("待审核") && own.contains("悄悄话"), "{own}");
    assert!(!text(bob.download(&page).await).contains("悄悄话"));
    for stranger in [bob, ann, &village.council_chair, &village.neighbour(app).await] {
        assert_eq!(decide(stranger, &first.body, true, "").await.refused(), "not_found");
    }
    let raw = Raw::open(app.folder.path()).await;
    for (table, column) in
        [("held_entries", "body"), ("entries", "body"), ("events", "data"), ("streams", "last_preview")]
    {
        let found: i64 = raw.one(&format!("SELECT count(*) FROM {table} WHERE {column} LIKE '%悄悄话%'")).await;
        assert_eq!(found, 0, "{table}: sealed while it waits");
    }
    raw.close().await;

    // several at once: it is sent once, in its author's name
    let at_once = (0..6)
        .map(|number| decide(if number % 2 == 0 { &village.clerk } else { &village.chair }, &first.body, true, ""));
    let answers = join_all(at_once).await;
    assert_eq!(answers.iter().filter(|one| one.status == 200).count(), 1, "{answers:?}");
    assert!(answers.into_iter().filter(|one| one.status != 200).all(|one| one.refused() == "wrong_state"));
    let after = scene.entries(bob).await;
    assert_eq!(after.len(), before.len() + 1);
    let shown = after.last().unwrap();
    assert_eq!((&shown["body"]["text"], &shown["kind"]), (&json!("悄悄话暗号七七"), &json!("message")));
    assert_eq!(shown["sender"]["name"], "费**");
    phone.until_offset(&format!("s:{talk}"), shown["seq"].as_i64().unwrap()).await;
    let late = scene.send(ann, &said).await;
    assert_eq!((late.status, &late.body["dup"], &late.body["seq"]), (201, &json!(true), &shown["seq"]));
    app.settle().await;
    assert_eq!((cards(ann, "message_approved").await.len(), mine(ann).await.len()), (1, 0));
    assert_eq!(count(app.folder.path(), "SELECT count(*) FROM held_entries WHERE body <> ''").await, 0);

    // who leads the conversation is not held; and nobody is any more when it is switched off
    assert_eq!(scene.send(&village.clerk, &message("请大家说")).await.status, 201);
    assert_eq!(scene.review(ann, false).await.refused(), "not_allowed");
    scene.review(&village.clerk, false).await.ok();
    assert_eq!(scene.send(ann, &message("直接说")).await.status, 201);
    scene.app.stop().await;
}

#[tokio::test]
async fn a_refusal_has_a_reason_and_one_appeal_that_another_person_decides() {
    let scene = Scene::reviewed().await;
    let Scene { app, village, ann, bob, .. } = &scene;
    let held = scene.held(ann, "这钱去哪了").await;
    assert_eq!(decide(&village.clerk, &held, false, "").await.refused(), "invalid_fields", "never without a reason");
    assert_eq!(decide(&village.clerk, &held, false, &"长".repeat(201)).await.refused(), "invalid_fields");
    assert_eq!(appeal(ann, &held, "还没定呢").await.refused(), "wrong_state");
    decide(&village.clerk, &held, false, "请到留声室说").await.ok();
    assert_eq!(decide(&village.chair, &held, true, "").await.refused(), "wrong_state", "decided once");
    app.settle().await;
    assert!(cards(ann, "message_refused").await[0]["text"].as_str().unwrap().contains("请到留声室说"));
    let own = mine(ann).await;
    assert_eq!((&own[0]["state"], &own[0]["decision_reason"]), (&json!("refused"), &json!("请到留声室说")));
    assert_eq!(appeal(bob, &held, "我替他说").await.refused(), "not_found");
    for bad in ["", "好", &"长".repeat(201)] {
        assert_eq!(appeal(ann, &held, bad).await.refused(), "invalid_fields");
    }
    appeal(ann, &held, "问钱的去处是村民的权利").await.ok();
    assert_eq!(appeal(ann, &held, "再说一次").await.refused(), "wrong_state", "once");
    assert_eq!(decide_appeal(&village.clerk, &held, true).await.refused(), "second_person_needed");
    assert_eq!(decide_appeal(ann, &held, true).await.refused(), "not_found");
    let waiting = scene.waiting(&village.town).await;
    assert_eq!((waiting[0]["appeal"].as_str(), waiting.len()), (Some("问钱的去处是村民的权利"), 1));
    let before = scene.entries(bob).await.len();
    let done = decide_appeal(&village.town, &held, true).await.ok();
    assert_eq!(done["state"], "approved");
    let after = scene.entries(bob).await;
    assert_eq!((after.len(), &after.last().unwrap()["body"]["text"]), (before + 1, &json!("这钱去哪了")));

    let held = scene.held(ann, "第二句").await;
    decide(&village.clerk, &held, false, "与这件事无关").await.ok();
    appeal(ann, &held, "有关的").await.ok();
    assert_eq!(decide_appeal(&village.town, &held, false).await.ok()["state"], "upheld");
    assert_eq!(appeal(ann, &held, "不服").await.refused(), "wrong_state");
    assert_eq!(scene.entries(bob).await.len(), before + 1);
    assert_eq!(mine(ann).await[0]["appeal_reason"], "镇里看过了", "never dropped in silence");
    // the words go ninety days after the last decision
    app.pass(TimeDelta::days(91)).await;
    assert_eq!(count(app.folder.path(), "SELECT count(*) FROM held_entries WHERE body <> ''").await, 0);
    // the log-ins of then have ended meanwhile, however warm the cache is
    let ann = Somebody::signed_in(app, ann.person).await;
    let clerk = Somebody::signed_in(app, village.clerk.person).await;
    assert_eq!(mine(&ann).await[0]["state"], "upheld");
    for (path, body) in [("decision", json!({ "approve": 1 })), ("appeal", json!({})), ("appeal/decision", json!([]))] {
        let unknown = clerk.post(&format!("/v1/held/{}/{path}", Uuid::now_v7()), body).await;
        assert_eq!(unknown.status, 422, "{path}");
    }
    let unknown = json!({ "approve": true });
    assert_eq!(clerk.post(&format!("/v1/held/{}/decision", Uuid::now_v7()), unknown).await.refused(), "not_found");
    scene.app.stop().await;
}

#[tokio::test]
async fn words_of_the_list_hold_what_would_be_public_and_nothing_else() {
    let list = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(list.path(), "fraud\t刷单返利\nrumour\t桥要塌了\n").unwrap();
    let path = list.path().display().to_string();
    let app = TestApp::start_with(monday(), |config| config.held_words = path).await;
    let village = Village::found(&app).await;
    let scene = Scene::of((app, village)).await;
    let Scene { village, ann, bob, .. } = &scene;
    let held = scene.held(ann, "快来 刷·单 返利！").await;
    assert_eq!((&held["reason"], held["reason_text"].as_str().unwrap().contains("诈骗")), (&json!("fraud"), true));
    assert_eq!(scene.held(bob, "桥要塌了").await["reason"], "rumour", "of the own list");
    assert_eq!(scene.send(ann, &message("桥该修了")).await.status, 201);
    assert_eq!(scene.send(&village.clerk, &message("刷单返利是骗局")).await.status, 201, "who leads it warns of it");
    let contact = ann.post("/v1/contacts", json!({})).await.ok();
    let letter = format!("/v1/streams/{}/messages", contact["stream_id"].as_str().unwrap());
    assert_eq!(ann.post(&letter, message("有人叫我刷单返利")).await.status, 201, "a letter to the office is a voice");

    // a group: its leader decides; a list (接龙) is no way around it
    let group = json!({ "body_id": village.committee, "title": "修桥小组", "people": [ann.person, bob.person] });
    let group = village.chair.post("/v1/groups", group).await.ok()["stream_id"].as_str().unwrap().to_owned();
    let review = village.chair.request(Method::PUT, &format!("/v1/streams/{group}/review"));
    answer(review.json(&json!({ "is_on": true }))).await.ok();
    let photo = ann.upload(PNG.to_vec()).await.ok();
    let mut said = message("看照片");
    said["media"] = json!([photo["id"]]);
    let held = ann.post(&format!("/v1/streams/{group}/messages"), said).await;
    assert_eq!(held.status, 202);
    let url = photo["url"].as_str().unwrap();
    let seen = [bob, ann, &village.chair].map(|who| who.download(url));
    let [bob_s, ann_s, chair_s] = <[(u16, Vec<u8>); 3]>::try_from(join_all(seen).await).unwrap();
    assert_eq!((bob_s.0, ann_s.0, chair_s.0), (404, 200, 200), "its author and who decides see the photo");
    let list = json!({ "client_id": Uuid::now_v7(), "title": "偷偷说" });
    assert_eq!(ann.post(&format!("/v1/streams/{group}/chains"), list).await.refused(), "not_allowed");
    decide(&village.chair, &held.body, true, "").await.ok();
    assert_eq!(bob.download(url).await.0, 200);

    // who left the group meanwhile is not spoken for
    let held = ann.post(&format!("/v1/streams/{group}/messages"), message("我还在吗")).await.body;
    let out = ann.request(Method::DELETE, &format!("/v1/groups/{group}/members/{}", ann.person));
    answer(out).await.ok();
    assert_eq!(decide(&village.chair, &held, true, "").await.refused(), "wrong_state");
    assert_eq!(mine(ann).await.iter().filter(|one| one["state"] == "waiting").count(), 2, "and it still waits");
    for channel in ["channel", "contact"] {
        let streams = village.clerk.get("/v1/sync").await.ok();
        let found = streams["streams"].as_array().unwrap().iter().find(|one| one["kind"] == channel).cloned();
        let Some(found) = found else { continue };
        let path = format!("/v1/streams/{}/review", found["id"].as_str().unwrap());
        let refused = answer(village.clerk.request(Method::PUT, &path).json(&json!({ "is_on": true }))).await;
        assert_eq!(refused.refused(), "not_allowed", "{channel}");
    }
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_look_is_on_the_one_list_of_what_is_to_be_done() {
    let scene = Scene::reviewed().await;
    let Scene { village, talk, ann, bob, .. } = &scene;
    let todo = async |who: &Somebody| String::from_utf8(who.download("/desk").await.1).unwrap();
    assert!(!todo(&village.clerk).await.contains("条发言要先看一看"));
    let held = scene.held(ann, "悄悄话").await;
    let shown = todo(&village.clerk).await;
    let link = format!("/desk/held?area={}", village.area);
    assert!(shown.contains("1 条发言要先看一看") && shown.contains(&link), "{shown}");
    assert!(!shown.contains("悄悄话"), "a list says how many, and no word of it");
    decide(&village.clerk, &held, true, "").await.ok();
    let said = scene.entries(bob).await.into_iter().find(|one| one["body"]["text"] == "悄悄话").unwrap();
    let report = format!("/v1/streams/{talk}/messages/{}/reports", said["seq"]);
    bob.post(&report, json!({ "reason": "在骂人" })).await.ok();
    let shown = todo(&village.clerk).await;
    assert!(shown.contains("1 条举报要处理") && !shown.contains("条发言要先看一看"), "{shown}");
    scene.app.stop().await;
}
