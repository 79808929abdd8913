//! Beside a masked name stands no id by which it could be looked up.
use reqwest::Method;
use serde_json::{Value, json};

use super::{Scene, entries, entry, listed, message, page, said_in, say_in};
use crate::support::{Somebody, answer};

/// Who said what stands there, as somebody reads it; the own id of the one who spoke is nowhere.
async fn sender(stream: &str, reader: &Somebody, (speaker, seq): (&Somebody, i64)) -> Value {
    let shown = entry(stream, reader, seq).await;
    assert!(shown["sender"]["name"].as_str().unwrap().contains('*'), "{shown}");
    assert!(!shown.to_string().contains(&speaker.person.to_string()), "{shown}");
    shown["sender"]["id"].clone()
}

#[tokio::test]
async fn who_speaks_under_a_masked_name_is_the_same_there_and_another_elsewhere() {
    let Scene { app, village, talk, ann, bob } = Scene::set().await;
    let other = json!({ "area_code": village.area, "title": "修塘", "summary": "塘坝要修一修。" });
    let other = village.chair.post("/v1/matters", other).await.ok();
    let other = village.discussion(&app, other["id"].as_str().unwrap()).await.to_string();
    let (first, second) = (said_in(&talk, &ann, "桥墩裂了").await, said_in(&talk, &ann, "真的裂了").await);
    let (bobs, elsewhere) = (said_in(&talk, &bob, "我也看见了").await, said_in(&other, &ann, "塘也漏了").await);
    let clerk = &village.clerk;
    let mask = sender(&talk, clerk, (&ann, first)).await;
    assert_eq!(sender(&talk, clerk, (&ann, second)).await, mask, "that it is the same person is seen");
    assert_ne!(sender(&talk, clerk, (&bob, bobs)).await, mask);
    assert_ne!(sender(&other, clerk, (&ann, elsewhere)).await, mask, "and not by what was said elsewhere");
    assert_eq!(listed(&talk, &ann).await.unwrap()["me"], mask, "an app knows its own");
    assert_eq!(entry(&talk, &ann, first).await["sender"]["id"], mask, "one entry for all");
    let office = said_in(&talk, clerk, "明天去看").await;
    assert_eq!(entry(&talk, &ann, office).await["sender"]["id"], json!(clerk.person), "who speaks for a body is named");

    // what many add to a list, and what answers quote
    let list = json!({ "client_id": uuid::Uuid::now_v7(), "title": "订杨梅" });
    let list = clerk.post(&format!("/v1/streams/{talk}/chains"), list).await.ok()["seq"].as_i64().unwrap();
    let chain = format!("/v1/streams/{talk}/chains/{list}");
    let page = String::from_utf8(ann.download(&format!("/streams/{talk}/chains/{list}")).await.1).unwrap();
    assert!(page.contains("上面有您的全名"), "who starts a list reads full names: {page}");
    let row = json!({ "text": "两斤", "quantity": 2 });
    answer(ann.request(Method::PUT, &format!("{chain}/row")).json(&row)).await.ok();
    assert_eq!(clerk.get(&chain).await.ok()["rows"][0]["person_id"], mask);
    let reply = json!({ "client_id": uuid::Uuid::now_v7(), "text": "是的", "reply_to": first });
    bob.post(&format!("/v1/streams/{talk}/messages"), reply).await.ok();
    let all = json!(entries(&talk, clerk).await).to_string();
    assert!(all.contains("两斤") && all.contains("是的") && !all.contains(&ann.person.to_string()), "{all}");
    app.stop().await;
}

/// What stands there for all to read names nobody, and still each knows whether it is for oneself.
#[tokio::test]
async fn who_is_addressed_under_a_masked_name_is_found_and_told_to_nobody_else() {
    let Scene { app, village, talk, ann, bob } = Scene::set().await;
    let (mut asked, clerk) = (message("您怎么看？"), &village.clerk);
    let bobs = said_in(&talk, &bob, "我在").await;
    said_in(&talk, clerk, "村里也在").await;
    asked["mentions"] = json!([entry(&talk, &ann, bobs).await["sender"]["id"], clerk.person]);
    let seq = say_in(&talk, &ann, asked).await.ok()["seq"].as_i64().unwrap();
    let path = format!("/streams/{talk}");
    for (who, is_meant) in [(&ann, false), (&bob, true), (clerk, true)] {
        let (row, shown) = (listed(&talk, who).await.unwrap(), entry(&talk, who, seq).await);
        assert_eq!(row["is_mentioned"], is_meant, "{row}");
        let mentions = shown["body"]["mentions"].as_array().unwrap();
        let own = mentions.iter().any(|id| *id == row["me"] || *id == json!(who.person));
        assert_eq!(own, is_meant, "an app marks it: {shown} {row}");
        assert!(!shown.to_string().contains(&bob.person.to_string()), "{shown}");
        let page = page(&app, who, &path).await;
        assert_eq!(page.matches("[有人@我]").count(), usize::from(is_meant), "and so does the page: {page}");
        assert!(who.person == bob.person || !page.contains(&bob.person.to_string()), "{page}");
    }
    app.stop().await;
}

#[tokio::test]
async fn neither_a_voice_nor_a_letter_says_whose_it_is_beside_the_masked_name() {
    let Scene { app, village, ann, .. } = Scene::set().await;
    let letter = ann.post("/v1/contacts", json!({})).await.ok()["stream_id"].as_str().unwrap().to_owned();
    let seq = said_in(&letter, &ann, "低保怎么申请").await;
    let by_letter = sender(&letter, &village.clerk, (&ann, seq)).await;
    assert_eq!(listed(&letter, &ann).await.unwrap()["me"], by_letter);
    let voice = json!({ "kind": "complaint", "visibility": "handlers", "text": "桥头的路灯坏了" });
    let voice = ann.post("/v1/suggestions", voice).await.ok();
    app.settle().await;
    village.clerk.get(&format!("/v1/suggestions/{}", voice["id"].as_str().unwrap())).await.ok();
    let thread = voice["stream_id"].as_str().unwrap();
    let seq = said_in(thread, &ann, "补充一句").await;
    assert_ne!(sender(thread, &village.clerk, (&ann, seq)).await, by_letter);
    app.stop().await;
}
