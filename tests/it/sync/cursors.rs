//! How far somebody has read and received: told to the own other devices, counted for those who lead.
use chrono::TimeDelta;
use liusheng::streams::{commands, queries};
use reqwest::Method;
use serde_json::{Value, json};

use super::{came, group, id, own, read, row, say};
use crate::support::{Raw, Socket, Somebody, Village, answer, import, person_of};

async fn receive(who: &Somebody, stream: &str, seq: i64) {
    let receiving = who.request(Method::PUT, &format!("/v1/streams/{stream}/received")).json(&json!({ "seq": seq }));
    assert_eq!(answer(receiving).await.status, 204);
}

#[tokio::test]
async fn i7_i8_a_cursor_that_moved_is_told_to_the_own_devices_and_no_more_often_than_needed() {
    let (app, village) = Village::start().await;
    let ann = village.villager(&app, "00007").await;
    let stream = group(&village, &[&ann]).await;
    let mut other = Socket::connect(&app, &ann.token(), json!({})).await;
    let mailbox = own("mailbox", &ann).await;
    let (channel, mailbox, begin) =
        (format!("s:{}", id(&mailbox)), id(&mailbox), mailbox["last_seq"].as_i64().unwrap());
    for number in 0..5 {
        say(&village.chair, &stream, &format!("第{number}句")).await;
    }
    let first = row(&ann, &stream).await["last_seq"].as_i64().unwrap() - 4;
    read(&ann, &stream, first).await;
    read(&ann, &stream, first + 2).await;
    read(&ann, &stream, first + 1).await;
    read(&ann, &stream, first + 3).await;
    other.until_offset(&channel, begin + 1).await;
    let told = |seq: i64, no: i64| json!({ "stream_id": stream, "seq": seq, "no": no });
    assert_eq!(came(&other, &mailbox, "cursor"), [told(first, 1)], "the first at once");
    app.pass(TimeDelta::seconds(2)).await;
    other.until_offset(&channel, begin + 2).await;
    assert_eq!(
        came(&other, &mailbox, "cursor"),
        [told(first, 1), told(first + 3, 4)],
        "what followed once, as it is now"
    );
    let shown = row(&ann, &stream).await;
    assert_eq!((&shown["read_seq"], &shown["read_no"]), (&json!(first + 3), &json!(4)), "as the entry says");
    app.pass(TimeDelta::seconds(4)).await;

    // what shows nothing new is not told: reading the mailbox would never end
    let at = own("mailbox", &ann).await["last_seq"].as_i64().unwrap();
    assert_eq!(at, begin + 2);
    read(&ann, &mailbox, at).await;
    read(&ann, &stream, first + 3).await;
    say(&ann, &stream, "我自己说的").await;
    app.pass(TimeDelta::seconds(4)).await;
    let after = own("mailbox", &ann).await;
    assert_eq!((&after["last_seq"], &after["read_seq"]), (&json!(at), &json!(at)));

    // a mute that ends by itself
    let options = |body: Value| answer(ann.request(Method::PUT, &format!("/v1/streams/{stream}/options")).json(&body));
    let until = |hours: i64| app.app.local_now() + TimeDelta::hours(hours);
    assert_eq!(options(json!({ "mute": "everything", "mute_until": until(-1) })).await.refused(), "invalid_fields");
    assert_eq!(options(json!({ "mute_until": until(1) })).await.refused(), "invalid_fields");
    assert_eq!(options(json!({ "mute": "everything", "mute_until": until(8) })).await.status, 204);
    let muted = row(&ann, &stream).await;
    assert_eq!(muted["mute"], "everything");
    assert!(muted["mute_until"].is_string());
    app.pass(TimeDelta::hours(8)).await;
    let again = row(&ann, &stream).await;
    assert_eq!((again["mute"].as_str(), again.get("mute_until")), (Some("nothing"), None));
    app.stop().await;
}

