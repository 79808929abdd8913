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
    fake.world.fail("/", Fault::Sms("isv.SMS_TEMPLATE_ILLEGAL".to_owned()), 1000);
    scene.publish("停水", true).await;
    scene.pass(TimeDelta::seconds(16)).await;
    let states = scene.states().await;
    let all: i64 = states.values().sum();
    assert!(all > 20 && states["queued stopped"] == all, "{states:?}");
    // as many as one look at the queue found, four at most
    let tried = fake.world.calls("/");
    assert!((1..=4).contains(&tried), "nobody else was tried: {tried}");
    scene.pass(TimeDelta::minutes(59)).await;
    assert_eq!(fake.world.calls("/"), tried);
    fake.world.heal("/");
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
async fn the_one_try_that_decides_is_of_somebody_who_may_be_told() {
    let fake = Fake::start().await.unwrap();
    let scene = Scene::set_with(0, |config| {
        by_fake(config, &fake);
        config.sends_per_second = 4;
    })
    .await;
    let mut enough = Vec::new();
    for number in ["00007", "00008", "00009", "00010", "00011", "00012"] {
        let who = scene.village.villager(&scene.app, number).await;
        agrees(&who).await;
        enough.push(who.person);
    }
    agrees(&scene.village.villager(&scene.app, "00014").await).await;
    fake.world.fail("/", Fault::Sms("isv.SMS_TEMPLATE_ILLEGAL".to_owned()), 1000);
    scene.publish("晒谷", false).await;
    scene.pass(TimeDelta::hours(8)).await;
    let states = scene.states().await;
    assert_eq!(states.get("queued stopped"), Some(&7), "{states:?}");
    assert!((1..=4).contains(&fake.world.calls("/")), "{}", fake.world.calls("/"));
    fake.world.heal("/");
    assert_eq!(scene.number("SELECT count(*) FROM disturbances").await, 0, "what was refused disturbed nobody");
    // all but one were told of enough else meanwhile
    let told = scene.app.app.store.write(move |tx| {
        Box::pin(async move {
            let mut places = Query::insert();
            places.into_table("disturbances").columns(["person_id", "place", "at"]);
            for person in enough {
                for place in 1..=3 {
                    places.values_panic([person.into(), place.into(), tx.now().into()]);
                }
            }
            tx.execute(&places).await?;
            Ok(())
        })
    });
    told.await.unwrap();
    scene.pass(TimeDelta::minutes(61)).await;
    let states = scene.states().await;
    assert_eq!(told_to(&fake, "19500000014").len(), 1, "an hour later and no more: {states:?}");
    assert_eq!(states.get("queued enough"), Some(&6), "{states:?}");
    assert_eq!(scene.number("SELECT count(*) FROM stopped_sends").await, 0, "it is decided");
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
            for (at, kind) in [(0, "objection.answered"), (1, "notice.published")] {
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

#[tokio::test(flavor = "multi_thread")]
async fn what_waited_for_a_provider_is_let_go_a_thousand_at_a_time_to_the_last() {
    let scene = Scene::set_at(13).await;
    let notice = scene.publish("停水", true).await;
    scene.pass(TimeDelta::seconds(20)).await;
    let all = 60 * scene.states().await["queued"];
    assert!(all > 2000, "{all}");
    let reason = json!({ "reason": "写错了" });
    scene.village.clerk.post(&format!("/v1/notices/{notice}/withdraw"), reason).await.ok();
    let over = Query::insert()
        .into_table("stopped_sends")
        .columns(["channel", "kind", "until"])
        .values_panic(["sms".into(), "notice.published".into(), chrono::DateTime::UNIX_EPOCH.into()])
        .to_owned();
    let waiting = scene.app.app.store.write(move |tx| {
        Box::pin(async move {
            let id = match tx.get_database_backend() {
                sea_orm::DatabaseBackend::Sqlite => "randomblob(16)",
                _ => "gen_random_uuid()",
            };
            let rows = format!(
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60), \
                 one AS (SELECT * FROM deliveries WHERE channel = 'sms') \
                 INSERT INTO deliveries (id, kind, channel, event_number, target_id, subject_id, state, tries, due_at, \
                 created_at, announcement_id, reason, is_digest, person_id) \
                 SELECT {id}, kind, channel, 1000000 + i, target_id, subject_id, state, tries, '2036-01-01 00:00:00+00:00', \
                 created_at, announcement_id, 'stopped', is_digest, person_id FROM one, n"
            );
            tx.execute_unprepared(&rows).await?;
            tx.execute(&over).await?;
            Ok(())
        })
    });
    waiting.await.unwrap();
    let waits = "SELECT count(*) FROM deliveries WHERE reason = 'stopped'";
    // the sweep goes by the time of the machine
    for _ in 0..300 {
        scene.pass(TimeDelta::seconds(3)).await;
        if scene.number("SELECT count(*) FROM stopped_sends").await == 0 && scene.number(waits).await == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(scene.number(waits).await, 0, "to the last");
    let ended = "SELECT count(*) FROM deliveries WHERE reason = 'withdrawn' AND event_number > 1000000";
    assert_eq!(scene.number(ended).await, all);
    let unclaimed = scene.number(&format!("{ended} AND tries = 0")).await;
    assert!(unclaimed > all / 2, "{unclaimed} of {all}: what is not told any more is ended for many at once");
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waited_for_a_template_is_not_let_go_while_the_whole_channel_is_stopped() {
    let fake = Fake::start().await.unwrap();
    let scene = Scene::set_with(0, |config| {
        by_fake(config, &fake);
        config.sends_per_second = 4;
    })
    .await;
    fake.world.fail("/", Fault::Sms("isv.SMS_TEMPLATE_ILLEGAL".to_owned()), 1000);
    scene.publish("停水", true).await;
    scene.pass(TimeDelta::seconds(16)).await;
    let all = scene.states().await["queued stopped"];
    fake.world.heal("/");
    // the template is allowed again; of the channel nothing is, for longer than that would have taken
    let until = scene.app.app.now() + TimeDelta::minutes(80);
    let stops = scene.app.app.store.write(move |tx| {
        Box::pin(async move {
            let over = Query::update()
                .table("stopped_sends")
                .value("until", chrono::DateTime::UNIX_EPOCH)
                .and_where(Expr::col("kind").eq("notice.published"))
                .to_owned();
            tx.execute(&over).await?;
            let everything = Query::insert()
                .into_table("stopped_sends")
                .columns(["channel", "kind", "until"])
                .values_panic(["sms".into(), "".into(), until.into()])
                .to_owned();
            tx.execute(&everything).await?;
            Ok(())
        })
    });
    stops.await.unwrap();
    let due = async || -> Vec<chrono::DateTime<chrono::Utc>> {
        let rows = scene.rows("SELECT due_at FROM deliveries WHERE channel = 'sms' AND state = 'queued'").await;
        rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
    };
    // moved by the sweep to the end of the longer stop
    for _ in 0..500 {
        if due().await.iter().all(|at| *at >= until) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(due().await.iter().all(|at| *at >= until), "{:?}", due().await);
    assert_eq!(scene.number("SELECT count(*) FROM stopped_sends").await, 2, "let go to be held back");
    scene.app.clock.advance(TimeDelta::minutes(81));
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
