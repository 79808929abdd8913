//! Who may do what: the one table of rights, from seats. Everything not in it is denied. `bodies` offers it on.
use crate::{
    actor::{Actor, HeldSeat},
    error::{Code, Result},
};

/// Something that needs a seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Right {
    /// Found bodies, fill seats, record mandates.
    ManageBodies,
    /// Import a village's roster.
    ImportRoster,
    /// See, accept, assign, answer and join residents' voices.
    HandleSuggestions,
    /// Raise a matter on behalf of a body.
    RaiseMatter,
    /// Attach evidence and move a matter to the next stage.
    MoveMatter,
    /// Skip a stage or end a matter early; named and public.
    BendPath,
    /// Open a survey, a call-back visit sheet or a rating.
    OpenForm,
    /// Write down somebody else's answers at a visit.
    RecordVisit,
    /// Call a meeting, sign people in, take minutes.
    HoldMeeting,
    /// Publish a notice in the village's name.
    PublishNotice,
    /// Answer objections to a notice.
    AnswerObjection,
    /// Say what becomes of another way that somebody put beside a matter's plan: the council.
    AnswerAlternative,
    /// State the party organisation's or the committee's opinion at the review.
    GiveOpinion,
    /// Note whether a matter is lawful, say what is to be said of a contract, mediate: a legal officer.
    NoteLegality,
    /// Open a vote of the villagers or their representatives.
    OpenVote,
    /// Give tasks.
    GiveTask,
    /// Close a matter after its evaluation.
    CloseMatter,
    /// Set up outgoing webhooks.
    ManageWebhooks,
    /// Take away what somebody said in a channel or a discussion, with a reason; pin, address everybody.
    Moderate,
    /// Bring people together in a group.
    OpenGroup,
    /// Suspend somebody's speaking in public, and lift it.
    SuspendSpeaking,
    /// Knock where somebody was not reached, see who that is, and write down that it was done.
    VisitDoors,
    /// Look for people by what they can do, as far as they allow it; post needs in a body's name.
    FindSkills,
    /// Write down what a council says of itself: its charter, and what it did for people.
    KeepCouncil,
    /// Run the county's Liusheng: areas, health, failed work; a village's private voice only with a reason.
    OperateCounty,
}

/// Rights of the leading roles of a village committee.
const COMMITTEE: &[Right] = &[
    Right::ImportRoster,
    Right::HandleSuggestions,
    Right::RaiseMatter,
    Right::MoveMatter,
    Right::OpenForm,
    Right::RecordVisit,
    Right::HoldMeeting,
    Right::PublishNotice,
    Right::AnswerObjection,
    Right::OpenVote,
    Right::GiveTask,
    Right::ManageWebhooks,
    Right::Moderate,
    Right::OpenGroup,
    Right::VisitDoors,
    Right::FindSkills,
];
/// What the chair of a village committee may do beyond that.
const COMMITTEE_CHAIR: &[Right] = &[Right::BendPath, Right::GiveOpinion, Right::SuspendSpeaking];
/// The council deliberates, visits and advises; it never publishes as the village and never decides.
const COUNCIL: &[Right] = &[
    Right::RaiseMatter,
    Right::OpenForm,
    Right::RecordVisit,
    Right::HoldMeeting,
    Right::MoveMatter,
    Right::AnswerAlternative,
    Right::OpenGroup,
    Right::FindSkills,
    Right::KeepCouncil,
];

/// Offices of towns and of the county keep the ground on which villages stand.
const OFFICE: &[Right] =
    &[Right::ManageBodies, Right::ImportRoster, Right::ManageWebhooks, Right::SuspendSpeaking, Right::Moderate];

/// What an office may do in its own town or county, and in no village: there the village speaks for itself.
const OWN_AREA: &[Right] = &[Right::PublishNotice, Right::AnswerObjection];

/// Digits of a village's code; a town's is shorter.
const VILLAGE_CODE: usize = 12;

/// The rights of a role in a kind of body.
#[must_use]
pub fn rights(body_kind: &str, role: &str) -> Vec<Right> {
    match (body_kind, role) {
        ("county_office", "chair" | "vice_chair" | "clerk") => [OFFICE, OWN_AREA, &[Right::OperateCounty]].concat(),
        ("town_office", "chair" | "vice_chair" | "clerk") => [OFFICE, OWN_AREA, &[Right::FindSkills]].concat(),
        ("village_committee", "chair") => [COMMITTEE, COMMITTEE_CHAIR].concat(),
        ("village_committee", "vice_chair" | "clerk") => COMMITTEE.to_vec(),
        ("village_committee", "member") => vec![Right::HandleSuggestions, Right::RecordVisit, Right::VisitDoors],
        ("village_committee", "grid_worker") => vec![Right::RecordVisit, Right::VisitDoors],
        ("village_committee" | "town_office" | "county_office" | "department", "legal_officer") => {
            vec![Right::NoteLegality]
        }
        ("party_branch", "chair") => vec![Right::GiveOpinion, Right::RaiseMatter, Right::HoldMeeting],
        ("council", "chair" | "vice_chair" | "secretary") => COUNCIL.to_vec(),
        // who keeps the register of the collective, and who leads its board or its representatives
        ("collective", "chair" | "vice_chair" | "clerk")
        | ("collective_board", "chair" | "vice_chair")
        | ("collective_reps", "chair") => vec![Right::HoldMeeting],
        ("federation", "chair" | "vice_chair" | "secretary") => {
            vec![Right::OpenForm, Right::HoldMeeting, Right::FindSkills]
        }
        // each of them leads it in turn
        ("joint_meeting", "chair" | "vice_chair" | "secretary" | "member") => {
            vec![Right::HoldMeeting, Right::FindSkills]
        }
        ("council", "member") => vec![Right::RecordVisit],
        ("supervision_committee", "chair") => vec![Right::CloseMatter, Right::RecordVisit],
        ("supervision_committee", "member") => vec![Right::RecordVisit],
        _ => Vec::new(),
    }
}

