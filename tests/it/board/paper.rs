//! Paper beside phones in one count: one channel each, two who count, every sheet accounted for, and three who check it.
mod secret;

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use liusheng::{board::lsb1, people::audience::Among, votes::queries};
use serde_json::{Value, json};
use tokio::{sync::Barrier, time::sleep};
use uuid::Uuid;

use super::votes::checked;
use crate::{
    race::hold_the_writer,
    support::{Answer, Somebody, TestApp, Village, count},
};

const PHOTO: &[u8] = include_bytes!("../../data/media/clear.png");

fn ballot(choice: &str) -> Value {
    json!({ "cast_id": Uuid::new_v4(), "choice": choice })
}

/// A vote on paper and by phone.
pub(super) async fn opened(app: &TestApp, village: &Village, more: Value) -> String {
    let matter = village.matter_to_decide(app, "修一座桥").await;
    let mut vote = json!({ "matter_id": matter, "question": "是否同意？", "preset": "village_assembly_person",
        "has_paper": true, "closes_at": app.app.now() + TimeDelta::days(6) });
    vote.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let vote = village.chair.post("/v1/votes", vote).await.ok();
    format!("/v1/votes/{}", vote["id"].as_str().unwrap())
}

pub(super) async fn number(who: &Somebody, vote: &str) -> i64 {
    who.get(&format!("{vote}/me")).await.ok()["number"].as_i64().unwrap()
}

pub(super) async fn issue(desk: &Somebody, vote: &str, number: i64) -> Answer {
    desk.post(&format!("{vote}/paper/sheets"), json!({ "number": number })).await
}

async fn end(desk: &Somebody, vote: &str, (serial, outcome): (&Value, &str)) -> Answer {
    desk.post(&format!("{vote}/paper/sheets/{serial}/end"), json!({ "outcome": outcome })).await
}

/// What somebody counted in the first box.
pub(super) fn tally(votes: Value, (abstain, invalid): (u64, u64), photo: Option<Value>) -> Value {
    json!({ "box": 1, "figures": { "votes": votes, "abstain": abstain, "invalid": invalid }, "photo_id": photo })
}

pub(super) async fn photo(who: &Somebody) -> Option<Value> {
    Some(who.upload(PHOTO.to_vec()).await.ok()["id"].clone())
}

