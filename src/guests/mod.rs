//! 访客, 代录: somebody on no roster leaves a private voice, or a handler takes one down for somebody; the answer is read
//! with a claim code (取件码).
//!
//! Always true: a guest's voice is for its handlers only; the phone was proven by a code, or a handler wrote it down in the
//! guest's presence; a guest is on no roll, signs in nowhere and is shown to no neighbour; the claim code is shown once,
//! kept as a keyed digest, and is never part of an address; three voices a day from a phone, thirty wrong codes a day from
//! a network; who comes again by the same phone and name is the same guest, whose phone is kept for a year after the last
//! voice. What is taken down for somebody on the roster is that person's voice, for its handlers only, shows who took it
//! down, and is told to that person's own phone, where there is one; by its claim code one reads text, state and answers and
//! no more, each such opening is written down, and it opens nothing once the voice went to another body or its author has
//! opened it.
//! Tables owned: `guest_voices`, `guest_tries`. Events recorded: none of its own (`suggestion.*`).
mod author;
pub mod commands;
mod ends;
mod http;
mod rows;
mod rules;
mod told;

pub use self::{
    commands::{GuestVoice, LeaveGuestVoice, RecordGuestVoice, TakeDownVoice},
    ends::forget_old,
    http::routes,
};
