//! Residents' voices: who sees which, promises with a clock, and who opened what.
use chrono::TimeDelta;
use liusheng::app;
use serde_json::{Value, json};

use crate::support::{Somebody, TestApp, Village, answer, cards_in, hidden};

const CLIP: &[u8] = include_bytes!("../data/media/lamp.m4a");
const PHOTO: &[u8] = include_bytes!("../data/media/clear.png");

struct Scene {
    app: TestApp,
    village: Village,
    author: Somebody,
}

impl Scene {
    async fn set() -> Self {
        Self::set_at("2026-11-02T01:00:00Z").await
    }

    async fn set_at(time: &str) -> Self {
        let app = TestApp::start_at(time.parse().unwrap()).await;
        let village = Village::found(&app).await;
        let author = village.villager(&app, "00007").await;
        Self { app, village, author }
    }

    async fn speak(&self, kind: &str, visibility: &str) -> Value {
        let voice = json!({ "kind": kind, "visibility": visibility, "text": "桥头的路灯\r\n坏了", "place": "桥头" });
        self.author.post("/v1/suggestions", voice).await.ok()
    }

    /// Codes of the cards in a stream of this kind, oldest first.
    async fn cards(&self, who: &Somebody, kind: &str) -> Vec<String> {
        cards_in(&self.app, who.person, kind).await
    }
}

