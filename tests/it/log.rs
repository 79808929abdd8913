//! The log under attack: whoever can write to the database can change it, but not unseen.
use std::path::Path;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use liusheng::{
    calendar::Calendar,
    clock::Clock,
    events::{self, ChainReport, Happening, Kind},
    ids::SuggestionId,
    keys::{Keys, sha256_hex},
    server::{self, Role},
    store,
};
use serde_json::json;
use sqlx::{Connection, Row, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;
use uuid::Uuid;

use crate::support::{config, monday};

/// Events of the sealed log: two runs of a server, each ended properly, so that two heads are signed.
const FIRST_RUN: i64 = 9;
const EVENTS: i64 = 20;

/// A data directory with a log that verifies.
async fn sealed_log() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::standing_at(monday());
    for count in [FIRST_RUN, EVENTS - FIRST_RUN] {
        let (app, rung) = server::open(config(&folder), clock.clone(), false).await.unwrap();
        let running = server::start(app.clone(), rung, Role::All).await.unwrap();
        for number in 0..count {
            clock.advance(TimeDelta::milliseconds(250));
            let happening = Happening::new(Kind::SuggestionRated, SuggestionId::new()).at("330521103202");
            let happening = happening.with(json!({ "rating": number % 5 + 1 }));
            app.store.write(move |tx| Box::pin(async move { events::record(tx, happening).await })).await.unwrap();
        }
        let mut left = u64::MAX;
        while left > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            left = events::backlog(&app.store, app.now()).await.unwrap().unsequenced;
        }
        running.stop().await;
        // the next relay waits until the lease of this one has run out
        clock.advance(TimeDelta::seconds(11));
    }
    let report = verified(folder.path()).await;
    assert_eq!((report.events, report.first_bad.as_deref()), (EVENTS, None));
    assert!(report.checkpoints >= 2, "{report:?}");
    folder
}

async fn verified(data_dir: &Path) -> ChainReport {
    let url = format!("sqlite://{}", data_dir.join("liusheng.db").display());
    let keys = std::sync::Arc::new(Keys::load_or_make(data_dir).unwrap());
    let calendar = Calendar::load(None).unwrap();
    let (store, _rung) = store::open(&url, Clock::system(), calendar, keys.clone()).await.unwrap();
    events::verify(&store, &keys).await.unwrap()
}

/// What an administrator of the machine has: the file.
async fn database(data_dir: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(data_dir.join("liusheng.db"));
    SqliteConnection::connect_with(&options).await.unwrap()
}

/// A copy of the sealed log on which these statements were run.
async fn tampered(sealed: &TempDir, statements: &[&str]) -> ChainReport {
    let copy = copied(sealed);
    let mut database = database(copy.path()).await;
    for statement in statements {
        let done = sqlx::raw_sql(sqlx::AssertSqlSafe(*statement)).execute(&mut database).await.unwrap();
        assert!(done.rows_affected() > 0, "nothing changed by: {statement}");
    }
    database.close().await.unwrap();
    verified(copy.path()).await
}

fn copied(sealed: &TempDir) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(sealed.path()).unwrap().map(Result::unwrap).filter(|file| file.path().is_file()) {
        std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
    }
    copy
}

#[track_caller]
fn found(report: &ChainReport, words: &str, good_before: i64) {
    let bad = report.first_bad.as_deref().unwrap_or("nothing");
    assert!(bad.contains(words), "found {bad:?} instead of {words:?}");
    assert_eq!(report.events, good_before, "{bad}");
}

#[tokio::test]
async fn an_edited_event_is_named() {
    let sealed = sealed_log().await;
    for (column, value) in [
        ("data", "'{\"rating\":5}x'"),
        ("kind", "'suggestion.answered'"),
        ("area_code", "'330521103203'"),
        ("area_code", "NULL"),
        ("subject_id", "'another'"),
        ("actor_id", "randomblob(16)"),
        ("id", "randomblob(16)"),
        ("at", "replace(at, '2026', '2025')"),
        ("hash", "'00'"),
        ("hash", "NULL"),
    ] {
        let report = tampered(&sealed, &[&format!("UPDATE events SET {column} = {value} WHERE number = 7")]).await;
        found(&report, "event 7 ", 6);
    }
    let last = tampered(&sealed, &[&format!("UPDATE events SET kind = 'x' WHERE number = {EVENTS}")]).await;
    found(&last, &format!("event {EVENTS} "), EVENTS - 1);
}

