//! Ballots on paper in an archive: what each box held, and what became of every sheet that was handed out; pure.
use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    Board, Checked,
    marks::{Marks, Votes},
    require,
};
use crate::{
    board::lsb1,
    votes::rules::{Count, Question},
};

/// More than any village hands out; what is beyond it is no number of sheets.
const MOST: u64 = 1_000_000_000;

/// What was on paper.
#[derive(Default)]
pub(super) struct Paper {
    /// How many bear which marks; `None`: nothing that can be read.
    told: Vec<(Option<Marks>, u64)>,
    /// Ballots of a secret vote, told with the sealed ones.
    pub(super) secret: u64,
    /// Sheets that could come back, and the ballots by phone: nobody can have cast more.
    pub(super) issued: Option<u64>,
}

impl Paper {
    /// Marks and ballots, of an open vote.
    pub(super) fn told(&self) -> impl Iterator<Item = (Option<&[String]>, u64)> {
        self.told.iter().map(|(marks, ballots)| (marks.as_deref(), *ballots))
    }

    /// All of them.
    pub(super) fn ballots(&self) -> u64 {
        self.secret + self.told.iter().map(|(_, ballots)| ballots).sum::<u64>()
    }
}

/// Reads the boxes and the sheets. Each is as it is written, no box is told twice, no sheet is missing without being named
/// so; only a vote that says so has any.
pub(super) fn paper(board: &Board<'_>, asked: Option<&Question>, by_phone: u64) -> Checked<Paper> {
    let (boxes, sheets): (Vec<&Value>, Vec<&Value>) = (board.of("paper").collect(), board.of("sheets").collect());
    if boxes.is_empty() && sheets.is_empty() {
        return Ok(Paper::default());
    }
    require(board.manifest["paper"] == true && sheets.len() == 1, "paper")?;
    let is_secret = board.manifest["secrecy"] == "secret";
    let (mut paper, mut names) = (Paper::default(), BTreeSet::new());
    for entry in boxes {
        let (name, sheet) = (entry["box"].as_str().ok_or("paper")?, entry["sheet"].as_str().ok_or("paper")?);
        require(names.insert(name) && lsb1::unhex_hash(sheet).is_some(), "paper")?;
        let (about, poll) = ((name, sheet), board.poll.as_str());
        let told = if is_secret {
            let ballots = number(&entry["n"])?;
            paper.secret += ballots;
            lsb1::paper_secret_entry(poll, about, ballots)
        } else if let Some(asked) = asked {
            let others = [number(&entry["abstain"])?, number(&entry["invalid"])?];
            let votes = marked(asked, &entry["votes"])?;
            paper.told.extend(votes.iter().map(|(keys, ballots)| (Some(split(keys)), *ballots)));
            paper.told.extend([(Some(Vec::new()), others[0]), (None, others[1])]);
            lsb1::paper_choice_entry(poll, about, (&votes, others))
        } else {
            let counted = ["yes", "no", "abstain", "invalid"].map(|name| number(&entry[name]));
            let [yes, no, abstain, invalid] = counted;
            let counted = [yes?, no?, abstain?, invalid?];
            let words = [Some("for"), Some("against"), Some("abstain"), None];
            let marks = |word: Option<&str>| word.map(|word| vec![word.to_owned()]);
            paper.told.extend(words.map(marks).into_iter().zip(counted));
            lsb1::paper_entry(poll, about, counted)
        };
        require(*entry == told, "paper")?;
    }
    paper.issued = Some(by_phone + sheets_out(board, sheets.first().copied(), paper.ballots())?);
    Ok(paper)
}

fn split(keys: &str) -> Marks {
    keys.split(',').map(str::to_owned).collect()
}

/// How many ballots bear which marks: a number for each option where one may be named; else for each set of options that
/// occurs, in the order of the ballot.
fn marked(asked: &Question, told: &Value) -> Checked<Votes> {
    let mut votes = Votes::new();
    if asked.max_choices == 1 {
        for option in &asked.options {
            votes.insert(option.clone(), number(&told[option])?);
        }
        return Ok(votes);
    }
    for (keys, ballots) in told.as_object().ok_or("paper")? {
        let ballots = number(ballots)?;
        require(asked.is_written(&split(keys)) && ballots > 0, "paper")?;
        votes.insert(keys.clone(), ballots);
    }
    Ok(votes)
}

/// Sheets that were not given back, spoilt or lost: as many as lie in the boxes, or fewer, and then the vote is void.
fn sheets_out(board: &Board<'_>, entry: Option<&Value>, in_boxes: u64) -> Checked<u64> {
    let entry = entry.ok_or("paper")?;
    let all = ["issued", "returned", "spoilt", "lost"].map(|name| number(&entry[name]));
    let [issued, returned, spoilt, lost] = all;
    let (issued, returned, spoilt, lost) = (issued?, returned?, spoilt?, lost?);
    require(*entry == lsb1::sheets_entry(&board.poll, [issued, returned, spoilt, lost]), "paper")?;
    let out = issued.checked_sub(returned + spoilt + lost).ok_or("paper")?;
    require(in_boxes >= out, "paper")?;
    Ok(out)
}

fn number(value: &Value) -> Checked<u64> {
    value.as_u64().filter(|number| *number <= MOST).ok_or("paper")
}

/// Turnout by channel, where it is told: never more than took part, and all of them where no few are left out.
pub(super) fn turnout(told: &Value, count: &Count) -> Checked<()> {
    if told.is_null() {
        return Ok(());
    }
    let (mut sum, mut is_whole) = (0_u64, true);
    for channel in told.as_object().ok_or("count")?.values() {
        match channel {
            Value::Null => is_whole = false,
            known => sum += known.as_u64().filter(|number| *number <= MOST).ok_or("count")?,
        }
    }
    let is_void = count.issued.is_some_and(|issued| count.present > issued);
    require(sum <= count.present && (!is_whole || is_void || sum == count.present), "count")
}
