//! One thing told to a whole county while Redis is wiped, stopped and restarted and workers are killed and frozen: the
//! people who were told are the audience, each has one delivery, and what nobody knows the end of is named.
mod blocked;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use liusheng::{
    app::App,
    clock::Clock,
    config::SmsProvider,
    delivery::{
        Audience,
        announce::{Told, announce},
        plan,
        rules::ladder::{Ladder, Level, Topic, Urgency},
    },
    events::{Event, Kind},
    ids::{EventId, HouseholdId, PersonId},
    server,
};
use sea_orm::{
    ConnectionTrait, ExprTrait, QueryResult, Statement,
    sea_query::{Expr, Order, Query},
};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::support::{House, OwnRedis, Process, count, free_port, is_full_run, redis_url};

const AREA: &str = "330521103202";
/// Longer than a lease on a send that nobody finishes.
const STUCK: Duration = Duration::from_secs(150);
/// What is more is a county: struck five times in each way, and then left to work.
const SHORT: usize = 20_000;

fn how_many() -> usize {
    let asked = std::env::var("LSTEST_PEOPLE").ok().and_then(|text| text.parse().ok());
    asked.unwrap_or(if is_full_run() { 440_000 } else { 10_000 })
}

/// Invented residents, each found by a number of the own; that the same is dialled does no harm, because what is counted is
/// the deliveries.
async fn people(app: &App, count: usize) {
    let sealed = app.keys.seal("phone", "+8619500000001").unwrap();
    let now = app.now();
    for first in (0..count).step_by(500) {
        let sealed = sealed.clone();
        let last = (first + 500).min(count);
        let unit = app.store.write(move |tx| {
            Box::pin(async move {
                let household = HouseholdId::new();
                let home = Query::insert()
                    .into_table("households")
                    .columns(["id", "area_code", "number", "group_number"])
                    .values_panic([household.into(), AREA.into(), format!("H{first}").into(), 1.into()])
                    .to_owned();
                tx.execute(&home).await?;
                let mut rows = Query::insert();
                rows.into_table("people").columns([
                    "id",
                    "area_code",
                    "household_id",
                    "roster_number",
                    "name",
                    "sex",
                    "birth_date",
                    "phone_sealed",
                    "phone_hmac",
                    "group_number",
                    "relation",
                    "is_registered",
                    "lives_here",
                    "joined_on",
                    "created_at",
                    "updated_at",
                ]);
                let day: chrono::NaiveDate = "1970-01-01".parse().unwrap();
                for number in first..last {
                    rows.values_panic([
                        PersonId::new().into(),
                        AREA.into(),
                        household.into(),
                        format!("{number:06}").into(),
                        "张三".into(),
                        "male".into(),
                        day.into(),
                        sealed.clone().into(),
                        format!("number {number}").into(),
                        1.into(),
                        "head".into(),
                        true.into(),
                        true.into(),
                        day.into(),
                        now.into(),
                        now.into(),
                    ]);
                }
                tx.execute(&rows).await?;
                Ok(())
            })
        });
        unit.await.unwrap();
    }
}

async fn tell_everybody(app: &App, number: i64) {
    let told = Told {
        audience: Audience::Residents(AREA.to_owned()),
        level: Level::News,
        urgency: Urgency::Emergency,
        topic: Topic::Notices,
        ladder: Ladder::Emergency,
        thread: "flood".to_owned(),
        place: None,
    };
    // an event of three minutes ago: both steps by message are due, and nobody is written to by both
    let event = Event {
        id: EventId::new(),
        number,
        kind: Kind::MatterClosed,
        area: Some(AREA.to_owned()),
        actor: None,
        subject: "flood".to_owned(),
        data: Value::Null,
        at: app.now() - chrono::TimeDelta::minutes(3),
    };
    app.store.write(move |tx| Box::pin(async move { announce(tx, &event, told).await })).await.unwrap();
}

