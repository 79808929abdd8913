//! 隐私: what is kept about people and why, and what each may do about it: see it, take it along, have it put right,
//! withdraw a consent, close the account.
//!
//! Always true: every column of the schema is in `fields.csv`, with its purpose, basis, retention and how it is kept; what
//! somebody takes along is found by that table, so that nothing is forgotten; an account is closed a week after it was
//! asked for, unless its owner thinks better of it; closing destroys the keys of private words, clips and what was not
//! attached, and takes phone, log-ins and name away; ballots, counts, digests and the log stay as they were.
//! Tables owned: `consents`, `account_closings`, `corrections`. Events recorded: `consent.*`, `correction.*`, `account.*`.
//!
//! # Why
//! The line on the roster is the village's by law (rolls of electors) and outlives the account; a person who wants an
//! account again claims a phone like everybody else. Public words stay, they are part of matters that others decided by;
//! their author's name goes.
pub mod commands;
mod corrections;
mod export;
mod http;
pub mod queries;
mod reactions;
mod rows;
mod rules;

pub use self::{
    corrections::{
        AskCorrection, CorrectionView, DecideCorrection, ask as ask_correction, decide as decide_correction,
        late as corrections_late, of_person as corrections_of, waiting as corrections_waiting,
    },
    export::export,
    http::routes,
    queries::{ClosingView, ConsentView},
    reactions::REACTIONS,
    rules::{
        ClosingState, ConsentPurpose, CorrectionField, CorrectionState, FieldRule, ShownField, fields, shown_fields,
    },
};
