//! Ballots that come while the writer is busy: they are written together and answered each for itself.
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};
use tokio::time::sleep;
use uuid::Uuid;

use crate::{
    race::hold_the_writer,
    support::{Answer, Somebody, TestApp, Village},
};

async fn count(app: &TestApp, select: &str) -> i64 {
    crate::support::count(app.folder.path(), select).await
}

/// Ballots that wait for the same turn are written by shared statements: each has the answer it would have had by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ballots_that_wait_for_one_turn_are_answered_each_for_itself() {
    let (app, village) = Village::start().await;
    let mut electors = Vec::new();
    for number in ["00007", "00008", "00010", "00011", "00012", "00013", "00014", "00015", "00025", "00031"] {
        electors.push(village.villager(&app, number).await);
    }
    let stranger = village.neighbour(&app).await;
    for allows_revote in [false, true] {
        let matter = village.matter_to_decide(&app, "修一座桥").await;
        let vote = json!({
            "matter_id": matter, "question": "是否同意？", "preset": "village_assembly_person", "challenge_days": 0,
            "closes_at": app.app.now() + TimeDelta::minutes(10), "allows_revote": allows_revote,
        });
        let vote = village.chair.post("/v1/votes", vote).await.ok()["id"].as_str().unwrap().to_owned();
        let path = format!("/v1/votes/{vote}/ballots");
        let ballot = |choice| json!({ "cast_id": Uuid::new_v4(), "choice": choice });
        electors[0].post(&path, ballot("against")).await.ok();
        // there before: its elector sends it again, and so does somebody who has not cast
        let kept = ballot("against");
        let receipt = electors[8].post(&path, kept.clone()).await.ok();
        app.settle().await;
        let marks = "SELECT count(*) FROM roll_entries WHERE channel = 'online'";
        let before = (count(&app, "SELECT count(*) FROM envelopes").await, count(&app, marks).await);

        let (same, shared) = (ballot("for"), ballot("for"));
        let sent = [
            (&electors[0], ballot("for")),
            (&electors[1], ballot("for")),
            (&electors[1], ballot("for")),
            (&electors[2], same.clone()),
            (&electors[2], same),
            (&electors[3], shared.clone()),
            (&electors[4], shared),
            (&electors[5], json!({ "cast_id": Uuid::new_v4(), "choices": ["for"] })),
            (&stranger, ballot("for")),
            (&electors[6], ballot("against")),
            (&electors[7], ballot("against")),
            (&electors[8], kept.clone()),
            (&electors[9], kept),
        ];
        let answers = in_one_turn(&app, &path, sent).await;
        let codes: Vec<String> = answers.iter().map(code).collect();
        let (again, revised) = if allows_revote { ("taken", 2) } else { ("already_cast", 0) };
        assert_eq!(codes[0], again, "{codes:?}");
        assert_eq!(sorted(&codes[1..3]), sorted(&[again, "taken"]), "{codes:?}");
        assert_eq!(sorted(&codes[3..5]), ["taken", "taken"], "{codes:?}");
        assert_eq!(answers[3].body, answers[4].body, "one ballot with two receipts");
        assert_eq!(sorted(&codes[5..7]), ["cast_id_conflict", "taken"], "{codes:?}");
        assert_eq!(codes[7..], ["ballot_kind", "not_on_roll", "taken", "taken", "taken", "cast_id_conflict"]);
        assert_eq!(answers[11].body, receipt, "the same receipt again");
        let envelopes = count(&app, "SELECT count(*) FROM envelopes").await - before.0;
        assert_eq!((envelopes, count(&app, marks).await - before.1), (5 + revised, 5));
        let more = if allows_revote { cast_again(&app, &path, &electors[6]).await } else { 0 };

        app.pass(TimeDelta::minutes(10)).await;
        app.settle().await;
        let counted = app.get(&format!("/v1/votes/{vote}/result")).await.ok()["count"].clone();
        let against = if allows_revote { 3 } else { 4 };
        assert_eq!((&counted["present"], &counted["no"]), (&json!(7), &json!(against)), "{counted}");
        let entries = app.get(&format!("/v1/votes/{vote}/board/entries")).await.ok();
        let on_board = entries["items"].as_array().unwrap().iter();
        let on_board = on_board.filter(|entry| entry["leaf"].as_str().unwrap().contains("\"k\":\"ballot\"")).count();
        assert_eq!(i64::try_from(on_board).unwrap(), envelopes + more + 2, "taken, but not on the board");
    }
    app.stop().await;
}

