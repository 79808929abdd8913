//! Finding words in conversations, and reporting them.
use chrono::TimeDelta;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    messages::Scene,
    support::{Answer, Raw, Somebody},
};

impl Scene {
    async fn say(&self, who: &Somebody, text: &str) -> i64 {
        let message = json!({ "client_id": Uuid::now_v7(), "text": text });
        let sent = who.post(&format!("/v1/streams/{}/messages", self.talk), message).await.ok();
        sent["seq"].as_i64().unwrap()
    }

    async fn report(&self, who: &Somebody, seq: i64) -> Answer {
        who.post(&format!("/v1/streams/{}/messages/{seq}/reports", self.talk), json!({ "reason": "在骂人" })).await
    }

    async fn reports(&self, who: &Somebody) -> Vec<Value> {
        let list = who.get(&format!("/v1/areas/{}/reports", self.village.area)).await.ok();
        list["reports"].as_array().unwrap().clone()
    }

    async fn decide(&self, who: &Somebody, report: &Value, remove: bool) -> Answer {
        let decision = json!({ "remove": remove, "reason": "骂了邻居" });
        who.post(&format!("/v1/reports/{}/decision", report["id"].as_str().unwrap()), decision).await
    }
}

async fn find(who: &Somebody, text: &str) -> Vec<Value> {
    who.post("/v1/search", json!({ "text": text })).await.ok()["found"].as_array().unwrap().clone()
}

