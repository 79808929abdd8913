//! Notices that everybody is asked to confirm: who is asked, for whom one confirms, who was not reached; quiet hours, duty.
mod for_others;
mod hours;

use chrono::{DateTime, TimeDelta};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Somebody, TestApp, Village, answer, count, import, person_of};

const ROSTER: &str = include_str!("../data/roster_small.csv");
/// The adults of the village on 2 November 2026.
const ASKED: u64 = 57;

async fn publish(village: &Village, more: Value) -> String {
    let mut notice = json!({ "area_code": village.area, "title": "停水通知", "text": "周五全村停水一天。", "must_read": true,
        "period_days": 9 });
    notice.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    village.clerk.post("/v1/notices", notice).await.ok()["id"].as_str().unwrap().to_owned()
}

async fn put(who: &Somebody, path: &str, body: Value) -> Answer {
    answer(who.request(Method::PUT, path).json(&body)).await
}

async fn confirm_for(who: &Somebody, notice: &str, body: Value) -> Answer {
    who.post(&format!("/v1/notices/{notice}/confirmations/for"), body).await
}

async fn undo(who: &Somebody, notice: &str, person: &Somebody) -> Answer {
    who.post(&format!("/v1/notices/{notice}/confirmations/undo"), json!({ "person_id": person.person })).await
}

async fn head(app: &TestApp, notice: &str) -> Value {
    app.get(&format!("/v1/notices/{notice}")).await.ok()
}

/// Cards of a kind about a notice in somebody's mailbox.
async fn cards(who: &Somebody, code: &str, notice: &str) -> Vec<Value> {
    let list = who.get("/v1/sync").await.ok();
    let mailbox = list["streams"].as_array().unwrap().iter().find(|one| one["kind"] == "mailbox").cloned();
    let Some(mailbox) = mailbox else { return Vec::new() };
    let entries = who.get(&format!("/v1/streams/{}/entries", mailbox["id"].as_str().unwrap())).await.ok();
    let about = |entry: &&Value| {
        entry["body"]["card"] == code && entry["body"]["link"].as_str().unwrap_or_default().ends_with(notice)
    };
    entries["entries"].as_array().unwrap().iter().filter(about).map(|entry| entry["body"].clone()).collect()
}

async fn doors(who: &Somebody, notice: &str, query: &str) -> Vec<Value> {
    let list = who.get(&format!("/v1/notices/{notice}/doors?limit=100{query}")).await.ok();
    list["items"].as_array().unwrap().clone()
}

fn names(doors: &[Value]) -> Vec<&str> {
    doors.iter().map(|door| door["name"].as_str().unwrap()).collect()
}

/// A grid worker of the committee who looks after these groups.
async fn grid_worker(app: &TestApp, village: &Village, number: &str, groups: &[i32]) -> Somebody {
    let person = person_of(&app.app, &village.area, number).await;
    let seat = json!({ "person_id": person, "role": "grid_worker" });
    let seat = village.town.post(&format!("/v1/bodies/{}/seats", village.committee), seat).await.ok();
    let path = format!("/v1/seats/{}/groups", seat["id"].as_str().unwrap());
    if !groups.is_empty() {
        put(&village.clerk, &path, json!({ "groups": groups })).await.ok();
    }
    app.settle().await;
    Somebody::signed_in(app, person).await
}

