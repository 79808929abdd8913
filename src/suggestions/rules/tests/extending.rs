//! When more days may be asked for.
use super::*;

#[test]
fn more_days_are_asked_for_once_and_not_of_hours() {
    let mut row = voice(SuggestionKind::Help, Visibility::Handlers, SuggestionState::Accepted);
    let clerk = seated(VILLAGE, "village_committee", "clerk", VILLAGE);
    let may = |row: &Suggestion| check(Step::Extend, row, standing(&clerk, row)).map_err(|error| error.code());
    assert_eq!(may(&row), Ok(()));
    row.urgency = crate::suggestions::promises::Urgency::Urgent;
    assert_eq!(may(&row), Err(Code::WrongState));
    row.urgency = crate::suggestions::promises::Urgency::Ordinary;
    row.days_asked_at = Some(DateTime::UNIX_EPOCH);
    assert_eq!(may(&row), Err(Code::WrongState));
}

#[test]
fn a_praise_and_what_has_no_office_above_get_no_more_days() {
    let clerk = seated(VILLAGE, "village_committee", "clerk", VILLAGE);
    let praise = voice(SuggestionKind::Praise, Visibility::Handlers, SuggestionState::Accepted);
    assert!(check(Step::Answer, &praise, standing(&clerk, &praise)).is_ok());
    assert_eq!(check(Step::Extend, &praise, standing(&clerk, &praise)).unwrap_err().code(), Code::WrongState);
    let mut row = voice(SuggestionKind::Help, Visibility::Handlers, SuggestionState::Accepted);
    let (town, county) = (seated(TOWN, "town_office", "clerk", TOWN), seated(TOWN, "county_office", "clerk", "330521"));
    (row.handed, row.body_id) = (1, town.seats[0].body_id);
    assert!(steps(&row, standing(&town, &row)).contains(&Step::Extend));
    row.body_id = county.seats[0].body_id;
    assert!(steps(&row, standing(&county, &row)).contains(&Step::Answer));
    assert!(!steps(&row, standing(&county, &row)).contains(&Step::Extend), "nobody could give them");
}
