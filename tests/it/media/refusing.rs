//! A bucket that answers, but refuses: what it refuses is told, what it gives is given, and nothing is lost meanwhile.
use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use axum::{Router, body::Bytes, extract::State};
use chrono::TimeDelta;
use liusheng::{
    aloud,
    media::{self, conversion},
};
use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio::task::JoinHandle;

use super::{CLIP, GPS, PNG, clips};
use crate::support::{OwnBucket, TestApp, Village, count, monday};

/// As much of S3 as is asked for, in this process; without lists of what lies there.
#[derive(Clone, Default)]
pub(super) struct Store {
    files: Arc<Mutex<HashMap<String, Bytes>>>,
    refuses_puts: Arc<AtomicBool>,
    refuses_gets: Arc<AtomicBool>,
    puts: Arc<AtomicUsize>,
}

impl Store {
    pub(super) async fn open(&self) -> (SocketAddr, JoinHandle<()>) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(serve).with_state(self.clone());
        (address, tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }))
    }

    pub(super) fn refuse(&self, puts: bool, gets: bool) {
        self.refuses_puts.store(puts, Ordering::SeqCst);
        self.refuses_gets.store(gets, Ordering::SeqCst);
    }
}

async fn serve(State(store): State<Store>, method: Method, uri: axum::http::Uri, body: Bytes) -> (StatusCode, Bytes) {
    let refused = (StatusCode::FORBIDDEN, Bytes::from_static(b"<Error><Code>AccessDenied</Code></Error>"));
    let name = uri.path().to_owned();
    match method {
        Method::PUT => {
            store.puts.fetch_add(1, Ordering::SeqCst);
            if store.refuses_puts.load(Ordering::SeqCst) {
                return refused;
            }
            store.files.lock().unwrap().insert(name, body);
        }
        Method::DELETE => drop(store.files.lock().unwrap().remove(&name)),
        _ if store.refuses_gets.load(Ordering::SeqCst) => return refused,
        _ if uri.query().is_some_and(|query| query.contains("list-type")) => {
            return (StatusCode::OK, Bytes::from_static(b"<ListBucketResult></ListBucketResult>"));
        }
        _ => {
            let missing = (StatusCode::NOT_FOUND, Bytes::from_static(b"<Error><Code>NoSuchKey</Code></Error>"));
            let found = store.files.lock().unwrap().get(&name).cloned();
            return found.map_or(missing, |bytes| (StatusCode::OK, bytes));
        }
    }
    (StatusCode::OK, Bytes::new())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_gives_but_takes_nothing_is_told_of_until_it_takes_again() {
    let store = Store::default();
    let (address, serving) = store.open().await;
    let app = TestApp::start_with(monday(), |config| OwnBucket::set(config, address)).await;
    let village = Village::found(&app).await;
    let who = &village.clerk;
    let clip = who.upload(CLIP.to_vec()).await.ok()["url"].as_str().unwrap().to_owned();
    let photo = who.upload(PNG.to_vec()).await.ok();
    let voice = json!({ "kind": "help", "visibility": "handlers", "text": "看", "media": [photo["id"]] });
    who.post("/v1/suggestions", voice).await.ok();
    store.refuse(true, false);
    assert_eq!(who.upload(GPS.to_vec()).await.refused(), "media_unavailable");
    let puts = store.puts.load(Ordering::SeqCst);
    assert_eq!(who.upload(b"<svg/>".to_vec()).await.refused(), "media_unavailable", "nothing is inspected in vain");
    assert_eq!(store.puts.load(Ordering::SeqCst), puts);
    assert_eq!(who.download(&clip).await, (200, CLIP.to_vec()), "what is there is given");
    let ready = app.get("/readyz").await.body;
    assert_eq!((&ready["status"], &ready["parts"]["media"]["ok"]), (&json!("degraded"), &json!(false)));
    app.pass(TimeDelta::days(3)).await;
    assert_eq!(media::files::sweep(&app.app).await.unwrap(), 0, "no row goes whose files may stay");
    store.refuse(false, false);
    assert_eq!(app.get("/readyz").await.body["parts"]["media"]["ok"], true);
    assert_eq!(media::files::sweep(&app.app).await.unwrap(), 1);
    app.stop().await;
    serving.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clip_that_cannot_be_read_now_keeps_its_tries() {
    let store = Store::default();
    let (address, serving) = store.open().await;
    let folder = tempfile::tempdir().unwrap();
    let program = clips::stand_in(folder.path(), "", &format!("cat {}", clips::M4A));
    let app = TestApp::start_with(monday(), |config| {
        OwnBucket::set(config, address);
        config.ffmpeg = program;
    })
    .await;
    let village = Village::found(&app).await;
    store.refuse(false, true);
    village.clerk.upload(clips::AMR.to_vec()).await.ok();
    let waits = "SELECT count(*) FROM media WHERE work_tries = 0 AND work_at > created_at";
    let plays = "SELECT count(*) FROM media WHERE work_tries = 1 AND played_mime IS NOT NULL";
    for (wanted, time) in [(waits, TimeDelta::zero()), (plays, TimeDelta::minutes(11))] {
        app.clock.advance(time);
        for _ in 0..100 {
            conversion::run_due(&app.app).await.unwrap();
            if count(app.folder.path(), wanted).await == 1 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        assert_eq!(count(app.folder.path(), wanted).await, 1, "{wanted}");
        store.refuse(false, false);
    }
    app.stop().await;
    serving.abort();
}

/// More often than a command is tried: it did what it was asked, and what it said is kept when there is a place for it.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_machine_says_and_nobody_can_keep_now_costs_it_no_try() {
    let store = Store::default();
    let (address, serving) = store.open().await;
    let folder = tempfile::tempdir().unwrap();
    let (program, calls) = (folder.path().join("say"), folder.path().join("calls"));
    std::fs::write(&program, format!("echo x >>{}; cat >/dev/null; cat {}", calls.display(), clips::M4A)).unwrap();
    let command = format!("/bin/sh {}", program.display());
    let app = TestApp::start_with(monday(), |config| {
        OwnBucket::set(config, address);
        config.speech_command = command;
    })
    .await;
    let village = Village::found(&app).await;
    store.refuse(true, false);
    let notice = json!({ "area_code": village.area, "title": "停水", "text": "周五全村停水一天，请先存水。" });
    let notice = village.clerk.post("/v1/notices", notice).await.ok();
    app.settle().await;
    let given_back = "SELECT count(*) FROM aloud_clips WHERE tries = 0 AND media_id IS NULL";
    let pause = std::time::Duration::from_millis(100);
    for times in 1..=4 {
        for _ in 0..200 {
            aloud::run_due(&app.app).await.unwrap();
            let called = std::fs::read_to_string(&calls).unwrap_or_default().lines().count();
            if called >= times && count(app.folder.path(), given_back).await == 1 {
                break;
            }
            tokio::time::sleep(pause).await;
        }
        assert_eq!(count(app.folder.path(), given_back).await, 1, "after {times} in vain");
        app.clock.advance(TimeDelta::minutes(11));
    }
    store.refuse(false, false);
    let path = format!("/v1/aloud/notice/{}", notice["id"].as_str().unwrap());
    for _ in 0..40 {
        // what failed a moment ago is not asked for some seconds
        app.clock.advance(TimeDelta::minutes(11));
        aloud::run_due(&app.app).await.unwrap();
        if app.get(&path).await.status == 200 {
            break;
        }
        tokio::time::sleep(5 * pause).await;
    }
    assert_eq!(app.get(&path).await.ok()["is_machine"], true);
    app.stop().await;
    serving.abort();
}