async fn states(app: &App) -> BTreeMap<String, i64> {
    let read = app.store.read();
    let select = "SELECT state || coalesce(' ' || reason, ''), count(*) FROM deliveries GROUP BY 1";
    let rows = read.query_all_raw(Statement::from_string(read.get_database_backend(), select)).await.unwrap();
    rows.iter().map(|row| (row.try_get_by_index(0).unwrap(), row.try_get_by_index(1).unwrap())).collect()
}

/// The most memory that a process ever used, in MiB.
fn peak_mib(process: &Process) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.pid())).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("0");
    line.chars().filter(char::is_ascii_digit).collect::<String>().parse::<usize>().unwrap_or(0) / 1024
}

fn signal(process: &Process, name: &str) {
    Command::new("kill").args([&format!("-{name}"), &process.pid().to_string()]).status().unwrap();
}

/// Deliveries that reached the provider, with how often.
fn sent(folder: &Path) -> BTreeMap<String, usize> {
    let text = std::fs::read_to_string(folder.join("sms.txt")).unwrap_or_default();
    let mut sent = BTreeMap::new();
    for line in text.lines() {
        *sent.entry(line.rsplit(' ').next().unwrap().to_owned()).or_default() += 1;
    }
    sent
}

/// A worker and a Redis to which everything happens that can.
struct Mortal<'a> {
    redis: Option<OwnRedis>,
    worker: Process,
    start: &'a dyn Fn() -> Process,
    blows: usize,
    wipes: usize,
}

impl Mortal<'_> {
    /// Of four blows the worker is killed by two and frozen by one, and by one Redis is stopped and started again; with each
    /// of them Redis forgets everything.
    async fn strike(&mut self) {
        match self.blows % 4 {
            0 | 2 => {
                self.worker.kill();
                self.worker.wait();
                self.worker = (self.start)();
            }
            1 => {
                signal(&self.worker, "STOP");
                tokio::time::sleep(Duration::from_millis(1500)).await;
                signal(&self.worker, "CONT");
            }
            _ => {
                if let Some(redis) = &mut self.redis {
                    redis.kill();
                    tokio::time::sleep(Duration::from_millis(500)).await;
                    redis.revive();
                }
            }
        }
        if let Some(redis) = &self.redis {
            let mut wiping =
                redis::Client::open(redis.url.as_str()).unwrap().get_multiplexed_async_connection().await.unwrap();
            let _: () = redis::cmd("FLUSHALL").query_async(&mut wiping).await.unwrap();
            self.wipes += 1;
        }
        self.blows += 1;
    }
}

/// Strikes so often, then lets them work in peace until nobody waits. Says after which time everybody had a row.
async fn suffer(app: &App, (count, blows): (usize, usize), mortal: &mut Mortal<'_>, log: &Path) -> Duration {
    let (began, mut planned_after, mut said_at) = (Instant::now(), None, Instant::now());
    let (mut before, mut moved_at) = (BTreeMap::new(), Instant::now());
    loop {
        let is_struck = mortal.blows < blows;
        // counting a county takes the workers' time
        let pause = if is_struck || count <= SHORT { 700 } else { 3000 };
        tokio::time::sleep(Duration::from_millis(pause)).await;
        let states = states(app).await;
        if states != before {
            (before, moved_at) = (states.clone(), Instant::now());
        }
        let all: i64 = states.values().sum();
        if usize::try_from(all).unwrap() >= count {
            planned_after.get_or_insert(began.elapsed());
        }
        let open = states.iter().filter(|(state, _)| state.starts_with("queued") || state.starts_with("sending"));
        let open: i64 = open.map(|(_, count)| count).sum();
        if let (Some(planned_after), 0) = (planned_after, open) {
            return planned_after;
        }
        // however slow the machine is, something goes on
        let is_stuck = moved_at.elapsed() > STUCK;
        assert!(!is_stuck, "{states:?}: {}", std::fs::read_to_string(log).unwrap_or_default());
        if said_at.elapsed() > Duration::from_secs(60) {
            said_at = Instant::now();
            eprintln!("after {:.0?}: {states:?}", began.elapsed());
        }
        if is_struck {
            mortal.strike().await;
        }
    }
}

