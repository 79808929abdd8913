//! 问卷: survey (调查), call-back visit (回访) and rating (评分) of one subject.
//!
//! Always true: one person has at most one answer in a form; who wrote an answer down is kept beside whose it is; a
//! visit is never recorded by the person visited, who is told of it; what somebody wrote on paper is typed in once, and that
//! person is told; a rating on paper counts only when two people typed in the same, since who types it in was often rated; which
//! households are visited is drawn once and not changed; results count answers and never name anybody; a closed form takes no
//! answer. Questions do not change once the form is open; who answers statements alike is told from thirty people on, in groups of
//! five and more, never by name.
//! Tables owned: `forms`, `answers`, `visit_samples`. Events recorded: `form.opened`, `form.closed`, `form.answer_typed`,
//! `form.answer_checked`. An answer is its own record.
pub mod commands;
mod http;
pub mod opinions;
pub mod queries;
mod reactions;
mod rows;
pub mod rules;
pub mod spoken;

pub use self::{
    commands::{GiveAnswer, OpenForm},
    http::routes,
    opinions::OpinionGroups,
    queries::{FormDetail, FormView, MyAnswer},
    reactions::REACTIONS,
    rules::{Purpose, Question, Tally},
};
