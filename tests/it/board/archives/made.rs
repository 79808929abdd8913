//! The archive of a vote that took place, as dice fell: every kind of vote, and all that may happen in one.
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use liusheng::{
    board::{
        lsb1::{self, Signed, hex, jcs},
        sealing, tree,
    },
    votes::rules::{self, Count, Question},
};
use ring::signature::KeyPair;
use serde_json::{Value, json};

use super::{Dice, Village};

impl Village {
    /// A vote that took place.
    pub(super) fn archive(&self, dice: &mut Dice) -> Value {
        self.told(dice, true)
    }

    /// A vote that took place; one that does not own up to casting again or to paper is else without a fault.
    pub(super) fn told(&self, dice: &mut Dice, owns_up: bool) -> Value {
        let poll = dice.uuid().to_string();
        let votable: Vec<_> = rules::presets().iter().filter(|(_, preset)| preset.second_measure.is_none()).collect();
        let (name, preset) = votable[dice.below(votable.len())];
        let on_roll = 3 + dice.below(30);
        let roll: Vec<Value> =
            (1..=on_roll).map(|n| lsb1::elector_entry(n as u64, &dice.uuid().to_string(), "person", 1)).collect();
        let leaves: Vec<tree::Hash> = roll.iter().map(|one| tree::leaf(jcs(one).as_bytes())).collect();
        let roll_root = hex(&tree::root(&leaves));
        let is_secret = dice.below(2) == 0;
        let asked = (dice.below(2) == 0).then(|| {
            let options: Vec<String> = (1..=2 + dice.below(5)).map(|n| n.to_string()).collect();
            let most = if dice.below(2) == 0 { 1 } else { 1 + dice.below(options.len()) };
            let (max_choices, seats) = (most, 1 + dice.below(3));
            Question { options, max_choices, seats }
        });
        let (revote, on_paper) = (dice.below(2) == 0, dice.below(2) == 0);
        // archives of before the days and the sheets were said beforehand are good, too
        let (is_told, days) = (dice.below(4) > 0, if on_roll % 3 > 0 { 3 } else { 0 });
        let mut manifest = json!({
            "alg": "sha256-ed25519", "area": "330521103202", "binding": true, "board_key": hex(self.key.public_key().as_ref()),
            "format": "LSB1", "law": preset.law, "options": ["for", "against", "abstain"], "paper": on_paper && owns_up,
            "poll": poll, "preset": name, "question": "是否同意“修桥”？\n请选。", "revote": revote && owns_up, "roll": { "n": on_roll, "root": roll_root }, "rule": preset,
            "secrecy": if is_secret { "secret" } else { "open" }, "v": 1,
        });
        if is_told {
            manifest["challenge_days"] = json!(days);
            manifest["sheets"] = json!(on_paper && owns_up);
        }
        if let Some(asked) = &asked {
            manifest["kind"] = json!("choice");
            manifest["options"] = json!(asked.options);
            manifest["option_texts"] = json!(asked.options.iter().map(|key| format!("第{key}人")).collect::<Vec<_>>());
            (manifest["max_choices"], manifest["seats"]) = (json!(asked.max_choices), json!(asked.seats));
        }
        let mut votes = asked.as_ref().map(Question::no_votes).unwrap_or_default();
        let manifest_hash = hex(&tree::sha256(&[jcs(&manifest).as_bytes()]));
        let mut entries =
            vec![lsb1::manifest_entry(&poll, &manifest_hash), lsb1::roll_entry(&poll, on_roll as u64, &roll_root)];
        let cast = dice.below(on_roll + 1);
        let (amended, now) = amended(dice, &poll, (on_roll, cast));
        entries.extend(amended);
        let mut count = Count { on_roll: now as u64, ..Count::default() };
        let (mut ballots, mut void, mut named, mut sealed, mut plain) = (vec![], vec![], vec![], vec![], vec![]);
        for elector in 1..=cast as u64 {
            let rounds = 1 + usize::from(dice.below(5) == 0 && revote);
            for round in 1..=rounds {
                let choice = ["for", "for", "against", "abstain", "x"][dice.below(5)];
                let chosen = match &asked {
                    Some(asked) => {
                        let marks = asked.options.iter().filter(|_| dice.below(2) == 0).cloned();
                        marks.chain((choice == "x").then(|| "x".to_owned())).collect()
                    }
                    None => vec![choice.to_owned()],
                };
                let id = dice.uuid();
                let mut bytes = [b"LSE1".as_slice(), id.as_bytes(), dice.uuid().as_bytes()].concat();
                bytes.resize(sealing::ENVELOPE, 0xff);
                let hash = match is_secret {
                    true => hex(&tree::sha256(&[&bytes])),
                    false => lsb1::ballot_digest(&poll, &id.to_string(), &chosen),
                };
                ballots.push(hash.clone());
                if round < rounds {
                    void.push(lsb1::void_entry(&poll, &hash));
                    continue;
                }
                named.push(lsb1::named_entry(&poll, (elector, &id.to_string(), &chosen), &hash));
                sealed.push(bytes);
                if let Some(asked) = &asked {
                    plain.push(if asked.is_valid(&chosen) { json!(chosen) } else { Value::Null });
                    asked.add((&mut count, &mut votes), Some(&chosen), 1);
                    continue;
                }
                plain.push(if choice == "x" { Value::Null } else { json!(chosen) });
                *match choice {
                    "for" => &mut count.yes,
                    "against" => &mut count.no,
                    "abstain" => &mut count.abstain,
                    _ => &mut count.invalid,
                } += 1;
                count.present += 1;
            }
        }
        ballots.sort();
        entries.extend(ballots.iter().map(|hash| lsb1::ballot_entry(&poll, hash)));
        let shown = entries.len();
        entries.extend(void);
        if !is_secret {
            entries.extend(named);
        }
        let left = now - cast;
        if left > 1 && on_paper {
            let yes = dice.below(left) as u64;
            let about = ("一号箱", "ab".repeat(32));
            let about = (about.0, about.1.as_str());
            let marks: &[&str] = match &asked {
                Some(asked) if asked.max_choices > 1 => &["1", "2"],
                Some(_) => &["1"],
                None => &["for"],
            };
            entries.push(match (&asked, is_secret) {
                (_, true) => lsb1::paper_secret_entry(&poll, about, yes + 1),
                (Some(asked), false) => {
                    let mut told = if asked.max_choices > 1 { Default::default() } else { asked.no_votes() };
                    if asked.max_choices == 1 || yes > 0 {
                        told.insert(marks.join(","), yes);
                    }
                    lsb1::paper_choice_entry(&poll, about, (&told, [0, 1]))
                }
                (None, false) => lsb1::paper_entry(&poll, about, [yes, 0, 0, 1]),
            });
            plain.extend((0..yes).map(|_| json!(marks)).chain([Value::Null]));
            for mark in marks.iter().filter(|_| asked.is_some()) {
                *votes.get_mut(*mark).unwrap() += yes;
            }
            (count.yes, count.invalid, count.present) = (count.yes + yes, count.invalid + 1, count.present + yes + 1);
            // more than were handed out: the law calls the vote void
            let out = if dice.below(6) == 0 { yes } else { yes + 1 };
            let [returned, spoilt, lost] = [0; 3].map(|_: u64| dice.below(3) as u64);
            entries.push(lsb1::sheets_entry(&poll, [out + returned + spoilt + lost, returned, spoilt, lost]));
            count.issued = Some(cast as u64 + out);
        } else if on_paper && is_told && owns_up {
            entries.push(lsb1::sheets_entry(&poll, [0; 4]));
            count.issued = Some(cast as u64);
        }
        entries.push(lsb1::close_entry(&poll, ballots.len() as u64));
        let all: Vec<tree::Hash> = entries.iter().map(|entry| tree::leaf(jcs(entry).as_bytes())).collect();
        let closing = tree::root(&all);
        sealed.sort_by_cached_key(|bytes| tree::sha256(&[&tree::sha256(&[bytes]), &closing]));
        plain.sort_by_cached_key(jcs);
        let envelopes: Vec<String> = sealed.iter().map(|bytes| URL_SAFE_NO_PAD.encode(bytes)).collect();
        let plaintexts = if is_secret { json!(plain) } else { Value::Null };
        let judged = asked.as_ref().map(|asked| rules::elect(preset, asked, (&count, votes)).unwrap());
        let (outcome, elected) = match judged {
            Some((outcome, elected)) => (outcome, json!(elected)),
            None => (rules::decide(preset, &count).unwrap(), Value::Null),
        };
        let turnout = (dice.below(2) == 0).then(|| {
            let paper = count.present - cast as u64;
            // of a few nothing is told
            let told = |n: u64| if (1..5).contains(&n) { Value::Null } else { json!(n) };
            json!({ "household": 0, "paper": told(paper), "phone": cast, "proxy": 0 })
        });
        let mut result = json!({
            "binding": true, "choice": elected, "count": count, "manifest": manifest_hash, "outcome": outcome,
            "turnout": turnout, "plaintexts": is_secret.then(|| hex(&tree::sha256(&[jcs(&plaintexts).as_bytes()]))), "poll": poll,
            "root": hex(&closing), "t": "2026-03-02T20:00:05Z",
        });
        // at once, challenged or not, settled or not
        if on_roll % 3 > 0 {
            result["challenge_until"] = json!("2026-03-06T16:00:00Z");
        }
        entries.push(lsb1::result_entry(&poll, &hex(&tree::sha256(&[jcs(&result).as_bytes()]))));
        let end = entries.len();
        if on_roll % 3 == 1 {
            let outcome = if cast % 2 == 0 { "final" } else { "overturned" };
            entries.push(lsb1::settled_entry(&poll, (outcome, &"cd".repeat(32)), "2026-03-06T16:00:00Z"));
        }
        let mut sizes = vec![2, shown, end - 1, end, entries.len()];
        sizes.dedup();
        let heads: Vec<Value> = sizes.into_iter().map(|size| json!({ "head": { "n": size }, "sig": "" })).collect();
        let mut archive = json!({
            "entries": entries, "envelopes": is_secret.then_some(envelopes), "format": "LSB1-archive", "heads": heads,
            "manifest": manifest, "plaintexts": plaintexts, "result": result, "result_sig": "", "roll": roll, "v": 1,
        });
        archive["result_sig"] = json!(self.signed(Signed::Result, &archive["result"]));
        self.sign(&mut archive);
        archive
    }

