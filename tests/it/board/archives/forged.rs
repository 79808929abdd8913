//! The ways to forge an archive: with the signatures as they were, and signed anew by who holds the key.
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use liusheng::board::lsb1::{Signed, hex, jcs};
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

use super::{Dice, Village};

pub(super) const WAYS: usize = 32;

impl Village {
    /// One of the ways to forge; `None` where this archive has nothing to forge so.
    pub(super) fn forged(&self, way: usize, honest: &Value, dice: &mut Dice) -> Option<Value> {
        let mut archive = honest.clone();
        let entries = archive["entries"].as_array_mut().unwrap();
        let ballots: Vec<usize> = (0..entries.len()).filter(|at| entries[*at]["k"] == "ballot").collect();
        let any = (!ballots.is_empty()).then(|| ballots[dice.below(ballots.len())]);
        match way {
            // flipped, dropped, twice, in another order: with signatures as they were, and signed anew
            0 => flip(&mut entries[any?]["h"]),
            1 => drop(entries.remove(any?)),
            2 => entries.insert(any?, entries[any?].clone()),
            3 => {
                let other = *ballots.iter().find(|at| Some(**at) != any)?;
                entries.swap(any?, other);
            }
            4 => {
                flip(&mut entries[any?]["h"]);
                self.sign(&mut archive);
            }
            5 => {
                entries.remove(any?);
                self.sign(&mut archive);
            }
            6 => {
                // truncated, as if it had never gone on
                entries.truncate(entries.len() - 2);
                let size = entries.len() as u64;
                archive["heads"].as_array_mut().unwrap().retain(|head| head["head"]["n"].as_u64().unwrap() <= size);
            }
            7 => archive["manifest"]["question"] = json!("是否反对？"),
            8 => archive["manifest"]["rule"]["passing"] = json!({ "num": 0, "den": 1, "strict": false, "basis": "P" }),
            9 => drop(archive["roll"].as_array_mut().unwrap().pop()),
            10 => archive["result"]["count"]["yes"] = json!(archive["result"]["count"]["yes"].as_u64()? + 1),
            11 => {
                // another's result, honestly signed
                archive["result"]["outcome"]["valid"] = json!(!archive["result"]["outcome"]["valid"].as_bool()?);
                archive["result_sig"] = json!(self.signed(Signed::Result, &archive["result"]));
            }
            12 => {
                let first = archive["envelopes"].as_array_mut()?.first_mut()?;
                let mut bytes = URL_SAFE_NO_PAD.decode(first.as_str()?).unwrap();
                *bytes.last_mut()? ^= 1;
                *first = json!(URL_SAFE_NO_PAD.encode(bytes));
            }
            13 => {
                let envelopes = archive["envelopes"].as_array_mut()?;
                if envelopes.len() < 2 {
                    return None;
                }
                envelopes.reverse();
            }
            14 => {
                let plaintexts = archive["plaintexts"].as_array_mut()?;
                let first = plaintexts.first_mut()?;
                *first = if *first == json!(["for"]) { json!(["abstain"]) } else { json!(["for"]) };
                plaintexts.sort_by_cached_key(jcs);
            }
            15 => flip(&mut archive["heads"][0]["sig"]),
            16 => {
                let key = Ed25519KeyPair::from_seed_unchecked(&[9; 32]).unwrap();
                archive["manifest"]["board_key"] = json!(hex(key.public_key().as_ref()));
            }
            17 => {
                let named = entries.iter_mut().find(|entry| entry["k"] == "named")?;
                named["e"] = json!(named["e"].as_u64()? + 1);
                self.sign(&mut archive);
            }
            18 => {
                let at = entries.iter().position(|entry| entry["k"] == "void")?;
                entries.remove(at);
                self.sign(&mut archive);
            }
            // ballots taken out, ballots put in, in a vote that knows neither; all the rest is as an honest board has it
            19 | 20 => {
                let kind = if way == 19 { "void" } else { "paper" };
                let has = |archive: &Value| archive["entries"].as_array().unwrap().iter().any(|one| one["k"] == kind);
                archive = std::iter::repeat_with(|| self.told(dice, false)).find(has)?;
            }
            // one more place, one more vote, honestly signed
            21 | 22 => {
                let choice = archive["result"]["choice"].as_object_mut()?;
                if way == 21 {
                    choice["seats_open"] = json!(choice["seats_open"].as_u64()? + 1);
                } else {
                    choice["votes"]["1"] = json!(choice["votes"]["1"].as_u64()? + 1);
                }
                archive["result_sig"] = json!(self.signed(Signed::Result, &archive["result"]));
            }
            // more may be chosen than was asked
            23 => archive["manifest"]["max_choices"] = json!(archive["manifest"]["max_choices"].as_u64()? + 1),
            24 => archive["result_sig"] = json!("00".repeat(64)),
            // changes of the roll: forgotten, made twice, of nobody
            25 => {
                let at = entries.iter().position(|entry| entry["op"] == "add")?;
                entries.remove(at);
                self.sign(&mut archive);
            }
            26 => {
                let at = entries.iter().position(|entry| entry["op"] == "strike")?;
                entries.insert(at, entries[at].clone());
                self.sign(&mut archive);
            }
            27 => {
                let added = entries.iter_mut().find(|entry| entry["op"] == "add")?;
                added["tag"] = honest["roll"][0]["tag"].clone();
                self.sign(&mut archive);
            }
            // a sheet more than was accounted for, a box told twice, sheets that nobody told of
            28 => {
                let sheets = entries.iter_mut().find(|entry| entry["k"] == "sheets")?;
                sheets["issued"] = json!(sheets["issued"].as_u64()? + 2);
                self.sign(&mut archive);
            }
            29 => {
                let at = entries.iter().position(|entry| entry["k"] == "paper")?;
                entries.insert(at, entries[at].clone());
                self.sign(&mut archive);
            }
            30 => {
                let phone = archive["result"]["turnout"]["phone"].as_u64()?;
                archive["result"]["turnout"]["phone"] = json!(phone + 100);
                archive["result_sig"] = json!(self.signed(Signed::Result, &archive["result"]));
            }
            _ => {
                let at = entries.iter().position(|entry| entry["k"] == "sheets")?;
                entries.remove(at);
                self.sign(&mut archive);
            }
        }
        Some(archive)
    }
}

fn flip(hex: &mut Value) {
    let text = hex.as_str().unwrap();
    let first = if text.starts_with('0') { '1' } else { '0' };
    *hex = json!(format!("{first}{}", &text[1..]));
}
