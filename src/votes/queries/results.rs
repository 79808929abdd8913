//! Results: every number, every comparison that was made, and the article it was made for.
use chrono::{DateTime, FixedOffset};
use fluent_bundle::FluentValue;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{OVERTURNED, OptionView, PROVISIONAL, conflicts::conflicts, label, options_of, row, rule_of};
use crate::{
    actor::Actor,
    clock,
    error::{Code, Error, Result},
    ids::{MatterId, VoteId},
    text,
    votes::{
        office,
        rows::vote,
        rules::{Basis, Comparison, Count, Elected, Measure, Outcome, Reason, RuleStep, Share},
    },
};

/// Results on one list at most.
const MAX_RESULTS: u64 = 50;

/// Why a vote was annulled by hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Annulled {
    /// Why.
    pub reason: String,
    /// By whose permission.
    pub authority: String,
}

/// A result, as kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredResult {
    /// What was counted.
    pub count: Count,
    /// What the law makes of it; `None` when the count contradicts itself.
    pub outcome: Option<Outcome>,
    /// Annulled by hand, and nothing was counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annulled: Option<Annulled>,
    /// Of a choice: the votes of each option, and who was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice: Option<Elected>,
}

impl StoredResult {
    /// Nothing was counted.
    #[must_use]
    pub fn nothing(count: Count, annulled: Option<Annulled>) -> Self {
        Self { count, outcome: None, annulled, choice: None }
    }

    /// How it ended, for events: passed, not_passed, tie, annulled.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match &self.outcome {
            Some(Outcome { passed: Some(true), .. }) => "passed",
            // more ballots than were handed out: by law there was no vote
            Some(Outcome { reason: Reason::MoreBallotsThanIssued, .. }) => "annulled",
            Some(Outcome { reason: Reason::Tie, .. }) => "tie",
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
    /// The matter; absent of a vote of a body's agenda.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matter_id: Option<MatterId>,
    /// What was asked.
    pub question: String,
    /// passed, not_passed, tie, annulled.
    pub outcome: String,
    /// Why, in Chinese.
    pub outcome_text: String,
    /// Why; absent when annulled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Annulled by hand: why; nothing was counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annulled: Option<Annulled>,
    /// Did enough take part for the vote to count?
    pub is_valid: bool,
    /// Does it decide, or only ask?
    pub is_binding: bool,
    /// The same in Chinese.
    pub label: String,
    /// Every number: E on_roll, P present, Y yes, N no, A abstain, I invalid.
    pub count: Count,
    /// Why there were more ballots in the boxes than sheets, so that the vote is void.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub void_reason: Option<String>,
    /// What was compared, in order.
    pub comparisons: Vec<ComparisonView>,
    /// Of a choice: the votes of each option, and who was chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub choice: Option<ChoiceResult>,
    /// Which legal rule.
    pub preset: String,
    /// Its name in Chinese.
    pub preset_name: String,
    /// Law and article, in Chinese.
    pub law: String,
    /// When it was closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<DateTime<FixedOffset>>,
    /// Does it stand: provisional, final, overturned; absent of what was annulled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settlement: Option<String>,
    /// Until when it may be challenged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub challenge_until: Option<DateTime<FixedOffset>>,
    /// Since when it stands, or does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settled_at: Option<DateTime<FixedOffset>>,
    /// The words of the resolution, or why the result does not stand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolution: Option<String>,
    /// What those look at first who announce an elected village committee: one person for two posts, kin beside kin; in Chinese.
    /// Not told on lists; who is of one household, only to those who may see what is shown to the area.
    #[serde(default)]
    pub to_check: Vec<String>,
}

impl ResultView {
    /// May it still be challenged, so that nothing follows from it yet?
    #[must_use]
    pub fn is_provisional(&self) -> bool {
        self.settlement.as_deref() == Some(PROVISIONAL)
    }

    /// Was a challenge right?
    #[must_use]
    pub fn is_overturned(&self) -> bool {
        self.settlement.as_deref() == Some(OVERTURNED)
    }
}

/// Who was chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChoiceResult {
    /// Places there were.
    pub seats: i32,
    /// Places that stay open.
    pub seats_open: u64,
    /// Every option, in the order of the ballot.
    pub options: Vec<OptionResult>,
}

/// How an option came out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OptionResult {
    /// As it stood on a ballot.
    pub key: String,
    /// What it says.
    pub text: String,
    /// Votes.
    pub votes: u64,
    /// Was it chosen?
    pub is_elected: bool,
    /// Has it as many votes at the cut as others, so that another vote decides?
    pub is_tied: bool,
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

/// The result of a vote, as everybody may read it.
///
/// # Errors
/// `not_found`; `wrong_state` while it is open.
pub async fn result_of(db: &impl ConnectionTrait, id: VoteId) -> Result<ResultView> {
    result_for(db, None, id).await
}