fn path(voice: &Value) -> String {
    format!("/v1/suggestions/{}", voice["id"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_voice_is_heard_by_those_it_is_meant_for_and_by_nobody_else() {
    let scene = Scene::set().await;
    let village = &scene.village;
    let neighbour = village.villager(&scene.app, "00010").await;
    let stranger = village.neighbour(&scene.app).await;
    let everybody =
        [&neighbour, &stranger, &village.clerk, &village.member, &village.supervisor, &village.town, &scene.author];
    let sight = [
        ("public", [200, 404, 200, 200, 200, 200, 200]),
        ("handlers", [404, 404, 200, 404, 404, 404, 200]),
        ("town", [404, 404, 404, 404, 404, 200, 200]),
    ];
    for (visibility, expected) in sight {
        let voice = scene.speak("complaint", visibility).await;
        for (at, (who, status)) in everybody.iter().zip(expected).enumerate() {
            assert_eq!(who.get(&path(&voice)).await.status, status, "{visibility} by number {at}");
            let accept = who.post(&format!("{}/accept", path(&voice)), json!(null)).await;
            let handles = matches!((visibility, at), ("public" | "handlers", 2) | ("town", 5));
            if !handles {
                assert!([403, 404].contains(&accept.status), "{visibility} by number {at}: {}", accept.status);
            } else {
                accept.ok();
            }
        }
        assert_eq!(scene.app.get(&path(&voice)).await.status, 401);
    }
    let public = neighbour.get("/v1/suggestions?scope=village").await.ok();
    assert_eq!(public["items"].as_array().unwrap().len(), 1);
    assert_eq!(public["items"][0]["author_name"], "费**", "{public}");
    assert_eq!(stranger.get("/v1/suggestions?scope=village").await.ok()["items"], json!([]));
    assert_eq!(neighbour.get("/v1/suggestions?scope=desk").await.refused(), "not_allowed");
    assert_eq!(village.town.get("/v1/suggestions?scope=desk").await.ok()["items"].as_array().unwrap().len(), 1);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_author_sees_who_opened_the_voice_and_lists_do_not_open_it() {
    let scene = Scene::set().await;
    let clip = scene.author.upload(CLIP.to_vec()).await.ok();
    let voice = json!({ "kind": "help", "visibility": "handlers", "text": "请听录音", "media": [clip["id"]] });
    let voice = scene.author.post("/v1/suggestions", voice).await.ok();
    let clerk = &scene.village.clerk;
    let desk = clerk.get("/v1/suggestions?scope=desk").await.ok();
    assert_eq!(desk["items"].as_array().unwrap().len(), 1);
    assert!(!desk.to_string().contains("请听录音"), "the list tells that there is one, not what it says: {desk}");
    let readings = async || scene.author.get(&path(&voice)).await.ok()["readings"].clone();
    assert_eq!(readings().await.as_array().map_or(0, Vec::len), 0);
    let url = clip["url"].as_str().unwrap();
    assert_eq!(clerk.download(url).await.0, 200);
    let first = readings().await;
    assert_eq!((&first[0]["person_name"], &first[0]["times"]), (&json!("姚志刚"), &json!(1)), "{first}");
    let opened = clerk.get(&path(&voice)).await.ok();
    assert_eq!(opened["author_name"], "费海荣", "who handles it must know whom to visit");
    assert_eq!(readings().await[0]["times"], 2);
    assert!(
        clerk.get(&path(&voice)).await.ok()["readings"].as_array().is_none_or(Vec::is_empty),
        "for the author only"
    );
    for who in [&scene.village.town, &scene.village.villager(&scene.app, "00010").await] {
        assert_eq!(who.download(url).await.0, 404);
    }
    scene.app.stop().await;
}

/// The page of a voice.
async fn shown(who: &Somebody, voice: &Value) -> String {
    let page = format!("/suggestions/{}", voice["id"].as_str().unwrap());
    let page = who.request(reqwest::Method::GET, &page).header("accept", "text/html").send().await.unwrap();
    page.text().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn promises_skip_the_national_day_and_count_the_saturday_worked_instead() {
    let scene = Scene::set_at("2026-09-30T02:00:00Z").await;
    let voice = scene.speak("help", "public").await;
    assert!(voice["number"].as_str().unwrap().starts_with("103202-20260930-"), "village and day");
    assert_eq!(voice["accept_due_at"], "2026-10-10T00:00:00+08:00", "two working days: the 8th and the 9th");
    assert_eq!(voice["answer_due_at"], "2026-10-16T00:00:00+08:00", "the worked Saturday, the 10th, is one of seven");
    let praise = scene.speak("praise", "public").await;
    assert_eq!(praise["answer_due_at"], "2026-10-28T00:00:00+08:00");
    scene.app.pass(TimeDelta::days(9)).await;
    assert_eq!(scene.author.get(&path(&voice)).await.ok().get("overdue"), None);
    scene.app.pass(TimeDelta::days(1)).await;
    assert_eq!(scene.author.get(&path(&voice)).await.ok()["overdue"], "accept");
    let page = shown(&scene.author, &voice).await;
    assert!(
        page.contains("<p class=\"notice warn\" role=\"status\">已经过了答应您的日子"),
        "a warning looks like one: {page}"
    );
    let overdue = |cards: Vec<String>| cards.into_iter().filter(|card| card.contains("overdue")).count();
    assert_eq!(overdue(scene.cards(&scene.village.clerk, "office").await), 2, "one card a voice");
    scene.app.pass(TimeDelta::hours(1)).await;
    assert_eq!(overdue(scene.cards(&scene.village.clerk, "office").await), 2, "and not again");
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_voice_sent_twice_is_one_and_a_wrong_one_is_told_everything_at_once() {
    let scene = Scene::set().await;
    let body = json!({ "kind": "suggestion", "visibility": "public", "text": "多装两盏灯" });
    let first = scene.author.post_once("/v1/suggestions", "s1", body.clone()).await.ok();
    assert_eq!(scene.author.post_once("/v1/suggestions", "s1", body.clone()).await.ok(), first);
    let other = json!({ "kind": "suggestion", "visibility": "public", "text": "多装三盏灯" });
    assert_eq!(scene.author.post_once("/v1/suggestions", "s1", other).await.refused(), "idempotency_mismatch");
    let neighbour = scene.village.villager(&scene.app, "00010").await;
    let theirs = neighbour.post_once("/v1/suggestions", "s1", body).await.ok();
    assert_ne!(theirs["id"], first["id"], "a key is its sender's own");
    let [one, two] = [&first, &theirs].map(|voice| voice["number"].as_str().unwrap().rsplit_once('-').unwrap().1);
    assert!(one.len() == 6 && two.len() == 6, "{one} {two}");
    let numbers = [one, two].map(|digits| digits.parse::<u32>().unwrap());
    assert_ne!(numbers[0] + 1, numbers[1], "numbers in a row would tell of a voice that one may not see");
    let long =
        json!({ "kind": "help", "visibility": "handlers", "text": "长".repeat(20_000), "place": "远".repeat(500) });
    let refused = scene.author.post("/v1/suggestions", long).await;
    assert_eq!((refused.status, refused.body["errors"].as_array().map(Vec::len)), (422, Some(2)), "{}", refused.body);
    let empty = json!({ "kind": "help", "visibility": "handlers" });
    assert_eq!(scene.author.post("/v1/suggestions", empty).await.body["errors"][0]["field"], "text");
    let next = scene.village.neighbour(&scene.app).await;
    let nobody = json!({ "kind": "help", "visibility": "public", "text": "有人吗" });
    assert_eq!(next.post("/v1/suggestions", nobody).await.refused(), "no_body_responsible");
    scene.app.stop().await;
}

/// A phone sends a draft for seven days, and may not have heard that it came.
#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_a_voice_is_known_for_longer_than_a_phone_keeps_its_draft() {
    let scene = Scene::set().await;
    let body = json!({ "kind": "help", "visibility": "handlers", "text": "没网的时候写的" });
    let voice = scene.author.post_once("/v1/suggestions", "draft", body.clone()).await.ok();
    let clip = answer(scene.author.uploading(Some("clip"), CLIP.to_vec())).await.ok();
    for (days, is_known) in [(7, true), (2, false)] {
        scene.app.clock.advance(TimeDelta::days(days));
        app::forget_old_keys(&scene.app.app.store).await.unwrap();
        let again = scene.author.post_once("/v1/suggestions", "draft", body.clone()).await.ok();
        assert_eq!(again["id"] == voice["id"], is_known, "after {days} more days");
    }
    let other = answer(scene.author.uploading(Some("clip"), CLIP.to_vec())).await.ok();
    assert_ne!(other["id"], clip["id"], "other keys are known for a day");
    scene.app.stop().await;
}

/// What an office says aloud may last two.
#[tokio::test(flavor = "multi_thread")]
async fn a_clip_of_a_voice_or_a_message_lasts_a_minute() {
    let scene = Scene::set().await;
    let Scene { author, village, .. } = &scene;
    // silence: 20 ms in each byte
    let clip = async |who: &Somebody, ms: usize| {
        let clip = [b"#!AMR\n".to_vec(), vec![0x7C; ms / 20]].concat();
        who.upload(clip).await.ok()["id"].clone()
    };
    let long = clip(author, 61_000).await;
    let voice = |clip: Value| json!({ "kind": "help", "visibility": "handlers", "media": [clip] });
    let refused = author.post("/v1/suggestions", voice(long.clone())).await;
    assert_eq!((refused.status, &refused.body["errors"][0]["code"]), (422, &json!("clip_too_long")));
    let left = author.post("/v1/suggestions", voice(clip(author, 60_000).await)).await.ok();

    let messages = format!("/v1/streams/{}/messages", left["stream_id"].as_str().unwrap());
    let message = |clip: Value| json!({ "client_id": uuid::Uuid::now_v7(), "media": [clip] });
    let refused = author.post(&messages, message(long.clone())).await;
    assert_eq!((refused.status, &refused.body["errors"][0]["code"]), (422, &json!("clip_too_long")));
    author.post(&messages, message(clip(author, 60_000).await)).await.ok();

    village.clerk.post(&format!("{}/accept", path(&left)), json!(null)).await.ok();
    let spoken = json!({ "clip_media_id": clip(&village.clerk, 120_000).await });
    village.clerk.post(&format!("{}/answers", path(&left)), spoken).await.ok();
    let page = author.request(reqwest::Method::GET, "/speak").header("accept", "text/html").send().await.unwrap();
    assert!(page.text().await.unwrap().contains("最长一分钟"));
    // the form that is shown again does not bring along what is too long: no shorter one could be sent in its place
    let long = long.as_str().unwrap();
    let (status, _, page) = posted(author, &form("long", "", &[("media", long)]), None).await;
    assert!(status == 422 && page.contains("录音最长一分钟，请") && page.contains("重新录"), "{page}");
    assert!(!page.contains(long), "{page}");
    scene.app.stop().await;
}

/// The form of the page, with more fields.
fn form<'a>(key: &'a str, text: &'a str, more: &[(&'static str, &'a str)]) -> Vec<(&'static str, &'a str)> {
    let mut fields = vec![("client_id", key), ("kind", "help"), ("visibility", "handlers"), ("text", text)];
    fields.extend_from_slice(more);
    fields
}

/// Sends it as a browser does; status, where it leads, page.
async fn posted(who: &Somebody, fields: &[(&'static str, &str)], file: Option<&'static [u8]>) -> (u16, String, String) {
    let mut form = reqwest::multipart::Form::new();
    for (name, value) in fields {
        form = form.text(*name, (*value).to_owned());
    }
    if let Some(bytes) = file {
        form = form.part("photos", reqwest::multipart::Part::bytes(bytes).file_name("file"));
    }
    let request = who.request(reqwest::Method::POST, "/speak").header("accept", "text/html").multipart(form);
    let sent = request.send().await.unwrap();
    let place = sent.headers().get("location").map(|place| place.to_str().unwrap().to_owned()).unwrap_or_default();
    (sent.status().as_u16(), place, sent.text().await.unwrap())
}

/// A phone that did not hear our answer, or on which somebody else has logged in, tries again.
#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_is_tried_again_says_what_came_and_speaks_for_nobody_else() {
    let scene = Scene::set().await;
    let author = &scene.author;
    let (status, voice, _) = posted(author, &form("k", "水沟堵了", &[]), None).await;
    assert!(status == 303 && voice.starts_with("/suggestions/"), "{status} {voice}");
    assert_eq!(posted(author, &form("k", "水沟堵了", &[("again", "1")]), None).await.1, voice);
    let (status, _, page) = posted(author, &form("k", "水沟又堵了", &[]), None).await;
    assert!(status == 422 && page.contains("已经送到了") && page.contains("水沟又堵了"), "{page}");
    let (status, place, _) = posted(author, &form("k", "水沟堵了", &[("again", "1"), ("place", "桥头")]), None).await;
    assert_eq!((status, place.as_str()), (303, "/suggestions"), "it is there, whatever its files are called now");

    // a file under the key of another one says nothing about the voice
    let long = "长".repeat(3000);
    assert_eq!(posted(author, &form("f", &long, &[]), Some(CLIP)).await.0, 422);
    let (status, place, page) = posted(author, &form("f", "灯坏了", &[("again", "1")]), Some(PHOTO)).await;
    assert_eq!((status, place.as_str()), (422, ""));
    assert!(!page.contains("已经送到了") && page.contains("灯坏了"), "{page}");

    let asked = author.request(reqwest::Method::GET, "/speak").header("accept", "text/html").send().await.unwrap();
    let writer = hidden(&asked.text().await.unwrap(), "writer");
    let neighbour = scene.village.villager(&scene.app, "00010").await;
    let (status, place, _) = posted(&neighbour, &form("w", "是谁说的", &[("writer", &writer)]), None).await;
    assert_eq!((status, place.as_str()), (303, "/"));
    assert!(posted(author, &form("w", "是我说的", &[("writer", &writer)]), None).await.1.starts_with("/suggestions/"));
    for (who, count) in [(author, 2), (&neighbour, 0)] {
        let own = who.get("/v1/suggestions?scope=mine").await.ok();
        assert_eq!(own["items"].as_array().map(Vec::len), Some(count));
    }
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_voice_is_given_to_somebody_answered_and_comes_back_when_nothing_was_solved() {
    let scene = Scene::set().await;
    let (clerk, chair) = (&scene.village.clerk, &scene.village.chair);
    let voice = scene.speak("help", "handlers").await;
    let step = |name: &str| format!("{}/{name}", path(&voice));
    assert_eq!(
        clerk.post(&step("answers"), json!({ "text": "好的" })).await.refused(),
        "wrong_state",
        "not accepted yet"
    );
    assert_eq!(scene.author.post(&step("accept"), json!(null)).await.refused(), "not_allowed");
    clerk.post(&step("accept"), json!(null)).await.ok();
    assert_eq!(chair.post(&step("accept"), json!(null)).await.refused(), "wrong_state");
    let outsider = json!({ "person_id": scene.village.villager(&scene.app, "00010").await.person });
    assert_eq!(clerk.post(&step("assign"), outsider).await.status, 422);
    clerk.post(&step("assign"), json!({ "person_id": chair.person })).await.ok();
    chair.post(&step("answers"), json!({ "text": "灯泡换好了。" })).await.ok();
    assert_eq!(
        clerk.post(&step("rating"), json!({ "rating": 5 })).await.refused(),
        "not_allowed",
        "only the author rates"
    );
    assert_eq!(scene.author.post(&step("rating"), json!({ "rating": 6 })).await.status, 422);
    let unsolved = scene.author.post(&step("rating"), json!({ "rating": 1, "text": "还是黑的" })).await.ok();
    assert!(shown(&scene.author, &voice).await.contains("您说没有解决，要重新办。"), "it was heard");
    assert_eq!(unsolved["state"], "accepted", "a bad rating opens it again");
    chair.post(&step("answers"), json!({ "text": "线路也换好了。" })).await.ok();
    let solved = scene.author.post(&step("rating"), json!({ "rating": 5 })).await.ok();
    assert_eq!((&solved["state"], solved["answers"].as_array().map(Vec::len)), (&json!("rated"), Some(2)));
    assert_eq!(scene.author.post(&step("rating"), json!({ "rating": 5 })).await.refused(), "wrong_state");
    let told = scene.cards(&scene.author, "thread").await;
    assert!(told.iter().filter(|card| card.contains("answered")).count() == 2, "{told:?}");
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_clerks_at_once_accept_a_voice_once() {
    let scene = Scene::set().await;
    let voice = scene.speak("help", "public").await;
    let accept = format!("{}/accept", path(&voice));
    let both =
        tokio::join!(scene.village.clerk.post(&accept, json!(null)), scene.village.chair.post(&accept, json!(null)));
    let mut statuses = [both.0.status, both.1.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    let told = scene.cards(&scene.author, "thread").await;
    assert_eq!(told.iter().filter(|card| *card == "suggestion_accepted").count(), 1, "{told:?}");
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_s_own_voices_come_by_pages_newest_first() {
    let scene = Scene::set().await;
    let mut spoken = Vec::new();
    for _ in 0..5 {
        spoken.push(scene.speak("consult", "handlers").await["id"].clone());
        scene.app.clock.advance(TimeDelta::seconds(1));
    }
    spoken.reverse();
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = scene.author.get(&format!("/v1/suggestions?scope=mine&limit=2{cursor}")).await.ok();
        seen.extend(page["items"].as_array().unwrap().iter().map(|item| item["id"].clone()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, spoken);
    assert_eq!(scene.author.get("/v1/suggestions?scope=mine&cursor=rubbish").await.refused(), "invalid_cursor");
    assert_eq!(scene.author.get("/v1/suggestions?scope=all").await.refused(), "invalid_request");
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_taken_up_or_is_for_others_is_explained_and_may_be_said_to_be_unsolved() {
    let scene = Scene::set().await;
    let Scene { village, author, .. } = &scene;
    for outcome in ["declined", "outside"] {
        let voice = scene.speak("complaint", "handlers").await;
        let path = format!("/v1/suggestions/{}", voice["id"].as_str().unwrap());
        village.clerk.post(&format!("{path}/accept"), json!(null)).await.ok();
        let clip = village.clerk.upload(include_bytes!("../data/media/lamp.m4a").to_vec()).await.ok();
        let spoken = json!({ "clip_media_id": clip["id"], "outcome": outcome });
        assert_eq!(
            village.clerk.post(&format!("{path}/answers"), spoken).await.refused(),
            "invalid_fields",
            "in words"
        );
        let answer = json!({ "text": "这事由法院判，请到镇法庭立案", "outcome": outcome });
        village.clerk.post(&format!("{path}/answers"), answer).await.ok();
        let shown = author.get(&path).await.ok();
        assert_eq!((&shown["answers"][0]["outcome"], &shown["state"]), (&json!(outcome), &json!("answered")));
        author.post(&format!("{path}/rating"), json!({ "rating": 1 })).await.ok();
        village.clerk.post(&format!("{path}/answers"), json!({ "text": "我们陪您去" })).await.ok();
        assert_eq!(author.get(&path).await.ok()["answers"][1]["outcome"], "answered");
    }
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_wants_to_be_called_is_named_to_whoever_answers_and_to_nobody_else() {
    let scene = Scene::set().await;
    let (village, neighbour) = (&scene.village, scene.village.villager(&scene.app, "00010").await);
    let voice = json!({ "kind": "help", "visibility": "public", "text": "请来看看水管", "reply_wish": "call" });
    let voice = path(&scene.author.post("/v1/suggestions", voice).await.ok());
    let (own, clerks) = (scene.author.get(&voice).await.ok(), village.clerk.get(&voice).await.ok());
    assert_eq!((&own["reply_wish"], &clerks["reply_wish"]), (&json!("call"), &json!("call")));
    assert_eq!(clerks["author_name"], own["author_name"], "in full");
    for other in [&neighbour, &village.member, &village.town] {
        let seen = other.get(&voice).await.ok();
        assert!(seen["author_name"].as_str().unwrap().contains('*') && seen.get("reply_wish").is_none(), "{seen}");
    }
    let desk = village.clerk.request(reqwest::Method::GET, &format!("/desk{}", voice.trim_start_matches("/v1")));
    let desk = desk.header("accept", "text/html");
    assert!(desk.send().await.unwrap().text().await.unwrap().contains("请打电话告诉我"));
    // who asks for nothing of the kind is told to nobody
    let plain = path(&scene.speak("help", "public").await);
    let seen = village.clerk.get(&plain).await.ok();
    assert!(seen["author_name"].as_str().unwrap().contains('*') && seen.get("reply_wish").is_none(), "{seen}");
    scene.app.stop().await;
}
