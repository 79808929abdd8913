//! WeChat and SMS against providers that are not there, other people's vectors and another implementation.
mod account;
mod conversation;
mod crypto;
mod died;
mod inbox;
mod ledger;
mod process;
mod refused;
mod sends;
mod sms;

use fake_providers::{Call, Fake, Mode, world};
use liusheng::{
    config::{Config, WechatCallbackMode},
    gateways::{Letter, Outcome, wechat::WechatApp},
    ids::PersonId,
    wechat::{
        self,
        ledger::{Ticket, Ways},
        send,
    },
};
use uuid::Uuid;

use crate::support::{TestApp, monday};

pub(super) const TOKEN: &str = "canarytoken";
/// 43 characters whose last has bits that belong to nobody.
pub(super) const KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";

/// Settings for a fake.
pub(super) fn set_up(config: &mut Config, fake: &Fake) {
    config.public_url = "http://cun.example".to_owned();
    config.wechat_api_base = fake.url();
    config.wechat_open_base = fake.url();
    config.wechat_appid = world::OFFICIAL.to_owned();
    config.wechat_secret = world::SECRET.to_owned();
    config.wechat_mini_appid = world::MINI.to_owned();
    config.wechat_mini_secret = world::SECRET.to_owned();
    config.wechat_token = TOKEN.to_owned();
    config.wechat_aes_key = KEY.to_owned();
    config.wechat_callback_mode = WechatCallbackMode::Safe;
    config.wechat_templates = "suggestion_answered official once T1 thing1=title time2=time;\
        notice official template T2 thing1=title; suggestion_answered mini once M1 thing1=title"
        .to_owned();
    config.verification_files = "MP_verify_abc123.txt=abc123".to_owned();
}

pub(super) async fn started(fake: &Fake) -> TestApp {
    fake.world.template("T1", &["thing1", "time2"]);
    fake.world.template("T2", &["thing1"]);
    fake.world.template("M1", &["thing1"]);
    TestApp::start_with(monday(), |config| set_up(config, fake)).await
}

/// Binds an openid past the log-in.
pub(super) async fn bound(app: &TestApp, openid: &'static str, person: PersonId) {
    let write = app.app.store.write(move |tx| {
        Box::pin(async move {
            let account = wechat::seen(tx, WechatApp::Official, openid).await?;
            wechat::bind(tx, account.id, person).await
        })
    });
    write.await.unwrap();
}

/// Takes the first way that the ledger has to somebody, for a letter's first try.
pub(super) async fn taken(app: &TestApp, (person, template): (PersonId, &str), id: Uuid) -> Option<Ticket> {
    let (gateways, template) = (app.app.gateways.clone(), template.to_owned());
    let taken = app.app.store.write(move |tx| {
        Box::pin(async move {
            let ways = Ways::of(tx, &[person]).await?;
            match ways.to(&gateways.wechat, (person, &template), tx.now()) {
                Some(ticket) => ticket.take(tx, Some((id, 1))).await,
                None => Ok(None),
            }
        })
    });
    taken.await.unwrap()
}

/// For that try nobody was called.
pub(super) async fn not_called(app: &TestApp, id: Uuid) {
    let given_back =
        app.app.store.write(move |tx| Box::pin(async move { wechat::ledger::not_called(tx, &[(id, 1)]).await }));
    given_back.await.unwrap();
}

/// Sends somebody a letter by the first way that the ledger has.
pub(super) async fn tell(app: &TestApp, person: PersonId, letter: &Letter) -> Outcome {
    match taken(app, (person, &letter.template), Uuid::now_v7()).await {
        Some(ticket) => send::by(&app.app, ticket, letter).await.0,
        None => Outcome::Never { status: 0, why: "no_wechat" },
    }
}

/// A call as WeChat makes it.
pub(super) fn call(app: &TestApp, body: String) -> Call {
    static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let nonce = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    Call {
        url: app.url("/wechat/callback"),
        mode: Mode::Safe,
        token: TOKEN.to_owned(),
        key: KEY.to_owned(),
        appid: world::OFFICIAL.to_owned(),
        at: app.clock.now().timestamp(),
        nonce: format!("n{nonce}"),
        body,
        is_forged: false,
    }
}

/// A message or an event of somebody.
pub(super) fn xml(openid: &str, inner: &str) -> String {
    format!(
        "<xml><ToUserName><![CDATA[gh_fake]]></ToUserName><FromUserName><![CDATA[{openid}]]></FromUserName>\
         <CreateTime>1762045200</CreateTime>{inner}</xml>"
    )
}

pub(super) fn text(openid: &str, id: u64, words: &str) -> String {
    xml(
        openid,
        &format!("<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[{words}]]></Content><MsgId>{id}</MsgId>"),
    )
}
