//! The log under attack: whoever can write to the database can change it, but not unseen.
use std::sync::atomic::{AtomicU32, Ordering};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use liusheng::{
    calendar::Calendar,
    clock::Clock,
    error::Code,
    events::{self, ChainReport, Happening, Kind, Reaction, Relay},
    ids::SuggestionId,
    keys::{Keys, sha256_hex},
    server::{self, Role},
    store,
};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::support::{House, READERS, Raw, config, monday};

/// Events of the sealed log: two runs of a server, each ended properly, so that two heads are signed.
const FIRST_RUN: i64 = 9;
const EVENTS: i64 = 20;

/// A data directory with a log that verifies.
async fn sealed_log() -> House {
    let folder = House::new();
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
    let report = verified(&folder).await;
    assert_eq!((report.events, report.first_bad.as_deref()), (EVENTS, None));
    assert!(report.checkpoints >= 2, "{report:?}");
    folder
}

async fn verified(house: &House) -> ChainReport {
    let keys = std::sync::Arc::new(Keys::load_or_make(house.path()).unwrap());
    let calendar = Calendar::load(None).unwrap();
    let (store, _rung) = store::open((&house.url(), READERS), Clock::system(), calendar, keys.clone()).await.unwrap();
    events::verify(&store, &keys).await.unwrap()
}

/// A copy of the sealed log on which these statements were run.
async fn tampered(sealed: &House, statements: &[&str]) -> ChainReport {
    let copy = House::copy_of(sealed);
    let database = Raw::open(copy.path()).await;
    for statement in statements {
        assert!(database.execute(&spelled(&database, statement)).await > 0, "nothing changed by: {statement}");
    }
    database.close().await;
    verified(&copy).await
}

/// The few words that the databases do not share.
fn spelled(database: &Raw, statement: &str) -> String {
    let random = database.spelled("randomblob(16)", "gen_random_uuid()");
    let earlier = database.spelled("replace(at, '2026', '2025')", "at - interval '1 year'");
    statement.replace("RANDOM", random).replace("A YEAR EARLIER", earlier)
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
        ("actor_id", "RANDOM"),
        ("id", "RANDOM"),
        ("at", "A YEAR EARLIER"),
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
        "INSERT INTO events SELECT RANDOM, kind, area_code, actor_id, subject_id, data, at, 6, hash FROM events WHERE number = 5",
    ];
    found(&tampered(&sealed, &between).await, "event 6 ", 5);
    let at_the_end = format!(
        "INSERT INTO events SELECT RANDOM, kind, area_code, actor_id, subject_id, data, at, {}, hash FROM events WHERE number = {EVENTS}",
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
    let keys = std::sync::Arc::new(Keys::load_or_make(sealed.path()).unwrap());
    let calendar = Calendar::load(None).unwrap();
    let (store, _rung) = store::open((&sealed.url(), READERS), Clock::system(), calendar, keys.clone()).await.unwrap();
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
        "at = A YEAR EARLIER",
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
    let copy = House::copy_of(&sealed);
    let database = Raw::open(copy.path()).await;
    assert_eq!(rehash(&database).await, 0, "the chain is as described: computed anew, nothing changes");
    database.execute("UPDATE events SET data = '{\"rating\":1}' WHERE number = 2").await;
    assert_eq!(rehash(&database).await, EVENTS - 1);
    database.close().await;
    found(&verified(&copy).await, &format!("checkpoint {FIRST_RUN} does not fit"), FIRST_RUN - 1);
}

/// The chain, written a second time from its description. Says how many hashes were changed.
async fn rehash(database: &Raw) -> i64 {
    let rows = database.rows("SELECT * FROM events ORDER BY number").await;
    let mut before = sha256_hex(b"liusheng-log-1");
    let mut changed = 0;
    for row in rows {
        let text = |column: &str| row.try_get::<Option<String>>("", column).unwrap().unwrap_or_default();
        let uuid = |column: &str| {
            row.try_get::<Option<Uuid>>("", column).unwrap().map(|id| id.to_string()).unwrap_or_default()
        };
        let number: i64 = row.try_get("", "number").unwrap();
        let at: DateTime<Utc> = row.try_get("", "at").unwrap();
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
            database.execute(&format!("UPDATE events SET hash = '{before}' WHERE number = {number}")).await;
        }
    }
    database.execute(&format!("UPDATE chain_heads SET hash = '{before}'")).await;
    changed
}

/// How often the reaction of the next test was called; the disk is full at first.
static CALLS: AtomicU32 = AtomicU32::new(0);

async fn with_a_full_disk() -> liusheng::error::Result<()> {
    if CALLS.fetch_add(1, Ordering::SeqCst) < 12 { Err(Code::StorageFull.into()) } else { Ok(()) }
}

/// An event is set aside when something is wrong with it, not when the disk is full for a while.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_sets_no_event_aside() {
    let house = House::new();
    let keys = std::sync::Arc::new(Keys::load_or_make(house.path()).unwrap());
    let calendar = Calendar::load(None).unwrap();
    let (store, _rung) = store::open((&house.url(), READERS), Clock::system(), calendar, keys).await.unwrap();
    let happening = Happening::new(Kind::SuggestionRated, SuggestionId::new()).at("330521103202");
    store.write(move |tx| Box::pin(async move { events::record(tx, happening).await })).await.unwrap();
    let reaction = Reaction { name: "test.full", run: |_, _| Box::pin(with_a_full_disk()) };
    let stop = CancellationToken::new();
    let relay = Relay::new(store.clone(), vec![reaction], std::sync::Arc::default());
    let working = tokio::spawn(relay.run(stop.clone()));
    for _ in 0..600 {
        if CALLS.load(Ordering::SeqCst) > 12 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    stop.cancel();
    working.await.unwrap();
    assert_eq!(CALLS.load(Ordering::SeqCst), 13, "tried until it went through, and then no more");
    assert_eq!(crate::support::count(house.path(), "SELECT count(*) FROM dead_letters").await, 0);
}

/// A server that ran before anything happened signs nothing, and one of before that did so is forgiven.
#[tokio::test(flavor = "multi_thread")]
async fn an_empty_log_is_not_signed() {
    let house = House::new();
    let clock = Clock::standing_at(monday());
    let (app, rung) = server::open(config(&house), clock.clone(), false).await.unwrap();
    server::start(app, rung, Role::All).await.unwrap().stop().await;
    assert_eq!(crate::support::count(house.path(), "SELECT count(*) FROM checkpoints").await, 0);
    let raw = Raw::open(house.path()).await;
    raw.execute("INSERT INTO checkpoints VALUES (0, '', 'e1', 'x', '2026-11-02T01:00:00+00:00')").await;
    raw.close().await;
    clock.advance(TimeDelta::seconds(11));
    let (app, rung) = server::open(config(&house), clock.clone(), false).await.unwrap();
    let running = server::start(app.clone(), rung, Role::All).await.unwrap();
    let happening = Happening::new(Kind::SuggestionRated, SuggestionId::new()).at("330521103202");
    app.store.write(move |tx| Box::pin(async move { events::record(tx, happening).await })).await.unwrap();
    while events::backlog(&app.store, app.now()).await.unwrap().unsequenced > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    running.stop().await;
    let report = verified(&house).await;
    assert_eq!((report.events, report.checkpoints, report.first_bad), (1, 1, None));
}
