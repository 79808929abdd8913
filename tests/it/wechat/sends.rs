//! Sends against the fake WeChat: one token for many, no message doubled, every way in which an answer can be bent.
use std::sync::Arc;

use chrono::TimeDelta;
use fake_providers::{Fake, Fault, world};
use futures_util::{StreamExt, future::join_all};
use liusheng::{
    clock::Clock,
    config::Config,
    gateways::{
        Address, Gateways, Letter, Outcome,
        wechat::{WechatApp, messages::Way},
    },
};

use crate::support::{is_full_run, monday};

const TOKEN_PATH: &str = "/cgi-bin/stable_token";
const SAY: &str = "/cgi-bin/message/custom/send";
const CONSENTED: &str = "/cgi-bin/message/subscribe/bizsend";
const TEMPLATE: &str = "/cgi-bin/message/template/send";

struct Scene {
    fake: Fake,
    gateways: Arc<Gateways>,
    clock: Clock,
}

impl Scene {
    async fn new() -> Self {
        let fake = Fake::start().await.unwrap();
        for (id, fields) in [("T1", &["thing1", "time2"][..]), ("T2", &["thing1"][..]), ("M1", &["thing1"][..])] {
            fake.world.template(id, fields);
        }
        rustls::crypto::ring::default_provider().install_default().ok();
        let mut config = Config::defaults().unwrap();
        super::set_up(&mut config, &fake);
        let clock = Clock::standing_at(monday());
        let gateways = Arc::new(Gateways::open(&config, &clock, false).unwrap());
        Self { fake, gateways, clock }
    }

    /// Time goes by on both sides.
    fn pass(&self, secs: i64) {
        self.fake.world.pass(secs);
        self.clock.advance(TimeDelta::seconds(secs));
    }

    async fn send(&self, openid: &str, way: Way, letter: &Letter) -> Outcome {
        let to = Address::Wechat { app: WechatApp::Official, openid: openid.to_owned(), way };
        self.gateways.send(&to, letter, self.clock.now()).await
    }
}

fn letter(id: &str, template: &str) -> Letter {
    Letter {
        id: id.to_owned(),
        template: template.to_owned(),
        text: "您的留言有了答复".to_owned(),
        blanks: vec![("title", "路灯".to_owned()), ("time", "2026年11月2日 09:00".to_owned())],
        link: "http://cun.example/suggestions/1".to_owned(),
        ..Letter::default()
    }
}

#[tokio::test]
async fn a_token_that_ends_amid_fifty_senders_is_asked_for_once() {
    let scene = Scene::new().await;
    for n in 0..50 {
        scene.fake.world.said(&format!("o{n}"));
    }
    assert_eq!(scene.send("o0", Way::Conversation, &letter("first", "")).await.word(), "sent");
    assert_eq!(scene.fake.world.calls(TOKEN_PATH), 1);
    // WeChat's side alone: ours still believes in the token
    scene.fake.world.pass(7201);
    let one = letter("burst", "");
    let names: Vec<String> = (0..50).map(|n| format!("o{n}")).collect();
    let ends = join_all(names.iter().map(|openid| scene.send(openid, Way::Conversation, &one))).await;
    assert!(ends.iter().all(|end| end.word() == "sent"), "{ends:?}");
    assert_eq!(scene.fake.world.calls(TOKEN_PATH), 2, "one new token for fifty");
    assert_eq!(scene.fake.world.sent(SAY).len(), 51);
}

#[tokio::test]
async fn both_tokens_hold_in_the_last_five_minutes() {
    let scene = Scene::new().await;
    scene.fake.world.said("o1");
    scene.send("o1", Way::Conversation, &letter("1", "")).await;
    let report = |token: &str| format!("{}{SAY}?access_token={token}", scene.fake.url());
    let old = first_token(&scene).await;
    scene.pass(6901);
    assert_eq!(scene.send("o1", Way::Conversation, &letter("2", "")).await.word(), "sent");
    assert_eq!(scene.fake.world.calls(TOKEN_PATH), 3, "dropped five minutes early, and nobody was refused");
    let with_old = reqwest::Client::builder().build().unwrap();
    let body = r#"{"touser":"o1","msgtype":"text","text":{"content":"x"}}"#;
    let said = with_old.post(report(&old)).body(body).send().await.unwrap().text().await.unwrap();
    assert!(said.contains("\"errcode\":0"), "who holds the old one still gets through: {said}");
}

