//! What presses is promised in hours, what is hard gets more days from the office above, and the rest keeps its working days.
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{Somebody, TestApp, Village};

struct Scene {
    app: TestApp,
    village: Village,
    author: Somebody,
}

impl Scene {
    /// At this time.
    async fn at(time: &str) -> Self {
        let app = TestApp::start_at(time.parse().unwrap()).await;
        let village = Village::found(&app).await;
        let author = village.villager(&app, "00007").await;
        Self { app, village, author }
    }

    async fn speak(&self, more: Value) -> Value {
        let mut voice = json!({ "kind": "help", "visibility": "handlers", "text": "煤气味很重" });
        for (name, value) in more.as_object().unwrap() {
            voice[name] = value.clone();
        }
        self.author.post("/v1/suggestions", voice).await.ok()
    }
}

fn dues(voice: &Value) -> (&str, &str) {
    (voice["accept_due_at"].as_str().unwrap(), voice["answer_due_at"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_presses_does_not_wait_for_a_working_day() {
    // a Saturday, ten at night
    let scene = Scene::at("2026-11-07T14:00:00Z").await;
    let urgent = scene.speak(json!({ "urgency": "urgent" })).await;
    assert_eq!(dues(&urgent), ("2026-11-08T00:00:00+08:00", "2026-11-08T22:00:00+08:00"));
    let fault = scene.speak(json!({ "category": "utilities" })).await;
    assert_eq!(dues(&fault), ("2026-11-08T22:00:00+08:00", "2026-11-08T22:00:00+08:00"));
    // asked about, not broken: as everything else, from Monday on
    let asked = scene.speak(json!({ "category": "utilities", "kind": "consult" })).await;
    assert_eq!(dues(&asked), ("2026-11-11T00:00:00+08:00", "2026-11-18T00:00:00+08:00"));
    let ordinary = scene.speak(json!({})).await;
    assert_eq!(dues(&ordinary), dues(&asked));
    // the office is reminded after an hour and told after two; what is late in both is late once
    let events = async |kind: &str| {
        scene.app.settle().await;
        let select = format!("SELECT count(*) FROM events WHERE kind = 'suggestion.{kind}'");
        crate::support::count(scene.app.folder.path(), &select).await
    };
    scene.app.pass(TimeDelta::minutes(61)).await;
    assert_eq!((events("due_soon").await, events("overdue").await), (1, 0));
    scene.app.pass(TimeDelta::minutes(60)).await;
    assert_eq!(events("overdue").await, 1);
    scene.app.pass(TimeDelta::hours(22)).await;
    assert_eq!(events("overdue").await, 3, "the urgent one's answer, and the fault, once");
    scene.app.stop().await;
}

/// What is promised in hours is said with the hour: "before the 7th" is no help on the 7th.
#[tokio::test(flavor = "multi_thread")]
async fn cards_of_what_presses_name_the_hour_and_that_it_presses() {
    let scene = Scene::at("2026-11-07T01:05:00Z").await;
    let Scene { app, village, author } = &scene;
    let urgent = scene.speak(json!({ "urgency": "urgent" })).await;
    app.settle().await;
    let list = village.clerk.get("/v1/sync").await.ok();
    let office = list["streams"].as_array().unwrap().iter().find(|stream| stream["kind"] == "office").unwrap();
    let cards = village.clerk.get(&format!("/v1/streams/{}/entries", office["id"].as_str().unwrap())).await.ok();
    let new = cards["entries"].as_array().unwrap().iter().find(|one| one["body"]["card"] == "office_suggestion_new");
    let new = &new.unwrap()["body"];
    assert_eq!(new["title"], "新留言：紧急求助");
    assert!(new["text"].as_str().unwrap().contains("请在11月7日 11:05前受理"), "{new}");
    let thread = format!("/v1/streams/{}/entries", urgent["stream_id"].as_str().unwrap());
    let told = author.get(&thread).await.ok().to_string();
    assert!(told.contains("将在11月7日 11:05前受理"), "{told}");
    // and what is promised in days by the day
    let ordinary = scene.speak(json!({})).await;
    app.settle().await;
    let thread = format!("/v1/streams/{}/entries", ordinary["stream_id"].as_str().unwrap());
    let told = author.get(&thread).await.ok().to_string();
    assert!(told.contains("将在11月10日前受理"), "{told}");
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_hard_gets_fifteen_working_days_once_from_the_office_above() {
    let scene = Scene::at("2026-11-02T01:00:00Z").await;
    let Scene { village, author, .. } = &scene;
    let voice = scene.speak(json!({})).await;
    let path = format!("/v1/suggestions/{}", voice["id"].as_str().unwrap());
    let ask = async || village.clerk.post(&format!("{path}/extension"), json!({ "reason": "要等专家来看" })).await;
    assert_eq!(ask().await.refused(), "wrong_state", "not before it is accepted");
    village.clerk.post(&format!("{path}/accept"), json!(null)).await.ok();
    assert_eq!(ask().await.ok()["answer_due_at"], voice["answer_due_at"], "asking moves nothing");
    assert_eq!(ask().await.refused(), "wrong_state", "once");
    let asked = village.town.get("/v1/extensions").await.ok();
    assert_eq!((asked.as_array().map(Vec::len), &asked[0]["reason"]), (Some(1), &json!("要等专家来看")));
    assert!(!asked.to_string().contains("煤气"), "{asked}");
    let decision = format!("/v1/extensions/{}/decision", asked[0]["id"].as_str().unwrap());
    let yes = || json!({ "approve": true, "reason": "同意" });
    assert_eq!(village.clerk.post(&decision, yes()).await.refused(), "not_found", "nobody gives it to themselves");
    let both = futures_util::future::join_all((0..2).map(|_| village.town.post(&decision, yes()))).await;
    let mut statuses: Vec<u16> = both.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 409]);
    let shown = author.get(&path).await.ok();
    assert_eq!(shown["answer_due_at"], "2026-11-24T00:00:00+08:00", "fifteen working days from when it was left");
    assert_eq!(
        (&shown["extensions"][0]["state"], &shown["extensions"][0]["answer"]),
        (&json!("granted"), &json!("同意"))
    );
    assert_eq!(ask().await.refused(), "wrong_state", "not twice");
    scene.app.settle().await;
    let thread = author.get(&format!("/v1/streams/{}/entries", shown["stream_id"].as_str().unwrap())).await.ok();
    for code in ["suggestion_extension_asked", "suggestion_extended"] {
        assert!(thread.to_string().contains(code), "{code}");
    }
    // refused: nothing moves, and the author reads why; answered meanwhile: nothing is left to decide
    let other = scene.speak(json!({})).await;
    let other_path = format!("/v1/suggestions/{}", other["id"].as_str().unwrap());
    village.clerk.post(&format!("{other_path}/accept"), json!(null)).await.ok();
    village.clerk.post(&format!("{other_path}/extension"), json!({ "reason": "人手不够" })).await.ok();
    let id = village.town.get("/v1/extensions").await.ok()[0]["id"].as_str().unwrap().to_owned();
    village.clerk.post(&format!("{other_path}/answers"), json!({ "text": "办好了" })).await.ok();
    assert_eq!(village.town.get("/v1/extensions").await.ok(), json!([]));
    let late = village.town.post(&format!("/v1/extensions/{id}/decision"), yes()).await;
    assert_eq!(late.refused(), "wrong_state");
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hours_are_not_made_longer_and_days_are_asked_for_once() {
    let scene = Scene::at("2026-11-02T01:00:00Z").await;
    let Scene { village, author, .. } = &scene;
    for pressing in [json!({ "urgency": "urgent" }), json!({ "category": "utilities" })] {
        let voice = scene.speak(pressing).await;
        let path = format!("/v1/suggestions/{}", voice["id"].as_str().unwrap());
        let taken = village.clerk.post(&format!("{path}/accept"), json!(null)).await.ok();
        assert_eq!(taken["state"], "accepted");
        assert!(!village.clerk.get(&path).await.ok()["can"].as_array().unwrap().contains(&json!("extend")));
        let refused = village.clerk.post(&format!("{path}/extension"), json!({ "reason": "人手不够" })).await;
        assert_eq!(refused.refused(), "wrong_state");
    }
    // refused once is refused, until it is opened again
    let voice = scene.speak(json!({})).await;
    let path = format!("/v1/suggestions/{}", voice["id"].as_str().unwrap());
    village.clerk.post(&format!("{path}/accept"), json!(null)).await.ok();
    let ask = async || village.clerk.post(&format!("{path}/extension"), json!({ "reason": "人手不够" })).await;
    ask().await.ok();
    let id = village.town.get("/v1/extensions").await.ok()[0]["id"].as_str().unwrap().to_owned();
    let no = json!({ "approve": false, "reason": "再想办法" });
    assert_eq!(village.town.post(&format!("/v1/extensions/{id}/decision"), no).await.status, 204);
    assert_eq!(ask().await.refused(), "wrong_state", "one ask for each opening");
    village.clerk.post(&format!("{path}/answers"), json!({ "text": "办好了" })).await.ok();
    author.post(&format!("{path}/rating"), json!({ "rating": 1 })).await.ok();
    ask().await.ok();
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_late_when_the_days_were_given_stays_late_in_the_record() {
    let scene = Scene::at("2026-11-02T01:00:00Z").await;
    let Scene { village, author, .. } = &scene;
    let voice = scene.speak(json!({})).await;
    let path = format!("/v1/suggestions/{}", voice["id"].as_str().unwrap());
    village.clerk.post(&format!("{path}/accept"), json!(null)).await.ok();
    village.clerk.post(&format!("{path}/extension"), json!({ "reason": "要等专家来看" })).await.ok();
    // the town says nothing until the promise is broken
    scene.app.pass(TimeDelta::days(10)).await;
    let town = Somebody::signed_in(&scene.app, village.town.person).await;
    let id = town.get("/v1/extensions").await.ok()[0]["id"].as_str().unwrap().to_owned();
    let yes = json!({ "approve": true, "reason": "同意" });
    assert_eq!(town.post(&format!("/v1/extensions/{id}/decision"), yes).await.status, 204);
    let author = Somebody::signed_in(&scene.app, author.person).await;
    let shown = author.get(&path).await.ok();
    assert_eq!((&shown["answer_due_at"], &shown["overdue"]), (&json!("2026-11-24T00:00:00+08:00"), &json!("answer")));
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_takes_in_time_is_told_to_the_office_above() {
    let scene = Scene::at("2026-11-02T01:00:00Z").await;
    let Scene { village, .. } = &scene;
    scene.speak(json!({})).await;
    // to be accepted until the end of Wednesday
    scene.app.pass(TimeDelta::days(3)).await;
    scene.app.settle().await;
    let told = "SELECT count(*) FROM events WHERE kind = 'suggestion.supervised'";
    assert_eq!(crate::support::count(scene.app.folder.path(), told).await, 1);
    let town = Somebody::signed_in(&scene.app, village.town.person).await;
    let list = town.get("/v1/sync").await.ok();
    let office = list["streams"].as_array().unwrap().iter().find(|stream| stream["kind"] == "office").unwrap();
    let entries = town.get(&format!("/v1/streams/{}/entries", office["id"].as_str().unwrap())).await.ok();
    assert!(entries.to_string().contains("office_suggestion_not_taken"), "{entries}");
    // and once more when it is not answered either
    scene.app.pass(TimeDelta::days(8)).await;
    assert_eq!(crate::support::count(scene.app.folder.path(), told).await, 2);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn days_are_counted_from_the_acceptance_and_none_are_given_that_are_none() {
    let scene = Scene::at("2026-11-02T01:00:00Z").await;
    let praise = scene.speak(json!({ "kind": "praise" })).await;
    let voices = [scene.speak(json!({})).await, scene.speak(json!({})).await];
    let path = |voice: &Value| format!("/v1/suggestions/{}", voice["id"].as_str().unwrap());
    scene.app.pass(TimeDelta::days(2)).await;
    let again = async |who: &Somebody| Somebody::signed_in(&scene.app, who.person).await;
    let clerk = again(&scene.village.clerk).await;
    let ask = async |voice: &Value| {
        clerk.post(&format!("{}/accept", path(voice)), json!(null)).await.ok();
        clerk.post(&format!("{}/extension", path(voice)), json!({ "reason": "要等专家来看" })).await
    };
    assert_eq!(ask(&praise).await.refused(), "wrong_state", "it has fifteen already");
    let decide = async |approve: bool| {
        let town = again(&scene.village.town).await;
        let id = town.get("/v1/extensions").await.ok()[0]["id"].as_str().unwrap().to_owned();
        let said = json!({ "approve": approve, "reason": "看过了" });
        town.post(&format!("/v1/extensions/{id}/decision"), said).await
    };
    ask(&voices[0]).await.ok();
    assert_eq!(decide(true).await.status, 204);
    let shown = again(&scene.author).await.get(&path(&voices[0])).await.ok();
    assert_eq!(shown["answer_due_at"], "2026-11-26T00:00:00+08:00", "taken on the 4th, left on the 2nd");
    // decided when fifteen days are over, too
    ask(&voices[1]).await.ok();
    scene.app.pass(TimeDelta::days(30)).await;
    assert_eq!(decide(true).await.refused(), "wrong_state");
    assert_eq!(decide(false).await.status, 204);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_called_urgent_is_made_ordinary_with_a_reason_and_has_its_own_days() {
    // a Saturday, ten at night
    let scene = Scene::at("2026-11-07T14:00:00Z").await;
    let Scene { app, village, author } = &scene;
    let urgent = scene.speak(json!({ "urgency": "urgent" })).await;
    let ordinary = scene.speak(json!({})).await;
    let path = |voice: &Value| format!("/v1/suggestions/{}", voice["id"].as_str().unwrap());
    let make = async |who: &Somebody, voice: &Value, reason: &str| {
        who.post(&format!("{}/ordinary", path(voice)), json!({ "reason": reason })).await
    };
    assert_eq!(make(author, &urgent, "不急").await.refused(), "not_allowed");
    assert_eq!(make(&village.villager(app, "00008").await, &urgent, "不急").await.refused(), "not_found");
    assert_eq!(make(&village.clerk, &urgent, "").await.refused(), "invalid_fields");
    assert_eq!(make(&village.clerk, &ordinary, "不急").await.refused(), "wrong_state");
    // two hours have passed: that they did stays on record
    app.clock.advance(TimeDelta::hours(3));
    let made = make(&village.clerk, &urgent, "只是没有热水").await.ok();
    assert_eq!((&made["urgency"], dues(&made)), (&json!("ordinary"), dues(&ordinary)));
    assert_eq!(made.get("overdue"), None, "by its own days it is not late");
    let late = "SELECT count(*) FROM events WHERE kind = 'suggestion.overdue'";
    assert_eq!(crate::support::count(app.folder.path(), late).await, 1);
    assert_eq!(make(&village.clerk, &urgent, "不急").await.refused(), "wrong_state", "once");
    app.settle().await;
    let shown = author.get(&path(&urgent)).await.ok();
    let why = &shown["made_ordinary"];
    assert_eq!((&why["reason"], &why["body_name"]), (&json!("只是没有热水"), &json!("东衡村村民委员会")));
    let thread = format!("/v1/streams/{}/entries", urgent["stream_id"].as_str().unwrap());
    let told = author.get(&thread).await.ok();
    let card = told["entries"].as_array().unwrap().iter().find(|one| one["body"]["card"] == "suggestion_made_ordinary");
    let said = card.unwrap()["body"]["text"].as_str().unwrap();
    assert!(said.contains("只是没有热水") && said.contains("11月10日"), "{said}");
    let above = crate::support::cards_in(app, village.town.person, "office").await;
    assert_eq!(above.iter().filter(|card| *card == "office_suggestion_made_ordinary").count(), 1, "{above:?}");
    // neither whom it is about, nor who sits with them
    let about = json!({ "kind": "complaint", "urgency": "urgent", "about_person_id": village.clerk.person });
    let about = scene.speak(about).await;
    for kept in [&village.clerk, &village.chair] {
        assert_eq!(make(kept, &about, "不急").await.refused(), "not_found");
    }
    make(&village.town, &about, "没有人受伤").await.ok();
    // and what is ordinary is late by its own days
    app.pass(TimeDelta::days(4)).await;
    app.settle().await;
    assert_eq!(crate::support::count(app.folder.path(), late).await, 4);
    scene.app.stop().await;
}
