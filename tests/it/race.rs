//! Many at once for one place: a ballot, a message, a key. Exactly one of them is done, however many processors there are.
use std::{collections::BTreeSet, sync::Arc, time::Duration};

use chrono::TimeDelta;
use serde_json::{Value, json};
use tokio::{
    sync::{Barrier, oneshot},
    time::{sleep, timeout},
};
use uuid::Uuid;

use crate::support::{Answer, Somebody, TestApp, Village, answer};

const AT_ONCE: usize = 50;

/// The same person asks from many phones in the same moment.
async fn at_once(who: &Somebody, path: &str, key: Option<&str>, body: impl Fn(usize) -> Value) -> Vec<Answer> {
    let start = Arc::new(Barrier::new(AT_ONCE));
    let asking = (0..AT_ONCE).map(|number| {
        let (who, path, key, body, start) =
            (who.clone(), path.to_owned(), key.map(str::to_owned), body(number), Arc::clone(&start));
        tokio::spawn(async move {
            start.wait().await;
            match key {
                Some(key) => who.post_once(&path, &key, body).await,
                None => who.post(&path, body).await,
            }
        })
    });
    let asking: Vec<_> = asking.collect();
    let mut answers = Vec::new();
    for one in asking {
        answers.push(one.await.unwrap());
    }
    let broken: Vec<_> = answers.iter().filter(|answer| answer.status >= 500).collect();
    assert!(broken.is_empty(), "{broken:?}");
    answers
}

async fn count(app: &TestApp, select: &str) -> i64 {
    crate::support::count(app.folder.path(), select).await
}

