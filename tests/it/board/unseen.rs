//! What an office that holds a vote could do to it unseen: judge its own count, count alone, let the count lie, call the meeting off,
//! vote by phones that it gives to others.
use chrono::TimeDelta;
use serde_json::{Value, json};
use uuid::Uuid;

use super::paper::{issue, number, opened, photo, tally};
use crate::support::{TestApp, Village, count, import};

const ROSTER: &str = include_str!("../../data/roster_small.csv");

/// A vote of the representatives that decides, in which one takes a sheet; with the path of its meeting.
async fn of_representatives(app: &TestApp, village: &Village) -> (String, String) {
    let matter = village.matter_to_decide(app, "修一座桥").await;
    let starts = app.app.now() + TimeDelta::days(4);
    let call = json!({ "area_code": village.area, "body_id": village.committee, "audience": "representatives",
        "matter_id": matter, "title": "村民代表会议", "agenda": "表决", "place": "文化礼堂", "starts_at": starts });
    let meeting = village.chair.post("/v1/meetings", call).await.ok()["id"].clone();
    app.pass(TimeDelta::days(3)).await;
    let ask = json!({ "matter_id": matter, "question": "是否同意修桥？", "preset": "village_representatives", "has_paper": true,
        "meeting_id": meeting, "challenge_days": 3, "closes_at": app.app.now() + TimeDelta::days(2) });
    let vote = village.chair.post("/v1/votes", ask).await.ok();
    assert_eq!(vote["is_binding"], true);
    let path = format!("/v1/votes/{}", vote["id"].as_str().unwrap());
    issue(&village.clerk, &path, number(&village.representatives[0], &path).await).await.ok();
    (path, format!("/v1/meetings/{}", meeting.as_str().unwrap()))
}

