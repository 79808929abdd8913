//! What is shown of how bodies answer, and what is not.
use super::*;

#[test]
fn a_period_is_a_month_or_a_year_and_nothing_else() {
    let day = |year, month| NaiveDate::from_ymd_opt(year, month, 1).unwrap();
    assert_eq!(period("2026-11").unwrap(), (day(2026, 11), day(2026, 12)));
    assert_eq!(period("2026-12").unwrap(), (day(2026, 12), day(2027, 1)));
    assert_eq!(period("2026").unwrap(), (day(2026, 1), day(2027, 1)));
    for bad in
        ["", "2026-13", "2026-0", "2026-11-02", "x", "1", "99999999999", "2026-4294967295", "2026-", "-5", "2026-x"]
    {
        assert!(period(bad).is_err(), "{bad}");
    }
}

#[test]
fn of_fewer_than_five_nothing_is_shown() {
    let at = DateTime::UNIX_EPOCH;
    let row = |days: i64, rating| {
        let answered = (days > 0).then(|| at + chrono::TimeDelta::days(days));
        (SuggestionId::new(), BodyId::new(), at, answered, rating, None, at + chrono::TimeDelta::days(3))
    };
    let mut tally = Tally::default();
    (1..=4).for_each(|days| tally.add(&row(days, Some(5)), at));
    assert_eq!(tally.shown(BodyId::new(), String::new()), None, "not even which body");
    let mut tally = Tally::default();
    (1..=5).for_each(|days| tally.add(&row(days, Some(if days == 1 { 2 } else { 3 })), at));
    (0..3).for_each(|_| tally.add(&row(0, None), at));
    let shown = tally.shown(BodyId::new(), String::new()).unwrap();
    assert_eq!((shown.left_at_least, shown.answered_percent), (5, 60), "62 in whole tens");
    assert_eq!((shown.solved_percent, shown.satisfied_percent), (Some(80), Some(0)));
    assert_eq!(shown.median_days, Some(3));
    assert_eq!(shown.on_time_percent, Some(60), "three of five; three more have time");
}

#[test]
fn what_was_late_elsewhere_is_unanswered_there_and_answered_here() {
    let at = DateTime::UNIX_EPOCH;
    let row = (SuggestionId::new(), BodyId::new(), at, Some(at + chrono::TimeDelta::days(1)), Some(5), None, at);
    let (mut here, mut there) = (Tally::default(), Tally::default());
    (0..5).for_each(|_| here.add(&row, at));
    (0..5).for_each(|_| there.miss());
    let shown = |tally: Tally| tally.shown(BodyId::new(), String::new()).unwrap();
    let (here, there) = (shown(here), shown(there));
    assert_eq!((here.answered_percent, there.answered_percent), (100, 0));
    assert_eq!((here.satisfied_percent, there.satisfied_percent), (Some(100), None));
    assert_eq!((here.on_time_percent, there.on_time_percent), (Some(0), Some(0)), "a day late here, left there");
}

#[test]
fn percents_of_few_are_whole_tens() {
    assert_eq!([whole_percent(1, 6), whole_percent(47, 49), whole_percent(49, 49)], [10, 90, 100]);
    assert_eq!([whole_percent(47, 50), whole_percent(0, 0)], [94, 0]);
}

#[test]
fn the_month_that_is_over_is_the_one_before() {
    let at = |text: &str| last_month(text.parse().unwrap());
    // midnight is that of China
    assert_eq!([at("2026-10-31T15:59:59Z"), at("2026-10-31T16:00:00Z")], ["2026-09", "2026-10"]);
    assert_eq!(at("2026-01-15T00:00:00Z"), "2025-12");
}

#[test]
fn what_went_on_after_an_answer_was_not_solved() {
    let mut tally = Tally::default();
    tally.fail(5);
    let shown = tally.shown(BodyId::new(), String::new()).unwrap();
    assert_eq!((shown.left_at_least, shown.answered_percent), (5, 100));
    assert_eq!((shown.solved_percent, shown.satisfied_percent, shown.median_days), (Some(0), Some(0), None));
}
