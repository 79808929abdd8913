//! 组织、届、席位、授权: who governs and who advises, and who sits where until when.
//!
//! Always true: rights come from seats alone, and a seat counts only while it is active, within its own days and within
//! those of its term; nobody sits in the supervision committee and in the village committee of one village, or lives with
//! who sits in the other (浙江省实施村民委员会组织法办法, article 30); a council's secretary leads the party's organisation or the
//! committee there, or everybody reads why not; who holds a seat is public; no seat is deleted; that an office is on duty
//! (值班) is asked for, never sent, and says when it ends, not who sits there; a grid worker without groups looks after the whole village;
//! who belongs to a body without a seat (党员, 会员) has no right by it but to its members' meetings, and only who holds the
//! body's meetings sees the list; the register of a collective is for its members and whoever sits over the village, too, and
//! nobody comes onto it or leaves it without a reason that they read; who is on no roster counts by it all the same, when who
//! keeps it says so; a council has its start-up grant once, after it was at work, and a
//! form that fits how many villages it covers, and its members alone work in service groups; what it did is taken back with a
//! reason, never changed, and its charter only followed by its next version; who is recommended for it is known
//! to whoever did so, to that person where the name is of one alone, and to who leads it, checks it for the party, or fills its
//! seats; nobody decides about whom they recommended, or about themselves; two terms of a body have no day in common, and one ends
//! before its time only by a result that stands, with a reason; who sat in one that is over stays as it was; when the term
//! of a council or a federation nears its end and no other is open, its election has a calendar, drafted once, of which
//! everybody reads which days were moved and why.
//! Tables owned: `bodies`, `body_areas`, `terms`, `seats`, `mandates`, `duties`, `rooms`, `room_duties`, `seat_groups`,
//! `body_members`, `member_changes`, `body_elections`, `elections`, `election_days`, `service_records`,
//! `body_charters`, `recommendations`. Events recorded: `body.founded`,
//! `term.opened`, `term.ended`, `seat.taken`, `seat.ended`, `mandate.given`, `mandate.ended`, `body.registered`, `room.changed`,
//! `election.drafted`, `election.changed`, `service.recorded`, `service.withdrawn`,
//! `recommendation.made`, `recommendation.decided`, `recommendation.withdrawn`, `member.entered`,
//! `member.struck` (never whom: the log is for ever, and whether somebody is in the party is theirs).
pub mod charter;
pub mod commands;
pub mod duty;
pub mod early;
pub mod elections;
pub mod grid;
mod http;
mod mandates;
pub mod members;
mod nomination;
pub mod queries;
pub mod recommendations;
pub mod register;
mod registration;
pub mod room;
mod rows;
pub mod rules;
pub mod service;
pub mod services;

pub use self::{
    commands::{By, FoundBody, OpenTerm, TakeSeat, end_seat, found_body, open_term, take_seat},
    http::routes,
    mandates::{EndMandate, GiveMandate, end_mandate, give_mandate},
    nomination::Nomination,
    queries::{
        Body, BodyView, Mandate, SeatView, TermView, bodies_in, committee, get, mandate_for, members_of, of_kind,
        representatives, seats_of,
    },
    registration::{Grant, SetRegistration, set_registration},
    rules::{BodyForm, BodyKind, Role, SeatKind, SeatRoute},
};
pub use crate::rights::{Right, SPEAKERS, areas_with, gives, may, require, rights};
