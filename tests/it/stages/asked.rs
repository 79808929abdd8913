//! Whom the villagers are asked through: households that are drawn, paper that is typed in, and how many stand behind a voice.
use reqwest::Method;
use serde_json::{Value, json};

use super::{id, missing, office_cards, own_cards, page, raise, scene, skip};
use crate::support::{Somebody, TestApp, Village, answer, person_of};

fn form(area: &str, matter: &str, purpose: &str) -> Value {
    json!({ "subject_id": matter, "area_code": area, "purpose": purpose, "title": "问卷", "questions": [
        { "id": "a", "title": "修吗？", "kind": "choice", "options": ["修", "不修"], "required": true }] })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_households_of_objectors_are_drawn_first_and_nobody_chooses_the_others() {
    let (app, village) = scene().await;
    let matter = raise(&village, json!({})).await;
    skip(&village, &matter, "raise").await;
    skip(&village, &matter, "deliberate").await;
    let notice = json!({ "area_code": village.area, "matter_id": matter, "title": "水池", "text": "全文。" });
    let notice = id(&village.clerk.post("/v1/notices", notice).await.ok());
    let objector = village.villager(&app, "00008").await;
    objector.post(&format!("/v1/notices/{notice}/objections"), json!({ "text": "太贵" })).await.ok();
    let sheet = id(&village.chair.post("/v1/forms", form(&village.area, &matter, "visit")).await.ok());
    let survey = id(&village.chair.post("/v1/forms", form(&village.area, &matter, "survey")).await.ok());
    let path = format!("/v1/matters/{matter}/sample");
    let draw = |form: &str, households: u32| json!({ "form_id": form, "households": households });
    assert_eq!(village.member.post(&path, draw(&sheet, 5)).await.refused(), "not_allowed");
    assert_eq!(village.chair.post(&path, draw(&survey, 5)).await.refused(), "wrong_state");
    for wrong in [0, 201] {
        assert_eq!(village.chair.post(&path, draw(&sheet, wrong)).await.refused(), "invalid_fields");
    }
    let other = raise(&village, json!({})).await;
    let foreign = village.chair.post(&format!("/v1/matters/{other}/sample"), draw(&sheet, 5)).await;
    assert_eq!(foreign.refused(), "not_found", "a sheet of another matter");
    let drawn = village.chair.post(&path, draw(&sheet, 5)).await.ok();
    let drawn = drawn.as_array().unwrap();
    assert_eq!(
        (drawn.len(), &drawn[0]["household_number"], &drawn[0]["is_objector"]),
        (6, &json!("H003"), &json!(true))
    );
    assert!(drawn[1..].iter().all(|one| one["is_objector"] == false));
    let homes: std::collections::BTreeSet<_> = drawn.iter().map(|one| one["household_id"].to_string()).collect();
    assert_eq!(homes.len(), 6, "each once");
    assert_eq!(village.chair.post(&path, draw(&sheet, 9)).await.refused(), "wrong_state", "drawn once");
    // who opens another sheet draws nobody else
    let another = id(&village.chair.post("/v1/forms", form(&village.area, &matter, "visit")).await.ok());
    let redrawn = village.chair.post(&path, draw(&another, 5)).await.ok();
    let order = |drawn: &[Value]| drawn.iter().map(|one| one["household_id"].clone()).collect::<Vec<_>>();
    assert_eq!(order(redrawn.as_array().unwrap()), order(drawn), "the order of the first sheet");
    // who visits sees it and what is left to do, nobody else does
    assert_eq!(objector.get(&format!("/v1/forms/{sheet}")).await.refused(), "not_found");
    let visit = json!({ "answers": { "a": "不修" }, "person_id": objector.person });
    village.member.post(&format!("/v1/forms/{sheet}/answers"), visit).await.ok();
    let seen = village.member.get(&format!("/v1/forms/{sheet}")).await.ok();
    assert_eq!((&seen["sample"][0]["is_visited"], &seen["sample"][1]["is_visited"]), (&json!(true), &json!(false)));
    let desk = page(&village.chair, &format!("/desk/forms/{sheet}")).await;
    assert!(desk.contains("抽到的户（6 户）") && desk.contains("提过异议") && desk.contains("H003"), "{desk}");
    app.stop().await;
}

/// Rows of the roster: number of the person, number of the household.
fn roster() -> Vec<(&'static str, &'static str)> {
    let rows = include_str!("../../data/roster_small.csv").lines().skip(1);
    rows.filter_map(|row| row.split_once(',')).map(|(person, rest)| (person, rest.split(',').next().unwrap())).collect()
}

/// A sheet of visits to these people of the village, closed.
async fn visited(app: &TestApp, village: &Village, (sheet, people): (&str, &[&str])) {
    for number in people {
        let one = person_of(&app.app, &village.area, number).await;
        let visit = json!({ "answers": { "a": "修" }, "person_id": one });
        village.member.post(&format!("/v1/forms/{sheet}/answers"), visit).await.ok();
    }
    village.chair.post(&format!("/v1/forms/{sheet}/close"), json!(null)).await.ok();
}

/// A new sheet, with two households drawn for it: their numbers.
async fn drawn(village: &Village, matter: &str) -> (String, Vec<String>) {
    let sheet = id(&village.chair.post("/v1/forms", form(&village.area, matter, "visit")).await.ok());
    let draw = json!({ "form_id": sheet, "households": 2 });
    let homes = village.chair.post(&format!("/v1/matters/{matter}/sample"), draw).await.ok();
    let numbers = homes.as_array().unwrap().iter().map(|one| one["household_number"].as_str().unwrap().to_owned());
    (sheet, numbers.collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn households_are_counted_and_where_some_were_drawn_those_alone() {
    let (app, village) = scene().await;
    let matter = raise(&village, json!({})).await;
    skip(&village, &matter, "raise").await;
    skip(&village, &matter, "deliberate").await;
    let notice = json!({ "area_code": village.area, "matter_id": matter, "title": "水池", "text": "全文。",
        "period_days": 5 });
    village.clerk.post("/v1/notices", notice).await.ok();
    app.settle().await;
    app.pass(chrono::TimeDelta::days(12)).await;
    app.settle().await;
    let plain = id(&village.chair.post("/v1/forms", form(&village.area, &matter, "visit")).await.ok());
    visited(&app, &village, (&plain, &["00007", "00008"])).await;
    assert_eq!(missing(&village.chair, &matter).await, ["visits", "opinion"], "two of one household are one");
    let one = village.villager(&app, "00007").await;
    assert!(own_cards(&app, &one).await.contains(&"visit_written".to_owned()), "nobody is visited unseen");
    let list = one.get("/v1/sync").await.ok();
    let own = list["streams"].as_array().unwrap().iter().find(|stream| stream["kind"] == "mailbox").unwrap();
    let told = one.get(&format!("/v1/streams/{}/entries?limit=100", own["id"].as_str().unwrap())).await.ok();
    assert!(told.to_string().contains("记下的是：修吗？ 修。"), "and sees what was written down: {told}");
    // the member who visits is on no sheet of the own
    let people = roster().into_iter().filter(|(person, _)| *person != "00022");
    let (others, homes) = drawn(&village, &matter).await;
    let elsewhere: Vec<&str> = people
        .clone()
        .filter(|(_, home)| ["H004", "H005", "H006", "H007"].contains(home) && !homes.iter().any(|one| one == home))
        .map(|(person, _)| person)
        .collect();
    visited(&app, &village, (&others, &elsewhere)).await;
    assert_eq!(missing(&village.chair, &matter).await, ["visits", "opinion"], "nobody visits whom he likes");
    let (sheet, homes) = drawn(&village, &matter).await;
    let inside: Vec<&str> =
        people.filter(|(_, home)| homes.iter().any(|one| one == home)).map(|(person, _)| person).collect();
    visited(&app, &village, (&sheet, &inside)).await;
    assert_eq!(missing(&village.chair, &matter).await, ["opinion"]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_wrote_on_paper_is_typed_in_once_and_told() {
    let (app, village) = scene().await;
    let matter = raise(&village, json!({})).await;
    let survey = id(&village.chair.post("/v1/forms", form(&village.area, &matter, "survey")).await.ok());
    let path = format!("/v1/forms/{survey}/answers");
    let old = village.villager(&app, "00008").await;
    let paper = |who: Option<&Somebody>| json!({ "answers": { "a": "修" }, "person_id": who.map(|one| one.person), "is_on_paper": true });
    for who in [&old, &village.member, &village.supervisor] {
        let typed = who.post(&path, paper(Some(&village.branch_chair))).await;
        assert_eq!(typed.refused(), "not_allowed", "only who opens forms types in");
    }
    let own = village.clerk.post(&path, paper(None)).await;
    assert_eq!(own.refused(), "invalid_fields", "the own answer is not typed in as somebody's paper");
    assert_eq!(village.clerk.post(&path, paper(Some(&village.clerk))).await.refused(), "invalid_fields");
    assert_eq!(
        village.clerk.post(&path, paper(Some(&village.neighbour(&app).await))).await.refused(),
        "invalid_fields"
    );
    village.clerk.post(&path, paper(Some(&old))).await.ok();
    assert_eq!(village.clerk.post(&path, paper(Some(&old))).await.refused(), "already_answered");
    assert_eq!(old.post(&path, json!({ "answers": { "a": "不修" } })).await.refused(), "already_answered");
    assert!(own_cards(&app, &old).await.contains(&"answer_typed".to_owned()));
    let seen = old.get(&format!("/v1/forms/{survey}")).await.ok();
    assert_eq!(
        (&seen["answers"], &seen["paper_answers"], &seen["my_answer"]["is_recorded"]),
        (&json!(1), &json!(1), &json!(true))
    );
    let visit = id(&village.chair.post("/v1/forms", form(&village.area, &matter, "visit")).await.ok());
    let mixed = village.clerk.post(&format!("/v1/forms/{visit}/answers"), paper(Some(&old))).await;
    assert_eq!(mixed.refused(), "not_allowed", "a visit is no paper");
    let desk = page(&village.clerk, &format!("/desk/forms/{survey}?person={}", village.branch_chair.person)).await;
    assert!(desk.contains("录入纸质答卷") && desk.contains("其中纸质 1 份"), "{desk}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_objects_at_the_office_is_written_down_and_told() {
    let (app, village) = scene().await;
    let notice = json!({ "area_code": village.area, "title": "水池", "text": "全文。" });
    let notice = id(&village.clerk.post("/v1/notices", notice).await.ok());
    let path = format!("/v1/notices/{notice}/objections");
    // without a number, and hence without a phone of the own
    let old = village.villager(&app, "00056").await;
    let said = |who: &Somebody| json!({ "text": "太深", "person_id": who.person });
    for who in [&village.member, &village.supervisor, &village.council_chair, &village.representatives[0]] {
        assert_eq!(who.post(&path, said(&old)).await.refused(), "not_allowed");
    }
    let neighbour = village.neighbour(&app).await;
    assert_eq!(village.clerk.post(&path, said(&neighbour)).await.refused(), "invalid_fields");
    let written = village.clerk.post(&path, said(&old)).await.ok();
    assert_eq!((&written["is_recorded"], &written["is_mine"]), (&json!(true), &json!(false)), "{written}");
    assert!(own_cards(&app, &old).await.contains(&"objection_written".to_owned()));
    let desk = village.clerk.request(Method::POST, &format!("/desk/notices/{notice}/object"));
    let form = desk.header("sec-fetch-site", "same-origin").header("content-type", "application/x-www-form-urlencoded");
    let sent = form.body("person_number=00056&text=%E5%A4%AA%E8%B4%B5").send().await.unwrap();
    assert!([200, 303].contains(&sent.status().as_u16()), "{}", sent.status());
    // three of one person: who writes down three that nobody said silences nobody
    village.clerk.post(&path, said(&old)).await.ok();
    assert_eq!(village.clerk.post(&path, said(&old)).await.refused(), "too_many_objections");
    for _ in 0..3 {
        old.post(&path, json!({ "text": "太远" })).await.ok();
    }
    assert_eq!(old.post(&path, json!({ "text": "太远" })).await.refused(), "too_many_objections");
    let public = app.get(&format!("/v1/notices/{notice}")).await.ok();
    let recorded: Vec<_> =
        public["objection_list"].as_array().unwrap().iter().map(|one| one["is_recorded"].clone()).collect();
    assert_eq!(
        (recorded, &public["objection_list"][0]["name"]),
        ([[true; 3], [false; 3]].concat().into_iter().map(Value::from).collect::<Vec<_>>(), &json!("费**"))
    );
    let shown = page(&old, &format!("/notices/{notice}")).await;
    assert!(shown.contains("工作人员代为登记") && shown.contains("太贵"), "{shown}");
    assert!(page(&village.clerk, &format!("/desk/notices/{notice}")).await.contains("代为登记异议"));
    // above a village nobody has such a number
    let above = json!({ "area_code": village.area.get(..9), "title": "停水", "text": "全文。" });
    let above = id(&village.town.post("/v1/notices", above).await.ok());
    assert!(!page(&village.town, &format!("/desk/notices/{above}")).await.contains("代为登记异议"));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rating_on_paper_counts_when_two_people_read_the_same() {
    let (app, village) = scene().await;
    let matter = raise(&village, json!({})).await;
    let mut rating = form(&village.area, &matter, "rating");
    rating["questions"] = json!([{ "id": "mark", "title": "几分？", "kind": "scale", "required": true },
        { "id": "why", "title": "为什么？", "kind": "text" }]);
    let rating = id(&village.chair.post("/v1/forms", rating).await.ok());
    let (path, shown) = (format!("/v1/forms/{rating}/answers"), format!("/v1/forms/{rating}"));
    let (old, other) = (village.villager(&app, "00008").await, village.villager(&app, "00010").await);
    let paper = |who: &Somebody, mark: i64, why: &str| {
        json!({ "answers": { "mark": mark, "why": why },
        "person_id": who.person, "is_on_paper": true })
    };
    let counted = async || {
        let seen = village.chair.get(&shown).await.ok();
        (seen["answers"].clone(), seen["paper_waiting"].clone(), seen["results"]["mean_hundredths"].clone())
    };
    let first = village.clerk.post(&path, paper(&old, 5, "好")).await.ok();
    assert_eq!(first["is_counted"], false, "one alone counts nothing");
    assert_eq!(counted().await, (json!(0), json!(1), json!(null)));
    // the first one corrects it, and does not become the second by that
    village.clerk.post(&path, paper(&old, 2, "差")).await.ok();
    assert_eq!(counted().await, (json!(0), json!(1), json!(null)));
    assert_eq!(old.post(&path, paper(&other, 5, "好")).await.refused(), "not_allowed");
    assert_eq!(village.member.post(&path, paper(&old, 2, "差")).await.refused(), "not_allowed");
    assert_eq!(village.supervisor.post(&path, paper(&old, 5, "好")).await.refused(), "invalid_fields", "another mark");
    assert_eq!(counted().await.0, json!(0));
    let both = village.supervisor.post(&path, paper(&old, 2, "差。")).await.ok();
    assert_eq!((&both["is_counted"], &both["answers"]["why"]), (&json!(true), &json!("差")));
    assert_eq!(counted().await, (json!(1), json!(0), json!(200)));
    for who in [&village.clerk, &village.supervisor, &village.chair] {
        assert_eq!(who.post(&path, paper(&old, 5, "好")).await.refused(), "already_answered");
    }
    // who answers by the own phone needs nobody's paper
    village.clerk.post(&path, paper(&other, 5, "好")).await.ok();
    let own = page(&other, &format!("/forms/{rating}")).await;
    assert!(own.contains("以您自己填的为准") && own.contains("name=\"q-mark\""), "{own}");
    other.post(&path, json!({ "answers": { "mark": 4 } })).await.ok();
    assert_eq!(counted().await, (json!(2), json!(0), json!(300)));
    assert_eq!(village.chair.post(&path, paper(&other, 5, "好")).await.refused(), "already_answered");
    // what waits at the end is not counted
    village.chair.post(&path, paper(&village.branch_chair, 5, "好")).await.ok();
    let desk = page(&village.supervisor, &format!("/desk/forms/{rating}?person={}", village.branch_chair.person)).await;
    assert!(desk.contains("要两个人各录一遍") && desk.contains("另有纸质 1 份等第二个人录入"), "{desk}");
    let closed = village.chair.post(&format!("{shown}/close"), json!(null)).await.ok();
    assert_eq!((&closed["answers"], &closed["paper_waiting"]), (&json!(2), &json!(1)));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_few_it_is_not_told_how_many_stand_behind_a_voice() {
    let (app, village) = scene().await;
    // a representative speaks: one of one would say so
    let author = &village.representatives[0];
    let speak = json!({ "kind": "suggestion", "visibility": "public", "text": "桥要修" });
    let voice = id(&author.post("/v1/suggestions", speak).await.ok());
    let support = format!("/v1/suggestions/{voice}/support");
    assert_eq!(author.get(&support).await.ok()["representatives"], 1, "the author knows");
    let others: Vec<Somebody> = {
        let mut found = Vec::new();
        for number in ["00007", "00008", "00010", "00011"] {
            found.push(village.villager(&app, number).await);
        }
        found
    };
    for (so_far, one) in others.iter().enumerate() {
        for reader in [&others[3], &village.chair, &village.clerk] {
            let told = reader.get(&support).await.ok();
            assert_eq!((told.get("villagers"), told.get("representatives")), (None, None), "{so_far} more: {told}");
            let thresholds = told["thresholds"].as_array().unwrap();
            assert!(thresholds.iter().all(|one| one.get("have").is_none() && one["is_reached"] == false), "{told}");
        }
        let path = format!("/v1/suggestions/{voice}/cosign");
        answer(one.request(Method::PUT, &path).json(&json!({ "is_on": true }))).await.ok();
        if so_far < 3 {
            let cards = office_cards(&app, &village.chair, village.committee).await;
            assert!(!cards.contains(&"threshold_reached".to_owned()), "the card would name the author");
        }
    }
    let told = others[3].get(&support).await.ok();
    assert_eq!((&told["villagers"], &told["representatives"]), (&json!(5), &json!(1)));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stands_behind_a_voice_is_weighed_against_what_the_law_asks_for() {
    let (app, village) = scene().await;
    let author = village.villager(&app, "00007").await;
    let speak = |visibility: &str| json!({ "kind": "suggestion", "visibility": visibility, "text": "桥要修" });
    let voice = id(&author.post("/v1/suggestions", speak("public")).await.ok());
    let support = format!("/v1/suggestions/{voice}/support");
    let private = id(&author.post("/v1/suggestions", speak("handlers")).await.ok());
    assert_eq!(author.get(&format!("/v1/suggestions/{private}/support")).await.refused(), "not_found");
    assert_eq!(village.neighbour(&app).await.get(&support).await.refused(), "not_found");
    let before = author.get(&support).await.ok();
    let adults = before["of_villagers"].as_u64().unwrap();
    assert_eq!((&before["villagers"], &before["of_representatives"]), (&json!(1), &json!(5)));
    // two of the roster are not of age on the day of the test, or three
    assert!((55..=58).contains(&adults), "{before}");
    let need = before["thresholds"][0]["need"].as_u64().unwrap();
    assert_eq!(need, adults.div_ceil(10));

    let cosign = async |who: &Somebody, is_on: bool| {
        let path = format!("/v1/suggestions/{voice}/cosign");
        answer(who.request(Method::PUT, &path).json(&json!({ "is_on": is_on }))).await.ok()
    };
    let told = async || {
        let cards = office_cards(&app, &village.chair, village.committee).await;
        cards.iter().filter(|card| *card == "threshold_reached").count()
    };
    // a child does not count
    cosign(&Somebody::signed_in(&app, crate::support::person_of(&app.app, &village.area, "00055").await).await, true)
        .await;
    assert_eq!(author.get(&support).await.ok()["villagers"], 1);
    assert_eq!(told().await, 0);
    // one of five representatives is a fifth, two are a third
    cosign(&village.representatives[0], true).await;
    assert_eq!(told().await, 1);
    cosign(&village.representatives[0], false).await;
    cosign(&village.representatives[0], true).await;
    assert_eq!(told().await, 1, "told once");
    cosign(&village.representatives[1], true).await;
    assert_eq!(told().await, 2);
    for number in 8..8 + need - 3 {
        cosign(&village.villager(&app, &format!("{number:05}")).await, true).await;
    }
    assert_eq!(told().await, 3, "a tenth of the villagers");
    let after = author.get(&support).await.ok();
    assert_eq!(after["villagers"].as_u64(), Some(need));
    let reached: Vec<_> = after["thresholds"].as_array().unwrap().iter().map(|one| one["is_reached"].clone()).collect();
    assert_eq!(reached, [true, true, true]);
    assert!(
        after["thresholds"][0]["reached_at"].is_string()
            && after["thresholds"][0]["law"].as_str().unwrap().contains("第二十五条")
    );
    let shown = page(&author, &format!("/suggestions/{voice}")).await;
    assert!(shown.contains("够不够开村民会议") && shown.contains("第三十条"), "{shown}");
    app.stop().await;
}
