//! 来信: what people send to the account of WeChat becomes a voice, or more words in its thread.
//!
//! Always true: a call is checked, read and stored within one unit of work, and answered before anything follows from it;
//! the same message is stored once however often and wherever WeChat sends it (a unique key in the database, for a day);
//! nothing is taken in another mode than the one set up; what was said is kept sealed until it became a voice, and then not
//! at all; a voice comes only from a bound account, and is the voice of whom that account belonged to when the message came,
//! however late it is taken; who is not bound is told how to be; a message becomes one voice or one entry however often its
//! worker dies; one that cannot be taken is kept for who asks for it again; what WeChat says of our own sends waits in no
//! queue with them.
//! Tables owned: `wechat_inbox`. Events recorded: none (a voice records its own).
//!
//! # Why
//! WeChat cuts the connection after five seconds, and fetching a photo may take longer: the worker does what follows. What
//! came from WeChat is for the handlers alone: nobody publishes by talking to an account.
mod callback;
pub mod commands;
pub mod queries;
mod rows;
pub mod rules;
pub mod work;

pub use self::{
    callback::routes,
    commands::{due, forget},
    work::run_due,
};
