//! What was not solved twice goes up; what is late is told upwards; and before that somebody is reminded.
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::{
    county::{form, operator},
    support::{Socket, Somebody, TestApp, Village, told_in},
};

struct Scene {
    app: TestApp,
    village: Village,
    county: Somebody,
    author: Somebody,
}

impl Scene {
    async fn set() -> Self {
        let (app, village) = Village::start().await;
        let (county, author) = (operator(&app).await, village.villager(&app, "00007").await);
        Self { app, village, county, author }
    }

    async fn speak(&self, visibility: &str) -> String {
        let voice = json!({ "kind": "complaint", "visibility": visibility, "text": "桥头的路灯坏了", "place": "桥头" });
        let voice = self.author.post("/v1/suggestions", voice).await.ok();
        format!("/v1/suggestions/{}", voice["id"].as_str().unwrap())
    }

    /// Somebody takes it and answers.
    async fn answered(&self, who: &Somebody, voice: &str) {
        let taken = who.post(&format!("{voice}/accept"), json!(null)).await;
        assert!([200, 409].contains(&taken.status), "{}", taken.body);
        who.post(&format!("{voice}/answers"), json!({ "text": "换好了" })).await.ok();
    }

    async fn rate(&self, voice: &str, rating: i32) -> Value {
        self.author.post(&format!("{voice}/rating"), json!({ "rating": rating })).await.ok()
    }

    /// Codes of the cards in the streams of a kind that somebody sees, with where each leads.
    async fn cards(&self, who: &Somebody, kind: &str) -> Vec<(String, String)> {
        let told = told_in(&self.app, who.person, kind).await;
        let card = |body: &Value| Some((body["card"].as_str()?.to_owned(), body["link"].as_str()?.to_owned()));
        told.iter().filter_map(card).collect()
    }

    async fn count(&self, who: &Somebody, code: &str) -> usize {
        self.cards(who, "office").await.iter().filter(|(card, _)| card == code).count()
    }
}

