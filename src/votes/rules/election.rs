//! Choosing k of n for s seats: who reached the majority, who is chosen by the order of votes, and whom a tie at the cut
//! leaves to another vote. A tie is never broken here.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{Basis, Comparison, Count, Inconsistent, Measure, Outcome, Preset, Reason, RuleStep, Share, decide};

/// Options of one vote at most.
pub const MAX_OPTIONS: usize = 64;
/// Choices on one ballot at most: a sealed one has a fixed length.
pub const MAX_CHOICES: usize = 30;

/// What was asked: the options in the order of the ballot, how many may be chosen, how many places there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Keys.
    pub options: Vec<String>,
    /// k.
    pub max_choices: usize,
    /// s.
    pub seats: usize,
}

/// Who was chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Elected {
    /// Votes by option.
    pub votes: BTreeMap<String, u64>,
    /// Those chosen, by the order of votes, then of the ballot.
    pub elected: Vec<String>,
    /// Those with as many votes at the cut: another vote among them decides.
    pub tied: Vec<String>,
    /// Places left.
    pub seats_open: u64,
}

impl Question {
    /// Is this a valid ballot: known options, each once, no more than may be chosen? Nothing chosen is an abstention.
    #[must_use]
    pub fn is_valid(&self, choices: &[String]) -> bool {
        let is_once = |at: usize, choice: &String| !choices.iter().take(at).any(|before| before == choice);
        choices.len() <= self.max_choices
            && choices.iter().enumerate().all(|(at, choice)| self.options.contains(choice) && is_once(at, choice))
    }

    /// Where an option stands on the ballot.
    fn place(&self, choice: &String) -> Option<usize> {
        self.options.iter().position(|option| option == choice)
    }

    /// The same choices as everybody else would write them: the order in which they were marked could be somebody's sign.
    #[must_use]
    pub fn in_order(&self, mut choices: Vec<String>) -> Vec<String> {
        choices.sort_by_key(|choice| self.place(choice));
        choices
    }

    /// Are these in the order of the ballot?
    #[must_use]
    pub fn is_in_order(&self, choices: &[String]) -> bool {
        choices.is_sorted_by_key(|choice| self.place(choice))
    }

    /// Are these the choices of a valid ballot that names somebody, as everybody would write them?
    #[must_use]
    pub fn is_written(&self, choices: &[String]) -> bool {
        !choices.is_empty() && self.is_valid(choices) && self.is_in_order(choices)
    }

    /// Counts ballots with these choices, or without valid ones.
    pub fn add(
        &self,
        (count, votes): (&mut Count, &mut BTreeMap<String, u64>),
        choices: Option<&[String]>,
        ballots: u64,
    ) {
        count.present += ballots;
        match choices.filter(|choices| self.is_valid(choices)) {
            None => count.invalid += ballots,
            Some([]) => count.abstain += ballots,
            Some(choices) => {
                count.yes += ballots;
                for choice in choices {
                    *votes.entry(choice.clone()).or_default() += ballots;
                }
            }
        }
    }

    /// What a manifest asks; `None` for a motion, and for what is no manifest of a choice.
    #[must_use]
    pub fn read(manifest: &Value) -> Option<Self> {
        let number = |name: &str| manifest[name].as_u64().and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0);
        let options = manifest["options"].as_array()?.iter().map(|one| one.as_str().map(str::to_owned));
        let options: Vec<String> = options.collect::<Option<_>>()?;
        let is_choice = manifest["kind"] == "choice";
        is_choice.then_some(Self { options, max_choices: number("max_choices")?, seats: number("seats")? })
    }

    /// No votes yet, for every option.
    #[must_use]
    pub fn no_votes(&self) -> BTreeMap<String, u64> {
        self.options.iter().map(|option| (option.clone(), 0)).collect()
    }
}

/// Applies a preset to votes by option.
///
/// # Errors
/// When the count contradicts itself or does not fit the preset.
pub fn elect(
    preset: &Preset,
    question: &Question,
    (count, votes): (&Count, BTreeMap<String, u64>),
) -> Result<(Outcome, Elected), Inconsistent> {
    let quorum = decide(&Preset { passing: None, ..preset.clone() }, count)?;
    let seats = question.seats as u64;
    if !quorum.valid {
        return Ok((quorum, Elected { votes, seats_open: seats, ..Elected::default() }));
    }
    let votes_of = |option: &String| votes.get(option).copied().unwrap_or(0);
    let reaches = |option: &&String| {
        votes_of(option) > 0 && preset.passing.is_none_or(|share| reached(share, count, votes_of(option)))
    };
    let mut order: Vec<&String> = question.options.iter().filter(reaches).collect();
    // a stable order: of as many votes, that of the ballot
    order.sort_by_key(|option| std::cmp::Reverse(votes_of(option)));
    let mut elected: Vec<String> = order.iter().take(question.seats).map(|option| (*option).clone()).collect();
    let mut tied = Vec::new();
    let (last, next) = (question.seats.checked_sub(1).and_then(|at| order.get(at)), order.get(question.seats));
    if let (Some(last), Some(next)) = (last, next)
        && votes_of(last) == votes_of(next)
    {
        let at_cut = votes_of(next);
        elected.retain(|option| votes_of(option) > at_cut);
        tied = order.iter().filter(|option| votes_of(option) == at_cut).map(|option| (*option).clone()).collect();
    }
    let seats_open = seats - elected.len() as u64;
    let reason = match (tied.is_empty(), seats_open) {
        (false, _) => Reason::Tie,
        (true, 0) => Reason::Elected,
        (true, _) => Reason::SeatsOpen,
    };
    let passed = Some(reason == Reason::Elected);
    Ok((Outcome { passed, reason, ..quorum }, Elected { votes, elected, tied, seats_open }))
}

