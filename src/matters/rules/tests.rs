//! Every stage with all its evidence, with each piece missing; and every move from every place.
use super::{
    gate::{Facts, Held, Rating, missing},
    template::{BUILT_IN, Entry, Mover, SIX_STAGES_V1, SIX_STAGES_V2, SIX_STAGES_V4},
    *,
};
use crate::text;

fn six() -> Template {
    Template::parse(SIX_STAGES_V1).unwrap()
}

fn at(stage: Stage) -> Position {
    Position { state: State::Open, stage, vote_running: false }
}

/// A meeting of three, of whom two came and agreed.
fn held(kind: &str) -> Held {
    Held { body_kind: kind.into(), needed: Some(2), present: 2, is_resolved: true, is_outdated: false }
}

/// Everything that any stage asks for.
fn complete() -> Facts {
    Facts {
        voices: 1,
        proposed_by_body: false,
        survey_answers: 3,
        visits: 2,
        objectors: 2,
        objectors_visited: 1,
        meetings: vec![held("council")],
        alternatives_open: 0,
        notices_concluded: 1,
        objections_open: 0,
        opinion: Some(true),
        is_reserved: false,
        legality: None,
        vote_passed: true,
        tasks: 1,
        tasks_open: 0,
        rating: Some(Rating { answers: 1, mean_hundredths: Some(300), rectified: false, was_low: false }),
        report: true,
    }
}

fn lacking(stage: Stage, facts: &Facts) -> Vec<String> {
    missing(six().stage(stage).unwrap(), facts).into_iter().map(|missing| missing.code).collect()
}

#[test]
fn the_six_stages_come_in_order_and_say_who_moves_them() {
    let template = six();
    assert_eq!(template.stages.iter().map(|rule| rule.key).collect::<Vec<_>>(), Stage::ALL);
    assert_eq!((template.key.as_str(), template.version), ("six_stages", 1));
    assert_eq!(template.first().unwrap().entered_on, Entry::Raised);
    assert_eq!(template.stage(Stage::Review).unwrap().entered_on, Entry::NoticeConcluded);
    assert_eq!(template.stage(Stage::Evaluate).unwrap().entered_on, Entry::VotePassed);
    assert_eq!(template.stage(Stage::Evaluate).unwrap().moved_by, Mover::CloseMatter);
    let by_date: Vec<Stage> = template.stages.iter().filter(|rule| rule.moves_by_date).map(|rule| rule.key).collect();
    assert_eq!(by_date, [Stage::Publicise]);
    let never_skipped: Vec<Stage> = template.stages.iter().filter(|rule| !rule.may_skip).map(|rule| rule.key).collect();
    assert_eq!(never_skipped, [Stage::Publicise, Stage::Decide, Stage::Evaluate]);
    assert!(template.stages.iter().all(|rule| rule.due_working_days > 0 && !rule.evidence.is_empty()));
    for rule in &template.stages {
        assert!(text::knows(&rule.name) && text::knows(rule.entered_on.sentence_key()), "{:?}", rule.key);
    }
    assert!(text::knows(&template.name));
}

fn built_in(key: TemplateKey) -> Template {
    let all = BUILT_IN.iter().map(|definition| Template::parse(definition).unwrap());
    let mut found = all.filter(|template| (template.key.as_str(), template.version) == (key.as_str(), key.version()));
    found.next().unwrap()
}

#[test]
fn every_path_that_a_new_matter_may_take_is_built_in_and_named() {
    assert_eq!(TemplateKey::of("own-01a2"), Some(TemplateKey::Own));
    for key in TemplateKey::ALL.into_iter().filter(|key| *key != TemplateKey::Own) {
        let template = built_in(key);
        assert_eq!(TemplateKey::parse(key.as_str()), Some(key));
        assert_eq!(serde_json::to_value(key).unwrap(), key.as_str());
        assert!(text::knows(&template.name), "{key:?}");
        for rule in &template.stages {
            assert!(text::knows(&rule.name) && rule.due_working_days > 0 && !rule.evidence.is_empty(), "{key:?}");
            for missing in missing(rule, &Facts { is_reserved: true, objections_open: 1, ..Facts::default() }) {
                assert!(text::knows(&format!("missing-{}", missing.code.replace('_', "-"))), "{}", missing.code);
            }
        }
        let last = template.stages.last().unwrap();
        assert_eq!((last.key, last.moved_by), (Stage::Evaluate, Mover::CloseMatter), "{key:?}");
    }
    let stages = |key| built_in(key).stages.iter().map(|rule| rule.key).collect::<Vec<_>>();
    use Stage::{Decide, Deliberate, Evaluate, Publicise, Raise, Review};
    assert_eq!(stages(TemplateKey::FourDeliberations), [Raise, Deliberate, Review, Decide, Evaluate]);
    assert_eq!(stages(TemplateKey::Short), [Raise, Publicise, Evaluate]);
    assert!(TemplateKey::ALL.iter().filter(|key| key.needs_charter()).eq([&TemplateKey::Short, &TemplateKey::Own]));
}