/// Something of every row of a table, read in pieces: the whole of a county is more than one statement may take.
async fn of_all<T>(
    app: &App,
    (table, columns): (&'static str, &[&'static str]),
    read: impl Fn(&QueryResult) -> T,
) -> Vec<T> {
    let (mut all, mut last) = (Vec::new(), uuid::Uuid::nil());
    loop {
        let piece = Query::select()
            .columns(columns.iter().copied())
            .from(table)
            .and_where(Expr::col("id").gt(last))
            .order_by("id", Order::Asc)
            .limit(20_000)
            .to_owned();
        let piece = app.store.read().query_all(&piece).await.unwrap();
        let Some(end) = piece.last() else { return all };
        last = end.try_get("", "id").unwrap();
        all.extend(piece.iter().map(&read));
    }
}

/// Holds what was written down against what went out: who was told, who is named as unknown, and how many heard it twice.
async fn accounted(app: &App, folder: &Path, count: usize) -> (usize, usize, usize) {
    let read = |row: &QueryResult| -> (uuid::Uuid, String, String, i32) {
        (row.try_get_by(0).unwrap(), row.try_get_by(1).unwrap(), row.try_get_by(2).unwrap(), row.try_get_by(3).unwrap())
    };
    let rows = of_all(app, ("deliveries", &["id", "target_id", "state", "tries"]), read).await;
    let person = |row: &QueryResult| row.try_get_by::<uuid::Uuid, _>(0).unwrap().to_string();
    let everybody: BTreeSet<String> = of_all(app, ("people", &["id"]), person).await.into_iter().collect();
    assert_eq!(rows.len(), count, "one delivery for each");
    let (mut told, mut unknown, sent) = (BTreeSet::new(), BTreeSet::new(), sent(folder));
    for (id, person, state, tries) in rows {
        let times = sent.get(&id.to_string()).copied().unwrap_or(0);
        assert!(times <= 1 || tries > 1, "{id} was sent {times} times by {tries} try");
        if state == "sent" {
            assert!(times >= 1, "{id} is said to be sent and was not");
            told.insert(person);
        } else {
            unknown.insert(person);
        }
    }
    assert!(told.is_disjoint(&unknown));
    assert_eq!(told.union(&unknown).cloned().collect::<BTreeSet<_>>(), everybody, "told or named");
    (told.len(), unknown.len(), sent.values().filter(|times| **times > 1).count())
}

#[tokio::test(flavor = "multi_thread")]
async fn i10_a_county_is_told_each_once_whatever_breaks() {
    let redis = redis_url("fanout: Redis wiped and stopped").and_then(|_| OwnRedis::start());
    let (house, count) = (House::new(), how_many());
    let mut config = crate::support::config(&house);
    config.sms_provider = SmsProvider::File;
    config.redis_url = String::new();
    let (app, _rung) = server::open(config, Clock::system(), false).await.unwrap();
    people(&app, count).await;
    tell_everybody(&app, 1).await;
    let mut settings = vec![
        ("LIUSHENG_SMS_PROVIDER", "file"),
        ("LIUSHENG_SENDS_PER_SECOND", "1000000"),
        ("LIUSHENG_LOG_LEVEL", "warn"),
    ];
    let url = redis.as_ref().map(|redis| redis.url.clone()).unwrap_or_default();
    settings.push(("LIUSHENG_REDIS_URL", &url));
    let log = house.path().join("workers.log");
    let start = || Process::start(house.path(), ("worker", free_port()), &settings, &log);
    let began = Instant::now();
    let mut mortal = Mortal { redis, worker: start(), start: &start, blows: 0, wipes: 0 };
    let steady = start();
    let blows = if count > SHORT { 20 } else { 6 };
    let planned_after = suffer(&app, (count, blows), &mut mortal, &log).await;
    let (took, peak) = (began.elapsed(), peak_mib(&steady));
    let (told, unknown, twice) = accounted(&app, house.path(), count).await;
    println!(
        "{count} people, as many rows, planned in {planned_after:.1?}, all in {took:.1?}; {} blows, {} wipes; {told} told, \
         {unknown} named as unknown, {twice} heard twice (cut between provider and row); peak {peak} MiB",
        mortal.blows, mortal.wipes,
    );
    assert!(mortal.blows >= if count > SHORT { blows } else { 4 }, "{} blows and no more", mortal.blows);
    assert!(unknown + twice <= 64 * mortal.blows, "no more than was in the hands of who died");
    // its Redis is there until the other has ended
    let Mortal { redis: _redis, worker, .. } = mortal;
    drop(worker);
    assert_eq!(steady.terminate().code(), Some(0));
}

