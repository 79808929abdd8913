//! Who is struck from a roll: by whom while ballots are cast.
use serde_json::json;

use super::rolls::{decision, objection, opened, settled};
use crate::support::{Somebody, Village};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn while_ballots_are_cast_nobody_is_struck_by_the_office_alone() {
    let (app, village) = Village::start().await;
    let vote = opened(&app, &village, "village_assembly_person", json!({})).await;
    let objections = format!("{vote}/roll/objections");
    let wrong = village.clerk.post(&objections, objection("wrong", "俞美娟")).await.ok();
    let at = format!("{objections}/{}", wrong["id"].as_str().unwrap());
    // what the office has not decided waits for the office
    assert_eq!(village.supervisor.post(&format!("{at}/confirm"), decision(true)).await.refused(), "not_allowed");
    village.clerk.post(&format!("{at}/decision"), decision(true)).await.ok();
    let before = app.get(&vote).await.ok()["on_roll"].as_i64().unwrap();
    assert_eq!(village.chair.post(&format!("{at}/confirm"), decision(true)).await.refused(), "second_person_needed");
    assert_eq!(app.get(&vote).await.ok()["on_roll"], before, "two of one office lowered the number of electors");
    let page = async |who: &Somebody, path: &str| String::from_utf8(who.download(path).await.1).unwrap();
    let desk = format!("/desk{}/roll", &vote[3..]);
    assert!(page(&village.chair, &desk).await.contains("两位里要有一位"));
    assert!(page(&village.supervisor, "/desk").await.contains("有 1 人要从名册上划去"), "nobody tells who confirms it");
    assert!(page(&village.supervisor, &desk).await.contains("我确认这个处理意见"));
    village.supervisor.post(&format!("{at}/confirm"), decision(true)).await.ok();
    assert_eq!(app.get(&vote).await.ok()["on_roll"], before - 1);
    // who was struck by mistake comes back by the office alone: it lowers nothing
    let back = village.villager(&app, "00008").await;
    let back = back.post(&objections, json!({ "kind": "missing", "reason": "我还在村里" })).await.ok();
    settled((&village.clerk, &village.chair), &objections, (&back["id"], true)).await;
    assert_eq!(app.get(&vote).await.ok()["on_roll"], before);
    app.stop().await;
}
