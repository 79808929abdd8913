//! One thing told to a county: how fast it is planned, what that costs who publishes meanwhile, how much memory it takes,
//! how fast the queue is beside `redis-benchmark`, and what one hanging provider costs the others.
mod hanging;

use std::{
    path::PathBuf,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::{NaiveDate, TimeDelta};
use liusheng::{
    actor::{Actor, HeldSeat},
    app::App,
    bodies::{self, By},
    broker::{Broker, Redis},
    clock::Clock,
    config::{Config, SmsProvider},
    delivery::{
        Audience,
        announce::{Told, announce},
        plan,
        rules::ladder::{Ladder, Level, Topic, Urgency},
    },
    events::{Event, Kind},
    ids::{EventId, HouseholdId, PersonId, SeatId, SessionId},
    notices::{self, PublishNotice},
    server,
};
use sea_orm::{
    ConnectionTrait, ExprTrait,
    sea_query::{Expr, Query},
};
use serde_json::{Value, json};

use crate::{
    Outcome,
    figures::{Spread, in_millis, row},
};

const AREA: &str = "330521103202";

/// What is measured, and on what.
#[derive(clap::Args)]
pub(crate) struct Fanout {
    /// Invented residents.
    #[arg(long, default_value_t = 100_000)]
    people: usize,
    /// `postgres://…`; an SQLite file when left out.
    #[arg(long)]
    database: Option<String>,
    /// `redis://…`, of which a database is wiped; the queue is not measured when left out.
    #[arg(long)]
    redis: Option<String>,
    /// People who are told through the healthy channel while another provider hangs.
    #[arg(long, default_value_t = 2_000)]
    healthy: usize,
    /// An empty folder for the data; a temporary one when left out.
    #[arg(long)]
    data: Option<PathBuf>,
}

/// Are all goals met?
pub(crate) async fn run(fanout: Fanout) -> Outcome<bool> {
    let temporary = tempfile::tempdir()?;
    let mut config = Config::defaults()?;
    config.data_dir = fanout.data.unwrap_or_else(|| temporary.path().to_owned());
    config.database_url = fanout.database.unwrap_or_default();
    config.sms_provider = SmsProvider::File;
    config.sends_per_second = 100_000;
    config.webhook_allow_private = true;
    let hanging = hanging::listen().await?;
    config.loudspeaker_url.clone_from(&hanging);
    config.loudspeaker_secret = "0123456789abcdef".to_owned();
    let (app, _rung) = server::open(config, Clock::system(), false).await?;
    let began = Instant::now();
    let clerk = ground(&app, (fanout.people, fanout.healthy)).await?;
    println!("{} invented residents in {:.1} s", fanout.people, began.elapsed().as_secs_f64());
    let mut is_met = hanging::beside(&app, &clerk, fanout.healthy).await?;
    let mut alone = publish(&app, &clerk, &AtomicBool::new(true), 50).await?;
    // a tenth first, so that what memory grows by is what the audience takes
    tell(&app, 1, &format!("{AREA}-small")).await?;
    let mut before = memory_mib();
    let (rate, mut beside) = planned(&app, &clerk, fanout.people).await?;
    let after = memory_mib();
    before = before.max(1.0);
    println!("planned {:.0} deliveries/s ({} rows); memory {before:.0} → {after:.0} MiB", rate, fanout.people);
    println!("publishing alone: {}; while planning: {}", alone.text(), beside.text());
    is_met &= rate >= 20_000.0 && beside.percentile(99) < 50.0 && after - before < 64.0;
    if let Some(url) = fanout.redis {
        is_met &= queue(&url).await?;
    }
    println!("{}", if is_met { "goals met" } else { "A GOAL IS MISSED" });
    Ok(is_met)
}

/// A village of so many people with a number and no app, and a clerk who may publish.
async fn ground(app: &App, (count, healthy): (usize, usize)) -> Outcome<Actor> {
    let sealed = app.keys.seal("phone", "+8619500000001")?;
    for (area, count) in [(AREA, count), (hanging::HEALTHY, healthy)] {
        for first in (0..count).step_by(500) {
            let (sealed, last) = (sealed.clone(), (first + 500).min(count));
            let some =
                app.store.write(move |tx| Box::pin(async move { some_people(tx, (area, first, last), sealed).await }));
            some.await?;
        }
    }
    let founding = serde_json::from_value(json!({ "kind": "village_committee", "name": "村委会", "areas": [AREA] }))?;
    let body = app.store.write(move |tx| Box::pin(bodies::found_body(tx, By::Operator, founding))).await?.body.id;
    let rows =
        Query::select().column("id").from("people").and_where(Expr::col("area_code").eq(AREA)).limit(1).to_owned();
    let first = app.store.read().query_one(&rows).await?.ok_or("nobody")?;
    let seat = HeldSeat {
        seat_id: SeatId::new(),
        body_id: body,
        body_kind: "village_committee".into(),
        body_name: "村委会".into(),
        role: "clerk".into(),
        areas: vec![AREA.into()],
    };
    let person: PersonId = first.try_get("", "id")?;
    let (session, name, seats) = (SessionId::new(), String::new(), vec![seat]);
    Ok(Actor { person, session, name, area: AREA.into(), seats, phone_listed_at: None })
}

async fn some_people(
    tx: &liusheng::store::Tx,
    (area, first, last): (&'static str, usize, usize),
    sealed: String,
) -> liusheng::error::Result<()> {
    let household = HouseholdId::new();
    let home = Query::insert()
        .into_table("households")
        .columns(["id", "area_code", "number", "group_number"])
        .values_panic([household.into(), area.into(), format!("H{first}").into(), 1.into()])
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
        "group_number",
        "relation",
        "is_registered",
        "lives_here",
        "joined_on",
        "created_at",
        "updated_at",
    ]);
    let (day, now) = (NaiveDate::default(), tx.now());
    for number in first..last {
        rows.values_panic([
            PersonId::new().into(),
            area.into(),
            household.into(),
            format!("{number:06}").into(),
            "张三".into(),
            "male".into(),
            day.into(),
            sealed.clone().into(),
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
}

async fn tell(app: &App, number: i64, area: &str) -> Outcome<()> {
    let told = Told {
        audience: Audience::Residents(area.to_owned()),
        level: Level::News,
        urgency: Urgency::Emergency,
        topic: Topic::Notices,
        ladder: Ladder::Reminder,
        thread: "flood".to_owned(),
        place: None,
    };
    let event = Event {
        id: EventId::new(),
        number,
        kind: Kind::MatterClosed,
        area: Some(area.to_owned()),
        actor: None,
        subject: "flood".to_owned(),
        data: Value::Null,
        at: app.now() - TimeDelta::minutes(1),
    };
    app.store.write(move |tx| Box::pin(async move { announce(tx, &event, told).await })).await?;
    while plan::round(app).await? {}
    Ok(())
}

/// Plans for everybody, while somebody publishes; rows per second, and how long publishing took.
async fn planned(app: &App, clerk: &Actor, people: usize) -> Outcome<(f64, Spread)> {
    let goes_on = Arc::new(AtomicBool::new(true));
    let (publisher, actor, until) = (app.clone(), clerk.clone(), Arc::clone(&goes_on));
    let publishing = tokio::spawn(async move { publish(&publisher, &actor, &until, usize::MAX).await });
    let began = Instant::now();
    tell(app, 2, AREA).await?;
    let took = began.elapsed();
    goes_on.store(false, Ordering::SeqCst);
    let rate = f64::from(u32::try_from(people)?) / took.as_secs_f64();
    Ok((rate, publishing.await??))
}

/// Publishes one notice after the other, as long as told and so many at most.
async fn publish(app: &App, clerk: &Actor, goes_on: &AtomicBool, most: usize) -> Outcome<Spread> {
    let mut took = Spread::default();
    let mut count = 0;
    while goes_on.load(Ordering::SeqCst) && count < most {
        let notice = PublishNotice {
            area_code: AREA.into(),
            title: "停水".into(),
            text: "全文".into(),
            ..serde_json::from_value(json!({ "area_code": AREA, "title": "停水", "text": "全文" }))?
        };
        let (actor, began) = (clerk.clone(), Instant::now());
        app.store
            .write(move |tx| Box::pin(async move { notices::commands::publish(tx, &actor, notice).await }))
            .await?;
        took.add(in_millis(began.elapsed()));
        count += 1;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(took)
}

fn memory_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default();
    line.chars().filter(char::is_ascii_digit).collect::<String>().parse::<f64>().unwrap_or_default() / 1024.0
}

/// Ids through the queue, pushed and taken as the workers do, beside XADD by `redis-benchmark` in pipelines.
async fn queue(url: &str) -> Outcome<bool> {
    const IDS: usize = 200_000;
    const OFFERED: usize = 512;
    let broker = Redis::open(url)?;
    let ids: Vec<String> = (0..IDS).map(|_| EventId::new().to_string()).collect();
    broker.take("fanout", 1, 0).await?;
    let began = Instant::now();
    for some in ids.chunks(OFFERED) {
        broker.push("fanout", some).await?;
    }
    let pushed = f64::from(u32::try_from(IDS)?) / began.elapsed().as_secs_f64();
    let mut taken = 0;
    let began = Instant::now();
    while taken < IDS {
        let jobs = broker.take("fanout", OFFERED, 100).await?;
        let tickets: Vec<String> = jobs.into_iter().map(|job| job.ticket).collect();
        taken += tickets.len();
        broker.done("fanout", &tickets).await?;
    }
    let took = f64::from(u32::try_from(IDS)?) / began.elapsed().as_secs_f64();
    let limit = benchmark(url)?;
    println!("{:<46}{:>12}{:>12}", "per second", "ours", "limit");
    println!("{}", row("queue: push", (pushed, limit), true));
    println!("{}", row("queue: take and done", (took, limit), true));
    Ok(pushed >= limit / 2.0)
}

fn benchmark(url: &str) -> Outcome<f64> {
    let port = url.rsplit(':').next().and_then(|rest| rest.split('/').next()).unwrap_or("6379");
    let id = EventId::new().to_string();
    let arguments =
        ["-p", port, "-c", "1", "-P", "512", "-n", "200000", "--csv", "XADD", "fanout-limit", "*", "id", &id];
    let said = Command::new("redis-benchmark").args(arguments).output()?;
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let line = said.lines().last().ok_or("redis-benchmark said nothing")?;
    let rate = line.rsplit("\",\"").nth(6).or_else(|| line.split("\",\"").nth(1)).ok_or("no rate")?;
    Ok(rate.trim_matches('"').parse()?)
}
