//! The golden vectors of the decision rules, and what must hold for every count.
use proptest::prelude::*;
use serde_json::Value;

use super::*;

const VECTORS: &str = include_str!("../../../tests/data/decision-rule-vectors.json");

fn votes(input: &Value, suffix: &str) -> WeightedCount {
    let number = |key: &str| input[format!("{key}{suffix}")].as_u64().unwrap();
    WeightedCount {
        on_roll: number("E"),
        present: number("P"),
        yes: number("Y"),
        no: number("N"),
        abstain: number("A"),
        invalid: number("I"),
    }
}

fn count(heads: WeightedCount, weights: Option<WeightedCount>, issued: Option<u64>) -> Count {
    let WeightedCount { on_roll, present, yes, no, abstain, invalid } = heads;
    Count { on_roll, present, yes, no, abstain, invalid, issued, weights }
}

/// E, Y, N, A, I; P is their sum.
fn heads(on_roll: u64, parts: [u64; 4]) -> Count {
    let [yes, no, abstain, invalid] = parts;
    Count { on_roll, present: parts.iter().sum(), yes, no, abstain, invalid, ..Count::default() }
}

fn decided(id: &str, count: &Count) -> Outcome {
    decide(preset(id).unwrap(), count).unwrap()
}

#[test]
fn every_golden_vector_comes_out_as_written() {
    let vectors: Vec<Value> = serde_json::from_str(VECTORS).unwrap();
    assert_eq!(vectors.len(), 46);
    for vector in vectors {
        let input = &vector["in"];
        let weights = input.get("E_w").map(|_| votes(input, "_w"));
        let count = count(votes(input, ""), weights, input.get("issued").and_then(Value::as_u64));
        let outcome = decided(vector["preset"].as_str().unwrap(), &count);
        let written = serde_json::json!({
            "valid": outcome.valid, "passed": outcome.passed, "reason": outcome.reason,
        });
        assert_eq!(written, vector["out"], "{}: {}", vector["preset"], vector["note"]);
    }
}

#[test]
fn every_preset_is_a_possible_rule_with_its_article() {
    assert_eq!(presets().len(), 23);
    for (id, preset) in presets() {
        assert!(!preset.zh.is_empty() && !preset.law.is_empty(), "{id}");
        for share in preset.quorum.iter().chain(&preset.passing) {
            assert!(0 < share.num && share.num < share.den, "{id}");
        }
        assert!(
            preset.quorum.is_none_or(|quorum| quorum.basis == Basis::OnRoll),
            "{id}: nobody is present of those present"
        );
    }
    assert!(preset("the_loudest_voice").is_none());
}

#[test]
fn presets_survive_the_way_into_a_stored_result() {
    for preset in presets().values() {
        let stored = serde_json::to_string(preset).unwrap();
        assert_eq!(serde_json::from_str::<Preset>(&stored).unwrap(), *preset);
    }
}

#[test]
fn a_comparison_carries_every_number_that_was_compared() {
    let outcome = decided("village_assembly_household", &heads(100, [34, 33, 0, 0]));
    let numbers: Vec<_> =
        outcome.comparisons.iter().map(|c| (c.step, c.part, c.whole, c.left(), c.right(), c.holds)).collect();
    assert_eq!(numbers, [(RuleStep::Quorum, 67, 100, 201, 200, true), (RuleStep::Passing, 34, 67, 68, 67, true)]);
    assert!(outcome.comparisons.iter().all(|c| c.measure == Measure::Heads));
}

#[test]
fn a_failed_quorum_ends_the_comparing() {
    let outcome = decided("village_assembly_household", &heads(100, [66, 0, 0, 0]));
    assert_eq!(outcome.comparisons.len(), 1);
    assert_eq!((outcome.valid, outcome.passed, outcome.reason), (false, Some(false), Reason::Quorum));
}

