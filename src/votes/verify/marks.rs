//! What stands on the ballots of an archive, and how many of each there are; pure.
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Board, Checked, require};
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
    board: &Board<'_>,
    (asked, chosen): (Option<&Question>, &[Option<Marks>]),
    on_roll: u64,
) -> (Count, Votes) {
    let mut count = Count { on_roll, ..Count::default() };
    let mut votes = asked.map(Question::no_votes).unwrap_or_default();
    for marks in chosen {
        match asked {
            Some(asked) => asked.add((&mut count, &mut votes), marks.as_deref(), 1),
            None => commands::add(&mut count, marks.as_deref().and_then(one), 1),
        }
    }
    for paper in board.of("paper") {
        let number = |name: &str| paper[name].as_u64().unwrap_or(0);
        let (yes, no, abstain, invalid) = (number("yes"), number("no"), number("abstain"), number("invalid"));
        count.yes = count.yes.saturating_add(yes);
        count.no = count.no.saturating_add(no);
        count.abstain = count.abstain.saturating_add(abstain);
        count.invalid = count.invalid.saturating_add(invalid);
        count.present = [yes, no, abstain, invalid].into_iter().fold(count.present, u64::saturating_add);
    }
    (count, votes)
}
