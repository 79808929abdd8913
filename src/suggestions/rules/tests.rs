//! Who sees what, who may do what when, for every kind, visibility, state and viewer.
use chrono::DateTime;

use super::*;
use crate::ids::{MatterId, PersonId, StreamId, SuggestionId};

mod extending;
mod hiding;
mod withdrawing;

const VILLAGE: &str = "330521103202";
const NEXT_VILLAGE: &str = "330521103203";
const TOWN: &str = "330521103";

fn voice(kind: SuggestionKind, visibility: Visibility, state: SuggestionState) -> Suggestion {
    let at = DateTime::UNIX_EPOCH;
    Suggestion {
        id: SuggestionId::new(),
        number: "103202-20261123-0001".into(),
        area_code: VILLAGE.into(),
        author_id: PersonId::new(),
        kind,
        visibility,
        text: "桥头路灯坏了".into(),
        place: String::new(),
        state,
        body_id: BodyId::new(),
        stream_id: StreamId::new(),
        assignee_id: None,
        matter_id: None,
        accept_due_at: at,
        answer_due_at: at,
        calendar_version: String::new(),
        accepted_at: None,
        answered_at: None,
        rated_at: None,
        rating: None,
        overdue: None,
        created_at: at,
        updated_at: at,
        key_id: None,
        level: 0,
        unsolved: 0,
        warn_at: None,
        supervise_at: None,
        cosigns: 0,
        offered_to: None,
        handed: 0,
        taken_by: None,
        taken_body_id: None,
        about_person_id: None,
        about_bodies: String::new(),
        category: Category::Other,
        urgency: crate::suggestions::promises::Urgency::Ordinary,
        asks_office: None,
        days_asked_at: None,
        late_body_id: None,
        hiding: None,
        hiding_office: None,
        hides_only_media: false,
        reply_wish: ReplyWish::Here,
    }
}

fn person(area: &str) -> Actor {
    Actor::living_in(area)
}

fn seated(area: &str, kind: &str, role: &str, covers: &str) -> Actor {
    Actor { seats: vec![HeldSeat::made_up(kind, role, covers)], ..person(area) }
}

/// Everybody who may come by: name, actor, and what is seen of what is public, for handlers, for the town.
fn viewers() -> Vec<(&'static str, Actor, [Sight; 3])> {
    use Sight::{Hidden, Logged, Public};
    vec![
        ("neighbour", person(VILLAGE), [Public, Hidden, Hidden]),
        ("resident of the next village", person(NEXT_VILLAGE), [Hidden, Hidden, Hidden]),
        ("chair", seated(VILLAGE, "village_committee", "chair", VILLAGE), [Public, Logged, Hidden]),
        ("clerk from elsewhere", seated(NEXT_VILLAGE, "village_committee", "clerk", VILLAGE), [Public, Logged, Hidden]),
        ("member of the committee", seated(VILLAGE, "village_committee", "member", VILLAGE), [Public, Logged, Hidden]),
        (
            "clerk of the next village",
            seated(VILLAGE, "village_committee", "clerk", NEXT_VILLAGE),
            [Public, Hidden, Hidden],
        ),
        ("stranger with a seat there", seated(NEXT_VILLAGE, "village_committee", "clerk", NEXT_VILLAGE), [Hidden; 3]),
        ("grid worker", seated(VILLAGE, "village_committee", "grid_worker", VILLAGE), [Public, Hidden, Hidden]),
        ("council's secretary", seated(NEXT_VILLAGE, "council", "secretary", VILLAGE), [Public, Hidden, Hidden]),
        ("supervisor", seated(VILLAGE, "supervision_committee", "chair", VILLAGE), [Public, Hidden, Hidden]),
        ("party secretary", seated(VILLAGE, "party_branch", "chair", VILLAGE), [Public, Hidden, Hidden]),
        ("town's office", seated("330521103001", "town_office", "clerk", TOWN), [Public, Hidden, Logged]),
        ("another town's office", seated("330521104001", "town_office", "clerk", "330521104"), [Hidden; 3]),
        ("county's office", seated("330521104001", "county_office", "clerk", "330521"), [Public, Hidden, Hidden]),
    ]
}

