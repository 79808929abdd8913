//! A notice that nobody is asked to confirm is told at the doors of whom no message reached: who told it is kept, by name and
//! household, and shown on its board.
use reqwest::Method;

use super::*;
use crate::support::{Answer, cards_in};

/// A grid worker of the committee who looks after the first group.
pub(super) async fn grid_worker(scene: &Scene) -> Somebody {
    let (app, village) = (&scene.app, &scene.village);
    let person = person_of(&app.app, &village.area, "00044").await;
    let seat = json!({ "person_id": person, "role": "grid_worker" });
    let seat = village.town.post(&format!("/v1/bodies/{}/seats", village.committee), seat).await.ok();
    let path = format!("/v1/seats/{}/groups", seat["id"].as_str().unwrap());
    let groups = village.clerk.request(Method::PUT, &path).json(&json!({ "groups": [1] })).send().await.unwrap();
    assert!(groups.status().is_success());
    app.settle().await;
    Somebody::signed_in(app, person).await
}

async fn told(who: &Somebody, notice: &str, body: Value) -> Answer {
    who.post(&format!("/v1/notices/{notice}/confirmations/for"), body).await
}

async fn row(scene: &Scene, notice: &str, person: PersonId) -> Value {
    let rows = board(scene, notice).await;
    rows.as_array().unwrap().iter().find(|row| row["person_id"] == person.to_string()).unwrap().clone()
}

/// How many were told at the door, as everybody sees it.
async fn at_door(scene: &Scene, notice: &str) -> Value {
    let counts = scene.app.get(&format!("/v1/notices/{notice}/reach")).await.ok();
    let ways = counts["ways"].as_array().unwrap();
    ways.iter().find(|way| way["way"] == "door").map_or(json!(0), |way| way["count"].clone())
}

pub(super) async fn page(who: &Somebody, path: &str) -> (u16, String) {
    let (status, page) = who.download(path).await;
    (status, String::from_utf8(page).unwrap())
}

