//! What people can do, found as far as they allow it; and needs that one of them takes.
use chrono::TimeDelta;
use liusheng::clock;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    county,
    support::{Answer, Somebody, TestApp, Village, answer, cards_in, id},
};

async fn put(who: &Somebody, input: Value) -> Answer {
    answer(who.request(Method::PUT, "/v1/me/skills").json(&input)).await
}

fn can(uses: Value) -> Value {
    json!({ "tags": ["水电", "种茶"], "availability": "周末", "place": "武康", "uses": uses })
}

async fn found(who: &Somebody, area: &str, text: &str) -> usize {
    who.get(&format!("/v1/areas/{area}/skills?text={text}")).await.ok().as_array().unwrap().len()
}

async fn page(who: &Somebody, path: &str) -> String {
    String::from_utf8(who.download(path).await.1).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_is_found_as_far_as_one_allows_it_and_forgotten_at_once() {
    let (app, village) = Village::start().await;
    let ann = village.villager(&app, "00007").await;
    let town = &village.area[..9];
    assert_eq!(ann.get("/v1/me/skills").await.ok()["tags"], json!([]));
    for wrong in [
        json!({ "tags": ["会修水泵会修电机会修拖拉机"] }),
        json!({ "tags": ["水", ""] }),
        json!({ "tags": vec!["水"; 11] }),
        json!({ "tags": ["水"], "place": "很".repeat(31) }),
    ] {
        assert_eq!(put(&ann, wrong.clone()).await.refused(), "invalid_fields", "{wrong}");
    }
    put(&ann, can(json!([]))).await.ok();
    assert_eq!(found(&village.secretary, &village.area, "").await, 0, "written down is not allowed");
    put(&ann, can(json!(["village"]))).await.ok();
    assert_eq!(found(&village.secretary, &village.area, "种茶 周末").await, 1);
    assert_eq!(found(&village.clerk, &village.area, "木工").await, 0);
    assert_eq!(found(&village.town, &village.area, "").await, 0, "the town is another use");
    put(&ann, can(json!(["town"]))).await.ok();
    assert_eq!((found(&village.town, town, "武康").await, found(&village.clerk, &village.area, "").await), (1, 0));
    for who in [&ann, &village.member, &village.supervisor, &village.branch_chair] {
        assert_eq!(who.get(&format!("/v1/areas/{}/skills", village.area)).await.refused(), "not_allowed");
    }
    assert_eq!(village.clerk.get(&format!("/v1/areas/{town}/skills")).await.refused(), "not_allowed");
    assert!(page(&village.town, "/desk/skills").await.contains("种茶"));
    let fields = [("tags", "水电 种茶"), ("availability", "周末"), ("place", "武康"), ("uses", "town")];
    assert_eq!(county::form(&ann, "/skills", &fields).await, (303, "/skills?saved=1".to_owned()));
    assert!(
        page(&ann, "/skills?saved=1").await.contains("已经保存") && !page(&ann, "/skills").await.contains("已经保存")
    );
    let export = ann.get("/v1/me/export").await.ok();
    assert_eq!(export["rows"]["skill_entries"][0]["place"], "武康", "one's own to take along");
    put(&ann, json!({ "tags": [] })).await.ok();
    assert_eq!(found(&village.town, town, "").await, 0);
    assert_eq!(ann.get("/v1/me/skills").await.ok()["uses"], json!([]));
    put(&ann, can(json!(["town", "needs"]))).await.ok();
    ann.post("/v1/me/closing", json!({ "understood": true })).await.ok();
    app.pass(TimeDelta::days(8)).await;
    assert_eq!(found(&village.town, town, "").await, 0, "with the account");
    app.stop().await;
}

async fn posted(app: &TestApp, village: &Village) -> String {
    let until = clock::local_date(app.app.now()) + TimeDelta::days(10);
    let need = json!({ "area_code": village.area, "body_id": village.council, "title": "茶园要人指点",
        "text": "新种了十亩茶。", "tags": ["种茶"], "contact": "找秘书长", "until_on": until });
    for who in [&village.clerk, &village.member, &village.town] {
        assert_eq!(who.post("/v1/needs", need.clone()).await.refused(), "not_allowed", "not in the council's name");
    }
    id(&village.secretary.post("/v1/needs", need).await.ok())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_need_is_taken_by_one_and_how_to_reach_each_other_is_for_the_two() {
    let (app, village) = Village::start().await;
    let (ann, bob) = (village.villager(&app, "00007").await, village.villager(&app, "00008").await);
    put(&ann, can(json!(["needs"]))).await.ok();
    put(&bob, can(json!(["village", "town"]))).await.ok();
    let need = posted(&app, &village).await;
    app.settle().await;
    assert!(cards_in(&app, ann.person, "mailbox").await.contains(&"need_posted".to_owned()));
    assert!(!cards_in(&app, bob.person, "mailbox").await.contains(&"need_posted".to_owned()), "did not ask for it");
    let path = format!("/v1/needs/{need}");
    assert_eq!(ann.get(&path).await.ok().get("contact"), None, "for whoever takes it");
    let take = |contact: &str| json!({ "contact": contact });
    assert_eq!(village.secretary.post(&format!("{path}/take"), take("我自己")).await.refused(), "not_allowed");
    let taken = ann.post(&format!("{path}/take"), take("安家在桥头")).await.ok();
    assert_eq!(taken["contact"], "找秘书长");
    assert_eq!(bob.post(&format!("{path}/take"), take("鲍")).await.refused(), "wrong_state", "taken once");
    let seen = village.secretary.get(&path).await.ok();
    assert_eq!(seen["taker"]["contact"], "安家在桥头");
    for who in [&bob, &village.clerk, &village.town] {
        let seen = who.get(&path).await.ok();
        assert_eq!((seen.get("taker"), seen.get("contact"), &seen["state"]), (None, None, &json!("taken")));
        let ended = who.post(&format!("{path}/end"), json!({ "outcome": "done", "text": "好了" })).await;
        assert_eq!(ended.refused(), "not_allowed");
    }
    assert!(page(&village.secretary, "/desk").await.contains("茶园要人指点"), "what waits for the council");
    assert!(
        page(&ann, "/").await.contains("茶园要人指点")
            && page(&ann, &format!("/needs/{need}")).await.contains("找秘书长")
    );
    let end = |outcome: &str| json!({ "outcome": outcome, "text": "教了三次剪枝" });
    assert_eq!(
        ann.post(&format!("{path}/end"), end("withdrawn")).await.refused(),
        "not_allowed",
        "the council's to say"
    );
    ann.post(&format!("{path}/end"), end("returned")).await.ok();
    bob.post(&format!("{path}/take"), take("鲍家在村口")).await.ok();
    assert_eq!(ann.get(&path).await.ok().get("contact"), None, "no side any more");
    let done = village.secretary.post(&format!("{path}/end"), end("done")).await.ok();
    assert_eq!((&done["state"], &done["outcome"]), (&json!("done"), &json!("教了三次剪枝")));
    assert_eq!(bob.post(&format!("{path}/end"), end("returned")).await.refused(), "not_allowed", "over");
    app.settle().await;
    assert!(cards_in(&app, bob.person, "mailbox").await.contains(&"need_ended".to_owned()));
    let late = posted(&app, &village).await;
    app.pass(TimeDelta::days(11)).await;
    assert_eq!(ann.post(&format!("/v1/needs/{late}/take"), take("还在")).await.refused(), "period_over");
    app.stop().await;
}
