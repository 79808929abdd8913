//! What the members of a collective decide (农村集体经济组织法, article 26): which item of it, and who may decide that; pure.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Basis, Preset, Unit};

/// So many items has the first paragraph of article 26.
pub const ITEMS: u8 = 13;

/// What article 28 leaves to the assembly of all members: the charter, who is a member, land and shares, compensation for land,
/// merging and parting.
const OF_ALL_ALONE: [u8; 5] = [1, 3, 8, 10, 12];

/// Which item of article 26 is decided, and that it was discussed before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CollectiveItem {
    /// The item, 1 to 13, of the first paragraph of article 26. Of these 1, 3, 8, 10 and 12 are decided by all members alone.
    #[schema(minimum = 1, maximum = 13)]
    pub number: u8,
    /// Where and when the party's committee of the town, or its organisation in the village, discussed it before (the last
    /// paragraph of article 26); everybody reads it. 2 to 60 characters.
    #[schema(min_length = 2, max_length = 60)]
    pub discussed: String,
}

impl CollectiveItem {
    /// Is there such an item?
    #[must_use]
    pub fn is_known(&self) -> bool {
        (1..=ITEMS).contains(&self.number)
    }

    /// May those who have a vote by this unit decide it? The representatives not all of them.
    #[must_use]
    pub fn is_theirs(&self, unit: Unit) -> bool {
        unit == Unit::Member || (unit == Unit::MemberRep && !OF_ALL_ALONE.contains(&self.number))
    }
}

/// Do the members of a collective decide by it as the law asks: two thirds of all of them at least (article 27)? What a
/// province asked for before the law is followed only where it is stricter.
#[must_use]
pub fn is_enough(preset: &Preset) -> bool {
    let is_two_thirds =
        preset.passing.is_some_and(|share| share.basis == Basis::OnRoll && share.num * 3 >= share.den * 2);
    preset.unit != Unit::Member || is_two_thirds
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::votes::rules::presets;

    #[test]
    fn five_items_are_decided_by_all_members_alone() {
        let of = |unit| -> Vec<u8> {
            let item = |number| CollectiveItem { number, discussed: "村党总支会议".to_owned() };
            let theirs = (0..=ITEMS + 1).map(item).filter(|one| one.is_known() && one.is_theirs(unit));
            theirs.map(|one| one.number).collect()
        };
        assert_eq!(of(Unit::Member).len(), 13);
        assert_eq!(of(Unit::MemberRep), [2, 4, 5, 6, 7, 9, 11, 13]);
        assert!(of(Unit::Director).is_empty() && of(Unit::BodyMember).is_empty());
    }

    #[test]
    fn members_decide_by_two_thirds_of_all_whatever_a_province_said() {
        let too_few = presets().iter().filter(|(_, preset)| !is_enough(preset));
        assert_eq!(too_few.map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["zj_coop_members"]);
    }
}
