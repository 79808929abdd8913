//! Ways out of the house: one-time codes by SMS, signed webhooks.
//!
//! Always true: nothing here touches the database; an address inside our own network is never called for an outsider
//! unless the settings allow it; no personal data in an error.
//! Tables owned: none. Events recorded: none.
pub mod sms;
pub mod webhook;
