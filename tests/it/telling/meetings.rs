//! Who is called to a meeting hears of it from outside, by the meeting's list: not who sits in the body that calls.
use std::collections::BTreeSet;

use liusheng::ids::BodyId;

use super::*;

async fn told_of(scene: &Scene, kind: &str) -> BTreeSet<String> {
    let sent = format!("SELECT target_id FROM deliveries WHERE kind = '{kind}' AND state = 'sent'");
    scene.rows(&sent).await.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

pub(super) fn call(scene: &Scene, body: BodyId, audience: &str) -> Value {
    json!({ "area_code": scene.village.area, "body_id": body, "audience": audience, "title": "议修桥",
        "agenda": "一、修桥", "place": "礼堂", "starts_at": scene.app.app.now() + TimeDelta::hours(30) })
}

#[tokio::test(flavor = "multi_thread")]
async fn representatives_are_told_of_the_meeting_to_which_the_committee_calls_them() {
    let scene = Scene::set().await;
    let village = &scene.village;
    let called = village.chair.post("/v1/meetings", call(&scene, village.committee, "representatives")).await.ok();
    scene.app.settle().await;
    scene.pass(TimeDelta::hours(3)).await;
    let wanted: BTreeSet<String> = village.representatives.iter().map(|one| one.person.to_string()).collect();
    assert_eq!(told_of(&scene, "meeting.called").await, wanted, "and not the committee's own seats");
    let cancel = format!("/v1/meetings/{}/cancel", called["id"].as_str().unwrap());
    village.chair.post(&cancel, json!({ "reason": "下雨" })).await.ok();
    scene.app.settle().await;
    scene.pass(TimeDelta::hours(3)).await;
    assert_eq!(told_of(&scene, "meeting.cancelled").await, wanted, "who was told to come is told not to");
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_belongs_to_a_body_without_a_seat_is_told_of_its_meeting() {
    let scene = Scene::set().await;
    let village = &scene.village;
    let member = person_of(&scene.app.app, &village.area, "00007").await;
    let members = format!("/v1/bodies/{}/members", village.branch);
    village.branch_chair.post(&members, json!({ "person_id": member })).await.ok();
    village.branch_chair.post("/v1/meetings", call(&scene, village.branch, "members")).await.ok();
    scene.app.settle().await;
    scene.pass(TimeDelta::hours(3)).await;
    let wanted = BTreeSet::from([village.branch_chair.person.to_string(), member.to_string()]);
    assert_eq!(told_of(&scene, "meeting.called").await, wanted);
    scene.app.stop().await;
}

/// Reads a stream to its end.
async fn reads(scene: &Scene, who: &Somebody, (kind, subject): (&str, &str)) {
    let newest = format!("SELECT id, last_seq FROM streams WHERE kind = '{kind}' AND subject_id = '{subject}'");
    let newest = scene.rows(&newest).await;
    let (stream, seq): (uuid::Uuid, i64) =
        (newest[0].try_get_by_index(0).unwrap(), newest[0].try_get_by_index(1).unwrap());
    let cursor = who.request(reqwest::Method::PUT, &format!("/v1/streams/{stream}/cursor"));
    assert!(cursor.json(&json!({ "seq": seq })).send().await.unwrap().status().is_success());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_calls_a_meeting_sees_by_name_whom_that_reached_and_whom_not() {
    let scene = Scene::set().await;
    let village = &scene.village;
    let (silent, reader) = (&village.representatives[0], &village.representatives[1]);
    set_sms(silent, false).await;
    let called = village.chair.post("/v1/meetings", call(&scene, village.committee, "representatives")).await.ok();
    let id = called["id"].as_str().unwrap();
    scene.app.settle().await;
    let board = async || village.chair.get(&format!("/v1/meetings/{id}/reach")).await.ok();
    let way = |rows: &Value, who: &Somebody| {
        let of = |row: &&Value| row["person_id"] == who.person.to_string();
        rows.as_array().unwrap().iter().find(of).unwrap()["way"].clone()
    };
    let first = board().await;
    assert_eq!(first.as_array().unwrap().len(), village.representatives.len(), "who is called, and nobody else");
    assert!(village.representatives.iter().all(|one| way(&first, one) == Value::Null), "nobody yet: {first}");
    reads(&scene, reader, ("channel", &village.area)).await;
    scene.pass(TimeDelta::hours(3)).await;
    let rows = board().await;
    assert_eq!((way(&rows, reader), way(&rows, silent)), (json!("app"), Value::Null), "{rows}");
    assert!(village.representatives[2..].iter().all(|one| way(&rows, one).is_string()), "by message: {rows}");
    assert!(rows.as_array().unwrap().iter().all(|row| row["household_number"] != ""), "by household: {rows}");
    let page = format!("/desk/meetings/{id}/reach");
    let (status, shown) = village.chair.download(&page).await;
    let shown = String::from_utf8_lossy(&shown);
    assert_eq!((status, shown.contains("还没有送达：1 人"), shown.contains("上门签名")), (200, true, true), "{shown}");
    let (_, meeting) = village.chair.download(&format!("/desk/meetings/{id}")).await;
    assert!(String::from_utf8_lossy(&meeting).contains(&page), "a link leads there");
    // who does not hold it has no list of names
    for other in [&village.secretary, &village.town] {
        assert_eq!(other.get(&format!("/v1/meetings/{id}/reach")).await.status, 403);
        assert_eq!(other.download(&page).await.0, 403);
    }
    village.chair.post(&format!("/v1/meetings/{id}/cancel"), json!({ "reason": "下雨" })).await.ok();
    scene.app.settle().await;
    let off = board().await;
    assert!(village.representatives.iter().all(|one| way(&off, one) == Value::Null), "that it was called off: {off}");
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_read_the_call_in_the_own_mailbox_is_not_disturbed_by_it() {
    let scene = Scene::set().await;
    let village = &scene.village;
    let (reader, other) = (village.villager(&scene.app, "00007").await, village.villager(&scene.app, "00008").await);
    for who in [&reader, &other] {
        let enter = json!({ "person_id": who.person });
        village.branch_chair.post(&format!("/v1/bodies/{}/members", village.branch), enter).await.ok();
    }
    let called = village.branch_chair.post("/v1/meetings", call(&scene, village.branch, "members")).await.ok();
    scene.app.settle().await;
    reads(&scene, &reader, ("mailbox", &reader.person.to_string())).await;
    scene.pass(TimeDelta::hours(3)).await;
    let wanted = BTreeSet::from([village.branch_chair.person.to_string(), other.person.to_string()]);
    assert_eq!(told_of(&scene, "meeting.called").await, wanted, "the one who read it needs no message");
    let board = format!("/v1/meetings/{}/reach", called["id"].as_str().unwrap());
    let rows = village.branch_chair.get(&board).await.ok();
    let row = rows.as_array().unwrap().iter().find(|row| row["person_id"] == reader.person.to_string()).unwrap();
    assert_eq!(row["way"], "app", "{rows}");
    // that it is called off stands in another card, which nobody has read
    let cancel = format!("/v1/meetings/{}/cancel", called["id"].as_str().unwrap());
    scene.app.pass(TimeDelta::minutes(1)).await;
    village.branch_chair.post(&cancel, json!({ "reason": "下雨" })).await.ok();
    scene.app.settle().await;
    scene.pass(TimeDelta::hours(3)).await;
    assert!(told_of(&scene, "meeting.cancelled").await.contains(&reader.person.to_string()));
    scene.app.stop().await;
}

/// Who was told of this meeting from outside.
async fn told_of_it(scene: &Scene, meeting: &Value) -> BTreeSet<String> {
    let sent = format!(
        "SELECT d.target_id FROM deliveries d JOIN announcements a ON a.id = d.announcement_id \
         WHERE a.subject_id = '{}' AND d.state = 'sent'",
        meeting.as_str().unwrap()
    );
    scene.rows(&sent).await.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_of_a_group_read_the_call_is_not_disturbed_by_it() {
    let scene = Scene::set().await;
    let village = &scene.village;
    let (reader, other) = (village.villager(&scene.app, "00007").await, village.villager(&scene.app, "00008").await);
    let mut group = call(&scene, village.committee, "group");
    group["group_number"] = json!(4);
    let called = village.chair.post("/v1/meetings", group).await.ok();
    scene.app.settle().await;
    reads(&scene, &reader, ("mailbox", &reader.person.to_string())).await;
    scene.pass(TimeDelta::hours(3)).await;
    let told = told_of_it(&scene, &called["id"]).await;
    let is_told = |who: &Somebody| told.contains(&who.person.to_string());
    assert_eq!((is_told(&reader), is_told(&other)), (false, true), "{told:?}");
    let rows = village.chair.get(&format!("/v1/meetings/{}/reach", called["id"].as_str().unwrap())).await.ok();
    let row = rows.as_array().unwrap().iter().find(|row| row["person_id"] == reader.person.to_string()).unwrap();
    assert_eq!(row["way"], "app", "{rows}");
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_of_a_collective_read_the_call_where_the_village_does_is_not_disturbed_by_it() {
    let scene = Scene::set().await;
    let village = &scene.village;
    let found = json!({ "kind": "collective", "name": "东衡村经济合作社", "areas": [village.area] });
    let body = village.town.post("/v1/bodies", found).await.ok()["id"].as_str().unwrap().to_owned();
    let keeper = village.villager(&scene.app, "00010").await;
    let seat = json!({ "person_id": keeper.person, "role": "clerk" });
    village.town.post(&format!("/v1/bodies/{body}/seats"), seat).await.ok();
    let enter = json!({ "is_entered": true, "roster_numbers": ["00007", "00008", "00010"], "reason": "成员身份确认",
        "since": "2026-11-01" });
    keeper.post(&format!("/v1/bodies/{body}/register"), enter).await.ok();
    let (reader, other) = (village.villager(&scene.app, "00007").await, village.villager(&scene.app, "00008").await);
    let mut asked = call(&scene, body.parse().unwrap(), "members");
    // ten days, of which the first is not counted
    asked["starts_at"] = json!(scene.app.app.now() + TimeDelta::days(12));
    let called = keeper.post("/v1/meetings", asked).await.ok();
    scene.app.settle().await;
    reads(&scene, &reader, ("channel", &village.area)).await;
    scene.pass(TimeDelta::hours(3)).await;
    let told = told_of_it(&scene, &called["id"]).await;
    let is_told = |who: &Somebody| told.contains(&who.person.to_string());
    assert_eq!((is_told(&reader), is_told(&other)), (false, true), "{told:?}");
    scene.app.stop().await;
}
