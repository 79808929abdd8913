//! 投递: what goes out to webhooks, with proof of every attempt.
//!
//! Always true: a delivery row is written in the unit of its cause, one for each event and address; what it says is
//! written at each try from the present state, and nothing is sent about what was withdrawn meanwhile; the delivery's
//! id is the `webhook-id` of every try; one address has one try under way at a time, eight addresses at most, so that a
//! sick one holds up nobody else; a secret is stored sealed and shown once.
//! Tables owned: `webhooks`, `deliveries`, `attempts`. Events recorded: `webhook.changed`.
//!
//! # Why
//! The queue carries ids and may lose or repeat them: every two seconds a sweep offers again what is due, a claim is a
//! conditional update with a lease, and a lease that ran out is given back. With a dead broker the sweep hands the
//! ids to this process itself.
pub mod commands;
mod http;
mod lanes;
mod letters;
pub mod queries;
mod reactions;
mod rows;
pub mod rules;
mod send;
pub mod worker;

pub use self::{
    commands::SetUpWebhook,
    http::routes,
    queries::{NewWebhook, WebhookView},
    reactions::REACTIONS,
};
