//! LSB1: what a board's leaves, heads and receipts are, byte for byte; pure.
//!
//! A leaf is RFC 8785 (JCS) JSON; a head is signed over `LSB1-head NUL JCS`, a receipt over `LSB1-receipt NUL JCS`, a
//! result over `LSB1-result NUL JCS`, each with Ed25519. Numbers are whole, so that JCS needs no rule for fractions.
use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use ring::signature::{ED25519, UnparsedPublicKey};
use serde_json::{Value, json};

pub use crate::hex::{hex, unhex};

/// A ballot is on the board this many seconds after its receipt at the latest.
pub const PROMISE_SECS: u64 = 60;

/// 2^255 - 19, the smallest byte first: coordinates are below it.
const PRIME: [u8; 32] = {
    let mut prime = [0xff; 32];
    prime[0] = 0xed;
    prime[31] = 0x7f;
    prime
};
/// The second coordinates of the eight points of Ed25519 whose order is small.
const SMALL: [&str; 5] = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

/// What is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signed {
    /// Where the board stands.
    Head,
    /// A ballot was taken.
    Receipt,
    /// What was counted, and what the law makes of it.
    Result,
}

/// The bytes that are signed.
#[must_use]
pub fn statement(what: Signed, value: &Value) -> Vec<u8> {
    let word: &[u8] = match what {
        Signed::Head => b"LSB1-head\0",
        Signed::Receipt => b"LSB1-receipt\0",
        Signed::Result => b"LSB1-result\0",
    };
    [word, jcs(value).as_bytes()].concat()
}

/// Was it signed by this key? Both in hex.
#[must_use]
pub fn is_signed(key: &str, what: Signed, value: &Value, signature: &str) -> bool {
    let (Some(key), Some(signature)) = (unhex_hash(key), unhex(signature)) else { return false };
    is_sound(key) && UnparsedPublicKey::new(&ED25519, key).verify(&statement(what, value), &signature).is_ok()
}

/// Is there somebody who alone signs by this key? By a point of small order everybody can; and a point is written in one way.
fn is_sound(mut key: [u8; 32]) -> bool {
    key[31] &= 0x7f;
    key.iter().rev().lt(PRIME.iter().rev()) && !SMALL.contains(&hex(&key).as_str())
}

/// Canonical JSON: keys in order, no blanks, whole numbers.
#[must_use]
pub fn jcs(value: &Value) -> String {
    // room for a leaf or a receipt
    let mut text = String::with_capacity(256);
    write(value, &mut text);
    text
}

/// In one text from beginning to end: every ballot has its digest, its leaf and its receipt written so.
fn write(value: &Value, text: &mut String) {
    match value {
        Value::Object(map) => {
            let mut pairs: Vec<_> = map.iter().collect();
            pairs.sort_by(|(one, _), (other, _)| one.encode_utf16().cmp(other.encode_utf16()));
            text.push('{');
            for (place, (key, value)) in pairs.into_iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                quote(key, text);
                text.push(':');
                write(value, text);
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                write(item, text);
            }
            text.push(']');
        }
        Value::String(inner) => quote(inner, text),
        other => text.push_str(&other.to_string()),
    }
}

/// As it is where nothing in it has to be escaped.
fn quote(inner: &str, text: &mut String) {
    if inner.bytes().any(|byte| byte < b' ' || matches!(byte, b'"' | b'\\')) {
        text.push_str(&Value::from(inner).to_string());
    } else {
        text.push('"');
        text.push_str(inner);
        text.push('"');
    }
}

