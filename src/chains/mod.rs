//! 接龙: a list in a conversation to which everybody adds a row of their own: who comes, who brings what.
//!
//! Always true: rows of two people at the same moment both stand, because each is a row and not a copy of the list; one row
//! for a person, who alone changes it or takes it away, or, as its initiator chose, one for a household, whose members all
//! may; never more rows than there are places, and none after the list has
//! closed, decided when it is written; a row is an entry, so that every phone shows the same list, and is no news to anybody
//! but who started it; what a row said before it was changed or taken out is nowhere any more, nor is anything of a list
//! that was taken back or taken away.
//! Tables owned: `chains`, `chain_rows`. Events recorded: none (a row is an entry).
pub mod commands;
mod http;
pub mod queries;
mod rows;
mod rules;

pub use self::{
    commands::{KINDS, PutRow, Slot, StartChain},
    http::routes,
    queries::ChainView,
};
