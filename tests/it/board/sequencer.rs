//! The sequencer: no leaf twice, none lost, heads that follow one another, whoever takes the turn and whenever it dies.
use std::{collections::BTreeSet, sync::Arc, time::Duration};

use chrono::{TimeDelta, Utc};
use liusheng::{
    board::{self, lsb1, tree},
    ids::VoteId,
    votes::verify::verify,
};
use serde_json::{Value, json};
use tokio::sync::Barrier;
use uuid::Uuid;

use super::Sealed;
use crate::{
    accused::past_commands,
    support::{Process, Somebody, TestApp, Village, count, free_port, is_full_run},
};

/// Every head of the board is the root of what it covers, and every receipt is on it once.
async fn is_sound(app: &TestApp, vote: &str, receipts: &BTreeSet<String>) {
    let entries = app.get(&format!("/v1/votes/{vote}/board/entries?limit=1000")).await.ok();
    let items = entries["items"].as_array().unwrap();
    let leaves: Vec<tree::Hash> =
        items.iter().map(|one| tree::leaf(one["leaf"].as_str().unwrap().as_bytes())).collect();
    let told: Vec<String> = items
        .iter()
        .map(|one| serde_json::from_str::<Value>(one["leaf"].as_str().unwrap()).unwrap())
        .filter(|leaf| leaf["k"] == "ballot")
        .map(|leaf| leaf["h"].as_str().unwrap().to_owned())
        .collect();
    let on_board: BTreeSet<String> = told.iter().cloned().collect();
    assert_eq!(told.len(), on_board.len(), "a ballot is on the board twice");
    assert_eq!(&on_board, receipts, "a receipt is not on the board");
    let raw = crate::support::Raw::open(app.folder.path()).await;
    let heads = raw.rows("SELECT size, root FROM board_heads ORDER BY size").await;
    assert!(heads.len() > 2, "{}", heads.len());
    for row in heads {
        let (size, root): (i64, String) = (row.try_get_by_index(0).unwrap(), row.try_get_by_index(1).unwrap());
        assert_eq!(lsb1::hex(&tree::root(&leaves[..usize::try_from(size).unwrap()])), root, "head of {size}");
    }
    raw.close().await;
}

/// Two servers on one database take turns at the same board while everybody casts.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_servers_sequence_one_board() {
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let vote = village.open_vote(&app, &matter, TimeDelta::days(2)).await;
    let beside = app.start_beside().await;
    let start = Arc::new(Barrier::new(34));
    let mut work = Vec::new();
    for turn in 0..4 {
        let (server, start) = (if turn % 2 == 0 { app.app.clone() } else { beside.app.clone() }, Arc::clone(&start));
        work.push(tokio::spawn(async move {
            start.wait().await;
            for _ in 0..60 {
                board::tick(&server).await.unwrap();
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            None
        }));
    }
    for number in 1..=30 {
        let at = if number % 2 == 0 { &app } else { &beside };
        let elector = village.villager(&app, &format!("{number:05}")).await.at_app(at);
        let (path, start) = (format!("/v1/votes/{vote}/ballots"), Arc::clone(&start));
        work.push(tokio::spawn(async move {
            start.wait().await;
            tokio::time::sleep(Duration::from_millis(number * 9)).await;
            let receipt = elector.post(&path, json!({ "cast_id": Uuid::new_v4(), "choice": "for" })).await.ok();
            Some(receipt["ballot_hash"].as_str().unwrap().to_owned())
        }));
    }
    let mut receipts = BTreeSet::new();
    for one in work {
        receipts.extend(one.await.unwrap());
    }
    beside.settle().await;
    is_sound(&app, &vote, &receipts).await;
    app.pass(TimeDelta::days(2)).await;
    let archive = app.get(&format!("/v1/votes/{vote}/archive")).await.ok();
    assert_eq!(verify(&archive, None).fault, None);
    beside.stop().await;
    app.stop().await;
}

