//! However an archive is bent and signed again, the three say the same of it.
use liusheng::{board::lsb1::jcs, votes::verify};
use ring::signature::Ed25519KeyPair;
use serde_json::{Value, json};

use super::{Dice, Village};
use crate::{
    board::{by_browser, by_python},
    support::is_full_run,
};

/// What stands nowhere, or elsewhere.
fn odd() -> Vec<Value> {
    let share = json!({ "num": 0, "den": 0, "strict": false, "basis": "P" });
    vec![
        Value::Null,
        json!(true),
        json!(false),
        json!(0),
        json!(1),
        json!(2),
        json!(-1),
        json!(1.0),
        json!((1_u64 << 53) - 1),
        json!(u64::MAX),
        json!(""),
        json!("1"),
        json!("x"),
        json!("for"),
        json!("secret"),
        json!("open"),
        json!("__proto__"),
        json!("constructor"),
        json!("\u{1d11e}\u{ff5e}"),
        json!("AB".repeat(32)),
        json!("2026-03-02T20:00:60Z"),
        json!([]),
        json!({}),
        json!([null]),
        json!(["for"]),
        json!(["1", "1"]),
        json!({ "1": 1 }),
        json!({ "__proto__": share }),
        json!([1, 2, true, "E"]),
        share,
    ]
}

/// Where something stands, but for what the archive is put together again by.
fn places(value: &Value, here: &str, found: &mut Vec<String>) {
    let inside: Vec<(String, &Value)> = match value {
        Value::Object(map) => map.iter().map(|(key, one)| (key.clone(), one)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(at, one)| (at.to_string(), one)).collect(),
        _ => Vec::new(),
    };
    for (name, one) in inside {
        let there = format!("{here}/{name}");
        let is_kept = there.starts_with("/heads") || name == "k" || name == "poll";
        let depth = there.matches('/').count();
        let is_whole = depth == 1 || (depth == 2 && (here == "/entries" || here == "/envelopes"));
        if !is_kept && !is_whole {
            found.push(there.clone());
        }
        places(one, &there, found);
    }
}

#[test]
fn however_an_archive_is_bent_three_say_the_same_of_it() {
    let village = Village { key: Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap() };
    let (mut dice, odd) = (Dice(27), odd());
    let mut texts = Vec::new();
    let rounds = if is_full_run() { 3000 } else { 200 };
    for _ in 0..rounds {
        let mut bent = village.archive(&mut dice);
        let mut found = Vec::new();
        places(&bent, "", &mut found);
        // there are many more leaves than things that a vote says of itself
        found.retain(|place| !place.starts_with("/roll") && !place.starts_with("/entries") || dice.below(8) == 0);
        let place = &found[dice.below(found.len())];
        *bent.pointer_mut(place).unwrap() = odd[dice.below(odd.len())].clone();
        texts.push((jcs(&village.resaid(&bent, |_| {})), place.clone()));
    }
    let by_us = |text: &str| match verify::read(text.as_bytes()) {
        Some(archive) => verify::verify(&archive, None).fault.unwrap_or("ok"),
        None => "format",
    };
    let ours: Vec<&str> = texts.iter().map(|(text, _)| by_us(text)).collect();
    let lines: Vec<Value> = texts.iter().map(|(text, _)| json!({ "text": text, "fingerprint": null })).collect();
    let (browser, python) = (by_browser("verify", &lines), by_python(&lines));
    for (at, (text, place)) in texts.iter().enumerate() {
        let takes = [ours[at] == "ok", browser[at] == "ok", python[at] == "ok"];
        let said = (ours[at], &browser[at], &python[at]);
        assert!(takes.iter().all(|one| *one == takes[0]), "{place}: {said:?} {text}");
    }
    assert!(ours.contains(&"ok") && ours.iter().filter(|said| **said != "ok").count() > texts.len() / 3);
}
