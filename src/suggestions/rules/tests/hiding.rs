//! Who sees what is hidden, who hides it, and who objects.
use super::*;

#[test]
fn what_is_hidden_is_seen_by_its_author_and_by_who_handles_it() {
    let mut row = voice(SuggestionKind::Complaint, Visibility::Public, SuggestionState::Rated);
    let (handler, neighbour) = (seated(VILLAGE, "village_committee", "clerk", VILLAGE), person(VILLAGE));
    let secretary = seated(NEXT_VILLAGE, "council", "secretary", VILLAGE);
    let author = Actor { person: row.author_id, ..person(VILLAGE) };
    let may =
        |step: Step, row: &Suggestion, actor: &Actor| check(step, row, standing(actor, row)).map_err(|e| e.code());
    assert_eq!(may(Step::Hide, &row, &handler), Ok(()));
    assert_eq!(may(Step::Hide, &row, &neighbour), Err(Code::NotAllowed));
    row.state = SuggestionState::Answered;
    assert_eq!(
        (may(Step::WriteDown, &row, &handler), may(Step::WriteDown, &row, &neighbour)),
        (Ok(()), Err(Code::NotAllowed))
    );
    row.state = SuggestionState::Rated;
    assert_eq!(may(Step::Appeal, &row, &author), Err(Code::WrongState), "it is not hidden");
    row.hiding = Some(HidingState::Hidden);
    let seen = [&author, &handler, &neighbour, &secretary].map(|actor| sight(row.visibility, standing(actor, &row)));
    assert_eq!(seen, [Sight::Own, Sight::Public, Sight::Hidden, Sight::Hidden]);
    assert_eq!(may(Step::Cosign, &row, &neighbour), Err(Code::NotFound));
    assert_eq!(may(Step::Hide, &row, &handler), Err(Code::WrongState), "once");
    let open = Suggestion { state: SuggestionState::Answered, ..row.clone() };
    assert_eq!(may(Step::WriteDown, &open, &handler), Err(Code::WrongState), "nobody stands behind what nobody sees");
    assert_eq!((may(Step::Show, &row, &handler), may(Step::Appeal, &row, &author)), (Ok(()), Ok(())));
    // its photos and its clip alone
    row.hides_only_media = true;
    let stands = [&author, &handler, &neighbour].map(|actor| standing(actor, &row));
    let seen = stands.map(|one| (sight(row.visibility, one), sees_media(&row, one)));
    assert_eq!(seen, [(Sight::Own, true), (Sight::Public, true), (Sight::Public, false)]);
    assert_eq!((may(Step::Hide, &row, &handler), may(Step::Show, &row, &handler)), (Ok(()), Ok(())));
    row.hiding = Some(HidingState::Appealed);
    assert_eq!(may(Step::Hide, &row, &handler), Err(Code::WrongState), "an office was asked");
    row.hiding = Some(HidingState::Upheld);
    assert_eq!(may(Step::Hide, &row, &handler), Ok(()), "all of it, for another reason");
    row.hides_only_media = false;
    assert_eq!(may(Step::Hide, &row, &handler), Err(Code::WrongState), "all of it is");
    assert_eq!(may(Step::Appeal, &row, &author), Err(Code::WrongState), "the author has objected");
    assert_eq!(may(Step::Show, &row, &handler), Ok(()));
}
