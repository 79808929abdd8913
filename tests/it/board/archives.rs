//! Random archives: Rust, the browser's script and the independent one agree on every one of them, and refuse the forged.
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use liusheng::{
    board::{
        lsb1::{self, Signed, hex, jcs},
        sealing, tree,
    },
    keys::Keys,
    votes::{
        rules::{self, Count, Question},
        verify::verify,
    },
};
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{by_browser, by_python};
use crate::support::{is_done_before, is_full_run};

/// Whole numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }

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

    /// A vote that took place.
    fn archive(&self, dice: &mut Dice) -> Value {
        self.told(dice, true)
    }

    /// A vote that took place; one that does not own up to casting again or to paper is else without a fault.
    fn told(&self, dice: &mut Dice, owns_up: bool) -> Value {
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
                let bytes = [id.as_bytes().as_slice(), dice.uuid().as_bytes()].concat();
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

    /// The end of a board written anew, as who holds the key would: the result and the heads fit what is told.
    fn rebuilt(&self, mut archive: Value) -> Value {
        let entries = archive["entries"].as_array_mut().unwrap();
        let close = entries.iter().position(|entry| entry["k"] == "close").unwrap();
        let leaves: Vec<tree::Hash> = entries[..=close].iter().map(|entry| tree::leaf(jcs(entry).as_bytes())).collect();
        let (all, poll) = (entries.len(), archive["manifest"]["poll"].as_str().unwrap().to_owned());
        archive["result"]["root"] = json!(hex(&tree::root(&leaves)));
        let digest = hex(&tree::sha256(&[jcs(&archive["result"]).as_bytes()]));
        archive["entries"][close + 1] = lsb1::result_entry(&poll, &digest);
        archive["result_sig"] = json!(self.signed(Signed::Result, &archive["result"]));
        let heads = [2].into_iter().chain(close + 1..=all).map(|size| json!({ "head": { "n": size }, "sig": "" }));
        archive["heads"] = json!(heads.collect::<Vec<_>>());
        self.sign(&mut archive);
        archive
    }

    /// One of the ways to forge; `None` where this archive has nothing to forge so.
    fn forged(&self, way: usize, honest: &Value, dice: &mut Dice) -> Option<Value> {
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
                let envelopes = archive["envelopes"].as_array_mut()?;
                *envelopes.first_mut()? = json!(URL_SAFE_NO_PAD.encode(dice.uuid().as_bytes()));
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

const WAYS: usize = 32;

fn flip(hex: &mut Value) {
    let text = hex.as_str().unwrap();
    let first = if text.starts_with('0') { '1' } else { '0' };
    *hex = json!(format!("{first}{}", &text[1..]));
}

#[test]
fn three_who_share_no_code_agree_on_random_archives_and_refuse_the_forged() {
    if is_done_before("random archives") {
        return;
    }
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
        // sealed ballots lie in an order that hangs on the manifest
        let is_open = archive["manifest"]["secrecy"] == "open";
        is_open && archive["manifest"]["rule"]["quorum"].is_null() && archive["result"]["outcome"]["valid"] == true
    };
    let mut misread = std::iter::repeat_with(|| village.archive(&mut dice)).find(no_quorum).unwrap();
    misread["manifest"]["rule"]["quorum"] = json!(false);
    let hash = hex(&tree::sha256(&[jcs(&misread["manifest"]).as_bytes()]));
    let poll = misread["manifest"]["poll"].as_str().unwrap().to_owned();
    misread["entries"][0] = lsb1::manifest_entry(&poll, &hash);
    misread["result"]["manifest"] = json!(hash);
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
        (village.rebuilt(misread), "rule"),
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
