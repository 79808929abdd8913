//! That a body was elected by a result that stands is written down with the body: its next term may begin by it before its time.
use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::{
    bodies::{self, BodyKind},
    clock,
    error::Result,
    events::{Event, Kind},
    ids::{HouseholdId, VoteId},
    people,
    store::Tx,
    votes::{
        queries::{self, is_committee_election, is_own_election, is_selection},
        roll,
        rows::{roll_entry, vote},
    },
};

/// Each group, and each few households, choose their representatives by themselves: what stands within so many days is one choice
/// of all of them.
const CHOOSING: TimeDelta = TimeDelta::days(90);

/// Of a committee, of the representatives, and of a council.
pub(super) async fn note(tx: &Tx, event: &Event) -> Result<()> {
    if !matches!(event.kind, Kind::VoteClosed | Kind::VoteSettled) {
        return Ok(());
    }
    let vote = queries::row(tx, event.subject_id()?).await?;
    if !vote.is_binding || vote.settlement.as_deref() != Some(queries::FINAL) {
        return Ok(());
    }
    let body = match vote.preset.as_str() {
        preset if is_committee_election(preset) => bodies::committee(tx, &vote.area_code).await?,
        preset if is_selection(preset) => bodies::of_kind(tx, BodyKind::Representatives, &vote.area_code).await?,
        preset if is_own_election(preset) => Some(vote.body_id),
        _ => None,
    };
    let Some(body) = body else { return Ok(()) };
    if !elects(tx, vote.id).await? {
        return Ok(());
    }
    let stood_at = vote.settled_at.unwrap_or_else(|| tx.now());
    let since =
        if is_selection(&vote.preset) { chosen_by_all(tx, (&vote.area_code, stood_at)).await? } else { Some(stood_at) };
    if let Some(since) = since {
        bodies::early::elected(tx, (body, vote.id), clock::local_date(since)).await?;
    }
    Ok(())
}

async fn elects(tx: &Tx, vote: VoteId) -> Result<bool> {
    let result = queries::result_of(tx, vote).await?;
    Ok(result.choice.is_some_and(|choice| choice.options.iter().any(|option| option.is_elected)))
}

/// Since when a village's representatives are chosen anew, if every household has chosen by now: what some of them did ends no
/// term that is the others', too.
async fn chosen_by_all(tx: &Tx, (area, now): (&str, DateTime<Utc>)) -> Result<Option<DateTime<Utc>>> {
    let near = vote::Entity::find()
        .filter(vote::Column::AreaCode.eq(area))
        .filter(vote::Column::IsBinding.eq(true))
        .filter(vote::Column::Settlement.eq(queries::FINAL))
        .filter(vote::Column::SettledAt.gte(now - CHOOSING))
        .order_by_asc(vote::Column::SettledAt)
        .all(tx)
        .await?;
    let mut chosen = Vec::new();
    for one in near.into_iter().filter(|one| is_selection(&one.preset)) {
        if elects(tx, one.id).await? {
            chosen.push(one);
        }
    }
    // a household that came since then chooses the next time
    let Some(day) = chosen.iter().map(|one| clock::local_date(one.created_at)).min() else { return Ok(None) };
    let homes = roll_entry::Entity::find()
        .select_only()
        .column(roll_entry::Column::HouseholdId)
        .distinct()
        .filter(roll_entry::Column::VoteId.is_in(chosen.iter().map(|one| one.id)));
    let homes: Vec<HouseholdId> = homes.into_tuple().all(tx).await?;
    let electors = people::queries::residents(tx, area).await?.into_iter().filter(|one| roll::is_elector(one, day));
    let mut left: HashSet<HouseholdId> = electors.map(|one| one.household).collect();
    for home in homes {
        left.remove(&home);
    }
    for home in left {
        if people::queries::was_there(tx, home, day).await? {
            return Ok(None);
        }
    }
    Ok(chosen.first().and_then(|one| one.settled_at))
}
