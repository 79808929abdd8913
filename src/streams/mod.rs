//! 会话: everything a phone shows is an entry (条目) in some stream.
//!
//! Always true: within a stream `seq` runs 1, 2, 3 … without a gap, given in the transaction of the insert, so that the
//! order of commits is the order of `seq`; `no` counts what people count, and unread = `last_no − read_no`, never negative;
//! a cursor only moves forward; the same `client_id` of the same sender is one entry; content is stored once and read by
//! all (a notice to a county is one entry); what is said in the thread of a private voice is sealed; beside a masked name stands
//! nobody's own id, but where all who read are listed for each other (groups). Who may read a
//! channel or a discussion is a predicate on areas, not rows, but for whom a body that was asked to take part sends; what was recalled is nowhere any more but for the fact.
//! Tables owned: `streams`, `entries`, `memberships`, `grams`, `grams_due`, `card_rounds`, `card_readers`. Events recorded: none
//! (an entry is its own record).
//!
//! # Why
//! No key has the database look for the stream of each entry and of each pair of characters in it: the unit that writes them
//! has moved the stream on, and a stream stays.
pub mod commands;
mod epochs;
mod grams;
mod http;
mod masks;
pub mod queries;
mod rows;
mod rules;
mod sealing;

pub use self::{
    epochs::{begin_epoch, newest_epoch},
    http::routes,
    masks::{mask, speaks_as, speaks_in},
    queries::{EntryView, StreamView},
    rows::stream::Model as Stream,
    rules::{
        Access, GIVEN_TODAY, HANDLER_TODAY, LEADER, MEMBER, RECALL_WITHIN, RECALLED, Side, StreamKind, access,
        chain_of_areas, moderates, opens,
    },
    sealing::{blank, leave_all},
};
