//! 县级运维: what whoever runs the county's Liusheng looks at and does: areas, bodies, health, failed work.
//!
//! Always true: counts only, and counts of voices in bands that name nobody; nothing that a person said or chose; what is
//! done here (failed work done again) is recorded. The one way to a private voice is `suggestions::inspect`, with a reason.
//! Tables owned: none. Events recorded: `work.redriven`.
pub mod commands;
pub mod health;
mod http;
pub mod queries;
mod reactions;
pub mod rules;
mod table;
pub mod work;

use std::sync::Arc;

pub use self::{http::routes, reactions::REACTIONS};
use crate::{events::Reaction, live::Hub};

/// What `server` alone knows and hands to the pages: the sockets of this process, and everything that follows from events.
#[derive(Clone)]
pub struct Means {
    /// The sockets.
    pub hub: Arc<Hub>,
    /// What follows from events.
    pub reactions: Arc<Vec<Reaction>>,
}
