//! One consent is one send: taken last, given back when nothing went out, gone when WeChat says so; and what WeChat reports.
use std::{collections::BTreeMap, time::Duration};

use chrono::TimeDelta;
use fake_providers::{Fake, Fault};
use futures_util::future::join_all;
use liusheng::{
    gateways::Letter,
    ids::PersonId,
    wechat::{ledger::Ways, send},
};
use sea_orm::{ConnectionTrait, QueryResult, Statement};
use serde_json::json;
use uuid::Uuid;

use super::{bound, call, set_up, taken, xml};
use crate::support::{Somebody, TestApp, Village, count, monday, person_of};

pub(super) const CONSENTED: &str = "/cgi-bin/message/subscribe/bizsend";
const INSIDE: &str = "Mozilla/5.0 MicroMessenger/8.0.50";
pub(super) const TEMPLATE: &str = "/cgi-bin/message/template/send";

pub(super) struct Scene {
    pub(super) fake: Fake,
    pub(super) app: TestApp,
    pub(super) village: Village,
    pub(super) me: Somebody,
    http: reqwest::Client,
}

impl Scene {
    /// Villager 00007 has bound the openid oA and a phone that is signed in. So many hours after nine on a Monday.
    async fn new(hours: i64, way: &'static str) -> Self {
        Self::with(
            hours,
            format!("notice_published official {way} N1 thing1=title; vote_opened official once V1 thing1=title"),
        )
        .await
    }

    /// With other templates.
    pub(super) async fn with(hours: i64, templates: String) -> Self {
        let fake = Fake::start().await.unwrap();
        fake.world.template("N1", &["thing1"]);
        fake.world.user("oA", |user| user.follows = true);
        let (app, village) = Village::start_with(monday() + TimeDelta::hours(hours), |config| {
            set_up(config, &fake);
            config.wechat_templates = templates;
        })
        .await;
        let me = village.villager(&app, "00007").await;
        bound(&app, "oA", me.person).await;
        let scene = Self { fake, app, village, me, http: reqwest::Client::new() };
        // follows; the minute in which the account may answer that is over
        scene.happens("<MsgType>event</MsgType><Event>subscribe</Event><EventKey></EventKey>").await;
        scene.pass(TimeDelta::minutes(2)).await;
        scene
    }

    pub(super) async fn happens(&self, inner: &str) {
        let answered = call(&self.app, xml("oA", inner)).make(&self.http).await.unwrap();
        assert_eq!((answered.status, answered.body.as_str()), (200, "success"));
    }

    /// Asked for consent, somebody says yes or no; once more for each word, as different prompts.
    pub(super) async fn says(&self, event: &str, statuses: &[&str]) {
        for (n, status) in statuses.iter().enumerate() {
            let list = format!(
                "<MsgType>event</MsgType><Event>{event}</Event><X><List><TemplateId>N1</TemplateId>\
                 <SubscribeStatusString>{status}</SubscribeStatusString><PopupScene>{n}</PopupScene></List></X>"
            );
            let name = match event {
                "subscribe_msg_popup_event" => "SubscribeMsgPopupEvent",
                _ => "SubscribeMsgChangeEvent",
            };
            self.happens(&list.replace("<X>", &format!("<{name}>")).replace("</X>", &format!("</{name}>"))).await;
        }
    }

    pub(super) async fn consents(&self, statuses: &[&str]) {
        self.says("subscribe_msg_popup_event", statuses).await;
    }

    pub(super) fn credit(&self, credits: u64) {
        self.fake.world.user("oA", |user| {
            user.credits.insert("N1".to_owned(), credits);
        });
    }

    pub(super) async fn left(&self) -> i64 {
        count(self.app.folder.path(), "SELECT coalesce(sum(remaining), 0) FROM wechat_consents").await
    }

    pub(super) async fn publish(&self, title: &str) -> String {
        let notice = json!({ "area_code": self.village.area, "title": title, "text": "全文", "must_read": true });
        let id = self.village.clerk.post("/v1/notices", notice).await.ok()["id"].as_str().unwrap().to_owned();
        self.app.settle().await;
        id
    }

    pub(super) async fn rows(&self, select: &str) -> Vec<QueryResult> {
        let read = self.app.app.store.read();
        read.query_all_raw(Statement::from_string(read.get_database_backend(), select)).await.unwrap()
    }

    /// States of the deliveries to me through a channel, with the reason.
    pub(super) async fn states(&self, channel: &str) -> BTreeMap<String, i64> {
        let select = format!(
            "SELECT state || coalesce(' ' || reason, ''), count(*) FROM deliveries \
             WHERE channel = '{channel}' AND target_id = '{}' GROUP BY 1",
            self.me.person
        );
        let rows = self.rows(&select).await;
        rows.iter().map(|row| (row.try_get_by_index(0).unwrap(), row.try_get_by_index(1).unwrap())).collect()
    }

