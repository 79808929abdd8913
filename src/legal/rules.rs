//! The words of legal officers' work, and who may ask for it: pure.
use sea_orm::{DeriveActiveEnum, EnumIter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    actor::{Actor, HeldSeat},
    ids::PersonId,
    rights::{Right, SPEAKERS, may},
};

/// Working days within which a contract is looked at.
pub const CONTRACT_WORKING_DAYS: u32 = 5;

/// What a legal officer says of a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum ContractOutcome {
    /// It may be signed as it is.
    Sound,
    /// It may be signed once it is changed as the opinion says.
    ToChange,
    /// It should not be signed.
    Unsound,
}

/// How far a mediation has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum MediationState {
    /// It goes on.
    Opened,
    /// The parties agreed.
    Agreed,
    /// They did not.
    Failed,
    /// One of them did not want it any more.
    Withdrawn,
}

/// What an officer's time went into.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    ToSchema,
    EnumIter,
    DeriveActiveEnum,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum LegalWork {
    /// 坐班
    Duty,
    /// 咨询
    Consultation,
    /// 合法性审查
    Legality,
    /// 合同审查
    Contract,
    /// 调解
    Mediation,
    /// 普法讲座
    Lecture,
    /// 其他
    Other,
}

/// How somebody stands to a mediation. To everybody else there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Holds it, and still sits as a legal officer there.
    Officer,
    /// It is held for them.
    Party,
}

/// How the actor stands to a mediation that this officer holds in this area, between those of these people who have a log-in.
#[must_use]
pub fn standing(actor: &Actor, (officer, area): (PersonId, &str), parties: &[PersonId]) -> Option<Standing> {
    if parties.contains(&actor.person) {
        return Some(Standing::Party);
    }
    let holds = officer == actor.person && may(actor, Right::NoteLegality, area);
    holds.then_some(Standing::Officer)
}

/// May who stands so end a mediation like this? A party withdraws, and says nothing for the others.
#[must_use]
pub fn may_end(standing: Standing, to: MediationState) -> bool {
    match standing {
        Standing::Officer => to != MediationState::Opened,
        Standing::Party => to == MediationState::Withdrawn,
    }
}

/// The seats by which the actor sends contracts of an area to a legal officer: of who speaks for a body there, or keeps its papers.
pub fn asking<'a>(actor: &'a Actor, area: &'a str) -> impl Iterator<Item = &'a HeldSeat> {
    actor.seats.iter().filter(move |seat| seat.serves(area) && speaks(seat))
}

fn speaks(seat: &HeldSeat) -> bool {
    SPEAKERS.contains(&seat.role.as_str()) || seat.role == "secretary"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actor(role: &str, area: &str) -> Actor {
        Actor { seats: vec![HeldSeat::made_up("village_committee", role, area)], ..Actor::living_in(area) }
    }

    #[test]
    fn a_mediation_is_its_parties_and_its_officer_s_and_nobody_else_s() {
        let here = "330521103202";
        let officer = actor("legal_officer", here);
        let party = PersonId::new();
        let stands = |who: &Actor| standing(who, (officer.person, here), &[party]);
        assert_eq!(stands(&officer), Some(Standing::Officer));
        assert_eq!(stands(&Actor { person: party, ..actor("chair", here) }), Some(Standing::Party));
        for role in ["legal_officer", "chair", "clerk", "member"] {
            assert_eq!(stands(&actor(role, here)), None, "another {role}");
        }
        let without_seat = Actor { seats: Vec::new(), ..officer.clone() };
        let elsewhere = Actor { person: officer.person, ..actor("legal_officer", "330521103203") };
        assert_eq!((stands(&without_seat), stands(&elsewhere)), (None, None), "the seat has ended");
    }

    #[test]
    fn a_party_withdraws_and_no_more() {
        for to in [MediationState::Agreed, MediationState::Failed, MediationState::Withdrawn] {
            assert!(may_end(Standing::Officer, to));
            assert_eq!(may_end(Standing::Party, to), to == MediationState::Withdrawn);
        }
        assert!(!may_end(Standing::Officer, MediationState::Opened));
    }
}
