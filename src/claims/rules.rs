//! How often one may try, and who decides: pure.
use sea_orm::{DeriveActiveEnum, EnumIter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    error::{Code, Result},
    ids::PersonId,
};

/// Tries a day, for a phone and for a network each.
pub(super) const TRIES_A_DAY: u64 = 5;
/// Working days in which the office decides.
pub(super) const DECIDE_WORKING_DAYS: u32 = 15;
/// Claims about one person that may wait at a time.
pub(super) const WAITING: u64 = 3;

/// How somebody asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum ClaimHow {
    /// From the new phone, with name and last digits.
    Phone,
    /// In person, at the office.
    Office,
}

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum ClaimState {
    /// Somebody must decide.
    Waiting,
    /// The phone is bound.
    Approved,
    /// It is not.
    Refused,
    /// Nobody decided in time.
    Expired,
}

/// May one try again, with so many tries in the last day?
///
/// # Errors
/// `code_too_many`.
pub(super) fn may_try((by_phone, by_address): (u64, u64)) -> Result<()> {
    if by_phone >= TRIES_A_DAY || by_address >= TRIES_A_DAY {
        return Err(Code::CodeTooMany.after_secs(24 * 3600));
    }
    Ok(())
}

/// May this person decide? `about`: whose claim it is; `asked_by`: who wrote it down at the office.
///
/// # Errors
/// `second_person_needed`.
pub(super) fn may_decide(who: PersonId, about: PersonId, asked_by: Option<PersonId>) -> Result<()> {
    if who == about || asked_by == Some(who) { Err(Code::SecondPersonNeeded.into()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_tries_a_day_for_a_phone_and_for_a_network() {
        assert!(may_try((4, 4)).is_ok());
        assert!(may_try((5, 0)).is_err());
        assert!(may_try((0, 5)).is_err());
    }

    #[test]
    fn nobody_decides_about_oneself_or_what_one_wrote_down() {
        let [clerk, chair, villager] = [PersonId::new(), PersonId::new(), PersonId::new()];
        assert!(may_decide(clerk, villager, None).is_ok());
        assert!(may_decide(clerk, clerk, None).is_err());
        assert!(may_decide(clerk, villager, Some(clerk)).is_err());
        assert!(may_decide(chair, villager, Some(clerk)).is_ok());
    }
}
