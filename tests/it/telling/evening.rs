//! The digest is one message for all matters of a day; news is chosen by what it is about.
use fake_providers::Fake;

use super::*;

async fn choose(who: &Somebody, topics: Value) {
    let chosen = json!({ "by_wechat": true, "by_sms": true, "topics": topics });
    let answer = who.request(reqwest::Method::PUT, "/v1/me/telling").json(&chosen).send().await.unwrap();
    assert_eq!(answer.status(), 200);
}

async fn about(scene: &Scene, title: &str, category: &str) {
    let notice = json!({ "area_code": scene.village.area, "title": title, "text": "全文", "category": category });
    let made = scene.village.clerk.post("/v1/notices", notice).await.ok();
    assert_eq!(made["category"], category);
    scene.app.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_evening_brings_one_message_for_all_matters_with_the_newest_first() {
    let fake = Fake::start().await.unwrap();
    let scene = Scene::set_with(0, |config| by_fake(config, &fake)).await;
    let who = scene.village.villager(&scene.app, "00007").await;
    agrees(&who).await;
    choose(&who, json!([{ "topic": "notices", "mode": "digest" }])).await;
    for title in ["第一件", "第二件", "第三件"] {
        scene.publish(title, false).await;
    }
    scene.pass(TimeDelta::hours(8) + TimeDelta::minutes(30)).await;
    assert_eq!(told_to(&fake, "19500000007").len(), 0, "half past five");
    assert_eq!(scene.states().await["queued"], 3);
    scene.pass(TimeDelta::minutes(31)).await;
    // the older two stand behind the newest for some seconds, if they were looked at first
    for _ in 0..6 {
        scene.pass(TimeDelta::seconds(10)).await;
    }
    let told = told_to(&fake, "19500000007");
    assert_eq!(told.len(), 1, "one message: {told:?}, {:?}", scene.states().await);
    assert!(told[0].1.contains("第三件等3件事"), "{}", told[0].1);
    let states = scene.states().await;
    assert_eq!((states["sent"], states["sent digest"]), (1, 2), "{states:?}");
    assert_eq!(scene.number("SELECT count(*) FROM disturbances").await, 1, "it disturbed once");
    // the next evening has its own
    scene.publish("第四件", false).await;
    scene.pass(TimeDelta::days(1)).await;
    scene.pass(TimeDelta::hours(24)).await;
    assert_eq!(told_to(&fake, "19500000007").len(), 2, "{:?}", scene.states().await);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn news_is_told_by_what_it_is_about_and_the_choice_of_all_notices_holds_where_none_was_made() {
    let scene = Scene::set().await;
    let who = scene.village.villager(&scene.app, "00007").await;
    agrees(&who).await;
    choose(&who, json!([{ "topic": "notices_finance", "mode": "off" }])).await;
    about(&scene, "账目", "finance").await;
    about(&scene, "修路", "works").await;
    scene.pass(TimeDelta::hours(9)).await;
    assert_eq!(scene.told().await.len(), 1, "works, not finance: {:?}", scene.states().await);
    choose(&who, json!([{ "topic": "notices", "mode": "off" }, { "topic": "notices_land", "mode": "at_once" }])).await;
    let modes = who.get("/v1/me/telling").await.ok();
    let mode = |topic: &str| {
        let all = modes["topics"].as_array().unwrap();
        all.iter().find(|one| one["topic"] == topic).unwrap()["mode"].clone()
    };
    assert_eq!((mode("notices_welfare"), mode("notices_land")), (json!("off"), json!("at_once")));
    scene.pass(TimeDelta::hours(15)).await;
    about(&scene, "低保", "welfare").await;
    about(&scene, "征地", "land").await;
    scene.pass(TimeDelta::hours(9)).await;
    assert_eq!(scene.told().await.len(), 2, "land alone: {:?}", scene.states().await);
    let (status, page) = who.download("/settings/telling").await;
    assert_eq!(status, 200);
    assert!(String::from_utf8_lossy(&page).contains("notices_land"));
    scene.app.stop().await;
}

/// Keeps what is ticked on the page of the settings.
async fn keeps(who: &Somebody, ticked: &str) {
    let form = who
        .request(reqwest::Method::POST, "/settings/telling")
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(ticked.to_owned());
    assert_eq!(form.send().await.unwrap().status(), 303, "{ticked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_ticked_on_the_page_is_what_is_sent() {
    let fake = Fake::start().await.unwrap();
    let scene = Scene::set_with(0, |config| by_fake(config, &fake)).await;
    let who = scene.village.villager(&scene.app, "00007").await;
    agrees(&who).await;
    let ticked = [
        ("by_wechat=1&by_sms=1&notices=off", 0, "nothing of notices"),
        ("by_wechat=1&by_sms=1&notices=at_once", 1, "notices at once"),
        ("by_wechat=1&notices=at_once", 1, "not by SMS"),
    ];
    for (number, (form, told, why)) in ticked.into_iter().enumerate() {
        keeps(&who, form).await;
        scene.publish(&format!("第{number}件"), false).await;
        scene.pass(TimeDelta::hours(9)).await;
        assert_eq!(told_to(&fake, "19500000007").len(), told, "{why}: {:?}", scene.states().await);
        scene.pass(TimeDelta::hours(15)).await;
    }
    scene.app.stop().await;
}