/// A moment as it stands in leaves, heads and receipts.
#[must_use]
pub fn moment(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The leaf of the manifest.
#[must_use]
pub fn manifest_entry(poll: &str, sha256: &str) -> Value {
    json!({ "k": "manifest", "poll": poll, "sha256": sha256, "v": 1 })
}

/// The leaf of the roll.
#[must_use]
pub fn roll_entry(poll: &str, electors: u64, root: &str) -> Value {
    json!({ "k": "roll", "n": electors, "poll": poll, "root": root, "v": 1 })
}

/// Somebody was added to the frozen roll; `sha256` is the digest of the published decision.
#[must_use]
pub fn added_entry(poll: &str, elector: &Value, decision: &str) -> Value {
    let sha256 = hex(&super::tree::sha256(&[decision.as_bytes()]));
    json!({
        "k": "amend", "n": elector["n"], "op": "add", "poll": poll, "sha256": sha256, "tag": elector["tag"],
        "u": elector["u"], "v": 1, "w": elector["w"],
    })
}

/// Somebody was struck from it (`strike`), or that was taken back (`restore`).
#[must_use]
pub fn amended_entry(poll: &str, (op, number): (&str, u64), decision: &str) -> Value {
    let sha256 = hex(&super::tree::sha256(&[decision.as_bytes()]));
    json!({ "k": "amend", "n": number, "op": op, "poll": poll, "sha256": sha256, "v": 1 })
}

/// The leaf of a ballot, open or sealed: nothing but its digest.
#[must_use]
pub fn ballot_entry(poll: &str, hash: &str) -> Value {
    json!({ "h": hash, "k": "ballot", "poll": poll, "v": 1 })
}

/// A ballot that does not count, because its elector cast again or on paper.
#[must_use]
pub fn void_entry(poll: &str, hash: &str) -> Value {
    json!({ "h": hash, "k": "void", "poll": poll, "v": 1 })
}

/// An open (记名) ballot, told after the end: whose, and what; its digest is found among the ballots.
#[must_use]
pub fn named_entry(poll: &str, (elector, cast_id, choices): (u64, &str, &[String]), hash: &str) -> Value {
    json!({ "c": choices, "cast_id": cast_id, "e": elector, "h": hash, "k": "named", "poll": poll, "v": 1 })
}

/// Votes about a motion from paper: one box, counted and written down; `sheet` is the digest of the tally sheet's photo.
#[must_use]
pub fn paper_entry(poll: &str, (paper_box, sheet): (&str, &str), [yes, no, abstain, invalid]: [u64; 4]) -> Value {
    json!({
        "abstain": abstain, "box": paper_box, "invalid": invalid, "k": "paper", "no": no, "poll": poll, "sheet": sheet,
        "v": 1, "yes": yes,
    })
}

/// The same of a choice of one among several.
#[must_use]
pub fn paper_choice_entry(
    poll: &str,
    (paper_box, sheet): (&str, &str),
    (votes, [abstain, invalid]): (&BTreeMap<String, u64>, [u64; 2]),
) -> Value {
    json!({
        "abstain": abstain, "box": paper_box, "invalid": invalid, "k": "paper", "poll": poll, "sheet": sheet, "v": 1,
        "votes": votes,
    })
}

/// The same of a secret vote: how many; what is on them is told together with what was on the sealed ones, because the
/// votes of a few on paper would say who they are.
#[must_use]
pub fn paper_secret_entry(poll: &str, (paper_box, sheet): (&str, &str), ballots: u64) -> Value {
    json!({ "box": paper_box, "k": "paper", "n": ballots, "poll": poll, "sheet": sheet, "v": 1 })
}

/// Sheets of paper that were handed out, and what became of those that are in no box.
#[must_use]
pub fn sheets_entry(poll: &str, [issued, returned, spoilt, lost]: [u64; 4]) -> Value {
    json!({
        "issued": issued, "k": "sheets", "lost": lost, "poll": poll, "returned": returned, "spoilt": spoilt, "v": 1,
    })
}

/// Digest of an open ballot: `SHA-256(LSB1-ballot NUL JCS {"c","cast_id","poll"})`; nobody guesses what is in it, because
/// nobody guesses the `cast_id`.
#[must_use]
pub fn ballot_digest(poll: &str, cast_id: &str, choices: &[String]) -> String {
    let told = jcs(&json!({ "c": choices, "cast_id": cast_id, "poll": poll }));
    hex(&super::tree::sha256(&[b"LSB1-ballot\0", told.as_bytes()]))
}

/// The end: how many ballots came in.
#[must_use]
pub fn close_entry(poll: &str, ballots: u64) -> Value {
    json!({ "k": "close", "n": ballots, "poll": poll, "v": 1 })
}

/// The result, by its digest.
#[must_use]
pub fn result_entry(poll: &str, sha256: &str) -> Value {
    json!({ "k": "result", "poll": poll, "sha256": sha256, "v": 1 })
}

/// A result that could be challenged stands (`final`), or does not (`overturned`); `sha256` is the digest of the words of the
/// resolution, or of why.
#[must_use]
pub fn settled_entry(poll: &str, (outcome, sha256): (&str, &str), at: &str) -> Value {
    json!({ "k": "settled", "poll": poll, "s": outcome, "sha256": sha256, "t": at, "v": 1 })
}

/// A head, before it is signed.
#[must_use]
pub fn head(poll: &str, (size, root): (u64, &str), at: &str) -> Value {
    json!({ "n": size, "poll": poll, "root": root, "t": at })
}

/// A receipt, before it is signed.
#[must_use]
pub fn receipt(poll: &str, (cast_id, hash): (&str, &str), accepted: &str) -> Value {
    json!({ "accepted": accepted, "cast_id": cast_id, "h": hash, "poll": poll, "promise_s": PROMISE_SECS })
}

/// A leaf of the roll: the elector by number and a keyed tag, never by name.
#[must_use]
pub fn elector_entry(number: u64, tag: &str, unit: &str, weight: u64) -> Value {
    json!({ "k": "elector", "n": number, "tag": tag, "u": unit, "w": weight })
}

/// Digits of a root in a fingerprint. Whoever makes the board could find two boards that agree in fewer: of 12 in as many tries as
/// 24 bits have numbers, of these in as many as 64 have.
const SHOWN: usize = 32;
/// Digits of a fingerprint that was printed before it became longer.
const PRINTED: usize = 12;

/// The beginning of a root, in groups of four, fit for a paper notice.
#[must_use]
pub fn fingerprint(root: &str) -> String {
    let short: Vec<char> = root.chars().take(SHOWN).collect();
    short.chunks(4).map(|four| four.iter().collect::<String>()).collect::<Vec<_>>().join("-").to_uppercase()
}

/// The digits of a published fingerprint as they stand in a root, so that they can be compared; none of less than was ever
/// printed.
#[must_use]
pub fn published(text: &str) -> Option<String> {
    let digits: String = text.trim().chars().filter(|one| !matches!(one, '-' | ' ')).collect();
    (digits.chars().count() >= PRINTED).then(|| digits.to_lowercase())
}

/// A hash in lower-case hex.
#[must_use]
pub fn unhex_hash(text: &str) -> Option<super::tree::Hash> {
    unhex(text)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::tree;

    const VECTOR: &str = include_str!("../../tests/data/lsb1-board-vector-1.json");

    #[test]
    fn the_published_vector_is_met_byte_for_byte() {
        let vector: Value = serde_json::from_str(VECTOR).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let all = |key: &str| vector[key].as_array().unwrap().clone();
        let number = |value: &Value| value.as_u64().unwrap();
        let key = text(&vector["public_key"]);
        let poll = "p-2026-001";
        let entries = all("entries");
        let ballot = |n: usize| ballot_entry(poll, entries[n]["h"].as_str().unwrap());
        let ones = "1".repeat(64);
        let twos = "2".repeat(64);
        let made = [
            manifest_entry(poll, &ones),
            roll_entry(poll, 5, &twos),
            ballot(2),
            ballot(3),
            ballot(4),
            ballot(5),
            close_entry(poll, 4),
        ];
        let canonical: Vec<String> = made.iter().map(jcs).collect();
        assert_eq!(canonical, all("entry_jcs").iter().map(text).collect::<Vec<_>>());
        let leaves: Vec<tree::Hash> = canonical.iter().map(|entry| tree::leaf(entry.as_bytes())).collect();
        assert_eq!(
            leaves.iter().map(|leaf| hex(leaf)).collect::<Vec<_>>(),
            all("leaf_hashes").iter().map(text).collect::<Vec<_>>()
        );
        for signed in all("heads") {
            let told = &signed["head"];
            let size = number(&told["n"]);
            let root = hex(&tree::root(&leaves[..usize::try_from(size).unwrap()]));
            assert_eq!(head(poll, (size, &root), told["t"].as_str().unwrap()), *told);
            assert!(is_signed(&key, Signed::Head, told, signed["sig"].as_str().unwrap()));
            assert!(!is_signed(&key, Signed::Receipt, told, signed["sig"].as_str().unwrap()));
        }
        for proof in all("inclusion") {
            let place = number(&proof["m"]);
            let path: Vec<String> = proof["proof"].as_array().unwrap().iter().map(text).collect();
            let ours = tree::inclusion(&leaves, usize::try_from(place).unwrap()).unwrap();
            assert_eq!(ours.iter().map(|step| hex(step)).collect::<Vec<_>>(), path);
        }
        let grown = &vector["consistency"];
        let ours = tree::consistency(&leaves, usize::try_from(number(&grown["m"])).unwrap()).unwrap();
        let path: Vec<String> = grown["proof"].as_array().unwrap().iter().map(text).collect();
        assert_eq!(ours.iter().map(|step| hex(step)).collect::<Vec<_>>(), path);
        let told = &vector["receipt"]["r"];
        let of = (told["cast_id"].as_str().unwrap(), told["h"].as_str().unwrap());
        assert_eq!(receipt(poll, of, told["accepted"].as_str().unwrap()), *told);
        assert!(is_signed(&key, Signed::Receipt, told, vector["receipt"]["sig"].as_str().unwrap()));
    }

    #[test]
    fn canonical_json_is_in_order_and_hex_is_strict() {
        assert_eq!(
            jcs(&json!({ "b": [1, true, null], "a": "留\"\n\u{1}" })),
            "{\"a\":\"留\\\"\\n\\u0001\",\"b\":[1,true,null]}"
        );
        assert_eq!(
            jcs(&json!({ "a\\": {}, "A": [[], { "/": "/\u{7f}" }] })),
            "{\"A\":[[],{\"/\":\"/\u{7f}\"}],\"a\\\\\":{}}"
        );
        assert_eq!(hex(&[0, 1, 0x9a, 0xff]), "00019aff");
        assert_eq!(unhex("00ff"), Some(vec![0, 255]));
        assert!(unhex("0").is_none() && unhex("0G").is_none() && unhex("FF").is_none());
        let root = "25c5db518888906fbc5825c5db518888906fbc5825c5db518888906fbc58abcd";
        let shown = "25C5-DB51-8888-906F-BC58-25C5-DB51-8888";
        assert_eq!(fingerprint(root), shown);
        for text in [shown, "25C5-DB51-8888", " 25c5 db51 8888 ", root] {
            assert!(published(text).is_some_and(|digits| root.starts_with(&digits)), "{text}");
        }
        assert_eq!(published("25C5-DB51-888"), None, "too short to say anything");
        assert!(!published("25C5-DB51-8888-906E").is_some_and(|digits| root.starts_with(&digits)));
    }
}
