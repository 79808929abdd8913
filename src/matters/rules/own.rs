//! A village's own path: stages that its charter sets down, checked against what the law asks of every path.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Stage,
    template::{Entry, Mover, OWN, Requirement, StageRule, Template},
};
use crate::error::Checks;

/// No path goes without: who wants it is heard, everybody can object, and it is shown what came of it.
const ALWAYS: [Stage; 3] = [Stage::Raise, Stage::Publicise, Stage::Evaluate];
/// Hundredths of a mark below which something must be put right; no charter lowers it.
const MEAN: u64 = 300;
/// More is asked of nobody.
const MOST: u64 = 1000;
/// Working days a stage may take at most.
const MOST_DAYS: u32 = 250;

/// Working days that a stage must have at least: a notice hangs for five days, and a meeting of the villagers is called ten
/// days ahead (组织法, article 21). A charter that gives less promises what the law forbids.
#[must_use]
pub fn least_days(stage: Stage) -> u32 {
    match stage {
        Stage::Publicise => 5,
        Stage::Decide => 10,
        Stage::Raise | Stage::Deliberate | Stage::Review | Stage::Evaluate => 1,
    }
}

/// A path that a village's own rules set down.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnPath {
    /// What the village calls it. 2 to 20 characters.
    #[schema(min_length = 2, max_length = 20)]
    pub name: String,
    /// Its stages in order; `raise`, `publicise` and `evaluate` among them. Without `decide` it is not for what the law reserves
    /// to the assembly.
    pub stages: Vec<OwnStage>,
}

/// A stage of it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnStage {
    /// Which.
    pub stage: Stage,
    /// Working days that it may take, 1 to 250; for `publicise` 5 at least, for `decide` 10, as the law asks.
    #[schema(minimum = 1, maximum = 250)]
    pub due_working_days: u32,
    /// How many at least, 1 to 1,000; one when absent: voices to raise, the council's meetings to deliberate, visits to review,
    /// tasks to evaluate. Not for the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1000)]
    pub min: Option<u64>,
    /// Answers that its survey (raise) or its rating (evaluate) needs at least, 1 to 1,000; without one no survey is asked, and
    /// of a rating one answer. Not for the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1000)]
    pub min_answers: Option<u64>,
}

/// Notes what is wrong with a path: the lawful minimum stays.
pub fn check(checks: &mut Checks, path: &OwnPath) {
    checks.text("path.name", &path.name, 2..=20);
    let in_order = path.stages.windows(2).all(|pair| matches!(pair, [one, next] if one.stage < next.stage));
    checks.require(in_order, "path.stages", "out_of_order");
    let has = |stage: &Stage| path.stages.iter().any(|own| own.stage == *stage);
    checks.require(ALWAYS.iter().all(has), "path.stages", "unlawful_path");
    for (n, own) in path.stages.iter().take(Stage::ALL.len()).enumerate() {
        let field = |name: &str| format!("path.stages[{n}].{name}");
        let days = own.due_working_days;
        checks.require((1..=MOST_DAYS).contains(&days), &field("due_working_days"), "out_of_range");
        let is_lawful = days == 0 || days >= least_days(own.stage);
        checks.require(is_lawful, &field("due_working_days"), "below_lawful");
        let counts = !matches!(own.stage, Stage::Publicise | Stage::Decide);
        let is_fit = own.min.is_none_or(|min| counts && (1..=MOST).contains(&min));
        checks.require(is_fit, &field("min"), "out_of_range");
        let asks = matches!(own.stage, Stage::Raise | Stage::Evaluate);
        let is_fit = own.min_answers.is_none_or(|min| asks && (1..=MOST).contains(&min));
        checks.require(is_fit, &field("min_answers"), "out_of_range");
    }
}

/// The template of a path that was checked.
#[must_use]
pub fn template(id: &str, path: &OwnPath) -> Template {
    let has_vote = path.stages.iter().any(|own| own.stage == Stage::Decide);
    let mut before = None;
    let mut stages = Vec::new();
    for own in &path.stages {
        stages.push(rule(own, before, has_vote));
        before = Some(own.stage);
    }
    Template { key: format!("{OWN}{id}"), version: 1, name: path.name.trim().to_owned(), stages }
}

fn rule(own: &OwnStage, before: Option<Stage>, has_vote: bool) -> StageRule {
    let entered_on = match (own.stage, before) {
        (Stage::Raise, _) => Entry::Raised,
        (Stage::Evaluate, _) if has_vote => Entry::VotePassed,
        (_, Some(Stage::Publicise)) => Entry::NoticeConcluded,
        _ => Entry::StageBeforeComplete,
    };
    StageRule {
        key: own.stage,
        name: format!("stage-{}", own.stage.as_str()),
        entered_on,
        evidence: evidence(own),
        moved_by: if own.stage == Stage::Evaluate { Mover::CloseMatter } else { Mover::MoveMatter },
        due_working_days: own.due_working_days,
        moves_by_date: own.stage == Stage::Publicise,
        may_skip: matches!(own.stage, Stage::Raise | Stage::Deliberate | Stage::Review),
    }
}

