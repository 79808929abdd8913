//! Must-read notices of a town and the county: every village asks its own people, sees its own doors and no other, and who
//! sits above learns numbers.
use std::collections::BTreeMap;

use chrono::TimeDelta;
use futures_util::future::join_all;
use liusheng::{areas, error::Error, notices, server};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    county::operator,
    support::{Answer, Raw, Somebody, TestApp, Village, count, import, person_of},
};

const TOWN: &str = "330521103";
const NEXT: &str = "330521103203";
const LARGE: &str = "330521103204";
/// Adults of the village, and of the next one, on 2 November 2026.
const HERE: u64 = 57;
const THERE: u64 = 3;
/// More than two pieces.
const MANY: u64 = 2_300;

async fn publish(who: &Somebody, area: &str, more: Value) -> String {
    let mut notice = json!({ "area_code": area, "title": "防台风通知", "text": "今晚请不要出门。", "must_read": true });
    notice.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let hung = who.post("/v1/notices", notice).await.ok();
    assert!(hung.get("audience_size").is_none(), "not known before every village is gone through: {hung}");
    hung["id"].as_str().unwrap().to_owned()
}

/// The chair of the next village's committee.
async fn chair_of_next(app: &TestApp, village: &Village) -> Somebody {
    let body = json!({ "kind": "village_committee", "name": "三家村村民委员会", "areas": [NEXT] });
    let body = village.town.post("/v1/bodies", body).await.ok()["id"].as_str().unwrap().to_owned();
    let person = person_of(&app.app, NEXT, "00002").await;
    let seat = json!({ "person_id": person, "role": "chair" });
    village.town.post(&format!("/v1/bodies/{body}/seats"), seat).await.ok();
    app.settle().await;
    Somebody::signed_in(app, person).await
}

async fn confirm(who: &Somebody, notice: &str) -> Value {
    who.post(&format!("/v1/notices/{notice}/confirmations"), json!(null)).await.ok()
}

async fn confirm_for(who: &Somebody, notice: &str, body: Value) -> Answer {
    who.post(&format!("/v1/notices/{notice}/confirmations/for"), body).await
}

/// How many are asked and how many confirmed, as everybody sees it.
async fn totals(app: &TestApp, notice: &str) -> (u64, u64) {
    let head = app.get(&format!("/v1/notices/{notice}")).await.ok();
    (head["audience_size"].as_u64().unwrap_or_default(), head["confirmed"].as_u64().unwrap())
}

async fn doors(who: &Somebody, notice: &str, area: &str) -> Vec<String> {
    let list = who.get(&format!("/v1/notices/{notice}/doors?limit=100{area}")).await.ok();
    list["items"].as_array().unwrap().iter().map(|door| door["name"].as_str().unwrap().to_owned()).collect()
}

/// By village: how many are asked, how many confirmed.
async fn villages(who: &Somebody, notice: &str) -> BTreeMap<String, (u64, u64)> {
    let list = who.get(&format!("/v1/notices/{notice}/reach/villages")).await.ok();
    let counts = |one: &Value| {
        let number = |field: &str| one[field].as_u64().unwrap();
        (one["area_code"].as_str().unwrap().to_owned(), (number("asked"), number("confirmed")))
    };
    list.as_array().unwrap().iter().map(counts).collect()
}

/// What is kept beside the rows is what the rows say.
async fn counts_are_true(app: &TestApp) {
    let raw = Raw::open(app.folder.path()).await;
    let wrong = "SELECT count(*) FROM notice_villages v WHERE v.asked <> (SELECT count(*) FROM notice_audience a \
        WHERE a.notice_id = v.notice_id AND a.version = v.version AND a.area_code = v.area_code) OR v.confirmed <> \
        (SELECT count(*) FROM notice_confirmations c JOIN notice_audience a ON a.notice_id = c.notice_id AND \
        a.version = c.version AND a.person_id = c.person_id WHERE c.in_audience AND c.notice_id = v.notice_id AND \
        c.version = v.version AND a.area_code = v.area_code)";
    assert_eq!(raw.one::<i64>(wrong).await, 0, "a count beside the rows is not theirs");
    raw.close().await;
}

