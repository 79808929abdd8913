//! Photos and clips that wait for somebody who looks, or are hidden alone: the words are read meanwhile.
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::json;

use super::{CLIP, Scene, appeal, appeals, decide, hide};
use crate::{
    county::operator,
    support::{Somebody, TestApp, answer, told_in},
};

/// As when a clock goes by itself while this is done.
async fn as_time_goes<T>(app: &TestApp, done: impl Future<Output = T>) -> T {
    let (clock, is_over) = (app.clock.clone(), Arc::new(AtomicBool::new(false)));
    let over = Arc::clone(&is_over);
    let hand = std::thread::spawn(move || {
        while !over.load(Ordering::Relaxed) {
            clock.advance(TimeDelta::milliseconds(1));
            std::thread::sleep(Duration::from_micros(50));
        }
    });
    let done = done.await;
    is_over.store(true, Ordering::Relaxed);
    hand.join().unwrap();
    done
}

impl Scene {
    /// A voice with a clip, where such are looked at first; and where the clip lies.
    async fn held(&self, text: &str) -> (String, String) {
        let review = format!("/v1/areas/{}/media-review", self.village.area);
        answer(self.village.clerk.request(Method::PUT, &review).json(&json!({ "is_on": true }))).await.ok();
        let clip = self.author.upload(CLIP.to_vec()).await.ok();
        let voice = json!({ "kind": "complaint", "visibility": "public", "text": text, "media": [clip["id"]] });
        let voice = self.author.post("/v1/suggestions", voice).await.ok();
        assert_eq!((&voice["is_hidden"], &voice["is_media_hidden"]), (&json!(false), &json!(true)));
        (
            format!("/v1/suggestions/{}", voice["id"].as_str().unwrap()),
            voice["media"][0]["url"].as_str().unwrap().to_owned(),
        )
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn photos_and_clips_wait_for_somebody_who_looks_where_it_is_said_so() {
    let scene = Scene::set().await;
    let Scene { village, author, neighbour, .. } = &scene;
    let with_clip = async |visibility: &str, text: &str| {
        let clip = author.upload(CLIP.to_vec()).await.ok();
        let voice = json!({ "kind": "complaint", "visibility": visibility, "text": text, "media": [clip["id"]] });
        let voice = author.post("/v1/suggestions", voice).await.ok();
        (
            format!("/v1/suggestions/{}", voice["id"].as_str().unwrap()),
            voice["media"][0]["url"].as_str().unwrap().to_owned(),
        )
    };
    let review = format!("/v1/areas/{}/media-review", village.area);
    let set = async |who: &Somebody, path: &str, is_on: bool| {
        answer(who.request(Method::PUT, path).json(&json!({ "is_on": is_on }))).await
    };
    let (before, _) = with_clip("public", "请听").await;
    assert_eq!(set(neighbour, &review, true).await.refused(), "not_allowed");
    let desk = village.clerk.request(Method::POST, "/desk/held/media").header("accept", "text/html");
    let desk = desk.header("content-type", "application/x-www-form-urlencoded");
    let switched = desk.body(format!("area={}&is_on=1", village.area)).send().await.unwrap();
    assert_eq!(switched.status().as_u16(), 303);
    let said = scene.app.get(&review).await.ok();
    assert_eq!((&said["is_on"], &said["area_code"]), (&json!(true), &json!(village.area)));
    // without words held whole, with the reason, until somebody has looked; what was left before stays as it is
    let (voice, sound) = with_clip("public", "").await;
    assert_eq!((neighbour.get(&before).await.status, neighbour.get(&voice).await.status), (200, 404));
    assert_eq!((neighbour.download(&sound).await.0, author.download(&sound).await.0), (404, 200));
    let own = author.get(&voice).await.ok();
    assert!(own["hiding"]["reason"].as_str().unwrap().contains("照片、录音要先看一看"), "{own}");
    assert!(scene.cards(&village.clerk, "office").await.iter().any(|code| code == "office_suggestion_held"));
    hide(&village.clerk, &voice, false, "").await.ok();
    assert_eq!((neighbour.get(&voice).await.status, neighbour.download(&sound).await.0), (200, 200));
    // words are there at once
    let (voice, sound) = with_clip("public", "请听").await;
    let seen = neighbour.get(&voice).await.ok();
    assert_eq!((&seen["text"], &seen["is_media_hidden"]), (&json!("请听"), &json!(true)));
    assert_eq!((neighbour.download(&sound).await.0, village.clerk.download(&sound).await.0), (404, 200));
    // words alone, and what is not public, wait for nobody
    let words = scene.speak("灯不亮了").await;
    assert_eq!(neighbour.get(&words).await.status, 200);
    let (private, _) = with_clip("handlers", "请听").await;
    assert_eq!(author.get(&private).await.ok()["is_hidden"], false);
    // what the town says no village takes back
    let above = format!("/v1/areas/{}/media-review", &village.area[..9]);
    set(&village.town, &above, true).await.ok();
    let still = set(&village.clerk, &review, false).await.ok();
    assert_eq!((&still["is_on"], &still["area_code"]), (&json!(true), &json!(village.area[..9])));
    let page = village.clerk.request(Method::GET, "/desk/held").header("accept", "text/html").send().await.unwrap();
    let page = page.text().await.unwrap();
    assert!(page.contains("先看后公开") && page.contains("上级打开的"), "{page}");
    let (_, sound) = with_clip("public", "请听").await;
    assert_eq!(neighbour.download(&sound).await.0, 404);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn words_are_read_while_the_clip_alone_is_hidden() {
    let scene = Scene::set().await;
    let Scene { village, author, neighbour, .. } = &scene;
    let (voice, sound) = scene.held("请听").await;
    // its author, and who handles it, see why; its neighbours only that there is something
    let (seen, own) = (neighbour.get(&voice).await.ok(), author.get(&voice).await.ok());
    assert_eq!((seen.get("media"), seen.get("hiding"), &seen["text"]), (None, None, &json!("请听")), "{seen}");
    assert_eq!((&own["media"][0]["url"], &own["hiding"]["state"]), (&json!(sound), &json!("hidden")));
    let listed = neighbour.get("/v1/suggestions?scope=village").await.ok()["items"][0].clone();
    assert_eq!((listed.get("media"), &listed["text"]), (None, &json!("请听")), "{listed}");
    let page = async |who: &Somebody, path: &str| {
        let shown = who.request(Method::GET, path).header("accept", "text/html").send().await.unwrap();
        shown.text().await.unwrap()
    };
    let path = voice.trim_start_matches("/v1");
    let (near, own) = (page(neighbour, path).await, page(author, path).await);
    assert!(near.contains("照片、录音现在不公开") && !near.contains(&sound) && near.contains("请听"), "{near}");
    assert!(own.contains(&sound) && own.contains("文字村里人看得到"), "{own}");
    assert!(scene.cards(author, "thread").await.iter().any(|code| code == "suggestion_media_held"));
    let office = scene.cards(&village.clerk, "office").await;
    assert!(office.iter().any(|code| code == "office_suggestion_media_held"), "{office:?}");
    // who stands behind the words hears of the answer at once, and not once more
    let cosign = neighbour.request(Method::PUT, &format!("{voice}/cosign")).json(&json!({ "is_on": true }));
    answer(cosign).await.ok();
    village.clerk.post(&format!("{voice}/accept"), json!(null)).await.ok();
    village.clerk.post(&format!("{voice}/answers"), json!({ "text": "听了" })).await.ok();
    let heard =
        async || scene.cards(neighbour, "mailbox").await.iter().filter(|code| *code == "cosigned_answered").count();
    assert_eq!(heard().await, 1);
    // no deadline reminds of the clip any more, so the answer does
    let office = scene.cards(&village.clerk, "office").await;
    assert_eq!(office.iter().filter(|code| *code == "office_suggestion_media_held").count(), 2, "{office:?}");
    // it stands on the office's list until somebody has looked, and on nobody else's
    let waits = async |who: &Somebody| page(who, "/desk").await.contains("看一看能不能公开");
    assert_eq!((waits(&village.clerk).await, waits(&village.supervisor).await), (true, false));
    hide(&village.clerk, &voice, false, "").await.ok();
    assert!(!waits(&village.clerk).await, "it was looked at");
    assert_eq!((heard().await, neighbour.download(&sound).await.0), (1, 200));
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clip_stays_hidden_for_a_reason_and_its_author_objects() {
    let scene = Scene::set().await;
    let Scene { village, author, neighbour, .. } = &scene;
    let (voice, sound) = scene.held("请听").await;
    let hears = async |who: &Somebody| who.download(&sound).await.0;
    let path = format!("/desk{}/hide", voice.trim_start_matches("/v1"));
    let desk = village.clerk.request(Method::POST, &path).header("accept", "text/html");
    let desk = desk.header("content-type", "application/x-www-form-urlencoded");
    let sent = desk.body("is_media_only=1&reason=%E6%8B%8D%E5%88%B0%E4%BA%86%E5%AD%A9%E5%AD%90").send().await.unwrap();
    assert_eq!(sent.status().as_u16(), 303);
    assert_eq!(author.get(&voice).await.ok()["hiding"]["reason"], "拍到了孩子");
    assert_eq!((neighbour.get(&voice).await.status, hears(neighbour).await), (200, 404));
    assert_eq!(hears(&village.town).await, 404, "nobody has asked the town");
    appeal(author, &voice).await.ok();
    assert_eq!(hide(&village.clerk, &voice, true, "全部").await.refused(), "wrong_state", "an office was asked");
    let asked = appeals(&village.town).await;
    assert_eq!((asked.len(), &asked[0]["is_media_only"]), (1, &json!(true)));
    assert_eq!((hears(&village.town).await, decide(&village.town, &voice, true).await.status), (200, 204));
    assert_eq!(hears(neighbour).await, 200);
    let shown = told_in(&scene.app, author.person, "thread").await;
    let shown = shown.iter().find(|body| body["card"] == "suggestion_media_shown").unwrap();
    assert!(shown["text"].as_str().unwrap().contains("看过了"), "{shown}");
    // what has neither photo nor clip has nothing to be hidden alone; what waits may be hidden whole
    let words = scene.speak("灯不亮了").await;
    let only = json!({ "is_on": true, "is_media_only": true, "reason": "照片" });
    let only = answer(village.clerk.request(Method::PUT, &format!("{words}/hiding")).json(&only)).await;
    assert_eq!(only.refused(), "wrong_state");
    let (held, _) = scene.held("某某家住桥头").await;
    assert_eq!(hide(&village.clerk, &held, true, "写了住址").await.ok()["is_hidden"], true);
    assert_eq!((neighbour.get(&held).await.status, author.get(&held).await.status), (404, 200));
    assert_eq!(author.get(&held).await.ok()["hiding"]["reason"], "写了住址");
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn words_are_hidden_for_another_reason_when_the_clip_stays_hidden() {
    let scene = Scene::set().await;
    let Scene { village, author, neighbour, .. } = &scene;
    let (voice, sound) = scene.held("请听，某某家住桥头").await;
    let only = json!({ "is_on": true, "is_media_only": true, "reason": "拍到了孩子" });
    let only = async || answer(village.clerk.request(Method::PUT, &format!("{voice}/hiding")).json(&only)).await;
    only().await.ok();
    appeal(author, &voice).await.ok();
    assert_eq!(decide(&village.town, &voice, false).await.status, 204);
    assert_eq!(only().await.refused(), "wrong_state", "the clip is hidden already, and an office has said its word");
    let desk = village.clerk.request(Method::GET, &format!("/desk{}", voice.trim_start_matches("/v1")));
    let desk = desk.header("accept", "text/html").send().await.unwrap().text().await.unwrap();
    assert!(desk.contains("改为不公开") && !desk.contains("is_media_only"), "{desk}");
    // all of it, for a reason of its own, and its author objects anew
    assert_eq!(hide(&village.clerk, &voice, true, "").await.refused(), "invalid_fields");
    let hidden = as_time_goes(&scene.app, hide(&village.clerk, &voice, true, "写了住址")).await;
    assert_eq!(hidden.ok()["is_hidden"], true);
    let own = author.get(&voice).await.ok();
    assert_eq!((&own["hiding"]["reason"], &own["hiding"]["state"]), (&json!("写了住址"), &json!("hidden")));
    assert_eq!((neighbour.get(&voice).await.status, own["hiding"].get("appeal")), (404, None));
    scene.app.pass(TimeDelta::minutes(1)).await;
    appeal(author, &voice).await.ok();
    let asked = appeals(&village.town).await;
    assert_eq!((asked.len(), &asked[0]["reason"], &asked[0]["is_media_only"]), (1, &json!("写了住址"), &json!(false)));
    // shown again, its clip stays as the town had left it, and its words stay shown
    assert_eq!(decide(&village.town, &voice, true).await.status, 204);
    assert_eq!((neighbour.get(&voice).await.status, neighbour.download(&sound).await.0), (200, 404));
    let own = author.get(&voice).await.ok();
    assert_eq!((&own["hiding"]["reason"], &own["hiding"]["state"]), (&json!("拍到了孩子"), &json!("upheld")));
    assert_eq!(hide(&village.clerk, &voice, true, "还是写了住址").await.refused(), "wrong_state");
    hide(&village.clerk, &voice, false, "").await.ok();
    assert_eq!(neighbour.download(&sound).await.0, 200);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_runs_the_county_hears_a_hidden_clip_for_a_reason_that_its_author_reads() {
    let scene = Scene::set().await;
    let (author, county) = (&scene.author, operator(&scene.app).await);
    let (voice, sound) = scene.held("请听").await;
    assert_eq!((county.get(&voice).await.status, county.download(&sound).await.0), (200, 404));
    let number = author.get(&voice).await.ok()["number"].as_str().unwrap().to_owned();
    let reason = "有人投诉说照片被藏起来了";
    let encoded: String = reason.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let desk = county.request(Method::POST, "/desk/county/voices").header("accept", "text/html");
    let desk = desk.header("content-type", "application/x-www-form-urlencoded");
    let sent = desk.body(format!("number={number}&reason={encoded}")).send().await.unwrap();
    let place = sent.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(place, voice.replace("/v1/suggestions", "/desk/county/voices"), "asked for no reason");
    assert_eq!(county.download(&sound).await.0, 200);
    let shown = county.request(Method::GET, &place).header("accept", "text/html").send().await.unwrap();
    assert!(shown.text().await.unwrap().contains(&sound));
    assert!(author.get(&voice).await.ok()["readings"].to_string().contains(reason));
    scene.app.stop().await;
}
