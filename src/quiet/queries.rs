//! Reads of quiet hours.
use std::collections::HashMap;

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{rows::quiet_hours, rules::Hours};
use crate::{error::Result, ids::PersonId};

/// When somebody is left alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QuietHours {
    /// From this time of the day, in the county's time.
    pub from: String,
    /// To this; over midnight when it is the smaller, and never when it is the same.
    pub to: String,
}

/// The hours of one person.
///
/// # Errors
/// When the database cannot be read.
pub async fn own(db: &impl ConnectionTrait, person: PersonId) -> Result<QuietHours> {
    let hours = hours_of(db, &[person]).await?.remove(&person).unwrap_or(Hours::DEFAULT);
    let (from, to) = hours.written();
    Ok(QuietHours { from, to })
}

/// The hours of those of these people who set some.
///
/// # Errors
/// When the database cannot be read.
pub async fn hours_of(db: &impl ConnectionTrait, people: &[PersonId]) -> Result<HashMap<PersonId, Hours>> {
    let mut hours = HashMap::new();
    for some in people.chunks(1000) {
        let rows = quiet_hours::Entity::find()
            .filter(quiet_hours::Column::PersonId.is_in(some.iter().copied()))
            .all(db)
            .await?;
        hours.extend(rows.into_iter().filter_map(|row| {
            let own = Hours::new(row.from_minute, row.to_minute)?;
            Some((row.person_id, own))
        }));
    }
    Ok(hours)
}
