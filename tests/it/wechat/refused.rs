//! A no is a no: to one template or to all of them, once, and never asked in a circle; one account's trouble is its own.
use std::collections::BTreeSet;

use chrono::TimeDelta;
use fake_providers::Fault;
use liusheng::{
    delivery,
    gateways::{Letter, Outcome, wechat::WechatApp},
    ids::PersonId,
    wechat::{self, send},
};
use sea_orm::QueryResult;
use serde_json::json;
use uuid::Uuid;

use super::{
    bound, call,
    ledger::{CONSENTED, Scene, TEMPLATE},
    not_called, taken, xml,
};
use crate::support::{Somebody, count, person_of};

const MINI: &str = "/cgi-bin/message/subscribe/send";
const BY_TEMPLATE: &str = "notice_published official template N1 thing1=title";

#[tokio::test(flavor = "multi_thread")]
async fn a_no_to_a_template_without_a_ledger_is_asked_once_and_once_more_by_who_redrives() {
    let scene = Scene::with(0, BY_TEMPLATE.to_owned()).await;
    scene.fake.world.fail(TEMPLATE, Fault::Code(43101), 50);
    scene.publish("停水").await;
    scene.pass(TimeDelta::seconds(20)).await;
    assert_eq!(scene.fake.world.calls(TEMPLATE), 1, "the ledger learned nothing: the same way is not tried again");
    assert_eq!(scene.states("wechat").await.get("dead no_consent"), Some(&1), "{:?}", scene.states("wechat").await);
    assert_eq!(delivery::commands::redrive(&scene.app.app.store).await.unwrap(), 1);
    scene.pass(TimeDelta::seconds(20)).await;
    assert_eq!(scene.fake.world.calls(TEMPLATE), 2);
    let tokens = "SELECT tries, tries_before FROM deliveries WHERE channel = 'wechat' AND state = 'dead'";
    let row: &QueryResult = &scene.rows(tokens).await[0];
    let at = |index| row.try_get_by_index::<i32>(index).unwrap();
    assert_eq!((at(0), at(1)), (2, 1), "the token of a claim only grows");
    scene.pass(TimeDelta::hours(5)).await;
    assert_eq!(scene.states("sms").await.get("sent"), Some(&1), "the next step tells it");
    scene.app.stop().await;
}

