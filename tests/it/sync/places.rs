//! What puts a conversation on the list of somebody whose phones are open, and what must not push it off again.
use chrono::TimeDelta;
use liusheng::{
    bodies::{self, By},
    streams::{StreamKind, commands},
};
use serde_json::{Value, json};

use super::{came, group, id, own, row, say};
use crate::support::{Raw, Socket, Somebody, TestApp, Village, answer, import};

async fn matter(village: &Village) -> String {
    let matter = json!({ "area_code": village.area, "title": "修桥", "summary": "村口的桥要修一修。" });
    village.chair.post("/v1/matters", matter).await.ok()["id"].as_str().unwrap().to_owned()
}

async fn phone(app: &TestApp, who: &Somebody) -> (Socket, String) {
    let socket = Socket::connect(app, &who.token(), json!({})).await;
    (socket, id(&own("mailbox", who).await))
}

fn joined(socket: &Socket, mailbox: &str, stream: &str) -> usize {
    let entries = came(socket, mailbox, "member");
    entries.iter().filter(|body| body["stream_id"] == stream && body["change"] == "joined").count()
}

#[tokio::test]
async fn i8_who_speaks_in_a_discussion_hears_what_is_said_there_from_then_on() {
    let (app, village) = Village::start().await;
    let talk = village.discussion(&app, &matter(&village).await).await.to_string();
    app.settle().await;
    let (ann, bob, may) = (
        village.villager(&app, "00007").await,
        village.villager(&app, "00011").await,
        village.villager(&app, "00015").await,
    );
    let (mut hers, mailbox) = phone(&app, &ann).await;
    let (mut kept, other) = phone(&app, &may).await;
    let channel = format!("s:{talk}");
    assert!(hers.connected["subs"].get(&channel).is_none(), "who only lives there does not follow it");

    // many at once, and by itself: a message that hangs on nothing goes together with others, one with a photo does not
    let first = say(&ann, &talk, "桥墩也要看看").await;
    hers.until("the word that she belongs to it", |data| data["kind"] == "member").await;
    let next = say(&bob, &talk, "对").await;
    hers.until_offset(&channel, next).await;
    assert!(hers.offsets(&channel).contains(&next), "after {first}");
    let photo = may.upload(include_bytes!("../../data/media/clear.png").to_vec()).await.ok();
    let with = json!({ "client_id": uuid::Uuid::now_v7(), "text": "看照片", "media": [photo["id"]] });
    may.post(&format!("/v1/streams/{talk}/messages"), with).await.ok();
    kept.until("the word that she belongs to it", |data| data["kind"] == "member").await;
    say(&ann, &talk, "再说一句").await;
    say(&may, &talk, "还有一句").await;
    let last = say(&bob, &talk, "好").await;
    for (socket, mailbox) in [(&mut hers, &mailbox), (&mut kept, &other)] {
        socket.until_offset(&channel, last).await;
        assert_eq!(joined(socket, mailbox, &talk), 1, "told once");
    }

    // who keeps it without having said anything, and who is addressed by the seat
    let (mut quiet, own_box) = phone(&app, &village.secretary).await;
    let options = village.secretary.request(reqwest::Method::PUT, &format!("/v1/streams/{talk}/options"));
    assert_eq!(answer(options.json(&json!({ "is_pinned": true }))).await.status, 204);
    quiet.until("the word that he belongs to it", |data| data["kind"] == "member").await;
    assert_eq!(joined(&quiet, &own_box, &talk), 1);
    app.stop().await;
}

