//! 人才库: what people can do and when, as far as each allows it to be found; and needs (需求) that somebody takes (认领).
//!
//! Always true: only the person writes down what one can do, and only who is of age; who is not found for a use has not
//! allowed it, or has taken that back, which counts at the next search; a village's bodies find who belongs to the village, a
//! town's who belongs to the town, each by a consent of its own; a need is posted in a body's name and taken by one person, and
//! not once more by whom the body replaced; how the two are reached, and who took it, is read by these two sides alone; how it
//! ended is written down by one of them.
//! Tables owned: `skill_entries`, `skill_consents`, `needs`. Events recorded: `skills.changed`, `need.posted`, `need.taken`,
//! `need.ended`.
pub mod entries;
mod http;
pub mod needs;
mod reactions;
mod rows;
pub mod rules;

pub use self::{
    entries::{SetSkills, SkillFound, SkillsView},
    http::routes,
    needs::{NeedView, PostNeed, TakeNeed},
    reactions::REACTIONS,
    rules::EndNeed,
};

/// Takes away what somebody could be found by, and how the person was to be reached about needs; one that is not done yet is
/// open again, and its body is told.
///
/// # Errors
/// When the database refuses.
pub async fn forget(tx: &crate::store::Tx, person: crate::ids::PersonId) -> crate::error::Result<()> {
    entries::forget(tx, person).await?;
    needs::forget(tx, person).await
}
