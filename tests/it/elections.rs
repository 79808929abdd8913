//! The election of a council: drafted when its term nears its end, kept by the secretary; what sat before stays as it was.
use std::time::Duration;

use chrono::{NaiveDate, TimeDelta};
use liusheng::{
    bodies::{
        By, OpenTerm,
        early::{self, EarlyTerm},
        open_term,
    },
    clock,
    ids::VoteId,
    server,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Socket, Somebody, TestApp, Village, answer, cards_in, count, id, person_of};

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
    let seat = json!({ "person_id": person, "role": "vice_chair", "term_id": term, "starts_on": "2026-10-01" });
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
    // who read it before does not take that back unseen
    let all: Vec<Value> = STEPS.iter().zip(&days).map(|(step, day)| json!({ "step": step, "day": day })).collect();
    let path = format!("/v1/terms/{ending}/election");
    let again = async |seen: &Value| {
        answer(village.town.request(Method::PUT, &path).json(&json!({ "days": all, "seen_at": seen }))).await
    };
    assert_eq!(again(&drafted["drafted_at"]).await.refused(), "changed");
    again(&history(&app, &village).await[0]["election"]["changed_at"]).await.ok();
    let public = app.http.get(app.url(&format!("/bodies/{}", village.council))).send().await.unwrap();
    let public = public.text().await.unwrap();
    assert!(public.contains("提前一天") && public.contains("嵇国强"), "{public}");
    app.stop().await;
}

/// A step that is late waits for the town, too; once the next term is open nothing of it waits for anybody.
#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_is_late_waits_for_the_town_until_the_next_term_is_open() {
    let (app, village) = Village::start().await;
    term(&app, &village, "2026-12-20").await;
    app.settle().await;
    let waits = async |who: &Somebody| {
        let desk = who.request(Method::GET, "/desk").send().await.unwrap().text().await.unwrap();
        desk.contains("推荐报名截止")
    };
    assert_eq!((waits(&village.secretary).await, waits(&village.town).await), (true, false), "not late");
    app.pass(TimeDelta::days(20)).await;
    assert_eq!((waits(&village.secretary).await, waits(&village.town).await), (true, true));
    assert!(!waits(&village.clerk).await, "another body's");
    let next = json!({ "number": 4, "starts_on": "2026-12-21", "ends_on": "2031-12-20" });
    village.town.post(&format!("/v1/bodies/{}/terms", village.council), next).await.ok();
    assert_eq!((waits(&village.secretary).await, waits(&village.town).await), (false, false));
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

/// A term that another process ended early, and the bell is lost: the log says it nevertheless, though it names nobody.
#[tokio::test(flavor = "multi_thread")]
async fn a_term_that_was_ended_early_without_a_bell_ends_the_sockets_of_who_sat_in_it() {
    let (app, village) = Village::start().await;
    term(&app, &village, "2027-11-02").await;
    app.settle().await;
    let sat = Somebody::signed_in(&app, person_of(&app.app, &village.area, "00049").await).await;
    let mut socket = Socket::connect(&app, &sat.token(), json!({})).await;
    // what was written before is looked at within a second
    socket.listen(Duration::from_millis(1500)).await;
    let mut config = app.app.config.as_ref().clone();
    config.redis_url = String::new();
    let (other, _rung) = server::open(config, app.clock.clone(), false).await.unwrap();
    let (today, body, vote_id) = (clock::local_date(app.app.now()), village.council, VoteId::new());
    let next = OpenTerm {
        number: 4,
        starts_on: Some(today),
        ends_on: Some(today + TimeDelta::days(1000)),
        follows_term_id: None,
        early: Some(EarlyTerm { vote_id, reason: "集体辞职".into() }),
    };
    let ending = other.store.write(move |tx| {
        Box::pin(async move {
            early::elected(tx, (body, vote_id), today).await?;
            open_term(tx, By::Operator, (body, next)).await
        })
    });
    ending.await.unwrap();
    assert_eq!(socket.until_closed().await, 3011);
    app.stop().await;
}

/// The term that begins by a result cannot be ended by the same one.
#[tokio::test]
async fn a_result_begins_one_term_before_its_time_and_no_second_one() {
    let (app, village) = Village::start().await;
    term(&app, &village, "2027-11-02").await;
    let (today, body, vote_id) = (clock::local_date(app.app.now()), village.council, VoteId::new());
    let elected = app.app.store.write(move |tx| Box::pin(early::elected(tx, (body, vote_id), today)));
    elected.await.unwrap();
    let next = |number: i32, from: NaiveDate| {
        json!({ "number": number, "starts_on": from, "ends_on": "2031-11-02",
            "early": { "vote_id": vote_id, "reason": "集体辞职" } })
    };
    let terms = format!("/v1/bodies/{body}/terms");
    village.town.post(&terms, next(4, today)).await.ok();
    app.pass(TimeDelta::days(1)).await;
    let again = village.town.post(&terms, next(5, today + TimeDelta::days(1))).await;
    assert_eq!(again.body["errors"][0]["code"], "not_elected", "{}", again.body);
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
