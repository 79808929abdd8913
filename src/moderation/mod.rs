//! 先审后发: messages that are looked at before anybody else sees them.
//!
//! Always true: a held message has no `seq` and is in no stream until it is approved, then it is sent once, in its author's
//! name; its author reads that it waits, and why, and nobody else but who decides; what is refused is refused with a reason
//! and can be objected to once, and then another person decides; nothing that is held is dropped in silence. Its words are
//! sealed by a key that goes with its author's account. Who leads a conversation is never held; voices have a way of their own (see
//! `suggestions`).
//! Tables owned: `held_entries`, `reviewed_streams`. Events recorded: `message.held`, `message.approved`,
//! `message.refused`, `message.appealed`, `message.appeal_decided`, `review.changed`.
//!
//! # Why
//! A `seq` given before the approval would be a hole for everybody else. Words that are on the list hold a message wherever
//! it would be public, because in a village the office reads it within the day; they never refuse one. A list (接龙) and its
//! rows have no sender to whom a held one could be shown as waiting among the others': there they are refused, with the field.
pub mod commands;
mod http;
pub mod queries;
mod reactions;
mod rows;
mod rules;

pub use self::{
    commands::{AppealHeld, DecideHeld, Outcome, SetReview},
    http::routes,
    queries::HeldView,
    reactions::REACTIONS,
};
