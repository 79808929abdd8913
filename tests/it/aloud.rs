//! 听一听: what can be heard is what can be read, in its present version; by whom it is spoken, and by which machine.
use std::{path::Path, time::Duration};

use chrono::TimeDelta;
use liusheng::{aloud, config::Config};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Answer, Somebody, TestApp, Village, answer, count, monday};

const CLIP: &[u8] = include_bytes!("../data/media/lamp.m4a");
const OTHER_CLIP: &[u8] = include_bytes!("../data/media/lamp.mp3");
const PNG: &[u8] = include_bytes!("../data/media/clear.png");
const WAV: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/media/lamp.wav");

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
    let app = TestApp::start().await;
    let village = Village::found(&app).await;
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
    let app = TestApp::start().await;
    let village = Village::found(&app).await;
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
    let app = TestApp::start().await;
    let village = Village::found(&app).await;
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

/// At the desk: the text to read out, and a form with the recording, once however often it is sent.
#[tokio::test(flavor = "multi_thread")]
async fn the_desk_records_with_a_file_and_takes_it_down() {
    let app = TestApp::start().await;
    let village = Village::found(&app).await;
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

async fn accepted(village: &Village, author: &Somebody, visibility: &str) -> String {
    let voice = json!({ "kind": "help", "visibility": visibility, "text": "灯坏了" });
    let voice = author.post("/v1/suggestions", voice).await.ok()["id"].as_str().unwrap().to_owned();
    village.clerk.get(&format!("/v1/suggestions/{voice}")).await.ok();
    village.clerk.post(&format!("/v1/suggestions/{voice}/accept"), json!(null)).await.ok();
    voice
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_spoken_and_as_private_as_its_voice() {
    let app = TestApp::start().await;
    let village = Village::found(&app).await;
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

    // said anew: the one before is destroyed
    let again = format!("{path}/answer-clip");
    assert_eq!(put(&other, &again, &upload(&other, CLIP).await).await.refused(), "not_found");
    assert_eq!(put(&author, &again, &upload(&author, CLIP).await).await.refused(), "not_allowed");
    put(&village.chair, &again, &upload(&village.chair, OTHER_CLIP).await).await.ok();
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
    let app = TestApp::start().await;
    let village = Village::found(&app).await;
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
    let app = TestApp::start().await;
    let village = Village::found(&app).await;
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

/// A server whose speech command is this program of lines.
async fn with_command(folder: &Path, lines: &str) -> TestApp {
    let program = folder.join("say");
    std::fs::write(&program, lines).unwrap();
    let command = format!("/bin/sh {}", program.display());
    TestApp::start_with(monday(), |config: &mut Config| config.speech_command = command).await
}

/// Until the command was tried so often in all.
async fn tried(app: &TestApp, times: i64) {
    for _ in 0..400 {
        aloud::run_due(&app.app).await.unwrap();
        let sum = "SELECT CAST(COALESCE(SUM(tries), 0) AS BIGINT) FROM aloud_clips";
        if count(app.folder.path(), sum).await >= times {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the command was not tried");
}

async fn until_heard(app: &TestApp, path: &str) -> Value {
    for _ in 0..400 {
        aloud::run_due(&app.app).await.unwrap();
        let said = app.get(path).await;
        if said.status == 200 {
            return said.body;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("nobody says {path}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_says_what_nobody_has_spoken() {
    let folder = tempfile::tempdir().unwrap();
    let words = folder.path().join("words");
    let app = with_command(folder.path(), &format!("cat >>{}; cat {WAV}", words.display())).await;
    let village = Village::found(&app).await;
    let spoken = publish(&village, "大家自己念的").await;
    let spoken = format!("/v1/aloud/notice/{spoken}");
    put(&village.clerk, &spoken, &upload(&village.clerk, CLIP).await).await.ok();
    let matter = village.matter_to_decide(&app, "修桥").await;
    let vote = village.open_vote(&app, &matter, TimeDelta::days(2)).await;
    let notice = publish(&village, "停水").await;
    app.settle().await;
    let said = until_heard(&app, &format!("/v1/aloud/notice/{notice}")).await;
    assert_eq!((&said["is_machine"], &said["media"]["mime"]), (&json!(true), &json!("audio/wav")));
    assert_eq!(heard(&app, &url(&said)).await, (200, std::fs::read(WAV).unwrap()));
    until_heard(&app, &format!("/v1/aloud/vote/{vote}")).await;
    assert_eq!(app.get(&spoken).await.ok()["is_machine"], false, "who has spoken is not spoken over");
    assert_eq!(app.get(&format!("/v1/aloud/matter/{matter}")).await.refused(), "not_found");
    let heard_words = std::fs::read_to_string(&words).unwrap();
    assert!(heard_words.contains("请先存水") && heard_words.contains("是否同意"), "{heard_words}");

    // a new version is said anew; what a person says takes the machine's place; what was taken down is left in peace
    revise(&village, &notice, 1).await;
    app.settle().await;
    let path = format!("/v1/aloud/notice/{notice}");
    assert_eq!(until_heard(&app, &path).await["version"], 2);
    assert!(std::fs::read_to_string(&words).unwrap().contains("改到周六"));
    put(&village.clerk, &path, &upload(&village.clerk, CLIP).await).await.ok();
    assert_eq!(app.get(&path).await.ok()["is_machine"], false);
    assert_eq!(answer(village.clerk.request(Method::DELETE, &path)).await.status, 204);
    let before = std::fs::read_to_string(&words).unwrap();
    app.pass(TimeDelta::days(1)).await;
    aloud::run_due(&app.app).await.unwrap();
    assert_eq!(std::fs::read_to_string(&words).unwrap(), before);
    assert_eq!(app.get(&path).await.refused(), "not_found");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_fails_is_tried_three_times_and_what_is_no_clip_is_not_taken() {
    let folder = tempfile::tempdir().unwrap();
    // first it fails, then it writes what is no recording, then nothing; it would be well the fourth time
    let tries = folder.path().join("tries");
    let lines = format!(
        "cat >/dev/null; echo x >>{0}; case $(wc -l <{0}) in 1) exit 1;; 2) echo '<svg/>';; 3) ;; *) cat {WAV};; esac",
        tries.display()
    );
    let app = with_command(folder.path(), &lines).await;
    let village = Village::found(&app).await;
    let notice = publish(&village, "停水").await;
    app.settle().await;
    for n in 1..=3 {
        tried(&app, n).await;
        aloud::run_due(&app.app).await.unwrap();
        app.pass(TimeDelta::hours(3)).await;
    }
    for _ in 0..3 {
        app.pass(TimeDelta::days(1)).await;
        aloud::run_due(&app.app).await.unwrap();
    }
    assert_eq!(std::fs::read_to_string(&tries).unwrap().lines().count(), 3);
    assert_eq!(app.get(&format!("/v1/aloud/notice/{notice}")).await.refused(), "not_found");
    assert_eq!(count(app.folder.path(), "SELECT count(*) FROM media").await, 0);
    let left = std::fs::read_dir(app.app.config.media_dir().join("incoming")).unwrap().count();
    assert_eq!(left, 0, "nothing is left lying");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_hangs_holds_up_nobody_and_ends_with_us() {
    let folder = tempfile::tempdir().unwrap();
    let pid = folder.path().join("pid");
    let app = with_command(folder.path(), &format!("echo $$ >{}; sleep 600", pid.display())).await;
    let village = Village::found(&app).await;
    let ann = village.villager(&app, "00007").await;
    publish(&village, "停水").await;
    app.settle().await;
    let mut running = String::new();
    for _ in 0..400 {
        running = std::fs::read_to_string(&pid).unwrap_or_default();
        if running.ends_with('\n') {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let running = Path::new("/proc").join(running.trim());
    assert!(running.exists());
    // everything else goes on
    let notice = publish(&village, "另一件事").await;
    let told = json!({ "text": "我不同意" });
    ann.post(&format!("/v1/notices/{notice}/objections"), told).await.ok();
    app.pass(TimeDelta::hours(1)).await;
    assert!(running.exists(), "and it still runs");
    app.stop().await;
    for _ in 0..100 {
        if !running.exists() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it runs on after us");
}
