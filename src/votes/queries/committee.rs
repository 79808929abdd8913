//! The village committee: who its members are, whose recall is under way, and whose came to nothing.
use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};

use super::{ANNULLED, CLOSED, PROVISIONAL, result_of};
use crate::{
    bodies::{self, Role, SeatView},
    clock,
    error::Result,
    ids::PersonId,
    votes::rows::vote,
};

/// Recalls of one member looked at, the newest first: some of them may have been annulled or overturned.
const LOOKED_AT: u64 = 20;

/// The members of the village committee; its clerks and grid workers work for it without sitting in it.
///
/// # Errors
/// When the database cannot be read.
pub async fn committee(db: &impl ConnectionTrait, area: &str, now: DateTime<Utc>) -> Result<Vec<SeatView>> {
    let Some(id) = bodies::committee(db, area).await? else { return Ok(Vec::new()) };
    let mut seats = bodies::members_of(db, id, now).await?;
    seats.retain(|seat| matches!(seat.role, Role::Chair | Role::ViceChair | Role::Member));
    Ok(seats)
}

/// The day on which a recall of this member was last voted on and not carried, which stands; an opinion poll is none.
///
/// # Errors
/// When the database cannot be read.
pub(in crate::votes) async fn failed_recall(
    db: &impl ConnectionTrait,
    area: &str,
    member: PersonId,
) -> Result<Option<NaiveDate>> {
    let held = vote::Entity::find()
        .filter(vote::Column::AreaCode.eq(area))
        .filter(vote::Column::RecalledId.eq(member))
        .filter(vote::Column::IsBinding.eq(true))
        .filter(vote::Column::State.eq(CLOSED))
        .order_by_desc(vote::Column::ClosesAt)
        .limit(LOOKED_AT);
    for row in held.all(db).await? {
        let result = result_of(db, row.id).await?;
        if result.outcome == "not_passed" && !result.is_provisional() && !result.is_overturned() {
            return Ok(Some(clock::local_date(row.closes_at)));
        }
    }
    Ok(None)
}

/// Is there a vote on the recall of this member that is not over? Nor is one whose result may still be challenged, whatever it is.
///
/// # Errors
/// When the database cannot be read.
pub(in crate::votes) async fn is_recall_under_way(
    db: &impl ConnectionTrait,
    area: &str,
    member: PersonId,
) -> Result<bool> {
    let is_running = Condition::any()
        .add(vote::Column::State.is_not_in([CLOSED, ANNULLED]))
        .add(vote::Column::Settlement.eq(PROVISIONAL));
    let held = vote::Entity::find()
        .filter(vote::Column::AreaCode.eq(area))
        .filter(vote::Column::RecalledId.eq(member))
        .filter(is_running);
    Ok(held.count(db).await? > 0)
}
