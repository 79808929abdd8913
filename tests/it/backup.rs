//! A backup made while people write, loaded elsewhere: nothing acknowledged before it is missing, phones start anew.
use std::{
    collections::BTreeMap,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Output,
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    simulation::{
        device::{Device, Rules},
        fetch,
    },
    support::{House, Process, Raw, Socket, Somebody, TestApp, Village, count, free_port, is_done_before, monday, run},
};

const PNG: &[u8] = include_bytes!("../data/media/clear.png");
const CLIP: &[u8] = include_bytes!("../data/media/lamp.amr");

#[track_caller]
fn exits(output: &Output, code: i32) -> String {
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    said
}

fn backup(data_dir: &Path, folder: &Path) -> Output {
    run(data_dir, &["backup", folder.to_str().unwrap(), "--with-keys"], &[])
}

fn restore(data_dir: &Path, folder: &Path, more: &[&str]) -> Output {
    run(data_dir, &[&["restore", folder.to_str().unwrap()], more].concat(), &[])
}

/// A village with a matter to talk about and a voice with a clip.
async fn village() -> (TestApp, Village, String, Somebody) {
    let (app, village) = Village::start().await;
    let matter = json!({ "area_code": village.area, "title": "修桥", "summary": "村口的桥要修一修。" });
    let matter = village.chair.post("/v1/matters", matter).await.ok();
    let discussion = village.discussion(&app, matter["id"].as_str().unwrap()).await.to_string();
    let villager = village.villager(&app, "00007").await;
    let (clip, photo) = (villager.upload(CLIP.to_vec()).await.ok(), villager.upload(PNG.to_vec()).await.ok());
    let voice = json!({ "kind": "suggestion", "visibility": "public", "text": "桥头的路灯坏了", "place": "桥头",
        "media": [clip["id"], photo["id"]] });
    villager.post("/v1/suggestions", voice).await.ok();
    app.settle().await;
    (app, village, discussion, villager)
}

async fn say(who: &Somebody, stream: &str, text: &str) -> Value {
    let message = json!({ "client_id": Uuid::now_v7(), "text": text });
    who.post(&format!("/v1/streams/{stream}/messages"), message).await.ok()
}

/// Name and bytes of every file below a folder.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap().map(Result::unwrap) {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else {
                let name = entry.path().strip_prefix(folder).unwrap().to_path_buf();
                found.insert(name, std::fs::read(entry.path()).unwrap());
            }
        }
    }
    found
}