#[test]
fn everybody_sees_exactly_what_the_visibility_says_whatever_the_kind_and_state() {
    for kind in SuggestionKind::iter() {
        for state in SuggestionState::iter() {
            for (name, actor, expected) in viewers() {
                for (visibility, expected) in Visibility::iter().zip(expected) {
                    let row = voice(kind, visibility, state);
                    let seen = sight(visibility, standing(&actor, &row));
                    assert_eq!(seen, expected, "{name} {kind:?} {visibility:?} {state:?}");
                }
            }
        }
    }
}

#[test]
fn the_author_sees_the_own_voice_as_the_own_whatever_the_seat() {
    for visibility in Visibility::iter() {
        for (name, actor, _) in viewers() {
            let row = Suggestion {
                author_id: actor.person,
                ..voice(SuggestionKind::Help, visibility, SuggestionState::Submitted)
            };
            assert_eq!(sight(visibility, standing(&actor, &row)), Sight::Own, "{name}");
        }
    }
}

#[test]
fn whoever_was_given_a_voice_handles_it_while_sitting_in_the_body() {
    let mut grid_worker = seated(VILLAGE, "village_committee", "grid_worker", VILLAGE);
    let mut row = voice(SuggestionKind::Help, Visibility::Handlers, SuggestionState::Accepted);
    row.body_id = grid_worker.seats[0].body_id;
    assert_eq!(sight(row.visibility, standing(&grid_worker, &row)), Sight::Hidden);
    row.assignee_id = Some(grid_worker.person);
    assert_eq!(sight(row.visibility, standing(&grid_worker, &row)), Sight::Logged);
    assert!(check(Step::Answer, &row, standing(&grid_worker, &row)).is_ok());
    grid_worker.seats.clear();
    assert_eq!(sight(row.visibility, standing(&grid_worker, &row)), Sight::Hidden);
}

#[test]
fn handlers_speak_for_the_body_responsible_when_they_sit_in_it() {
    let mut clerk = seated(VILLAGE, "village_committee", "clerk", VILLAGE);
    let other = seated(VILLAGE, "village_committee", "chair", VILLAGE).seats;
    let row = Suggestion {
        body_id: other[0].body_id,
        ..voice(SuggestionKind::Help, Visibility::Public, SuggestionState::Submitted)
    };
    let own = clerk.seats[0].body_id;
    assert_eq!(handling_seat(&clerk, &row).map(|seat| seat.body_id), Some(own));
    clerk.seats.extend(other);
    assert_eq!(handling_seat(&clerk, &row).map(|seat| seat.body_id), Some(row.body_id));
}

#[test]
fn every_step_is_taken_by_the_right_one_in_the_right_state_only() {
    use SuggestionState::{Accepted, Answered, Rated, Submitted, Withdrawn};
    for state in SuggestionState::iter() {
        for step in Step::iter() {
            let row = voice(SuggestionKind::Complaint, Visibility::Handlers, state);
            let author = Actor { person: row.author_id, ..person(VILLAGE) };
            let handler = seated(VILLAGE, "village_committee", "clerk", VILLAGE);
            let both = Actor { person: row.author_id, ..handler.clone() };
            let fits = match step {
                Step::Accept => state == Submitted,
                Step::Assign | Step::Answer => state == Accepted,
                // and what was rated as solved is once more, for a while
                Step::Rate | Step::Speak => [Answered, Rated].contains(&state),
                Step::Join => [Submitted, Accepted, Answered, Rated].contains(&state),
                Step::Cosign => ![Rated, Withdrawn].contains(&state),
                Step::Refer | Step::Involve | Step::Withdraw => [Submitted, Accepted].contains(&state),
                Step::Extend => state == Accepted,
                // nobody was asked, what is not public is not hidden, and nothing presses
                _ => false,
            };
            let outcome = |actor: &Actor| check(step, &row, standing(actor, &row)).map_err(|error| error.code());
            let allowed = if fits { Ok(()) } else { Err(Code::WrongState) };
            let refused = Err(Code::NotAllowed);
            let (of_author, of_handler, of_both) = match step {
                Step::Accept
                | Step::Assign
                | Step::Answer
                | Step::Speak
                | Step::Refer
                | Step::Keep
                | Step::Extend
                | Step::Involve
                | Step::WriteDown
                | Step::CallBack
                | Step::MakeOrdinary
                | Step::Hide
                | Step::Show => (refused, allowed, refused),
                Step::Rate | Step::Appeal | Step::Withdraw => (allowed, refused, allowed),
                Step::Join => (refused, allowed, allowed),
                // nobody stands behind what is not public
                Step::Cosign => (refused, refused, refused),
            };
            assert_eq!(outcome(&author), of_author, "{step:?} {state:?}");
            assert_eq!(outcome(&both), of_both, "nobody answers the own voice: {step:?} {state:?}");
            assert_eq!(outcome(&handler), of_handler, "{step:?} {state:?}");
            assert_eq!(outcome(&person(VILLAGE)), Err(Code::NotFound), "a neighbour does not know it");
        }
    }
}