#[tokio::test]
async fn a_removed_event_is_named() {
    let sealed = sealed_log().await;
    found(&tampered(&sealed, &["DELETE FROM events WHERE number = 5"]).await, "event 5 is missing", 4);
    found(&tampered(&sealed, &["DELETE FROM events WHERE number = 1"]).await, "event 1 is missing", 0);
    // out of the chain, but still in the table
    found(&tampered(&sealed, &["UPDATE events SET number = NULL WHERE number = 5"]).await, "event 5 is missing", 4);
    // the gap closed by moving the rest down
    let moved = [
        "DELETE FROM events WHERE number = 5",
        "UPDATE events SET number = -number WHERE number > 5",
        "UPDATE events SET number = -number - 1 WHERE number < 0",
    ];
    found(&tampered(&sealed, &moved).await, "event 5 ", 4);
}

#[tokio::test]
async fn two_swapped_events_are_named() {
    let sealed = sealed_log().await;
    let swapped = [
        "UPDATE events SET number = -1 WHERE number = 4",
        "UPDATE events SET number = 4 WHERE number = 5",
        "UPDATE events SET number = 5 WHERE number = -1",
    ];
    found(&tampered(&sealed, &swapped).await, "event 4 ", 3);
}

#[tokio::test]
async fn an_event_slipped_in_is_named() {
    let sealed = sealed_log().await;
    let between = [
        "UPDATE events SET number = -number WHERE number > 5",
        "UPDATE events SET number = -number + 1 WHERE number < 0",
        "INSERT INTO events SELECT randomblob(16), kind, area_code, actor_id, subject_id, data, at, 6, hash FROM events WHERE number = 5",
    ];
    found(&tampered(&sealed, &between).await, "event 6 ", 5);
    let at_the_end = format!(
        "INSERT INTO events SELECT randomblob(16), kind, area_code, actor_id, subject_id, data, at, {}, hash FROM events WHERE number = {EVENTS}",
        EVENTS + 1
    );
    found(&tampered(&sealed, &[&at_the_end]).await, &format!("event {} ", EVENTS + 1), EVENTS);
}

#[tokio::test]
async fn a_cut_off_end_is_seen_though_the_head_was_moved_back() {
    let sealed = sealed_log().await;
    let cut = "DELETE FROM events WHERE number > 15";
    let head = "UPDATE chain_heads SET number = 15, hash = (SELECT hash FROM events WHERE number = 15)";
    found(&tampered(&sealed, &[cut]).await, &format!("checkpoint {EVENTS} was signed"), 15);
    found(&tampered(&sealed, &[cut, head]).await, &format!("checkpoint {EVENTS} was signed"), 15);
    // even the whole log at once
    let all = ["DELETE FROM events", "UPDATE chain_heads SET number = 0, hash = ''"];
    found(&tampered(&sealed, &all).await, "was signed", 0);
    // the checkpoints that lie beyond are gone, too, but not the head
    let newest = format!("DELETE FROM checkpoints WHERE number > {FIRST_RUN}");
    found(&tampered(&sealed, &[cut, &newest]).await, &format!("the head says {EVENTS} events, the log has 15"), 15);
}

/// Cut off, head moved back, checkpoints removed: the database alone cannot tell. Who kept a published head can.
#[tokio::test]
async fn a_kept_head_shows_what_a_consistent_cut_hides() {
    let sealed = sealed_log().await;
    let url = format!("sqlite://{}", sealed.path().join("liusheng.db").display());
    let keys = std::sync::Arc::new(Keys::load_or_make(sealed.path()).unwrap());
    let calendar = Calendar::load(None).unwrap();
    let (store, _rung) = store::open(&url, Clock::system(), calendar, keys.clone()).await.unwrap();
    let kept = events::head(&store).await.unwrap().unwrap();
    assert_eq!(kept.number, EVENTS);
    let at = kept.at.with_timezone(&Utc).to_rfc3339_opts(SecondsFormat::Millis, true);
    let statement = format!("liusheng-checkpoint-1\n{}\n{}\n{at}", kept.number, kept.hash);
    assert!(
        keys.signed(&kept.key_id, statement.as_bytes(), &kept.signature),
        "a head can be checked as its description says"
    );

    let hidden = [
        "DELETE FROM events WHERE number > 15",
        "UPDATE chain_heads SET number = 15, hash = (SELECT hash FROM events WHERE number = 15)",
        "DELETE FROM checkpoints WHERE number > 15",
    ];
    let report = tampered(&sealed, &hidden).await;
    assert_eq!((report.events, &report.first_bad), (15, &None));
    assert!(kept.number > report.events, "the kept head speaks of more events than there are");
}

