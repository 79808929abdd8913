//! Whoever holds a receipt finds the own ballot in an archive, by each of the three, and hears when it does not count.
use liusheng::votes::verify;
use ring::signature::Ed25519KeyPair;
use serde_json::{Value, json};

use super::{Dice, Village};
use crate::board::{by_browser, by_python};

fn hashes<'a>(archive: &'a Value, kind: &'static str) -> impl Iterator<Item = &'a str> {
    let entries = archive["entries"].as_array().unwrap().iter();
    entries.filter(move |entry| entry["k"] == kind).map(|entry| entry["h"].as_str().unwrap())
}

#[test]
fn an_own_ballot_is_found_by_all_three_and_one_that_does_not_count_is_told() {
    let village = Village { key: Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap() };
    let mut dice = Dice(11);
    let has_both = |archive: &Value| {
        let voids = hashes(archive, "void").count();
        voids > 0 && hashes(archive, "ballot").count() > voids && archive["result"]["annulled"].is_null()
    };
    let archive = std::iter::repeat_with(|| village.archive(&mut dice)).find(has_both).unwrap();
    let void = hashes(&archive, "void").next().unwrap();
    let counted = hashes(&archive, "ballot").find(|hash| hashes(&archive, "void").all(|other| other != *hash)).unwrap();
    let typed = format!(" {} ", counted.to_uppercase());
    let asked =
        [(counted, "counts"), (typed.as_str(), "counts"), (void, "void"), (&counted[..63], "ballot"), ("0", "ballot")];
    let found = asked.map(|(_, found)| found.to_owned());
    assert_eq!(asked.map(|(hash, _)| verify::own(&archive, hash).unwrap_or("ballot").to_owned()), found);
    let lines = asked.map(|(hash, _)| json!({ "archive": archive, "fingerprint": null, "ballot": hash }));
    assert_eq!((by_browser("verify", &lines), by_python(&lines)), (found.to_vec(), found.to_vec()));
    let mut annulled = archive.clone();
    annulled["result"]["annulled"] = json!({ "reason": "问题写错了", "authority": "镇政府" });
    assert_eq!(verify::own(&annulled, counted), Some("uncounted"));
}
