//! 会议: called in time, signed in to, held with minutes.
//!
//! Always true: whoever is present is counted once, by phone, at the door, on paper or by proxy alike; only who belongs
//! there can be signed in, party members without a seat too; a meeting is held only after its beginning, with somebody present
//! and minutes taken; it is counted against the list with which it was called, and who came to the body or left it later is
//! written down with a reason before it begins; minutes, resolutions and how many of how many came do not change afterwards;
//! what nobody counted is not carried, nor what the villagers' own meeting or a group's, which decide by their vote, raised hands for; what
//! was not carried is no resolution of the meeting; a council calls its own members and nobody else; a task follows only from
//! what was carried, and is given by who gives tasks there; whom a vote is about does not call off the meeting it belongs to.
//! Tables owned: `meetings`, `attendances`, `resolutions`, `meeting_lists`, `list_changes`. Events recorded: `meeting.called`,
//! `meeting.held`, `meeting.cancelled`, `meeting.list_changed`. A sign-in is its own record.
pub mod commands;
pub mod door;
mod http;
pub mod queries;
mod reactions;
mod rows;
pub mod rules;

pub use self::{
    commands::{Attend, CallMeeting, CancelMeeting, ChangeList, Resolve, ResolvedTask, TakeMinutes},
    http::routes,
    queries::{
        AttendanceCounts, AttendanceView, DoorCodeView, ListChangeView, ListedView, MeetingDetail, MeetingView,
        PresentView, QuorumView, ResolutionView,
    },
    reactions::{REACTIONS, tell_collective},
    rules::{Audience, Business, Via},
};
