//! An answer that is spoken: as private as its voice, in words for a guest; who spoke for an office may go.
use chrono::TimeDelta;
use serde_json::json;
use uuid::Uuid;

use super::{CLIP, OTHER_CLIP, PNG, events, heard, page, publish, put, upload, url};
use crate::support::{Somebody, Village};

async fn accepted(village: &Village, author: &Somebody, visibility: &str) -> String {
    let voice = json!({ "kind": "help", "visibility": visibility, "text": "灯坏了" });
    let voice = author.post("/v1/suggestions", voice).await.ok()["id"].as_str().unwrap().to_owned();
    village.clerk.get(&format!("/v1/suggestions/{voice}")).await.ok();
    village.clerk.post(&format!("/v1/suggestions/{voice}/accept"), json!(null)).await.ok();
    voice
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_spoken_and_as_private_as_its_voice() {
    let (app, village) = Village::start().await;
    let (author, other) = (village.villager(&app, "00007").await, village.villager(&app, "00011").await);
    let voice = accepted(&village, &author, "handlers").await;
    let path = format!("/v1/suggestions/{voice}");
    let answers = format!("{path}/answers");
    assert_eq!(village.clerk.post(&answers, json!({})).await.refused(), "invalid_fields", "neither words nor a clip");
    let photo = json!({ "clip_media_id": upload(&village.clerk, PNG).await });
    assert_eq!(village.clerk.post(&answers, photo).await.refused(), "invalid_fields");
    let strange = json!({ "clip_media_id": upload(&other, CLIP).await });
    assert_eq!(village.clerk.post(&answers, strange).await.refused(), "media_not_usable");
    assert_eq!(
        put(&village.clerk, &format!("{path}/answer-clip"), &Uuid::now_v7().to_string()).await.refused(),
        "wrong_state"
    );
    let clip = upload(&village.clerk, CLIP).await;
    village.clerk.post(&answers, json!({ "clip_media_id": clip })).await.ok();
    let seen = author.get(&path).await.ok();
    let (text, url) = (&seen["answers"][0]["text"], seen["answers"][0]["clip"]["url"].as_str().unwrap().to_owned());
    assert_eq!(text, "");
    assert_eq!(author.download(&url).await, (200, CLIP.to_vec()));
    assert!(page(&app, Some(&author), &format!("/suggestions/{voice}")).await.contains(&url));
    assert_eq!(other.get(&url).await.refused(), "not_found");
    assert_eq!(heard(&app, &url).await.0, 401);
    assert_eq!(app.get(&format!("/v1/clips/{clip}")).await.refused(), "not_found", "it is none of those for everybody");
    // whoever handles it leaves a trace, also when only the clip is asked for
    village.chair.download(&url).await;
    assert_eq!(author.get(&path).await.ok()["readings"].as_array().unwrap().len(), 2);

    // what was only spoken is the answer itself, and is not exchanged
    let again = format!("{path}/answer-clip");
    let other_words = upload(&village.chair, OTHER_CLIP).await;
    assert_eq!(put(&village.chair, &again, &other_words).await.refused(), "wrong_state");

    // written words may be said anew: the clip before is destroyed
    let voice = accepted(&village, &author, "handlers").await;
    let path = format!("/v1/suggestions/{voice}");
    let written = json!({ "text": "下周修好", "clip_media_id": upload(&village.clerk, CLIP).await });
    village.clerk.post(&format!("{path}/answers"), written).await.ok();
    let seen = author.get(&path).await.ok();
    let url = seen["answers"][0]["clip"]["url"].as_str().unwrap().to_owned();
    let again = format!("{path}/answer-clip");
    assert_eq!(put(&other, &again, &upload(&other, CLIP).await).await.refused(), "not_found");
    assert_eq!(put(&author, &again, &upload(&author, CLIP).await).await.refused(), "not_allowed");
    put(&village.chair, &again, &other_words).await.ok();
    let seen = author.get(&path).await.ok();
    let newest = seen["answers"][0]["clip"]["url"].as_str().unwrap().to_owned();
    assert_eq!(author.download(&newest).await, (200, OTHER_CLIP.to_vec()));
    assert_eq!(village.clerk.download(&url).await.0, 410);
    assert_eq!(events(&app, "suggestion.answer_spoken").await, 1);

    // gone with the account of whose voice it answers
    author.post("/v1/me/closing", json!({ "understood": true })).await.ok();
    app.pass(TimeDelta::days(15)).await;
    assert_eq!(village.chair.download(&newest).await.0, 410);
    app.stop().await;
}

/// Who is on no roster reads the answer by a code and hears nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_guest_is_answered_in_words() {
    let (app, village) = Village::start().await;
    let voice = json!({ "area_code": village.area, "kind": "help", "text": "路过，桥上有个洞" });
    village.clerk.post("/v1/guests/records", voice).await.ok();
    let list = village.clerk.get("/v1/suggestions?scope=desk").await.ok();
    let path = format!("/v1/suggestions/{}", list["items"][0]["id"].as_str().unwrap());
    village.clerk.get(&path).await.ok();
    village.clerk.post(&format!("{path}/accept"), json!(null)).await.ok();
    let clip = upload(&village.clerk, CLIP).await;
    let spoken = village.clerk.post(&format!("{path}/answers"), json!({ "clip_media_id": clip })).await;
    assert_eq!(spoken.body["errors"][0]["field"], "text", "{}", spoken.body);
    let both = json!({ "text": "补好了", "clip_media_id": clip });
    village.clerk.post(&format!("{path}/answers"), both).await.ok();
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_spoke_for_the_office_may_go() {
    let (app, village) = Village::start().await;
    let (clerk, author) = (&village.clerk, village.villager(&app, "00007").await);
    let notice = publish(&village, "停水").await;
    let said = put(clerk, &format!("/v1/aloud/notice/{notice}"), &upload(clerk, CLIP).await).await.ok();
    let voice = accepted(&village, &author, "public").await;
    let answered = json!({ "text": "修", "clip_media_id": upload(clerk, CLIP).await });
    clerk.post(&format!("/v1/suggestions/{voice}/answers"), answered).await.ok();
    let seen = author.get(&format!("/v1/suggestions/{voice}")).await.ok();
    let answer = seen["answers"][0]["clip"]["url"].as_str().unwrap().to_owned();
    // what is the clerk's own goes
    let own = upload(clerk, CLIP).await;
    let private = json!({ "kind": "help", "visibility": "town", "text": "", "media": [own] });
    clerk.post("/v1/suggestions", private).await.ok();
    let own = format!("/v1/media/{own}");
    assert_eq!(clerk.download(&own).await.0, 200);
    clerk.post("/v1/me/consents", json!({ "purpose": "voice_clips", "is_given": false })).await.ok();
    assert_eq!(clerk.download(&own).await.0, 410);
    village.end_seat_of(&app, clerk.person).await;
    clerk.post("/v1/me/closing", json!({ "understood": true })).await.ok();
    app.pass(TimeDelta::days(15)).await;
    assert_eq!(clerk.get("/v1/me").await.refused(), "session_ended");
    assert_eq!(heard(&app, &url(&said)).await, (200, CLIP.to_vec()));
    let author = Somebody::signed_in(&app, author.person).await;
    assert_eq!(author.download(&answer).await, (200, CLIP.to_vec()));
    app.stop().await;
}
