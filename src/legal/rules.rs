//! The words of legal officers' work, and who may ask for it: pure.
use sea_orm::{DeriveActiveEnum, EnumIter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    actor::{Actor, HeldSeat},
    ids::BodyId,
    rights::SPEAKERS,
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

/// The seats by which the actor sends contracts of an area to a legal officer: of who speaks for a body there, or keeps its papers.
pub fn asking<'a>(actor: &'a Actor, area: &'a str) -> impl Iterator<Item = &'a HeldSeat> {
    actor.seats.iter().filter(move |seat| seat.serves(area) && speaks(seat))
}

fn speaks(seat: &HeldSeat) -> bool {
    SPEAKERS.contains(&seat.role.as_str()) || seat.role == "secretary"
}

/// Does the actor sit in this body?
#[must_use]
pub fn sits_in(actor: &Actor, body: BodyId) -> bool {
    actor.seats.iter().any(|seat| seat.body_id == body)
}
