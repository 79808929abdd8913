//! What of a notice is said aloud.
use sea_orm::{ConnectionTrait, EntityTrait};

use super::{super::rows::notice, PUBLISHED};
use crate::{
    error::{Code, Result},
    ids::{MatterId, NoticeId, PersonId},
};

/// A notice, as it is said aloud.
#[derive(Clone, Debug)]
pub struct Spoken {
    /// Where it hangs.
    pub area_code: String,
    /// The matter it is about.
    pub matter_id: Option<MatterId>,
    /// Its present version, counted from 1.
    pub version: i32,
    /// Its title.
    pub title: String,
    /// What it says.
    pub text: String,
    /// Who published it first.
    pub published_by: PersonId,
    /// Does it hang?
    pub hangs: bool,
}

/// What of a notice is said aloud.
///
/// # Errors
/// `not_found` when there is none.
pub async fn spoken(db: &impl ConnectionTrait, id: NoticeId) -> Result<Spoken> {
    let row = notice::Entity::find_by_id(id).one(db).await?.ok_or(Code::NotFound)?;
    Ok(Spoken {
        hangs: row.state == PUBLISHED,
        area_code: row.area_code,
        matter_id: row.matter_id,
        version: row.version,
        title: row.title,
        text: row.text,
        published_by: row.created_by,
    })
}
