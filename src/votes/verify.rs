//! Checks the archive of a vote, offline, and says in plain words what was checked and what is wrong; pure.
//!
//! The same is done by `deploy/verify/verify_vote.py` and `web/assets/verify.js`, which share no code with this.
use std::collections::BTreeSet;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use super::{
    archive::FORMAT,
    commands,
    rules::{Count, Question, Share},
};
use crate::{
    board::{
        lsb1::{self, Signed, hex, jcs},
        sealing, tree,
    },
    text,
};

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Sentences, in the order of the checks.
    pub lines: Vec<String>,
    /// The key of what is wrong; the checks ended there.
    pub fault: Option<&'static str>,
}

/// Every fault, by its key.
pub const FAULTS: &[&str] = &[
    "format",
    "manifest",
    "roll",
    "amend",
    "entry",
    "order",
    "twice",
    "void",
    "paper",
    "close",
    "heads",
    "root",
    "signature",
    "fingerprint",
    "ballot",
    "named",
    "envelopes",
    "envelope_order",
    "plaintexts",
    "count",
    "rule",
    "result",
    "settled",
];

mod decided;
mod marks;
mod own;
mod paper;
mod read;
mod reopen;
mod roll;
mod settled;

use decided::{annulled, decided};
use marks::{Marks, Votes, count, is_as_shown, option_text, question};
pub use own::own;
use paper::{Paper, paper};
pub use read::read;
pub use reopen::{Reopened, reopen};
use roll::{Roll, roll};
use settled::settled;

type Checked<T> = Result<T, &'static str>;

/// Checks an archive; `fingerprint` is one that was published on paper or in the channel.
#[must_use]
pub fn verify(archive: &Value, fingerprint: Option<&str>) -> Report {
    let mut lines = Vec::new();
    let fault = run(archive, fingerprint, &mut lines).err();
    if let Some(key) = fault {
        lines.push(text::word("verify-bad", key));
    }
    Report { lines, fault }
}

fn run(archive: &Value, fingerprint: Option<&str>, lines: &mut Vec<String>) -> Checked<()> {
    let board = Board::read(archive)?;
    said(lines, "manifest", &[("question", board.manifest["question"].as_str().unwrap_or_default())]);
    let mut electors = roll(archive, &board)?;
    said(lines, "roll", &[("electors", &electors.on_roll().to_string())]);
    let close = board.order()?;
    if electors.amend(&board)? {
        said(lines, "amended", &[("electors", &electors.on_roll().to_string())]);
    }
    let on_roll = electors.on_roll();
    let ballots = board.ballots()?;
    said(lines, "board", &[("entries", &board.entries.len().to_string()), ("ballots", &ballots.all.to_string())]);
    let heads = heads(archive, &board, close)?;
    let last = heads.last().map(|root| lsb1::fingerprint(root)).unwrap_or_default();
    said(lines, "heads", &[("heads", &heads.len().to_string()), ("fingerprint", &last)]);
    if let Some(wanted) = fingerprint {
        let digits = lsb1::published(wanted);
        require(digits.is_some_and(|digits| board.ever_showed(&digits)), "fingerprint")?;
        said(lines, "fingerprint", &[("fingerprint", &wanted.trim().to_uppercase())]);
    }
    let closing_root = board.root(close + 1);
    if !archive["result"]["annulled"].is_null() {
        let why = annulled(archive, &board, &closing_root)?;
        said(lines, "annulled", &[("reason", &why.reason), ("authority", &why.authority)]);
        said(lines, "key", &[("key", &board.key)]);
        return Ok(());
    }
    let asked = question(&board)?;
    // what became of every sheet stands there, be it that none was handed out
    require(board.manifest["sheets"] != true || board.of("sheets").count() == 1, "paper")?;
    let on_paper = paper(&board, asked.as_ref(), ballots.counted.len() as u64)?;
    if let Some(issued) = on_paper.issued {
        said(lines, "paper", &[("ballots", &on_paper.ballots().to_string()), ("issued", &issued.to_string())]);
    }
    let chosen = match archive["plaintexts"].as_array() {
        Some(plaintexts) => {
            opened(archive, (&board, &ballots, &on_paper), (&closing_root, asked.as_ref()), plaintexts)?
        }
        None => {
            require(archive["plaintexts"].is_null() && archive["envelopes"].is_null(), "plaintexts")?;
            named(&board, &ballots, &electors)?
        }
    };
    let (count, votes) = count((asked.as_ref(), &chosen), &on_paper, on_roll);
    let rule = decided(archive, &board, &closing_root, (asked.as_ref(), count, votes.clone()))?;
    told(lines, &board, (asked.as_ref(), count, &votes));
    // the law is what the manifest calls it: whoever reads on sees what was asked for
    let share = |share: Option<Share>| share.map_or_else(|| text::say("verify-share-none"), commands::share_in_words);
    let (quorum, passing, law) = (share(rule.quorum), share(rule.passing), board.manifest["law"].as_str());
    said(lines, "rule", &[("quorum", &quorum), ("passing", &passing), ("law", law.unwrap_or_default())]);
    settled(archive, &board, lines)?;
    said(lines, "key", &[("key", &board.key)]);
    Ok(())
}