    /// Whether a page lets WeChat's script in, and asks for this template.
    async fn asks(&self, path: &str, agent: &str, template: &str) -> (bool, bool) {
        // a session ends before ninety days do
        let me = Somebody::signed_in(&self.app, self.me.person).await;
        let asked = me.request(reqwest::Method::GET, path);
        let shown = asked.header("accept", "text/html").header("user-agent", agent).send().await.unwrap();
        assert_eq!(shown.status(), 200, "{path}");
        let policy = shown.headers()["content-security-policy"].to_str().unwrap().to_owned();
        let page = shown.text().await.unwrap();
        assert_eq!(policy.contains("https://res.wx.qq.com"), page.contains("https://res.wx.qq.com"), "{path}");
        (policy.contains("https://res.wx.qq.com"), page.contains(&format!(r#"template="{template}""#)))
    }

    /// Lets time pass, until everything that is due is over.
    pub(super) async fn pass(&self, time: TimeDelta) {
        self.app.pass(time).await;
        let now = self.app.app.now();
        for look in 0..1500 {
            self.app.ring_for_deliveries(look).await;
            let steps = self.rows("SELECT due_at FROM ladder_steps WHERE state = 'waiting'").await;
            let due = |row: &QueryResult| row.try_get_by_index::<chrono::DateTime<chrono::Utc>>(0).unwrap() <= now;
            let under_way = liusheng::delivery::queries::due_now(self.app.app.store.read(), now).await.unwrap();
            let sending = self.rows("SELECT id FROM deliveries WHERE state = 'sending'").await.len();
            if !steps.iter().any(due) && under_way == 0 && sending == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("not over: {:?}", self.states("wechat").await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_is_taken_last_and_by_one_send() {
    // ten at night: what is planned waits for the morning
    let scene = Scene::new(13, "once").await;
    scene.consents(&["accept"]).await;
    scene.credit(1);
    assert_eq!(scene.left().await, 1);
    let taken_back = scene.publish("写错了").await;
    let read = scene.publish("停水").await;
    scene.pass(TimeDelta::seconds(20)).await;
    assert_eq!(scene.states("wechat").await, BTreeMap::from([("queued".to_owned(), 2)]));
    let reason = json!({ "reason": "写错了" });
    scene.village.clerk.post(&format!("/v1/notices/{taken_back}/withdraw"), reason).await.ok();
    scene.me.post(&format!("/v1/notices/{read}/confirmations"), json!(null)).await.ok();
    scene.pass(TimeDelta::hours(10)).await;
    let states = scene.states("wechat").await;
    assert_eq!(states.keys().collect::<Vec<_>>(), ["cancelled read", "cancelled withdrawn"], "{states:?}");
    assert_eq!(scene.left().await, 1, "what ended a send before it began cost no consent");
    assert_eq!(scene.fake.world.calls(CONSENTED), 0);
    // by day: one is sent, the next has none, and the ledger knows without asking
    scene.publish("停电").await;
    scene.pass(TimeDelta::seconds(20)).await;
    scene.publish("修路").await;
    scene.pass(TimeDelta::seconds(20)).await;
    let sent = scene.fake.world.sent(CONSENTED);
    assert_eq!((sent.len(), scene.left().await), (1, 0));
    assert_eq!(sent[0].body["data"]["thing1"]["value"], "停电");
    let states = scene.states("wechat").await;
    assert_eq!((states.get("sent"), states.get("cancelled no_wechat")), (Some(&1), Some(&1)), "{states:?}");
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_sent_is_given_back_and_what_wechat_denies_is_gone() {
    let scene = Scene::new(0, "once").await;
    scene.consents(&["accept", "accept", "reject"]).await;
    scene.credit(1);
    assert_eq!(scene.left().await, 2, "two in one second are two; a no keeps what was given");
    scene.fake.world.fail(CONSENTED, Fault::Code(45011), 1);
    scene.publish("停水").await;
    scene.pass(TimeDelta::seconds(20)).await;
    assert_eq!(scene.left().await, 2, "refused for a minute: given back");
    scene.pass(TimeDelta::seconds(70)).await;
    assert_eq!((scene.fake.world.sent(CONSENTED).len(), scene.left().await), (1, 1));
    // WeChat knows of no second one: there is none left here either, and the SMS of the next step goes out, once
    scene.publish("停电").await;
    scene.pass(TimeDelta::seconds(20)).await;
    assert_eq!((scene.fake.world.calls(CONSENTED), scene.left().await), (3, 0));
    let states = scene.states("wechat").await;
    assert_eq!((states.get("sent"), states.get("cancelled no_consent")), (Some(&1), Some(&1)), "{states:?}");
    scene.pass(TimeDelta::hours(5)).await;
    assert_eq!(scene.states("sms").await.get("sent"), Some(&2), "what must be done is told by both");
    assert_eq!(scene.fake.world.calls(CONSENTED), 3, "and WeChat is not asked in vain");
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_term_consent_is_not_counted_down_until_it_is_taken_back() {
    let scene = Scene::new(0, "long").await;
    scene.consents(&["accept", "accept"]).await;
    scene.fake.world.user("oA", |user| {
        user.long.insert("N1".to_owned());
    });
    for title in ["一", "二", "三"] {
        scene.publish(title).await;
        scene.pass(TimeDelta::seconds(20)).await;
    }
    assert_eq!((scene.fake.world.sent(CONSENTED).len(), scene.left().await), (3, 1));
    scene.says("subscribe_msg_change_event", &["reject"]).await;
    assert_eq!(scene.left().await, 0);
    scene.publish("四").await;
    scene.pass(TimeDelta::seconds(20)).await;
    assert_eq!(scene.fake.world.calls(CONSENTED), 3);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_workers_spend_one_consent_once() {
    let scene = Scene::new(0, "once").await;
    scene.consents(&["accept"]).await;
    let person: PersonId = scene.me.person;
    let gateways = scene.app.app.gateways.clone();
    let looked = scene.app.app.store.write(move |tx| Box::pin(async move { Ways::of(tx, &[person]).await }));
    let ways = looked.await.unwrap();
    let found = ways.to(&gateways.wechat, (person, "notice_published"), scene.app.app.now()).unwrap();
    let takes = (0..8).map(|_| {
        let ticket = found.clone();
        scene.app.app.store.write(move |tx| Box::pin(ticket.take(tx, Some((Uuid::now_v7(), 1)))))
    });
    let taken = join_all(takes).await.into_iter().filter(|taken| taken.as_ref().unwrap().is_some()).count();
    assert_eq!((taken, scene.left().await), (1, 0), "one consent is one send");
    scene.app.stop().await;
}

/// Of forty letters that go out at once each has the name that WeChat gave it; the first was another try's by then.
#[tokio::test(flavor = "multi_thread")]
async fn letters_that_went_out_at_once_are_written_down_at_once_each_by_its_own_name() {
    const LETTERS: usize = 40;
    let scene = Scene::new(0, "template").await;
    let (app, mut people) = (&scene.app, Vec::new());
    for n in 0..LETTERS {
        let person = person_of(&app.app, &scene.village.area, &format!("{:05}", n + 10)).await;
        let openid: &'static str = Box::leak(format!("o{n}").into_boxed_str());
        scene.fake.world.user(openid, |user| user.follows = true);
        bound(app, openid, person).await;
        people.push(person);
    }
    let follow = app.app.store.write(|tx| {
        Box::pin(async move {
            tx.execute_unprepared("UPDATE wechat_accounts SET is_following = TRUE").await?;
            Ok(())
        })
    });
    follow.await.unwrap();
    let (mut tickets, mut letters) = (Vec::new(), Vec::new());
    for person in &people {
        let id = Uuid::now_v7();
        tickets.push(taken(app, (*person, "notice_published"), id).await.unwrap());
        let blanks = vec![("title", "停水".to_owned())];
        letters.push(Letter {
            id: id.to_string(),
            template: "notice_published".to_owned(),
            text: "停水".to_owned(),
            blanks,
            ..Letter::default()
        });
    }
    // its lease ran out, and another has taken it since
    let (frozen, id) = (tickets[0].clone(), letters[0].id.parse::<Uuid>().unwrap());
    let again = app.app.store.write(move |tx| Box::pin(frozen.take(tx, Some((id, 2)))));
    assert!(again.await.unwrap().is_some());
    let before = app.app.store.statements().1;
    // the writer is busy until all of them are out
    let busy = app.app.store.write(|_| {
        Box::pin(async {
            tokio::time::sleep(Duration::from_secs(2)).await;
            Ok(())
        })
    });
    let sends = tickets.into_iter().zip(&letters).map(|(ticket, letter)| send::by(&app.app, ticket, letter));
    let (held, ends) = tokio::join!(busy, join_all(sends));
    held.unwrap();
    let statements = app.app.store.statements().1 - before;
    assert!(ends.iter().all(|(end, is_shut)| end.word() == "sent" && !is_shut), "{ends:?}");
    println!("statements: {statements} for {LETTERS} letters");
    // the workers of the server write now and then; of one letter alone it takes two
    assert!(statements < 2 * LETTERS as u64, "{statements} statements: they were not written down together");
    let named = |letter: &Letter| {
        let name = letter.id.replace('-', "");
        let sent = scene.fake.world.sent(TEMPLATE).into_iter().find(|sent| sent.body["client_msg_id"] == name.as_str());
        ("out".to_owned(), Some(sent.unwrap().id.to_string()))
    };
    let mut wanted: BTreeMap<String, (String, Option<String>)> =
        letters.iter().map(|letter| (letter.id.clone(), named(letter))).collect();
    wanted.insert(letters[0].id.clone(), ("taken".to_owned(), None));
    let rows = scene.rows("SELECT id, state, msgid FROM wechat_sends").await;
    let row = |row: &QueryResult| {
        let id: Uuid = row.try_get_by_index(0).unwrap();
        let found: (String, Option<String>) = (row.try_get_by_index(1).unwrap(), row.try_get_by_index(2).unwrap());
        (id.to_string(), found)
    };
    assert_eq!(rows.iter().map(row).collect::<BTreeMap<_, _>>(), wanted, "each by its own try and its own name");
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_wechat_reports_settles_the_delivery_whichever_is_first() {
    let scene = Scene::new(0, "template").await;
    let report = |id: u64, status: &str| {
        format!(
            "<MsgType>event</MsgType><Event>TEMPLATESENDJOBFINISH</Event><MsgID>{id}</MsgID><Status>{status}</Status>"
        )
    };
    let newest = || scene.fake.world.sent(TEMPLATE).last().unwrap().id;
    scene.publish("停水").await;
    scene.pass(TimeDelta::seconds(20)).await;
    for _ in 0..3 {
        scene.happens(&report(newest(), "success")).await;
    }
    let arrived = "SELECT count(*) FROM attempts WHERE outcome = 'arrived'";
    assert_eq!(count(scene.app.folder.path(), arrived).await, 1, "said three times, written once");
    assert_eq!(scene.states("wechat").await.get("sent"), Some(&1));
    // reported while the answer to the send is still on its way
    scene.fake.world.fail(TEMPLATE, Fault::Slow, 1);
    scene.publish("停电").await;
    scene.app.pass(TimeDelta::seconds(20)).await;
    for _ in 0..500 {
        if scene.fake.world.sent(TEMPLATE).len() == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    scene.happens(&report(newest(), "failed: system failed")).await;
    assert_eq!(count(scene.app.folder.path(), "SELECT count(*) FROM wechat_receipts").await, 1, "it waits");
    scene.pass(TimeDelta::seconds(1)).await;
    assert_eq!(scene.states("wechat").await.get("dead not_arrived"), Some(&1), "{:?}", scene.states("wechat").await);
    assert_eq!(count(scene.app.folder.path(), "SELECT count(*) FROM wechat_receipts").await, 0);
    // switched off by the person: nothing more goes there
    scene.publish("修路").await;
    scene.pass(TimeDelta::seconds(20)).await;
    scene.happens(&report(newest(), "failed:user block")).await;
    assert_eq!(scene.states("wechat").await.get("dead refuses"), Some(&1));
    let calls = scene.fake.world.calls(TEMPLATE);
    scene.publish("修桥").await;
    scene.pass(TimeDelta::seconds(20)).await;
    assert_eq!(scene.fake.world.calls(TEMPLATE), calls);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_inside_wechat_asks_for_what_is_missing_and_not_again_after_a_no() {
    let scene = Scene::new(0, "once").await;
    let notice = scene.publish("停水").await;
    let path = format!("/notices/{notice}");
    let page = async |agent: &str| scene.asks(&path, agent, "N1").await;
    let inside = INSIDE;
    assert_eq!(page(inside).await, (true, true));
    assert_eq!(page("Mozilla/5.0").await, (false, false));
    scene.consents(&["accept", "accept", "accept"]).await;
    assert_eq!(page(inside).await, (false, false), "three are enough");
    scene.says("subscribe_msg_change_event", &["reject"]).await;
    assert_eq!((scene.left().await, page(inside).await), (0, (false, false)), "no is no");
    scene.app.pass(TimeDelta::days(91)).await;
    assert_eq!(page(inside).await, (true, true), "after 90 days one may ask again");
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vote_asks_for_consent_and_never_beside_a_ballot() {
    let scene = Scene::new(0, "once").await;
    let matter = scene.village.matter_to_decide(&scene.app, "修一座桥").await;
    let id = scene.village.open_vote(&scene.app, &matter, TimeDelta::days(2)).await;
    let path = format!("/votes/{id}");
    assert_eq!(scene.asks(&path, INSIDE, "V1").await, (false, false), "no script of others where a choice is made");
    let ballot = json!({ "cast_id": Uuid::new_v4(), "choice": "for" });
    let me = Somebody::signed_in(&scene.app, scene.me.person).await;
    me.post(&format!("/v1/votes/{id}/ballots"), ballot).await.ok();
    assert_eq!(scene.asks(&path, INSIDE, "V1").await, (true, true), "afterwards one may be asked");
    assert_eq!(scene.asks(&path, "Mozilla/5.0", "V1").await, (false, false));
    scene.app.stop().await;
}
