//! What only a database server can do: be set up unsafely, go away and come back, be written by several at once.
use std::{
    process::Output,
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use futures_util::future::join_all;
use liusheng::{
    app::App,
    config::Config,
    delivery::{
        Audience,
        announce::{Told, announce},
        rules::ladder::{Ladder, Level, Topic, Urgency},
    },
    error::Error,
    events::{Event, Kind},
    ids::EventId,
    server::Role,
};
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Harm, House, READERS, Raw, Socket, TestApp, Village, count, is_postgres, monday, opened, run};

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn an_unsafe_server_is_refused_and_no_password_is_told() {
    let away = [("LIUSHENG_DATABASE_URL", "postgres://me:g3heim@127.0.0.1:1/nothing")];
    let output = run(House::of_sqlite().path(), &["migrate"], &away);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("127.0.0.1:1") && !said(&output).contains("g3heim"), "{}", said(&output));
    if !is_postgres("postgres: settings checked at the start") {
        return;
    }
    let house = House::new();
    house.administer("ALTER DATABASE NAME SET synchronous_commit = off");
    let output = run(house.path(), &["migrate"], &[]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("synchronous_commit is off"), "{}", said(&output));
    house.administer("ALTER DATABASE NAME SET synchronous_commit = on");
    assert_eq!(run(house.path(), &["migrate"], &[]).status.code(), Some(0));
}

const TERMINATE: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'NAME'";

/// Connections are lost here: as many as a server has.
fn as_served(config: &mut Config) {
    config.database_readers = Config::defaults().unwrap().database_readers;
}

#[tokio::test]
async fn no_more_read_at_once_than_the_settings_say() {
    if !is_postgres("postgres: connections that read") {
        return;
    }
    let house = House::new();
    let store = opened(&house.url()).await.unwrap();
    let ask = || Statement::from_string(store.read().get_database_backend(), "SELECT 1 FROM pg_sleep(0.05)");
    let answers = join_all((0..12).map(|_| store.read().query_one_raw(ask()))).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    let reading = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
        AND application_name = 'liusheng reader'";
    assert_eq!(count(house.path(), reading).await, i64::from(READERS));
}

