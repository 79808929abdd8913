//! What the assembly allowed: paths by charter, and what its representatives may decide.
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{doors_open, id, missing, page, raise, scene, sign_in, skip};
use crate::support::{Somebody, TestApp, Village, person_of};

const SOURCE: &str = "2026年1月5日村民会议通过的《议事章程》";

fn own_path(stages: &[(&str, Value)]) -> Value {
    let stage = |(key, more): &(&str, Value)| {
        let mut stage = json!({ "stage": key, "due_working_days": 5 });
        stage.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        stage
    };
    json!({ "name": "东衡快办", "stages": stages.iter().map(stage).collect::<Vec<_>>() })
}

fn charter(village: &Village, path: Value) -> Value {
    json!({ "area_code": village.area, "template": "own", "path": path, "adopted_on": "2026-01-05", "source": SOURCE })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_village_s_own_path_keeps_the_lawful_minimum() {
    let (app, village) = scene().await;
    let none = || json!({});
    let adopt = |path: Value| charter(&village, path);
    let named = |name: &str| {
        let mut path = own_path(&[("raise", none()), ("publicise", none()), ("evaluate", none())]);
        path["name"] = json!(name);
        path
    };
    let unlawful = [
        own_path(&[("raise", none()), ("evaluate", none())]),
        own_path(&[("raise", none()), ("publicise", none())]),
        own_path(&[("publicise", none()), ("raise", none()), ("evaluate", none())]),
        own_path(&[("raise", json!({ "min": 0 })), ("publicise", none()), ("evaluate", none())]),
        own_path(&[("raise", none()), ("publicise", json!({ "min": 1 })), ("evaluate", none())]),
        own_path(&[("raise", none()), ("publicise", json!({ "due_working_days": 4 })), ("evaluate", none())]),
        own_path(&[
            ("raise", none()),
            ("publicise", none()),
            ("decide", json!({ "due_working_days": 9 })),
            ("evaluate", none()),
        ]),
        named("四议两公开"),
        named("  "),
        own_path(&[]),
        Value::Null,
    ];
    for path in unlawful {
        let refused = village.chair.post("/v1/charters", adopt(path.clone())).await;
        assert_eq!(refused.refused(), "invalid_fields", "{path}");
    }
    let short = json!({ "area_code": village.area, "template": "short", "path": own_path(&[]),
        "adopted_on": "2026-01-05", "source": SOURCE });
    assert_eq!(village.chair.post("/v1/charters", short).await.refused(), "invalid_fields", "a path of our own");
    let own = json!({ "area_code": village.area, "title": "修水池", "summary": "修水池。", "template": "own" });
    assert_eq!(village.chair.post("/v1/matters", own.clone()).await.refused(), "template_not_allowed");

    let path = own_path(&[
        ("raise", json!({ "min": 2 })),
        ("deliberate", json!({ "min": 1 })),
        ("publicise", none()),
        ("evaluate", json!({ "min": 2, "min_answers": 3 })),
    ]);
    assert_eq!(village.clerk.post("/v1/charters", adopt(path.clone())).await.refused(), "not_allowed");
    let adopted = village.chair.post("/v1/charters", adopt(path)).await.ok();
    let again = village.chair.post("/v1/charters", adopt(named(" 东衡快办 "))).await;
    assert_eq!(again.refused(), "invalid_fields", "two paths of one name");
    assert_eq!((&adopted["template"], &adopted["template_name"]), (&json!("own"), &json!("东衡快办")));
    assert!(adopted["path"][3]["asks"].to_string().contains("至少 2 项"), "{adopted}");
    // no vote is taken on it, so it is not for what the law reserves to the assembly
    let mut reserved = own.clone();
    reserved["reserved_item"] = json!("homesteads");
    assert_eq!(village.chair.post("/v1/matters", reserved).await.refused(), "template_not_allowed");
    let mut elsewhere = own.clone();
    elsewhere["charter_id"] = json!(uuid::Uuid::now_v7());
    assert_eq!(village.chair.post("/v1/matters", elsewhere).await.refused(), "template_not_allowed");
    let matter = village.chair.post("/v1/matters", own.clone()).await.ok();
    assert_eq!(matter["template_name"], "东衡快办");
    let stages: Vec<_> = matter["stages"].as_array().unwrap().iter().map(|one| one["stage"].clone()).collect();
    assert_eq!(stages, ["raise", "deliberate", "publicise", "evaluate"]);

    // ended, it allows nothing new, and what is under way keeps its path
    village.chair.post(&format!("/v1/charters/{}/end", id(&adopted)), json!(null)).await.ok();
    assert_eq!(village.chair.post("/v1/matters", own).await.refused(), "template_not_allowed");
    let matter = id(&matter);
    let moved = village.chair.post(&format!("/v1/matters/{matter}/advance"), json!({})).await.ok();
    assert_eq!(moved["stage"], "deliberate", "a body proposed it");
    assert_eq!(missing(&village.chair, &matter).await, ["meeting"]);
    let meeting = doors_open(&app, &village.council_chair, (village.council, json!({ "matter_id": matter }))).await;
    sign_in(&[&village.council_chair, &village.member], &meeting).await;
    let minutes = json!({ "minutes": "说了", "resolutions": [{ "text": "同意", "votes_for": 2 }] });
    village.council_chair.post(&format!("{meeting}/minutes"), minutes).await.ok();
    let moved = village.chair.post(&format!("/v1/matters/{matter}/advance"), json!({})).await.ok();
    assert_eq!(moved["stage"], "publicise");

    village.chair.post("/v1/charters", adopt(named("东衡快办"))).await.ok();

    // everybody reads what the village set down
    let public = app.http.get(app.url(&format!("/charters?area={}", village.area))).send().await.unwrap();
    let public = public.text().await.unwrap();
    assert!(public.contains("东衡快办") && public.contains("至少 2 条村民留言"), "{public}");
    let desk = page(&village.chair, "/desk/charters").await;
    assert!(desk.contains("登记本村自己的程序") && desk.contains("东衡快办"), "{desk}");
    app.stop().await;
}

/// A reserved matter that is to be decided: with a legal officer's note.
async fn reserved_to_decide(app: &TestApp, village: &Village) -> String {
    noted_to_decide(app, village, (json!({ "reserved_item": "land_contracts" }), None)).await
}

/// A matter that is to be decided: with a legal officer's note, and maybe a plan that was written after that.
async fn noted_to_decide(app: &TestApp, village: &Village, (more, plan): (Value, Option<&str>)) -> String {
    let matter = raise(village, more).await;
    skip(village, &matter, "raise").await;
    let lawyer = person_of(&app.app, &village.area, "00010").await;
    let seat = json!({ "person_id": lawyer, "role": "legal_officer" });
    village.town.post(&format!("/v1/bodies/{}/seats", village.committee), seat).await.ok();
    app.settle().await;
    let lawyer = Somebody::signed_in(app, lawyer).await;
    let note = json!({ "is_lawful": true, "text": "依土地承包法。" });
    lawyer.post(&format!("/v1/matters/{matter}/legality-notes"), note).await.ok();
    if let Some(text) = plan {
        app.pass(TimeDelta::minutes(1)).await;
        let plan = json!({ "version": 0, "text": text });
        village.chair.post(&format!("/v1/matters/{matter}/plan"), plan).await.ok();
    }
    skip(village, &matter, "deliberate").await;
    let notice = json!({ "area_code": village.area, "matter_id": matter, "title": "承包方案", "text": "全文。",
        "period_days": 5 });
    village.clerk.post("/v1/notices", notice).await.ok();
    app.settle().await;
    app.pass(TimeDelta::days(12)).await;
    app.settle().await;
    skip(village, &matter, "review").await;
    matter
}

#[tokio::test(flavor = "multi_thread")]
async fn the_representatives_decide_what_is_reserved_only_where_the_assembly_let_them() {
    let (app, village) = scene().await;
    let matter = reserved_to_decide(&app, &village).await;
    let call = json!({ "area_code": village.area, "body_id": village.committee, "audience": "representatives",
        "matter_id": matter, "title": "村民代表会议", "agenda": "表决", "place": "文化礼堂",
        "starts_at": app.app.now() + TimeDelta::days(4) });
    let meeting = id(&village.chair.post("/v1/meetings", call).await.ok());
    app.pass(TimeDelta::days(4) - TimeDelta::hours(1)).await;
    let today = app.app.local_now().date_naive();
    let vote = |meeting: Option<&str>| {
        json!({ "matter_id": matter, "question": "是否同意？", "preset": "village_representatives",
            "meeting_id": meeting, "closes_at": app.app.now() + TimeDelta::hours(6) })
    };
    let allow = |item: &str, from: i64, until: i64| {
        json!({ "area_code": village.area, "reserved_item": item, "adopted_on": today - TimeDelta::days(from),
            "until_on": today + TimeDelta::days(until), "source": "2026年村民会议授权" })
    };
    let needed = "authorisation_needed";
    assert_eq!(village.chair.post("/v1/votes", vote(Some(&meeting))).await.refused(), needed);
    let (path, right) = ("/v1/authorisations", allow("land_contracts", 9, 30));
    assert_eq!(village.clerk.post(path, right.clone()).await.refused(), "not_allowed");
    for wrong in [allow("planning", -1, 9), allow("planning", 9, -10), allow("planning", 0, 5 * 366)] {
        assert_eq!(village.chair.post(path, wrong.clone()).await.refused(), "invalid_fields", "{wrong}");
    }
    // for another item, over, or taken back
    village.chair.post(path, allow("planning", 9, 30)).await.ok();
    village.chair.post(path, allow("land_contracts", 9, -1)).await.ok();
    let ended = id(&village.chair.post(path, right.clone()).await.ok());
    let end = format!("{path}/{ended}/end");
    assert_eq!(village.clerk.post(&end, json!(null)).await.refused(), "not_allowed");
    village.chair.post(&end, json!(null)).await.ok();
    assert_eq!(village.chair.post(&end, json!(null)).await.refused(), "wrong_state");
    assert_eq!(village.chair.post("/v1/votes", vote(Some(&meeting))).await.refused(), needed);
    let listed = app.get(&format!("{path}?area={}", village.area)).await.ok();
    assert_eq!(listed.as_array().map(Vec::len), Some(3), "{listed}");

    village.chair.post(path, right).await.ok();
    let opened = village.chair.post("/v1/votes", vote(Some(&meeting))).await.ok();
    assert_eq!(opened["is_binding"], true, "{opened}");
    let public = page(&village.clerk, &format!("/charters?area={}", village.area)).await;
    assert!(public.contains("土地承包经营方案") && public.contains("2026年村民会议授权"), "{public}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_on_the_plan_of_before_is_no_note_on_what_is_voted_on() {
    let (app, village) = scene().await;
    let matter = noted_to_decide(&app, &village, (json!({}), Some("把五十亩山林包给外村人三十年。"))).await;
    let mark = json!({ "item": "land_contracts", "reason": "这是土地承包经营方案" });
    village.supervisor.post(&format!("/v1/matters/{matter}/reserved"), mark).await.ok();
    let vote = json!({ "matter_id": matter, "question": "是否同意？", "preset": "village_assembly_person",
        "closes_at": app.app.now() + TimeDelta::days(1), "challenge_days": 0 });
    let refused = village.chair.post("/v1/votes", vote).await.body;
    assert_eq!(
        (&refused["code"], &refused["more"]["missing"][0]["code"]),
        (&json!("evidence_missing"), &json!("legality"))
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_turns_out_to_be_reserved_is_voted_on_after_a_legal_officer_s_note() {
    let (app, village) = scene().await;
    let matter = village.matter_to_decide(&app, "包地").await;
    let path = format!("/v1/matters/{matter}/reserved");
    let mark = |item: &str, reason: &str| json!({ "item": item, "reason": reason });
    for who in [&village.chair, &village.council_chair, &village.town, &village.clerk] {
        assert_eq!(who.post(&path, mark("land_contracts", "这是土地承包")).await.refused(), "not_allowed");
    }
    for wrong in [mark("land_contracts", ""), mark("gold", "这是土地承包")] {
        assert_eq!(village.supervisor.post(&path, wrong.clone()).await.refused(), "invalid_fields", "{wrong}");
    }
    let desk = format!("/desk/matters/{matter}");
    assert!(page(&village.supervisor, &desk).await.contains("认定为必须由村民会议决定的事项"));
    assert!(!page(&village.chair, &desk).await.contains("认定为必须由村民会议决定的事项"));
    let marked = village.supervisor.post(&path, mark("land_contracts", "这是土地承包经营方案")).await.ok();
    assert_eq!(marked["reserved"]["item"], "land_contracts");
    let again = village.supervisor.post(&path, mark("land_contracts", "再说一遍")).await;
    assert_eq!(again.refused(), "invalid_fields", "said already");
    let vote = json!({ "matter_id": matter, "question": "是否同意？", "preset": "village_assembly_person",
        "closes_at": app.app.now() + TimeDelta::days(1), "challenge_days": 0 });
    let refused = village.chair.post("/v1/votes", vote).await.body;
    assert_eq!(
        (&refused["code"], &refused["more"]["missing"][0]["code"]),
        (&json!("evidence_missing"), &json!("legality"))
    );
    let back = json!({ "to": "deliberate", "reason": "补合法性意见" });
    village.chair.post(&format!("/v1/matters/{matter}/return"), back).await.ok();
    assert!(missing(&village.chair, &matter).await.contains(&"legality".to_owned()), "as if it had been said at once");
    let record = page(&village.clerk, &format!("/record/{matter}")).await;
    assert!(record.contains("这是土地承包经营方案") && record.contains("土地承包经营方案<br>"), "{record}");
    // small things go a path on which nobody votes: what is reserved does not
    let charter = json!({ "area_code": village.area, "template": "short", "adopted_on": "2026-01-05",
        "source": "村民会议通过的《小事简办章程》" });
    village.chair.post("/v1/charters", charter).await.ok();
    let small = raise(&village, json!({ "template": "short" })).await;
    let on_short =
        village.supervisor.post(&format!("/v1/matters/{small}/reserved"), mark("planning", "这是规划")).await;
    assert_eq!(on_short.refused(), "template_not_allowed");
    app.stop().await;
}
