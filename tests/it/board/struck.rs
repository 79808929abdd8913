//! Who is struck from a roll: by whom while ballots are cast, and who casts for the household then.
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{
    households::{named, vote_of_households},
    rolls::{ballot, decision, objection, opened, roster, settled},
    votes::checked,
};
use crate::support::{Somebody, Village, count, import};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn while_ballots_are_cast_nobody_is_struck_by_the_office_alone() {
    let (app, village) = Village::start().await;
    let vote = opened(&app, &village, "village_assembly_person", json!({})).await;
    let objections = format!("{vote}/roll/objections");
    let wrong = village.clerk.post(&objections, objection("wrong", "俞美娟")).await.ok();
    let at = format!("{objections}/{}", wrong["id"].as_str().unwrap());
    // what the office has not decided waits for the office
    assert_eq!(village.supervisor.post(&format!("{at}/confirm"), decision(true)).await.refused(), "not_allowed");
    village.clerk.post(&format!("{at}/decision"), decision(true)).await.ok();
    let before = app.get(&vote).await.ok()["on_roll"].as_i64().unwrap();
    assert_eq!(village.chair.post(&format!("{at}/confirm"), decision(true)).await.refused(), "second_person_needed");
    assert_eq!(app.get(&vote).await.ok()["on_roll"], before, "two of one office lowered the number of electors");
    let page = async |who: &Somebody, path: &str| String::from_utf8(who.download(path).await.1).unwrap();
    let desk = format!("/desk{}/roll", &vote[3..]);
    assert!(page(&village.chair, &desk).await.contains("两位里要有一位"));
    assert!(page(&village.supervisor, "/desk").await.contains("有 1 人要从名册上划去"), "nobody tells who confirms it");
    assert!(page(&village.supervisor, &desk).await.contains("我确认这个处理意见"));
    village.supervisor.post(&format!("{at}/confirm"), decision(true)).await.ok();
    assert_eq!(app.get(&vote).await.ok()["on_roll"], before - 1);
    // who was struck by mistake comes back by the office alone: it lowers nothing
    let back = village.villager(&app, "00008").await;
    let back = back.post(&objections, json!({ "kind": "missing", "reason": "我还在村里" })).await.ok();
    settled((&village.clerk, &village.chair), &objections, (&back["id"], true)).await;
    assert_eq!(app.get(&vote).await.ok()["on_roll"], before);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_household_whose_representative_is_struck_casts_by_the_next_who_was_named() {
    let (app, village) = Village::start().await;
    let people = named(&app, &village).await;
    let vote = vote_of_households(&app, &village, json!({})).await;
    let (objections, ballots) = (format!("{vote}/roll/objections"), format!("{vote}/ballots"));
    let before = app.get(&vote).await.ok()["on_roll"].clone();
    let strike = async |name: &str| {
        let wrong = village.clerk.post(&objections, objection("wrong", name)).await.ok();
        settled((&village.clerk, &village.supervisor), &objections, (&wrong["id"], true)).await;
    };
    strike("费海荣").await;
    assert_eq!(app.get(&vote).await.ok()["on_roll"], before, "the household left the roll with him");
    let mine = people[1].get(&format!("{vote}/me")).await.ok();
    assert_eq!(mine["household"]["names"], json!(["俞美娟", "费文斌"]), "{mine}");
    assert_eq!(people[0].post(&ballots, ballot()).await.refused(), "not_on_roll");
    app.settle().await;
    // the one is told who was struck, the other who has the place now
    for (who, told) in [(&people[0], 1), (&people[1], 1), (&people[2], 0)] {
        let cards =
            format!("SELECT count(*) FROM events WHERE kind = 'vote.roll_amended' AND data LIKE '%{}%'", who.person);
        assert_eq!(count(app.folder.path(), &cards).await, told);
    }
    // the next one is on no roster any more: the one after that casts
    import(&app.app, roster("00008", "")).await;
    strike("俞美娟").await;
    assert_eq!(app.get(&vote).await.ok()["on_roll"], before);
    people[2].post(&ballots, ballot()).await.ok();
    app.pass(TimeDelta::days(2)).await;
    let result = app.get(&format!("{vote}/result")).await.ok();
    assert_eq!((&result["count"]["on_roll"], &result["count"]["present"]), (&before, &json!(1)));
    let archive = checked(&app, &vote[10..], &[]).await;
    let amends = archive["entries"].as_array().unwrap().iter().filter(|entry| entry["k"] == "amend");
    let ops: Vec<&Value> = amends.map(|entry| &entry["op"]).collect();
    assert_eq!(ops, ["strike", "restore", "strike", "restore"]);
    app.stop().await;
}
