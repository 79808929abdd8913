//! Tasks on the way: put off with a reason, and what was set aside and spent for them.
use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{PHOTO, id, office_cards, own_cards, page, raise, scene, skip};
use crate::support::{Somebody, TestApp, Village};

/// A task of a member of the council, and its path.
async fn given(village: &Village, matter: &str) -> String {
    let task = json!({ "area_code": village.area, "matter_id": matter, "owner_id": village.member.person,
        "title": "修水池", "working_days": 3 });
    format!("/v1/tasks/{}", id(&village.chair.post("/v1/tasks", task).await.ok()))
}

fn in_days(app: &TestApp, days: i64) -> String {
    (app.app.local_now() + TimeDelta::days(days)).format("%Y-%m-%d").to_string()
}

fn number(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_put_off_with_a_reason_and_the_first_day_stays() {
    let (app, village) = scene().await;
    let matter = raise(&village, json!({})).await;
    let task = given(&village, &matter).await;
    let path = format!("{task}/delays");
    let to = |days: i64, reason: &str| json!({ "due_on": in_days(&app, days), "reason": reason });
    let due = village.member.get(&task).await.ok()["due_at"].clone();
    // nobody extends the own time, and nobody from elsewhere does
    for who in [&village.member, &village.council_chair, &village.supervisor, &village.town] {
        assert_eq!(who.post(&path, to(20, "等材料")).await.refused(), "not_allowed");
    }
    assert_eq!(village.neighbour(&app).await.post(&path, to(20, "等材料")).await.refused(), "not_found");
    for wrong in [to(0, "等材料"), to(-3, "等材料"), to(500, "等材料"), to(20, ""), to(20, "\u{200b}\u{200b}")]
    {
        assert_eq!(village.chair.post(&path, wrong.clone()).await.refused(), "invalid_fields", "{wrong}");
    }
    let put_off = village.chair.post(&path, to(20, "石料没到")).await.ok();
    assert_eq!((&put_off["first_due_at"], &put_off["delays"][0]["reason"]), (&due, &json!("石料没到")));
    assert!(put_off["due_at"].as_str() > due.as_str() && put_off["delays"][0]["by_name"].is_string());
    assert!(own_cards(&app, &village.member).await.contains(&"task_delayed".to_owned()));
    // of two at once that saw the same day one is made; later ones only go further
    assert_eq!(village.chair.post(&path, to(19, "再等")).await.refused(), "invalid_fields", "earlier than it is due");
    let at_once = join_all((0..4).map(|_| village.chair.post(&path, to(30, "下雨")))).await;
    assert_eq!(at_once.iter().filter(|answer| answer.status == 201).count(), 1, "put off at once");
    // what was late stays late, however far it is put off
    app.pass(TimeDelta::days(32)).await;
    app.settle().await;
    let late = village.chair.post(&path, to(10, "还在下雨")).await.ok();
    assert_eq!((&late["is_overdue"], &late["first_due_at"]), (&json!(true), &due));
    for days in [20, 30] {
        village.chair.post(&path, to(days, "又下雨")).await.ok();
    }
    assert_eq!(village.chair.post(&path, to(40, "还要等")).await.refused(), "wrong_state", "five times at most");
    for shown in [format!("/matters/{matter}"), format!("/record/{matter}")] {
        let public = app.http.get(app.url(&shown)).send().await.unwrap().text().await.unwrap();
        assert!(public.contains("原定") && public.contains("石料没到"), "{shown}: {public}");
    }
    let record = app.get(&format!("/v1/matters/{matter}/record")).await.ok();
    assert!(record["timeline"].to_string().contains("任务延期，写明理由"), "{record}");
    let desk = page(&village.chair, &format!("/desk/tasks/{}", number(&task))).await;
    assert!(desk.contains("石料没到") && desk.contains("延到哪天"), "{desk}");
    let photo = village.member.upload(PHOTO.to_vec()).await.ok();
    village.member.post(&format!("{task}/done"), json!({ "proof": "修好了", "photos": [photo["id"]] })).await.ok();
    assert_eq!(village.chair.post(&path, to(90, "太晚")).await.refused(), "wrong_state", "done is done");
    assert!(!page(&village.chair, &format!("/desk/tasks/{}", number(&task))).await.contains("延到哪天"));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_was_put_off_is_late_once_more_when_the_new_day_passes() {
    let (app, village) = scene().await;
    let matter = raise(&village, json!({})).await;
    let task = given(&village, &matter).await;
    let to = |days: i64| json!({ "due_on": in_days(&app, days), "reason": "下雨" });
    let late = async || {
        let (office, own) =
            (office_cards(&app, &village.chair, village.committee).await, own_cards(&app, &village.member).await);
        [office, own].map(|cards| cards.iter().filter(|card| *card == "task_overdue").count())
    };
    app.pass(TimeDelta::days(10)).await;
    assert_eq!(late().await, [1, 1], "who gave it and who does it");
    village.chair.post(&format!("{task}/delays"), to(5)).await.ok();
    app.pass(TimeDelta::days(4)).await;
    assert_eq!(late().await, [1, 1], "not before the new day");
    app.pass(TimeDelta::days(3)).await;
    assert_eq!(late().await, [2, 2], "the new day passed, too");
    // put off after its day, whether or not the clock had looked: known as late for good
    let other = given(&village, &matter).await;
    app.clock.advance(TimeDelta::days(10));
    let put_off = village.chair.post(&format!("{other}/delays"), to(5)).await.ok();
    assert_eq!(put_off["is_overdue"], true);
    let in_time = given(&village, &matter).await;
    let put_off = village.chair.post(&format!("{in_time}/delays"), to(20)).await.ok();
    assert_eq!(put_off["is_overdue"], false, "put off before its day");
    app.stop().await;
}

fn line(kind: &str, fen: i64, label: &str) -> Value {
    json!({ "kind": kind, "fen": fen, "label": label })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_task_costs_is_a_line_that_is_never_changed() {
    let (app, village) = scene().await;
    let matter = raise(&village, json!({})).await;
    let task = given(&village, &matter).await;
    let (path, back) = (format!("{task}/money"), format!("{task}/money/reversals"));
    for who in [&village.council_chair, &village.supervisor, &village.town] {
        assert_eq!(who.post(&path, line("spent", 100, "水泥")).await.refused(), "not_allowed");
    }
    assert_eq!(village.neighbour(&app).await.post(&path, line("spent", 1, "水泥")).await.refused(), "not_found");
    for wrong in [
        line("spent", 0, "水泥"),
        line("spent", -5, "水泥"),
        line("spent", 100_000_000_001, "水泥"),
        line("spent", 5, ""),
        line("gift", 5, "水泥"),
        json!({ "kind": "spent", "fen": 1.5, "label": "水泥" }),
        json!({ "kind": "spent", "fen": "100", "label": "水泥" }),
    ] {
        assert_eq!(village.chair.post(&path, wrong.clone()).await.refused(), "invalid_fields", "{wrong}");
    }
    village.chair.post(&path, line("budget", 500_000, "材料")).await.ok();
    // another's receipt is none
    let (own, foreign) =
        (village.member.upload(PHOTO.to_vec()).await.ok(), village.chair.upload(PHOTO.to_vec()).await.ok());
    let with = |photo: &Value| json!({ "kind": "spent", "fen": 123_456, "label": "水泥", "receipt": photo["id"] });
    assert_eq!(village.member.post(&path, with(&foreign)).await.refused(), "media_not_usable");
    let spent = village.member.post(&path, with(&own)).await.ok();
    assert_eq!(
        (&spent["money"]["budget_fen"], &spent["money"]["spent_fen"], &spent["money"]["lines"][1]["receipt"]["id"]),
        (&json!(500_000), &json!(123_456), &own["id"])
    );
    let wrong = village.member.post(&path, line("spent", 999, "记错的")).await.ok();
    let wrong = id(&wrong["money"]["lines"][2]);
    let reverse = |line: &str| json!({ "line_id": line, "reason": "多记了" });
    assert_eq!(
        village.member.post(&back, reverse(&uuid::Uuid::now_v7().to_string())).await.refused(),
        "invalid_fields"
    );
    let other = given(&village, &matter).await;
    let foreign = village.member.post(&format!("{other}/money/reversals"), reverse(&wrong)).await;
    assert_eq!(foreign.refused(), "invalid_fields", "a line of another task");
    let at_once = join_all((0..4).map(|_| village.member.post(&back, reverse(&wrong)))).await;
    assert_eq!(at_once.iter().filter(|answer| answer.status == 201).count(), 1, "reversed at once");
    let after = village.member.get(&task).await.ok();
    assert_eq!(
        (&after["money"]["spent_fen"], &after["money"]["lines"][2]["is_reversed"]),
        (&json!(123_456), &json!(true))
    );
    let reversal = id(&after["money"]["lines"][3]);
    assert_eq!(village.member.post(&back, reverse(&reversal)).await.refused(), "invalid_fields", "no reversal of one");
    shown(&app, &village, (&matter, &task, &own)).await;
    app.stop().await;
}

/// Sums on the page, on the record and in the register; the receipt for the people of the village alone.
async fn shown(app: &TestApp, village: &Village, (matter, task, receipt): (&str, &str, &Value)) {
    let public = async |path: &str| app.http.get(app.url(path)).send().await.unwrap().text().await.unwrap();
    let url = receipt["url"].as_str().unwrap();
    for path in [format!("/matters/{matter}"), format!("/record/{matter}")] {
        let text = public(&path).await;
        assert!(
            text.contains("5,000.00 元") && text.contains("1,234.56 元") && text.contains("已冲销"),
            "{path}: {text}"
        );
        assert!(!text.contains(url), "{path}");
    }
    assert!(public(&format!("/record/{matter}")).await.contains("支出合计 1,234.56 元"));
    let record = app.get(&format!("/v1/matters/{matter}/record")).await.ok();
    assert_eq!((&record["budget_fen"], &record["spent_fen"]), (&json!(500_000), &json!(123_456)));
    let table = public(&format!("/v1/register?area={}", village.area)).await;
    assert!(table.contains("预算（元）,支出（元）") && table.contains("5000.00,1234.56"), "{table}");
    let book = village.clerk.download(&format!("/v1/register?format=xlsx&area={}", village.area)).await.1;
    let book = String::from_utf8_lossy(&book);
    assert!(book.contains("<v>5000.00</v>") && book.contains("<v>1234.56</v>"), "sums that a program can add: {book}");
    assert!(page(&village.clerk, &format!("/matters/{matter}")).await.contains(url));
    let sees = async |who: &Somebody| who.download(url).await.0;
    assert_eq!((sees(&village.clerk).await, sees(&village.neighbour(app).await).await), (200, 404));
    let desk = page(&village.member, &format!("/desk/tasks/{}", number(task))).await;
    assert!(desk.contains("记一笔") && desk.contains("多少元"), "{desk}");
    let other = page(&village.council_chair, &format!("/desk/tasks/{}", number(task))).await;
    assert!(other.contains("看收支明细") && !other.contains("记一笔"), "{other}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_costs_are_written_down_at_the_desk_in_yuan() {
    let (app, village) = scene().await;
    let matter = raise(&village, json!({})).await;
    let task = given(&village, &matter).await;
    let (number, desk) = (number(&task), format!("/desk/tasks/{}", number(&task)));
    let send = async |form: &str, body: reqwest::RequestBuilder| {
        let answer = body.header("sec-fetch-site", "same-origin").send().await.unwrap();
        (answer.status().as_u16(), form.to_owned(), answer.text().await.unwrap())
    };
    let money = |fen: &'static str| {
        let parts = reqwest::multipart::Form::new().text("kind", "spent").text("fen", fen).text("label", "砂石");
        let parts = parts.part("receipt", reqwest::multipart::Part::bytes(PHOTO.to_vec()).file_name("a.png"));
        village.member.request(reqwest::Method::POST, &format!("{desk}/money")).multipart(parts)
    };
    let (status, _, text) = send("money", money("12.345")).await;
    assert!(status == 422 && text.contains("金额不对") && text.contains("value=\"砂石\""), "{status} {text}");
    assert!([200, 303].contains(&send("money", money("1,200.5")).await.0));
    let seen = village.member.get(&task).await.ok();
    assert_eq!(
        (&seen["money"]["spent_fen"], seen["money"]["lines"][0]["receipt"].is_object()),
        (&json!(120_050), true)
    );
    let delay = village.chair.request(reqwest::Method::POST, &format!("/desk/tasks/{number}/delay"));
    let body = format!("due_on={}&reason=%E4%B8%8B%E9%9B%A8", in_days(&app, 30));
    let form = "application/x-www-form-urlencoded";
    let (status, ..) = send("delay", delay.header("content-type", form).body(body)).await;
    assert!([200, 303].contains(&status), "{status}");
    assert_eq!(village.member.get(&task).await.ok()["delays"][0]["reason"], "下雨");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_goes_on_to_its_end_whatever_else_happened() {
    let (app, village) = scene().await;
    let matter = raise(&village, json!({})).await;
    app.settle().await;
    // as if hundreds of voices had been handled first
    let id = if app.folder.is_sqlite() { "randomblob(16)" } else { "gen_random_uuid()" };
    let handled = format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600) \
         INSERT INTO events (id, kind, subject_id, data, at, number, hash) \
         SELECT {id}, 'suggestion.assigned', subject_id, '{{}}', at, -n.i, 'x' FROM events, n \
         WHERE kind = 'matter.raised' AND subject_id = '{matter}'"
    );
    assert_eq!(crate::accused::past_commands(&app, handled).await.unwrap(), 600);
    app.pass(TimeDelta::minutes(1)).await;
    skip(&village, &matter, "raise").await;
    let record = app.get(&format!("/v1/matters/{matter}/record")).await.ok();
    let kinds: Vec<&str> =
        record["timeline"].as_array().unwrap().iter().filter_map(|one| one["kind"].as_str()).collect();
    assert!(kinds.contains(&"matter.raised") && kinds.contains(&"matter.stage_skipped"), "{kinds:?}");
    app.stop().await;
}