#[test]
fn one_friend_alone_rates_no_matter_that_begins_now() {
    for key in [TemplateKey::SixStages, TemplateKey::Short] {
        let template = built_in(key);
        let rule = template.stage(Stage::Evaluate).unwrap();
        let lacking = |answers| {
            let rating = Some(Rating { answers, mean_hundredths: Some(500), rectified: false, was_low: false });
            let lacks = missing(rule, &Facts { rating, ..complete() });
            lacks.into_iter().map(|one| (one.code, one.need, one.have)).collect::<Vec<_>>()
        };
        assert_eq!(lacking(2), [("rating".to_owned(), 3, 2)], "{key:?}");
        assert!(lacking(3).is_empty(), "{key:?}");
        let again = Some(Rating { answers: 9, mean_hundredths: Some(500), rectified: false, was_low: true });
        let lacks = missing(rule, &Facts { rating: again, ..complete() });
        assert_eq!(lacks.first().map(|one| one.code.as_str()), Some("rectification"), "{key:?}");
    }
}

#[test]
fn what_the_law_reserves_needs_a_lawful_note_and_nothing_goes_on_against_one() {
    let template = built_in(TemplateKey::SixStages);
    let rule = template.stage(Stage::Deliberate).unwrap();
    let lacking = |is_reserved, legality| {
        let facts = Facts { is_reserved, legality, ..complete() };
        missing(rule, &facts).into_iter().map(|one| one.code).collect::<Vec<_>>()
    };
    assert!(lacking(false, None).is_empty());
    assert_eq!(lacking(false, Some(false)), ["legality_lawful"]);
    assert!(lacking(false, Some(true)).is_empty());
    assert_eq!(lacking(true, None), ["legality"]);
    assert_eq!(lacking(true, Some(false)), ["legality_lawful"]);
    assert!(lacking(true, Some(true)).is_empty());
    let unnoted = |legality| gate::unnoted(rule, &Facts { is_reserved: true, legality, ..Facts::default() }).len();
    assert_eq!([unnoted(None), unnoted(Some(false)), unnoted(Some(true))], [1, 0, 0]);
    for item in ReservedItem::ALL {
        assert_eq!(ReservedItem::parse(item.as_str()), Some(item));
        assert_eq!(serde_json::to_value(item).unwrap(), item.as_str());
        assert!(text::knows(&format!("reserved-{}", item.as_str().replace('_', "-"))), "{item:?}");
    }
}

#[test]
fn a_meeting_counts_when_enough_came_and_something_was_resolved() {
    let template = built_in(TemplateKey::SixStages);
    let rule = template.stage(Stage::Deliberate).unwrap();
    let lacking = |meetings: Vec<Held>| {
        let lacks = missing(rule, &Facts { meetings, ..complete() });
        lacks.into_iter().map(|one| (one.code, one.need, one.have)).collect::<Vec<_>>()
    };
    let (few, silent) = (Held { present: 1, ..held("council") }, Held { is_resolved: false, ..held("council") });
    assert_eq!(lacking(vec![]), [("meeting".to_owned(), 1, 0)]);
    assert_eq!(lacking(vec![few.clone()]), [("quorum".to_owned(), 2, 1)]);
    assert_eq!(lacking(vec![Held { needed: None, ..held("council") }]), [("quorum".to_owned(), 1, 2)]);
    assert_eq!(lacking(vec![few.clone(), silent.clone()]), [("resolution".to_owned(), 1, 0)]);
    let outdated = Held { is_outdated: true, ..held("council") };
    assert_eq!(lacking(vec![silent.clone(), outdated.clone()]), [("plan_changed".to_owned(), 1, 0)]);
    assert!(lacking(vec![few.clone(), outdated, silent, held("council")]).is_empty());
    // a matter keeps the path that it began with
    let old = Template::parse(SIX_STAGES_V2).unwrap();
    assert!(missing(old.stage(Stage::Deliberate).unwrap(), &Facts { meetings: vec![few], ..complete() }).is_empty());
}

