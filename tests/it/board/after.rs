//! After the count: a result that may be challenged is provisional, each challenge is answered, and only then follows what follows.
use chrono::TimeDelta;
use serde_json::{Value, json};
use uuid::Uuid;

use super::votes::checked;
use crate::support::{Somebody, TestApp, Village, count};

/// A binding vote of the representatives that five of six agree to, and whose time is over.
pub(super) async fn agreed(app: &TestApp, village: &Village, matter: &str, days: u32) -> String {
    let starts = app.app.now() + TimeDelta::days(4);
    let call = json!({ "area_code": village.area, "body_id": village.committee, "audience": "representatives",
        "matter_id": matter, "title": "村民代表会议", "agenda": "表决", "place": "文化礼堂", "starts_at": starts });
    let meeting = village.chair.post("/v1/meetings", call).await.ok()["id"].clone();
    app.pass(TimeDelta::days(3)).await;
    let ask = json!({ "matter_id": matter, "question": "是否同意修桥？", "preset": "village_representatives",
        "meeting_id": meeting, "challenge_days": days, "closes_at": app.app.now() + TimeDelta::days(2) });
    let vote = village.chair.post("/v1/votes", ask).await.ok();
    assert_eq!(vote["is_binding"], true);
    let path = format!("/v1/votes/{}", vote["id"].as_str().unwrap());
    for representative in &village.representatives {
        let ballot = json!({ "cast_id": Uuid::new_v4(), "choice": "for" });
        representative.post(&format!("{path}/ballots"), ballot).await.ok();
    }
    app.pass(TimeDelta::days(2)).await;
    app.settle().await;
    path
}

/// What the last leaf of a board says, if it is told whether the result stands.
fn how_settled(archive: &Value) -> Value {
    archive["entries"].as_array().unwrap().last().unwrap()["s"].clone()
}

/// Whoever voted need not look for the own row, however long the list.
async fn leads_to_the_own_row(elector: &Somebody, path: &str, page: &str) {
    let from = page.split("href=\"?cursor=").nth(1).and_then(|rest| rest.split("#own").next()).unwrap();
    let led = String::from_utf8(elector.download(&format!("{path}?cursor={from}")).await.1).unwrap();
    let rows = led.split_once("</thead>").unwrap().1.trim_start();
    assert!(rows.starts_with("<tr id=\"own\">") && led.matches("id=\"own\"").count() == 1, "{led}");
}

