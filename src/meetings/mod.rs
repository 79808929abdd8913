//! 会议: called in time, signed in to, held with minutes.
//!
//! Always true: whoever is present is counted once, by phone, on paper or by proxy alike; only who belongs there can be
//! signed in, party members without a seat too; a meeting is held only after its beginning, with somebody present and
//! minutes taken; minutes, resolutions and how many of how many came do not change afterwards; a council calls its own
//! members and nobody else; a task follows only from what was carried, for somebody whom the body binds.
//! Tables owned: `meetings`, `attendances`, `resolutions`. Events recorded: `meeting.called`, `meeting.held`, `meeting.cancelled`. A
//! sign-in is its own record.
pub mod commands;
mod http;
pub mod queries;
mod reactions;
mod rows;
pub mod rules;

pub use self::{
    commands::{Attend, CallMeeting, CancelMeeting, Resolve, ResolvedTask, TakeMinutes},
    http::routes,
    queries::{AttendanceCounts, AttendanceView, MeetingDetail, MeetingView, PresentView, QuorumView, ResolutionView},
    reactions::REACTIONS,
    rules::{Audience, Business, Via},
};
