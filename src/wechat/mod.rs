//! 微信账号: whose account of WeChat is whose, what may be sent to it, and how somebody gets in by it.
//!
//! Always true: an openid is kept sealed and found by a keyed digest; it belongs to a person only after the person proved
//! the phone on the roster (a code by SMS, or the number that WeChat vouches for), and for as long as that is the person's phone,
//! never because it was seen; a snapshot's
//! openid is never kept; one consent is one send (unless it holds for ever), and five messages follow
//! what somebody said, for 48 hours: both are taken from the ledger in the unit that decides to send, by one send each, and
//! given back only when nothing can have gone out; what WeChat reports of a send finds it, whichever is first; who does not
//! follow any more gets nothing; who said no is not asked again for 90 days.
//! Tables owned: `wechat_accounts`, `wechat_consents`, `wechat_sends`, `wechat_receipts`, `wechat_log_ins`. Events recorded: `wechat.bound`, `wechat.unbound`.
//!
//! # Why
//! The state of a log-in is kept here and named by a random word, so that no path of ours goes through WeChat; it is tied
//! to the browser by a cookie, so that nobody is logged in by a link that another made.
pub mod commands;
mod http;
pub mod ledger;
mod log_in;
mod mini;
pub mod queries;
mod reactions;
pub mod reports;
mod rows;
pub mod rules;
pub mod send;

pub use self::{
    commands::{bind, due, forget, seen, unbind},
    http::routes,
    log_in::{Back, begin, come_back, waiting},
    queries::{AccountView, of_person},
    reactions::REACTIONS,
    rows::account::Model as Account,
};
