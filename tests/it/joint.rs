//! The secretaries' joint meeting: who leads it, what comes onto its agenda, and what it carried in each village; and what a
//! federation may do.
use chrono::TimeDelta;
use liusheng::{
    clock,
    ids::{BodyId, MeetingId},
    joint::agenda::{self, ProposeItem},
    meetings::commands::{TakeMinutes, take_minutes},
    people,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    county,
    support::{Answer, Somebody, TestApp, Village, answer, cards_in, id, person_of},
};

const NEXT: &str = "330521103203";

async fn body(village: &Village, kind: &str, areas: &[&str]) -> String {
    let new = json!({ "kind": kind, "name": format!("两村{kind}"), "areas": areas });
    id(&village.town.post("/v1/bodies", new).await.ok())
}

async fn seat(app: &TestApp, village: &Village, (body, who, role): (&str, &Somebody, &str)) -> Somebody {
    // of a council's secretary alone it is asked, and kept
    let seat = json!({ "person_id": who.person, "role": role, "reason": "书记在外地" });
    village.town.post(&format!("/v1/bodies/{body}/seats"), seat).await.ok();
    app.settle().await;
    Somebody::signed_in(app, who.person).await
}

/// The joint meeting of two villages: the body, and its two members in their order.
async fn joint(app: &TestApp, village: &Village) -> (String, Somebody, Somebody) {
    let joint = body(village, "joint_meeting", &[village.area.as_str(), NEXT]).await;
    let first = seat(app, village, (&joint, &village.secretary, "member")).await;
    let second = seat(app, village, (&joint, &village.neighbour(app).await, "member")).await;
    (joint, first, second)
}

async fn rotate(who: &Somebody, joint: &str, rotation: &str) -> Answer {
    let path = format!("/v1/bodies/{joint}/rotation");
    answer(who.request(Method::PUT, &path).json(&json!({ "rotation": rotation }))).await
}