/// Whose doors are left, as the API says, a few at a time.
pub(super) async fn left(who: &Somebody, path: &str) -> Vec<String> {
    let (mut names, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = who.get(&format!("{path}?limit=3{cursor}")).await.ok();
        names.extend(page["items"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return names,
        }
    }
}

/// A form as a phone sends it.
pub(super) async fn tap(who: &Somebody, path: &str, form: &str) -> u16 {
    let form = who
        .request(Method::POST, path)
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form.to_owned());
    form.send().await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_told_at_the_door_of_a_notice_that_asks_nobody_stands_on_its_board() {
    let scene = Scene::set().await;
    let (app, village) = (&scene.app, &scene.village);
    let worker = grid_worker(&scene).await;
    let person = async |number: &str| person_of(&app.app, &village.area, number).await;
    let (granny, son, other) = (person("00052").await, person("00051").await, person("00056").await);
    let notice = scene.publish("公示", false).await;
    assert!(row(&scene, &notice, granny).await.get("way").is_none());
    assert_eq!(at_door(&scene, &notice).await, 0);

    // at these doors alone, of who lives there; nothing else is confirmed of what asks nobody
    let door = |who: PersonId| json!({ "person_id": who, "via": "door", "note": "当面念了" });
    assert_eq!(told(&worker, &notice, door(other)).await.refused(), "not_allowed", "another's group");
    let resident = village.villager(app, "00051").await;
    for stranger in [&resident, &village.council_chair, &village.town] {
        assert_eq!(told(stranger, &notice, door(granny)).await.refused(), "not_allowed");
        assert_eq!(page(stranger, &format!("/notices/{notice}/doors")).await.0, 403);
        assert_eq!(page(stranger, &format!("/notices/{notice}/doors/paper")).await.0, 403);
    }
    let next = village.neighbour(app).await;
    assert!([403, 422].contains(&told(&village.clerk, &notice, door(next.person)).await.status), "of another village");
    let household = json!({ "person_id": granny, "via": "household" });
    assert_eq!(told(&resident, &notice, household).await.refused(), "wrong_state");
    let own = resident.post(&format!("/v1/notices/{notice}/confirmations"), json!(null)).await;
    assert_eq!(own.refused(), "wrong_state");

    let made = told(&worker, &notice, door(granny)).await.ok();
    assert_eq!((&made["via"], &made["by_name"]), (&json!("door"), &json!("俞雪梅")));
    assert_eq!(told(&village.clerk, &notice, door(granny)).await.ok(), made, "once");
    let stands = row(&scene, &notice, granny).await;
    let wanted = json!({ "person_id": granny, "name": "沈阿婆", "household_number": "H019", "group_number": 1, "way": "door",
        "at": made["confirmed_at"], "by_name": "俞雪梅", "note": "当面念了" });
    assert_eq!(stands, wanted);
    assert_eq!(at_door(&scene, &notice).await, 1);
    let (_, desk) = page(&village.clerk, &format!("/desk/notices/{notice}/reach")).await;
    assert!(desk.contains("俞雪梅") && desk.contains("当面念了"), "{desk}");
    assert!(desk.contains(&format!("/notices/{notice}/doors?area={}", village.area)), "{desk}");

    taken_back(&scene, (&worker, &notice), [granny, son]).await;

    // a new version has reached nobody yet, and what was taken down is told no more
    told(&worker, &notice, door(granny)).await.ok();
    let revised = json!({ "version": 1, "title": "公示", "text": "改字。", "reason": "写错了" });
    village.clerk.post(&format!("/v1/notices/{notice}/revise"), revised).await.ok();
    assert!(row(&scene, &notice, granny).await.get("way").is_none());
    village.clerk.post(&format!("/v1/notices/{notice}/withdraw"), json!({ "reason": "不办了" })).await.ok();
    assert_eq!(told(&worker, &notice, door(granny)).await.refused(), "wrong_state");
    assert_eq!(page(&worker, &format!("/notices/{notice}/doors")).await.0, 409);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_names_the_same_doors_of_a_notice_that_asks_nobody_as_the_page() {
    let scene = Scene::set().await;
    let (app, village) = (&scene.app, &scene.village);
    let worker = grid_worker(&scene).await;
    let granny = person_of(&app.app, &village.area, "00052").await;
    let notice = scene.publish("公示", false).await;
    let path = format!("/v1/notices/{notice}/doors");
    let all = left(&worker, &path).await;
    assert!(all.contains(&"沈阿婆".to_owned()) && !all.contains(&"费无证".to_owned()), "the own group: {all:?}");
    let office = left(&village.clerk, &path).await;
    assert!(office.len() > all.len() && office.contains(&"费无证".to_owned()), "{office:?}");
    let (_, paper) = page(&worker, &format!("/notices/{notice}/doors/paper")).await;
    assert_eq!(paper.matches("<td class=\"box\">").count(), all.len(), "as many as on paper");
    for (query, code) in
        [("?group=4", "not_allowed"), ("?area=330521103203", "not_found"), ("?limit=0", "invalid_cursor")]
    {
        assert_eq!(worker.get(&format!("{path}{query}")).await.refused(), code, "{query}");
    }
    for stranger in [&village.villager(app, "00051").await, &village.council_chair, &village.town] {
        assert_eq!(stranger.get(&path).await.refused(), "not_allowed");
    }
    told(&worker, &notice, json!({ "person_id": granny, "via": "door" })).await.ok();
    let others: Vec<String> = all.into_iter().filter(|name| name != "沈阿婆").collect();
    assert_eq!(left(&worker, &path).await, others, "who was told is not visited again");
    village.clerk.post(&format!("/v1/notices/{notice}/withdraw"), json!({ "reason": "不办了" })).await.ok();
    assert_eq!(worker.get(&path).await.refused(), "wrong_state");
    scene.app.stop().await;
}

/// By who wrote it down, on the page of the doors; and by who was not told.
async fn taken_back(scene: &Scene, (worker, notice): (&Somebody, &str), [granny, son]: [PersonId; 2]) {
    let (app, village) = (&scene.app, &scene.village);
    let doors = format!("/notices/{notice}/doors");
    let (_, shown) = page(worker, &format!("/notices/{notice}")).await;
    assert!(shown.contains(&doors), "{shown}");
    let (status, shown) = page(worker, &doors).await;
    assert!(
        status == 200 && shown.contains("H019") && shown.contains("𠮷野根") && shown.contains("沈阿婆：记错了"),
        "{shown}"
    );
    assert!(!shown.contains("费无证"), "another's group: {shown}");
    // the same goes along on paper
    assert!(shown.contains(&format!("{doors}/paper")), "{shown}");
    let (status, paper) = page(worker, &format!("{doors}/paper")).await;
    assert!(status == 200 && paper.contains("𠮷野根") && !paper.contains("费无证"), "{paper}");
    assert_eq!(tap(worker, &doors, &format!("person_id={granny}&act=undo")).await, 303);
    assert_eq!(at_door(scene, notice).await, 0);
    // what is said at a door is said to all of the household
    let both = format!("person_id={granny}&person_id={son}&act=done&way=paper&note=");
    assert_eq!(tap(worker, &doors, &both).await, 303);
    assert_eq!(at_door(scene, notice).await, 2);
    let (_, shown) = page(worker, &doors).await;
    assert!(!shown.contains("H019"), "told: {shown}");
    assert!(cards_in(app, son, "mailbox").await.contains(&"notice_confirmed_for".to_owned()));
    let resident = village.villager(app, "00051").await;
    let (_, shown) = page(&resident, &format!("/notices/{notice}")).await;
    assert!(shown.contains("俞雪梅") && shown.contains("没有这回事"), "{shown}");
    assert_eq!(tap(&resident, &format!("/notices/{notice}/undo"), "").await, 303);
    assert_eq!(at_door(scene, notice).await, 1);
    assert_eq!(tap(worker, &doors, &format!("person_id={granny}&act=undo")).await, 303);
}
