//! What the law makes of a count: quorum and majority as presets with their articles, in whole numbers only.
//!
//! A share is compared as `part * den` against `whole * num` in 128 bits, never divided, so "exactly two thirds of 301"
//! has one answer. 过半数 is strict, 半数以上 and 三分之二以上 are not (civil code, article 1259).
use std::{collections::BTreeMap, sync::LazyLock};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub mod charter;
pub mod collective;
pub mod composition;
pub mod election;
pub mod mobile;
pub mod paper;
pub mod proxies;
pub mod recall;
pub mod roll;
pub mod turnout;

pub use self::{
    charter::CharterRule,
    collective::CollectiveItem,
    election::{Elected, Question, elect},
    mobile::{MobileBox, MobileBoxes},
    proxies::{ProxyRule, Relation, Who},
    recall::{RecallPetition, Signers},
    roll::{RollFault, RollRule},
};

// Read-only after the first use, hence not state in the sense of the README.
static PRESETS: LazyLock<BTreeMap<String, Preset>> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "embedded at build time and read by the tests below")]
    serde_json::from_str(include_str!("presets.json")).expect("src/votes/presets.json")
});

/// All presets by id, e.g. `village_assembly_person`.
#[must_use]
pub fn presets() -> &'static BTreeMap<String, Preset> {
    &PRESETS
}

/// The preset with this id.
#[must_use]
pub fn preset(id: &str) -> Option<&'static Preset> {
    PRESETS.get(id)
}

/// One legal way to decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Preset {
    /// Its name, in Chinese.
    pub zh: String,
    /// Law and article, in Chinese.
    pub law: String,
    /// Who has a vote.
    pub unit: Unit,
    /// How many must take part; none where the law asks for none.
    pub quorum: Option<Share>,
    /// How many must agree; none where votes only rank.
    pub passing: Option<Share>,
    /// Days of notice before the vote, where the law names a number.
    #[serde(default)]
    pub notice_days: Option<u32>,
    /// Must the ballot be secret?
    #[serde(default)]
    pub secret: bool,
    /// Must the ballot be on paper?
    #[serde(default)]
    pub paper_required: bool,
    /// What must reach the same shares besides heads.
    #[serde(default)]
    pub second_measure: Option<Measure>,
    /// Who may cast for an elector; nobody where it is absent.
    #[serde(default)]
    pub proxy: Option<ProxyRule>,
    /// How long the roll hangs before the vote, where the law names a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roll: Option<RollRule>,
    /// For how many days a result may be challenged, where a rule names a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub challenge_days: Option<u32>,
}

/// Who has one vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A villager of 18 or over.
    Person,
    /// A household, through one of its people.
    Household,
    /// A member of the representatives' meeting.
    Representative,
    /// Who is on the electoral roll.
    Elector,
    /// A member of the collective.
    Member,
    /// A representative of the collective's members.
    MemberRep,
    /// A director of the collective.
    Director,
    /// An owner in the estate, whatever the number of flats.
    Owner,
    /// A member of the body that meets, with a seat or without.
    BodyMember,
}

/// A fraction of the roll or of those present.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// Numerator.
    pub num: u64,
    /// Denominator.
    pub den: u64,
    /// More than the share (`true`), or at least the share.
    pub strict: bool,
    /// A share of what.
    pub basis: Basis,
}

/// What a share is a share of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum Basis {
    /// The frozen roll with its amendments.
    #[serde(rename = "E")]
    OnRoll,
    /// Those who took part: every ballot given in, whatever is on it.
    #[serde(rename = "P")]
    Present,
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// One a head (or household, seat, owner).
    Heads,
    /// Floor area in 0.01 m².
    Area,
}

/// Votes by one measure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WeightedCount {
    /// E: on the roll.
    pub on_roll: u64,
    /// P: took part.
    pub present: u64,
    /// Y: for.
    pub yes: u64,
    /// N: against.
    pub no: u64,
    /// A: abstained or left blank.
    pub abstain: u64,
    /// I: invalid ballots.
    pub invalid: u64,
}

/// What was counted in one vote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Count {
    /// E: on the roll.
    pub on_roll: u64,
    /// P: took part.
    pub present: u64,
    /// Y: for.
    pub yes: u64,
    /// N: against.
    pub no: u64,
    /// A: abstained or left blank.
    pub abstain: u64,
    /// I: invalid ballots.
    pub invalid: u64,
    /// Ballots handed out, where they were counted.
    #[serde(default)]
    pub issued: Option<u64>,
    /// The same votes by the preset's second measure.
    #[serde(default)]
    pub weights: Option<WeightedCount>,
}

/// Why a vote ended as it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Enough took part and enough agreed.
    Passed,
    /// Too few took part: not a valid vote.
    Quorum,
    /// Valid, but too few agreed.
    Threshold,
    /// More ballots came back than were handed out: the whole vote is void.
    MoreBallotsThanIssued,
    /// Valid; who is chosen follows from the order of votes.
    RankedByVotes,
    /// Every place was filled.
    Elected,
    /// As many votes at the cut: another vote among them decides.
    Tie,
    /// Too few reached the majority: places stay open.
    SeatsOpen,
}

/// Which question a comparison answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RuleStep {
    /// Did enough take part?
    Quorum,
    /// Did enough agree?
    Passing,
}

/// One comparison as it was done: `part * den` against `whole * num`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Comparison {
    /// Quorum or majority.
    pub step: RuleStep,
    /// Heads or area.
    pub measure: Measure,
    /// Those who took part, or those for.
    pub part: u64,
    /// The roll, or those who took part, as `share.basis` says.
    pub whole: u64,
    /// The share asked for.
    pub share: Share,
    /// Was it reached?
    pub holds: bool,
}