#[test]
fn another_way_waits_for_an_answer_where_the_path_asks_for_one() {
    let open = Facts { alternatives_open: 2, ..complete() };
    let lacks = |template: &Template| {
        let lacks = missing(template.stage(Stage::Deliberate).unwrap(), &open);
        lacks.into_iter().map(|one| (one.code, one.need, one.have)).collect::<Vec<_>>()
    };
    let template = built_in(TemplateKey::SixStages);
    assert_eq!(lacks(&template), [("alternatives".to_owned(), 0, 2)]);
    assert!(missing(template.stage(Stage::Deliberate).unwrap(), &complete()).is_empty());
    assert!(text::knows("missing-alternatives") && text::knows("asks-alternatives"));
    assert!(lacks(&Template::parse(SIX_STAGES_V4).unwrap()).is_empty(), "what began before keeps its path");
}

#[test]
fn both_publications_of_the_four_deliberations_are_asked_for() {
    let template = built_in(TemplateKey::FourDeliberations);
    let rule = template.stage(Stage::Evaluate).unwrap();
    let with = |notices| missing(rule, &Facts { notices_concluded: notices, ..complete() });
    let codes = |notices| with(notices).iter().map(|one| (one.code.clone(), one.need, one.have)).collect::<Vec<_>>();
    assert_eq!(codes(1), [("notices".to_owned(), 2, 1)]);
    assert!(codes(2).is_empty());
}

