//! Keys of one vote: its board's, though another takes the place of the server's; and its trustees', which are no other vote's.
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use liusheng::{
    board::lsb1::{self, Signed},
    votes::commands,
};
use ring::{rand::SystemRandom, signature::Ed25519KeyPair};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Sealed, after::agreed, key_pairs};
use crate::support::{Raw, Somebody, TestApp, Village, count, run};

fn is_signed_by(key: &str, receipt: &Value) -> bool {
    let text = |name: &str| receipt[name].as_str().unwrap();
    let told = lsb1::receipt(text("vote_id"), (text("cast_id"), text("ballot_hash")), text("accepted"));
    lsb1::is_signed(key, Signed::Receipt, &told, text("signature"))
}

/// As the runbook has it: the new key first, the old one behind it.
fn rotate(file: &std::path::Path) {
    let mut keys: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let fresh = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    let fresh = json!({ "id": "e261201", "secret": URL_SAFE_NO_PAD.encode(fresh.as_ref()) });
    keys["signing"].as_array_mut().unwrap().insert(0, fresh);
    std::fs::write(file, keys.to_string()).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vote_keeps_the_key_with_which_its_board_began() {
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let vote = village.open_vote(&app, &matter, TimeDelta::days(2)).await;
    let (ballots, ballot) =
        (format!("/v1/votes/{vote}/ballots"), |choice: &str| json!({ "cast_id": Uuid::new_v4(), "choice": choice }));
    let (one, other) = (village.villager(&app, "00007").await, village.villager(&app, "00008").await);
    let cast = ballot("for");
    let before = one.post(&ballots, cast.clone()).await.ok();
    let (at, people) = (app.app.now(), (one.person, other.person));
    let house = app.close().await;
    rotate(&house.path().join("keys.json"));

    let app = TestApp::start_in(house, at + TimeDelta::minutes(1)).await;
    assert_eq!(app.app.keys.signer().unwrap().0, "e261201");
    let (one, other) = (Somebody::signed_in(&app, people.0).await, Somebody::signed_in(&app, people.1).await);
    assert_eq!(one.post(&ballots, cast).await.ok(), before, "the same ballot, the same receipt");
    let after = other.post(&ballots, ballot("against")).await.ok();
    app.settle().await;
    let head = app.get(&format!("/v1/votes/{vote}/board/head")).await.ok();
    let key = head["board_key"].as_str().unwrap();
    assert!(is_signed_by(key, &before) && is_signed_by(key, &after), "{after}");
    assert_eq!(head["n"], 4, "and the board goes on");
    let own = other.get(&format!("/v1/votes/{vote}/me")).await.ok();
    assert_eq!(own["receipt"], after);
    app.stop().await;
}

/// At the opening of the first box its keys were typed before everybody's eyes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trustee_makes_a_key_of_its_own_for_each_vote() {
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let first = Sealed::open(&app, &village, &matter, json!({})).await;
    let why = json!({ "reason": "问题写错了", "authority": "镇政府同意" });
    village.chair.post(&first.path("/annul"), why).await.ok();
    app.followed().await;
    let used = app.get(&first.path("/keys")).await.ok();
    let ask = json!({ "matter_id": matter, "question": "是否同意？", "preset": "village_assembly_person",
        "secrecy": "secret", "closes_at": app.app.now() + TimeDelta::days(2) });
    let vote = village.chair.post("/v1/votes", ask).await.ok();
    let keys = format!("/v1/votes/{}/keys", vote["id"].as_str().unwrap());
    let fresh = json!(key_pairs(1).remove(0).0);
    for (key, is_taken) in [(&used[0]["public_key"], false), (&used[2]["public_key"], false), (&fresh, true)] {
        let made = village.chair.post(&keys, json!({ "trustee": "committee", "public_key": key })).await;
        assert_eq!(made.status == 200, is_taken, "{}", made.body);
        assert!(is_taken || made.body["errors"][0]["field"] == "public_key", "{}", made.body);
    }
    app.stop().await;
}

/// There is no copy of the key file: new keys are made.
fn lose_keys(folder: &std::path::Path) {
    std::fs::remove_file(folder.join("keys.json")).unwrap();
    let taken = run(folder, &["migrate", "--new-keys"], &[]);
    assert_eq!(taken.status.code(), Some(0), "{}", String::from_utf8_lossy(&taken.stderr));
}

/// Nobody can sign its board any more: it is held again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vote_whose_board_has_lost_its_key_is_annulled() {
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let vote = Sealed::open(&app, &village, &matter, json!({})).await;
    let ballot = json!({ "cast_id": Uuid::new_v4(), "choice": "for" });
    village.villager(&app, "00007").await.post(&vote.path("/ballots"), ballot).await.ok();
    let (at, chair) = (app.app.now(), village.chair.person);
    let house = app.close().await;
    lose_keys(house.path());

    let app = TestApp::start_in(house, at + TimeDelta::minutes(1)).await;
    let chair = Somebody::signed_in(&app, chair).await;
    let why = json!({ "reason": "密钥文件丢了", "authority": "镇政府同意" });
    assert_eq!(chair.post(&vote.path("/annul"), why).await.ok()["state"], "annulled");
    assert_eq!(app.get(&vote.path("/archive")).await.refused(), "not_found");
    for table in ["envelopes", "board_envelopes"] {
        assert_eq!(count(app.folder.path(), &format!("SELECT count(*) FROM {table}")).await, 0, "{table}");
    }
    let running = "SELECT count(*) FROM board_heads WHERE NOT is_over";
    assert_eq!(count(app.folder.path(), running).await, 0, "heads of a board that is over are written anew each time");
    let raw = Raw::open(app.folder.path()).await;
    let places =
        raw.spelled("SELECT number FROM roll_entries ORDER BY rowid", "SELECT number FROM roll_entries ORDER BY ctid");
    let places: Vec<i32> = raw.rows(places).await.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
    raw.close().await;
    assert!(places.is_sorted(), "the place of a row tells who cast: {places:?}");
    app.followed().await;
    let ask = json!({ "matter_id": matter, "question": "是否同意？", "preset": "village_assembly_person",
        "closes_at": app.app.now() + TimeDelta::days(2) });
    assert_eq!(chair.post("/v1/votes", ask).await.ok()["state"], "open");
}

/// Its board cannot say so any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_result_stands_though_its_board_has_lost_its_key() {
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let vote = agreed(&app, &village, &matter, 3).await;
    assert_eq!(app.get(&format!("{vote}/result")).await.ok()["settlement"], "provisional");
    let at = app.app.now();
    let house = app.close().await;
    lose_keys(house.path());

    let app = TestApp::start_in(house, at + TimeDelta::days(5)).await;
    commands::due(&app.app).await.unwrap();
    let told = app.get(&format!("{vote}/result")).await.ok();
    assert_eq!(told["settlement"], "final", "{told}");
    let archive = app.get(&format!("{vote}/archive")).await.ok();
    assert_eq!(archive["entries"].as_array().unwrap().last().unwrap()["k"], "result");
}
