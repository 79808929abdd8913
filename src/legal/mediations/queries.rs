//! Reads of mediations: for the officer who holds one and for its parties; to everybody else there is none.
use std::collections::HashMap;

use chrono::{DateTime, FixedOffset, NaiveDate, Utc};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    actor::Actor,
    clock,
    error::{Code, Result},
    ids::{MediaId, MediationId, PersonId},
    keys::Keys,
    legal::{
        photos,
        rows::{follow_up, mediation, party},
        rules::{MediationState, Standing, standing},
    },
    media::{self, Media, MediaView},
    people,
    seals::{self, queries::Opened},
    text,
};

/// Mediations on one list at most.
const MAX_MEDIATIONS: u64 = 100;

/// Somebody between whom it is held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PartyView {
    /// As it was written down.
    pub name: String,
    /// Reads it, too.
    pub is_resident: bool,
}

/// What was found when an agreement was looked at again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FollowUpView {
    /// What was found.
    pub text: String,
    /// When.
    pub at: DateTime<FixedOffset>,
}

/// A mediation, for its officer and its parties.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct MediationView {
    /// Its id.
    pub id: MediationId,
    /// Where.
    pub area_code: String,
    /// Who holds it.
    pub officer_name: String,
    /// Is that the asker?
    pub is_officer: bool,
    /// What it is about.
    pub about: String,
    /// Between whom it is held.
    pub parties: Vec<PartyView>,
    /// How far it has come.
    pub state: MediationState,
    /// Since when.
    pub opened_at: DateTime<FixedOffset>,
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<DateTime<FixedOffset>>,
    /// What came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// What was agreed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreement: Option<String>,
    /// Photos of the paper; in a list none.
    pub photos: Vec<MediaView>,
    /// When the officer is to look at it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follow_up_on: Option<NaiveDate>,
    /// What was found each time, oldest first; in a list none.
    pub follow_ups: Vec<FollowUpView>,
}

/// One mediation.
///
/// # Errors
/// `not_found` for everybody but its officer and its parties.
pub async fn read(db: &impl ConnectionTrait, keys: &Keys, actor: &Actor, id: MediationId) -> Result<MediationView> {
    let (row, _) = visible(db, actor, id).await?;
    let key_id = row.key_id;
    let of = (media::MEDIATION, id.to_string());
    let photos = photos::of(db, of, "/v1/mediations").await?;
    let rows = follow_up::Entity::find()
        .filter(follow_up::Column::MediationId.eq(id))
        .order_by_asc(follow_up::Column::Number)
        .all(db)
        .await?;
    let opened = seals::queries::open_all(db, keys, [key_id]).await?;
    let mut follow_ups = Vec::with_capacity(rows.len());
    for one in rows {
        let text = opened.text(Some(key_id), "follow up", &one.text)?.unwrap_or_else(|| text::say("erased"));
        follow_ups.push(FollowUpView { text, at: clock::local(one.at) });
    }
    let shown = views(db, keys, (actor, vec![row])).await?.pop().ok_or(Code::NotFound)?;
    Ok(MediationView { photos, follow_ups, ..shown })
}

/// One photo of its paper.
///
/// # Errors
/// As [`read`].
pub async fn photo(db: &impl ConnectionTrait, actor: &Actor, (id, photo): (MediationId, MediaId)) -> Result<Media> {
    visible(db, actor, id).await?;
    photos::one(db, (media::MEDIATION, id.to_string()), photo).await
}

/// Those that the actor holds as a legal officer, and those that are held for the actor; the newest first, 100 at most.
///
/// # Errors
/// When the database cannot be read.
pub async fn list(db: &impl ConnectionTrait, keys: &Keys, actor: &Actor) -> Result<Vec<MediationView>> {
    let own = Condition::any().add(mediation::Column::OfficerId.eq(actor.person)).add(held_for(actor.person));
    listed(db, keys, (actor, own)).await
}

/// Those that are held for the actor.
///
/// # Errors
/// When the database cannot be read.
pub async fn of_party(db: &impl ConnectionTrait, keys: &Keys, actor: &Actor) -> Result<Vec<MediationView>> {
    listed(db, keys, (actor, Condition::all().add(held_for(actor.person)))).await
}

/// Those that the actor, who holds them, is to look at again by now; the day that was longest ago first.
///
/// # Errors
/// When the database cannot be read.
pub async fn due(
    db: &impl ConnectionTrait,
    actor: &Actor,
    now: DateTime<Utc>,
) -> Result<Vec<(MediationId, NaiveDate)>> {
    let rows = mediation::Entity::find()
        .filter(mediation::Column::OfficerId.eq(actor.person))
        .filter(mediation::Column::FollowUpOn.lte(clock::local_date(now)))
        .order_by_asc(mediation::Column::FollowUpOn)
        .limit(MAX_MEDIATIONS)
        .all(db)
        .await?;
    let is_own =
        |row: &mediation::Model| standing(actor, (row.officer_id, &row.area_code), &[]) == Some(Standing::Officer);
    let on = |row: mediation::Model| Some((row.id, row.follow_up_on?));
    Ok(rows.into_iter().filter(is_own).filter_map(on).collect())
}

