//! Random archives: Rust, the browser's script and the independent one agree on every one of them, and refuse the forged.
mod bent;
mod forged;
mod made;
mod own;
mod strict;

use liusheng::{
    board::{
        lsb1::{self, Signed, hex, jcs},
        sealing, tree,
    },
    keys::Keys,
    votes::verify::verify,
};
use ring::signature::Ed25519KeyPair;
use serde_json::{Value, json};
use uuid::Uuid;

use self::forged::WAYS;
use super::{Dice, by_browser, by_python};
use crate::support::is_full_run;

impl Dice {
    fn uuid(&mut self) -> Uuid {
        let half = |dice: &mut Self| u128::from(dice.0.wrapping_mul(dice.below(1 << 30) as u64 | 1));
        Uuid::from_u128(half(self) << 64 | half(self))
    }
}

struct Village {
    key: Ed25519KeyPair,
}

impl Village {
    fn signed(&self, what: Signed, value: &Value) -> String {
        hex(self.key.sign(&lsb1::statement(what, value)).as_ref())
    }

    /// Signs anew what an honest board would not have signed: a forger who holds the key changes no more than this.
    fn sign(&self, archive: &mut Value) {
        let entries = archive["entries"].as_array().unwrap().clone();
        let leaves: Vec<tree::Hash> = entries.iter().map(|entry| tree::leaf(jcs(entry).as_bytes())).collect();
        let poll = archive["manifest"]["poll"].as_str().unwrap().to_owned();
        for signed in archive["heads"].as_array_mut().unwrap() {
            let size = signed["head"]["n"].as_u64().unwrap();
            let root = hex(&tree::root(&leaves[..usize::try_from(size).unwrap().min(leaves.len())]));
            signed["head"] = lsb1::head(&poll, (size, &root), "2026-03-01T10:00:00Z");
            signed["sig"] = json!(self.signed(Signed::Head, &signed["head"]));
        }
    }
}

#[test]
fn three_who_share_no_code_agree_on_random_archives_and_refuse_the_forged() {
    let village = Village { key: Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap() };
    let mut dice = Dice(20_261_129);
    let count = if is_full_run() { 1000 } else { 100 };
    let mut asked = Vec::new();
    let (mut forged, mut ways) = (0, [0; WAYS]);
    for number in 0..count {
        let archive = village.archive(&mut dice);
        for way in [number, number * 7 + 3, number * 5 + 13] {
            if let Some(bad) = village.forged(way % WAYS, &archive, &mut dice) {
                forged += 1;
                ways[way % WAYS] += 1;
                asked.push((json!({ "archive": bad, "fingerprint": null }), Some(way % WAYS)));
            }
        }
        // what stood on the paper notice at any moment is one of its own
        let leaves = archive["entries"].as_array().unwrap();
        let leaves: Vec<tree::Hash> = leaves.iter().map(|entry| tree::leaf(jcs(entry).as_bytes())).collect();
        let shown = lsb1::fingerprint(&hex(&tree::root(&leaves[..1 + dice.below(leaves.len())])));
        asked.push((json!({ "archive": archive, "fingerprint": shown }), None));
    }
    assert!(forged > count && ways.iter().all(|times| *times > 0), "{ways:?}");
    let lines: Vec<Value> = asked.iter().map(|(line, _)| line.clone()).collect();
    let ours: Vec<String> = lines
        .iter()
        .map(|line| verify(&line["archive"], line["fingerprint"].as_str()).fault.unwrap_or("ok").to_owned())
        .collect();
    for ((found, (line, way)), place) in ours.iter().zip(&asked).zip(0..) {
        assert_eq!(found == "ok", way.is_none(), "{place}, forged by {way:?}: {found} {line}");
    }
    let (browser, python) = (by_browser("verify", &lines), by_python(&lines));
    for place in 0..lines.len() {
        assert_eq!((&browser[place], &python[place]), (&ours[place], &ours[place]), "{place} {:?}", asked[place].1);
    }
}

