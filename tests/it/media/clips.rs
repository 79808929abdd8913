//! How loud a clip is, and the copy of what most phones do not play: by ffmpeg, outside of every request, within limits.
use std::{os::unix::fs::PermissionsExt, path::Path, time::Duration};

use chrono::TimeDelta;
use liusheng::{config::Config, media::conversion};
use reqwest::Method;
use serde_json::{Value, json};

use super::{CLIP, PNG, files};
use crate::support::{FFMPEG, Process, Somebody, TestApp, Village, count, free_port, is_ffmpeg, monday};

pub(super) const AMR: &[u8] = include_bytes!("../../data/media/lamp.amr");
const WEBM: &[u8] = include_bytes!("../../data/media/lamp-chrome.webm");
const WAV: &[u8] = include_bytes!("../../data/media/lamp.wav");
pub(super) const M4A: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/media/lamp.m4a");

/// A program in ffmpeg's place: it notes that it was called, sleeps, and gives a clip or plain sound.
pub(super) fn stand_in(folder: &Path, sleep: &str, clip: &str) -> String {
    let program = folder.join("ffmpeg");
    let lines = format!(
        "#!/bin/sh\necho x >>{0}/calls\n{sleep}\ncase \"$*\" in *\"-f s16le\"*) head -c 16000 /dev/zero;; *) {clip};; esac\n",
        folder.display()
    );
    std::fs::write(&program, lines).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    program.to_str().unwrap().to_owned()
}

fn calls(folder: &Path) -> usize {
    std::fs::read_to_string(folder.join("calls")).unwrap_or_default().lines().count()
}

async fn with(program: String) -> TestApp {
    TestApp::start_with(monday(), |config: &mut Config| config.ffmpeg = program).await
}

/// A private voice with this clip; the clip as its author sees it.
async fn spoken(who: &Somebody, clip: &[u8]) -> (String, Value) {
    let media = who.upload(clip.to_vec()).await.ok();
    let voice = json!({ "kind": "help", "visibility": "handlers", "text": "", "media": [media["id"]] });
    let voice = who.post("/v1/suggestions", voice).await.ok();
    (format!("/v1/suggestions/{}", voice["id"].as_str().unwrap()), voice["media"][0].clone())
}

async fn waiting(app: &TestApp) -> i64 {
    count(app.folder.path(), "SELECT count(*) FROM media WHERE work_at IS NOT NULL").await
}

