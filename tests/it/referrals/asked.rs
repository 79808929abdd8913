//! What a body reads of a voice that it is asked to take, before it says yes or no; and that it is reminded when it says nothing.
use chrono::TimeDelta;
use serde_json::json;

use super::{Scene, offers};
use crate::{
    accused::{office, sit},
    support::Somebody,
};

#[tokio::test(flavor = "multi_thread")]
async fn who_is_asked_reads_what_everybody_may_read() {
    let scene = Scene::set().await;
    let Scene { village, author, .. } = &scene;
    let photo = author.upload(include_bytes!("../../data/media/clear.png").to_vec()).await.ok();
    let voice = json!({ "kind": "help", "visibility": "public", "category": "road", "urgency": "urgent",
        "text": "桥墩裂了一道缝", "place": "老桥", "media": [photo["id"]] });
    let voice = author.post("/v1/suggestions", voice).await.ok();
    let voice = format!("/v1/suggestions/{}", voice["id"].as_str().unwrap());
    scene.offer(&voice, &scene.town_office).await.ok();
    let page = async || String::from_utf8(village.town.download("/desk/referrals").await.1).unwrap();
    let seen = &offers(&village.town).await[0];
    assert_eq!((&seen["text"], &seen["place"]), (&json!("桥墩裂了一道缝"), &json!("老桥")));
    assert_eq!((&seen["category"], &seen["urgency"]), (&json!("road"), &json!("urgent")));
    assert_eq!(village.town.download(seen["media"][0]["url"].as_str().unwrap()).await.0, 200);
    let shown = page().await;
    assert!(shown.contains("桥墩裂了一道缝") && shown.contains("道路桥梁") && shown.contains("紧急"), "{shown}");
    assert!(!shown.contains("费**"), "and not whose it is: {shown}");
    // what is hidden only those read who handle it
    let hide = village.clerk.request(reqwest::Method::PUT, &format!("{voice}/hiding"));
    let hide = hide.json(&json!({ "is_on": true, "reason": "写了住址" })).send().await.unwrap();
    assert_eq!(hide.status(), 200);
    let seen = &offers(&village.town).await[0];
    assert!(seen.get("text").is_none() && seen.get("place").is_none() && seen.get("media").is_none(), "{seen}");
    let shown = page().await;
    assert!(!shown.contains("桥墩裂了一道缝") && shown.contains("接下以后才看得到"), "{shown}");
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_it_is_about_sees_no_offer_of_it() {
    let scene = Scene::set().await;
    let Scene { village, author, county, .. } = &scene;
    let about = json!({ "kind": "complaint", "visibility": "handlers", "text": "收钱不开票", "about_person_id": village.clerk.person });
    let voice = author.post("/v1/suggestions", about).await.ok();
    let path = format!("/v1/suggestions/{}/referrals", voice["id"].as_str().unwrap());
    let up = json!({ "body_id": scene.county_office, "reason": "该由县里办" });
    village.town.post(&path, up).await.ok();
    // the accused comes to speak for the office that is asked
    let county_office = office(&scene.app, village, "county_office").await;
    sit(&scene.app, county_office, (village.clerk.person, "clerk")).await;
    let accused = Somebody::signed_in(&scene.app, village.clerk.person).await;
    assert_eq!((offers(&accused).await.len(), offers(county).await.len()), (0, 1));
    let page = String::from_utf8(accused.download("/desk/referrals").await.1).unwrap();
    assert!(!page.contains(voice["number"].as_str().unwrap()), "{page}");
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_asked_and_says_nothing_is_reminded_before_the_day() {
    let scene = Scene::set().await;
    let village = &scene.village;
    let voice = scene.speak("handlers").await;
    village.clerk.post(&format!("{voice}/accept"), json!(null)).await.ok();
    scene.offer(&voice, &scene.town_office).await.ok();
    let part = json!({ "body_id": scene.county_office, "task": "派人看一看桥墩" });
    village.clerk.post(&format!("{voice}/assists"), part).await.ok();
    scene.app.settle().await;
    let codes =
        async |who: &Somebody| scene.cards(who, "office").await.into_iter().map(|(code, _)| code).collect::<Vec<_>>();
    assert!(!codes(&village.town).await.contains(&"office_referral_due_soon".to_owned()));
    // two working days are left of seven
    scene.app.pass(TimeDelta::days(8)).await;
    scene.app.settle().await;
    let (town, county) = (codes(&village.town).await, codes(&scene.county).await);
    assert_eq!(town.iter().filter(|code| *code == "office_referral_due_soon").count(), 1, "{town:?}");
    assert_eq!(county.iter().filter(|code| *code == "office_assist_due_soon").count(), 1, "{county:?}");
    scene.app.stop().await;
}
