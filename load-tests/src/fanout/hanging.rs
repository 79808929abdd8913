//! How long a healthy channel's sends take, alone and while webhooks and the loudspeaker's gateway take calls and never
//! answer.
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use liusheng::{
    actor::Actor,
    app::App,
    delivery::{
        self, Audience, SetUpWebhook,
        announce::{Told, announce},
        plan,
        rules::ladder::{Ladder, Level, Topic, Urgency},
    },
    events::{Event, Kind},
    ids::EventId,
    notices,
};
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{AREA, tell};
use crate::{
    Outcome,
    figures::{Spread, in_millis},
};

/// Where the people of the healthy channel live.
pub(super) const HEALTHY: &str = "330521103203";
/// Nobody lives here; its loudspeaker hangs.
const LOUD: &str = "330521103204";
/// As many as are called at once.
const WEBHOOKS: usize = 8;
const PATIENCE: Duration = Duration::from_secs(300);

/// Takes connections, and says nothing to any.
pub(super) async fn listen() -> Outcome<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/", listener.local_addr()?);
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((socket, _)) = listener.accept().await {
            held.push(socket);
        }
    });
    Ok(url)
}

/// Is the healthy channel's p99 within twice of what it is alone?
pub(super) async fn beside(app: &App, clerk: &Actor, people: usize) -> Outcome<bool> {
    let stop = CancellationToken::new();
    let workers = tokio::spawn(delivery::worker::run(app.clone(), stop.clone()));
    // once for what is made at the first use
    told(app, 10, people).await?;
    let mut alone = told(app, 11, people).await?;
    let calls = hang(app, clerk).await?;
    let mut beside = told(app, 12, people).await?;
    let still = waiting(app).await?;
    stop.cancel();
    workers.await?;
    println!("healthy channel, {people} sends: alone {}; beside a provider that hangs {}", alone.text(), beside.text());
    println!("calls that hang: {still} of {calls} still waiting");
    Ok(still > 0 && beside.percentile(99) <= 2.0 * alone.percentile(99))
}

/// Tells the healthy channel's people, and says how long each send took from its planning.
async fn told(app: &App, number: i64, people: usize) -> Outcome<Spread> {
    tell(app, number, HEALTHY).await?;
    let (read, began) = (app.store.read(), Instant::now());
    let select = format!("SELECT created_at, sent_at FROM deliveries WHERE event_number = {number} AND state = 'sent'");
    loop {
        let rows = read.query_all_raw(Statement::from_string(read.get_database_backend(), select.as_str())).await?;
        if rows.len() < people {
            if began.elapsed() > PATIENCE {
                return Err(format!("{} of {people} sent", rows.len()).into());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        }
        let mut took = Spread::default();
        for row in &rows {
            let (planned, sent): (DateTime<Utc>, DateTime<Utc>) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
            took.add(in_millis((sent - planned).to_std().unwrap_or_default()));
        }
        return Ok(took);
    }
}

/// Has webhooks and a loudspeaker called that never answer; says how many calls there are.
async fn hang(app: &App, clerk: &Actor) -> Outcome<usize> {
    let url = app.config.loudspeaker_url.clone();
    for place in 0..WEBHOOKS {
        let input = SetUpWebhook { url: format!("{url}{place}"), secret: None };
        let (actor, secret) = (clerk.clone(), delivery::commands::secret_for(&app.keys, &input)?);
        let set_up = app.store.write(move |tx| {
            Box::pin(async move { delivery::commands::set_up(tx, &actor, (AREA.to_owned(), input), &secret).await })
        });
        set_up.await?;
    }
    let notice = serde_json::from_value(json!({ "area_code": AREA, "title": "停水", "text": "全文" }))?;
    let actor = clerk.clone();
    let published =
        app.store.write(move |tx| Box::pin(async move { notices::commands::publish(tx, &actor, notice).await }));
    let subject = published.await?.notice.id.to_string();
    for number in 1000..1004 {
        let event = event(app, number, (AREA, &subject));
        app.store.write(move |tx| Box::pin(async move { delivery::commands::plan(tx, &event).await })).await?;
    }
    let event = event(app, 2000, (LOUD, &subject));
    let told = Told {
        audience: Audience::Residents(LOUD.to_owned()),
        level: Level::Act,
        urgency: Urgency::Emergency,
        topic: Topic::Notices,
        ladder: Ladder::Emergency,
        thread: "loud".to_owned(),
        place: None,
    };
    app.store.write(move |tx| Box::pin(async move { announce(tx, &event, told).await })).await?;
    while plan::round(app).await? {}
    // under way before the healthy ones come
    tokio::time::sleep(Duration::from_secs(1)).await;
    Ok(4 * WEBHOOKS + 1)
}

fn event(app: &App, number: i64, (area, subject): (&str, &str)) -> Event {
    Event {
        id: EventId::new(),
        number,
        kind: Kind::NoticePublished,
        area: Some(area.to_owned()),
        actor: None,
        subject: subject.to_owned(),
        data: Value::Null,
        at: app.now() - TimeDelta::minutes(15),
    }
}

async fn waiting(app: &App) -> Outcome<i64> {
    let read = app.store.read();
    let select = "SELECT count(*) FROM deliveries WHERE channel IN ('webhook', 'loudspeaker') AND state <> 'sent'";
    let row = read.query_one_raw(Statement::from_string(read.get_database_backend(), select)).await?;
    Ok(row.ok_or("no count")?.try_get_by_index(0)?)
}
