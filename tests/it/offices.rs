//! What a town's office says to everybody in its villages: heard there, and in no village's name.
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    county::operator,
    support::{Answer, Socket, Somebody, Village},
};

const TOWN: &str = "330521103";

async fn publish(who: &Somebody, area: &str) -> Answer {
    let notice = json!({ "area_code": area, "title": "台风来了", "text": "今晚请不要出门。" });
    who.post("/v1/notices", notice).await
}

/// The channel of an area on somebody's list.
async fn channel(who: &Somebody, title: &str) -> Option<Value> {
    let list = who.get("/v1/sync").await.ok();
    list["streams"].as_array().unwrap().iter().find(|one| one["title"].as_str().unwrap().contains(title)).cloned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_town_speaks_to_its_villages_and_in_the_name_of_none() {
    let (app, village) = Village::start().await;
    let (town, ann) = (&village.town, village.villager(&app, "00007").await);
    let neighbour = village.neighbour(&app).await;
    assert_eq!(publish(town, &village.area).await.refused(), "not_allowed", "the village speaks for itself");
    assert_eq!(publish(&village.chair, TOWN).await.refused(), "not_allowed");

    // two villages hear it, on phones that were open before the channel was
    let mut phones = Vec::new();
    for one in [&ann, &neighbour] {
        phones.push(Socket::connect(&app, &one.token(), json!({})).await);
    }
    assert!(channel(&ann, "洛舍镇").await.is_none());
    let notice = publish(town, TOWN).await.ok();
    assert_eq!(notice["body_name"].as_str(), Some("洛舍镇人民政府"), "{notice}");
    app.settle().await;
    for phone in &mut phones {
        let heard = phone.until("the town's notice", |entry| entry["body"]["card"] == "notice_published").await;
        assert!(heard.to_string().contains("台风来了"));
    }
    let hangs = ann.get(&format!("/v1/notices?area={}", village.area)).await.ok();
    assert_eq!(hangs["items"][0]["title"], "台风来了");
    let stream = channel(&ann, "洛舍镇").await.unwrap()["id"].as_str().unwrap().to_owned();
    let say = |who: Somebody| {
        let path = format!("/v1/streams/{stream}/messages");
        async move { who.post(&path, json!({ "client_id": Uuid::now_v7(), "text": "风停了" })).await }
    };
    assert_eq!(say(town.clone()).await.status, 201);
    for other in [&ann, &village.chair] {
        assert_eq!(say(other.clone()).await.refused(), "not_allowed");
    }
    // an objection to it is the town's to answer
    let path = format!("/v1/notices/{}/objections", notice["id"].as_str().unwrap());
    let raised = ann.post(&path, json!({ "text": "出门的人怎么办" })).await.ok();
    let path = format!("/v1/objections/{}/answer", raised["id"].as_str().unwrap());
    let answer = json!({ "answer": "请到镇政府避风" });
    assert_eq!(village.chair.post(&path, answer.clone()).await.refused(), "not_allowed");
    town.post(&path, answer).await.ok();
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_county_speaks_to_all_and_not_as_a_town() {
    let (app, village) = Village::start().await;
    let (county, ann) = (operator(&app).await, village.villager(&app, "00007").await);
    assert_eq!(publish(&county, TOWN).await.refused(), "not_allowed");
    assert_eq!(publish(&village.town, "330521").await.refused(), "not_allowed");
    publish(&county, "330521").await.ok();
    app.settle().await;
    assert!(channel(&ann, "德清县").await.is_some());
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_council_is_let_speak_about_a_matter_of_that_village_alone() {
    let (app, village) = Village::start().await;
    let found = async |kind: &str| {
        let body = json!({ "kind": kind, "name": "三家村的", "areas": ["330521103203"] });
        village.town.post("/v1/bodies", body).await.ok()["id"].clone()
    };
    let next = [found("village_committee").await, found("council").await];
    let here = [json!(village.committee), json!(village.council)];
    let matter = json!({ "area_code": village.area, "title": "修水池", "summary": "修水池，请大家商量。" });
    let matter = village.chair.post("/v1/matters", matter).await.ok()["id"].clone();
    let given = |[from, to]: &[Value; 2], matter: &Value| json!({ "from_body_id": from, "to_body_id": to, "scope": "publish_notice", "subject_id": matter, "source": "会议" });
    for (bodies, matter) in
        [(&next, &matter), (&here, &json!("桥")), (&here, &json!(Uuid::now_v7())), (&here, &json!(village.council))]
    {
        let refused = village.town.post("/v1/mandates", given(bodies, matter)).await;
        assert!(refused.body.to_string().contains("subject_id"), "{}", refused.body);
    }
    let kept = village.town.post("/v1/mandates", given(&here, &matter)).await.ok();
    assert_eq!(kept["subject_id"], matter);
    app.stop().await;
}
