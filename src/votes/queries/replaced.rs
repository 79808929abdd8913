//! Reads of those who were replaced at the counting of a box: who is still waited for, and what everybody reads of it.
use std::collections::HashSet;

use chrono::{DateTime, FixedOffset};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::rows::paper_replacement;
use crate::{
    clock,
    error::Result,
    ids::{PersonId, VoteId},
};

/// Somebody who counted a box is replaced; nobody's name is told but to those who count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReplacementView {
    /// Which box.
    #[serde(rename = "box")]
    pub box_number: i32,
    /// Who; for those who count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counter_id: Option<PersonId>,
    /// Who says so; for those who count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposed_by: Option<PersonId>,
    /// Why.
    pub reason: String,
    /// When a second person confirmed it; it holds from then on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmed_at: Option<DateTime<FixedOffset>>,
}

async fn rows(db: &impl ConnectionTrait, id: VoteId) -> Result<Vec<paper_replacement::Model>> {
    let of_vote = paper_replacement::Entity::find().filter(paper_replacement::Column::VoteId.eq(id));
    Ok(of_vote.order_by_asc(paper_replacement::Column::ProposedAt).all(db).await?)
}

/// Whose counts of which boxes are set aside.
pub(super) async fn gone(db: &impl ConnectionTrait, id: VoteId) -> Result<HashSet<(i32, PersonId)>> {
    let confirmed = rows(db, id).await?.into_iter().filter(|row| row.confirmed_at.is_some());
    Ok(confirmed.map(|row| (row.box_number, row.counter_id)).collect())
}

/// All of them, as those who count see them.
pub(super) async fn all(db: &impl ConnectionTrait, id: VoteId) -> Result<Vec<ReplacementView>> {
    Ok(rows(db, id).await?.into_iter().map(|row| view(row, true)).collect())
}

/// Those that hold, for everybody.
///
/// # Errors
/// When the database cannot be read.
pub async fn told(db: &impl ConnectionTrait, id: VoteId) -> Result<Vec<ReplacementView>> {
    let confirmed = rows(db, id).await?.into_iter().filter(|row| row.confirmed_at.is_some());
    Ok(confirmed.map(|row| view(row, false)).collect())
}

fn view(row: paper_replacement::Model, is_full: bool) -> ReplacementView {
    ReplacementView {
        box_number: row.box_number,
        counter_id: is_full.then_some(row.counter_id),
        proposed_by: is_full.then_some(row.proposed_by),
        reason: row.reason,
        confirmed_at: row.confirmed_at.map(clock::local),
    }
}
