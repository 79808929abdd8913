//! Secrecy: who has the database, its files, its log and two backups of the vote, but fewer than two keys, links ballots
//! to electors no better than by chance; who has two keys and a copy from before the end links them all.
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use chrono::TimeDelta;
use liusheng::{
    board::sealing::{self, Opener, Trustee},
    votes::{
        commands::{self, Paper, SealedBy},
        queries,
    },
};
use sea_orm::TryGetable;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Dice, Sealed};
use crate::support::{Raw, TestApp, Village, import};

/// Ballots whose choice we know and the attacker does not.
const KNOWN: usize = 200;

/// How many right guesses chance gives, and how far one standard deviation goes.
fn chance(truth: &[&str], dice: &mut Dice) -> (f64, f64) {
    let tries: Vec<f64> = (0..2000).map(|_| hits(truth, &dice.shuffled(truth.to_vec())) as f64).collect();
    let mean = tries.iter().sum::<f64>() / tries.len() as f64;
    let variance = tries.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / tries.len() as f64;
    (mean, variance.sqrt())
}

fn hits(truth: &[&str], guess: &[&str]) -> usize {
    truth.iter().zip(guess).filter(|(one, other)| one == other).count()
}

/// Everything that lies in the data directory, as bytes.
fn files(folder: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for file in std::fs::read_dir(folder).unwrap().map(Result::unwrap).filter(|file| file.path().is_file()) {
        all.extend(std::fs::read(file.path()).unwrap());
    }
    all
}

fn times(haystack: &[u8], needle: &[u8]) -> usize {
    haystack.windows(needle.len()).filter(|window| *window == needle).count()
}

/// How many rows of `envelopes` lie in these bytes: one has its digest just before the time of the cast.
fn rows_left(all: &[u8], copy: &[(i32, String, String)]) -> usize {
    let known: BTreeSet<&[u8]> = copy.iter().map(|(_, hash, _)| hash.as_bytes()).collect();
    let years = all.windows(5).enumerate().filter(|(_, five)| five == b"2026-");
    let before = years.filter_map(|(at, _)| all.get(at.checked_sub(64)?..at));
    before.filter(|digest| known.contains(digest)).collect::<BTreeSet<_>>().len()
}

/// What the attacker reads of the envelopes before the end: number on the roll, digest, envelope.
async fn backup(folder: &Path) -> Vec<(i32, String, String)> {
    let raw = Raw::open(folder).await;
    let rows = raw.rows("SELECT elector_number, ballot_hash, sealed FROM envelopes ORDER BY elector_number").await;
    let read = |row: &sea_orm::QueryResult| {
        (row.try_get_by_index(0).unwrap(), row.try_get_by_index(1).unwrap(), row.try_get_by_index(2).unwrap())
    };
    let all = rows.iter().map(read).collect();
    raw.close().await;
    all
}

async fn column<T: TryGetable>(folder: &Path, sql: [&str; 2]) -> Vec<T> {
    let raw = Raw::open(folder).await;
    let rows = raw.rows(raw.spelled(sql[0], sql[1])).await;
    let all = rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
    raw.close().await;
    all
}