/// WeChat reports of a send that the person did not want it.
fn refusal(msgid: u64) -> String {
    format!(
        "<MsgType>event</MsgType><Event>subscribe_msg_sent_event</Event><SubscribeMsgSentEvent><List>\
         <TemplateId>N1</TemplateId><MsgID>{msgid}</MsgID><ErrorCode>43101</ErrorCode>\
         <ErrorStatus>user refuse to accept the msg</ErrorStatus></List></SubscribeMsgSentEvent>"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_no_to_one_template_leaves_the_others_and_the_account() {
    let templates = "notice_published official once N1 thing1=title; vote_opened official once V1 thing1=title";
    let scene = Scene::with(0, templates.to_owned()).await;
    scene.consents(&["accept", "accept"]).await;
    scene.credit(2);
    let other = "<MsgType>event</MsgType><Event>subscribe_msg_popup_event</Event><SubscribeMsgPopupEvent><List>\
        <TemplateId>V1</TemplateId><SubscribeStatusString>accept</SubscribeStatusString><PopupScene>0</PopupScene>\
        </List></SubscribeMsgPopupEvent>";
    scene.happens(other).await;
    assert_eq!(scene.left().await, 3);
    scene.publish("停水").await;
    scene.pass(TimeDelta::seconds(20)).await;
    assert_eq!((scene.fake.world.sent(CONSENTED).len(), scene.left().await), (1, 2));
    let msgid = scene.fake.world.sent(CONSENTED)[0].id;
    for _ in 0..2 {
        scene.happens(&refusal(msgid)).await;
    }
    let folder = scene.app.folder.path();
    let left = async |template: &str| {
        count(folder, &format!("SELECT sum(remaining) FROM wechat_consents WHERE template = '{template}'")).await
    };
    assert_eq!((left("N1").await, left("V1").await), (0, 1), "that template's consent alone");
    let off = "SELECT count(*) FROM wechat_accounts WHERE off_why IS NOT NULL";
    assert_eq!(count(folder, off).await, 0, "and the account stays on");
    assert_eq!(scene.states("wechat").await.get("dead no_consent"), Some(&1), "{:?}", scene.states("wechat").await);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_of_one_account_holds_back_none_of_the_other_s() {
    let templates = "notice_published official template N1 thing1=title; notice_published mini once M1 thing1=title";
    let scene = Scene::with(0, templates.to_owned()).await;
    scene.fake.world.template("M1", &["thing1"]);
    let other = in_mini(&scene, "00008", "mB").await;
    scene.fake.world.fail(TEMPLATE, Fault::Code(40037), 50);
    for (title, sent) in [("停水", 1), ("停电", 2)] {
        other.post("/v1/wechat/mini/consents", json!({ "accepted": ["M1"] })).await;
        scene.publish(title).await;
        scene.pass(TimeDelta::seconds(20)).await;
        assert_eq!(scene.fake.world.calls(TEMPLATE), 1, "{title}: a stopped template is asked once");
        assert_eq!(scene.fake.world.sent(MINI).len(), sent, "{title}: the other account is not concerned");
    }
    let states = scene.states("wechat").await;
    assert_eq!(states.get("queued stopped@official"), Some(&2), "{states:?}");
    scene.app.stop().await;
}

/// Binds an openid of the Mini Program to a villager, who may be sent so much there, and says so.
async fn in_mini(scene: &Scene, number: &str, openid: &'static str) -> Somebody {
    let who = scene.village.villager(&scene.app, number).await;
    let person = who.person;
    let binding = scene.app.app.store.write(move |tx| {
        Box::pin(async move {
            let account = wechat::seen(tx, WechatApp::Mini, openid).await?;
            wechat::bind(tx, account.id, person).await
        })
    });
    binding.await.unwrap();
    scene.fake.world.user(openid, |user| {
        user.credits.insert("M1".to_owned(), 9);
    });
    assert_eq!(who.post("/v1/wechat/mini/consents", json!({ "accepted": ["M1"] })).await.status, 204);
    who
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waited_for_one_account_is_let_go_while_everything_of_the_other_is_stopped() {
    let templates = "notice_published official template N1 thing1=title; notice_published mini once M1 thing1=title";
    let scene = Scene::with(0, templates.to_owned()).await;
    scene.fake.world.template("M1", &["thing1"]);
    for (number, openid) in [("00008", "mB"), ("00009", "mC")] {
        in_mini(&scene, number, openid).await;
    }
    // the official account has used up its day; of the Mini Program one template is stopped, for an hour
    scene.fake.world.fail(TEMPLATE, Fault::Code(45009), 50);
    scene.fake.world.fail(MINI, Fault::Code(40037), 50);
    scene.publish("停水").await;
    scene.pass(TimeDelta::seconds(20)).await;
    let waits = async |reason: &str| {
        count(scene.app.folder.path(), &format!("SELECT count(*) FROM deliveries WHERE reason = '{reason}'")).await
    };
    assert_eq!((waits("stopped@official").await, waits("stopped@mini").await), (1, 2));
    assert!((1..=2).contains(&scene.fake.world.calls(MINI)), "{}", scene.fake.world.calls(MINI));
    scene.fake.world.heal(MINI);
    scene.pass(TimeDelta::minutes(61)).await;
    assert_eq!(scene.fake.world.sent(MINI).len(), 2, "one decided, and the other followed at once");
    assert_eq!((waits("stopped@official").await, waits("stopped@mini").await), (1, 0));
    assert_eq!(scene.fake.world.calls(TEMPLATE), 1, "until midnight nothing");
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_a_days_quota_left_out_the_next_step_tells_and_the_next_day_does_not_once_more() {
    let scene = Scene::with(0, BY_TEMPLATE.to_owned()).await;
    scene.fake.world.fail(TEMPLATE, Fault::Code(45009), 1);
    scene.publish("停水").await;
    scene.pass(TimeDelta::seconds(20)).await;
    let states = scene.states("wechat").await;
    assert_eq!(states.get("queued stopped@official"), Some(&1), "until midnight: {states:?}");
    scene.pass(TimeDelta::hours(5)).await;
    assert_eq!(scene.states("sms").await.get("sent"), Some(&1), "nobody is lost");
    scene.pass(TimeDelta::hours(18)).await;
    let states = scene.states("wechat").await;
    assert_eq!((states.get("cancelled reached"), scene.fake.world.calls(TEMPLATE)), (Some(&1), 1), "{states:?}");
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_a_days_quota_left_out_of_many_is_told_once_by_the_next_step() {
    let scene = Scene::with(0, BY_TEMPLATE.to_owned()).await;
    for (number, openid) in [("00008", "oB"), ("00009", "oC"), ("00010", "oD"), ("00011", "oE"), ("00012", "oF")] {
        follows(&scene, number, openid).await;
    }
    // the minute in which they may be answered is over
    scene.pass(TimeDelta::minutes(2)).await;
    scene.fake.world.quota(TEMPLATE, 3);
    scene.publish("停水").await;
    scene.pass(TimeDelta::seconds(20)).await;
    let left = "SELECT target_id FROM deliveries WHERE channel = 'wechat' AND state = 'queued'";
    let left: Vec<String> = scene.rows(left).await.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
    let told = || scene.fake.world.sent(TEMPLATE).into_iter().map(|one| one.to).collect::<BTreeSet<_>>();
    assert_eq!((told().len(), left.len()), (3, 3), "{left:?}");
    scene.pass(TimeDelta::hours(5)).await;
    for person in &left {
        let texts = format!(
            "SELECT count(*) FROM deliveries WHERE channel = 'sms' AND state = 'sent' AND target_id = '{person}'"
        );
        assert_eq!(count(scene.app.folder.path(), &texts).await, 1, "nobody is lost");
    }
    scene.fake.world.quota(TEMPLATE, 100);
    scene.pass(TimeDelta::hours(18)).await;
    let reached =
        "SELECT count(*) FROM deliveries WHERE channel = 'wechat' AND state = 'cancelled' AND reason = 'reached'";
    assert_eq!(count(scene.app.folder.path(), reached).await, 3);
    assert_eq!((scene.fake.world.sent(TEMPLATE).len(), told().len()), (3, 3), "and nobody hears it twice");
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_days_quota_of_one_interface_leaves_the_others_open() {
    let scene = Scene::with(0, BY_TEMPLATE.to_owned()).await;
    scene.fake.world.fail(TEMPLATE, Fault::Code(45009), 50);
    scene.publish("停水").await;
    scene.pass(TimeDelta::seconds(20)).await;
    let states = scene.states("wechat").await;
    assert_eq!(states.get("queued stopped@official"), Some(&1), "{states:?}");
    // whoever touches the menu may be answered in the conversation
    scene.fake.world.said("oA");
    scene.happens("<MsgType>event</MsgType><Event>CLICK</Event><EventKey>speak</EventKey>").await;
    scene.publish("停电").await;
    scene.pass(TimeDelta::seconds(20)).await;
    let said = scene.fake.world.sent("/cgi-bin/message/custom/send");
    let said = said.iter().filter(|one| one.body["text"]["content"].as_str().unwrap().contains("停电")).count();
    let states = scene.states("wechat").await;
    assert_eq!(
        (said, states.get("sent"), states.get("queued stopped@official")),
        (1, Some(&1), Some(&1)),
        "{states:?}"
    );
    assert_eq!(scene.fake.world.calls(TEMPLATE), 1, "until midnight nothing by that one");
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_unfollows_while_a_letter_waits_gets_it_by_the_next_step() {
    // ten at night: it waits for the morning
    let scene = Scene::with(13, BY_TEMPLATE.to_owned()).await;
    scene.publish("停水").await;
    scene.pass(TimeDelta::seconds(20)).await;
    assert_eq!(scene.states("wechat").await.get("queued"), Some(&1));
    scene.happens("<MsgType>event</MsgType><Event>unsubscribe</Event><EventKey></EventKey>").await;
    scene.pass(TimeDelta::hours(10)).await;
    let states = scene.states("wechat").await;
    assert_eq!((states.get("cancelled no_wechat"), scene.fake.world.calls(TEMPLATE)), (Some(&1), 0), "{states:?}");
    scene.pass(TimeDelta::hours(4)).await;
    assert_eq!(scene.states("sms").await.get("sent"), Some(&1), "{:?}", scene.states("sms").await);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_unsubscribes_during_a_fan_out_is_told_by_the_next_step_and_the_others_once() {
    // ten at night: a village is told in the morning
    let scene = Scene::with(13, BY_TEMPLATE.to_owned()).await;
    let mut gone = Vec::new();
    for (number, openid) in [("00008", "oB"), ("00009", "oC"), ("00010", "oD")] {
        gone.push(follows(&scene, number, openid).await);
    }
    gone.pop();
    scene.publish("停水").await;
    scene.pass(TimeDelta::seconds(20)).await;
    let waits = "SELECT count(*) FROM deliveries WHERE channel = 'wechat' AND state = 'queued'";
    assert_eq!(count(scene.app.folder.path(), waits).await, 4);
    // of one we hear it in time; of the other WeChat says it when the letter comes
    happens_to(&scene, "oB", "unsubscribe").await;
    scene.fake.world.user("oC", |user| user.follows = false);
    scene.pass(TimeDelta::hours(10)).await;
    let mut told: Vec<String> = scene.fake.world.sent(TEMPLATE).into_iter().map(|one| one.to).collect();
    told.sort();
    assert_eq!((told, scene.fake.world.calls(TEMPLATE)), (vec!["oA".to_owned(), "oD".to_owned()], 3));
    happens_to(&scene, "oC", "unsubscribe").await;
    scene.pass(TimeDelta::hours(4)).await;
    for person in gone {
        let by = async |channel: &str| {
            let select = format!(
                "SELECT count(*) FROM deliveries WHERE channel = '{channel}' AND state = 'sent' AND target_id = '{person}'"
            );
            count(scene.app.folder.path(), &select).await
        };
        assert_eq!((by("wechat").await, by("sms").await), (0, 1), "{person}");
    }
    scene.app.stop().await;
}

/// Binds an openid to a villager, who follows the account.
async fn follows(scene: &Scene, number: &str, openid: &'static str) -> PersonId {
    scene.fake.world.user(openid, |user| user.follows = true);
    let person = person_of(&scene.app.app, &scene.village.area, number).await;
    bound(&scene.app, openid, person).await;
    happens_to(scene, openid, "subscribe").await;
    person
}

/// An event of somebody else than who the scene is about.
async fn happens_to(scene: &Scene, openid: &str, name: &str) {
    let event = format!("<MsgType>event</MsgType><Event>{name}</Event><EventKey></EventKey>");
    let http = reqwest::Client::builder().build().unwrap();
    let answered = call(&scene.app, xml(openid, &event)).make(&http).await.unwrap();
    assert_eq!((answered.status, answered.body.as_str()), (200, "success"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_fits_every_kind_of_field_that_a_template_may_have() {
    let fields = ["thing1", "time2", "date3", "character_string4"];
    let templates = "notice_published official template N1 thing1=title time2=time date3=time character_string4=number";
    let scene = Scene::with(0, templates.to_owned()).await;
    scene.fake.world.template("N1", &fields);
    scene.publish("关于村口到小学这一段路的路灯三个月没有亮的事情").await;
    scene.pass(TimeDelta::seconds(20)).await;
    let sent = scene.fake.world.sent(TEMPLATE);
    assert_eq!((sent.len(), scene.fake.world.calls(TEMPLATE)), (1, 1), "{:?}", scene.states("wechat").await);
    let value = |field: &str| sent[0].body["data"][field]["value"].as_str().unwrap().to_owned();
    assert!(value("time2").starts_with("2026年11月2日 ") && value("date3") == value("time2"), "{}", sent[0].body);
    assert!(value("thing1").chars().count() <= 20);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_given_after_a_send_stands_whatever_wechat_reports_of_that_send() {
    let scene = Scene::with(0, BY_CONSENT.to_owned()).await;
    scene.consents(&["accept"]).await;
    scene.credit(1);
    scene.publish("停水").await;
    scene.pass(TimeDelta::seconds(20)).await;
    assert_eq!((scene.fake.world.sent(CONSENTED).len(), scene.left().await), (1, 0));
    scene.pass(TimeDelta::seconds(1)).await;
    scene.happens(AGAIN).await;
    assert_eq!(scene.left().await, 1);
    scene.happens(&refusal(scene.fake.world.sent(CONSENTED)[0].id)).await;
    assert_eq!(scene.left().await, 1, "what was refused was the earlier one");
    assert_eq!(scene.states("wechat").await.get("dead no_consent"), Some(&1), "{:?}", scene.states("wechat").await);
    scene.app.stop().await;
}

/// Asked once more, somebody says yes.
const AGAIN: &str = "<MsgType>event</MsgType><Event>subscribe_msg_popup_event</Event><SubscribeMsgPopupEvent><List>\
    <TemplateId>N1</TemplateId><SubscribeStatusString>accept</SubscribeStatusString><PopupScene>7</PopupScene>\
    </List></SubscribeMsgPopupEvent>";
const BY_CONSENT: &str = "notice_published official once N1 thing1=title";

#[tokio::test(flavor = "multi_thread")]
async fn a_no_is_not_undone_by_what_is_given_back() {
    let scene = Scene::with(0, BY_CONSENT.to_owned()).await;
    scene.consents(&["accept", "accept"]).await;
    let who = (scene.me.person, "notice_published");
    let (first, second) = (Uuid::now_v7(), Uuid::now_v7());
    assert!(taken(&scene.app, who, first).await.is_some());
    assert_eq!(scene.left().await, 1);
    not_called(&scene.app, first).await;
    assert_eq!(scene.left().await, 2, "nobody was called");
    assert!(taken(&scene.app, who, second).await.is_some());
    scene.pass(TimeDelta::seconds(1)).await;
    scene.says("subscribe_msg_change_event", &["reject"]).await;
    assert_eq!(scene.left().await, 0);
    not_called(&scene.app, second).await;
    assert_eq!(scene.left().await, 0, "no is no");
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_given_after_the_take_stands_whatever_wechat_says_of_the_send() {
    let scene = Scene::with(0, BY_CONSENT.to_owned()).await;
    scene.consents(&["accept"]).await;
    let ticket = taken(&scene.app, (scene.me.person, "notice_published"), Uuid::now_v7()).await.unwrap();
    assert_eq!(scene.left().await, 0);
    scene.pass(TimeDelta::seconds(1)).await;
    scene.happens(AGAIN).await;
    assert_eq!(scene.left().await, 1);
    scene.fake.world.fail(CONSENTED, Fault::Code(43101), 1);
    let letter = Letter {
        id: "d1".into(),
        template: "notice_published".into(),
        text: "停水".into(),
        blanks: vec![("title", "停水".into())],
        ..Letter::default()
    };
    let (end, is_shut) = send::by(&scene.app.app, ticket, &letter).await;
    assert_eq!((end, is_shut), (Outcome::Never { status: 43101, why: "no_consent" }, true));
    assert_eq!(scene.left().await, 1, "WeChat knew nothing of the newer one");
    scene.app.stop().await;
}
