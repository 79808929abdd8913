//! 提前换届: a body that was elected anew, by a result that stands, begins its next term before the one that runs is over.
//!
//! # Why
//! Two terms have no day in common, so the one that runs ends on the day before. Its seats are not touched: a seat counts only
//! within its term. Who took one since the result stood was elected anew and belongs to the next term. It begins on the day on
//! which the office says so: nobody's rights end for days that are past, and nobody waits in between.
use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set,
    sea_query::Expr,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    commands::By,
    queries::{self, Body},
    rows::{elected, seat, term},
    rules::{Role, SeatState},
};
use crate::{
    broker::Bell,
    clock,
    error::{Checks, Code, Result},
    events::{self, Kind},
    ids::{BodyId, PersonId, TermId, VoteId},
    store::Tx,
};

/// Results on one list at most.
const MAX_ELECTIONS: u64 = 20;

/// Why a term begins, today, while another one runs.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EarlyTerm {
    /// The vote by which the body was elected anew, and whose result stands; where each group chooses, or each post is a
    /// vote, the one by which all were.
    pub vote_id: VoteId,
    /// Why before its time, for everybody.
    #[schema(min_length = 2, max_length = 200)]
    pub reason: String,
}

/// That a term ended before its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CutShort {
    /// Until when it was to run.
    pub was_until: NaiveDate,
    /// The vote by which the body was elected anew.
    pub vote_id: VoteId,
    /// Why.
    pub reason: String,
}

impl CutShort {
    pub(super) fn of(row: &term::Model) -> Option<Self> {
        Some(Self { was_until: row.was_until?, vote_id: row.ended_by_vote?, reason: row.end_reason.clone()? })
    }
}

/// A result by which a body was elected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Election {
    /// The vote.
    pub vote: VoteId,
    /// Since when its result stands, or that of the first of several.
    pub stood_on: NaiveDate,
}

/// Writes down, once, that a whole body was elected by a result that stands, and since when; of several the last.
///
/// # Errors
/// When the database refuses.
pub async fn elected(tx: &Tx, (body, vote): (BodyId, VoteId), stood_on: NaiveDate) -> Result<()> {
    if elected::Entity::find_by_id(vote).one(tx).await?.is_none() {
        let row = elected::ActiveModel { vote_id: Set(vote), body_id: Set(body), stood_on: Set(stood_on) };
        row.insert(tx).await?;
    }
    Ok(())
}

/// How many sat in a body at once, at the most, as one of these, in the term of a day and before that day: a post that fell
/// vacant meanwhile is one, too.
///
/// # Errors
/// When the database cannot be read.
pub async fn fullest(db: &impl ConnectionTrait, (body, roles): (BodyId, &[Role]), day: NaiveDate) -> Result<usize> {
    let running = term::Entity::find()
        .filter(term::Column::BodyId.eq(body))
        .filter(term::Column::StartsOn.lte(day))
        .filter(term::Column::EndsOn.gte(day))
        .one(db)
        .await?;
    let running = running.map(|term| term.id);
    let seats = seat::Entity::find().filter(seat::Column::BodyId.eq(body)).filter(seat::Column::StartsOn.lt(day));
    let mut seats = seats.all(db).await?;
    seats.retain(|seat| roles.contains(&seat.role) && (seat.term_id.is_none() || seat.term_id == running));
    // whoever follows on the day on which a seat ends sits in its place
    let on = |day: NaiveDate| {
        let there = seats.iter().filter(|seat| seat.starts_on <= day && seat.ends_on.is_none_or(|last| last > day));
        there.map(|seat| seat.person_id).collect::<BTreeSet<_>>().len()
    };
    Ok(seats.iter().map(|seat| on(seat.starts_on)).max().unwrap_or_default())
}

/// The results by which these bodies were elected, the newest first.
///
/// # Errors
/// When the database cannot be read.
pub async fn elections(db: &impl ConnectionTrait, bodies: Vec<BodyId>) -> Result<Vec<Election>> {
    let rows = elected::Entity::find()
        .filter(elected::Column::BodyId.is_in(bodies))
        .order_by_desc(elected::Column::StoodOn)
        .order_by_desc(elected::Column::VoteId)
        .limit(MAX_ELECTIONS)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|row| Election { vote: row.vote_id, stood_on: row.stood_on }).collect())
}

