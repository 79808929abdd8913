//! 公示/公告: what is made public for a period, and the objections (异议) that must be answered.
//!
//! Always true: a notice appears in the name of the village committee, by its own seat or by its recorded mandate to a
//! council, and then both are named; every version is kept with its digest; a change starts the period again and keeps
//! the objections; a notice is concluded only when its period is over and every objection is answered; an objection is
//! answered once, in public, and never by who raised it; the public sees the surname of an objector at most; a resident
//! confirms each version of a must-read notice once, and only the number of those who did is public.
//! Tables owned: `notices`, `notice_counters`, `notice_versions`, `notice_confirmations`, `objections`. Events recorded:
//! `notice.published`, `notice.revised`, `notice.withdrawn`, `notice.concluded`, `notice.held_up`, `objection.raised`,
//! `objection.answered`; a confirmation is its own record.
//!
//! # Why
//! The law counts the period from the day after the publication; objections are taken from the minute of publication,
//! because a resident who reads the notice at once should not be told to come back tomorrow.
//! A number such as 东衡公示〔2026〕3号 is unique within its area only: two villages of a county may have the same name.
pub mod commands;
mod confirmations;
mod http;
mod objections;
pub mod queries;
mod reactions;
mod rows;
pub mod rules;

pub use self::{
    commands::{AnswerObjection, PublishNotice, RaiseObjection, ReviseNotice, WithdrawNotice},
    confirmations::ConfirmationView,
    http::routes,
    queries::{NoticeDetail, NoticeView, ObjectionView},
    reactions::REACTIONS,
};
