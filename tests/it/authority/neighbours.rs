//! What a village does in the name of another's matter changes nothing there.
use chrono::TimeDelta;
use futures_util::{StreamExt, stream};
use serde_json::json;

use super::world::{Place, World, id};

/// The lists of a matter have an end: the other village's things must not fill them.
#[tokio::test(flavor = "multi_thread")]
async fn another_village_does_not_crowd_out_what_is_about_our_matter() {
    let world = World::make().await;
    let matter = world.raise(Place::A).await;
    let theirs = &world.chairs[&Place::B];
    let owner = world.who["joint"].person;
    let task = |n: usize| {
        json!({ "area_code": Place::B.code(), "matter_id": matter, "owner_id": owner, "title": format!("别村的事{n}"),
            "working_days": 3 })
    };
    let notice = |n: usize| {
        json!({ "area_code": Place::B.code(), "matter_id": matter, "title": format!("别村的公示{n}"), "text": "全文",
            "period_days": 5 })
    };
    let tasks = (0..205).map(|n| ("/v1/tasks", task(n)));
    let all = tasks.chain((0..105).map(|n| ("/v1/notices", notice(n))));
    let mut sent = stream::iter(all).map(|(path, body)| theirs.post(path, body)).buffer_unordered(8);
    while let Some(answer) = sent.next().await {
        answer.ok();
    }
    let ours = &world.chairs[&Place::A];
    let owner = world.chairs[&Place::A].person;
    let task = json!({ "area_code": Place::A.code(), "matter_id": matter, "owner_id": owner, "title": "我村的事",
        "working_days": 3 });
    ours.post("/v1/tasks", task).await.ok();
    let notice = json!({ "area_code": Place::A.code(), "matter_id": matter, "title": "我村的公示", "text": "全文",
        "period_days": 5 });
    let notice = id(&ours.post("/v1/notices", notice).await.ok());
    let author = &world.authors[&Place::A];
    author.post(&format!("/v1/notices/{notice}/objections"), json!({ "text": "太贵" })).await.ok();
    world.app.pass(TimeDelta::seconds(1)).await;
    let record = world.app.get(&format!("/v1/matters/{matter}/record")).await.ok().to_string();
    assert!(record.contains("我村的事") && record.contains("我村的公示") && record.contains("太贵"));
    assert!(!record.contains("别村"), "and none of theirs");
    world.app.stop().await;
}