/// Roles in which somebody says yes and no for a body.
pub const SPEAKERS: [&str; 3] = ["chair", "vice_chair", "clerk"];

/// The seat by which the actor may do this in the area.
///
/// # Errors
/// `not_allowed` when no seat gives the right there.
pub fn require<'a>(actor: &'a Actor, right: Right, area: &str) -> Result<&'a HeldSeat> {
    holding(actor, right).find(|seat| reaches(seat, right, area)).ok_or_else(|| Code::NotAllowed.into())
}

/// Does what the seat gives in its areas hold in this one, too?
fn reaches(seat: &HeldSeat, right: Right, area: &str) -> bool {
    let is_own = || seat.areas.iter().any(|own| own == area);
    match seat.body_kind.as_str() {
        "county_office" | "town_office" if OWN_AREA.contains(&right) => is_own(),
        // bodies of several councils meet by themselves, and look into no village's meetings and forms
        "federation" | "joint_meeting" if right == Right::HoldMeeting => false,
        "federation" if right == Right::OpenForm => is_own() && area.len() < VILLAGE_CODE,
        _ => seat.covers(area),
    }
}

/// Has the actor this right in the area?
#[must_use]
pub fn may(actor: &Actor, right: Right, area: &str) -> bool {
    gives(&actor.seats, right, area)
}

/// Do somebody's seats give this right in the area?
#[must_use]
pub fn gives(seats: &[HeldSeat], right: Right, area: &str) -> bool {
    seats.iter().any(|seat| rights(&seat.body_kind, &seat.role).contains(&right) && reaches(seat, right, area))
}

/// Codes of the areas in which the actor holds the right.
#[must_use]
pub fn areas_with(actor: &Actor, right: Right) -> Vec<String> {
    let mut areas: Vec<String> = holding(actor, right).flat_map(|seat| seat.areas.iter().cloned()).collect();
    areas.sort();
    areas.dedup();
    areas
}

fn holding(actor: &Actor, right: Right) -> impl Iterator<Item = &HeldSeat> {
    actor.seats.iter().filter(move |seat| rights(&seat.body_kind, &seat.role).contains(&right))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holding_seat(kind: &str, role: &str, area: &str) -> Actor {
        Actor { seats: vec![HeldSeat::made_up(kind, role, area)], ..Actor::living_in(area) }
    }

    #[test]
    fn the_council_never_publishes_and_never_opens_a_vote() {
        for role in ["chair", "vice_chair", "secretary", "member"] {
            let actor = holding_seat("council", role, "330521103202");
            for right in [Right::PublishNotice, Right::OpenVote, Right::AnswerObjection, Right::BendPath] {
                assert!(!may(&actor, right, "330521103202"), "{role} {right:?}");
            }
        }
    }

    #[test]
    fn a_seat_gives_rights_only_where_its_body_stands() {
        let clerk = holding_seat("village_committee", "clerk", "330521103202");
        assert!(may(&clerk, Right::PublishNotice, "330521103202"));
        assert!(!may(&clerk, Right::PublishNotice, "330521103203"));
        let town = holding_seat("town_office", "clerk", "330521103");
        assert!(may(&town, Right::ImportRoster, "330521103202"));
        assert!(!may(&town, Right::HandleSuggestions, "330521103202"));
        // an office speaks to its own town, never as one of its villages or for the county
        let speaks =
            ["330521103", "330521103202", "330521104", "330521"].map(|at| may(&town, Right::PublishNotice, at));
        assert_eq!(speaks, [true, false, false, false]);
    }

    #[test]
    fn a_federation_asks_in_its_town_and_looks_into_no_village() {
        let secretary = holding_seat("federation", "secretary", "330521103");
        assert!(may(&secretary, Right::OpenForm, "330521103") && !may(&secretary, Right::OpenForm, "330521103202"));
        let of_villages = holding_seat("federation", "secretary", "330521103202");
        assert!(!may(&of_villages, Right::OpenForm, "330521103202"));
        for kind in ["federation", "joint_meeting"] {
            let actor = holding_seat(kind, "secretary", "330521103202");
            assert!(!may(&actor, Right::HoldMeeting, "330521103202"), "{kind}: the village's meetings");
            assert!(rights(kind, "secretary").contains(&Right::HoldMeeting), "{kind}: its own");
        }
    }

    #[test]
    fn an_unknown_kind_or_role_has_no_right() {
        assert!(rights("council", "emperor").is_empty());
        assert!(rights("", "chair").is_empty());
    }
}
