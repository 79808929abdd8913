//! Reads of claims, for the office.
use chrono::{DateTime, FixedOffset, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ClaimHow, ClaimState, rows::claim, rules};
use crate::{
    actor::Actor,
    app::App,
    bodies::{self, Right},
    clock,
    error::Result,
    ids::{ClaimId, PersonId},
    people::{self, rules::mask_phone},
};

/// Claims shown at once; an office with more decides the oldest first.
const SHOWN: u64 = 100;

/// A claim as the office sees it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ClaimView {
    /// Its id.
    pub id: ClaimId,
    /// phone or office.
    pub how: ClaimHow,
    /// How far it has come.
    pub state: ClaimState,
    /// Code of the village.
    pub area_code: String,
    /// Who it would be.
    pub person_id: PersonId,
    /// In full: the office must know whom it is asked about.
    pub person_name: String,
    /// Number on the village's roster.
    pub roster_number: String,
    /// Villagers' group; 0 where there is none.
    pub group_number: i32,
    /// The new phone, with its middle hidden.
    pub phone: String,
    /// The phone until now, likewise; none where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old_phone: Option<String>,
    /// Who wrote it down at the office.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked_by_name: Option<String>,
    /// When.
    pub asked_at: DateTime<FixedOffset>,
    /// To be decided before this moment.
    pub due_at: DateTime<FixedOffset>,
    /// May the one who looks decide it?
    pub can_decide: bool,
}

/// Claims that wait in an area and below, the oldest first.
///
/// # Errors
/// `not_allowed` for others than those who keep the roster there.
pub async fn waiting(app: &App, actor: &Actor, area: &str) -> Result<Vec<ClaimView>> {
    bodies::require(actor, Right::ImportRoster, area)?;
    let db = app.store.read();
    let rows = claim::Entity::find()
        .filter(claim::Column::State.eq(ClaimState::Waiting))
        .filter(claim::Column::AreaCode.starts_with(area))
        .order_by_asc(claim::Column::AskedAt)
        .limit(SHOWN)
        .all(db)
        .await?;
    let ids: Vec<PersonId> = rows.iter().map(|row| row.person_id).collect();
    let people = people::queries::on_rolls(db, &ids).await?;
    let phones = people::phones_of(db, &app.keys, ids).await?;
    let names = people::names(db, rows.iter().filter_map(|row| row.asked_by).collect()).await?;
    let view = |row: claim::Model| {
        let person = people.get(&row.person_id)?;
        let phone = row.phone_sealed.as_deref().and_then(|sealed| app.keys.shown("phone", sealed));
        Some(ClaimView {
            id: row.id,
            how: row.how,
            state: row.state,
            area_code: row.area_code,
            person_id: row.person_id,
            person_name: person.name.clone(),
            roster_number: person.roster_number.clone(),
            group_number: person.group_number,
            phone: mask_phone(&phone.unwrap_or_default()),
            old_phone: phones.get(&row.person_id).map(|phone| mask_phone(phone)),
            asked_by_name: row.asked_by.and_then(|id| names.get(&id).cloned()),
            asked_at: clock::local(row.asked_at),
            due_at: clock::local(row.due_at),
            can_decide: rules::may_decide(actor.person, row.person_id, row.asked_by).is_ok(),
        })
    };
    Ok(rows.into_iter().filter_map(view).collect())
}

/// Claims of an area and below it that wait past their day: where, and since when. The longest first, so many at most.
///
/// # Errors
/// When the database cannot be read.
pub async fn late(
    db: &impl ConnectionTrait,
    (area, now, limit): (&str, DateTime<Utc>, u64),
) -> Result<Vec<(String, DateTime<Utc>)>> {
    let late = claim::Entity::find()
        .select_only()
        .columns([claim::Column::AreaCode, claim::Column::DueAt])
        .filter(claim::Column::AreaCode.starts_with(area))
        .filter(claim::Column::State.eq(ClaimState::Waiting))
        .filter(claim::Column::DueAt.lte(now))
        .order_by_asc(claim::Column::DueAt)
        .limit(limit);
    Ok(late.into_tuple().all(db).await?)
}
