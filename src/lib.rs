//! Liusheng 留声: the modules in the order in which they may import one another, lowest first.

// words: no I/O
pub mod clock;
pub mod ids;
pub mod page;
pub mod text;
// what every layer speaks
pub mod actor;
pub mod calendar;
pub mod config;
pub mod error;
pub mod keys;
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
pub mod live;
pub mod moderation;
pub mod streams;
// deliberation
pub mod chains;
pub mod claims;
pub mod delivery;
pub mod forms;
pub mod meetings;
pub mod notices;
pub mod reports;
pub mod suggestions;
pub mod tasks;
// the path and the decision, and how they sound
pub mod aloud;
pub mod board;
pub mod legal;
pub mod matters;
pub mod votes;
// who runs it, and the whole
pub mod backup;
pub mod county;
pub mod doctor;
// what people look at, and the wiring
pub mod demo;
pub mod groups;
pub mod guests;
pub mod inbox;
pub mod pages;
pub mod privacy;
pub mod server;
