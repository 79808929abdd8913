//! One binary for all tests that need a server, a database file or the real program.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::too_many_lines, reason = "a test stops where it stands")]

mod architecture;
mod authority;
mod backup;
mod bodies;
mod broker;
mod browser;
mod cli;
mod deliberation;
mod delivery;
mod disaster;
mod kill;
mod live;
mod log;
mod media;
mod people;
mod race;
mod redis_wipe;
mod spec;
mod story;
mod suggestions;
mod support;