async fn page(who: &Somebody, path: &str) -> (u16, String) {
    let (status, bytes) = who.download(path).await;
    (status, String::from_utf8(bytes).unwrap())
}

#[tokio::test]
async fn the_board_counts_in_each_village_who_has_not_confirmed() {
    let (app, village) = Village::start().await;
    chair_of_next(&app, &village).await;
    let notice = publish(&village.town, TOWN, json!({})).await;
    confirm(&village.villager(&app, "00007").await, &notice).await;
    app.settle().await;
    let (status, board) = page(&village.town, &format!("/desk/notices/{notice}/reach")).await;
    assert_eq!(status, 200, "{board}");
    for left in [HERE - 1, THERE] {
        assert!(board.contains(&format!("<b>{left}</b></td>")), "{left}: {board}");
    }
    app.stop().await;
}

#[tokio::test]
async fn each_village_asks_its_own_and_who_sits_above_learns_numbers() {
    let (app, village) = Village::start().await;
    let there = chair_of_next(&app, &village).await;
    let notice = publish(&village.town, TOWN, json!({})).await;
    // before anybody is written down
    let (ann, wife) = (village.villager(&app, "00007").await, village.villager(&app, "00008").await);
    assert_eq!(confirm(&ann, &notice).await["via"], "self");
    app.settle().await;
    assert_eq!(
        totals(&app, &notice).await,
        (HERE + THERE, 1),
        "who confirmed before the village was written down counts"
    );

    // each its own doors
    let own = doors(&village.clerk, &notice, "").await;
    assert_eq!(own.len() as u64, HERE - 1, "no door of another village: {own:?}");
    assert!(!own.contains(&"费海荣".to_owned()) && !own.iter().any(|name| name.starts_with("邻村")), "{own:?}");
    assert_eq!(doors(&village.clerk, &notice, &format!("&area={}", village.area)).await, own);
    assert_eq!(doors(&there, &notice, "").await, ["邻村甲", "邻村乙", "邻村丙"]);
    let path = |what: &str, area: &str| format!("/v1/notices/{notice}/{what}?area={area}");
    for what in ["doors", "confirmations"] {
        assert_eq!(village.clerk.get(&path(what, NEXT)).await.refused(), "not_allowed");
        assert_eq!(there.get(&path(what, &village.area)).await.refused(), "not_allowed");
        for nowhere in [TOWN, "330521104201", "330521103202-g1", "", "%F0%9F%98%80"] {
            assert_eq!(village.clerk.get(&path(what, nowhere)).await.refused(), "not_found", "{what} {nowhere}");
        }
        // who sits above names nobody
        for area in [village.area.as_str(), NEXT] {
            assert_eq!(village.town.get(&path(what, area)).await.refused(), "not_allowed");
        }
        for stranger in [&village.town, &ann, &village.council_chair, &village.neighbour(&app).await] {
            // the neighbour is the chair of the next village
            let answer = stranger.get(&format!("/v1/notices/{notice}/{what}")).await;
            assert_eq!(answer.status == 200, stranger.person == there.person, "{what} {}", answer.body);
        }
    }
    let reach = village.clerk.get(&format!("/v1/notices/{notice}/confirmations")).await.ok();
    assert_eq!((&reach["asked"], &reach["by_self"]), (&json!(HERE), &json!(1)));
    assert_eq!(reach["area_code"], json!(village.area));
    let (here, next) = (village.area.clone(), NEXT.to_owned());
    let both = BTreeMap::from([(here.clone(), (HERE, 1)), (next.clone(), (THERE, 0))]);
    assert_eq!(villages(&village.town, &notice).await, both);
    assert_eq!(villages(&village.clerk, &notice).await, BTreeMap::from([(here.clone(), (HERE, 1))]), "only the own");
    let stranger = ann.get(&format!("/v1/notices/{notice}/reach/villages")).await;
    assert_eq!(stranger.refused(), "not_allowed");

    // at the door, by the household, by a written mandate: each in the own village
    let neighbour = person_of(&app.app, NEXT, "00003").await;
    let door = |person| json!({ "person_id": person, "via": "door", "way": "read_out" });
    for stranger in [&village.clerk, &village.town, &ann] {
        assert_eq!(confirm_for(stranger, &notice, door(neighbour)).await.refused(), "not_allowed");
    }
    let mandate = json!({ "person_id": neighbour, "via": "mandate", "proxy_id": ann.person, "note": "委托书" });
    assert_eq!(confirm_for(&village.clerk, &notice, mandate).await.refused(), "not_allowed");
    assert_eq!(confirm_for(&there, &notice, door(neighbour)).await.ok()["via"], "door");
    let household = json!({ "person_id": wife.person, "via": "household" });
    assert_eq!(confirm_for(&there, &notice, household.clone()).await.refused(), "not_allowed");
    confirm_for(&ann, &notice, household).await.ok();
    let old = person_of(&app.app, &here, "00056").await;
    let mandate = json!({ "person_id": old, "via": "mandate", "proxy_id": ann.person, "note": "委托书，村里存" });
    confirm_for(&village.clerk, &notice, mandate).await.ok();
    let child = person_of(&app.app, &here, "00055").await;
    assert_eq!(
        confirm_for(&village.clerk, &notice, door(child)).await.refused(),
        "invalid_fields",
        "who was not asked"
    );
    assert_eq!(confirm_for(&there, &notice, door(child)).await.refused(), "not_allowed");
    assert_eq!(totals(&app, &notice).await, (HERE + THERE, 4));
    let told = format!("/v1/notices/{notice}/confirmations/told");
    assert_eq!(there.post(&told, json!({ "person_id": old })).await.refused(), "not_allowed");
    village.chair.post(&told, json!({ "person_id": old })).await.ok();
    let undo = format!("/v1/notices/{notice}/confirmations/undo");
    wife.post(&undo, json!({ "person_id": wife.person })).await.ok();
    assert_eq!(totals(&app, &notice).await, (HERE + THERE, 3), "what is taken back counts no more");
    confirm(&wife, &notice).await;
    confirm(&wife, &notice).await;
    let both = BTreeMap::from([(here, (HERE, 3)), (next, (THERE, 1))]);
    assert_eq!(villages(&village.town, &notice).await, both);
    counts_are_true(&app).await;
    app.stop().await;
}

