//! 推选村民代表: by a group for several places, by some households together for one; who is chosen sits in their meeting.
use chrono::TimeDelta;
use liusheng::clock;
use serde_json::{Value, json};
use uuid::Uuid;

use super::votes::checked;
use crate::{
    accused::past_commands,
    support::{Somebody, TestApp, Village, cards_in, count, import, person_of, told_in},
};

fn ballot(choices: &[&str]) -> Value {
    json!({ "cast_id": Uuid::new_v4(), "choices": choices })
}

/// A meeting without a matter, of a group or of the village.
async fn meeting(app: &TestApp, village: &Village, group: Option<i32>) -> Value {
    let audience = if group.is_some() { "group" } else { "villagers" };
    let call = json!({ "area_code": village.area, "body_id": village.committee, "audience": audience,
        "group_number": group, "title": "推选村民代表", "agenda": "推选", "place": "晒场",
        "starts_at": app.app.now() + TimeDelta::hours(3) });
    let clerk = Somebody::signed_in(app, village.clerk.person).await;
    clerk.post("/v1/meetings", call).await.ok()
}

fn asked(app: &TestApp, meeting: &Value, more: Value) -> Value {
    let mut vote = json!({ "meeting_id": meeting["id"], "question": "推选村民代表", "challenge_days": 1,
        "options": ["费海荣", "邱国强", "俞雪梅"], "closes_at": app.app.now() + TimeDelta::days(2) });
    vote.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    vote
}

const HOMES: [&str; 5] = ["H001", "H002", "H003", "H004", "H005"];

fn of_homes(app: &TestApp, meeting: &Value, more: Value) -> Value {
    let mut all = json!({ "preset": "rep_selection_household", "households": HOMES, "options": ["费海荣", "姚志刚"] });
    all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    asked(app, meeting, all)
}

