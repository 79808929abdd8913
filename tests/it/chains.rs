//! Lists to which many add a row at the same moment.
use std::collections::BTreeSet;

use chrono::TimeDelta;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Answer, Somebody, TestApp, Village, answer};

/// A list in the village's channel, and its address.
async fn started(app: &TestApp, village: &Village, more: Value) -> (String, i64) {
    let channel = village.clerk.get("/v1/sync").await.ok()["streams"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["kind"] == "channel" && one["subject_id"] == village.area)
        .map(|one| one["id"].as_str().unwrap().to_owned());
    let stream = match channel {
        Some(id) => id,
        None => {
            let area = village.area.clone();
            let open = app
                .app
                .store
                .write(move |tx| Box::pin(async move { liusheng::streams::commands::channel(tx, &area).await }));
            open.await.unwrap().to_string()
        }
    };
    let mut new = json!({ "client_id": Uuid::now_v7(), "title": "订杨梅", "example": "两斤" });
    new.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let sent = village.clerk.post(&format!("/v1/streams/{stream}/chains"), new.clone()).await.ok();
    let again = village.clerk.post(&format!("/v1/streams/{stream}/chains"), new).await.ok();
    assert_eq!((&again["seq"], &again["dup"]), (&sent["seq"], &json!(true)));
    let seq = sent["seq"].as_i64().unwrap();
    (format!("/v1/streams/{stream}/chains/{seq}"), seq)
}

async fn put(who: &Somebody, chain: &str, text: &str, quantity: i64) -> Answer {
    let row = json!({ "text": text, "quantity": quantity });
    answer(who.request(Method::PUT, &format!("{chain}/row")).json(&row)).await
}

async fn many(app: &TestApp, village: &Village, count: usize) -> Vec<Somebody> {
    let mut people = Vec::new();
    for number in 0..count {
        people.push(village.villager(app, &format!("{:05}", number + 6)).await);
    }
    people
}

/// Twenty at once for eight places: each row is its own, none is lost, the ninth is told that it is full.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rows_of_many_at_once_all_stand_and_no_place_is_given_twice() {
    let app = TestApp::start().await;
    let village = Village::found(&app).await;
    let (chain, seq) = started(&app, &village, json!({ "max_rows": 8 })).await;
    let people = many(&app, &village, 12).await;
    let answers = join_all(people.iter().map(|who| put(who, &chain, "两斤", 2))).await;
    let (stood, full): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
    assert_eq!((stood.len(), full.len()), (8, 4));
    assert!(full.into_iter().all(|answer| answer.refused() == "chain_full"));
    let list = village.clerk.get(&chain).await.ok();
    let rows = list["rows"].as_array().unwrap();
    let numbers: BTreeSet<i64> = rows.iter().map(|row| row["row_no"].as_i64().unwrap()).collect();
    assert_eq!((rows.len(), numbers.len(), list["total"].as_i64()), (8, 8, Some(16)));
    assert!(rows.iter().all(|row| row["name"].as_str().unwrap().contains('*')), "neighbours see masked names: {list}");

    // what every phone puts together from the entries is the list
    let stream = chain.split('/').nth(3).unwrap();
    let entries = village.clerk.get(&format!("/v1/streams/{stream}/entries?after={seq}")).await.ok();
    let told: BTreeSet<i64> = entries["entries"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["kind"] == "chain_row" && entry["target_seq"] == seq)
        .map(|entry| entry["body"]["row_no"].as_i64().unwrap())
        .collect();
    assert_eq!(told, numbers);
    let unread = people[0].get("/v1/sync").await.ok()["streams"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["id"] == stream)
        .unwrap()["unread"]
        .as_i64();
    assert_eq!(unread, Some(1), "the list is news, its rows are not");
    app.stop().await;
}

#[tokio::test]
async fn a_row_is_changed_and_taken_away_by_its_owner_until_the_list_closes() {
    let app = TestApp::start().await;
    let village = Village::found(&app).await;
    let closes_at = app.app.local_now() + TimeDelta::hours(2);
    let (chain, _) = started(&app, &village, json!({ "closes_at": closes_at })).await;
    let people = many(&app, &village, 3).await;
    put(&people[0], &chain, "两斤", 2).await.ok();
    assert_eq!(put(&people[0], &chain, "两斤", 2).await.ok()["dup"], true);
    assert_eq!(put(&people[0], &chain, "=三斤", 3).await.ok()["dup"], false);
    put(&people[1], &chain, "", 1).await.ok();
    let take_away = |who: &Somebody| answer(who.request(Method::DELETE, &format!("{chain}/row")));
    assert_eq!(take_away(&people[1]).await.status, 204);
    assert_eq!(take_away(&people[1]).await.status, 204, "once more changes nothing");
    let list = people[2].get(&chain).await.ok();
    assert_eq!((list["rows"].as_array().unwrap().len(), list["total"].as_i64()), (1, Some(3)));
    assert_eq!(put(&people[0], &chain, "两斤", 0).await.refused(), "invalid_fields");

    assert_eq!(people[0].get(&format!("{chain}/export")).await.refused(), "not_allowed");
    let (status, table) = village.clerk.download(&format!("{chain}/export")).await;
    let table = String::from_utf8(table).unwrap();
    assert_eq!(status, 200);
    assert!(table.contains("'=三斤,3") && !table.contains('*'), "full names, no formulas: {table}");

    app.pass(TimeDelta::hours(2)).await;
    assert_eq!(put(&people[2], &chain, "两斤", 2).await.refused(), "period_over");
    assert_eq!(take_away(&people[0]).await.refused(), "period_over");
    let (other, _) = started(&app, &village, json!({})).await;
    let close = format!("{other}/close");
    assert_eq!(people[0].post(&close, json!(null)).await.refused(), "not_allowed");
    village.clerk.post(&close, json!(null)).await.ok();
    village.clerk.post(&close, json!(null)).await.ok();
    assert_eq!(put(&people[0], &other, "两斤", 2).await.refused(), "period_over");
    let stranger = village.neighbour(&app).await;
    assert_eq!(stranger.get(&other).await.refused(), "not_found");
    app.stop().await;
}
