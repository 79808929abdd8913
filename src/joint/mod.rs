//! 秘书长联席会议: what the secretaries of several villages' councils do together.
//!
//! Always true: who leads it changes in the order in which its members came, with each meeting, month or quarter as it says
//! itself, each turn is written down when it begins, and whoever passes one on says why; what comes onto its agenda is a matter
//! under way that concerns two of its villages or more, and stays there until the minutes of a meeting were taken or it is
//! withdrawn; only its members and who fills its seats read all that; what a meeting carried becomes a task in each village once,
//! of the council's secretary there, or of the committee's chair.
//! Tables owned: `joint_rotations`, `joint_turns`, `joint_items`, `joint_tasks`. Events recorded: `joint.chair_changed`,
//! `joint.item_proposed`, `joint.item_withdrawn`, `joint.tasks_given`.
pub mod agenda;
mod http;
pub mod queries;
mod reactions;
mod rows;
pub mod rules;
pub mod turns;
pub mod village_tasks;

pub use self::{
    agenda::ProposeItem,
    http::routes,
    queries::JointView,
    reactions::REACTIONS,
    rules::Rotation,
    turns::{PassTurn, SetRotation},
    village_tasks::GiveVillageTasks,
};
