//! Mandates, and by which of them a body may act in the name of another.
use chrono::{DateTime, FixedOffset, Utc};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{super::rows::mandate, covered};
use crate::{
    clock,
    error::Result,
    ids::{BodyId, MandateId, PersonId},
};

/// More are never shown at once.
const SHOWN: u64 = 100;

/// One mandate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Mandate {
    /// The mandate.
    pub id: MandateId,
    /// In whose name is acted.
    pub from_body_id: BodyId,
    /// Who acts.
    pub to_body_id: BodyId,
    /// What for.
    pub scope: String,
    /// The one thing that it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject_id: Option<String>,
    /// The decision behind it.
    pub source: String,
    /// From when.
    pub starts_at: DateTime<FixedOffset>,
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<DateTime<FixedOffset>>,
    /// When it was ended before that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<DateTime<FixedOffset>>,
    /// Who ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<PersonId>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_reason: Option<String>,
}

impl From<mandate::Model> for Mandate {
    fn from(row: mandate::Model) -> Self {
        Self {
            id: row.id,
            from_body_id: row.from_body_id,
            to_body_id: row.to_body_id,
            scope: row.scope,
            subject_id: row.subject_id,
            source: row.source,
            starts_at: clock::local(row.starts_at),
            ends_at: row.ends_at.map(clock::local),
            ended_at: row.ended_at.map(clock::local),
            ended_by: row.ended_by,
            end_reason: row.end_reason,
        }
    }
}

/// The newest mandate by which a body may act now in an area in the name of one that covers it: for this subject, or
/// for any.
///
/// # Errors
/// When the database cannot be read.
pub async fn mandate_for(
    db: &impl ConnectionTrait,
    to_body: BodyId,
    (scope, area): (&str, &str),
    subject: Option<&str>,
    now: DateTime<Utc>,
) -> Result<Option<Mandate>> {
    let unending = Condition::any().add(mandate::Column::EndsAt.is_null()).add(mandate::Column::EndsAt.gt(now));
    let any_subject = Condition::any().add(mandate::Column::SubjectId.is_null());
    let rows = mandate::Entity::find()
        .filter(mandate::Column::ToBodyId.eq(to_body))
        .filter(mandate::Column::Scope.eq(scope))
        .filter(mandate::Column::StartsAt.lte(now))
        .filter(mandate::Column::EndedAt.is_null())
        .filter(unending)
        .filter(subject.into_iter().fold(any_subject, |any, id| any.add(mandate::Column::SubjectId.eq(id))))
        .order_by_desc(mandate::Column::StartsAt)
        .order_by_desc(mandate::Column::Id)
        .all(db)
        .await?;
    let from = covered(db, rows.iter().map(|row| row.from_body_id).collect()).await?;
    let gives = |row: &mandate::Model| {
        from.get(&row.from_body_id).is_some_and(|areas| areas.iter().any(|code| crate::actor::covers(code, area)))
    };
    Ok(rows.into_iter().find(gives).map(Mandate::from))
}

/// What these bodies let others do in their name, now or from some day on, and what of it they ended before its time; the
/// newest first.
///
/// # Errors
/// When the database cannot be read.
pub async fn mandates_from(db: &impl ConnectionTrait, from: Vec<BodyId>, now: DateTime<Utc>) -> Result<Vec<Mandate>> {
    let unending = Condition::any().add(mandate::Column::EndsAt.is_null()).add(mandate::Column::EndsAt.gt(now));
    let rows = mandate::Entity::find()
        .filter(mandate::Column::FromBodyId.is_in(from))
        .filter(unending)
        .order_by_desc(mandate::Column::StartsAt)
        .order_by_desc(mandate::Column::Id)
        .limit(SHOWN)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(Mandate::from).collect())
}

/// The decision behind a mandate, whether it still holds or not.
///
/// # Errors
/// When the database cannot be read.
pub async fn mandate_source(db: &impl ConnectionTrait, id: MandateId) -> Result<Option<String>> {
    Ok(mandate::Entity::find_by_id(id).one(db).await?.map(|row| row.source))
}