#[test]
fn what_may_be_done_now_follows_from_the_state() {
    let handler = seated(VILLAGE, "village_committee", "clerk", VILLAGE);
    let expected = |state| match state {
        SuggestionState::Submitted => vec![Step::Accept, Step::Join, Step::Refer, Step::Involve],
        SuggestionState::Accepted => {
            vec![Step::Assign, Step::Answer, Step::Join, Step::Refer, Step::Extend, Step::Involve]
        }
        SuggestionState::Answered | SuggestionState::Rated => vec![Step::Speak, Step::Join],
        SuggestionState::Withdrawn => vec![],
    };
    for state in SuggestionState::iter() {
        let row = voice(SuggestionKind::Help, Visibility::Handlers, state);
        assert_eq!(steps(&row, standing(&handler, &row)), expected(state));
    }
}

#[test]
fn a_voice_joins_one_matter_only() {
    let handler = seated(VILLAGE, "village_committee", "clerk", VILLAGE);
    let mut row = voice(SuggestionKind::Suggestion, Visibility::Public, SuggestionState::Rated);
    assert!(check(Step::Join, &row, standing(&handler, &row)).is_ok());
    row.matter_id = Some(MatterId::new());
    assert_eq!(check(Step::Join, &row, standing(&handler, &row)).unwrap_err().code(), Code::WrongState);
    (row.matter_id, row.about_person_id) = (None, Some(PersonId::new()));
    assert_eq!(
        check(Step::Join, &row, standing(&handler, &row)).unwrap_err().code(),
        Code::WrongState,
        "an accusation"
    );
}

#[test]
fn whoever_raises_matters_may_take_up_public_voices_only() {
    let secretary = seated(NEXT_VILLAGE, "council", "secretary", VILLAGE);
    for (visibility, expected) in Visibility::iter().zip([Ok(()), Err(Code::NotFound), Err(Code::NotFound)]) {
        let row = voice(SuggestionKind::Suggestion, visibility, SuggestionState::Submitted);
        assert_eq!(check(Step::Join, &row, standing(&secretary, &row)).map_err(|error| error.code()), expected);
    }
    let row = voice(SuggestionKind::Suggestion, Visibility::Public, SuggestionState::Submitted);
    let member = seated(VILLAGE, "council", "member", VILLAGE);
    assert_eq!(check(Step::Join, &row, standing(&member, &row)).unwrap_err().code(), Code::NotAllowed);
}

#[test]
fn the_village_is_not_responsible_for_what_it_must_not_see() {
    for visibility in Visibility::iter() {
        let is_private = visibility == Visibility::Town;
        let expected = if is_private { BodyKind::TownOffice } else { BodyKind::VillageCommittee };
        assert_eq!(responsible_kind(visibility), expected);
        let clerk = seated(VILLAGE, "village_committee", "clerk", VILLAGE);
        let town = seated(VILLAGE, "town_office", "clerk", TOWN);
        let own = |actor: &Actor| vec![actor.seats[0].body_id];
        assert_eq!(desk_bodies(&clerk), (own(&clerk), vec![]));
        assert_eq!(desk_bodies(&town), (vec![], own(&town)));
    }
}