/// Two planners at once, each as often as it likes: every chunk is taken by one of them, and nobody is written to twice
/// although two steps go through the same people.
#[tokio::test(flavor = "multi_thread")]
async fn planners_take_each_chunk_once_and_write_each_person_one_row() {
    let (house, count) = (House::new(), 2_500);
    let mut config = crate::support::config(&house);
    config.sms_provider = SmsProvider::File;
    config.redis_url = String::new();
    let (app, _rung) = server::open(config, Clock::system(), false).await.unwrap();
    people(&app, count).await;
    tell_everybody(&app, 1).await;
    let planners = [(); 2].map(|()| {
        let app = app.clone();
        tokio::spawn(async move {
            for _ in 0..12 {
                plan::round(&app).await.unwrap();
            }
        })
    });
    for planner in planners {
        planner.await.unwrap();
    }
    let read = app.store.read();
    let all = |select: &str| read.query_all_raw(Statement::from_string(read.get_database_backend(), select));
    let steps =
        all("SELECT state, looked_at, planned FROM ladder_steps WHERE channel IN ('wechat', 'sms') ORDER BY step")
            .await
            .unwrap();
    let steps: Vec<(String, i64, i64)> = steps
        .iter()
        .map(|row| {
            (row.try_get_by_index(0).unwrap(), row.try_get_by_index(1).unwrap(), row.try_get_by_index(2).unwrap())
        })
        .collect();
    let looked_at = i64::try_from(count).unwrap();
    assert_eq!(steps.iter().map(|step| step.2).sum::<i64>(), looked_at, "{steps:?}");
    assert!(steps.iter().all(|step| step.0 == "done" && step.1 == looked_at), "{steps:?}");
    let rows = all("SELECT count(*), count(DISTINCT target_id) FROM deliveries").await.unwrap();
    let rows: (i64, i64) = (rows[0].try_get_by_index(0).unwrap(), rows[0].try_get_by_index(1).unwrap());
    assert_eq!(rows, (looked_at, looked_at));
}

/// Two planners beside each other ask hardly more than one alone: whoever finds the other ahead leaves the audience to it.
#[tokio::test(flavor = "multi_thread")]
async fn a_planner_that_is_behind_gives_way() {
    let house = House::new();
    let mut config = crate::support::config(&house);
    config.sms_provider = SmsProvider::File;
    config.redis_url = String::new();
    let (app, _rung) = server::open(config, Clock::system(), false).await.unwrap();
    people(&app, 5_000).await;
    tell_everybody(&app, 1).await;
    let asked = || app.store.statements().0;
    let before = asked();
    while plan::round(&app).await.unwrap() {}
    let alone = asked() - before;
    tell_everybody(&app, 2).await;
    let (before, began, stop) = (asked(), Instant::now(), CancellationToken::new());
    let planners = [(); 2].map(|()| tokio::spawn(plan::run(app.clone(), stop.clone())));
    let waits = "SELECT count(*) FROM ladder_steps WHERE state = 'waiting' AND channel IN ('wechat', 'sms')";
    while count(house.path(), waits).await > 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    stop.cancel();
    for planner in planners {
        planner.await.unwrap();
    }
    let (both, secs) = (asked() - before, began.elapsed().as_secs());
    println!("{alone} statements alone, {both} side by side in {secs} s");
    // each looks once more in a second
    assert!(both <= alone + alone / 2 + 10 * secs, "{both} statements, {alone} alone, in {secs} s");
}
