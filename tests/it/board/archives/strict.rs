//! Archives that one of the three, or all of them, once took: read in two ways, or with something in them that nobody checked.
use std::process::Command;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use liusheng::{
    board::{
        lsb1::{hex, jcs},
        tree,
    },
    votes::verify::{read, verify},
};
use ring::signature::Ed25519KeyPair;
use serde_json::{Value, json};

use super::{Dice, Village};
use crate::{
    board::{by_browser, by_python, root},
    support::run,
};

fn village() -> Village {
    Village { key: Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap() }
}

fn is_motion(archive: &Value) -> bool {
    archive["manifest"]["secrecy"] == "open" && archive["result"]["choice"].is_null()
}

/// All three say of each what is wanted.
fn all_say(told: &[(Value, &str)]) {
    let wanted: Vec<&str> = told.iter().map(|(_, wanted)| *wanted).collect();
    let ours: Vec<&str> = told.iter().map(|(archive, _)| verify(archive, None).fault.unwrap_or("ok")).collect();
    assert_eq!(ours, wanted);
    let lines: Vec<Value> =
        told.iter().map(|(archive, _)| json!({ "archive": archive, "fingerprint": null })).collect();
    assert_eq!(by_browser("verify", &lines), wanted);
    assert_eq!(by_python(&lines), wanted);
}

#[test]
fn a_text_that_can_be_read_in_two_ways_is_no_archive() {
    let (village, mut dice) = (village(), Dice(21));
    let honest = village.such(&mut dice, is_motion);
    let with = |more: Value| jcs(&village.resaid(&honest, |manifest| manifest["x"] = more));
    let good = with(json!({ "a": 0, "b": 1000, "c": "鼋" }));
    let bent = |from: &str, to: &str| {
        assert_eq!(good.matches(from).count(), 1, "{from}");
        good.replace(from, to)
    };
    let pretty = serde_json::to_string_pretty(&serde_json::from_str::<Value>(&good).unwrap()).unwrap();
    let deep = |levels: usize| (0..levels).fold(json!(1), |inner, _| json!([inner]));
    let told = [
        (good.clone(), "ok"),
        (format!("{pretty}\r\n"), "ok"),
        // by units of UTF-16 the second comes first, by characters the first
        (with(json!({ "\u{ff5e}": 1, "\u{1d11e}": 2 })), "ok"),
        (with(deep(29)), "ok"),
        (with(json!((1_u64 << 53) - 1)), "ok"),
        (with(deep(40)), "format"),
        (with(json!(1_u64 << 53)), "format"),
        (with(json!(1.5)), "format"),
        (with(json!(-1)), "format"),
        (bent("\"b\":1000", "\"b\":1e3"), "format"),
        (bent("\"b\":1000", "\"b\":1000.0"), "format"),
        (bent("\"a\":0", "\"a\":-0"), "format"),
        (bent("\"a\":0", "\"a\":7,\"a\":0"), "format"),
        (bent("\"a\":0,\"b\":1000", "\"b\":1000,\"a\":0"), "format"),
        (bent("鼋", "\\u9f0b"), "format"),
        (bent("鼋", "\\ud800"), "format"),
        (format!("{good}{{}}"), "format"),
        (format!("\u{feff}{good}"), "format"),
    ];
    let wanted: Vec<&str> = told.iter().map(|(_, wanted)| *wanted).collect();
    let by_us = |text: &str| match read(text.as_bytes()) {
        Some(archive) => verify(&archive, None).fault.unwrap_or("ok"),
        None => "format",
    };
    assert_eq!(told.iter().map(|(text, _)| by_us(text)).collect::<Vec<_>>(), wanted);
    let lines: Vec<Value> = told.iter().map(|(text, _)| json!({ "text": text, "fingerprint": null })).collect();
    assert_eq!(by_browser("verify", &lines), wanted);
    assert_eq!(by_python(&lines), wanted);
    assert!(read(b"\"\xff\"").is_none());
}

