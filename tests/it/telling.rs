//! Who is told what: once, by the channel that reaches them, and not of what was taken back, read or not wanted.
mod above;
mod called;
mod doors;
mod evening;
mod family;
mod loud;
mod marks;
mod meetings;
mod month;
mod paced;
mod rounds;
mod stopped;
mod votes;

use std::{collections::BTreeMap, time::Duration};

use chrono::TimeDelta;
use fake_providers::{Fake, world};
use liusheng::{
    config::{Config, SmsProvider},
    ids::PersonId,
};
use sea_orm::{
    ConnectionTrait, ExprTrait, QueryResult, Statement,
    sea_query::{Expr, Query},
};
use serde_json::{Value, json};

use crate::support::{OwnRedis, Somebody, TestApp, Village, monday, person_of, redis_url};

struct Scene {
    app: TestApp,
    village: Village,
    _redis: Option<OwnRedis>,
}

impl Scene {
    async fn set() -> Self {
        Self::set_at(0).await
    }

    /// So many hours after nine on a Monday.
    async fn set_at(hours: i64) -> Self {
        Self::set_with(hours, |_| {}).await
    }

    /// With other settings.
    async fn set_with(hours: i64, change: impl FnOnce(&mut Config)) -> Self {
        let redis = redis_url("a queue of its own").and_then(|_| OwnRedis::start());
        let url = redis.as_ref().map(|redis| redis.url.clone());
        let (app, village) = Village::start_with(monday() + TimeDelta::hours(hours), move |config| {
            config.sends_per_second = 100_000;
            if let Some(url) = url {
                config.redis_url = url;
            }
            change(config);
        })
        .await;
        Self { app, village, _redis: redis }
    }

    /// Statements by which the counts of a notice are read for somebody.
    async fn reads_of_reach(&self, notice: &str) -> u64 {
        let before = self.app.app.store.statements().0;
        self.app.get(&format!("/v1/notices/{notice}/reach")).await.ok();
        self.app.app.store.statements().0 - before
    }

    /// Asks for an SQL value.
    async fn number(&self, select: &str) -> i64 {
        self.rows(select).await[0].try_get_by_index(0).unwrap()
    }

    async fn publish(&self, title: &str, must_read: bool) -> String {
        let notice = json!({ "area_code": self.village.area, "title": title, "text": "全文", "must_read": must_read });
        let id = self.village.clerk.post("/v1/notices", notice).await.ok()["id"].as_str().unwrap().to_owned();
        self.app.settle().await;
        id
    }

    async fn rows(&self, select: &str) -> Vec<QueryResult> {
        let read = self.app.app.store.read();
        read.query_all_raw(Statement::from_string(read.get_database_backend(), select)).await.unwrap()
    }

    /// How many deliveries by SMS are in each state, with the reason.
    async fn states(&self) -> BTreeMap<String, i64> {
        let select =
            "SELECT state || coalesce(' ' || reason, ''), count(*) FROM deliveries WHERE channel = 'sms' GROUP BY 1";
        let rows = self.rows(select).await;
        rows.iter().map(|row| (row.try_get_by_index(0).unwrap(), row.try_get_by_index(1).unwrap())).collect()
    }

