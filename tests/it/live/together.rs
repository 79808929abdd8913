//! Many who connect at the same moment are read together: each is told of what is theirs, and of nothing else.
use std::{collections::BTreeSet, time::Duration};

use futures_util::future::join_all;
use liusheng::{
    error::Code,
    people,
    streams::{
        StreamKind,
        commands::{self, NewStream},
    },
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::Scene;
use crate::support::{Socket, Somebody, cookie_of, person_of};

/// Titles of what somebody's list holds, and the channels that a socket was subscribed to, as ids.
async fn listed(who: &Somebody) -> BTreeSet<String> {
    let list = who.get("/v1/sync").await.ok();
    let id = |one: &Value| format!("s:{}", one["id"].as_str().unwrap());
    list["streams"].as_array().unwrap().iter().map(id).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn all_who_connect_at_once_are_subscribed_to_what_is_theirs() {
    let scene = Scene::set().await;
    let (app, area) = (&scene.app, &scene.village.area);
    let mut people = vec![
        scene.clerk.clone(),
        scene.village.council_chair.clone(),
        scene.village.town.clone(),
        scene.village.neighbour(app).await,
    ];
    for number in 1..=40 {
        let person = person_of(&app.app, area, &format!("{number:05}")).await;
        people.push(Somebody::signed_in(app, person).await);
    }
    // some speak with the office, and belong to a thread that nobody else does
    for speaker in people.iter().skip(4).step_by(3) {
        let voice = json!({ "kind": "suggestion", "visibility": "handlers", "text": "村口的灯坏了" });
        speaker.post("/v1/suggestions", voice).await.ok();
    }
    app.settle().await;
    for _ in 0..2 {
        let sockets =
            join_all(people.iter().map(async |who| Socket::connect(app, &who.token(), json!({})).await)).await;
        let mut kinds = BTreeSet::new();
        for (who, socket) in people.iter().zip(&sockets) {
            let subscribed: BTreeSet<String> = socket.connected["subs"].as_object().unwrap().keys().cloned().collect();
            // the channels of the town and the county are listened to before anything is said in them
            let unlisted = subscribed.difference(&listed(who).await).count();
            assert!(unlisted == 2 && listed(who).await.is_subset(&subscribed), "{:?} {unlisted}", who.person);
            assert!(subscribed.len() >= 2, "the mailbox and the village");
            kinds.insert(subscribed.len());
        }
        assert!(kinds.len() >= 3, "not all alike: {kinds:?}");
        drop(sockets);
        // once more after the cache of who asks is empty
        app.app.actors.invalidate_all();
    }
    let before = app.app.store.statements().0;
    let sockets =
        join_all(people.iter().skip(4).map(async |who| Socket::connect(app, &who.token(), json!({})).await)).await;
    let asked = app.app.store.statements().0 - before;
    assert!(asked < sockets.len() as u64 * 2, "{asked} statements for {}: three for each if alone", sockets.len());
    scene.app.stop().await;
}

/// Whoever is let into a group just when a second phone comes follows it on both.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_is_let_in_while_a_second_phone_comes_follows_it_there() {
    let scene = Scene::set().await;
    let (app, area) = (&scene.app, &scene.village.area);
    let rounds = (1..=40).map(async |number: u64| {
        let person = person_of(&app.app, area, &format!("{number:05}")).await;
        let who = Somebody::signed_in(app, person).await;
        let _first = scene.listen(&who).await;
        let (kind, subject, title) = (StreamKind::Group, Uuid::now_v7().to_string(), "舞龙队".to_owned());
        let new = NewStream { kind, subject, title, area: None, body: None };
        // whoever speaks has read up to there, and is told from there on: somebody else has to
        let other = person_of(&app.app, area, &format!("{:05}", number % 40 + 1)).await;
        let open = app.app.store.write(move |tx| {
            Box::pin(async move {
                let group = commands::open(tx, new).await?;
                commands::join(tx, group, other, "member").await?;
                Ok(group)
            })
        });
        let group = open.await.unwrap();
        let letting_in = async {
            tokio::time::sleep(Duration::from_millis(number / 4)).await;
            let join = app.app.store.write(move |tx| Box::pin(commands::join(tx, group, person, "member")));
            join.await.unwrap();
        };
        app.app.actors.invalidate_all();
        let (mut second, ()) = tokio::join!(scene.listen(&who), letting_in);
        assert!(second.refused.is_null(), "{}", second.refused);
        let seq = scene.say_in(group, &Somebody::signed_in(app, other).await, "到齐了").await;
        second.until_offset(&format!("s:{group}"), seq).await;
    });
    join_all(rounds).await;
    scene.app.stop().await;
}

/// Pages come with a cookie: all who ask at the same moment are looked up together, and each is nobody else.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn all_who_ask_at_once_with_a_cookie_are_who_they_are() {
    let scene = Scene::set().await;
    let app = &scene.app.app;
    let mut cookies = Vec::new();
    for number in 1..=30 {
        let person = person_of(app, &scene.village.area, &format!("{number:05}")).await;
        cookies.push((person, cookie_of(app, person).await));
    }
    let ask = async || join_all(cookies.iter().map(|(_, secret)| people::actor_of_cookie(app, secret))).await;
    let before = app.store.statements().0;
    let actors: Vec<_> = ask().await.into_iter().map(Result::unwrap).collect();
    let asked = app.store.statements().0 - before;
    assert!(asked < cookies.len() as u64, "{asked} statements for {}: three for each if alone", cookies.len());
    assert!(actors.iter().zip(&cookies).all(|(actor, (person, _))| actor.person == *person));
    for actor in actors.iter().step_by(3) {
        people::sign_out(app, actor).await.unwrap();
    }
    for (place, (known, (person, _))) in ask().await.into_iter().zip(&cookies).enumerate() {
        match place % 3 {
            0 => assert_eq!(known.unwrap_err().code(), Code::SessionEnded),
            _ => assert_eq!(known.unwrap().person, *person),
        }
    }
    assert_eq!(people::actor_of_cookie(app, "somebody else's").await.unwrap_err().code(), Code::SessionEnded);
    scene.app.stop().await;
}