fn places(found: &[Value]) -> Vec<i64> {
    found.iter().map(|one| one["entry"]["seq"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn a_card_that_stands_in_several_conversations_is_shown_once() {
    let scene = Scene::set().await;
    let Scene { app, bob, .. } = &scene;
    scene.say(bob, "桥什么时候修").await;
    app.settle().await;
    let copies = find(bob, "修桥").await.iter().filter(|one| one["entry"]["body"]["title"] == "新事项：修桥").count();
    assert!(copies > 1, "in the channel and in the discussion: {copies}");
    let asked = bob.request(reqwest::Method::POST, "/search").header("sec-fetch-site", "same-origin");
    let asked = asked.header("content-type", "application/x-www-form-urlencoded").body("text=%E4%BF%AE%E6%A1%A5");
    let shown = asked.send().await.unwrap().text().await.unwrap();
    assert_eq!(shown.matches("新事项：修桥").count(), 1, "{shown}");
    scene.app.stop().await;
}

#[tokio::test]
async fn words_of_two_characters_are_found_where_one_may_read_them() {
    let scene = Scene::set().await;
    let Scene { app, ann, bob, .. } = &scene;
    let first = scene.say(ann, "上海东边的路灯坏了，礼堂也没灯").await;
    let second = scene.say(bob, "路灯明天修，ＡＢ 两盏").await;
    scene.say(ann, "路边的灯").await;
    app.settle().await;
    // bob has spoken there, so it is on the own list
    for (words, wanted) in [
        ("路灯", vec![second, first]),
        ("礼堂", vec![first]),
        ("上海", vec![first]),
        ("海上", vec![]),
        ("上 海东", vec![first]),
        ("ab两", vec![second]),
        ("灯坏了，礼", vec![first]),
        ("灯坏了礼", vec![]),
        ("没有这个词", vec![]),
        ("堂", vec![first]),
    ] {
        assert_eq!(places(&find(bob, words).await), wanted, "{words}");
    }
    let hit = &find(bob, "礼堂").await[0];
    assert_eq!(
        (hit["stream_id"].as_str(), hit["stream_title"].as_str()),
        (Some(scene.talk.as_str()), Some("议一议：修桥"))
    );
    for bad in ["", " ", &"灯".repeat(31)] {
        assert_eq!(ann.post("/v1/search", json!({ "text": bad })).await.refused(), "invalid_fields", "{bad}");
    }
    // who has no part in it does not find it, nor does anybody what is sealed or was taken back
    let stranger = scene.village.neighbour(app).await;
    assert!(find(&stranger, "路灯").await.is_empty());
    let contact = ann.post("/v1/contacts", json!({})).await.ok();
    let path = format!("/v1/streams/{}/messages", contact["stream_id"].as_str().unwrap());
    ann.post(&path, json!({ "client_id": Uuid::now_v7(), "text": "悄悄话说给村里" })).await.ok();
    ann.post(&format!("/v1/streams/{}/messages/{first}/recall", scene.talk), json!({})).await.ok();
    app.settle().await;
    assert!(find(ann, "悄悄话").await.is_empty());
    assert_eq!(places(&find(bob, "路灯").await), vec![second]);
    let raw = Raw::open(app.folder.path()).await;
    for gram in ["礼堂", "悄悄"] {
        let left: i64 = raw.one(&format!("SELECT count(*) FROM grams WHERE gram = '{gram}'")).await;
        assert_eq!(left, 0, "nothing of {gram} is left");
    }
    raw.close().await;
}

#[tokio::test]
async fn a_message_taken_back_before_its_words_were_taken_in_is_not_found() {
    let scene = Scene::set().await;
    let seq = scene.say(&scene.ann, "礼堂的钥匙").await;
    scene.ann.post(&format!("/v1/streams/{}/messages/{seq}/recall", scene.talk), json!({})).await.ok();
    scene.app.settle().await;
    let raw = Raw::open(scene.app.folder.path()).await;
    assert_eq!(raw.one::<i64>("SELECT count(*) FROM grams WHERE gram = '礼堂'").await, 0);
    raw.close().await;
}

#[tokio::test]
async fn who_reports_is_told_and_what_was_said_cannot_be_hidden_from_who_decides() {
    let scene = Scene::set().await;
    let Scene { app, village, ann, bob, .. } = &scene;
    let (insult, harmless) = (scene.say(ann, "某某是个坏东西").await, scene.say(ann, "桥要修").await);
    let known = scene.report(bob, insult).await.ok();
    assert_eq!(scene.report(bob, insult).await.ok()["id"], known["id"], "one report for a person and a message");
    scene.report(&village.clerk, insult).await.ok();
    scene.report(bob, harmless).await.ok();
    assert_eq!(scene.report(ann, insult).await.refused(), "not_found", "nobody reports the own words");
    assert_eq!(scene.report(bob, 999).await.refused(), "not_found");
    assert_eq!(bob.get(&format!("/v1/areas/{}/reports", village.area)).await.refused(), "not_allowed");

    // taking it back does not hide it, and who reported stays unknown
    ann.post(&format!("/v1/streams/{}/messages/{insult}/recall", scene.talk), json!({})).await.ok();
    let waiting = scene.reports(&village.chair).await;
    assert_eq!(waiting.len(), 3);
    assert_eq!((&waiting[0]["text"], &waiting[0]["reason"]), (&json!("某某是个坏东西"), &json!("在骂人")));
    assert!(!waiting.iter().any(|one| one.to_string().contains(&bob.person.to_string())));
    assert!(!json!(waiting).to_string().contains("费海荣"), "who reports a message learns whose it is");
    let raw = Raw::open(app.folder.path()).await;
    assert_eq!(raw.one::<i64>("SELECT count(*) FROM reports WHERE evidence LIKE '%坏东西%'").await, 0, "sealed");

    assert_eq!(scene.decide(bob, &waiting[0], true).await.refused(), "not_found");
    let removed = scene.decide(&village.chair, &waiting[0], true).await.ok();
    assert_eq!((&removed["state"], &removed["sender_name"]), (&json!("removed"), &json!("费海荣")));
    assert_eq!(scene.decide(&village.chair, &waiting[0], false).await.refused(), "wrong_state");
    let left = scene.reports(&village.chair).await;
    assert_eq!(left.len(), 1, "one decision for all reports of a message");
    let kept = scene.decide(&village.chair, &left[0], false).await.ok();
    assert_eq!((&kept["state"], &kept["sender_name"]), (&json!("kept"), &json!("费**")));
    app.settle().await;
    for who in [bob, &village.clerk] {
        let told = who.get("/v1/sync").await.ok().to_string();
        assert!(told.contains("您举报的消息"), "{told}");
    }

    // a removal is seen by everybody, with its reason
    let again = scene.say(ann, "还是坏东西").await;
    scene.report(bob, again).await.ok();
    let open = scene.reports(&village.chair).await;
    scene.decide(&village.chair, &open[0], true).await.ok();
    let entries = bob.get(&format!("/v1/streams/{}/entries", scene.talk)).await.ok();
    let gone = entries["entries"].as_array().unwrap().iter().find(|one| one["seq"] == again).unwrap().clone();
    assert_eq!((&gone["state"], &gone["body"]["reason"]), (&json!("removed"), &json!("骂了邻居")));

    // after ninety days the evidence cannot be read by anybody any more
    app.clock.advance(TimeDelta::days(91));
    app.settle().await;
    let kept: i64 = raw.one("SELECT count(*) FROM reports WHERE evidence <> ''").await;
    let keys: i64 =
        raw.one("SELECT count(*) FROM data_keys k JOIN reports r ON r.key_id = k.id WHERE k.wrapped IS NOT NULL").await;
    assert_eq!((kept, keys), (0, 0));
    raw.close().await;
}

#[tokio::test]
async fn who_decides_sees_the_photo_that_was_reported_until_it_is_decided() {
    let scene = Scene::set().await;
    let Scene { app, village, ann, bob, .. } = &scene;
    let say = async || {
        let photo = ann.upload(include_bytes!("../data/media/clear.png").to_vec()).await.ok();
        let message = json!({ "client_id": Uuid::now_v7(), "text": "", "media": [photo["id"]] });
        let sent = ann.post(&format!("/v1/streams/{}/messages", scene.talk), message).await.ok();
        (sent["seq"].as_i64().unwrap(), photo["url"].as_str().unwrap().to_owned())
    };
    let stranger = village.neighbour(app).await;
    let see = async |who: &Somebody, url: &str| who.download(url).await.0;
    let (seq, url) = say().await;
    scene.report(bob, seq).await.ok();
    assert_eq!((see(bob, &url).await, see(ann, &url).await, see(&stranger, &url).await), (200, 200, 404));
    ann.post(&format!("/v1/streams/{}/messages/{seq}/recall", scene.talk), json!({})).await.ok();
    let waiting = scene.reports(&village.chair).await;
    assert_eq!((&waiting[0]["media"][0]["url"], &waiting[0]["media"][0]["kind"]), (&json!(url), &json!("photo")));
    assert_eq!(see(&village.chair, &url).await, 200, "taking it back does not hide it from who decides");
    assert_eq!((see(bob, &url).await, see(ann, &url).await, see(&stranger, &url).await), (410, 410, 404));
    scene.decide(&village.chair, &waiting[0], false).await.ok();
    assert_eq!((see(&village.chair, &url).await, see(bob, &url).await), (410, 410), "decided: gone with the message");

    let (seq, url) = say().await;
    scene.report(bob, seq).await.ok();
    scene.report(&village.clerk, seq).await.ok();
    scene.decide(&village.chair, &scene.reports(&village.chair).await[0], false).await.ok();
    assert_eq!(see(bob, &url).await, 200, "it stays, and the photo with it");
    ann.post(&format!("/v1/streams/{}/messages/{seq}/recall", scene.talk), json!({})).await.ok();
    assert_eq!(see(bob, &url).await, 410, "and is its sender's to take back again");

    let (seq, url) = say().await;
    scene.report(bob, seq).await.ok();
    let removed = scene.decide(&village.chair, &scene.reports(&village.chair).await[0], true).await.ok();
    assert_eq!(removed["media"], Value::Null);
    assert_eq!((see(bob, &url).await, see(&village.chair, &url).await), (410, 410));
}