async fn stage(app: &TestApp, matter: &str) -> Value {
    app.get(&format!("/v1/matters/{matter}")).await.ok()["stage"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_result_is_provisional_until_its_days_are_over_and_every_challenge_is_answered() {
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let vote = agreed(&app, &village, &matter, 3).await;
    let (result, challenges) = (format!("{vote}/result"), format!("{vote}/challenges"));
    let told = app.get(&result).await.ok();
    assert_eq!((&told["outcome"], &told["settlement"]), (&json!("passed"), &json!("provisional")));
    assert!(told.get("resolution").is_none(), "{told}");
    assert_eq!(stage(&app, &matter).await, "decide", "nothing follows from it yet");
    // whoever holds the archive sees that it may not be the last word
    let archive = checked(&app, &vote[10..], &[]).await;
    assert!(archive["result"]["challenge_until"].is_string() && how_settled(&archive).is_null(), "{archive}");
    assert!(village.cards(&app, &matter).await.contains("名册上的人可以质疑"));
    // electors challenge, and nobody else; the office answers, not who challenged
    let reason = json!({ "reason": "少数了一票" });
    let stranger = village.villager(&app, "00007").await;
    assert_eq!(stranger.post(&challenges, reason.clone()).await.refused(), "not_on_roll");
    let elector = &village.representatives[0];
    let raised = elector.post(&challenges, reason.clone()).await.ok();
    let own = village.chair.post(&challenges, reason.clone()).await.ok();
    let answer = |challenge: &Value| format!("{challenges}/{}/answer", challenge["id"].as_str().unwrap());
    let no = json!({ "upholds": false, "answer": "当场复核，没有少数" });
    assert_eq!(elector.post(&answer(&raised), no.clone()).await.refused(), "not_allowed");
    assert_eq!(village.chair.post(&answer(&own), no.clone()).await.refused(), "second_person_needed");
    let answered = village.clerk.post(&answer(&own), no.clone()).await.ok();
    assert_eq!(village.clerk.post(&answer(&own), no.clone()).await.ok(), answered, "sent again");
    assert_eq!(village.chair.post(&answer(&own), json!({ "upholds": true, "answer": "有道理" })).await.status, 403);
    let page = String::from_utf8(elector.download(&format!("{}/result", &vote[3..])).await.1).unwrap();
    assert!(page.contains("少数了一票") && page.contains("结果公示中") && page.contains("我对结果有质疑"), "{page}");
    leads_to_the_own_row(elector, &format!("{}/result", &vote[3..]), &page).await;
    for (who, rejects) in [(&village.clerk, true), (&village.supervisor, false)] {
        let desk = String::from_utf8(who.download(&format!("/desk{}", &vote[3..])).await.1).unwrap();
        let offered = ["答复：质疑不成立", "质疑成立，结果不算"].map(|button| desk.contains(button));
        assert_eq!(offered, [rejects, !rejects], "{desk}");
    }
    // its days are over, and one is not answered: it waits
    app.pass(TimeDelta::days(5)).await;
    assert_eq!(app.get(&result).await.ok()["settlement"], "provisional");
    assert_eq!(elector.post(&challenges, reason).await.refused(), "challenge_too_late");
    village.clerk.post(&answer(&raised), no).await.ok();
    app.pass(TimeDelta::minutes(5)).await;
    app.settle().await;
    let told = app.get(&result).await.ok();
    let words = told["resolution"].as_str().unwrap();
    assert_eq!(told["settlement"], "final");
    for part in ["东衡村", "是否同意修桥？", "名册 6 人", "同意 5", "通过", "质疑 2 件", "第30条"]
    {
        assert!(words.contains(part), "{part}: {words}");
    }
    assert_ne!(stage(&app, &matter).await, "decide", "the matter moves by itself");
    assert_eq!(how_settled(&checked(&app, &vote[10..], &[]).await), "final");
    assert!(village.cards(&app, &matter).await.contains("决议公布"));
    let page = app.http.get(app.url(&format!("{}/resolution", &vote[3..]))).send().await.unwrap();
    let page = page.text().await.unwrap();
    assert!(page.contains(words) && page.contains("公示板指纹") && page.contains("当场复核"), "{page}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_challenge_that_is_right_overturns_the_result_and_the_matter_may_be_asked_about_again() {
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let vote = agreed(&app, &village, &matter, 5).await;
    let challenges = format!("{vote}/challenges");
    let raised = village.representatives[1].post(&challenges, json!({ "reason": "我没有投过" })).await.ok();
    let answer = format!("{challenges}/{}/answer", raised["id"].as_str().unwrap());
    let yes = json!({ "upholds": true, "answer": "查明有人冒投" });
    for office in [&village.clerk, &village.chair] {
        assert_eq!(office.post(&answer, yes.clone()).await.refused(), "not_allowed", "an office that lost overturns");
    }
    let ask = json!({ "matter_id": matter, "question": "再问一次？", "preset": "village_representatives",
        "closes_at": app.app.now() + TimeDelta::days(1) });
    assert_eq!(village.chair.post("/v1/votes", ask.clone()).await.refused(), "wrong_state", "the first is not settled");
    // another waits meanwhile
    let other = village.representatives[0].post(&challenges, json!({ "reason": "少数了一票" })).await.ok();
    village.supervisor.post(&answer, yes).await.ok();
    app.settle().await;
    let told = app.get(&format!("{vote}/result")).await.ok();
    assert_eq!(told["settlement"], "overturned");
    let listed = app.get(&challenges).await.ok();
    let of_other = listed.as_array().unwrap().iter().find(|one| one["id"] == other["id"]).unwrap();
    assert_eq!(of_other["state"], "moot", "it waits for ever: {listed}");
    let late = format!("{challenges}/{}/answer", other["id"].as_str().unwrap());
    let no = json!({ "upholds": false, "answer": "复核过，没有少数" });
    assert_eq!(village.chair.post(&late, no).await.refused(), "wrong_state");
    assert!(told["resolution"].as_str().unwrap().contains("查明有人冒投"), "{told}");
    assert_eq!(how_settled(&checked(&app, &vote[10..], &[]).await), "overturned", "the board does not say so");
    assert_eq!(stage(&app, &matter).await, "decide");
    assert!(village.cards(&app, &matter).await.contains("结果不成立"));
    let mut again = ask;
    again["closes_at"] = json!(app.app.now() + TimeDelta::days(1));
    village.chair.post("/v1/votes", again).await.ok();
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_days_for_challenges_a_result_stands_at_once_and_a_few_are_never_told_of() {
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let vote = village.open_vote(&app, &matter, TimeDelta::days(6)).await;
    let path = format!("/v1/votes/{vote}");
    for number in ["00007", "00010", "00011", "00012", "00013", "00014", "00015"] {
        let ballot = json!({ "cast_id": Uuid::new_v4(), "choice": "for" });
        village.villager(&app, number).await.post(&format!("{path}/ballots"), ballot).await.ok();
    }
    assert_eq!(app.get(&format!("{path}/turnout")).await.refused(), "wrong_state");
    // one of them by a proxy
    let elector = village.villager(&app, "00008").await;
    let named = json!({ "agent": { "name": "费海荣" }, "relation": "spouse" });
    let named = elector.post(&format!("{path}/proxies"), named).await.ok();
    village.clerk.post(&format!("{path}/proxies/{}/check", named["number"]), json!(null)).await.ok();
    let ballot = json!({ "cast_id": Uuid::new_v4(), "choice": "against", "elector": named["number"] });
    village.villager(&app, "00007").await.post(&format!("{path}/ballots"), ballot).await.ok();
    app.pass(TimeDelta::days(7)).await;
    let told = app.get(&format!("{path}/result")).await.ok();
    assert_eq!(told["settlement"], "final");
    assert!(told["resolution"].as_str().unwrap().contains("意见征询"), "{told}");
    let elector = village.villager(&app, "00007").await;
    let late = elector.post(&format!("{path}/challenges"), json!({ "reason": "太晚" })).await;
    assert_eq!(late.refused(), "challenge_too_late");
    let turnout = app.get(&format!("{path}/turnout")).await.ok();
    assert_eq!(turnout["present"], 8);
    for channel in turnout["channels"].as_array().unwrap() {
        let is_told = channel.get("present").is_some();
        assert_eq!(is_told, matches!(channel["channel"].as_str().unwrap(), "household" | "paper"), "{channel}");
    }
    let page = app.http.get(app.url(&format!("/votes/{vote}/resolution"))).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("人数少，不单独公布"), "{page}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_holds_up_a_result_for_ever_by_challenges_or_by_silence() {
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let vote = agreed(&app, &village, &matter, 3).await;
    let (result, challenges) = (format!("{vote}/result"), format!("{vote}/challenges"));
    let reason = json!({ "reason": "少数了一票" });
    let (one, other) = (&village.representatives[0], &village.representatives[1]);
    let raised = one.post(&challenges, reason.clone()).await.ok();
    assert_eq!(one.post(&challenges, reason.clone()).await.refused(), "challenge_open", "one at a time");
    let silent = other.post(&challenges, reason.clone()).await.ok();
    let answer = |challenge: &Value| format!("{challenges}/{}/answer", challenge["id"].as_str().unwrap());
    let no = json!({ "upholds": false, "answer": "复核过，没有少数" });
    // in its days the office alone answers; then who stands in for it, so that no office is silent for ever
    for early in [&village.supervisor, &village.town] {
        assert_eq!(early.post(&answer(&raised), no.clone()).await.refused(), "not_allowed");
    }
    // they are over on a Sunday, on which nobody has to answer
    app.pass(TimeDelta::days(4)).await;
    assert_eq!(village.supervisor.post(&answer(&raised), no.clone()).await.refused(), "not_allowed");
    app.pass(TimeDelta::days(1)).await;
    app.settle().await;
    let passed_on = "SELECT count(*) FROM entries WHERE kind = 'card' AND body LIKE '%代为答复，%'";
    assert_eq!(count(app.folder.path(), passed_on).await, 4, "two challenges, two who stand in");
    assert_eq!(other.post(&answer(&raised), no.clone()).await.refused(), "not_allowed");
    assert_eq!(village.supervisor.post(&answer(&raised), no).await.ok()["state"], "rejected");
    app.settle().await;
    assert_eq!(app.get(&result).await.ok()["settlement"], "provisional", "one still waits");
    let listed = app.get(&challenges).await.ok();
    assert_eq!(listed[0]["id"], silent["id"], "who waits comes first: {listed}");
    // and if nobody answers it lapses, and that is published
    app.pass(TimeDelta::days(3)).await;
    app.pass(TimeDelta::minutes(5)).await;
    app.settle().await;
    let told = app.get(&result).await.ok();
    assert_eq!(told["settlement"], "final");
    assert!(told["resolution"].as_str().unwrap().contains("其中 1 件到期没有人答复"), "{told}");
    let states: Vec<Value> =
        app.get(&challenges).await.ok().as_array().unwrap().iter().map(|one| one["state"].clone()).collect();
    assert!(states.contains(&json!("lapsed")) && states.contains(&json!("rejected")), "{states:?}");
    assert_ne!(stage(&app, &matter).await, "decide");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_decides_hangs_for_seven_days_where_nothing_is_said_and_never_for_none() {
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let starts = app.app.now() + TimeDelta::days(4);
    let call = json!({ "area_code": village.area, "body_id": village.committee, "audience": "representatives",
        "matter_id": matter, "title": "村民代表会议", "agenda": "表决", "place": "文化礼堂", "starts_at": starts });
    let meeting = village.chair.post("/v1/meetings", call).await.ok()["id"].clone();
    app.pass(TimeDelta::days(3)).await;
    let ask = |days: Value| {
        json!({ "matter_id": matter, "question": "是否同意修桥？", "preset": "village_representatives",
            "meeting_id": meeting, "challenge_days": days, "closes_at": app.app.now() + TimeDelta::days(2) })
    };
    let at_once = village.chair.post("/v1/votes", ask(json!(0))).await;
    assert!(at_once.body.to_string().contains("challenge_days"), "a decision that stands at once: {}", at_once.body);
    let vote = village.chair.post("/v1/votes", ask(Value::Null)).await.ok();
    assert_eq!(vote["challenge_days"], 7);
    let path = format!("/v1/votes/{}", vote["id"].as_str().unwrap());
    let manifest = app.get(&format!("{path}/manifest")).await.ok();
    assert_eq!(manifest["challenge_days"], 7, "said before anybody cast");
    for representative in &village.representatives {
        let ballot = json!({ "cast_id": Uuid::new_v4(), "choice": "for" });
        representative.post(&format!("{path}/ballots"), ballot).await.ok();
    }
    app.pass(TimeDelta::days(2)).await;
    app.pass(TimeDelta::days(6)).await;
    assert_eq!(app.get(&format!("{path}/result")).await.ok()["settlement"], "provisional");
    app.pass(TimeDelta::days(2)).await;
    assert_eq!(app.get(&format!("{path}/result")).await.ok()["settlement"], "final");
    checked(&app, &path[10..], &[]).await;
    app.stop().await;
}
