//! 表决: the decide stage, by the law's presets.
//!
//! Always true: the roll is frozen in the unit of work that makes a vote and nobody joins it silently later; an elector has at most
//! one envelope, by unique keys and not by a look beforehand; a ballot is taken if and only if it is committed before
//! closing; nobody sees how it stands before it is closed; closing follows the clock or the last ballot, never a hand: a
//! hand can only annul, which tells a reason and no count; the result is what [`rules::decide`] or [`rules::elect`] makes of
//! the count, kept with every number; a tie is never broken, but left to another vote among the tied. Nobody casts for
//! another but by a proxy that a second person checked, or as a named alternate of the own household; nobody's ballot is
//! replaced by who comes after; everybody for whom another cast is told. A vote without a meeting called in time is an
//! opinion poll (意见征询) and decides nothing. What decides may be challenged for a day at least before it stands.
//! A villagers' group votes by a roll of its own people or households, and the rest of the village is neither asked nor counted;
//! the roll of a collective is drawn from its register. So does a group that chooses representatives of the villagers, or some
//! households together; who is chosen sits in their meeting once the result stands. Nobody is voted out of a village committee whom too few asked to recall.
//! To which household somebody belongs is what was so on the day of the roll. What the law keeps in a booth is on paper alone.
//! After the freeze a roll changes only by what two people of the office decided, as entries of the board; while ballots are cast
//! nobody is struck but by two of whom one is apart from it.
//! A result that may be challenged moves nothing before its days are over and each challenge is answered.
//! A sheet of paper stands in the roll as the elector's one channel from the moment it is handed out; what is on paper is
//! counted twice, once at least by somebody who is not of the office, and signed only when every sheet is accounted for. The office
//! whose vote it is neither overturns the result, nor annuls once boxes are counted, nor answers for its own count; whether a vote
//! decides is known with its last ballot. By a phone that a roster changed since the roll nobody casts.
//! A vote that came out of a backup while it ran rests: nothing is cast, handed out, counted, amended, closed or signed on its board
//! until it is annulled, or who may overturn its result, never who runs it, types the fingerprint that was published last and it is
//! that of its board; nobody is sent to cast in it. So is nothing signed on the board of a result that may still be challenged.
//! Rows of roll and ballots say whether their vote is over, from its result on or since its ballots were parted from their
//! electors; on PostgreSQL these lie apart, so that what leaves the files with a secret vote costs what runs.
//! Tables owned: `votes`, `vote_challenges`, `paper_sheets`, `paper_counts`, `paper_replacements`, `roll_entries`,
//! `roll_members`, `roll_agents`, `roll_objections`, `roll_amendments`, `household_agents`, `envelopes`,
//! `trustee_keys`. Events recorded: `vote.roll_posted`, `vote.roll_objected`, `vote.roll_objection_passed_on`,
//! `vote.roll_objection_decided`, `vote.roll_amended`, `vote.challenged`, `vote.challenge_passed_on`,
//! `vote.challenge_answered`, `vote.settled`, `vote.sheet_issued`, `vote.sheet_ended`, `vote.paper_waits`,
//! `vote.counter_replaced`, `vote.paper_signed`, `vote.opened`, `vote.board_shown`, `vote.restored_confirmed`, `vote.box_closed`, `vote.closed`,
//! `vote.proxy_named`, `vote.proxy_checked`, `vote.proxy_ended`, `vote.cast_for`, `household.agents_named`. A ballot is
//! its own record: no event, no log line, no card speaks of it.
//!
//! # Why
//! Ballots are open (记名) here: number, masked name and choice are listed after closing, so that everybody can check.
//! Casting reads vote, roll entry, who may cast for it and envelope, decides and writes: on the one writer nothing moves between them.
//! Ballots that wait for the writer at the same moment share these statements, but for those that are cast for somebody else.
//! The idempotency of a ballot is its `cast_id`, not an `Idempotency-Key`: the key's row would hold the choice.
pub mod archive;
pub mod commands;
mod http;
pub mod office;
pub mod queries;
mod reactions;
mod record;
mod roll;
mod rows;
pub mod rules;
pub mod sealed;
pub mod verify;

pub use self::{
    commands::{BallotReceipt, CastBallot, Choice, NameAgents, NameProxy, OpenVote, RaiseRollObjection, Secrecy},
    http::routes,
    queries::{
        BallotView, ComparisonView, MyVote, OpenVoteView, PresetView, ResultView, VoteView, households::HouseholdView,
        open_votes_for, proxies::ProxyView,
    },
    reactions::REACTIONS,
    record::{FormRecord, MatterRecord, StageRecord, TimelineView, VoteRecord, matter_record},
};