#[tokio::test]
async fn who_is_asked_is_frozen_on_the_day_of_publication() {
    let (app, village) = Village::start().await;
    let notice = publish(&village, json!({ "confirm_by": "2026-11-06" })).await;
    let shown = head(&app, &notice).await;
    assert_eq!(
        shown["audience_size"], ASKED,
        "children are reached through their household, who has no phone is asked"
    );
    assert_eq!((&shown["confirm_by"], &shown["class"]), (&json!("2026-11-07T00:00:00+08:00"), &json!("normal")));
    // somebody comes onto the roster afterwards, somebody else leaves it
    let later = ROSTER.replace("00056,", "00060,H021,330521103202,3,新来客,男,1990-01-01,,19500000060,子,1,1\n00056,");
    import(&app.app, later).await;
    app.settle().await;
    let newcomer = village.villager(&app, "00060").await;
    newcomer.post(&format!("/v1/notices/{notice}/confirmations"), json!(null)).await.ok();
    village.villager(&app, "00007").await.post(&format!("/v1/notices/{notice}/confirmations"), json!(null)).await.ok();
    let shown = head(&app, &notice).await;
    assert_eq!((&shown["audience_size"], &shown["confirmed"]), (&json!(ASKED), &json!(1)), "1 / 57, not 2 / 57");
    let reach = village.clerk.get(&format!("/v1/notices/{notice}/confirmations")).await.ok();
    assert_eq!((&reach["asked"], &reach["by_self"]), (&json!(ASKED), &json!(1)));
    let groups = reach["groups"].as_array().unwrap();
    let sum = |field: &str| groups.iter().map(|group| group[field].as_u64().unwrap()).sum::<u64>();
    assert_eq!((sum("asked"), sum("unreached")), (ASKED, ASKED - 1));

    // a new version asks whoever is there now, and what was confirmed before does not count for it
    let revised = json!({ "version": 1, "title": "停水通知", "text": "改到周六。", "reason": "施工推迟" });
    let shown = village.clerk.post(&format!("/v1/notices/{notice}/revise"), revised).await.ok();
    assert_eq!((&shown["audience_size"], &shown["confirmed"]), (&json!(ASKED + 1), &json!(0)));
    assert_eq!(shown["confirm_by"], "2026-11-07T00:00:00+08:00", "as many days as before");

    let refused = |more: Value| {
        let mut notice = json!({ "area_code": village.area, "title": "停水", "text": "停水。", "must_read": true });
        notice.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        village.clerk.post("/v1/notices", notice)
    };
    let bad = [
        json!({ "confirm_by": "2026-11-01" }),
        json!({ "confirm_by": "2028-01-01" }),
        json!({ "must_read": false, "confirm_by": "2026-11-06" }),
    ];
    for bad in bad {
        assert_eq!(refused(bad.clone()).await.refused(), "invalid_fields", "{bad}");
    }
    for bad in [json!({ "class": "loud" }), json!({ "confirm_by": "gestern" })] {
        assert_eq!(refused(bad.clone()).await.status, 422, "{bad}");
    }
    app.stop().await;
}

