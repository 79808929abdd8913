//! What a worker leaves behind that died, or that woke up when another had its work.
use std::{collections::BTreeMap, time::Duration};

use chrono::TimeDelta;
use fake_providers::{Fake, Fault};
use liusheng::inbox;
use sea_orm::ConnectionTrait;

use super::{
    bound, call,
    ledger::{CONSENTED, Scene},
    started, xml,
};
use crate::support::{TestApp, Village, count};

const SAY: &str = "/cgi-bin/message/custom/send";
const MEDIA: &str = "/cgi-bin/media/get";
const PNG: &[u8] = include_bytes!("../../data/media/clear.png");
const PHOTO: &str = "<MsgType>image</MsgType><MediaId>m1</MediaId><MsgId>1</MsgId>";

async fn until(app: &TestApp, select: &str, wanted: i64) {
    for _ in 0..500 {
        if count(app.folder.path(), select).await == wanted {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{select}: {} and not {wanted}", count(app.folder.path(), select).await);
}

/// Villager 00007 has bound the openid oA.
async fn set(fake: &Fake) -> TestApp {
    let app = started(fake).await;
    let village = Village::found(&app).await;
    let me = village.villager(&app, "00007").await;
    bound(&app, "oA", me.person).await;
    fake.world.said("oA");
    app
}

async fn execute(app: &TestApp, statement: String) {
    let written = app.app.store.write(move |tx| {
        Box::pin(async move {
            tx.execute_unprepared(&statement).await?;
            Ok(())
        })
    });
    written.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_wechat_named_is_not_sent_again_because_its_worker_died() {
    let scene = Scene::with(0, "notice_published official once N1 thing1=title".to_owned()).await;
    scene.consents(&["accept", "accept"]).await;
    scene.credit(2);
    scene.publish("停水").await;
    scene.pass(TimeDelta::seconds(20)).await;
    let sent = BTreeMap::from([("sent".to_owned(), 1)]);
    assert_eq!((scene.states("wechat").await, scene.left().await), (sent.clone(), 1));
    // the ledger was settled, and the worker died before it settled the delivery
    let died = format!(
        "UPDATE deliveries SET state = 'sending', sent_at = NULL WHERE channel = 'wechat' AND target_id = '{}'",
        scene.me.person
    );
    execute(&scene.app, died).await;
    scene.pass(TimeDelta::minutes(4)).await;
    assert_eq!(scene.states("wechat").await, sent, "it is known to be out");
    assert_eq!((scene.fake.world.calls(CONSENTED), scene.left().await), (1, 1), "told once");
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_wechat_took_in_a_conversation_is_not_said_again_although_it_has_no_name() {
    let scene = Scene::with(0, "notice_published official once N1 thing1=title".to_owned()).await;
    scene.fake.world.said("oA");
    scene.happens("<MsgType>text</MsgType><Content>路灯坏了</Content><MsgId>9</MsgId>").await;
    until(&scene.app, "SELECT count(*) FROM wechat_inbox WHERE state = 'waiting'", 0).await;
    let said = || scene.fake.world.sent(SAY).len();
    for _ in 0..250 {
        if said() == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    scene.publish("停水").await;
    scene.pass(TimeDelta::seconds(20)).await;
    let sent = BTreeMap::from([("sent".to_owned(), 1)]);
    assert_eq!((scene.states("wechat").await, said()), (sent.clone(), 2), "the receipt, and the letter");
    let unnamed = "SELECT count(*) FROM wechat_sends WHERE state = 'out' AND msgid IS NULL";
    assert_eq!(count(scene.app.folder.path(), unnamed).await, 1);
    let died = format!(
        "UPDATE deliveries SET state = 'sending', sent_at = NULL WHERE channel = 'wechat' AND target_id = '{}'",
        scene.me.person
    );
    execute(&scene.app, died).await;
    scene.pass(TimeDelta::minutes(4)).await;
    assert_eq!((scene.states("wechat").await, said()), (sent, 2), "WeChat took it: said once");
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_greeting_that_comes_too_late_ends_nothing_that_another_has() {
    let fake = Fake::start().await.unwrap();
    let app = started(&fake).await;
    fake.world.said("oNew");
    // the first waits for WeChat to take its greeting
    fake.world.fail(SAY, Fault::Delay(3000), 1);
    let subscribe = "<MsgType>event</MsgType><Event>subscribe</Event><EventKey></EventKey>";
    call(&app, xml("oNew", subscribe)).make(&reqwest::Client::new()).await.unwrap();
    for _ in 0..250 {
        if fake.world.calls(SAY) == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // meanwhile its lease ran out, and another took the message and died
    execute(&app, "UPDATE wechat_inbox SET tries = tries + 1".to_owned()).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let waits = "SELECT count(*) FROM wechat_inbox WHERE state = 'waiting' AND tries = 2";
    assert_eq!(count(app.folder.path(), waits).await, 1, "the message is another's by now");
    app.clock.advance(TimeDelta::minutes(5));
    inbox::run_due(&app.app).await.unwrap();
    until(&app, "SELECT count(*) FROM wechat_inbox WHERE state = 'done' AND why = 'hello'", 1).await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_kills_its_workers_is_given_up() {
    let fake = Fake::start().await.unwrap();
    let app = set(&fake).await;
    fake.world.fail(MEDIA, Fault::Html502, 1);
    call(&app, xml("oA", PHOTO)).make(&reqwest::Client::new()).await.unwrap();
    until(&app, "SELECT count(*) FROM wechat_inbox WHERE why = 'media'", 1).await;
    // none of the others came back to say how it went
    execute(&app, format!("UPDATE wechat_inbox SET tries = {}", inbox::rules::MAX_TRIES)).await;
    fake.world.put_media("m1", PNG);
    let calls = fake.world.calls(MEDIA);
    app.clock.advance(TimeDelta::hours(6));
    inbox::run_due(&app.app).await.unwrap();
    until(&app, "SELECT count(*) FROM wechat_inbox WHERE state = 'dead' AND said_sealed <> ''", 1).await;
    assert_eq!(fake.world.calls(MEDIA), calls, "not tried for ever");
    assert_eq!(inbox::commands::redrive(&app.app, None).await.unwrap(), 1);
    inbox::run_due(&app.app).await.unwrap();
    until(&app, "SELECT count(*) FROM wechat_inbox WHERE state = 'done' AND suggestion_id IS NOT NULL", 1).await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_refused_too_late_ends_nothing_that_another_has() {
    let fake = Fake::start().await.unwrap();
    let app = set(&fake).await;
    fake.world.fail(MEDIA, Fault::Delay(3000), 1);
    call(&app, xml("oA", PHOTO)).make(&reqwest::Client::new()).await.unwrap();
    for _ in 0..250 {
        if fake.world.calls(MEDIA) == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // its lease runs out while it waits; another takes the message, and puts it back
    fake.world.fail(MEDIA, Fault::Html502, 1);
    app.clock.advance(TimeDelta::minutes(5));
    inbox::run_due(&app.app).await.unwrap();
    let put_back = "SELECT count(*) FROM wechat_inbox WHERE state = 'waiting' AND why = 'media' AND tries = 2";
    until(&app, put_back, 1).await;
    // now the first hears that there is no such file
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(count(app.folder.path(), put_back).await, 1, "the message is another's by now");
    assert_eq!(fake.world.sent(SAY).len(), 0, "and nobody is told that it was not taken");
    fake.world.put_media("m1", PNG);
    app.clock.advance(TimeDelta::hours(1));
    inbox::run_due(&app.app).await.unwrap();
    until(&app, "SELECT count(*) FROM wechat_inbox WHERE state = 'done' AND suggestion_id IS NOT NULL", 1).await;
    app.stop().await;
}