/// The village's roster with so many more people.
fn roster(more: usize) -> Vec<u8> {
    let mut lines = include_str!("../../data/roster_small.csv").trim_end().to_owned();
    for number in 0..more {
        lines.push_str(&format!(
            "\n{:05},H{:04},330521103202,1,钱多{number},女,1970-01-01,,,户主,1,1",
            10_000 + number,
            1000 + number
        ));
    }
    lines.into_bytes()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_fill_a_group_and_who_has_not_read_is_paged() {
    let (app, village) = Village::start().await;
    assert_eq!(import(&app.app, roster(510)).await, 510);
    let ann = village.villager(&app, "00007").await;
    let stream = group(&village, &[&ann]).await;
    let members = format!("/v1/groups/{stream}/members");
    let mut people = Vec::new();
    for number in 0..499 {
        people.push(person_of(&app.app, &village.area, &format!("{:05}", 10_000 + number)).await);
    }
    for hundred in people[..498].chunks(100) {
        village.chair.post(&members, json!({ "people": hundred })).await.ok();
    }
    assert_eq!(village.chair.post(&members, json!({ "people": [people[498]] })).await.refused(), "group_full");
    village.chair.post(&members, json!({ "people": [people[3]] })).await.ok();
    let seq = say(&village.chair, &stream, "都来看").await;
    read(&ann, &stream, seq).await;
    let bob = Somebody::signed_in(&app, people[0]).await;
    receive(&bob, &stream, seq + 100).await;
    receive(&bob, &stream, 1).await;

    let path = format!("/v1/streams/{stream}/messages/{seq}/receipts");
    let counted = ann.get(&path).await.ok();
    assert_eq!((&counted["read"], &counted["audience"], &counted["unread"]), (&json!(2), &json!(500), &Value::Null));
    let (mut unread, mut cursor) = (Vec::new(), String::new());
    for _ in 0..9 {
        let page = village.chair.get(&format!("{path}?state=unread{cursor}")).await.ok();
        let named = page["unread"].as_array().unwrap();
        assert!(named.len() <= 100 && named.iter().all(|one| !one["name"].as_str().unwrap().contains('*')));
        unread.extend(named.iter().map(|one| one["id"].as_str().unwrap().to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let distinct: std::collections::BTreeSet<_> = unread.iter().collect();
    assert_eq!((unread.len(), distinct.len()), (498, 498), "all, each once");
    assert!(!unread.contains(&ann.person.to_string()));

    // in a channel it is counted once for all who ask within two seconds
    let area = village.area.clone();
    let open =
        app.app.store.write(move |tx| Box::pin(async move { liusheng::streams::commands::channel(tx, &area).await }));
    let channel = open.await.unwrap().to_string();
    let seq = say(&village.clerk, &channel, "明天停水").await;
    let path = format!("/v1/streams/{channel}/messages/{seq}/receipts");
    let actor = liusheng::people::actor_of_session(&app.app, ann.person, ann.session).await.unwrap();
    let place = (channel.parse().unwrap(), seq, queries::Page::default());
    let first = ann.get(&path).await.ok();
    assert_eq!((&first["read"], &first["audience"]), (&json!(1), &json!(569)));
    let again =
        super::reads(&app, async || drop(queries::receipts(&app.app, &actor, place.clone()).await.unwrap())).await;
    assert_eq!(again, 1, "who may read it is asked, the count is kept");
    read(&ann, &channel, seq).await;
    tokio::time::sleep(std::time::Duration::from_millis(2100)).await;
    assert_eq!(ann.get(&path).await.ok()["read"], json!(2));
    app.stop().await;
}

#[tokio::test]
async fn a_whole_village_that_reads_at_once_is_told_in_one_go() {
    let (app, village) = Village::start().await;
    for _ in 0..12 {
        super::group(&village, &[]).await;
    }
    app.pass(TimeDelta::minutes(1)).await;
    let raw = Raw::open(app.folder.path()).await;
    // a mailbox for each, or there would be nobody to tell
    let boxes = format!(
        "INSERT INTO streams (id, kind, subject_id, title, epoch, last_seq, last_no, last_at, last_preview, created_at, \
         last_all_seq, changed_at) SELECT {}, 'mailbox', {}, '', s.epoch, 0, 0, s.created_at, '', s.created_at, 0, \
         s.changed_at FROM people p, (SELECT * FROM streams WHERE kind = 'group' LIMIT 1) s WHERE TRUE ON CONFLICT DO NOTHING",
        raw.spelled("randomblob(16)", "gen_random_uuid()"),
        raw.spelled(
            "lower(substr(hex(p.id), 1, 8) || '-' || substr(hex(p.id), 9, 4) || '-' || substr(hex(p.id), 13, 4) || '-' || \
             substr(hex(p.id), 17, 4) || '-' || substr(hex(p.id), 21))",
            "p.id::text",
        ),
    );
    assert!(raw.execute(&boxes).await > 40);
    let read = raw
        .execute(
            "INSERT INTO memberships (person_id, stream_id, role, read_seq, read_no, joined_at, last_mention_seq, mute, \
             recv_seq, changed_at, echoed_at, is_echo_due) SELECT p.id, s.id, 'reader', 0, 0, s.created_at, 0, 'nothing', \
             0, s.created_at, s.created_at, TRUE FROM people p, streams s WHERE s.kind = 'group' AND NOT EXISTS (SELECT 1 \
             FROM memberships m WHERE m.person_id = p.id AND m.stream_id = s.id)",
        )
        .await;
    assert!(read > 600, "{read}");
    // a piece in one unit of work, and the rest in others
    let once = app.app.store.write(|tx| Box::pin(commands::cursors_due(tx))).await.unwrap();
    assert!((1..=200).contains(&once), "{once} in one unit");
    liusheng::server::do_what_is_due(app.app.clone()).await;
    let waiting: i64 = raw.one("SELECT count(*) FROM memberships WHERE is_echo_due = TRUE").await;
    assert_eq!(waiting, 0);
    let told: i64 = raw.one("SELECT count(*) FROM entries WHERE kind = 'cursor'").await;
    assert!(told > 600, "{told}");
    raw.close().await;
    app.stop().await;
}
