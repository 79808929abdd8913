//! 村民小组会议: a group of the village decides by itself, by person or by household; the rest is not asked and does not count.
use chrono::TimeDelta;
use serde_json::{Value, json};
use uuid::Uuid;

use super::votes::checked;
use crate::support::{Raw, TestApp, Village, count, import};

const ROSTER: &str = include_str!("../../data/roster_small.csv");
/// Of the grown-ups of the fourth group.
const FOURTH: [&str; 6] = ["00007", "00008", "00009", "00025", "00026", "00027"];

fn ballot(choice: &str) -> Value {
    json!({ "cast_id": Uuid::new_v4(), "choice": choice })
}

/// A meeting of a group about a matter.
fn meeting(app: &TestApp, village: &Village, (matter, group): (&str, i32)) -> Value {
    json!({ "area_code": village.area, "body_id": village.committee, "audience": "group", "group_number": group,
        "matter_id": matter, "title": "本组会议", "agenda": "表决", "place": "晒场",
        "starts_at": app.app.now() + TimeDelta::hours(3) })
}

fn asked(app: &TestApp, matter: &str, preset: &str) -> Value {
    json!({ "matter_id": matter, "question": "是否同意分配补偿款？", "preset": preset, "group_number": 4,
        "closes_at": app.app.now() + TimeDelta::days(2) })
}

