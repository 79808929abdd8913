//! The pages as people use them: headless Chromium walks a matter from the first voice to its evaluation.
use std::{
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    time::Duration,
};

use chrono::TimeDelta;
use tokio::sync::mpsc;

use crate::{
    county,
    support::{TestApp, Village, code_of, is_chromium},
};

/// No single step of the story takes longer.
const SILENCE: Duration = Duration::from_secs(120);

/// The story in a process of its own. What it asks of us: `code PHONE`, `pass HOURS` and `voices NUMBER`; other lines are for
/// the reader.
struct Script {
    child: Child,
    stdin: ChildStdin,
    lines: mpsc::UnboundedReceiver<String>,
}

impl Script {
    fn start(story: &str, base: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser");
        assert!(folder.join("node_modules/playwright-core").exists(), "run `npm ci` in tests/browser");
        let mut command = Command::new("node");
        command.arg(story).arg(base).arg(screenshots()).current_dir(folder);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (say, lines) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                say.send(line).ok();
            }
        });
        Self { child, stdin, lines }
    }

    async fn next(&mut self) -> Option<String> {
        tokio::time::timeout(SILENCE, self.lines.recv()).await.expect("the story stands still")
    }

    fn answer(&mut self, word: &str) {
        writeln!(self.stdin, "{word}").unwrap();
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn screenshots() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("screenshots")
}

/// Everybody uses the pages only: villagers on phones, one of them without scripts, and the bodies at their desks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_village_takes_a_matter_from_the_first_voice_to_its_evaluation_by_the_pages() {
    told("story.mjs", "the story by the pages").await;
}

/// Several bodies work on one voice, at their desks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_voice_goes_through_many_hands_by_the_pages() {
    told("handling.mjs", "many hands by the pages").await;
}

/// Without a network, with a page that was closed, with an answer that was not heard: what somebody wrote comes, and once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_that_was_offline_sends_its_draft_once() {
    told("keeping.mjs", "drafts of a phone that was offline").await;
}

/// The same with a page that the phone keeps: it opens without a network, by its address, for who was logged in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_network_a_phone_opens_the_page_to_write_on() {
    told("offline.mjs", "a page without a network").await;
}

/// How many voices this villager has left, and how many files with them.
async fn voices_of(app: &TestApp, village: &Village, number: &str) -> String {
    let own = village.villager(app, number).await.get("/v1/suggestions?scope=mine&limit=100").await.ok();
    let items = own["items"].as_array().unwrap();
    let files: usize = items.iter().map(|voice| voice["media"].as_array().map_or(0, Vec::len)).sum();
    format!("{} {files}", items.len())
}

async fn told(story: &str, name: &str) {
    if !is_chromium(name) {
        return;
    }
    let (app, village) = Village::start().await;
    county::operator(&app).await;
    let mut script = Script::start(story, &app.url(""));
    while let Some(line) = script.next().await {
        match line.split_once(' ') {
            Some(("code", phone)) => script.answer(&code_of(&app, phone).await),
            Some(("voices", number)) => script.answer(&voices_of(&app, &village, number).await),
            Some(("pass", hours)) => {
                app.pass(TimeDelta::hours(hours.parse().unwrap())).await;
                script.answer("ok");
            }
            _ => println!("{line}"),
        }
    }
    assert!(script.child.wait().unwrap().success(), "the story ended early, see above");
    app.stop().await;
}

/// The recorder while the phone asks for permission, and when what was recorded cannot be sent; with a page of a few objects.
#[test]
fn the_recorder_keeps_its_page_and_says_what_failed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser");
    let run = Command::new("node").arg("speaking.mjs").current_dir(folder).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
}

/// Where something is, from the phone and from a photo, and only if it was asked for.
#[test]
fn a_place_is_filled_in_by_hand_and_by_a_tick() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser");
    let run = Command::new("node").arg("placing.mjs").current_dir(folder).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
}

/// Files that go off in parts over a network that breaks.
#[test]
fn files_go_off_in_parts_and_nothing_twice() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser");
    let run = Command::new("node").arg("resuming.mjs").current_dir(folder).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
}
