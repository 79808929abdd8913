//! What people are called.
use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};

use super::person;
use crate::{error::Result, ids::PersonId, text};

/// Full names of these people; mask them unless they act in a seat. Who closed the account has none any more; the rolls,
/// which the law wants complete, take theirs from [`super::residents`].
///
/// # Errors
/// When the database cannot be read.
pub async fn names(db: &impl ConnectionTrait, ids: Vec<PersonId>) -> Result<HashMap<PersonId, String>> {
    let mut names = HashMap::new();
    for chunk in ids.chunks(1000) {
        let rows: Vec<(PersonId, String, Option<DateTime<Utc>>)> = person::Entity::find()
            .select_only()
            .columns([person::Column::Id, person::Column::Name, person::Column::ClosedAt])
            .filter(person::Column::Id.is_in(chunk.iter().copied()))
            .into_tuple()
            .all(db)
            .await?;
        let shown = |name: String, closed: bool| if closed { text::say("people-closed") } else { name };
        names.extend(rows.into_iter().map(|(id, name, closed)| (id, shown(name, closed.is_some()))));
    }
    Ok(names)
}

/// The same of one of them; empty where there is nobody.
///
/// # Errors
/// When the database cannot be read.
pub async fn name(db: &impl ConnectionTrait, id: PersonId) -> Result<String> {
    Ok(names(db, vec![id]).await?.remove(&id).unwrap_or_default())
}