/// Units of work have their turn in the order in which they came: this one is there first, and does nothing until it is let go.
pub(crate) async fn hold_the_writer(app: &TestApp) -> oneshot::Sender<()> {
    let (let_go, told) = oneshot::channel();
    let (begun, has_begun) = oneshot::channel();
    let store = app.app.store.clone();
    tokio::spawn(async move {
        let held = store.write(move |_| {
            Box::pin(async move {
                begun.send(()).ok();
                told.await.ok();
                Ok(())
            })
        });
        held.await.unwrap();
    });
    has_begun.await.unwrap();
    let_go
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_ballots_of_one_elector_are_one() {
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let vote = village.open_vote(&app, &matter, TimeDelta::days(2)).await;
    let ballots = format!("/v1/votes/{vote}/ballots");
    for (round, number) in ["00007", "00008", "00009"].iter().enumerate() {
        let elector = village.villager(&app, number).await;
        let answers = at_once(&elector, &ballots, None, |n| {
            let choice = ["for", "against", "abstain"][n % 3];
            json!({ "cast_id": Uuid::new_v4(), "choice": choice })
        });
        let answers = answers.await;
        let taken: Vec<_> = answers.iter().filter(|answer| answer.status == 201).collect();
        assert_eq!(taken.len(), 1, "one elector, {} ballots taken", taken.len());
        for refused in answers.iter().filter(|answer| answer.status != 201) {
            assert_eq!(refused.clone().refused(), "already_cast");
        }
        let cast = i64::try_from(round).unwrap() + 1;
        assert_eq!(count(&app, "SELECT count(*) FROM envelopes").await, cast);
        assert_eq!(count(&app, "SELECT count(*) FROM roll_entries WHERE channel = 'online'").await, cast);
        let mine = elector.get(&format!("/v1/votes/{vote}/me")).await.ok();
        assert_eq!(mine["receipt"], taken[0].body);
    }
    // the same ballot fifty times is one ballot with one receipt
    let elector = village.villager(&app, "00010").await;
    let same = json!({ "cast_id": Uuid::new_v4(), "choice": "for" });
    let answers = at_once(&elector, &ballots, None, |_| same.clone()).await;
    let receipts: BTreeSet<String> = answers.into_iter().map(|answer| answer.ok().to_string()).collect();
    assert_eq!(receipts.len(), 1, "{receipts:?}");
    // somebody else's cast_id is no way to find out or to change what is on it
    let other = village.villager(&app, "00011").await;
    for choice in ["for", "against"] {
        let stolen = json!({ "cast_id": same["cast_id"], "choice": choice });
        assert_eq!(other.post(&ballots, stolen).await.refused(), "cast_id_conflict");
    }
    assert_eq!(count(&app, "SELECT count(*) FROM envelopes").await, 4);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn i1_fifty_sends_of_one_message_are_one() {
    let (app, village) = Village::start().await;
    let matter = json!({ "area_code": village.area, "title": "修桥", "summary": "村口的桥要修一修。" });
    let matter = village.chair.post("/v1/matters", matter).await.ok();
    let stream = village.discussion(&app, matter["id"].as_str().unwrap()).await;
    let path = format!("/v1/streams/{stream}/messages");
    let villager = village.villager(&app, "00007").await;
    // the cards of the matter are there before anybody speaks
    app.settle().await;
    for round in 1..=3 {
        let same = json!({ "client_id": Uuid::now_v7(), "text": "发了五十遍的话" });
        let answers = at_once(&villager, &path, None, |_| same.clone()).await;
        let answers: Vec<Value> = answers.into_iter().map(Answer::ok).collect();
        let first: Vec<_> = answers.iter().filter(|answer| answer["dup"] == false).collect();
        assert_eq!(first.len(), 1, "one message, {} of them new", first.len());
        assert!(answers.iter().all(|answer| answer["seq"] == first[0]["seq"] && answer["no"] == first[0]["no"]));
        assert_eq!(count(&app, "SELECT count(*) FROM entries WHERE kind = 'message'").await, round);
    }
    // a client_id is its sender's: another's message with the same one is another message
    let same = json!({ "client_id": Uuid::now_v7(), "text": "同一个号" });
    assert_eq!(villager.post(&path, same.clone()).await.ok()["dup"], false);
    assert_eq!(village.chair.post(&path, same.clone()).await.ok()["dup"], false);
    // and in another stream it is refused rather than lost
    let thread = json!({ "kind": "help", "visibility": "public", "text": "一句", "place": "" });
    let thread = villager.post("/v1/suggestions", thread).await.ok();
    let elsewhere = format!("/v1/streams/{}/messages", thread["stream_id"].as_str().unwrap());
    assert_eq!(villager.post(&elsewhere, same).await.refused(), "idempotency_mismatch");
    // numbers follow one another though many speak at once
    let answers =
        at_once(&villager, &path, None, |n| json!({ "client_id": Uuid::now_v7(), "text": format!("各说各的{n}") }))
            .await;
    let mut places: Vec<i64> = answers.into_iter().map(|answer| answer.ok()["seq"].as_i64().unwrap()).collect();
    places.sort_unstable();
    let first = places[0];
    assert_eq!(places, (first..first + 50).collect::<Vec<_>>());
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_submissions_with_one_key_are_one() {
    let (app, village) = Village::start().await;
    let villager = village.villager(&app, "00007").await;
    let voice = |text: &str| json!({ "kind": "suggestion", "visibility": "public", "text": text, "place": "桥头" });
    let key = Uuid::now_v7().to_string();
    let answers = at_once(&villager, "/v1/suggestions", Some(&key), |_| voice("灯坏了")).await;
    let answers: BTreeSet<String> = answers.into_iter().map(|answer| answer.ok().to_string()).collect();
    assert_eq!(answers.len(), 1, "the same answer each time");
    assert_eq!(count(&app, "SELECT count(*) FROM suggestions").await, 1);
    // another body under the same key is refused, another person's key is another key, a refusal frees the key
    assert_eq!(villager.post_once("/v1/suggestions", &key, voice("灯修好了")).await.refused(), "idempotency_mismatch");
    let neighbour = village.villager(&app, "00010").await;
    neighbour.post_once("/v1/suggestions", &key, voice("灯坏了")).await.ok();
    assert_eq!(count(&app, "SELECT count(*) FROM suggestions").await, 2);
    let freed = Uuid::now_v7().to_string();
    assert_eq!(villager.post_once("/v1/suggestions", &freed, voice("")).await.refused(), "invalid_fields");
    villager.post_once("/v1/suggestions", &freed, voice("写上了")).await.ok();
    app.settle().await;
    let cards = "SELECT count(*) FROM entries WHERE kind = 'card' AND body LIKE '%\"card\":\"office_suggestion_new\"%'";
    assert_eq!(count(&app, cards).await, 3, "one card for each voice");
    app.stop().await;
}

/// A code read over a shoulder opens one log-in, not fifty; a family's shared phone is asked who it is.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_log_ins_with_one_code_are_one() {
    let (app, village) = Village::start().await;
    let signed_in = Somebody::by_phone(&app, "19500000007", None).await;
    assert_eq!(signed_in.person, village.villager(&app, "00007").await.person);
    signed_in.get("/v1/sync").await.ok();
    app.clock.advance(TimeDelta::minutes(2));
    let before = count(&app, "SELECT count(*) FROM sessions").await;
    let asked = signed_in.post("/v1/login/codes", json!({ "phone": "195 0000 0008" })).await;
    assert_eq!(asked.status, 202);
    let code = crate::support::code_of(&app, "19500000008").await;
    let told = json!({ "login_id": asked.body["login_id"], "phone": "19500000008", "code": code });
    let answers = at_once(&signed_in, "/v1/login", None, |_| told.clone()).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    for refused in answers.into_iter().filter(|answer| answer.status != 200) {
        assert_eq!(refused.refused(), "code_wrong");
    }
    assert_eq!(count(&app, "SELECT count(*) FROM sessions").await, before + 1);

    app.clock.advance(TimeDelta::minutes(2));
    let asked = signed_in.post("/v1/login/codes", json!({ "phone": "19500000052" })).await.ok();
    let login_id = &asked["login_id"];
    let code = crate::support::code_of(&app, "19500000052").await;
    let told = json!({ "login_id": login_id, "phone": "19500000052", "code": code });
    let shared = signed_in.post("/v1/login", told).await;
    assert_eq!(shared.body["code"], "person_choice_needed", "{}", shared.body);
    let people = shared.body["more"]["people"].as_array().unwrap();
    assert_eq!(people.len(), 2);
    let told = json!({ "login_id": login_id, "phone": "19500000052", "code": code, "person_id": people[1]["id"] });
    assert_eq!(signed_in.post("/v1/login", told).await.ok()["person_id"], people[1]["id"]);
    app.stop().await;
}

/// A vote closes while everybody casts: what was acknowledged is counted, and nothing is taken once it is closed.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn closing_while_casting() {
    let (app, village) = Village::start().await;
    let numbers =
        ["00007", "00008", "00009", "00010", "00011", "00012", "00013", "00014", "00015", "00019", "00020", "00021"];
    let numbers = numbers.into_iter().chain(["00022", "00023", "00024", "00025", "00026", "00027", "00028", "00029"]);
    let mut electors = Vec::new();
    for number in numbers {
        electors.push(village.villager(&app, number).await);
    }
    for wait in [0, 3, 9, 27] {
        let matter = village.matter_to_decide(&app, "修一座桥").await;
        let vote = village.open_vote(&app, &matter, TimeDelta::minutes(10)).await;
        let ballots = format!("/v1/votes/{vote}/ballots");
        let start = Arc::new(Barrier::new(electors.len() + 1));
        let cast = |who: &Somebody| {
            let (who, path, start) = (who.clone(), ballots.clone(), Arc::clone(&start));
            tokio::spawn(async move {
                start.wait().await;
                who.post(&path, json!({ "cast_id": Uuid::new_v4(), "choice": "for" })).await
            })
        };
        let casting: Vec<_> = electors.iter().map(cast).collect();
        start.wait().await;
        sleep(Duration::from_millis(wait)).await;
        app.clock.advance(TimeDelta::minutes(10));
        liusheng::votes::commands::due(&app.app).await.unwrap();
        let mut taken = 0;
        for one in casting {
            let answer = one.await.unwrap();
            match answer.status {
                201 => taken += 1,
                _ => assert_eq!(answer.refused(), "vote_closed"),
            }
        }
        let late = json!({ "cast_id": Uuid::new_v4(), "choice": "for" });
        assert_eq!(village.chair.post(&ballots, late).await.refused(), "vote_closed");
        app.settle().await;
        let counted = app.get(&format!("/v1/votes/{vote}/result")).await.ok()["count"]["present"].clone();
        assert_eq!(counted, json!(taken), "taken, but not counted: {taken} were acknowledged, {counted} were counted");
        let entries = app.get(&format!("/v1/votes/{vote}/board/entries")).await.ok();
        let on_board = entries["items"].as_array().unwrap().iter();
        let on_board = on_board.filter(|entry| entry["leaf"].as_str().unwrap().contains("\"k\":\"ballot\"")).count();
        assert_eq!(on_board, taken, "taken, but not on the board");
    }
    app.stop().await;
}

/// The same in its worst order, which a machine that is quick enough never shows by chance: each ballot was sent while the
/// vote was open and waits for its turn, and the closing has its turn before them.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn closing_while_casting_and_before_ballots_that_were_sent_in_time() {
    let (app, village) = Village::start().await;
    let mut electors = Vec::new();
    for number in ["00007", "00008", "00010", "00011"] {
        electors.push(village.villager(&app, number).await);
    }
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let vote = village.open_vote(&app, &matter, TimeDelta::minutes(10)).await;
    let ballots = format!("/v1/votes/{vote}/ballots");
    app.settle().await;
    let let_go = hold_the_writer(&app).await;
    let id = vote.parse().unwrap();
    let mut closing = Box::pin(app.app.store.write(move |tx| Box::pin(liusheng::votes::commands::close(tx, id))));
    assert!(timeout(Duration::from_millis(50), &mut closing).await.is_err(), "it closed before its turn");
    let cast = |who: &Somebody| {
        let (who, path) = (who.clone(), ballots.clone());
        tokio::spawn(async move { who.post(&path, json!({ "cast_id": Uuid::new_v4(), "choice": "for" })).await })
    };
    let casting: Vec<_> = electors.iter().map(cast).collect();
    // whatever is looked at before the turn is looked at while the vote is open
    sleep(Duration::from_secs(2)).await;
    assert!(casting.iter().all(|one| !one.is_finished()), "a ballot was answered before its turn");
    app.clock.advance(TimeDelta::minutes(10));
    let_go.send(()).unwrap();
    assert!(closing.await.unwrap(), "somebody else closed it first");
    let mut taken = 0;
    for one in casting {
        let answer = one.await.unwrap();
        match answer.status {
            201 => taken += 1,
            _ => assert_eq!(answer.refused(), "vote_closed"),
        }
    }
    app.settle().await;
    let counted = app.get(&format!("/v1/votes/{vote}/result")).await.ok()["count"]["present"].clone();
    assert_eq!(counted, json!(taken), "taken, but not counted: {taken} were acknowledged, {counted} were counted");
    app.stop().await;
}