/// Every number of the count, and of each option.
fn told(lines: &mut Vec<String>, board: &Board<'_>, (asked, count, votes): (Option<&Question>, Count, &Votes)) {
    let number = |n: u64| n.to_string();
    said(
        lines,
        "count",
        &[
            ("electors", &number(count.on_roll)),
            ("present", &number(count.present)),
            ("yes", &number(count.yes)),
            ("no", &number(count.no)),
            ("abstain", &number(count.abstain)),
            ("invalid", &number(count.invalid)),
        ],
    );
    for (key, votes) in asked.iter().flat_map(|asked| &asked.options).map(|key| (key, votes.get(key))) {
        let text = option_text(board.manifest, key);
        said(lines, "option", &[("option", text), ("votes", &number(votes.copied().unwrap_or(0)))]);
    }
}

fn said(lines: &mut Vec<String>, key: &str, blanks: &[(&str, &str)]) {
    let blanks: Vec<_> = blanks.iter().map(|(name, value)| (*name, (*value).into())).collect();
    lines.push(text::say_with(&format!("verify-{key}"), &blanks));
}

fn require(holds: bool, fault: &'static str) -> Checked<()> {
    if holds { Ok(()) } else { Err(fault) }
}

fn list<'a>(value: &'a Value, fault: &'static str) -> Checked<&'a [Value]> {
    value.as_array().map(Vec::as_slice).ok_or(fault)
}

/// A board as the archive tells it.
struct Board<'a> {
    manifest: &'a Value,
    poll: String,
    key: String,
    manifest_hash: String,
    entries: &'a [Value],
    leaves: Vec<tree::Hash>,
}

/// Digests of the ballots on the board.
struct Ballots {
    all: usize,
    /// Those that count.
    counted: BTreeSet<String>,
}

impl<'a> Board<'a> {
    fn read(archive: &'a Value) -> Checked<Self> {
        require(archive["format"] == FORMAT && archive["v"] == 1, "format")?;
        let manifest = &archive["manifest"];
        let known = manifest["format"] == "LSB1" && manifest["alg"] == "sha256-ed25519" && manifest["v"] == 1;
        require(known, "format")?;
        let entries = list(&archive["entries"], "format")?;
        let word = |name: &str| manifest[name].as_str().map(str::to_owned).ok_or("format");
        Ok(Self {
            manifest,
            poll: word("poll")?,
            key: word("board_key")?,
            manifest_hash: hex(&tree::sha256(&[jcs(manifest).as_bytes()])),
            entries,
            leaves: entries.iter().map(|entry| tree::leaf(jcs(entry).as_bytes())).collect(),
        })
    }

