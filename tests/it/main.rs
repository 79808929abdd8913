//! One binary for all tests that need a server, a database file or the real program.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::too_many_lines, reason = "a test stops where it stands")]

/// That of the program: what runs here are its servers.
#[cfg(target_arch = "x86_64")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

mod accused;
mod aloud;
mod answers;
mod architecture;
mod asked_above;
mod assists;
mod authority;
mod backup;
mod board;
mod bodies;
mod broker;
mod browser;
mod chains;
mod cli;
mod cosigns;
mod councils;
mod county;
mod deliberation;
mod delivery;
mod disaster;
mod elections;
mod escalation;
mod fanout;
mod figures;
mod groups;
mod hiding;
mod hostile;
mod identity;
mod invariants;
mod joint;
mod kill;
mod legal;
mod live;
mod log;
mod many;
mod media;
mod messages;
mod moderation;
mod must_read;
mod next_steps;
mod offices;
mod offline;
mod paths;
mod people;
mod plans;
mod postgres;
mod promises;
mod race;
mod receipts;
mod redis_wipe;
mod referrals;
mod relay;
mod rosters;
mod routing;
mod schema;
mod simulation;
mod skills;
mod spec;
mod stages;
mod story;
mod suggestions;
mod support;
mod sync;
mod telling;
mod upgrade;
mod wechat;
mod withdrawals;
mod words;
