//! The sealed ballots of an archive opened once more by two trustees, away from the server that read them out; pure.
use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::marks::is_valid;
use crate::{
    board::{
        lsb1::jcs,
        sealing::{self, Opener, Trustee},
        tree,
    },
    votes::rules::Question,
};

/// What two or three keys found in an archive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reopened {
    /// Sealed ballots that open, each to one of those that were published.
    pub opened: u64,
    /// Those that these keys do not open: a phone may seal so that one pair opens what another does not, and that of one elector
    /// accuses nobody.
    pub closed: u64,
    /// On paper, and so among those that were published: their number is on the board, what stands on them is not compared.
    pub paper: u64,
}

/// Opens the sealed ballots with the keys in this text. Each that opens must be among those that were published, and what is left
/// of these as many as do not open and as the board tells of paper. For an archive that was found good.
///
/// # Errors
/// `keys` where there are not two of this vote, each in a line of its own; `reopened` where something else was in them, or
/// another number is left; `unopened` where none of them opens.
pub fn reopen(archive: &Value, keys: &str) -> Result<Reopened, &'static str> {
    let manifest = &archive["manifest"];
    let openers = openers(manifest, keys).ok_or("keys")?;
    let (digest, asked) = (tree::sha256(&[jcs(manifest).as_bytes()]), Question::read(manifest));
    // an annulled vote published none
    let Some(published) = archive["plaintexts"].as_array() else { return Ok(Reopened::default()) };
    let mut told: BTreeMap<String, u64> = BTreeMap::new();
    for plaintext in published {
        *told.entry(jcs(plaintext)).or_default() += 1;
    }
    let (mut opened, mut closed) = (0, 0);
    for sealed in archive["envelopes"].as_array().into_iter().flatten() {
        let envelope = sealed.as_str().and_then(|text| URL_SAFE_NO_PAD.decode(text).ok()).ok_or("reopened")?;
        let Some(marks) = sealing::open(&openers, &digest, &envelope) else {
            closed += 1;
            continue;
        };
        // as it is published: in the order of the ballot, and nothing of an invalid one
        let shown = Some(marks).filter(|marks| is_valid(asked.as_ref(), marks)).map(|marks| match &asked {
            Some(asked) => asked.in_order(marks),
            None => marks,
        });
        let left = told.get_mut(&jcs(&json!(shown))).filter(|left| **left > 0).ok_or("reopened")?;
        *left -= 1;
        opened += 1;
    }
    if opened == 0 && closed > 0 {
        return Err("unopened");
    }
    let (left, paper) = (told.values().sum::<u64>(), on_paper(archive));
    if left == closed + paper { Ok(Reopened { opened, closed, paper }) } else { Err("reopened") }
}

/// How many the boxes of a secret vote held, as the board tells.
fn on_paper(archive: &Value) -> u64 {
    let boxes = archive["entries"].as_array().into_iter().flatten().filter(|entry| entry["k"] == "paper");
    boxes.filter_map(|entry| entry["n"].as_u64()).sum()
}

/// Those of the keys that the manifest names: two of them, or all three.
fn openers(manifest: &Value, keys: &str) -> Option<Vec<Opener>> {
    let public = sealing::tally_keys(manifest)?;
    let own = |(trustee, public): (Trustee, &String)| {
        keys.lines().find_map(|line| Opener::parse(trustee, line.trim()).filter(|own| own.public() == *public))
    };
    let found: Vec<Opener> = Trustee::ALL.into_iter().zip(&public).filter_map(own).collect();
    (found.len() >= 2).then_some(found)
}
