//! Phones, paper, proxies and households in one count, whatever they do: who took part is who is marked on the roll, is what
//! is on the board and in the boxes; nobody is counted twice.
use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Dice, votes::checked};
use crate::support::{Answer, Somebody, TestApp, Village, count, is_done_before, is_full_run};

const PHOTO: &[u8] = include_bytes!("../../data/media/clear.png");
const ROSTER: &str = include_str!("../../data/roster_small.csv");
/// Who cast for others, by number on the roster; and those others, who sit nowhere.
const AGENTS: [&str; 3] = ["00007", "00010", "00014"];
const PRINCIPALS: [&str; 7] = ["00008", "00011", "00015", "00020", "00023", "00026", "00029"];

/// What is true of an elector, as the rules have it.
#[derive(Clone, Debug, Default)]
struct Elector {
    /// The choice that counts by phone.
    phone: Option<&'static str>,
    /// Was it the proxy who made it?
    by_proxy: bool,
    /// The stub of the sheet in hand.
    sheet: Option<i64>,
}

/// Some name somebody to cast for them, and a second person checks it: their numbers on the roll, each with who casts.
async fn proxies(app: &TestApp, village: &Village, path: &str) -> Vec<(i64, Somebody)> {
    let mut held = Vec::new();
    for (place, principal) in PRINCIPALS.into_iter().enumerate() {
        let number = AGENTS[place % AGENTS.len()];
        let line = ROSTER.lines().find(|line| line.starts_with(number)).unwrap();
        let called = json!({ "name": line.split(',').nth(4).unwrap(), "roster_number": number });
        let elector = village.villager(app, principal).await;
        let named = json!({ "agent": called, "relation": "other" });
        let own = elector.post(&format!("{path}/proxies"), named).await.ok()["number"].as_i64().unwrap();
        village.clerk.post(&format!("{path}/proxies/{own}/check"), json!(null)).await.ok();
        held.push((own, village.villager(app, number).await));
    }
    held
}

