//! Votes by household: one elector each, its representative, its alternates, and never two ballots.
use std::sync::Arc;

use chrono::TimeDelta;
use liusheng::votes::verify::verify;
use serde_json::{Value, json};
use tokio::sync::Barrier;
use uuid::Uuid;

use super::{by_browser, by_python};
use crate::support::{Somebody, TestApp, Village, count};

fn ballot(choice: &str) -> Value {
    json!({ "cast_id": Uuid::new_v4(), "choice": choice })
}

pub(super) async fn vote_of_households(app: &TestApp, village: &Village, more: Value) -> String {
    let matter = village.matter_to_decide(app, "修一座桥").await;
    let mut vote = json!({ "matter_id": matter, "question": "是否同意？", "preset": "village_assembly_household",
        "closes_at": app.app.now() + TimeDelta::days(2) });
    vote.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let vote = village.chair.post("/v1/votes", vote).await.ok();
    assert_eq!(vote["unit"], "household");
    format!("/v1/votes/{}", vote["id"].as_str().unwrap())
}

/// Names who casts for the household of H003: 费海荣, then 俞美娟, then 费文斌.
pub(super) async fn named(app: &TestApp, village: &Village) -> [Somebody; 3] {
    let mut people = Vec::new();
    for number in ["00007", "00008", "00009"] {
        people.push(village.villager(app, number).await);
    }
    let home = people[0].get("/v1/me/household").await.ok();
    assert_eq!((&home["number"], &home["is_named"], &home["may_name"]), (&json!("H003"), &json!(false), &json!(true)));
    let path = format!("/v1/households/{}/agents", home["id"].as_str().unwrap());
    let ids = json!({ "people": people.iter().map(|one| one.person).collect::<Vec<_>>() });
    let home = people[0].post(&path, ids.clone()).await.ok();
    assert_eq!(
        home["people"].as_array().unwrap().iter().map(|one| one["rank"].as_i64()).collect::<Vec<_>>(),
        [Some(0), Some(1), Some(2)]
    );
    assert_eq!(people[1].post(&path, ids.clone()).await.refused(), "not_allowed", "the head, or the office");
    assert_eq!(village.villager(app, "00010").await.post(&path, ids.clone()).await.refused(), "not_found");
    assert_eq!(village.clerk.post(&path, ids.clone()).await.ok(), home, "the same again");
    let stranger = json!({ "people": [village.villager(app, "00010").await.person] });
    assert_eq!(village.clerk.post(&path, stranger).await.refused(), "invalid_fields");
    let twice = json!({ "people": [people[0].person, people[0].person] });
    assert_eq!(village.clerk.post(&path, twice).await.refused(), "invalid_fields");
    let area = format!("/v1/areas/{}/households?number=H003", village.area);
    assert_eq!(village.clerk.get(&area).await.ok(), home);
    assert_eq!(people[0].get(&area).await.refused(), "not_allowed");
    assert_eq!(count(app.folder.path(), "SELECT count(*) FROM household_agents WHERE until IS NULL").await, 3);
    people.try_into().ok().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_household_votes_once_by_its_representative_or_an_alternate() {
    let (app, village) = Village::start().await;
    let people = named(&app, &village).await;
    let vote = vote_of_households(&app, &village, json!({})).await;
    // 22 households, one of them of nobody who is registered but a daughter just of age
    let shown = app.get(&vote).await.ok();
    assert_eq!(shown["on_roll"], 22, "{shown}");
    let ballots = format!("{vote}/ballots");
    let me = people[2].get(&format!("{vote}/me")).await.ok();
    assert_eq!((&me["is_on_roll"], &me["household"]["may_cast"]), (&json!(true), &json!(true)));
    assert_eq!(me["household"]["names"], json!(["费海荣", "俞美娟", "费文斌"]));
    // who casts for no household has no ballot; the head does where nobody was named
    let (wife, husband) = (village.villager(&app, "00011").await, village.villager(&app, "00010").await);
    assert_eq!(wife.post(&ballots, ballot("for")).await.refused(), "not_on_roll");
    let me = wife.get(&format!("{vote}/me")).await.ok();
    assert_eq!((&me["is_on_roll"], &me["household"]["names"]), (&json!(false), &json!(["欧阳水根"])));
    husband.post(&ballots, ballot("against")).await.ok();
    // the alternate casts, and the others are told by whom
    let receipt = people[1].post(&ballots, ballot("for")).await.ok();
    for other in [&people[0], &people[2]] {
        let late = other.post(&ballots, ballot("against")).await;
        assert_eq!(late.body["more"]["cast_by"], "俞**");
        assert_eq!(late.refused(), "already_cast");
    }
    assert_eq!(people[1].get(&format!("{vote}/me")).await.ok()["receipt"], receipt);
    app.settle().await;
    assert_eq!(count(app.folder.path(), "SELECT count(*) FROM events WHERE kind = 'vote.cast_for'").await, 4);
    let page = String::from_utf8(people[0].download(&vote[3..]).await.1).unwrap();
    assert!(page.contains("俞** 已经投了票") && page.contains("按户表决"), "{page}");
    app.pass(TimeDelta::days(2)).await;
    let counted = app.get(&format!("{vote}/result")).await.ok()["count"].clone();
    assert_eq!((&counted["on_roll"], &counted["yes"], &counted["no"]), (&json!(22), &json!(1), &json!(1)));
    let archive = app.get(&format!("{vote}/archive")).await.ok();
    assert!(archive["roll"].as_array().unwrap().iter().all(|one| one["u"] == "household"));
    let asked = [json!({ "archive": archive, "fingerprint": null })];
    assert_eq!(verify(&archive, None).fault, None);
    assert_eq!((by_browser("verify", &asked), by_python(&asked)), (vec!["ok".to_owned()], vec!["ok".to_owned()]));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_comes_first_in_the_household_may_cast_again_and_a_frozen_roll_stays() {
    let (app, village) = Village::start().await;
    let people = named(&app, &village).await;
    let vote = vote_of_households(&app, &village, json!({ "allows_revote": true })).await;
    let ballots = format!("{vote}/ballots");
    // a change now is for the votes to come
    let home = people[0].get("/v1/me/household").await.ok()["id"].as_str().unwrap().to_owned();
    let only = json!({ "people": [people[0].person] });
    people[0].post(&format!("/v1/households/{home}/agents"), only).await.ok();
    people[2].post(&ballots, ballot("for")).await.ok();
    people[1].post(&ballots, ballot("against")).await.ok();
    assert_eq!(people[2].post(&ballots, ballot("for")).await.refused(), "already_cast");
    people[0].post(&ballots, ballot("abstain")).await.ok();
    assert_eq!(people[1].post(&ballots, ballot("for")).await.refused(), "already_cast");
    app.pass(TimeDelta::days(2)).await;
    let counted = app.get(&format!("{vote}/result")).await.ok()["count"].clone();
    assert_eq!((&counted["present"], &counted["abstain"]), (&json!(1), &json!(1)));
    app.stop().await;
}

/// Two members of one household in the same moment, many times over.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn members_of_one_household_at_once_are_one_ballot() {
    let (app, village) = Village::start().await;
    let people = named(&app, &village).await;
    let vote = vote_of_households(&app, &village, json!({})).await;
    let start = Arc::new(Barrier::new(30));
    let asked: Vec<_> = (0..30)
        .map(|n| {
            let (who, path, start) = (people[n % 3].clone(), format!("{vote}/ballots"), Arc::clone(&start));
            tokio::spawn(async move {
                start.wait().await;
                who.post(&path, ballot(["for", "against"][n % 2])).await
            })
        })
        .collect();
    let mut taken = 0;
    for one in asked {
        let answer = one.await.unwrap();
        assert!(answer.status < 500, "{}", answer.body);
        if answer.status == 201 { taken += 1 } else { assert_eq!(answer.refused(), "already_cast") }
    }
    assert_eq!(taken, 1, "one household, {taken} ballots taken");
    assert_eq!(count(app.folder.path(), "SELECT count(*) FROM envelopes").await, 1);
    app.stop().await;
}
