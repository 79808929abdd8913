//! 举报: that somebody holds a message for unfit, and what the office decided.
//!
//! Always true: what was said is kept as evidence, sealed by a key of its own, so that taking it back does not hide it from
//! who decides, and its photos and clips are kept until the decision; the key is destroyed ninety days after the decision; one report for a person and a message; who spoke is
//! not told who reported, and who reported is told what was decided and why; nobody decides about the own message. Voices
//! (threads, letters to the office) cannot be reported: they are a right.
//! Tables owned: `reports`. Events recorded: none (a removal is an entry, with its reason).
pub mod commands;
mod http;
pub mod queries;
mod rows;
mod rules;

pub use self::{
    commands::{DecideReport, ReportMessage},
    http::routes,
    queries::ReportView,
    rules::may_be_reported,
};
