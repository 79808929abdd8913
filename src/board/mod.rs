//! 公示板: the public board of a vote, an append-only Merkle tree that anybody can check with a small script.
//!
//! Always true: a board begins with the digest of the vote's manifest and the root of its roll; each ballot's digest is on it
//! once, within the time that its receipt promises, sorted inside its batch so that order tells nothing; after the `close`
//! entry comes nothing but the result; every head is signed by the key that the manifest names; a leaf never changes; on a board that is
//! halted, because it came out of a backup, nothing is signed. Nothing
//! on it says who cast, or before the end what was chosen; from the end on nothing kept says in which second a ballot came, but only
//! when it came onto the board with others, and from the result on not even that.
//! Tables owned: `boards`, `board_entries`, `board_heads`, `board_pending`, `board_envelopes`. Events recorded: none
//! (votes record theirs).
//!
//! # Why
//! Casting must not wait for the tree: it leaves a promise (`board_pending`) in its own transaction, and the sequencer
//! appends what waits. A unit of work is alone on the database, so several servers may sequence, and one that dies in the
//! middle has done nothing; unique keys stand guard behind. The right edge of the tree is kept with the board: appending
//! needs no old leaf. No key has the database look for the board of each leaf and promise: the unit that writes them has read
//! it, and a board stays. The server's signing key signs; its id is kept, so that a new key in use does not break a running board.
//! Whoever notes when somebody casts in a secret vote and looks at the board each second would know which leaf that was, so they
//! come together, of five electors or more; of fewer after half a minute, because the receipt promises a minute, and at the end
//! all. An elector counts once, because whoever casts again and again knows those leaves and would see which is another's. When
//! fewer than five have still to cast, or the end is near, what waits goes on the board by its time or by the end alone: the last
//! ballots would otherwise come there by themselves.
//! # What votes call
//! [`commands::open`] when a vote opens, [`commands::promise`] in the transaction of each cast, [`commands::close`] at the
//! end, [`commands::publish`] with the result; [`tick`] runs every second.
pub mod commands;
pub mod halts;
mod http;
pub mod lsb1;
pub mod queries;
mod rows;
pub mod sealing;
pub mod tree;

pub use self::{commands::tick, http::routes, queries::HeadView};

/// Tables that hold for a while when ballots came, and in whose files nothing of that may stay: of the heads, on PostgreSQL, the
/// part with the boards that grow.
pub const TIMES: [&str; 2] = ["board_pending", "board_heads_running"];