    /// Lets time pass and waits until every step that is due is planned and every send is over.
    async fn pass(&self, time: TimeDelta) {
        self.app.pass(time).await;
        let now = self.app.app.now();
        let (mut before, mut looks) = (BTreeMap::new(), 0);
        // what a crowded machine has not sent at once is offered again every few seconds; thousands take minutes
        for look in 0..15_000 {
            self.app.ring_for_deliveries(look).await;
            let steps = self.rows("SELECT due_at FROM ladder_steps WHERE state = 'waiting'").await;
            let due = |row: &QueryResult| row.try_get_by_index::<chrono::DateTime<chrono::Utc>>(0).unwrap() <= now;
            let waits = steps.iter().filter(|row| due(row)).count();
            if waits == 0 && self.open(now).await == 0 {
                return;
            }
            let states = self.states().await;
            looks = if states == before { looks + 1 } else { 0 };
            if looks == 3000 {
                break;
            }
            before = states;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("not over: {before:?}");
    }

    /// Deliveries that are due or under way, in one look: what is settled between two looks makes another due. Counted there,
    /// because thousands that are read twenty times a second slow down what is waited for.
    async fn open(&self, now: chrono::DateTime<chrono::Utc>) -> i64 {
        let is_due = Expr::col("state").eq("queued").and(Expr::col("due_at").lte(now));
        let open = Query::select()
            .expr(Expr::col("id").count())
            .from("deliveries")
            .and_where(Expr::col("state").eq("sending").or(is_due))
            .to_owned();
        self.app.app.store.read().query_one(&open).await.unwrap().unwrap().try_get_by_index(0).unwrap()
    }

    /// People who were told by SMS, with the number of times.
    async fn told(&self) -> BTreeMap<String, usize> {
        let sent = std::fs::read_to_string(self.app.folder.path().join("sms.txt")).unwrap_or_default();
        let mut told = BTreeMap::new();
        for line in sent.lines().filter(|line| line.starts_with("notice ") && line.split(' ').count() == 4) {
            *told.entry(line.rsplit(' ').next().unwrap().to_owned()).or_default() += 1;
        }
        told
    }
}

/// The messages go through a provider of which every word is seen.
fn by_fake(config: &mut Config, fake: &Fake) {
    config.sms_provider = SmsProvider::Aliyun;
    config.sms_api_base = fake.url();
    config.sms_key_id = world::SMS_ID.to_owned();
    config.sms_key_secret = world::SECRET.to_owned();
    config.sms_sign_name = "东衡村".to_owned();
    config.sms_templates = "notice_published SMS_1 title time; vote_opened SMS_2 title".to_owned();
    config.sms_receipt_key = "canary-receipt-key".to_owned();
}

/// What a number was told through it: the ids and the filled blanks.
fn told_to(fake: &Fake, phone: &str) -> Vec<(String, String)> {
    let sent = fake.world.sent("aliyun SendSms").into_iter().filter(|sent| sent.to == phone);
    let text = |sent: &world::Sent, name: &str| sent.body[name].as_str().unwrap_or_default().to_owned();
    sent.map(|sent| (text(&sent, "OutId"), text(&sent, "TemplateParam"))).collect()
}

/// Agrees to be told of news by SMS.
async fn agrees(who: &Somebody) {
    who.post("/v1/me/consents", json!({ "purpose": "sms_notices", "is_given": true })).await.ok();
}

async fn set_sms(who: &Somebody, by_sms: bool) {
    let chosen = json!({ "by_wechat": true, "by_sms": by_sms, "topics": [] });
    let answer = who.request(reqwest::Method::PUT, "/v1/me/telling").json(&chosen).send().await.unwrap();
    assert_eq!(answer.status(), 200);
}

async fn board(scene: &Scene, notice: &str) -> Value {
    scene.village.clerk.get(&format!("/v1/notices/{notice}/reach/people")).await.ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_must_read_notice_reaches_everybody_once_or_names_them() {
    let scene = Scene::set().await;
    let reader = scene.village.villager(&scene.app, "00007").await;
    let waits = scene.village.villager(&scene.app, "00008").await;
    let notice = scene.publish("停水", true).await;
    scene.pass(TimeDelta::seconds(14)).await;
    assert_eq!(scene.told().await.len(), 0, "the app has fifteen seconds");
    scene.pass(TimeDelta::seconds(2)).await;
    let first = scene.told().await;
    assert!(first.len() > 20, "who has no app: {first:?}");
    reader.post(&format!("/v1/notices/{notice}/confirmations"), json!(null)).await.ok();
    scene.pass(TimeDelta::hours(4)).await;
    let told = scene.told().await;
    assert!(told.len() > first.len(), "who did not look into the app");
    assert!(told.values().all(|times| *times == 1), "{told:?}");
    let rows = board(&scene, &notice).await;
    let rows = rows.as_array().unwrap();
    let way = |person: PersonId| rows.iter().find(|row| row["person_id"] == person.to_string()).unwrap()["way"].clone();
    assert_eq!((way(reader.person), way(waits.person)), (json!("app"), json!("sms")));
    // the one without a number is named, and nobody else who was told
    let numberless = person_of(&scene.app.app, &scene.village.area, "00056").await;
    assert_eq!(way(numberless), Value::Null);
    let counts = scene.app.get(&format!("/v1/notices/{notice}/reach")).await.ok();
    let mut again = u64::MAX;
    for _ in 0..3 {
        again = Ord::min(again, scene.reads_of_reach(&notice).await);
    }
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    let anew = scene.reads_of_reach(&notice).await;
    assert!(again < anew, "{again} statements, {anew} when nobody asked a moment before");
    let reached = rows.iter().filter(|row| row["way"].is_string()).count();
    assert_eq!((&counts["audience"], &counts["reached"]), (&json!(59), &json!(reached)));
    assert_eq!(told.len() + 2, reached, "by the app one, by the text to a relative one, by SMS the others");
    // twelve waking hours on, the office has the script; the doors are the grid workers', by the notice's own ladder
    scene.pass(TimeDelta::hours(40)).await;
    for (code, wanted) in [("loudspeaker_script", 1), ("door_list", 0)] {
        let cards = scene.rows(&format!("SELECT count(*) FROM entries WHERE body LIKE '%{code}%'")).await;
        assert_eq!(cards[0].try_get_by_index::<i64>(0).unwrap(), wanted, "{code}");
    }
    assert_eq!(scene.told().await, told, "nobody twice");
    for (page, shows) in [("reach", "还没有送达"), ("script", "停水")] {
        let (status, bytes) = scene.village.clerk.download(&format!("/desk/notices/{notice}/{page}")).await;
        assert_eq!(status, 200);
        assert!(String::from_utf8_lossy(&bytes).contains(shows), "{page}");
    }
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_since_it_was_planned_is_not_sent_and_the_reason_is_kept() {
    // ten at night: planned, and kept for the morning
    let scene = Scene::set_at(13).await;
    let taken_back = scene.publish("写错了", true).await;
    scene.publish("停电", true).await;
    scene.pass(TimeDelta::seconds(20)).await;
    let waiting = scene.states().await;
    assert_eq!(waiting.keys().collect::<Vec<_>>(), ["queued"], "{waiting:?}");
    let all = waiting["queued"];
    assert_eq!(scene.told().await.len(), 0, "nobody is woken");
    let withdraw = format!("/v1/notices/{taken_back}/withdraw");
    scene.village.clerk.post(&withdraw, json!({ "reason": "写错了" })).await.ok();
    let silent = scene.village.villager(&scene.app, "00007").await;
    set_sms(&silent, false).await;
    let reader = scene.village.villager(&scene.app, "00008").await;
    let channel =
        scene.rows("SELECT id, last_seq FROM streams WHERE kind = 'channel' AND subject_id = '330521103202'").await;
    let (stream, seq): (uuid::Uuid, i64) =
        (channel[0].try_get_by_index(0).unwrap(), channel[0].try_get_by_index(1).unwrap());
    let cursor = reader.request(reqwest::Method::PUT, &format!("/v1/streams/{stream}/cursor"));
    cursor.json(&json!({ "seq": seq })).send().await.unwrap();
    let left = person_of(&scene.app.app, &scene.village.area, "00009").await;
    scene
        .app
        .app
        .store
        .write(move |tx| {
            Box::pin(async move {
                let away = Query::update()
                    .table("people")
                    .value("left_on", "2026-11-02".parse::<chrono::NaiveDate>().unwrap())
                    .and_where(Expr::col("id").eq(left))
                    .to_owned();
                tx.execute(&away).await?;
                Ok(())
            })
        })
        .await
        .unwrap();
    scene.pass(TimeDelta::hours(10)).await;
    let states = scene.states().await;
    assert_eq!(states["cancelled withdrawn"], all / 2, "{states:?}");
    assert_eq!(
        (states["cancelled unsubscribed"], states["cancelled read"], states["cancelled left"]),
        (1, 1, 1),
        "{states:?}"
    );
    assert_eq!(scene.told().await.len(), usize::try_from(states["sent"]).unwrap());
    // the couple at one number got one text
    assert_eq!((states["sent"], states["sent family"]), (all / 2 - 4, 1), "{states:?}");
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn news_disturbs_three_times_a_week_and_only_who_agreed() {
    let scene = Scene::set().await;
    let who = scene.village.villager(&scene.app, "00007").await;
    who.post("/v1/me/consents", json!({ "purpose": "sms_notices", "is_given": true })).await.ok();
    for day in 0..5 {
        scene.publish(&format!("第{day}天"), false).await;
        scene.pass(TimeDelta::hours(8)).await;
        scene.pass(TimeDelta::hours(16)).await;
    }
    assert_eq!(scene.told().await.len(), 3, "{:?}", scene.states().await);
    assert_eq!(scene.states().await["queued enough"], 2, "kept for later: each is about something else");
    for told in [4, 5] {
        scene.pass(if told == 4 { TimeDelta::hours(57) } else { TimeDelta::hours(24) }).await;
        assert_eq!(scene.told().await.len(), told, "{:?}", scene.states().await);
    }
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn news_that_a_phone_received_needs_no_sms_and_what_must_be_read_does() {
    let scene = Scene::set().await;
    let (who, other) =
        (scene.village.villager(&scene.app, "00007").await, scene.village.villager(&scene.app, "00008").await);
    for one in [&who, &other] {
        one.post("/v1/me/consents", json!({ "purpose": "sms_notices", "is_given": true })).await.ok();
    }
    for (must_read, told) in [(false, [0, 1]), (true, [1, 1])] {
        scene.publish(if must_read { "停电" } else { "晒谷" }, must_read).await;
        let channel =
            scene.rows("SELECT id, last_seq FROM streams WHERE kind = 'channel' AND subject_id = '330521103202'").await;
        let (stream, seq): (uuid::Uuid, i64) =
            (channel[0].try_get_by_index(0).unwrap(), channel[0].try_get_by_index(1).unwrap());
        for place in [seq, seq - 1] {
            let received = who.request(reqwest::Method::PUT, &format!("/v1/streams/{stream}/received"));
            assert_eq!(received.json(&json!({ "seq": place })).send().await.unwrap().status(), 204);
        }
        scene.pass(TimeDelta::hours(8)).await;
        let to = |person: PersonId| {
            format!(
                "SELECT count(*) FROM deliveries d JOIN announcements a ON a.id = d.announcement_id WHERE d.state = 'sent' \
                 AND d.target_id = '{person}' AND a.level = '{}'",
                if must_read { "act" } else { "news" }
            )
        };
        for (one, times) in [&who, &other].into_iter().zip(told) {
            let sent: i64 = scene.rows(&to(one.person)).await[0].try_get_by_index(0).unwrap();
            assert_eq!(sent, times, "must be read: {must_read}; {:?}", scene.states().await);
        }
        // the next morning
        scene.pass(TimeDelta::hours(16)).await;
    }
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_not_voted_is_reminded_and_authors_and_followers_hear_of_their_matter() {
    let scene = Scene::set().await;
    let (village, app) = (&scene.village, &scene.app);
    let matter = village.matter_to_decide(app, "修桥").await;
    scene.pass(TimeDelta::seconds(20)).await;
    let follower = village.villager(app, "00007").await;
    let follow = format!("/v1/matters/{matter}/follow");
    for _ in 0..2 {
        assert_eq!(follower.request(reqwest::Method::PUT, &follow).send().await.unwrap().status(), 204);
    }
    assert_eq!(follower.get("/v1/me/telling").await.ok()["following"], json!([matter]));
    let vote = village.open_vote(app, &matter, TimeDelta::days(3)).await;
    app.settle().await;
    let ballot = json!({ "cast_id": uuid::Uuid::now_v7(), "choice": "for" });
    follower.post(&format!("/v1/votes/{vote}/ballots"), ballot).await.ok();
    scene.pass(TimeDelta::hours(5)).await;
    scene.pass(TimeDelta::hours(48)).await;
    // not yet the evening, when nobody is disturbed
    scene.pass(TimeDelta::minutes(1)).await;
    let kinds = "SELECT kind, count(*), count(DISTINCT target_id) FROM deliveries WHERE channel = 'sms' AND state = 'sent' \
        AND kind LIKE 'vote.%' GROUP BY kind ORDER BY kind";
    let kinds = scene.rows(kinds).await;
    let names: Vec<String> = kinds.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
    assert_eq!(names, ["vote.closing_soon", "vote.opened"]);
    for row in &kinds {
        assert_eq!(row.try_get_by_index::<i64>(1).unwrap(), row.try_get_by_index::<i64>(2).unwrap(), "each once");
    }
    let cast =
        format!("SELECT count(*) FROM deliveries WHERE target_id = '{}' AND kind LIKE 'vote.%'", follower.person);
    assert_eq!(scene.rows(&cast).await[0].try_get_by_index::<i64>(0).unwrap(), 0, "who has voted is left alone");
    let told = "SELECT count(*) FROM announcements WHERE audience = 'matter'";
    assert!(scene.rows(told).await[0].try_get_by_index::<i64>(0).unwrap() > 0);
    assert_eq!(follower.request(reqwest::Method::DELETE, &follow).send().await.unwrap().status(), 204);
    scene.app.stop().await;
}

/// As the relay does while the reaction that shows something is tried again: the one that announces it does not wait.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_shown_yet_nobody_has_read_whatever_was_read_before() {
    let scene = Scene::set().await;
    let notice = scene.publish("停水", true).await;
    let announced = async |number: i64, at: chrono::DateTime<chrono::Utc>| {
        let event = liusheng::events::Event {
            id: liusheng::ids::EventId::new(),
            number,
            kind: liusheng::events::Kind::NoticePublished,
            area: Some(scene.village.area.clone()),
            actor: None,
            subject: notice.clone(),
            data: json!({}),
            at,
        };
        let reaction = liusheng::delivery::REACTIONS.iter().find(|one| one.name == "delivery.announce").unwrap();
        let following = scene.app.app.store.write(move |tx| Box::pin(async move { (reaction.run)(tx, &event).await }));
        following.await.unwrap();
        scene.number(&format!("SELECT seq FROM announcements WHERE event_number = {number}")).await
    };
    let newest = "SELECT last_seq FROM streams WHERE kind = 'channel' AND subject_id = '330521103202'";
    let newest = scene.number(newest).await;
    let now = scene.app.app.now();
    assert_eq!(announced(1_000_001, now).await, newest);
    assert_eq!(announced(1_000_002, now + TimeDelta::minutes(1)).await, newest + 1, "it will stand at the next place");
    scene.app.stop().await;
}
