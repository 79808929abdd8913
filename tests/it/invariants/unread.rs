//! I6 and I7: unread is what one counts by hand, and cursors only move forward.
use std::collections::BTreeMap;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::{
    simulation::seeds::{Seeded, any_seed, given_seed},
    support::{Answer, Somebody, Village, answer, group, is_done_before, is_full_run, say},
};

/// Entries that people count.
const COUNTED: [&str; 3] = ["message", "chain", "card"];

async fn row(who: &Somebody, stream: &str) -> Value {
    let list = who.get("/v1/sync").await.ok();
    list["streams"].as_array().unwrap().iter().find(|row| row["id"] == json!(stream)).unwrap().clone()
}

async fn read(who: &Somebody, stream: &str, seq: i64) -> Answer {
    let moving = who.request(Method::PUT, &format!("/v1/streams/{stream}/cursor"));
    answer(moving.json(&json!({ "seq": seq }))).await
}

/// In a group, where all have a place from the beginning, and in a discussion, where it is made when it is needed.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn i6_unread_is_what_one_counts_by_hand() {
    let (app, village) = Village::start().await;
    let people = [village.villager(&app, "00007").await, village.villager(&app, "00011").await, village.chair.clone()];
    let stream = group(&village, &[&people[0], &people[1]]).await;
    let matter = json!({ "area_code": village.area, "title": "修桥", "summary": "村口的桥要修一修。" });
    let matter = village.chair.post("/v1/matters", matter).await.ok();
    let talk = village.discussion(&app, matter["id"].as_str().unwrap()).await.to_string();
    app.settle().await;
    let seed = given_seed().unwrap_or_else(any_seed);
    println!("LSTEST_SEED={seed}");
    let mut chance = Seeded(seed);
    // a discussion is in the list of who has a place in it
    for who in &people {
        read(who, &talk, 1).await.ok();
    }
    let steps = if is_done_before("half of the steps") { 45 } else { 90 };
    for stream in [stream, talk] {
        let mut places = BTreeMap::new();
        for (number, who) in people.iter().enumerate() {
            places.insert(number, row(who, &stream).await["read_seq"].as_i64().unwrap());
        }
        for step in 0..if is_full_run() { 400 } else { steps } {
            let number = chance.below(3);
            let (who, place) = (&people[number], places.get_mut(&number).unwrap());
            let newest = row(who, &stream).await["last_seq"].as_i64().unwrap();
            match chance.below(6) {
                0..3 => *place = say(who, &stream, "一句").await,
                3 => {
                    let seq = say(who, &stream, "一句").await;
                    let recall = format!("/v1/streams/{stream}/messages/{seq}/recall");
                    who.post(&recall, json!({})).await.ok();
                    *place = seq;
                }
                _ => {
                    let seq = i64::try_from(chance.below(usize::try_from(newest).unwrap() + 3)).unwrap();
                    read(who, &stream, seq).await.ok();
                    *place = seq.min(newest).max(*place);
                }
            }
            counted(&people, &stream, &places, step).await;
        }
    }
    app.stop().await;
}

async fn counted(people: &[Somebody], stream: &str, places: &BTreeMap<usize, i64>, step: usize) {
    let counting = people.iter().enumerate().map(|(number, who)| async move {
        let mut unread = 0;
        let mut after = places[&number];
        loop {
            let page = who.get(&format!("/v1/streams/{stream}/entries?after={after}&limit=100")).await.ok();
            let page = page["entries"].as_array().unwrap();
            let Some(last) = page.last() else { break };
            after = last["seq"].as_i64().unwrap();
            unread += page.iter().filter(|entry| COUNTED.iter().any(|kind| entry["kind"] == *kind)).count();
        }
        let row = row(who, stream).await;
        let found = (&row["read_seq"], &row["unread"]);
        assert_eq!(found, (&json!(places[&number]), &json!(unread)), "person {number} after step {step}");
    });
    join_all(counting).await;
}

/// Two phones of one person tell places in any order, twice, and beyond the end; whoever looks never sees a step back.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn i7_cursors_only_move_forward() {
    let (app, village) = Village::start().await;
    let ann = village.villager(&app, "00007").await;
    let again = Somebody::signed_in(&app, ann.person).await;
    let stream = group(&village, &[&ann]).await;
    let mut newest = 0;
    for _ in 0..30 {
        newest = say(&village.chair, &stream, "一句").await;
    }
    let over = CancellationToken::new();
    let watching = tokio::spawn({
        let (ann, stream, over) = (ann.clone(), stream.clone(), over.clone());
        async move {
            let (mut seen, mut looks) = (0, 0);
            while !over.is_cancelled() {
                let row = row(&ann, &stream).await;
                let place = row["read_seq"].as_i64().unwrap();
                assert!(place >= seen, "the cursor moved back: {place} after {seen}");
                assert!((0..=30).contains(&row["unread"].as_i64().unwrap()), "{row}");
                (seen, looks) = (place, looks + 1);
            }
            looks
        }
    });
    let mut chance = Seeded(given_seed().unwrap_or_else(any_seed));
    for bound in [10, 20, newest, newest + 5] {
        let mut places: Vec<i64> = (-1..bound).chain(0..bound).collect();
        let mut shuffled = Vec::new();
        while !places.is_empty() {
            shuffled.push(places.swap_remove(chance.below(places.len())));
        }
        let telling = shuffled.iter().enumerate().map(|(number, seq)| {
            let phone = if number % 2 == 0 { &ann } else { &again };
            read(phone, &stream, *seq)
        });
        assert!(join_all(telling).await.into_iter().all(|answer| answer.status == 204));
        let place = row(&ann, &stream).await["read_seq"].as_i64().unwrap();
        assert_eq!(place, (bound - 1).min(newest), "the cursor moved back, or too far");
    }
    over.cancel();
    println!("looked {} times", watching.await.unwrap());
    assert_eq!(row(&again, &stream).await["unread"], 0);
    app.stop().await;
}
