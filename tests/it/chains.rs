//! Lists to which many add a row at the same moment.
use std::collections::BTreeSet;

use chrono::TimeDelta;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    simulation::{
        device::{Device, Rules},
        fetch,
    },
    support::{Answer, Raw, Socket, Somebody, TestApp, Village, answer},
};

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
    let (app, village) = Village::start().await;
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
    let (app, village) = Village::start().await;
    let closes_at = app.app.local_now() + TimeDelta::hours(2);
    let (chain, _) = started(&app, &village, json!({ "closes_at": closes_at })).await;
    let (lists, _) = chain.rsplit_once('/').unwrap();
    for never in ["2020-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "+262142-12-31T23:59:59Z"] {
        let new = json!({ "client_id": Uuid::now_v7(), "title": "订杨梅", "example": "两斤", "closes_at": never });
        assert_eq!(village.clerk.post(lists, new).await.refused(), "invalid_fields", "{never}");
    }
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
    let (status, book) = village.clerk.download(&format!("{chain}/export?format=xlsx")).await;
    let book = String::from_utf8_lossy(&book);
    assert_eq!((status, book.starts_with("PK")), (200, true));
    assert!(book.contains(">=三斤</t>") && book.contains("\"><v>3</v></c>"), "words and numbers: {book}");

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

async fn take_away(who: &Somebody, chain: &str) -> Answer {
    answer(who.request(Method::DELETE, &format!("{chain}/row"))).await
}

/// A list of somebody's in a discussion.
async fn in_discussion(app: &TestApp, village: &Village, who: &Somebody, title: &str) -> (String, i64) {
    let matter = json!({ "area_code": village.area, "title": "修桥", "summary": "村口的桥要修一修。" });
    let matter = village.chair.post("/v1/matters", matter).await.ok();
    let talk = village.discussion(app, matter["id"].as_str().unwrap()).await.to_string();
    let new = json!({ "client_id": Uuid::now_v7(), "title": title, "example": "举例", "fields": ["栏目"] });
    let seq = who.post(&format!("/v1/streams/{talk}/chains"), new).await.ok()["seq"].as_i64().unwrap();
    (talk, seq)
}

/// Rows of every table that hold these words.
async fn kept(app: &TestApp, words: &str) -> i64 {
    let raw = Raw::open(app.folder.path()).await;
    let mut kept = 0;
    for (table, column) in [
        ("entries", "body"),
        ("chains", "title"),
        ("chains", "example"),
        ("chains", "fields"),
        ("chain_rows", "text"),
        ("chain_rows", "cells"),
        ("streams", "last_preview"),
        ("grams", "gram"),
    ] {
        let like = if table == "grams" { words.chars().take(2).collect() } else { format!("%{words}%") };
        kept += raw.one::<i64>(&format!("SELECT count(*) FROM {table} WHERE {column} LIKE '{like}'")).await;
    }
    raw.close().await;
    kept
}

#[tokio::test]
async fn what_a_row_said_before_is_nowhere_any_more() {
    let (app, village) = Village::start().await;
    let (chain, seq) = started(&app, &village, json!({ "fields": ["口味"] })).await;
    let stream = chain.split('/').nth(3).unwrap().to_owned();
    let people = many(&app, &village, 12).await;
    for who in &people {
        put(who, &chain, "两斤", 2).await.ok();
    }
    let (ann, bob) = (&people[0], &people[1]);
    let row = json!({ "text": "金丝雀一", "quantity": 1, "cells": ["金丝雀二"] });
    answer(ann.request(Method::PUT, &format!("{chain}/row")).json(&row)).await.ok();
    let device = |stream: String| {
        let bob = bob.clone();
        async move {
            let mut device = Device::default();
            fetch(&mut device, Rules::ALL, &bob, &stream).await;
            device
        }
    };
    let mut old = device(stream.clone()).await;
    assert!(json!(old.entries).to_string().contains("金丝雀一"));
    assert!(kept(&app, "金丝雀").await > 1);
    put(ann, &chain, "三斤", 3).await.ok();
    assert_eq!(kept(&app, "金丝雀").await, 0, "changed");
    put(ann, &chain, "金丝雀三", 3).await.ok();
    take_away(ann, &chain).await;
    assert_eq!(kept(&app, "金丝雀").await, 0, "taken out");

    let entries = bob.get(&format!("/v1/streams/{stream}/entries?after={seq}")).await.ok();
    let told: Vec<Value> = entries["entries"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["kind"] == "chain_row" && entry["body"]["row_no"] == 1)
        .cloned()
        .collect();
    let (last, before) = told.split_last().unwrap();
    assert_eq!(last["body"], json!({ "change": "removed", "row_no": 1 }));
    for entry in before {
        assert!(entry["body"]["text"].is_null() && entry["rev"].is_i64(), "{entry}");
    }
    let others = entries["entries"].as_array().unwrap().iter().filter(|entry| entry["body"]["text"] == "两斤");
    assert_eq!(others.count(), 11, "the rows of others stand");
    // a phone that had the words has them no longer, and one that comes back from the beginning never does
    fetch(&mut old, Rules::ALL, bob, &stream).await;
    assert_eq!(old.entries, device(stream.clone()).await.entries);
    let from = json!({ format!("s:{stream}"): { "recover": true, "epoch": old.epoch, "offset": 0 } });
    let back = Socket::connect(&app, &bob.token(), from).await;
    assert!(!json!(back.entries).to_string().contains("金丝雀"));
    app.stop().await;
}

