//! Paper: what two people counted, and whether every sheet is accounted for; pure.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Question;

/// Boxes of one vote at most.
pub const MAX_BOXES: i32 = 20;
/// Ballots of one kind in one box at most.
const MAX_FIGURE: u64 = 100_000;

/// What was in a box.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SheetFigures {
    /// Ballots by what is marked on them: `for` and `against` of a motion, keys of the options of a choice; where one ballot may
    /// name several, the keys together in the order of the ballot, with commas between.
    pub votes: BTreeMap<String, u64>,
    /// Those on which abstention is marked; of a choice those on which nothing is.
    #[serde(default)]
    pub abstain: u64,
    /// Those that say nothing clear.
    #[serde(default)]
    pub invalid: u64,
}

impl SheetFigures {
    /// All ballots in the box.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.votes.values().fold(self.abstain.saturating_add(self.invalid), |sum, n| sum.saturating_add(*n))
    }

    /// The number for one mark; 0 when it was not told.
    #[must_use]
    pub fn votes_for(&self, mark: &str) -> u64 {
        self.votes.get(mark).copied().unwrap_or(0)
    }

    /// Do they fit what was asked, and what a box can hold?
    #[must_use]
    pub fn fit(&self, question: Option<&Question>) -> bool {
        let is_mark = |mark: &String| match question {
            Some(question) => question.is_written(&split(mark)),
            None => matches!(mark.as_str(), "for" | "against"),
        };
        let numbers = self.votes.values().chain([&self.abstain, &self.invalid]);
        self.votes.keys().all(is_mark) && numbers.into_iter().all(|n| *n <= MAX_FIGURE)
    }

    /// Without the marks that nobody made: two who counted the same wrote the same.
    #[must_use]
    pub fn normal(mut self) -> Self {
        self.votes.retain(|_, n| *n > 0);
        self
    }

    /// How many, without what is on them: as it is kept of ballots that are counted with others, or not at all.
    #[must_use]
    pub fn only_total(&self) -> Self {
        Self { votes: BTreeMap::from([(String::new(), self.total())]), ..Self::default() }.normal()
    }

    /// What stands on the ballots, and on how many; `None`: nothing clear.
    #[must_use]
    pub fn marks(&self, question: Option<&Question>) -> Vec<(Option<Vec<String>>, u64)> {
        let mut told: Vec<_> = self.votes.iter().map(|(mark, n)| (Some(split(mark)), *n)).collect();
        let abstained = if question.is_some() { Vec::new() } else { vec!["abstain".to_owned()] };
        told.push((Some(abstained), self.abstain));
        told.push((None, self.invalid));
        told
    }
}

/// The keys that stand together on a ballot.
fn split(mark: &str) -> Vec<String> {
    mark.split(',').map(str::to_owned).collect()
}

/// What became of the sheets that were handed out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Sheets {
    /// Handed out.
    pub issued: u64,
    /// Given back unused.
    pub returned: u64,
    /// Given back spoilt, and exchanged or not.
    pub spoilt: u64,
    /// Never seen again.
    pub lost: u64,
}

impl Sheets {
    /// Those that must be in the boxes.
    #[must_use]
    pub fn out(&self) -> u64 {
        self.issued.saturating_sub(self.returned.saturating_add(self.spoilt).saturating_add(self.lost))
    }
}

/// What the boxes and the sheets say together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reconciled {
    /// As many in the boxes as were handed out and did not come back.
    Exact,
    /// So many more: by law the whole vote is void.
    Over(u64),
    /// So many fewer: count again, or name the sheets that are lost.
    Short(u64),
}

/// Are the sheets all accounted for?
#[must_use]
pub fn reconcile(sheets: &Sheets, in_boxes: u64) -> Reconciled {
    let out = sheets.out();
    match in_boxes.checked_sub(out) {
        Some(0) => Reconciled::Exact,
        Some(more) => Reconciled::Over(more),
        None => Reconciled::Short(out - in_boxes),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn figures(votes: &[(&str, u64)], abstain: u64, invalid: u64) -> SheetFigures {
        let votes = votes.iter().map(|(mark, n)| ((*mark).to_owned(), *n)).collect();
        SheetFigures { votes, abstain, invalid }
    }

    #[test]
    fn two_who_counted_the_same_wrote_the_same() {
        let one = figures(&[("for", 3), ("against", 0)], 1, 0).normal();
        assert_eq!(one, figures(&[("for", 3)], 1, 0).normal());
        assert_eq!((one.total(), one.votes_for("for"), one.votes_for("against")), (4, 3, 0));
        let kept = one.only_total();
        assert_eq!((kept.total(), kept.votes_for("for"), kept.abstain), (4, 0, 0));
        assert_eq!(kept, kept.only_total());
        assert!(
            one.fit(None) && !figures(&[("1", 1)], 0, 0).fit(None) && !figures(&[("for", 100_001)], 0, 0).fit(None)
        );
        let asked = Question { options: vec!["1".into(), "2".into()], max_choices: 1, seats: 1 };
        assert!(figures(&[("2", 1)], 0, 0).fit(Some(&asked)) && !one.fit(Some(&asked)));
        let two = figures(&[("1,2", 3), ("2", 1)], 0, 0);
        assert!(!two.fit(Some(&asked)), "one may be named");
        let asked = Question { max_choices: 2, ..asked };
        assert!(two.fit(Some(&asked)) && two.total() == 4);
        assert_eq!(two.marks(Some(&asked))[0], (Some(vec!["1".to_owned(), "2".to_owned()]), 3));
        for wrong in ["2,1", "1,1", "1,", "", "1,3"] {
            assert!(!figures(&[(wrong, 1)], 0, 0).fit(Some(&asked)), "{wrong}");
        }
    }

    #[test]
    fn every_sheet_is_somewhere() {
        let sheets = Sheets { issued: 10, returned: 2, spoilt: 1, lost: 1 };
        assert_eq!(reconcile(&sheets, 6), Reconciled::Exact);
        assert_eq!(reconcile(&sheets, 7), Reconciled::Over(1));
        assert_eq!(reconcile(&sheets, 4), Reconciled::Short(2));
    }

    proptest! {
        #[test]
        fn what_stands_on_the_ballots_is_what_was_counted(yes in 0_u64..50, no in 0_u64..50, abstain in 0_u64..9, invalid in 0_u64..9) {
            let counted = figures(&[("for", yes), ("against", no)], abstain, invalid);
            let marks = counted.marks(None);
            prop_assert_eq!(marks.iter().map(|(_, n)| n).sum::<u64>(), counted.total());
            prop_assert!(marks.contains(&(Some(vec!["abstain".to_owned()]), abstain)) && marks.contains(&(None, invalid)));
        }
    }
}
