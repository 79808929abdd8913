//! 督办: somebody with a seat does something until a day, and shows that it is done.
//!
//! Always true: a task has one owner, who holds a seat where the task is when it is given; only the owner calls it
//! done, with words and a photo; it becomes overdue once for each day on which it was due, and stays known as such though it
//! is done or put off later; who gives tasks there puts one off, to a later day and with a reason that everybody sees, and the
//! day first promised stays beside it; what was set aside and spent is a line in whole fen that is never changed, only
//! reversed once by another.
//! Tables owned: `tasks`, `task_delays`, `money_lines`. Events recorded: `task.given`, `task.done`, `task.overdue`,
//! `task.delayed`, `task.money_noted`.
pub mod commands;
mod http;
pub mod queries;
mod reactions;
mod rows;
pub mod rules;

pub use self::{
    commands::{DelayTask, FinishTask, GiveTask, NoteMoney, ReverseMoney},
    http::routes,
    queries::{DelayView, MoneyLineView, MoneyView, TaskView},
    reactions::REACTIONS,
    rules::MoneyKind,
};
