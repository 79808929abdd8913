//! 安静时间: when somebody wants to be left alone, and what may be told nevertheless.
//!
//! Always true: hours of quiet move a telling to their end and never lose it; what is important does not heed that a
//! conversation is muted; an emergency heeds neither, and says so. What is told is a plan only: the streams keep everything.
//! Tables owned: `quiet_hours`. Events recorded: none (the row is its own record).
pub mod commands;
mod http;
pub mod queries;
mod rows;
pub mod rules;

pub use self::{
    commands::SetQuietHours,
    http::routes,
    queries::QuietHours,
    rules::{Class, Hours, Wishes, may_tell},
};
