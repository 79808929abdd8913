//! What assemblies let their representatives decide, as everybody may see it.
use chrono::{DateTime, FixedOffset, NaiveDate};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Reserved,
    stays::{ActorView, Names},
};
use crate::{
    clock,
    error::{Error, Result},
    ids::AuthorisationId,
    matters::{rows::authorisation, rules::ReservedItem},
};

/// More were never given by one village.
const SHOWN: u64 = 200;

/// That a village's assembly let its representatives decide one of the reserved items.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AuthorisationView {
    /// Its id.
    pub id: AuthorisationId,
    /// Code of the village.
    pub area_code: String,
    /// Which item.
    pub reserved: Reserved,
    /// When the assembly said so.
    pub adopted_on: NaiveDate,
    /// The last day on which it holds.
    pub until_on: NaiveDate,
    /// At which assembly, by which written vote or in which charter.
    pub source: String,
    /// Who wrote it down here.
    pub recorded_by: ActorView,
    /// When.
    pub recorded_at: DateTime<FixedOffset>,
    /// Since when it does not hold any more, where it was ended before its last day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<DateTime<FixedOffset>>,
}

/// Those of a village, the newest first; 200 at most.
///
/// # Errors
/// When the database cannot be read.
pub async fn authorisations(db: &impl ConnectionTrait, area: &str) -> Result<Vec<AuthorisationView>> {
    let rows = authorisation::Entity::find()
        .filter(authorisation::Column::AreaCode.eq(area))
        .order_by_desc(authorisation::Column::RecordedAt)
        .order_by_desc(authorisation::Column::Id)
        .limit(SHOWN)
        .all(db)
        .await?;
    views(db, rows).await
}

/// One of them.
pub(in crate::matters) async fn authorisation_view(
    db: &impl ConnectionTrait,
    row: authorisation::Model,
) -> Result<AuthorisationView> {
    views(db, vec![row]).await?.pop().ok_or_else(|| Error::broken("an authorisation without a view"))
}

async fn views(db: &impl ConnectionTrait, rows: Vec<authorisation::Model>) -> Result<Vec<AuthorisationView>> {
    let names = Names::of(db, rows.iter().map(|row| (row.recorded_by, Some(row.body_id))).collect()).await?;
    let view = |row: authorisation::Model| {
        let item = ReservedItem::parse(&row.reserved_item).ok_or_else(|| Error::broken("an authorisation's item"))?;
        Ok(AuthorisationView {
            id: row.id,
            area_code: row.area_code,
            reserved: Reserved::of(item),
            adopted_on: row.adopted_on,
            until_on: row.until_on,
            source: row.source,
            recorded_by: names.actor(row.recorded_by, Some(row.body_id)),
            recorded_at: clock::local(row.recorded_at),
            ended_at: row.ended_at.map(clock::local),
        })
    };
    rows.into_iter().map(view).collect()
}