/// Who notes when somebody casts and looks at the board each second finds several ballots, not one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ballots_of_a_secret_vote_come_to_the_board_together() {
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let vote = Sealed::open(&app, &village, &matter, json!({})).await;
    let leaves = async || app.get(&vote.path("/board/entries")).await.ok()["n"].as_u64().unwrap();
    let cast = async |number: &str| {
        let ballot = json!({ "cast_id": Uuid::new_v4(), "choice": "for" });
        let receipt = village.villager(&app, number).await.post(&vote.path("/ballots"), ballot).await.ok();
        app.settle().await;
        vote.path(&format!("/board/proof?h={}", receipt["ballot_hash"].as_str().unwrap()))
    };
    let first = cast("00007").await;
    for number in ["00008", "00009", "00010"] {
        cast(number).await;
    }
    assert_eq!(leaves().await, 2, "fewer than five are on the board at once");
    assert_eq!(app.get(&first).await.refused(), "not_found");
    cast("00011").await;
    assert_eq!(leaves().await, 7, "five are not on the board");
    assert_eq!(app.get(&first).await.ok()["head"]["n"], 7);
    // one alone waits half a minute
    let alone = cast("00012").await;
    app.pass(TimeDelta::seconds(29)).await;
    assert_eq!(leaves().await, 7, "one alone is on the board at once");
    app.pass(TimeDelta::seconds(1)).await;
    assert_eq!(app.get(&alone).await.ok()["head"]["n"], 8);
    // or for the end
    app.pass(TimeDelta::days(2) - TimeDelta::seconds(40)).await;
    let last = cast("00013").await;
    assert_eq!(leaves().await, 8);
    app.pass(TimeDelta::seconds(10)).await;
    assert_eq!(app.get(&vote.path("")).await.ok()["state"], "counting");
    assert_eq!(app.get(&last).await.ok()["head"]["n"], 10, "seven ballots and the end");
    app.stop().await;
}

/// The last of eleven would be alone when two times five are on the board before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_few_of_a_secret_vote_come_to_the_board_together() {
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let vote = Sealed::open(&app, &village, &matter, json!({})).await;
    let others = "SELECT id FROM people WHERE roster_number > '00011'";
    let fewer = format!("UPDATE roll_entries SET channel = 'struck' WHERE person_id IN ({others})");
    assert_eq!(past_commands(&app, fewer).await.unwrap(), 46, "eleven are left");
    let leaves = async || app.get(&vote.path("/board/entries")).await.ok()["n"].as_u64().unwrap();
    for (at, on_board) in (1..=11_u64).zip([2, 2, 2, 2, 7, 7, 7, 7, 7, 7, 14]) {
        let ballot = json!({ "cast_id": Uuid::new_v4(), "choice": "for" });
        let elector = village.villager(&app, &format!("{at:05}")).await;
        elector.post(&vote.path("/ballots"), ballot).await.ok();
        app.settle().await;
        assert_eq!(leaves().await, on_board, "after the ballot of {at}");
    }
    assert_eq!(app.get(&vote.path("")).await.ok()["state"], "counting", "everybody has cast");
    let between = "SELECT count(*) FROM board_heads WHERE size > 7 AND size < 13";
    assert_eq!(count(app.folder.path(), between).await, 0, "a head tells the last ballots apart");
    app.stop().await;
}

/// Half a minute is over just before the end: what waits goes on the board with what still comes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ballot_of_the_last_minute_waits_for_the_end() {
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let closes_at = app.app.now() + TimeDelta::minutes(10);
    let vote = Sealed::open(&app, &village, &matter, json!({ "closes_at": closes_at })).await;
    let cast = async |number: &str| {
        let ballot = json!({ "cast_id": Uuid::new_v4(), "choice": "for" });
        village.villager(&app, number).await.post(&vote.path("/ballots"), ballot).await.ok();
        app.settle().await;
        app.get(&vote.path("/board/entries")).await.ok()["n"].as_u64().unwrap()
    };
    app.pass(closes_at - TimeDelta::seconds(45) - app.app.now()).await;
    assert_eq!(cast("00007").await, 2);
    app.pass(TimeDelta::seconds(31)).await;
    for number in ["00008", "00009", "00010", "00011", "00012"] {
        assert_eq!(cast(number).await, 2, "who casts now would be alone");
    }
    app.pass(TimeDelta::seconds(14)).await;
    assert_eq!(app.get(&vote.path("")).await.ok()["state"], "counting");
    let between = "SELECT count(*) FROM board_heads WHERE size > 2 AND size < 8";
    assert_eq!(count(app.folder.path(), between).await, 0);
    app.stop().await;
}

