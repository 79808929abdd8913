//! What is taken back by its author: the author's own, and nobody's beside.
use super::*;

#[test]
fn what_others_share_is_not_taken_back_by_one() {
    let mut row = voice(SuggestionKind::Suggestion, Visibility::Public, SuggestionState::Submitted);
    let author = Actor { person: row.author_id, ..person(VILLAGE) };
    let may = |row: &Suggestion| check(Step::Withdraw, row, standing(&author, row)).map_err(|error| error.code());
    assert_eq!(may(&row), Ok(()));
    row.cosigns = 1;
    assert_eq!(may(&row), Err(Code::NotYoursAlone));
    (row.cosigns, row.matter_id) = (0, Some(MatterId::new()));
    assert_eq!(may(&row), Err(Code::NotYoursAlone));
    // and what is answered is rated
    row.state = SuggestionState::Answered;
    assert_eq!(may(&row), Err(Code::WrongState));
    (row.matter_id, row.state) = (None, SuggestionState::Withdrawn);
    assert_eq!(may(&row), Err(Code::WrongState), "once");
}
