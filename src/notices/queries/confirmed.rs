//! Who has confirmed: one's own, and what one wrote down for others.
use std::collections::HashSet;

use chrono::{DateTime, FixedOffset, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    super::{confirmations::ConfirmVia, rows::confirmation, rules::UNDO_WITHIN},
    NoticeView,
};
use crate::{
    actor::Actor,
    clock,
    error::Result,
    ids::{NoticeId, PersonId},
    people,
};

/// Newest confirmations of the own visits shown.
const SHOWN: u64 = 20;

/// Somebody has read a version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConfirmationView {
    /// The notice.
    pub notice_id: NoticeId,
    /// The version that hung when it was confirmed.
    pub version: i32,
    /// When it was confirmed first.
    pub confirmed_at: DateTime<FixedOffset>,
    /// How.
    pub via: ConfirmVia,
    /// Full name of who did it for the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_name: Option<String>,
}

pub(in super::super) async fn view(db: &impl ConnectionTrait, row: confirmation::Model) -> Result<ConfirmationView> {
    let by = row.proxy_id.or(row.by_id);
    let by_name = match by {
        Some(by) => people::names(db, vec![by]).await?.remove(&by),
        None => None,
    };
    Ok(ConfirmationView {
        notice_id: row.notice_id,
        version: row.version,
        confirmed_at: clock::local(row.at),
        via: ConfirmVia::parse(&row.via),
        by_name,
    })
}

/// The actor's own confirmation of this version.
///
/// # Errors
/// When the database cannot be read.
pub async fn own(
    db: &impl ConnectionTrait,
    actor: &Actor,
    (id, version): (NoticeId, i32),
) -> Result<Option<ConfirmationView>> {
    match confirmation::Entity::find_by_id((id, version, actor.person)).one(db).await? {
        Some(row) => view(db, row).await.map(Some),
        None => Ok(None),
    }
}

/// Which of these notices the person has confirmed, by version.
///
/// # Errors
/// When the database cannot be read.
pub async fn confirmed_by(
    db: &impl ConnectionTrait,
    person: PersonId,
    of: &[NoticeView],
) -> Result<HashSet<(NoticeId, i32)>> {
    let own = confirmation::Entity::find()
        .select_only()
        .columns([confirmation::Column::NoticeId, confirmation::Column::Version])
        .filter(confirmation::Column::NoticeId.is_in(of.iter().map(|one| one.id)))
        .filter(confirmation::Column::Version.is_in(of.iter().map(|one| one.version)))
        .filter(confirmation::Column::PersonId.eq(person));
    Ok(own.into_tuple().all(db).await?.into_iter().collect())
}

/// What the actor wrote down at doors within a day and can take back, newest first, 20 at most.
///
/// # Errors
/// When the database cannot be read.
pub async fn made_by(
    db: &impl ConnectionTrait,
    actor: &Actor,
    (id, version, now): (NoticeId, i32, DateTime<Utc>),
) -> Result<Vec<(PersonId, String)>> {
    let rows = confirmation::Entity::find()
        .filter(confirmation::Column::NoticeId.eq(id))
        .filter(confirmation::Column::Version.eq(version))
        .filter(confirmation::Column::ById.eq(actor.person))
        .filter(confirmation::Column::Via.is_in([ConfirmVia::Door.as_str(), ConfirmVia::Mandate.as_str()]))
        .filter(confirmation::Column::At.gt(now - UNDO_WITHIN))
        .order_by_desc(confirmation::Column::At)
        .limit(SHOWN)
        .all(db)
        .await?;
    let ids: Vec<PersonId> = rows.iter().map(|row| row.person_id).collect();
    let known = people::queries::on_rolls(db, &ids).await?;
    let named = |id: PersonId| (id, known.get(&id).map(|one| one.name.clone()).unwrap_or_default());
    Ok(ids.into_iter().map(named).collect())
}