/// The server goes away for two seconds, as at a restart: 503 and when to come again, nothing acknowledged is lost, and
/// it heals by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_database_that_was_away_is_found_again() {
    if !is_postgres("postgres: away and back") {
        return;
    }
    let (app, village) = Village::start_with(monday(), as_served).await;
    let villager = village.villager(&app, "00007").await;
    let voice = json!({ "kind": "suggestion", "visibility": "public", "text": "灯坏了", "place": "桥头" });
    villager.post("/v1/suggestions", voice.clone()).await.ok();
    app.folder.administer("ALTER DATABASE NAME ALLOW_CONNECTIONS false");
    app.folder.administer(TERMINATE);
    let began = Instant::now();
    let key = Uuid::now_v7().to_string();
    while began.elapsed() < Duration::from_secs(4) {
        let request = villager.request(reqwest::Method::POST, "/v1/suggestions").header("idempotency-key", &key);
        let answer = request.json(&voice).send().await.unwrap();
        assert_eq!(answer.status(), 503);
        assert!(answer.headers().contains_key("retry-after"));
        let read = villager.request(reqwest::Method::GET, "/v1/sync").send().await.unwrap();
        assert_eq!(read.status(), 503);
        // whom we cannot look up now is told to come back, not that we do not know him
        app.app.actors.invalidate_all();
        let mut phone = Socket::connect(&app, &villager.token(), json!({})).await;
        assert_eq!(phone.until_closed().await, 3011, "{}", phone.refused);
        assert_eq!(app.get("/readyz").await.status, 503);
    }
    app.folder.administer("ALTER DATABASE NAME ALLOW_CONNECTIONS true");
    let back = Instant::now();
    loop {
        let answer = villager.post_once("/v1/suggestions", &key, voice.clone()).await;
        if answer.status == 201 && villager.get("/v1/sync").await.status == 200 {
            break;
        }
        assert_eq!(answer.status, 503, "{}", answer.body);
        assert!(back.elapsed() < Duration::from_secs(10), "not back after ten seconds");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    println!("back after {:?}", back.elapsed());
    assert_eq!(count(app.folder.path(), "SELECT count(*) FROM suggestions").await, 2);
    // sessions cut under load, again and again: every acknowledged voice is there, and there once
    let mut promised = 0;
    for round in 0..5 {
        let asking: Vec<_> = (0..20)
            .map(|_| {
                let (villager, voice) = (villager.clone(), voice.clone());
                tokio::spawn(async move {
                    let key = Uuid::now_v7().to_string();
                    for _ in 0..100 {
                        let answer = villager.post_once("/v1/suggestions", &key, voice.clone()).await;
                        if answer.status == 201 {
                            return;
                        }
                        assert_eq!(answer.status, 503, "{}", answer.body);
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                    panic!("never answered");
                })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(20 + round * 30)).await;
        app.folder.administer(TERMINATE);
        for one in asking {
            one.await.unwrap();
            promised += 1;
        }
    }
    assert_eq!(count(app.folder.path(), "SELECT count(*) FROM suggestions").await, 2 + promised);
    app.stop().await;
}

#[tokio::test]
async fn readiness_tells_of_a_setting_changed_later() {
    if !is_postgres("postgres: settings watched") {
        return;
    }
    let app = TestApp::start_with(monday(), as_served).await;
    assert_eq!(app.get("/readyz").await.body["parts"]["database_doubts"], json!([]));
    app.folder.administer("ALTER DATABASE NAME SET synchronous_commit = off");
    app.folder.administer(TERMINATE);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let mut ready = Value::Null;
    for _ in 0..20 {
        ready = app.get("/readyz").await.body;
        if ready["status"] == "degraded" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!(ready["parts"]["database_doubts"][0].as_str().unwrap().contains("synchronous_commit"), "{ready}");
    app.stop().await;
}

/// What a unit has read stays so until its commit, though another process writes the same row.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_writers_never_decide_on_what_is_no_longer_so() {
    let app = TestApp::start().await;
    let other = opened(&app.folder.url()).await.unwrap();
    let mut writing = Vec::new();
    for number in 0..100 {
        let store = if number % 2 == 0 { app.app.store.clone() } else { other.clone() };
        writing.push(tokio::spawn(async move {
            let adding = store.write(|tx| {
                Box::pin(async move {
                    let backend = tx.get_database_backend();
                    let select = Statement::from_string(backend, "SELECT version FROM templates WHERE key = 'count'");
                    let row = tx.query_one_raw(select).await?;
                    let so_far: i32 = row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or(0);
                    // time enough for another to read the same
                    tokio::time::sleep(Duration::from_millis(3)).await;
                    let more = so_far + 1;
                    tx.execute_unprepared("DELETE FROM templates WHERE key = 'count'").await?;
                    let insert =
                        format!("INSERT INTO templates (key, version, definition) VALUES ('count', {more}, '')");
                    tx.execute_unprepared(&insert).await?;
                    Ok(())
                })
            });
            adding.await
        }));
    }
    for one in writing {
        one.await.unwrap().unwrap();
    }
    let counted = count(app.folder.path(), "SELECT CAST(max(version) AS BIGINT) FROM templates WHERE key = 'count'");
    assert_eq!(counted.await, 100);
    app.stop().await;
}

/// Another process may hold the turn to write for longer than a statement may take; whoever waits for it is not refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_turn_of_another_is_waited_for() {
    if !is_postgres("postgres: waiting for the turn to write") {
        return;
    }
    let (app, village) = Village::start().await;
    let villager = village.villager(&app, "00007").await;
    let other = Raw::open(app.folder.path()).await;
    let turn = i64::from_be_bytes(*b"liusheng");
    other.execute(&format!("SELECT pg_advisory_lock({turn})")).await;
    let holding = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(9_500)).await;
        // ends the session, and with it the turn
        other.close().await;
    });
    let began = Instant::now();
    let voice = json!({ "kind": "suggestion", "visibility": "public", "text": "灯坏了", "place": "桥头" });
    let answer = villager.post("/v1/suggestions", voice).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    assert!(began.elapsed() > Duration::from_secs(9), "nobody held the turn");
    holding.await.unwrap();
    app.stop().await;
}

