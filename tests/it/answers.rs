//! What several say is answered once: whoever answers types the words one time, and each author gets them as an own answer.
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{Somebody, TestApp, Village, cards_in, id};

async fn speak(who: &Somebody, visibility: &str) -> String {
    let voice = json!({ "kind": "help", "visibility": visibility, "text": "桥头的路灯坏了", "category": "road" });
    id(&who.post("/v1/suggestions", voice).await.ok())
}

fn path(voice: &str) -> String {
    format!("/v1/suggestions/{voice}")
}

async fn scene() -> (TestApp, Village, Vec<Somebody>) {
    let (app, village) = Village::start().await;
    let mut authors = Vec::new();
    for number in ["00007", "00008", "00010"] {
        authors.push(village.villager(&app, number).await);
    }
    (app, village, authors)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_words_answer_several_or_none() {
    let (app, village, authors) = scene().await;
    let clerk = &village.clerk;
    let first = speak(&authors[0], "public").await;
    let public = speak(&authors[1], "public").await;
    let private = speak(&authors[2], "handlers").await;
    clerk.post(&format!("{}/accept", path(&first)), json!(null)).await.ok();
    let answer = async |also: Value| {
        clerk.post(&format!("{}/answers", path(&first)), json!({ "text": "明天换灯", "also": also })).await
    };
    let state = async |n: usize, voice: &str| authors[n].get(&path(voice)).await.ok()["state"].clone();
    // what is private and was never opened is answered by nobody, and then nothing is
    assert_eq!(answer(json!([public, private])).await.refused(), "not_found");
    assert_eq!((state(0, &first).await, state(1, &public).await), (json!("accepted"), json!("submitted")));
    assert_eq!(answer(json!([uuid::Uuid::now_v7()])).await.refused(), "not_found");
    let many: Vec<_> = (0..21).map(|_| uuid::Uuid::now_v7()).collect();
    assert_eq!(answer(json!(many)).await.refused(), "invalid_fields");
    clerk.get(&path(&private)).await.ok();
    answer(json!([public, private, first, public])).await.ok();
    for (n, voice) in [&first, &public, &private].into_iter().enumerate() {
        let read = authors[n].get(&path(voice)).await.ok();
        let answers = read["answers"].as_array().unwrap();
        assert_eq!((&read["state"], answers.len()), (&json!("answered"), 1), "{read}");
        assert_eq!(answers[0]["text"], "明天换灯");
        let told = cards_in(&app, authors[n].person, "thread").await;
        assert!(told.contains(&"suggestion_answered".to_owned()), "{told:?}");
    }
    // each says by itself whether it is solved
    authors[1].post(&format!("{}/rating", path(&public)), json!({ "rating": 1 })).await.ok();
    assert_eq!((state(1, &public).await, state(0, &first).await), (json!("accepted"), json!("answered")));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_desk_offers_what_is_about_the_same_and_was_read() {
    let (app, village, authors) = scene().await;
    let clerk = &village.clerk;
    // more than the desk offers, and due earlier: what nobody has read hides nothing
    for _ in 0..20 {
        speak(&authors[2], "handlers").await;
    }
    app.pass(TimeDelta::days(1)).await;
    let first = speak(&authors[0], "public").await;
    let public = speak(&authors[1], "public").await;
    let private = speak(&authors[2], "handlers").await;
    clerk.post(&format!("{}/accept", path(&first)), json!(null)).await.ok();
    let desk = format!("/desk/suggestions/{first}");
    let page = async || String::from_utf8(clerk.download(&desk).await.1).unwrap();
    let shown = page().await;
    assert!(shown.contains(&format!("name=\"also\" value=\"{public}\"")), "{shown}");
    assert!(!shown.contains(&private), "not opened yet");
    clerk.get(&path(&private)).await.ok();
    assert!(page().await.contains(&format!("name=\"also\" value=\"{private}\"")));
    let other = json!({ "kind": "help", "visibility": "public", "text": "水管漏了", "category": "utilities" });
    let other = id(&authors[1].post("/v1/suggestions", other).await.ok());
    assert!(!page().await.contains(&other), "about something else");
    let sent = reqwest::multipart::Form::new().text("text", "明天换灯").text("also", public.clone());
    let asked = clerk.request(reqwest::Method::POST, &format!("{desk}/answer")).header("accept", "text/html");
    assert_eq!(asked.multipart(sent).send().await.unwrap().status().as_u16(), 303);
    assert_eq!(authors[1].get(&path(&public)).await.ok()["answers"][0]["text"], "明天换灯");
    app.stop().await;
}
