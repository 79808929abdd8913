//! The loudspeaker's gateway: by day by itself, by night when a second person lets it go, and a script where it fails.
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU16, Ordering},
};

use axum::{Router, http::StatusCode, routing::post};

use super::*;
use crate::support::answer;

/// The vendor's gateway.
#[derive(Clone)]
struct Gateway {
    got: Arc<Mutex<Vec<Value>>>,
    status: Arc<AtomicU16>,
    url: String,
}

impl Gateway {
    async fn open(status: u16) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/say", listener.local_addr().unwrap());
        let gateway = Self { got: Arc::default(), status: Arc::new(AtomicU16::new(status)), url };
        let own = gateway.clone();
        let take = move |body: String| async move {
            own.got.lock().unwrap().push(serde_json::from_str(&body).unwrap());
            StatusCode::from_u16(own.status.load(Ordering::SeqCst)).unwrap()
        };
        tokio::spawn(async move { axum::serve(listener, Router::new().route("/say", post(take))).await.unwrap() });
        gateway
    }

    fn set_up(&self, config: &mut Config) {
        config.loudspeaker_url = self.url.clone();
        config.loudspeaker_secret = "0123456789abcdef".to_owned();
    }

    fn count(&self) -> usize {
        self.got.lock().unwrap().len()
    }
}

async fn emergency(scene: &Scene) -> String {
    let notice = json!({ "area_code": scene.village.area, "title": "防汛", "text": "请转移。", "class": "emergency" });
    let id = scene.village.clerk.post("/v1/notices", notice).await.ok()["id"].as_str().unwrap().to_owned();
    scene.app.settle().await;
    id
}

async fn state(scene: &Scene, notice: &str) -> Value {
    scene.app.get(&format!("/v1/notices/{notice}/reach")).await.ok()["broadcast"]["state"].clone()
}

async fn scripts(scene: &Scene) -> i64 {
    scene.number("SELECT count(*) FROM entries WHERE body LIKE '%loudspeaker_script%'").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_villages_notice_is_spoken_by_day_once_and_nobody_gets_a_script() {
    let gateway = Gateway::open(200).await;
    let scene = Scene::set_with(0, |config| {
        gateway.set_up(config);
        config.public_url = "http://cun.example".to_owned();
    })
    .await;
    let notice = scene.publish("停水", true).await;
    let clerk = &scene.village.clerk;
    let clip = clerk.upload(include_bytes!("../../data/media/lamp.m4a").to_vec()).await.ok();
    let put = clerk.request(reqwest::Method::PUT, &format!("/v1/aloud/notice/{notice}"));
    let clip = answer(put.json(&json!({ "media_id": clip["id"] }))).await.ok();
    scene.pass(TimeDelta::hours(12) + TimeDelta::minutes(1)).await;
    assert_eq!((gateway.count(), state(&scene, &notice).await), (0, json!("waiting")), "nine in the evening");
    scene.pass(TimeDelta::hours(10)).await;
    assert_eq!((gateway.count(), state(&scene, &notice).await), (1, json!("spoken")), "seven in the morning");
    let said = gateway.got.lock().unwrap()[0].clone();
    assert_eq!(said["village_code"], scene.village.area);
    let text = said["text"].as_str().unwrap();
    assert!(text.contains("停水") && text.contains("村民委员会"), "{text}");
    let heard_at = format!("http://cun.example{}", clip["media"]["url"].as_str().unwrap());
    assert_eq!(said["audio_url"], heard_at, "what was read out can be played");
    scene.pass(TimeDelta::days(1)).await;
    assert_eq!((gateway.count(), scripts(&scene).await), (1, 0));
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn by_night_an_emergency_waits_for_a_second_person_of_the_office() {
    let gateway = Gateway::open(200).await;
    let scene = Scene::set_with(13, |config| gateway.set_up(config)).await;
    let notice = emergency(&scene).await;
    let release = format!("/v1/notices/{notice}/broadcast/release");
    assert_eq!(scene.village.chair.post(&release, json!(null)).await.refused(), "wrong_state");
    scene.pass(TimeDelta::minutes(11)).await;
    assert_eq!((gateway.count(), state(&scene, &notice).await), (0, json!("needs_release")));
    let waits = "SELECT count(*) FROM entries WHERE body LIKE '%loudspeaker_waits%'";
    assert_eq!(scene.number(waits).await, 1, "the office is told");
    assert_eq!(scene.village.clerk.post(&release, json!(null)).await.refused(), "second_person_needed");
    assert_eq!(scene.village.supervisor.post(&release, json!(null)).await.refused(), "not_allowed");
    let (_, page) = scene.village.chair.download(&format!("/desk/notices/{notice}/reach")).await;
    assert!(String::from_utf8_lossy(&page).contains(&format!("/desk/notices/{notice}/broadcast")));
    assert_eq!(scene.village.chair.post(&release, json!(null)).await.status, 204);
    scene.pass(TimeDelta::seconds(1)).await;
    assert_eq!((gateway.count(), state(&scene, &notice).await), (1, json!("spoken")));
    assert_eq!(scene.village.chair.post(&release, json!(null)).await.refused(), "wrong_state");
    let recorded = "SELECT count(*) FROM events WHERE kind = 'notice.broadcast_released'";
    assert_eq!(scene.number(recorded).await, 1);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_lets_go_is_spoken_in_the_morning_and_what_is_withdrawn_never() {
    let gateway = Gateway::open(200).await;
    let scene = Scene::set_with(13, |config| gateway.set_up(config)).await;
    let (kept, withdrawn) = (emergency(&scene).await, emergency(&scene).await);
    scene.pass(TimeDelta::minutes(11)).await;
    let withdraw = format!("/v1/notices/{withdrawn}/withdraw");
    scene.village.clerk.post(&withdraw, json!({ "reason": "写错了" })).await.ok();
    scene.pass(TimeDelta::hours(9)).await;
    assert_eq!(gateway.count(), 1);
    assert_eq!((state(&scene, &kept).await, state(&scene, &withdrawn).await), (json!("spoken"), json!("void")));
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_fails_leaves_the_script_to_the_office() {
    let gateway = Gateway::open(500).await;
    let scene = Scene::set_with(0, |config| gateway.set_up(config)).await;
    let notice = emergency(&scene).await;
    scene.pass(TimeDelta::minutes(11)).await;
    for secs in [6, 21, 61] {
        scene.pass(TimeDelta::seconds(secs)).await;
    }
    assert_eq!((gateway.count(), state(&scene, &notice).await), (4, json!("failed")));
    assert_eq!(scripts(&scene).await, 1);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_that_kills_its_workers_is_left_to_the_office() {
    let gateway = Gateway::open(500).await;
    let scene = Scene::set_with(0, |config| gateway.set_up(config)).await;
    let notice = emergency(&scene).await;
    scene.pass(TimeDelta::minutes(11)).await;
    assert_eq!(gateway.count(), 1);
    // none of the others came back to say how it went
    let died = scene.app.app.store.write(|tx| {
        Box::pin(async move {
            let died = "UPDATE deliveries SET state = 'sending', tries = 4 WHERE channel = 'loudspeaker'";
            tx.execute_unprepared(died).await?;
            Ok(())
        })
    });
    died.await.unwrap();
    scene.pass(TimeDelta::seconds(61)).await;
    assert_eq!((gateway.count(), state(&scene, &notice).await), (1, json!("failed")), "not for ever");
    assert_eq!(scripts(&scene).await, 1);
    scene.app.stop().await;
}