#[tokio::test]
async fn a_list_is_taken_back_or_taken_away_like_a_message() {
    let (app, village) = Village::start().await;
    let (ann, bob) = (village.villager(&app, "00007").await, village.villager(&app, "00011").await);
    let (talk, seq) = in_discussion(&app, &village, &ann, "金丝雀的单子").await;
    let chain = format!("/v1/streams/{talk}/chains/{seq}");
    put(&bob, &chain, "金丝雀要一份", 1).await.ok();
    let mut device = Device::default();
    fetch(&mut device, Rules::ALL, &bob, &talk).await;
    app.settle().await;
    let message = format!("/v1/streams/{talk}/messages/{seq}");
    assert_eq!(bob.post(&format!("{message}/recall"), json!({})).await.refused(), "not_allowed");
    assert_eq!(bob.post(&format!("{message}/pin"), json!({ "is_pinned": true })).await.refused(), "not_found");
    ann.post(&format!("{message}/recall"), json!({})).await.ok();
    ann.post(&format!("{message}/recall"), json!({})).await.ok();
    app.settle().await;
    assert_eq!(kept(&app, "金丝雀").await, 0);
    let left = bob.get(&chain).await.ok();
    assert_eq!((&left["title"], &left["example"], &left["rows"]), (&json!(""), &json!(""), &json!([])));
    assert_eq!(put(&bob, &chain, "再要一份", 1).await.refused(), "period_over");
    fetch(&mut device, Rules::ALL, &bob, &talk).await;
    let mut fresh = Device::default();
    fetch(&mut fresh, Rules::ALL, &bob, &talk).await;
    assert_eq!(device.entries, fresh.entries);
    assert_eq!(fresh.entries[&seq]["state"], "recalled");

    let (talk, seq) = in_discussion(&app, &village, &ann, "金丝雀又来了").await;
    let chain = format!("/v1/streams/{talk}/chains/{seq}");
    put(&bob, &chain, "金丝雀也来了", 1).await.ok();
    app.pass(TimeDelta::minutes(3)).await;
    let message = format!("/v1/streams/{talk}/messages/{seq}");
    assert_eq!(ann.post(&format!("{message}/recall"), json!({})).await.refused(), "recall_too_late");
    bob.post(&format!("{message}/reports"), json!({ "reason": "在骂人" })).await.ok();
    let waiting = village.chair.get(&format!("/v1/areas/{}/reports", village.area)).await.ok()["reports"][0].clone();
    let evidence = waiting["text"].as_str().unwrap();
    for words in ["金丝雀又来了", "举例", "栏目", "金丝雀也来了"] {
        assert!(evidence.contains(words), "{words} in {evidence}");
    }
    let decision = json!({ "remove": true, "reason": "骂了邻居" });
    let path = format!("/v1/reports/{}/decision", waiting["id"].as_str().unwrap());
    village.chair.post(&path, decision).await.ok();
    app.settle().await;
    assert_eq!(kept(&app, "金丝雀").await, 0);
    let left = bob.get(&chain).await.ok();
    assert_eq!((&left["title"], &left["fields"], &left["rows"]), (&json!(""), &json!([]), &json!([])));
    assert!(left["closed_at"].is_string(), "{left}");
    app.stop().await;
}

#[tokio::test]
async fn words_of_the_list_stand_in_no_list() {
    let (app, village) = Village::start().await;
    let (ann, bob) = (village.villager(&app, "00007").await, village.villager(&app, "00011").await);
    let (talk, seq) = in_discussion(&app, &village, &ann, "订杨梅").await;
    let chain = format!("/v1/streams/{talk}/chains/{seq}");
    let new = |field: &str| {
        let mut new = json!({ "client_id": Uuid::now_v7(), "title": "订杨梅" });
        let words = "刷 单·返利";
        new[field] = if field == "fields" { json!([words]) } else { json!(words) };
        new
    };
    let lists = format!("/v1/streams/{talk}/chains");
    for field in ["title", "example", "fields"] {
        let refused = ann.post(&lists, new(field)).await;
        assert_eq!(refused.status, 422, "{field}");
        let fault = &refused.body["errors"][0];
        assert_eq!((&fault["field"], &fault["code"]), (&json!(field), &json!("unfit_words")), "{}", refused.body);
        assert!(fault["message"].as_str().unwrap().contains("改一改"), "{fault}");
    }
    assert_eq!(put(&bob, &chain, "刷单返利找我", 1).await.refused(), "invalid_fields");
    let row = json!({ "text": "", "quantity": 1, "cells": ["刷单返利"] });
    let cells = answer(bob.request(Method::PUT, &format!("{chain}/row")).json(&row)).await;
    assert_eq!(cells.refused(), "invalid_fields");
    put(&bob, &chain, "两斤", 1).await.ok();
    // who leads the conversation warns of such things by their name
    village.chair.post(&lists, new("title")).await.ok();
    app.stop().await;
}

#[tokio::test]
async fn who_was_silenced_takes_the_own_away_and_adds_nothing() {
    let (app, village) = Village::start().await;
    let ann = village.villager(&app, "00007").await;
    let (talk, seq) = in_discussion(&app, &village, &ann, "订杨梅").await;
    let chain = format!("/v1/streams/{talk}/chains/{seq}");
    put(&ann, &chain, "两斤", 2).await.ok();
    let silence = json!({ "person_id": ann.person, "reason": "辱骂他人", "days": 3 });
    village.chair.post(&format!("/v1/areas/{}/suspensions", village.area), silence).await.ok();
    app.settle().await;
    assert_eq!(put(&ann, &chain, "三斤", 3).await.refused(), "speaking_suspended");
    assert_eq!(take_away(&ann, &chain).await.status, 204);
    assert_eq!(put(&ann, &chain, "三斤", 3).await.refused(), "speaking_suspended");
    assert_eq!(ann.post(&format!("{chain}/close"), json!(null)).await.status, 204);
    app.stop().await;
}
