//! A device that was away: the list by pages, what changed in it, what was said meanwhile.
use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use liusheng::streams::queries;
use reqwest::Method;
use serde_json::{Value, json};

use super::{group, message, reads, say};
use crate::support::{Somebody, Village, answer};

async fn list(who: &Somebody, cursor: Option<&Value>) -> Value {
    match cursor {
        None => who.get("/v1/sync").await.ok(),
        Some(cursor) => who.get(&format!("/v1/sync?cursor={}", cursor.as_str().unwrap())).await.ok(),
    }
}

fn ids(page: &Value) -> Vec<String> {
    page["streams"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

fn entries(answer: &Value, stream: &str) -> Vec<i64> {
    let entries = answer["streams"][stream]["entries"].as_array().unwrap();
    entries.iter().map(|entry| entry["seq"].as_i64().unwrap()).collect()
}

/// Sixty groups in which Ann is, each with a message.
async fn crowd(village: &Village, ann: &Somebody) -> Vec<String> {
    let mut groups = Vec::new();
    for number in 0..60 {
        let stream = group(village, &[ann]).await;
        say(&village.chair, &stream, &format!("第{number}组开会")).await;
        groups.push(stream);
    }
    groups
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_week_three_requests_bring_everything() {
    let (app, village) = Village::start().await;
    let ann = village.villager(&app, "00007").await;
    let groups = crowd(&village, &ann).await;
    ann.post("/v1/contacts", json!({})).await.ok();
    // an answer reaches back a minute before the one it follows
    app.pass(TimeDelta::minutes(5)).await;

    // the first page is one query, sealed previews and all; the list goes on without a gap
    let actor = liusheng::people::actor_of_session(&app.app, ann.person, ann.session).await.unwrap();
    let first = reads(&app, async || drop(queries::page(&app.app, &actor, None).await.unwrap())).await;
    assert_eq!(first, 1, "queries for the first page");
    let page = list(&ann, None).await;
    assert_eq!((ids(&page).len(), &page["more"], &page["reset"]), (50, &json!(true), &json!(true)));
    let next = list(&ann, Some(&page["cursor"])).await;
    assert_eq!((&next["more"], &next["reset"], &next["gone"]), (&json!(false), &json!(false), &json!([])));
    let all: BTreeSet<String> = ids(&page).into_iter().chain(ids(&next)).collect();
    assert_eq!(all.len(), ids(&page).len() + ids(&next).len(), "no stream twice");
    assert!(groups.iter().all(|one| all.contains(one)));
    assert_eq!(next["server_epoch"], page["server_epoch"]);
    let rows = page["streams"].as_array().unwrap().iter().chain(next["streams"].as_array().unwrap());
    let have: BTreeMap<String, Value> = rows
        .map(|one| (one["id"].as_str().unwrap().to_owned(), json!({ "epoch": one["epoch"], "seq": one["last_seq"] })))
        .collect();
    assert_eq!(ann.get("/v1/sync?cursor=c1.rubbish").await.refused(), "invalid_cursor");

    // a week goes by: one group is lively, one is quiet, one is left
    app.pass(TimeDelta::days(7)).await;
    let quiet = list(&ann, Some(&next["cursor"])).await;
    assert!(ids(&quiet).is_empty() && quiet["more"] == json!(false), "{quiet}");
    for stream in &groups[..20] {
        say(&village.chair, stream, "开完会了").await;
    }
    let path = format!("/v1/streams/{}/messages", groups[0]);
    for number in 0..400 {
        let text = if number < 340 { "早".to_owned() } else { "长".repeat(1900) };
        village.chair.post(&path, message(&text)).await.ok();
    }
    let members = format!("/v1/groups/{}/members/{}", groups[59], ann.person);
    answer(village.chair.request(Method::DELETE, &members)).await.ok();

    let changes = list(&ann, Some(&quiet["cursor"])).await;
    assert_eq!((&changes["reset"], &changes["gone"]), (&json!(false), &json!([groups[59]])));
    let changed: BTreeSet<String> = ids(&changes).into_iter().collect();
    assert_eq!(changed, groups[..20].iter().cloned().collect(), "what did not change is not told again");
    let missed = ann.post("/v1/sync", json!({ "have": have })).await.ok();
    assert!(missed["streams"].get(&groups[59]).is_none(), "what one has left is left out");
    for stream in &groups[1..20] {
        assert_eq!((entries(&missed, stream), &missed["streams"][stream]["limited"]), (vec![3], &json!(false)));
    }
    let lively = entries(&missed, &groups[0]);
    assert_eq!(missed["streams"][&groups[0]]["limited"], json!(true));
    assert!(lively.iter().zip(&lively[1..]).all(|(one, next)| one + 1 == *next));
    assert_eq!(lively.last(), Some(&403), "the newest, not the oldest");
    let total: usize = groups[..20].iter().map(|stream| entries(&missed, stream).len()).sum();
    let bytes = missed.to_string().len();
    println!("{total} entries, {bytes} bytes");
    assert!(total <= 300 && bytes <= 256 * 1024, "{total} entries, {bytes} bytes");
    assert!(lively.len() > 30, "what nobody else needs is not left lying: {}", lively.len());

    // as many queries for sixty streams as for one
    let input = |have: &BTreeMap<String, Value>| serde_json::from_value(json!({ "have": have })).unwrap();
    let one: BTreeMap<String, Value> =
        have.iter().filter(|(id, _)| **id == groups[1]).map(|(k, v)| (k.clone(), v.clone())).collect();
    let few = reads(&app, async || drop(queries::missed(&app.app, &actor, input(&one)).await.unwrap())).await;
    let many = reads(&app, async || drop(queries::missed(&app.app, &actor, input(&have)).await.unwrap())).await;
    println!("queries: {few} for one stream, {many} for {}", have.len());
    assert_eq!(few, many);
    let too_many: BTreeMap<String, Value> =
        (0..501).map(|_| (uuid::Uuid::now_v7().to_string(), json!({ "epoch": "1", "seq": 0 }))).collect();
    assert_eq!(ann.post("/v1/sync", json!({ "have": too_many })).await.refused(), "invalid_fields");

    // around what is on the screen, with the place up to which it holds
    let around = ann.get(&format!("/v1/streams/{}/entries?around_no=200&limit=20", groups[0])).await.ok();
    let numbers: Vec<i64> =
        around["entries"].as_array().unwrap().iter().map(|one| one["no"].as_i64().unwrap()).collect();
    assert!(numbers.len() == 20 && numbers[9..12].contains(&200), "{numbers:?}");
    assert_eq!(around["as_of"], json!(403));
    let both = format!("/v1/streams/{}/entries?around_no=2&after=1", groups[0]);
    assert_eq!(ann.get(&both).await.refused(), "invalid_cursor");

    // under other rights the list begins anew
    let before = list(&village.member, None).await;
    village.end_seat_of(&app, village.member.person).await;
    let after = list(&village.member, Some(&before["cursor"])).await;
    assert_eq!(after["reset"], json!(true));
    let forums = |page: &Value| page["streams"].as_array().unwrap().iter().filter(|one| one["kind"] == "forum").count();
    assert_eq!((forums(&before), forums(&after)), (1, 0));
    app.stop().await;
}
