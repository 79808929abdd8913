//! Claiming a phone: from the phone, and at the office.
use chrono::TimeDelta;
use liusheng::{claims, ids::ClaimId, people};
use sea_orm::{ConnectionTrait, sea_query::Query};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::support::{Answer, Somebody, TestApp, Village, answer, code_of, import, person_of};

const ROSTER: &str = include_str!("../../data/roster_small.csv");
const NEIGHBOURS: &str = include_str!("../../data/roster_neighbours.csv");
const AREA: &str = "330521103202";
const OLD: &str = "19500000007";
const NEW: &str = "19612345678";

/// Name and last six characters of the person with this number.
fn known(number: &str) -> (String, String) {
    let mut lines = ROSTER.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = lines.next().unwrap();
    let at = |name: &str| header.iter().position(|column| column.trim_start_matches('\u{feff}') == name).unwrap();
    let line = lines.find(|line| line[at("person_no")] == number).unwrap();
    (line[at("name")].to_owned(), line[at("id_no")][12..].to_owned())
}

fn told(name: &str, digits: &str, phone: &str) -> Value {
    json!({ "area_code": AREA, "name": name, "id_last_six": digits, "phone": phone })
}

async fn ask(app: &TestApp, told: &Value) -> Answer {
    answer(app.http.post(app.url("/v1/claims")).json(told)).await
}

async fn confirm(app: &TestApp, told: &Value, code: &str) -> Answer {
    let mut told = told.clone();
    told["code"] = json!(code);
    answer(app.http.post(app.url("/v1/claims/confirm")).json(&told)).await
}

async fn waiting(village: &Village) -> Vec<Value> {
    let list = village.clerk.get(&format!("/v1/areas/{AREA}/claims")).await.ok();
    list["claims"].as_array().unwrap().clone()
}