/// The machine's clock is put right by a few minutes: a vote that was closed stays closed, one that was not stays open.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_clock_that_steps_back_opens_nothing_again() {
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let vote = village.open_vote(&app, &matter, TimeDelta::hours(2)).await;
    let ballots = format!("/v1/votes/{vote}/ballots");
    let ballot = || json!({ "cast_id": Uuid::new_v4(), "choice": "for" });
    let (one, other, late) = (
        village.villager(&app, "00007").await,
        village.villager(&app, "00008").await,
        village.villager(&app, "00010").await,
    );
    let first = ballot();
    let receipt = one.post(&ballots, first.clone()).await.ok();
    // forward over the end before anybody closed it, and back: it is not over yet
    app.clock.advance(TimeDelta::hours(2));
    let over = other.post(&ballots, ballot()).await;
    assert_eq!(over.body["code"], "vote_closed", "a ballot after its time, which nobody has closed: {}", over.body);
    app.clock.advance(TimeDelta::minutes(-10));
    other.post(&ballots, ballot()).await.ok();
    // closed by its clock, and back: it stays closed
    app.pass(TimeDelta::minutes(10)).await;
    let result = app.get(&format!("/v1/votes/{vote}/result")).await.ok();
    app.clock.advance(TimeDelta::minutes(-10));
    let refused = late.post(&ballots, ballot()).await;
    assert_eq!(refused.status, 409, "a closed vote took a ballot: {}", refused.body);
    assert_eq!(refused.refused(), "vote_closed");
    assert_eq!(one.post(&ballots, first).await.ok(), receipt, "the same receipt again");
    app.settle().await;
    assert_eq!(app.get(&format!("/v1/votes/{vote}/result")).await.ok(), result);
    assert_eq!(result["count"]["present"], 2);
    app.clock.advance(TimeDelta::minutes(10));
    app.stop().await;
}

/// A clock that was ahead keeps nobody out once it is put right.
#[tokio::test(flavor = "multi_thread")]
async fn a_code_of_before_the_clock_stepped_back_keeps_nobody_out() {
    let (app, _village) = Village::start().await;
    let ask = async || {
        let asked = json!({ "phone": "19500000007" });
        answer(app.http.post(app.url("/v1/login/codes")).json(&asked)).await.status
    };
    assert_eq!((ask().await, ask().await), (202, 429), "one a minute");
    app.pass(TimeDelta::days(-2)).await;
    assert_eq!(ask().await, 202, "and not for two days none");
    app.stop().await;
}