#[test]
fn whether_a_result_stands_is_not_told_otherwise_than_it_was() {
    let village = Village { key: Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap() };
    let mut dice = Dice(8);
    let is_settled = |archive: &Value| archive["entries"].as_array().unwrap().last().unwrap()["k"] == "settled";
    let settled = std::iter::repeat_with(|| village.archive(&mut dice)).find(is_settled).unwrap();
    let stood = |archive: &Value| archive["result"]["challenge_until"].is_null();
    let at_once = std::iter::repeat_with(|| village.archive(&mut dice)).find(stood).unwrap();
    let with = |base: &Value, leaf: Value| {
        let mut archive = base.clone();
        let entries = archive["entries"].as_array_mut().unwrap();
        if is_settled(base) {
            entries.pop();
        } else {
            let size = entries.len() + 1;
            archive["heads"].as_array_mut().unwrap().push(json!({ "head": { "n": size }, "sig": "" }));
        }
        archive["entries"].as_array_mut().unwrap().push(leaf);
        village.sign(&mut archive);
        archive
    };
    let last = settled["entries"].as_array().unwrap().last().unwrap().clone();
    let mut unknown = last.clone();
    unknown["s"] = json!("maybe");
    let mut more = last.clone();
    more["note"] = json!("x");
    let mut of_another = last.clone();
    of_another["poll"] = at_once["manifest"]["poll"].clone();
    let told = [
        with(&settled, last),
        with(&settled, unknown),
        with(&settled, more),
        // a result that stood at once is not settled afterwards
        with(&at_once, of_another),
    ];
    let lines: Vec<Value> = told.iter().map(|archive| json!({ "archive": archive, "fingerprint": null })).collect();
    let wanted = ["ok", "settled", "settled", "settled"];
    let ours: Vec<&str> = told.iter().map(|archive| verify(archive, None).fault.unwrap_or("ok")).collect();
    assert_eq!(ours, wanted);
    let all = wanted.map(str::to_owned).to_vec();
    assert_eq!((by_browser("verify", &lines), by_python(&lines)), (all.clone(), all));
}