#[tokio::test]
async fn who_was_not_reached_is_known_to_the_office_and_the_grid_worker_of_the_group() {
    let (app, village) = Village::start().await;
    let worker = grid_worker(&app, &village, "00044", &[1, 4]).await;
    let notice = publish(&village, json!({})).await;
    let fei = village.villager(&app, "00007").await;
    fei.post(&format!("/v1/notices/{notice}/confirmations"), json!(null)).await.ok();

    // all of them once, in the order of the doors
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = village.clerk.get(&format!("/v1/notices/{notice}/doors?limit=10{cursor}")).await.ok();
        all.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(all.len() as u64, ASKED - 1);
    let place =
        |door: &Value| (door["group_number"].as_i64().unwrap(), door["household_number"].as_str().unwrap().to_owned());
    assert!(all.is_sorted_by_key(place), "by group, then household");
    assert!(!names(&all).contains(&"费海荣"));
    let granny = all.iter().find(|door| door["name"] == "沈阿婆").unwrap();
    assert_eq!((&granny["has_phone"], &granny["household_number"]), (&json!(false), &json!("H019")));

    let own = doors(&worker, &notice, "").await;
    assert!(own.iter().all(|door| [1, 4].contains(&door["group_number"].as_i64().unwrap())), "{own:?}");
    assert_eq!(doors(&worker, &notice, "&group=1").await, doors(&village.clerk, &notice, "&group=1").await);
    let other = worker.get(&format!("/v1/notices/{notice}/doors?group=3")).await;
    assert_eq!(other.refused(), "not_allowed");
    let wang = village.villager(&app, "00056").await;
    let elsewhere = json!({ "person_id": wang.person, "via": "door" });
    assert_eq!(confirm_for(&worker, &notice, elsewhere).await.refused(), "not_allowed", "another's group");
    let path = format!("/v1/notices/{notice}/doors");
    for stranger in [&fei, &village.council_chair, &village.town, &village.neighbour(&app).await] {
        assert_eq!(stranger.get(&path).await.refused(), "not_allowed");
        assert_eq!(stranger.get(&format!("/v1/notices/{notice}/confirmations")).await.refused(), "not_allowed");
        assert_eq!(stranger.download(&format!("/notices/{notice}/doors")).await.0, 403);
        assert_eq!(stranger.download(&format!("/notices/{notice}/doors/paper")).await.0, 403);
    }
    for bad in ["?cursor=x", "?limit=0", "?limit=101", "?cursor=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        let answer = village.clerk.get(&format!("{path}{bad}")).await;
        assert!(answer.status == 400 || answer.status == 200, "{bad}: {}", answer.status);
    }
    assert_eq!(village.clerk.get(&format!("{path}?group=x")).await.status, 400);

    // the phone: one tap, and back; the paper
    let (status, page) = worker.download(&format!("/notices/{notice}/doors?group=1")).await;
    let page = String::from_utf8(page).unwrap();
    assert_eq!(status, 200);
    assert!(page.contains("沈阿婆") && page.contains("没有手机") && !page.contains("费无证"), "{page}");
    let person = person_of(&app.app, &village.area, "00052").await;
    let tap = |act: &str| {
        let form = format!("person_id={person}&act={act}&way=paper&group=1");
        let request = worker.request(Method::POST, &format!("/notices/{notice}/doors"));
        request
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form)
    };
    assert_eq!(tap("done").send().await.unwrap().status(), 303);
    let page = String::from_utf8(worker.download(&format!("/notices/{notice}/doors?group=1")).await.1).unwrap();
    assert!(page.contains("沈阿婆：记错了"), "{page}");
    assert_eq!(
        doors(&worker, &notice, "&group=1").await.len() + 1,
        all.iter().filter(|door| door["group_number"] == 1).count()
    );
    assert_eq!(tap("undo").send().await.unwrap().status(), 303);
    assert_eq!(tap("what").send().await.unwrap().status(), 404);
    let (status, paper) = village.clerk.download(&format!("/notices/{notice}/doors/paper")).await;
    let paper = String::from_utf8(paper).unwrap();
    assert_eq!((status, paper.matches('□').count() as u64), (200, ASKED - 1));
    app.stop().await;
}

