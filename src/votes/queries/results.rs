//! Results: every number, every comparison that was made, and the article it was made for.
use chrono::{DateTime, FixedOffset};
use fluent_bundle::FluentValue;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{label, row, rule_of};
use crate::{
    clock,
    error::{Code, Error, Result},
    ids::{MatterId, VoteId},
    text,
    votes::{
        rows::vote,
        rules::{Basis, Comparison, Count, Measure, Outcome, Reason, RuleStep, Share},
    },
};

/// Results on one list at most.
const MAX_RESULTS: u64 = 50;

/// A result, as kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredResult {
    /// What was counted.
    pub count: Count,
    /// What the law makes of it; `None` when the count contradicts itself.
    pub outcome: Option<Outcome>,
}

impl StoredResult {
    /// How it ended, for events: passed, not_passed, annulled.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match &self.outcome {
            Some(Outcome { passed: Some(true), .. }) => "passed",
            Some(_) => "not_passed",
            None => "annulled",
        }
    }
}

/// The result of a vote.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ResultView {
    /// The vote.
    pub vote_id: VoteId,
    /// The matter.
    pub matter_id: MatterId,
    /// What was asked.
    pub question: String,
    /// passed, not_passed, annulled.
    pub outcome: String,
    /// Why, in Chinese.
    pub outcome_text: String,
    /// Why; absent when annulled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Did enough take part for the vote to count?
    pub is_valid: bool,
    /// Does it decide, or only ask?
    pub is_binding: bool,
    /// The same in Chinese.
    pub label: String,
    /// Every number: E on_roll, P present, Y yes, N no, A abstain, I invalid.
    pub count: Count,
    /// What was compared, in order.
    pub comparisons: Vec<ComparisonView>,
    /// Which legal rule.
    pub preset: String,
    /// Its name in Chinese.
    pub preset_name: String,
    /// Law and article, in Chinese.
    pub law: String,
    /// When it was closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<DateTime<FixedOffset>>,
}

/// One comparison: `part × den` against `whole × num`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ComparisonView {
    /// Quorum or majority.
    pub step: RuleStep,
    /// Heads or area.
    pub measure: Measure,
    /// Those who took part, or those for.
    pub part: u64,
    /// The roll, or those who took part.
    pub whole: u64,
    /// The share asked for.
    pub share: Share,
    /// Was it reached?
    pub holds: bool,
    /// The comparison as a sentence, in Chinese.
    pub text: String,
}

/// The result of a vote.
///
/// # Errors
/// `not_found`; `wrong_state` while it is open.
pub async fn result_of(db: &impl ConnectionTrait, id: VoteId) -> Result<ResultView> {
    view(row(db, id).await?)
}

/// The results of an area's votes, newest first, 50 at most.
///
/// # Errors
/// When the database cannot be read.
pub async fn results_in(db: &impl ConnectionTrait, area: &str) -> Result<Vec<ResultView>> {
    let closed =
        vote::Entity::find().filter(vote::Column::AreaCode.eq(area)).filter(vote::Column::Result.is_not_null());
    let rows = closed.order_by_desc(vote::Column::ClosedAt).limit(MAX_RESULTS).all(db).await?;
    rows.into_iter().map(view).collect()
}

fn view(row: vote::Model) -> Result<ResultView> {
    let kept: StoredResult =
        serde_json::from_str(row.result.as_deref().ok_or(Code::WrongState)?).map_err(Error::broken)?;
    let preset = rule_of(&row)?;
    let reason = kept.outcome.as_ref().map(|outcome| outcome.reason);
    Ok(ResultView {
        vote_id: row.id,
        matter_id: row.matter_id,
        question: row.question,
        outcome: kept.code().to_owned(),
        outcome_text: reason.map_or_else(|| text::say("vote-state-annulled"), reason_text),
        reason,
        is_valid: kept.outcome.as_ref().is_some_and(|outcome| outcome.valid),
        is_binding: row.is_binding,
        label: label(row.is_binding),
        count: kept.count,
        comparisons: kept
            .outcome
            .map(|outcome| outcome.comparisons.iter().map(comparison).collect())
            .unwrap_or_default(),
        preset: row.preset,
        preset_name: preset.zh,
        law: preset.law,
        closed_at: row.closed_at.map(clock::local),
    })
}

fn reason_text(reason: Reason) -> String {
    text::say(match reason {
        Reason::Passed => "vote-reason-passed",
        Reason::Quorum => "vote-reason-quorum",
        Reason::Threshold => "vote-reason-threshold",
        Reason::MoreBallotsThanIssued => "vote-reason-more-ballots-than-issued",
        Reason::RankedByVotes => "vote-reason-ranked-by-votes",
    })
}

fn comparison(made: &Comparison) -> ComparisonView {
    let number = |n: u64| FluentValue::from(n.to_string());
    let share_key = if made.share.strict { "vote-share-strict" } else { "vote-share-reached" };
    let share = text::say_with(share_key, &[("num", number(made.share.num)), ("den", number(made.share.den))]);
    let verdict = text::say(if made.holds { "vote-comparison-holds" } else { "vote-comparison-fails" });
    let key = match (made.step, made.share.basis) {
        (RuleStep::Quorum, _) => "vote-comparison-quorum",
        (RuleStep::Passing, Basis::OnRoll) => "vote-comparison-passing-of-roll",
        (RuleStep::Passing, Basis::Present) => "vote-comparison-passing-of-present",
    };
    let blanks = [
        ("whole", number(made.whole)),
        ("part", number(made.part)),
        ("share", share.into()),
        ("verdict", verdict.into()),
    ];
    ComparisonView {
        step: made.step,
        measure: made.measure,
        part: made.part,
        whole: made.whole,
        share: made.share,
        holds: made.holds,
        text: text::say_with(key, &blanks),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::votes::rules::{decide, preset};

    #[test]
    fn a_result_names_every_comparison_in_words() {
        let rule = preset("village_assembly_person").unwrap();
        let count = Count { on_roll: 100, present: 60, yes: 30, no: 20, abstain: 10, ..Count::default() };
        let outcome = decide(rule, &count).unwrap();
        let told: Vec<String> = outcome.comparisons.iter().map(|made| comparison(made).text).collect();
        assert_eq!(told, ["名册 100 人，参加 60 人，要超过 1/2：达到", "参加 60 人，同意 30 人，要超过 1/2：没有达到"]);
        assert_eq!(StoredResult { count, outcome: Some(outcome) }.code(), "not_passed");
        assert_eq!(StoredResult { count, outcome: None }.code(), "annulled");
    }

    #[test]
    fn every_reason_has_its_sentence() {
        for reason in
            [Reason::Passed, Reason::Quorum, Reason::Threshold, Reason::MoreBallotsThanIssued, Reason::RankedByVotes]
        {
            assert!(!reason_text(reason).contains('⟦'), "{reason:?}");
        }
    }
}