#[test]
fn the_days_and_the_sheets_are_those_that_were_said_beforehand() {
    let village = Village { key: Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap() };
    let mut dice = Dice(11);
    let is_told = |archive: &Value| archive["manifest"]["challenge_days"] == 3;
    let last = |archive: &Value| archive["entries"].as_array().unwrap().last().unwrap().clone();
    let settled = |archive: &Value| is_told(archive) && last(archive)["s"] == "final";
    let settled = std::iter::repeat_with(|| village.archive(&mut dice)).find(settled).unwrap();
    let with = |change: &dyn Fn(&mut Value)| {
        let mut archive = settled.clone();
        change(&mut archive);
        village.rebuilt(archive)
    };
    let at_end = |archive: &mut Value, name: &str, told: &str| {
        archive["entries"].as_array_mut().unwrap().last_mut().unwrap()[name] = json!(told);
    };
    let without_sheets = |archive: &Value| {
        let sheets =
            archive["entries"].as_array().unwrap().iter().any(|one| one["k"] == "sheets" && one["issued"] == 0);
        sheets && archive["manifest"]["secrecy"] == "open" && archive["manifest"]["sheets"] == true
    };
    let nobody = std::iter::repeat_with(|| village.archive(&mut dice)).find(without_sheets).unwrap();
    let mut hushed = nobody.clone();
    hushed["entries"].as_array_mut().unwrap().retain(|entry| entry["k"] != "sheets");
    hushed["result"]["count"]["issued"] = Value::Null;
    // nothing is asked for where nothing stands, not where something stands that is no share
    let no_quorum = |archive: &Value| {
        archive["manifest"]["rule"]["quorum"].is_null() && archive["result"]["outcome"]["valid"] == true
    };
    let misread = village.such(&mut dice, no_quorum);
    let misread = village.resaid(&misread, |manifest| manifest["rule"]["quorum"] = json!(false));
    let told = [
        (with(&|_| {}), "ok"),
        // a day less, none at all, a moment that is no moment
        (with(&|archive| archive["result"]["challenge_until"] = json!("2026-03-05T16:00:00Z")), "settled"),
        (with(&|archive| archive["result"]["challenge_until"] = Value::Null), "settled"),
        (with(&|archive| archive["result"]["t"] = json!("2026-03-02 20:00:05")), "settled"),
        // final before its days are over, overturned within them, before there was a result
        (with(&|archive| at_end(archive, "t", "2026-03-06T15:59:59Z")), "settled"),
        // a second that clocks do not have
        (with(&|archive| at_end(archive, "t", "2026-03-07T09:00:60Z")), "settled"),
        (with(&|archive| at_end(archive, "s", "overturned")), "ok"),
        (
            with(&|archive| {
                at_end(archive, "s", "overturned");
                at_end(archive, "t", "2026-03-03T09:00:00Z");
            }),
            "ok",
        ),
        (
            with(&|archive| {
                at_end(archive, "s", "overturned");
                at_end(archive, "t", "2026-03-02T20:00:04Z");
            }),
            "settled",
        ),
        (village.rebuilt(nobody), "ok"),
        (village.rebuilt(hushed), "paper"),
        (misread, "rule"),
    ];
    let ours: Vec<&str> = told.iter().map(|(archive, _)| verify(archive, None).fault.unwrap_or("ok")).collect();
    assert_eq!(ours, told.iter().map(|(_, wanted)| *wanted).collect::<Vec<_>>());
    let lines: Vec<Value> =
        told.iter().map(|(archive, _)| json!({ "archive": archive, "fingerprint": null })).collect();
    let all: Vec<String> = told.iter().map(|(_, wanted)| (*wanted).to_owned()).collect();
    assert_eq!((by_browser("verify", &lines), by_python(&lines)), (all.clone(), all));
}

#[test]
fn what_the_phone_seals_is_what_the_server_opens() {
    let folder = tempfile::tempdir().unwrap();
    let keys = Keys::load_or_make(folder.path()).unwrap();
    let pairs = super::key_pairs(3);
    let named: Vec<_> = sealing::Trustee::ALL.into_iter().zip(pairs.iter().map(|(public, _)| public.clone())).collect();
    let manifest = jcs(&json!({ "poll": "p", "question": "修桥？", "tally": sealing::tally(&named) }));
    let hash = tree::sha256(&[manifest.as_bytes()]);
    let opener = |n: usize| sealing::Opener::parse(sealing::Trustee::ALL[n], &pairs[n].1).unwrap();
    let ballots: Vec<(Uuid, Vec<&str>)> = vec![
        (Uuid::new_v4(), vec!["for"]),
        (Uuid::new_v4(), vec!["against"]),
        (Uuid::new_v4(), vec!["甲", "乙\"\n"]),
        (Uuid::new_v4(), vec![]),
    ];
    let asked: Vec<Value> = ballots
        .iter()
        .map(|(id, choices)| json!({ "manifest": manifest, "cast_id": id, "choices": choices }))
        .collect();
    for (sealed, (id, choices)) in by_browser("seal", &asked).iter().zip(&ballots) {
        let envelope = sealing::read(sealed, *id).unwrap();
        let wanted: Vec<String> = choices.iter().map(|one| (*one).to_owned()).collect();
        for two in [(0, 1), (1, 2), (2, 0)] {
            assert_eq!(
                sealing::open(&[opener(two.0), opener(two.1)], &hash, &envelope),
                Some(wanted.clone()),
                "{two:?}"
            );
        }
    }
    // and both fill the same length
    let to = sealing::tally_keys(&serde_json::from_str(&manifest).unwrap()).unwrap();
    let ours = sealing::seal(&keys, &to, &hash, ballots[0].0, &["for".to_owned()]).unwrap();
    assert_eq!(ours.len(), sealing::ENVELOPE);
}