#[tokio::test]
async fn former_threads_push_nothing_off_the_list() {
    let (app, village) = Village::start().await;
    let group = group(&village, &[&village.clerk]).await;
    app.pass(TimeDelta::minutes(1)).await;
    let raw = Raw::open(app.folder.path()).await;
    let (any, late) = (
        raw.spelled("randomblob(16)", "gen_random_uuid()"),
        raw.spelled("'2099-01-01 00:00:00+00:00'", "TIMESTAMPTZ '2099-01-01'"),
    );
    let threads = format!(
        "INSERT INTO streams (id, kind, subject_id, area_code, title, epoch, last_seq, last_no, last_at, last_preview, \
         created_at, last_all_seq, changed_at) SELECT {any}, 'thread', 'old ' || a.roster_number || '/' || b.roster_number, \
         s.area_code, '旧', s.epoch, 1, 1, {late}, '', s.created_at, 0, s.changed_at FROM streams s, people a, people b \
         WHERE s.kind = 'group' AND a.area_code = '{area}' AND b.area_code = '{area}' LIMIT 150",
        area = village.area
    );
    assert_eq!(raw.execute(&threads).await, 150);
    let rows = format!(
        "INSERT INTO memberships (person_id, stream_id, role, read_seq, read_no, joined_at, last_mention_seq, mute, recv_seq, \
         changed_at, is_echo_due) SELECT p.id, s.id, 'former', 0, 0, s.created_at, 0, 'nothing', 0, s.created_at, FALSE \
         FROM streams s, people p WHERE s.subject_id LIKE 'old %' AND p.area_code = '{}' AND p.roster_number = '00004'",
        village.area
    );
    assert_eq!(raw.execute(&rows).await, 150);
    let socket = Socket::connect(&app, &village.clerk.token(), json!({})).await;
    assert!(socket.connected["subs"].get(format!("s:{group}")).is_some());
    let list = village.clerk.get("/v1/sync").await.ok();
    let kinds = |list: &Value| -> Vec<String> {
        list["streams"].as_array().unwrap().iter().map(|one| one["kind"].as_str().unwrap().to_owned()).collect()
    };
    for kind in ["channel", "group", "mailbox"] {
        assert!(kinds(&list).contains(&kind.to_owned()), "{kind}: {list}");
    }
    raw.close().await;
    app.stop().await;
}

#[tokio::test]
async fn a_day_with_thousands_of_openings_ends() {
    let (app, village) = Village::start().await;
    for number in 0..12 {
        let voice = json!({ "kind": "help", "visibility": "handlers", "text": format!("第{number}件"), "place": "" });
        village.villager(&app, "00007").await.post("/v1/suggestions", voice).await.ok();
    }
    app.pass(TimeDelta::minutes(1)).await;
    let raw = Raw::open(app.folder.path()).await;
    let opened = raw
        .execute(
            "INSERT INTO memberships (person_id, stream_id, role, read_seq, read_no, joined_at, last_mention_seq, mute, \
             recv_seq, changed_at, is_echo_due) SELECT p.id, s.id, 'handler_today', 0, 0, s.created_at, 0, 'nothing', 0, \
             s.created_at, FALSE FROM people p, streams s WHERE s.kind = 'thread' AND NOT EXISTS (SELECT 1 FROM memberships m \
             WHERE m.person_id = p.id AND m.stream_id = s.id)",
        )
        .await;
    assert!(opened > 600, "{opened}");
    app.clock.advance(TimeDelta::days(1));
    // a piece in one unit of work: one that did all of them would be undone after ten seconds, and tried again for ever
    let once = app.app.store.write(|tx| Box::pin(commands::end_of_day(tx))).await.unwrap();
    assert!((1..=200).contains(&once), "{once} in one unit");
    app.settle().await;
    let left: i64 = raw.one("SELECT count(*) FROM memberships WHERE role = 'handler_today'").await;
    assert_eq!(left, 0);
    raw.close().await;
    app.stop().await;
}

#[tokio::test]
async fn who_takes_a_seat_finds_what_was_said_and_nothing_unread() {
    let (app, village) = Village::start().await;
    let forum = id(&own(StreamKind::Forum.as_str(), &village.member).await);
    for number in 0..3 {
        say(&village.council_chair, &forum, &format!("第{number}句")).await;
    }
    let new = village.villager(&app, "00007").await;
    let (council, seat) = (village.council, json!({ "person_id": new.person, "role": "member" }));
    let seat = serde_json::from_value(seat).unwrap();
    let taking = app.app.store.write(move |tx| Box::pin(bodies::take_seat(tx, By::Operator, (council, seat))));
    taking.await.unwrap();
    app.settle().await;
    let forum_row = row(&new, &forum).await;
    assert_eq!((&forum_row["unread"], &forum_row["last_no"]), (&json!(0), &json!(3)), "{forum_row}");
    say(&village.council_chair, &forum, "欢迎").await;
    assert_eq!(row(&new, &forum).await["unread"], 1);
    app.stop().await;
}

#[tokio::test]
async fn who_left_the_roster_is_in_no_group_any_more() {
    let (app, village) = Village::start().await;
    let leaver = village.villager(&app, "00050").await;
    let group = group(&village, &[&leaver]).await;
    let there = |list: Value| list["members"].as_array().unwrap().len();
    let members = format!("/v1/streams/{group}/members");
    let before = there(village.chair.get(&members).await.ok());
    let roster = include_str!("../../data/roster_small.csv");
    let shorter: Vec<&str> = roster.lines().filter(|line| !line.contains("00050")).collect();
    import(&app.app, shorter.join("\n")).await;
    app.settle().await;
    assert_eq!(there(village.chair.get(&members).await.ok()), before - 1);
    app.stop().await;
}