#[tokio::test]
async fn the_pages_lead_each_to_the_own_village() {
    let (app, village) = Village::start().await;
    let there = chair_of_next(&app, &village).await;
    let form = "area=330521103&title=%E5%81%9C%E6%B0%B4&text=%E5%91%A8%E4%BA%94&must_read=1&period_days=7";
    let sent = village.town.request(Method::POST, "/desk/notices").header("sec-fetch-site", "same-origin");
    let sent = sent.header("content-type", "application/x-www-form-urlencoded").body(form).send().await.unwrap();
    assert_eq!(sent.status(), 303, "a town asks all by the desk's form");
    app.settle().await;
    let hung = app.get(&format!("/v1/notices?area={TOWN}")).await.ok();
    let notice = hung["items"][0]["id"].as_str().unwrap().to_owned();
    let ann = village.villager(&app, "00007").await;
    let (_, home) = page(&ann, "/").await;
    assert!(home.contains(&format!("/notices/{notice}")), "it waits on the first page of who is asked: {home}");
    let (_, shown) = page(&ann, &format!("/notices/{notice}")).await;
    assert!(shown.contains("我已看过") && shown.contains("0 / 60") && !shown.contains("上门名单"), "{shown}");
    let (_, shown) = page(&village.clerk, &format!("/notices/{notice}")).await;
    assert!(shown.contains("上门名单"), "{shown}");

    let (status, desk) = page(&village.clerk, &format!("/desk/notices/{notice}")).await;
    assert!(status == 200 && desk.contains(&format!("doors?area={}", village.area)) && !desk.contains(NEXT), "{desk}");
    let (status, list) = page(&village.clerk, &format!("/notices/{notice}/doors?area={}&group=4", village.area)).await;
    assert!(status == 200 && list.contains("费海荣") && !list.contains("邻村甲"), "{list}");
    let (status, paper) = page(&there, &format!("/notices/{notice}/doors/paper?area={NEXT}")).await;
    assert!(status == 200 && paper.contains("邻村甲") && !paper.contains("费海荣"), "{paper}");
    for area in [village.area.as_str(), NEXT, TOWN] {
        for what in ["doors", "doors/paper"] {
            let (status, _) = page(&village.town, &format!("/notices/{notice}/{what}?area={area}")).await;
            assert!(status == 403 || status == 404, "{what} {area}: {status}");
        }
    }
    assert_eq!(page(&village.clerk, &format!("/notices/{notice}/doors?area={NEXT}")).await.0, 403);
    let (status, table) = page(&village.town, &format!("/desk/notices/{notice}/reach")).await;
    let rows = table.matches("reach?area=").count();
    assert!(status == 200 && rows == 2 && table.contains("已确认"), "{table}");
    // one tap at a door, which leads back to the same village
    let person = person_of(&app.app, NEXT, "00003").await;
    let tap = format!("person_id={person}&act=done&way=paper&area={NEXT}");
    let tapped = there.request(Method::POST, &format!("/notices/{notice}/doors"));
    let tapped = tapped.header("sec-fetch-site", "same-origin");
    let tapped = tapped.header("content-type", "application/x-www-form-urlencoded").body(tap).send().await.unwrap();
    let place = tapped.headers()["location"].to_str().unwrap().to_owned();
    assert!(tapped.status() == 303 && place.contains(&format!("area={NEXT}")), "{place}");
    assert_eq!(doors(&there, &notice, "").await, ["邻村甲", "邻村乙"]);
    app.stop().await;
}

