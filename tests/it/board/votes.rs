//! A secret vote from its keys to its archive, and an open one on the same kind of board.
use chrono::TimeDelta;
use liusheng::{
    board::{lsb1, tree},
    votes::verify::verify,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Sealed, by_browser, by_python, cast, envelope, proofs};
use crate::support::{Raw, TestApp, Village, count};

/// The archive, found good by all three, also beside what was printed in the middle: it is of this board, though its head
/// is not kept.
pub(super) async fn checked(app: &TestApp, vote: &str, seen: &[String]) -> Value {
    let archive = app.get(&format!("/v1/votes/{vote}/archive")).await.ok();
    let head = app.get(&format!("/v1/votes/{vote}/board/head")).await.ok();
    let fingerprint = head["fingerprint"].as_str().unwrap();
    let report = verify(&archive, Some(fingerprint));
    assert_eq!(report.fault, None, "{:#?}", report.lines);
    let printed = std::iter::once(fingerprint).chain(seen.iter().map(String::as_str));
    all_say(&archive, &printed.map(|one| (one, "ok")).collect::<Vec<_>>());
    archive
}

/// The three find this of an archive beside each of these fingerprints. In one go: a script takes longer to start than to
/// check.
fn all_say(archive: &Value, wanted: &[(&str, &str)]) {
    let asked: Vec<Value> =
        wanted.iter().map(|&(printed, _)| json!({ "archive": archive, "fingerprint": printed })).collect();
    let ours: Vec<&str> =
        wanted.iter().map(|&(printed, _)| verify(archive, Some(printed)).fault.unwrap_or("ok")).collect();
    let found: Vec<&str> = wanted.iter().map(|&(_, found)| found).collect();
    assert_eq!(ours, found);
    assert_eq!(by_browser("verify", &asked), found);
    assert_eq!(by_python(&asked), found);
}

/// The first twelve digits are what was printed before; whoever gives more is told when one of them is wrong.
async fn of_some_digits(app: &TestApp, vote: &str, archive: &Value) {
    let head = app.get(&format!("/v1/votes/{vote}/board/head")).await.ok();
    let whole = head["fingerprint"].as_str().unwrap();
    let other = if whole.ends_with('0') { "1" } else { "0" };
    let wrong = whole[..38].to_owned() + other;
    let wrong = [&whole[..13], wrong.as_str(), "0000-0000-0000"].map(|printed| (printed, "fingerprint"));
    all_say(archive, &[(&whole[..14], "ok"), wrong[0], wrong[1], wrong[2]]);
}

/// Whoever asks for the archive after another is given the same, of which nothing is read again.
async fn is_written_once(app: &TestApp, vote: &Sealed) {
    let ask = || app.http.get(app.url(&vote.path("/archive")));
    let first = ask().send().await.unwrap();
    let tag = first.headers()["etag"].to_str().unwrap().to_owned();
    assert_eq!(ask().header("if-none-match", &tag).send().await.unwrap().status(), 304);
    let whole = first.bytes().await.unwrap();
    let mut least = u64::MAX;
    for _ in 0..6 {
        let reads = app.app.store.statements().0;
        assert_eq!(ask().send().await.unwrap().bytes().await.unwrap(), whole);
        least = least.min(app.app.store.statements().0 - reads);
    }
    assert_eq!(least, 4, "statements: the vote, its result, where its board stands");
}

/// Where no script runs the form asks for the archive alone: whose a receipt is would stand in the address, and in what keeps it.
async fn sends_no_receipt(app: &TestApp, vote: &Sealed) {
    let page = app.http.get(app.url(&format!("/board/{}", vote.id))).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("<input id=\"ballot\"") && !page.contains("name=\"ballot\""), "{page}");
}