fn roster() -> String {
    let mut text =
        "person_no,household_no,village_code,group,name,sex,birth,id_no,phone,relation,registered,resident_here\n"
            .to_owned();
    for n in 1..=KNOWN {
        text += &format!("1{n:04},X{n:03},330521103202,1,测试{},男,1970-01-01,,,户主,1,1\n", ["甲", "乙", "丙"][n % 3]);
    }
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_links_a_ballot_to_its_elector_with_fewer_than_two_keys() {
    let (app, village) = Village::start().await;
    let small = String::from_utf8(include_bytes!("../../data/roster_small.csv").to_vec()).unwrap();
    let both = small + roster().split_once('\n').unwrap().1;
    assert_eq!(import(&app.app, both).await, KNOWN);
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let meeting = super::assembly(&app, &village, &matter).await;
    app.pass(TimeDelta::days(10)).await;
    let vote = Sealed::open(&app, &village, &matter, json!({ "meeting_id": meeting })).await;
    let manifest: Value = serde_json::from_str(&vote.manifest(&app).await).unwrap();
    let hash = liusheng::board::tree::sha256(&[liusheng::board::lsb1::jcs(&manifest).as_bytes()]);
    let to = sealing::tally_keys(&manifest).unwrap();
    let id = vote.id.parse().unwrap();
    let people = queries::roll_people(app.app.store.read(), id).await.unwrap();
    let mut dice = Dice(20_261_129);
    // a hundred for, sixty against, forty abstained, cast in an order of their own
    let choices = [vec!["for"; 100], vec!["against"; 60], vec!["abstain"; 40]].concat();
    let choices = dice.shuffled(choices);
    let voters: Vec<usize> = dice.shuffled((0..people.len()).collect()).into_iter().take(KNOWN).collect();
    let mut truth: BTreeMap<i32, &str> = BTreeMap::new();
    let mut backups = Vec::new();
    for (turn, (voter, choice)) in voters.iter().zip(&choices).enumerate() {
        let (person, cast_id) = (people[*voter], Uuid::new_v4());
        let sealed = sealing::seal(&app.app.keys, &to, &hash, cast_id, &[(*choice).to_owned()]).unwrap();
        let by = if turn % 10 == 0 { SealedBy::Server } else { SealedBy::Phone };
        let paper = Paper::sealed((cast_id, None), &sealed, by);
        app.app.store.write(move |tx| Box::pin(commands::cast(tx, person, id, paper))).await.unwrap();
        truth.insert(i32::try_from(*voter).unwrap() + 1, choice);
        if turn % 20 == 19 {
            app.clock.advance(TimeDelta::minutes(7));
            liusheng::board::tick(&app.app).await.unwrap();
        }
        if turn == 99 || turn == KNOWN - 1 {
            backups.push(backup(app.folder.path()).await);
        }
    }
    let known: Vec<&str> = truth.values().copied().collect();
    let (mean, deviation) = chance(&known, &mut dice);
    // one of several orders passes three deviations by chance alone in one run of two hundred, hence four for each of them,
    // and three for all of them together
    let is_by_chance = |what: &str, found: f64, orders: f64, deviations: f64| {
        let (by_chance, far) = (orders * mean, deviations * orders.sqrt() * deviation);
        assert!(
            found <= by_chance + far,
            "{what}: {found} of {orders} times {KNOWN} linked, chance gives {by_chance:.0} ± {far:.0}"
        );
    };
    let mut together = Vec::new();
    // before the end: the envelopes say whose they are, and nothing of what is in them
    let copy = &backups[1];
    assert_eq!((backups[0].len(), copy.len()), (100, KNOWN));
    assert!(copy.iter().all(|(_, _, sealed)| sealed.len() == copy[0].2.len()));
    if app.folder.is_sqlite() {
        // the manifest lists what may be chosen; nothing else says it
        let all = files(app.folder.path());
        let listed = times(&all, b"[\"for\",\"against\"");
        assert!(listed > 0);
        // a column of what meetings resolved is called so
        let columns = times(&all, b"votes_against");
        assert_eq!(times(&all, b"against") - columns, listed, "a choice is in a file");
        assert_eq!(rows_left(&all, copy), KNOWN, "rows of envelopes are not where this looks for them");
    }
    // what only grows with all the votes there ever were is not written anew with each of them
    let grown = [
        "SELECT 0",
        "SELECT pg_relation_filenode('board_envelopes')::bigint + pg_relation_filenode('data_keys')::bigint \
         + pg_relation_filenode('envelopes_over')::bigint + pg_relation_filenode('roll_entries_over')::bigint \
         + pg_relation_filenode('board_heads_over')::bigint",
    ];
    let files_before: Vec<i64> = column(app.folder.path(), grown).await;
    // who cast takes part in the meeting; the list of those present does not grow with the ballots
    let present = format!("/v1/meetings/{meeting}");
    assert_eq!(village.chair.get(&present).await.ok()["present"], json!([]), "who casts is signed in at once");
    app.pass(TimeDelta::days(2)).await;
    let opening = vote.two(0, 2);
    village.supervisor.post(&vote.path("/opening"), opening).await.ok();
    app.settle().await;
    let archive = app.get(&vote.path("/archive")).await.ok();
    let plain: Vec<&str> =
        archive["plaintexts"].as_array().unwrap().iter().map(|one| one[0].as_str().unwrap()).collect();
    assert_eq!(plain.len(), KNOWN);
    // every order in which rows, envelopes and leaves lie, before and after the end, put beside the published list
    let place_of = |hash: &str| copy.iter().position(|(_, own, _)| own == hash);
    for (what, sql) in [
        ("order of the kept envelopes", ["SELECT ballot_hash FROM board_envelopes ORDER BY place"; 2]),
        (
            "place of their rows",
            [
                "SELECT ballot_hash FROM board_envelopes ORDER BY rowid",
                "SELECT ballot_hash FROM board_envelopes ORDER BY xmin::text::bigint, ctid",
            ],
        ),
        ("order of the envelopes themselves", ["SELECT ballot_hash FROM board_envelopes ORDER BY sealed"; 2]),
        (
            "order of the board",
            ["SELECT ballot_hash FROM board_entries WHERE ballot_hash IS NOT NULL ORDER BY place"; 2],
        ),
    ] {
        let order: Vec<String> = column(app.folder.path(), sql).await;
        let mut guess = vec![""; KNOWN];
        for (hash, choice) in order.iter().zip(&plain) {
            guess[place_of(hash).unwrap()] = choice;
        }
        let found = hits(&known, &guess) as f64;
        is_by_chance(what, found, 1.0, 4.0);
        // rows lie in the order of the kept envelopes mostly: that guess is no other
        if what != "place of their rows" {
            together.push(found);
        }
    }
    is_by_chance("all orders together", together.iter().sum(), together.len() as f64, 3.0);
    // after the end nothing in the database says whose an envelope is: rows of the roll against those of the envelopes
    let roll: Vec<i32> = column(
        app.folder.path(),
        [
            "SELECT number FROM roll_entries WHERE channel = 'online' ORDER BY rowid",
            "SELECT number FROM roll_entries WHERE channel = 'online' ORDER BY xmin::text::bigint, ctid",
        ],
    )
    .await;
    let leaves: Vec<String> = column(
        app.folder.path(),
        [
            "SELECT ballot_hash FROM board_entries WHERE ballot_hash IS NOT NULL ORDER BY rowid",
            "SELECT ballot_hash FROM board_entries WHERE ballot_hash IS NOT NULL ORDER BY xmin::text::bigint, ctid",
        ],
    )
    .await;
    let whose: BTreeMap<i32, &str> = copy.iter().map(|(number, hash, _)| (*number, hash.as_str())).collect();
    let batch = |number: &i32| leaves.iter().position(|leaf| leaf == whose[number]).unwrap() / 20;
    let right = roll.iter().enumerate().filter(|(at, number)| batch(number) == at / 20).count();
    assert!(right <= 40, "{right} of {KNOWN} electors stand beside the batch of their ballot; chance gives 20 ± 17");
    // nor does the list of those present at the meeting, as it is shown and as its rows lie
    let people: BTreeMap<String, i32> = people.iter().map(ToString::to_string).zip(1..).collect();
    let shown = village.chair.get(&present).await.ok()["present"].as_array().unwrap().clone();
    assert_eq!(shown.len(), KNOWN);
    assert!(shown.iter().all(|one| one["at"] == shown[0]["at"] && one["via"] == "phone"), "{shown:?}");
    let shown = shown.iter().map(|one| one["person_id"].as_str().unwrap().to_owned()).collect();
    let rows: Vec<liusheng::ids::PersonId> = column(
        app.folder.path(),
        [
            "SELECT person_id FROM attendances ORDER BY rowid",
            "SELECT person_id FROM attendances ORDER BY xmin::text::bigint, ctid",
        ],
    )
    .await;
    for list in [shown, rows.iter().map(ToString::to_string).collect::<Vec<_>>()] {
        let right = list.iter().enumerate().filter(|(at, person)| batch(&people[*person]) == at / 20).count();
        assert!(right <= 40, "{right} of {KNOWN} of those present stand beside the batch of their ballot");
    }
    assert_eq!(column::<i64>(app.folder.path(), ["SELECT count(*) FROM envelopes"; 2]).await, [0]);
    // somebody may read for long just now: it is tried until it works
    for _ in 0..100 {
        if column::<i64>(app.folder.path(), ["SELECT count(*) FROM votes WHERE links_left"; 2]).await == [0] {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        app.pass(TimeDelta::seconds(1)).await;
    }
    if app.folder.is_sqlite() {
        // nor do its files, free pages and log included: a row of `envelopes` has the digest before the time of the cast
        let all = files(app.folder.path());
        assert_eq!(rows_left(&all, copy), 0, "rows that name the elector are still in the files");
    } else {
        let size = "SELECT pg_relation_size('envelopes_running') + pg_relation_size('roll_entries_running') \
                    + pg_relation_size('board_heads_running')";
        let dead: Vec<i64> = column(app.folder.path(), ["", size]).await;
        assert_eq!(dead, [0], "rows that name the elector or the second are still in the file");
        let files: Vec<i64> = column(app.folder.path(), grown).await;
        assert_eq!(files, files_before, "tables of all votes were written anew");
    }
    // one key opens nothing; two and a copy from before the end open everything: the page says so
    let opener = |n: usize| Opener::parse(Trustee::ALL[n], &vote.keys[n]).unwrap();
    let linked = |openers: [Opener; 2]| {
        let open = |(number, _, sealed): &(i32, String, String)| {
            let choice = sealing::open(&openers, &hash, &super::envelope(sealed))?;
            (truth.get(number) == Some(&choice[0].as_str())).then_some(())
        };
        copy.iter().filter_map(open).count()
    };
    assert_eq!(linked([opener(1), opener(1)]), 0);
    assert_eq!(linked([opener(1), opener(2)]), KNOWN);
    let page = app.http.get(app.url(&format!("/board/{}", vote.id))).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("三把钥匙中的两把"), "the page hides what trust remains");
    app.stop().await;
}

/// Somebody reads the database while a vote is closed: what was parted stays in the log, and is written back later, whoever
/// died in between.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn links_that_stayed_in_the_files_are_written_back_later() {
    let app = TestApp::start().await;
    if !app.folder.is_sqlite() {
        eprintln!("skipped: a reader holds up nobody");
        return app.stop().await;
    }
    let village = Village::found(&app).await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let vote = Sealed::open(&app, &village, &matter, json!({})).await;
    for number in ["00007", "00008"] {
        let ballot = json!({ "cast_id": Uuid::new_v4(), "choice": "for" });
        village.villager(&app, number).await.post(&vote.path("/ballots"), ballot).await.ok();
    }
    let copy = backup(app.folder.path()).await;
    let reader = Raw::open(app.folder.path()).await;
    reader.execute("BEGIN").await;
    assert_eq!(reader.one::<i64>("SELECT count(*) FROM envelopes").await, 2);
    app.clock.advance(TimeDelta::days(2));
    let busy = commands::due(&app.app).await.unwrap_err();
    assert_eq!(busy.code().as_str(), "busy");
    let left = ["SELECT count(*) FROM votes WHERE links_left"; 2];
    assert_eq!(column::<i64>(app.folder.path(), left).await, [1]);
    assert_eq!(rows_left(&files(app.folder.path()), &copy), 2, "nothing is left to be written back");
    reader.execute("ROLLBACK").await;
    reader.close().await;
    commands::due(&app.app).await.unwrap();
    assert_eq!(column::<i64>(app.folder.path(), left).await, [0]);
    assert_eq!(rows_left(&files(app.folder.path()), &copy), 0, "rows that name the elector are still in the files");
    app.stop().await;
}

