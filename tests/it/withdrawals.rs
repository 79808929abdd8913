//! 撤回: who left a voice needs nobody any more; nobody is waited for, nothing is lost, and what is others' too stays.
use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    county::form,
    support::{Somebody, TestApp, Village, answer, cards_in, count, id, person_of},
};

async fn speak(who: &Somebody, visibility: &str) -> String {
    let voice = json!({ "kind": "help", "visibility": visibility, "text": "门口的路灯坏了" });
    format!("/v1/suggestions/{}", id(&who.post("/v1/suggestions", voice).await.ok()))
}

async fn events(app: &TestApp, kind: &str) -> i64 {
    count(app.folder.path(), &format!("SELECT count(*) FROM events WHERE kind = 'suggestion.{kind}'")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_back_waits_for_nobody_and_nothing_of_it_is_lost() {
    let (app, village) = Village::start().await;
    let author = village.villager(&app, "00007").await;
    let voice = speak(&author, "handlers").await;
    let step = |name: &str| format!("{voice}/{name}");
    village.clerk.post(&step("accept"), json!(null)).await.ok();
    let given = json!({ "person_id": village.chair.person });
    village.clerk.post(&step("assign"), given).await.ok();
    let office = crate::accused::office(&app, &village, "town_office").await;
    let part = json!({ "body_id": office, "task": "请派电工" });
    village.clerk.post(&step("assists"), part).await.ok();
    village.clerk.post(&step("extension"), json!({ "reason": "要等材料" })).await.ok();
    let pass_on = json!({ "body_id": village.branch, "reason": "该由支部办" });
    village.clerk.post(&step("referrals"), pass_on).await.ok();
    // by its author alone
    let back = || json!({ "reason": "自己修好了" });
    assert_eq!(village.clerk.post(&step("withdraw"), back()).await.refused(), "not_allowed");
    assert_eq!(village.villager(&app, "00008").await.post(&step("withdraw"), back()).await.refused(), "not_found");
    let shown = author.post(&step("withdraw"), back()).await.ok();
    assert_eq!((&shown["state"], &shown["withdrawn"]["reason"]), (&json!("withdrawn"), &json!("自己修好了")));
    assert_eq!(author.post(&step("withdraw"), back()).await.refused(), "wrong_state", "once");
    // who had it, and who was asked about it, hear of it
    app.settle().await;
    let told = |cards: Vec<String>| cards.iter().filter(|card| *card == "office_suggestion_withdrawn").count();
    assert_eq!(told(cards_in(&app, village.clerk.person, "office").await), 1);
    assert_eq!(told(cards_in(&app, village.chair.person, "mailbox").await), 1, "it was given to them");
    assert_eq!(told(cards_in(&app, village.town.person, "office").await), 1, "a part was asked of them");
    assert_eq!(told(cards_in(&app, village.branch_chair.person, "office").await), 1, "they were to take it");
    for list in ["/v1/assists", "/v1/extensions"] {
        assert_eq!(village.town.get(list).await.ok(), json!([]), "{list}");
    }
    assert_eq!(village.branch_chair.get("/v1/referrals").await.ok(), json!([]));
    // no clock goes on
    app.pass(TimeDelta::days(30)).await;
    assert_eq!((events(&app, "overdue").await, events(&app, "due_soon").await), (0, 0));
    let author = Somebody::signed_in(&app, author.person).await;
    let clerk = Somebody::signed_in(&app, village.clerk.person).await;
    for who in [&author, &clerk] {
        let read = who.get(&voice).await.ok();
        assert_eq!((&read["text"], &read["withdrawn"]["reason"]), (&json!("门口的路灯坏了"), &json!("自己修好了")));
        assert_eq!(read["assists"].as_array().map(Vec::len), Some(1), "what was done is still there");
    }
    assert_eq!(clerk.post(&step("answers"), json!({ "text": "修好了" })).await.refused(), "wrong_state");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_others_too_is_not_taken_back_and_the_page_says_why() {
    let (app, village) = Village::start().await;
    let (author, ann) = (village.villager(&app, "00007").await, village.villager(&app, "00011").await);
    let voice = speak(&author, "public").await;
    let page = async |path: &str| String::from_utf8(author.download(&path.replacen("/v1", "", 1)).await.1).unwrap();
    let back = async |path: &str| author.post(&format!("{path}/withdraw"), json!({})).await;
    let cosign = async |is_on: bool| {
        let asked = ann.request(Method::PUT, &format!("{voice}/cosign")).json(&json!({ "is_on": is_on }));
        answer(asked).await.ok();
    };
    assert!(page(&voice).await.contains("撤回这条留言"));
    cosign(true).await;
    assert_eq!(back(&voice).await.refused(), "not_yours_alone");
    let shown = page(&voice).await;
    assert!(!shown.contains("撤回这条留言") && shown.contains("已经有人说“我也是”"), "{shown}");
    cosign(false).await;
    let own = voice.replacen("/v1", "", 1);
    let fields = [("reason", "自己修好了"), ("client_id", "back")];
    assert_eq!(form(&author, &format!("{own}/withdraw"), &fields).await.0, 303);
    assert!(page(&voice).await.contains("您已经撤回"));
    // neighbours read that, and not why
    let read = ann.get(&voice).await.ok();
    assert_eq!((&read["state"], read["withdrawn"].get("reason")), (&json!("withdrawn"), None));
    let cosigned = ann.request(Method::PUT, &format!("{voice}/cosign")).json(&json!({ "is_on": true }));
    assert_eq!(answer(cosigned).await.refused(), "wrong_state");
    // a matter goes on for everybody, and takes up nothing that nobody wants any more
    let raise = async |voice: &str| {
        let voices = json!([voice.rsplit('/').next().unwrap()]);
        let raised =
            json!({ "area_code": village.area, "title": "路灯", "summary": "装路灯。", "suggestion_ids": voices });
        village.clerk.post("/v1/matters", raised).await
    };
    assert_eq!(raise(&voice).await.refused(), "wrong_state");
    let joined = speak(&author, "public").await;
    raise(&joined).await.ok();
    assert_eq!(back(&joined).await.refused(), "not_yours_alone");
    assert!(page(&joined).await.contains("不能撤回"));
    // what is answered is rated
    let answered = speak(&author, "handlers").await;
    village.clerk.post(&format!("{answered}/accept"), json!(null)).await.ok();
    village.clerk.post(&format!("{answered}/answers"), json!({ "text": "修好了" })).await.ok();
    assert_eq!(back(&answered).await.refused(), "wrong_state");
    author.post(&format!("{answered}/rating"), json!({ "rating": 1 })).await.ok();
    assert_eq!(back(&answered).await.ok()["state"], "withdrawn", "opened again, it is");
    app.stop().await;
}

/// Of six voices one is answered: the others, taken back, make nobody's figures worse.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_back_counts_against_nobody() {
    let (app, village) = Village::start().await;
    for n in 7..13 {
        let author = village.villager(&app, &format!("{n:05}")).await;
        let voice = speak(&author, "handlers").await;
        village.clerk.post(&format!("{voice}/accept"), json!(null)).await.ok();
        if n < 12 {
            village.clerk.post(&format!("{voice}/answers"), json!({ "text": "修好了" })).await.ok();
        } else {
            author.post(&format!("{voice}/withdraw"), json!({})).await.ok();
        }
    }
    let areas = [village.area.clone()];
    let counted = liusheng::suggestions::figures(&app.app, &areas).await.unwrap();
    assert_eq!((counted.left, counted.answered, counted.overdue), (5, 5, 0));
    app.clock.advance(TimeDelta::days(32));
    let shown = app.get(&format!("/v1/areas/{}/body-figures", village.area)).await.ok();
    assert_eq!((&shown[0]["left_at_least"], &shown[0]["answered_percent"]), (&json!(5), &json!(100)), "{shown}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_takes_it_back_with_the_code_and_nobody_with_that_of_a_resident() {
    let (app, village) = Village::start().await;
    let post = async |body: Value| answer(app.http.post(app.url("/v1/guests/withdraw")).json(&body)).await;
    let said = json!({ "area_code": village.area, "kind": "complaint", "text": "路边堆了垃圾" });
    let left = village.clerk.post("/v1/guests/records", said.clone()).await.ok();
    assert_eq!(post(json!({ "claim_code": "ABCD2345WXYZ" })).await.refused(), "claim_code_wrong");
    assert_eq!(post(json!({ "claim_code": left["claim_code"], "reason": "运走了" })).await.status, 201);
    assert_eq!(post(json!({ "claim_code": left["claim_code"] })).await.refused(), "wrong_state");
    let person = person_of(&app.app, &village.area, "00007").await;
    let said = json!({ "kind": "help", "text": "门口的井盖松了" });
    let taken = village.clerk.post(&format!("/v1/people/{person}/voices"), said).await.ok();
    assert_eq!(post(json!({ "claim_code": taken["claim_code"] })).await.refused(), "not_allowed");
    app.stop().await;
}
