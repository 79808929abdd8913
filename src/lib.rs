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
// means
pub mod broker;
pub mod gateways;
pub mod store;
// what happened, and the handles
pub mod app;
pub mod events;