/// A copy that nobody else may read.
pub(crate) fn copy_privately(from: &Path, into: &Path) {
    for (name, bytes) in files(from) {
        let to = into.join(&name);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::write(&to, bytes).unwrap();
        std::fs::set_permissions(&to, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
}

/// What a restore changes on purpose.
const CHANGED: &[&str] = &["rows/sessions.jsonl", "rows/streams.jsonl", "rows/events.jsonl", "rows/leases.jsonl"];

/// Two backups with one restore between them.
fn unchanged(first: &Path, second: &Path) {
    let (mut before, mut after) = (files(first), files(second));
    assert!(before.len() > 30 && before.contains_key(Path::new("keys.json")));
    for name in CHANGED.iter().chain(&["manifest.json"]) {
        let (before, after) = (before.remove(Path::new(name)).unwrap(), after.remove(Path::new(name)).unwrap());
        if *name == "rows/events.jsonl" {
            let lines = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'\n').count();
            assert_eq!(lines(&before) + 1, lines(&after), "the restore is on record");
        } else if *name == "rows/streams.jsonl" {
            assert_ne!(before, after, "other epochs");
        }
    }
    let differ: Vec<_> = before.iter().filter(|(name, bytes)| after.get(*name) != Some(bytes)).collect();
    assert!(differ.is_empty(), "{:?}", differ.iter().map(|(name, _)| name).collect::<Vec<_>>());
    assert_eq!(before.len(), after.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_backup_goes_there_and_back_without_a_change() {
    let (app, ..) = village().await;
    let old = app.close().await;
    let outside = tempfile::tempdir().unwrap();
    let first = outside.path().join("first");
    exits(&backup(old.path(), &first), 0);
    for name in files(&first).into_keys() {
        let mode = std::fs::metadata(first.join(&name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{} is private", name.display());
    }
    let new = House::empty();
    let said = exits(&restore(new.path(), &first, &[]), 0);
    println!("{said}");
    let second = outside.path().join("second");
    exits(&backup(new.path(), &second), 0);
    unchanged(&first, &second);
    if !old.is_sqlite() {
        // through the other database and back
        let (sqlite, postgres) = (House::of_sqlite(), House::empty());
        let (third, fourth) = (outside.path().join("third"), outside.path().join("fourth"));
        exits(&restore(sqlite.path(), &first, &[]), 0);
        exits(&backup(sqlite.path(), &third), 0);
        unchanged(&first, &third);
        exits(&restore(postgres.path(), &third, &[]), 0);
        exits(&backup(postgres.path(), &fourth), 0);
        unchanged(&third, &fourth);
        exits(&run(sqlite.path(), &["verify", "--log"], &[]), 0);
        exits(&run(postgres.path(), &["verify", "--log"], &[]), 0);
    }
    if new.is_sqlite() {
        assert_eq!(count(new.path(), "SELECT count(*) FROM pragma_foreign_key_check").await, 0);
    }
    assert_eq!(count(new.path(), "SELECT count(*) FROM sessions WHERE ended_at IS NULL").await, 0);
    exits(&run(new.path(), &["verify", "--log"], &[]), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn i11_phones_forget_what_was_never_restored() {
    let (app, village, discussion, villager) = village().await;
    let channel = format!("s:{discussion}");
    for count in 0..5 {
        say(&village.council_chair, &discussion, &format!("备份前{count}")).await;
    }
    app.settle().await;
    let outside = tempfile::tempdir().unwrap();
    let folder = outside.path().join("backup");
    exits(&backup(app.folder.path(), &folder), 0);
    for count in 0..3 {
        say(&village.council_chair, &discussion, &format!("备份后{count}")).await;
    }
    let voice = json!({ "kind": "suggestion", "visibility": "public", "text": "备份后的留言", "place": "桥头" });
    villager.post("/v1/suggestions", voice).await.ok();
    let mut phone = Socket::connect(&app, &villager.token(), json!({})).await;
    let had = phone.subscribe(&channel, json!({})).await["subscribe"].clone();
    let newest = had["offset"].as_i64().unwrap();
    let (area, person) = (village.area.clone(), villager.person);
    // what was published after the backup says how much is missing
    app.pass(TimeDelta::seconds(20)).await;
    let head = outside.path().join("head.json");
    let recorded = count(app.folder.path(), "SELECT count(*) FROM events").await;
    let began = Instant::now();
    loop {
        let signed = app.get("/v1/log/head").await.body;
        if signed["head"]["number"].as_i64() >= Some(recorded) {
            std::fs::write(&head, signed.to_string()).unwrap();
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{recorded} recorded, signed: {signed}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    drop(phone);
    app.close().await;

    let new = House::empty();
    let said = exits(&restore(new.path(), &folder, &["--newer-than", head.to_str().unwrap()]), 0);
    println!("{said}");
    assert!(said.contains("：缺 "), "{said}");
    let app = TestApp::start_in(new, monday() + TimeDelta::minutes(5)).await;
    let old = villager.at_app(&app);
    assert_eq!(old.get("/v1/sync").await.refused(), "session_ended", "log-ins end with a restore");
    let again = Somebody::signed_in(&app, person).await;
    let chair = Somebody::signed_in(&app, village.council_chair.person).await;
    assert_eq!(area, village.area);
    // others speak until the place that the phone had is there once more, with other words
    for count in 0..4 {
        say(&chair, &discussion, &format!("恢复后{count}")).await;
    }
    let mut phone = Socket::connect(&app, &again.token(), json!({})).await;
    let position = json!({ "recover": true, "epoch": had["epoch"], "offset": newest });
    let now = phone.subscribe(&channel, position).await["subscribe"].clone();
    assert!(now["offset"].as_i64().unwrap() > newest, "the place is there: {now}");
    // a flag that does not hold is left out
    assert_ne!(now["recovered"], json!(true), "the phone must not go on where another history was: {now}");
    assert_ne!(now["epoch"], had["epoch"]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn i11_a_server_that_runs_during_a_restore_sends_its_phones_away() {
    let (app, village, discussion, villager) = village().await;
    let outside = tempfile::tempdir().unwrap();
    let folder = outside.path().join("backup");
    exits(&backup(app.folder.path(), &folder), 0);
    say(&village.council_chair, &discussion, "备份后").await;
    let mut phone = Socket::connect(&app, &villager.token(), json!({})).await;
    phone.subscribe(&format!("s:{discussion}"), json!({})).await;
    let mut device = Device::default();
    fetch(&mut device, Rules::ALL, &villager, &discussion).await;
    app.settle().await;
    let refused = exits(&restore(app.folder.path(), &folder, &[]), 1);
    let events = count(app.folder.path(), "SELECT count(*) FROM events").await.to_string();
    assert!(refused.contains(&format!("--replace {events}")), "{refused}");
    // one more of the server's sessions, which may know the columns as they were
    let mut session = None;
    if !app.folder.is_sqlite() {
        let raw = Raw::open(app.folder.path()).await;
        raw.execute("SET application_name = 'liusheng reader'").await;
        session = Some((raw.one::<i32>("SELECT pg_backend_pid()").await, raw));
    }
    let said = exits(&restore(app.folder.path(), &folder, &["--replace", &events]), 0);
    println!("{said}");
    if let Some((process, raw)) = session {
        assert_ne!(
            raw.one::<i32>("SELECT pg_backend_pid()").await,
            process,
            "a session from before the restore goes on"
        );
        raw.close().await;
    }
    let began = Instant::now();
    let code = phone.until_closed().await;
    println!("closed with {code} after {:?}", began.elapsed());
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    let again = Somebody::signed_in(&app, villager.person).await;
    let mut status = 503;
    // the first may still meet a session that the restore has ended
    while status == 503 && began.elapsed() < Duration::from_secs(8) {
        status = again.get("/v1/sync").await.status;
    }
    assert_eq!(status, 200);
    // what the phone had is of another log: it forgets, and then has what a fresh one gets
    assert!(fetch(&mut device, Rules::ALL, &again, &discussion).await, "the phone was told to forget");
    let mut fresh = Device::default();
    fetch(&mut fresh, Rules::ALL, &again, &discussion).await;
    assert_eq!((&device.epoch, &device.entries), (&fresh.epoch, &fresh.entries));
    assert!(!json!(device.entries.values().collect::<Vec<_>>()).to_string().contains("备份后"));
    // on every connection of the server, not on a lucky one
    let all = (0..40).map(|_| again.get("/v1/sync"));
    let all: Vec<u16> = futures_util::future::join_all(all).await.into_iter().map(|answer| answer.status).collect();
    assert!(all.iter().all(|status| *status == 200), "{all:?}");
    app.pass(TimeDelta::seconds(30)).await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_not_whole_or_does_not_fit_is_refused_and_nothing_is_written() {
    let (app, ..) = village().await;
    let old = app.close().await;
    let outside = tempfile::tempdir().unwrap();
    let good = outside.path().join("good");
    exits(&backup(old.path(), &good), 0);
    exits(&run(old.path(), &["backup", good.to_str().unwrap()], &[]), 1);
    let mut bare = Vec::new();
    let mut refused = |words: &str, change: &dyn Fn(&Path)| {
        let (copy, new) = (outside.path().join(Uuid::now_v7().to_string()), House::empty());
        copy_privately(&good, &copy);
        change(&copy);
        let said = exits(&restore(new.path(), &copy, &[]), 1);
        assert!(said.contains(words), "{words}: {said}");
        bare.push((words.to_owned(), new));
    };
    let edit = |file: PathBuf| {
        let mut bytes = std::fs::read(&file).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(file, bytes).unwrap();
    };
    let clip = files(&good).into_keys().find(|name| name.starts_with("media")).unwrap();
    refused("manifest.json", &|copy| std::fs::remove_file(copy.join("manifest.json")).unwrap());
    refused("people.jsonl", &|copy| edit(copy.join("rows/people.jsonl")));
    refused("people.jsonl", &|copy| std::fs::remove_file(copy.join("rows/people.jsonl")).unwrap());
    refused("media", &|copy| edit(copy.join(&clip)));
    refused("keys.json", &|copy| edit(copy.join("keys.json")));
    refused("更新的版本", &|copy| {
        let manifest = std::fs::read_to_string(copy.join("manifest.json")).unwrap();
        std::fs::write(copy.join("manifest.json"), manifest.replace("m0001_ground", "m0001_later")).unwrap();
    });
    for (words, new) in bare {
        let tables = match new.is_sqlite() {
            true => "SELECT count(*) FROM sqlite_master",
            false => "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()",
        };
        assert_eq!(count(new.path(), tables).await, 0, "{words}: something was written");
    }

    // a refusal leaves the files as they are, too: what was taken away since does not come back
    let taken = old.path().join(&clip);
    let bytes = std::fs::read(&taken).unwrap();
    std::fs::remove_file(&taken).unwrap();
    assert!(exits(&restore(old.path(), &good, &[]), 1).contains("--replace"));
    assert!(!taken.exists());
    std::fs::write(&taken, bytes).unwrap();
    what_is_missing_is_named(&old, outside.path());
    // nor is a table of somebody else
    let shared = House::empty();
    let raw = Raw::open(shared.path()).await;
    raw.execute("CREATE TABLE geography (x integer)").await;
    assert!(exits(&restore(shared.path(), &good, &[]), 1).contains("geography"));
    assert_eq!(raw.one::<i64>("SELECT count(*) FROM geography").await, 0);
    raw.close().await;

    let plain = outside.path().join("plain");
    exits(&run(old.path(), &["backup", plain.to_str().unwrap()], &[]), 0);
    let new = House::empty();
    assert!(exits(&restore(new.path(), &plain, &[]), 1).contains("keys.json"));
    let other = House::empty();
    exits(&run(other.path(), &["migrate"], &[]), 0);
    assert!(exits(&restore(other.path(), &plain, &[]), 1).contains("不是制作这份备份时用的密钥"));
    std::fs::copy(old.path().join("keys.json"), new.path().join("keys.json")).unwrap();
    exits(&restore(new.path(), &plain, &[]), 0);
    let nothing = House::empty();
    exits(&run(nothing.path(), &["backup", outside.path().join("none").to_str().unwrap()], &[]), 1);
}

/// The small picture of a photo is gone: the backup is made, and says so.
fn what_is_missing_is_named(old: &House, outside: &Path) {
    let small =
        files(old.path()).into_keys().find(|name| name.extension().is_some_and(|kind| kind == "thumb")).unwrap();
    let (path, incomplete) = (old.path().join(&small), outside.join("incomplete"));
    let bytes = std::fs::read(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let said = exits(&backup(old.path(), &incomplete), 1);
    assert_eq!(said.matches("的文件丢失").count(), 1, "{said}");
    std::fs::write(&path, bytes).unwrap();
}

/// 100,000 rows: how long a backup and a restore take, and how long a server that was killed needs to be ready again.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_thousand_rows_are_ready_in_time() {
    let (app, _, discussion, _) = village().await;
    let data_dir = app.close().await;
    let rows: u64 = if is_done_before("more than twenty thousand rows") { 20_000 } else { 100_000 };
    let raw = Raw::open(data_dir.path()).await;
    let columns = "stream_id, seq, no, kind, client_id, body, created_at, state, rev, is_pinned";
    let sqlite = "WITH RECURSIVE n(n) AS (SELECT 1000 UNION ALL SELECT n + 1 FROM n WHERE n < LAST) \
        INSERT INTO entries (COLUMNS) SELECT X'STREAM', n, n, 'message', randomblob(16), '{\"text\":\"一句话\"}', \
        '2026-11-02T01:00:00+00:00', 'said', 0, FALSE FROM n";
    let postgres = "INSERT INTO entries (COLUMNS) SELECT 'STREAM', n, n, 'message', gen_random_uuid(), \
        '{\"text\":\"一句话\"}', '2026-11-02T01:00:00Z', 'said', 0, FALSE FROM generate_series(1000, LAST) n";
    let stream: Uuid = discussion.parse().unwrap();
    let insert = raw.spelled(sqlite, postgres).replace("COLUMNS", columns).replace("LAST", &(rows + 999).to_string());
    assert_eq!(raw.execute(&insert.replace("STREAM", &stream.simple().to_string())).await, rows);
    raw.close().await;
    let outside = tempfile::tempdir().unwrap();
    let log = outside.path().join("server.log");
    let port = free_port();
    let mut server = Process::serve(data_dir.path(), port, &[], &log).await;
    server.kill();
    server.wait();
    let began = Instant::now();
    let server = Process::serve(data_dir.path(), port, &[], &log).await;
    let ready = began.elapsed();
    let began = Instant::now();
    let folder = outside.path().join("backup");
    exits(&backup(data_dir.path(), &folder), 0);
    let copied = began.elapsed();
    assert_eq!(server.terminate().code(), Some(0));
    let began = Instant::now();
    let new = House::empty();
    exits(&restore(new.path(), &folder, &[]), 0);
    println!("{rows} rows: ready {ready:?} after kill -9, backup {copied:?}, restore {:?}", began.elapsed());
    let restored = count(new.path(), "SELECT count(*) FROM entries WHERE seq >= 1000").await;
    assert_eq!(restored.unsigned_abs(), rows);
    assert!(ready < Duration::from_secs(5), "{ready:?}");
}
