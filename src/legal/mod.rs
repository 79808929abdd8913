//! 法制村官 (村法律顾问): what a legal officer does beside the note on a matter's legality, and when one is there for residents.
//!
//! Always true: who sits as a legal officer serves the villages that were named for the seat, or all that the body covers, and
//! everybody sees where and when.
//! Tables owned: `legal_desks`, `legal_villages`. Events recorded: none (the rows are their own record).
//!
//! # Why
//! A question of law is a public voice of the kind 咨询: it has its clock and its answer already, and the clerk gives it to the
//! legal officer, who sits in the body responsible. What officers answered so is listed beside their hours. A lecture is a
//! notice about activities.
mod http;
pub mod officers;
mod rows;

pub use self::{
    http::routes,
    officers::{LegalOfficerView, SetLegalDesk},
};
