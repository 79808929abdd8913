//! Paper in a secret vote: what a few chose on it is never told apart, shown or kept.
use chrono::TimeDelta;
use liusheng::votes::verify::{Reopened, reopen};
use serde_json::{Value, json};

use super::{ballot, end, issue, leaves, number, photo, tally};
use crate::{
    board::{Sealed, votes::checked},
    support::{TestApp, Village, count},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn where_one_may_cast_again_paper_comes_before_the_phone_and_a_secret_few_on_paper_are_not_told_apart() {
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let more = json!({ "has_paper": true, "allows_revote": true, "closes_at": app.app.now() + TimeDelta::days(6) });
    let vote = Sealed::open(&app, &village, &matter, more).await;
    let path = vote.path("");
    let mut phones = Vec::new();
    for elector in ["00007", "00008", "00010"] {
        let who = village.villager(&app, elector).await;
        who.post(&vote.path("/ballots"), ballot("for")).await.ok();
        phones.push(who);
    }
    // one comes to the desk after all, and one gives the sheet back
    let taken = issue(&village.clerk, &path, number(&phones[0], &path).await).await.ok();
    assert_eq!(taken["overrides"], true);
    assert_eq!(
        taken["issued_by"],
        village.clerk.get("/v1/me").await.ok()["name"],
        "who gives sheets out stands beside them"
    );
    assert_eq!(phones[0].post(&vote.path("/ballots"), ballot("for")).await.refused(), "paper_issued");
    let back = issue(&village.clerk, &path, number(&phones[1], &path).await).await.ok();
    end(&village.clerk, &path, (&back["serial"], "returned")).await.ok();
    // the proxy of one takes a sheet
    let elector = village.villager(&app, "00011").await;
    let named = json!({ "agent": { "name": "欧阳水根" }, "relation": "other" });
    elector.post(&vote.path("/proxies"), named).await.ok();
    let own = number(&elector, &path).await;
    let asked = json!({ "number": own, "to_proxy": true });
    let sheets = vote.path("/paper/sheets");
    assert_eq!(village.clerk.post(&sheets, asked.clone()).await.refused(), "proxy_not_allowed", "not checked");
    village.clerk.post(&vote.path(&format!("/proxies/{own}/check")), json!(null)).await.ok();
    assert_eq!(village.clerk.post(&sheets, asked).await.ok()["taken_by"], "欧阳水根");
    app.pass(TimeDelta::days(7)).await;
    assert_eq!(app.get(&path).await.ok()["state"], "counting_paper");
    assert_eq!(village.chair.post(&vote.path("/opening"), vote.two(0, 1)).await.refused(), "wrong_state");
    let told = tally(json!({ "against": 2 }), (0, 0), photo(&village.clerk).await);
    village.clerk.post(&vote.path("/paper/counts"), told).await.ok();
    village.supervisor.post(&vote.path("/paper/counts"), tally(json!({ "against": 2 }), (0, 0), None)).await.ok();
    village.chair.post(&vote.path("/paper/signature"), json!({})).await.ok();
    assert_eq!(app.get(&path).await.ok()["state"], "counting");
    assert_eq!(count(app.folder.path(), "SELECT count(*) FROM envelopes").await, 0, "parted from their electors");
    village.chair.post(&vote.path("/opening"), vote.two(0, 2)).await.ok();
    let result = app.get(&vote.path("/result")).await.ok();
    let counted = |name: &str| result["count"][name].as_i64().unwrap();
    assert_eq!((counted("present"), counted("yes"), counted("no"), counted("issued")), (4, 2, 2, 4));
    let archive = checked(&app, &vote.id, &[]).await;
    assert_eq!((leaves(&archive, "void").len(), leaves(&archive, "ballot").len()), (1, 3));
    let paper = leaves(&archive, "paper")[0];
    assert!(paper.get("no").is_none() && paper["n"] == 2, "what a few on paper chose is not told apart: {paper}");
    assert_eq!(archive["plaintexts"], json!([["against"], ["against"], ["for"], ["for"]]));
    // opened once more, what is left is as much as the boxes held
    let keys = vote.keys.join("\n");
    assert_eq!(reopen(&archive, &keys), Ok(Reopened { opened: 2, closed: 0, paper: 2 }));
    let mut fewer = archive.clone();
    fewer["plaintexts"].as_array_mut().unwrap().remove(0);
    assert_eq!(reopen(&fewer, &keys), Err("reopened"));
    // nor shown by the photo
    for who in [&phones[2], &village.clerk] {
        let shown = who.get(&vote.path("/paper/boxes/1/photo")).await;
        assert_eq!(shown.refused(), "not_found");
    }
    app.stop().await;
}

/// A secret vote with one ballot by phone and so many on paper, whose time is over.
async fn mixed(app: &TestApp, village: &Village, on_paper: &[&str]) -> Sealed {
    let matter = village.matter_to_decide(app, "修一座桥").await;
    let more = json!({ "has_paper": true, "closes_at": app.app.now() + TimeDelta::days(6) });
    let vote = Sealed::open(app, village, &matter, more).await;
    village.villager(app, "00014").await.post(&vote.path("/ballots"), ballot("for")).await.ok();
    for elector in on_paper {
        let own = number(&village.villager(app, elector).await, &vote.path("")).await;
        issue(&village.clerk, &vote.path(""), own).await.ok();
    }
    app.pass(TimeDelta::days(7)).await;
    vote
}

/// The clerk and the supervisor count a box alike, and show it.
async fn counted(village: &Village, vote: &Sealed, (paper_box, votes): (u64, Value)) -> Value {
    let mut told = tally(votes, (0, 0), photo(&village.clerk).await);
    told["box"] = json!(paper_box);
    village.clerk.post(&vote.path("/paper/counts"), told.clone()).await.ok();
    told["photo_id"] = Value::Null;
    village.supervisor.post(&vote.path("/paper/counts"), told).await.ok()
}

const KEPT: &str = "SELECT count(*) FROM paper_counts WHERE figures LIKE '%against%'";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_a_few_on_paper_chose_in_a_secret_vote_is_never_told_apart_and_not_kept() {
    let (app, village) = Village::start().await;
    let vote = mixed(&app, &village, &["00007", "00008", "00010", "00011", "00012", "00013"]).await;
    let sign = vote.path("/paper/signature");
    counted(&village, &vote, (1, json!({ "for": 5 }))).await;
    let seen = counted(&village, &vote, (2, json!({ "against": 1 }))).await;
    let boxes = &seen["boxes"];
    assert_eq!((&boxes[0]["ballots"], &boxes[1]["ballots"]), (&json!(5), &json!(1)));
    assert!(boxes[1].get("own").is_none() && boxes[1].get("agreed").is_none(), "{seen}");
    assert_eq!(village.chair.post(&sign, json!({})).await.refused(), "paper_few_in_box");
    // a third who counted otherwise is heard; more than the village has is a slip of the pen
    let other = village.chair.post(&vote.path("/paper/counts"), tally(json!({ "for": 4 }), (0, 0), None)).await.ok();
    assert!(other["boxes"][0].get("ballots").is_none(), "two of three is not all: {other}");
    let slip = village.clerk.post(&vote.path("/paper/counts"), tally(json!({ "for": 500 }), (0, 0), None)).await;
    assert_eq!(slip.refused(), "invalid_fields");
    // together in one box; the photo of other figures is gone with them
    let alike = json!({ "for": 5, "against": 1 });
    village.chair.post(&vote.path("/paper/counts"), tally(alike.clone(), (0, 0), None)).await.ok();
    village.supervisor.post(&vote.path("/paper/counts"), tally(alike.clone(), (0, 0), None)).await.ok();
    let seen = village.clerk.post(&vote.path("/paper/counts"), tally(alike.clone(), (0, 0), None)).await.ok();
    assert_eq!((&seen["boxes"][0]["ballots"], &seen["boxes"][0]["has_photo"]), (&json!(6), &json!(false)));
    counted(&village, &vote, (2, json!({}))).await;
    assert_eq!(village.chair.post(&sign, json!({})).await.refused(), "paper_not_counted");
    counted(&village, &vote, (1, alike)).await;
    assert_eq!(count(app.folder.path(), KEPT).await, 3);
    village.chair.post(&sign, json!({})).await.ok();
    village.chair.post(&vote.path("/opening"), vote.two(0, 2)).await.ok();
    assert_eq!(app.get(&vote.path("/result")).await.ok()["count"]["present"], 7);
    assert_eq!(count(app.folder.path(), KEPT).await, 0, "what a few chose is kept");
    checked(&app, &vote.id, &[]).await;
    let elector = village.villager(&app, "00007").await;
    let listed = elector.get(&vote.path("/ballots?limit=100")).await.ok().to_string();
    assert!(listed.contains("已投票") && !listed.contains("已投纸票"), "{listed}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_secret_vote_on_paper_that_is_annulled_while_it_waits_for_its_keys_can_be_checked() {
    let (app, village) = Village::start().await;
    let vote = mixed(&app, &village, &["00007"]).await;
    counted(&village, &vote, (1, json!({ "against": 1 }))).await;
    village.chair.post(&vote.path("/paper/signature"), json!({})).await.ok();
    assert_eq!(app.get(&vote.path("")).await.ok()["state"], "counting");
    let why = json!({ "reason": "两把钥匙丢了", "authority": "镇政府" });
    // whoever knows what is in the boxes annuls nothing
    assert_eq!(village.chair.post(&vote.path("/annul"), why.clone()).await.refused(), "not_allowed");
    village.town.post(&vote.path("/annul"), why).await.ok();
    let archive = checked(&app, &vote.id, &[]).await;
    assert_eq!((leaves(&archive, "paper").len(), &archive["plaintexts"]), (1, &Value::Null));
    assert_eq!(count(app.folder.path(), KEPT).await, 0, "what a few chose is kept");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_is_told_that_somebody_cast_a_secret_ballot_for_them_while_paper_is_counted() {
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let more = json!({ "has_paper": true, "closes_at": app.app.now() + TimeDelta::days(6) });
    let vote = Sealed::open(&app, &village, &matter, more).await;
    let elector = village.villager(&app, "00011").await;
    let named = json!({ "agent": { "name": "欧阳水根" }, "relation": "other" });
    elector.post(&vote.path("/proxies"), named).await.ok();
    let own = number(&elector, &vote.path("")).await;
    village.clerk.post(&vote.path(&format!("/proxies/{own}/check")), json!(null)).await.ok();
    let mut for_other = ballot("for");
    for_other["elector"] = json!(own);
    village.villager(&app, "00010").await.post(&vote.path("/ballots"), for_other).await.ok();
    let own = number(&village.villager(&app, "00007").await, &vote.path("")).await;
    issue(&village.clerk, &vote.path(""), own).await.ok();
    app.pass(TimeDelta::days(7)).await;
    app.settle().await;
    let told = "SELECT count(*) FROM roll_entries WHERE channel = 'proxy' AND is_told";
    assert_eq!(app.get(&vote.path("")).await.ok()["state"], "counting_paper");
    assert_eq!(count(app.folder.path(), told).await, 0, "a sheet that is counted may still change who cast");
    counted(&village, &vote, (1, json!({ "for": 1 }))).await;
    village.chair.post(&vote.path("/paper/signature"), json!({})).await.ok();
    app.pass(TimeDelta::minutes(5)).await;
    app.settle().await;
    assert_eq!(count(app.folder.path(), told).await, 1);
    app.stop().await;
}
