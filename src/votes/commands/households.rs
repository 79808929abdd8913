//! 户代表: who casts for a household, named before the vote; a roll that is frozen keeps those of its day.
use std::collections::BTreeSet;

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set, sea_query::Expr};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    actor::Actor,
    clock,
    error::{Checks, Code, Result},
    events::{self, Happening, Kind},
    ids::{HouseholdAgentId, HouseholdId, PersonId},
    people::{Resident, queries::household, queries::members},
    store::Tx,
    votes::{
        queries::households::{may_name, rows},
        roll,
        rows::household_agent,
    },
};

/// A representative and two alternates.
const MOST: usize = 3;

/// Who casts for a household from the next vote on.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NameAgents {
    /// The representative, then at most two alternates.
    #[schema(min_items = 1, max_items = 3)]
    pub people: Vec<PersonId>,
}

/// Names who casts for a household in the votes to come; the same again changes nothing. Recorded:
/// `household.agents_named`.
///
/// # Errors
/// `not_found` for who neither belongs to it nor opens votes in its village; `not_allowed` for its other people than the
/// head; `invalid_fields`.
pub async fn name_agents(tx: &Tx, actor: &Actor, (id, input): (HouseholdId, NameAgents)) -> Result<()> {
    let home = household(tx, id).await?.ok_or(Code::NotFound)?;
    let people = members(tx, id).await?;
    if !may_name(actor, &home, &people).ok_or(Code::NotFound)? {
        return Err(Code::NotAllowed.into());
    }
    check(&input, &people, clock::local_date(tx.now()))?;
    let before: Vec<PersonId> = rows(tx, vec![id]).await?.into_iter().map(|row| row.person_id).collect();
    if before == input.people {
        return Ok(());
    }
    household_agent::Entity::update_many()
        .col_expr(household_agent::Column::Until, Expr::value(tx.now()))
        .filter(household_agent::Column::HouseholdId.eq(id))
        .filter(household_agent::Column::Until.is_null())
        .exec(tx)
        .await?;
    let row = |(rank, person): (i32, &PersonId)| household_agent::ActiveModel {
        id: Set(HouseholdAgentId::new()),
        household_id: Set(id),
        person_id: Set(*person),
        rank: Set(rank),
        since: Set(tx.now()),
        until: Set(None),
        recorded_by: Set(actor.person),
    };
    household_agent::Entity::insert_many((0..).zip(&input.people).map(row)).exec_without_returning(tx).await?;
    events::record(tx, Happening::new(Kind::HouseholdAgentsNamed, id).at(home.area).by(actor.person)).await?;
    Ok(())
}

fn check(input: &NameAgents, people: &[Resident], today: chrono::NaiveDate) -> Result<()> {
    let mut checks = Checks::default();
    checks.require((1..=MOST).contains(&input.people.len()), "people", "out_of_range");
    let distinct: BTreeSet<&PersonId> = input.people.iter().collect();
    checks.require(distinct.len() == input.people.len(), "people", "duplicate");
    let may_cast = |id: &PersonId| people.iter().any(|one| one.id == *id && roll::is_elector(one, today));
    checks.require(input.people.iter().all(may_cast), "people", "not_of_household");
    checks.done()
}