/// The row, and how the actor stands to it.
///
/// # Errors
/// `not_found` for everybody but its officer and its parties.
pub(in crate::legal) async fn visible(
    db: &impl ConnectionTrait,
    actor: &Actor,
    id: MediationId,
) -> Result<(mediation::Model, Standing)> {
    let row = mediation::Entity::find_by_id(id).one(db).await?.ok_or(Code::NotFound)?;
    let parties = parties(db, vec![id]).await?.remove(&id).unwrap_or_default();
    let stands = standing(actor, (row.officer_id, &row.area_code), &residents(&parties));
    Ok((row, stands.ok_or(Code::NotFound)?))
}

/// How many this officer opened for this person since then.
///
/// # Errors
/// When the database cannot be read.
pub(super) async fn opened_for(
    db: &impl ConnectionTrait,
    (officer, person): (PersonId, PersonId),
    since: DateTime<Utc>,
) -> Result<u64> {
    let rows = mediation::Entity::find()
        .filter(mediation::Column::OfficerId.eq(officer))
        .filter(mediation::Column::OpenedAt.gt(since))
        .filter(held_for(person));
    Ok(rows.count(db).await?)
}

/// It is held for this person.
fn held_for(person: PersonId) -> sea_orm::sea_query::Expr {
    let of = party::Entity::find()
        .select_only()
        .column(party::Column::MediationId)
        .filter(party::Column::PersonId.eq(person))
        .into_query();
    mediation::Column::Id.in_subquery(of)
}

async fn listed(
    db: &impl ConnectionTrait,
    keys: &Keys,
    (actor, which): (&Actor, Condition),
) -> Result<Vec<MediationView>> {
    let rows = mediation::Entity::find()
        .filter(which)
        .order_by_desc(mediation::Column::OpenedAt)
        .order_by_desc(mediation::Column::Id)
        .limit(MAX_MEDIATIONS)
        .all(db)
        .await?;
    views(db, keys, (actor, rows)).await
}

type Parties = HashMap<MediationId, Vec<party::Model>>;

async fn parties(db: &impl ConnectionTrait, ids: Vec<MediationId>) -> Result<Parties> {
    let rows = party::Entity::find()
        .filter(party::Column::MediationId.is_in(ids))
        .order_by_asc(party::Column::Number)
        .all(db)
        .await?;
    let mut found = Parties::new();
    for row in rows {
        found.entry(row.mediation_id).or_default().push(row);
    }
    Ok(found)
}

fn residents(parties: &[party::Model]) -> Vec<PersonId> {
    parties.iter().filter_map(|one| one.person_id).collect()
}

/// Those of these that the actor may see, without photos and what was found later.
async fn views(
    db: &impl ConnectionTrait,
    keys: &Keys,
    (actor, rows): (&Actor, Vec<mediation::Model>),
) -> Result<Vec<MediationView>> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let mut of = parties(db, rows.iter().map(|row| row.id).collect()).await?;
    let names = people::names(db, rows.iter().map(|row| row.officer_id).collect()).await?;
    let opened = seals::queries::open_all(db, keys, rows.iter().map(|row| row.key_id)).await?;
    let mut views = Vec::with_capacity(rows.len());
    for row in rows {
        let parties = of.remove(&row.id).unwrap_or_default();
        let stands = standing(actor, (row.officer_id, &row.area_code), &residents(&parties));
        // an officer whose seat has ended holds it no more
        let Some(stands) = stands else { continue };
        let officer_name = names.get(&row.officer_id).cloned().unwrap_or_default();
        views.push(view(&opened, (row, parties), (officer_name, stands))?);
    }
    Ok(views)
}

fn view(
    opened: &Opened,
    (row, parties): (mediation::Model, Vec<party::Model>),
    (officer_name, stands): (String, Standing),
) -> Result<MediationView> {
    let said = |place: &str, kept: &str| {
        opened.text(Some(row.key_id), place, kept).map(|said| said.unwrap_or_else(|| text::say("erased")))
    };
    let perhaps = |place: &str, kept: Option<&str>| kept.map(|kept| said(place, kept)).transpose();
    let mut named = Vec::with_capacity(parties.len());
    for one in &parties {
        named.push(PartyView { name: said("party", &one.name)?, is_resident: one.person_id.is_some() });
    }
    Ok(MediationView {
        officer_name,
        is_officer: stands == Standing::Officer,
        about: said("about", &row.about)?,
        parties: named,
        outcome: perhaps("outcome", row.outcome.as_deref())?,
        agreement: perhaps("agreement", row.agreement.as_deref())?,
        photos: Vec::new(),
        follow_ups: Vec::new(),
        id: row.id,
        area_code: row.area_code.clone(),
        state: row.state,
        opened_at: clock::local(row.opened_at),
        ended_at: row.ended_at.map(clock::local),
        follow_up_on: row.follow_up_on,
    })
}
