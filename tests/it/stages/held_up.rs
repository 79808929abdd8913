//! Plans in versions, reasons for and against them, and a step that the supervision committee holds up.
use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::json;

use super::{doors_open, id, missing, own_cards, page, raise, scene, sign_in, skip};
use crate::support::Somebody;

#[tokio::test(flavor = "multi_thread")]
async fn every_version_of_a_plan_stays_and_shows_what_changed() {
    let (app, village) = scene().await;
    let matter = raise(&village, json!({})).await;
    let path = format!("/v1/matters/{matter}/plan");
    assert_eq!(app.get(&path).await.refused(), "not_found");
    let plan =
        |version: i32, text: &str, reason: Option<&str>| json!({ "version": version, "text": text, "reason": reason });
    let first = plan(0, "装三盏灯。由村里出钱。五月动工。", None);
    assert_eq!(village.member.post(&path, first.clone()).await.refused(), "not_allowed");
    assert_eq!(village.council_chair.post(&path, first.clone()).await.ok()["version"], 1);
    assert_eq!(village.chair.post(&path, first).await.refused(), "invalid_fields", "a reason, and something new");
    let stale = plan(0, "装五盏灯。由村里出钱。五月动工。", Some("太暗"));
    assert_eq!(village.chair.post(&path, stale).await.refused(), "changed");
    // of several at once one is the next version
    let second = |lamps: &str| plan(1, &format!("装{lamps}盏灯。由村里出钱。五月动工。"), Some("三盏太暗"));
    let at_once = ["五", "六", "七", "八"].map(|lamps| village.chair.post(&path, second(lamps)));
    let written = join_all(at_once).await.into_iter().filter(|answer| answer.status == 201).count();
    assert_eq!(written, 1, "next versions written at once");
    let shown = app.get(&path).await.ok();
    assert_eq!((&shown["version"], &shown["versions"], &shown["reason"]), (&json!(2), &json!(2), &json!("三盏太暗")));
    let fates: Vec<_> = shown["changes"].as_array().unwrap().iter().map(|one| one["fate"].clone()).collect();
    assert_eq!(fates, ["removed", "added", "kept", "kept"]);
    let old = app.get(&format!("{path}?version=1")).await.ok();
    assert_eq!((&old["text"], old.get("changes")), (&json!("装三盏灯。由村里出钱。五月动工。"), None));
    for nowhere in ["?version=3", "?version=0", "?version=-2147483648"] {
        assert_eq!(app.get(&format!("{path}{nowhere}")).await.refused(), "not_found");
    }
    let public = app.http.get(app.url(&format!("/matters/{matter}/plan"))).send().await.unwrap().text().await.unwrap();
    assert!(public.contains("<del>装三盏灯。</del><ins>装"), "{public}");
    app.settle().await;
    assert!(village.cards(&app, &matter).await.contains("第 2 稿"));
    let record = page(&village.clerk, &format!("/record/{matter}")).await;
    assert!(record.contains("第 2 稿（共 2 稿）") && record.contains(shown["text"].as_str().unwrap()), "{record}");
    // what hangs out is not changed behind anybody's back
    skip(&village, &matter, "raise").await;
    skip(&village, &matter, "deliberate").await;
    let late = plan(2, "装七盏灯。由村里出钱。五月动工。", Some("还是暗"));
    assert_eq!(village.chair.post(&path, late).await.refused(), "wrong_state");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_is_held_up_once_and_for_three_days_at_most() {
    let (app, village) = scene().await;
    let matter = raise(&village, json!({})).await;
    let (halt, end) = (format!("/v1/matters/{matter}/halt"), format!("/v1/matters/{matter}/halt/end"));
    let why = |days: i64| json!({ "days": days, "reason": "账目要先核对" });
    for who in [&village.chair, &village.town, &village.council_chair] {
        assert_eq!(who.post(&halt, why(3)).await.refused(), "not_allowed");
    }
    for days in [0, 4, 255] {
        assert_eq!(village.supervisor.post(&halt, why(days)).await.refused(), "invalid_fields");
    }
    let task = json!({ "area_code": village.area, "matter_id": matter, "owner_id": village.member.person, "title": "量地",
        "working_days": 3 });
    let task = id(&village.chair.post("/v1/tasks", task).await.ok());
    let supervisor = &village.supervisor;
    let at_once = join_all((0..4).map(|_| supervisor.post(&halt, why(3)))).await;
    assert_eq!(at_once.iter().filter(|answer| answer.status == 200).count(), 1, "held up at once");
    let by = json!({ "stage": "raise", "authority": "镇政府同意", "reason": "测试走近路" });
    let (advance, skips) = (format!("/v1/matters/{matter}/advance"), format!("/v1/matters/{matter}/skip"));
    assert_eq!(village.chair.post(&advance, json!({})).await.refused(), "halted");
    assert_eq!(village.chair.post(&skips, by.clone()).await.refused(), "halted");
    let withdraw = format!("/v1/matters/{matter}/withdraw");
    assert_eq!(village.chair.post(&withdraw, json!({ "reason": "不办了" })).await.refused(), "halted", "taken back");
    let shown = app.get(&format!("/v1/matters/{matter}")).await.ok();
    assert_eq!((&shown["is_halted"], &shown["halts"][0]["reason"]), (&json!(true), &json!("账目要先核对")));
    assert!(page(&village.clerk, &format!("/matters/{matter}")).await.contains("账目要先核对"));
    assert!(page(supervisor, &format!("/desk/matters/{matter}")).await.contains("解除暂缓"));
    assert!(own_cards(&app, &village.member).await.contains(&"matter_halted".to_owned()), "who is at work on it");
    assert!(page(&village.member, &format!("/desk/tasks/{task}")).await.contains("暂缓期间请先停下来"));
    app.pass(TimeDelta::days(3)).await;
    app.settle().await;
    assert_eq!(missing(&village.chair, &matter).await, ["survey"], "it goes on");
    assert_eq!(supervisor.post(&halt, why(1)).await.refused(), "wrong_state", "of a stay once");
    village.chair.post(&skips, by).await.ok();
    // let go on before its time
    supervisor.post(&halt, why(3)).await.ok();
    let back = json!({ "to": "raise", "reason": "重新来过" });
    assert_eq!(
        village.chair.post(&format!("/v1/matters/{matter}/return"), back).await.refused(),
        "halted",
        "a hold is not shaken off by going back"
    );
    let desk = page(&village.chair, &format!("/desk/matters/{matter}")).await;
    assert!(!desk.contains("/return\"") && !desk.contains("/withdraw\""), "no buttons that would be refused: {desk}");
    let reason = json!({ "reason": "核对清楚了" });
    assert_eq!(village.chair.post(&end, reason.clone()).await.refused(), "not_allowed");
    assert_eq!(supervisor.post(&end, reason.clone()).await.ok()["is_halted"], false);
    assert_eq!(supervisor.post(&end, reason).await.refused(), "wrong_state");
    let record = page(&village.clerk, &format!("/record/{matter}")).await;
    assert!(record.contains("账目要先核对 → 核对清楚了"), "who held it up, and what came of it: {record}");
    let told = village.cards(&app, &matter).await;
    assert!(told.contains("暂缓：") && told.contains("继续办："), "{told}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_moves_by_date_waits_while_it_is_held_up_and_then_moves() {
    let (app, village) = scene().await;
    let matter = raise(&village, json!({})).await;
    skip(&village, &matter, "raise").await;
    skip(&village, &matter, "deliberate").await;
    let notice = json!({ "area_code": village.area, "matter_id": matter, "title": "水池", "text": "全文。",
        "period_days": 5 });
    let hangs = village.clerk.post("/v1/notices", notice).await.ok();
    let ends: chrono::DateTime<chrono::Utc> = serde_json::from_value(hangs["period_to"].clone()).unwrap();
    app.pass(ends - app.app.now() - TimeDelta::hours(1)).await;
    let halt = json!({ "days": 3, "reason": "账目要先核对" });
    village.supervisor.post(&format!("/v1/matters/{matter}/halt"), halt).await.ok();
    let stage = async || {
        app.settle().await;
        app.get(&format!("/v1/matters/{matter}")).await.ok()["stage"].clone()
    };
    app.pass(TimeDelta::days(2)).await;
    assert_eq!(stage().await, "publicise", "the period is over, and the step is held up");
    app.pass(TimeDelta::days(1)).await;
    assert_eq!(stage().await, "review");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_written_after_the_resolution_is_resolved_on_anew() {
    let (app, village) = scene().await;
    let matter = raise(&village, json!({ "reserved_item": "land_contracts" })).await;
    skip(&village, &matter, "raise").await;
    let lawyer = village.villager(&app, "00010").await;
    let seat = json!({ "person_id": lawyer.person, "role": "legal_officer" });
    village.town.post(&format!("/v1/bodies/{}/seats", village.committee), seat).await.ok();
    app.settle().await;
    let lawyer = Somebody::signed_in(&app, lawyer.person).await;
    let plan = format!("/v1/matters/{matter}/plan");
    let write = |version: i32, text: &str| json!({ "version": version, "text": text, "reason": "改一改" });
    let meet = async || {
        let about = (village.council, json!({ "matter_id": matter }));
        let meeting = doors_open(&app, &village.council_chair, about).await;
        sign_in(&[&village.council_chair, &village.secretary], &meeting).await;
        meeting
    };
    let resolve = async |meeting: &str| {
        let minutes = json!({ "minutes": "说了", "resolutions": [{ "text": "照方案办", "votes_for": 2 }] });
        village.council_chair.post(&format!("{meeting}/minutes"), minutes).await.ok();
    };
    let note = async || {
        let note = json!({ "is_lawful": true, "text": "依土地承包法。" });
        lawyer.post(&format!("/v1/matters/{matter}/legality-notes"), note).await.ok();
    };
    village.chair.post(&plan, write(0, "十亩地包给合作社，三年。")).await.ok();
    resolve(&meet().await).await;
    note().await;
    // swapped after both: neither counts, and no authority stands above the note
    app.pass(TimeDelta::minutes(1)).await;
    village.chair.post(&plan, write(1, "一百亩地包给老王，三十年。")).await.ok();
    assert_eq!(missing(&village.chair, &matter).await, ["plan_changed", "legality"], "the plan was swapped");
    let by = json!({ "stage": "deliberate", "authority": "镇政府同意", "reason": "急着办" });
    assert_eq!(village.chair.post(&format!("/v1/matters/{matter}/skip"), by).await.refused(), "evidence_missing");
    note().await;
    assert_eq!(missing(&village.chair, &matter).await, ["plan_changed"]);
    assert!(page(&village.chair, &format!("/desk/matters/{matter}")).await.contains("要按现在的方案重新开会决定"));
    // what is written while they meet did not lie before them when they began
    let meeting = meet().await;
    app.pass(TimeDelta::minutes(1)).await;
    village.chair.post(&plan, write(2, "五十亩地包给老王，二十年。")).await.ok();
    resolve(&meeting).await;
    assert_eq!(missing(&village.chair, &matter).await, ["plan_changed", "legality"]);
    resolve(&meet().await).await;
    note().await;
    let moved = village.chair.post(&format!("/v1/matters/{matter}/advance"), json!({})).await.ok();
    assert_eq!(moved["stage"], "publicise");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reasons_for_and_against_stand_beside_one_another() {
    let (app, village) = scene().await;
    let matter = raise(&village, json!({})).await;
    let talk = village.discussion(&app, &matter).await;
    let messages = format!("/v1/streams/{talk}/messages");
    let (one, other) = (village.villager(&app, "00007").await, village.villager(&app, "00010").await);
    let mut said = Vec::new();
    for (who, side, text) in [
        (&one, "for", "夏天要用水"),
        (&other, "against", "太贵了"),
        (&one, "info", "去年修过一次"),
        (&other, "for", "说错了的话"),
    ] {
        let message = json!({ "client_id": uuid::Uuid::now_v7(), "side": side, "text": text });
        said.push(who.post(&messages, message).await.ok()["seq"].clone());
    }
    other.post(&format!("{messages}/{}/recall", said[3]), json!({})).await.ok();
    let path = format!("/matters/{matter}/arguments");
    let shown = page(&village.clerk, &path).await;
    let column = |side: &str| {
        let from = shown.split_once(&format!("id=\"side-{side}\"")).unwrap().1;
        from.split_once("</section>").unwrap().0.to_owned()
    };
    assert!(column("for").contains("夏天要用水") && !column("for").contains("太贵了"), "{shown}");
    assert!(!shown.contains("说错了的话"), "taken back: {shown}");
    assert!(column("against").contains("太贵了") && column("info").contains("去年修过一次"), "{shown}");
    assert!(page(&village.clerk, &format!("/matters/{matter}")).await.contains(&path));
    let (status, _) = village.neighbour(&app).await.download(&path).await;
    assert_eq!(status, 404, "for the people of the village");
    app.stop().await;
}
