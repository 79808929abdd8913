//! What of a vote is said aloud.
use sea_orm::ConnectionTrait;

use super::{OPEN, options_of, row};
use crate::{
    error::Result,
    ids::{PersonId, VoteId},
};

/// A vote, as it is said aloud.
#[derive(Clone, Debug)]
pub struct Spoken {
    /// Where.
    pub area_code: String,
    /// What is asked.
    pub question: String,
    /// What may be chosen, in the order of the ballot; none of a motion.
    pub options: Vec<String>,
    /// How many of them at most.
    pub max_choices: i32,
    /// Who opened it.
    pub opened_by: PersonId,
    /// Does it take ballots?
    pub is_open: bool,
}

/// What of a vote is said aloud.
///
/// # Errors
/// `not_found` when there is none.
pub async fn spoken(db: &impl ConnectionTrait, id: VoteId) -> Result<Spoken> {
    let row = row(db, id).await?;
    Ok(Spoken {
        options: options_of(row.options.as_deref())?.into_iter().map(|option| option.text).collect(),
        max_choices: row.max_choices,
        is_open: row.state == OPEN,
        area_code: row.area_code,
        question: row.question,
        opened_by: row.created_by,
    })
}
