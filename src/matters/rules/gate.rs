//! The gate of a stage: facts in, what is missing out.
use fluent_bundle::FluentValue;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::template::{Requirement, StageRule};
use crate::text;

/// What is known about the present stage of a matter. Only what came about since the stage was entered is in it, so that
/// a matter sent back needs new evidence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Voices that joined.
    pub voices: u64,
    /// A body proposed it.
    pub proposed_by_body: bool,
    /// Answers in closed surveys; the largest counts.
    pub survey_answers: u64,
    /// Households visited by closed visit sheets, each once; of those that were drawn, where some were.
    pub visits: u64,
    /// Those who objected to a notice of this matter.
    pub objectors: u64,
    /// How many of them were visited.
    pub objectors_visited: u64,
    /// Meetings that were held, with minutes.
    pub meetings: Vec<Held>,
    /// Other ways of doing it that were put beside the plan and not answered.
    pub alternatives_open: u64,
    /// Notices that ran their period with every objection answered.
    pub notices_concluded: u64,
    /// Objections without an answer.
    pub objections_open: u64,
    /// The newest opinion on the present plan, if there is one: does it agree?
    pub opinion: Option<bool>,
    /// The law reserves it to the assembly.
    pub is_reserved: bool,
    /// The newest note of a legal officer on the present plan, if there is one: is it lawful?
    pub legality: Option<bool>,
    /// A binding vote passed.
    pub vote_passed: bool,
    /// Tasks given.
    pub tasks: u64,
    /// Tasks without proof of being done.
    pub tasks_open: u64,
    /// The newest closed rating.
    pub rating: Option<Rating>,
    /// The final report is there.
    pub report: bool,
}

/// A meeting that was held, with minutes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Kind of the body that met.
    pub body_kind: String,
    /// How many had to come, where that is known.
    pub needed: Option<u64>,
    /// How many members came.
    pub present: u64,
    /// Did it resolve anything?
    pub is_resolved: bool,
    /// The plan was written anew since it began: what it resolved was about another one.
    pub is_outdated: bool,
}

impl Held {
    /// Were enough there?
    fn is_quorate(&self) -> bool {
        self.needed.is_some_and(|needed| self.present >= needed)
    }
}

/// A closed rating.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rating {
    /// Answers.
    pub answers: u64,
    /// Mean of the marks in hundredths, rounded down; `None` when nobody gave a mark.
    pub mean_hundredths: Option<u64>,
    /// A task given after it closed, to put things right.
    pub rectified: bool,
    /// One before it was too low, and nothing was put right since: nobody asks again until it fits.
    pub was_low: bool,
}

/// One thing that is missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Missing {
    /// Stable name of what is missing.
    pub code: String,
    /// How much is asked for.
    pub need: u64,
    /// How much there is.
    pub have: u64,
    /// The sentence, in Chinese.
    pub text: String,
}

impl Missing {
    fn new(code: &str, need: u64, have: u64) -> Self {
        let blanks = [("need", FluentValue::from(need.to_string())), ("have", FluentValue::from(have.to_string()))];
        let text = text::say_with(&format!("missing-{}", code.replace('_', "-")), &blanks);
        Self { code: code.to_owned(), need, have, text }
    }
}

/// Everything that the stage asks for and the facts do not show; empty when the gate is open.
#[must_use]
pub fn missing(rule: &StageRule, facts: &Facts) -> Vec<Missing> {
    rule.evidence.iter().flat_map(|requirement| lacks(requirement, facts)).collect()
}

/// The legal officer's note, where the law asks for one and there is none at all: no authority stands above it. One that
/// finds the matter unlawful may be overridden, by name and for everybody to see.
#[must_use]
pub fn unnoted(rule: &StageRule, facts: &Facts) -> Vec<Missing> {
    missing(rule, facts).into_iter().filter(|one| one.code == "legality").collect()
}

