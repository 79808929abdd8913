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

/// Ten messages of one channel within a day are enough for anybody, danger apart; what comes after them is put off.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_had_ten_texts_within_a_day_has_the_next_when_the_day_is_over() {
    let scene = Scene::set().await;
    let person = person_of(&scene.app.app, &scene.village.area, "00007").await;
    let now = scene.app.app.now();
    let columns = [
        "id",
        "kind",
        "channel",
        "event_number",
        "target_id",
        "subject_id",
        "state",
        "tries",
        "due_at",
        "created_at",
        "sent_at",
    ];
    let ten = scene.app.app.store.write(move |tx| {
        Box::pin(async move {
            let mut rows = Query::insert();
            rows.into_table("deliveries").columns(columns);
            for number in 900_000..900_010_i64 {
                rows.values_panic([
                    uuid::Uuid::now_v7().into(),
                    "matter.closed".into(),
                    "sms".into(),
                    number.into(),
                    person.to_string().into(),
                    "x".into(),
                    "sent".into(),
                    1.into(),
                    now.into(),
                    now.into(),
                    now.into(),
                ]);
            }
            tx.execute(&rows).await?;
            Ok(())
        })
    });
    ten.await.unwrap();
    scene.publish("停水", true).await;
    scene.pass(TimeDelta::seconds(16)).await;
    let select = format!(
        "SELECT state || coalesce(' ' || reason, '') FROM deliveries WHERE target_id = '{person}' \
         AND channel = 'sms' AND kind = 'notice.published'"
    );
    let mine = async || -> Vec<String> {
        scene.rows(&select).await.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
    };
    assert_eq!(mine().await, ["queued often"]);
    assert!(scene.states().await["sent"] > 10, "the others were told");
    scene.pass(TimeDelta::hours(2)).await;
    assert_eq!(mine().await, ["queued often"], "asked again each hour");
    scene.pass(TimeDelta::hours(23)).await;
    assert_eq!(mine().await, ["sent"]);
    scene.app.stop().await;
}