#[tokio::test]
async fn reminders_come_half_way_and_the_day_before_once_and_never_to_who_has_confirmed() {
    let (app, village) = Village::start().await;
    let worker = grid_worker(&app, &village, "00044", &[1]).await;
    // until the end of the 9th: half way is the 6th at 04:30, the day before begins on the 9th
    let by = |class: &str| json!({ "confirm_by": "2026-11-09", "class": class });
    let normal = publish(&village, by("normal")).await;
    let important = publish(&village, by("important")).await;
    let emergency = publish(&village, by("emergency")).await;
    let [ann, bob, cleo, dan, granny] = {
        let mut people = Vec::new();
        for number in ["00049", "00011", "00012", "00017", "00052"] {
            people.push(village.villager(&app, number).await);
        }
        <[Somebody; 5]>::try_from(people).ok().unwrap()
    };
    app.settle().await;
    for notice in [&normal, &important, &emergency] {
        bob.post(&format!("/v1/notices/{notice}/confirmations"), json!(null)).await.ok();
    }
    put(&cleo, "/v1/me/quiet-hours", json!({ "from": "12:00", "to": "13:00" })).await.ok();
    let list = dan.get("/v1/sync").await.ok();
    let channel = list["streams"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["kind"] == "channel" && one["subject_id"] == village.area)
        .cloned();
    let channel = channel.unwrap()["id"].as_str().unwrap().to_owned();
    let options = format!("/v1/streams/{channel}/options");
    put(&dan, &options, json!({ "mute": "everything" })).await.ok();
    // a mute that is over by then
    let until = app.app.local_now() + TimeDelta::hours(1);
    put(&cleo, &options, json!({ "mute": "everything", "mute_until": until })).await.ok();

    let reminded = async |who: &Somebody, notice: &str| cards(who, "notice_reminder", notice).await.len();
    app.pass(TimeDelta::days(3) + TimeDelta::hours(19)).await;
    assert_eq!(reminded(&ann, &emergency).await, 0, "not before half of the time is over");
    app.pass(TimeDelta::hours(1)).await;
    app.settle().await;
    // 05:00: everybody sleeps; an emergency says so and comes, and who sleeps at noon is told of everything
    assert_eq!((reminded(&ann, &normal).await, reminded(&ann, &important).await), (0, 0));
    let told = cards(&ann, "notice_reminder", &emergency).await;
    assert!(told.len() == 1 && told[0]["text"].as_str().unwrap().contains("不受免打扰"), "{told:?}");
    assert_eq!((reminded(&dan, &emergency).await, reminded(&cleo, &normal).await), (1, 1));
    app.pass(TimeDelta::hours(2)).await;
    app.settle().await;
    assert_eq!((reminded(&ann, &normal).await, reminded(&ann, &important).await), (1, 1), "when the quiet is over");
    assert_eq!((reminded(&dan, &normal).await, reminded(&dan, &important).await), (0, 1), "importance ignores mute");
    for notice in [&normal, &important, &emergency] {
        assert_eq!((reminded(&bob, notice).await, reminded(&granny, notice).await), (0, 0));
    }

    // who confirms while the second one waits for the morning is not told any more
    app.pass(TimeDelta::days(2) + TimeDelta::hours(20)).await;
    app.settle().await;
    cleo.post(&format!("/v1/notices/{normal}/confirmations"), json!(null)).await.ok();
    dan.post(&format!("/v1/notices/{important}/confirmations"), json!(null)).await.ok();
    app.pass(TimeDelta::hours(5)).await;
    app.settle().await;
    app.settle().await;
    assert_eq!((reminded(&ann, &normal).await, reminded(&ann, &emergency).await), (2, 2));
    assert_eq!(reminded(&dan, &important).await, 1);
    assert_eq!(count(app.folder.path(), "SELECT count(*) FROM notice_reminders").await, 0);

    // the doors that are left are in good hands: of group 1 the grid worker's, of all others the chair's
    let tasks = |list: Value| {
        let list = list.as_array().unwrap().clone();
        list.into_iter().filter(|task| task["notice_id"] == json!(normal)).collect::<Vec<_>>()
    };
    let own = tasks(worker.get("/v1/me/tasks").await.ok());
    let left = doors(&worker, &normal, "").await.len();
    assert_eq!(own.len(), 1);
    assert!(own[0]["title"].as_str().unwrap().contains(&format!("{left} 人")), "{} {left}", own[0]["title"]);
    assert_eq!(
        own[0]["due_at"].as_str().unwrap().parse::<DateTime<chrono::FixedOffset>>().unwrap().date_naive().to_string(),
        "2026-11-14"
    );
    assert_eq!(tasks(village.chair.get("/v1/me/tasks").await.ok()).len(), 1);
    let done = json!({ "proof": "都走到了" });
    worker.post(&format!("/v1/tasks/{}/done", own[0]["id"].as_str().unwrap()), done).await.ok();
    // somebody at the door the day after the last one
    app.pass(TimeDelta::days(2)).await;
    let late = json!({ "person_id": granny.person, "via": "door", "way": "read_out" });
    confirm_for(&worker, &normal, late).await.ok();
    app.stop().await;
}
