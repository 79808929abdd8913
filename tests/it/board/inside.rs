//! Votes without a matter: the chair of a council at its meeting, a village committee in a booth; whose they are, who is told.
use chrono::TimeDelta;
use liusheng::board::sealing::Trustee;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    key_pairs,
    paper::{issue, leaves, number, photo, tally},
    votes::checked,
};
use crate::support::{Somebody, TestApp, Village, count};

/// A meeting of the council about its own affairs.
async fn called(app: &TestApp, village: &Village) -> Value {
    let call = json!({ "area_code": village.area, "body_id": village.council, "audience": "members",
        "business": "own_affairs", "title": "换届会议", "agenda": "选举会长", "place": "文化礼堂",
        "starts_at": app.app.now() + TimeDelta::hours(3) });
    village.council_chair.post("/v1/meetings", call).await.ok()["id"].clone()
}

fn election(app: &TestApp, meeting: &Value) -> Value {
    json!({ "meeting_id": meeting, "question": "选举会长", "preset": "council_election", "secrecy": "secret",
        "options": ["沈会长", "费会长"], "closes_at": app.app.now() + TimeDelta::days(1) })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_council_elects_its_chair_at_its_own_meeting_and_nobody_else_has_a_hand_in_it() {
    let app = TestApp::start().await;
    let village = Village::found(&app).await;
    let meeting = called(&app, &village).await;
    let ask = election(&app, &meeting);
    // the village's office does not open it, nor a member; not without a meeting, not openly, not about a matter
    for other in [&village.chair, &village.member] {
        assert_eq!(other.post("/v1/votes", ask.clone()).await.refused(), "not_allowed");
    }
    for (field, value) in [("meeting_id", Value::Null), ("secrecy", json!("open")), ("challenge_days", json!(0))] {
        let mut wrong = ask.clone();
        wrong[field] = value;
        assert_eq!(village.council_chair.post("/v1/votes", wrong).await.refused(), "invalid_fields", "{field}");
    }
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let mut wrong = ask.clone();
    (wrong["matter_id"], wrong["meeting_id"]) = (json!(matter), Value::Null);
    assert_eq!(village.chair.post("/v1/votes", wrong).await.refused(), "invalid_fields");
    let meeting = called(&app, &village).await;
    let vote = village.council_chair.post("/v1/votes", election(&app, &meeting)).await.ok();
    assert_eq!(
        (&vote["unit"], &vote["is_binding"], vote.get("matter_id")),
        (&json!("body_member"), &json!(true), None)
    );
    assert_eq!(vote["challenge_days"], 7);
    let path = format!("/v1/votes/{}", vote["id"].as_str().unwrap());
    let mut keys = Vec::new();
    for ((trustee, (public, private)), holder) in
        Trustee::ALL.into_iter().zip(key_pairs(3)).zip([&village.chair, &village.supervisor, &village.town])
    {
        holder.post(&format!("{path}/keys"), json!({ "trustee": trustee, "public_key": public })).await.ok();
        keys.push(json!({ "trustee": trustee, "private_key": private }));
    }
    app.settle().await;
    assert_eq!(app.get(&path).await.ok()["state"], "open");
    // the members are told, each in the own mailbox, and the village is not
    let told = "SELECT count(*) FROM entries WHERE kind = 'card' AND body LIKE '%由本会%位成员投票%'";
    let electors = vote["on_roll"].as_i64().unwrap();
    assert_eq!(count(app.folder.path(), told).await, electors + 1, "each member, and the council's own stream");
    let ballot = || json!({ "cast_id": Uuid::new_v4(), "choices": ["1"] });
    let outsider = village.villager(&app, "00007").await;
    assert_eq!(outsider.post(&format!("{path}/ballots"), ballot()).await.refused(), "not_on_roll");
    for member in [&village.council_chair, &village.secretary, &village.member] {
        member.post(&format!("{path}/ballots"), ballot()).await.ok();
    }
    for page in [format!("/votes/{}", &path[10..]), format!("/desk/votes/{}", &path[10..])] {
        assert_eq!(village.council_chair.download(&page).await.0, 200, "{page}");
    }
    for part in ["/desk/meetings/", "/meetings/"] {
        let page = village.council_chair.download(&format!("{part}{}", meeting.as_str().unwrap())).await;
        assert!(String::from_utf8(page.1).unwrap().contains(&path[3..]), "{part}");
    }
    // only the office above annuls it
    let why = json!({ "reason": "问题写错了", "authority": "镇政府" });
    assert_eq!(village.council_chair.post(&format!("{path}/annul"), why.clone()).await.refused(), "not_allowed");
    assert_eq!(village.chair.post(&format!("{path}/annul"), why).await.refused(), "not_allowed");
    app.pass(TimeDelta::days(2)).await;
    keys.truncate(2);
    let result = village.town.post(&format!("{path}/opening"), json!({ "keys": keys })).await.ok();
    assert_eq!((&result["outcome"], &result["settlement"]), (&json!("passed"), &json!("provisional")), "{result}");
    assert!(result["choice"]["options"][0]["is_elected"] == true);
    checked(&app, &path[10..], &[]).await;
    app.pass(TimeDelta::days(8)).await;
    app.settle().await;
    assert_eq!(app.get(&format!("{path}/result")).await.ok()["settlement"], "final");
    let page = app.http.get(app.url(&format!("/votes/{}/result", &path[10..]))).send().await.unwrap();
    assert_eq!(page.status(), 200);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_village_committee_is_elected_in_a_booth_with_roll_proxies_sheets_and_count_held_here() {
    let app = TestApp::start().await;
    let village = Village::found(&app).await;
    let starts = app.app.now() + TimeDelta::days(25);
    let call = json!({ "area_code": village.area, "body_id": village.committee, "audience": "villagers",
        "title": "选举大会", "agenda": "选举村民委员会主任", "place": "文化礼堂", "starts_at": starts });
    let meeting = village.chair.post("/v1/meetings", call).await.ok()["id"].clone();
    let ask = |more: Value| {
        let mut all = json!({ "meeting_id": meeting, "question": "选举主任", "preset": "committee_election_round1",
            "secrecy": "paper", "has_paper": true, "options": ["费主任", "沈主任", "俞主任"], "max_choices": 2, "seats": 1,
            "closes_at": starts + TimeDelta::hours(8) });
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    assert_eq!(village.chair.post("/v1/votes", ask(json!({ "secrecy": "secret" }))).await.refused(), "paper_required");
    for wrong in [json!({ "has_paper": false }), json!({ "allows_revote": true }), json!({ "roll_days": 5 })] {
        assert_eq!(village.chair.post("/v1/votes", ask(wrong.clone())).await.refused(), "invalid_fields", "{wrong}");
    }
    // the village's other questions go through the stages of a matter
    let plain = json!({ "meeting_id": meeting, "question": "修桥？", "preset": "village_assembly_person",
        "closes_at": starts + TimeDelta::hours(8) });
    assert_eq!(village.chair.post("/v1/votes", plain).await.refused(), "invalid_fields");
    let vote = village.chair.post("/v1/votes", ask(json!({}))).await.ok();
    assert_eq!(
        (&vote["state"], &vote["is_binding"]),
        (&json!("posted"), &json!(true)),
        "the roll hangs for twenty days"
    );
    let path = format!("/v1/votes/{}", vote["id"].as_str().unwrap());
    app.pass(TimeDelta::days(21)).await;
    app.settle().await;
    assert_eq!(app.get(&path).await.ok()["state"], "open");
    let elector = village.villager(&app, "00007").await;
    let ballot = json!({ "cast_id": Uuid::new_v4(), "choices": ["1"] });
    assert_eq!(elector.post(&format!("{path}/ballots"), ballot).await.refused(), "paper_required");
    let page = String::from_utf8(elector.download(&path[3..]).await.1).unwrap();
    assert!(page.contains("秘密写票处") && !page.contains("name=\"choice\""), "{page}");
    let mut electors: Vec<Somebody> = Vec::new();
    for number in 1..=59 {
        electors.push(village.villager(&app, &format!("{number:05}")).await);
    }
    let mut sheets = 0;
    for who in &electors {
        let mine = who.get(&format!("{path}/me")).await.ok();
        if mine["is_on_roll"] == true && sheets < 40 {
            issue(&village.clerk, &path, number(who, &path).await).await.ok();
            sheets += 1;
        }
    }
    app.pass(TimeDelta::days(5)).await;
    assert_eq!(app.get(&path).await.ok()["state"], "counting_paper");
    let told = |photo| tally(json!({ "1": 20, "1,2": 10, "3": 5 }), (3, 2), photo);
    village.clerk.post(&format!("{path}/paper/counts"), told(photo(&village.clerk).await)).await.ok();
    village.supervisor.post(&format!("{path}/paper/counts"), told(None)).await.ok();
    village.chair.post(&format!("{path}/paper/signature"), json!({})).await.ok();
    let result = app.get(&format!("{path}/result")).await.ok();
    assert_eq!((&result["outcome"], &result["count"]["present"]), (&json!("passed"), &json!(40)), "{result}");
    assert!(result["choice"]["options"][0]["is_elected"] == true && result["choice"]["options"][0]["votes"] == 30);
    let archive = checked(&app, &path[10..], &[]).await;
    assert_eq!((leaves(&archive, "ballot").len(), archive["manifest"]["secrecy"].as_str()), (0, Some("paper")));
    app.stop().await;
}