fn sms(app: &TestApp) -> String {
    std::fs::read_to_string(app.folder.path().join("sms.txt")).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_waits_for_the_office_and_then_the_phone_is_bound_for_good() {
    let (app, village) = Village::start().await;
    let before = Somebody::by_phone(&app, OLD, None).await;
    let (name, digits) = known("00007");
    let mine = told(&name, &digits, NEW);
    let noted = ask(&app, &mine).await;
    assert_eq!(noted.status, 202, "{}", noted.body);
    let code = code_of(&app, NEW).await;
    let other = told(&name, "123456", NEW);
    assert_eq!(confirm(&app, &other, &code).await.refused(), "code_wrong", "a code proves one claim only");
    confirm(&app, &mine, &code).await.ok();
    assert_eq!(confirm(&app, &mine, &code).await.refused(), "code_wrong", "and once");
    app.settle().await;
    let claims = waiting(&village).await;
    assert_eq!((claims.len(), claims[0]["person_name"].as_str()), (1, Some(name.as_str())));
    assert_eq!(
        (claims[0]["phone"].as_str(), claims[0]["old_phone"].as_str()),
        (Some("196****5678"), Some("195****0007"))
    );
    before.get("/v1/me").await.ok();

    let decision = format!("/v1/claims/{}/decision", claims[0]["id"].as_str().unwrap());
    let yes = json!({ "approve": true });
    assert_eq!(village.secretary.post(&decision, yes.clone()).await.refused(), "not_found");
    assert_eq!(before.post(&decision, yes.clone()).await.refused(), "not_found");
    assert_eq!(village.clerk.post(&decision, json!({ "approve": false })).await.refused(), "invalid_fields");
    village.clerk.post(&decision, yes.clone()).await.ok();
    assert_eq!(village.chair.post(&decision, yes).await.refused(), "wrong_state");
    app.settle().await;
    assert_eq!(before.get("/v1/me").await.refused(), "session_ended", "whoever holds the old phone is out");
    assert!(sms(&app).contains(&format!("notice {OLD} phone_replaced")));
    assert!(sms(&app).contains(&format!("notice {NEW} phone_bound")));
    app.clock.advance(TimeDelta::minutes(2));
    // a code that was sent before is not the one for this log-in
    std::fs::write(app.folder.path().join("sms.txt"), "").unwrap();
    let after = Somebody::by_phone(&app, NEW, None).await;
    assert_eq!(after.get("/v1/me").await.ok()["name"], name);
    let streams = after.get("/v1/sync").await.ok();
    assert!(streams.to_string().contains("手机号已经换好"), "{streams}");

    // the roster still has the old number
    let request = village.clerk.request(reqwest::Method::POST, &format!("/v1/areas/{AREA}/roster"));
    let done = answer(request.header("content-type", "text/csv").body(ROSTER)).await.ok();
    assert_eq!((done["phones_kept"].as_u64(), done["unchanged"].as_bool()), (Some(1), Some(true)), "{done}");
    assert_eq!(after.get("/v1/me").await.ok()["phone"], "196****5678");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_name_and_wrong_digits_get_the_answer_of_right_ones_five_times_a_day() {
    let (app, village) = Village::start().await;
    let (name, digits) = known("00007");
    let right = told(&name, &digits, "19612340001");
    let cases = [right, told("没有此人", &digits, "19612340002"), told(&name, "310010", "19612340003")];
    let mut answers = Vec::new();
    for told in &cases {
        let asked = ask(&app, told).await;
        let code = code_of(&app, told["phone"].as_str().unwrap()).await;
        let wrong = confirm(&app, told, if code == "000000" { "000001" } else { "000000" }).await;
        let proven = confirm(&app, told, &code).await;
        answers.push([asked, wrong, proven].map(|one| (one.status, one.body)));
    }
    assert!(answers.iter().all(|one| *one == answers[0]), "{answers:?}");
    assert_eq!(waiting(&village).await.len(), 1);
    // two more from this address, then none from it, whatever the phone
    for number in 4..=5 {
        ask(&app, &told(&name, "310010", &format!("1961234000{number}"))).await.ok();
    }
    assert_eq!(ask(&app, &told(&name, "310010", "19612340006")).await.refused(), "code_too_many");
    app.clock.advance(TimeDelta::hours(25));
    ask(&app, &told(&name, "310010", "19612340006")).await.ok();
    assert_eq!(
        ask(&app, &json!({ "area_code": "1", "name": "x", "id_last_six": "1", "phone": "1" })).await.body["errors"]
            .as_array()
            .unwrap()
            .len(),
        4
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_phone_takes_two_at_the_office() {
    let (app, village) = Village::start().await;
    let who = person_of(&app.app, AREA, "00007").await;
    let path = format!("/v1/people/{who}/claims");
    let lost = json!({ "phone": NEW });
    assert_eq!(village.secretary.post(&path, lost.clone()).await.refused(), "not_allowed");
    village.clerk.post(&path, lost.clone()).await.ok();
    village.clerk.post(&path, lost.clone()).await.ok();
    let claims = waiting(&village).await;
    assert_eq!(
        (claims.len(), claims[0]["how"].as_str(), claims[0]["can_decide"].as_bool()),
        (1, Some("office"), Some(false))
    );
    let decision = format!("/v1/claims/{}/decision", claims[0]["id"].as_str().unwrap());
    assert_eq!(village.clerk.post(&decision, json!({ "approve": true })).await.refused(), "second_person_needed");
    village.chair.post(&decision, json!({ "approve": true })).await.ok();
    app.settle().await;
    assert!(sms(&app).contains(&format!("notice {OLD} phone_replaced")));
    Somebody::by_phone(&app, NEW, None).await;
    // not about oneself, not by the one who is asked about
    let own = format!("/v1/people/{}/claims", village.clerk.person);
    assert_eq!(village.clerk.post(&own, lost.clone()).await.refused(), "second_person_needed");
    village.chair.post(&own, json!({ "phone": "19612349999" })).await.ok();
    let claims = waiting(&village).await;
    let decision = format!("/v1/claims/{}/decision", claims[0]["id"].as_str().unwrap());
    assert_eq!(village.clerk.post(&decision, json!({ "approve": true })).await.refused(), "second_person_needed");
    // nobody decides: it lapses, and the phone is told
    app.pass(TimeDelta::days(40)).await;
    app.settle().await;
    assert!(waiting(&village).await.is_empty());
    assert!(sms(&app).contains("notice 19612349999 claim_refused"));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_office_of_a_village_binds_no_phone_to_who_is_anothers_by_now() {
    let (app, village) = Village::start().await;
    let who = person_of(&app.app, AREA, "00007").await;
    village.clerk.post(&format!("/v1/people/{who}/claims"), json!({ "phone": NEW })).await.ok();
    let claims = waiting(&village).await;
    let decision = format!("/v1/claims/{}/decision", claims[0]["id"].as_str().unwrap());
    let left: Vec<&str> = ROSTER.lines().filter(|line| !line.starts_with("00007,")).collect();
    import(&app.app, left.join("\n")).await;
    let line = ROSTER.lines().find(|line| line.starts_with("00007,")).unwrap();
    let come = line.replacen("00007,H003,330521103202", "00004,N004,330521103203", 1);
    import(&app.app, format!("{}\n{come}\n", NEIGHBOURS.trim_end())).await;
    assert_eq!(person_of(&app.app, "330521103203", "00004").await, who, "the same person");
    assert_eq!(village.chair.post(&decision, json!({ "approve": true })).await.refused(), "wrong_state");
    village.chair.post(&decision, json!({ "approve": false, "reason": "已迁出" })).await.ok();
    app.settle().await;
    assert!(!sms(&app).contains("phone_replaced"), "{}", sms(&app));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_decide_at_once_decide_once() {
    let (app, village) = Village::start().await;
    let (name, digits) = known("00007");
    ask(&app, &told(&name, &digits, NEW)).await.ok();
    confirm(&app, &told(&name, &digits, NEW), &code_of(&app, NEW).await).await.ok();
    let claims = waiting(&village).await;
    let decision = format!("/v1/claims/{}/decision", claims[0]["id"].as_str().unwrap());
    let (yes, no) = (json!({ "approve": true }), json!({ "approve": false, "reason": "不认识" }));
    let (one, other) = tokio::join!(village.clerk.post(&decision, yes), village.chair.post(&decision, no));
    let mut codes = [one.status, other.status];
    codes.sort_unstable();
    assert_eq!(codes, [204, 409]);
    app.stop().await;
}

/// An empty roster field must not find everybody who has none.
#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_identity_number_on_the_roster_is_found_by_nothing() {
    let (app, village) = Village::start().await;
    import(&app.app, ROSTER).await;
    let lines: Vec<&str> = ROSTER.lines().filter(|line| line.starts_with("00056")).collect();
    let name = lines[0].split(',').nth(4).unwrap();
    let told = told(name, "000000", NEW);
    ask(&app, &told).await.ok();
    confirm(&app, &told, &code_of(&app, NEW).await).await.ok();
    assert!(waiting(&village).await.is_empty());
    app.stop().await;
}

/// Decided a day ago, each about a number that cannot be read, and so never told.
async fn cannot_be_told(app: &TestApp, count: usize) {
    let (person, now) = (person_of(&app.app, AREA, "00008").await, app.app.now());
    let mut rows = Query::insert();
    rows.into_table("phone_claims").columns([
        "id",
        "area_code",
        "person_id",
        "how",
        "phone_sealed",
        "phone_hmac",
        "state",
        "asked_at",
        "due_at",
        "decided_at",
    ]);
    for number in 0..count {
        rows.values_panic([
            ClaimId::new().into(),
            AREA.into(),
            person.into(),
            "phone".into(),
            "of another key".into(),
            format!("number {number}").into(),
            "approved".into(),
            now.into(),
            now.into(),
            (now - TimeDelta::days(1)).into(),
        ]);
    }
    let unit = app.app.store.write(move |tx| {
        Box::pin(async move {
            tx.execute(&rows).await?;
            Ok(())
        })
    });
    unit.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_that_cannot_be_told_hold_up_no_others() {
    let (app, village) = Village::start().await;
    cannot_be_told(&app, 100).await;
    let who = person_of(&app.app, AREA, "00007").await;
    village.clerk.post(&format!("/v1/people/{who}/claims"), json!({ "phone": NEW })).await.ok();
    let claims = waiting(&village).await;
    let decision = format!("/v1/claims/{}/decision", claims[0]["id"].as_str().unwrap());
    village.chair.post(&decision, json!({ "approve": true })).await.ok();
    for _ in 0..2 {
        app.settle().await;
    }
    assert!(sms(&app).contains(&format!("notice {NEW} phone_bound")), "behind a hundred others");
    app.stop().await;
}

/// Workers of several processes look at the same moment.
#[tokio::test(flavor = "multi_thread")]
async fn workers_who_look_at_once_tell_a_phone_once() {
    let (app, village) = Village::start().await;
    let who = person_of(&app.app, AREA, "00007").await;
    village.clerk.post(&format!("/v1/people/{who}/claims"), json!({ "phone": NEW })).await.ok();
    let decision = format!("/v1/claims/{}/decision", waiting(&village).await[0]["id"].as_str().unwrap());
    village.chair.post(&decision, json!({ "approve": true })).await.ok();
    import(&app.app, ROSTER.replace("19500000008", "19612340008").into_bytes()).await;
    let stop = CancellationToken::new();
    let looks = (0..8).map(|_| async {
        claims::commands::tell(&app.app, &stop).await.unwrap();
        people::tell_replaced(&app.app, &stop).await.unwrap();
    });
    futures_util::future::join_all(looks).await;
    let notices = [
        format!("notice {OLD} phone_replaced"),
        format!("notice {NEW} phone_bound"),
        "notice 19500000008 phone_replaced".to_owned(),
    ];
    for notice in notices {
        let mut looks = 0;
        // the worker of this process may be at it
        while !sms(&app).contains(&notice) && looks < 250 {
            looks += 1;
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        assert_eq!(sms(&app).matches(&notice).count(), 1, "{notice}: {}", sms(&app));
    }
    app.stop().await;
}
