//! Messages that could not be taken, whose they stay, and what must not stand in their way.
use std::time::Duration;

use chrono::TimeDelta;
use fake_providers::{Call, Fake, Fault, world};
use liusheng::inbox;
use serde_json::json;

use super::{KEY, TOKEN, bound, call, set_up, started, text, xml};
use crate::support::{TestApp, Village, count, monday};

const MEDIA: &str = "/cgi-bin/media/get";
const PNG: &[u8] = include_bytes!("../../data/media/clear.png");

async fn until(app: &TestApp, select: &str, wanted: i64) {
    for _ in 0..250 {
        if count(app.folder.path(), select).await == wanted {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{select}: {} and not {wanted}", count(app.folder.path(), select).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_was_given_up_is_taken_later_and_stays_its_sender_s() {
    let fake = Fake::start().await.unwrap();
    let app = started(&fake).await;
    let village = Village::found(&app).await;
    let (me, other) = (village.villager(&app, "00007").await, village.villager(&app, "00008").await);
    bound(&app, "oA", me.person).await;
    fake.world.said("oA");
    fake.world.put_media("m1", PNG);
    fake.world.fail(MEDIA, Fault::Html502, 20);
    let http = reqwest::Client::new();
    let photo = "<MsgType>image</MsgType><MediaId>m1</MediaId><MsgId>1</MsgId>";
    call(&app, xml("oA", photo)).make(&http).await.unwrap();
    until(&app, "SELECT count(*) FROM wechat_inbox WHERE why = 'media'", 1).await;
    for _ in 0..200 {
        if inbox::queries::given_up(app.app.store.read()).await.unwrap() == 1 {
            break;
        }
        app.clock.advance(TimeDelta::hours(6));
        inbox::run_due(&app.app).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let dead = "SELECT count(*) FROM wechat_inbox WHERE state = 'dead' AND said_sealed <> '' AND why = 'media'";
    assert_eq!(count(app.folder.path(), dead).await, 1, "given up, and its words are kept");
    assert_eq!(inbox::queries::given_up(app.app.store.read()).await.unwrap(), 1);
    // the account has another owner by now
    bound(&app, "oA", other.person).await;
    fake.world.put_media("m1", PNG);
    let operator = crate::county::operator(&app).await;
    let shown = operator.request(reqwest::Method::GET, "/desk/county/failures").header("accept", "text/html");
    assert!(shown.send().await.unwrap().text().await.unwrap().contains("没收成的微信来信"));
    assert_eq!(inbox::commands::redrive(&app.app, None).await.unwrap(), 1);
    assert_eq!(inbox::commands::redrive(&app.app, None).await.unwrap(), 0, "once");
    inbox::run_due(&app.app).await.unwrap();
    until(&app, "SELECT count(*) FROM wechat_inbox WHERE state = 'done' AND suggestion_id IS NOT NULL", 1).await;
    let grown = "SELECT count(*) FROM wechat_inbox WHERE tries > tries_before AND tries_before > 0";
    assert_eq!(count(app.folder.path(), grown).await, 1, "the token of a claim only grows");
    let mine = me.get("/v1/suggestions?scope=mine").await.ok();
    assert_eq!(mine["items"].as_array().unwrap().len(), 1, "the voice of who sent it");
    assert_eq!(other.get("/v1/suggestions?scope=mine").await.ok()["items"], json!([]));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_that_belong_to_nothing_stand_in_nobody_s_way() {
    let fake = Fake::start().await.unwrap();
    let app = started(&fake).await;
    let village = Village::found(&app).await;
    let me = village.villager(&app, "00007").await;
    bound(&app, "oA", me.person).await;
    fake.world.said("oA");
    let http = reqwest::Client::new();
    for n in 0..60 {
        let report = format!(
            "<MsgType>event</MsgType><Event>TEMPLATESENDJOBFINISH</Event><MsgID>{}</MsgID><Status>success</Status>",
            900 + n % 50
        );
        let from = if n % 2 == 0 { "oA" } else { "oNobody" };
        let answered = call(&app, xml(from, &report)).make(&http).await.unwrap();
        assert_eq!(answered.body, "success");
    }
    assert_eq!(count(app.folder.path(), "SELECT count(*) FROM wechat_inbox").await, 0, "no report is in the queue");
    assert_eq!(count(app.folder.path(), "SELECT count(*) FROM wechat_accounts").await, 1, "and none makes an account");
    call(&app, text("oA", 1, "路灯坏了")).make(&http).await.unwrap();
    until(&app, "SELECT count(*) FROM suggestions", 1).await;
    let apart = "SELECT count(*) FROM wechat_receipts";
    assert_eq!(count(app.folder.path(), apart).await, 25);
    app.pass(TimeDelta::days(4)).await;
    until(&app, apart, 0).await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mini_program_is_believed_once_and_wechat_s_own_word_counts() {
    let fake = Fake::start().await.unwrap();
    fake.world.template("M1", &["thing1"]);
    let app = TestApp::start_with(monday(), |config| {
        set_up(config, &fake);
        config.wechat_mini_token = TOKEN.to_owned();
        config.wechat_mini_aes_key = KEY.to_owned();
    })
    .await;
    let village = Village::found(&app).await;
    let me = village.villager(&app, "00007").await;
    let person = me.person;
    let binding = app.app.store.write(move |tx| {
        Box::pin(async move {
            let account = liusheng::wechat::seen(tx, liusheng::gateways::wechat::WechatApp::Mini, "mA").await?;
            liusheng::wechat::bind(tx, account.id, person).await
        })
    });
    binding.await.unwrap();
    let left = "SELECT coalesce(sum(remaining), 0) FROM wechat_consents";
    for _ in 0..3 {
        assert_eq!(me.post("/v1/wechat/mini/consents", json!({ "accepted": ["M1"] })).await.status, 204);
    }
    assert_eq!(count(app.folder.path(), left).await, 0, "WeChat tells us itself");
    let http = reqwest::Client::new();
    let event = json!({
        "ToUserName": "gh_fake", "FromUserName": "mA", "CreateTime": 1_762_045_200, "MsgType": "event",
        "Event": "subscribe_msg_popup_event",
        "List": { "TemplateId": "M1", "SubscribeStatusString": "accept", "PopupScene": "0" },
    });
    let url = app.url("/wechat/mini/callback");
    let told = Call { url, appid: world::MINI.to_owned(), ..call(&app, event.to_string()) };
    for _ in 0..3 {
        let answered = told.make(&http).await.unwrap();
        assert_eq!((answered.status, answered.body.as_str()), (200, "success"));
    }
    assert_eq!(count(app.folder.path(), left).await, 1, "said three times, counted once");
    // the other account's key opens nothing here
    let official = Call { appid: world::OFFICIAL.to_owned(), ..told.clone() };
    assert_eq!(official.make(&http).await.unwrap().status, 403);
    app.stop().await;
}
