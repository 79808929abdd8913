//! What the first release wrote is there after every step of the schema since, on either database.
//!
//! `tests/data/upgrade/first` is a backup of what its story left behind: a matter from the first voice to its evaluation, and
//! a private voice. Its keys are in it; they open nothing else.
use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use liusheng::suggestions::SubmitSuggestion;
use serde_json::{Value, json};

use crate::{
    backup::copy_privately,
    support::{House, Raw, Somebody, TestApp, Village, count, person_of, run},
};

const FIRST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/upgrade/first");
const VILLAGE: &str = "330521103202";

/// A house with the data of that time, and what the backup says of itself.
fn restored() -> (House, Value) {
    let (house, backup) = (House::empty(), tempfile::tempdir().unwrap());
    copy_privately(Path::new(FIRST), backup.path());
    let done = run(house.path(), &["restore", backup.path().to_str().unwrap()], &[]);
    assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
    let manifest = std::fs::read(backup.path().join("manifest.json")).unwrap();
    (house, serde_json::from_slice(&manifest).unwrap())
}

/// Every table has the rows it had.
async fn nothing_is_missing(house: &House, manifest: &Value) {
    let raw = Raw::open(house.path()).await;
    for table in manifest["tables"].as_array().unwrap() {
        let name = table["table"].as_str().unwrap();
        let rows: i64 = raw.one(&format!("SELECT count(*) FROM {name}")).await;
        let before = table["rows"].as_i64().unwrap();
        match name {
            // a lease is taken by whoever runs
            "leases" => {}
            // later steps add reactions
            "reaction_cursors" => assert!(rows >= before, "{name}: {rows} of {before}"),
            // the restore itself is on record
            _ => assert_eq!(rows, before + i64::from(name == "events"), "{name}"),
        }
    }
    raw.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_the_first_release_wrote_is_there_after_every_step() {
    let (house, manifest) = restored();
    assert!(manifest["schema"].as_array().unwrap().len() < migrations::names().len(), "older than today's");
    nothing_is_missing(&house, &manifest).await;
    // nothing follows today from the meetings of years
    let raw = Raw::open(house.path()).await;
    for reaction in ["joint.go_on", "meetings.tell_members", "wechat.let_go"] {
        let begins = format!("SELECT number FROM reaction_cursors WHERE reaction = '{reaction}'");
        assert_eq!(Some(raw.one::<i64>(&begins).await), manifest["log"]["number"].as_i64(), "{reaction}");
    }
    raw.close().await;
    let last: DateTime<Utc> = manifest["log"]["last_at"].as_str().unwrap().parse().unwrap();
    let app = TestApp::start_in(house, last + TimeDelta::hours(1)).await;
    app.settle().await;
    for (table, rows) in [("envelopes", 55), ("roll_entries", 57)] {
        // its one vote is over
        let over = format!("SELECT count(*) FROM {table} WHERE is_over");
        assert_eq!(count(app.folder.path(), &over).await, rows, "{table}");
    }
    let author = Somebody::signed_in(&app, person_of(&app.app, VILLAGE, "00007").await).await;
    let own = author.get("/v1/suggestions?scope=mine").await.ok();
    let own = own["items"].as_array().unwrap();
    assert_eq!(own.len(), 2, "a clip and a private voice: {own:?}");
    let mut told = String::new();
    for voice in own {
        let voice = author.get(&format!("/v1/suggestions/{}", voice["id"].as_str().unwrap())).await.ok();
        told.push_str(voice["text"].as_str().unwrap_or_default());
        for one in voice["media"].as_array().into_iter().flatten() {
            let (status, bytes) = author.download(one["url"].as_str().unwrap()).await;
            assert_eq!((status, bytes.is_empty()), (200, false), "{one}");
        }
    }
    assert!(told.contains("只给村里看：渠里有人倒垃圾"), "{told}");
    let matters = app.get("/v1/matters").await.ok();
    let matter = matters["items"][0]["id"].as_str().unwrap_or_else(|| panic!("{matters}")).to_owned();
    let record = app.get(&format!("/v1/matters/{matter}/record")).await.ok().to_string();
    for words in ["溪边的路晚上太黑", "三个方案", "移开五米", "village_assembly_person", "路灯已装好"]
    {
        assert!(record.contains(words), "the record lacks {words}: {record}");
    }
    assert!(!record.contains("倒垃圾"), "what was private stays so");
    // and life goes on
    let voice = json!({ "kind": "suggestion", "visibility": "handlers", "text": "新的一条", "place": "桥头" });
    let voice = author.post("/v1/suggestions", voice).await.ok();
    assert_eq!(
        author.get(&format!("/v1/suggestions/{}", voice["id"].as_str().unwrap())).await.ok()["text"],
        "新的一条"
    );
    app.stop().await;
}

/// Whoever starts then would take over votes that do not rest.
#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_dies_after_its_rows_has_brought_them_up_to_date() {
    let (house, backup) = (House::of_sqlite(), tempfile::tempdir().unwrap());
    copy_privately(Path::new(FIRST), backup.path());
    // who opens the database takes a turn by this file, and cannot: what comes after the rows fails
    std::fs::create_dir(house.path().join("liusheng.migrating")).unwrap();
    let died = run(house.path(), &["restore", backup.path().to_str().unwrap()], &[]);
    assert_eq!(died.status.code(), Some(1), "{}", String::from_utf8_lossy(&died.stdout));
    let raw = Raw::open(house.path()).await;
    let steps: i64 = raw.one("SELECT count(*) FROM seaql_migrations").await;
    assert_eq!(usize::try_from(steps).unwrap(), migrations::names().len(), "rows of a schema in which no vote rests");
    assert_eq!(raw.one::<i64>("SELECT count(*) FROM events WHERE kind = 'log.restored'").await, 1);
    raw.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_kept_for_a_repetition_is_answered_after_an_upgrade() {
    let (app, village) = Village::start().await;
    let author = village.villager(&app, "00007").await;
    let voice = json!({ "kind": "suggestion", "visibility": "handlers", "text": "渠里有人倒垃圾" });
    let first = author.post_once("/v1/suggestions", "before", voice.clone()).await.ok();
    // the whole voice was kept once; what cannot be read at all is of no version
    let kept = async |answer: &str| {
        let purpose = format!("answer {} before", author.person);
        let sealed = app.app.keys.seal(&purpose, answer).unwrap();
        let raw = Raw::open(app.folder.path()).await;
        assert_eq!(
            raw.execute(&format!("UPDATE idempotency_keys SET answer = '{sealed}' WHERE key = 'before'")).await,
            1
        );
        raw.close().await;
    };
    kept(&first.to_string()).await;
    let again = author.post_once("/v1/suggestions", "before", voice.clone()).await.ok();
    assert_eq!((&again["id"], &again["number"]), (&first["id"], &first["number"]));
    kept("{}").await;
    assert_eq!(author.post_once("/v1/suggestions", "before", voice.clone()).await.refused(), "changed");
    let mine = author.get("/v1/suggestions?scope=mine").await.ok();
    assert_eq!(mine["items"].as_array().unwrap().len(), 1, "nothing was left twice: {mine}");
    // fields that came since are not in what a repetition is compared with, unless they say something
    let as_compared = |voice: &Value| {
        let read: SubmitSuggestion = serde_json::from_value(voice.clone()).unwrap();
        serde_json::to_value(read).unwrap()
    };
    assert_eq!(as_compared(&voice).get("reply_wish"), None);
    let called = json!({ "kind": "suggestion", "visibility": "handlers", "text": "渠", "reply_wish": "call" });
    assert_eq!(as_compared(&called)["reply_wish"], "call");
    app.stop().await;
}