/// The box is opened while the files are written back: what went with the opening may still lie there.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_vote_that_went_on_while_the_files_were_written_back_is_written_back_once_more() {
    let app = TestApp::start().await;
    if !app.folder.is_sqlite() {
        eprintln!("skipped: a reader holds up nobody");
        return app.stop().await;
    }
    let village = Village::found(&app).await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let vote = Sealed::open(&app, &village, &matter, json!({})).await;
    let ballot = json!({ "cast_id": Uuid::new_v4(), "choice": "for" });
    village.villager(&app, "00007").await.post(&vote.path("/ballots"), ballot).await.ok();
    let reader = Raw::open(app.folder.path()).await;
    reader.execute("BEGIN").await;
    assert_eq!(reader.one::<i64>("SELECT count(*) FROM envelopes").await, 1);
    app.clock.advance(TimeDelta::days(2));
    let inner = app.app.clone();
    let writing = tokio::spawn(async move { commands::due(&inner).await });
    while app.get(&vote.path("")).await.ok()["state"] != "counting" {
        assert!(!writing.is_finished(), "it was not closed");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    // the opening is ahead of what is said when all is written back, which waits for the reader
    let (path, keys) = (vote.path("/opening"), vote.two(1, 2));
    let opening = async { village.town.post(&path, keys).await.ok() };
    let reading = async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        reader.execute("ROLLBACK").await;
    };
    let (result, ()) = tokio::join!(opening, reading);
    assert_eq!(result["count"]["yes"], 1, "{result}");
    writing.await.unwrap().unwrap();
    let left = ["SELECT count(*) FROM votes WHERE links_left"; 2];
    assert_eq!(column::<i64>(app.folder.path(), left).await, [1], "what the opening left is forgotten");
    reader.close().await;
    commands::due(&app.app).await.unwrap();
    assert_eq!(column::<i64>(app.folder.path(), left).await, [0]);
    app.stop().await;
}
