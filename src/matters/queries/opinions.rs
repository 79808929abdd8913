//! How many opinions bodies gave on matters.
use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, JoinType, QueryFilter, QuerySelect};

use super::super::rows::{evidence, matter};
use crate::{error::Result, ids::BodyId};

/// As evidence is kept of it.
const OPINION: &str = "opinion";

/// Opinions on matters of an area and below it that were given in this time, by body.
///
/// # Errors
/// When the database cannot be read.
pub async fn opinions_by_body(
    db: &impl ConnectionTrait,
    (area, from, to): (&str, DateTime<Utc>, DateTime<Utc>),
) -> Result<Vec<(BodyId, i64)>> {
    let of = evidence::Entity::belongs_to(matter::Entity).from(evidence::Column::MatterId).to(matter::Column::Id);
    let given = evidence::Entity::find()
        .select_only()
        .column(evidence::Column::BodyId)
        .column_as(evidence::Column::Id.count(), "given")
        .join(JoinType::InnerJoin, of.into())
        .filter(matter::Column::AreaCode.starts_with(area))
        .filter(evidence::Column::Kind.eq(OPINION))
        .filter(evidence::Column::BodyId.is_not_null())
        .filter(evidence::Column::At.gte(from))
        .filter(evidence::Column::At.lt(to))
        .group_by(evidence::Column::BodyId);
    Ok(given.into_tuple().all(db).await?)
}
