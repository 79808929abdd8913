//! Reads of consents and closings.
use chrono::{DateTime, FixedOffset};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, Iterable, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    rows::{closing, consent},
    rules::{ClosingState, Purpose},
};
use crate::{clock, error::Result, ids::PersonId};

/// A consent as it stands.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ConsentView {
    /// What for.
    pub purpose: Purpose,
    /// Given now? What was never asked is not given, and not withdrawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_given: Option<bool>,
    /// Which text it was given to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<DateTime<FixedOffset>>,
}

/// A closing under way.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ClosingView {
    /// When it was asked for.
    pub asked_at: DateTime<FixedOffset>,
    /// When the account closes, unless its owner thinks better of it.
    pub due_at: DateTime<FixedOffset>,
}

/// How this person's consents stand.
///
/// # Errors
/// When the database cannot be read.
pub async fn consents(db: &impl ConnectionTrait, person: PersonId) -> Result<Vec<ConsentView>> {
    let rows = consent::Entity::find()
        .filter(consent::Column::PersonId.eq(person))
        .order_by_desc(consent::Column::At)
        .order_by_desc(consent::Column::Id)
        .all(db)
        .await?;
    let newest = |purpose: Purpose| {
        let row = rows.iter().find(|row| row.purpose == purpose);
        ConsentView {
            purpose,
            is_given: row.map(|row| row.is_given),
            version: row.map(|row| row.version.clone()),
            at: row.map(|row| clock::local(row.at)),
        }
    };
    Ok(Purpose::iter().map(newest).collect())
}

/// Does this consent stand? `None` when it was never asked.
///
/// # Errors
/// When the database cannot be read.
pub async fn is_given(db: &impl ConnectionTrait, person: PersonId, purpose: Purpose) -> Result<Option<bool>> {
    let all = consents(db, person).await?;
    Ok(all.into_iter().find(|one| one.purpose == purpose).and_then(|one| one.is_given))
}

/// The closing that is under way.
///
/// # Errors
/// When the database cannot be read.
pub async fn closing(db: &impl ConnectionTrait, person: PersonId) -> Result<Option<ClosingView>> {
    let row = closing::Entity::find()
        .filter(closing::Column::PersonId.eq(person))
        .filter(closing::Column::State.eq(ClosingState::Waiting))
        .one(db)
        .await?;
    Ok(row.map(|row| ClosingView { asked_at: clock::local(row.asked_at), due_at: clock::local(row.due_at) }))
}