/// One evening: everybody does what the dice say; what is refused is what the rules refuse.
async fn evening(app: &TestApp, village: &Village, (preset, revote): (&str, bool), dice: &mut Dice) {
    let matter = village.matter_to_decide(app, "修一座桥").await;
    let vote = json!({ "matter_id": matter, "question": "是否同意？", "preset": preset, "has_paper": true,
        "allows_revote": revote, "closes_at": app.app.now() + TimeDelta::days(6) });
    let vote = village.chair.post("/v1/votes", vote).await.ok()["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/votes/{vote}");
    let mut people: Vec<(Somebody, i64)> = Vec::new();
    for number in 1..=59 {
        let who = village.villager(app, &format!("{number:05}")).await;
        let mine = who.get(&format!("{path}/me")).await.ok();
        if mine["is_on_roll"] == true {
            people.push((who, mine["number"].as_i64().unwrap()));
        }
    }
    // a household is cast for by who was named for it, not by a proxy
    let held = if preset.ends_with("household") { Vec::new() } else { proxies(app, village, &path).await };
    let mut electors: BTreeMap<i64, Elector> = BTreeMap::new();
    let mut sheets = 0;
    for _ in 0..people.len() * 3 {
        let (who, number) = people[dice.below(people.len())].clone();
        if !held.is_empty() && dice.below(5) == 0 {
            let (number, agent) = &held[dice.below(held.len())];
            by_proxy(dice, agent, (&path, *number, revote), electors.entry(*number).or_default()).await;
            continue;
        }
        let elector = electors.entry(number).or_default();
        match dice.below(5) {
            0..=2 => {
                let choice = ["for", "against", "abstain"][dice.below(3)];
                let ballot = json!({ "cast_id": Uuid::new_v4(), "choice": choice });
                let answer = who.post(&format!("{path}/ballots"), ballot).await;
                let may = elector.sheet.is_none() && (elector.phone.is_none() || revote);
                fits(&answer, may, "a ballot by phone");
                if may {
                    (elector.phone, elector.by_proxy) = (Some(choice), false);
                }
            }
            3 => {
                let asked = json!({ "number": number });
                let answer = village.clerk.post(&format!("{path}/paper/sheets"), asked).await;
                let may = elector.sheet.is_none() && (elector.phone.is_none() || revote);
                fits(&answer, may, "a sheet");
                if may {
                    sheets += 1;
                    elector.sheet = answer.body["serial"].as_i64();
                }
            }
            _ => {
                let Some(serial) = elector.sheet.take() else { continue };
                let end = ["returned", "spoilt"][dice.below(2)];
                let outcome = json!({ "outcome": end });
                village.clerk.post(&format!("{path}/paper/sheets/{serial}/end"), outcome).await.ok();
            }
        }
    }
    app.pass(TimeDelta::days(7)).await;
    let on_paper: u64 = electors.values().filter(|one| one.sheet.is_some()).count() as u64;
    if on_paper > 0 {
        let photo = village.clerk.upload(PHOTO.to_vec()).await.ok()["id"].clone();
        let told = |photo: Value| json!({ "box": 1, "figures": { "votes": { "for": on_paper } }, "photo_id": photo });
        village.clerk.post(&format!("{path}/paper/counts"), told(photo)).await.ok();
        village.supervisor.post(&format!("{path}/paper/counts"), told(Value::Null)).await.ok();
        village.chair.post(&format!("{path}/paper/signature"), json!({})).await.ok();
    }
    // what the rules make of it, beside what the product made of it
    let by_phone = |choice: &str| {
        let theirs = electors.values().filter(|one| one.sheet.is_none() && one.phone == Some(choice));
        theirs.count() as u64
    };
    let (yes, no, abstain) = (by_phone("for"), by_phone("against"), by_phone("abstain"));
    let counted = app.get(&format!("{path}/result")).await.ok()["count"].clone();
    let wanted = json!([yes + on_paper, no, abstain, yes + no + abstain + on_paper]);
    assert_eq!(json!([counted["yes"], counted["no"], counted["abstain"], counted["present"]]), wanted, "{electors:?}");
    let marks = format!(
        "SELECT count(*) FROM roll_entries WHERE channel IN ('online', 'proxy', 'paper') AND vote_id = {}",
        kept(app, &vote)
    );
    let archive = checked(app, &vote, &[]).await;
    let leaves = |kind: &str| archive["entries"].as_array().unwrap().iter().filter(|one| one["k"] == kind).count();
    let on_board = (leaves("ballot") - leaves("void")) as u64 + on_paper;
    let marked = count(app.folder.path(), &marks).await.unsigned_abs();
    assert_eq!((marked, on_board), (yes + no + abstain + on_paper, marked), "participants, marks, board and boxes");
    let by_proxy = electors.values().filter(|one| one.sheet.is_none() && one.phone.is_some() && one.by_proxy).count();
    let cast_for =
        format!("SELECT count(*) FROM roll_entries WHERE channel = 'proxy' AND vote_id = {}", kept(app, &vote));
    assert_eq!(count(app.folder.path(), &cast_for).await, i64::try_from(by_proxy).unwrap(), "{electors:?}");
    let told = archive["entries"].as_array().unwrap().iter().find(|one| one["k"] == "sheets");
    assert_eq!(told.map_or(0, |one| one["issued"].as_i64().unwrap()), sheets, "every sheet is told of");
}

/// The id of a vote, as its database has it.
fn kept(app: &TestApp, vote: &str) -> String {
    if app.folder.is_sqlite() { format!("x'{}'", vote.replace('-', "")) } else { format!("'{vote}'") }
}

/// A proxy casts, and again where one may: never in the place of what the elector cast.
async fn by_proxy(dice: &mut Dice, agent: &Somebody, (path, number, revote): (&str, i64, bool), elector: &mut Elector) {
    let choice = ["for", "against", "abstain"][dice.below(3)];
    let ballot = json!({ "cast_id": Uuid::new_v4(), "choice": choice, "elector": number });
    let answer = agent.post(&format!("{path}/ballots"), ballot).await;
    let may = elector.sheet.is_none() && (elector.phone.is_none() || (revote && elector.by_proxy));
    fits(&answer, may, "a ballot by proxy");
    if may {
        (elector.phone, elector.by_proxy) = (Some(choice), true);
    }
}

fn fits(answer: &Answer, may: bool, what: &str) {
    assert_eq!(answer.status == 201, may, "{what}: {} {}", answer.status, answer.body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_took_part_is_who_is_marked_is_what_is_on_the_board_and_in_the_boxes() {
    let mut dice = Dice(20_261_130);
    for _ in 0..if is_full_run() { 10 } else { 1 } {
        let rules = [
            ("village_assembly_person", true),
            ("village_assembly_person", false),
            ("village_assembly_household", true),
        ];
        let few = if is_done_before("an evening by two other rules") { 1 } else { rules.len() };
        for rule in rules.into_iter().take(few) {
            let (app, village) = Village::start().await;
            evening(&app, &village, rule, &mut dice).await;
            app.stop().await;
        }
    }
}
