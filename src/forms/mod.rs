//! 问卷: survey (调查), call-back visit (回访) and rating (评分) of one subject.
//!
//! Always true: one person has at most one answer in a form; who wrote an answer down is kept beside whose it is; a
//! visit is never recorded by the person visited; results count answers and never name anybody; a closed form takes no
//! answer. Questions do not change once the form is open.
//! Tables owned: `forms`, `answers`. Events recorded: `form.opened`, `form.closed`. An answer is its own record.
pub mod commands;
mod http;
pub mod queries;
mod reactions;
mod rows;
pub mod rules;

pub use self::{
    commands::{GiveAnswer, OpenForm},
    http::routes,
    queries::{FormDetail, FormView, MyAnswer},
    reactions::REACTIONS,
    rules::{Purpose, Question, Tally},
};
