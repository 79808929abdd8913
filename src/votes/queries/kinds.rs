//! Whose a vote is, told by its preset alone: of the village, of its households, of a group, of a body.
use super::super::rules::{self, Unit};
use crate::areas::Level;

/// How the names of the rules begin by which a village committee is elected.
pub(super) const ELECTIONS: &str = "committee_election_";

/// Is a household one elector by this preset?
#[must_use]
pub fn is_of_households(preset: &str) -> bool {
    rules::preset(preset).is_some_and(|preset| preset.unit == Unit::Household)
}

/// Does one villagers' group decide by itself by this preset?
#[must_use]
pub fn is_of_group(preset: &str) -> bool {
    preset.starts_with("group_")
}

/// Is this preset voted on in an area of this level? Residents meet in communities (城市居民委员会组织法), and a community that
/// was a village may still go by the law of villages.
#[must_use]
pub fn fits(preset: &str, level: Level) -> bool {
    level.is_village() && (level == Level::Community || !preset.starts_with("residents_"))
}

/// How the names of the rules begin by which villagers choose their representatives.
pub(super) const SELECTIONS: &str = "rep_selection_";

/// Does a group, or some households together, choose representatives of the villagers by this preset?
#[must_use]
pub fn is_selection(preset: &str) -> bool {
    preset.starts_with(SELECTIONS)
}

/// Do the members of a body vote among themselves by this preset?
#[must_use]
pub fn is_inside(preset: &str) -> bool {
    let is_of_body = |unit| matches!(unit, Unit::BodyMember | Unit::Member | Unit::MemberRep | Unit::Director);
    rules::preset(preset).is_some_and(|preset| is_of_body(preset.unit))
}

/// Does a charter say by which shares the members decide? What a collective decides the law does.
#[must_use]
pub fn has_charter(preset: &str) -> bool {
    rules::preset(preset).is_some_and(|preset| preset.unit == Unit::BodyMember)
}

/// Do all members of a village's collective vote by this preset?
#[must_use]
pub fn is_of_collective(preset: &str) -> bool {
    rules::preset(preset).is_some_and(|preset| preset.unit == Unit::Member)
}

/// Is an item of article 26 decided by this preset (农村集体经济组织法, articles 27 and 28)?
#[must_use]
pub fn has_items(preset: &str) -> bool {
    matches!(preset, "collective_members" | "collective_reps")
}

/// Is a village committee elected by this preset?
#[must_use]
pub fn is_committee_election(preset: &str) -> bool {
    preset.starts_with(ELECTIONS)
}

/// Do the members of a council elect whoever leads it by this preset? What else a body chooses inside, an offer or an item, elects
/// nobody.
#[must_use]
pub fn is_own_election(preset: &str) -> bool {
    preset == "council_election"
}

/// Is a member of the village committee voted out by this preset?
#[must_use]
pub fn is_recall(preset: &str) -> bool {
    preset == "committee_recall"
}

/// Do the members of a body of this kind vote among themselves by this preset?
#[must_use]
pub fn is_of_kind(preset: &str, body_kind: &str) -> bool {
    let unit = match body_kind {
        "collective" => Unit::Member,
        "collective_reps" => Unit::MemberRep,
        "collective_board" => Unit::Director,
        _ => Unit::BodyMember,
    };
    rules::preset(preset).is_some_and(|preset| preset.unit == unit)
}
