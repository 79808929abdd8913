//! For what somebody may be found, how a need stands, and who stands to it: pure.
use sea_orm::{DeriveActiveEnum, EnumIter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    actor::{Actor, HeldSeat, covers},
    areas::VILLAGE_CODE,
    error::Checks,
    ids::{BodyId, PersonId},
    rights::{Right, rights},
};

/// Characters of one tag at most.
const MAX_TAG: usize = 12;

/// What somebody may be found for; each is allowed, and taken back, by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum SkillUse {
    /// By the committee and the council of the village.
    Village,
    /// By the town, its federation and its joint meeting.
    Town,
    /// Being told of a new need that asks for what one can do.
    Needs,
}

impl SkillUse {
    /// All of them, in the order of a form.
    pub const ALL: [Self; 3] = [Self::Village, Self::Town, Self::Needs];
}

/// How far a need has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum NeedState {
    /// Somebody is sought.
    Open,
    /// Somebody has taken it.
    Taken,
    /// It was met.
    Done,
    /// It is wanted no more.
    Withdrawn,
}

/// How a need ends, or goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NeedOutcome {
    /// It was met.
    Done,
    /// Whoever took it cannot, or is not wanted for it: it is open again.
    Returned,
    /// It is wanted no more; by the body alone.
    Withdrawn,
}

impl NeedOutcome {
    /// How the need stands then.
    #[must_use]
    pub fn state(self) -> NeedState {
        match self {
            Self::Done => NeedState::Done,
            Self::Returned => NeedState::Open,
            Self::Withdrawn => NeedState::Withdrawn,
        }
    }

    /// From where it comes there.
    #[must_use]
    pub fn ends(self, state: NeedState) -> bool {
        match self {
            Self::Done | Self::Returned => state == NeedState::Taken,
            Self::Withdrawn => matches!(state, NeedState::Open | NeedState::Taken),
        }
    }
}

/// What came of a need.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndNeed {
    /// Done, given back, or wanted no more.
    pub outcome: NeedOutcome,
    /// What was done, or why; 2 to 500 characters, for the two sides.
    #[schema(min_length = 2, max_length = 500)]
    pub text: String,
    /// How it stood when it was looked at: it is refused when it has moved since. Absent: however it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<NeedState>,
    /// Who had taken it then: it is refused when somebody else has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taker: Option<PersonId>,
}

impl EndNeed {
    /// Does it mean the need as it stands, and whoever has taken it?
    #[must_use]
    pub fn is_about(&self, state: NeedState, taker: Option<PersonId>) -> bool {
        self.seen.is_none_or(|seen| seen == state) && (self.taker.is_none() || self.taker == taker)
    }
}

/// What has to be allowed so that the actor finds somebody in this area: by a seat of the village, or by one above it. Nothing
/// for who may not look there.
#[must_use]
pub fn uses(actor: &Actor, area: &str) -> Vec<SkillUse> {
    let by = |seat: &HeldSeat, own: &str| {
        let is_above = own.len() < VILLAGE_CODE || matches!(seat.body_kind.as_str(), "federation" | "joint_meeting");
        if is_above { SkillUse::Town } else { SkillUse::Village }
    };
    let mut uses = Vec::new();
    for seat in actor.seats.iter().filter(|seat| finds(seat)) {
        uses.extend(seat.areas.iter().filter(|own| covers(own, area)).map(|own| by(seat, own)));
    }
    uses.dedup();
    uses
}

/// Does the actor stand for this body in this area?
#[must_use]
pub fn stands_for(actor: &Actor, body: BodyId, area: &str) -> bool {
    actor.seats.iter().any(|seat| seat.body_id == body && seat.serves(area) && finds(seat))
}

/// May this seat look for people, and post needs?
#[must_use]
pub fn finds(seat: &HeldSeat) -> bool {
    rights(&seat.body_kind, &seat.role).contains(&Right::FindSkills)
}

/// As tags are kept: a line each, none twice.
#[must_use]
pub fn kept(tags: &[String]) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for tag in tags.iter().map(|tag| tag.trim()) {
        if !kept.contains(&tag) {
            kept.push(tag);
        }
    }
    kept.join("\n")
}

/// Tags as they were kept.
#[must_use]
pub fn tags_of(kept: &str) -> Vec<String> {
    kept.lines().map(str::to_owned).collect()
}

/// Tags as they are typed into one field, with anything between them that is no word.
#[must_use]
pub fn typed(text: &str) -> Vec<String> {
    let apart = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '\u{ff0c}' | '\u{3001}' | '\u{ff1b}');
    text.split(apart).filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
}

/// So many words, each short and of one line.
pub fn check(checks: &mut Checks, tags: &[String], bounds: std::ops::RangeInclusive<usize>) {
    checks.require(bounds.contains(&tags.len()), "tags", "out_of_range");
    for tag in tags.iter().take(*bounds.end()) {
        checks.text("tags", tag, 1..=MAX_TAG);
        checks.require(!tag.trim().contains(['\n', '\r']), "tags", "bad_characters");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sitting(kind: &str, role: &str, area: &str) -> Actor {
        Actor { seats: vec![HeldSeat::made_up(kind, role, area)], ..Actor::living_in(area) }
    }

    #[test]
    fn a_village_and_its_town_are_two_uses() {
        let village = "330521103202";
        assert_eq!(uses(&sitting("council", "secretary", village), village), [SkillUse::Village]);
        assert_eq!(uses(&sitting("town_office", "clerk", "330521103"), village), [SkillUse::Town]);
        assert_eq!(
            uses(&sitting("joint_meeting", "member", village), village),
            [SkillUse::Town],
            "others are there, too"
        );
        assert!(uses(&sitting("council", "secretary", village), "330521103").is_empty(), "a village is no town");
        assert!(uses(&sitting("council", "member", village), village).is_empty());
        assert!(uses(&sitting("county_office", "clerk", "330521"), village).is_empty());
    }

    #[test]
    fn tags_are_read_as_people_type_them() {
        assert_eq!(typed("水电, 种茶、会计；  木工"), ["水电", "种茶", "会计", "木工"]);
        assert_eq!(tags_of(&kept(&["a".into(), " a ".into(), "b".into()])), ["a", "b"]);
    }

    #[test]
    fn what_is_over_does_not_end_again() {
        for state in [NeedState::Done, NeedState::Withdrawn] {
            for outcome in [NeedOutcome::Done, NeedOutcome::Returned, NeedOutcome::Withdrawn] {
                assert!(!outcome.ends(state), "{outcome:?} {state:?}");
            }
        }
        assert!(NeedOutcome::Withdrawn.ends(NeedState::Open) && !NeedOutcome::Done.ends(NeedState::Open));
    }
}