/// The token that holds now, as anybody with the secret is told.
async fn first_token(scene: &Scene) -> String {
    let body =
        format!(r#"{{"grant_type":"client_credential","appid":"{}","secret":"{}"}}"#, world::OFFICIAL, world::SECRET);
    let http = reqwest::Client::builder().build().unwrap();
    let request = http.post(format!("{}{TOKEN_PATH}", scene.fake.url())).header("content-type", "application/json");
    let told: serde_json::Value =
        serde_json::from_str(&request.body(body).send().await.unwrap().text().await.unwrap()).unwrap();
    told["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_day_s_quota_ends_and_nothing_is_lost_or_doubled() {
    let scene = Scene::new().await;
    let (all, most) = if is_full_run() { (1000, 500) } else { (100, 50) };
    scene.fake.world.quota(CONSENTED, most);
    for n in 0..all {
        scene.fake.world.user(&format!("o{n}"), |user| {
            user.credits.insert("T1".to_owned(), 1);
        });
    }
    let one = letter("n", "suggestion_answered");
    let names: Vec<String> = (0..all).map(|n| format!("o{n}")).collect();
    let ends = join_all(names.iter().map(|openid| scene.send(openid, Way::Subscription, &one))).await;
    let sent = ends.iter().filter(|end| end.word() == "sent").count();
    assert_eq!(sent, usize::try_from(most).unwrap());
    let rest: Vec<_> = ends.iter().filter(|end| end.word() != "sent").collect();
    // 09:00 in the county: fifteen hours until midnight
    let paused = Outcome::Broken { status: 45009, why: "quota", after_secs: 15 * 3600 + 1 };
    assert!(rest.iter().all(|end| **end == paused), "{:?}", rest.first());
    let mut reached: Vec<String> = scene.fake.world.sent(CONSENTED).into_iter().map(|one| one.to).collect();
    reached.sort();
    reached.dedup();
    assert_eq!(reached.len(), sent, "each once");
}

#[tokio::test]
async fn sends_to_one_openid_follow_one_another() {
    let scene = Scene::new().await;
    scene.fake.world.said("o1");
    let letters: Vec<_> = (0..5).map(|n| letter(&format!("{n}"), "")).collect();
    let ends = join_all(letters.iter().map(|one| scene.send("o1", Way::Conversation, one))).await;
    assert!(ends.iter().all(|end| end.word() == "sent"), "no 43108: {ends:?}");
    let sixth = scene.send("o1", Way::Conversation, &letter("6", "")).await;
    assert_eq!(sixth, Outcome::Never { status: 45047, why: "window_closed" });
}

/// Each on a fake of its own, several at once, because some wait.
#[tokio::test]
async fn every_bent_answer_has_its_end() {
    let cases = [
        ("busy", Fault::Code(-1), 1, "sent", 1),
        ("token refused once", Fault::Code(40001), 1, "sent", 1),
        ("token expired once", Fault::Code(42001), 1, "sent", 1),
        ("token refused for good", Fault::Code(40014), 2, "try_again", 0),
        ("quota", Fault::Code(45009), 1, "broken", 0),
        ("wrong account", Fault::Code(40013), 1, "broken", 0),
        ("blocked", Fault::Code(48002), 1, "address_off", 0),
        ("a field", Fault::Code(47003), 2, "held", 0),
        ("words", Fault::Code(45168), 1, "held", 0),
        ("unknown code", Fault::Code(99999), 1, "held", 0),
        ("nginx", Fault::Html502, 1, "unknown", 0),
        ("nothing", Fault::Empty, 1, "unknown", 0),
        ("another encoding", Fault::Gbk, 1, "unknown", 0),
        ("half", Fault::Truncated, 1, "unknown", 0),
        ("500", Fault::Http500, 1, "unknown", 0),
        ("broken off", Fault::Reset, 1, "unknown", 0),
        ("done, then broken off", Fault::DupAccept, 1, "unknown", 1),
        ("no answer", Fault::Hang, 1, "unknown", 0),
        ("late", Fault::Delay(300), 1, "sent", 1),
    ];
    let tried = cases.map(async |(name, fault, times, word, arrived)| {
        let scene = Scene::new().await;
        scene.fake.world.said("o1");
        scene.fake.world.fail(SAY, fault, times);
        let end = scene.send("o1", Way::Conversation, &letter("1", "")).await;
        (name, end.word() == word && scene.fake.world.sent(SAY).len() == arrived, end)
    });
    // a few at once: a machine that is busy must not look like a provider that is lost
    let ends: Vec<_> = futures_util::stream::iter(tried).buffer_unordered(4).collect().await;
    for (name, is_good, end) in ends {
        assert!(is_good, "{name}: {end:?}");
    }
}

#[tokio::test]
async fn a_named_message_is_tried_again_and_arrives_once() {
    let scene = Scene::new().await;
    scene.fake.world.user("o1", |user| user.follows = true);
    scene.fake.world.fail(TEMPLATE, Fault::DupAccept, 1);
    let one = letter("0197a000-0000-7000-8000-000000000001", "notice");
    assert_eq!(scene.send("o1", Way::Template, &one).await.word(), "sent");
    // the process died between the send and its mark: the same delivery comes again
    assert_eq!(scene.send("o1", Way::Template, &one).await.word(), "sent");
    let arrived = scene.fake.world.sent(TEMPLATE);
    assert_eq!(arrived.len(), 1, "WeChat knows it by its name");
    assert_eq!(arrived[0].body["client_msg_id"].as_str().unwrap().len(), 32);
    scene.fake.world.user("o1", |user| user.follows = false);
    let gone = scene.send("o1", Way::Template, &letter("2", "notice")).await;
    assert_eq!(gone, Outcome::AddressOff { status: 43004, why: "not_following" });
}

#[tokio::test]
async fn templates_are_filled_to_size_and_refusals_are_decided() {
    let scene = Scene::new().await;
    scene.fake.world.user("o1", |user| {
        user.credits.insert("T1".to_owned(), 1);
    });
    let mut long = letter("1", "suggestion_answered");
    long.blanks[0].1 = "关于村口\n到小学🙂这一段路的路灯三个月没有亮的事情".to_owned();
    assert_eq!(scene.send("o1", Way::Subscription, &long).await.word(), "sent");
    let body = &scene.fake.world.sent(CONSENTED)[0].body;
    assert_eq!(body["data"]["thing1"]["value"], "关于村口 到小学这一段路的路灯三个月没…");
    assert_eq!(body["page"], "http://cun.example/suggestions/1");
    let spent = scene.send("o1", Way::Subscription, &long).await;
    assert_eq!(spent, Outcome::Never { status: 43101, why: "no_consent" });
    let nobody = scene.send("o-nobody", Way::Subscription, &long).await;
    assert_eq!(nobody, Outcome::AddressOff { status: 40003, why: "bad_address" });
    // a page that is refused is left out; a field that is refused is cut once more
    scene.fake.world.user("o1", |user| {
        user.credits.insert("T1".to_owned(), 2);
    });
    scene.fake.world.fail(CONSENTED, Fault::Code(41030), 1);
    assert_eq!(scene.send("o1", Way::Subscription, &long).await.word(), "sent");
    scene.fake.world.fail(CONSENTED, Fault::Code(47003), 1);
    assert_eq!(scene.send("o1", Way::Subscription, &long).await.word(), "sent");
    let sent = scene.fake.world.sent(CONSENTED);
    assert!(sent[1].body.get("page").is_none());
    assert_eq!(sent[2].body["data"]["thing1"]["value"].as_str().unwrap().chars().count(), 10);
    // an address that is not in the account's list stops everything
    scene.pass(7300);
    scene.fake.world.allow_ip(false);
    let stopped = scene.send("o1", Way::Subscription, &long).await;
    assert_eq!(stopped, Outcome::Broken { status: 40164, why: "account", after_secs: 3600 });
}
