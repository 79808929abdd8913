//! Reads of households: who was named to cast for them, and who will if nobody was.
use std::collections::HashMap;

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::{roll, rows::household_agent};
use crate::{
    actor::Actor,
    app::App,
    bodies::{self, Right},
    clock,
    error::{Code, Result},
    ids::{HouseholdId, PersonId},
    people::{
        self, Resident,
        queries::{Household, household, household_numbered, members},
    },
};

/// A household, with who casts for it in the votes to come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HouseholdView {
    /// Its id.
    pub id: HouseholdId,
    /// Its village.
    pub area_code: String,
    /// Its number on the village's roster.
    pub number: String,
    /// Were its representative and alternates named? Otherwise its head casts.
    pub is_named: bool,
    /// May the asker name them?
    pub may_name: bool,
    /// Who belongs to it, those named first.
    pub people: Vec<MemberView>,
}

/// Somebody of a household.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MemberView {
    /// The person.
    pub id: PersonId,
    /// Full name.
    pub name: String,
    /// 户主
    pub is_head: bool,
    /// Registered and of age: may be named.
    pub may_cast: bool,
    /// 0 the representative, 1 and 2 the alternates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank: Option<i32>,
}

/// Who was named for the households of a village, in their order.
///
/// # Errors
/// When the database cannot be read.
pub(in crate::votes) async fn named_in(
    db: &impl ConnectionTrait,
    area: &str,
) -> Result<HashMap<HouseholdId, Vec<PersonId>>> {
    let homes: Vec<HouseholdId> = people::household_numbers(db, area).await?.into_keys().collect();
    let mut named: HashMap<HouseholdId, Vec<PersonId>> = HashMap::new();
    for some in homes.chunks(1000) {
        for row in rows(db, some.to_vec()).await? {
            named.entry(row.household_id).or_default().push(row.person_id);
        }
    }
    Ok(named)
}

/// Those named for these households now, by rank.
pub(in crate::votes) async fn rows(
    db: &impl ConnectionTrait,
    homes: Vec<HouseholdId>,
) -> Result<Vec<household_agent::Model>> {
    let rows = household_agent::Entity::find()
        .filter(household_agent::Column::HouseholdId.is_in(homes))
        .filter(household_agent::Column::Until.is_null())
        .order_by_asc(household_agent::Column::Rank);
    Ok(rows.all(db).await?)
}

/// May the actor name who casts for a household: its head, or whoever opens votes in the village? `None`: it is not there
/// for the actor at all.
pub(in crate::votes) fn may_name(actor: &Actor, home: &Household, people: &[Resident]) -> Option<bool> {
    if bodies::may(actor, Right::OpenVote, &home.area) {
        return Some(true);
    }
    people.iter().find(|one| one.id == actor.person).map(|own| own.is_head)
}

/// The own household.
///
/// # Errors
/// `not_found` for who is on no roster.
pub async fn own_household(app: &App, actor: &Actor) -> Result<HouseholdView> {
    let own = people::person(app.store.read(), actor.person).await?.ok_or(Code::NotFound)?;
    view(app, actor, household(app.store.read(), own.household).await?).await
}

/// The household with this number, for who opens votes in the village.
///
/// # Errors
/// `not_allowed`; `not_found`.
pub async fn numbered(app: &App, actor: &Actor, (area, number): (&str, &str)) -> Result<HouseholdView> {
    bodies::require(actor, Right::OpenVote, area)?;
    view(app, actor, household_numbered(app.store.read(), area, number.trim()).await?).await
}

/// A household for its people and the office.
///
/// # Errors
/// `not_found`.
pub(in crate::votes) async fn by_id(app: &App, actor: &Actor, id: HouseholdId) -> Result<HouseholdView> {
    view(app, actor, household(app.store.read(), id).await?).await
}

async fn view(app: &App, actor: &Actor, home: Option<Household>) -> Result<HouseholdView> {
    let (db, home) = (app.store.read(), home.ok_or(Code::NotFound)?);
    let residents = members(db, home.id).await?;
    let may_name = may_name(actor, &home, &residents).ok_or(Code::NotFound)?;
    let named = rows(db, vec![home.id]).await?;
    let today = clock::local_date(app.now());
    let show = |one: Resident| MemberView {
        rank: named.iter().find(|row| row.person_id == one.id).map(|row| row.rank),
        may_cast: roll::is_elector(&one, today),
        id: one.id,
        name: one.name,
        is_head: one.is_head,
    };
    let mut people: Vec<MemberView> = residents.into_iter().map(show).collect();
    people.sort_by_key(|one| one.rank.unwrap_or(i32::MAX));
    let is_named = !named.is_empty();
    Ok(HouseholdView { id: home.id, area_code: home.area, number: home.number, is_named, may_name, people })
}
