//! What nobody has spoken, a program of the operator's says: within limits, three times at most, and never over a person.
use std::{path::Path, time::Duration};

use chrono::TimeDelta;
use liusheng::{aloud, config::Config};
use reqwest::Method;
use serde_json::{Value, json};

use super::{CLIP, heard, open_form, publish, put, revise, upload, url};
use crate::support::{TestApp, Village, answer, count, monday};

const WAV: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/media/lamp.wav");

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
    let (survey, _) = (open_form(&village, &matter, "survey").await, open_form(&village, &matter, "visit").await);
    let notice = publish(&village, "停水").await;
    app.settle().await;
    let said = until_heard(&app, &format!("/v1/aloud/notice/{notice}")).await;
    assert_eq!((&said["is_machine"], &said["media"]["mime"]), (&json!(true), &json!("audio/wav")));
    assert_eq!(heard(&app, &url(&said)).await, (200, std::fs::read(WAV).unwrap()));
    until_heard(&app, &format!("/v1/aloud/vote/{vote}")).await;
    assert_eq!(app.get(&spoken).await.ok()["is_machine"], false, "who has spoken is not spoken over");
    assert_eq!(app.get(&format!("/v1/aloud/matter/{matter}")).await.refused(), "not_found");
    // what is asked of everybody is said, what is asked at a door is not
    let survey = format!("/v1/aloud/form/{survey}");
    for _ in 0..400 {
        if village.clerk.get(&survey).await.status == 200 {
            break;
        }
        aloud::run_due(&app.app).await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(village.clerk.get(&survey).await.ok()["is_machine"], true);
    assert_eq!(count(app.folder.path(), "SELECT count(*) FROM aloud_clips WHERE about = 'form'").await, 1);
    let heard_words = std::fs::read_to_string(&words).unwrap();
    assert!(
        heard_words.contains("请先存水") && heard_words.contains("是否同意") && heard_words.contains("第1问"),
        "{heard_words}"
    );

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
