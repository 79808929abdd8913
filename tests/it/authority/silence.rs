//! Suspended speaking: what rests, what does not, who may, and what the person is told.
use chrono::TimeDelta;
use serde_json::{Value, json};
use uuid::Uuid;

use super::requests::encoded;
use crate::support::{Socket, Somebody, Village, code_of, person_of};

fn voice(visibility: &str) -> Value {
    json!({ "kind": "help", "visibility": visibility, "text": "请看" })
}

async fn silence(by: &Somebody, area: &str, person: impl std::fmt::Display, days: u32) -> crate::support::Answer {
    let new = json!({ "person_id": person.to_string(), "reason": "辱骂他人", "days": days });
    by.post(&format!("/v1/areas/{area}/suspensions"), new).await
}

#[tokio::test(flavor = "multi_thread")]
async fn only_public_speaking_rests_and_it_comes_back_by_itself() {
    let (app, village) = Village::start().await;
    let villager = village.villager(&app, "00010").await;
    let matter = village.matter_to_decide(&app, "修桥").await;
    let vote = village.open_vote(&app, &matter, TimeDelta::days(2)).await;
    let discussion = village.discussion(&app, &matter).await;
    let say = || json!({ "client_id": Uuid::now_v7(), "text": "我说两句" });
    let messages = format!("/v1/streams/{discussion}/messages");
    villager.post(&messages, say()).await.ok();
    let own = villager.post("/v1/suggestions", voice("public")).await.ok();
    silence(&village.chair, &village.area, villager.person, 3).await.ok();
    app.settle().await;

    assert_eq!(villager.post(&messages, say()).await.refused(), "speaking_suspended");
    assert_eq!(villager.post("/v1/suggestions", voice("public")).await.refused(), "speaking_suspended");
    // everything else goes on
    villager.post("/v1/suggestions", voice("handlers")).await.ok();
    villager.post("/v1/suggestions", voice("town")).await.ok();
    let thread = own["stream_id"].as_str().unwrap();
    villager.post(&format!("/v1/streams/{thread}/messages"), say()).await.ok();
    let ballot = json!({ "cast_id": Uuid::new_v4(), "choice": "for" });
    villager.post(&format!("/v1/votes/{vote}/ballots"), ballot).await.ok();
    villager.get(&format!("/v1/streams/{discussion}/entries")).await.ok();
    // and the person knows why, until when, and where to appeal
    let told = villager.get("/v1/me/suspension").await.ok()["suspension"].clone();
    assert_eq!((&told["reason"], &told["appeal_to"]), (&json!("辱骂他人"), &json!("洛舍镇人民政府")));
    let streams = villager.get("/v1/sync").await.ok();
    let mailbox =
        streams["streams"].as_array().unwrap().iter().find(|one| one["kind"] == "mailbox").expect("a mailbox").clone();
    let entries = villager.get(&format!("/v1/streams/{}/entries", mailbox["id"].as_str().unwrap())).await.ok();
    let text = entries.to_string();
    assert!(text.contains("辱骂他人") && text.contains("洛舍镇人民政府") && text.contains("申诉"), "{text}");

    app.pass(TimeDelta::days(3)).await;
    villager.post(&messages, say()).await.ok();
    assert!(villager.get("/v1/me/suspension").await.ok()["suspension"].is_null());
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_village_does_not_silence_who_watches_it_and_the_town_may_undo_it() {
    let (app, village) = Village::start().await;
    let (chair, town, area) = (&village.chair, &village.town, village.area.as_str());
    assert_eq!(silence(chair, area, village.supervisor.person, 3).await.refused(), "not_allowed");
    assert_eq!(silence(chair, area, village.secretary.person, 3).await.refused(), "not_allowed");
    assert_eq!(silence(chair, area, chair.person, 3).await.refused(), "invalid_fields", "nobody silences themselves");
    assert_eq!(silence(&village.clerk, area, village.member.person, 3).await.refused(), "not_allowed");
    let neighbour = village.neighbour(&app).await;
    assert_eq!(silence(chair, area, neighbour.person, 3).await.refused(), "invalid_fields", "of another village");
    let villager = village.villager(&app, "00010").await;
    for days in [0, 91] {
        assert_eq!(silence(chair, area, villager.person, days).await.refused(), "invalid_fields");
    }
    let made = silence(chair, area, villager.person, 90).await.ok();
    assert_eq!(silence(chair, area, villager.person, 3).await.refused(), "wrong_state", "silenced already");
    let lift = format!("/v1/suspensions/{}/lift", made["id"].as_str().unwrap());
    assert_eq!(villager.post(&lift, json!({ "reason": "我改" })).await.refused(), "not_found");
    assert_eq!(town.post(&lift, json!({ "reason": "" })).await.refused(), "invalid_fields");
    town.post(&lift, json!({ "reason": "申诉成立" })).await.ok();
    assert_eq!(town.post(&lift, json!({ "reason": "申诉成立" })).await.refused(), "wrong_state");
    villager.post("/v1/suggestions", voice("public")).await.ok();
    // the town may silence who sits in the village, and its appeal goes to the county
    let made = silence(town, area, village.supervisor.person, 3).await.ok();
    assert!(made["appeal_to"].is_null(), "no county office was founded here: {made}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_desk_suspends_and_lifts_without_a_script() {
    let (app, village) = Village::start().await;
    let person = person_of(&app.app, &village.area, "00010").await;
    let page = |path: String| {
        let request = village.chair.request(reqwest::Method::GET, &path);
        async { request.send().await.unwrap().text().await.unwrap() }
    };
    let found =
        page(format!("/desk/suspensions?area={}&find=%E6%AC%A7%E9%98%B3%E6%B0%B4%E6%A0%B9", village.area)).await;
    assert!(found.contains(&person.to_string()), "the person is found by name: {found}");
    let send = |path: &str, fields: Vec<(&'static str, String)>| {
        let request = village.chair.request(reqwest::Method::POST, path);
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(encoded(&fields));
        async { request.send().await.unwrap() }
    };
    let fields = |days: &str| {
        vec![
            ("area", village.area.clone()),
            ("person_id", person.to_string()),
            ("reason", "辱骂他人".to_owned()),
            ("days", days.to_owned()),
        ]
    };
    let refused = send("/desk/suspensions/suspend", fields("400")).await;
    assert_eq!(refused.status(), 422);
    assert_eq!(send("/desk/suspensions/suspend", fields("7")).await.status(), 303);
    let shown = page("/desk/suspensions".to_owned()).await;
    let (_, rest) = shown.split_once("name=\"suspension_id\" value=\"").expect("a form that lifts it");
    let id = rest.split('"').next().unwrap().to_owned();
    let villager = village.villager(&app, "00010").await;
    assert_eq!(villager.post("/v1/suggestions", voice("public")).await.refused(), "speaking_suspended");
    let lift = vec![("area", village.area.clone()), ("suspension_id", id), ("reason", "已认错".to_owned())];
    assert_eq!(send("/desk/suspensions/lift", lift).await.status(), 303);
    villager.post("/v1/suggestions", voice("public")).await.ok();
    app.stop().await;
}

/// A suspension ends no log-in and takes no code away: who is silenced signs in as before.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_silenced_signs_in_as_before() {
    let (app, village) = Village::start().await;
    let person = person_of(&app.app, &village.area, "00010").await;
    silence(&village.chair, &village.area, person, 3).await.ok();
    let back = Somebody::by_phone(&app, "19500000010", None).await;
    assert_eq!(back.person, person);
    assert!(!code_of(&app, "19500000010").await.is_empty());
    app.stop().await;
}

/// Listening is reading: an open socket hears what others say as before, and what is said over it is refused at once.
#[tokio::test(flavor = "multi_thread")]
async fn an_open_socket_of_who_is_silenced_hears_on_and_says_nothing() {
    let (app, village) = Village::start().await;
    let villager = village.villager(&app, "00010").await;
    let matter = json!({ "area_code": village.area, "title": "修桥", "summary": "村口的桥要修一修。" });
    let matter = village.chair.post("/v1/matters", matter).await.ok();
    let talk = village.discussion(&app, matter["id"].as_str().unwrap()).await;
    let (mut socket, channel) = (Socket::connect(&app, &villager.token(), json!({})).await, format!("s:{talk}"));
    socket.subscribe(&channel, json!({})).await;
    silence(&village.chair, &village.area, villager.person, 3).await.ok();
    let say = json!({ "stream_id": talk, "client_id": Uuid::now_v7(), "text": "我说两句" });
    let refused = socket.rpc("msg.send", say).await;
    assert_eq!(refused["error"]["message"], "speaking_suspended", "{refused}");
    let said = json!({ "client_id": Uuid::now_v7(), "text": "大家接着说" });
    let said = village.clerk.post(&format!("/v1/streams/{talk}/messages"), said).await.ok();
    socket.until_offset(&channel, said["seq"].as_i64().unwrap()).await;
    app.stop().await;
}
