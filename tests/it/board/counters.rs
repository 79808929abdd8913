//! Counting paper: who does not come back is replaced by two people, and a ballot may name several.
use chrono::TimeDelta;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Sealed,
    paper::{issue, leaves, number, opened, photo, tally},
    votes::checked,
};
use crate::support::{Somebody, TestApp, Village, count};

/// Sheets for these electors.
async fn issued(app: &TestApp, village: &Village, vote: &str, electors: &[&str]) {
    for elector in electors {
        let own = number(&village.villager(app, elector).await, vote).await;
        issue(&village.clerk, vote, own).await.ok();
    }
}

fn replacing(who: &Somebody, reason: &str) -> Value {
    json!({ "box": 1, "counter_id": who.person, "reason": reason })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_counter_who_does_not_come_back_is_replaced_by_two_who_counted_nothing() {
    let (app, village) = Village::start().await;
    let vote = opened(&app, &village, json!({})).await;
    issued(&app, &village, &vote, &["00007", "00008"]).await;
    app.pass(TimeDelta::days(7)).await;
    let (counts, sign) = (format!("{vote}/paper/counts"), format!("{vote}/paper/signature"));
    let (propose, confirm) = (format!("{vote}/paper/replacements"), format!("{vote}/paper/replacements/confirm"));
    let right = |photo| tally(json!({ "for": 2 }), (0, 0), photo);
    // the clerk wrote something else, and has left the village
    village.clerk.post(&counts, tally(json!({ "for": 1, "against": 1 }), (0, 0), None)).await.ok();
    village.supervisor.post(&counts, right(photo(&village.supervisor).await)).await.ok();
    assert_eq!(village.chair.post(&sign, json!({})).await.refused(), "paper_not_counted");
    let gone = replacing(&village.clerk, "外出打工，联系不上");
    let elector = village.villager(&app, "00007").await;
    assert_eq!(elector.post(&propose, gone.clone()).await.refused(), "not_allowed");
    assert_eq!(village.supervisor.post(&propose, gone.clone()).await.refused(), "second_person_needed", "who counted");
    assert_eq!(village.chair.post(&propose, replacing(&village.chair, "没有点过")).await.refused(), "not_found");
    assert_eq!(village.town.post(&confirm, gone.clone()).await.refused(), "wrong_state", "nobody proposed it");
    village.chair.post(&propose, gone.clone()).await.ok();
    assert_eq!(village.chair.post(&confirm, gone.clone()).await.refused(), "second_person_needed");
    let other = replacing(&village.clerk, "别的理由");
    assert_eq!(village.town.post(&confirm, other).await.refused(), "changed");
    let desk = String::from_utf8(village.chair.download(&format!("/desk{}/paper", &vote[3..])).await.1).unwrap();
    assert!(desk.contains("等另一位确认") && !desk.contains("确认换人"), "{desk}");
    let seen = village.town.post(&confirm, gone.clone()).await.ok();
    assert_eq!(seen["boxes"][0]["counts"], 1, "{seen}");
    village.town.post(&confirm, gone.clone()).await.ok();
    assert_eq!(village.chair.post(&propose, gone).await.refused(), "wrong_state");
    app.settle().await;
    let told = "SELECT count(*) FROM entries WHERE kind = 'card' AND body LIKE '%您点的票箱改由别人点%'";
    assert_eq!(count(app.folder.path(), told).await, 1, "whoever was set aside is not told");
    // who was replaced counts no more there, and one count alone signs nothing
    assert_eq!(village.clerk.post(&counts, right(None)).await.refused(), "not_allowed");
    assert_eq!(village.chair.post(&sign, json!({})).await.refused(), "paper_not_counted");
    village.chair.post(&counts, right(None)).await.ok();
    village.chair.post(&sign, json!({})).await.ok();
    assert_eq!(app.get(&format!("{vote}/result")).await.ok()["count"]["yes"], 2);
    checked(&app, &vote[10..], &[]).await;
    let told = app.get(&format!("{vote}/turnout")).await.ok()["replacements"].to_string();
    assert!(told.contains("联系不上") && !told.contains(&village.clerk.person.to_string()), "{told}");
    let page = app.http.get(app.url(&format!("{}/result", &vote[3..]))).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("联系不上"), "{page}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_office_alone_replaces_nobody() {
    let (app, village) = Village::start().await;
    let vote = opened(&app, &village, json!({})).await;
    issued(&app, &village, &vote, &["00007", "00008"]).await;
    app.pass(TimeDelta::days(7)).await;
    let propose = format!("{vote}/paper/replacements");
    let unwelcome = tally(json!({ "against": 2 }), (0, 0), None);
    village.supervisor.post(&format!("{vote}/paper/counts"), unwelcome).await.ok();
    let gone = replacing(&village.supervisor, "不来了");
    village.chair.post(&propose, gone.clone()).await.ok();
    let alone = village.clerk.post(&format!("{propose}/confirm"), gone).await;
    assert_eq!(alone.body["code"], "second_person_needed", "two of the office silenced who supervises it");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_ballot_on_paper_may_name_several_and_is_counted_as_one() {
    let (app, village) = Village::start().await;
    let options = json!({ "options": ["甲", "乙", "丙"], "seats": 2, "challenge_days": 0 });
    let vote = opened(&app, &village, options).await;
    let phone = village.villager(&app, "00014").await;
    phone.post(&format!("{vote}/ballots"), json!({ "cast_id": Uuid::new_v4(), "choices": ["1", "3"] })).await.ok();
    issued(&app, &village, &vote, &["00007", "00008", "00010", "00011", "00012"]).await;
    app.pass(TimeDelta::days(7)).await;
    let counts = format!("{vote}/paper/counts");
    for wrong in ["2,1", "1,1", "1,2,3", "4"] {
        let told = village.clerk.post(&counts, tally(json!({ wrong: 1 }), (0, 0), None)).await;
        assert_eq!(told.refused(), "invalid_fields", "{wrong}");
    }
    let told = |photo| tally(json!({ "1,2": 2, "2": 1 }), (1, 1), photo);
    village.clerk.post(&counts, told(photo(&village.clerk).await)).await.ok();
    let seen = village.supervisor.post(&counts, told(None)).await.ok();
    assert_eq!((&seen["counted"], &seen["balance"]), (&json!(5), &json!("exact")), "five sheets, whatever they name");
    let desk = String::from_utf8(village.clerk.download(&format!("/desk{}/paper", &vote[3..])).await.1).unwrap();
    assert!(desk.contains("甲、乙 2") && desk.contains("每张票一行"), "{desk}");
    let printed = village.clerk.download(&format!("/desk{}/paper/print", &vote[3..])).await.1;
    assert!(String::from_utf8(printed).unwrap().contains("最多在 2 个方框里打勾"));
    village.chair.post(&format!("{vote}/paper/signature"), json!({})).await.ok();
    let result = app.get(&format!("{vote}/result")).await.ok();
    let votes: Vec<u64> =
        result["choice"]["options"].as_array().unwrap().iter().map(|one| one["votes"].as_u64().unwrap()).collect();
    assert_eq!(votes, [3, 3, 1]);
    let count = &result["count"];
    assert_eq!(
        (&count["present"], &count["yes"], &count["abstain"], &count["invalid"]),
        (&json!(6), &json!(4), &json!(1), &json!(1))
    );
    let archive = checked(&app, &vote[10..], &[]).await;
    assert_eq!(leaves(&archive, "paper")[0]["votes"], json!({ "1,2": 2, "2": 1 }));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_secret_choice_on_paper_each_ballot_is_published_among_the_sealed_ones() {
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let more = json!({ "options": ["甲", "乙", "丙"], "seats": 2, "has_paper": true,
        "closes_at": app.app.now() + TimeDelta::days(6) });
    let vote = Sealed::open(&app, &village, &matter, more).await;
    let phone = village.villager(&app, "00014").await;
    let ballot = json!({ "cast_id": Uuid::new_v4(), "choices": ["1", "2"] });
    phone.post(&vote.path("/ballots"), ballot).await.ok();
    issued(&app, &village, &vote.path(""), &["00007", "00008"]).await;
    app.pass(TimeDelta::days(7)).await;
    // typed at the desk as it was called: a line for each ballot
    for (who, photo) in [(&village.clerk, true), (&village.supervisor, false)] {
        let mut told = tally(json!({ "1,2": 1, "3": 1 }), (0, 0), None);
        told["photo_id"] = if photo { super::paper::photo(who).await.unwrap() } else { Value::Null };
        who.post(&vote.path("/paper/counts"), told).await.ok();
    }
    village.chair.post(&vote.path("/paper/signature"), json!({})).await.ok();
    village.chair.post(&vote.path("/opening"), vote.two(0, 1)).await.ok();
    let archive = checked(&app, &vote.id, &[]).await;
    assert_eq!(archive["plaintexts"], json!([["1", "2"], ["1", "2"], ["3"]]));
    assert!(leaves(&archive, "paper")[0].get("votes").is_none(), "what a few on paper chose is told apart");
    app.stop().await;
}

/// The form of the desk: lines as they were called, several alike in one.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_desk_types_a_line_for_each_ballot() {
    let (app, village) = Village::start().await;
    let vote = opened(&app, &village, json!({ "options": ["甲", "乙", "丙"], "seats": 2 })).await;
    issued(&app, &village, &vote, &["00007", "00008", "00010", "00011"]).await;
    app.pass(TimeDelta::days(7)).await;
    let send = async |lines: &str| {
        let form =
            reqwest::multipart::Form::new().text("box", "1").text("ballots", lines.to_owned()).text("abstain", "1");
        let path = format!("/desk{}/paper/count", &vote[3..]);
        let form =
            village.clerk.request(reqwest::Method::POST, &path).header("sec-fetch-site", "same-origin").multipart(form);
        form.send().await.unwrap().status().as_u16()
    };
    let endless = "1 x18446744073709551615\n1 x18446744073709551615";
    for wrong in ["1 2 3", "4", "1 x0", "1 2 x", "甲", endless] {
        assert_eq!(send(wrong).await, 422, "{wrong}");
    }
    assert_eq!(send("2 1\n\n3、1\n1，2 x1\n").await, 303);
    let seen = village.clerk.get(&format!("{vote}/paper")).await.ok();
    assert_eq!(seen["boxes"][0]["own"]["votes"], json!({ "1,2": 2, "1,3": 1 }), "{seen}");
    app.stop().await;
}