fn is_led_by(view: &Value, now: &Somebody, next: &Somebody) -> bool {
    let is = |field: &str, who: &Somebody| view[field]["person_id"] == json!(who.person);
    is("chair", now) && is("next", next)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chair_goes_round_and_is_passed_on_with_a_reason() {
    let (app, village) = Village::start().await;
    let (joint, first, second) = joint(&app, &village).await;
    let path = format!("/v1/bodies/{joint}/joint-meeting");
    assert!(is_led_by(&first.get(&path).await.ok(), &first, &second), "in the order in which they came");
    for stranger in [&village.chair, &village.council_chair, &village.villager(&app, "00007").await] {
        assert_eq!(stranger.get(&path).await.refused(), "not_allowed");
        assert_eq!(rotate(stranger, &joint, "month").await.refused(), "not_allowed");
    }
    let council = format!("/v1/bodies/{}/joint-meeting", village.council);
    assert_eq!(village.secretary.get(&council).await.refused(), "not_found", "a council is none");
    assert_eq!(rotate(&second, &joint, "month").await.refused(), "not_allowed", "a member does not say how often");
    let turns = format!("/v1/bodies/{joint}/turns");
    assert_eq!(
        second.post(&turns, json!({ "reason": "我来" })).await.refused(),
        "not_allowed",
        "not theirs to pass on"
    );
    assert_eq!(first.post(&turns, json!({ "reason": "" })).await.refused(), "invalid_fields");
    let passed = first.post(&turns, json!({ "reason": "出差半个月" })).await.ok();
    assert!(is_led_by(&passed, &second, &first), "{passed}");
    let stale = json!({ "reason": "请下一位", "from": first.person });
    assert_eq!(village.town.post(&turns, stale).await.refused(), "changed", "it has gone on since that was read");
    assert_eq!(passed["turns"][0]["reason"], "出差半个月");
    assert!(cards_in(&app, first.person, "forum").await.contains(&"joint_chair".to_owned()));
    let monthly = rotate(&village.town, &joint, "month").await.ok();
    assert!(is_led_by(&monthly, &second, &first), "this month goes on as it was");
    let again = rotate(&village.town, &joint, "month").await.ok();
    assert_eq!(again["turns"], monthly["turns"], "once");
    app.pass(TimeDelta::days(29)).await;
    let december = second.get(&path).await.ok();
    assert!(is_led_by(&december, &first, &second), "the first of December");
    assert_eq!(december["turns"][0]["member"]["person_id"], json!(first.person), "written down: {december}");
    app.pass(TimeDelta::days(1)).await;
    assert_eq!(second.get(&path).await.ok()["turns"], december["turns"], "once");
    app.stop().await;
}

/// More of them than are looked at in one go have no members.
#[tokio::test(flavor = "multi_thread")]
async fn joint_meetings_in_which_nobody_sits_keep_no_other_from_its_turn() {
    let (app, village) = Village::start().await;
    for _ in 0..20 {
        let empty = body(&village, "joint_meeting", &[village.area.as_str(), NEXT]).await;
        rotate(&village.town, &empty, "month").await.ok();
    }
    let (joint, first, second) = joint(&app, &village).await;
    rotate(&village.town, &joint, "month").await.ok();
    app.pass(TimeDelta::days(29)).await;
    let december = second.get(&format!("/v1/bodies/{joint}/joint-meeting")).await.ok();
    assert!(is_led_by(&december, &second, &first), "{december}");
    assert_eq!(december["turns"][0]["member"]["person_id"], json!(second.person), "its turn was not written down");
    app.stop().await;
}

/// The joint meeting of a county has more villages than a town.
#[tokio::test(flavor = "multi_thread")]
async fn a_matter_of_all_villages_of_a_county_comes_onto_the_agenda() {
    let (app, village) = Village::start().await;
    let county = county::operator(&app).await;
    let new = json!({ "kind": "joint_meeting", "name": "全县联席会议", "areas": ["330521"] });
    let joint = id(&county.post("/v1/bodies", new).await.ok());
    let (bridge, _) = matters(&app, &village).await;
    let all = county.get(&format!("/v1/bodies/{joint}/joint-meeting")).await.ok()["villages"].clone();
    let all: Vec<Value> = all.as_array().unwrap().iter().map(|one| one["code"].clone()).collect();
    assert!(all.len() > 150, "{}", all.len());
    let item = json!({ "matter_id": bridge, "villages": all });
    let agenda = county.post(&format!("/v1/bodies/{joint}/agenda-items"), item).await.ok();
    assert_eq!(agenda["items"][0]["villages"].as_array().unwrap().len(), all.len());
    app.stop().await;
}

/// A matter raised by a council of both villages, and one of a single village.
async fn matters(app: &TestApp, village: &Village) -> (String, String) {
    let both = body(village, "council", &[village.area.as_str(), NEXT]).await;
    let raiser = Somebody::signed_in(app, person_of(&app.app, &village.area, "00049").await).await;
    let raiser = seat(app, village, (&both, &raiser, "chair")).await;
    let raise = |title: &str| json!({ "area_code": village.area, "title": title, "summary": "两村之间的事。" });
    let spanning = id(&raiser.post("/v1/matters", raise("修界溪上的桥")).await.ok());
    (spanning, id(&village.chair.post("/v1/matters", raise("装路灯")).await.ok()))
}

#[tokio::test(flavor = "multi_thread")]
async fn matters_of_several_villages_come_onto_the_agenda_and_resolutions_into_each_village() {
    let (app, village) = Village::start().await;
    let (joint, first, second) = joint(&app, &village).await;
    let (bridge, lamps) = matters(&app, &village).await;
    let path = format!("/v1/bodies/{joint}/joint-meeting");
    let seen = second.get(&path).await.ok();
    assert_eq!((seen["spanning"].as_array().unwrap().len(), &seen["spanning"][0]["matter_id"]), (1, &json!(bridge)));
    let items = format!("/v1/bodies/{joint}/agenda-items");
    let item = |matter: &str, villages: &[&str]| json!({ "matter_id": matter, "villages": villages });
    let both = [village.area.as_str(), NEXT];
    assert_eq!(village.chair.post(&items, item(&bridge, &both)).await.refused(), "not_allowed");
    for wrong in [item(&bridge, &[NEXT]), item(&bridge, &[NEXT, "330521001001"]), item(&joint, &both)] {
        assert_eq!(second.post(&items, wrong.clone()).await.refused(), "invalid_fields", "{wrong}");
    }
    second.post(&items, item(&bridge, &both)).await.ok();
    assert_eq!(first.post(&items, item(&bridge, &both)).await.refused(), "invalid_fields", "it stands there already");
    let agenda = first.post(&items, item(&lamps, &both)).await.ok();
    assert_eq!((agenda["items"].as_array().unwrap().len(), &agenda["spanning"]), (2, &json!([])));
    let page = page_of(&first, &format!("/desk/joint/{joint}")).await;
    assert!(page.contains("1. 修界溪上的桥"), "the agenda of the next meeting");
    withdrawn(&village, (&joint, &first, &second), &agenda["items"]).await;
    first.post(&items, item(&lamps, &both)).await.ok();
    assert!(page_of(&first, "/desk").await.contains("轮到您召集会议"), "whose turn it is");
    assert!(!page_of(&second, "/desk").await.contains("轮到您召集会议"));
    let meeting = held(&app, &village, (&joint, &first, &second)).await;
    let after = first.get(&path).await.ok();
    assert_eq!(after["items"], json!([]), "what was talked about");
    assert!(is_led_by(&after, &second, &first), "the next one leads the next meeting");
    assert!(cards_in(&app, second.person, "forum").await.contains(&"joint_minutes".to_owned()));
    in_each_village(&app, &village, (&meeting, &first, &second)).await;
    app.stop().await;
}

async fn page_of(who: &Somebody, path: &str) -> String {
    String::from_utf8(who.download(path).await.1).unwrap()
}

/// What is on the agenda is taken off by who proposed it and by whose turn it is.
async fn withdrawn(village: &Village, (joint, first, second): (&str, &Somebody, &Somebody), items: &Value) {
    let path = |n: usize| format!("/v1/agenda-items/{}/withdraw", items[n]["id"].as_str().unwrap());
    assert_eq!(village.chair.post(&path(1), json!(null)).await.refused(), "not_allowed");
    assert_eq!(second.post(&path(1), json!(null)).await.refused(), "not_allowed", "the other's, and not their turn");
    let left = first.post(&path(1), json!(null)).await.ok();
    assert_eq!(left["items"].as_array().unwrap().len(), 1, "{left}");
    assert_eq!(first.post(&path(1), json!(null)).await.refused(), "not_found", "it stands there no more");
    let bridge = items[0]["id"].as_str().unwrap();
    let desk = format!("/desk/joint/{joint}/withdraw");
    assert_eq!(county::form(second, &desk, &[("item_id", bridge)]).await.0, 303, "what one proposed oneself");
    let again = json!({ "matter_id": items[0]["matter_id"], "villages": [village.area, NEXT] });
    second.post(&format!("/v1/bodies/{joint}/agenda-items"), again).await.ok();
}

/// A meeting that began, and both are there.
async fn begun(app: &TestApp, village: &Village, (joint, first, second): (&str, &Somebody, &Somebody)) -> String {
    let starts_at = app.app.now() + TimeDelta::hours(1);
    let meeting = json!({ "area_code": village.area, "body_id": joint, "title": "联席会议", "agenda": "修桥",
        "place": "镇政府", "starts_at": starts_at });
    let meeting = id(&first.post("/v1/meetings", meeting).await.ok());
    app.pass(TimeDelta::minutes(61)).await;
    for who in [first, second] {
        who.post(&format!("/v1/meetings/{meeting}/attendances"), json!({})).await.ok();
    }
    meeting
}

/// A meeting of both that carried one thing.
async fn held(app: &TestApp, village: &Village, (joint, first, second): (&str, &Somebody, &Somebody)) -> String {
    let meeting = begun(app, village, (joint, first, second)).await;
    let early = json!({ "number": 1, "villages": [NEXT], "due_on": "2026-12-31" });
    assert_eq!(first.post(&format!("/v1/meetings/{meeting}/village-tasks"), early).await.refused(), "wrong_state");
    let minutes = json!({ "minutes": "商量了修桥。", "resolutions": [
        { "text": "各村清理自己一侧的河岸。", "votes_for": 2 }, { "text": "收过桥费。", "votes_for": 0 }] });
    first.post(&format!("/v1/meetings/{meeting}/minutes"), minutes).await.ok();
    app.settle().await;
    meeting
}

/// What is proposed after the minutes were taken is for the next meeting, also before what follows from them has followed.
#[tokio::test]
async fn what_is_proposed_after_the_minutes_stays_on_the_agenda() {
    let (app, village) = Village::start().await;
    let (joint, first, second) = joint(&app, &village).await;
    let (bridge, lamps) = matters(&app, &village).await;
    let item = |matter: &str| json!({ "matter_id": matter, "villages": [village.area, NEXT] });
    first.post(&format!("/v1/bodies/{joint}/agenda-items"), item(&bridge)).await.ok();
    let meeting: MeetingId = begun(&app, &village, (&joint, &first, &second)).await.parse().unwrap();
    let actor = people::actor_of_session(&app.app, first.person, first.session).await.unwrap();
    let minutes: TakeMinutes = serde_json::from_value(json!({ "minutes": "商量了修桥。" })).unwrap();
    let later: (BodyId, ProposeItem) = (joint.parse().unwrap(), serde_json::from_value(item(&lamps)).unwrap());
    // in one commit, so that nothing can follow in between
    let both = app.app.store.write(move |tx| {
        Box::pin(async move {
            take_minutes(tx, &actor, (meeting, minutes)).await?;
            agenda::propose(tx, &actor, later).await
        })
    });
    both.await.unwrap();
    app.settle().await;
    let seen = first.get(&format!("/v1/bodies/{joint}/joint-meeting")).await.ok();
    assert_eq!((seen["items"].as_array().unwrap().len(), &seen["items"][0]["matter_id"]), (1, &json!(lamps)));
    app.stop().await;
}

async fn in_each_village(app: &TestApp, village: &Village, (meeting, first, second): (&str, &Somebody, &Somebody)) {
    let path = format!("/v1/meetings/{meeting}/village-tasks");
    let due_on = clock::local_date(app.app.now()) + TimeDelta::days(30);
    let give = |number: i32| json!({ "number": number, "villages": [village.area, NEXT], "due_on": due_on });
    assert_eq!(village.chair.post(&path, give(1)).await.refused(), "not_allowed");
    let nobody = first.post(&path, give(1)).await;
    assert_eq!(nobody.body["errors"][0]["code"], "nobody_there", "{}", nobody.body);
    let council = body(village, "council", &[NEXT]).await;
    seat(app, village, (&council, second, "secretary")).await;
    assert_eq!(first.post(&path, give(2)).await.body["errors"][0]["code"], "not_carried");
    let given = first.post(&path, give(1)).await.ok();
    assert_eq!(given["tasks"].as_array().unwrap().len(), 2, "{given}");
    assert_eq!(first.post(&path, give(1)).await.refused(), "invalid_fields", "once in each");
    for who in [&village.secretary, second] {
        let own = Somebody::signed_in(app, who.person).await.get("/v1/me/tasks").await.ok();
        assert_eq!((own.as_array().unwrap().len(), &own[0]["title"]), (1, &json!("各村清理自己一侧的河岸。")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_federation_trains_asks_and_mentors_and_reads_no_private_voice() {
    let (app, village) = Village::start().await;
    let town = &village.area[..9];
    let federation = body(&village, "federation", &[town]).await;
    let somebody = village.villager(&app, "00010").await;
    let secretary = seat(&app, &village, (&federation, &somebody, "secretary")).await;
    let starts_at = app.app.now() + TimeDelta::days(3);
    let training = json!({ "area_code": town, "body_id": federation, "title": "秘书长培训", "agenda": "怎样议事",
        "place": "镇文化站", "starts_at": starts_at });
    let training = id(&secretary.post("/v1/meetings", training).await.ok());
    let sheet = |area: &str| {
        json!({ "subject_id": training, "area_code": area, "purpose": "survey", "title": "评估表",
            "questions": [{ "id": "a", "title": "有用吗？", "kind": "choice", "options": ["有", "没有"] }] })
    };
    let own = id(&secretary.post("/v1/forms", sheet(town)).await.ok());
    secretary.post(&format!("/v1/forms/{own}/close"), json!(null)).await.ok();
    assert_eq!(secretary.post("/v1/forms", sheet(&village.area)).await.refused(), "not_allowed", "no village's");
    asked_at_the_desk(&secretary, &training).await;
    let until = clock::local_date(app.app.now()) + TimeDelta::days(30);
    let mentor = json!({ "area_code": town, "body_id": federation, "title": "带一带新参事会", "text": "每月一次。",
        "contact": "联合会", "until_on": until });
    let mentor = id(&secretary.post("/v1/needs", mentor).await.ok());
    village.council_chair.post(&format!("/v1/needs/{mentor}/take"), json!({ "contact": "东衡" })).await.ok();
    let sums = secretary.get(&format!("/v1/areas/{town}/body-work")).await.ok();
    assert!(sums.is_array(), "what councils did is for everybody: {sums}");
    let voice = json!({ "kind": "help", "visibility": "handlers", "text": "不想让人知道" });
    let voice = id(&village.villager(&app, "00007").await.post("/v1/suggestions", voice).await.ok());
    assert_eq!(secretary.get(&format!("/v1/suggestions/{voice}")).await.refused(), "not_found");
    app.stop().await;
}

/// The federation asks those who came what they think of the training, with the questions that the desk prepares.
async fn asked_at_the_desk(secretary: &Somebody, training: &str) {
    let desk = format!("/desk/meetings/{training}");
    assert!(page_of(secretary, &desk).await.contains("这次会议或活动对您有用吗？"), "prepared");
    let empty = [("title", "培训反馈")];
    assert_eq!(county::form(secretary, &format!("{desk}/survey"), &empty).await.0, 422, "nothing asked");
    let asked = [("title", "培训反馈"), ("questions[0].title", "有用吗？"), ("questions[0].kind", "scale")];
    assert_eq!(county::form(secretary, &format!("{desk}/survey"), &asked).await.0, 303);
    let shown = page_of(secretary, &desk).await;
    let form = shown.split("/desk/forms/").skip(1).find(|rest| rest.contains("培训反馈")).unwrap();
    let form = form.split('"').next().unwrap();
    assert!(page_of(secretary, &format!("/desk/forms/{form}")).await.contains(&format!("href=\"{desk}\"")), "back");
    assert!(page_of(secretary, &format!("/meetings/{training}")).await.contains(&format!("/forms/{form}")));
}
