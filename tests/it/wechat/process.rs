//! The real program: killed amid a message, and silent about secrets, openids and words.
use std::time::Duration;

use fake_providers::{Call, Fake, Fault, Mode, world};

use super::{KEY, TOKEN, text, xml};
use crate::support::{House, Process, count, free_port};

const OPENID: &str = "oCanaryOpenid0123456789";
const WORDS: &str = "金丝雀说路灯坏了";

#[tokio::test]
async fn a_killed_program_goes_on_and_its_log_tells_nothing() {
    let fake = Fake::start().await.unwrap();
    fake.world.put_media("m1", include_bytes!("../../data/media/clear.png"));
    let (house, port) = (House::new(), free_port());
    let (log, url) = (house.path().join("log.txt"), fake.url());
    let settings = [
        ("LIUSHENG_LOG_LEVEL", "debug"),
        ("LIUSHENG_PUBLIC_URL", "http://cun.example"),
        ("LIUSHENG_WECHAT_API_BASE", &url),
        ("LIUSHENG_WECHAT_OPEN_BASE", &url),
        ("LIUSHENG_WECHAT_APPID", world::OFFICIAL),
        ("LIUSHENG_WECHAT_SECRET", world::SECRET),
        ("LIUSHENG_WECHAT_TOKEN", TOKEN),
        ("LIUSHENG_WECHAT_AES_KEY", KEY),
    ];
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    #[expect(clippy::disallowed_methods, reason = "the program lives by the machine's clock")]
    let now = || chrono::Utc::now().timestamp();
    let call = |body: String, nonce: &str| Call {
        url: format!("http://127.0.0.1:{port}/wechat/callback"),
        mode: Mode::Safe,
        token: TOKEN.to_owned(),
        key: KEY.to_owned(),
        appid: world::OFFICIAL.to_owned(),
        at: now(),
        nonce: nonce.to_owned(),
        body,
        is_forged: false,
    };
    fake.world.said(OPENID);
    fake.world.fail("/cgi-bin/message/custom/send", Fault::Hang, 1);
    let mut first = Process::serve(house.path(), port, &settings, &log).await;
    let answered = call(text(OPENID, 1, WORDS), "a").make(&http).await.unwrap();
    assert_eq!(answered.body, "success");
    tokio::time::sleep(Duration::from_millis(300)).await;
    // what was acknowledged is stored, and its answer hangs
    first.kill();
    let waiting = "SELECT count(*) FROM wechat_inbox WHERE state = 'waiting'";
    assert_eq!(count(house.path(), waiting).await, 1, "acknowledged, and not lost");
    // WeChat's own repetition after the restart is the same message
    let mut second = Process::serve(house.path(), port, &settings, &log).await;
    let answered = call(text(OPENID, 1, WORDS), "b").make(&http).await.unwrap();
    assert_eq!(answered.body, "success");
    assert_eq!(count(house.path(), "SELECT count(*) FROM wechat_inbox").await, 1);
    // a few ways in which things fail, each with a line in the log
    for (nonce, fault) in [("c", Fault::Code(40003)), ("d", Fault::Html502), ("e", Fault::Code(47003))] {
        fake.world.fail("/cgi-bin/message/custom/send", fault, 1);
        let id = 10 + u64::from(nonce.as_bytes()[0]);
        call(text(OPENID, id, WORDS), nonce).make(&http).await.unwrap();
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let click = xml(OPENID, "<MsgType>event</MsgType><Event>CLICK</Event><EventKey>speak</EventKey>");
    call(click, "f").make(&http).await.unwrap();
    let there = http.get(format!("http://127.0.0.1:{port}/wechat/log-in?then=/")).send().await.unwrap();
    assert_eq!(there.status().as_u16(), 302);
    tokio::time::sleep(Duration::from_millis(300)).await;
    second.kill();
    let said = std::fs::read_to_string(&log).unwrap();
    assert!(said.len() > 200, "the log was read: {said}");
    for secret in [OPENID, WORDS, world::SECRET, TOKEN, KEY, "token0000"] {
        assert!(!said.contains(secret), "{secret} is in the log:\n{said}");
    }
}