/// A unit that goes on after a statement had failed is not acknowledged, and spoils nothing that comes after it.
#[tokio::test]
async fn a_swallowed_error_is_never_acknowledged() {
    if !is_postgres("postgres: a transaction that failed") {
        return;
    }
    let app = TestApp::start().await;
    let swallowing = app.app.store.write(|tx| {
        Box::pin(async move {
            tx.execute_unprepared("INSERT INTO templates (key, version, definition) VALUES ('a', 1, '')").await?;
            tx.execute_unprepared("INSERT INTO nowhere VALUES (1)").await.ok();
            Ok::<_, Error>(())
        })
    });
    assert!(swallowing.await.is_err());
    let rows = "SELECT count(*) FROM templates WHERE key = 'a'";
    assert_eq!(count(app.folder.path(), rows).await, 0);
    let next = app.app.store.write(|tx| {
        Box::pin(async move {
            tx.execute_unprepared("INSERT INTO templates (key, version, definition) VALUES ('a', 1, '')").await?;
            Ok::<_, Error>(())
        })
    });
    next.await.unwrap();
    assert_eq!(count(app.folder.path(), rows).await, 1);
    app.stop().await;
}

/// Something is to be told in a village where nobody lives.
async fn tell_nobody(app: &App) {
    let area = "330521103202".to_owned();
    let told = Told {
        audience: Audience::Residents(area.clone()),
        level: Level::News,
        urgency: Urgency::Emergency,
        topic: Topic::Notices,
        ladder: Ladder::Emergency,
        thread: "flood".to_owned(),
        place: None,
    };
    let event = Event {
        id: EventId::new(),
        number: 1,
        kind: Kind::MatterClosed,
        area: Some(area),
        actor: None,
        subject: "flood".to_owned(),
        data: Value::Null,
        at: app.now() - TimeDelta::minutes(3),
    };
    app.store.write(move |tx| Box::pin(async move { announce(tx, &event, told).await })).await.unwrap();
}

/// A step of it is to be taken again; is it, within this time?
async fn is_planned(raw: &Raw, within: Duration) -> bool {
    raw.execute("UPDATE ladder_steps SET state = 'waiting' WHERE step = 1").await;
    let began = Instant::now();
    while began.elapsed() < within {
        if raw.one::<i64>("SELECT count(*) FROM ladder_steps WHERE step = 1 AND state = 'waiting'").await == 0 {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    false
}

/// The network swallows what a loop of the worker has asked, and tells nobody: the loop gives up waiting and goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_loop_whose_answer_was_swallowed_goes_on() {
    if !is_postgres("postgres: a network that swallows an answer to a loop") {
        return;
    }
    let app = TestApp::start_with(monday(), as_served).await;
    tell_nobody(&app.app).await;
    let (net, worker) = app.behind_a_net(Role::Worker).await;
    // from here on nobody else plans
    let house = app.close().await;
    let raw = Raw::open(house.path()).await;
    assert!(is_planned(&raw, Duration::from_secs(20)).await, "nobody plans");
    // what is due is asked every second: the question of this second waits for its answer when the net forgets it
    let steps = raw.held("ladder_steps").await;
    tokio::time::sleep(Duration::from_millis(1400)).await;
    net.set(Harm::Forget);
    tokio::time::sleep(Duration::from_millis(200)).await;
    steps.rollback().await.unwrap();
    net.set(Harm::None);
    // fifteen seconds for the answer, three for each other connection of the time before, and as much for the writer's
    let goes_on = is_planned(&raw, Duration::from_secs(80)).await;
    assert!(goes_on, "a loop waits for an answer that never comes");
    net.set(Harm::Cut);
    worker.stop().await;
    raw.close().await;
}