#[test]
fn a_template_out_of_order_is_refused() {
    let swapped = SIX_STAGES_V1.replacen("\"raise\"", "\"review\"", 1);
    assert!(Template::parse(&swapped).is_err());
    assert!(Template::parse(r#"{"key":"x","version":1,"name":"y","stages":[]}"#).is_err());
    assert!(Template::parse(&SIX_STAGES_V1.replacen("may_skip", "may_leap", 1)).is_err());
}

#[test]
fn every_gate_opens_when_nothing_is_missing() {
    for stage in Stage::ALL {
        assert_eq!(lacking(stage, &complete()), Vec::<String>::new(), "{stage:?}");
    }
}

#[test]
fn every_gate_names_the_one_thing_that_is_missing() {
    type Take = fn(&mut Facts);
    let cases: &[(Stage, &str, Take)] = &[
        (Stage::Raise, "origin", |facts| facts.voices = 0),
        (Stage::Raise, "survey", |facts| (facts.survey_answers, facts.visits) = (2, 0)),
        (Stage::Deliberate, "meeting", |facts| facts.meetings.clear()),
        (Stage::Deliberate, "meeting", |facts| facts.meetings = vec![held("village_committee")]),
        (Stage::Publicise, "notice", |facts| facts.notices_concluded = 0),
        (Stage::Publicise, "objections", |facts| facts.objections_open = 1),
        (Stage::Review, "visits", |facts| facts.visits = 1),
        (Stage::Review, "objectors", |facts| facts.objectors_visited = 0),
        (Stage::Review, "opinion", |facts| facts.opinion = None),
        (Stage::Review, "opinion_agreeing", |facts| facts.opinion = Some(false)),
        (Stage::Decide, "vote", |facts| facts.vote_passed = false),
        (Stage::Evaluate, "tasks", |facts| facts.tasks = 0),
        (Stage::Evaluate, "tasks_open", |facts| facts.tasks_open = 1),
        (Stage::Evaluate, "rating", |facts| facts.rating = None),
        (Stage::Evaluate, "rating", |facts| facts.rating = Some(Rating::default())),
        (Stage::Evaluate, "rectification", |facts| {
            facts.rating = Some(Rating { answers: 100, mean_hundredths: Some(299), rectified: false, was_low: false });
        }),
        (Stage::Evaluate, "report", |facts| facts.report = false),
    ];
    for (stage, code, take) in cases {
        let mut facts = complete();
        take(&mut facts);
        assert_eq!(lacking(*stage, &facts), [*code], "{stage:?}");
        assert!(text::knows(&format!("missing-{}", code.replace('_', "-"))), "{code}");
    }
}

#[test]
fn an_empty_stage_names_everything_with_how_much() {
    let lacks = missing(six().stage(Stage::Raise).unwrap(), &Facts { survey_answers: 1, ..Facts::default() });
    let numbers: Vec<(&str, u64, u64)> = lacks.iter().map(|one| (one.code.as_str(), one.need, one.have)).collect();
    assert_eq!(numbers, [("origin", 1, 0), ("survey", 3, 1)]);
    assert_eq!(lacking(Stage::Evaluate, &Facts::default()), ["tasks", "rating", "report"]);
    assert_eq!(lacking(Stage::Review, &Facts::default()), ["visits", "opinion"]);
}

#[test]
fn one_thing_may_stand_for_another_where_the_template_says_so() {
    let visited = Facts { voices: 1, visits: 1, ..Facts::default() };
    assert!(lacking(Stage::Raise, &visited).is_empty());
    let proposed = Facts { proposed_by_body: true, survey_answers: 3, ..Facts::default() };
    assert!(lacking(Stage::Raise, &proposed).is_empty());
    let rectified = Some(Rating { answers: 2, mean_hundredths: Some(100), rectified: true, was_low: false });
    assert!(lacking(Stage::Evaluate, &Facts { rating: rectified, ..complete() }).is_empty());
    let nobody_objected = Facts { objectors: 0, objectors_visited: 0, ..complete() };
    assert!(lacking(Stage::Review, &nobody_objected).is_empty());
}

#[test]
fn each_stage_is_left_only_for_the_next() {
    let template = six();
    for (stage, next) in Stage::ALL.into_iter().zip(Stage::ALL.into_iter().skip(1)) {
        assert_eq!(land(&template, at(stage), Move::Advance).unwrap(), Landing::Enter(next));
    }
    assert_eq!(land(&template, at(Stage::Evaluate), Move::Advance).unwrap(), Landing::End(State::Closed));
}

#[test]
fn every_other_move_is_allowed_exactly_where_the_table_says() {
    let template = six();
    for here in Stage::ALL {
        for there in Stage::ALL {
            let skip = land(&template, at(here), Move::Skip(there)).is_ok();
            let may = here == there && matches!(here, Stage::Raise | Stage::Deliberate | Stage::Review);
            assert_eq!(skip, may, "skip {there:?} in {here:?}");
            let back = land(&template, at(here), Move::Return(there)).is_ok();
            assert_eq!(back, there < here, "back to {there:?} from {here:?}");
        }
        assert_eq!(land(&template, at(here), Move::Withdraw).is_ok(), here != Stage::Evaluate);
        assert_eq!(land(&template, at(here), Move::Pass).is_ok(), here == Stage::Decide);
        assert_eq!(land(&template, at(here), Move::Refuse).is_ok(), here == Stage::Decide);
    }
    assert_eq!(land(&template, at(Stage::Decide), Move::Pass).unwrap(), Landing::Enter(Stage::Evaluate));
    assert_eq!(land(&template, at(Stage::Decide), Move::Refuse).unwrap(), Landing::End(State::NotPassed));
}

fn moves() -> Vec<Move> {
    let to = Stage::ALL.into_iter().flat_map(|stage| [Move::Skip(stage), Move::Return(stage)]);
    to.chain([Move::Advance, Move::Withdraw, Move::Pass, Move::Refuse]).collect()
}

#[test]
fn what_has_ended_does_not_move() {
    for state in [State::Closed, State::Withdrawn, State::NotPassed] {
        for stage in Stage::ALL {
            for step in moves() {
                assert!(land(&six(), Position { state, ..at(stage) }, step).is_err(), "{state:?} {stage:?} {step:?}");
            }
        }
    }
}

#[test]
fn while_a_vote_runs_only_its_result_moves_the_matter() {
    for step in moves() {
        let running = Position { vote_running: true, ..at(Stage::Decide) };
        assert_eq!(land(&six(), running, step).is_ok(), matches!(step, Move::Pass | Move::Refuse), "{step:?}");
    }
}

#[test]
fn a_path_without_some_stages_goes_from_one_to_the_next_it_has() {
    let mut short = six();
    short.stages.retain(|rule| matches!(rule.key, Stage::Raise | Stage::Publicise | Stage::Evaluate));
    assert_eq!(land(&short, at(Stage::Raise), Move::Advance).unwrap(), Landing::Enter(Stage::Publicise));
    assert!(land(&short, at(Stage::Publicise), Move::Return(Stage::Deliberate)).is_err());
    assert!(land(&short, at(Stage::Decide), Move::Advance).is_err(), "a stage this path does not have");
}

#[test]
fn names_read_back() {
    for stage in Stage::ALL {
        assert_eq!(Stage::parse(stage.as_str()), Some(stage));
        assert_eq!(serde_json::to_value(stage).unwrap(), stage.as_str());
    }
    for state in [State::Open, State::Closed, State::Withdrawn, State::NotPassed] {
        assert_eq!(State::parse(state.as_str()), Some(state));
        assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
    }
}
