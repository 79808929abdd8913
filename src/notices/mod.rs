//! 公示/公告: what is made public for a period, and the objections (异议) that must be answered.
//!
//! Always true: a notice appears in the name of the village committee, by its own seat or by its recorded mandate to a
//! council, and then both are named; every version is kept with its digest; a change starts the period again and keeps
//! the objections; a notice is concluded only when its period is over and every objection is answered; an objection is
//! answered once, in public, and never by who raised it; the public sees the surname of an objector at most; a resident
//! confirms each version of a must-read notice once, and only the number of those who did is public; who is asked is frozen
//! when a version is published, for a notice of a town or the county village by village within seconds; a village's seats see
//! and confirm at its own doors alone, and who sits above them learns numbers by village; a confirmation for somebody else
//! names who made it, and is told to the person or at the door; who was told at the door of a notice that asks nobody is written
//! down likewise; who was not reached is on a list that goes to the grid worker, and nobody but the office and that grid worker
//! reads it.
//! Tables owned: `notices`, `notice_counters`, `notice_versions`, `notice_villages`, `notice_audience`,
//! `notice_confirmations`, `notice_reminders`, `objections`. Events recorded: `notice.published`, `notice.revised`,
//! `notice.withdrawn`, `notice.concluded`, `notice.held_up`, `notice.reminder_due`, `notice.confirmed_for`,
//! `notice.confirmation_undone`, `objection.raised`, `objection.answered`, `objection.withdrawn`; a confirmation of one's own is its own record.
//!
//! # Why
//! The law counts the period from the day after the publication; objections are taken from the minute of publication,
//! because a resident who reads the notice at once should not be told to come back tomorrow.
//! Every adult on the roster is asked, wherever they live and with or without a phone; children are reached through their
//! household. A confirmation may come after the last day, because who stands at a door comes when somebody is at home.
//! A number such as 东衡公示〔2026〕3号 is unique within its area only: two villages of a county may have the same name.
mod audience;
pub mod commands;
mod confirmations;
mod doors;
mod http;
mod objections;
pub mod queries;
mod reach;
pub mod reached;
mod reactions;
mod reminders;
mod rows;
pub mod rules;
mod summons;
mod told;
mod villages;

pub use self::{
    audience::{Scope, scope, village_of, visits},
    commands::{AnswerObjection, PublishNotice, RaiseObjection, ReviseNotice, WithdrawNotice, WithdrawObjection},
    confirmations::{ConfirmFor, ConfirmVia, DoorWay, OfPerson},
    doors::{DoorView, DoorsQuery},
    http::routes,
    queries::{ConfirmationView, NoticeDetail, NoticeView, ObjectionView},
    reach::{ConfirmedView, GroupReach},
    reactions::REACTIONS,
    reminders::REACTIONS as REMINDERS,
    told::REACTIONS as TOLD,
};