#[test]
fn every_kind_has_its_days() {
    for kind in SuggestionKind::iter() {
        let days = answer_working_days(kind);
        assert_eq!(days, if kind == SuggestionKind::Praise { 15 } else { 7 });
        assert!(days > ACCEPT_WORKING_DAYS);
    }
    assert_eq!((1..=5).map(reopens).collect::<Vec<_>>(), [true, true, false, false, false]);
}

#[test]
fn a_number_says_where_and_when() {
    let day = NaiveDate::from_ymd_opt(2026, 11, 23).unwrap();
    assert_eq!(number_prefix(VILLAGE, day), "103202-20261123-");
    assert_eq!(number_prefix("330521", day), "330521-20261123-");
}

#[test]
fn a_thread_is_named_by_the_first_words() {
    assert_eq!(first_words("  桥头路灯\n坏了，晚上看不见，老人走路怕摔跤 "), "桥头路灯 坏了，晚上看不见，老人");
    assert_eq!(first_words(" \n"), "");
}

#[test]
fn who_lives_there_stands_behind_a_public_voice_and_its_author_does_not() {
    let row = voice(SuggestionKind::Help, Visibility::Public, SuggestionState::Accepted);
    let may = |actor: &Actor| check(Step::Cosign, &row, standing(actor, &row)).map_err(|error| error.code());
    assert_eq!(may(&person(VILLAGE)), Ok(()));
    assert_eq!(may(&seated(VILLAGE, "village_committee", "clerk", VILLAGE)), Ok(()));
    assert_eq!(may(&Actor { person: row.author_id, ..person(VILLAGE) }), Err(Code::NotAllowed));
    assert_eq!(may(&person(NEXT_VILLAGE)), Err(Code::NotFound));
    assert_eq!(
        may(&seated(NEXT_VILLAGE, "town_office", "clerk", TOWN)),
        Err(Code::NotAllowed),
        "serves and lives elsewhere"
    );
}

#[test]
fn what_went_up_is_answered_by_the_office_above_alone() {
    let mut row = voice(SuggestionKind::Help, Visibility::Handlers, SuggestionState::Accepted);
    let village = seated(VILLAGE, "village_committee", "clerk", VILLAGE);
    let town = seated(TOWN, "town_office", "clerk", TOWN);
    let may =
        |row: &Suggestion, actor: &Actor| check(Step::Answer, row, standing(actor, row)).map_err(|error| error.code());
    row.body_id = village.seats[0].body_id;
    assert_eq!((may(&row, &village), may(&row, &town)), (Ok(()), Err(Code::NotFound)));
    (row.level, row.body_id) = (1, town.seats[0].body_id);
    assert_eq!((may(&row, &village), may(&row, &town)), (Err(Code::NotAllowed), Ok(())));
    let other_town = seated("330521104", "town_office", "clerk", "330521104");
    assert_eq!(may(&row, &other_town), Err(Code::NotFound));
}

#[test]
fn what_was_passed_on_is_answered_by_who_took_it_alone() {
    let mut row = voice(SuggestionKind::Help, Visibility::Handlers, SuggestionState::Accepted);
    let village = seated(VILLAGE, "village_committee", "clerk", VILLAGE);
    let branch = seated(VILLAGE, "party_branch", "chair", VILLAGE);
    let may = |step: Step, row: &Suggestion, actor: &Actor| {
        check(step, row, standing(actor, row)).map_err(|error| error.code())
    };
    row.body_id = village.seats[0].body_id;
    assert_eq!(may(Step::Refer, &row, &village), Ok(()));
    assert_eq!(may(Step::Keep, &row, &village), Err(Code::WrongState), "nobody was asked");
    row.offered_to = Some(branch.seats[0].body_id);
    assert_eq!(may(Step::Refer, &row, &village), Err(Code::WrongState), "one at a time");
    assert_eq!(may(Step::Answer, &row, &branch), Err(Code::NotFound), "not before it is taken");
    (row.offered_to, row.handed, row.body_id) = (None, 1, branch.seats[0].body_id);
    assert_eq!(may(Step::Answer, &row, &branch), Ok(()));
    assert_eq!(may(Step::Answer, &row, &village), Err(Code::NotAllowed));
}