fn reached(share: Share, count: &Count, votes: u64) -> bool {
    let whole = match share.basis {
        Basis::OnRoll => count.on_roll,
        Basis::Present => count.present,
    };
    let compared =
        Comparison { step: RuleStep::Passing, measure: Measure::Heads, part: votes, whole, share, holds: false };
    let (left, right) = (compared.left(), compared.right());
    whole > 0 && if share.strict { left > right } else { left >= right }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::votes::rules::preset;

    fn question(options: usize, max_choices: usize, seats: usize) -> Question {
        Question { options: (1..=options).map(|n| n.to_string()).collect(), max_choices, seats }
    }

    /// Counts ballots by the places of the options chosen, and applies the rule of the villagers' assembly.
    fn held(asked: &Question, on_roll: u64, ballots: &[&[&str]]) -> (Outcome, Elected) {
        let (mut count, mut votes) = (Count { on_roll, ..Count::default() }, asked.no_votes());
        for ballot in ballots {
            let chosen: Vec<String> = ballot.iter().map(|one| (*one).to_owned()).collect();
            asked.add((&mut count, &mut votes), Some(&chosen), 1);
        }
        elect(preset("village_assembly_person").unwrap(), asked, (&count, votes)).unwrap()
    }

    #[test]
    fn who_has_more_than_half_is_chosen_by_the_order_of_votes() {
        let asked = question(3, 2, 2);
        let (outcome, elected) = held(&asked, 5, &[&["1", "2"], &["1", "2"], &["1", "3"], &["2"]]);
        assert_eq!((outcome.valid, outcome.passed, outcome.reason), (true, Some(true), Reason::Elected));
        assert_eq!((elected.elected, elected.seats_open), (vec!["1".to_owned(), "2".to_owned()], 0));
        assert_eq!(elected.votes["3"], 1);
        // exactly half is not more than half, and a place stays open
        let (outcome, elected) = held(&asked, 5, &[&["1"], &["1"], &["2"], &[]]);
        assert_eq!((outcome.reason, elected.elected.len(), elected.seats_open), (Reason::SeatsOpen, 0, 2));
    }

    #[test]
    fn a_tie_at_the_cut_is_never_broken() {
        let asked = question(4, 3, 2);
        let (outcome, elected) = held(&asked, 4, &[&["1", "2", "3"], &["1", "2", "3"], &["1", "2", "3"], &["1", "4"]]);
        assert_eq!((outcome.reason, outcome.passed), (Reason::Tie, Some(false)));
        assert_eq!((elected.elected, elected.seats_open), (vec!["1".to_owned()], 1));
        assert_eq!(elected.tied, ["2", "3"]);
        // all of them tied: nobody is chosen; above the cut a tie hurts nobody
        let (_, elected) = held(&question(2, 2, 1), 3, &[&["1", "2"], &["1", "2"]]);
        assert_eq!((elected.elected.len(), elected.tied.len(), elected.seats_open), (0, 2, 1));
        let (outcome, _) = held(&question(3, 2, 2), 3, &[&["1", "2"], &["1", "2"]]);
        assert_eq!(outcome.reason, Reason::Elected);
    }

    #[test]
    fn too_many_unknown_and_double_marks_are_invalid_and_no_mark_abstains() {
        let asked = question(3, 2, 1);
        let ballots: [&[&str]; 5] = [&["1", "2", "3"], &["9"], &["1", "1"], &[], &["2", "1"]];
        let (outcome, elected) = held(&asked, 9, &ballots);
        assert_eq!((elected.votes["1"], elected.votes["2"], elected.votes["3"]), (1, 1, 0));
        assert_eq!(outcome.comparisons[0].part, 5, "all of them took part");
        // without a quorum nobody is chosen, whatever the votes
        let (outcome, elected) = held(&asked, 10, &ballots);
        assert_eq!((outcome.valid, outcome.reason, elected.elected.len()), (false, Reason::Quorum, 0));
        assert_eq!(elected.seats_open, 1);
    }

    proptest! {
        #[test]
        fn the_order_of_ballots_and_of_marks_does_not_matter(
            ballots in prop::collection::vec(prop::collection::btree_set(0_usize..5, 0..4), 1..30), seats in 1_usize..4,
        ) {
            let asked = question(5, 3, seats);
            let name = |at: &usize| asked.options[*at].as_str();
            let one: Vec<Vec<&str>> = ballots.iter().map(|marks| marks.iter().map(name).collect()).collect();
            let mut other = one.clone();
            other.reverse();
            other.iter_mut().for_each(|marks| marks.reverse());
            let on_roll = ballots.len() as u64;
            let first = held(&asked, on_roll, &one.iter().map(Vec::as_slice).collect::<Vec<_>>());
            let second = held(&asked, on_roll, &other.iter().map(Vec::as_slice).collect::<Vec<_>>());
            prop_assert_eq!(&first, &second);
            let (_, elected) = first;
            prop_assert!(elected.elected.len() + usize::try_from(elected.seats_open).unwrap() == seats);
            prop_assert!(elected.tied.is_empty() || elected.tied.len() as u64 > elected.seats_open);
        }
    }
}