/// Who sits in the representatives' meeting.
async fn sitting(app: &TestApp, village: &Village) -> Vec<Value> {
    let bodies = app.get(&format!("/v1/areas/{}/bodies", village.area)).await.ok();
    let all = bodies["items"].as_array().unwrap();
    let meeting = all.iter().find(|body| body["kind"] == "representatives").unwrap();
    meeting["seats"].as_array().unwrap().iter().map(|seat| seat["person_id"].clone()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_group_chooses_by_the_order_of_votes_and_who_is_chosen_takes_a_seat() {
    let (app, village) = Village::start().await;
    let called = meeting(&app, &village, Some(4)).await;
    let of_group = |more: Value| {
        let mut all = json!({ "preset": "rep_selection_person", "group_number": 4, "seats": 3 });
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        asked(&app, &called, all)
    };
    for (more, code) in [
        (json!({ "options": [] }), "required"),
        (json!({ "group_number": null }), "group_or_households"),
        (json!({ "households": ["H001", "H002", "H003", "H004", "H005"] }), "group_or_households"),
        (json!({ "options": ["费海荣", "费文斌"], "seats": 1 }), "several_of_that_name"),
        (json!({ "options": ["费海荣", "费文斌 00009"], "seats": 1 }), "same_household"),
        (json!({ "options": ["费海荣", "无此人"], "seats": 1 }), "not_on_roster"),
        (json!({ "options": ["费海荣", "章小童"], "seats": 1 }), "not_an_elector"),
        (json!({ "seats": 1, "max_choices": 2 }), "too_many_choices"),
    ] {
        let refused = village.chair.post("/v1/votes", of_group(more.clone())).await;
        assert_eq!(refused.status, 422, "{more}");
        assert!(refused.body.to_string().contains(code), "{more}: {}", refused.body);
    }
    assert_eq!(village.member.post("/v1/votes", of_group(json!({}))).await.refused(), "not_allowed");
    let vote = village.chair.post("/v1/votes", of_group(json!({}))).await.ok();
    assert_eq!((&vote["is_binding"], &vote["on_roll"]), (&json!(true), &json!(8)));
    assert_eq!(vote["preset_name"], "第 4 组推选村民代表（按人）");
    let path = format!("/v1/votes/{}", vote["id"].as_str().unwrap());
    let stranger = village.villager(&app, "00010").await;
    assert_eq!(stranger.post(&format!("{path}/ballots"), ballot(&["1"])).await.refused(), "not_on_roll");
    // half of the group is enough
    let ballots: [(&str, &[&str]); 4] =
        [("00007", &["1", "2", "3"]), ("00008", &["1", "2"]), ("00025", &["1"]), ("00044", &["3"])];
    for (number, choices) in ballots {
        village.villager(&app, number).await.post(&format!("{path}/ballots"), ballot(choices)).await.ok();
    }
    let before = sitting(&app, &village).await;
    app.pass(TimeDelta::days(3)).await;
    let result = app.get(&format!("{path}/result")).await.ok();
    assert_eq!((&result["outcome"], &result["reason"]), (&json!("passed"), &json!("elected")), "{result}");
    assert_eq!(sitting(&app, &village).await, before, "while it may be challenged nothing follows");
    app.pass(TimeDelta::days(3)).await;
    let now = sitting(&app, &village).await;
    // 00043 of one household sits there: nobody else of it does
    let seat = async |number: &str| json!(person_of(&app.app, &village.area, number).await);
    assert!(now.contains(&seat("00007").await) && now.contains(&seat("00025").await), "{now:?}");
    assert!(now.contains(&seat("00043").await) && !now.contains(&seat("00044").await), "{now:?}");
    assert_eq!(now.len(), before.len() + 2);
    let told = told_in(&app, village.clerk.person, "office").await;
    let told = told.iter().find(|body| body["card"] == "representatives_seated").unwrap()["text"].to_string();
    assert!(told.contains("费海荣、邱国强") && told.contains("没有记入") && told.contains("俞雪梅"), "{told}");
    checked(&app, &path[10..], &[]).await;
    app.stop().await;
}

const ROSTER: &str = include_str!("../../data/roster_small.csv");

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_takes_the_seat_of_a_namesake_who_was_chosen() {
    let (app, village) = Village::start().await;
    let called = meeting(&app, &village, Some(4)).await;
    let of_group = json!({ "preset": "rep_selection_person", "group_number": 4, "options": ["费海荣", "俞雪梅"] });
    let vote = village.clerk.post("/v1/votes", asked(&app, &called, of_group)).await.ok();
    let path = format!("/v1/votes/{}", vote["id"].as_str().unwrap());
    for number in ["00007", "00008", "00025", "00044"] {
        village.villager(&app, number).await.post(&format!("{path}/ballots"), ballot(&["1"])).await.ok();
    }
    app.pass(TimeDelta::days(3)).await;
    assert_eq!(app.get(&format!("{path}/result")).await.ok()["reason"], "elected");
    // before it stands the roster writes who was chosen otherwise, and another of the group has that name
    let renamed = ROSTER.replace(",费海荣,", ",费大荣,").replace(",邱海荣,", ",费海荣,");
    assert_eq!(import(&app.app, renamed).await, 0, "nobody came");
    let before = sitting(&app, &village).await;
    app.pass(TimeDelta::days(3)).await;
    assert_eq!(sitting(&app, &village).await, before, "nobody voted for the other");
    let told = told_in(&app, village.clerk.person, "office").await;
    let told = told.iter().find(|body| body["card"] == "representatives_seated").unwrap()["text"].to_string();
    assert!(told.contains("费海荣") && told.contains("没有记入"), "{told}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn some_households_choose_one_together_and_two_thirds_of_them_must_come() {
    let (app, village) = Village::start().await;
    let called = meeting(&app, &village, None).await;
    let of_homes = |more: Value| of_homes(&app, &called, more);
    for (more, code) in [
        (json!({ "households": HOMES[..4] }), "out_of_range"),
        (json!({ "households": ["H001", "H002", "H003", "H004", "H999"] }), "unknown"),
        (json!({ "households": ["H001", "H002", "H003", "H004", "H004"] }), "duplicate"),
        (json!({ "seats": 2 }), "out_of_range"),
        (json!({ "preset": "committee_recall" }), "not_of_households"),
    ] {
        let mut wrong = of_homes(more.clone());
        if wrong["preset"] == "committee_recall" {
            wrong["secrecy"] = json!("secret");
        }
        let refused = village.chair.post("/v1/votes", wrong).await;
        assert!(refused.body.to_string().contains(code), "{more}: {}", refused.body);
    }
    let vote = village.chair.post("/v1/votes", of_homes(json!({}))).await.ok();
    assert_eq!((&vote["is_binding"], &vote["on_roll"]), (&json!(true), &json!(5)));
    assert_eq!(vote["preset_name"], "5 户一起推选村民代表（按户）");
    // those of the households hear of it, who votes for them and who does not; the rest of the village does not
    let told = async |number: &str, stream: &str| {
        let who = person_of(&app.app, &village.area, number).await;
        cards_in(&app, who, stream).await.contains(&"vote_opened".to_owned())
    };
    assert!(told("00007", "mailbox").await && told("00008", "mailbox").await, "the households were not told");
    assert!(!told("00025", "mailbox").await && !told("00025", "channel").await, "the whole village was told");
    let twice = village.chair.post("/v1/votes", of_homes(json!({ "question": "再推选一次" }))).await;
    assert!(twice.body.to_string().contains("chooses_already"), "{}", twice.body);
    let ballots = format!("/v1/votes/{}/ballots", vote["id"].as_str().unwrap());
    let other = village.villager(&app, "00025").await;
    assert_eq!(other.post(&ballots, ballot(&["1"])).await.refused(), "not_on_roll");
    for number in ["00001", "00004", "00007"] {
        village.villager(&app, number).await.post(&ballots, ballot(&["1"])).await.ok();
    }
    app.pass(TimeDelta::days(3)).await;
    let still = village.chair.post("/v1/votes", of_homes(json!({ "question": "再推选一次" }))).await;
    assert!(still.body.to_string().contains("chooses_already"), "while it may be challenged: {}", still.body);
    app.pass(TimeDelta::days(3)).await;
    let result = app.get(&ballots.replace("ballots", "result")).await.ok();
    assert_eq!((&result["is_valid"], &result["reason"]), (&json!(false), &json!("quorum")), "three of five");
    let seated = "SELECT count(*) FROM entries WHERE body LIKE '%representatives_seated%'";
    assert_eq!(count(app.folder.path(), seated).await, 0);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn after_a_tie_no_household_chooses_in_two_votes_at_once() {
    let (app, village) = Village::start().await;
    let vote = of_homes(&app, &meeting(&app, &village, None).await, json!({}));
    let vote = village.chair.post("/v1/votes", vote).await.ok();
    let ballots = format!("/v1/votes/{}/ballots", vote["id"].as_str().unwrap());
    for (number, choice) in [("00001", "1"), ("00004", "1"), ("00007", "2"), ("00010", "2")] {
        village.villager(&app, number).await.post(&ballots, ballot(&[choice])).await.ok();
    }
    app.pass(TimeDelta::days(3)).await;
    app.pass(TimeDelta::days(3)).await;
    let result = app.get(&ballots.replace("ballots", "result")).await.ok();
    assert_eq!(result["reason"], "tie", "{result}");
    let tied = json!({ "parent_vote_id": vote["id"], "options": [], "households": [] });
    let again = of_homes(&app, &meeting(&app, &village, None).await, tied);
    let anew = of_homes(&app, &meeting(&app, &village, None).await, json!({ "question": "重新推选" }));
    let anew = village.chair.post("/v1/votes", anew).await.ok();
    let beside = village.chair.post("/v1/votes", again.clone()).await;
    assert!(beside.body.to_string().contains("chooses_already"), "{}", beside.body);
    let annul = format!("/v1/votes/{}/annul", anew["id"].as_str().unwrap());
    village.town.post(&annul, json!({ "reason": "平票还没有再投", "authority": "镇政府" })).await.ok();
    let second = village.chair.post("/v1/votes", again.clone()).await.ok();
    assert_eq!(second["on_roll"], 5, "the households of before");
    assert_eq!(village.chair.post("/v1/votes", again).await.refused(), "wrong_state", "the tie is voted on already");
    app.stop().await;
}

/// Two clerks open the same choice: whoever was chosen in both would be two representatives of one group.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_group_and_its_households_do_not_choose_in_two_votes_at_once() {
    let (app, village) = Village::start().await;
    let of_village = meeting(&app, &village, None).await;
    let of_group = async |group: i32, names: [&str; 2]| {
        let called = meeting(&app, &village, Some(group)).await;
        let more = json!({ "preset": "rep_selection_person", "group_number": group, "options": names });
        village.clerk.post("/v1/votes", asked(&app, &called, more)).await
    };
    of_group(4, ["费海荣", "邱国强"]).await.ok();
    let again = of_group(4, ["费海荣", "俞雪梅"]).await;
    assert!(again.body.to_string().contains("group_chooses_already"), "{}", again.body);
    // H003 of the five is of the fourth group
    let homes = village.chair.post("/v1/votes", of_homes(&app, &of_village, json!({}))).await;
    assert!(homes.body.to_string().contains("chooses_already"), "{}", homes.body);
    let others = json!({ "households": ["H001", "H002", "H004", "H005", "H006"] });
    village.chair.post("/v1/votes", of_homes(&app, &of_village, others)).await.ok();
    // H004 is of the fifth group, and chooses with others
    let fifth = of_group(5, ["闵建明", "钮伟峰"]).await;
    assert!(fifth.body.to_string().contains("group_chooses_already"), "{}", fifth.body);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn it_is_opened_from_the_page_of_the_meeting() {
    let (app, village) = Village::start().await;
    let page = async |meeting: &Value| {
        let path = format!("/desk/meetings/{}", meeting["id"].as_str().unwrap());
        (String::from_utf8(village.chair.download(&path).await.1).unwrap(), path)
    };
    let (whole, _) = page(&meeting(&app, &village, None).await).await;
    assert!(whole.contains("rep_selection_household") && whole.contains("name=\"households\""), "{whole}");
    let (shown, path) = page(&meeting(&app, &village, Some(4)).await).await;
    assert!(shown.contains("rep_selection_person") && shown.contains("name=\"group_number\" value=\"4\""), "{shown}");
    assert!(!shown.contains("committee_recall") && !shown.contains("name=\"households\""), "{shown}");
    let closes = (app.app.now() + TimeDelta::hours(8 + 48)).format("%Y-%m-%dT%H:%M").to_string();
    let typed = [
        ("question", "推选四组的村民代表"),
        ("options", "费海荣\n邱国强"),
        ("seats", "1"),
        ("group_number", "4"),
        ("preset", "rep_selection_person"),
        ("secrecy", "open"),
        ("closes_at", closes.as_str()),
    ];
    let encoded = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    let typed: Vec<String> = typed.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    let sent = village.chair.request(reqwest::Method::POST, &format!("{path}/vote")).header("accept", "text/html");
    let sent = sent.header("content-type", "application/x-www-form-urlencoded").body(typed.join("&"));
    let sent = sent.send().await.unwrap();
    assert_eq!(sent.status().as_u16(), 303);
    let (shown, _) = page(&json!({ "id": path.rsplit('/').next().unwrap() })).await;
    assert!(shown.contains("推选四组的村民代表"), "{shown}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_stands_has_no_hand_in_the_vote() {
    let (app, village) = Village::start().await;
    let called = meeting(&app, &village, Some(4)).await;
    let more = json!({ "preset": "rep_selection_person", "group_number": 4, "has_paper": true,
        "options": ["章建明 00001", "邱国强"] });
    let asked = asked(&app, &called, more);
    let own = village.chair.post("/v1/votes", asked.clone()).await;
    assert!(own.body.to_string().contains("not_yourself"), "{}", own.body);
    let vote = village.clerk.post("/v1/votes", asked).await.ok();
    assert!(!vote.to_string().contains(&village.chair.person.to_string()), "whose name it is the roster knows: {vote}");
    let id = vote["id"].as_str().unwrap();
    let (path, sheet) = (format!("/v1/votes/{id}"), json!({ "number": 1 }));
    assert_eq!(village.chair.download(&format!("/desk/votes/{id}/doors")).await.0, 403);
    assert_eq!(village.clerk.download(&format!("/desk/votes/{id}/doors")).await.0, 200);
    assert_eq!(village.chair.post(&format!("{path}/paper/sheets"), sheet.clone()).await.refused(), "not_allowed");
    village.clerk.post(&format!("{path}/paper/sheets"), sheet).await.ok();
    app.pass(TimeDelta::days(3)).await;
    let figures = json!({ "box": 1, "figures": { "votes": { "1": 1 } } });
    assert_eq!(village.chair.post(&format!("{path}/paper/counts"), figures).await.refused(), "not_allowed");
    let sign = json!({ "is_void": false });
    assert_eq!(village.chair.post(&format!("{path}/paper/signature"), sign).await.refused(), "not_allowed");
    // what the chair says elsewhere the town says here
    let (annul, why) = (format!("{path}/annul"), json!({ "reason": "不作数", "authority": "村委会" }));
    assert_eq!(village.chair.post(&annul, why.clone()).await.refused(), "not_allowed");
    assert_eq!(village.town.post(&annul, why).await.ok()["state"], "annulled");
    app.stop().await;
}

/// A group chooses as many as there are candidates, and nobody challenges it; says in which vote.
async fn chosen_in(app: &TestApp, village: &Village, group: i32, names: &[&str], electors: [&str; 4]) -> Value {
    let chair = Somebody::signed_in(app, village.chair.person).await;
    let called = meeting(app, village, Some(group)).await;
    let of_group = json!({ "preset": "rep_selection_person", "group_number": group, "seats": names.len(),
        "options": names });
    let vote = chair.post("/v1/votes", asked(app, &called, of_group)).await.ok()["id"].clone();
    let ballots = format!("/v1/votes/{}/ballots", vote.as_str().unwrap());
    let all: Vec<String> = (1..=names.len()).map(|key| key.to_string()).collect();
    for number in electors {
        let ballot = json!({ "cast_id": Uuid::new_v4(), "choices": all });
        village.villager(app, number).await.post(&ballots, ballot).await.ok();
    }
    app.pass(TimeDelta::days(3)).await;
    app.pass(TimeDelta::days(3)).await;
    vote
}

/// The old term ends the day before, and who is chosen by the result goes over into the new one.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_was_chosen_anew_begins_a_term_before_the_old_one_is_over() {
    let (app, village) = Village::start().await;
    let bodies = app.get(&format!("/v1/areas/{}/bodies", village.area)).await.ok();
    let all = bodies["items"].as_array().unwrap();
    let body = all.iter().find(|body| body["kind"] == "representatives").unwrap()["id"].as_str().unwrap();
    let (terms, seats) = (format!("/v1/bodies/{body}/terms"), format!("/v1/bodies/{body}/seats"));
    let old = json!({ "number": 11, "starts_on": "2026-01-01", "ends_on": "2030-12-31" });
    let old = village.town.post(&terms, old).await.ok();
    // one who is not chosen again, and one who is
    let of = async |number: &str| json!(person_of(&app.app, &village.area, number).await);
    let (leaves, stays, comes) = (of("00049").await, of("00007").await, of("00025").await);
    for person in [&leaves, &stays] {
        let seat = json!({ "person_id": person, "role": "member", "term_id": old["id"] });
        village.town.post(&seats, seat).await.ok();
    }
    app.pass(TimeDelta::days(1)).await;
    let alone = chosen_in(&app, &village, 4, &["费海荣", "邱国强"], ["00007", "00008", "00025", "00044"]).await;
    let before = sitting(&app, &village).await;
    assert!([&leaves, &stays, &comes].iter().all(|one| before.contains(one)), "{before:?}");
    let next = |early: Value| {
        let today = clock::local_date(app.app.now());
        json!({ "number": 12, "starts_on": today, "ends_on": "2031-12-31", "early": early })
    };
    let early = |vote: &Value| json!({ "vote_id": vote, "reason": "原任代表集体辞职" });
    let town = Somebody::signed_in(&app, village.town.person).await;
    let refused = town.post(&terms, next(early(&alone))).await;
    assert!(refused.body.to_string().contains("not_elected"), "one group ends everybody's term: {}", refused.body);
    // the others have no vote any more: two groups are the whole village
    let fewer = "UPDATE people SET is_registered = FALSE WHERE group_number NOT IN (4, 5)";
    past_commands(&app, fewer.to_owned()).await.unwrap();
    let vote = chosen_in(&app, &village, 5, &["欧阳水根", "闵建明"], ["00010", "00011", "00028", "00029"]).await;
    let before = sitting(&app, &village).await;
    let town = Somebody::signed_in(&app, village.town.person).await;
    let today = clock::local_date(app.app.now());
    let mut tomorrow = next(early(&vote));
    tomorrow["starts_on"] = json!(today.succ_opt());
    let elsewhere = next(early(&json!(Uuid::new_v4())));
    for (wrong, code) in [(next(Value::Null), "terms_overlap"), (elsewhere, "not_elected"), (tomorrow, "not_today")] {
        let refused = town.post(&terms, wrong).await;
        assert!(refused.body.to_string().contains(code), "{}", refused.body);
    }
    assert_eq!(sitting(&app, &village).await, before);
    town.post(&terms, next(early(&vote))).await.ok();
    let now = sitting(&app, &village).await;
    assert!(now.contains(&stays) && now.contains(&comes) && !now.contains(&leaves), "{now:?}");
    assert_eq!(now.len(), before.len() - 1);
    let page = String::from_utf8(town.download(&format!("/desk/bodies?area={}", village.area)).await.1).unwrap();
    assert!(page.contains("提前结束，原来到 2030年12月31日。原因：原任代表集体辞职"), "{page}");
    assert!(page.contains("term-early.vote_id") && page.contains("推选村民代表"), "{page}");
    // who lost a seat by it is told, and nobody else
    app.settle().await;
    for (number, is_told) in [("00049", true), ("00007", false), ("00034", false)] {
        let cards = cards_in(&app, person_of(&app.app, &village.area, number).await, "mailbox").await;
        assert_eq!(cards.contains(&"term_ended".to_owned()), is_told, "{number}");
    }
    // the same result ends no second term
    app.pass(TimeDelta::days(1)).await;
    let mut again = next(early(&vote));
    (again["number"], again["starts_on"]) = (json!(13), json!(today.succ_opt()));
    let refused = town.post(&terms, again).await;
    assert!(refused.body.to_string().contains("not_elected"), "{}", refused.body);
    app.stop().await;
}
