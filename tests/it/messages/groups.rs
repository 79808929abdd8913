//! Groups that somebody brought together, and the forum of a council: who is in them, and who is in them no longer.
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::{Scene, by_kind, entries, entry, listed, message, said_in, say_in};
use crate::support::{Socket, Somebody, answer};

#[tokio::test]
async fn a_group_is_who_was_brought_together_and_nobody_else() {
    let Scene { app, village, ann, bob, .. } = Scene::set().await;
    let leader = &village.council_chair;
    let group = json!({ "body_id": village.council, "title": "溪边步道小组", "people": [ann.person] });
    assert_eq!(ann.post("/v1/groups", group.clone()).await.refused(), "not_allowed", "no private chats of residents");
    let stream = leader.post("/v1/groups", group).await.ok()["stream_id"].as_str().unwrap().to_owned();
    let stranger = village.neighbour(&app).await;
    let foreign = json!({ "body_id": village.council, "title": "别村的人", "people": [stranger.person] });
    assert_eq!(leader.post("/v1/groups", foreign).await.refused(), "invalid_fields");
    said_in(&stream, leader, "欢迎").await;
    assert_eq!(listed(&stream, &ann).await.unwrap()["unread"], 1, "who came is shown, and counts for nobody");
    assert_eq!(bob.get(&format!("/v1/streams/{stream}/entries")).await.refused(), "not_found");

    let add = |who: &Somebody, lead: bool| json!({ "people": [who.person], "lead": lead });
    let members = format!("/v1/groups/{stream}/members");
    assert_eq!(ann.post(&members, add(&bob, false)).await.refused(), "not_allowed");
    let mut phone = Socket::connect(&app, &bob.token(), json!({})).await;
    leader.post(&members, add(&bob, false)).await.ok();
    assert_eq!(listed(&stream, &bob).await.unwrap()["unread"], 0, "a newcomer is not greeted by old messages");
    answer(leader.request(Method::DELETE, &format!("{members}/{}", bob.person))).await.ok();
    said_in(&stream, leader, "他不在时说的").await;
    leader.post(&members, add(&bob, false)).await.ok();
    assert_eq!(listed(&stream, &bob).await.unwrap()["unread"], 0, "nor who comes back");
    let seq = said_in(&stream, &bob, "大家好").await;
    phone.until_offset(&format!("s:{stream}"), seq).await;
    let change = entries(&stream, &ann).await.into_iter().rfind(|entry| entry["kind"] == "member").unwrap();
    assert_eq!((&change["body"]["person_id"], &change["body"]["change"]), (&json!(bob.person), &json!("joined")));
    // whoever sits in the council and was not brought in is not brought in by being addressed
    let mut addressed = message("您怎么看？");
    addressed["mentions"] = json!([village.secretary.person]);
    assert_eq!(say_in(&stream, &ann, addressed).await.refused(), "invalid_fields");
    let named = ann.get(&format!("/v1/streams/{stream}/members")).await.ok();
    assert_eq!(named["members"].as_array().unwrap().len(), 3);

    let receipts = |who: Somebody| {
        let path = format!("/v1/streams/{stream}/messages/{seq}/receipts");
        async move { who.get(&path).await.ok() }
    };
    let seen = receipts(leader.clone()).await;
    assert_eq!((seen["read"].as_i64(), seen["audience"].as_i64()), (Some(1), Some(3)));
    assert_eq!(seen["unread"].as_array().unwrap().len(), 2);
    assert_eq!(receipts(ann.clone()).await["unread"], Value::Null, "who has not read is for who leads");

    let out = |by: &Somebody, who: &Somebody| answer(by.request(Method::DELETE, &format!("{members}/{}", who.person)));
    assert_eq!(out(&ann, &bob).await.refused(), "not_allowed");
    assert_eq!(out(leader, leader).await.refused(), "wrong_state", "somebody leads it");
    out(leader, &bob).await.ok();
    // a comparison of heads may run ahead of the bell by a moment
    phone.until_unsubscribed(&format!("s:{stream}")).await;
    let secret = said_in(&stream, leader, "他走了").await;
    phone.listen(Duration::from_millis(500)).await;
    assert!(!phone.offsets(&format!("s:{stream}")).contains(&secret), "the open socket hears no more");
    assert_eq!(say_in(&stream, &bob, message("还在吗")).await.refused(), "not_found");
    out(&ann, &ann).await.ok();
    assert!(listed(&stream, &ann).await.is_none());
    app.stop().await;
}

#[tokio::test]
async fn the_councils_members_have_a_forum() {
    let Scene { app, village, ann, .. } = Scene::set().await;
    let forum = by_kind("forum", &village.member).await;
    let stream = forum["id"].as_str().unwrap().to_owned();
    assert!(forum["title"].as_str().unwrap().ends_with("论坛"), "{forum}");
    let seq = said_in(&stream, &village.member, "桥的事谁去看看").await;
    assert_eq!(entry(&stream, &village.secretary, seq).await["body"]["text"], "桥的事谁去看看");
    assert_eq!(ann.get(&format!("/v1/streams/{stream}/entries")).await.refused(), "not_found");
    let pin = |who: Somebody, is_pinned: bool| {
        let path = format!("/v1/streams/{stream}/messages/{seq}/pin");
        async move { who.post(&path, json!({ "is_pinned": is_pinned })).await }
    };
    assert_eq!(pin(village.member.clone(), true).await.refused(), "not_allowed");
    assert_eq!(pin(village.council_chair.clone(), true).await.ok()["dup"], false);
    assert_eq!(pin(village.council_chair.clone(), true).await.ok()["dup"], true);
    assert_eq!(entry(&stream, &village.member, seq).await["is_pinned"], true);
    village.end_seat_of(&app, village.member.person).await;
    app.settle().await;
    assert_eq!(say_in(&stream, &village.member, message("还在吗")).await.refused(), "not_found");
    app.stop().await;
}
