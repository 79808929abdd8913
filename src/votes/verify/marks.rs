//! What stands on the ballots of an archive, and how many of each there are; pure.
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Board, Checked, Paper, require};
use crate::votes::{
    commands::{self, Choice},
    rules::{Count, Question},
};

/// What stands on one ballot.
pub(super) type Marks = Vec<String>;

/// What may be chosen; `None`: for, against, abstain.
pub(super) fn question(board: &Board<'_>) -> Checked<Option<Question>> {
    if board.manifest["kind"].is_null() {
        return Ok(None);
    }
    let question = Question::read(board.manifest).ok_or("format")?;
    let distinct: BTreeSet<&String> = question.options.iter().collect();
    require(distinct.len() == question.options.len(), "format")?;
    Ok(Some(question))
}

/// What an option says, as far as the manifest tells.
pub(super) fn option_text<'a>(manifest: &'a Value, key: &'a str) -> &'a str {
    let at = manifest["options"].as_array().and_then(|all| all.iter().position(|one| one == key));
    at.and_then(|at| manifest["option_texts"][at].as_str()).unwrap_or(key)
}

fn one(choices: &[String]) -> Option<Choice> {
    match choices {
        [only] => Choice::parse(only),
        _ => None,
    }
}

pub(super) fn is_valid(asked: Option<&Question>, marks: &[String]) -> bool {
    asked.map_or_else(|| one(marks).is_some(), |asked| asked.is_valid(marks))
}

/// Valid, and in the order of the ballot, as sealed ones are shown.
pub(super) fn is_as_shown(asked: Option<&Question>, marks: &[String]) -> bool {
    is_valid(asked, marks) && asked.is_none_or(|asked| asked.is_in_order(marks))
}

/// Votes by option.
pub(super) type Votes = BTreeMap<String, u64>;

pub(super) fn count(
    (asked, chosen): (Option<&Question>, &[Option<Marks>]),
    on_paper: &Paper,
    on_roll: u64,
) -> (Count, Votes) {
    let mut count = Count { on_roll, issued: on_paper.issued, ..Count::default() };
    let mut votes = asked.map(Question::no_votes).unwrap_or_default();
    let each = chosen.iter().map(|marks| (marks.as_deref(), 1));
    for (marks, ballots) in each.chain(on_paper.told()) {
        match asked {
            Some(asked) => asked.add((&mut count, &mut votes), marks, ballots),
            None => commands::add(&mut count, marks.and_then(one), ballots),
        }
    }
    (count, votes)
}
