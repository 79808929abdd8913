//! A village committee whose posts are votes of their own: one person chosen for two of them, and two of one household.
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::paper::{issue, number, photo, tally};
use crate::support::{Somebody, TestApp, Village};

/// Thirty of fifty-six put these sheets into the box; they are counted twice and signed.
async fn counted(app: &TestApp, village: &Village, path: &str, votes: Value) {
    let told = |photo| tally(votes.clone(), (0, 0), photo);
    village.clerk.post(&format!("{path}/paper/counts"), told(photo(&village.clerk).await)).await.ok();
    village.supervisor.post(&format!("{path}/paper/counts"), told(None)).await.ok();
    village.chair.post(&format!("{path}/paper/signature"), json!({})).await.ok();
    app.settle().await;
}

/// What is to be looked at beside a result.
fn sentences(result: &Value) -> Vec<String> {
    result["to_check"].as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect()
}

/// What is to be looked at, of which residents read all, and who lives elsewhere nothing of a household.
async fn to_check(app: &TestApp, resident: &Somebody, path: &str) -> Vec<String> {
    let told = sentences(&resident.get(&format!("{path}/result")).await.ok());
    let shown = format!("{}/result", &path[3..]);
    let page = String::from_utf8(resident.download(&shown).await.1).unwrap();
    assert!(told.iter().all(|one| page.contains(one)), "{page}");
    let public: Vec<&String> = told.iter().filter(|one| !one.contains("登记在同一户")).collect();
    assert_eq!(sentences(&app.get(&format!("{path}/result")).await.ok()).iter().collect::<Vec<_>>(), public);
    let page = app.http.get(app.url(&shown)).send().await.unwrap().text().await.unwrap();
    assert!(public.iter().all(|one| page.contains(*one)) && !page.contains("登记在同一户"), "{page}");
    told
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_is_chosen_twice_and_who_is_of_one_household_is_told_beside_the_result() {
    let (app, village) = Village::start().await;
    let starts = app.app.now() + TimeDelta::days(25);
    let call = json!({ "area_code": village.area, "body_id": village.committee, "audience": "villagers",
        "title": "选举大会", "agenda": "选举村民委员会", "place": "文化礼堂", "starts_at": starts });
    let meeting = village.chair.post("/v1/meetings", call).await.ok()["id"].clone();
    let mut paths = Vec::new();
    for (question, options, seats) in
        [("选举主任", json!(["费海荣", "沈主任"]), 1), ("选举委员", json!(["费海荣", "俞美娟", "沈委员"]), 2)]
    {
        let ask = json!({ "meeting_id": meeting, "question": question, "preset": "committee_election_round1",
            "secrecy": "paper", "has_paper": true, "options": options, "seats": seats,
            "closes_at": starts + TimeDelta::hours(8) });
        let vote = village.chair.post("/v1/votes", ask).await.ok();
        paths.push(format!("/v1/votes/{}", vote["id"].as_str().unwrap()));
    }
    app.pass(TimeDelta::days(21)).await;
    let mut electors: Vec<Somebody> = Vec::new();
    for number in 1..=59 {
        let who = village.villager(&app, &format!("{number:05}")).await;
        let is_on_roll = who.get(&format!("{}/me", paths[0])).await.ok()["is_on_roll"] == true;
        if is_on_roll && electors.len() < 30 {
            electors.push(who);
        }
    }
    for path in &paths {
        for who in &electors {
            issue(&village.clerk, path, number(who, path).await).await.ok();
        }
    }
    app.pass(TimeDelta::days(5)).await;
    // nobody else is chosen yet: kin is to be looked for all the same
    counted(&app, &village, &paths[0], json!({ "1": 20, "2": 10 })).await;
    let told = to_check(&app, &electors[0], &paths[0]).await;
    assert!(told.len() == 1 && told[0].contains("第31条"), "{told:?}");
    counted(&app, &village, &paths[1], json!({ "1,2": 20, "3": 10 })).await;
    for path in &paths {
        let told = to_check(&app, &electors[0], path).await.join("\n");
        assert!(told.contains("费海荣在“选举主任”和“选举委员”里都当选"), "{told}");
        assert!(told.contains("费海荣（选举主任）和俞美娟（选举委员）登记在同一户"), "{told}");
    }
    let desk = village.chair.download(&format!("/desk{}", &paths[1][3..])).await;
    assert!(String::from_utf8(desk.1).unwrap().contains("登记在同一户"));
    // an opinion on anything else says nothing of it
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let other = village.open_vote(&app, &matter, TimeDelta::days(1)).await;
    app.pass(TimeDelta::days(2)).await;
    assert_eq!(app.get(&format!("/v1/votes/{other}/result")).await.ok()["to_check"], json!([]));
    app.stop().await;
}
