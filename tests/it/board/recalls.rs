//! 罢免: a member of the village committee is voted out only when enough asked for it, in its days, and not again for the same.
use chrono::{NaiveDate, TimeDelta};
use liusheng::clock;
use serde_json::{Value, json};

use super::{
    key_pairs,
    paper::{issue, photo, tally},
    votes::checked,
};
use crate::support::{TestApp, Village, person_of};

/// An assembly of the village in so many days.
async fn called(app: &TestApp, village: &Village, days: i64) -> Value {
    let call = json!({ "area_code": village.area, "body_id": village.committee, "audience": "villagers",
        "title": "罢免大会", "agenda": "表决罢免要求", "place": "文化礼堂",
        "starts_at": app.app.now() + TimeDelta::days(days) });
    village.chair.post("/v1/meetings", call).await.ok()["id"].clone()
}

fn day(app: &TestApp, days_ago: i64) -> NaiveDate {
    clock::local_date(app.app.now()) - TimeDelta::days(days_ago)
}

/// A vote with a petition that the law takes: twelve of fifty-six.
fn ask(app: &TestApp, meeting: &Value, member: &Value) -> Value {
    json!({ "meeting_id": meeting, "question": "是否同意罢免费海荣的委员职务？", "preset": "committee_recall",
        "secrecy": "paper", "has_paper": true, "closes_at": app.app.now() + TimeDelta::days(13),
        "recall": { "member_id": member, "signed_by": "electors", "signatures": 12, "received_on": day(app, 0),
            "cause": "修路款去向不明", "defence": "账目已经交村监委核对" } })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_is_voted_out_whom_too_few_asked_to_recall_or_too_late_or_again() {
    let (app, village) = Village::start().await;
    let member = json!(person_of(&app.app, &village.area, "00007").await);
    let clerk = json!(village.clerk.person);
    let seat = json!({ "person_id": member, "role": "member" });
    village.town.post(&format!("/v1/bodies/{}/seats", village.committee), seat).await.ok();
    let meeting = called(&app, &village, 12).await;
    let good = ask(&app, &meeting, &member);
    for (field, value, code) in [
        ("signatures", json!(11), "too_few_signatures"),
        ("signatures", json!(0), "too_few_signatures"),
        ("signatures", json!(57), "out_of_range"),
        // who works for the committee does not sit in it
        ("member_id", clerk, "not_a_member"),
        ("received_on", json!(day(&app, -1)), "out_of_range"),
        ("received_on", json!(day(&app, 120)), "recall_days_over"),
        ("received_on", json!("1800-01-01"), "out_of_range"),
        ("cause", json!("x"), "too_short"),
        ("defence", json!(""), "required"),
        ("differs", json!("x"), "too_short"),
    ] {
        let mut wrong = good.clone();
        wrong["recall"][field] = value;
        let refused = village.chair.post("/v1/votes", wrong).await;
        assert!(refused.body.to_string().contains(code), "{field}: {}", refused.body);
    }
    let mut few = good.clone();
    (few["recall"]["signed_by"], few["recall"]["signatures"]) = (json!("representatives"), json!(1));
    let refused = village.chair.post("/v1/votes", few).await;
    assert!(refused.body.to_string().contains("too_few_signatures"), "one of five: {}", refused.body);
    for (field, value, code) in [
        ("recall", Value::Null, "required"),
        ("options", json!(["罢免", "留任"]), "only_a_motion"),
        ("preset", json!("committee_election_round1"), "not_of_a_recall"),
    ] {
        let mut wrong = good.clone();
        wrong[field] = value;
        let refused = village.chair.post("/v1/votes", wrong).await;
        assert!(refused.body.to_string().contains(code), "{field}: {}", refused.body);
    }
    let desk = village.chair.download(&format!("/desk/meetings/{}", meeting.as_str().unwrap())).await;
    let desk = String::from_utf8(desk.1).unwrap();
    assert!(desk.contains("罢免谁") && desk.contains("费海荣") && desk.contains("三分之一以上"), "{desk}");
    let vote = village.chair.post("/v1/votes", good).await.ok();
    let said = "12 名有选举权的村民联名（全村 56 名";
    let law = vote["law"].as_str().unwrap();
    assert!(law.contains(said) && law.contains("罢免理由：修路款去向不明") && !law.contains("第35条"), "{law}");
    let id = vote["id"].as_str().unwrap().to_owned();
    let page = village.villager(&app, "00010").await.download(&format!("/votes/{id}")).await;
    let page = String::from_utf8(page.1).unwrap();
    assert!(page.contains("本人申辩：账目已经交村监委核对"), "{page}");
    // nobody comes: it is not carried, and the archive says who asked for it
    app.pass(TimeDelta::days(14)).await;
    assert_eq!(app.get(&format!("/v1/votes/{id}/result")).await.ok()["outcome"], "not_passed");
    let archive = checked(&app, &id, &[]).await;
    assert!(archive["manifest"]["law"].as_str().unwrap().contains(said), "{}", archive["manifest"]);
    // as long as that may be challenged it is not over, and nothing came of it or did not
    let early = ask(&app, &called(&app, &village, 12).await, &member);
    assert_eq!(village.chair.post("/v1/votes", early).await.refused(), "wrong_state");
    app.pass(TimeDelta::days(8)).await;
    app.pass(TimeDelta::minutes(5)).await;
    assert_eq!(app.get(&format!("/v1/votes/{id}/result")).await.ok()["settlement"], "final");
    // within a year it is asked for again for another cause alone; late it is the town that sees to it
    let meeting = called(&app, &village, 12).await;
    let mut again = ask(&app, &meeting, &member);
    again["recall"]["received_on"] = json!(day(&app, 40));
    let refused = village.chair.post("/v1/votes", again.clone()).await;
    assert!(refused.body.to_string().contains("same_cause_too_soon"), "{}", refused.body);
    again["recall"]["differs"] = json!("审计另外查出一笔");
    (again["recall"]["signed_by"], again["recall"]["signatures"]) = (json!("representatives"), json!(2));
    let law = village.chair.post("/v1/votes", again).await.ok()["law"].to_string();
    assert!(law.contains("2 名村民代表联名（共 5 名") && law.contains("审计另外查出一笔"), "{law}");
    assert!(law.contains("由乡镇人民政府指导"), "{law}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_a_vote_recalls_has_no_hand_in_it_and_it_runs_once() {
    let (app, village) = Village::start().await;
    let meeting = called(&app, &village, 12).await;
    let asked = ask(&app, &meeting, &json!(village.chair.person));
    let own = village.chair.post("/v1/votes", asked.clone()).await;
    assert!(own.body.to_string().contains("not_yourself"), "{}", own.body);
    let vote = village.clerk.post("/v1/votes", asked.clone()).await.ok();
    assert_eq!(village.clerk.post("/v1/votes", asked.clone()).await.refused(), "wrong_state", "one at a time");
    let (id, sheet) = (vote["id"].as_str().unwrap(), json!({ "number": 1 }));
    let path = format!("/v1/votes/{id}");
    assert_eq!(vote["recalled_id"], json!(village.chair.person));
    assert_eq!(village.chair.download(&format!("/desk/votes/{id}/doors")).await.0, 403);
    assert_eq!(village.chair.download(&format!("/votes/{id}/doors")).await.0, 403);
    assert_eq!(village.clerk.download(&format!("/desk/votes/{id}/doors")).await.0, 200);
    // nor casts for the own wife
    let wife = village.villager(&app, "00002").await;
    let husband = json!({ "agent": { "name": "章建明", "roster_number": "00001" }, "relation": "spouse" });
    assert_eq!(wife.post(&format!("{path}/proxies"), husband).await.refused(), "proxy_not_allowed");
    assert_eq!(village.chair.post(&format!("{path}/paper/sheets"), sheet.clone()).await.refused(), "not_allowed");
    village.clerk.post(&format!("{path}/paper/sheets"), sheet).await.ok();
    let (annul, why) = (format!("{path}/annul"), json!({ "reason": "不作数", "authority": "村委会" }));
    assert_eq!(village.chair.post(&annul, why.clone()).await.refused(), "not_allowed");
    app.pass(TimeDelta::days(14)).await;
    let figures = json!({ "box": 1, "figures": { "votes": { "against": 1 } } });
    assert_eq!(village.chair.post(&format!("{path}/paper/counts"), figures).await.refused(), "not_allowed");
    // nor calls its meeting off
    let off = format!("/v1/meetings/{}/cancel", meeting.as_str().unwrap());
    let reason = json!({ "reason": "下雨，不开了" });
    assert_eq!(village.chair.post(&off, reason.clone()).await.refused(), "not_allowed");
    assert_eq!(village.clerk.post(&off, reason).await.ok()["state"], "cancelled", "others may");
    // what the chair says elsewhere the town says here
    let (end, lost) = (format!("{path}/paper/sheets/1/end"), json!({ "outcome": "lost" }));
    assert_eq!(village.chair.post(&end, lost.clone()).await.refused(), "not_allowed");
    assert_eq!(village.town.post(&end, lost).await.ok()["state"], "lost");
    assert_eq!(village.town.post(&annul, why).await.ok()["state"], "annulled");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_a_secret_vote_recalls_makes_none_of_its_keys_and_opens_no_box() {
    let (app, village) = Village::start().await;
    let member = village.villager(&app, "00007").await;
    let seat = json!({ "person_id": member.person, "role": "member" });
    village.town.post(&format!("/v1/bodies/{}/seats", village.committee), seat).await.ok();
    app.settle().await;
    let mut asked = ask(&app, &called(&app, &village, 12).await, &json!(village.chair.person));
    (asked["secrecy"], asked["has_paper"]) = (json!("secret"), json!(false));
    let vote = village.clerk.post("/v1/votes", asked).await.ok();
    let path = format!("/v1/votes/{}", vote["id"].as_str().unwrap());
    let (public, private) = key_pairs(1).remove(0);
    let key = json!({ "trustee": "committee", "public_key": public });
    assert_eq!(village.chair.post(&format!("{path}/keys"), key.clone()).await.refused(), "not_allowed");
    let of = |trustee: &str| json!({ "trustee": trustee, "private_key": private });
    let both = json!({ "keys": [of("committee"), of("town")] });
    assert_eq!(village.chair.post(&format!("{path}/opening"), both.clone()).await.refused(), "not_allowed");
    let made = member.post(&format!("{path}/keys"), key).await.ok();
    assert!(made.to_string().contains(&public), "another of the committee does: {made}");
    assert_eq!(member.post(&format!("{path}/opening"), both).await.refused(), "wrong_state");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whom_the_electors_voted_out_leaves_the_seat_when_the_result_stands() {
    let (app, village) = Village::start().await;
    let meeting = called(&app, &village, 12).await;
    let vote = village.clerk.post("/v1/votes", ask(&app, &meeting, &json!(village.chair.person))).await.ok();
    let path = format!("/v1/votes/{}", vote["id"].as_str().unwrap());
    let sits = async || {
        let bodies = app.get(&format!("/v1/areas/{}/bodies", village.area)).await.ok();
        let all = bodies["items"].as_array().unwrap();
        let committee = all.iter().find(|body| body["kind"] == "village_committee").unwrap();
        let seats = committee["seats"].as_array().unwrap();
        seats.iter().any(|seat| seat["person_id"] == json!(village.chair.person))
    };
    for number in 1..=30 {
        issue(&village.clerk, &path, number).await.ok();
    }
    app.pass(TimeDelta::days(14)).await;
    let counted = |photo| tally(json!({ "for": 25, "against": 5 }), (0, 0), photo);
    village.clerk.post(&format!("{path}/paper/counts"), counted(photo(&village.clerk).await)).await.ok();
    village.supervisor.post(&format!("{path}/paper/counts"), counted(None)).await.ok();
    village.clerk.post(&format!("{path}/paper/signature"), json!({})).await.ok();
    app.settle().await;
    assert_eq!(app.get(&format!("{path}/result")).await.ok()["outcome"], "passed");
    assert!(sits().await, "while it may be challenged nothing follows");
    app.pass(TimeDelta::days(8)).await;
    app.settle().await;
    assert_eq!(app.get(&format!("{path}/result")).await.ok()["settlement"], "final");
    assert!(!sits().await, "voted out, and sits there still");
    app.stop().await;
}