/// The result of a vote, and which of those chosen are of one household for who may see what is shown to the area.
///
/// # Errors
/// `not_found`; `wrong_state` while it is open.
pub async fn result_for(db: &impl ConnectionTrait, asker: Option<&Actor>, id: VoteId) -> Result<ResultView> {
    let row = row(db, id).await?;
    let sees = match asker {
        Some(actor) => office::sees(db, actor, &row).await?,
        None => false,
    };
    let to_check = conflicts(db, &row, sees).await?;
    Ok(ResultView { to_check, ..view(row)? })
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

/// Was it annulled by hand?
pub(super) fn is_annulled(row: &vote::Model) -> Result<bool> {
    Ok(kept(row)?.annulled.is_some())
}

pub(super) fn kept(row: &vote::Model) -> Result<StoredResult> {
    serde_json::from_str(row.result.as_deref().ok_or(Code::WrongState)?).map_err(Error::broken)
}

fn view(row: vote::Model) -> Result<ResultView> {
    let kept = kept(&row)?;
    let preset = rule_of(&row)?;
    let reason = kept.outcome.as_ref().map(|outcome| outcome.reason);
    let options = options_of(row.options.as_deref())?;
    let choice = kept.choice.as_ref().map(|elected| chosen(elected, options, row.seats));
    Ok(ResultView {
        choice,
        vote_id: row.id,
        matter_id: row.matter_id,
        question: row.question,
        outcome: kept.code().to_owned(),
        outcome_text: reason.map_or_else(|| text::say("vote-state-annulled"), reason_text),
        reason,
        annulled: kept.annulled,
        is_valid: kept.outcome.as_ref().is_some_and(|outcome| outcome.valid),
        is_binding: row.is_binding,
        label: label(row.is_binding),
        count: kept.count,
        void_reason: row.paper_void_reason,
        comparisons: kept
            .outcome
            .map(|outcome| outcome.comparisons.iter().map(comparison).collect())
            .unwrap_or_default(),
        preset: row.preset,
        preset_name: preset.zh,
        law: preset.law,
        closed_at: row.closed_at.map(clock::local),
        settlement: row.settlement,
        challenge_until: row.challenge_until.map(clock::local),
        settled_at: row.settled_at.map(clock::local),
        resolution: row.resolution,
        to_check: Vec::new(),
    })
}

fn chosen(elected: &Elected, options: Vec<OptionView>, seats: i32) -> ChoiceResult {
    let show = |option: OptionView| OptionResult {
        votes: elected.votes.get(&option.key).copied().unwrap_or(0),
        is_elected: elected.elected.contains(&option.key),
        is_tied: elected.tied.contains(&option.key),
        key: option.key,
        text: option.text,
    };
    ChoiceResult { seats, seats_open: elected.seats_open, options: options.into_iter().map(show).collect() }
}

fn reason_text(reason: Reason) -> String {
    text::say(match reason {
        Reason::Passed => "vote-reason-passed",
        Reason::Quorum => "vote-reason-quorum",
        Reason::Threshold => "vote-reason-threshold",
        Reason::MoreBallotsThanIssued => "vote-reason-more-ballots-than-issued",
        Reason::RankedByVotes => "vote-reason-ranked-by-votes",
        Reason::Elected => "vote-reason-elected",
        Reason::Tie => "vote-reason-tie",
        Reason::SeatsOpen => "vote-reason-seats-open",
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
    fn what_is_void_is_annulled_and_not_refused() {
        let rule = preset("village_assembly_person").unwrap();
        let count = Count { on_roll: 100, present: 60, yes: 60, issued: Some(59), ..Count::default() };
        let outcome = decide(rule, &count).unwrap();
        assert_eq!(StoredResult { outcome: Some(outcome), ..StoredResult::nothing(count, None) }.code(), "annulled");
    }

    #[test]
    fn a_result_names_every_comparison_in_words() {
        let rule = preset("village_assembly_person").unwrap();
        let count = Count { on_roll: 100, present: 60, yes: 30, no: 20, abstain: 10, ..Count::default() };
        let outcome = decide(rule, &count).unwrap();
        let told: Vec<String> = outcome.comparisons.iter().map(|made| comparison(made).text).collect();
        assert_eq!(told, ["名册 100 人，参加 60 人，要超过 1/2：达到", "参加 60 人，同意 30 人，要超过 1/2：没有达到"]);
        let kept = |outcome| StoredResult { outcome, ..StoredResult::nothing(count, None) };
        assert_eq!((kept(Some(outcome)).code(), kept(None).code()), ("not_passed", "annulled"));
    }

    #[test]
    fn every_reason_has_its_sentence() {
        for reason in [
            Reason::Passed,
            Reason::Quorum,
            Reason::Threshold,
            Reason::MoreBallotsThanIssued,
            Reason::RankedByVotes,
            Reason::Elected,
            Reason::Tie,
            Reason::SeatsOpen,
        ] {
            assert!(!reason_text(reason).contains('⟦'), "{reason:?}");
        }
    }
}
