//! That a body was elected by a result that stands is written down with the body: its next term may begin by it before its time.
//!
//! # Why
//! Each post, each group and each few households are a vote of their own, and a post that fell vacant is filled by the same rule.
//! What some of them did ends no term that is the others', too: a body is elected anew by the result with which all of it was.
use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::recalls;
use crate::{
    bodies::{self, BodyKind, Role},
    clock,
    error::Result,
    events::{Event, Kind},
    ids::{BodyId, HouseholdId, VoteId},
    people,
    store::Tx,
    votes::{
        queries::{self, is_committee_election, is_own_election, is_recall, is_selection},
        roll,
        rows::{roll_entry, vote},
    },
};

/// What stands within so many days is one election.
const TOGETHER: TimeDelta = TimeDelta::days(90);

/// Of a committee, of the representatives, and of a council. What follows from a recall is done here, too: a reaction of its own
/// would run on all the recalls there ever were.
pub(super) async fn note(tx: &Tx, event: &Event) -> Result<()> {
    if !matches!(event.kind, Kind::VoteClosed | Kind::VoteSettled) {
        return Ok(());
    }
    let vote = queries::row(tx, event.subject_id()?).await?;
    if !vote.is_binding || vote.settlement.as_deref() != Some(queries::FINAL) {
        return Ok(());
    }
    if is_recall(&vote.preset) {
        return recalls::unseat(tx, &vote).await;
    }
    let body = match vote.preset.as_str() {
        preset if is_committee_election(preset) => bodies::committee(tx, &vote.area_code).await?,
        preset if is_selection(preset) => bodies::of_kind(tx, BodyKind::Representatives, &vote.area_code).await?,
        preset if is_own_election(preset) => Some(vote.body_id),
        _ => None,
    };
    let Some(body) = body else { return Ok(()) };
    if chosen(tx, vote.id).await?.is_empty() {
        return Ok(());
    }
    let results = together(tx, &vote).await?;
    let Some(since) = results.first().and_then(|(first, _)| first.settled_at) else { return Ok(()) };
    let is_whole = if is_selection(&vote.preset) {
        have_all_chosen(tx, &vote.area_code, &results).await?
    } else {
        is_every_post_filled(tx, (body, &vote.preset), (&results, since)).await?
    };
    if is_whole {
        bodies::early::elected(tx, (body, vote.id), clock::local_date(since)).await?;
    }
    Ok(())
}

/// Who was chosen, as the ballot named them.
async fn chosen(tx: &Tx, vote: VoteId) -> Result<Vec<String>> {
    let options = queries::result_of(tx, vote).await?.choice.map(|choice| choice.options).unwrap_or_default();
    Ok(options.into_iter().filter(|option| option.is_elected).map(|option| option.text).collect())
}

/// A result, and whom it chose.
type Chosen = (vote::Model, Vec<String>);

/// The results of one election that chose somebody and stand, the oldest first.
async fn together(tx: &Tx, vote: &vote::Model) -> Result<Vec<Chosen>> {
    let now = vote.settled_at.unwrap_or_else(|| tx.now());
    let is_alike = |one: &vote::Model| match vote.preset.as_str() {
        preset if is_committee_election(preset) => is_committee_election(&one.preset),
        preset if is_selection(preset) => is_selection(&one.preset),
        preset => one.preset == preset && one.body_id == vote.body_id,
    };
    let standing = vote::Entity::find()
        .filter(vote::Column::AreaCode.eq(vote.area_code.as_str()))
        .filter(vote::Column::IsBinding.eq(true))
        .filter(vote::Column::Settlement.eq(queries::FINAL))
        .filter(vote::Column::SettledAt.gte(now - TOGETHER))
        .order_by_asc(vote::Column::SettledAt)
        .all(tx)
        .await?;
    let mut results = Vec::new();
    for one in standing.into_iter().filter(is_alike) {
        let chosen = chosen(tx, one.id).await?;
        if !chosen.is_empty() {
            results.push((one, chosen));
        }
    }
    Ok(results)
}

/// Were as many chosen as sat there before? Who was chosen for posts that fell vacant took nobody's place, and who was chosen
/// twice fills one. Of a council that is who leads it: its members are not chosen by votes.
async fn is_every_post_filled(
    tx: &Tx,
    (body, preset): (BodyId, &str),
    (results, since): (&[Chosen], DateTime<Utc>),
) -> Result<bool> {
    let all = [Role::Chair, Role::ViceChair, Role::Member];
    let roles = if is_committee_election(preset) { &all[..] } else { &all[..2] };
    let before = bodies::early::fullest(tx, (body, roles), clock::local_date(since)).await?;
    let chosen: HashSet<&String> = results.iter().flat_map(|(_, chosen)| chosen).collect();
    Ok(chosen.len() >= before)
}

/// Has every household of the village chosen its representatives, with its group or with others? One that came since then
/// chooses the next time.
async fn have_all_chosen(tx: &Tx, area: &str, results: &[Chosen]) -> Result<bool> {
    let Some(day) = results.iter().map(|(one, _)| clock::local_date(one.created_at)).min() else { return Ok(false) };
    let homes = roll_entry::Entity::find()
        .select_only()
        .column(roll_entry::Column::HouseholdId)
        .distinct()
        .filter(roll_entry::Column::VoteId.is_in(results.iter().map(|(one, _)| one.id)));
    let homes: Vec<HouseholdId> = homes.into_tuple().all(tx).await?;
    let electors = people::queries::residents(tx, area).await?.into_iter().filter(|one| roll::is_elector(one, day));
    let mut left: HashSet<HouseholdId> = electors.map(|one| one.household).collect();
    for home in homes {
        left.remove(&home);
    }
    for home in left {
        if people::queries::was_there(tx, home, day).await? {
            return Ok(false);
        }
    }
    Ok(true)
}