    /// The first that is such a one.
    pub(super) fn such(&self, dice: &mut Dice, is: impl Fn(&Value) -> bool) -> Value {
        std::iter::repeat_with(|| self.archive(dice)).find(is).unwrap()
    }

    /// What a vote says of itself, changed before anybody cast, as who holds the key could.
    pub(super) fn resaid(&self, archive: &Value, change: impl FnOnce(&mut Value)) -> Value {
        let mut archive = archive.clone();
        change(&mut archive["manifest"]);
        let hash = hex(&tree::sha256(&[jcs(&archive["manifest"]).as_bytes()]));
        let poll = archive["manifest"]["poll"].as_str().unwrap().to_owned();
        archive["entries"][0] = lsb1::manifest_entry(&poll, &hash);
        archive["result"]["manifest"] = json!(hash);
        self.rebuilt(archive)
    }

    /// The end of a board written anew, as who holds the key would: the result and the heads fit what is told.
    pub(super) fn rebuilt(&self, mut archive: Value) -> Value {
        let entries = archive["entries"].as_array_mut().unwrap();
        let close = entries.iter().position(|entry| entry["k"] == "close").unwrap();
        let leaves: Vec<tree::Hash> = entries[..=close].iter().map(|entry| tree::leaf(jcs(entry).as_bytes())).collect();
        let (all, poll) = (entries.len(), archive["manifest"]["poll"].as_str().unwrap().to_owned());
        let root = tree::root(&leaves);
        archive["result"]["root"] = json!(hex(&root));
        if let Some(envelopes) = archive["envelopes"].as_array_mut() {
            let bytes = |one: &Value| URL_SAFE_NO_PAD.decode(one.as_str().unwrap()).unwrap();
            envelopes.sort_by_cached_key(|one| tree::sha256(&[&tree::sha256(&[&bytes(one)]), &root]));
        }
        let digest = hex(&tree::sha256(&[jcs(&archive["result"]).as_bytes()]));
        archive["entries"][close + 1] = lsb1::result_entry(&poll, &digest);
        archive["result_sig"] = json!(self.signed(Signed::Result, &archive["result"]));
        let heads = [2].into_iter().chain(close + 1..=all).map(|size| json!({ "head": { "n": size }, "sig": "" }));
        archive["heads"] = json!(heads.collect::<Vec<_>>());
        self.sign(&mut archive);
        archive
    }
}

/// Changes of a roll of which the first have cast, and how many are on it then.
fn amended(dice: &mut Dice, poll: &str, (on_roll, cast): (usize, usize)) -> (Vec<Value>, usize) {
    let (mut told, mut now) = (Vec::new(), on_roll);
    if cast < on_roll && dice.below(3) == 0 {
        told.push(lsb1::amended_entry(poll, ("strike", on_roll as u64), "已迁出"));
        now -= 1;
        if dice.below(3) == 0 {
            told.push(lsb1::amended_entry(poll, ("restore", on_roll as u64), "查明没有迁出"));
            now += 1;
        }
    }
    if dice.below(3) == 0 {
        let elector = lsb1::elector_entry(on_roll as u64 + 1, &dice.uuid().to_string(), "person", 1);
        told.push(lsb1::added_entry(poll, &elector, "漏登，已补"));
        now += 1;
    }
    (told, now)
}
