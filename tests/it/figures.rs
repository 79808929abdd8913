//! How well bodies answer, for everybody and without naming anybody; and what is late, for who runs the county.
use chrono::TimeDelta;
use serde_json::json;

use crate::{
    county::operator,
    support::{Somebody, TestApp, Village, monday},
};

#[tokio::test(flavor = "multi_thread")]
async fn figures_of_a_body_are_public_and_nothing_is_shown_of_a_few() {
    let app = TestApp::start_at(monday()).await;
    let village = Village::found(&app).await;
    let path = format!("/v1/areas/{}/body-figures", village.area);
    let mut authors = Vec::new();
    for n in 7..13 {
        authors.push(village.villager(&app, &format!("{n:05}")).await);
    }
    let left = async |author: &Somebody| {
        let voice = json!({ "kind": "help", "visibility": "public", "text": "灯坏了" });
        let voice = author.post("/v1/suggestions", voice).await.ok();
        format!("/v1/suggestions/{}", voice["id"].as_str().unwrap())
    };
    let mut voices = Vec::new();
    for author in &authors[..4] {
        voices.push(left(author).await);
    }
    let few = app.get(&path).await.ok();
    assert_eq!(few[0].as_object().unwrap().keys().collect::<Vec<_>>(), ["body_id", "body_name"], "{few}");
    for author in &authors[4..] {
        voices.push(left(author).await);
    }
    app.clock.advance(TimeDelta::days(2));
    for (n, voice) in voices.iter().enumerate().take(5) {
        let clerk = Somebody::signed_in(&app, village.clerk.person).await;
        clerk.post(&format!("{voice}/accept"), json!(null)).await.ok();
        clerk.post(&format!("{voice}/answers"), json!({ "text": "好了" })).await.ok();
        let rating = json!({ "rating": if n == 0 { 3 } else { 5 } });
        authors[n].post(&format!("{voice}/rating"), rating).await.ok();
    }
    let shown = app.get(&path).await.ok();
    let one = &shown[0];
    assert_eq!((&one["left_at_least"], &one["answered_percent"]), (&json!(5), &json!(83)), "{shown}");
    assert_eq!((&one["solved_percent"], &one["satisfied_percent"]), (&json!(100), &json!(80)));
    assert_eq!(one["median_days"], 2);
    assert_eq!(app.get(&format!("{path}?period=2026-10")).await.ok(), json!([]));
    assert_eq!(app.get(&format!("{path}?period=2026")).await.ok(), shown);
    for bad in ["2026-13", "x", "2026-11-02", ""] {
        assert_eq!(app.get(&format!("{path}?period={bad}")).await.refused(), "invalid_fields", "{bad}");
    }
    let page = app.http.get(app.url(&format!("/figures?area={}", village.area))).header("accept", "text/html");
    let page = page.send().await.unwrap();
    assert_eq!(page.status(), 200);
    assert!(page.text().await.unwrap().contains("83%"));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_county_sees_everything_that_is_late_and_no_word_of_it() {
    let app = TestApp::start_at(monday()).await;
    let village = Village::found(&app).await;
    let (county, author) = (operator(&app).await, village.villager(&app, "00007").await);
    for visibility in ["public", "handlers", "town"] {
        let voice = json!({ "kind": "complaint", "visibility": visibility, "text": "桥墩裂了" });
        author.post("/v1/suggestions", voice).await.ok();
    }
    let path = "/v1/areas/330521/late-suggestions";
    assert_eq!(county.get(path).await.ok(), json!([]), "nothing is late yet");
    app.pass(TimeDelta::days(20)).await;
    let county = Somebody::signed_in(&app, county.person).await;
    let late = county.get(path).await.ok();
    assert_eq!(late.as_array().map(Vec::len), Some(3), "{late}");
    assert!(!late.to_string().contains("裂"), "{late}");
    let of_town: Vec<_> = late.as_array().unwrap().iter().filter(|one| one["area_code"] == "330521103").collect();
    assert_eq!((of_town.len(), &of_town[0]["number"]), (1, &json!("")), "which village it was is not said");
    let clerk = Somebody::signed_in(&app, village.clerk.person).await;
    assert_eq!(clerk.get(path).await.refused(), "not_allowed");
    let page = county.request(reqwest::Method::GET, "/desk/county/overdue").header("accept", "text/html");
    let page = page.send().await.unwrap();
    assert_eq!(page.status(), 200);
    let page = page.text().await.unwrap();
    assert!(page.contains("超期的留言（3）") && !page.contains("裂"));
    app.stop().await;
}