#[test]
fn what_stands_in_a_result_or_a_rule_alone_decides_nothing() {
    let (village, mut dice) = (village(), Dice(22));
    let by_phone = |archive: &Value| {
        let count = &archive["result"]["count"];
        is_motion(archive) && count["issued"].is_null() && count["present"].as_u64() > Some(0)
    };
    let honest = village.such(&mut dice, by_phone);
    // whoever holds the key makes a vote void by sheets that nobody handed out
    let mut void = honest.clone();
    void["result"]["count"]["issued"] = json!(honest["result"]["count"]["present"].as_u64().unwrap() - 1);
    void["result"]["outcome"] =
        json!({ "comparisons": [], "passed": false, "reason": "more_ballots_than_issued", "valid": false });
    let mut weighs = honest.clone();
    weighs["roll"][0]["w"] = json!(5);
    let leaves = weighs["roll"].as_array().unwrap().iter().map(|one| tree::leaf(jcs(one).as_bytes()));
    let top = hex(&tree::root(&leaves.collect::<Vec<_>>()));
    weighs["entries"][1]["root"] = json!(top);
    let quorate = |archive: &Value| is_motion(archive) && archive["manifest"]["rule"]["quorum"].is_object();
    let quorate = village.such(&mut dice, quorate);
    let few =
        village.such(&mut dice, |archive| is_motion(archive) && archive["result"]["outcome"]["reason"] == "quorum");
    all_say(&[
        (village.resaid(&honest, |_| {}), "ok"),
        (village.rebuilt(void), "count"),
        // an opinion poll that has become a decision
        (village.resaid(&honest, |manifest| manifest["binding"] = json!(false)), "result"),
        (village.resaid(&weighs, |manifest| manifest["roll"]["root"] = json!(top)), "roll"),
        // what a rule is called is nothing to compute with
        (village.resaid(&quorate, |manifest| drop(manifest["rule"].as_object_mut().unwrap().remove("zh"))), "ok"),
        (
            village.resaid(&quorate, |manifest| {
                let share = manifest["rule"]["quorum"].clone();
                manifest["rule"]["quorum"] = json!([share["num"], share["den"], share["strict"], share["basis"]]);
            }),
            "rule",
        ),
        (village.resaid(&quorate, |manifest| manifest["rule"]["quorum"]["note"] = json!("x")), "rule"),
        // also where it was not come to
        (village.resaid(&few, |manifest| manifest["rule"]["passing"] = json!(false)), "rule"),
        (village.resaid(&few, |manifest| manifest["rule"]["passing"]["note"] = json!("x")), "rule"),
    ]);
}

#[test]
fn a_ballot_is_a_digest_and_an_envelope_of_its_own() {
    let (village, mut dice) = (village(), Dice(23));
    let has_ballots = |archive: &Value| {
        is_motion(archive) && archive["entries"].as_array().unwrap().iter().any(|entry| entry["k"] == "ballot")
    };
    let open = village.such(&mut dice, has_ballots);
    let marked = |more: Value| {
        let mut archive = open.clone();
        let mut entries = archive["entries"].as_array_mut().unwrap().iter_mut();
        let ballot = entries.find(|entry| entry["k"] == "ballot").unwrap();
        ballot.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        village.rebuilt(archive)
    };
    let mut beside = open.clone();
    beside["envelopes"] = json!(["x"]);
    let several = |archive: &Value| archive["envelopes"].as_array().is_some_and(|all| all.len() > 1);
    let secret = village.such(&mut dice, several);
    // in the place of somebody's envelope another, made of somebody else's
    let with = |bent: &dyn Fn(&mut Vec<u8>)| {
        let (mut archive, hash) = (secret.clone(), |bytes: &[u8]| hex(&tree::sha256(&[bytes])));
        let bytes = |at: usize| URL_SAFE_NO_PAD.decode(secret["envelopes"][at].as_str().unwrap()).unwrap();
        let (gone, mut new) = (hash(&bytes(1)), bytes(0));
        bent(&mut new);
        archive["envelopes"][1] = json!(URL_SAFE_NO_PAD.encode(&new));
        let mut entries = archive["entries"].as_array_mut().unwrap().iter_mut();
        entries.find(|entry| entry["h"] == gone.as_str()).unwrap()["h"] = json!(hash(&new));
        village.rebuilt(archive)
    };
    let mut spelled = secret.clone();
    spelled["envelopes"][0] = json!(spelled["envelopes"][0].as_str().unwrap().replace('_', "/"));
    all_say(&[
        (marked(json!({ "e": 1 })), "entry"),
        (marked(json!({ "h": "x" })), "entry"),
        (beside, "plaintexts"),
        (secret.clone(), "ok"),
        // what is in an envelope is for those who hold the keys to know
        (with(&|bytes| bytes[4] ^= 1), "ok"),
        // a copy that opens as the first does, bent in the part of the third key
        (with(&|bytes| bytes[758] ^= 1), "envelopes"),
        (with(&|bytes| bytes[0] ^= 1), "envelopes"),
        (
            with(&|bytes| {
                bytes[4] ^= 1;
                bytes.truncate(700);
            }),
            "envelopes",
        ),
        (spelled, "envelopes"),
    ]);
    // the archive of another vote is none of this one, as good as it is
    let of = |vote: &Value| json!({ "archive": secret, "fingerprint": null, "vote": vote });
    let asked = [of(&secret["manifest"]["poll"]), of(&open["manifest"]["poll"])];
    assert_eq!(by_browser("verify", &asked), ["ok", "manifest"]);
}