#[test]
fn owners_are_compared_by_heads_and_by_area() {
    let area = WeightedCount { on_roll: 9_000, present: 6_000, yes: 4_499, no: 1_501, ..WeightedCount::default() };
    let count = Count { weights: Some(area), ..heads(90, [60, 15, 0, 0]) };
    let outcome = decided("owners_special", &count);
    let measures: Vec<_> = outcome.comparisons.iter().map(|c| (c.step, c.measure, c.holds)).collect();
    let expected = [
        (RuleStep::Quorum, Measure::Heads, true),
        (RuleStep::Quorum, Measure::Area, true),
        (RuleStep::Passing, Measure::Heads, true),
        (RuleStep::Passing, Measure::Area, false),
    ];
    assert_eq!(measures, expected, "area is one step short of three quarters");
    assert_eq!(outcome.reason, Reason::Threshold);
}

#[test]
fn an_empty_roll_decides_nothing() {
    for preset in presets().values() {
        let nothing = Count { weights: preset.second_measure.map(|_| WeightedCount::default()), ..Count::default() };
        let outcome = decide(preset, &nothing).unwrap();
        assert_eq!(outcome.passed, Some(false), "{}", preset.zh);
    }
}

#[test]
fn stuffed_boxes_void_the_vote_even_beyond_the_roll() {
    let count = Count { issued: Some(500), ..heads(1_000, [1_200, 0, 0, 0]) };
    let outcome = decided("committee_election_round1", &count);
    assert_eq!((outcome.valid, outcome.reason), (false, Reason::MoreBallotsThanIssued));
}

#[test]
fn a_count_that_contradicts_itself_is_an_error() {
    let ordinary = preset("village_assembly_person").unwrap();
    let owners = preset("owners_ordinary").unwrap();
    let wrong = |preset, count: Count| decide(preset, &count).unwrap_err();
    let area = WeightedCount { on_roll: 100, present: 80, yes: 80, ..WeightedCount::default() };

    assert_eq!(wrong(ordinary, Count { present: 9, ..heads(10, [5, 3, 0, 0]) }), Inconsistent::Sum(Measure::Heads));
    assert_eq!(wrong(ordinary, heads(10, [11, 0, 0, 0])), Inconsistent::PresentOverRoll(Measure::Heads));
    assert_eq!(wrong(ordinary, Count { weights: Some(area), ..heads(10, [8, 0, 0, 0]) }), Inconsistent::WeightsUnknown);
    assert_eq!(wrong(owners, heads(10, [8, 0, 0, 0])), Inconsistent::WeightsMissing);
    assert_eq!(
        wrong(owners, Count { weights: Some(area), ..heads(10, [0, 8, 0, 0]) }),
        Inconsistent::WeightWithoutHead(Measure::Area)
    );
    let too_large = WeightedCount { on_roll: 79, ..area };
    assert_eq!(
        wrong(owners, Count { weights: Some(too_large), ..heads(10, [8, 0, 0, 0]) }),
        Inconsistent::PresentOverRoll(Measure::Area)
    );
    let overflowing = Count { yes: u64::MAX, no: 1, ..Count::default() };
    assert_eq!(wrong(ordinary, overflowing), Inconsistent::Sum(Measure::Heads));
}

#[test]
fn the_largest_numbers_are_compared_exactly() {
    let half = u64::MAX / 2;
    let count = heads(u64::MAX, [half, u64::MAX - half, 0, 0]);
    assert_eq!(
        decided("village_assembly_person", &count).reason,
        Reason::Threshold,
        "one short of half of an odd number"
    );
    let count = heads(u64::MAX, [half + 1, half, 0, 0]);
    assert_eq!(decided("village_assembly_person", &count).reason, Reason::Passed);
}

