//! 暂停发言: that somebody may not speak in public for some days, by whom, why, and where to appeal.
//!
//! Always true: it rests on a reason and ends by itself within ninety days; it touches discussions, groups and public
//! voices alone: reading, voting, objecting and writing to an office are rights and are never suspended, so it closes no
//! socket and ends no log-in; nobody suspends themselves, and a village cannot silence who holds a seat over it: that is
//! the town's; the person is told, and told where to appeal.
//! Tables owned: `suspensions`. Events recorded: `speaking.suspended`, `speaking.restored`.
mod commands;
mod http;
mod queries;
mod rows;
mod rules;

pub use self::{
    commands::{LiftSuspension, SuspendSpeaking, lift, suspend},
    http::routes,
    queries::{SuspensionView, require_speech, running_in, silenced, silent, suspension},
};
