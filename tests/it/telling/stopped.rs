//! A provider that stopped a template is asked once, not once for each who waits; and what cannot be told holds up nothing.
use fake_providers::{Fake, Fault};

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn what_a_provider_stopped_waits_together_and_one_try_lets_it_go() {
    let fake = Fake::start().await.unwrap();
    let scene = Scene::set_with(0, |config| {
        by_fake(config, &fake);
        // a few at first, so that the others are still waiting
        config.sends_per_second = 4;
    })
    .await;
    fake.world.fail("/", Fault::Sms("isv.SMS_TEMPLATE_ILLEGAL".to_owned()), 4);
    scene.publish("停水", true).await;
    scene.pass(TimeDelta::seconds(16)).await;
    let states = scene.states().await;
    let all: i64 = states.values().sum();
    assert!(all > 20 && states["queued stopped"] == all, "{states:?}");
    assert_eq!(fake.world.calls("/"), 4, "nobody else was tried");
    scene.pass(TimeDelta::minutes(59)).await;
    assert_eq!(fake.world.calls("/"), 4);
    scene.app.clock.advance(TimeDelta::minutes(2));
    for _ in 0..60 {
        scene.pass(TimeDelta::seconds(6)).await;
        if !scene.states().await.keys().any(|state| state.starts_with("queued")) {
            break;
        }
    }
    let states = scene.states().await;
    assert_eq!(states["sent"] + states["sent family"], all, "{states:?}");
    assert_eq!(scene.number("SELECT count(*) FROM stopped_sends").await, 0);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_written_or_read_holds_up_nothing_beside_it() {
    // ten at night: all of it waits for the morning
    let scene = Scene::set_at(13).await;
    for title in ["坏信", "坏事", "停水"] {
        scene.publish(title, true).await;
    }
    scene.pass(TimeDelta::seconds(20)).await;
    let all = scene.states().await["queued"];
    let spoiled = scene.app.app.store.write(|tx| {
        Box::pin(async move {
            for (at, kind) in [(0, "meeting.cancelled"), (1, "notice.published")] {
                let one = format!("SELECT id FROM announcements ORDER BY event_number LIMIT 1 OFFSET {at}");
                let spoil = format!("UPDATE announcements SET subject_id = 'x', kind = '{kind}' WHERE id = ({one})");
                tx.execute_unprepared(&spoil).await?;
            }
            Ok(())
        })
    });
    spoiled.await.unwrap();
    scene.pass(TimeDelta::hours(10)).await;
    let states = scene.states().await;
    let sent = states["sent"] + states.get("sent family").copied().unwrap_or_default();
    assert_eq!(sent, all / 3, "{states:?}");
    assert_eq!(states["queued unreadable"], all / 3, "{states:?}");
    scene.pass(TimeDelta::hours(1)).await;
    let states = scene.states().await;
    assert_eq!((states["queued unreadable"], states["sent"]), (all / 3, states["sent"]), "{states:?}");
    scene.app.stop().await;
}