pub(super) fn leaves<'a>(archive: &'a Value, kind: &str) -> Vec<&'a Value> {
    archive["entries"].as_array().unwrap().iter().filter(|entry| entry["k"] == kind).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_channel_each_two_who_count_and_every_sheet_is_accounted_for() {
    let (app, village) = Village::start().await;
    let vote = opened(&app, &village, json!({})).await;
    let (ballots, counts, sign) =
        (format!("{vote}/ballots"), format!("{vote}/paper/counts"), format!("{vote}/paper/signature"));
    let a = village.villager(&app, "00007").await;
    let own = number(&a, &vote).await;
    assert_eq!(issue(&a, &vote, own).await.refused(), "not_allowed");
    assert_eq!(issue(&village.clerk, &vote, 999).await.refused(), "not_on_roll");
    let sheet = issue(&village.clerk, &vote, own).await.ok();
    assert_eq!((&sheet["serial"], &sheet["name"], &sheet["state"]), (&json!(1), &json!("费海荣"), &json!("issued")));
    // from now on nobody casts for this elector by phone, and there is one sheet; the elector is told
    assert_eq!(a.post(&ballots, ballot("for")).await.refused(), "paper_issued");
    assert_eq!(issue(&village.chair, &vote, own).await.refused(), "paper_issued");
    assert_eq!(app.get(&vote).await.ok()["cast"], 0, "a sheet in somebody's hands is no ballot");
    // nor is its elector reminded to cast: it may lie in the box
    let both = Among::These(vec![a.person, village.villager(&app, "00008").await.person]);
    let left_alone = queries::need_not_cast(app.app.store.read(), vote[10..].parse().unwrap(), &both).await.unwrap();
    assert_eq!(left_alone.into_iter().collect::<Vec<_>>(), [a.person]);
    app.settle().await;
    let told = "SELECT count(*) FROM entries WHERE kind = 'card' AND body LIKE '%给您发了一张纸票%'";
    assert_eq!(count(app.folder.path(), told).await, 1);
    let page = String::from_utf8(a.download(&vote[3..]).await.1).unwrap();
    assert!(page.contains("您已经领了纸票") && !page.contains("name=\"choice\""), "{page}");
    // given back unused the phone casts again, and who cast by phone has no sheet
    let lost = end(&village.clerk, &vote, (&sheet["serial"], "lost")).await;
    assert!(lost.body.to_string().contains("not_over_yet"), "{}", lost.body);
    assert_eq!(end(&village.clerk, &vote, (&sheet["serial"], "returned")).await.ok()["state"], "returned");
    end(&village.clerk, &vote, (&sheet["serial"], "returned")).await.ok();
    assert_eq!(end(&village.clerk, &vote, (&sheet["serial"], "spoilt")).await.refused(), "wrong_state");
    a.post(&ballots, ballot("for")).await.ok();
    assert_eq!(issue(&village.clerk, &vote, own).await.refused(), "already_cast");
    // five on paper: one spoils a sheet and takes another, one walks away with it
    let mut sheets = Vec::new();
    for elector in ["00008", "00010", "00011", "00012", "00013"] {
        let own = number(&village.villager(&app, elector).await, &vote).await;
        sheets.push(issue(&village.clerk, &vote, own).await.ok());
    }
    end(&village.clerk, &vote, (&sheets[0]["serial"], "spoilt")).await.ok();
    let again = issue(&village.clerk, &vote, sheets[0]["number"].as_i64().unwrap()).await.ok();
    assert_eq!(again["serial"], 7);
    assert_eq!(village.clerk.post(&counts, tally(json!({ "for": 1 }), (0, 0), None)).await.refused(), "wrong_state");
    // its time is over: what is on paper is counted first, and until then nobody knows anything
    app.pass(TimeDelta::days(7)).await;
    assert_eq!(app.get(&vote).await.ok()["state"], "counting_paper");
    assert_eq!(issue(&village.clerk, &vote, 9).await.refused(), "vote_closed");
    for hidden in ["/result", "/archive", "/turnout"] {
        assert_eq!(app.get(&format!("{vote}{hidden}")).await.refused(), "wrong_state", "{hidden}");
    }
    assert_eq!(a.get(&ballots).await.refused(), "wrong_state", "how the phones stand is no result");
    // each counts without seeing the other's figures
    assert_eq!(a.post(&counts, tally(json!({ "for": 2 }), (0, 0), None)).await.refused(), "not_allowed");
    let strange = village.clerk.post(&counts, tally(json!({ "1": 2 }), (0, 0), None)).await;
    assert_eq!(strange.refused(), "invalid_fields");
    village.clerk.post(&counts, tally(json!({ "for": 2, "against": 1 }), (0, 1), None)).await.ok();
    let seen = village.supervisor.get(&format!("{vote}/paper")).await.ok();
    assert_eq!((&seen["boxes"][0]["counts"], seen["boxes"][0].get("own")), (&json!(1), None), "{seen}");
    village.supervisor.post(&counts, tally(json!({ "for": 3 }), (0, 1), None)).await.ok();
    assert_eq!(village.chair.post(&sign, json!({})).await.refused(), "paper_not_counted", "they do not agree");
    let alike = tally(json!({ "for": 2, "against": 1 }), (0, 1), None);
    let agreed = village.supervisor.post(&counts, alike).await.ok();
    assert_eq!((&agreed["counted"], &agreed["balance"]), (&json!(4), &json!("short")));
    assert_eq!(village.chair.post(&sign, json!({})).await.refused(), "paper_not_counted", "no photo is there");
    let shown = tally(json!({ "for": 2, "against": 1 }), (0, 1), photo(&village.clerk).await);
    village.clerk.post(&counts, shown).await.ok();
    assert_eq!(village.chair.post(&sign, json!({})).await.refused(), "paper_not_reconciled", "one sheet is nowhere");
    // only who may bend a path says what is lost; given back after the end is nothing any more
    assert_eq!(end(&village.clerk, &vote, (&sheets[4]["serial"], "lost")).await.refused(), "not_allowed");
    let late = end(&village.chair, &vote, (&sheets[4]["serial"], "returned")).await;
    assert!(late.body.to_string().contains("only_lost_now"), "{}", late.body);
    end(&village.chair, &vote, (&sheets[4]["serial"], "lost")).await.ok();
    let more = end(&village.chair, &vote, (&sheets[3]["serial"], "lost")).await;
    assert_eq!(more.refused(), "wrong_state", "no ballot is missing");
    let over = village.chair.post(&sign, json!({ "is_void": true })).await;
    assert_eq!(over.refused(), "paper_not_reconciled", "nothing is void");
    let desk = String::from_utf8(village.chair.download(&format!("/desk{}/paper", &vote[3..])).await.1).unwrap();
    assert!(desk.contains("合得拢") && desk.contains("领票簿"), "{desk}");
    let printed = village.chair.download(&format!("/desk{}/paper/print?from=8&count=3", &vote[3..])).await;
    let printed = String::from_utf8(printed.1).unwrap();
    assert!(printed.contains("存根第 10 号") && printed.contains("计票单") && !printed.contains("费海荣"), "{printed}");
    village.chair.post(&sign, json!({})).await.ok();
    village.chair.post(&sign, json!({})).await.ok();
    let result = app.get(&format!("{vote}/result")).await.ok();
    let wanted = json!({ "on_roll": result["count"]["on_roll"], "present": 5, "yes": 3, "no": 1, "abstain": 0,
        "invalid": 1, "issued": 5, "weights": null });
    assert_eq!(result["count"], wanted, "one by phone, four on paper");
    // participants = marks on the roll = leaves of ballots + paper
    let took_part = "SELECT count(*) FROM roll_entries WHERE channel IN ('online', 'paper')";
    assert_eq!(count(app.folder.path(), took_part).await, 5);
    let archive = checked(&app, &vote[10..], &[]).await;
    assert_eq!(leaves(&archive, "ballot").len() + 4, 5);
    let sheets_leaf = leaves(&archive, "sheets")[0].clone();
    assert_eq!((&sheets_leaf["issued"], &sheets_leaf["lost"]), (&json!(7), &json!(1)));
    // the photo is the one whose digest is on the board
    let (status, bytes) = a.download(&format!("{vote}/paper/boxes/1/photo")).await;
    let digest = lsb1::hex(&liusheng::board::tree::sha256(&[&bytes]));
    assert_eq!((status, json!(digest)), (200, leaves(&archive, "paper")[0]["sheet"].clone()));
    let listed = a.get(&format!("{ballots}?limit=100")).await.ok().to_string();
    assert!(listed.contains("已投纸票"), "{listed}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn more_on_paper_than_was_handed_out_is_void_and_a_choice_is_counted_by_option() {
    let (app, village) = Village::start().await;
    let options = json!({ "options": ["甲方案", "乙方案"], "preset": "village_assembly_household" });
    let vote = opened(&app, &village, options).await;
    let a = village.villager(&app, "00010").await;
    a.post(&format!("{vote}/ballots"), json!({ "cast_id": Uuid::new_v4(), "choices": ["1"] })).await.ok();
    for elector in ["00007", "00013"] {
        let own = number(&village.villager(&app, elector).await, &vote).await;
        issue(&village.clerk, &vote, own).await.ok();
    }
    app.pass(TimeDelta::days(7)).await;
    let (counts, sign) = (format!("{vote}/paper/counts"), format!("{vote}/paper/signature"));
    let told = |photo| tally(json!({ "2": 3, "1": 0 }), (0, 0), photo);
    village.clerk.post(&counts, told(photo(&village.clerk).await)).await.ok();
    assert_eq!(village.supervisor.post(&counts, told(None)).await.ok()["balance"], "over");
    assert_eq!(village.chair.post(&sign, json!({})).await.refused(), "paper_not_reconciled", "it must be meant");
    // not by a clerk alone, not without a reason
    let meant = json!({ "is_void": true, "reason": "票箱里多了一张，查不出来源" });
    assert_eq!(village.clerk.post(&sign, meant.clone()).await.refused(), "not_allowed");
    let unsaid = village.chair.post(&sign, json!({ "is_void": true })).await;
    assert!(unsaid.body.to_string().contains("reason"), "{}", unsaid.body);
    village.chair.post(&sign, meant).await.ok();
    let result = app.get(&format!("{vote}/result")).await.ok();
    assert_eq!(result["void_reason"], "票箱里多了一张，查不出来源");
    assert_eq!((&result["reason"], &result["is_valid"]), (&json!("more_ballots_than_issued"), &json!(false)));
    assert_eq!(result["outcome"], "annulled", "void, and told as refused");
    app.settle().await;
    let told = "SELECT count(*) FROM entries WHERE kind = 'card' AND body LIKE '%表决作废：是否同意？%'";
    assert!(count(app.folder.path(), told).await > 0, "nobody is told that it is void");
    assert_eq!(result["choice"]["options"][1]["votes"], 3);
    checked(&app, &vote[10..], &[]).await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_gives_every_sheet_back_leaves_a_vote_by_phone() {
    let (app, village) = Village::start().await;
    let vote = opened(&app, &village, json!({})).await;
    let a = village.villager(&app, "00007").await;
    let sheet = issue(&village.clerk, &vote, number(&a, &vote).await).await.ok();
    end(&village.clerk, &vote, (&sheet["serial"], "returned")).await.ok();
    a.post(&format!("{vote}/ballots"), ballot("for")).await.ok();
    app.pass(TimeDelta::days(7)).await;
    let result = app.get(&format!("{vote}/result")).await.ok();
    assert_eq!((&result["count"]["present"], &result["count"]["issued"]), (&json!(1), &json!(1)));
    let archive = checked(&app, &vote[10..], &[]).await;
    assert_eq!((leaves(&archive, "paper").len(), &leaves(&archive, "sheets")[0]["returned"]), (0, &json!(1)));
    // where no sheet was handed out the board says so, too
    let vote = opened(&app, &village, json!({})).await;
    app.pass(TimeDelta::days(7)).await;
    let archive = checked(&app, &vote[10..], &[]).await;
    assert_eq!(
        leaves(&archive, "sheets").first().map(|one| &one["issued"]),
        Some(&json!(0)),
        "nothing is said of sheets"
    );
    // and one that is annulled while its paper is counted tells nothing
    let vote = opened(&app, &village, json!({})).await;
    let b = village.villager(&app, "00008").await;
    issue(&village.clerk, &vote, number(&b, &vote).await).await.ok();
    app.pass(TimeDelta::days(7)).await;
    let why = json!({ "reason": "票箱打翻了", "authority": "镇政府" });
    village.chair.post(&format!("{vote}/annul"), why).await.ok();
    let archive = checked(&app, &vote[10..], &[]).await;
    assert!(leaves(&archive, "paper").is_empty() && leaves(&archive, "sheets").is_empty());
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_sheet_all_of_a_household_are_told_and_who_has_no_phone_stands_on_the_list_of_doors() {
    let (app, village) = Village::start().await;
    let vote = opened(&app, &village, json!({ "preset": "village_assembly_household" })).await;
    for elector in ["00008", "00056"] {
        let own = number(&village.villager(&app, elector).await, &vote).await;
        issue(&village.clerk, &vote, own).await.ok();
    }
    app.settle().await;
    let told = "SELECT count(*) FROM entries WHERE kind = 'card' AND body LIKE '%给您发了一张纸票%'";
    assert_eq!(count(app.folder.path(), told).await, 4, "three of one household, one of the other");
    let by_message = "SELECT count(*) FROM announcements WHERE kind = 'vote.sheet_issued' AND audience = 'person'";
    assert_eq!(count(app.folder.path(), by_message).await, 2);
    let desk = String::from_utf8(village.chair.download(&format!("/desk{}", &vote[3..])).await.1).unwrap();
    assert!(desk.contains("费无证") && !desk.contains("费海荣"), "{desk}");
    // whoever wrote down the end of a sheet does not void the vote by it
    let sheet = issue(&village.clerk, &vote, number(&village.villager(&app, "00010").await, &vote).await).await.ok();
    end(&village.chair, &vote, (&sheet["serial"], "returned")).await.ok();
    app.pass(TimeDelta::days(7)).await;
    let counts = format!("{vote}/paper/counts");
    village.clerk.post(&counts, tally(json!({ "for": 3 }), (0, 0), photo(&village.clerk).await)).await.ok();
    village.supervisor.post(&counts, tally(json!({ "for": 3 }), (0, 0), None)).await.ok();
    let meant = json!({ "is_void": true, "reason": "多了一张" });
    let refused = village.chair.post(&format!("{vote}/paper/signature"), meant).await;
    assert_eq!(refused.refused(), "second_person_needed");
    app.stop().await;
}

/// Desk and phones at once, for the same electors: each has a ballot by phone or a sheet, never both, never neither.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_sheet_that_is_handed_out_while_a_phone_casts_is_one_of_the_two() {
    let (app, village) = Village::start().await;
    let vote = opened(&app, &village, json!({})).await;
    let numbers =
        ["00007", "00008", "00010", "00011", "00012", "00013", "00014", "00015", "00019", "00020", "00021", "00022"];
    let mut electors = Vec::new();
    for elector in numbers {
        let who = village.villager(&app, elector).await;
        let own = number(&who, &vote).await;
        electors.push((who, own));
    }
    let start = Arc::new(Barrier::new(electors.len() * 4));
    let mut asked = Vec::new();
    for (at, (who, own)) in electors.iter().enumerate() {
        for round in 0..4 {
            let is_desk = round % 2 == at % 2;
            let desk = if round < 2 { &village.clerk } else { &village.chair };
            let (who, own) = (if is_desk { desk.clone() } else { who.clone() }, *own);
            let (start, vote) = (Arc::clone(&start), vote.clone());
            asked.push(tokio::spawn(async move {
                start.wait().await;
                match is_desk {
                    true => (own, true, issue(&who, &vote, own).await),
                    false => (own, false, who.post(&format!("{vote}/ballots"), ballot("for")).await),
                }
            }));
        }
    }
    let mut taken: Vec<(i64, bool)> = Vec::new();
    for one in asked {
        let (own, is_desk, answer) = one.await.unwrap();
        if answer.status == 201 {
            taken.push((own, is_desk));
        } else {
            let code = answer.refused();
            assert!(["paper_issued", "already_cast"].contains(&code.as_str()), "{code}");
        }
    }
    for (_, own) in &electors {
        let channels: Vec<bool> = taken.iter().filter(|(other, _)| other == own).map(|(_, is_desk)| *is_desk).collect();
        assert_eq!(channels.len(), 1, "one elector, on paper and by phone: {channels:?}");
    }
    let (sheets, phones) =
        (taken.iter().filter(|(_, desk)| *desk).count(), taken.iter().filter(|(_, desk)| !desk).count());
    let both =
        "SELECT count(*) FROM envelopes e JOIN paper_sheets s ON s.vote_id = e.vote_id AND s.number = e.elector_number";
    assert_eq!(count(app.folder.path(), both).await, 0, "one elector, on paper and by phone");
    assert_eq!(count(app.folder.path(), "SELECT count(*) FROM envelopes").await, i64::try_from(phones).unwrap());
    assert_eq!(count(app.folder.path(), "SELECT count(*) FROM paper_sheets").await, i64::try_from(sheets).unwrap());
    app.stop().await;
}

/// The same in its worst order, which a quick machine never shows by chance: each ballot was sent before a sheet was there, and
/// the desk has its turn before it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_sheet_that_has_its_turn_before_a_ballot_that_waits_is_the_only_one() {
    let (app, village) = Village::start().await;
    let vote = opened(&app, &village, json!({})).await;
    let mut electors = Vec::new();
    for elector in ["00007", "00008", "00010", "00011"] {
        let who = village.villager(&app, elector).await;
        let own = number(&who, &vote).await;
        electors.push((who, own));
    }
    app.settle().await;
    let let_go = hold_the_writer(&app).await;
    let mut asked = Vec::new();
    for is_desk in [true, false] {
        for (who, own) in &electors {
            let (who, own, vote) = (if is_desk { village.clerk.clone() } else { who.clone() }, *own, vote.clone());
            asked.push(tokio::spawn(async move {
                let answer = match is_desk {
                    true => issue(&who, &vote, own).await,
                    false => who.post(&format!("{vote}/ballots"), ballot("for")).await,
                };
                (own, answer.status == 201)
            }));
        }
        sleep(Duration::from_secs(1)).await;
    }
    assert!(asked.iter().all(|one| !one.is_finished()), "somebody was answered before the turn");
    let_go.send(()).unwrap();
    let mut taken = Vec::new();
    for one in asked {
        let (own, is_taken) = one.await.unwrap();
        taken.extend(is_taken.then_some(own));
    }
    taken.sort_unstable();
    let mut all: Vec<i64> = electors.iter().map(|(_, own)| *own).collect();
    all.sort_unstable();
    assert_eq!(taken, all, "one elector, on paper and by phone");
    app.stop().await;
}
