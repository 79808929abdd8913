//! Reads of suspensions: is somebody silenced now, by whom, until when.
use std::collections::HashMap;

use chrono::{DateTime, FixedOffset, Utc};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{rows::suspension, rules};
use crate::{
    actor::Actor,
    bodies::{self, Right},
    clock,
    error::{Code, Error, Result},
    ids::{PersonId, SuspensionId},
    people,
    store::Tx,
};

/// Rows shown at most.
const SHOWN: u64 = 200;

/// One suspension, for the person and for the desks that may lift it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SuspensionView {
    /// Its id.
    pub id: SuspensionId,
    /// Whose speaking.
    pub person_id: PersonId,
    /// Full name.
    pub name: String,
    /// Code of the village.
    pub area_code: String,
    /// The body that imposed it.
    pub body_name: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub starts_at: DateTime<FixedOffset>,
    /// Until when.
    pub ends_at: DateTime<FixedOffset>,
    /// When it was lifted before that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifted_at: Option<DateTime<FixedOffset>>,
    /// Why it was lifted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lift_reason: Option<String>,
    /// The office that hears an appeal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub appeal_to: Option<String>,
}

/// Neither over nor lifted.
pub(super) fn running(now: DateTime<Utc>) -> Condition {
    Condition::all().add(suspension::Column::EndsAt.gt(now)).add(suspension::Column::LiftedAt.is_null())
}

/// The suspension of this person that ends last.
pub(super) async fn running_of(
    db: &impl ConnectionTrait,
    person: PersonId,
    now: DateTime<Utc>,
) -> Result<Option<suspension::Model>> {
    let own = suspension::Entity::find().filter(suspension::Column::PersonId.eq(person)).filter(running(now));
    Ok(own.order_by_desc(suspension::Column::EndsAt).one(db).await?)
}

/// May this person speak in public now?
///
/// # Errors
/// `speaking_suspended` with the end.
pub async fn require_speech(tx: &Tx, person: PersonId) -> Result<()> {
    match running_of(tx, person, tx.now()).await? {
        Some(row) => Err(silent(row.ends_at)),
        None => Ok(()),
    }
}

/// Those of these people who may not speak in public now, and until when.
///
/// # Errors
/// When the database cannot be read.
pub async fn silenced(tx: &Tx, people: Vec<PersonId>) -> Result<HashMap<PersonId, DateTime<Utc>>> {
    let rows = suspension::Entity::find().filter(suspension::Column::PersonId.is_in(people)).filter(running(tx.now()));
    let rows = rows.order_by_asc(suspension::Column::EndsAt).all(tx).await?;
    Ok(rows.into_iter().map(|row| (row.person_id, row.ends_at)).collect())
}

/// What somebody is told who may not speak until then.
#[must_use]
pub fn silent(until: DateTime<Utc>) -> Error {
    Code::SpeakingSuspended.with(json!({ "until": clock::local(until) }))
}

/// The person's own suspension that runs now.
///
/// # Errors
/// When the database cannot be read.
pub(super) async fn own(
    db: &impl ConnectionTrait,
    actor: &Actor,
    now: DateTime<Utc>,
) -> Result<Option<SuspensionView>> {
    match running_of(db, actor.person, now).await? {
        Some(row) => view(db, row).await.map(Some),
        None => Ok(None),
    }
}

/// What runs in an area now, for its desk.
///
/// # Errors
/// `not_allowed` without the right there.
pub async fn running_in(
    db: &impl ConnectionTrait,
    actor: &Actor,
    (area, now): (&str, DateTime<Utc>),
) -> Result<Vec<SuspensionView>> {
    bodies::require(actor, Right::SuspendSpeaking, area)?;
    let here = suspension::Entity::find().filter(suspension::Column::AreaCode.eq(area)).filter(running(now));
    views(db, here.order_by_asc(suspension::Column::EndsAt).limit(SHOWN).all(db).await?).await
}

/// One suspension, for those who tell the person of it.
///
/// # Errors
/// `not_found`.
pub async fn suspension(db: &impl ConnectionTrait, id: SuspensionId) -> Result<SuspensionView> {
    let row = suspension::Entity::find_by_id(id).one(db).await?.ok_or(Code::NotFound)?;
    view(db, row).await
}

pub(super) async fn view(db: &impl ConnectionTrait, row: suspension::Model) -> Result<SuspensionView> {
    views(db, vec![row]).await?.pop().ok_or_else(|| Error::broken("a suspension without a view"))
}

async fn views(db: &impl ConnectionTrait, rows: Vec<suspension::Model>) -> Result<Vec<SuspensionView>> {
    let names = people::names(db, rows.iter().map(|row| row.person_id).collect()).await?;
    let mut views = Vec::with_capacity(rows.len());
    // a village has one or two
    for row in rows {
        let body = bodies::get(db, row.body_id).await?;
        let above = bodies::of_kind(db, rules::appeal_kind(body.kind), &row.area_code).await?;
        let appeal_to = match above {
            Some(id) => Some(bodies::get(db, id).await?.name),
            None => None,
        };
        views.push(SuspensionView {
            name: names.get(&row.person_id).cloned().unwrap_or_default(),
            body_name: body.name,
            appeal_to,
            id: row.id,
            person_id: row.person_id,
            area_code: row.area_code,
            reason: row.reason,
            starts_at: clock::local(row.starts_at),
            ends_at: clock::local(row.ends_at),
            lifted_at: row.lifted_at.map(clock::local),
            lift_reason: row.lift_reason,
        });
    }
    Ok(views)
}
