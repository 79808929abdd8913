//! 督办: somebody with a seat does something until a day, and shows that it is done.
//!
//! Always true: a task has one owner, who holds a seat where the task is when it is given; only the owner calls it
//! done, with words and a photo; it becomes overdue once, and stays known as such though it is done later.
//! Tables owned: `tasks`. Events recorded: `task.given`, `task.done`, `task.overdue`.
pub mod commands;
mod http;
pub mod queries;
mod reactions;
mod rows;
pub mod rules;

pub use self::{
    commands::{FinishTask, GiveTask},
    http::routes,
    queries::TaskView,
    reactions::REACTIONS,
};