/// Reminders in somebody's mailbox.
async fn reminders(who: &Somebody) -> usize {
    let list = who.get("/v1/sync").await.ok();
    let mailbox = list["streams"].as_array().unwrap().iter().find(|one| one["kind"] == "mailbox").cloned();
    let Some(mailbox) = mailbox else { return 0 };
    let entries = who.get(&format!("/v1/streams/{}/entries", mailbox["id"].as_str().unwrap())).await.ok();
    let is_reminder = |entry: &&Value| entry["body"]["card"] == "notice_reminder";
    entries["entries"].as_array().unwrap().iter().filter(is_reminder).count()
}

#[tokio::test]
async fn each_village_reminds_its_own_and_gets_its_own_doors() {
    let (app, village) = Village::start().await;
    let there = chair_of_next(&app, &village).await;
    let notice = publish(&village.town, TOWN, json!({ "period_days": 9, "confirm_by": "2026-11-09" })).await;
    app.settle().await;
    let (ann, bob) = (village.villager(&app, "00049").await, village.villager(&app, "00011").await);
    confirm(&bob, &notice).await;
    // the morning of the last day: both steps of the ladder are over, and the last one counts
    app.pass(TimeDelta::days(7)).await;
    app.settle().await;
    let mut reminded = Vec::new();
    for who in [&ann, &bob, &there] {
        reminded.push(reminders(who).await);
    }
    assert_eq!(reminded, [1, 0, 1], "once, and never who has confirmed");

    let mut tasks = BTreeMap::new();
    for (name, who) in [("here", &village.chair), ("there", &there), ("town", &village.town), ("clerk", &village.clerk)]
    {
        let list = who.get("/v1/me/tasks").await.ok();
        let of_it = list.as_array().unwrap().iter().filter(|task| task["notice_id"] == json!(notice));
        let told = of_it.map(|task| (task["area_code"].as_str().unwrap().to_owned(), task["title"].to_string()));
        tasks.insert(name, told.collect::<Vec<_>>());
    }
    assert_eq!((tasks["town"].len(), tasks["clerk"].len()), (0, 0), "{tasks:?}");
    let only = |name: &str, area: &str, left: u64| {
        let own = &tasks[name];
        let is_right = |(place, title): &(String, String)| place == area && title.contains(&format!("{left} 人"));
        assert!(own.len() == 1 && own.iter().all(is_right), "{name}: {own:?}");
    };
    only("here", &village.area, HERE - 1);
    only("there", NEXT, THERE);
    let left = "SELECT count(*) FROM notice_villages WHERE remind_at IS NOT NULL OR freeze_at IS NOT NULL";
    assert_eq!(count(app.folder.path(), left).await, 0, "nothing is left to be done");
    app.stop().await;
}