impl Comparison {
    fn new(step: RuleStep, measure: Measure, share: Share, votes: &WeightedCount) -> Self {
        let part = match step {
            RuleStep::Quorum => votes.present,
            RuleStep::Passing => votes.yes,
        };
        let whole = match share.basis {
            Basis::OnRoll => votes.on_roll,
            Basis::Present => votes.present,
        };
        let mut comparison = Self { step, measure, part, whole, share, holds: false };
        let (left, right) = (comparison.left(), comparison.right());
        // No share of nothing is ever reached: an empty roll decides nothing.
        comparison.holds = whole > 0 && if share.strict { left > right } else { left >= right };
        comparison
    }

    /// `part * den`.
    #[must_use]
    pub fn left(&self) -> u128 {
        u128::from(self.part) * u128::from(self.share.den)
    }

    /// `whole * num`.
    #[must_use]
    pub fn right(&self) -> u128 {
        u128::from(self.whole) * u128::from(self.share.num)
    }
}

/// What the law makes of the count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Outcome {
    /// Did the vote take place in the sense of the law?
    pub valid: bool,
    /// Was the matter adopted; none where votes only rank.
    pub passed: Option<bool>,
    /// Why.
    pub reason: Reason,
    /// Everything that was compared, in this order; what an earlier answer made pointless is not there.
    pub comparisons: Vec<Comparison>,
}

/// A count that cannot be: the mistake is in the counting, and the law has nothing to say about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Inconsistent {
    /// P is not Y + N + A + I.
    #[error("{0:?}: present is not yes + no + abstain + invalid")]
    Sum(Measure),
    /// P is over E.
    #[error("{0:?}: more present than on the roll")]
    PresentOverRoll(Measure),
    /// Votes by area where no head voted so.
    #[error("{0:?}: weight without a head")]
    WeightWithoutHead(Measure),
    /// The preset asks for a second measure that was not counted.
    #[error("the second measure was not counted")]
    WeightsMissing,
    /// Counted by weight, but the preset knows one measure only.
    #[error("counted by weight, which the preset does not know")]
    WeightsUnknown,
}

/// Applies a preset to a count.
///
/// # Errors
/// When the count contradicts itself or does not fit the preset.
pub fn decide(preset: &Preset, count: &Count) -> Result<Outcome, Inconsistent> {
    let heads = count.heads();
    add_up(Measure::Heads, &heads)?;
    // Before the roll is looked at: stuffed boxes may hold more than the whole roll, and the law calls the vote void.
    if count.issued.is_some_and(|issued| count.present > issued) {
        return Ok(Outcome::new(false, Some(false), Reason::MoreBallotsThanIssued, Vec::new()));
    }
    within_roll(Measure::Heads, &heads)?;
    let mut measures = vec![(Measure::Heads, heads)];
    match (preset.second_measure, count.weights) {
        (Some(measure), Some(weights)) => {
            add_up(measure, &weights)?;
            within_roll(measure, &weights)?;
            has_heads(measure, &weights, &heads)?;
            measures.push((measure, weights));
        }
        (Some(_), None) => return Err(Inconsistent::WeightsMissing),
        (None, Some(_)) => return Err(Inconsistent::WeightsUnknown),
        (None, None) => {}
    }
    Ok(judge(preset, &measures))
}

fn judge(preset: &Preset, measures: &[(Measure, WeightedCount)]) -> Outcome {
    let compare = |step: RuleStep, share: Share| {
        measures.iter().map(move |(measure, votes)| Comparison::new(step, *measure, share, votes))
    };
    let mut comparisons: Vec<Comparison> =
        preset.quorum.into_iter().flat_map(|s| compare(RuleStep::Quorum, s)).collect();
    if comparisons.iter().any(|comparison| !comparison.holds) {
        return Outcome::new(false, Some(false), Reason::Quorum, comparisons);
    }
    let Some(passing) = preset.passing else {
        return Outcome::new(true, None, Reason::RankedByVotes, comparisons);
    };
    comparisons.extend(compare(RuleStep::Passing, passing));
    let passed = comparisons.iter().all(|comparison| comparison.holds);
    let reason = if passed { Reason::Passed } else { Reason::Threshold };
    Outcome::new(true, Some(passed), reason, comparisons)
}

impl Outcome {
    fn new(valid: bool, passed: Option<bool>, reason: Reason, comparisons: Vec<Comparison>) -> Self {
        Self { valid, passed, reason, comparisons }
    }
}

impl Count {
    fn heads(&self) -> WeightedCount {
        let Self { on_roll, present, yes, no, abstain, invalid, issued: _, weights: _ } = *self;
        WeightedCount { on_roll, present, yes, no, abstain, invalid }
    }
}

fn add_up(measure: Measure, votes: &WeightedCount) -> Result<(), Inconsistent> {
    let sum: u128 = [votes.yes, votes.no, votes.abstain, votes.invalid].into_iter().map(u128::from).sum();
    if sum == u128::from(votes.present) { Ok(()) } else { Err(Inconsistent::Sum(measure)) }
}

fn within_roll(measure: Measure, votes: &WeightedCount) -> Result<(), Inconsistent> {
    if votes.present <= votes.on_roll { Ok(()) } else { Err(Inconsistent::PresentOverRoll(measure)) }
}

/// Weight comes with heads: where nobody voted so, nothing weighs.
fn has_heads(measure: Measure, weights: &WeightedCount, heads: &WeightedCount) -> Result<(), Inconsistent> {
    let parts = |votes: &WeightedCount| [votes.on_roll, votes.yes, votes.no, votes.abstain, votes.invalid];
    let weighs_alone = parts(weights).into_iter().zip(parts(heads)).any(|(weight, heads)| weight > 0 && heads == 0);
    if weighs_alone { Err(Inconsistent::WeightWithoutHead(measure)) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