    fn root(&self, size: usize) -> String {
        hex(&tree::root(self.leaves.get(..size).unwrap_or_default()))
    }

    /// Was this the fingerprint at any size? The archive keeps few heads, and the last one signs all that came before.
    fn ever_showed(&self, digits: &str) -> bool {
        let mut edge = tree::Edge::default();
        self.leaves.iter().any(|leaf| {
            edge.push(*leaf);
            hex(&edge.root()).starts_with(digits)
        })
    }

    fn of(&self, kind: &'static str) -> impl Iterator<Item = &'a Value> {
        self.entries.iter().filter(move |entry| entry["k"] == kind)
    }

    /// Manifest and roll first, then ballots and changes of the roll, then what is told at the end, `close`, the result,
    /// whether it stands. Says where `close` is.
    fn order(&self) -> Checked<usize> {
        let rank = |entry: &Value| match entry["k"].as_str() {
            Some("manifest") => Some(0),
            Some("roll") => Some(1),
            Some("ballot" | "amend") => Some(2),
            Some("void" | "named" | "paper" | "sheets") => Some(3),
            Some("close") => Some(4),
            Some("result") => Some(5),
            Some("settled") => Some(6),
            _ => None,
        };
        let ranks: Vec<u8> = self.entries.iter().map(rank).collect::<Option<_>>().ok_or("entry")?;
        let times = |wanted: u8| ranks.iter().filter(|rank| **rank == wanted).count();
        let are_once = [0, 1, 4, 5].into_iter().all(|rank| times(rank) == 1) && times(6) <= 1;
        require(are_once && ranks.is_sorted(), "order")?;
        require(self.entries.first() == Some(&lsb1::manifest_entry(&self.poll, &self.manifest_hash)), "manifest")?;
        require(self.entries.iter().all(|entry| entry["poll"] == self.poll.as_str() && entry["v"] == 1), "entry")?;
        ranks.iter().position(|rank| *rank == 4).ok_or("order")
    }

    /// The digest that a leaf tells, and nothing else: more could be somebody's sign.
    fn hash(&self, entry: &Value, told: fn(&str, &str) -> Value) -> Checked<String> {
        let hash = entry["h"].as_str().filter(|hash| lsb1::unhex_hash(hash).is_some()).ok_or("entry")?;
        require(*entry == told(&self.poll, hash), "entry")?;
        Ok(hash.to_owned())
    }

    fn ballots(&self) -> Checked<Ballots> {
        let hashes = |kind: &'static str, told: fn(&str, &str) -> Value| -> Checked<Vec<String>> {
            self.of(kind).map(|entry| self.hash(entry, told)).collect()
        };
        let (ballots, void) = (hashes("ballot", lsb1::ballot_entry)?, hashes("void", lsb1::void_entry)?);
        let mut counted = BTreeSet::new();
        for hash in ballots {
            require(counted.insert(hash), "twice")?;
        }
        let all = counted.len();
        for hash in void {
            // only who cast again has a ballot that does not count
            require(self.manifest["revote"] == true && counted.remove(&hash), "void")?;
        }
        let close = self.of("close").next().ok_or("order")?;
        require(*close == lsb1::close_entry(&self.poll, all as u64), "close")?;
        Ok(Ballots { all, counted })
    }
}

/// Every head is signed, and is the root over the first leaves; the last are those of the end, of the result and of what came
/// after it. Their roots.
fn heads(archive: &Value, board: &Board<'_>, close: usize) -> Checked<Vec<String>> {
    let mut sizes = Vec::new();
    let mut roots = Vec::new();
    for signed in list(&archive["heads"], "heads")? {
        let head = &signed["head"];
        let size = head["n"].as_u64().and_then(|size| usize::try_from(size).ok()).ok_or("heads")?;
        require(size <= board.leaves.len() && sizes.last().is_none_or(|last| *last < size), "heads")?;
        let (root, at) = (board.root(size), head["t"].as_str().ok_or("heads")?);
        require(*head == lsb1::head(&board.poll, (size as u64, &root), at), "root")?;
        require(lsb1::is_signed(&board.key, Signed::Head, head, signed["sig"].as_str().ok_or("heads")?), "signature")?;
        sizes.push(size);
        roots.push(root);
    }
    let last: Vec<usize> = (close + 1..=board.leaves.len()).collect();
    require(sizes.ends_with(&last), "heads")?;
    Ok(roots)
}

