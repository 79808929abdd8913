//! A meeting's door and its list: the code on the screen, and against whom it is counted.
use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{doors_open, id, page, scene, sign_in};
use crate::support::{Somebody, TestApp, Village};

async fn code(who: &Somebody, meeting: &str) -> String {
    who.get(&format!("{meeting}/door")).await.ok()["code"].as_str().unwrap().to_owned()
}

fn number(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_code_at_the_door_opens_its_meeting_for_a_minute_to_who_belongs_there() {
    let (app, village) = scene().await;
    let chair = &village.council_chair;
    let call = json!({ "area_code": village.area, "body_id": village.council, "title": "商议", "agenda": "水池",
        "place": "会议室", "starts_at": app.app.now() + TimeDelta::hours(3) });
    let early = format!("/v1/meetings/{}", id(&chair.post("/v1/meetings", call).await.ok()));
    assert_eq!(chair.get(&format!("{early}/door")).await.refused(), "too_early");
    let meeting = doors_open(&app, chair, (village.council, json!({}))).await;
    let (attend, door) = (format!("{meeting}/attendances"), format!("{meeting}/door"));
    for who in [&village.member, &village.chair, &village.clerk, &village.town] {
        assert_eq!(who.get(&door).await.refused(), "not_allowed", "the screen is for who holds the meeting");
    }
    let shown = code(chair, &meeting).await;
    let with = |code: &str| json!({ "code": code });
    // nobody who does not belong there, nothing that is not the code, no code of another meeting
    let outsider = village.villager(&app, "00007").await;
    assert_eq!(outsider.post(&attend, with(&shown)).await.refused(), "not_allowed");
    for wrong in ["", "x", "AAAAAAAAAAAAAAAA", &"字".repeat(300)] {
        assert_eq!(village.member.post(&attend, with(wrong)).await.refused(), "door_code_expired", "{wrong}");
    }
    let other = doors_open(&app, chair, (village.council, json!({}))).await;
    let elsewhere = code(chair, &other).await;
    assert_eq!(village.member.post(&attend, with(&elsewhere)).await.refused(), "door_code_expired");
    let shown = code(chair, &meeting).await;
    app.pass(TimeDelta::seconds(61)).await;
    assert_eq!(village.member.post(&attend, with(&shown)).await.refused(), "door_code_expired", "photographed");
    let at_door = json!({ "person_id": village.member.person, "via": "door", "code": code(chair, &meeting).await });
    assert_eq!(chair.post(&attend, at_door).await.refused(), "invalid_fields", "nobody is there for another");
    let signed = village.member.post(&attend, with(&code(chair, &meeting).await)).await.ok();
    assert_eq!(signed["via"], "door");
    village.member.post(&attend, json!({})).await.ok();
    let seen = chair.get(&meeting).await.ok();
    assert_eq!((&seen["attendance"]["door"], &seen["attendance"]["total"]), (&json!(1), &json!(1)), "once");
    scanned(&app, &village, &meeting).await;
    let minutes = json!({ "minutes": "说了" });
    chair.post(&format!("{meeting}/minutes"), minutes).await.ok();
    assert_eq!(chair.get(&door).await.refused(), "wrong_state", "the meeting is over");
    app.stop().await;
}

/// By pages alone, as a phone without scripts does it.
async fn scanned(app: &TestApp, village: &Village, meeting: &str) {
    let number = number(meeting);
    let screen = page(&village.council_chair, &format!("/desk/meetings/{number}/door")).await;
    assert!(screen.contains("<svg") && screen.contains("http-equiv=\"refresh\""), "{screen}");
    assert!(page(&village.council_chair, &format!("/desk/meetings/{number}")).await.contains("/door\""));
    let path = format!("/meetings/{number}/door/{}", code(&village.council_chair, meeting).await);
    let visitor = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let led = visitor.get(app.url(&path)).send().await.unwrap();
    assert!(led.status() == 303 && led.headers()["location"].to_str().unwrap().starts_with("/login?then="));
    let secretary = &village.secretary;
    let text = page(secretary, &path).await;
    assert!(text.contains("我到会了，签到"), "{text}");
    let before = village.council_chair.get(meeting).await.ok()["attendance"]["total"].clone();
    assert_eq!(before, 1, "looking signs nobody in");
    let ticket = text.split("name=\"code\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let press = async |who: &Somebody| {
        let post = who.request(reqwest::Method::POST, &format!("/meetings/{number}/attendance"));
        let post = post.header("sec-fetch-site", "same-origin");
        let form = post.header("content-type", "application/x-www-form-urlencoded").body(format!("code={ticket}"));
        form.send().await.unwrap().status().as_u16()
    };
    app.pass(TimeDelta::minutes(5)).await;
    assert_eq!(press(&village.council_chair).await, 409, "what one scanned is nobody else's");
    let late = village.member.download(&path).await;
    assert!(late.0 == 409 && String::from_utf8_lossy(&late.1).contains("请再扫一次"), "{}", late.0);
    assert!([200, 303].contains(&press(secretary).await));
    let after = village.council_chair.get(meeting).await.ok();
    assert_eq!((&after["attendance"]["door"], &after["attendance"]["total"]), (&json!(2), &json!(2)));
    let outsider = village.villager(app, "00007").await;
    let path = format!("/meetings/{number}/door/{}", code(&village.council_chair, meeting).await);
    let text = page(&outsider, &path).await;
    assert!(text.contains("不用签到") && !text.contains("name=\"code\""), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_meeting_is_counted_against_the_list_with_which_it_was_called() {
    let (app, village) = scene().await;
    let (chair, members) = (&village.branch_chair, format!("/v1/bodies/{}/members", village.branch));
    let mut people = Vec::new();
    for number in ["00007", "00008", "00010", "00011", "00012"] {
        people.push(village.villager(&app, number).await);
    }
    let enter = async |who: &Somebody| chair.post(&members, json!({ "person_id": who.person })).await.ok();
    let strike = async |who: &Somebody| chair.post(&format!("{members}/{}/end", who.person), json!(null)).await;
    for one in &people[..4] {
        enter(one).await;
    }
    let call = json!({ "area_code": village.area, "body_id": village.branch, "title": "党员大会", "agenda": "水池",
        "place": "会议室", "starts_at": app.app.now() + TimeDelta::hours(3) });
    let called = chair.post("/v1/meetings", call).await.ok();
    let meeting = format!("/v1/meetings/{}", id(&called));
    assert_eq!(called["listed"], 5);
    // struck from the body to make the meeting full: the list stays
    for one in &people[1..4] {
        assert_eq!(strike(one).await.status, 204);
    }
    enter(&people[4]).await;
    let path = format!("{meeting}/list");
    let change = |who: &Somebody, is_entered: bool| json!({ "person_id": who.person, "is_entered": is_entered, "reason": "组织关系转来或转走" });
    for who in [&village.chair, &village.council_chair, &people[0]] {
        assert_eq!(who.post(&path, change(&people[4], true)).await.refused(), "not_allowed");
    }
    for (who, is_entered) in
        [(&people[0], false), (&people[0], true), (&people[2], true), (&village.clerk, true), (&people[4], false)]
    {
        assert_eq!(chair.post(&path, change(who, is_entered)).await.refused(), "invalid_fields", "only what is so");
    }
    let silent = json!({ "person_id": people[4].person, "is_entered": true, "reason": "" });
    assert_eq!(chair.post(&path, silent).await.refused(), "invalid_fields");
    let desk = page(chair, &format!("/desk/meetings/{}", number(&meeting))).await;
    assert!(desk.contains("通知时 5 人") && desk.contains("加上 ") && desk.contains("划去 "), "{desk}");
    let at_once = join_all((0..3).map(|_| chair.post(&path, change(&people[4], true)))).await;
    assert_eq!(at_once.iter().filter(|answer| answer.status == 200).count(), 1, "once");
    chair.post(&path, change(&people[3], false)).await.ok();
    everybody_sees(&app, &village, &meeting, &people[4]).await;
    app.pass(TimeDelta::hours(3)).await;
    assert_eq!(chair.post(&path, change(&people[2], false)).await.refused(), "wrong_state", "it has begun");
    assert!(super::own_cards(&app, &people[4]).await.contains(&"meeting_called".to_owned()), "who came later is told");
    // struck from the body but on the list: still one of those who count, also at the door and at the desk
    let phone = page(&people[1], &format!("/meetings/{}", number(&meeting))).await;
    assert!(phone.contains("/attendance\""), "still awaited: {phone}");
    let desk = page(chair, &format!("/desk/meetings/{}", number(&meeting))).await;
    let is_offered = |who: &Somebody| desk.contains(&format!("value=\"{}\"", who.person));
    assert!(is_offered(&people[2]) && !is_offered(&people[3]), "{desk}");
    sign_in(&[chair, &people[0], &people[1]], &meeting).await;
    assert_eq!(people[3].post(&format!("{meeting}/attendances"), json!({})).await.refused(), "not_allowed");
    let minutes = json!({ "minutes": "审议", "resolutions": [{ "text": "同意", "votes_for": 2 }] });
    let held = chair.post(&format!("{meeting}/minutes"), minutes).await.ok();
    let quorum = json!({ "entitled": 5, "present": 3, "needed": 3, "is_met": true });
    assert_eq!(held["quorum"], quorum, "counted against the list of its call");
    assert_eq!(chair.post(&path, change(&people[2], false)).await.refused(), "wrong_state");
    app.stop().await;
}

/// That it changed, by whom and why; whom it was about is not told: who is in the party is theirs.
async fn everybody_sees(app: &TestApp, village: &Village, meeting: &str, entered: &Somebody) {
    let public = app.get(meeting).await.ok();
    let changes = public["list_changes"].as_array().unwrap();
    let told: Vec<&Value> = changes.iter().map(|one| &one["is_entered"]).collect();
    assert_eq!((told, public.get("list")), (vec![&json!(true), &json!(false)], None), "{public}");
    assert!(!public.to_string().contains(&entered.person.to_string()), "{public}");
    assert!(village.chair.get(meeting).await.ok().get("list").is_none());
    assert_eq!(village.branch_chair.get(meeting).await.ok()["list"].as_array().map(Vec::len), Some(5));
    let shown = page(&village.clerk, &format!("/meetings/{}", number(meeting))).await;
    assert!(shown.contains("5 人（通知开会那天的名单）") && shown.contains("加上一人：组织关系"), "{shown}");
    let about = vec![number(meeting).to_owned()];
    let log = liusheng::events::timeline(&app.app.store, liusheng::events::Kind::ALL, about).await.unwrap();
    let log: Vec<String> = log.iter().map(|item| item.data.to_string()).collect();
    assert!(!log.join(" ").contains(&entered.person.to_string()), "{log:?}");
}

/// A page sent again does it once; its key on another meeting's page is a mistake, and not those who came there.
#[tokio::test(flavor = "multi_thread")]
async fn those_ticked_at_one_meeting_are_not_answered_for_at_another() {
    let (app, village) = scene().await;
    let chair = &village.council_chair;
    let mut told = Vec::new();
    for _ in 0..2 {
        let meeting = doors_open(&app, chair, (village.council, json!({}))).await;
        let post = chair.request(reqwest::Method::POST, &format!("/desk/meetings/{}/present", number(&meeting)));
        let post = post.header("sec-fetch-site", "same-origin");
        let form = post.header("content-type", "application/x-www-form-urlencoded");
        let form = form.body(format!("client_id=k&via=paper&person_id={}", village.member.person));
        let status = form.send().await.unwrap().status().as_u16();
        told.push((status, chair.get(&meeting).await.ok()["attendance"]["total"].clone()));
    }
    assert_eq!(told, [(303, json!(1)), (422, json!(0))]);
    app.stop().await;
}
