//! What must be there before a member of the village committee is voted out: who asked for it, when, and what for (组织法,
//! article 19; 浙江选举办法, articles 34 to 36); pure.
use chrono::{DateTime, Months, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::roll::working_days_after;
use crate::{calendar::Calendar, clock, ids::PersonId};

/// The village holds the vote within so many days after it was asked to.
const DAYS: u32 = 30;
/// Where it does not, the town sees to it within so many days after these.
const DAYS_OF_THE_TOWN: u32 = 60;
/// After a recall that came to nothing it is not asked for again for the same cause.
const MONTHS_OF_REST: Months = Months::new(12);

/// That a recall was asked for in writing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecallPetition {
    /// Whom: a member of the village committee.
    pub member_id: PersonId,
    /// Who signed.
    pub signed_by: Signers,
    /// How many of them did: a fifth of all who have a vote at least, or a third of the representatives.
    #[schema(minimum = 1)]
    pub signatures: u32,
    /// The day on which the village committee received it.
    pub received_on: NaiveDate,
    /// What for, as it was written down; everybody reads it. 2 to 200 characters.
    #[schema(min_length = 2, max_length = 200)]
    pub cause: String,
    /// What the member says to it, or that the member was asked and says nothing; everybody reads it. 2 to 200 characters.
    #[schema(min_length = 2, max_length = 200)]
    pub defence: String,
    /// In what the cause differs from that of a recall of the same member that came to nothing less than a year before. 2 to
    /// 200 characters; needed then alone.
    #[serde(default)]
    #[schema(min_length = 2, max_length = 200)]
    pub differs: Option<String>,
}

/// Who may ask for a recall.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Signers {
    /// 有选举权的村民: a fifth of them.
    Electors,
    /// 村民代表: a third of them.
    Representatives,
}

impl Signers {
    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Electors => "electors",
            Self::Representatives => "representatives",
        }
    }

    /// One in how many of them must sign.
    #[must_use]
    pub fn one_in(self) -> u64 {
        match self {
            Self::Electors => 5,
            Self::Representatives => 3,
        }
    }

    /// Did enough of all of them sign? Nobody of nobody is not enough.
    #[must_use]
    pub fn is_enough(self, signatures: u32, all: u64) -> bool {
        signatures > 0 && u128::from(signatures) * u128::from(self.one_in()) >= u128::from(all)
    }
}

/// Whether a vote ends in its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timing {
    /// Within thirty days.
    InTime,
    /// The village let them pass, and the town sees to it.
    ByTheTown,
    /// These days are over, too.
    TooLate,
}

/// How a vote that ends then stands to the days of a petition of that day. The first day is not counted, and a last one that
/// is free moves on (civil code, 201 and 203).
#[must_use]
pub fn timing(calendar: &Calendar, received_on: NaiveDate, ends_at: DateTime<Utc>) -> Timing {
    let village = working_days_after(calendar, clock::start_of_day(received_on), DAYS);
    // it was over at 24:00 of its last day
    let town = working_days_after(calendar, village - TimeDelta::milliseconds(1), DAYS_OF_THE_TOWN);
    if ends_at <= village {
        Timing::InTime
    } else if ends_at <= town {
        Timing::ByTheTown
    } else {
        Timing::TooLate
    }
}

/// Was it asked for less than a year after a vote that came to nothing?
#[must_use]
pub fn is_too_soon(failed_on: NaiveDate, received_on: NaiveDate) -> bool {
    failed_on.checked_add_months(MONTHS_OF_REST).is_none_or(|free| received_on < free)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_fifth_of_the_electors_or_a_third_of_the_representatives_sign() {
        for (signed, all, is_enough) in [(11, 55, true), (10, 55, false), (11, 56, false), (1, 5, true), (0, 0, false)]
        {
            assert_eq!(Signers::Electors.is_enough(signed, all), is_enough, "{signed} of {all}");
        }
        for (signed, all, is_enough) in [(2, 5, true), (1, 5, false), (10, 30, true), (10, 31, false), (0, 0, false)] {
            assert_eq!(Signers::Representatives.is_enough(signed, all), is_enough, "{signed} of {all}");
        }
        assert!(!Signers::Electors.is_enough(u32::MAX, u64::MAX), "nothing wraps");
    }

    #[test]
    fn the_village_has_thirty_days_and_the_town_sixty_more() {
        let calendar = Calendar::load(None).unwrap();
        let ends = |received: &str, last: &str| timing(&calendar, day(received), clock::end_of_day(day(last)));
        // the 2nd of December is a Wednesday, the 31st of January 2027 a Sunday
        assert_eq!(ends("2026-11-02", "2026-12-02"), Timing::InTime);
        assert_eq!(ends("2026-11-02", "2026-12-03"), Timing::ByTheTown);
        assert_eq!(ends("2026-11-02", "2027-02-01"), Timing::ByTheTown);
        assert_eq!(ends("2026-11-02", "2027-02-28"), Timing::TooLate);
        // the thirtieth day is a Sunday: it moves on to the Monday
        assert_eq!(ends("2026-10-30", "2026-11-30"), Timing::InTime);
        assert_eq!(ends("2026-10-30", "2026-12-01"), Timing::ByTheTown);
    }

    #[test]
    fn a_year_of_rest_is_a_year() {
        assert!(is_too_soon(day("2026-03-01"), day("2027-02-28")));
        assert!(!is_too_soon(day("2026-03-01"), day("2027-03-01")));
        // of a leap day the 28th
        assert!(!is_too_soon(day("2028-02-29"), day("2029-02-28")));
    }
}