#[tokio::test]
async fn a_villagers_group_asks_through_its_village() {
    let (app, village) = Village::start().await;
    let group = "code,name,level\n330521103202-g1,一组,group\n";
    assert_eq!(areas::import_file(&app.app.store, group.as_bytes()).await.unwrap().added, 1);
    let notice = |must_read: bool| {
        let area = "330521103202-g1";
        let notice = json!({ "area_code": area, "title": "停水", "text": "停水一天。", "must_read": must_read });
        village.clerk.post("/v1/notices", notice)
    };
    let refused = notice(true).await;
    assert_eq!(refused.body["errors"][0]["code"], "below_a_village", "nobody would be asked: {}", refused.body);
    notice(false).await.ok();
    app.stop().await;
}

/// Rows as the roster file wants them: people without a phone, each a household of one.
pub(crate) fn roster_of(area: &str, count: u64) -> String {
    let head = "person_no,household_no,village_code,group,name,sex,birth,id_no,phone,relation,registered,resident_here";
    let row = |n: u64| format!("{n:05},H{n:05},{area},1,村民{n},男,1970-01-02,,,户主,1,1");
    std::iter::once(head.to_owned()).chain((1..=count).map(row)).collect::<Vec<_>>().join("\n") + "\n"
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_large_village_is_written_down_in_whole_pieces_however_often_one_is_broken_off() {
    let (app, village) = Village::start().await;
    assert_eq!(import(&app.app, roster_of(LARGE, MANY)).await as u64, MANY);
    let county = operator(&app).await;
    let notice = publish(&county, "330521", json!({})).await;
    let ann = village.villager(&app, "00007").await;
    confirm(&ann, &notice).await;
    let all = HERE + THERE + MANY;
    for round in 0..60 {
        // one that dies before its commit leaves nothing
        let broken_off = app.app.store.write(|tx| {
            Box::pin(async move {
                notices::commands::due(tx).await?;
                Err::<(), _>(Error::broken("killed before the commit"))
            })
        });
        assert!(broken_off.await.is_err());
        counts_are_true(&app).await;
        // as many as there are workers
        join_all((0..3).map(|_| server::do_what_is_due(app.app.clone()))).await;
        counts_are_true(&app).await;
        if totals(&app, &notice).await.0 == all {
            break;
        }
        assert!(round < 59, "nobody writes down who is asked");
    }
    assert_eq!(totals(&app, &notice).await, (all, 1));
    let rows = count(app.folder.path(), "SELECT count(*) FROM notice_audience").await;
    assert_eq!(rows.unsigned_abs(), all, "each of them once");
    // in the order of the doors, across the pieces
    let raw = Raw::open(app.folder.path()).await;
    let select = format!("SELECT household_number FROM notice_audience WHERE area_code = '{LARGE}' ORDER BY place");
    let doors: Vec<String> = raw.rows(&select).await.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
    raw.close().await;
    assert!(doors.is_sorted() && doors.len() as u64 == MANY, "{:?}", doors.first());

    // a new version asks anew, and nobody goes on with an old one
    for version in 1..3 {
        let again = json!({ "version": version, "title": "防台风通知", "text": "改了。", "reason": "补充" });
        county.post(&format!("/v1/notices/{notice}/revise"), again).await.ok();
    }
    for _ in 0..4 {
        app.settle().await;
    }
    assert_eq!(totals(&app, &notice).await, (all, 0), "what was confirmed before does not count for it");
    let left = "SELECT count(*) FROM notice_villages WHERE freeze_at IS NOT NULL";
    assert_eq!(count(app.folder.path(), left).await, 0, "and of the versions before nobody waits to be written down");
    county.post(&format!("/v1/notices/{notice}/withdraw"), json!({ "reason": "台风过去了" })).await.ok();
    let late = ann.post(&format!("/v1/notices/{notice}/confirmations"), json!(null)).await;
    assert_eq!(late.refused(), "wrong_state");
    counts_are_true(&app).await;
    app.stop().await;
}
