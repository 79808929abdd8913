//! Many who speak at the same moment: one unit, few statements, each with the answer of its own.
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use futures_util::future::join_all;
use liusheng::{
    app::App,
    ids::StreamId,
    streams::commands::{SendMessage, Sent, speak},
};
use serde_json::json;
use uuid::Uuid;

use super::{group, row};
use crate::support::{Raw, Somebody, Village, is_full_run, is_release};

async fn said(app: &App, who: &Somebody, stream: StreamId, message: SendMessage) -> liusheng::error::Result<Sent> {
    let actor = liusheng::people::actor_of_session(app, who.person, who.session).await.unwrap();
    speak(app, actor, (stream, message)).await
}

fn words(text: &str) -> SendMessage {
    SendMessage::words(Uuid::now_v7(), text.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_many_say_at_once_takes_the_statements_of_one_and_each_has_its_own_answer() {
    let (app, village) = Village::start().await;
    let mut people = vec![village.chair.clone()];
    for number in 5..12 {
        people.push(village.villager(&app, &format!("{number:05}")).await);
    }
    let (ann, stranger) = (people[1].clone(), village.neighbour(&app).await);
    let stream = group(&village, &people[1..].iter().collect::<Vec<_>>()).await;
    let id: StreamId = stream.parse().unwrap();
    for who in people.iter().chain([&stranger]) {
        liusheng::people::actor_of_session(&app.app, who.person, who.session).await.unwrap();
    }

    // of one alone, and of sixty-four
    let mut alone = u64::MAX;
    for _ in 0..16 {
        // other tasks of the server write now and then
        let before = app.app.store.statements().1;
        said(&app.app, &ann, id, words("一个人说的")).await.unwrap();
        alone = alone.min(app.app.store.statements().1 - before);
    }
    let before = app.app.store.statements().1;
    let twice = words("说了两遍");
    let mut sends = Vec::new();
    for number in 0..60 {
        sends.push(said(&app.app, &people[number % people.len()], id, words(&format!("第{number}句"))));
    }
    let mut answers_nothing = words("答一句还没有的话");
    answers_nothing.reply_to = Some(1_000_000);
    sends.push(said(&app.app, &ann, id, twice.clone()));
    sends.push(said(&app.app, &ann, id, twice.clone()));
    sends.push(said(&app.app, &stranger, id, words("混进来的")));
    sends.push(said(&app.app, &ann, id, answers_nothing));
    let answers = join_all(sends).await;
    let together = app.app.store.statements().1 - before;
    println!("statements: {alone} for one message, {together} for 62");
    assert!(alone <= 8, "{alone}");
    assert!(together <= 10 * alone, "{together} statements: they were not sent together");
    let mut places: Vec<i64> = answers[..61].iter().map(|sent| sent.as_ref().unwrap().seq).collect();
    places.sort_unstable();
    assert!(places.windows(2).all(|two| two[0] + 1 == two[1]), "without a gap: {places:?}");
    let (one, other) = (answers[60].as_ref().unwrap(), answers[61].as_ref().unwrap());
    assert_eq!((one.seq, one.no, one.dup != other.dup), (other.seq, other.no, true));
    assert_eq!(answers[62].as_ref().unwrap_err().code().as_str(), "not_found");
    assert_eq!(answers[63].as_ref().unwrap_err().code().as_str(), "invalid_fields");
    let again = said(&app.app, &ann, id, twice).await.unwrap();
    assert_eq!((again.seq, again.dup), (one.seq, true));
    let last = *places.last().unwrap();
    let shown = row(&ann, &stream).await;
    let own: i64 = (1..=last)
        .rev()
        .find(|seq| {
            let spoke = |place: usize| answers[place].as_ref().unwrap().seq == *seq;
            (0..60).any(|place| place % people.len() == 1 && spoke(place)) || spoke(60)
        })
        .unwrap();
    assert_eq!(
        (&shown["last_seq"], &shown["read_seq"]),
        (&json!(last), &json!(own)),
        "the own is read, what follows is not"
    );

    // who is silenced is refused among others who are not
    let silence = json!({ "person_id": ann.person, "reason": "辱骂他人", "days": 3 });
    village.chair.post(&format!("/v1/areas/{}/suspensions", village.area), silence).await.ok();
    let mut sends = vec![said(&app.app, &ann, id, words("还要说"))];
    sends.extend(people[2..6].iter().map(|who| said(&app.app, who, id, words("我可以说"))));
    let answers = join_all(sends).await;
    assert_eq!(answers[0].as_ref().unwrap_err().code().as_str(), "speaking_suspended");
    assert!(answers[1..].iter().all(Result::is_ok));
    app.pass(TimeDelta::seconds(2)).await;
    let raw = Raw::open(app.folder.path()).await;
    let holes = "SELECT count(*) FROM streams s \
        WHERE s.last_seq <> (SELECT count(*) FROM entries e WHERE e.stream_id = s.id) \
        OR s.last_no <> (SELECT coalesce(max(e.no), 0) FROM entries e WHERE e.stream_id = s.id)";
    assert_eq!(raw.one::<i64>(holes).await, 0);
    raw.close().await;
    app.stop().await;
}

/// A rate that depends on the machine is printed, and judged in full runs of a build with optimizations alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lively_stream_takes_thousands_of_messages_a_second() {
    let (app, village) = Village::start().await;
    let ann = village.villager(&app, "00007").await;
    let id: StreamId = group(&village, &[&ann]).await.parse().unwrap();
    let actor = liusheng::people::actor_of_session(&app.app, ann.person, ann.session).await.unwrap();
    let time = Duration::from_secs(if is_full_run() { 10 } else { 1 });
    let began = Instant::now();
    let senders = (0..128).map(|_| {
        let (app, actor) = (app.app.clone(), actor.clone());
        tokio::spawn(async move {
            let mut took = Vec::new();
            while began.elapsed() < time {
                let at = Instant::now();
                speak(&app, actor.clone(), (id, words("大家快来看"))).await.unwrap();
                took.push(at.elapsed());
            }
            took
        })
    });
    let senders: Vec<_> = senders.collect();
    let mut took: Vec<Duration> = join_all(senders).await.into_iter().flat_map(Result::unwrap).collect();
    took.sort_unstable();
    let rate = took.len() as f64 / began.elapsed().as_secs_f64();
    let at = |percent: usize| took[(took.len() - 1) * percent / 100];
    println!("{rate:.0} durable sends a second to one stream, p50 {:?}, p99 {:?}", at(50), at(99));
    assert!(rate > if is_full_run() && is_release() { 5000.0 } else { 100.0 }, "{rate:.0}");
    app.stop().await;
}
