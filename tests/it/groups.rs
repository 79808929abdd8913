//! Who is brought together: five hundred in a group and no more, however many are added at once; and the secretaries of several
//! villages in a forum of their own.
use chrono::TimeDelta;
use futures_util::future::join;
use liusheng::{ids::PersonId, people};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    asked_above::roster_of,
    support::{Answer, Socket, Somebody, Village, answer, count, import, person_of},
};

const LARGE: &str = "330521103204";
const NEXT: &str = "330521103203";

fn id(body: &Value) -> String {
    body["id"].as_str().unwrap().to_owned()
}

/// A body that the town founds, and who sits in it.
async fn body(village: &Village, kind: &str, name: &str, areas: &[&str]) -> String {
    let body = json!({ "kind": kind, "name": name, "areas": areas });
    id(&village.town.post("/v1/bodies", body).await.ok())
}

async fn seat(village: &Village, body: &str, person: PersonId, role: &str) -> String {
    let seat = json!({ "person_id": person, "role": role });
    id(&village.town.post(&format!("/v1/bodies/{body}/seats"), seat).await.ok())
}

async fn say(who: &Somebody, stream: &str, text: &str) -> Answer {
    let message = json!({ "client_id": Uuid::now_v7(), "text": text });
    who.post(&format!("/v1/streams/{stream}/messages"), message).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn five_hundred_belong_to_a_group_and_not_one_more() {
    let (app, village) = Village::start().await;
    assert_eq!(import(&app.app, roster_of(LARGE, 520)).await, 520);
    let committee = body(&village, "village_committee", "张陆湾村村民委员会", &[LARGE]).await;
    let person = person_of(&app.app, LARGE, "00001").await;
    seat(&village, &committee, person, "chair").await;
    app.settle().await;
    let chair = Somebody::signed_in(&app, person).await;
    let all = people::residents(app.app.store.read(), LARGE).await.unwrap();
    let all: Vec<PersonId> = all.into_iter().map(|one| one.id).filter(|one| *one != person).collect();
    let mut hundreds = all.chunks(100);
    let group = json!({ "body_id": committee, "title": "文体活动", "people": hundreds.next().unwrap() });
    let group = chair.post("/v1/groups", group).await.ok()["stream_id"].as_str().unwrap().to_owned();
    let members = format!("/v1/groups/{group}/members");
    let add = |people: &[PersonId]| chair.post(&members, json!({ "people": people }));
    for _ in 0..2 {
        add(hundreds.next().unwrap()).await.ok();
    }
    // 301 belong to it: of two hundreds that come at the same moment one finds room
    let (fourth, fifth) = (hundreds.next().unwrap(), hundreds.next().unwrap());
    let (one, other) = join(add(fourth), add(fifth)).await;
    let refused: Vec<Answer> = [one, other].into_iter().filter(|answer| answer.status >= 400).collect();
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert_eq!(refused[0].body["code"], "group_full");
    let there = "SELECT count(*) FROM memberships m JOIN streams s ON s.id = m.stream_id WHERE s.kind = 'group' \
         AND m.left_at IS NULL AND m.role IN ('leader', 'member')";
    assert_eq!(count(app.folder.path(), there).await, 401);
    // whoever belongs to it already takes no room
    for some in [fourth, fifth] {
        let answer = add(&some[..99]).await;
        assert!(answer.status < 300 || answer.body["code"] == "group_full", "{}", answer.body);
    }
    assert_eq!(count(app.folder.path(), there).await, 500);
    let last = all.last().copied().unwrap();
    assert_eq!(add(&[last]).await.refused(), "group_full");
    let gone = Somebody::signed_in(&app, all[0]).await;
    answer(gone.request(Method::DELETE, &format!("{members}/{}", gone.person))).await.ok();
    add(&[last]).await.ok();
    assert_eq!(count(app.folder.path(), there).await, 500);
    // all of them hear it, and who left does not
    let newcomer = Somebody::signed_in(&app, last).await;
    say(&chair, &group, "今晚排练").await.ok();
    let heard = newcomer.get(&format!("/v1/streams/{group}/entries?before=1000000&limit=1")).await.ok();
    assert_eq!(heard["entries"][0]["body"]["text"], "今晚排练");
    assert_eq!(gone.get(&format!("/v1/streams/{group}/entries")).await.refused(), "not_found");
    app.stop().await;
}

/// The forum of this name in somebody's list.
async fn forum(who: &Somebody) -> Option<Value> {
    let list = who.get("/v1/sync").await.ok();
    let is_it = |one: &&Value| one["kind"] == "forum" && one["title"].as_str().unwrap().contains("联席会议");
    list["streams"].as_array().unwrap().iter().find(is_it).cloned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_secretaries_of_two_villages_have_a_forum_of_their_own() {
    let (app, village) = Village::start().await;
    let (secretary, other) = (village.secretary.clone(), village.neighbour(&app).await);
    let joint = body(&village, "joint_meeting", "洛舍镇秘书长联席会议", &[village.area.as_str(), NEXT]).await;
    // a phone that was open before hears of it
    let mut phone = Socket::connect(&app, &secretary.token(), json!({})).await;
    seat(&village, &joint, secretary.person, "secretary").await;
    let theirs = seat(&village, &joint, other.person, "member").await;
    app.settle().await;
    assert_eq!(phone.until_closed().await, 3011, "other rights, other streams");
    let stream = id(&forum(&secretary).await.expect("the forum of who sits in it"));
    assert_eq!(id(&forum(&other).await.expect("in the other village, too")), stream);
    let mut phone = Socket::connect(&app, &other.token(), json!({})).await;
    let asked = say(&secretary, &stream, "下月轮到谁主持").await.ok()["seq"].as_i64().unwrap();
    phone.until_offset(&format!("s:{stream}"), asked).await;
    let said = say(&other, &stream, "三家村来").await.ok()["seq"].as_i64().unwrap();
    let heard = secretary.get(&format!("/v1/streams/{stream}/entries")).await.ok();
    let heard = heard["entries"].as_array().unwrap().iter().find(|entry| entry["seq"] == json!(said)).cloned().unwrap();
    assert_eq!(heard["sender"]["body_name"], "洛舍镇秘书长联席会议", "{heard}");
    // nobody else: not the council of one of the villages, not the town, not a neighbour
    for stranger in [&village.council_chair, &village.town, &village.chair, &village.villager(&app, "00007").await] {
        assert_eq!(stranger.get(&format!("/v1/streams/{stream}/entries")).await.refused(), "not_found");
        assert_eq!(say(stranger, &stream, "我也说").await.refused(), "not_found");
        assert!(forum(stranger).await.is_none());
    }
    // who leads it takes away what was said, with a reason; a member does not
    app.pass(TimeDelta::minutes(3)).await;
    let take = |who: &Somebody, seq: i64| {
        let (who, path) = (who.clone(), format!("/v1/streams/{stream}/messages/{seq}/recall"));
        async move { who.post(&path, json!({ "reason": "说错了地方" })).await }
    };
    assert_eq!(take(&other, asked).await.refused(), "not_allowed");
    take(&secretary, said).await.ok();
    // with the seat the forum goes, from the open phone, too
    village.town.post(&format!("/v1/seats/{theirs}/end"), json!(null)).await.ok();
    app.settle().await;
    assert_eq!(phone.until_closed().await, 3011);
    assert!(forum(&other).await.is_none());
    assert_eq!(say(&other, &stream, "还在吗").await.refused(), "not_found");
    app.stop().await;
}