#[test]
fn of_the_body_that_was_given_it_only_who_speaks_for_it_opens_it() {
    let mut row = voice(SuggestionKind::Help, Visibility::Handlers, SuggestionState::Accepted);
    let mut member = seated(VILLAGE, "department", "member", "330521");
    (row.handed, row.body_id) = (1, member.seats[0].body_id);
    assert_eq!(sight(row.visibility, standing(&member, &row)), Sight::Hidden);
    row.assignee_id = Some(member.person);
    assert_eq!(sight(row.visibility, standing(&member, &row)), Sight::Logged, "it was given to them");
    row.assignee_id = None;
    member.seats[0].role = "clerk".into();
    assert_eq!(sight(row.visibility, standing(&member, &row)), Sight::Logged);
}

#[test]
fn whom_it_is_about_does_not_handle_it_nor_do_the_bodies_in_which_they_sit() {
    for visibility in [Visibility::Public, Visibility::Handlers] {
        let mut row = voice(SuggestionKind::Complaint, visibility, SuggestionState::Submitted);
        let mut chair = seated(VILLAGE, "village_committee", "chair", VILLAGE);
        chair.seats.extend(seated(TOWN, "town_office", "member", TOWN).seats);
        let beside = |at: usize, kind: &str, area: &str| {
            let mut other = seated(VILLAGE, kind, "clerk", area);
            other.seats[0].body_id = chair.seats[at].body_id;
            other
        };
        let (clerk, of_town) = (beside(0, "village_committee", VILLAGE), beside(1, "town_office", TOWN));
        let county = seated(TOWN, "county_office", "clerk", "330521");
        (row.handed, row.body_id) = (1, county.seats[0].body_id);
        assert!(standing(&clerk, &row).is_handler, "reads what has gone up, as ever");
        row.about_person_id = Some(chair.person);
        assert!(!standing(&chair, &row).is_handler);
        row.about_bodies = chair.seats.iter().map(|seat| seat.body_id.to_string()).collect::<Vec<_>>().join(" ");
        let sees = |actor: &Actor| sight(visibility, standing(actor, &row));
        let hidden = if visibility == Visibility::Public { Sight::Public } else { Sight::Hidden };
        assert_eq!([sees(&chair), sees(&clerk), sees(&of_town)], [hidden; 3]);
        assert!(concerns(&row, PersonId::new(), &of_town.seats), "cannot be given to them either");
        assert_eq!(check(Step::Accept, &row, standing(&county, &row)).map_err(|error| error.code()), Ok(()));
        // the last office there is: without the one, and with everybody else
        row.about_bodies = String::new();
        assert!(standing(&county, &row).is_handler);
        row.about_person_id = Some(county.person);
        assert!(!standing(&county, &row).is_handler);
    }
}

#[test]
fn above_every_body_there_is_an_office_but_above_the_county_s() {
    assert_eq!(above("village_committee", 12), [BodyKind::TownOffice, BodyKind::CountyOffice]);
    assert_eq!(above("party_branch", 12), [BodyKind::TownOffice, BodyKind::CountyOffice]);
    assert_eq!(above("department", 9), [BodyKind::TownOffice, BodyKind::CountyOffice]);
    assert_eq!(above("department", 6), [BodyKind::CountyOffice]);
    assert_eq!(above("town_office", 9), [BodyKind::CountyOffice]);
    assert!(above("county_office", 6).is_empty());
}

#[test]
fn what_only_the_town_is_to_see_goes_to_offices_of_town_and_county() {
    for kind in ["department", "party_branch", "village_committee", "supervision_committee"] {
        assert!(!takes_private(Visibility::Town, kind) && takes_private(Visibility::Handlers, kind), "{kind}");
    }
    assert!(takes_private(Visibility::Town, "town_office") && takes_private(Visibility::Town, "county_office"));
}