async fn on_desk(who: &Somebody) -> usize {
    who.get("/v1/suggestions?scope=desk").await.ok()["items"].as_array().unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn not_solved_twice_goes_to_the_town_and_then_to_the_county() {
    let scene = Scene::set().await;
    let Scene { village, county, author, .. } = &scene;
    for visibility in ["public", "handlers"] {
        let voice = scene.speak(visibility).await;
        scene.answered(&village.clerk, &voice).await;
        assert_eq!(author.get(&voice).await.ok().get("next_body_name"), None, "not before it comes to that");
        let again = scene.rate(&voice, 1).await;
        assert_eq!((&again["state"], &again["level"]), (&json!("accepted"), &json!(0)), "the village tries again");
        assert_eq!(village.town.get("/v1/suggestions?scope=desk").await.ok()["items"], json!([]));
        scene.answered(&village.clerk, &voice).await;
        assert_eq!(author.get(&voice).await.ok()["next_body_name"], "洛舍镇人民政府");

        let up = scene.rate(&voice, 2).await;
        assert_eq!(
            (&up["state"], &up["level"], &up["body_name"]),
            (&json!("submitted"), &json!(1), &json!("洛舍镇人民政府"))
        );
        assert_eq!((up["accept_due_at"].as_str(), up.get("overdue")), (Some("2026-11-05T00:00:00+08:00"), None));
        // it is the town's now: the village sees it and does not answer it
        assert_eq!((on_desk(&village.town).await, on_desk(&village.clerk).await), (1, 0));
        assert_eq!(village.clerk.post(&format!("{voice}/accept"), json!(null)).await.refused(), "not_allowed");
        assert_eq!(village.clerk.get(&voice).await.status, 200);
        scene.answered(&village.town, &voice).await;
        scene.rate(&voice, 1).await;
        scene.answered(&village.town, &voice).await;
        let top = scene.rate(&voice, 1).await;
        assert_eq!((&top["level"], &top["body_name"]), (&json!(2), &json!("德清县民政局")));
        let late = village.town.post(&format!("{voice}/accept"), json!(null)).await;
        assert!([403, 404].contains(&late.status), "{}", late.body);
        // nobody is above the county: it tries until it is solved
        for _ in 0..3 {
            scene.answered(county, &voice).await;
            assert_eq!(author.get(&voice).await.ok().get("next_body_name"), None);
            assert_eq!(scene.rate(&voice, 1).await["level"], 2);
        }
        scene.answered(county, &voice).await;
        let done = scene.rate(&voice, 5).await;
        assert_eq!((&done["state"], done["answers"].as_array().map(Vec::len)), (&json!("rated"), Some(8)));
    }
    let told = scene.cards(author, "thread").await;
    assert_eq!(told.iter().filter(|(card, _)| card == "suggestion_escalated").count(), 4, "{told:?}");
    for (who, code) in [(&village.town, "office_suggestion_escalated"), (&village.clerk, "office_suggestion_gone")] {
        assert_eq!(scene.count(who, code).await, 2, "{code}");
    }
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_thread_and_the_sight_of_a_private_voice_go_along() {
    let scene = Scene::set().await;
    let Scene { village, county, author, .. } = &scene;
    let voice = scene.speak("handlers").await;
    for who in [&village.town, county] {
        assert_eq!(who.get(&voice).await.status, 404, "{:?}", who.person);
    }
    // whoever handled it below listens on a phone that stays open
    let before = village.clerk.get(&voice).await.ok();
    let channel = format!("s:{}", before["stream_id"].as_str().unwrap());
    let mut phone = Socket::connect(&scene.app, &village.clerk.token(), json!({})).await;
    assert!(phone.connected["subs"].get(&channel).is_some(), "{}", phone.connected);
    for _ in 0..2 {
        scene.answered(&village.clerk, &voice).await;
        scene.rate(&voice, 1).await;
    }
    phone.until_unsubscribed(&channel).await;
    assert_eq!(county.get(&voice).await.status, 404, "it is the town's");
    let opened = village.town.get(&voice).await.ok();
    assert_eq!(opened["text"], "桥头的路灯坏了");
    let thread = opened["stream_id"].as_str().unwrap();
    let said = json!({ "client_id": uuid::Uuid::now_v7(), "text": "我们明天来看" });
    village.town.post(&format!("/v1/streams/{thread}/messages"), said).await.ok();
    // the village sees that it is dealt with, and is not in the thread any more
    let below = village.clerk.get(&voice).await.ok();
    assert_eq!((&below["level"], below.get("stream_id")), (&json!(1), None));
    phone.listen(Duration::from_millis(700)).await;
    assert!(!format!("{:?}", phone.entries.get(&channel)).contains("我们明天来看"));
    let entries = village.clerk.get(&format!("/v1/streams/{thread}/entries")).await;
    assert_eq!(entries.refused(), "not_found");
    let readings = author.get(&voice).await.ok()["readings"].to_string();
    assert!(readings.contains("洛舍镇人民政府"), "who opened it is written down: {readings}");
    assert_eq!(village.member.get(&voice).await.status, 404);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_near_is_reminded_of_and_what_is_late_is_told_upwards() {
    let scene = Scene::set().await;
    let Scene { village, .. } = &scene;
    let voice = scene.speak("handlers").await;
    scene.app.pass(TimeDelta::hours(14)).await;
    assert_eq!(scene.count(&village.clerk, "office_suggestion_due_soon").await, 0, "Monday: left this morning");
    // to be accepted until the end of Wednesday
    scene.app.pass(TimeDelta::hours(26)).await;
    assert_eq!(scene.count(&village.clerk, "office_suggestion_due_soon").await, 1, "Wednesday: one day is left");
    village.clerk.post(&format!("{voice}/accept"), json!(null)).await.ok();
    let to_chair = json!({ "person_id": village.chair.person });
    village.clerk.post(&format!("{voice}/assign"), to_chair).await.ok();
    // to be answered until the end of Wednesday next week, seven working days
    scene.app.pass(TimeDelta::days(6)).await;
    assert_eq!(scene.count(&village.clerk, "office_suggestion_due_soon").await, 2);
    let own = scene.cards(&village.chair, "mailbox").await;
    assert!(own.iter().any(|(card, _)| card == "office_suggestion_due_soon"), "who was given it is reminded: {own:?}");
    assert_eq!(scene.count(&village.town, "office_suggestion_supervised").await, 0);

    scene.app.pass(TimeDelta::days(2)).await;
    assert_eq!(scene.count(&village.clerk, "office_suggestion_overdue").await, 1);
    assert_eq!(scene.count(&village.town, "office_suggestion_supervised").await, 1);
    let told = scene.cards(&village.town, "office").await;
    let seen: Vec<_> = told.iter().filter(|(card, _)| card == "office_suggestion_supervised").collect();
    assert_eq!(seen[0].1, "/desk", "they see to it and do not read it");
    let town = Somebody::signed_in(&scene.app, village.town.person).await;
    assert_eq!(town.get(&voice).await.status, 404);
    // the card goes by; what is to be done stays
    let desk = String::from_utf8(town.download("/desk").await.1).unwrap();
    assert!(desk.contains("1 条留言超期，请督办") && desk.contains("东衡村村民委员会"), "{desk}");
    assert!(!desk.contains("路灯"), "and not a word of it");
    let clerk = Somebody::signed_in(&scene.app, village.clerk.person).await;
    assert!(!String::from_utf8(clerk.download("/desk").await.1).unwrap().contains("请督办"));
    // nobody took it and it is late: taking it now changes nothing of that
    let other = scene.speak("handlers").await;
    scene.app.pass(TimeDelta::days(14)).await;
    let clerk = Somebody::signed_in(&scene.app, village.clerk.person).await;
    assert_eq!(clerk.post(&format!("{other}/accept"), json!(null)).await.ok()["overdue"], "answer");
    scene.app.pass(TimeDelta::hours(2)).await;
    assert_eq!(scene.count(&village.town, "office_suggestion_supervised").await, 2, "one for each");
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stays_late_is_told_to_the_county_once() {
    let scene = Scene::set().await;
    let Scene { village, county, .. } = &scene;
    scene.speak("handlers").await;
    // late since the end of Wednesday, nine days later; three working days later the county hears of it
    scene.app.pass(TimeDelta::days(10)).await;
    assert_eq!(scene.count(&village.town, "office_suggestion_supervised").await, 1);
    scene.app.pass(TimeDelta::days(3)).await;
    assert_eq!(scene.count(county, "office_suggestion_supervised").await, 0, "a weekend is between");
    scene.app.pass(TimeDelta::days(3)).await;
    scene.app.pass(TimeDelta::days(30)).await;
    assert_eq!(scene.count(county, "office_suggestion_supervised").await, 1);
    assert_eq!(scene.count(&village.town, "office_suggestion_supervised").await, 1);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_in_time_disturbs_nobody() {
    let scene = Scene::set().await;
    let voice = scene.speak("public").await;
    scene.answered(&scene.village.clerk, &voice).await;
    scene.app.pass(TimeDelta::days(40)).await;
    for who in [&scene.village.clerk, &scene.village.town, &scene.county] {
        let cards = scene.cards(who, "office").await;
        assert!(!cards.iter().any(|(card, _)| card.contains("due_soon") || card.contains("supervised")), "{cards:?}");
    }
    scene.app.stop().await;
}

/// Who tapped the wrong star, or finds the lamp dark again a week later, need not begin from the beginning.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_rated_as_solved_is_said_not_to_be_for_a_month() {
    let scene = Scene::set().await;
    let Scene { app, village, author, .. } = &scene;
    let voice = scene.speak("handlers").await;
    let own = voice.replacen("/v1", "", 1);
    let page = async |who: &Somebody| String::from_utf8(who.download(&own).await.1).unwrap();
    let rating = format!("{voice}/rating");
    scene.answered(&village.clerk, &voice).await;
    assert_eq!(scene.rate(&voice, 5).await["state"], "rated");
    for content in [5, 3] {
        let again = author.post(&rating, json!({ "rating": content })).await;
        assert_eq!(again.refused(), "wrong_state", "content is content");
    }
    app.pass(TimeDelta::days(29)).await;
    let author = Somebody::signed_in(app, author.person).await;
    let shown = page(&author).await;
    assert!(shown.contains("没解决，请重新办") && !shown.contains("5 分，很满意"), "{shown}");
    let fields = [("rating", "1"), ("rating_text", "灯又坏了"), ("client_id", "again")];
    assert_eq!(form(&author, &format!("{own}/rating"), &fields).await.0, 303);
    let opened = author.get(&voice).await.ok();
    assert_eq!((&opened["state"], &opened["rating"]), (&json!("accepted"), &json!(1)), "{opened}");
    assert_eq!(scene.count(&village.clerk, "office_suggestion_reopened").await, 1);
    // the second time it goes up, as ever
    let clerk = Somebody::signed_in(app, village.clerk.person).await;
    scene.answered(&clerk, &voice).await;
    author.post(&rating, json!({ "rating": 4 })).await.ok();
    assert_eq!(author.get(&voice).await.ok()["next_body_name"], "洛舍镇人民政府");
    app.pass(TimeDelta::days(31)).await;
    let author = Somebody::signed_in(app, author.person).await;
    assert!(!page(&author).await.contains("没解决，请重新办"));
    let late = author.post(&rating, json!({ "rating": 1 })).await;
    assert_eq!(late.refused(), "wrong_state", "after a month it is another voice");
    scene.app.stop().await;
}

/// "Not solved" brings another answer: each keeps what was said of it, and a page that shows the old one rates nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_rating_stands_with_the_answer_that_it_is_about() {
    let scene = Scene::set().await;
    let Scene { village, author, .. } = &scene;
    let voice = scene.speak("handlers").await;
    let rate = async |body: Value| author.post(&format!("{voice}/rating"), body).await;
    let answers = async || author.get(&voice).await.ok()["answers"].clone();
    scene.answered(&village.clerk, &voice).await;
    let first = answers().await[0]["id"].clone();
    rate(json!({ "rating": 1, "text": "又坏了", "answer_id": first })).await.ok();
    scene.answered(&village.clerk, &voice).await;
    let shown = answers().await;
    assert_eq!((&shown[0]["rating"], &shown[0]["rating_text"]), (&json!(1), &json!("又坏了")), "{shown}");
    assert!(shown[1].get("rating").is_none(), "nothing was said of it yet: {shown}");
    let stale = rate(json!({ "rating": 5, "answer_id": first })).await;
    assert_eq!(stale.refused(), "changed");
    let own = voice.replacen("/v1", "", 1);
    let fields = [("rating", "5"), ("client_id", "old"), ("answer_id", first.as_str().unwrap())];
    assert_eq!(form(author, &format!("{own}/rating"), &fields).await.0, 409);
    let done = rate(json!({ "rating": 5, "text": "谢谢", "answer_id": shown[1]["id"] })).await.ok();
    assert_eq!((&done["state"], &done["rating_text"]), (&json!("rated"), &json!("谢谢")));
    let desk = village.clerk.get(&voice).await.ok()["answers"].clone();
    let ratings: Vec<_> = desk.as_array().unwrap().iter().map(|one| (&one["rating"], &one["rating_text"])).collect();
    assert_eq!(ratings, [(&json!(1), &json!("又坏了")), (&json!(5), &json!("谢谢"))]);
    scene.app.stop().await;
}
