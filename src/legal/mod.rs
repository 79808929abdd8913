//! 法制村官 (村法律顾问): what a legal officer does beside the note on a matter's legality, and when one is there for residents.
//!
//! Always true: who sits as a legal officer serves the villages that were named for the seat, or all that the body covers, and
//! everybody sees where and when; a contract is read by the body that sent it and by the legal officers of its area, is answered
//! once and not by who sent it, or both hear once that it is late, and beside its matter everybody reads whether it may be signed,
//! not why. A mediation is read and known by its parties and by the officer who holds it, as long as that one sits there, and by nobody else, whatever their office:
//! its words, names and papers are sealed, and no event, card, notice, search, list or export of others says that there is one.
//! What an officer's time went into is written down by that officer, and read by who sits over the area; on which days somebody
//! mediated, and a word of it, by nobody else.
//! Tables owned: `legal_desks`, `legal_villages`, `legal_hours`, `contract_reviews`, `mediations`, `mediation_parties`,
//! `mediation_follow_ups`. Events recorded: `contract.review_asked`, `contract.reviewed`, `contract.overdue`; of where and
//! when an officer is there, of hours and of mediations, none (the rows are their own record).
//!
//! # Why
//! A question of law is a public voice of the kind 咨询: it has its clock and its answer already, and the clerk gives it to the
//! legal officer, who sits in the body responsible. What officers answered so is listed beside their hours. A lecture is a
//! notice about activities. An event about a mediation would say for ever, to whoever verifies the log, that two people had one.
pub mod contracts;
pub mod hours;
mod http;
pub mod late;
pub mod mediations;
pub mod officers;
mod photos;
mod reactions;
mod rows;
pub mod rules;

pub use self::{
    contracts::{AskContractReview, ContractReviewView, GiveContractOpinion},
    hours::{LegalYearView, NoteLegalHours},
    http::routes,
    mediations::MediationView,
    officers::{LegalOfficerView, SetLegalDesk},
    reactions::REACTIONS,
    rules::ContractOutcome,
};