/// On PostgreSQL what is over lies apart, and no unique key reaches across: nothing comes into both parts all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_the_end_nothing_is_written_a_second_time() {
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let vote = village.open_vote(&app, &matter, TimeDelta::minutes(10)).await;
    let path = format!("/v1/votes/{vote}/ballots");
    let (ann, bob) = (village.villager(&app, "00007").await, village.villager(&app, "00008").await);
    let ballot = |choice| json!({ "cast_id": Uuid::new_v4(), "choice": choice });
    let kept = ballot("for");
    let receipt = ann.post(&path, kept.clone()).await.ok();
    app.pass(TimeDelta::minutes(10)).await;
    let result = app.get(&format!("/v1/votes/{vote}/result")).await.ok();
    assert_eq!(count(&app, "SELECT count(*) FROM envelopes WHERE is_over").await, 1);
    assert_eq!(ann.post(&path, kept.clone()).await.ok(), receipt, "the same receipt");
    for (who, ballot, code) in [
        (&ann, ballot("against"), "vote_closed"),
        (&bob, ballot("against"), "vote_closed"),
        (&bob, kept, "cast_id_conflict"),
    ] {
        assert_eq!(who.post(&path, ballot).await.refused(), code);
    }
    let about = json!({ "name": "费海荣", "roster_number": "00007" });
    let wrong = json!({ "kind": "wrong", "about": about, "reason": "大家都知道" });
    let late = village.clerk.post(&format!("/v1/votes/{vote}/roll/objections"), wrong).await;
    assert_eq!(late.refused(), "wrong_state");
    app.settle().await;
    for rows in ["envelopes", "roll_entries", "board_heads"] {
        let running = format!("SELECT count(*) FROM {rows} WHERE NOT is_over");
        assert_eq!(count(&app, &running).await, 0, "{rows}");
    }
    assert_eq!(count(&app, "SELECT count(*) FROM envelopes").await, 1);
    assert_eq!(app.get(&format!("/v1/votes/{vote}/result")).await.ok(), result);
    app.stop().await;
}

/// The answer to a ballot was lost, another was cast in its place, and only then the phone asks for the first one again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replaced_ballot_that_is_sent_again_after_the_end_has_a_receipt() {
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let closes_at = app.app.now() + TimeDelta::minutes(10);
    let vote = json!({ "matter_id": matter, "question": "是否同意？", "preset": "village_assembly_person",
        "closes_at": closes_at, "allows_revote": true });
    let vote = village.chair.post("/v1/votes", vote).await.ok()["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/votes/{vote}/ballots");
    let ann = village.villager(&app, "00007").await;
    let ballot = |choice| json!({ "cast_id": Uuid::new_v4(), "choice": choice });
    let (first, second) = (ballot("for"), ballot("against"));
    let lost = ann.post(&path, first.clone()).await.ok();
    let receipt = ann.post(&path, second.clone()).await.ok();
    app.pass(TimeDelta::minutes(10)).await;
    let counted = app.get(&format!("/v1/votes/{vote}/result")).await.ok()["count"].clone();
    assert_eq!((&counted["present"], &counted["no"]), (&json!(1), &json!(1)), "the last one counts: {counted}");
    let again = ann.post(&path, first.clone()).await.ok();
    for told in ["vote_id", "cast_id", "ballot_hash", "key_id"] {
        assert_eq!(again[told], lost[told], "{told}");
    }
    let at = again["cast_at"].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    assert!(at <= closes_at, "taken in time: {again}");
    assert_eq!(ann.post(&path, second).await.ok(), receipt, "the same receipt");
    // another choice under its id is no ballot that was taken
    let other = json!({ "cast_id": first["cast_id"], "choice": "abstain" });
    assert_eq!(ann.post(&path, other).await.refused(), "vote_closed");
    app.stop().await;
}

