//! 表决: the decide stage, by the law's presets.
//!
//! Always true: the roll is frozen in the unit of work that opens a vote and nobody joins it later; an elector has at most
//! one envelope, by unique keys and not by a look beforehand; a ballot is taken if and only if it is committed before
//! closing; nobody sees how it stands before it is closed; closing follows the clock or the last ballot, never a hand; the
//! result is what [`rules::decide`] makes of the count, kept with every number. A vote without a meeting called in time
//! is an opinion poll (意见征询) and decides nothing.
//! Tables owned: `votes`, `roll_entries`, `envelopes`. Events recorded: `vote.opened`, `vote.closed`. A ballot is its own
//! record: no event, no log line, no card speaks of it.
//!
//! # Why
//! Ballots are open (记名) here: number, masked name and choice are listed after closing, so that everybody can check.
//! Casting reads vote, roll entry and envelope in one statement: on the one writer of SQLite nothing moves between them.
//! The idempotency of a ballot is its `cast_id`, not an `Idempotency-Key`: the key's row would hold the choice.
pub mod commands;
mod http;
pub mod queries;
mod reactions;
mod record;
mod roll;
mod rows;
pub mod rules;

pub use self::{
    commands::{BallotReceipt, CastBallot, Choice, OpenVote},
    http::routes,
    queries::{BallotView, ComparisonView, MyVote, OpenVoteView, PresetView, ResultView, VoteView, open_votes_for},
    reactions::REACTIONS,
    record::{FormRecord, MatterRecord, StageRecord, TimelineView, VoteRecord, matter_record},
};