/// Until nothing waits for the program, whoever runs it.
async fn worked(app: &TestApp) {
    for _ in 0..400 {
        conversion::run_due(&app.app).await.unwrap();
        if waiting(app).await == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("a clip still waits for ffmpeg");
}

/// Until the program was called so often: sound, and then a copy, for each try.
async fn until_called(folder: &Path, times: usize) {
    for _ in 0..400 {
        if calls(folder) >= times {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{} calls instead of {times}", calls(folder));
}

fn mime_of(answer: &reqwest::Response) -> &str {
    answer.headers()["content-type"].to_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_we_decode_has_its_levels_at_once_and_everything_else_is_kept_without() {
    let (app, village) = Village::start().await;
    let wav = village.clerk.upload(WAV.to_vec()).await.ok();
    let levels: Vec<u64> = wav["levels"].as_array().unwrap().iter().map(|one| one.as_u64().unwrap()).collect();
    assert_eq!((levels.len(), levels.iter().max()), (48, Some(&31)), "{levels:?}");
    assert_eq!(waiting(&app).await, 0);
    let amr = village.clerk.upload(AMR.to_vec()).await.ok();
    assert_eq!((&amr["mime"], &amr["levels"], &amr["duration_ms"]), (&json!("audio/amr"), &Value::Null, &json!(3_000)));
    assert_eq!(conversion::run_due(&app.app).await.unwrap(), 0, "no program, no work");
    assert_eq!(waiting(&app).await, 1);
    // asked for a copy that is not there yet: the clip itself, which nobody keeps as if it were the copy
    let answer = village.clerk.request(Method::GET, amr["url"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(
        (mime_of(&answer), answer.headers()["cache-control"].to_str().unwrap()),
        ("audio/amr", "private, no-cache")
    );
    assert_eq!(answer.bytes().await.unwrap(), AMR);
    let photo = village.clerk.upload(PNG.to_vec()).await.ok();
    assert_eq!(photo["levels"], Value::Null);
    let whole = format!("{}?size=played", photo["url"].as_str().unwrap());
    assert_eq!(village.clerk.request(Method::GET, &whole).send().await.unwrap().status(), 200, "a photo is a photo");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_wechat_records_is_heard_on_every_phone() {
    if !is_ffmpeg("AMR becomes what phones play") {
        return;
    }
    let app = with(FFMPEG.to_owned()).await;
    let village = Village::found(&app).await;
    let author = village.villager(&app, "00007").await;
    let (voice, sent) = spoken(&author, AMR).await;
    let (_, webm) = spoken(&author, WEBM).await;
    worked(&app).await;
    assert_eq!(files(&app), 3, "two clips and a copy, and nothing left lying");
    let clip = author.get(&voice).await.ok()["media"][0].clone();
    assert_eq!((&clip["mime"], &clip["url"]), (&json!("audio/mp4"), &sent["url"]));
    assert_eq!(clip["levels"].as_array().unwrap().len(), 48);
    let answer = author.request(Method::GET, clip["url"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(mime_of(&answer), "audio/mp4");
    assert_eq!(answer.headers()["cache-control"], "private, no-cache", "it is not everybody's");
    let copy = answer.bytes().await.unwrap();
    assert_eq!(&copy[4..8], b"ftyp");
    // the clip itself, byte for byte, at its own address
    let own = format!("/v1/media/{}", clip["id"].as_str().unwrap());
    assert_eq!(author.download(&own).await, (200, AMR.to_vec()));
    // of WebM there is no copy; it is drawn
    let drawn = author.get("/v1/suggestions?scope=mine").await.ok();
    let drawn = drawn["items"].as_array().unwrap().iter().find(|one| one["media"][0]["id"] == webm["id"]).unwrap();
    assert_eq!((&drawn["media"][0]["mime"], &drawn["media"][0]["url"]), (&json!("audio/webm"), &webm["url"]));
    assert!(drawn["media"][0]["levels"].as_array().unwrap().iter().any(|level| *level == 31));
    let shown = author.request(Method::GET, voice.strip_prefix("/v1").unwrap()).header("accept", "text/html");
    assert!(shown.send().await.unwrap().text().await.unwrap().contains("class=\"waves\""));
    // sealed like the clip, as private, and gone with it
    let on_disk = copies(&app);
    assert!(!std::fs::read(&on_disk[0]).unwrap().windows(4).any(|four| four == b"ftyp"));
    let url = clip["url"].as_str().unwrap();
    assert_eq!(village.villager(&app, "00011").await.get(url).await.refused(), "not_found");
    author.post("/v1/me/consents", json!({ "purpose": "voice_clips", "is_given": false })).await.ok();
    assert_eq!(author.download(url).await.0, 410);
    author.post("/v1/me/closing", json!({ "understood": true })).await.ok();
    app.pass(TimeDelta::days(15)).await;
    assert!(copies(&app).is_empty(), "{:?}", copies(&app));
    app.stop().await;
}

/// Copies on the disk.
fn copies(app: &TestApp) -> Vec<std::path::PathBuf> {
    fn below(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                below(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "played") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    below(&app.app.config.media_dir(), &mut found);
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ffmpeg_makes_is_inspected_and_it_is_tried_three_times() {
    for clip in ["exit 1", "printf '<svg/>'", "cat /dev/zero", "kill -9 $$", "head -c 3000 /dev/zero"] {
        let folder = tempfile::tempdir().unwrap();
        let app = with(stand_in(folder.path(), "", clip)).await;
        let village = Village::found(&app).await;
        let (voice, _) = spoken(&village.chair, AMR).await;
        for _ in 0..5 {
            conversion::run_due(&app.app).await.unwrap();
            app.pass(TimeDelta::hours(3)).await;
        }
        until_called(folder.path(), 6).await;
        app.pass(TimeDelta::days(1)).await;
        assert_eq!((conversion::run_due(&app.app).await.unwrap(), calls(folder.path())), (0, 6), "{clip}");
        let kept = village.chair.get(&voice).await.ok()["media"][0].clone();
        assert_eq!((&kept["mime"], &kept["levels"]), (&json!("audio/amr"), &Value::Null), "{clip}");
        assert_eq!(village.chair.download(kept["url"].as_str().unwrap()).await, (200, AMR.to_vec()));
        assert!(copies(&app).is_empty(), "{clip}");
        assert_eq!(std::fs::read_dir(app.app.config.media_dir().join("incoming")).unwrap().count(), 0, "{clip}");
        assert_eq!(liusheng::media::commands::redrive(&app.app.store).await.unwrap(), 1, "{clip}");
        app.stop().await;
    }
}

/// A program that hangs holds up its own clip and nobody else.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_program_holds_up_no_upload_and_what_is_erased_meanwhile_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let app = with(stand_in(
        folder.path(),
        &format!("while [ ! -e {}/go ]; do sleep 0.1; done", folder.path().display()),
        &format!("cat {M4A}"),
    ))
    .await;
    let village = Village::found(&app).await;
    let author = village.villager(&app, "00007").await;
    spoken(&author, AMR).await;
    until_called(folder.path(), 1).await;
    spoken(&village.chair, CLIP).await;
    author.post("/v1/me/consents", json!({ "purpose": "voice_clips", "is_given": false })).await.ok();
    assert_eq!(calls(folder.path()), 1, "one at a time");
    std::fs::write(folder.path().join("go"), "").unwrap();
    worked(&app).await;
    assert!(copies(&app).is_empty());
    let played = "SELECT count(*) FROM media WHERE played_mime IS NOT NULL";
    assert_eq!(count(app.folder.path(), played).await, 0);
    app.stop().await;
}

/// Whether its sound was drawn before, waits for its program, or is heard meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn of_what_is_erased_no_sound_is_drawn_and_no_program_takes_it_up() {
    let folder = tempfile::tempdir().unwrap();
    let hangs = format!("while [ ! -e {}/go ]; do sleep 0.1; done", folder.path().display());
    let app = with(stand_in(folder.path(), &hangs, &format!("cat {M4A}"))).await;
    let village = Village::found(&app).await;
    let author = village.villager(&app, "00007").await;
    spoken(&author, WEBM).await;
    until_called(folder.path(), 1).await;
    spoken(&author, WAV).await;
    spoken(&author, AMR).await;
    let drawn = "SELECT count(*) FROM media WHERE levels IS NOT NULL";
    assert_eq!((count(app.folder.path(), drawn).await, waiting(&app).await), (1, 2));
    author.post("/v1/me/consents", json!({ "purpose": "voice_clips", "is_given": false })).await.ok();
    assert_eq!((count(app.folder.path(), drawn).await, waiting(&app).await), (0, 0));
    std::fs::write(folder.path().join("go"), "").unwrap();
    // what the program heard comes too late
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!((count(app.folder.path(), drawn).await, calls(folder.path())), (0, 1));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_most_phones_cannot_play_is_worked_on_first() {
    let folder = tempfile::tempdir().unwrap();
    let app = with(String::new()).await;
    let village = Village::found(&app).await;
    spoken(&village.chair, WEBM).await;
    app.pass(TimeDelta::minutes(1)).await;
    spoken(&village.chair, AMR).await;
    let house = app.close().await;
    let notes = format!("echo \"$*\" >>{}/forms", folder.path().display());
    let program = stand_in(folder.path(), &notes, &format!("cat {M4A}"));
    let later = monday() + TimeDelta::days(1);
    let app = TestApp::start_with_in(house, later, |config: &mut Config| config.ffmpeg = program).await;
    // the server takes one after the other; a round of ours would begin the next beside it
    until_called(folder.path(), 3).await;
    let forms = std::fs::read_to_string(folder.path().join("forms")).unwrap();
    assert!(forms.lines().next().unwrap().contains("-f amr "), "{forms}");
    app.stop().await;
}

/// Somebody who has just spoken waits to hear it; what failed and waits since yesterday waits a little longer.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_clips_that_wait_the_newest_comes_first() {
    let folder = tempfile::tempdir().unwrap();
    let app = with(String::new()).await;
    let village = Village::found(&app).await;
    spoken(&village.chair, AMR).await;
    app.pass(TimeDelta::minutes(1)).await;
    spoken(&village.chair, AMR).await;
    let house = app.close().await;
    let hangs = format!("while [ ! -e {}/go ]; do sleep 0.1; done", folder.path().display());
    let program = stand_in(folder.path(), &hangs, &format!("cat {M4A}"));
    let later = monday() + TimeDelta::days(1);
    let app = TestApp::start_with_in(house, later, |config: &mut Config| config.ffmpeg = program).await;
    until_called(folder.path(), 1).await;
    let tried = "SELECT count(*) FROM media WHERE work_tries = 1";
    let newest = format!("{tried} AND created_at = (SELECT max(created_at) FROM media)");
    assert_eq!((count(app.folder.path(), tried).await, count(app.folder.path(), &newest).await), (1, 1));
    std::fs::write(folder.path().join("go"), "").unwrap();
    worked(&app).await;
    app.stop().await;
}

/// Killed while the program runs: the clip is taken up again by whoever starts next, with its second try.
#[tokio::test(flavor = "multi_thread")]
async fn a_clip_that_waits_survives_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let program = stand_in(folder.path(), "sleep 600", &format!("cat {M4A}"));
    let app = with(String::new()).await;
    let village = Village::found(&app).await;
    let (voice, _) = spoken(&village.chair, AMR).await;
    let chair = village.chair.person;
    let house = app.close().await;
    let log = folder.path().join("log");
    let mut server = Process::serve(house.path(), free_port(), &[("LIUSHENG_FFMPEG", &program)], &log).await;
    until_called(folder.path(), 1).await;
    server.kill();
    server.wait();
    let tries = "SELECT count(*) FROM media WHERE work_at IS NOT NULL AND work_tries = 1";
    assert_eq!(count(house.path(), tries).await, 1, "nothing waits for the program");
    let program = stand_in(folder.path(), "", &format!("cat {M4A}"));
    let later = monday() + TimeDelta::days(60);
    let app = TestApp::start_with_in(house, later, |config: &mut Config| config.ffmpeg = program).await;
    worked(&app).await;
    let chair = Somebody::signed_in(&app, chair).await;
    let clip = chair.get(&voice).await.ok()["media"][0].clone();
    assert_eq!(clip["mime"], "audio/mp4");
    // a copy that was lost is made anew, and meanwhile the clip is there
    std::fs::remove_file(&copies(&app)[0]).unwrap();
    assert_eq!(chair.download(clip["url"].as_str().unwrap()).await, (200, AMR.to_vec()));
    worked(&app).await;
    assert_eq!(copies(&app).len(), 1);
    std::fs::remove_file(&copies(&app)[0]).unwrap();
    let made = liusheng::backup::make(&app.app.config, &folder.path().join("backup"), false, &app.clock).await;
    assert!(made.is_ok_and(|made| !made.is_whole), "a copy that its row promises is not there");
    app.stop().await;
}
