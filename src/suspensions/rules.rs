//! Who may be silenced by whom, for how long, and who hears the appeal: pure.
use std::ops::RangeInclusive;

use crate::{actor::HeldSeat, bodies::BodyKind};

/// Days that a suspension may last.
pub const DAYS: RangeInclusive<u32> = 1..=90;

/// May the holder of this seat silence somebody who holds these seats? A village cannot silence who governs, supervises
/// or represents it.
#[must_use]
pub fn may_silence(by: &HeldSeat, area: &str, theirs: &[HeldSeat]) -> bool {
    by.body_kind != BodyKind::VillageCommittee.as_str() || !theirs.iter().any(|seat| seat.covers(area))
}

/// The kind of office that hears the appeal against this kind of body: the one above it.
#[must_use]
pub fn appeal_kind(of: BodyKind) -> BodyKind {
    if of == BodyKind::VillageCommittee { BodyKind::TownOffice } else { BodyKind::CountyOffice }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seat(kind: &str, area: &str) -> HeldSeat {
        HeldSeat::made_up(kind, "chair", area)
    }

    #[test]
    fn a_village_does_not_silence_who_watches_it() {
        let (village, town) = (seat("village_committee", "330521103202"), seat("town_office", "330521103"));
        let supervisor = [seat("supervision_committee", "330521103202")];
        assert!(!may_silence(&village, "330521103202", &supervisor));
        assert!(may_silence(&town, "330521103202", &supervisor));
        assert!(may_silence(&village, "330521103202", &[]));
        let elsewhere = [seat("council", "330521103203")];
        assert!(may_silence(&village, "330521103202", &elsewhere));
        assert_eq!(appeal_kind(BodyKind::VillageCommittee), BodyKind::TownOffice);
        assert_eq!(appeal_kind(BodyKind::TownOffice), BodyKind::CountyOffice);
    }
}
