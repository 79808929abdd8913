//! The fingerprint of a board is told every evening while its vote is open, so that two people cannot be shown two boards.
use chrono::TimeDelta;
use serde_json::json;
use uuid::Uuid;

use super::paper::opened;
use crate::support::{Village, count};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_evening_the_fingerprint_is_told_once_until_the_vote_is_over() {
    let (app, village) = Village::start().await;
    let vote = opened(&app, &village, json!({})).await;
    let told = async |fingerprint: &str| {
        let sql = "SELECT count(*) FROM entries WHERE kind = 'card' AND body LIKE '%今天的公示板指纹%' AND body LIKE ";
        let sql = format!("{sql}'%{fingerprint}%'");
        count(app.folder.path(), &sql).await
    };
    app.settle().await;
    assert_eq!(told("").await, 0, "it was told at the opening");
    let head = async || app.get(&format!("{vote}/board/head")).await.ok()["fingerprint"].as_str().unwrap().to_owned();
    let first = head().await;
    app.pass(TimeDelta::days(1)).await;
    app.settle().await;
    assert_eq!((told("").await, told(&first).await), (1, 1));
    let elector = village.villager(&app, "00014").await;
    elector.post(&format!("{vote}/ballots"), json!({ "cast_id": Uuid::new_v4(), "choice": "for" })).await.ok();
    app.pass(TimeDelta::hours(25)).await;
    let second = head().await;
    assert_ne!(first, second);
    assert_eq!((told("").await, told(&second).await), (2, 1), "with the ballots that came since");
    app.pass(TimeDelta::days(10)).await;
    app.pass(TimeDelta::days(1)).await;
    assert_eq!(told("").await, 2, "of a board that is full it was told at the end");
    app.stop().await;
}