/// Another server saw five there, and they are on the board by now: what came since is not published alone, just when it came.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_turn_that_comes_late_takes_no_ballot_before_its_time() {
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let vote = Sealed::open(&app, &village, &matter, json!({})).await;
    let id: VoteId = vote.id.parse().unwrap();
    let late = async || {
        let all = Some(("0".repeat(64), "f".repeat(64)));
        app.app.store.write(move |tx| Box::pin(board::commands::sequence(tx, id, all))).await.unwrap()
    };
    for number in ["00007", "00008", "00009", "00010"] {
        let ballot = json!({ "cast_id": Uuid::new_v4(), "choice": "for" });
        village.villager(&app, number).await.post(&vote.path("/ballots"), ballot).await.ok();
        assert_eq!(late().await, 0, "a ballot is on the board alone");
    }
    let ballot = json!({ "cast_id": Uuid::new_v4(), "choice": "for" });
    village.villager(&app, "00011").await.post(&vote.path("/ballots"), ballot).await.ok();
    app.settle().await;
    assert_eq!(app.get(&vote.path("/board/head")).await.ok()["n"], 7);
    app.stop().await;
}

/// Who casts again and again knows all those leaves but one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_casts_again_and_again_is_no_crowd() {
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let vote = Sealed::open(&app, &village, &matter, json!({ "allows_revote": true })).await;
    let leaves = async |numbers: &[&str]| {
        for number in numbers {
            let ballot = json!({ "cast_id": Uuid::new_v4(), "choice": "for" });
            village.villager(&app, number).await.post(&vote.path("/ballots"), ballot).await.ok();
        }
        app.settle().await;
        app.get(&vote.path("/board/head")).await.ok()["n"].as_u64().unwrap()
    };
    assert_eq!(leaves(&["00007", "00008", "00008", "00008", "00008"]).await, 2, "two electors' ballots are told apart");
    assert_eq!(leaves(&["00009", "00010", "00011"]).await, 10);
    app.stop().await;
}

/// A ballot that is parted from its elector is of no second any more: a receipt that is asked for again is of the moment at which it
/// came onto the board with others, which everybody could see.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_the_end_nothing_says_in_which_second_a_ballot_came() {
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let vote = Sealed::open(&app, &village, &matter, json!({})).await;
    let ballot = || json!({ "cast_id": Uuid::new_v4(), "choice": "for" });
    let (path, one, other) = (vote.path("/ballots"), ballot(), ballot());
    let (ann, bob) = (village.villager(&app, "00007").await, village.villager(&app, "00008").await);
    let first = ann.post(&path, one.clone()).await.ok();
    app.pass(TimeDelta::seconds(10)).await;
    let second = bob.post(&path, other.clone()).await.ok();
    assert_ne!(first["accepted"], second["accepted"]);
    assert_eq!(ann.post(&path, one.clone()).await.ok(), first, "the same receipt while it runs");
    app.pass(TimeDelta::seconds(20)).await;
    let head = app.get(&vote.path("/board/head")).await.ok();
    assert_eq!(head["n"], 4, "both are on the board");
    app.pass(TimeDelta::days(2)).await;
    assert_eq!(app.get(&vote.path("")).await.ok()["state"], "counting");
    for (who, ballot, before) in [(&ann, &one, &first), (&bob, &other, &second)] {
        let late = who.post(&path, ballot.clone()).await.ok();
        assert_eq!((&late["ballot_hash"], &late["accepted"]), (&before["ballot_hash"], &head["t"]));
        assert_eq!(who.post(&path, ballot.clone()).await.ok(), late, "the same receipt again");
    }
    app.stop().await;
}

