//! 示范村: the invented village 东衡村, played through the same commands that people use, on a clock that runs from
//! forty days ago until now; so that there are matters in every stage with honest dates. Playing it twice changes nothing.
//! Tables owned: none. Events recorded: none but those of the commands that it plays.
mod cast;
mod decision;
mod law;
mod story;
mod together;

use std::net::SocketAddr;

use chrono::{Duration, TimeDelta};
use tokio_util::sync::CancellationToken;

use crate::{
    app::App,
    clock::{self, Clock},
    config::Config,
    error::Result,
    events::{self, Relay},
    server, text,
};

/// The village of the seed report, 洛舍镇东衡村.
pub const VILLAGE: &str = "330521103202";
/// Days that the story takes.
const DAYS: i64 = 40;
const ROSTER: &[u8] = include_bytes!("../../deploy/demo/roster_dongheng.csv");

/// Plays the story into the database of the settings, unless it is there already.
///
/// # Errors
/// What a command refuses, which would be a mistake in the story.
pub async fn prepare(config: Config) -> Result<()> {
    let now = Clock::system().now();
    let clock = Clock::standing_at(now - Duration::days(DAYS));
    let (app, mut rung) = server::open(config, clock.clone(), false).await?;
    if cast::is_seated(&app).await? {
        return Ok(());
    }
    let stop = CancellationToken::new();
    let relay = Relay::new(app.store.clone(), server::reactions(), std::sync::Arc::default());
    let relaying = tokio::spawn(relay.run(stop.clone()));
    let deaf = tokio::spawn(async move { while rung.recv().await.is_some() {} });
    cast::import(&app, ROSTER).await?;
    let cast = cast::seat(&app).await?;
    let mut story = story::Story::begin(&app, cast);
    for day in 0..=DAYS {
        story.day(day).await?;
        settle(&app).await?;
        if day < DAYS {
            clock.advance(TimeDelta::days(1));
        }
    }
    stop.cancel();
    relaying.await.ok();
    deaf.abort();
    Ok(())
}

/// Waits until what follows from the day has followed.
pub(super) async fn settle(app: &App) -> Result<()> {
    server::do_what_is_due(app.clone()).await;
    loop {
        let backlog = events::backlog(&app.store, app.now()).await?;
        if backlog.unsequenced == 0 && backlog.behind == 0 {
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

/// What is printed at the start: where to look and who can log in as whom.
///
/// # Errors
/// When the embedded roster is wrong.
pub fn greeting(app: &App, address: SocketAddr) -> Result<String> {
    let mut lines = vec![
        text::say_with("demo-open", &[("address", address.to_string().into())]),
        text::say_with("demo-broker", &[("broker", app.broker.name().into())]),
        text::say("demo-log-in"),
    ];
    for (role, name, phone) in cast::phones(ROSTER, clock::local_date(app.now()))? {
        lines.push(format!("  {phone}  {name}  {role}"));
    }
    lines.push(text::say("demo-codes"));
    Ok(lines.join("\n") + "\n")
}
