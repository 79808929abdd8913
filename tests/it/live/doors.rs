//! Who waits at the door while the log-in or a seat ends: the bell for it finds them nowhere.
use std::{
    sync::Arc,
    task::{Context, Waker},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, BodyDataStream},
    http::Request,
};
use futures_util::StreamExt;
use liusheng::{
    actor::Actor,
    live::{self, Calls, Hub, Operations},
    people,
};
use serde_json::json;
use tower::ServiceExt;

use super::Scene;
use crate::support::Somebody;

/// Who is let in at the same time.
const DOORS: usize = 200;

async fn to_the_end(mut events: BodyDataStream) -> String {
    let mut said = String::new();
    while let Some(Ok(bytes)) = events.next().await {
        said.push_str(&String::from_utf8_lossy(&bytes));
    }
    said
}

/// A hub of its own, which hears no bell: here all of them rang before it knew whom they concern.
#[tokio::test]
async fn whose_log_in_or_seat_ends_while_they_wait_at_the_door_hear_no_more() {
    let scene = Scene::set().await;
    let app = &scene.app.app;
    let hub = Hub::new(1000, 25);
    let none: &'static Operations = Box::leak(Box::new(Operations::of(&json!({}))));
    let (router, _) = live::routes(app.clone(), Arc::clone(&hub), Calls::new(Router::new(), none));
    let router: Router = router.with_state(app.clone());
    // goes as far as it can without waiting: who asks is kept, so the first to be waited for is the door, or what is behind it
    let ask = |who: &Somebody, actor: &Actor| {
        app.actors.keep(actor.clone(), app.actors.changes());
        let request = Request::get("/v1/events").header("authorization", format!("Bearer {}", who.token()));
        let mut asked = Box::pin(router.clone().oneshot(request.body(Body::empty()).unwrap()));
        assert!(asked.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        asked
    };
    let known = async |who: &Somebody| people::actor_of_session(app, who.person, who.session).await.unwrap();
    // who holds no seat is read with others, by a task that goes on though nobody here does
    let neighbour = scene.village.villager(&scene.app, "00012").await;
    let (out, unseated) = (&scene.villager, &scene.clerk);
    let (of_neighbour, of_out, of_unseated) = (known(&neighbour).await, known(out).await, known(unseated).await);
    let mut inside = Vec::new();
    while inside.len() < DOORS {
        inside.push(ask(&neighbour, &of_neighbour));
        tokio::task::yield_now().await;
    }
    assert_eq!(hub.connected(), DOORS);
    let waiting = [ask(out, &of_out), ask(unseated, &of_unseated)];
    assert_eq!(hub.connected(), DOORS, "the two wait at the door");

    people::sign_out(app, &of_out).await.unwrap();
    scene.village.end_seat_of(&scene.app, unseated.person).await;
    // as the bell does; and another page of theirs asks before the door opens
    app.actors.invalidate_person(unseated.person);
    known(unseated).await;
    drop(inside);
    for (asked, code) in waiting.into_iter().zip([3500, 3011]) {
        let events = asked.await.unwrap().into_body().into_data_stream();
        let said = tokio::time::timeout(Duration::from_secs(5), to_the_end(events)).await;
        let is_ended = said.is_ok_and(|said| said.contains(&format!("\"code\":{code}")));
        assert!(is_ended, "who lost it at the door hears on: {code}");
    }
    scene.app.stop().await;
}