/// The term that a new one ends, and since when the result stands by which it does. What else would share a day with it is a
/// mistake.
pub(super) async fn in_the_way(
    tx: &Tx,
    checks: &mut Checks,
    (body, starts_on, ends_on): (BodyId, NaiveDate, NaiveDate),
    early: Option<&EarlyTerm>,
) -> Result<Option<(term::Model, NaiveDate)>> {
    let others = term::Entity::find()
        .filter(term::Column::BodyId.eq(body))
        .filter(term::Column::StartsOn.lte(ends_on))
        .filter(term::Column::EndsOn.gte(starts_on))
        .all(tx)
        .await?;
    let (Some(early), [old]) = (early, others.as_slice()) else {
        checks.require(others.is_empty(), "starts_on", "terms_overlap");
        return Ok(None);
    };
    let election = elected::Entity::find_by_id(early.vote_id).one(tx).await?;
    let used = term::Entity::find().filter(term::Column::EndedByVote.eq(early.vote_id)).one(tx).await?;
    // by the result of the day on which it began it was elected itself, and no result ends two terms
    let election = election.filter(|one| one.body_id == body && one.stood_on > old.starts_on && used.is_none());
    checks.require(old.starts_on < starts_on, "starts_on", "terms_overlap");
    checks.require(starts_on == clock::local_date(tx.now()), "starts_on", "not_today");
    checks.require(election.is_some(), "early.vote_id", "not_elected");
    Ok(election.map(|one| (old.clone(), one.stood_on)))
}

/// Ends a term on the day before the new one; who took a seat in it since the result stood goes over. Recorded: `term.ended`.
///
/// # Errors
/// When the database refuses.
pub(super) async fn end(
    tx: &Tx,
    by: By<'_>,
    (body, new, early): (&Body, &term::Model, &EarlyTerm),
    (old, stood_on): (term::Model, NaiveDate),
) -> Result<()> {
    term::Entity::update_many()
        .col_expr(term::Column::EndsOn, Expr::value(new.starts_on.pred_opt().unwrap_or(new.starts_on)))
        .col_expr(term::Column::WasUntil, Expr::value(old.ends_on))
        .col_expr(term::Column::EndedByVote, Expr::value(early.vote_id))
        .col_expr(term::Column::EndReason, Expr::value(early.reason.trim()))
        .filter(term::Column::Id.eq(old.id))
        .exec(tx)
        .await?;
    let seats = seat::Entity::find().filter(seat::Column::TermId.eq(old.id));
    let seats = seats.filter(seat::Column::State.eq(SeatState::Active)).all(tx).await?;
    seat::Entity::update_many()
        .col_expr(seat::Column::TermId, Expr::value(new.id))
        .filter(seat::Column::TermId.eq(old.id))
        .filter(seat::Column::State.eq(SeatState::Active))
        .filter(seat::Column::StartsOn.gte(stood_on))
        .exec(tx)
        .await?;
    for seat in seats {
        tx.ring(Bell::RightsChanged { person: seat.person_id });
    }
    let data = json!({ "body": body.id, "vote": early.vote_id });
    events::record(tx, by.happening(Kind::TermEnded, old.id, &body.areas).with(data)).await?;
    Ok(())
}

/// Who lost a seat because a term ended before its time, and what there is to say of it.
#[derive(Clone, Debug)]
pub struct Lost {
    /// Name of the body.
    pub body_name: String,
    /// The last day of the term.
    pub last_day: NaiveDate,
    /// Why.
    pub reason: String,
    /// Who; nobody who sits there by another seat.
    pub people: BTreeSet<PersonId>,
}

/// Who lost a seat with this term, which ended before its time.
///
/// # Errors
/// `not_found`.
pub async fn lost_with(db: &impl ConnectionTrait, id: TermId, now: DateTime<Utc>) -> Result<Lost> {
    let old = term::Entity::find_by_id(id).one(db).await?.ok_or(Code::NotFound)?;
    let body = queries::get(db, old.body_id).await?;
    let lasting = Condition::any().add(seat::Column::EndsOn.is_null()).add(seat::Column::EndsOn.gt(old.ends_on));
    let seats = seat::Entity::find()
        .filter(seat::Column::TermId.eq(id))
        .filter(seat::Column::State.eq(SeatState::Active))
        .filter(lasting);
    let mut people: BTreeSet<PersonId> = seats.all(db).await?.into_iter().map(|seat| seat.person_id).collect();
    for seat in queries::members_of(db, old.body_id, now).await? {
        people.remove(&seat.person_id);
    }
    Ok(Lost { body_name: body.name, last_day: old.ends_on, reason: old.end_reason.unwrap_or_default(), people })
}