/// The clerk and the supervisor count the one sheet, and the chair signs.
async fn counted(village: &Village, vote: &str) {
    let (counts, told) = (format!("{vote}/paper/counts"), |photo| tally(json!({ "against": 1 }), (0, 0), photo));
    village.clerk.post(&counts, told(photo(&village.clerk).await)).await.ok();
    village.supervisor.post(&counts, told(None)).await.ok();
    village.chair.post(&format!("{vote}/paper/signature"), json!({})).await.ok();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_meeting_that_is_called_off_after_the_last_ballot_takes_nothing_from_the_result() {
    let (app, village) = Village::start().await;
    let rain = json!({ "reason": "下雨，不开了" });
    for is_in_time in [true, false] {
        let (vote, meeting) = of_representatives(&app, &village).await;
        if is_in_time {
            village.chair.post(&format!("{meeting}/cancel"), rain.clone()).await.ok();
        }
        app.pass(TimeDelta::days(2)).await;
        assert_eq!(app.get(&vote).await.ok()["state"], "counting_paper");
        if !is_in_time {
            village.chair.post(&format!("{meeting}/cancel"), rain.clone()).await.ok();
        }
        counted(&village, &vote).await;
        let result = app.get(&format!("{vote}/result")).await.ok();
        assert_eq!(result["is_binding"], !is_in_time, "{result}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_counted_does_not_answer_that_the_count_is_wrong() {
    let (app, village) = Village::start().await;
    let (vote, _) = of_representatives(&app, &village).await;
    app.pass(TimeDelta::days(2)).await;
    counted(&village, &vote).await;
    let challenges = format!("{vote}/challenges");
    let raised = village.representatives[0].post(&challenges, json!({ "reason": "票数错了" })).await.ok();
    let answer = format!("{challenges}/{}/answer", raised["id"].as_str().unwrap());
    let no = json!({ "upholds": false, "answer": "没有数错" });
    for (who, did) in [(&village.clerk, "counted"), (&village.chair, "signed")] {
        assert_eq!(who.post(&answer, no.clone()).await.refused(), "second_person_needed", "who {did}");
    }
    app.pass(TimeDelta::days(6)).await;
    assert_eq!(village.supervisor.post(&answer, no.clone()).await.refused(), "second_person_needed");
    assert_eq!(village.town.post(&answer, no).await.ok()["state"], "rejected");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_office_neither_counts_alone_nor_lets_the_count_lie() {
    let (app, village) = Village::start().await;
    let vote = opened(&app, &village, json!({})).await;
    let mut last = Value::Null;
    for elector in ["00007", "00008", "00010"] {
        let own = number(&village.villager(&app, elector).await, &vote).await;
        last = issue(&village.clerk, &vote, own).await.ok()["serial"].clone();
    }
    app.pass(TimeDelta::days(7)).await;
    let todo = String::from_utf8(village.supervisor.download("/desk").await.1).unwrap();
    assert!(
        todo.contains(&format!("/desk{}/paper", &vote[3..])),
        "nobody beside the office knows that it counts: {todo}"
    );
    let (counts, sign) = (format!("{vote}/paper/counts"), format!("{vote}/paper/signature"));
    let (end, lost) = (format!("{vote}/paper/sheets/{last}/end"), json!({ "outcome": "lost" }));
    let told = |photo| tally(json!({ "for": 3 }), (0, 0), photo);
    village.clerk.post(&counts, told(photo(&village.clerk).await)).await.ok();
    assert_eq!(village.chair.post(&counts, told(None)).await.ok()["balance"], "exact");
    assert_eq!(village.chair.post(&sign, json!({})).await.refused(), "paper_not_counted", "the office counted alone");
    // the town counts with them, and one is missing: the office would have to say that it is lost
    let short = |photo| tally(json!({ "for": 2 }), (0, 0), photo);
    village.town.post(&counts, short(None)).await.ok();
    village.clerk.post(&counts, short(photo(&village.clerk).await)).await.ok();
    assert_eq!(village.chair.post(&counts, short(None)).await.ok()["balance"], "short");
    assert_eq!(village.supervisor.post(&end, lost.clone()).await.refused(), "not_allowed");
    assert_eq!(village.town.post(&sign, json!({})).await.refused(), "not_allowed");
    let desk = async || {
        let page = village.supervisor.download(&format!("/desk{}/paper", &vote[3..])).await.1;
        String::from_utf8(page).unwrap()
    };
    assert!(!desk().await.contains("/paper/sign\""), "it is the office's to sign");
    // it says nothing: after its days who stands in for it does, but not who counted
    app.pass(TimeDelta::days(6)).await;
    assert!(desk().await.contains("/paper/sign\""));
    assert_eq!(village.town.post(&end, lost.clone()).await.refused(), "second_person_needed");
    assert_eq!(village.supervisor.post(&end, lost).await.ok()["state"], "lost");
    village.town.post(&sign, json!({})).await.ok();
    village.town.post(&sign, json!({})).await.ok();
    let count = app.get(&format!("{vote}/result")).await.ok()["count"].clone();
    assert_eq!((&count["present"], &count["yes"]), (&json!(2), &json!(2)), "{count}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn by_a_phone_that_the_roster_changed_since_the_roll_nobody_casts() {
    let (app, village) = Village::start().await;
    let ballot = || json!({ "cast_id": Uuid::new_v4(), "choice": "for" });
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let vote = format!("/v1/votes/{}/ballots", village.open_vote(&app, &matter, TimeDelta::days(20)).await);
    let before = ballot();
    let receipt = village.villager(&app, "00008").await.post(&vote, before.clone()).await.ok();
    // of one who has not cast, and of one who has
    let changed = ROSTER.replace("19500000007", "19612340007").replace("19500000008", "19612340008");
    import(&app.app, changed.into_bytes()).await;
    app.settle().await;
    let told = "SELECT count(*) FROM entries WHERE kind = 'card' AND body LIKE '%花名册换了 2 人的手机号%'";
    assert_eq!(count(app.folder.path(), told).await, 2, "the town's office and the supervision committee");
    // and whoever had it hears of it where no clerk is in between
    app.settle().await;
    let sms = std::fs::read_to_string(app.folder.path().join("sms.txt")).unwrap();
    for old in ["19500000007", "19500000008"] {
        assert!(sms.contains(&format!("notice {old} phone_replaced")), "{sms}");
    }
    assert_eq!(count(app.folder.path(), "SELECT count(*) FROM replaced_phones").await, 0);
    let taken_over = village.villager(&app, "00007").await;
    assert_eq!(taken_over.post(&vote, ballot()).await.refused(), "phone_unproven");
    let again = village.villager(&app, "00008").await.post(&vote, before).await.ok();
    assert_eq!(again, receipt, "what was cast before stands");
    village.villager(&app, "00009").await.post(&vote, ballot()).await.ok();
    // on the roll of a vote to come it is as good as any
    let matter = village.matter_to_decide(&app, "修一条路").await;
    let next = format!("/v1/votes/{}/ballots", village.open_vote(&app, &matter, TimeDelta::days(2)).await);
    taken_over.post(&next, ballot()).await.ok();
    // and when a second person has approved it
    let claim = format!("/v1/people/{}/claims", taken_over.person);
    village.clerk.post(&claim, json!({ "phone": "19612340007" })).await.ok();
    let waiting = village.chair.get(&format!("/v1/areas/{}/claims", village.area)).await.ok();
    let decision = format!("/v1/claims/{}/decision", waiting["claims"][0]["id"].as_str().unwrap());
    village.chair.post(&decision, json!({ "approve": true })).await.ok();
    village.villager(&app, "00007").await.post(&vote, ballot()).await.ok();
    app.stop().await;
}
