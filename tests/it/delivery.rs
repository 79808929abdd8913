//! Webhooks: told once, signed, tried again with the same id, given up in the end, and never of what was taken back.
mod desk;
mod hanging;

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU16, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use chrono::TimeDelta;
use liusheng::{delivery, gateways::webhook::sign};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{OwnRedis, Raw, TestApp, Village, is_full_run, monday, redis_url};

/// Somebody else's server.
#[derive(Clone, Default)]
struct Target {
    got: Arc<Mutex<Vec<(HeaderMap, String)>>>,
    status: Arc<AtomicU16>,
}

impl Target {
    /// Listens, and answers with this status.
    async fn open(status: u16) -> (Self, String) {
        let target = Self::default();
        target.answer(status);
        let state = target.clone();
        let take = move |headers: HeaderMap, body: String| async move {
            state.got.lock().unwrap().push((headers, body));
            StatusCode::from_u16(state.status.load(Ordering::SeqCst)).unwrap()
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let router = Router::new().route("/hook", post(take));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        (target, url)
    }

    fn answer(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    fn count(&self) -> usize {
        self.got.lock().unwrap().len()
    }

    /// Ids of what came, in order.
    fn ids(&self) -> Vec<String> {
        let got = self.got.lock().unwrap();
        got.iter().map(|(headers, _)| headers["webhook-id"].to_str().unwrap().to_owned()).collect()
    }

    /// Waits until something of this kind came: the first of it.
    async fn told(&self, kind: &str) -> Value {
        for _ in 0..1500 {
            let got = self.got.lock().unwrap().clone();
            let mut bodies = got.iter().map(|(_, body)| serde_json::from_str::<Value>(body).unwrap());
            if let Some(body) = bodies.find(|body| body["type"] == kind) {
                return body;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{kind} was not told");
    }

    async fn until(&self, count: usize) {
        for _ in 0..1500 {
            if self.count() >= count {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(self.count(), count);
    }
}

struct Scene {
    app: TestApp,
    village: Village,
    hooks: String,
    /// Its own where there is one: the workers of other tests would take what is queued here, and know nothing of it.
    _redis: Option<OwnRedis>,
}

impl Scene {
    async fn set() -> Self {
        let redis = redis_url("a queue of its own").and_then(|_| OwnRedis::start());
        let url = redis.as_ref().map(|redis| redis.url.clone());
        let (app, village) = Village::start_with(monday(), move |config| {
            if let Some(url) = url {
                config.redis_url = url;
            }
        })
        .await;
        let hooks = format!("/v1/areas/{}/webhooks", village.area);
        Self { app, village, hooks, _redis: redis }
    }

    async fn publish(&self, title: &str) -> Value {
        let notice = json!({ "area_code": self.village.area, "title": title, "text": "全文" });
        self.village.clerk.post("/v1/notices", notice).await.ok()
    }

    /// Waits until the first webhook of the village fares so.
    async fn until(&self, field: &str, count: i64) {
        let mut list = Value::Null;
        for _ in 0..500 {
            list = self.village.clerk.get(&self.hooks).await.ok();
            if list[0][field] == count {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{field} is not {count}: {list}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_goes_only_where_it_may_and_its_secret_is_told_once() {
    let scene = Scene::set().await;
    let (_target, url) = Target::open(200).await;
    let clerk = &scene.village.clerk;
    for bad in ["http://169.254.169.254/", "ftp://x/", "http://8.8.8.8/", "https://u:p@example.org/", "rubbish"] {
        assert_eq!(clerk.post(&scene.hooks, json!({ "url": bad })).await.status, 422, "{bad}");
    }
    let villager = scene.village.villager(&scene.app, "00007").await;
    assert_eq!(villager.post(&scene.hooks, json!({ "url": url })).await.refused(), "not_allowed");
    let made = clerk.post_once(&scene.hooks, "w1", json!({ "url": url })).await.ok();
    let again = clerk.post_once(&scene.hooks, "w1", json!({ "url": url })).await.ok();
    assert_eq!((&again["id"], again.get("secret")), (&made["id"], None), "shown once");
    assert_eq!(clerk.post(&scene.hooks, json!({ "url": url })).await.status, 422, "the same address twice");
    let list = clerk.get(&scene.hooks).await.ok();
    assert!(!list.to_string().contains(made["secret"].as_str().unwrap()), "{list}");
    let own = format!("{}/{}", scene.hooks, made["id"].as_str().unwrap());
    assert_eq!(clerk.request(Method::DELETE, &own).send().await.unwrap().status(), 204);
    assert_eq!(clerk.request(Method::DELETE, &own).send().await.unwrap().status(), 404);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_is_told_once_and_signed() {
    let scene = Scene::set().await;
    let (target, url) = Target::open(200).await;
    let made = scene.village.clerk.post(&scene.hooks, json!({ "url": url })).await.ok();
    let notice = scene.publish("一").await;
    target.until(1).await;
    let (headers, body) = target.got.lock().unwrap()[0].clone();
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    let signature = sign(made["secret"].as_str().unwrap(), &header("webhook-id"), &header("webhook-timestamp"), &body);
    assert_eq!(header("webhook-signature"), signature);
    assert!(body.contains(notice["id"].as_str().unwrap()), "{body}");
    for number in 0..10 {
        scene.publish(&format!("第{number}个")).await;
    }
    target.until(11).await;
    let ids: BTreeSet<String> = target.ids().into_iter().collect();
    assert_eq!(ids.len(), 11, "each once");
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sick_target_is_tried_again_with_the_same_id_until_it_is_given_up_and_redriven() {
    let scene = Scene::set().await;
    let (target, url) = Target::open(500).await;
    let clerk = &scene.village.clerk;
    clerk.post(&scene.hooks, json!({ "url": url, "secret": "0123456789abcdef" })).await.ok();
    scene.publish("一").await;
    target.until(1).await;
    scene.until("waiting", 1).await;
    // each takes seconds, for what was offered is not offered again at once: the short run leaves out those in the middle
    let waits: &[i64] = if is_full_run() { &[7, 360, 2200, 9000, 22_000, 44_000, 44_000] } else { &[7, 360, 44_000] };
    for (number, secs) in waits.iter().enumerate() {
        // the failure must be written down before the clock moves on
        tries(&scene, i64::try_from(number).unwrap() + 1).await;
        if number + 1 == waits.len() {
            set(&scene, "tries = 7").await;
        }
        scene.app.clock.advance(TimeDelta::seconds(*secs));
        target.until(number + 2).await;
    }
    scene.until("dead", 1).await;
    let ids = target.ids();
    assert!(ids.iter().all(|one| *one == ids[0]), "{ids:?}");
    target.answer(204);
    assert_eq!(delivery::commands::redrive(&scene.app.app.store).await.unwrap(), 1);
    target.until(waits.len() + 2).await;
    scene.until("dead", 0).await;
    scene.app.stop().await;
}

/// As if it had come so far.
async fn set(scene: &Scene, how: &'static str) {
    use sea_orm::ConnectionTrait;
    let set = scene.app.app.store.write(move |tx| {
        Box::pin(async move {
            tx.execute_unprepared(&format!("UPDATE deliveries SET {how}")).await?;
            Ok(())
        })
    });
    set.await.unwrap();
}

/// Waits until so many tries are written down and none is under way.
async fn tries(scene: &Scene, count: i64) {
    use sea_orm::{ConnectionTrait, Statement};
    let read = scene.app.app.store.read();
    let mut seen = Vec::new();
    for _ in 0..500 {
        let select = Statement::from_string(read.get_database_backend(), "SELECT state, tries FROM deliveries");
        let rows = read.query_all_raw(select).await.unwrap();
        seen = rows
            .iter()
            .map(|row| {
                (row.try_get::<String>("", "state").unwrap(), i64::from(row.try_get::<i32>("", "tries").unwrap()))
            })
            .collect();
        if seen.iter().all(|(state, tries)| state == "queued" && *tries == count) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{count} tries expected: {seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_kills_its_workers_is_given_up() {
    let scene = Scene::set().await;
    let (target, url) = Target::open(500).await;
    scene.village.clerk.post(&scene.hooks, json!({ "url": url })).await.ok();
    scene.publish("一").await;
    target.until(1).await;
    tries(&scene, 1).await;
    // none of the others came back to say how it went
    set(&scene, "tries = 8").await;
    scene.app.clock.advance(TimeDelta::seconds(7));
    scene.until("dead", 1).await;
    assert_eq!(target.count(), 1, "not for ever");
    target.answer(204);
    assert_eq!(delivery::commands::redrive(&scene.app.app.store).await.unwrap(), 1);
    target.until(2).await;
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_whose_worker_died_is_made_by_another_when_its_time_is_over() {
    let scene = Scene::set().await;
    let (target, url) = Target::open(500).await;
    scene.village.clerk.post(&scene.hooks, json!({ "url": url })).await.ok();
    scene.publish("一").await;
    target.until(1).await;
    tries(&scene, 1).await;
    set(&scene, "state = 'sending'").await;
    target.answer(204);
    scene.app.clock.advance(TimeDelta::seconds(360));
    target.until(2).await;
    let ids = target.ids();
    assert_eq!(ids[0], ids[1]);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_back_is_not_told_and_a_sick_target_delays_nobody() {
    let scene = Scene::set().await;
    let ((sick, sick_url), (well, well_url)) = (Target::open(503).await, Target::open(200).await);
    scene.village.clerk.post(&scene.hooks, json!({ "url": sick_url })).await.ok();
    scene.village.town.post("/v1/areas/330521103/webhooks", json!({ "url": well_url })).await.ok();
    let notice = scene.publish("写错了").await;
    sick.until(1).await;
    well.until(1).await;
    scene.until("waiting", 1).await;
    sick.answer(200);
    let withdraw = format!("/v1/notices/{}/withdraw", notice["id"].as_str().unwrap());
    scene.village.clerk.post(&withdraw, json!({ "reason": "写错了" })).await.ok();
    // that it was taken back is told at once, and not what it said
    sick.until(2).await;
    let told = sick.told("notice.withdrawn").await;
    assert_eq!((&told["notice"]["id"], &told["notice"]["state"]), (&notice["id"], &json!("withdrawn")));
    assert!(!told.to_string().contains("写错了"), "{told}");
    scene.app.clock.advance(TimeDelta::seconds(7));
    scene.until("waiting", 0).await;
    assert_eq!(sick.count(), 2, "not sent after it was withdrawn");
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stages_votes_results_and_the_end_of_a_notice_are_told_as_everybody_may_read_them() {
    let scene = Scene::set().await;
    let (app, village) = (&scene.app, &scene.village);
    let (target, url) = Target::open(200).await;
    village.clerk.post(&scene.hooks, json!({ "url": url })).await.ok();
    let matter = village.matter_to_decide(app, "修桥").await;
    let entered = target.told("matter.stage_entered").await;
    assert_eq!((&entered["matter"]["id"], &entered["matter"]["title"]), (&json!(matter), &json!("修桥")));
    assert!(entered["url"].as_str().unwrap().ends_with(&format!("/matters/{matter}")), "{entered}");
    let concluded = target.told("notice.concluded").await;
    assert_eq!((&concluded["notice"]["title"], &concluded["notice"]["state"]), (&json!("修桥"), &json!("concluded")));
    let asked = json!({
        "matter_id": matter, "question": "是否同意？", "preset": "village_assembly_person", "challenge_days": 2,
        "closes_at": app.app.now() + TimeDelta::days(2),
    });
    let vote = village.chair.post("/v1/votes", asked).await.ok()["id"].as_str().unwrap().to_owned();
    let opened = target.told("vote.opened").await;
    assert_eq!((&opened["vote"]["id"], &opened["vote"]["result"]), (&json!(vote), &Value::Null), "{opened}");
    app.pass(TimeDelta::days(3)).await;
    let closed = target.told("vote.closed").await;
    let public = app.get(&format!("/v1/votes/{vote}/result")).await.ok();
    let result = &closed["vote"]["result"];
    assert_eq!((&result["outcome"], &result["settlement"]), (&public["outcome"], &json!("provisional")), "{closed}");
    assert!(closed["url"].as_str().unwrap().ends_with(&format!("/votes/{vote}/result")), "{closed}");
    app.pass(TimeDelta::days(5)).await;
    let settled = target.told("vote.settled").await;
    assert_eq!(settled["vote"]["result"]["settlement"], "final", "{settled}");
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_matter_is_told_without_reading_all_of_it() {
    let scene = Scene::set().await;
    let village = &scene.village;
    let (target, url) = Target::open(500).await;
    village.clerk.post(&scene.hooks, json!({ "url": url })).await.ok();
    let raised = json!({ "area_code": village.area, "title": "修桥", "summary": "村口的桥要修一修。" });
    village.chair.post("/v1/matters", raised).await.ok();
    target.told("matter.stage_entered").await;
    tries(&scene, 1).await;
    let tried = target.count();
    // what its stages ask for nobody needs to know who is told where it is
    let raw = Raw::open(scene.app.folder.path()).await;
    assert!(raw.execute("UPDATE templates SET definition = '?'").await > 0);
    raw.close().await;
    target.answer(204);
    scene.app.clock.advance(TimeDelta::seconds(7));
    target.until(2 * tried).await;
    scene.until("waiting", 0).await;
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn halts_ends_and_meetings_are_told_as_everybody_may_read_them() {
    let scene = Scene::set().await;
    let (app, village) = (&scene.app, &scene.village);
    let (target, url) = Target::open(200).await;
    village.clerk.post(&scene.hooks, json!({ "url": url })).await.ok();
    let raised = json!({ "area_code": village.area, "title": "修桥", "summary": "村口的桥要修一修。" });
    let matter = village.chair.post("/v1/matters", raised).await.ok()["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/matters/{matter}");
    village.supervisor.post(&format!("{path}/halt"), json!({ "days": 3, "reason": "账目要先核对" })).await.ok();
    let halted = target.told("matter.halted").await;
    assert_eq!((&halted["matter"]["id"], &halted["matter"]["is_halted"]), (&json!(matter), &json!(true)), "{halted}");
    assert_eq!(halted["matter"]["halt"]["reason"], "账目要先核对", "{halted}");
    village.supervisor.post(&format!("{path}/halt/end"), json!({ "reason": "核对清楚了" })).await.ok();
    let goes_on = target.told("matter.halt_ended").await;
    assert_eq!(goes_on["matter"]["halt"]["lifted_reason"], "核对清楚了", "{goes_on}");
    village.chair.post(&format!("{path}/withdraw"), json!({ "reason": "不办了" })).await.ok();
    let ended = target.told("matter.ended").await;
    assert_eq!((&ended["matter"]["state"], ended["matter"].get("halt")), (&json!("withdrawn"), Some(&Value::Null)));
    assert!(ended["matter"]["ended_at"].is_string() && !ended.to_string().contains("账目"), "{ended}");
    let call = json!({ "area_code": village.area, "body_id": village.committee, "audience": "villagers",
        "title": "议修桥", "agenda": "一、修桥", "place": "礼堂", "starts_at": app.app.now() + TimeDelta::hours(30) });
    let meeting = village.chair.post("/v1/meetings", call).await.ok()["id"].as_str().unwrap().to_owned();
    let called = target.told("meeting.called").await;
    assert_eq!((&called["meeting"]["id"], &called["meeting"]["place"]), (&json!(meeting), &json!("礼堂")), "{called}");
    assert!(called["url"].as_str().unwrap().ends_with(&format!("/meetings/{meeting}")), "{called}");
    village.chair.post(&format!("/v1/meetings/{meeting}/cancel"), json!({ "reason": "下雨" })).await.ok();
    let off = target.told("meeting.cancelled").await;
    let told = (&off["meeting"]["state"], &off["meeting"]["cancel_reason"]);
    assert_eq!(told, (&json!("cancelled"), &json!("下雨")), "{off}");
    scene.app.stop().await;
}
