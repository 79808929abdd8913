//! 听一听: what can be heard is what can be read, in its present version; answers and machines beside it.
mod answers;
mod machine;

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Somebody, TestApp, Village, answer, count};

const CLIP: &[u8] = include_bytes!("../data/media/lamp.m4a");
const OTHER_CLIP: &[u8] = include_bytes!("../data/media/lamp.mp3");
const PNG: &[u8] = include_bytes!("../data/media/clear.png");

async fn upload(who: &Somebody, bytes: &[u8]) -> String {
    who.upload(bytes.to_vec()).await.ok()["id"].as_str().unwrap().to_owned()
}

async fn put(who: &Somebody, path: &str, media: &str) -> Answer {
    answer(who.request(Method::PUT, path).json(&json!({ "media_id": media }))).await
}

async fn page(app: &TestApp, who: Option<&Somebody>, path: &str) -> String {
    let request = match who {
        Some(who) => who.request(Method::GET, path),
        None => app.http.get(app.url(path)),
    };
    let shown = request.header("accept", "text/html").send().await.unwrap();
    assert_eq!(shown.status(), 200, "{path}");
    shown.text().await.unwrap()
}

/// What somebody without a log-in hears.
async fn heard(app: &TestApp, url: &str) -> (u16, Vec<u8>) {
    let answer = app.http.get(app.url(url)).send().await.unwrap();
    (answer.status().as_u16(), answer.bytes().await.unwrap().to_vec())
}

async fn publish(village: &Village, title: &str) -> String {
    let notice = json!({ "area_code": village.area, "title": title, "text": "周五全村停水一天，请先存水。" });
    village.clerk.post("/v1/notices", notice).await.ok()["id"].as_str().unwrap().to_owned()
}

async fn open_form(village: &Village, matter: &str, purpose: &str) -> String {
    let form = json!({ "subject_id": matter, "area_code": village.area, "purpose": purpose, "title": "修桥", "questions": [
        { "id": "a", "title": "先修哪一座？", "kind": "choice", "options": ["东桥", "西桥"], "required": true }] });
    village.clerk.post("/v1/forms", form).await.ok()["id"].as_str().unwrap().to_owned()
}

async fn revise(village: &Village, notice: &str, version: i32) {
    let change = json!({ "version": version, "title": "停水", "text": "改到周六。", "reason": "改期" });
    village.clerk.post(&format!("/v1/notices/{notice}/revise"), change).await.ok();
}

fn url(clip: &Value) -> String {
    clip["media"]["url"].as_str().unwrap().to_owned()
}

