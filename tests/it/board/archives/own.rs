//! Whoever holds a receipt finds the own ballot in an archive, by each of the three, and hears when it does not count; who holds
//! keys hears when they open nothing.
use liusheng::{
    board::sealing::{Trustee, tally},
    votes::verify::{self, Reopened},
};
use ring::signature::Ed25519KeyPair;
use serde_json::{Value, json};

use super::{Dice, Village};
use crate::board::{by_browser, by_python, key_pairs};

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

#[test]
fn keys_that_open_nothing_say_so_and_never_that_all_is_well() {
    let village = Village { key: Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap() };
    let mut dice = Dice(12);
    let pairs = key_pairs(3);
    let keys = format!("{}\n{}", pairs[1].1, pairs[2].1);
    let public: Vec<(Trustee, String)> =
        Trustee::ALL.into_iter().zip(&pairs).map(|(trustee, (public, _))| (trustee, public.clone())).collect();
    let sealed = |archive: &Value| archive["envelopes"].as_array().map(Vec::len);
    let of = |archive: &Value| village.resaid(archive, |manifest| manifest["tally"] = tally(&public));
    // what these envelopes hold nobody can open
    let some = of(&village.such(&mut dice, |archive| sealed(archive) > Some(0)));
    assert_eq!(verify::verify(&some, None).fault, None);
    assert_eq!(verify::reopen(&some, &keys), Err("unopened"));
    let none = of(&village.such(&mut dice, |archive| sealed(archive) == Some(0)));
    assert_eq!(verify::verify(&none, None).fault, None);
    let found = verify::reopen(&none, &keys).unwrap();
    assert_eq!((found.opened, found.closed), (0, 0));
    let mut annulled = some.clone();
    (annulled["plaintexts"], annulled["envelopes"]) = (Value::Null, Value::Null);
    assert_eq!(verify::reopen(&annulled, &keys), Ok(Reopened::default()));
}
