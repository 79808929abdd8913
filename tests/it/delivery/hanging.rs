//! Addresses that take the call and never answer: whoever is well hears nevertheless, and they themselves lose nothing.
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    http::{HeaderMap, Uri},
    routing::post,
};
use chrono::TimeDelta;
use reqwest::Method;
use serde_json::json;
use tokio::time::Instant;

use super::{Scene, Target};
use crate::support::{Raw, count};

/// As many as are tried at once.
const HANGING: usize = 32;
/// What waits for the first of them besides.
const BACKLOG: usize = 40;
/// One area takes so many.
const OF_VILLAGE: usize = 20;

/// Servers that keep silent, until they do not.
#[derive(Clone, Default)]
struct Silent {
    is_well: Arc<AtomicBool>,
    /// What was answered: by path and `webhook-id`, how often.
    got: Arc<Mutex<BTreeMap<(String, String), usize>>>,
}

impl Silent {
    async fn open() -> (Self, String) {
        let silent = Self::default();
        let state = silent.clone();
        let take = move |uri: Uri, headers: HeaderMap| async move {
            if !state.is_well.load(Ordering::SeqCst) {
                std::future::pending::<()>().await;
            }
            let id = headers["webhook-id"].to_str().unwrap().to_owned();
            *state.got.lock().unwrap().entry((uri.path().to_owned(), id)).or_default() += 1;
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().route("/{name}", post(take));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        (silent, url)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_that_hang_delay_nobody_else_and_hear_of_everything_once_when_they_are_well() {
    let scene = Scene::set().await;
    let ((silent, url), (well, well_url)) = (Silent::open().await, Target::open(200).await);
    for number in 0..HANGING {
        let hook = json!({ "url": format!("{url}/{number}") });
        let (who, hooks) = if number < OF_VILLAGE {
            (&scene.village.clerk, scene.hooks.as_str())
        } else {
            (&scene.village.town, "/v1/areas/330521103/webhooks")
        };
        who.post(hooks, hook).await.ok();
    }
    // set up last, and last in every line
    scene.village.town.post("/v1/areas/330521103/webhooks", json!({ "url": well_url })).await.ok();
    scene.publish("一").await;
    wait_in_line(&scene).await;
    // nobody knows them yet: each is waited for once
    well.until(1).await;
    tried_once(&scene).await;
    // a try in vain costs as much, whatever else waits for that address
    let rewritten = "SELECT count(*) FROM deliveries WHERE event_number < 0 AND tries = 0 AND due_at <> created_at";
    assert_eq!(count(scene.app.folder.path(), rewritten).await, 0, "rows were written that nobody took");
    let published = Instant::now();
    scene.publish("二").await;
    while well.count() < 2 && published.elapsed() < Duration::from_secs(10) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(well.count(), 2, "a healthy address waits for those that hang");

    silent.is_well.store(true, Ordering::SeqCst);
    for _ in 0..600 {
        if silent.got.lock().unwrap().len() >= 2 * HANGING + BACKLOG {
            break;
        }
        scene.app.clock.advance(TimeDelta::seconds(40));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let got = silent.got.lock().unwrap().clone();
    assert_eq!(got.len(), 2 * HANGING + BACKLOG, "each heard of both, and one of all that waited: {got:?}");
    assert!(got.values().all(|times| *times == 1), "once: {got:?}");
    assert_eq!(well.count(), 2);
    let hanging = "SELECT count(*) FROM webhooks WHERE rests_until IS NOT NULL";
    let answered = Instant::now();
    while count(scene.app.folder.path(), hanging).await > 0 {
        assert!(answered.elapsed() < Duration::from_secs(10), "who answers is as any other");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_webhook_that_was_removed_is_ended_in_pieces_and_never_sent() {
    let scene = Scene::set().await;
    let (target, url) = Target::open(200).await;
    let clerk = &scene.village.clerk;
    let hook = clerk.post(&scene.hooks, json!({ "url": url })).await.ok()["id"].as_str().unwrap().to_owned();
    let raw = Raw::open(scene.app.folder.path()).await;
    let id = raw.spelled("randomblob(16)", "gen_random_uuid()");
    let many = format!(
        "INSERT INTO deliveries (id, kind, channel, event_number, target_id, subject_id, state, tries, due_at, created_at) \
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2300) \
         SELECT {id}, 'notice.published', 'webhook', -i, '{hook}', '{hook}', 'queued', 0, \
         '2099-01-01T00:00:00+00:00', '2026-01-01T00:00:00+00:00' FROM n"
    );
    assert_eq!(raw.execute(&many).await, 2300);
    let removed = clerk.request(Method::DELETE, &format!("{}/{hook}", scene.hooks)).send().await.unwrap();
    assert_eq!(removed.status(), 204);
    let cancelled = "SELECT count(*) FROM deliveries WHERE event_number < 0 AND state = 'cancelled'";
    assert_eq!(raw.one::<i64>(cancelled).await, 1000, "one unit ends a thousand");
    raw.execute("UPDATE deliveries SET due_at = created_at WHERE state = 'queued'").await;
    let due = Instant::now();
    while raw.one::<i64>(cancelled).await < 2300 {
        assert!(due.elapsed() < Duration::from_secs(30), "what is left is ended as it comes due");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    raw.close().await;
    assert_eq!(target.count(), 0);
    scene.app.stop().await;
}

/// Behind what the first address is told stands more for it, due at the same moment.
async fn wait_in_line(scene: &Scene) {
    let planned = "SELECT count(*) FROM deliveries WHERE channel = 'webhook'";
    while count(scene.app.folder.path(), planned).await <= i64::try_from(HANGING).unwrap() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let raw = Raw::open(scene.app.folder.path()).await;
    // last by its id
    let id = raw.spelled(
        "unhex(printf('ffffffffffffffffffffffff%08x', i))",
        "('ffffffff-ffff-ffff-ffff-' || lpad(to_hex(i), 12, '0'))::uuid",
    );
    let more = format!(
        "INSERT INTO deliveries (id, kind, channel, event_number, target_id, subject_id, state, tries, due_at, created_at) \
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {BACKLOG}) \
         SELECT {id}, d.kind, d.channel, -i, d.target_id, d.subject_id, 'queued', 0, d.created_at, d.created_at \
         FROM deliveries d, n WHERE d.target_id = (SELECT min(target_id) FROM deliveries WHERE channel = 'webhook')"
    );
    assert_eq!(raw.execute(&more).await, u64::try_from(BACKLOG).unwrap());
    raw.close().await;
}

/// Waits until every call that hangs has come to its end.
async fn tried_once(scene: &Scene) {
    let select = "SELECT count(*) FROM deliveries WHERE channel = 'webhook' AND event_number > 0 \
                  AND state <> 'sent' AND (state <> 'queued' OR tries <> 1)";
    let mut left = i64::MAX;
    for _ in 0..300 {
        left = count(scene.app.folder.path(), select).await;
        if left == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{left} calls are under way");
}
