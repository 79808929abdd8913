//! Who counts paper beside those who run the vote: the office above, also over a whole county, and nobody who leads the body.
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{
    inside::{called, election},
    paper::{issue, number, photo, tally},
};
use crate::{
    county::operator,
    support::{Raw, Somebody, TestApp, Village, count, id},
};

const COUNTY: &str = "330521";

/// The chair of a body is elected on paper alone.
async fn on_paper(app: &TestApp, leader: &Somebody, meeting: &Value) -> String {
    let mut ask = election(app, meeting);
    (ask["secrecy"], ask["has_paper"]) = (json!("paper"), json!(true));
    format!("/v1/votes/{}", id(&leader.post("/v1/votes", ask).await.ok()))
}

/// Both take a sheet, the time is over, and both say that the two named the first candidate.
async fn counted_by_its_leaders(app: &TestApp, vote: &str, leaders: [&Somebody; 2]) {
    for leader in leaders {
        let own = number(leader, vote).await;
        issue(leaders[0], vote, own).await.ok();
    }
    app.pass(TimeDelta::days(2)).await;
    let counts = format!("{vote}/paper/counts");
    leaders[0].post(&counts, tally(json!({ "1": 2 }), (0, 0), photo(leaders[0]).await)).await.ok();
    let seen = leaders[1].post(&counts, tally(json!({ "1": 2 }), (0, 0), None)).await.ok();
    assert_eq!(seen["balance"], "exact", "{seen}");
}

/// Somebody sits in a body, by who keeps it.
async fn seated(app: &TestApp, by: &Somebody, (body, who, role): (&str, &Somebody, &str)) -> Somebody {
    let seat = json!({ "person_id": who.person, "role": role });
    by.post(&format!("/v1/bodies/{body}/seats"), seat).await.ok();
    app.settle().await;
    Somebody::signed_in(app, who.person).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn over_a_whole_county_its_office_counts_with_a_federation() {
    let (app, village) = Village::start().await;
    let above = operator(&app).await;
    let new = json!({ "kind": "federation", "name": "德清县参事会联合会", "areas": [COUNTY] });
    let federation = id(&above.post("/v1/bodies", new).await.ok());
    let (one, other) = (village.villager(&app, "00010").await, village.villager(&app, "00011").await);
    let chair = seated(&app, &above, (&federation, &one, "chair")).await;
    let secretary = seated(&app, &above, (&federation, &other, "secretary")).await;
    let call = json!({ "area_code": COUNTY, "body_id": federation, "audience": "members", "business": "own_affairs",
        "title": "换届会议", "agenda": "选举会长", "place": "县文化馆",
        "starts_at": app.app.now() + TimeDelta::hours(3) });
    let meeting = chair.post("/v1/meetings", call).await.ok()["id"].clone();
    let vote = on_paper(&app, &chair, &meeting).await;
    counted_by_its_leaders(&app, &vote, [&chair, &secretary]).await;
    let sign = format!("{vote}/paper/signature");
    assert_eq!(chair.post(&sign, json!({})).await.refused(), "paper_not_counted", "those who lead it counted alone");
    // no town stands over a county, nor is it the body's own to annul; the county's office may
    let (counts, annul) = (format!("{vote}/paper/counts"), format!("{vote}/annul"));
    let alike = || tally(json!({ "1": 2 }), (0, 0), None);
    assert_eq!(village.town.post(&counts, alike()).await.refused(), "not_allowed");
    let why = json!({ "reason": "票数对不上", "authority": "县民政局" });
    assert_eq!(chair.post(&annul, why).await.refused(), "not_allowed");
    let desk = String::from_utf8(above.download(&format!("/desk{}", &vote[3..])).await.1).unwrap();
    assert!(desk.contains(&format!("/desk{}/annul", &vote[3..])), "the county's office annuls nothing: {desk}");
    above.post(&counts, alike()).await.ok();
    chair.post(&sign, json!({})).await.ok();
    assert_eq!(chair.get(&format!("{vote}/result")).await.ok()["count"]["present"], 2);
    secretary.post(&format!("{vote}/challenges"), json!({ "reason": "票数错了" })).await.ok();
    app.settle().await;
    let told = "SELECT count(*) FROM entries WHERE kind = 'card' AND body LIKE '%没有答复以前，结果不算定论%'";
    assert_eq!(count(app.folder.path(), told).await, 2, "the body, and the office above it");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_leads_the_council_and_supervises_the_village_does_not_count_apart() {
    let (app, village) = Village::start().await;
    let bodies = app.get(&format!("/v1/areas/{}/bodies", village.area)).await.ok();
    let all = bodies["items"].as_array().unwrap();
    let supervision = id(all.iter().find(|body| body["kind"] == "supervision_committee").unwrap());
    let chair = seated(&app, &village.town, (&supervision, &village.council_chair, "member")).await;
    let meeting = called(&app, &village).await;
    let vote = on_paper(&app, &chair, &meeting).await;
    counted_by_its_leaders(&app, &vote, [&chair, &village.secretary]).await;
    let sign = format!("{vote}/paper/signature");
    let alone = chair.post(&sign, json!({})).await;
    assert_eq!(alone.body["code"], "paper_not_counted", "those who lead it counted alone");
    let counts = format!("{vote}/paper/counts");
    village.supervisor.post(&counts, tally(json!({ "1": 2 }), (0, 0), None)).await.ok();
    chair.post(&sign, json!({})).await.ok();
    assert_eq!(chair.get(&format!("{vote}/result")).await.ok()["count"]["present"], 2);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn where_nobody_could_count_apart_no_vote_takes_paper() {
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let raw = Raw::open(app.folder.path()).await;
    let gone = "UPDATE body_areas SET area_code = '330521103203' WHERE body_id IN \
        (SELECT id FROM bodies WHERE kind IN ('supervision_committee', 'town_office'))";
    assert_eq!(raw.execute(gone).await, 2);
    raw.close().await;
    let mut ask = json!({ "matter_id": matter, "question": "是否同意？", "preset": "village_assembly_person",
        "has_paper": true, "closes_at": app.app.now() + TimeDelta::days(1) });
    let refused = village.chair.post("/v1/votes", ask.clone()).await;
    assert_eq!(refused.body["errors"][0]["code"], "no_counters", "nobody could sign its count: {}", refused.body);
    ask["has_paper"] = json!(false);
    village.chair.post("/v1/votes", ask).await.ok();
    app.stop().await;
}
