//! The call to a meeting and a vote are told at the doors of whom no message reached: who told it is kept and seen by who was
//! told, and of a secret vote nothing says who has cast.
use uuid::Uuid;

use super::{
    doors::{grid_worker, left, page, tap},
    meetings::call,
    *,
};
use crate::support::{Answer, Raw, cards_in};

async fn mark(who: &Somebody, path: &str, body: Value) -> Answer {
    who.post(path, body).await
}

/// What the board of a meeting says of somebody.
async fn row(scene: &Scene, meeting: &str, person: PersonId) -> Value {
    let rows = scene.village.chair.get(&format!("/v1/meetings/{meeting}/reach")).await.ok();
    rows.as_array().unwrap().iter().find(|row| row["person_id"] == person.to_string()).unwrap().clone()
}

/// A meeting of the villagers, its id and where its doors are.
async fn called(scene: &Scene) -> (String, String) {
    let village = &scene.village;
    let meeting = village.chair.post("/v1/meetings", call(scene, village.committee, "villagers")).await.ok();
    let id = meeting["id"].as_str().unwrap().to_owned();
    scene.app.settle().await;
    let doors = format!("/v1/doors/meeting/{id}");
    (id, doors)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_told_of_a_meeting_at_the_door_stands_on_its_board_until_it_is_called_off() {
    let scene = Scene::set().await;
    let (app, village) = (&scene.app, &scene.village);
    let worker = grid_worker(&scene).await;
    let person = async |number: &str| person_of(&app.app, &village.area, number).await;
    let (granny, other) = (person("00052").await, person("00056").await);
    let (meeting, doors) = called(&scene).await;
    let all = left(&worker, &doors).await;
    assert!(all.contains(&"沈阿婆".to_owned()) && !all.contains(&"费无证".to_owned()), "the own group: {all:?}");
    assert!(left(&village.chair, &doors).await.contains(&"费无证".to_owned()), "who holds it sees everybody");
    let told = |who: PersonId| json!({ "person_id": who, "way": "call", "note": "电话说了" });
    for stranger in [&village.villager(app, "00051").await, &village.council_chair, &village.town] {
        assert_eq!(stranger.get(&doors).await.refused(), "not_allowed");
        assert_eq!(mark(stranger, &doors, told(granny)).await.refused(), "not_allowed");
        assert_eq!(page(stranger, &format!("/meetings/{meeting}/doors/paper")).await.0, 403);
    }
    assert_eq!(mark(&worker, &doors, told(other)).await.refused(), "not_allowed", "another's group");
    let next = village.neighbour(app).await;
    for nobody in [next.person, village.chair.person, PersonId(Uuid::now_v7())] {
        assert_eq!(mark(&village.chair, &doors, told(nobody)).await.refused(), "invalid_fields", "{nobody}");
    }

    let made = mark(&worker, &doors, told(granny)).await.ok();
    assert_eq!(made["by_name"], "俞雪梅");
    assert_eq!(mark(&village.chair, &doors, told(granny)).await.ok(), made, "once");
    let stands = row(&scene, &meeting, granny).await;
    let seen = ["way", "by_name", "note"].map(|field| stands[field].as_str().unwrap_or_default());
    assert_eq!(seen, ["door", "俞雪梅", "电话说了"], "{stands}");
    assert!(!left(&worker, &doors).await.contains(&"沈阿婆".to_owned()));
    let undo = json!({ "person_id": granny });
    let back = format!("{doors}/undo");
    assert_eq!(village.chair.post(&back, undo.clone()).await.refused(), "not_found", "who did not write it down");
    worker.post(&back, undo.clone()).await.ok();
    assert!(row(&scene, &meeting, granny).await.get("way").is_none());
    mark(&worker, &doors, told(granny)).await.ok();
    app.clock.advance(TimeDelta::hours(25));
    assert_eq!(worker.post(&back, undo.clone()).await.refused(), "period_over");

    // that they need not come has been told to nobody yet
    village.chair.post(&format!("/v1/meetings/{meeting}/cancel"), json!({ "reason": "下雨" })).await.ok();
    app.settle().await;
    assert!(left(&worker, &doors).await.contains(&"沈阿婆".to_owned()));
    assert_eq!(worker.post(&back, undo).await.refused(), "not_found");
    let (_, paper) = page(&worker, &format!("/meetings/{meeting}/doors/paper")).await;
    assert!(paper.contains("沈阿婆") && paper.contains("下雨") && !paper.contains("费无证"), "{paper}");
    // for a year one can look who was told
    for (days, kept) in [(363, 1), (2, 0)] {
        app.clock.advance(TimeDelta::days(days));
        liusheng::delivery::commands::forget_old(&app.app.store).await.unwrap();
        assert_eq!(scene.number("SELECT count(*) FROM door_marks").await, kept);
    }
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_household_told_of_a_meeting_is_not_disturbed_by_it_and_sees_who_says_so() {
    let scene = Scene::set().await;
    let (app, village) = (&scene.app, &scene.village);
    let worker = grid_worker(&scene).await;
    let resident = village.villager(app, "00051").await;
    let granny = person_of(&app.app, &village.area, "00052").await;
    let (meeting, _) = called(&scene).await;
    let (own, doors) = (format!("/meetings/{meeting}"), format!("/meetings/{meeting}/doors"));
    assert!(page(&worker, &own).await.1.contains(&doors), "who goes round finds the list");
    assert!(!page(&resident, &own).await.1.contains(&doors), "nobody else does");
    let (status, shown) = page(&worker, &doors).await;
    assert!(status == 200 && shown.contains("H019") && !shown.contains("费无证"), "{shown}");
    let both = format!("person_id={granny}&person_id={}&act=done&way=read_out&note=", resident.person);
    assert_eq!(tap(&worker, &doors, &both).await, 303);
    let (_, shown) = page(&worker, &doors).await;
    assert!(!shown.contains("H019") && shown.contains("沈阿婆：记错了"), "{shown}");
    scene.pass(TimeDelta::hours(3)).await;
    let sent = |who: String| format!("SELECT count(*) FROM deliveries WHERE state = 'sent'{who}");
    let to_them = scene.number(&sent(format!(" AND target_id = '{}'", resident.person))).await;
    assert_eq!((to_them, scene.number(&sent(String::new())).await > 0), (0, true), "the others alone");
    assert!(cards_in(app, resident.person, "mailbox").await.contains(&"door_told".to_owned()));
    let (_, shown) = page(&resident, &own).await;
    assert!(shown.contains("俞雪梅") && shown.contains("没有这回事"), "{shown}");
    // nobody was there
    assert_eq!(tap(&resident, &doors, &format!("person_id={}&act=undo", resident.person)).await, 303);
    app.settle().await;
    assert!(row(&scene, &meeting, resident.person).await["way"] != "door");
    assert!(cards_in(app, worker.person, "mailbox").await.contains(&"door_taken_back".to_owned()));
    let handed = "SELECT count(*) FROM entries WHERE body LIKE '%meeting_doors%'";
    assert_eq!(scene.number(handed).await, 0, "the messages have their time");
    scene.pass(TimeDelta::hours(4)).await;
    assert_eq!(scene.number(handed).await, 1, "then who holds the meeting has the list");
    let foreign = tap(&resident, &doors, &format!("person_id={granny}&act=undo")).await;
    assert_eq!(foreign, 404, "another's is not the own");
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_doors_of_a_vote_nothing_says_who_has_cast_but_where_that_is_public() {
    let scene = Scene::set().await;
    let (app, village) = (&scene.app, &scene.village);
    let worker = grid_worker(&scene).await;
    let person = async |number: &str| person_of(&app.app, &village.area, number).await;
    let (granny, voter) = (person("00052").await, village.villager(app, "00056").await);
    let vote = super::votes::told(&scene).await;
    let doors = format!("/v1/doors/vote/{vote}");
    let told = |who: PersonId| json!({ "person_id": who });
    let own = left(&worker, &doors).await;
    assert!(own.contains(&"沈阿婆".to_owned()) && !own.contains(&"费无证".to_owned()), "of the own group: {own:?}");
    assert!(left(&village.chair, &doors).await.contains(&"费无证".to_owned()));
    for stranger in [&voter, &village.council_chair, &village.town] {
        assert_eq!(stranger.get(&doors).await.refused(), "not_allowed");
        assert_eq!(mark(stranger, &doors, told(granny)).await.refused(), "not_allowed");
        assert_eq!(page(stranger, &format!("/votes/{vote}/doors")).await.0, 403);
    }
    assert_eq!(mark(&worker, &doors, told(granny)).await.ok()["by_name"], "俞雪梅");
    assert!(!left(&worker, &doors).await.contains(&"沈阿婆".to_owned()));
    let (_, desk) = page(&village.chair, &format!("/desk/votes/{vote}/doors")).await;
    assert!(desk.contains("沈阿婆") && desk.contains("俞雪梅"), "{desk}");
    let (status, shown) = page(&worker, &format!("/votes/{vote}/doors")).await;
    assert!(status == 200 && shown.contains("沈阿婆：记错了"), "{shown}");

    let ballot = json!({ "cast_id": Uuid::new_v4(), "choice": "for" });
    voter.post(&format!("/v1/votes/{vote}/ballots"), ballot).await.ok();
    // who has cast in an open vote is asked no more, as its page says anyway
    assert!(!left(&village.chair, &doors).await.contains(&"费无证".to_owned()));
    assert_eq!(mark(&village.chair, &doors, told(voter.person)).await.refused(), "invalid_fields");
    // of those ticked together the others are told all the same
    let at_the_door = format!("/votes/{vote}/doors");
    let neighbour = person("00007").await;
    let both = format!("person_id={}&person_id={neighbour}&act=done&way=read_out&note=", voter.person);
    assert_eq!(tap(&village.chair, &at_the_door, &both).await, 303);
    assert_eq!(scene.number("SELECT count(*) FROM door_marks").await, 2);
    let alone = format!("person_id={}&act=done&way=read_out&note=", voter.person);
    assert_eq!(tap(&village.chair, &at_the_door, &alone).await, 422);
    let raw = Raw::open(app.folder.path()).await;
    raw.execute("UPDATE votes SET secrecy = 'secret'").await;
    assert!(left(&village.chair, &doors).await.contains(&"费无证".to_owned()), "of a secret one it would tell");
    mark(&village.chair, &doors, told(voter.person)).await.ok();
    raw.execute("UPDATE votes SET state = 'annulled'").await;
    raw.close().await;
    assert_eq!(worker.get(&doors).await.refused(), "wrong_state");
    assert_eq!(mark(&worker, &doors, told(granny)).await.refused(), "wrong_state");
    scene.app.stop().await;
}