#[test]
fn a_moment_is_written_in_one_way() {
    let (village, mut dice) = (village(), Dice(26));
    let is_provisional = |archive: &Value| {
        let last = archive["entries"].as_array().unwrap().last().unwrap();
        archive["manifest"]["challenge_days"] == 3 && last["k"] == "result"
    };
    let honest = village.such(&mut dice, is_provisional);
    let with = |made: &str, until: &str| {
        let mut archive = honest.clone();
        archive["result"]["t"] = json!(made);
        archive["result"]["challenge_until"] = json!(until);
        village.rebuilt(archive)
    };
    all_say(&[
        (with("2026-03-02T20:00:05Z", "2026-03-06T16:00:00Z"), "ok"),
        (with("9999-03-02T20:00:05Z", "9999-03-06T16:00:00Z"), "ok"),
        (with("0999-03-02T20:00:05Z", "0999-03-06T16:00:00Z"), "settled"),
        (with("0000-03-02T20:00:05Z", "0000-03-06T16:00:00Z"), "settled"),
        (with("9999-12-30T20:00:05Z", "+10000-01-03T16:00:00Z"), "settled"),
        (with("9999-12-30T20:00:05Z", "+010000-01-03T16:00:00Z"), "settled"),
    ]);
}

#[test]
fn a_key_by_which_everybody_signs_is_none() {
    let (village, mut dice) = (village(), Dice(25));
    let honest = village.such(&mut dice, is_motion);
    // holds for whatever is signed, when the key is the neutral point
    let signature = format!("01{}", "00".repeat(63));
    let by = |key: String| {
        let mut archive = village.resaid(&honest, |manifest| manifest["board_key"] = json!(key));
        for head in archive["heads"].as_array_mut().unwrap() {
            head["sig"] = json!(signature);
        }
        archive["result_sig"] = json!(signature);
        (archive, "signature")
    };
    let neutral = format!("01{}", "00".repeat(31));
    // the same, written in ways that not everybody reads
    let others = [format!("ee{}7f", "ff".repeat(30)), format!("01{}80", "00".repeat(30))];
    all_say(&[by(neutral), by(others[0].clone()), by(others[1].clone())]);
}

#[test]
fn what_an_archive_says_hides_no_line() {
    let (village, mut dice) = (village(), Dice(24));
    let by_half = |archive: &Value| is_motion(archive) && archive["manifest"]["preset"] == "village_assembly_person";
    let honest = village.such(&mut dice, by_half);
    let told = village.resaid(&honest, |manifest| {
        manifest["question"] = json!("修桥？\u{1b}[8m\r");
        manifest["law"] = json!("法律");
    });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("archive.json");
    std::fs::write(&file, jcs(&told)).unwrap();
    let ours = run(folder.path(), &["verify", file.to_str().unwrap()], &[]);
    let script = root().join("deploy/verify/verify_vote.py");
    let mut python = Command::new("python3");
    python.arg(script).arg(&file).env("PYTHONUTF8", "1").env("PYTHONDONTWRITEBYTECODE", "1");
    for output in [ours, python.output().unwrap()] {
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0), "{text}");
        assert!(text.contains("修桥？ [8m") && !text.contains(['\u{1b}', '\r']), "{text:?}");
        // nor does the name of a law hide what was asked for
        assert!(text.contains("要参加的人超过名册人数的 1/2，同意或者得票超过参加人数的 1/2。依据：法律"), "{text}");
    }
}
