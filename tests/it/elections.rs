//! The election of a council: drafted when its term nears its end, kept by the secretary; what sat before stays as it was.
use chrono::{NaiveDate, TimeDelta};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Somebody, TestApp, Village, answer, cards_in, count, id, person_of};

const STEPS: [&str; 5] = ["nominations", "check", "publicity", "election", "first_meeting"];

async fn put(who: &Somebody, term: &str, days: &[String], reason: &str, done: usize) -> Answer {
    let days: Vec<Value> = STEPS
        .iter()
        .zip(days)
        .enumerate()
        .map(|(n, (step, day))| json!({ "step": step, "day": day, "is_done": n < done }))
        .collect();
    let path = format!("/v1/terms/{term}/election");
    answer(who.request(Method::PUT, &path).json(&json!({ "days": days, "reason": reason }))).await
}

/// A term of the council that ends on this day, and the seat of somebody in it.
async fn term(app: &TestApp, village: &Village, ends_on: &str) -> (String, String) {
    let term = json!({ "number": 3, "starts_on": "2026-01-01", "ends_on": ends_on });
    let term = id(&village.town.post(&format!("/v1/bodies/{}/terms", village.council), term).await.ok());
    let person = person_of(&app.app, &village.area, "00049").await;
    let seat = json!({ "person_id": person, "role": "vice_chair", "term_id": term });
    let seat = id(&village.town.post(&format!("/v1/bodies/{}/seats", village.council), seat).await.ok());
    (term, seat)
}

async fn history(app: &TestApp, village: &Village) -> Value {
    app.get(&format!("/v1/bodies/{}/terms", village.council)).await.ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_term_that_nears_its_end_drafts_the_next_election_once() {
    let (app, village) = Village::start().await;
    let (ending, _) = term(&app, &village, "2027-02-10").await;
    app.settle().await;
    assert_eq!(history(&app, &village).await[0].get("election"), None, "a hundred days are many");
    app.pass(TimeDelta::days(20)).await;
    app.settle().await;
    let drafted = history(&app, &village).await[0]["election"].clone();
    let of = |one: &Value| one["day"].as_str().unwrap().to_owned();
    let mut days: Vec<String> = drafted["days"].as_array().unwrap().iter().map(of).collect();
    assert_eq!(drafted["days"].as_array().unwrap().iter().map(|one| one["step"].clone()).collect::<Vec<_>>(), STEPS);
    assert!(days.is_sorted() && days[3].as_str() < "2027-02-10" && days[4].as_str() > "2027-02-10", "{days:?}");
    assert!(cards_in(&app, village.member.person, "forum").await.contains(&"election_drafted".to_owned()));
    let drafts = "SELECT count(*) FROM events WHERE kind = 'election.drafted'";
    assert_eq!(count(app.folder.path(), drafts).await, 1, "once");
    let desk = |who: &Somebody| who.request(Method::GET, "/desk");
    let todo = desk(&village.secretary).send().await.unwrap().text().await.unwrap();
    assert!(todo.contains("推荐报名截止"), "{todo}");
    assert!(!desk(&village.member).send().await.unwrap().text().await.unwrap().contains("推荐报名截止"));
    let first: NaiveDate = days[0].parse().unwrap();
    days[0] = (first - TimeDelta::days(1)).to_string();
    for who in [&village.member, &village.clerk, &village.villager(&app, "00007").await] {
        assert_eq!(put(who, &ending, &days, "提前一天", 0).await.refused(), "not_allowed");
    }
    assert_eq!(put(&village.secretary, &ending, &days, "", 0).await.refused(), "invalid_fields", "without a reason");
    let backwards: Vec<String> = days.iter().rev().cloned().collect();
    assert_eq!(put(&village.secretary, &ending, &backwards, "倒过来", 0).await.refused(), "invalid_fields");
    put(&village.secretary, &ending, &days, "提前一天", 1).await.ok();
    let todo = desk(&village.secretary).send().await.unwrap().text().await.unwrap();
    assert!(todo.contains("村党组织审核完成") && !todo.contains("推荐报名截止"), "the next step");
    let public = app.http.get(app.url(&format!("/bodies/{}", village.council))).send().await.unwrap();
    let public = public.text().await.unwrap();
    assert!(public.contains("提前一天") && public.contains("嵇国强"), "{public}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sat_in_a_term_that_is_over_stays_as_it_was() {
    let (app, village) = Village::start().await;
    let (_, seat) = term(&app, &village, "2026-11-30").await;
    let terms = format!("/v1/bodies/{}/terms", village.council);
    let next = |from: &str| json!({ "number": 4, "starts_on": from, "ends_on": "2031-11-30" });
    let overlapping = village.town.post(&terms, next("2026-11-30")).await;
    assert_eq!(overlapping.body["errors"][0]["code"], "terms_overlap", "{}", overlapping.body);
    village.town.post(&terms, next("2026-12-01")).await.ok();
    app.settle().await;
    assert!(history(&app, &village).await.as_array().unwrap().iter().all(|one| one.get("election").is_none()));
    app.pass(TimeDelta::days(29)).await;
    let bodies = app.get(&format!("/v1/areas/{}/bodies", village.area)).await.ok().to_string();
    assert!(!bodies.contains("嵇国强"), "sits there no more");
    assert_eq!(village.town.post(&format!("/v1/seats/{seat}/end"), json!(null)).await.refused(), "wrong_state");
    let old = history(&app, &village).await[1].clone();
    assert_eq!((&old["number"], &old["seats"][0]["name"]), (&json!(3), &json!("嵇国强")));
    let late = json!({ "person_id": village.chair.person, "role": "member", "term_id": old["id"] });
    let late = village.town.post(&format!("/v1/bodies/{}/seats", village.council), late).await;
    assert_eq!(late.body["errors"][0]["code"], "term_is_over", "{}", late.body);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_keeps_a_council_s_books_leads_the_village_or_everybody_reads_why_not() {
    let (app, village) = Village::start().await;
    let seats = format!("/v1/bodies/{}/seats", village.council);
    let person = person_of(&app.app, &village.area, "00049").await;
    let secretary =
        |person: &Value, reason: &str| json!({ "person_id": person, "role": "secretary", "reason": reason });
    let refused = village.town.post(&seats, secretary(&json!(person), "")).await;
    assert_eq!((refused.status, &refused.body["errors"][0]["field"]), (422, &json!("reason")), "{}", refused.body);
    village.town.post(&seats, secretary(&json!(person), "书记不住在村里")).await.ok();
    let leader = village.town.post(&seats, secretary(&json!(village.branch_chair.person), "书记兼任")).await.ok();
    assert_eq!(leader.get("reason"), None, "as the rule has it: {leader}");
    let member = json!({ "person_id": village.clerk.person, "role": "member" });
    village.town.post(&seats, member).await.ok();
    let page = app.http.get(app.url(&format!("/bodies/{}", village.council))).send().await.unwrap();
    let page = page.text().await.unwrap();
    assert!(page.contains("书记不住在村里") && !page.contains("书记兼任"), "{page}");
    app.stop().await;
}