async fn fingerprint(app: &TestApp, vote: &Sealed) -> String {
    app.settle().await;
    app.get(&vote.path("/board/head")).await.ok()["fingerprint"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_secret_vote_is_sealed_counted_and_checked() {
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let more = json!({ "allows_revote": true });
    let vote = Sealed::open(&app, &village, &matter, more).await;
    let manifest = vote.manifest(&app).await;
    let phones: Vec<_> = [7, 8, 9, 10, 11, 12].map(|n| format!("{n:05}")).into();
    let mut electors = Vec::new();
    for number in &phones {
        electors.push(village.villager(&app, number).await);
    }
    // sealed by the browser's script: three for, one against, one with a mark that would prove whose it is
    let said = ["against", "for", "for", "for", "CANARY-7f3a"];
    let asked: Vec<Value> = said
        .iter()
        .map(|choice| json!({ "manifest": manifest, "cast_id": Uuid::new_v4(), "choices": [choice] }))
        .collect();
    let envelopes = by_browser("seal", &asked);
    let id_of = |n: usize| asked[n]["cast_id"].as_str().unwrap().parse::<Uuid>().unwrap();
    let first = cast(&electors[0], &vote, id_of(0), &envelopes[0]).await.ok();
    assert_eq!(cast(&electors[0], &vote, id_of(0), &envelopes[0]).await.ok(), first, "the same receipt again");
    assert_eq!(cast(&electors[1], &vote, id_of(0), &envelopes[0]).await.refused(), "cast_id_conflict");
    assert_eq!(cast(&electors[1], &vote, Uuid::new_v4(), &envelopes[1]).await.refused(), "invalid_fields");
    let mut seen = vec![fingerprint(&app, &vote).await];
    for n in 1..5 {
        // the first elector casts again, and the last ballot counts
        let elector = if n == 1 { 0 } else { n };
        cast(&electors[elector], &vote, id_of(n), &envelopes[n]).await.ok();
        seen.push(fingerprint(&app, &vote).await);
    }
    // 系统代封: in clear to the server, which seals; sent again it is the same ballot
    let by_server = json!({ "cast_id": Uuid::new_v4(), "choice": "abstain" });
    let receipt = electors[5].post(&vote.path("/ballots"), by_server.clone()).await.ok();
    assert_eq!(receipt["sealed_by"], "server");
    assert_eq!(electors[5].post(&vote.path("/ballots"), by_server.clone()).await.ok(), receipt);
    // receipts are on the board within the promised time, and their signatures hold
    app.pass(TimeDelta::seconds(30)).await;
    let key = serde_json::from_str::<Value>(&manifest).unwrap()["board_key"].as_str().unwrap().to_owned();
    for told in [&first, &receipt] {
        let hash = told["ballot_hash"].as_str().unwrap();
        let signed =
            lsb1::receipt(&vote.id, (told["cast_id"].as_str().unwrap(), hash), told["accepted"].as_str().unwrap());
        assert!(lsb1::is_signed(&key, lsb1::Signed::Receipt, &signed, told["signature"].as_str().unwrap()));
        let proof = app.get(&vote.path(&format!("/board/proof?h={hash}"))).await.ok();
        let path: Vec<tree::Hash> = proof["proof"]
            .as_array()
            .unwrap()
            .iter()
            .map(|step| lsb1::unhex_hash(step.as_str().unwrap()).unwrap())
            .collect();
        let leaf = tree::leaf(proof["entry"]["leaf"].as_str().unwrap().as_bytes());
        let at = (proof["entry"]["place"].as_u64().unwrap(), proof["head"]["n"].as_u64().unwrap());
        assert_eq!(
            proofs::climbed(leaf, at, &path).map(|root| lsb1::hex(&root)).as_deref(),
            proof["head"]["root"].as_str()
        );
    }
    assert_eq!(first["ballot_hash"], lsb1::hex(&tree::sha256(&[&envelope(&envelopes[0])])));
    let before = app.get(&vote.path("/board/head")).await.ok();
    assert_eq!(app.get(&vote.path("/result")).await.refused(), "wrong_state");
    assert_eq!(village.chair.post(&vote.path("/opening"), vote.two(0, 1)).await.refused(), "wrong_state");
    // the end: nobody can say whose an envelope was, and nothing is known before two keys meet
    app.pass(TimeDelta::days(2)).await;
    assert_eq!(app.get(&vote.path("")).await.ok()["state"], "counting");
    assert_eq!(count(app.folder.path(), "SELECT count(*) FROM envelopes").await, 0);
    assert_eq!(count(app.folder.path(), "SELECT count(*) FROM board_envelopes").await, 5);
    let again = cast(&electors[0], &vote, id_of(1), &envelopes[1]).await.ok();
    assert_eq!(again["ballot_hash"], lsb1::hex(&tree::sha256(&[&envelope(&envelopes[1])])));
    // so does who let the server seal it, though the answer was lost until now
    let late = electors[5].post(&vote.path("/ballots"), by_server).await.ok();
    assert_eq!(late["ballot_hash"], receipt["ballot_hash"]);
    let new = json!({ "cast_id": Uuid::new_v4(), "choice": "abstain" });
    assert_eq!(electors[5].post(&vote.path("/ballots"), new).await.refused(), "vote_closed");
    // the ballot in whose place a later one came says so
    for (hash, is_void) in [(&first["ballot_hash"], true), (&receipt["ballot_hash"], false)] {
        let hash = hash.as_str().unwrap();
        assert_eq!(app.get(&vote.path(&format!("/board/proof?h={hash}"))).await.ok()["is_void"], is_void);
        let page = app.http.get(app.url(&format!("/board/{}?h={hash}", vote.id))).send().await.unwrap();
        assert_eq!(page.text().await.unwrap().contains("这张票在板上，但已经作废，没有计入。"), is_void);
    }
    assert_eq!(electors[0].get(&vote.path("/me")).await.ok()["receipt"], Value::Null);
    assert_eq!(app.get(&vote.path("/result")).await.refused(), "wrong_state");
    let opening = vote.path("/opening");
    assert_eq!(electors[0].post(&opening, vote.two(0, 1)).await.refused(), "not_allowed");
    let handed = |trustee: &str, n: usize| json!({ "trustee": trustee, "private_key": vote.keys[n] });
    for (keys, whose) in [
        (json!([handed("town", 2)]), None),
        (json!([handed("town", 2), handed("town", 2)]), Some("town")),
        // whose is wrong is said, and no one else's
        (json!([handed("town", 1), handed("committee", 0)]), Some("town")),
        (json!([handed("supervision", 1), handed("committee", 2)]), Some("committee")),
    ] {
        let wrong = village.town.post(&opening, json!({ "keys": keys })).await;
        let fields = wrong.body["errors"].as_array().cloned().unwrap_or_default();
        let told: Vec<&str> = fields.iter().filter_map(|one| one["field"].as_str()).collect();
        assert_eq!(told, Vec::from_iter(whose));
        assert_eq!(wrong.refused(), "trustee_key_wrong");
    }
    let result = village.town.post(&opening, vote.two(1, 2)).await.ok();
    let counted = &result["count"];
    assert_eq!(
        (&counted["present"], &counted["yes"], &counted["invalid"]),
        (&json!(5), &json!(3), &json!(1)),
        "{result}"
    );
    assert_eq!((&counted["no"], &counted["abstain"]), (&json!(0), &json!(1)));
    // the answer was lost: the same keys again are told the result, others are not
    assert_eq!(village.town.post(&opening, vote.two(1, 2)).await.ok(), result);
    let other = json!({ "keys": [{ "trustee": "town", "private_key": vote.keys[2] }, { "trustee": "committee", "private_key": vote.keys[1] }] });
    assert_eq!(village.town.post(&opening, other).await.refused(), "trustee_key_wrong");
    app.settle().await;
    let archive = checked(&app, &vote.id, &seen).await;
    is_written_once(&app, &vote).await;
    sends_no_receipt(&app, &vote).await;
    assert_eq!(archive["plaintexts"], json!([["abstain"], ["for"], ["for"], ["for"], null]));
    // from now on everybody has the envelopes: nobody learns by one of them when it came
    assert_eq!(cast(&electors[2], &vote, id_of(1), &envelopes[1]).await.refused(), "vote_closed");
    let kept = archive["heads"].as_array().unwrap().len();
    assert_eq!(kept, 3, "heads between the first and the end say when ballots came");
    assert_eq!(count(app.folder.path(), "SELECT count(*) FROM board_heads").await, 3);
    // what was shown during the vote is the beginning of what there is now
    let now = app.get(&vote.path("/board/head")).await.ok();
    let (from, to) = (before["n"].as_u64().unwrap(), now["n"].as_u64().unwrap());
    let consistency = vote.path(&format!("/board/consistency?from={from}&to={to}"));
    let grown = app.get(&consistency).await.ok();
    // whoever asks a moment later has no leaf read for it
    let mut least = u64::MAX;
    for _ in 0..6 {
        let reads = app.app.store.statements().0;
        assert_eq!(app.get(&consistency).await.ok(), grown);
        least = least.min(app.app.store.statements().0 - reads);
    }
    assert_eq!(least, 1, "statements: where the board stands");
    let path: Vec<tree::Hash> = grown["proof"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| lsb1::unhex_hash(step.as_str().unwrap()).unwrap())
        .collect();
    let root = |head: &Value| lsb1::unhex_hash(head["root"].as_str().unwrap()).unwrap();
    assert!(proofs::is_beginning((from, root(&before)), (to, root(&now)), &path));
    // who took part is told, what was chosen is not
    let listed = electors[0].get(&vote.path("/ballots?limit=100")).await.ok();
    assert!(
        listed["items"]
            .as_array()
            .unwrap()
            .iter()
            .all(|one| one.get("choice").is_none() && one.get("ballot_hash").is_none())
    );
    let marked = archive.to_string().contains("CANARY") || listed.to_string().contains("CANARY");
    assert!(!marked, "a mark on an invalid ballot is shown");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_may_make_a_key_and_what_comes_of_a_vote_without() {
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let ask = json!({
        "matter_id": matter, "question": "是否同意？", "preset": "village_assembly_person", "secrecy": "secret",
        "closes_at": app.app.now() + TimeDelta::days(1),
    });
    let vote = village.chair.post("/v1/votes", ask).await.ok()["id"].as_str().unwrap().to_owned();
    let keys = format!("/v1/votes/{vote}/keys");
    let pair = super::key_pairs(1).remove(0);
    let key = |trustee: &str| json!({ "trustee": trustee, "public_key": pair.0 });
    assert_eq!(village.clerk.post(&keys, key("committee")).await.refused(), "not_allowed");
    assert_eq!(village.chair.post(&keys, key("supervision")).await.refused(), "not_allowed");
    assert_eq!(
        village.town.post(&keys, json!({ "trustee": "town", "public_key": "A".repeat(87) })).await.refused(),
        "invalid_fields"
    );
    village.chair.post(&keys, key("committee")).await.ok();
    assert_eq!(village.supervisor.post(&keys, key("supervision")).await.refused(), "invalid_fields", "one key for two");
    let elector = village.villager(&app, "00007").await;
    let ballot = json!({ "cast_id": Uuid::new_v4(), "choice": "for" });
    assert_eq!(elector.post(&format!("/v1/votes/{vote}/ballots"), ballot).await.refused(), "vote_not_open");
    app.pass(TimeDelta::days(1)).await;
    app.settle().await;
    let cards = village.cards(&app, &matter).await;
    assert!(cards.contains("三把钥匙没有按时做齐，表决没有开始。"), "{cards}");
    assert_eq!(app.get(&format!("/v1/votes/{vote}")).await.ok()["state"], "annulled");
    assert_eq!(app.get(&format!("/v1/votes/{vote}/archive")).await.refused(), "not_found");
    // where one of the three does not exist nobody waits for its key: it is said at once
    let raw = Raw::open(app.folder.path()).await;
    let gone = "UPDATE body_areas SET area_code = '330521103203' WHERE body_id IN \
        (SELECT id FROM bodies WHERE kind = 'supervision_committee')";
    assert_eq!(raw.execute(gone).await, 1);
    raw.close().await;
    let ask = json!({
        "matter_id": matter, "question": "是否同意？", "preset": "village_assembly_person", "secrecy": "secret",
        "closes_at": app.app.now() + TimeDelta::days(1),
    });
    let refused = village.chair.post("/v1/votes", ask).await;
    assert!(
        refused.body.to_string().contains("no_trustees"),
        "it waits for a key that nobody can make: {}",
        refused.body
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_open_vote_is_on_the_same_board_and_tells_nothing_before_the_end() {
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "修一条路").await;
    let vote = village.open_vote(&app, &matter, TimeDelta::days(2)).await;
    let mut hashes = Vec::new();
    for (number, choice) in [("00007", "for"), ("00008", "against"), ("00009", "abstain")] {
        let elector = village.villager(&app, number).await;
        let ballot = json!({ "cast_id": Uuid::new_v4(), "choice": choice });
        let receipt = elector.post(&format!("/v1/votes/{vote}/ballots"), ballot).await.ok();
        hashes.push(receipt["ballot_hash"].as_str().unwrap().to_owned());
    }
    app.settle().await;
    let entries = app.get(&format!("/v1/votes/{vote}/board/entries")).await.ok();
    let told: String = entries["items"].as_array().unwrap().iter().map(|one| one["leaf"].as_str().unwrap()).collect();
    assert!(hashes.iter().all(|hash| told.contains(hash)));
    assert!(!told.contains("against") && !told.contains("\"e\":") && !told.contains("cast_id"), "{told}");
    app.pass(TimeDelta::days(2)).await;
    let archive = checked(&app, &vote, &[]).await;
    of_some_digits(&app, &vote, &archive).await;
    assert_eq!(archive["entries"].as_array().unwrap().iter().filter(|entry| entry["k"] == "named").count(), 3);
    assert_eq!(archive["plaintexts"], Value::Null);
    app.stop().await;
}