/// How many cards say this.
async fn cards(app: &TestApp, said: &str) -> i64 {
    count(app.folder.path(), &format!("SELECT count(*) FROM entries WHERE kind = 'card' AND body LIKE '%{said}%'"))
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_group_is_called_by_the_committee_and_nobody_else_of_the_village_is() {
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "分补偿款").await;
    let call = meeting(&app, &village, (&matter, 4));
    for (field, value) in [("group_number", Value::Null), ("group_number", json!(99)), ("audience", json!("villagers"))]
    {
        let mut wrong = call.clone();
        wrong[field] = value;
        let refused = village.chair.post("/v1/meetings", wrong).await;
        assert!(refused.body.to_string().contains("group_number"), "{field}: {}", refused.body);
    }
    let mut council = call.clone();
    council["body_id"] = json!(village.council);
    assert_eq!(village.council_chair.post("/v1/meetings", council).await.refused(), "not_allowed");
    let called = village.clerk.post("/v1/meetings", call).await.ok();
    assert_eq!((&called["group_number"], called.get("listed")), (&json!(4), None));
    app.settle().await;
    assert_eq!(cards(&app, "本组会议").await, 1 + 8, "the office, and each of the group");
    let path = format!("/meetings/{}", called["id"].as_str().unwrap());
    let (own, other) = (village.villager(&app, "00007").await, village.villager(&app, "00010").await);
    app.pass(TimeDelta::hours(2)).await;
    for (who, is_awaited) in [(&own, true), (&other, false)] {
        let page = String::from_utf8(who.download(&path).await.1).unwrap();
        assert_eq!(page.contains(&format!("{path}/attendance")), is_awaited, "{page}");
        assert!(page.contains("4 组"), "{page}");
        let home = String::from_utf8(who.download("/").await.1).unwrap();
        assert_eq!(home.contains(&path), is_awaited, "who waits for whom");
    }
    let attend = format!("/v1{path}/attendances");
    own.post(&attend, json!({})).await.ok();
    assert_eq!(other.post(&attend, json!({})).await.refused(), "not_allowed");
    let paper = json!({ "person_id": other.person, "via": "paper" });
    assert_eq!(village.clerk.post(&attend, paper).await.refused(), "invalid_fields");
    // hands in a yard carry nothing: the group decides by its vote
    app.pass(TimeDelta::hours(2)).await;
    let minutes = json!({ "minutes": "到会一人。", "resolutions": [{ "text": "分", "votes_for": 1 }] });
    let held = village.clerk.post(&format!("/v1{path}/minutes"), minutes).await.ok();
    assert_eq!((&held["resolutions"][0]["is_carried"], held.get("quorum")), (&json!(false), None));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_group_decides_by_its_own_roll_and_three_find_its_archive_good() {
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "分补偿款").await;
    let called = village.clerk.post("/v1/meetings", meeting(&app, &village, (&matter, 4))).await.ok();
    let other_group = village.clerk.post("/v1/meetings", meeting(&app, &village, (&matter, 5))).await.ok();
    let mut ask = asked(&app, &matter, "group_assembly_person");
    ask["meeting_id"] = called["id"].clone();
    for (field, value, code) in [
        ("group_number", Value::Null, "required"),
        ("group_number", json!(99), "unknown"),
        ("group_number", json!(0), "unknown"),
        ("preset", json!("village_assembly_person"), "not_of_a_group"),
        ("meeting_id", other_group["id"].clone(), "not_this_meeting"),
    ] {
        let mut wrong = ask.clone();
        wrong[field] = value;
        let refused = village.chair.post("/v1/votes", wrong).await;
        assert!(refused.body.to_string().contains(code), "{field} {code}: {}", refused.body);
    }
    let (own, other) = (village.villager(&app, "00007").await, village.villager(&app, "00010").await);
    for who in [&own, &village.council_chair, &village.supervisor, &village.town] {
        assert_eq!(who.post("/v1/votes", ask.clone()).await.refused(), "not_allowed");
    }
    // what the law keeps for the whole village no group decides
    let raw = Raw::open(app.folder.path()).await;
    raw.execute("UPDATE matters SET reserved_item = 'land_plan'").await;
    let refused = village.chair.post("/v1/votes", ask.clone()).await;
    assert!(refused.body.to_string().contains("reserved_to_all"), "a group decides for all: {}", refused.body);
    raw.execute("UPDATE matters SET reserved_item = NULL").await;
    raw.close().await;
    let vote = village.clerk.post("/v1/votes", ask).await.ok();
    let path = format!("/v1/votes/{}", vote["id"].as_str().unwrap());
    assert_eq!((&vote["is_binding"], &vote["on_roll"], &vote["group_number"]), (&json!(true), &json!(8), &json!(4)));
    assert_eq!(vote["preset_name"], "第 4 组村民小组会议（按人）");
    app.settle().await;
    assert_eq!(
        cards(&app, "只由第 4 村民小组投票").await,
        1 + 8,
        "where the matter is talked about, and each of the group"
    );
    // who may see the roll: the group, and whoever sits over the village
    let entries = format!("{path}/roll/entries");
    assert_eq!(own.get(&entries).await.ok()["items"].as_array().unwrap().len(), 8);
    village.supervisor.get(&entries).await.ok();
    assert_eq!(other.get(&entries).await.refused(), "not_found");
    let page = |text: Vec<u8>| String::from_utf8(text).unwrap();
    let (seen, unseen) = (
        page(own.download(&format!("{}/roll", &path[3..])).await.1),
        page(other.download(&format!("{}/roll", &path[3..])).await.1),
    );
    assert!(seen.contains("俞**") && !unseen.contains("俞**"), "{unseen}");
    assert!(page(other.download(&path[3..]).await.1).contains("第 4 组村民小组会议"));
    // who is counted to another group by mistake can say so, and is none of this one as long as the roster says so
    let missing = json!({ "kind": "missing", "reason": "我是四组的人" });
    let objection = other.post(&format!("{path}/roll/objections"), missing.clone()).await.ok();
    let decide = format!("{path}/roll/objections/{}/decision", objection["id"].as_str().unwrap());
    let upheld = json!({ "upholds": true, "reason": "经核对，按组织法办理" });
    let refused = village.clerk.post(&decide, upheld).await;
    assert!(refused.body.to_string().contains("not_an_elector"), "{}", refused.body);
    let rejected = json!({ "upholds": false, "reason": "花名册上是五组" });
    village.clerk.post(&decide, rejected.clone()).await.ok();
    village.chair.post(&decide.replace("decision", "confirm"), rejected).await.ok();
    let stranger = village.neighbour(&app).await;
    assert_eq!(stranger.post(&format!("{path}/roll/objections"), missing).await.refused(), "not_found");
    for outsider in [&other, &village.chair, &stranger] {
        assert_eq!(outsider.post(&format!("{path}/ballots"), ballot("for")).await.refused(), "not_on_roll");
    }
    for number in FOURTH {
        village.villager(&app, number).await.post(&format!("{path}/ballots"), ballot("for")).await.ok();
    }
    app.pass(TimeDelta::days(3)).await;
    app.settle().await;
    let result = app.get(&format!("{path}/result")).await.ok();
    let counted = &result["count"];
    assert_eq!(
        (&counted["on_roll"], &counted["present"], &result["outcome"]),
        (&json!(8), &json!(6), &json!("passed"))
    );
    assert_eq!(other.get(&format!("{path}/ballots")).await.refused(), "not_found");
    own.get(&format!("{path}/ballots")).await.ok();
    let archive = checked(&app, &path[10..], &[]).await;
    assert_eq!(archive["manifest"]["rule"]["zh"], "第 4 组村民小组会议（按人）");
    app.pass(TimeDelta::days(8)).await;
    app.settle().await;
    let settled = app.get(&format!("{path}/result")).await.ok();
    assert!(settled["resolution"].as_str().unwrap().contains("第 4 组村民小组会议"), "{settled}");
    assert_eq!(cards(&app, "vote_settled").await, 1 + 8, "the result to the group at once");
    assert_eq!(app.get(&format!("/v1/matters/{matter}")).await.ok()["stage"], "evaluate");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_households_of_a_group_vote_and_one_that_the_roster_moves_there_is_added() {
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "分补偿款").await;
    let desk = village.chair.download(&format!("/desk/matters/{matter}")).await;
    let desk = String::from_utf8(desk.1).unwrap();
    for offered in
        ["group_assembly_household", "name=\"group_number\"", "村民小组会议 · 4 组", "业主共同决定要按建筑面积计票"]
    {
        assert!(desk.contains(offered), "{offered}");
    }
    assert!(!desk.contains("owners_ordinary"), "an owners' vote is offered without a roll");
    let vote = village.chair.post("/v1/votes", asked(&app, &matter, "group_assembly_household")).await.ok();
    let path = format!("/v1/votes/{}", vote["id"].as_str().unwrap());
    assert_eq!((&vote["on_roll"], &vote["is_binding"], &vote["unit"]), (&json!(3), &json!(false), &json!("household")));
    let (head, wife, other) = (
        village.villager(&app, "00007").await,
        village.villager(&app, "00008").await,
        village.villager(&app, "00010").await,
    );
    head.post(&format!("{path}/ballots"), ballot("for")).await.ok();
    let me = wife.get(&format!("{path}/me")).await.ok();
    assert_eq!((&me["has_cast"], &me["household"]["names"]), (&json!(true), &json!(["费海荣"])));
    assert_eq!(other.post(&format!("{path}/ballots"), ballot("for")).await.refused(), "not_on_roll");
    // the office puts the roster right, and two people add the household
    import(&app.app, ROSTER.replace("H004,330521103202,5", "H004,330521103202,4")).await;
    let objections = format!("{path}/roll/objections");
    let missing = other.post(&objections, json!({ "kind": "missing", "reason": "我家是四组的" })).await.ok();
    let at = format!("{objections}/{}", missing["id"].as_str().unwrap());
    let upheld = json!({ "upholds": true, "reason": "花名册已经改正" });
    village.clerk.post(&format!("{at}/decision"), upheld.clone()).await.ok();
    village.chair.post(&format!("{at}/confirm"), upheld).await.ok();
    other.post(&format!("{path}/ballots"), ballot("against")).await.ok();
    app.pass(TimeDelta::days(3)).await;
    let result = app.get(&format!("{path}/result")).await.ok();
    let counted = &result["count"];
    assert_eq!((&counted["on_roll"], &counted["yes"], &counted["no"]), (&json!(4), &json!(1), &json!(1)), "{result}");
    let archive = checked(&app, &path[10..], &[]).await;
    assert!(archive["roll"].as_array().unwrap().iter().all(|one| one["u"] == "household"));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_moves_to_another_group_while_both_vote_is_pointed_out() {
    let (app, village) = Village::start().await;
    let (first, second) =
        (village.matter_to_decide(&app, "分补偿款").await, village.matter_to_decide(&app, "修水渠").await);
    village.chair.post("/v1/votes", asked(&app, &first, "group_assembly_person")).await.ok();
    import(&app.app, ROSTER.replace("H003,330521103202,4", "H003,330521103202,5")).await;
    let mut ask = asked(&app, &second, "group_assembly_person");
    ask["group_number"] = json!(5);
    let vote = village.chair.post("/v1/votes", ask).await.ok();
    let path = format!("/v1/votes/{}/roll/entries?limit=100", vote["id"].as_str().unwrap());
    let entries = village.chair.get(&path).await.ok();
    let twice = entries["items"].as_array().unwrap().iter().filter(|one| one["is_elsewhere"] == true).count();
    assert_eq!(twice, 3, "the three of that household: {entries}");
    app.stop().await;
}