#[tokio::test]
async fn a_forged_checkpoint_is_named() {
    let sealed = sealed_log().await;
    let words = format!("checkpoint {FIRST_RUN} does not fit");
    for change in [
        "hash = '00'",
        "signature = 'AAAA'",
        "signature = (SELECT signature FROM checkpoints ORDER BY number DESC LIMIT 1)",
        "key_id = 'e2'",
        "at = replace(at, '2026', '2025')",
    ] {
        let report = tampered(&sealed, &[&format!("UPDATE checkpoints SET {change} WHERE number = {FIRST_RUN}")]).await;
        found(&report, &words, FIRST_RUN - 1);
    }
    // moved to another event
    let report = tampered(&sealed, &[&format!("UPDATE checkpoints SET number = 8 WHERE number = {FIRST_RUN}")]).await;
    found(&report, "checkpoint 8 does not fit", 7);
    // signed by somebody else's key of the same name
    let stranger = tempfile::tempdir().unwrap();
    let (id, forged) = Keys::load_or_make(stranger.path()).unwrap().sign(b"anything").unwrap();
    let report = tampered(
        &sealed,
        &[&format!("UPDATE checkpoints SET key_id = '{id}', signature = '{forged}' WHERE number = {FIRST_RUN}")],
    )
    .await;
    found(&report, &words, FIRST_RUN - 1);
}

/// Who knows the code can compute every hash anew. The signature is what he lacks.
#[tokio::test]
async fn a_log_hashed_anew_does_not_fit_its_signed_heads() {
    let sealed = sealed_log().await;
    let copy = copied(&sealed);
    let mut database = database(copy.path()).await;
    assert_eq!(rehash(&mut database).await, 0, "the chain is as described: computed anew, nothing changes");
    sqlx::raw_sql("UPDATE events SET data = '{\"rating\":1}' WHERE number = 2").execute(&mut database).await.unwrap();
    assert_eq!(rehash(&mut database).await, EVENTS - 1);
    database.close().await.unwrap();
    found(&verified(copy.path()).await, &format!("checkpoint {FIRST_RUN} does not fit"), FIRST_RUN - 1);
}

/// The chain, written a second time from its description. Says how many hashes were changed.
async fn rehash(database: &mut SqliteConnection) -> i64 {
    let rows = sqlx::query("SELECT * FROM events ORDER BY number").fetch_all(&mut *database).await.unwrap();
    let mut before = sha256_hex(b"liusheng-log-1");
    let mut changed = 0;
    for row in rows {
        let text = |column: &str| row.get::<Option<String>, _>(column).unwrap_or_default();
        let uuid = |column: &str| row.get::<Option<Uuid>, _>(column).map(|id| id.to_string()).unwrap_or_default();
        let number: i64 = row.get("number");
        let at: DateTime<Utc> = row.get("at");
        let at = at.to_rfc3339_opts(SecondsFormat::Millis, true);
        let fields = [
            before,
            number.to_string(),
            uuid("id"),
            text("kind"),
            text("area_code"),
            uuid("actor_id"),
            text("subject_id"),
            text("data"),
            at,
        ];
        let bytes: Vec<u8> =
            fields.iter().flat_map(|field| [&(field.len() as u64).to_be_bytes(), field.as_bytes()].concat()).collect();
        before = sha256_hex(&bytes);
        if text("hash") != before {
            changed += 1;
            sqlx::query("UPDATE events SET hash = ? WHERE number = ?")
                .bind(&before)
                .bind(number)
                .execute(&mut *database)
                .await
                .unwrap();
        }
    }
    sqlx::query("UPDATE chain_heads SET hash = ?").bind(&before).execute(database).await.unwrap();
    changed
}
