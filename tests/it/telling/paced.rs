//! Two workers on one Redis call a provider no faster than one.
use std::{sync::Arc, time::Instant};

use fake_providers::Fake;
use liusheng::{
    app::{App, Handles},
    broker::Redis,
    delivery::worker,
};
use tokio_util::sync::CancellationToken;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_on_one_redis_keep_one_pace() {
    let fake = Fake::start().await.unwrap();
    let scene = Scene::set_with(0, |config| {
        by_fake(config, &fake);
        config.sends_per_second = 4;
    })
    .await;
    let Some(redis) = &scene._redis else { return scene.app.stop().await };
    // as another process has it
    let broker = Arc::new(Redis::open(&redis.url).unwrap());
    let other = App::from(Handles { broker, ..Handles::clone(&scene.app.app) });
    let stop = CancellationToken::new();
    let working = tokio::spawn(worker::run(other, stop.clone()));
    scene.publish("停水", true).await;
    scene.app.pass(TimeDelta::seconds(16)).await;
    let (waits, mut first, mut sent) = (Instant::now(), None, 0);
    while sent < 16 && waits.elapsed() < Duration::from_secs(60) {
        sent = fake.world.calls("/");
        if sent > 0 {
            first.get_or_insert_with(Instant::now);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let went_on = first.map_or(0.0, |at| at.elapsed().as_secs_f64());
    println!("{sent} messages in {went_on:.1} s");
    // a second's worth at once, and what begins while this looks
    let most = 4.0 + 4.0 * went_on + 4.0;
    assert!(sent >= 16 && (sent as f64) <= most, "{sent} in {went_on} s: each worker has a pace of its own");
    stop.cancel();
    working.await.unwrap();
    scene.app.stop().await;
}
