//! One binary for all tests that need a server, a database file or the real program.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::too_many_lines, reason = "a test stops where it stands")]

mod architecture;
mod authority;
mod backup;
mod bodies;
mod broker;
mod browser;
mod chains;
mod cli;
mod county;
mod deliberation;
mod delivery;
mod disaster;
mod hostile;
mod identity;
mod invariants;
mod kill;
mod live;
mod log;
mod many;
mod media;
mod messages;
mod people;
mod postgres;
mod race;
mod redis_wipe;
mod schema;
mod simulation;
mod spec;
mod story;
mod suggestions;
mod support;
mod upgrade;
mod words;