/// The marks of each open ballot: its digest is among the ballots, its elector is told once.
fn named(board: &Board<'_>, ballots: &Ballots, roll: &Roll) -> Checked<Vec<Option<Marks>>> {
    let secrecy = &board.manifest["secrecy"];
    require(secrecy == "open" || (secrecy == "paper" && ballots.all == 0), "plaintexts")?;
    let (mut hashes, mut electors, mut chosen) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    for entry in board.of("named") {
        let (choices, cast_id) = (strings(&entry["c"]).ok_or("named")?, entry["cast_id"].as_str().ok_or("named")?);
        let hash = lsb1::ballot_digest(&board.poll, cast_id, &choices);
        let elector = entry["e"].as_u64().ok_or("named")?;
        let is_told = *entry == lsb1::named_entry(&board.poll, (elector, cast_id, &choices), &hash);
        require(is_told && ballots.counted.contains(&hash) && roll.holds(elector), "named")?;
        require(hashes.insert(hash) && electors.insert(elector), "named")?;
        chosen.push(Some(choices));
    }
    require(hashes.len() == ballots.counted.len(), "named")?;
    Ok(chosen)
}

/// The sealed ballots are those of the board, in the order that nobody chose; what was on them is sorted by content.
fn opened(
    archive: &Value,
    (board, ballots, on_paper): (&Board<'_>, &Ballots, &Paper),
    (closing_root, asked): (&str, Option<&Question>),
    plaintexts: &[Value],
) -> Checked<Vec<Option<Marks>>> {
    require(board.manifest["secrecy"] == "secret" && board.of("named").next().is_none(), "plaintexts")?;
    let root = lsb1::unhex(closing_root).unwrap_or_default();
    let (mut hashes, mut ids, mut last) = (BTreeSet::new(), BTreeSet::new(), None);
    for envelope in list(&archive["envelopes"], "envelopes")? {
        let bytes = envelope.as_str().and_then(|text| URL_SAFE_NO_PAD.decode(text).ok()).ok_or("envelopes")?;
        // one ballot, copied and bent where nobody looks, would count twice: it bears the same id
        require(sealing::id_of(&bytes).is_some_and(|id| ids.insert(id)), "envelopes")?;
        let digest = tree::sha256(&[&bytes]);
        let place = tree::sha256(&[&digest, &root]);
        let hash = hex(&digest);
        require(ballots.counted.contains(&hash) && hashes.insert(hash), "envelopes")?;
        require(last.is_none_or(|last| last < place), "envelope_order")?;
        last = Some(place);
    }
    require(hashes.len() == ballots.counted.len(), "envelopes")?;
    let ballots = (hashes.len() as u64).checked_add(on_paper.secret).ok_or("plaintexts")?;
    require(plaintexts.len() as u64 == ballots && plaintexts.is_sorted_by_key(jcs), "plaintexts")?;
    let read = |ballot: &Value| match ballot {
        Value::Null => Ok(None),
        told => strings(told).filter(|marks| is_as_shown(asked, marks)).map(Some).ok_or("plaintexts"),
    };
    let chosen = plaintexts.iter().map(read).collect::<Checked<Vec<_>>>()?;
    let digest = hex(&tree::sha256(&[jcs(&archive["plaintexts"]).as_bytes()]));
    require(archive["result"]["plaintexts"] == digest.as_str(), "plaintexts")?;
    Ok(chosen)
}

fn strings(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|one| one.as_str().map(str::to_owned)).collect()
}
