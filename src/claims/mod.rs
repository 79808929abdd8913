//! 认领: somebody on the roster asks for a phone to sign in with: with name and last digits of the identity number from
//! the new phone, or in person at the office.
//!
//! Always true: a wrong name and wrong digits get the same answer as right ones; five tries a day for a phone and for a
//! network; nothing is bound before somebody at the office has decided, never about oneself, and what one clerk wrote down
//! at the office another seat holder decides; the old phone is told by SMS, the person by mailbox, also of a refusal; a
//! roster does not undo it; the numbers of a claim are forgotten when both phones have been told.
//! Tables owned: `phone_claims`, `claim_tries`. Events recorded: `claim.*`.
//!
//! # Why
//! Six digits are guessed in a hundred thousand tries and known to half the family, so they find the person and prove
//! nothing: the office does, which knows its people. At the office one clerk alone could take over anybody's account.
pub mod commands;
mod http;
pub mod queries;
mod reactions;
mod rows;
mod rules;

pub use self::{
    commands::{AskClaim, ClaimAtOffice, ConfirmClaim, DecideClaim},
    http::routes,
    queries::ClaimView,
    reactions::REACTIONS,
    rules::{ClaimHow, ClaimState},
};
