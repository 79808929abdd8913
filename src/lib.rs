//! Liusheng 留声: the modules from the ground up. Which of them may import which is in `tests/it/architecture.rs`.

// words: no I/O
pub mod clock;
pub mod hex;
pub mod ids;
pub mod text;
// what every layer speaks
pub mod actor;
pub mod calendar;
pub mod config;
pub mod error;
pub mod keys;
pub mod page;
pub mod rights;
pub mod table;
pub mod wordlist;
// bytes for parsers, in tests
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops where it stands")]
mod fuzz;
// means
pub mod broker;
pub mod gateways;
pub mod programs;
pub mod seals;
pub mod shelf;
pub mod store;
// what happened, and the handles
pub mod app;
pub mod events;
// the ground
pub mod areas;
pub mod bodies;
pub mod media;
pub mod people;
pub mod quiet;
pub mod suspensions;
pub mod wechat;
// what phones see
pub mod chains;
pub mod groups;
pub mod live;
pub mod moderation;
pub mod reports;
pub mod streams;
// deliberation
pub mod claims;
pub mod forms;
pub mod meetings;
pub mod notices;
pub mod skills;
pub mod suggestions;
pub mod tasks;
// the path and the decision
pub mod board;
pub mod joint;
pub mod legal;
pub mod matters;
pub mod votes;
// how people hear of it, and speak from outside
pub mod aloud;
pub mod delivery;
pub mod guests;
pub mod inbox;
// what is kept about people, and who runs it
pub mod county;
pub mod privacy;
// what people look at, and the whole
pub mod backup;
pub mod doctor;
pub mod pages;
// the wiring
pub mod demo;
pub mod server;