/// A preset, and a consistent count of at most a few thousand by heads and, where asked for, by area.
fn any_vote() -> impl Strategy<Value = (&'static Preset, Count)> {
    let ids: Vec<&'static Preset> = presets().values().collect();
    let votes = || (0_u64..2_000, prop::array::uniform4(0_u64..1_000));
    (prop::sample::select(ids), votes(), votes()).prop_map(|(preset, (absent, parts), (absent_area, area))| {
        let heads = heads(absent + parts.iter().sum::<u64>(), parts);
        let weights = preset.second_measure.map(|_| {
            let mut weights = [0; 4];
            for ((weight, part), area) in weights.iter_mut().zip(parts).zip(area) {
                *weight = if part == 0 { 0 } else { area };
            }
            let [yes, no, abstain, invalid] = weights;
            let present = weights.iter().sum::<u64>();
            let on_roll = present + if heads.on_roll == 0 { 0 } else { absent_area };
            WeightedCount { on_roll, present, yes, no, abstain, invalid }
        });
        (preset, Count { weights, ..heads })
    })
}

fn scaled(votes: WeightedCount, k: u64) -> WeightedCount {
    let WeightedCount { on_roll, present, yes, no, abstain, invalid } = votes;
    WeightedCount {
        on_roll: on_roll * k,
        present: present * k,
        yes: yes * k,
        no: no * k,
        abstain: abstain * k,
        invalid: invalid * k,
    }
}

proptest! {
    #[test]
    fn a_yes_in_place_of_a_no_never_loses_a_vote((preset, mut count) in any_vote()) {
        prop_assume!(count.no > 0);
        let before = decide(preset, &count).unwrap();
        count.no -= 1;
        count.yes += 1;
        if let Some(weights) = &mut count.weights {
            // The changed ballot carries a hundredth of the area against, or all of it where it was the last one.
            let moved = if count.no == 0 { weights.no } else { weights.no / 100 };
            weights.no -= moved;
            weights.yes += moved;
        }
        let after = decide(preset, &count).unwrap();
        prop_assert_eq!(before.valid, after.valid);
        prop_assert!(before.passed != Some(true) || after.passed == Some(true));
    }

    #[test]
    fn the_outcome_depends_on_proportions_only((preset, count) in any_vote(), k in 1_u64..1_000_000_000_000) {
        let larger = super::tests::count(scaled(count.heads(), k), count.weights.map(|votes| scaled(votes, k)), None);
        let (small, large) = (decide(preset, &count).unwrap(), decide(preset, &larger).unwrap());
        prop_assert_eq!((small.valid, small.passed, small.reason), (large.valid, large.passed, large.reason));
    }

    #[test]
    fn a_threshold_is_met_exactly_where_the_fraction_is(whole in 1_u64..u64::MAX, num in 1_u64..100, more in 1_u64..100, strict: bool) {
        let share = Share { num, den: num + more, strict, basis: Basis::OnRoll };
        // The smallest number that reaches the share, by whole division alone.
        let (product, den) = (u128::from(whole) * u128::from(num), u128::from(share.den));
        let least = if strict { product / den + 1 } else { product.div_ceil(den) };
        let least = u64::try_from(least).unwrap();
        let reached = |yes: u64| {
            let votes = WeightedCount { on_roll: whole, yes, ..WeightedCount::default() };
            Comparison::new(RuleStep::Passing, Measure::Heads, share, &votes).holds
        };
        prop_assert!(reached(least) && !reached(least - 1));
    }

    #[test]
    fn abstaining_never_helps_to_pass((preset, count) in any_vote()) {
        prop_assume!(count.yes > 0 && count.weights.is_none());
        let shy = Count { yes: count.yes - 1, abstain: count.abstain + 1, ..count };
        let (bold, shy) = (decide(preset, &count).unwrap(), decide(preset, &shy).unwrap());
        prop_assert!(shy.passed != Some(true) || bold.passed == Some(true));
    }
}

/// A field written wrong in the file would be no rule at all; answers add fields of their own, so the type cannot refuse it.
#[test]
fn the_file_of_presets_holds_no_field_that_nobody_reads() {
    let file: serde_json::Value = serde_json::from_str(include_str!("../presets.json")).unwrap();
    for (id, preset) in presets() {
        let read = serde_json::to_value(preset).unwrap();
        let named = file.get(id).or_else(|| file["presets"].get(id)).unwrap().as_object().unwrap();
        for field in named.keys() {
            assert!(read.get(field).is_some(), "{id}: {field}");
        }
    }
}