/// The ids are in the archive: one that begins with the time says in which millisecond a ballot was cast.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_ballot_has_an_id_that_says_nothing() {
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let vote = Sealed::open(&app, &village, &matter, json!({})).await;
    let elector = village.villager(&app, "00007").await;
    let timed = json!({ "cast_id": Uuid::now_v7(), "choice": "for" });
    let refused = elector.post(&vote.path("/ballots"), timed).await;
    assert!(refused.body.to_string().contains("not_random"), "{}", refused.body);
    assert_eq!(refused.refused(), "invalid_fields");
    let random = json!({ "cast_id": Uuid::new_v4(), "choice": "for" });
    elector.post(&vote.path("/ballots"), random).await.ok();
    app.stop().await;
}

/// A ballot waits half a minute by the clock; a receipt's minute runs on, whoever puts the clock back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_put_back_keeps_no_ballot_from_the_board() {
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let vote = Sealed::open(&app, &village, &matter, json!({})).await;
    let ballot = json!({ "cast_id": Uuid::new_v4(), "choice": "for" });
    village.villager(&app, "00007").await.post(&vote.path("/ballots"), ballot).await.ok();
    let waits = async || {
        board::tick(&app.app).await.unwrap();
        count(app.folder.path(), "SELECT count(*) FROM board_pending").await
    };
    // two servers' clocks are never quite the same
    app.clock.advance(TimeDelta::seconds(-1));
    assert_eq!(waits().await, 1, "one alone is on the board at once");
    app.clock.advance(TimeDelta::minutes(-10));
    assert_eq!(waits().await, 0, "the promise is kept ten minutes late");
    app.clock.advance(TimeDelta::minutes(11));
    app.stop().await;
}

/// `kill -9` of the server in the middle of casting and sequencing, again and again.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_killed_sequencer_leaves_a_whole_board() {
    let rounds = if is_full_run() { 6 } else { 3 };
    // the real program lives by the machine's time: ours begins before it and has caught up when the vote opens
    let app = TestApp::start_at(Utc::now() - TimeDelta::days(60)).await;
    let mut village = Village::found(&app).await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    app.pass(Utc::now() - app.app.now()).await;
    // a log-in does not live that long
    village.chair = Somebody::signed_in(&app, village.chair.person).await;
    let vote = village.open_vote(&app, &matter, TimeDelta::days(30)).await;
    let mut electors = Vec::new();
    for number in 1..=8 * rounds {
        electors.push(village.villager(&app, &format!("{number:05}")).await);
    }
    let house = app.close().await;
    let log = house.path().join("killed.log");
    let mut receipts = BTreeSet::new();
    for some in electors.chunks(8) {
        let mut server = Process::serve(house.path(), free_port(), &[], &log).await;
        let casting: Vec<_> = some
            .iter()
            .zip(0_u64..)
            .map(|(elector, turn)| {
                let (elector, path) = (elector.at(server.address), format!("/v1/votes/{vote}/ballots"));
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_millis(turn * 170)).await;
                    let ballot = json!({ "cast_id": Uuid::new_v4(), "choice": "for" });
                    let sent = elector.request(reqwest::Method::POST, &path).json(&ballot).send().await;
                    let answer = sent.ok()?.json::<Value>().await.ok()?;
                    answer["ballot_hash"].as_str().map(str::to_owned)
                })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(900)).await;
        server.kill();
        server.wait();
        for one in casting {
            receipts.extend(one.await.unwrap());
        }
    }
    assert!(receipts.len() >= usize::try_from(rounds).unwrap(), "{}", receipts.len());
    // what the program promised is due by its time
    let app = TestApp::start_in(house, Utc::now()).await;
    app.settle().await;
    // what was committed and whose answer was lost is there as well, and nothing waits
    let raw = crate::support::Raw::open(app.folder.path()).await;
    for row in raw.rows("SELECT ballot_hash FROM envelopes").await {
        receipts.insert(row.try_get_by_index(0).unwrap());
    }
    raw.close().await;
    assert_eq!(count(app.folder.path(), "SELECT count(*) FROM board_pending").await, 0);
    is_sound(&app, &vote, &receipts).await;
    app.stop().await;
}