fn evidence(own: &OwnStage) -> Vec<Requirement> {
    let min = own.min.unwrap_or(1);
    match own.stage {
        Stage::Raise => {
            let survey = own.min_answers.map(|min_answers| Requirement::Need { min_answers, min_visits: 1 });
            [Requirement::Origin { min_voices: min }].into_iter().chain(survey).collect()
        }
        Stage::Deliberate => vec![
            Requirement::Meeting { body_kind: "council".to_owned(), min, quorate: true, resolved: true },
            Requirement::Legality,
        ],
        Stage::Publicise => vec![Requirement::Notice { min: 1 }],
        Stage::Review => {
            vec![Requirement::Visits { min, min_objectors: 1 }, Requirement::Opinion { body_kind: None }]
        }
        Stage::Decide => vec![Requirement::Vote],
        Stage::Evaluate => vec![
            Requirement::Tasks { min },
            Requirement::Rating { min_answers: own.min_answers.unwrap_or(1), min_mean_hundredths: MEAN },
            Requirement::Report,
        ],
    }
}

/// May what the law reserves to the assembly go this path? It is voted on, after a legal officer's note.
#[must_use]
pub fn is_for_reserved(template: &Template) -> bool {
    let asks = |what: fn(&Requirement) -> bool| template.stages.iter().any(|rule| rule.evidence.iter().any(what));
    asks(|one| matches!(one, Requirement::Vote)) && asks(|one| matches!(one, Requirement::Legality))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matters::rules::template::{SHORT_V1, SIX_STAGES_V3};

    fn stage(stage: Stage) -> OwnStage {
        OwnStage { stage, due_working_days: least_days(stage).max(5), min: None, min_answers: None }
    }

    fn path(stages: &[Stage]) -> OwnPath {
        OwnPath { name: "快办".into(), stages: stages.iter().map(|one| stage(*one)).collect() }
    }

    fn wrong(path: &OwnPath) -> usize {
        let mut checks = Checks::default();
        check(&mut checks, path);
        checks.count()
    }

    #[test]
    fn no_path_goes_without_being_raised_published_and_evaluated() {
        assert_eq!(wrong(&path(&Stage::ALL)), 0);
        assert_eq!(wrong(&path(&ALWAYS)), 0);
        for left_out in Stage::ALL {
            let rest: Vec<Stage> = Stage::ALL.into_iter().filter(|one| *one != left_out).collect();
            assert_eq!(wrong(&path(&rest)) > 0, ALWAYS.contains(&left_out), "{left_out:?}");
        }
        assert!(wrong(&path(&[])) > 0);
        assert!(wrong(&path(&[Stage::Publicise, Stage::Raise, Stage::Evaluate])) > 0, "out of order");
        assert!(wrong(&path(&[Stage::Raise, Stage::Raise, Stage::Publicise, Stage::Evaluate])) > 0, "twice");
    }

    #[test]
    fn numbers_are_asked_where_there_is_something_to_count() {
        let with = |at: usize, min, min_answers, days| {
            let mut own = path(&Stage::ALL);
            own.stages[at] = OwnStage { min, min_answers, due_working_days: days, ..own.stages[at].clone() };
            wrong(&own)
        };
        assert_eq!([with(0, Some(3), Some(9), 5), with(0, Some(0), None, 5), with(0, Some(1001), None, 5)], [0, 1, 1]);
        assert_eq!([with(2, Some(1), None, 5), with(4, Some(1), None, 10), with(3, None, Some(1), 5)], [1, 1, 1]);
        assert_eq!([with(1, None, None, 0), with(1, None, None, 251), with(1, None, None, 250)], [1, 1, 0]);
    }

    #[test]
    fn no_charter_gives_less_time_than_the_law() {
        let with = |at: usize, days| {
            let mut own = path(&Stage::ALL);
            own.stages[at].due_working_days = days;
            wrong(&own)
        };
        for (at, least) in [(0, 1), (1, 1), (2, 5), (3, 1), (4, 10), (5, 1)] {
            assert_eq!((with(at, least), with(at, least - 1)), (0, 1), "{:?}", Stage::ALL[at]);
        }
        let named = |name: &str| wrong(&OwnPath { name: name.into(), ..path(&ALWAYS) });
        assert_eq!(["快办", "", "快", "\u{200b}\u{200b}"].map(named), [0, 1, 1, 1]);
    }

    #[test]
    fn a_path_reads_back_and_a_vote_with_a_note_makes_it_fit_for_what_is_reserved() {
        for stages in [&Stage::ALL[..], &ALWAYS[..]] {
            let made = template("x", &path(stages));
            assert_eq!(Template::parse(&serde_json::to_string(&made).unwrap()).unwrap(), made);
            assert_eq!(made.name(), "快办");
            assert_eq!(is_for_reserved(&made), stages.len() == 6);
        }
        let built_in = |text| Template::parse(text).unwrap();
        assert!(is_for_reserved(&built_in(SIX_STAGES_V3)) && !is_for_reserved(&built_in(SHORT_V1)));
        let unnoted: Vec<Stage> = Stage::ALL.into_iter().filter(|one| *one != Stage::Deliberate).collect();
        assert!(!is_for_reserved(&template("x", &path(&unnoted))));
    }
}
