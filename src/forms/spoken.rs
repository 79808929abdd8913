//! What of a form is said aloud, and to whom.
use sea_orm::{ConnectionTrait, EntityTrait};

use super::{
    queries::{OPEN, may_read, questions},
    rows::form,
    rules::{Purpose, Question},
};
use crate::{
    actor::Actor,
    error::{Code, Result},
    ids::{FormId, PersonId},
};

/// What is said of a form.
#[derive(Clone, Debug)]
pub struct Spoken {
    /// Whose residents are asked.
    pub area_code: String,
    /// Its title.
    pub title: String,
    /// What is asked.
    pub questions: Vec<Question>,
    /// Who opened it.
    pub opened_by: PersonId,
    /// Does it take answers?
    pub is_open: bool,
}

/// What of a survey or a rating is said aloud; a sheet of visits is read out by whoever visits.
///
/// # Errors
/// `not_found` when there is none.
pub async fn spoken(db: &impl ConnectionTrait, id: FormId) -> Result<Spoken> {
    let row = row(db, id).await?;
    Ok(Spoken {
        questions: questions(&row)?,
        is_open: row.state == OPEN,
        area_code: row.area_code,
        title: row.title,
        opened_by: row.created_by,
    })
}

/// Whoever may read it may hear it, too.
///
/// # Errors
/// `not_found` for anybody else.
pub async fn require_hearer(db: &impl ConnectionTrait, actor: Option<&Actor>, id: FormId) -> Result<()> {
    let row = row(db, id).await?;
    let hears = actor.is_some_and(|actor| may_read(actor, &row.purpose, &row.area_code));
    if hears { Ok(()) } else { Err(Code::NotFound.into()) }
}

async fn row(db: &impl ConnectionTrait, id: FormId) -> Result<form::Model> {
    let row = form::Entity::find_by_id(id).one(db).await?;
    row.filter(|row| row.purpose != Purpose::Visit.as_str()).ok_or_else(|| Code::NotFound.into())
}