fn lacks(requirement: &Requirement, facts: &Facts) -> Vec<Missing> {
    let few = |code: &str, need: u64, have: u64| (have < need).then(|| Missing::new(code, need, have));
    let no = |code: &str, there: bool| (!there).then(|| Missing::new(code, 1, 0));
    let left = |code: &str, open: u64| (open > 0).then(|| Missing::new(code, 0, open));
    match requirement {
        Requirement::Origin { .. } if facts.proposed_by_body => Vec::new(),
        Requirement::Origin { min_voices } => few("origin", *min_voices, facts.voices).into_iter().collect(),
        Requirement::Need { min_visits, .. } if facts.visits >= *min_visits => Vec::new(),
        Requirement::Need { min_answers, .. } => {
            few("survey", *min_answers, facts.survey_answers).into_iter().collect()
        }
        Requirement::Meeting { body_kind, min, quorate, resolved } => {
            let held: Vec<&Held> = facts.meetings.iter().filter(|one| one.body_kind == *body_kind).collect();
            meetings(&held, (body_kind.as_str(), *min), (*quorate, *resolved)).into_iter().collect()
        }
        Requirement::Alternatives => left("alternatives", facts.alternatives_open).into_iter().collect(),
        Requirement::Notice { min } => {
            let unanswered = left("objections", facts.objections_open);
            let code = if *min == 1 { "notice" } else { "notices" };
            unanswered.into_iter().chain(few(code, *min, facts.notices_concluded)).collect()
        }
        Requirement::Visits { min, min_objectors } => {
            let visits = few("visits", *min, facts.visits);
            let objectors = few("objectors", (*min_objectors).min(facts.objectors), facts.objectors_visited);
            visits.into_iter().chain(objectors).collect()
        }
        Requirement::Opinion { body_kind } => match facts.opinion {
            Some(true) => Vec::new(),
            Some(false) => vec![Missing::new("opinion_agreeing", 1, 0)],
            None if body_kind.is_some() => vec![Missing::new("proposal", 1, 0)],
            None => vec![Missing::new("opinion", 1, 0)],
        },
        Requirement::Legality => match facts.legality {
            Some(true) => Vec::new(),
            // whether or not the law asks for a note: what is found unlawful goes on by somebody's named authority alone
            Some(false) => vec![Missing::new("legality_lawful", 1, 0)],
            None if !facts.is_reserved => Vec::new(),
            None => vec![Missing::new("legality", 1, 0)],
        },
        Requirement::Vote => no("vote", facts.vote_passed).into_iter().collect(),
        Requirement::Tasks { min } => {
            let undone = left("tasks_open", facts.tasks_open);
            few("tasks", *min, facts.tasks).into_iter().chain(undone).collect()
        }
        Requirement::Rating { min_answers, min_mean_hundredths } => {
            rating(facts.rating, *min_answers, *min_mean_hundredths).into_iter().collect()
        }
        Requirement::Report => no("report", facts.report).into_iter().collect(),
    }
}

/// The first of: enough meetings, with enough people, that resolved something.
fn meetings(held: &[&Held], (body_kind, min): (&str, u64), (quorate, resolved): (bool, bool)) -> Option<Missing> {
    if (held.len() as u64) < min {
        let code = if body_kind == "council" { "meeting".to_owned() } else { format!("meeting_{body_kind}") };
        return Some(Missing::new(&code, min, held.len() as u64));
    }
    let full: Vec<&&Held> = held.iter().filter(|one| !quorate || one.is_quorate()).collect();
    if (full.len() as u64) < min {
        let newest = held.iter().rev().find(|one| !one.is_quorate());
        let (need, have) = newest.map_or((1, 0), |one| (one.needed.unwrap_or(1), one.present));
        return Some(Missing::new("quorum", need, have));
    }
    let so_far = full.iter().filter(|one| !resolved || (one.is_resolved && !one.is_outdated)).count() as u64;
    let was_changed = full.iter().any(|one| one.is_resolved && one.is_outdated);
    let code = if was_changed { "plan_changed" } else { "resolution" };
    (so_far < min).then(|| Missing::new(code, min, so_far))
}

/// Rounded down, a mean of exactly 3.00 is enough and 2.999 is not.
fn rating(rating: Option<Rating>, min_answers: u64, min_mean_hundredths: u64) -> Option<Missing> {
    let rating = rating.unwrap_or_default();
    if rating.was_low {
        return Some(Missing::new("rectification", 1, 0));
    }
    match rating.mean_hundredths {
        Some(mean) if rating.answers >= min_answers => {
            (mean < min_mean_hundredths && !rating.rectified).then(|| Missing::new("rectification", 1, 0))
        }
        _ => Some(Missing::new("rating", min_answers, rating.answers)),
    }
}
