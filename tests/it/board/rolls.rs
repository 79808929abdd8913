//! The roll that hangs before a vote: who is missing, who should not be on it, and changes that two people make and all see.
use chrono::TimeDelta;
use liusheng::board::sealing::Trustee;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{key_pairs, votes::checked};
use crate::support::{Somebody, TestApp, Village, import, person_of};

const ROSTER: &str = include_str!("../../data/roster_small.csv");

fn ballot() -> Value {
    json!({ "cast_id": Uuid::new_v4(), "choice": "for" })
}

fn objection(kind: &str, name: &str) -> Value {
    json!({ "kind": kind, "about": { "name": name }, "reason": "大家都知道" })
}

/// Decided by one, confirmed by another.
async fn settled(by: (&Somebody, &Somebody), objections: &str, (id, upholds): (&Value, bool)) -> Value {
    let at = format!("{objections}/{}", id.as_str().unwrap());
    let decision = json!({ "upholds": upholds, "reason": "经核对，按组织法办理" });
    assert_eq!(by.0.post(&format!("{at}/decision"), decision).await.ok()["state"], "proposed");
    assert_eq!(by.0.post(&format!("{at}/confirm"), json!(null)).await.refused(), "second_person_needed");
    by.1.post(&format!("{at}/confirm"), json!(null)).await.ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_roll_hangs_before_the_vote_and_changes_only_by_two_people_on_the_board() {
    let app = TestApp::start().await;
    let village = Village::found(&app).await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let mut ask = json!({ "matter_id": matter, "question": "是否同意？", "preset": "village_assembly_person",
        "roll_days": 31, "closes_at": app.app.now() + TimeDelta::days(10) });
    assert_eq!(village.chair.post("/v1/votes", ask.clone()).await.refused(), "invalid_fields");
    ask["roll_days"] = json!(10);
    let late = village.chair.post("/v1/votes", ask.clone()).await;
    assert!(late.body.to_string().contains("closes_at"), "it would close before it opens: {}", late.body);
    ask["roll_days"] = json!(5);
    let vote = village.chair.post("/v1/votes", ask).await.ok();
    let path = format!("/v1/votes/{}", vote["id"].as_str().unwrap());
    let (objections, ballots) = (format!("{path}/roll/objections"), format!("{path}/ballots"));
    assert_eq!((&vote["state"], vote["opens_at"].as_str().unwrap().contains("T00:00:00")), (&json!("posted"), true));
    // what hangs is what the manifest binds
    let roll = app.get(&format!("{path}/roll")).await.ok();
    let manifest = app.get(&format!("{path}/manifest")).await.ok();
    assert_eq!((&roll["root"], &roll["frozen"]), (&manifest["roll"]["root"], &manifest["roll"]["n"]));
    assert_eq!(manifest["opens"].as_str().unwrap(), "2026-11-19T16:00:00Z", "{manifest}");
    app.settle().await;
    assert!(village.cards(&app, &matter).await.contains("名册公示：是否同意？"));
    let (resident, wrongly) = (village.villager(&app, "00007").await, village.villager(&app, "00020").await);
    assert_eq!(resident.post(&ballots, ballot()).await.refused(), "vote_not_open");
    // somebody is missing whom the roster does not know: the office puts the roster right first
    let missing = resident.post(&objections, objection("missing", "费新生")).await.ok();
    assert_eq!((&missing["state"], &missing["is_on_roster"]), (&json!("open"), &json!(false)));
    let at = format!("{objections}/{}", missing["id"].as_str().unwrap());
    let upholds = json!({ "upholds": true, "reason": "漏登" });
    assert_eq!(resident.post(&format!("{at}/decision"), upholds.clone()).await.refused(), "not_allowed");
    let unknown = village.clerk.post(&format!("{at}/decision"), upholds).await;
    assert!(unknown.body.to_string().contains("not_on_roster"), "{}", unknown.body);
    import(&app.app, format!("{ROSTER}00060,H003,330521103202,4,费新生,男,1990-01-02,,,子,1,1\n")).await;
    assert_eq!(village.chair.post(&format!("{at}/confirm"), json!(null)).await.refused(), "wrong_state");
    let upheld = settled((&village.clerk, &village.chair), &objections, (&missing["id"], true)).await;
    assert_eq!(upheld["state"], "upheld");
    assert_eq!(village.chair.post(&format!("{at}/confirm"), json!(null)).await.ok(), upheld, "sent again");
    // who is on it cannot be missing, who is not on it cannot be wrong on it
    let known = resident.post(&objections, json!({ "kind": "missing", "reason": "没有我" })).await;
    assert!(known.body.to_string().contains("already_on_roll"), "{}", known.body);
    assert_eq!(resident.post(&objections, objection("wrong", "无此人")).await.refused(), "not_on_roll");
    // somebody has died; who wrote it down decides, another confirms
    let died = village.clerk.post(&objections, objection("wrong", "沈静芳")).await.ok();
    settled((&village.clerk, &village.chair), &objections, (&died["id"], true)).await;
    // and one that is not right
    let other = resident.post(&objections, objection("wrong", "俞美娟")).await.ok();
    settled((&village.chair, &village.clerk), &objections, (&other["id"], false)).await;
    let roll = app.get(&format!("{path}/roll")).await.ok();
    let n = roll["frozen"].as_i64().unwrap();
    assert_eq!((&roll["on_roll"], &roll["open_objections"]), (&json!(n), &json!(0)), "one more, one less");
    let told = roll["amendments"].to_string();
    assert!(told.contains("补入") && told.contains("划去") && !told.contains("沈静芳"), "{told}");
    let entries = app.get(&format!("{path}/board/entries")).await.ok()["items"].to_string();
    assert_eq!(entries.matches("amend").count(), 2, "the roll is not what the board says: {entries}");
    // the list for the village is masked, the sheet of the office is not; neither has a phone
    let listed = resident.get(&format!("{path}/roll/entries?limit=100")).await.ok().to_string();
    assert!(listed.contains("费**") && !listed.contains("费海荣"), "{listed}");
    let sheet = village.chair.download(&format!("/desk/votes/{}/roll", vote["id"].as_str().unwrap())).await;
    let sheet = String::from_utf8(sheet.1).unwrap();
    assert!(sheet.contains("费海荣") && !sheet.contains("19500000007") && !sheet.contains("1970"), "{sheet}");
    let page = resident.download(&format!("/votes/{}/roll", vote["id"].as_str().unwrap())).await;
    assert!(String::from_utf8(page.1).unwrap().contains("您在名册上"));
    // it opens by the clock; from then on residents object no more, and the office writes down a death still
    app.pass(TimeDelta::days(6)).await;
    assert_eq!(app.get(&path).await.ok()["state"], "open");
    assert_eq!(resident.post(&objections, objection("wrong", "俞美娟")).await.refused(), "roll_objection_too_late");
    let added = Somebody::signed_in(&app, person_of(&app.app, &village.area, "00060").await).await;
    added.post(&ballots, ballot()).await.ok();
    assert_eq!(wrongly.post(&ballots, ballot()).await.refused(), "not_on_roll");
    resident.post(&ballots, ballot()).await.ok();
    let cast = village.clerk.post(&objections, objection("wrong", "费海荣")).await.ok();
    let decision = json!({ "upholds": true, "reason": "已经去世" });
    let at = format!("{objections}/{}/decision", cast["id"].as_str().unwrap());
    assert_eq!(village.chair.post(&at, decision).await.refused(), "already_cast", "a ballot that is there stands");
    app.pass(TimeDelta::days(5)).await;
    let result = app.get(&format!("{path}/result")).await.ok();
    assert_eq!((&result["count"]["on_roll"], &result["count"]["present"]), (&json!(n), &json!(2)));
    let archive = checked(&app, vote["id"].as_str().unwrap(), &[]).await;
    let amends: Vec<&Value> =
        archive["entries"].as_array().unwrap().iter().filter(|entry| entry["k"] == "amend").collect();
    assert_eq!((&amends[0]["op"], &amends[0]["n"], &amends[1]["op"]), (&json!("add"), &json!(n + 1), &json!("strike")));
    assert_eq!(archive["roll"].as_array().unwrap().len(), usize::try_from(n).unwrap(), "the frozen roll is untouched");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_secret_vote_waits_for_its_keys_and_its_roll_and_who_was_struck_by_mistake_comes_back() {
    let app = TestApp::start().await;
    let village = Village::found(&app).await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let ask = json!({ "matter_id": matter, "question": "是否同意？", "preset": "village_assembly_household",
        "secrecy": "secret", "roll_days": 3, "closes_at": app.app.now() + TimeDelta::days(8) });
    let vote = village.chair.post("/v1/votes", ask).await.ok();
    let (id, path) = (vote["id"].as_str().unwrap(), format!("/v1/votes/{}", vote["id"].as_str().unwrap()));
    assert_eq!(vote["state"], "waiting_keys");
    let objections = format!("{path}/roll/objections");
    // before there is a board; of a household anybody of it is named
    let gone = village.clerk.post(&objections, objection("wrong", "欧阳静芳")).await.ok();
    settled((&village.clerk, &village.chair), &objections, (&gone["id"], true)).await;
    for ((trustee, (public, _)), holder) in
        Trustee::ALL.into_iter().zip(key_pairs(3)).zip([&village.chair, &village.supervisor, &village.town])
    {
        holder.post(&format!("{path}/keys"), json!({ "trustee": trustee, "public_key": public })).await.ok();
    }
    assert_eq!(app.get(&path).await.ok()["state"], "posted", "the keys are there, the roll still hangs");
    let resident = village.villager(&app, "00010").await;
    assert_eq!(resident.post(&format!("{path}/ballots"), ballot()).await.refused(), "not_on_roll", "struck by mistake");
    let other = village.villager(&app, "00007").await;
    assert_eq!(other.post(&format!("{path}/ballots"), ballot()).await.refused(), "vote_not_open");
    let back = resident.post(&objections, json!({ "kind": "missing", "reason": "我家没有迁走" })).await.ok();
    settled((&village.clerk, &village.chair), &objections, (&back["id"], true)).await;
    app.pass(TimeDelta::days(4)).await;
    assert_eq!(app.get(&path).await.ok()["state"], "open");
    resident.post(&format!("{path}/ballots"), ballot()).await.ok();
    app.pass(TimeDelta::days(5)).await;
    assert_eq!(app.get(&path).await.ok()["state"], "counting");
    let entries = app.get(&format!("{path}/board/entries")).await.ok()["items"].to_string();
    assert!(entries.contains("strike") && entries.contains("restore"), "{entries}");
    let roll = app.get(&format!("{path}/roll")).await.ok();
    assert_eq!(roll["on_roll"], roll["frozen"]);
    let page = village.chair.download(&format!("/desk/votes/{id}")).await;
    assert_eq!(page.0, 200);
    app.stop().await;
}