async fn events(app: &TestApp, kind: &str) -> i64 {
    count(app.folder.path(), &format!("SELECT count(*) FROM events WHERE kind = '{kind}'")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_is_heard_by_whoever_may_read_it() {
    let (app, village) = Village::start().await;
    let (ann, neighbour) = (village.villager(&app, "00007").await, village.neighbour(&app).await);
    let notice = publish(&village, "停水").await;
    let path = format!("/v1/aloud/notice/{notice}");
    assert_eq!(app.get(&path).await.refused(), "not_found");
    for who in [None, Some(&ann)] {
        assert!(!page(&app, who, &format!("/notices/{notice}")).await.contains("data-listen"), "no clip, no button");
    }

    // whose it is to publish there, with a clip of the own
    let clip = upload(&village.clerk, CLIP).await;
    assert_eq!(put(&ann, &path, &upload(&ann, CLIP).await).await.refused(), "not_allowed");
    assert_eq!(put(&neighbour, &path, &clip).await.refused(), "not_allowed");
    assert_eq!(put(&village.council_chair, &path, &clip).await.refused(), "mandate_needed");
    assert_eq!(put(&village.clerk, &path, &upload(&ann, CLIP).await).await.refused(), "media_not_usable");
    let photo = put(&village.clerk, &path, &upload(&village.clerk, PNG).await).await;
    assert_eq!(photo.body["errors"][0]["code"], "no_clip", "{}", photo.body);
    let said = put(&village.clerk, &path, &clip).await.ok();
    assert_eq!((&said["version"], &said["is_machine"], &said["about"]), (&json!(1), &json!(false), &json!("notice")));
    assert_eq!(put(&village.clerk, &path, &clip).await.ok(), said, "the same once more");
    assert_eq!(app.get(&path).await.ok(), said);
    assert_eq!(heard(&app, &url(&said)).await, (200, CLIP.to_vec()), "nobody needs a log-in to hear");
    let part = app.http.get(app.url(&url(&said))).header("range", "bytes=0-9").send().await.unwrap();
    assert_eq!(part.headers()["cache-control"], "private, max-age=31536000, immutable", "it is everybody's, and stays");
    assert_eq!((part.status().as_u16(), part.bytes().await.unwrap().to_vec()), (206, CLIP[..10].to_vec()));
    assert_eq!(ann.get(&format!("/v1/media/{clip}")).await.refused(), "not_found", "by no other door");
    for (who, path) in [(None, format!("/notices/{notice}")), (Some(&ann), "/notices".to_owned())] {
        let shown = page(&app, who, &path).await;
        assert!(shown.contains(&url(&said)) && shown.contains("listen.js"), "{shown}");
    }

    // replaced, and the one before is destroyed
    let other = put(&village.chair, &path, &upload(&village.chair, OTHER_CLIP).await).await.ok();
    assert_eq!(heard(&app, &url(&other)).await, (200, OTHER_CLIP.to_vec()));
    assert_eq!(heard(&app, &url(&said)).await.0, 404);
    assert_eq!(village.clerk.download(&format!("/v1/media/{clip}")).await.0, 410);

    // taken away, and nothing is left to press
    let remove = |who: &Somebody| answer(who.request(Method::DELETE, &path));
    assert_eq!(remove(&ann).await.refused(), "not_allowed");
    assert_eq!(remove(&village.clerk).await.status, 204);
    assert_eq!(remove(&village.clerk).await.refused(), "not_found");
    assert_eq!(heard(&app, &url(&other)).await.0, 404);
    assert!(!page(&app, Some(&ann), "/notices").await.contains("data-listen"));
    assert_eq!((events(&app, "clip.recorded").await, events(&app, "clip.removed").await), (2, 1));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clip_says_its_own_version_and_no_other() {
    let (app, village) = Village::start().await;
    let notice = publish(&village, "停水").await;
    let path = format!("/v1/aloud/notice/{notice}");
    let first = upload(&village.clerk, CLIP).await;
    let old = put(&village.clerk, &path, &first).await.ok();
    app.settle().await;
    assert_eq!(heard(&app, &url(&old)).await.0, 200, "what follows from the publication leaves it alone");
    revise(&village, &notice, 1).await;
    // at once, whether or not anything has followed yet
    assert_eq!(heard(&app, &url(&old)).await.0, 404);
    assert_eq!(app.get(&path).await.refused(), "not_found");
    assert!(!page(&app, None, &format!("/notices/{notice}")).await.contains("data-listen"));
    app.settle().await;
    assert_eq!(village.clerk.download(&format!("/v1/media/{first}")).await.0, 410, "it is destroyed");
    // what was read out from a page of the version before is not taken for the present one
    let late = upload(&village.clerk, OTHER_CLIP).await;
    let old_words = json!({ "media_id": late, "version": 1 });
    assert_eq!(answer(village.clerk.request(Method::PUT, &path).json(&old_words)).await.refused(), "changed");
    // spoken anew before anything has followed
    revise(&village, &notice, 2).await;
    let new = put(&village.clerk, &path, &upload(&village.clerk, OTHER_CLIP).await).await.ok();
    assert_eq!(new["version"], 3);
    app.settle().await;
    assert_eq!(app.get(&path).await.ok(), new);
    assert_eq!(heard(&app, &url(&new)).await, (200, OTHER_CLIP.to_vec()));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vote_and_a_matter_are_heard() {
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "修桥").await;
    let vote = village.open_vote(&app, &matter, TimeDelta::days(2)).await;
    let ann = village.villager(&app, "00007").await;
    for (about, id, shown) in [("vote", &vote, "votes"), ("matter", &matter, "matters")] {
        let path = format!("/v1/aloud/{about}/{id}");
        assert_eq!(put(&ann, &path, &upload(&ann, CLIP).await).await.refused(), "not_allowed");
        let said = put(&village.chair, &path, &upload(&village.chair, CLIP).await).await.ok();
        assert_eq!(heard(&app, &url(&said)).await.0, 200);
        for who in [None, Some(&ann)] {
            let shown = page(&app, who, &format!("/{shown}/{id}")).await;
            assert!(shown.contains(&url(&said)) && shown.contains("listen.js"), "{shown}");
        }
        let desk = page(&app, Some(&village.chair), &format!("/desk/{shown}/{id}")).await;
        assert!(desk.contains(&url(&said)) && desk.contains(&format!("/desk/aloud/{about}/{id}")), "{desk}");
    }
    for nothing in
        ["/v1/aloud/vote/rubbish".to_owned(), format!("/v1/aloud/song/{vote}"), format!("/v1/aloud/notice/{vote}")]
    {
        assert_eq!(app.get(&nothing).await.refused(), "not_found", "{nothing}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_survey_asks_is_heard_by_those_it_is_for() {
    let (app, village) = Village::start().await;
    let (ann, neighbour) = (village.villager(&app, "00007").await, village.neighbour(&app).await);
    let matter = village.matter_to_decide(&app, "修桥").await;
    let survey = open_form(&village, &matter, "survey").await;
    let path = format!("/v1/aloud/form/{survey}");
    assert_eq!(put(&ann, &path, &upload(&ann, CLIP).await).await.refused(), "not_allowed");
    assert_eq!(put(&neighbour, &path, &upload(&neighbour, CLIP).await).await.refused(), "not_found");
    let said = put(&village.clerk, &path, &upload(&village.clerk, CLIP).await).await.ok();
    assert_eq!((&said["about"], &said["version"]), (&json!("form"), &json!(1)));

    // who reads the questions hears them, on the form and with the matter; nobody else does
    assert_eq!(ann.get(&path).await.ok(), said);
    let sound = ann.request(Method::GET, &url(&said)).send().await.unwrap();
    assert_eq!(sound.status(), 200);
    assert_eq!(sound.headers()["cache-control"], "private, no-cache", "not everybody's");
    for shown in [format!("/forms/{survey}"), format!("/matters/{matter}")] {
        let shown = page(&app, Some(&ann), &shown).await;
        assert!(shown.contains(&url(&said)) && shown.contains("listen.js"), "{shown}");
    }
    assert!(!page(&app, None, &format!("/matters/{matter}")).await.contains(&url(&said)));
    assert_eq!(heard(&app, &url(&said)).await.0, 404);
    assert_eq!(neighbour.download(&url(&said)).await.0, 404);
    for answer in [app.get(&path).await, neighbour.get(&path).await] {
        assert_eq!(answer.refused(), "not_found");
    }

    // at the desk: all of the questions to read out
    let desk = page(&app, Some(&village.clerk), &format!("/desk/forms/{survey}")).await;
    assert!(desk.contains(&url(&said)) && desk.contains(&format!("/desk/aloud/form/{survey}")), "{desk}");
    let desk = page(&app, Some(&village.clerk), &format!("/desk/aloud/form/{survey}")).await;
    assert!(desk.contains("第1问，先修哪一座？") && desk.contains("第2项，西桥"), "{desk}");

    // a visit is asked at the door; what is closed is not said anew
    let visit = format!("/v1/aloud/form/{}", open_form(&village, &matter, "visit").await);
    assert_eq!(put(&village.clerk, &visit, &upload(&village.clerk, CLIP).await).await.refused(), "not_found");
    village.clerk.post(&format!("/v1/forms/{survey}/close"), json!(null)).await.ok();
    let late = upload(&village.clerk, OTHER_CLIP).await;
    assert_eq!(put(&village.clerk, &path, &late).await.refused(), "wrong_state");
    app.stop().await;
}

/// At the desk: the text to read out, and a form with the recording, once however often it is sent.
#[tokio::test(flavor = "multi_thread")]
async fn the_desk_records_with_a_file_and_takes_it_down() {
    let (app, village) = Village::start().await;
    let notice = publish(&village, "停水").await;
    let path = format!("/desk/aloud/notice/{notice}");
    assert!(page(&app, Some(&village.clerk), &format!("/desk/notices/{notice}")).await.contains(&path));
    let shown = page(&app, Some(&village.clerk), &path).await;
    assert!(shown.contains("请先存水") && shown.contains("data-speak") && shown.contains("type=\"file\""), "{shown}");
    // who sits there and may not publish reads along
    let shown = page(&app, Some(&village.supervisor), &path).await;
    assert!(shown.contains("请先存水") && !shown.contains("type=\"file\""), "{shown}");
    let send = async |key: &str, file: Option<&'static [u8]>| {
        let form = reqwest::multipart::Form::new().text("client_id", key.to_owned());
        let form = match file {
            Some(bytes) => form.part("voice", reqwest::multipart::Part::bytes(bytes).file_name("voice.m4a")),
            None => form,
        };
        let sent = village.clerk.request(Method::POST, &path).header("accept", "text/html").multipart(form);
        let sent = sent.send().await.unwrap();
        (sent.status().as_u16(), sent.text().await.unwrap())
    };
    let (status, shown) = send("a", None).await;
    assert_eq!(status, 422, "{shown}");
    assert_eq!(send("b", Some(PNG)).await.0, 422);
    assert_eq!(send("c", Some(CLIP)).await.0, 303);
    assert_eq!(send("c", Some(CLIP)).await.0, 303, "once more");
    assert_eq!(events(&app, "clip.recorded").await, 1);
    let said = app.get(&format!("/v1/aloud/notice/{notice}")).await.ok();
    assert!(page(&app, Some(&village.clerk), &path).await.contains(&url(&said)));
    let remove = village.clerk.request(Method::POST, &format!("{path}/remove")).send().await.unwrap();
    assert_eq!(remove.status(), 303);
    assert_eq!(app.get(&format!("/v1/aloud/notice/{notice}")).await.refused(), "not_found");
    app.stop().await;
}
