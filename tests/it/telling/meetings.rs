//! Who is called to a meeting hears of it from outside, by the meeting's list: not who sits in the body that calls.
use std::collections::BTreeSet;

use liusheng::ids::BodyId;

use super::*;

async fn told_of(scene: &Scene, kind: &str) -> BTreeSet<String> {
    let sent = format!("SELECT target_id FROM deliveries WHERE kind = '{kind}' AND state = 'sent'");
    scene.rows(&sent).await.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

fn call(scene: &Scene, body: BodyId, audience: &str) -> Value {
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