/// Casts some more ballots of one who has cast, none of which is signed in or marked again, and says how many.
async fn cast_again(app: &TestApp, path: &str, elector: &Somebody) -> i64 {
    let (ballots, mut least) = (6, u64::MAX);
    for _ in 0..ballots {
        // other tasks of the server write now and then
        let before = app.app.store.statements().1;
        elector.post(path, json!({ "cast_id": Uuid::new_v4(), "choice": "against" })).await.ok();
        least = least.min(app.app.store.statements().1 - before);
    }
    assert_eq!(least, 4, "statements: the vote, the place on the roll, the envelope, the promise");
    ballots
}

/// Somebody is struck while the own ballot is on its way: one of the two is done, whichever has its turn first.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_ballot_and_the_strike_of_its_elector_are_never_both_done() {
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let vote = village.open_vote(&app, &matter, TimeDelta::days(2)).await;
    let (ballots, objections) = (format!("/v1/votes/{vote}/ballots"), format!("/v1/votes/{vote}/roll/objections"));
    let decision = json!({ "upholds": true, "reason": "经核对，按组织法办理" });
    let electors = [("00007", "费海荣"), ("00008", "俞美娟"), ("00010", "欧阳水根"), ("00011", "邱小妹")];
    let mut pairs = Vec::new();
    for (number, name) in electors {
        let about = json!({ "name": name, "roster_number": number });
        let wrong = json!({ "kind": "wrong", "about": about, "reason": "大家都知道" });
        let raised = village.clerk.post(&objections, wrong).await.ok();
        let at = format!("{objections}/{}", raised["id"].as_str().unwrap());
        village.clerk.post(&format!("{at}/decision"), decision.clone()).await.ok();
        pairs.push((village.villager(&app, number).await, format!("{at}/confirm")));
    }
    let let_go = hold_the_writer(&app).await;
    let mut asked = Vec::new();
    for (at, (elector, confirm)) in pairs.into_iter().enumerate() {
        let cast = (elector, ballots.clone(), json!({ "cast_id": Uuid::new_v4(), "choice": "for" }));
        let strike = (village.supervisor.clone(), confirm, decision.clone());
        // one comes first as often as the other
        let both = if at % 2 == 0 { [(false, cast), (true, strike)] } else { [(true, strike), (false, cast)] };
        for (is_strike, (who, path, body)) in both {
            asked.push((at, is_strike, tokio::spawn(async move { who.post(&path, body).await })));
            sleep(Duration::from_millis(100)).await;
        }
    }
    let_go.send(()).unwrap();
    let mut done = vec![Vec::new(); electors.len()];
    for (at, is_strike, asking) in asked {
        let answer = asking.await.unwrap();
        if answer.status < 300 {
            done[at].push(if is_strike { "struck" } else { "cast" });
        } else {
            assert_eq!(answer.refused(), if is_strike { "already_cast" } else { "not_on_roll" });
        }
    }
    assert!(done.iter().all(|one| one.len() == 1), "struck, and a ballot in the box: {done:?}");
    let both = "SELECT count(*) FROM envelopes e JOIN roll_entries r ON r.vote_id = e.vote_id
         AND r.number = e.elector_number WHERE r.channel = 'struck'";
    assert_eq!(count(&app, both).await, 0);
    app.stop().await;
}

/// Has all of them wait for the writer, and lets it go.
async fn in_one_turn<const N: usize>(app: &TestApp, path: &str, sent: [(&Somebody, Value); N]) -> Vec<Answer> {
    let let_go = hold_the_writer(app).await;
    let casting = sent.map(|(who, ballot)| {
        let (who, path) = (who.clone(), path.to_owned());
        tokio::spawn(async move { who.post(&path, ballot).await })
    });
    sleep(Duration::from_secs(2)).await;
    assert!(casting.iter().all(|one| !one.is_finished()), "a ballot was answered before its turn");
    let_go.send(()).unwrap();
    let mut answers = Vec::new();
    for one in casting {
        answers.push(one.await.unwrap());
    }
    answers
}

fn code(answer: &Answer) -> String {
    if answer.status == 201 { "taken".to_owned() } else { answer.clone().refused() }
}

fn sorted<T: AsRef<str>>(codes: &[T]) -> Vec<&str> {
    let mut codes: Vec<&str> = codes.iter().map(AsRef::as_ref).collect();
    codes.sort_unstable();
    codes
}
