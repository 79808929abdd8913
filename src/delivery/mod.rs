//! 投递: everyone concerned is told, once, by the channel that reaches them; and what goes out to webhooks.
//!
//! Always true: there is one delivery for each event, channel and person or address; what it says is written at each
//! try from the present state, and nothing is sent about what was withdrawn meanwhile, nor to who has it, has left, or
//! does not want it, and the reason is kept; its id is the same over all tries; one person or address has one try under
//! way at a time; a channel waits for no other, nor a webhook for one that never answers; nobody is disturbed more than
//! three times in seven days but for what must be done and for danger, counted when it goes out and for everybody who
//! hears it; a number is told of an event once, however many people have it, and of an evening's digest in one message;
//! one that cannot be anybody's own (more than ten have it, or it was made up) is told nothing; whoever no message
//! reaches is named to the office and to who goes round, and sees who says to have told them at the door; no number and no
//! address of a person is in a queue, a log or an event.
//! Tables owned: `webhooks`, `deliveries`, `attempts`, `announcements`, `ladder_steps`, `telling_choices`,
//! `topic_choices`, `follows`, `disturbances`, `told_numbers`, `stopped_sends`, `reminders`, `door_marks`. Events
//! recorded: `webhook.changed`, `webhook.tested`, `vote.closing_soon`, `notice.broadcast_released`, `door.told`, `door.taken_back`.
//!
//! # The path
//! event → `announce` (whom, how near, by which ladder) → `plan` (a chunk of the audience in a unit) → `pool` (queue, lanes,
//! breaker of each channel) → `claim` (looked at once more; `stops`, `numbers`, `carried`, `disturb`, and last of all `ways`: the
//! consent is taken) → `dial` → `settle`. Webhooks have `worker` and `send`, loudspeakers `broadcast`.
//!
//! # Why
//! The queue carries ids and may lose or repeat them: every two seconds a sweep offers again what is due, a claim is a
//! conditional update with a lease, and a lease that ran out is given back. With a dead broker the sweep hands the
//! ids to this process itself.
pub mod announce;
mod audience;
pub mod board;
pub mod broadcast;
pub mod calls;
mod carried;
mod claim;
pub mod commands;
mod dial;
mod disturb;
pub mod doors;
pub mod electors;
mod found;
mod hand_over;
mod http;
pub mod invited;
mod lanes;
mod letters;
pub mod marks;
mod numbers;
pub mod plan;
mod pool;
pub mod preferences;
mod public_reach;
pub mod queries;
mod reached;
mod reactions;
pub mod receipts;
mod rows;
pub mod rules;
mod send;
mod settle;
mod several;
mod stops;
mod untold;
pub mod villages;
mod ways;
pub mod worker;

pub use self::{
    audience::Audience,
    commands::SetUpWebhook,
    http::routes,
    queries::{NewWebhook, WebhookView},
    reactions::REACTIONS,
    receipts::routes as receipt_routes,
};
